//! The engine against the sandbox: a pass of the orders flow, from outside as a stranger sees it, with and without faults.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail where it stands")]

use flowc::engine::{Cancel, Engine, Event, PassError, PassOptions, Summary};
use flowc::sandbox::{Limits, Options};
use flowc::store::{RecordFilter, State};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Mutex;
use world::World;

#[path = "engine/beside.rs"]
mod beside;
#[path = "engine/carried.rs"]
mod carried;
#[path = "engine/gone.rs"]
mod gone;
#[path = "engine/to_shop.rs"]
mod to_shop;
#[path = "engine/turns.rs"]
mod turns;
#[path = "engine/world.rs"]
mod world;

/// One pass of the orders flow, with what it told.
async fn pass(engine: &Engine, options: PassOptions) -> (Summary, Vec<Event>) {
    pass_of(engine, "orders", options).await
}

async fn pass_of(engine: &Engine, flow: &str, options: PassOptions) -> (Summary, Vec<Event>) {
    let events = Mutex::new(Vec::new());
    let tell = |event: Event| {
        events.lock().unwrap().push(event);
    };
    let summary = engine.pass(&[flow.to_owned()], &options, &tell, &Cancel::default()).await.unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn orders_land_once() {
    let options = Options { orders: Some(orders(20)), limits: Limits::Off, ..Options::default() };
    let world = World::new(options).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert!(summary.endings.is_empty());
    world.all_landed_once().await;
    let (reads, writes) = world.calls("ledger").await;
    println!("{reads} reads and {writes} writes for {:?}", summary.counts);
    assert!(reads * 10 <= writes + 150, "a tenth of the writes, and one for each chunk of keys");
    world.forget_calls().await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert_eq!(world.calls("ledger").await.1 + world.calls("shop").await.1, 0, "a second pass writes nothing");
    assert!(summary.endings.is_empty());
}

/// The runner dies at random moments while the ledger drops answers before and after the effect, and lets some come late.
#[tokio::test(flavor = "multi_thread")]
async fn p09_nothing_twice_and_nothing_lost() {
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
    println!("{killed} killed, {last:?}");
    assert!(killed > 0, "no pass was cut short");
    world.all_landed_once().await;
}

/// What changes in the shop afterwards is followed, field by field and line by line; what a bookkeeper has changed is
/// left; a dry run tells the same and writes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn p08_changes_are_followed() {
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

/// Whatever the ledger answers, every order lands once as soon as it behaves again.
#[tokio::test(flavor = "multi_thread")]
async fn bad_answers_cost_time_and_nothing_else() {
    let world = World::new(Options { orders: Some(20), ..Options::default() }).await;
    let faults = serde_json::json!([
        {"system": "ledger", "kind": "garbage", "rate": 0.06, "seed": 2},
        {"system": "ledger", "kind": "truncate", "rate": 0.06, "seed": 3},
        {"system": "ledger", "method": "POST", "kind": "drop_before", "rate": 0.1, "seed": 4},
        {"system": "ledger", "kind": "expire_token", "rate": 0.02, "seed": 5},
        {"system": "ledger", "kind": "limit_minute", "rate": 0.02, "seed": 6},
        {"system": "shop", "kind": "status", "status": 502, "rate": 0.1, "seed": 7},
    ]);
    world.control(reqwest::Method::PUT, "/faults", Some(faults)).await;
    for _ in 0..6 {
        let engine = world.engine(&[]).await;
        let (summary, events) = pass(&engine, PassOptions::default()).await;
        show(
            &events
                .into_iter()
                .filter(|e| matches!(e, Event::Parked(_) | Event::Waiting(_) | Event::Done(_)))
                .collect::<Vec<_>>(),
        );
        assert_eq!(summary.counts.parked, 0);
        drop(engine);
        world.control(reqwest::Method::POST, "/clock", Some("+11m".into())).await;
    }
    world.control(reqwest::Method::PUT, "/faults", Some(serde_json::json!([]))).await;
    for _ in 0..2 {
        let engine = world.engine(&[]).await;
        pass(&engine, PassOptions::default()).await;
        drop(engine);
        world.control(reqwest::Method::POST, "/clock", Some("+11m".into())).await;
    }
    world.all_landed_once().await;
}

/// What a person asks about records, and does with them.
#[tokio::test(flavor = "multi_thread")]
async fn records_are_listed_shown_retried_and_skipped() {
    let world = World::new(Options { orders: Some(6), limits: Limits::Off, ..Options::default() }).await;
    // Without an item for shipping, orders that are shipped stop.
    let wrong = [("orders.shipping_item".to_owned(), "NOPE".to_owned())];
    let engine = world.engine(&wrong).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert!(summary.counts.parked > 0);
    let filter = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
    let (parked, _) = engine.records(&filter).await.unwrap();
    assert_eq!(parked.len() as u64, summary.counts.parked);
    assert!(parked[0].reason.as_ref().unwrap().contains("NOPE"), "{:?}", parked[0]);
    assert!(parked[0].place.as_ref().unwrap().line > 0);
    let id = parked[0].id.clone();
    let shown = engine.show(&id, 10, Timestamp::now()).await.unwrap();
    assert_eq!(shown.attempts.len(), 1);
    assert!(shown.attempts[0].raw.get().contains("billing"));
    let (attempts, _) = engine.attempts(&id, 10, Timestamp::now()).await.unwrap();
    assert!(attempts.len() == 1 && attempts[0].raw.contains("billing"));
    let at = attempts[0].at;
    let calls = world.calls("ledger").await;
    pass(&engine, PassOptions::default()).await;
    assert_eq!(world.calls("ledger").await, calls, "what is parked is not tried again by itself");
    engine.retry(&id, at).await.unwrap();
    let (again, _) = pass(&engine, PassOptions::default()).await;
    assert_eq!(again.counts.parked, 1, "a person asked for it");
    engine.skip(&id, "sent by hand", at).await.unwrap();
    drop(engine);
    // Another answer is another plan: what was parked is tried again, what was skipped is not.
    let engine = world.engine(&[]).await;
    let (after, _) = pass(&engine, PassOptions::default()).await;
    assert_eq!(after.counts.parked, 0);
    let (parked_now, _) = engine.records(&filter).await.unwrap();
    assert_eq!(parked_now, []);
    let status = engine.status().await.unwrap();
    let orders = status.iter().find(|s| s.flow.ends_with("orders")).unwrap();
    assert_eq!((orders.skipped, orders.parked, orders.waiting), (1, 0, 0));
    assert!(engine.show("orders:none", 1, Timestamp::now()).await.is_err());
    assert!(engine.record_id("nonsense").is_err());
}

/// A login that nobody accepts ends the pass, and a person who stops it finds it where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_pass_ends_cleanly() {
    let world = World::new(Options { orders: Some(12), limits: Limits::Off, ..Options::default() }).await;
    let engine = world.engine(&[]).await;
    let (cancel, seen) = (Cancel::default(), Mutex::new(0));
    let tell = |event: Event| {
        if matches!(event, Event::Created(_)) {
            *seen.lock().unwrap() += 1;
            cancel.cancel();
        }
    };
    let flows = ["orders".to_owned()];
    let summary = engine.pass(&flows, &PassOptions::default(), &tell, &cancel).await.unwrap();
    assert_eq!(summary.endings[0].1, PassError::Cancelled);
    let made = *seen.lock().unwrap();
    assert!(made > 0 && summary.counts.created == made, "{:?}", summary.counts);
    drop(engine);
    let engine = world.engine(&[]).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert!(summary.endings.is_empty() && summary.counts.created > 0, "{summary:?}");
    world.all_landed_once().await;
    drop(engine);
    world.control(reqwest::Method::PUT, "/faults", Some(serde_json::json!([
        {"system": "ledger", "kind": "revoke_refresh", "rate": 1}, {"system": "ledger", "kind": "expire_token", "rate": 1},
    ]))).await;
    world.control(reqwest::Method::POST, "/clock", Some("+20m".into())).await;
    let order = world.held("shop/orders").await.into_iter().find(|order| order["status"] == "processing").unwrap();
    let noted = serde_json::json!({"id": order["id"], "customer_note": "Ring twice"});
    world.control(reqwest::Method::POST, "/shop/orders", Some(noted)).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert!(matches!(summary.endings[0].1, PassError::Login(_)), "{:?}", summary.endings);
    assert!(engine.pass(&["nothing".to_owned()], &PassOptions::default(), &|_| (), &Cancel::default()).await.is_err());
}

