//! Both systems and the control API on loopback, from their options to the last connection.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::calls::Calls;
use super::clock::Clock;
use super::control::Control;
use super::deliver;
use super::door::{Door, Hook};
use super::faults::{Fault, Faults, Kind};
use super::ledger::{self, Ledger, Limits, Rounding};
use super::shop::{self, Setup, Shop};

/// Orders made up when nothing says how many.
const ORDERS_DEFAULT: u64 = 60;

/// Reads the ledger's limits on calls: `real`, `off` or `MINUTE/DAY`.
///
/// # Errors
/// How limits are written.
pub fn parse_limits(text: &str) -> Result<Limits, String> {
    let form = || {
        format!(
            "the limits `{text}` are not understood: write `real`, `off` or calls a minute and a day, such as `60/5000`"
        )
    };
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0).ok_or_else(form);
    match text {
        "real" => Ok(Limits::Real),
        "off" => Ok(Limits::Off),
        _ => {
            let (minute, day) = text.split_once('/').ok_or_else(form)?;
            Ok(Limits::Custom { minute: number(minute)?, day: number(day)? })
        }
    }
}

/// How the sandbox is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// What everything made up is made from.
    pub seed: u64,
    /// Orders to make up. None: 60, or none where recorded data is loaded.
    pub orders: Option<u64>,
    /// Recorded answers of a shop.
    pub shop_data: Option<PathBuf>,
    /// Records of a ledger.
    pub ledger_data: Option<PathBuf>,
    /// Ports; 0 is any free one.
    pub shop_port: u16,
    /// See `shop_port`.
    pub ledger_port: u16,
    /// See `shop_port`.
    pub control_port: u16,
    /// The ledger's limits on calls.
    pub limits: Limits,
    /// Where the ledger rounds a document's VAT.
    pub rounding: Rounding,
    /// Services and resources of the ledger that the login has no right to: answered with 403.
    pub denied: Vec<String>,
    /// Simulated seconds a real second.
    pub clock_rate: u32,
    /// How the shop's server is set up.
    pub server: Setup,
    /// Standing orders to misbehave.
    pub faults: Vec<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            seed: 1,
            orders: None,
            shop_data: None,
            ledger_data: None,
            shop_port: 0,
            ledger_port: 0,
            control_port: 0,
            limits: Limits::Real,
            rounding: Rounding::PerCode,
            denied: Vec::new(),
            clock_rate: 1,
            server: Setup::default(),
            faults: Vec::new(),
        }
    }
}

/// A sandbox that runs.
pub struct Running {
    /// Address of the shop, without path.
    pub shop_url: String,
    /// Address of the ledger, without path.
    pub ledger_url: String,
    /// Address of the control API.
    pub control_url: String,
    first_line: Value,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// The one line that a program reads: addresses and credentials.
    pub fn first_line(&self) -> Value {
        self.first_line.clone()
    }

    /// Stops listening and ends all connections.
    pub async fn stop(self) {
        // Nobody listens only if all doors are closed already.
        let _ = self.stop.send(true);
        for task in self.tasks {
            task.abort();
            // It ended, or it was told to.
            let _ = task.await;
        }
    }
}

/// Sets up both systems and opens their doors on loopback.
///
/// # Errors
/// Data that cannot be read, or a port that is taken, in words for the person who started it.
pub async fn start(options: Options) -> Result<Running, String> {
    let shop_listener = listen(options.shop_port, "shop").await?;
    let ledger_listener = listen(options.ledger_port, "ledger").await?;
    let control_listener = listen(options.control_port, "control API").await?;
    let (shop_url, ledger_url, control_url) =
        (address(&shop_listener)?, address(&ledger_listener)?, address(&control_listener)?);

    let clock = Clock::new(Timestamp::now(), options.clock_rate.max(1));
    let (outbox, inbox) = mpsc::unbounded_channel();
    let client = deliver::client()?;
    let shop = Shop::new(clock.clone(), options.seed, outbox, client.clone());
    let ledger = Ledger::new(clock.clone(), config(&options));
    let (filled_shop, filled_ledger, filled_clock, wanted) =
        (shop.clone(), ledger.clone(), clock.clone(), options.clone());
    let filling = tokio::task::spawn_blocking(move || fill(&filled_shop, &filled_ledger, &filled_clock, &wanted));
    filling.await.map_err(|_| "the sandbox failed while it made its data: this is a mistake of ours".to_owned())??;

    let calls = Arc::new(Calls::default());
    let faults = Arc::new(Faults::new(options.faults.clone()));
    let (closing, told) = watch::channel(false);
    let mut tasks = vec![tokio::spawn(deliver::run(shop.clone(), client.clone(), shop_url.clone(), inbox))];
    let (heard, ledger_inbox) = mpsc::unbounded_channel();
    ledger.set_base_url(&ledger_url);
    ledger.on_change(move |event| {
        // Nobody listens any more only while the sandbox stops.
        let _ = heard.send(event.clone());
    });
    tasks.push(tokio::spawn(deliver::run_ledger(ledger.clone(), client, ledger_inbox)));
    let shared = (Arc::clone(&faults), Arc::clone(&calls));
    for (door, listener) in
        [(shop_door(&shop, shared.clone()), shop_listener), (ledger_door(&ledger, shared), ledger_listener)]
    {
        tasks.push(tokio::spawn(Arc::new(door).serve(listener, told.clone())));
    }
    let first_line = first_line(&shop, &ledger, (&shop_url, &ledger_url, &control_url));
    let control = Control { shop, ledger, clock, clock_rate: options.clock_rate.max(1), calls, faults };
    let served = axum::serve(control_listener, control.router());
    tasks.push(tokio::spawn(async move {
        // It ends only with the task.
        let _ = served.await;
    }));
    Ok(Running { shop_url, ledger_url, control_url, first_line, stop: closing, tasks })
}

