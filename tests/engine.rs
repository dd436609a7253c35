//! The engine against the sandbox: a pass of the orders flow, from outside as a stranger sees it, with and without faults.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands")]

use flowc::connector::{self, Secrets};
use flowc::engine::{Cancel, Engine, Event, PassOptions, Project, Summary};
use flowc::eval::Compiled;
use flowc::sandbox::{Limits, Options, Running, start};
use flowc::source::Disk;
use flowc::store::{Embedded, Key, Place, Store};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A sandbox and a project that is connected to it.
struct World {
    running: Running,
    folder: tempfile::TempDir,
    secrets: BTreeMap<&'static str, String>,
}

struct Known(BTreeMap<&'static str, String>);

impl Secrets for Known {
    fn secret(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).cloned().map(SecretString::from)
    }
}

impl World {
    async fn new(options: Options) -> Self {
        let running = start(Options { clock_rate: 60, ..options }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let line = running.first_line();
        let text = |system: &str, name: &str| line[system][name].as_str().unwrap_or_default().to_owned();
        let project = include_str!("engine/project.flow")
            .replace("SHOP_URL", &running.shop_url)
            .replace("LEDGER_URL", &running.ledger_url)
            .replace("CONTROL_URL", &running.control_url)
            .replace("DIVISION", &line["ledger"]["division"].to_string());
        std::fs::write(folder.path().join("project.flow"), project).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let csv = include_str!("engine/shipping_methods.csv");
        std::fs::write(folder.path().join("data/shipping_methods.csv"), csv).unwrap();
        let secrets = BTreeMap::from([
            ("SHOP_KEY", text("shop", "key")),
            ("SHOP_SECRET", text("shop", "secret")),
            ("EXACT_CLIENT_ID", text("ledger", "client_id")),
            ("EXACT_CLIENT_SECRET", text("ledger", "client_secret")),
            ("EXACT_REFRESH_TOKEN", text("ledger", "refresh_token")),
            ("EXACT_ACCESS_TOKEN", text("ledger", "access_token")),
        ]);
        Self { running, folder, secrets }
    }

    /// A runner as a fresh process has one.
    async fn engine(&self, overrides: &[(String, String)]) -> Engine {
        let checked = flowc::check::check_project(&Disk, self.folder.path(), overrides);
        for diagnostic in &checked.diagnostics {
            println!("{} {}", checked.sources.place(diagnostic.span), diagnostic.message);
        }
        assert!(checked.is_sound());
        let program = Arc::new(checked.program);
        let store: Arc<dyn Store> =
            Arc::new(Embedded::open(&self.path("store.redb"), &Key::from_text("a test")).unwrap());
        let mut connections = Vec::new();
        for connection in &program.connections {
            let habits = program.connector(&connection.connector).unwrap();
            let opened = connector::open(connection, habits, &Known(self.secrets.clone()), Arc::clone(&store)).await;
            connections.push((connection.name.to_string(), opened.unwrap()));
        }
        let sources = checked.sources;
        let project = Project {
            meaning: Arc::new(Compiled::new(Arc::clone(&program))),
            program,
            plan_hash: format!("{overrides:?}"),
            sources: Vec::new(),
            place: Arc::new(move |span| {
                let position = sources.position(span);
                let file = sources.get(span.file).path.display().to_string();
                let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                Some(Place { file, line: number(position.line), column: number(position.column) })
            }),
            log_days: 14,
        };
        Engine::new(project, connections, store)
    }

    /// An hour later, another process.
    async fn later(&self, engine: Engine) -> Engine {
        drop(engine);
        self.control(reqwest::Method::POST, "/clock", Some("+1h".into())).await;
        self.engine(&[]).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.running.control_url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn held(&self, resource: &str) -> Vec<Value> {
        self.control(reqwest::Method::GET, &format!("/{resource}"), None).await.as_array().cloned().unwrap_or_default()
    }

    /// Calls of a system: reads, writes.
    async fn calls(&self, system: &str) -> (u64, u64) {
        let mut counts = (0, 0);
        for row in self.held("calls").await {
            if row["system"] == system && !row["resource"].as_str().unwrap().contains("token") {
                let count = row["count"].as_u64().unwrap();
                if row["method"] == "GET" { counts.0 += count } else { counts.1 += count }
            }
        }
        counts
    }

    async fn forget_calls(&self) {
        self.control(reqwest::Method::DELETE, "/calls", None).await;
    }
}

/// One pass of the orders flow, with what it told.
async fn pass(engine: &Engine, options: PassOptions) -> (Summary, Vec<Event>) {
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| {
        events.lock().unwrap().push(event);
    };
    let summary = engine.pass(&["orders".to_owned()], &options, &tell, &Cancel::default()).await.unwrap();
    (summary, events.into_inner().unwrap())
}

fn show(events: &[Event]) {
    for event in events {
        let line = serde_json::to_string(event).unwrap();
        println!("{}", line.chars().take(700).collect::<String>());
    }
}

/// How many orders: a person may want more.
fn orders(usually: u64) -> u64 {
    std::env::var("FLOWC_ORDERS").ok().and_then(|n| n.parse().ok()).unwrap_or(usually)
}

fn samples() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("FLOWC_SAMPLES")?);
    Path::new(&path).exists().then_some(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_land_once() {
    let options = match samples() {
        Some(data) => Options {
            shop_data: Some(data),
            ledger_data: std::env::var_os("FLOWC_LEDGER").map(Into::into),
            limits: Limits::Off,
            ..Options::default()
        },
        None => Options { orders: Some(orders(20)), limits: Limits::Off, ..Options::default() },
    };
    let world = World::new(options).await;
    let engine = world.engine(&[]).await;
    let began = std::time::Instant::now();
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    println!("{} ms", began.elapsed().as_millis());
    show(&events);
    println!("{summary:?} {:?} {:?}", world.calls("ledger").await, world.calls("shop").await);
    assert!(summary.endings.is_empty());
    if let Some(Event::Parked(told)) = events.iter().find(|e| matches!(e, Event::Parked(_))) {
        let shown = engine.show(&told.id, 1).await.unwrap();
        println!("{}", serde_json::to_string_pretty(&shown).unwrap());
    }
    world.forget_calls().await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert_eq!(world.calls("ledger").await.1 + world.calls("shop").await.1, 0, "a second pass writes nothing");
    assert!(summary.endings.is_empty());
}

/// The runner dies at random moments while the ledger drops answers before and after the effect, and lets some come late.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_twice_and_nothing_lost() {
    let orders = orders(60);
    let world = World::new(Options { orders: Some(orders), ..Options::default() }).await;
    let faults = serde_json::json!([
        {"system": "ledger", "method": "POST", "kind": "drop_after", "rate": 0.05, "seed": 2},
        {"system": "ledger", "method": "POST", "kind": "effect_late", "ms": 1500, "rate": 0.03, "seed": 3},
        {"system": "ledger", "kind": "status", "status": 503, "rate": 0.03, "seed": 4},
        {"system": "ledger", "kind": "delay", "ms": 30, "rate": 1, "seed": 5},
    ]);
    world.control(reqwest::Method::PUT, "/faults", Some(faults)).await;
    let mut killed = 0;
    for n in 0..12_u64 {
        let engine = world.engine(&[]).await;
        let patience = std::time::Duration::from_millis(150 + 613 * n % 1_900);
        if tokio::time::timeout(patience, pass(&engine, PassOptions::default())).await.is_err() {
            killed += 1;
        }
        drop(engine);
        world.control(reqwest::Method::POST, "/clock", Some("+1m".into())).await;
    }
    world.control(reqwest::Method::PUT, "/faults", Some(serde_json::json!([]))).await;
    let mut last = Summary::default();
    for _ in 0..4 {
        world.control(reqwest::Method::POST, "/clock", Some("+10m".into())).await;
        let engine = world.engine(&[]).await;
        let (summary, events) = pass(&engine, PassOptions::default()).await;
        show(&events.into_iter().filter(|e| !matches!(e, Event::Unchanged(_))).collect::<Vec<_>>());
        last = summary;
    }
    let sent = |o: &&Value| ["processing", "completed"].contains(&o["status"].as_str().unwrap());
    let wanted: Vec<String> =
        world.held("shop/orders").await.iter().filter(sent).map(|o| o["number"].as_str().unwrap().to_owned()).collect();
    let mut there: Vec<String> = world
        .held("ledger/salesorder/SalesOrders")
        .await
        .iter()
        .map(|o| o["YourRef"].as_str().unwrap_or_default().to_owned())
        .collect();
    there.sort();
    let made = there.len();
    there.dedup();
    println!("{killed} killed, {made} of {} made, {last:?}", wanted.len());
    assert_eq!(made, there.len(), "nothing twice");
    let missing: Vec<&String> = wanted.iter().filter(|n| !there.contains(n)).collect();
    assert!(missing.is_empty(), "nothing lost: {missing:?}");
    let mut emails: Vec<String> = world
        .held("ledger/crm/Accounts")
        .await
        .iter()
        .filter_map(|a| a["Email"].as_str().map(str::to_lowercase))
        .collect();
    let accounts = emails.len();
    emails.sort();
    emails.dedup();
    assert_eq!(accounts, emails.len(), "one account a customer");
}

/// What changes in the shop afterwards is followed, field by field and line by line; what a bookkeeper has changed is
/// left; a dry run tells the same and writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed() {
    let world = World::new(Options { orders: Some(8), limits: Limits::Off, ..Options::default() }).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass(&engine, PassOptions { dry_run: true, ..PassOptions::default() }).await;
    show(&events[..3.min(events.len())]);
    assert!(summary.counts.created > 0);
    assert_eq!(world.calls("ledger").await.1 + world.calls("shop").await.1, 0, "a dry run writes nothing");
    pass(&engine, PassOptions::default()).await;
    let sent = |o: &&Value| ["processing", "completed"].contains(&o["status"].as_str().unwrap());
    let orders = world.held("shop/orders").await;
    let order = orders.iter().find(sent).unwrap().clone();
    let number = order["number"].as_str().unwrap();
    let engine = world.later(engine).await;
    let mut changed = order.clone();
    changed["customer_note"] = "Ring twice".into();
    world.control(reqwest::Method::POST, "/shop/orders", Some(changed.clone())).await;
    world.forget_calls().await;
    let (_, events) = pass(&engine, PassOptions { dry_run: true, ..PassOptions::default() }).await;
    let foreseen = events.iter().find_map(|e| if let Event::Updated(told) = e { Some(told) } else { None }).unwrap();
    assert_eq!(foreseen.changes[0].field, "Remarks");
    assert_eq!(world.calls("ledger").await.1, 0);
    world.forget_calls().await;
    pass(&engine, PassOptions::default()).await;
    assert_eq!(world.calls("ledger").await.1, 1, "one field of one order has changed");
    let after = world.held("ledger/salesorder/SalesOrders").await;
    let after = after.iter().find(|o| o["YourRef"] == number).unwrap();
    assert!(after["Remarks"].as_str().unwrap_or_default().contains("Ring twice"), "{after}");
    // A piece more of the first line.
    let lines = changed["line_items"].as_array_mut().unwrap();
    let double = |v: &Value| {
        let n: rust_decimal::Decimal = v.as_str().unwrap().parse().unwrap();
        Value::from((n * rust_decimal::Decimal::TWO).to_string())
    };
    let line = &mut lines[0];
    let more: rust_decimal::Decimal = ["total", "total_tax"]
        .iter()
        .map(|f| line[f].as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap())
        .sum();
    line["quantity"] = (line["quantity"].as_i64().unwrap() * 2).into();
    for name in ["total", "total_tax", "subtotal", "subtotal_tax"] {
        line[name] = double(&line[name]);
    }
    for tax in line["taxes"].as_array_mut().unwrap() {
        tax["total"] = double(&tax["total"]);
        tax["subtotal"] = double(&tax["subtotal"]);
    }
    let total: rust_decimal::Decimal = changed["total"].as_str().unwrap().parse().unwrap();
    changed["total"] = (total + more).to_string().into();
    changed["date_modified"] = Value::Null;
    let engine = world.later(engine).await;
    world.control(reqwest::Method::POST, "/shop/orders", Some(changed.clone())).await;
    world.forget_calls().await;
    let (_, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert_eq!(world.calls("ledger").await.1, 1, "one line of one order has changed");
    let twice = after["SalesOrderLines"][0]["Quantity"].as_i64().unwrap() * 2;
    let after = world.held("ledger/salesorder/SalesOrders").await;
    let after = after.iter().find(|o| o["YourRef"] == number).unwrap();
    assert_eq!(after["SalesOrderLines"][0]["Quantity"], twice);
    // What the bookkeeper writes there stays, as long as the shop says nothing new about it.
    let mut by_hand = after.clone();
    by_hand["Remarks"] = "Called: next week".into();
    world.control(reqwest::Method::POST, "/ledger/salesorder/SalesOrders", Some(by_hand)).await;
    changed["payment_method"] = "bacs".into();
    let engine = world.later(engine).await;
    world.control(reqwest::Method::POST, "/shop/orders", Some(changed)).await;
    let (_, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    let after = world.held("ledger/salesorder/SalesOrders").await;
    let after = after.iter().find(|o| o["YourRef"] == number).unwrap();
    assert_eq!(after["Remarks"], "Called: next week");
    assert_eq!(after["PaymentCondition"], "30");
}
