//! Flows that read nothing: one unit each time that they are due. And records that stand below others of a list.

use super::world::World;
use super::{pass_of, show};
use flowc::engine::{PassError, PassOptions};
use flowc::sandbox::{Limits, Options};
use flowc::store::{RecordFilter, State};
use reqwest::Method;
use serde_json::{Value, json};

async fn world() -> World {
    World::new(Options { orders: Some(2), limits: Limits::Off, ..Options::default() }).await
}

/// One count a turn, of products and of what stands below them; what waits in its turn is tried in it, and not after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_flow_without_a_source_runs_once_a_turn() {
    let world = world().await;
    world.control(Method::POST, "/clock", Some("2026-12-01T09:00:00Z".into())).await;
    let mut engine = world.engine(&[]).await;
    for expected in [1, 0, 0, 1, 0] {
        let (summary, events) = pass_of(&engine, "tally", PassOptions::default()).await;
        show(&events);
        assert_eq!((summary.counts.created, summary.counts.parked), (expected, 0), "{summary:?}");
        // A turn lasts three hours.
        engine = world.later(engine).await;
    }
    let counts = world.held("ledger/inventory/StockCounts").await;
    assert_eq!(counts.len(), 2, "{counts:?}");
    let lines = counts[0]["StockCountLines"].as_array().unwrap();
    let has = |code: &str| lines.iter().any(|line| line["ItemCode"].as_str().unwrap().trim() == code);
    let managed = |row: &&Value| row["manage_stock"] == true && row["status"] == "publish";
    let mut variations = 0;
    for product in world.held("shop/products").await {
        let below = world.held(&format!("shop/products/{}/variations", product["id"])).await;
        for row in below.iter().filter(managed) {
            assert!(has(row["sku"].as_str().unwrap()), "{row}");
            variations += 1;
        }
    }
    assert!(variations > 0, "the shop has variations");
    // Only the turn that is due can be asked for.
    let other = PassOptions { only: vec!["2026-11-30T060000Z".into()], ..PassOptions::default() };
    let (summary, _) = pass_of(&engine, "tally", other).await;
    let why = |ending: &PassError| matches!(ending, PassError::Project(why) if why.contains("is due as"));
    assert!(summary.endings.iter().any(|(_, ending)| why(ending)), "{summary:?}");
}

/// A turn that stops is tried again while it is due, and is over when the next one is.
#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_waits_is_over_with_the_next() {
    let world = world().await;
    world.control(Method::POST, "/clock", Some("2026-12-01T09:00:00Z".into())).await;
    let mut engine = world.engine(&[]).await;
    for _ in 0..4 {
        let (summary, events) = pass_of(&engine, "late_tally", PassOptions::default()).await;
        show(&events);
        assert_eq!(summary.counts.created, 0, "{summary:?}");
        engine = world.later(engine).await;
    }
    let of = |state| RecordFilter { flow: Some("more.late_tally".into()), states: vec![state], ..Default::default() };
    let (waiting, _) = engine.records(&of(State::Waiting)).await.unwrap();
    let (over, _) = engine.records(&of(State::Skipped)).await.unwrap();
    assert_eq!((waiting.len(), over.len()), (1, 1), "{waiting:?} {over:?}");
    assert!(over[0].reason.as_deref().unwrap().contains("is due by now"), "{over:?}");
    let item = json!({"Code": "LATE-1", "Description": "Late", "SalesVatCode": "5", "IsStockItem": true});
    world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await;
    let (summary, events) = pass_of(&engine, "late_tally", PassOptions::default()).await;
    show(&events);
    assert_eq!(summary.counts.created, 1, "{summary:?}");
}

/// Changes in several warehouses are one article's, each article has an outcome of its own, and all of them are one call;
/// what changes later is seen though the flow reads nothing of it but the article.
#[tokio::test(flavor = "multi_thread")]
async fn changes_are_gathered_and_sent_together() {
    const MANY: usize = 30;
    let world = world().await;
    let warehouse = json!({"Code": "7", "Description": "Second"});
    world.control(Method::POST, "/ledger/inventory/Warehouses", Some(warehouse)).await;
    for n in 0..MANY {
        let code = format!("SHELF-{n:02}");
        let item = json!({"Code": code, "Description": code, "SalesVatCode": "5", "IsStockItem": true});
        world.control(Method::POST, "/ledger/logistics/Items", Some(item)).await;
        for (place, pieces) in [("1", 3), ("7", n)] {
            let stock = json!({"Item": code, "Warehouse": place, "CurrentStock": pieces});
            world.control(Method::POST, "/ledger/inventory/ItemWarehouses", Some(stock)).await;
        }
        let product = json!({"name": code, "sku": code, "type": "simple", "manage_stock": true, "stock_quantity": 0});
        world.control(Method::POST, "/shop/products", Some(product)).await;
    }
    let engine = world.engine(&[]).await;
    world.forget_calls().await;
    let (summary, events) = pass_of(&engine, "shelves", PassOptions::default()).await;
    show(&events);
    assert_eq!((summary.counts.updated, summary.counts.parked), (MANY as u64, 0), "{summary:?}");
    assert_eq!(world.calls("shop").await.1, 1);
    let shelf = |n: usize, products: &[Value]| {
        let of = |p: &&Value| p["sku"] == format!("SHELF-{n:02}");
        products.iter().find(of).unwrap()["stock_quantity"].as_u64().unwrap()
    };
    let products = world.held("shop/products").await;
    assert!((0..MANY).all(|n| shelf(n, &products) == 3 + n as u64));
    let engine = world.later(engine).await;
    let (summary, _) = pass_of(&engine, "shelves", PassOptions::default()).await;
    assert_eq!(summary.counts.updated, 0, "{summary:?}");
    let rows = world.held("ledger/inventory/ItemWarehouses").await;
    for row in rows.iter().filter(|row| row["ItemCode"].as_str().unwrap().trim() == "SHELF-04") {
        let changed = json!({"ID": row["ID"], "CurrentStock": 20});
        world.control(Method::POST, "/ledger/inventory/ItemWarehouses", Some(changed)).await;
    }
    let engine = world.later(engine).await;
    let (summary, events) = pass_of(&engine, "shelves", PassOptions::default()).await;
    show(&events);
    assert_eq!(summary.counts.updated, 1, "{summary:?}");
    assert_eq!(shelf(4, &world.held("shop/products").await), 40);
}
