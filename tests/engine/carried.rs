//! What an order became follows the order, whatever stood in the way meanwhile; and what is somebody else's is left alone.

use super::world::World;
use super::{pass, pass_of, show};
use flowc::engine::{Event, PassOptions};
use flowc::sandbox::{Limits, Options};
use flowc::store::{RecordFilter, State};
use reqwest::Method;
use serde_json::{Value, json};

async fn world() -> World {
    World::new(Options { orders: Some(8), limits: Limits::Off, ..Options::default() }).await
}

fn is_sent(order: &Value) -> bool {
    ["processing", "completed"].contains(&order["status"].as_str().unwrap())
}

async fn document(world: &World, number: &Value) -> Value {
    let documents = world.held("ledger/salesorder/SalesOrders").await;
    documents.into_iter().find(|document| document["YourRef"] == *number).unwrap()
}

/// An edit that the ledger refused was looked at, and not carried out: the next try does it.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_was_refused_is_carried_out_later() {
    let world = world().await;
    let engine = world.engine(&[]).await;
    pass(&engine, PassOptions::default()).await;
    let order = world.held("shop/orders").await.into_iter().find(is_sent).unwrap();
    let engine = world.later(engine).await;
    let noted = json!({"id": order["id"], "customer_note": "Ring twice"});
    world.control(Method::POST, "/shop/orders", Some(noted)).await;
    let refuses = json!([{"system": "ledger", "method": "PUT", "kind": "status", "status": 400, "rate": 1}]);
    world.control(Method::PUT, "/faults", Some(refuses)).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert_eq!(summary.counts.parked, 1, "{summary:?}");
    world.control(Method::PUT, "/faults", Some(json!([]))).await;
    let id = format!("orders:{}", order["id"]);
    engine.retry(&id, jiff::Timestamp::now()).await.unwrap();
    let (_, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    let document = document(&world, &order["number"]).await;
    assert!(document["Remarks"].as_str().unwrap_or_default().contains("Ring twice"), "{document}");
}

/// The shop's list leaves out what the flow does not take: who is parked is looked at all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_parked_order_that_is_cancelled_stops_being_parked() {
    let world = world().await;
    let engine = world.engine(&[("orders.shipping_item".to_owned(), "NOPE".to_owned())]).await;
    pass(&engine, PassOptions::default()).await;
    let filter = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
    let (parked, _) = engine.records(&filter).await.unwrap();
    let key: u64 = parked[0].id.rsplit(':').next().unwrap().parse().unwrap();
    world.control(Method::POST, "/clock", Some("+1h".into())).await;
    world.control(Method::POST, "/shop/orders", Some(json!({"id": key, "status": "cancelled"}))).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert_eq!(summary.counts.skipped, 1, "{summary:?}");
    let (after, _) = engine.records(&filter).await.unwrap();
    assert_eq!(after.len(), parked.len() - 1);
}

/// Documents of other customers with the same references and totals are nobody's of ours, and stay as they are.
#[tokio::test(flavor = "multi_thread")]
async fn another_customers_document_is_left_alone() {
    let world = world().await;
    let engine = world.engine(&[]).await;
    pass(&engine, PassOptions::default()).await;
    drop(engine);
    let accounts = world.held("ledger/crm/Accounts").await;
    let other = accounts.iter().find(|account| account["Code"].as_str().unwrap().trim() == "9999").unwrap();
    for document in world.held("ledger/salesorder/SalesOrders").await {
        let moved = json!({"OrderID": document["OrderID"], "OrderedBy": other["ID"]});
        world.control(Method::POST, "/ledger/salesorder/SalesOrders", Some(moved)).await;
    }
    let before = world.held("ledger/salesorder/SalesOrders").await;
    assert!(!before.is_empty() && before.iter().all(|document| document["OrderedBy"] == other["ID"]));
    // A runner that knows nothing of them.
    std::fs::remove_file(world.path("store.redb")).unwrap();
    let engine = world.engine(&[]).await;
    let (summary, events) = pass(&engine, PassOptions::default()).await;
    show(&events);
    let reasons: Vec<&str> =
        events.iter().filter_map(|e| if let Event::Parked(told) = e { told.reason.as_deref() } else { None }).collect();
    assert_eq!((reasons.len(), summary.counts.created), (before.len(), 0));
    for reason in reasons {
        assert!(
            reason.contains("OrderedBy is") && before.iter().any(|d| reason.contains(d["OrderID"].as_str().unwrap()))
        );
    }
    assert_eq!(world.held("ledger/salesorder/SalesOrders").await, before);
}

