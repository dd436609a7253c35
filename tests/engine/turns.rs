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