/// An order that the shop counts and does not show is parked, once, and written when it is shown again.
#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_order_is_not_passed_for_good() {
    let world = World::new(Options { orders: Some(12), limits: Limits::Off, ..Options::default() }).await;
    let mut engine = world.engine(&[]).await;
    let sent = world.held("shop/orders").await.into_iter().find(|order| order["status"] == "processing").unwrap();
    let hides = serde_json::json!([{"system": "shop", "kind": "hide", "ids": [sent["id"].to_string()]}]);
    world.control(reqwest::Method::PUT, "/faults", Some(hides)).await;
    for parked in [1, 0, 0] {
        let (summary, events) = pass(&engine, PassOptions::default()).await;
        show(&events);
        assert_eq!(summary.counts.parked, parked);
        engine = world.later(world.later(engine).await).await;
    }
    world.control(reqwest::Method::PUT, "/faults", Some(serde_json::json!([]))).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert_eq!(summary.counts.created, 1, "{summary:?}");
    let status = engine.status().await.unwrap();
    assert!(status.iter().all(|flow| flow.parked == 0), "{status:?}");
    world.all_landed_once().await;
}

/// Customers by themselves, a change in the ledger that goes back to the shop, and an order that is taken out again.
#[tokio::test(flavor = "multi_thread")]
async fn other_directions() {
    let world = World::new(Options { orders: Some(8), limits: Limits::Off, ..Options::default() }).await;
    let engine = world.engine(&[]).await;
    let (summary, _) = pass_of(&engine, "customers_to_ledger", PassOptions::default()).await;
    assert!(summary.counts.created > 0 && summary.counts.parked == 0, "{summary:?}");
    pass(&engine, PassOptions::default()).await;
    // A customer has one account, whichever flow met her first.
    world.all_landed_once().await;
    let (summary, _) = pass_of(&engine, "accounts_to_shop", PassOptions::default()).await;
    assert_eq!((summary.counts.updated, summary.counts.parked), (0, 0), "what came from the shop does not bounce");
    assert!(summary.counts.unchanged > 0);

    let engine = world.later(engine).await;
    let account = world.held("ledger/crm/Accounts").await;
    let customers = world.held("shop/customers").await;
    let of_customer = |a: &Value| customers.iter().find(|c| c["email"] == a["Email"]).cloned();
    let (mut account, customer) = account.into_iter().find_map(|a| of_customer(&a).map(|c| (a, c))).unwrap();
    account["Phone"] = "+31 20 555 1234".into();
    world.control(reqwest::Method::POST, "/ledger/crm/Accounts", Some(account)).await;
    let (summary, _) = pass_of(&engine, "accounts_to_shop", PassOptions::default()).await;
    assert_eq!(summary.counts.updated, 1);
    let there = world.held("shop/customers").await.into_iter().find(|c| c["id"] == customer["id"]).unwrap();
    assert_eq!(there["billing"]["phone"], "+31 20 555 1234");

    let order = world.held("shop/orders").await.into_iter().find(|o| o["status"] == "processing").unwrap();
    let with_status = |status: &str| {
        let mut order = order.clone();
        order["status"] = status.into();
        order
    };
    world.control(reqwest::Method::POST, "/shop/orders", Some(with_status("cancelled"))).await;
    let (summary, _) = pass_of(&engine, "cancellations", PassOptions::default()).await;
    assert_eq!(summary.counts.deleted, 1);
    let documents = world.held("ledger/salesorder/SalesOrders").await;
    assert!(!documents.iter().any(|d| d["YourRef"] == order["number"]));
    // Taken up again in the shop, it is an order again in the ledger.
    let engine = world.later(engine).await;
    world.control(reqwest::Method::POST, "/shop/orders", Some(with_status("processing"))).await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    assert_eq!(summary.counts.created, 1);
    world.all_landed_once().await;
}