/// Gives an order another note; the ledger takes over what follows from it and does not answer.
async fn edited_without_answer(world: &World, engine: flowc::engine::Engine, order: &Value, note: &str) {
    world.control(Method::POST, "/shop/orders", Some(json!({"id": order["id"], "customer_note": note}))).await;
    let drops = json!([{"system": "ledger", "method": "PUT", "kind": "drop_after", "rate": 1}]);
    world.control(Method::PUT, "/faults", Some(drops)).await;
    let (summary, _) = pass(&engine, PassOptions::default()).await;
    assert!(summary.counts.waiting > 0, "{summary:?}");
    drop(engine);
    world.control(Method::PUT, "/faults", Some(json!([]))).await;
    assert!(document(world, &order["number"]).await["Remarks"].as_str().unwrap().contains(note));
}

/// The ledger took a note and did not answer. What stands there is ours all the same, not somebody else's to be kept.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_after_one_without_an_answer_is_carried_out() {
    let world = world().await;
    let engine = world.engine(&[]).await;
    pass(&engine, PassOptions::default()).await;
    let orders = world.held("shop/orders").await;
    let mut silent = orders.into_iter().filter(|order| is_sent(order) && order["customer_note"] == "");
    let order = silent.next().unwrap();
    let engine = world.later(engine).await;
    edited_without_answer(&world, engine, &order, "Ring once").await;
    world.control(Method::POST, "/clock", Some("+1h".into())).await;
    world.control(Method::POST, "/shop/orders", Some(json!({"id": order["id"], "customer_note": "Ring twice"}))).await;
    pass(&world.engine(&[]).await, PassOptions::default()).await;
    let document = document(&world, &order["number"]).await;
    assert!(document["Remarks"].as_str().unwrap().contains("Ring twice"), "{document}");
}

/// The ledger took an edit and did not answer; before the next run the order is what it was. So must the document be.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_without_an_answer_that_is_taken_back_is_taken_back_there() {
    let world = world().await;
    let engine = world.engine(&[]).await;
    let order = world.held("shop/orders").await.into_iter().find(is_sent).unwrap();
    let noted = |note: &str| json!({"id": order["id"], "customer_note": note});
    world.control(Method::POST, "/shop/orders", Some(noted("Ring once"))).await;
    pass(&engine, PassOptions::default()).await;
    let engine = world.later(engine).await;
    edited_without_answer(&world, engine, &order, "Ring twice").await;
    world.control(Method::POST, "/clock", Some("+1h".into())).await;
    world.control(Method::POST, "/shop/orders", Some(noted("Ring once"))).await;
    pass(&world.engine(&[]).await, PassOptions::default()).await;
    let document = document(&world, &order["number"]).await;
    assert!(document["Remarks"].as_str().unwrap().contains("Ring once"), "{document}");
}

