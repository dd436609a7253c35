//! The shop as a client meets it: recorded orders come back as recorded, made-up ones add up, refusals have their words.

mod dates;

use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::auth::{self, Key, Permission};
use super::{Delivery, Shop};
use crate::sandbox::clock::Clock;
use crate::sandbox::deliver;
use crate::sandbox::rows::RowFaults;

const NOW: &str = "2026-11-24T12:00:00Z";

fn shop() -> (Shop, mpsc::UnboundedReceiver<Delivery>) {
    let (outbox, inbox) = mpsc::unbounded_channel();
    let now: Timestamp = NOW.parse().unwrap();
    (Shop::new(Clock::new(now, 0), 1, outbox, deliver::client().unwrap()), inbox)
}

fn recorded() -> (Shop, mpsc::UnboundedReceiver<Delivery>) {
    let (shop, inbox) = shop();
    shop.load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/shop/testdata")).unwrap();
    (shop, inbox)
}

/// One call with the shop's key: status, headers, body.
async fn ask(shop: &Shop, method: &str, path: &str, body: Option<Value>) -> (u16, HeaderMap, Value) {
    ask_struck(shop, RowFaults::default(), method, path, body).await
}

/// The same, with what faults do to rows.
async fn ask_struck(
    shop: &Shop,
    faults: RowFaults,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> (u16, HeaderMap, Value) {
    let (route, query) = path.split_once('?').unwrap_or((path, ""));
    let url = format!("http://shop.test/wp-json/wc/v3{route}");
    let login = shop.credentials();
    let key = Key { name: login.key.clone(), secret: login.secret.clone(), permission: Permission::ReadWrite };
    let query = auth::signed_query(method, &url, query, &key, NOW.parse().unwrap());
    let request =
        Request::builder().method(method).uri(format!("/wp-json/wc/v3{route}?{query}")).header("host", "shop.test");
    let request = request.header("content-type", "application/json").extension(faults).body(Body::empty()).unwrap();
    let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let (response, _) = shop.answer(&request.into_parts().0, &bytes);
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status.as_u16(), parts.headers, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

fn without_links(mut record: Value) -> Value {
    if let Value::Object(members) = &mut record {
        members.shift_remove("_links");
        members.shift_remove("payment_url");
    }
    record
}

fn fixtures(folder: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/shop/testdata").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let plain = files.filter(|file| file.file_name().unwrap().to_string_lossy().matches('.').count() == 1);
    plain.map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()).collect()
}

fn amount(value: &Value, name: &str) -> Decimal {
    value[name].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn recorded_orders_come_back_as_recorded() {
    let (shop, _inbox) = recorded();
    for (folder, dp) in [("orders", 2), ("orders-dp6", 6)] {
        for order in fixtures(folder) {
            let (status, _, shown) = ask(&shop, "GET", &format!("/orders/{}?dp={dp}", order["id"]), None).await;
            assert_eq!(status, 200);
            assert_eq!(without_links(shown).to_string(), without_links(order).to_string());
        }
    }
    let (_, _, refunds) = ask(&shop, "GET", "/orders/130/refunds", None).await;
    assert_eq!((&refunds[0]["amount"], &refunds[0]["line_items"][0]["total"]), (&json!("18.09"), &json!("-14.95")));
    let (_, _, notes) = ask(&shop, "GET", "/orders/130/notes", None).await;
    assert!(notes.as_array().unwrap().len() > 1 && notes[0]["id"].as_u64() > notes[1]["id"].as_u64());
}

#[tokio::test]
async fn totals_computed_anew_are_those_recorded() {
    let (shop, _inbox) = recorded();
    for order in fixtures("orders-dp6") {
        if order["coupon_lines"] != json!([]) {
            continue;
        }
        let line = &order["line_items"][0];
        let change = json!({"line_items": [{"id": line["id"], "quantity": line["quantity"]}]});
        let (_, _, shown) = ask(&shop, "PUT", &format!("/orders/{}?dp=6", order["id"]), Some(change)).await;
        for member in ["total", "total_tax", "cart_tax", "shipping_tax", "tax_lines", "fee_lines"] {
            assert_eq!(shown[member], order[member], "{member} of order {}", order["id"]);
        }
    }
}

#[tokio::test]
async fn an_order_is_written_as_recorded() {
    let (shop, mut inbox) = recorded();
    let hook = json!({"topic": "order.created", "delivery_url": "http://127.0.0.1:9/", "secret": "s"});
    assert_eq!(ask(&shop, "POST", "/webhooks", Some(hook)).await.0, 201);
    let order = json!({"billing": {"country": "NL"}, "line_items": [{"product_id": 11, "quantity": 2}]});
    let (status, headers, made) = ask(&shop, "POST", "/orders", Some(order)).await;
    assert_eq!((status, &made["total"], &made["total_tax"]), (201, &json!("36.18"), &json!("6.28")));
    assert!(headers["location"].to_str().unwrap().ends_with(&format!("/orders/{}", made["id"])));
    assert_eq!(inbox.recv().await.unwrap().topic, "order.created");

    let path = format!("/orders/{}", made["id"]);
    let line = made["line_items"][0]["id"].clone();
    let (_, _, more) = ask(&shop, "PUT", &path, Some(json!({"line_items": [{"id": line, "quantity": 3}]}))).await;
    assert_eq!((&more["total"], &more["line_items"][0]["quantity"]), (&json!("36.18"), &json!(3)), "the totals stay");
    let (_, _, paid) = ask(&shop, "PUT", &path, Some(json!({"set_paid": true, "transaction_id": "tr_1"}))).await;
    assert_eq!((&paid["status"], &paid["transaction_id"]), (&json!("processing"), &json!("tr_1")));
    let refund = json!({"amount": "99999", "api_refund": false});
    let (status, _, refused) = ask(&shop, "POST", &format!("{path}/refunds"), Some(refund)).await;
    assert_eq!((status, &refused["data"]), (500, &json!(500)));
    let (_, _, found) = ask(&shop, "GET", "/orders?search=tr_1&_fields=id", None).await;
    assert_eq!(found, json!([{"id": made["id"]}]));
}

#[tokio::test]
async fn stock_moves_as_recorded() {
    let (shop, _inbox) = recorded();
    let managed = json!({"manage_stock": true, "stock_quantity": 580});
    assert_eq!(ask(&shop, "PUT", "/products/11", Some(managed)).await.0, 200);
    let stock = async || ask(&shop, "GET", "/products/11", None).await.2["stock_quantity"].clone();
    let order = json!({"line_items": [{"product_id": 11, "quantity": 2}]});
    let made = ask(&shop, "POST", "/orders", Some(order)).await.2;
    let path = format!("/orders/{}", made["id"]);
    assert_eq!(stock().await, 580);
    let become_ = async |status: &str| ask(&shop, "PUT", &path, Some(json!({"status": status}))).await;
    become_("processing").await;
    assert_eq!(stock().await, 578);
    let piece = json!({"id": made["line_items"][0]["id"], "quantity": 1, "refund_total": 1.0});
    let refund = json!({"line_items": [piece], "api_refund": false});
    assert_eq!(ask(&shop, "POST", &format!("{path}/refunds"), Some(refund)).await.0, 201);
    assert_eq!(stock().await, 579);
    become_("cancelled").await;
    assert_eq!(stock().await, 580, "what a refund gave back does not come back again");
    become_("processing").await;
    assert_eq!(stock().await, 578);
    assert_eq!(ask(&shop, "DELETE", &format!("{path}?force=true"), None).await.0, 200);
    assert_eq!(stock().await, 578);
}

#[tokio::test]
async fn in_posts_the_date_of_change_tells_half() {
    let (shop, _inbox) = recorded();
    let changed = async |change: Value| {
        let before = ask(&shop, "GET", "/orders/130", None).await.2["date_modified"].clone();
        shop.inner.clock.advance(jiff::SignedDuration::from_secs(60));
        let after = ask(&shop, "PUT", "/orders/130", Some(change)).await.2["date_modified"].clone();
        after != before
    };
    let billing = json!({"billing": {"city": "Gouda"}, "meta_data": [{"key": "k", "value": "v"}]});
    assert!(changed(json!({})).await && changed(billing.clone()).await);
    shop.state().storage = super::call::Storage::Posts;
    assert!(!changed(json!({})).await && !changed(billing).await);
    assert!(changed(json!({"customer_note": "other"})).await && changed(json!({"status": "on-hold"})).await);
}

#[tokio::test]
async fn lists_filter_as_recorded() {
    let (shop, _inbox) = recorded();
    let (_, headers, all) = ask(&shop, "GET", "/orders?per_page=2&_fields=id", None).await;
    assert_eq!(
        (headers["x-wp-total"].to_str().unwrap(), all.as_array().unwrap().len()),
        ("6", 2),
        "the trash stays out"
    );
    let (_, _, trash) = ask(&shop, "GET", "/orders?status=trash", None).await;
    assert_eq!(trash.as_array().unwrap().len(), 1);
    let newest = &ask(&shop, "GET", "/orders?orderby=modified&per_page=1", None).await.2[0];
    let at = newest["date_modified_gmt"].as_str().unwrap();
    let (_, _, after) = ask(&shop, "GET", &format!("/orders?modified_after={at}Z"), None).await;
    assert_eq!(after, json!([]), "the bound itself is left out");
    let (status, _, ignored) = ask(&shop, "GET", "/orders?number=5&_fields=id", None).await;
    assert_eq!((status, ignored.as_array().unwrap().len()), (200, 6), "an unknown filter filters nothing");
    let (_, _, variation) = ask(&shop, "GET", "/products?sku=tee-r-m&_fields=id,type,parent_id", None).await;
    assert_eq!(variation, json!([{"id": 47, "type": "variation", "parent_id": 45}]));
}

#[tokio::test]
async fn made_up_orders_add_up() {
    let (shop, _inbox) = shop();
    shop.generate(7, 300);
    let round = |amount: Decimal| amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    let orders: Vec<Value> = serde_json::from_slice(&shop.everything("orders", Some("6")).unwrap()).unwrap();
    assert_eq!(orders.len(), 300);
    let mut sent = 0;
    for order in &orders {
        let rows =
            ["line_items", "fee_lines", "shipping_lines"].iter().flat_map(|name| order[*name].as_array().unwrap());
        let (net, tax) = rows.fold((Decimal::ZERO, Decimal::ZERO), |(net, tax), row| {
            (net + round(amount(row, "total")), tax + amount(row, "total_tax"))
        });
        assert_eq!((net + tax, tax), (amount(order, "total"), amount(order, "total_tax")), "order {}", order["id"]);
        sent += usize::from(["processing", "completed"].contains(&order["status"].as_str().unwrap()));
    }
    assert!(sent > 240, "{sent} of 300 are to be sent");
    let (again, _inbox) = self::shop();
    again.generate(7, 300);
    assert_eq!(shop.everything("orders", None), again.everything("orders", None), "the same seed makes the same shop");
}

#[tokio::test]
async fn without_a_key_nothing_is_shown() {
    let (shop, _inbox) = recorded();
    let request = Request::builder()
        .uri("/wp-json/wc/v3/orders")
        .header("authorization", "Basic YTpi")
        .body(Body::empty())
        .unwrap();
    let (response, _) = shop.answer(&request.into_parts().0, b"");
    assert_eq!(response.status(), 401);
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(
        body,
        &br#"{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}"#[..]
    );
}
