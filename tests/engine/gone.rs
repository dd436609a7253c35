//! What is no longer there: orders that the shop has not any more, items that the ledger says it has deleted.

use super::world::World;
use super::{pass_of, show};
use flowc::engine::{PassError, PassOptions};
use flowc::sandbox::{Limits, Options};
use reqwest::Method;
use serde_json::{Value, json};

async fn documents(world: &World) -> Vec<Value> {
    world.held("ledger/salesorder/SalesOrders").await
}

/// The shop's orders that are in the ledger.
async fn booked(world: &World) -> Vec<Value> {
    let held: Vec<Value> = documents(world).await.iter().map(|d| d["YourRef"].clone()).collect();
    world.held("shop/orders").await.into_iter().filter(|order| held.contains(&order["number"])).collect()
}

async fn delete(world: &World, record: &Value) {
    world.control(Method::DELETE, &format!("/shop/orders/{}", record["id"]), None).await;
}

/// A deleted order takes its document along, once; one that the ledger has gone on with is told of; others stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_order_takes_its_document_along() {
    let world = World::new(Options { orders: Some(20), limits: Limits::Off, ..Options::default() }).await;
    let engine = world.engine(&[]).await;
    pass_of(&engine, "orders", PassOptions::default()).await;
    let (summary, events) = pass_of(&engine, "deletions", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.deleted, summary.counts.alerts, summary.counts.skipped), (0, 0, 0), "{summary:?}");

    let orders = booked(&world).await;
    let sale = documents(&world).await.into_iter().find(|d| d["YourRef"] == orders[1]["number"]).unwrap();
    let lines: Vec<Value> = sale["SalesOrderLines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!({"SalesOrderLineID": line["ID"], "QuantityDelivered": line["Quantity"]}))
        .collect();
    world.control(Method::POST, "/ledger/salesorder/GoodsDeliveries", Some(json!({"GoodsDeliveryLines": lines}))).await;
    for order in &orders[..2] {
        delete(&world, order).await;
    }
    // Nobody has booked this one.
    let other = world.control(Method::POST, "/shop/orders", Some(json!({"status": "pending"}))).await;
    delete(&world, &other).await;

    let engine = world.later(engine).await;
    let before = documents(&world).await.len();
    let (summary, events) = pass_of(&engine, "deletions", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.deleted, summary.counts.alerts), (1, 1), "{summary:?}");
    let number = orders[1]["number"].as_str().unwrap();
    assert!(events.iter().any(|event| serde_json::to_string(event).unwrap().contains(&format!("order {number} was"))));
    assert_eq!(documents(&world).await.len(), before - 1);
    assert!(!documents(&world).await.iter().any(|d| d["YourRef"] == orders[0]["number"]));

    let engine = world.later(engine).await;
    let (summary, _) = pass_of(&engine, "deletions", PassOptions::default()).await;
    assert_eq!((summary.counts.deleted, summary.counts.alerts), (0, 0), "{summary:?}");
    // The flow of the orders has nothing to say of it either.
    let (summary, _) = pass_of(&engine, "orders", PassOptions::default()).await;
    assert_eq!((summary.counts.created, summary.counts.parked), (0, 0), "{summary:?}");
}

/// A shop that has none of the orders that were booked is another shop: nothing is taken for deleted, until it is said of one.
#[tokio::test(flavor = "multi_thread")]
async fn another_shop_is_no_shop_without_orders() {
    let world = World::new(Options { orders: Some(20), limits: Limits::Off, ..Options::default() }).await;
    let engine = world.engine(&[]).await;
    pass_of(&engine, "orders", PassOptions::default()).await;
    let (orders, before) = (booked(&world).await, documents(&world).await.len());
    assert!(orders.len() > 12, "{}", orders.len());
    for order in &orders {
        delete(&world, order).await;
    }
    let (summary, _) = pass_of(&engine, "deletions", PassOptions::default()).await;
    let why = |ending: &PassError| matches!(ending, PassError::Project(why) if why.contains("another system"));
    assert!(summary.endings.iter().any(|(_, ending)| why(ending)), "{summary:?}");
    assert_eq!(documents(&world).await.len(), before);

    let one = PassOptions { only: vec![orders[0]["id"].to_string()], ..PassOptions::default() };
    let (summary, _) = pass_of(&engine, "deletions", one).await;
    assert_eq!(summary.counts.deleted, 1, "{summary:?}");
    let there = world.control(Method::POST, "/shop/orders", Some(json!({"status": "pending"}))).await;
    let one = PassOptions { only: vec![there["id"].to_string()], ..PassOptions::default() };
    let (summary, _) = pass_of(&engine, "deletions", one).await;
    let why = |ending: &PassError| matches!(ending, PassError::Project(why) if why.contains("still there"));
    assert!(summary.endings.iter().any(|(_, ending)| why(ending)), "{summary:?}");
}

/// The ledger tells what it has deleted; of that only what became a product is anybody's business.
#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_of_items_that_are_gone() {
    let world = World::new(Options { orders: Some(1), limits: Limits::Off, ..Options::default() }).await;
    let mut keys = Vec::new();
    for code in ["GONE-1", "GONE-2"] {
        let item = json!({"Code": code, "Description": code, "SalesVatCode": "5", "IsStockItem": true});
        keys.push(world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await["key"].clone());
    }
    let product = json!({"name": "GONE-1", "sku": "GONE-1", "type": "simple", "regular_price": "5.00"});
    let product = world.control(Method::POST, "/shop/products", Some(product)).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass_of(&engine, "named", PassOptions::default()).await;
    show(&events);
    assert_eq!(summary.counts.updated + summary.counts.linked, 1, "{summary:?}");
    let (summary, _) = pass_of(&engine, "hides", PassOptions::default()).await;
    assert_eq!(summary.counts.updated, 0, "{summary:?}");
    for key in keys {
        world.control(Method::DELETE, &format!("/ledger/logistics/Items/{}", key.as_str().unwrap()), None).await;
    }
    let engine = world.later(engine).await;
    let (summary, events) = pass_of(&engine, "hides", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.skipped, summary.counts.parked), (1, 0, 0), "{summary:?}");
    let products = world.held("shop/products").await;
    let hidden = products.iter().find(|p| p["id"] == product["id"]).unwrap();
    assert_eq!(hidden["catalog_visibility"], "hidden");
    let (summary, _) = pass_of(&engine, "hides", PassOptions::default()).await;
    assert_eq!(summary.counts.updated, 0, "{summary:?}");
}
