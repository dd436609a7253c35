//! `statuses.shipments` from outside: the real binary over a simulated shop and ledger. Goods that the shop has sent are delivered in
//! the ledger once, all that was left of them, and the shop hears nothing of it back.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{World, amount, text};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The project that the tests make.
const PROJECT: &str = "acme";
const SALES: &str = "ledger/salesorder/SalesOrders";
const DELIVERIES: &str = "ledger/salesorder/GoodsDeliveries";
const COMPLETE: i64 = 21;

/// A shop with one order, and a project of these flows beside that of the orders.
fn world(flows: &[&str], sets: &[&str]) -> World {
    let world = World::new(Options { orders: Some(1), seed: 5, limits: Limits::Off, ..Options::default() });
    std::fs::write(world.root().join("sandbox.json"), world.first_line().to_string()).unwrap();
    let mut new = vec!["new", PROJECT, "--yes", "--sandbox", "sandbox.json"];
    let all = [&["orders.orders", "statuses.shipments"], flows].concat();
    new.extend(all.iter().flat_map(|flow| ["--flow", flow]));
    new.extend(sets.iter().flat_map(|set| ["--set", set]));
    let made = world.flowc(&new);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    world
}

/// A pass of all flows that are on; its events.
fn run(world: &World) -> Vec<Value> {
    world.later("+11m");
    let said = world.flowc(&["run", "--project", PROJECT, "--format", "json"]);
    assert!(matches!(said.code, Some(0 | 1)), "{}", said.stderr);
    said.lines()
}

/// Passes that must write nothing on either side.
fn quiet(world: &World, why: &str) {
    for _ in 0..2 {
        world.forget_calls();
        run(world);
        assert_eq!((world.calls("shop").1, world.calls("ledger").1), (0, 0), "{why}: {:?}", world.held("calls"));
    }
}

/// An order of three pieces and their shipping.
fn order(world: &World, status: &str) -> Value {
    let products = world.held("shop/products");
    let sold = |p: &&Value| {
        text(p, "type") == "simple"
            && text(p, "status") == "publish"
            && !text(p, "price").is_empty()
            && !text(p, "sku").is_empty()
    };
    let product = products.iter().find(sold).unwrap();
    let who = json!({"first_name": "Sanne", "last_name": "Koper", "address_1": "Dorpsstraat 1", "city": "Edam", "postcode": "1135 AB",
        "country": "NL", "email": "sanne@example.com", "phone": "+31205550001"});
    let body = json!({"status": status, "payment_method": "bacs", "billing": who, "shipping": who,
        "line_items": [{"product_id": product["id"], "quantity": 3}],
        "shipping_lines": [{"method_id": "flat_rate", "instance_id": "1", "method_title": "Post", "total": "4.09"}]});
    world.control(Method::POST, "/shop/orders", Some(&body))
}

fn change(world: &World, order: &Value, what: &Value) {
    let mut body = json!({"id": order["id"]});
    body.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
    world.control(Method::POST, "/shop/orders", Some(&body));
}

fn ship(world: &World, order: &Value, parcels: &str) {
    let meta = json!([{"key": "_tracking_number", "value": parcels}]);
    change(world, order, &json!({"status": "completed", "meta_data": meta}));
}

/// The sales order of an order.
fn sale(world: &World, order: &Value) -> Value {
    world.held(SALES).into_iter().find(|sale| text(sale, "YourRef") == text(order, "number")).unwrap()
}

/// The deliveries that say this order.
fn deliveries(world: &World, order: &Value) -> Vec<Value> {
    let says = format!("Order {}, sent by the shop", text(order, "number"));
    world.held(DELIVERIES).into_iter().filter(|delivery| text(delivery, "Description") == says).collect()
}

/// Pieces of each line of a delivery.
fn pieces(delivery: &Value) -> Vec<Decimal> {
    let mut lines = delivery["GoodsDeliveryLines"].as_array().unwrap().clone();
    lines.sort_by_key(|line| line["LineNumber"].as_i64());
    lines.iter().map(|line| amount(&line["QuantityDelivered"])).collect()
}

/// A person delivers so many pieces of the first line of a sales order.
fn by_hand(world: &World, sale: &Value, pieces: i64) {
    let line = &sale["SalesOrderLines"][0];
    let lines = json!([{"SalesOrderLineID": line["ID"], "QuantityDelivered": pieces}]);
    world.control(Method::POST, &format!("/{DELIVERIES}"), Some(&json!({"GoodsDeliveryLines": lines})));
}

