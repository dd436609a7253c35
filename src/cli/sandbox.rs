//! `flowc sandbox`: both systems simulated on loopback, until interrupted.

use super::screen::{Paint, Screen};
use super::{Answer, Format, Outcome, Trouble, runtime};
use crate::sandbox::{self, Fault, Limits, Options, Setup, Zone, parse_limits};
use serde_json::Value;
use std::path::PathBuf;

/// The arguments of `sandbox`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What the made-up shop is made from: the same number, the same shop.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Orders to make up; 60 when no recorded shop is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=ORDERS_MAX))]
    orders: Option<u64>,
    /// A folder of a shop's recorded answers: orders/*.json, products/*.json …
    #[arg(long, value_name = "DIR")]
    shop_data: Option<PathBuf>,
    /// A folder of a ledger's records: SERVICE.ENTITY.json
    #[arg(long, value_name = "DIR")]
    ledger_data: Option<PathBuf>,
    /// The shop's port; 0 for any free one.
    #[arg(long, value_name = "P", default_value_t = 0)]
    shop_port: u16,
    /// The ledger's port; 0 for any free one.
    #[arg(long, value_name = "P", default_value_t = 0)]
    ledger_port: u16,
    /// The control API's port; 0 for any free one.
    #[arg(long, value_name = "P", default_value_t = 0)]
    control_port: u16,
    /// The ledger's limits on calls: `real`, `off`, or calls a minute and a day, such as `60/5000`.
    #[arg(long, value_name = "LIMITS", default_value = "real", value_parser = parse_limits)]
    limits: Limits,
    /// Rights that the ledger's login lacks, separated by commas, each with a minus before it: a service or a resource, such as
    /// `-salesinvoice,-financial/Journals`. It answers them with 403.
    #[arg(long, value_name = "RIGHTS", allow_hyphen_values = true, value_parser = parse_rights)]
    rights: Option<Denied>,
    /// Simulated seconds in a real one.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    clock_rate: u32,
    /// The shop's zone: a name, or hours from Greenwich such as `UTC+5.5`.
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    zone: Option<Zone>,
    /// How the shop's server is set up, as JSON: see `POST /shop/server`.
    #[arg(long, value_name = "JSON", value_parser = Setup::parse)]
    shop_server: Option<Setup>,
    /// A standing order to misbehave, as JSON or as KIND:SYSTEM[:RATE]; may be given several times.
    #[arg(long = "fault", value_name = "FAULT", value_parser = parse_faults)]
    faults: Vec<Faults>,
}

/// Most orders that are made up: about five kilobytes each, held in memory.
const ORDERS_MAX: u64 = 1_000_000;

/// What `--rights` takes away.
#[derive(Clone, Debug)]
struct Denied(Vec<String>);

fn parse_rights(text: &str) -> Result<Denied, String> {
    let one = |part: &str| part.trim().strip_prefix('-').filter(|name| !name.is_empty()).map(str::to_owned);
    let all: Option<Vec<String>> = text.split(',').map(one).collect();
    all.map(Denied).ok_or_else(|| "write what is lacking with a minus: `-salesinvoice,-financial/Journals`".to_owned())
}

/// What one `--fault` orders: its JSON may hold several.
#[derive(Clone, Debug)]
struct Faults(Vec<Fault>);

fn parse_faults(text: &str) -> Result<Faults, String> {
    Fault::parse(text).map(Faults)
}

/// Starts both systems, prints where they are, and waits to be interrupted.
pub(crate) fn run(screen: &Screen, arguments: &Arguments) -> Answer {
    let mut server = arguments.shop_server.clone().unwrap_or_default();
    server.zone = arguments.zone.clone().or(server.zone);
    let options = Options {
        server,
        seed: arguments.seed,
        orders: arguments.orders,
        shop_data: arguments.shop_data.clone(),
        ledger_data: arguments.ledger_data.clone(),
        shop_port: arguments.shop_port,
        ledger_port: arguments.ledger_port,
        control_port: arguments.control_port,
        limits: arguments.limits,
        denied: arguments.rights.clone().map_or_else(Vec::new, |denied| denied.0),
        clock_rate: arguments.clock_rate,
        faults: arguments.faults.iter().flat_map(|given| given.0.iter().cloned()).collect(),
        ..Options::default()
    };
    runtime()?.block_on(async {
        let running = sandbox::start(options).await.map_err(Trouble::Misuse)?;
        let line = running.first_line();
        match screen.format() {
            Format::Human => Screen::tell(&for_people(screen, &line)),
            Format::Json | Format::Sarif => Screen::answer(&line.to_string())?,
        }
        super::interrupted().await;
        running.stop().await;
        Ok(Outcome::Done)
    })
}

fn for_people(screen: &Screen, line: &Value) -> String {
    let text = |system: &str, name: &str| match &line[system][name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let heading = |text: &str| screen.paint(text, Paint::Bold);
    format!(
        "{}  {}\n  key     {}\n  secret  {}\n{}  {}\n  division       {}\n  client id      {}\n  client secret  {}\n  \
         refresh token  {}\n{}  {}\n\nInterrupt with Ctrl-C. For programs: --format json.\n",
        heading("shop"),
        text("shop", "url"),
        text("shop", "key"),
        text("shop", "secret"),
        heading("ledger"),
        text("ledger", "url"),
        text("ledger", "division"),
        text("ledger", "client_id"),
        text("ledger", "client_secret"),
        text("ledger", "refresh_token"),
        heading("control"),
        text("control", "url"),
    )
}
