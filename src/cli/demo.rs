//! `flowc demo`: a sandbox with a realistic shop, the default flows run against it, and a report.

use super::open::Answers;
use super::remote::Control;
use super::run::Arguments as RunArguments;
use super::screen::{Paint, Screen};
use super::tell::Lines;
use super::{Answer, Format, Global, Outcome, Trouble, new, runtime};
use crate::sandbox::{self, Options};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Simulated seconds in a real one: the ledger's limit of calls a minute then costs a second of patience.
const CLOCK_RATE: u32 = 60;

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Orders of the shop.
    #[arg(long, value_name = "N", default_value_t = 40)]
    orders: u64,
    /// What the shop is made from: the same number, the same shop.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep the project in this folder, to look at it.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Where the demo's project lies: kept by a person, or gone with the demo.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What stays behind in a temporary folder is cleared up by the system.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Runs the demo.
pub(crate) fn run(screen: &Screen, arguments: &Arguments) -> Answer {
    let folder = folder(arguments)?;
    let options =
        Options { seed: arguments.seed, orders: Some(arguments.orders), clock_rate: CLOCK_RATE, ..Options::default() };
    let servers = runtime()?;
    let running = servers.block_on(sandbox::start(options)).map_err(Trouble::Misuse)?;
    let answer = shown(screen, &folder, &running.first_line().to_string(), &running.control_url);
    servers.block_on(running.stop());
    answer
}

fn folder(arguments: &Arguments) -> Result<Folder, Trouble> {
    match &arguments.keep {
        Some(path) if path.join("project.flow").exists() => {
            Err(Trouble::Misuse(format!("{} holds a project already: name another folder", path.display())))
        }
        Some(path) => Ok(Folder { path: path.clone(), kept: true }),
        None => {
            let path = std::env::temp_dir().join(format!("flowc-demo-{}", uuid::Uuid::new_v4()));
            Ok(Folder { path, kept: false })
        }
    }
}

fn shown(screen: &Screen, folder: &Folder, line: &str, control: &str) -> Answer {
    let plan = new::of_sandbox(line, "Europe/Amsterdam", &[], new::Chosen::of(&["orders.orders"])?)?;
    let project = new::create(&folder.path, &plan)?;
    let title = |text: &str| {
        if screen.format() == Format::Human {
            Screen::tell(&format!("\n{}", screen.paint(text, Paint::Bold)));
        }
    };
    title(&format!(
        "A simulated shop and a simulated ledger run on this machine; the flows {} move their records.",
        project.flows.join(", ")
    ));
    // Orders that need a person are part of a realistic shop.
    pass(screen, &folder.path)?;
    title("The same again: what is done is not done twice.");
    let control = Control::new(control)?;
    let writes = |control: &Control| runtime()?.block_on(writes(control));
    let before = writes(&control)?;
    let again = pass(screen, &folder.path)?;
    let repeated = writes(&control)?.saturating_sub(before);
    let report = runtime()?.block_on(Report::of(&control, repeated))?;
    title("What came of it");
    match screen.format() {
        Format::Human => Screen::tell(&report.for_people(screen, folder)),
        Format::Json | Format::Sarif => Screen::answer(&report.json().to_string())?,
    }
    let sound = report.differing == 0 && report.repeated == 0 && again != Outcome::Wrong;
    Ok(if sound { Outcome::Done } else { Outcome::Wrong })
}

fn pass(screen: &Screen, root: &Path) -> Answer {
    let global = Global { format: screen.format(), project: Some(root.to_path_buf()) };
    let arguments = RunArguments {
        flows: Vec::new(),
        dry_run: false,
        since: None,
        only: Vec::new(),
        quiet_known: true,
        answers: Answers::default(),
        store: None,
    };
    super::run::pass(screen, &global, &arguments, Lines::Trouble)
}

async fn writes(control: &Control) -> Result<u64, Trouble> {
    let calls = control.list("calls").await?;
    let wrote = calls.iter().filter(|call| {
        let resource = call["resource"].as_str().unwrap_or_default();
        matches!(call["method"].as_str(), Some("POST" | "PUT" | "DELETE")) && !resource.contains("token")
    });
    Ok(wrote.filter_map(|call| call["count"].as_u64()).sum())
}