/// A refund that waits for its order stops no other, and is credited when its order has come: it is read again at its
/// order's address, which alone leads to it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_waits_for_its_order_goes_on_later() {
    let world = world().await;
    let order = world.held("shop/orders").await.into_iter().find(is_sent).unwrap();
    let refund = json!({"amount": "5.00", "reason": "Broken", "api_refund": false, "api_restock": false});
    let at = format!("/shop/orders/{}/refunds", order["id"]);
    world.control(Method::POST, &at, Some(refund)).await;
    let mut engine = world.engine(&[]).await;
    for _ in 0..3 {
        let (summary, events) = refunds(&engine).await;
        show(&events);
        assert_eq!((summary.counts.created, summary.counts.parked), (0, 0), "{summary:?}");
        engine = world.later(engine).await;
    }
    let waiting = RecordFilter { states: vec![State::Waiting], ..RecordFilter::default() };
    let (waits, _) = engine.records(&waiting).await.unwrap();
    assert!(waits[0].reason.as_deref().unwrap_or_default().contains("is not in the ledger yet"), "{waits:?}");
    pass(&engine, PassOptions::default()).await;
    let engine = world.later(engine).await;
    let (summary, events) = refunds(&engine).await;
    show(&events);
    assert_eq!(summary.counts.created, waits.len() as u64, "{summary:?}");
    let documents = world.held("ledger/salesorder/SalesOrders").await;
    let begins = format!("{}-R", order["number"].as_str().unwrap());
    assert_eq!(documents.iter().filter(|d| d["YourRef"].as_str().unwrap().starts_with(&begins)).count(), 1);
    // Tried again by a person, it is there already.
    let of_flow = RecordFilter { flow: Some("more.refunds".into()), ..RecordFilter::default() };
    let (written, _) = engine.records(&of_flow).await.unwrap();
    engine.retry(&written[0].id, jiff::Timestamp::now()).await.unwrap();
    let (summary, events) = refunds(&engine).await;
    show(&events);
    assert_eq!((summary.counts.created, summary.counts.parked, summary.counts.waiting), (0, 0, 0), "{summary:?}");
}

async fn refunds(engine: &flowc::engine::Engine) -> (flowc::engine::Summary, Vec<Event>) {
    pass_of(engine, "refunds", PassOptions::default()).await
}

/// A stock position is in no list and has no address of its own: one that waits is read again where its feed showed it, and
/// stops nothing meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_feed_alone_shows_is_tried_again() {
    let world = world().await;
    for code in ["LATE-1", "LATE-2"] {
        let item = json!({"Code": code, "Description": code, "SalesVatCode": "5", "IsStockItem": true});
        world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await;
        let stock = json!({"Item": code, "Warehouse": "1", "CurrentStock": 7});
        world.control(Method::POST, "/ledger/inventory/ItemWarehouses", Some(stock)).await;
    }
    let late = json!({"name": "Late", "sku": "LATE-2", "type": "simple", "manage_stock": true, "stock_quantity": 0});
    world.control(Method::POST, "/shop/products", Some(late)).await;
    let mut engine = world.engine(&[]).await;
    for updated in [1, 0] {
        let (summary, events) = pass_of(&engine, "levels", PassOptions::default()).await;
        show(&events);
        assert_eq!((summary.counts.updated, summary.counts.parked), (updated, 0), "{summary:?}");
        engine = world.later(engine).await;
    }
    let first = json!({"name": "First", "sku": "LATE-1", "type": "simple", "manage_stock": true, "stock_quantity": 0});
    world.control(Method::POST, "/shop/products", Some(first)).await;
    let (summary, events) = pass_of(&engine, "levels", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.waiting), (1, 0), "{summary:?}");
    let products = world.held("shop/products").await;
    let late = |p: &&Value| p["sku"].as_str().is_some_and(|sku| sku.starts_with("LATE-"));
    assert!(products.iter().filter(late).all(|p| p["stock_quantity"] == 7), "{products:?}");
    // By its key: one that the feed has shown, and one that nobody knows.
    let (rows, _) =
        engine.records(&RecordFilter { flow: Some("more.levels".into()), ..Default::default() }).await.unwrap();
    let key = rows[0].id.rsplit(':').next().unwrap().to_owned();
    let (summary, _) = pass_of(&engine, "levels", PassOptions { only: vec![key], ..Default::default() }).await;
    assert_eq!(summary.counts.parked, 0, "{summary:?}");
}