fn reasons(world: &World) -> Vec<String> {
    let said = world.flowc(&["records", "--project", PROJECT, "--format", "json"]);
    let of = |row: Value| Some(format!("{} {} {}", text(&row, "id"), text(&row, "state"), row["reason"].as_str()?));
    said.lines().into_iter().filter_map(of).collect()
}

#[test]
fn what_the_shop_has_sent_is_delivered_once_and_does_not_come_back() {
    let world = world(&["statuses.deliveries"], &[]);
    let sent = order(&world, "processing");
    let kept = order(&world, "processing");
    run(&world);
    assert!(deliveries(&world, &sent).is_empty(), "it has not left yet");
    ship(&world, &sent, "3SABC, 3SDEF");
    run(&world);
    let made = deliveries(&world, &sent);
    assert_eq!(made.len(), 1, "{:?}", world.held(DELIVERIES));
    assert_eq!(pieces(&made[0]), [Decimal::from(3), Decimal::ONE]);
    assert_eq!(text(&made[0], "TrackingNumber"), "3SABC, 3SDEF");
    let shop = world.held("shop/orders");
    let shipped = shop.iter().find(|o| o["id"] == sent["id"]).unwrap();
    let day = &text(shipped, "date_completed")[..10];
    assert!(text(&made[0], "DeliveryDate").starts_with(day), "{day}: {made:?}");
    assert_eq!(sale(&world, &sent)["DeliveryStatus"], COMPLETE);
    assert!(deliveries(&world, &kept).is_empty());
    // The shop has told its customer itself.
    quiet(&world, "delivered");
    // A number that comes later follows.
    ship(&world, &sent, "3SGHI");
    run(&world);
    assert_eq!(text(&deliveries(&world, &sent)[0], "TrackingNumber"), "3SGHI");
    quiet(&world, "another number");
    let shop = world.held("shop/orders");
    let shipped = shop.iter().find(|o| o["id"] == sent["id"]).unwrap();
    let meta = shipped["meta_data"].as_array().unwrap();
    assert!(meta.iter().any(|m| m["key"] == "_tracking_number" && m["value"] == "3SGHI"), "{meta:?}");
}