/// What both systems hold at the end.
struct Report {
    orders: usize,
    landed: usize,
    differing: usize,
    /// Orders that made none, by their status.
    left: BTreeMap<String, usize>,
    totals: BTreeMap<String, Decimal>,
    accounts: usize,
    addresses: usize,
    reads: u64,
    writes: u64,
    repeated: u64,
}

impl Report {
    async fn of(control: &Control, repeated: u64) -> Result<Self, Trouble> {
        let orders = control.list("shop/orders").await?;
        let documents = control.list("ledger/salesorder/SalesOrders").await?;
        let mut totals: BTreeMap<String, Decimal> = BTreeMap::new();
        let mut differing = 0;
        for document in &documents {
            let reference = document["YourRef"].as_str().unwrap_or_default().trim();
            let order = orders.iter().find(|order| order["number"].as_str() == Some(reference));
            let (Some(order), Some(amount)) = (order, amount(&document["AmountFC"])) else { continue };
            differing += usize::from(self::amount(&order["total"]) != Some(amount));
            *totals.entry(order["currency"].as_str().unwrap_or_default().to_owned()).or_default() += amount;
        }
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        let booked =
            |order: &Value| documents.iter().any(|d| d["YourRef"].as_str().map(str::trim) == order["number"].as_str());
        for order in orders.iter().filter(|order| !booked(order)) {
            *left.entry(order["status"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let calls = control.list("calls").await?;
        let of_ledger = calls.iter().filter(|call| call["system"] == "ledger");
        let reads = of_ledger.filter(|call| call["method"] == "GET").filter_map(|call| call["count"].as_u64()).sum();
        Ok(Self {
            orders: orders.len(),
            landed: documents.len(),
            differing,
            left,
            totals,
            accounts: control.list("ledger/crm/Accounts").await?.len(),
            addresses: control.list("ledger/crm/Addresses").await?.len(),
            reads,
            writes: writes(control).await?,
            repeated,
        })
    }

    fn for_people(&self, screen: &Screen, folder: &Folder) -> String {
        let totals: Vec<String> = self.totals.iter().map(|(currency, sum)| format!("{currency} {sum:.2}")).collect();
        let mut text = String::new();
        let _ = writeln!(
            text,
            "  {} orders in the shop, {} sales orders in the ledger, {}",
            self.orders,
            self.landed,
            totals.join(", ")
        );
        let cents = match self.differing {
            0 => screen.paint("every total is the shop's, to the cent", Paint::Green),
            n => screen.paint(&format!("{n} totals differ from the shop's"), Paint::Red),
        };
        let _ = writeln!(text, "  {cents}");
        if !self.left.is_empty() {
            let left: Vec<String> = self.left.iter().map(|(status, n)| format!("{n} {status}")).collect();
            let _ = writeln!(text, "  {} stay in the shop: the flow takes those that are paid", left.join(", "));
        }
        let _ = writeln!(text, "  {} accounts, {} addresses", self.accounts, self.addresses);
        let _ = writeln!(
            text,
            "  {} writes, {} reads of the ledger; {} writes in the second run",
            self.writes, self.reads, self.repeated
        );
        if folder.kept {
            let at = folder.path.display();
            let _ = writeln!(text, "  the project is {at}: flowc records --project {at}");
        } else {
            text.push_str("  look around: flowc demo --keep DIR leaves the project there\n");
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "event": "report",
            "orders": self.orders,
            "sales_orders": self.landed,
            "differing": self.differing,
            "left": self.left,
            "totals": self.totals.iter().map(|(currency, sum)| (currency.clone(), sum.to_string())).collect::<BTreeMap<_, _>>(),
            "accounts": self.accounts,
            "addresses": self.addresses,
            "ledger_reads": self.reads,
            "writes": self.writes,
            "repeated_writes": self.repeated,
        })
    }
}

/// An amount as it stands in the JSON, whether in quotes or not.
fn amount(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(n) => n.to_string().parse().ok(),
        Value::String(n) => n.parse().ok(),
        _ => None,
    }
}