/// What both doors share.
type Shared = (Arc<Faults>, Arc<Calls>);

fn shop_door(shop: &Shop, (faults, calls): Shared) -> Door {
    let (router, hook): (_, Hook) = (shop.router(), Box::new(|_| {}));
    Door { system: "shop", router, resource_of: shop::resource_of, records_of: shop::records_of, faults, calls, hook }
}

fn ledger_door(ledger: &Ledger, (faults, calls): Shared) -> Door {
    let resource_of: fn(&axum::http::Uri) -> String = |uri| ledger::resource_of(uri.path());
    let records_of: fn(&axum::http::Uri) -> Vec<String> = |uri| ledger::records_of(uri.path());
    Door { system: "ledger", router: ledger.router(), resource_of, records_of, faults, calls, hook: hook(ledger) }
}

async fn listen(port: u16, whose: &str) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.map_err(|error| {
        format!("the {whose} cannot listen on 127.0.0.1:{port}: {error}. Choose another port, or 0 for any free one")
    })
}

fn address(listener: &TcpListener) -> Result<String, String> {
    let address = listener.local_addr().map_err(|error| format!("the sandbox cannot tell its own address: {error}"))?;
    Ok(format!("http://{address}"))
}

fn config(options: &Options) -> ledger::Config {
    ledger::Config {
        limits: options.limits,
        rounding: options.rounding,
        denied: options.denied.clone(),
        seed: options.seed,
        ..ledger::Config::default()
    }
}

/// Loads and makes up what both systems hold.
fn fill(shop: &Shop, ledger: &Ledger, clock: &Clock, options: &Options) -> Result<(), String> {
    shop.set_up(&options.server);
    if let Some(folder) = &options.shop_data {
        shop.load(folder)?;
        // Recordings of tomorrow would lie behind every cursor: the clock starts after them.
        let newest = Timestamp::from_second(shop.newest()).unwrap_or(Timestamp::UNIX_EPOCH);
        if newest > clock.now() {
            clock.set(newest.saturating_add(SignedDuration::from_secs(1)).unwrap_or(newest));
        }
    }
    let orders = options.orders.unwrap_or(if options.shop_data.is_some() { 0 } else { ORDERS_DEFAULT });
    if orders > 0 {
        shop.generate(options.seed, orders);
    }
    if let Some(folder) = &options.ledger_data {
        ledger.load_dir(folder)?;
    }
    for (sku, name) in shop.skus() {
        ledger.ensure_item(&sku, &name);
    }
    Ok(())
}

/// What a fault does to the ledger's tokens and limits.
fn hook(ledger: &Ledger) -> Hook {
    let ledger = ledger.clone();
    Box::new(move |kind| match kind {
        Kind::ExpireToken => ledger.expire_tokens(),
        Kind::RevokeRefresh => ledger.revoke_refresh(),
        Kind::LimitMinute => ledger.exhaust_minute(),
        Kind::LimitDay => ledger.exhaust_day(),
        _ => {}
    })
}

fn first_line(shop: &Shop, ledger: &Ledger, (shop_url, ledger_url, control_url): (&str, &str, &str)) -> Value {
    let (keys, login) = (shop.credentials(), ledger.credentials());
    json!({
        "shop": {
            "url": shop_url, "key": keys.key, "secret": keys.secret, "webhook_secret": keys.webhook_secret,
            "read_key": keys.read_key, "read_secret": keys.read_secret,
            "write_key": keys.write_key, "write_secret": keys.write_secret,
            "media_user": keys.media_user, "media_password": keys.media_password
        },
        "ledger": {
            "url": ledger_url, "client_id": login.client_id, "client_secret": login.client_secret, "refresh_token": login.refresh_token,
            "access_token": login.access_token, "division": login.division, "webhook_secret": ledger.webhook_secret()
        },
        "control": {"url": control_url}
    })
}
