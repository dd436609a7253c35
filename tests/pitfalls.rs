//! What goes wrong where shops and ledgers are joined, as far as it is about more than one record's mapping: the checker and
//! the real binary over a simulated shop and ledger. docs/requirements.md lists all pitfalls with their tests.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::check::check_files;
use flowc::sandbox::{Limits, Options};
use flowc::source::Memory;
use promise::{World, sent, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

const ACCOUNTS: &str = "ledger/crm/Accounts";
const SALES_ORDERS: &str = "ledger/salesorder/SalesOrders";

fn world(orders: u64) -> World {
    World::new(Options { orders: Some(orders), seed: 5, limits: Limits::Off, ..Options::default() })
}

/// A pass of the project.
fn run(world: &World) {
    world.later("+11m");
    let said = world.flowc(&["run"]);
    assert!(matches!(said.code, Some(0 | 1)), "{}", said.stderr);
}

/// The references of the ledger's sales orders, in their order.
fn references(world: &World) -> Vec<String> {
    let mut all: Vec<String> = world.held(SALES_ORDERS).iter().map(|d| text(d, "YourRef").to_owned()).collect();
    all.sort();
    all
}

/// Amounts with tax, without it, and of it are of different types.
#[test]
fn p03_gross_net_and_tax_do_not_mix() {
    let amounts = [
        ("net", "order.total", false),
        ("gross", "order.line_items.sum(l => l.total)", false),
        ("gross", "order.total + order.line_items.sum(l => l.total)", false),
        ("net", "order.line_items.sum(l => l.total) - order.total_tax", false),
        ("gross", "order.line_items.sum(l => l.total + l.total_tax)", true),
        ("gross", "order.total", true),
    ];
    for (kind, value, is_sound) in amounts {
        let mut files = Memory::default();
        let flow = format!("use woocommerce as woo\n\nfn amount(order: woo.Order) -> {kind} = {value}\n");
        files.0.insert(PathBuf::from("mixed.flow"), flow);
        let checked = check_files(&files, &["mixed.flow".into()]);
        let told: Vec<String> = checked.diagnostics.iter().map(|d| format!("{} {}", d.code.id, d.message)).collect();
        assert_eq!(checked.is_sound(), is_sound, "{kind} of {value}: {told:?}");
    }
}

/// A customer is made and her order isn't: the next pass goes on behind the customer.
#[test]
fn p31_a_customer_whose_order_failed_is_not_made_again() {
    let world = world(6);
    let before = world.held(ACCOUNTS).len();
    world.faults(&json!([
        {"system": "ledger", "method": "POST", "resource": "salesorder/SalesOrders", "kind": "status", "status": 503}
    ]));
    run(&world);
    let made = world.held(ACCOUNTS).len();
    assert!(made > before, "customers are made before their orders");
    assert_eq!(references(&world), [] as [String; 0]);
    run(&world);
    assert_eq!(world.held(ACCOUNTS).len(), made, "nobody is made twice while orders fail");
    world.faults(&json!([]));
    for _ in 0..3 {
        run(&world);
    }
    let orders = world.held("shop/orders");
    let mut wanted: Vec<String> = sent(&orders).map(|o| text(o, "number").to_owned()).collect();
    wanted.sort();
    assert_eq!(references(&world), wanted);
    let accounts = world.held(ACCOUNTS);
    let emails: Vec<String> =
        accounts.iter().map(|a| text(a, "Email").to_lowercase()).filter(|e| !e.is_empty()).collect();
    assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len(), "{emails:?}");
}

/// An order of one piece of a product of the shop.
fn order(world: &World, sku: &str) -> Value {
    let who = json!({"first_name": "Sanne", "last_name": "Koper", "address_1": "Dorpsstraat 1", "city": "Edam", "postcode": "1135 AB",
        "country": "NL", "email": "sanne@example.com", "phone": "+31205550001"});
    let product = world.held("shop/products").into_iter().find(|p| text(p, "sku") == sku);
    let id = product.map_or(Value::from(0), |p| p["id"].clone());
    let line = json!({"product_id": id, "name": sku, "sku": sku, "quantity": 1, "subtotal": "10.00", "total": "10.00"});
    let body = json!({"status": "processing", "payment_method": "bacs", "billing": who, "shipping": who, "line_items": [line]});
    world.control(Method::POST, "/shop/orders", Some(&body))
}

/// What cannot be booked waits for a person with its reason, is not tried again by itself, and holds up nobody: neither others
/// nor the next order of its own customer.
#[test]
fn p38_a_record_that_cannot_be_booked_holds_up_no_other() {
    let world = world(4);
    let product = json!({"name": "Odd", "sku": "NO-SUCH-ITEM", "type": "simple", "regular_price": "10.00"});
    world.control(Method::POST, "/shop/products", Some(&product));
    let poison = order(&world, "NO-SUCH-ITEM");
    let sku = world
        .held("ledger/logistics/Items")
        .iter()
        .map(|item| text(item, "Code").trim().to_owned())
        .find(|code| world.held("shop/products").iter().any(|p| text(p, "sku") == code))
        .unwrap();
    let healthy = order(&world, &sku);
    run(&world);
    let records = world.records();
    let parked = &records[&poison["id"].to_string()];
    assert_eq!(text(parked, "state"), "parked", "{parked}");
    assert!(text(parked, "reason").contains("no item NO-SUCH-ITEM"), "{parked}");
    let orders = world.held("shop/orders");
    let others: Vec<String> =
        sent(&orders).map(|o| text(o, "number").to_owned()).filter(|n| n != text(&poison, "number")).collect();
    let there = references(&world);
    assert!(others.iter().all(|number| there.contains(number)), "{others:?} / {there:?}");
    assert!(there.contains(&text(&healthy, "number").to_owned()));
    world.forget_calls();
    run(&world);
    assert_eq!(world.calls("ledger").1, 0, "it is not tried again by itself");
    let item = json!({"Code": "NO-SUCH-ITEM", "Description": "There by now", "IsSalesItem": true, "SalesVatCode": "5"});
    world.control(Method::POST, "/ledger/logistics/Items", Some(&item));
    let said = world.flowc(&["retry", text(parked, "id")]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    run(&world);
    assert!(references(&world).contains(&text(&poison, "number").to_owned()), "{:?}", world.records());
}
