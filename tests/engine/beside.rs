//! What a flow looks at beside its records: what it reads once for all of them, and what it watches.

use super::world::World;
use super::{pass_of, show};
use flowc::engine::{Cancel, Engine, Event, PassOptions};
use flowc::sandbox::{Limits, Options};
use reqwest::Method;
use serde_json::{Value, json};

async fn shop_has(world: &World, sku: &str, pieces: u32) -> Value {
    let product = json!({"name": sku, "sku": sku, "type": "simple", "regular_price": "5.00", "manage_stock": true, "stock_quantity": pieces});
    world.control(Method::POST, "/shop/products", Some(product)).await
}

async fn shown(world: &World, sku: &str) -> u64 {
    let products = world.held("shop/products").await;
    products.iter().find(|p| p["sku"] == sku).unwrap()["stock_quantity"].as_u64().unwrap()
}

/// Orders of the shop hold their goods though no record of the flow names them; what somebody changes in the shop is put right
/// without any change in the ledger; a product that comes later gets its stock; and what we write ourselves is no news.
#[tokio::test(flavor = "multi_thread")]
async fn p23_what_is_beside_a_record_counts() {
    let world = World::new(Options { orders: Some(2), limits: Limits::Off, ..Options::default() }).await;
    for code in ["SOLD-1", "SOLD-2", "SOLD-3"] {
        let item = json!({"Code": code, "Description": code, "SalesVatCode": "5", "IsStockItem": true});
        world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await;
        let stock = json!({"Item": code, "Warehouse": "1", "CurrentStock": 20});
        world.control(Method::POST, "/ledger/inventory/ItemWarehouses", Some(stock)).await;
    }
    let product = shop_has(&world, "SOLD-1", 5).await;
    shop_has(&world, "SOLD-2", 5).await;
    let line = json!({"product_id": product["id"], "sku": "SOLD-1", "name": "Sold", "quantity": 3, "subtotal": "15.00", "total": "15.00"});
    let order = json!({"status": "processing", "line_items": [line]});
    world.control(Method::POST, "/shop/orders", Some(order.clone())).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass_of(&engine, "sold", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.skipped, summary.counts.parked), (2, 1, 0), "{summary:?}");
    assert_eq!((shown(&world, "SOLD-1").await, shown(&world, "SOLD-2").await), (17, 20));

    // Our own writes are told by the shop, and are no reason to ask the ledger anything but its changes.
    let engine = world.later(engine).await;
    world.forget_calls().await;
    let (summary, _) = pass_of(&engine, "sold", PassOptions::default()).await;
    assert_eq!(summary.counts.updated, 0, "{summary:?}");
    let asked = |row: &Value| row["resource"] == "inventory/ItemWarehouses" || row["resource"] == "logistics/Items";
    assert!(!world.held("calls").await.iter().any(asked));

    world.control(Method::POST, "/shop/products", Some(json!({"id": product["id"], "stock_quantity": 99}))).await;
    world.control(Method::POST, "/shop/orders", Some(order)).await;
    shop_has(&world, "SOLD-3", 1).await;
    // That another flow has written a product and finds it so says nothing of its stock.
    let (summary, _) = pass_of(&engine, "titled", PassOptions::default()).await;
    assert_eq!((summary.counts.parked, summary.counts.skipped), (0, 0), "{summary:?}");
    let engine = world.later(engine).await;
    let (summary, events) = pass_of(&engine, "sold", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.parked), (2, 0), "{summary:?}");
    assert_eq!((shown(&world, "SOLD-1").await, shown(&world, "SOLD-3").await), (14, 20));
}

/// An order that can't be read may hold goods: nobody writes stock beside it, each record says why, and goes on when it can be.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_once_and_cannot_be_read_stops_who_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("orders")).unwrap();
    let broken = json!({
        "id": 77, "number": "77", "status": "processing", "line_items": "none", "meta_data": [],
        "date_created_gmt": "2026-11-29T10:00:00", "date_modified_gmt": "2026-11-29T10:00:00",
    });
    std::fs::write(folder.path().join("orders/77.json"), broken.to_string()).unwrap();
    let shop_data = Some(folder.path().to_owned());
    let world = World::new(Options { orders: Some(2), limits: Limits::Off, shop_data, ..Options::default() }).await;
    let item = json!({"Code": "SOLD-1", "Description": "Sold", "SalesVatCode": "5", "IsStockItem": true});
    world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await;
    let stock = json!({"Item": "SOLD-1", "Warehouse": "1", "CurrentStock": 20});
    world.control(Method::POST, "/ledger/inventory/ItemWarehouses", Some(stock)).await;
    shop_has(&world, "SOLD-1", 5).await;
    let engine = world.engine(&[]).await;
    let (summary, events) = pass_of(&engine, "sold", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.waiting), (0, 1), "{summary:?}");
    assert_eq!(shown(&world, "SOLD-1").await, 5);
    let why = |event: &Event| serde_json::to_string(event).unwrap().contains("line_items");
    assert!(events.iter().any(why));
    world.control(Method::POST, "/shop/orders", Some(json!({"id": 77, "status": "cancelled"}))).await;
    let engine = world.later(engine).await;
    let (summary, _) = pass_of(&engine, "sold", PassOptions::default()).await;
    assert_eq!((summary.counts.updated, summary.counts.waiting), (1, 0), "{summary:?}");
    assert_eq!(shown(&world, "SOLD-1").await, 20);
}

/// What a flow writes is news for one before it, in the same pass: a pass behind it has nothing left to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_flow_writes_is_read_in_the_same_pass() {
    let world = World::new(Options { orders: Some(1), limits: Limits::Off, ..Options::default() }).await;
    let billing = json!({"email": "an@drukkerij.example", "company": "Drukkerij Jansen", "first_name": "An", "last_name": "Jansen", "country": "NL", "city": "Edam", "phone": "+31201"});
    let customer = json!({"email": "an@drukkerij.example", "role": "customer", "billing": billing});
    world.control(Method::POST, "/shop/customers", Some(customer)).await;
    let flows = ["more.customers_to_ledger".to_owned(), "more.accounts_to_shop".to_owned()];
    let pass = async |engine: &Engine| {
        let summary = engine.pass(&flows, &PassOptions::default(), &|_| (), &Cancel::default()).await.unwrap();
        assert!(summary.endings.is_empty() && summary.parked == 0, "{summary:?}");
        summary.counts
    };
    let phone_of = async |entity: &str| {
        let rows = world.held(&format!("ledger/crm/{entity}")).await;
        rows.into_iter().find(|row| row["Email"] == "an@drukkerij.example").unwrap()
    };
    let engine = world.engine(&[]).await;
    pass(&engine).await;
    let account = phone_of("Accounts").await;
    assert_eq!(phone_of("Contacts").await["Phone"], "+31201");

    let engine = world.later(engine).await;
    let typed = json!({"ID": account["ID"], "Phone": "+31209"});
    world.control(Method::POST, "/ledger/crm/Accounts", Some(typed)).await;
    let counts = pass(&engine).await;
    // What has not changed is told once.
    assert!(counts.unchanged <= 2, "{counts:?}");
    assert_eq!((counts.updated, phone_of("Contacts").await["Phone"].as_str()), (2, Some("+31209")), "{counts:?}");
    let engine = world.later(engine).await;
    let counts = pass(&engine).await;
    assert_eq!((counts.created, counts.updated), (0, 0), "{counts:?}");
}
