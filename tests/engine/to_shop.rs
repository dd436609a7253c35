//! Sales orders of the ledger become orders of the shop: once, to the cent, and nothing comes back.

use super::world::World;
use super::{pass, pass_of, show};
use flowc::engine::{Engine, Event, PassOptions, Summary};
use flowc::sandbox::{Limits, Options, Setup, Storage};
use reqwest::Method;
use serde_json::{Value, json};

async fn world() -> World {
    kept_in(Storage::Tables).await
}

/// A shop that keeps its orders in posts does not search them by their transactions.
async fn kept_in(storage: Storage) -> World {
    let server = Setup { orders: Some(storage), ..Setup::default() };
    World::new(Options { orders: Some(8), limits: Limits::Off, server, ..Options::default() }).await
}

async fn to_shop(engine: &Engine) -> (Summary, Vec<Event>) {
    pass_of(engine, "orders_to_shop", PassOptions::default()).await
}

/// A person types a sales order of two pieces, of goods that the shop taxes with 21 %, under a VAT code.
async fn typed(world: &World, code: &str, reference: &str) -> Value {
    let account =
        json!({"Name": "Telephone", "Email": "telephone@example.com", "Status": "C", "Country": "NL", "City": "Edam"});
    let buyer = world.control(Method::POST, "/ledger/crm/Accounts", Some(account)).await["key"].clone();
    let items = world.held("ledger/logistics/Items").await;
    let item = |sku: &Value| items.iter().find(|item| item["Code"].as_str().map(str::trim) == sku.as_str());
    let products = world.held("shop/products").await;
    let mut taxed = products.iter().filter(|p| p["tax_class"] == "" && p["type"] == "simple");
    let item = taxed.find_map(|product| item(&product["sku"])).unwrap();
    let line = json!({"Item": item["ID"], "Quantity": 2, "NetPrice": 12.10, "VATCode": code});
    let sale = json!({"OrderedBy": buyer, "YourRef": reference, "SalesOrderLines": [line]});
    let key = world.control(Method::POST, "/ledger/salesorder/SalesOrders", Some(sale)).await["key"].clone();
    let documents = world.held("ledger/salesorder/SalesOrders").await;
    documents.into_iter().find(|document| document["OrderID"] == key).unwrap()
}

/// The shop's orders that a sales order became.
async fn became(world: &World, sale: &Value) -> Vec<Value> {
    let transaction = format!("EXACT-{}", sale["OrderNumber"]);
    world.held("shop/orders").await.into_iter().filter(|order| order["transaction_id"] == *transaction).collect()
}

async fn lost_store(world: &World, engine: Engine) -> Engine {
    drop(engine);
    std::fs::remove_file(world.path("store.redb")).unwrap();
    world.control(Method::POST, "/clock", Some("+1h".into())).await;
    world.engine(&[]).await
}

/// Its mark is in the shop: whoever lost the store finds it there, and makes no second one. What is done to it there makes no
/// document.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_to_the_shop_once_though_the_store_is_lost() {
    for storage in [Storage::Tables, Storage::Posts] {
        once_though_the_store_is_lost(kept_in(storage).await).await;
    }
}

async fn once_though_the_store_is_lost(world: World) {
    let sale = typed(&world, "5", "PO 77").await;
    let engine = world.engine(&[]).await;
    let (summary, events) = to_shop(&engine).await;
    show(&events);
    assert_eq!((summary.counts.created, summary.counts.parked), (1, 0), "{summary:?}");
    let made = became(&world, &sale).await;
    assert_eq!((made[0]["total"].as_str(), made[0]["status"].as_str()), (Some("24.20"), Some("processing")));
    let engine = lost_store(&world, engine).await;
    world.forget_calls().await;
    let (summary, events) = to_shop(&engine).await;
    show(&events);
    assert_eq!((summary.counts.linked, summary.counts.created, summary.counts.parked), (1, 0, 0), "{summary:?}");
    assert_eq!(world.calls("shop").await.1, 0);
    world
        .control(Method::POST, "/shop/orders", Some(json!({"id": made[0]["id"], "customer_note": "Ring twice"})))
        .await;
    pass(&world.later(engine).await, PassOptions::default()).await;
    let documents = world.held("ledger/salesorder/SalesOrders").await;
    assert!(documents.iter().all(|document| document["YourRef"] != made[0]["number"]), "it came back");
}

