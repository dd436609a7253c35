//! A shop's records that stand below others of a list, and changes of several records in one call.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{Reply, Seen, Server, clock_at, connect, connection, entity, field, store, woocommerce};
use flowc::connector::{CallError, Connector, Find, Position, Scan, Write};
use flowc::ir::{Below, Entity, FieldId, Method, Type};
use std::sync::Arc;

const START: &str = "2026-03-01T12:00:05Z";

/// Articles: some stand below others, and several are changed by one call.
fn articles() -> Arc<Entity> {
    let fields = vec![field("id", Type::Int), field("type", Type::Text(None)), field("parent_id", Type::Int)];
    let mut entity = Arc::unwrap_or_clone(entity("woocommerce", "Sellable", "products", None, fields));
    let route = "products/{parent_id}/variations".into();
    entity.below = Some(Below { by: FieldId(2), route, above: (FieldId(1), "variable".into()) });
    entity.fields[2].form.zero_is_absent = true;
    entity.batch = Some(2);
    Arc::new(entity)
}

async fn shop(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Server, Arc<dyn Connector>, Vec<Server>) {
    let server = Server::start(answer).await;
    let clock = clock_at(START, 1).await;
    let (folder, store) = store();
    let entries = [("url", server.url.as_str()), ("key", "k"), ("secret", "s"), ("clock", clock.url.as_str())];
    let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
    // The store's file may go: what is open stays.
    drop(folder);
    (server, shop, vec![clock])
}

/// Each row of a batch has an outcome of its own, at its own address; and what nobody knows of a call, nobody knows of any
/// of its rows.
#[tokio::test]
async fn rows_of_a_batch_have_outcomes_of_their_own() {
    let (server, shop, _clocks) = shop(|seen| match (seen.method.as_str(), seen.path.rsplit("/v3/").next().unwrap()) {
        ("GET", _) => Reply::Json(200, r#"{"code":"EUR"}"#.into()),
        ("POST", "products/batch") if seen.body.contains(r#""id":5"#) => Reply::Drop,
        ("POST", "products/batch") if seen.body.contains(r#""id":7"#) => {
            Reply::Json(200, r#"{"update":[{"id":7}]}"#.into())
        }
        ("POST", "products/batch") => {
            assert_eq!(seen.body, r#"{"update":[{"id":1,"stock":3},{"id":2,"stock":4}]}"#);
            let refused = r#"{"id":2,"error":{"code":"product_invalid_sku","message":"Invalid <b>SKU</b>.","data":{"status":400}}}"#;
            Reply::Json(200, format!(r#"{{"update":[{{"id":1,"stock":3}},{refused}]}}"#))
        }
        ("PUT", "products/9/variations/4") => Reply::Json(200, r#"{"id":4,"parent_id":9}"#.into()),
        other => panic!("{other:?}"),
    })
    .await;
    let write = |id: u32, stock: u32, parent: Option<&str>| Write {
        entity: articles(),
        method: Method::Put,
        id: Some(id.to_string()),
        body: format!(r#"{{"stock":{stock}}}"#),
        parts: parent.map(|parent| ("parent_id".to_owned(), parent.to_owned())).into_iter().collect(),
    };
    let outcomes = shop.write_all(&[write(1, 3, None), write(4, 1, Some("9")), write(2, 4, None)]).await;
    assert_eq!(outcomes[0].as_ref().unwrap().id.as_deref(), Some("1"));
    assert_eq!(outcomes[1].as_ref().unwrap().id.as_deref(), Some("4"));
    let refused = outcomes[2].as_ref().unwrap_err();
    assert!(matches!(refused, CallError::Refused { reason, status: 400, .. } if reason.contains("Invalid SKU.")));
    let unknown = shop.write_all(&[write(5, 1, None), write(6, 1, None)]).await;
    assert!(unknown.iter().all(|row| matches!(row, Err(CallError::Unknown { .. }))), "{unknown:?}");
    // One answer for two rows: whose it is nobody can say.
    let short = shop.write_all(&[write(7, 1, None), write(8, 1, None)]).await;
    assert!(short.iter().all(|row| matches!(row, Err(CallError::Unknown { .. }))), "{short:?}");
    assert_eq!(server.count("products/batch"), 3);
}

/// What stands below other records is listed behind them, with the one above, whether the shop shows it there or not.
#[tokio::test]
async fn records_below_others_are_listed_behind_them() {
    let (_server, shop, _clocks) = shop(|seen| {
        let rows = match seen.path.rsplit("/v3/").next().unwrap() {
            "products" => r#"[{"id":1,"type":"simple","parent_id":0},{"id":2,"type":"variable","parent_id":0}]"#,
            "products/2/variations" => r#"[{"id":3,"type":"variation"},{"id":4,"type":"variation","parent_id":2}]"#,
            other => panic!("{other}"),
        };
        let (of, count) = (|name| (name, "1".to_owned()), ("X-WP-Total", "2".to_owned()));
        Reply::With(200, vec![("Content-Type", "application/json".into()), count, of("X-WP-TotalPages")], rows.into())
    })
    .await;
    let scan = Scan { entity: articles(), fields: vec![], filter: vec![], since: None, only: vec![] };
    let page = shop.scan(&scan, &Position::default()).await.unwrap();
    let expected = [("1", "0"), ("2", "0"), ("3", "2"), ("4", "2")];
    let seen: Vec<(String, String)> =
        page.records.iter().map(|row| (row.member("id").unwrap(), row.member("parent_id").unwrap())).collect();
    assert_eq!(seen, expected.map(|(id, above)| (id.to_owned(), above.to_owned())));
    let find = Find { entity: articles(), fields: vec!["id".into()], by: None, values: vec![], parts: vec![] };
    assert_eq!(shop.find(&find).await.unwrap().len(), 4);
}