#[test]
fn what_the_ledger_has_delivered_itself_is_not_delivered_again() {
    let world = world(&["statuses.deliveries"], &[]);
    let (whole, part) = (order(&world, "processing"), order(&world, "processing"));
    run(&world);
    let all = sale(&world, &whole);
    let lines: Vec<Value> = all["SalesOrderLines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| json!({"SalesOrderLineID": line["ID"], "QuantityDelivered": line["Quantity"]}))
        .collect();
    world.control(Method::POST, &format!("/{DELIVERIES}"), Some(&json!({"GoodsDeliveryLines": lines})));
    by_hand(&world, &sale(&world, &part), 2);
    run(&world);
    run(&world);
    let shop = world.held("shop/orders");
    assert_eq!(text(shop.iter().find(|o| o["id"] == whole["id"]).unwrap(), "status"), "completed");
    let before = world.held(DELIVERIES).len();
    quiet(&world, "delivered by the ledger");
    // The rest of the other leaves from the shop.
    ship(&world, &part, "3SREST");
    run(&world);
    assert_eq!(pieces(&deliveries(&world, &part)[0]), [Decimal::ONE, Decimal::ONE]);
    assert_eq!(world.held(DELIVERIES).len(), before + 1);
    assert!(deliveries(&world, &whole).is_empty());
    quiet(&world, "the rest");
}

#[test]
fn an_order_that_is_booked_shipped_is_delivered_in_the_same_pass() {
    let world = world(&[], &["orders.prefix=W-"]);
    let sent = order(&world, "completed");
    run(&world);
    let own = json!({"number": format!("W-{}", text(&sent, "number"))});
    assert_eq!(deliveries(&world, &own).len(), 1, "{:?}", reasons(&world));
    assert_eq!(sale(&world, &own)["DeliveryStatus"], COMPLETE);
    quiet(&world, "delivered");
}

#[test]
fn an_answer_that_is_lost_delivers_nothing_twice() {
    for fault in ["drop_after", "effect_late", "drop_before"] {
        let world = world(&[], &[]);
        let sent = order(&world, "completed");
        world.faults(&json!([{"system": "ledger", "method": "POST", "resource": "salesorder/GoodsDeliveries", "kind": fault, "once": true, "ms": 300}]));
        for _ in 0..4 {
            run(&world);
        }
        assert_eq!(deliveries(&world, &sent).len(), 1, "{fault}: {:?}", reasons(&world));
        assert_eq!(sale(&world, &sent)["DeliveryStatus"], COMPLETE, "{fault}");
        quiet(&world, fault);
    }
}

/// A second flow, as a file of the project: it knows no link of its own, as if the store were lost.
fn again(world: &World) {
    let shipped = include_str!("../flows/statuses.flow");
    let own = shipped.find("extend woo.Order {").unwrap();
    let behind = own + shipped[own..].find("\n}\n").unwrap() + 3;
    let later = format!("{}{}", &shipped[..own], &shipped[behind..])
        .replace("use flows.orders", "use flows.orders\nuse flows.statuses");
    let folder = world.root().join(PROJECT);
    std::fs::write(folder.join("later.flow"), later).unwrap();
    let written = std::fs::read_to_string(folder.join("project.flow")).unwrap();
    let both = written
        .replace("use flows.statuses", "use flows.statuses\nuse later")
        .replace("statuses.shipments", "statuses.shipments, later.shipments");
    assert_ne!(written, both);
    std::fs::write(folder.join("project.flow"), both).unwrap();
}

#[test]
fn a_flow_that_has_forgotten_delivers_nothing_twice() {
    let world = world(&[], &[]);
    let (sent, typed) = (order(&world, "completed"), order(&world, "processing"));
    run(&world);
    // One that a person made, which says what ours would say, is that order's.
    let line = &sale(&world, &typed)["SalesOrderLines"][0];
    let body = json!({"Description": format!("Order {}, sent by the shop", text(&typed, "number")),
        "GoodsDeliveryLines": [{"SalesOrderLineID": line["ID"], "QuantityDelivered": 1}]});
    world.control(Method::POST, &format!("/{DELIVERIES}"), Some(&body));
    ship(&world, &typed, "3S");
    let before = world.held(DELIVERIES).len();
    again(&world);
    let events = run(&world);
    let linked = events.iter().filter(|e| text(e, "event") == "linked" && text(e, "mapping") == "later.shipment");
    assert_eq!((linked.count(), world.held(DELIVERIES).len()), (1, before), "{events:?}");
    assert_eq!((deliveries(&world, &sent).len(), deliveries(&world, &typed).len()), (1, 1));
}

#[test]
fn what_nobody_knows_to_have_left_is_not_delivered() {
    let world = world(&[], &[]);
    let (before, after, amount_alone) =
        (order(&world, "processing"), order(&world, "processing"), order(&world, "processing"));
    let back = |order: &Value, quantity: i64| {
        let lines: Vec<Value> =
            [json!({"id": order["line_items"][0]["id"], "quantity": quantity, "refund_total": 1})].into();
        let body = json!({"amount": "1.00", "reason": "one less", "api_refund": false, "api_restock": false,
            "line_items": if quantity == 0 { json!([]) } else { json!(lines) }});
        world.control(Method::POST, &format!("/shop/orders/{}/refunds", order["id"]), Some(&body));
    };
    run(&world);
    back(&before, 1);
    back(&amount_alone, 0);
    world.later("+1m");
    for order in [&before, &after, &amount_alone] {
        ship(&world, order, "3S");
    }
    world.later("+1m");
    back(&after, 1);
    run(&world);
    let told = reasons(&world);
    let says = |r: &String| r.starts_with(&format!("shipments:{} ", before["id"])) && r.contains("paid back before");
    assert!(told.iter().any(says), "{told:?}");
    assert!(deliveries(&world, &before).is_empty());
    assert_eq!(deliveries(&world, &after).len(), 1, "{told:?}");
    assert_eq!(deliveries(&world, &amount_alone).len(), 1, "{told:?}");
    quiet(&world, "stopped");
    // A person has delivered all by hand.
    let sold = sale(&world, &before);
    by_hand(&world, &sold, 2);
    world.control(
        Method::POST,
        "/ledger/salesorder/CompleteSalesOrder",
        Some(&json!({"OrderID": sold["OrderID"], "CompleteDelivery": true})),
    );
    let id = format!("shipments:{}", before["id"]);
    assert_eq!(world.flowc(&["retry", &id, "--project", PROJECT]).code, Some(0));
    run(&world);
    assert!(deliveries(&world, &before).is_empty());
    assert!(reasons(&world).iter().all(|r| !r.starts_with(&id)), "{:?}", reasons(&world));
}