/// The shop made it and did not say so: it is found, and not made again.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_shop_made_without_an_answer_is_found() {
    let world = kept_in(Storage::Posts).await;
    let sale = typed(&world, "5", "PO 77").await;
    let mut engine = world.engine(&[]).await;
    let drops = json!([{"system": "shop", "method": "POST", "kind": "drop_after", "rate": 1}]);
    world.control(Method::PUT, "/faults", Some(drops)).await;
    let (summary, _) = to_shop(&engine).await;
    assert_eq!(summary.counts.waiting, 1, "{summary:?}");
    world.control(Method::PUT, "/faults", Some(json!([]))).await;
    for _ in 0..2 {
        engine = world.later(engine).await;
        let (summary, events) = to_shop(&engine).await;
        show(&events);
        assert_eq!((summary.counts.created, summary.counts.parked), (0, 0), "{summary:?}");
    }
    let made = became(&world, &sale).await;
    assert_eq!((made.len(), made[0]["status"].as_str()), (1, Some("processing")));
}

/// The shop adds up by itself. Where it comes to another total a person is told both, and nobody there works at the order.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_the_shop_adds_up_otherwise_is_parked_until_it_agrees() {
    let world = world().await;
    let sale = typed(&world, "3", "PO 78").await;
    let mut engine = world.engine(&[]).await;
    for _ in 0..2 {
        let (summary, events) = to_shop(&engine).await;
        show(&events);
        assert_eq!(summary.counts.parked, 1, "{summary:?}");
        let told = |event: &Event| if let Event::Parked(told) = event { told.reason.clone() } else { None };
        let reason = events.iter().find_map(told).unwrap();
        assert!(reason.contains("26.86") && reason.contains("24.20"), "{reason}");
        let made = became(&world, &sale).await;
        assert_eq!((made.len(), made[0]["status"].as_str()), (1, Some("pending")));
        engine = world.later(engine).await;
        let (records, _) = engine.records(&flowc::store::RecordFilter::default()).await.unwrap();
        let parked = records.iter().find(|record| record.id.starts_with("orders_to_shop:")).unwrap();
        engine.retry(&parked.id, jiff::Timestamp::now()).await.unwrap();
    }
    let made = became(&world, &sale).await;
    let line = json!({"id": made[0]["line_items"][0]["id"], "subtotal": "20.00", "total": "20.00"});
    let corrected = json!({"id": made[0]["id"], "line_items": [line]});
    world.control(Method::POST, "/shop/orders", Some(corrected)).await;
    let (summary, events) = to_shop(&engine).await;
    show(&events);
    assert_eq!(summary.counts.parked, 0, "{summary:?}");
    let made = became(&world, &sale).await;
    assert_eq!((made.len(), made[0]["status"].as_str()), (1, Some("processing")));
}

/// What came from the shop stays there, and so does what credits it, whether links say so or not.
#[tokio::test(flavor = "multi_thread")]
async fn what_came_from_the_shop_never_returns() {
    let world = world().await;
    let engine = world.engine(&[]).await;
    pass(&engine, PassOptions::default()).await;
    let orders = world.held("shop/orders").await;
    let order = orders.iter().find(|o| o["status"] == "processing").unwrap();
    let refund = json!({"amount": "5.00", "reason": "Broken", "api_refund": false, "api_restock": false});
    let at = format!("/shop/orders/{}/refunds", order["id"]);
    world.control(Method::POST, &at, Some(refund)).await;
    let (summary, _) = pass_of(&engine, "refunds", PassOptions::default()).await;
    assert!(summary.counts.created > 0, "{summary:?}");
    for _ in 0..2 {
        let (summary, events) = to_shop(&engine).await;
        show(&events);
        assert_eq!((summary.counts.created, summary.counts.parked), (0, 0), "{summary:?}");
    }
    let engine = lost_store(&world, engine).await;
    let (summary, events) = to_shop(&engine).await;
    show(&events);
    assert_eq!((summary.counts.created, summary.counts.parked), (0, 0), "{summary:?}");
    assert!(summary.counts.skipped > 0, "{summary:?}");
    assert_eq!(world.held("shop/orders").await.len(), orders.len());
}
