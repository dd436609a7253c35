//! `flowc reconcile` from outside: the real binary over a simulated shop and ledger in which people change things by hand.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{World, amount, text};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A document in the ledger: its resource, its key, its lines, and what of a line a person changes.
const DOCUMENTS: [(&str, &str, &str, &str, &str); 4] = [
    ("sales_order", "salesorder/SalesOrders", "OrderID", "SalesOrderLines", "NetPrice"),
    ("sales_invoice", "salesinvoice/SalesInvoices", "InvoiceID", "SalesInvoiceLines", "NetPrice"),
    ("direct_invoice", "salesinvoice/SalesInvoices", "InvoiceID", "SalesInvoiceLines", "NetPrice"),
    ("sales_entry", "salesentry/SalesEntries", "EntryID", "SalesEntryLines", "AmountFC"),
];
/// The project that the tests make.
const PROJECT: &str = "acme";
/// Days that hold all documents of a sandbox.
const ALL: [&str; 4] = ["--from", "2020-01-01", "--to", "2035-12-31"];

/// Both sides, as a program reads them.
struct Books {
    code: Option<i32>,
    rows: Vec<Value>,
    missing: BTreeMap<String, Value>,
    left: BTreeMap<String, String>,
}

/// A shop with some orders, and a project that books them so.
fn world(document: &str, more: &[&str]) -> World {
    let world = World::new(Options { orders: Some(24), seed: 3, limits: Limits::Off, ..Options::default() });
    std::fs::write(world.root().join("sandbox.json"), world.first_line().to_string()).unwrap();
    let set = format!("orders.document={document}");
    let mut new = vec!["new", PROJECT, "--yes", "--sandbox", "sandbox.json", "--flow", "orders.orders", "--set", &set];
    new.extend(more);
    let made = world.flowc(&new);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    world
}

fn run(world: &World) {
    let said = world.flowc(&["run", "--project", PROJECT]);
    assert!(matches!(said.code, Some(0 | 1)), "{}", said.stderr);
}

fn books_of(world: &World, days: &[&str]) -> Books {
    let mut arguments = vec!["reconcile", "--project", PROJECT, "--format", "json"];
    arguments.extend(days);
    let said = world.flowc(&arguments);
    let mut rows: Vec<Value> = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {}", said.stderr));
    let last = rows.pop().unwrap();
    let named = |list: &Value| {
        let all = list.as_array().unwrap().iter();
        all.map(|row| (text(row, "id").to_owned(), row.clone())).collect::<BTreeMap<_, _>>()
    };
    let left = named(&last["left"]).into_iter().map(|(id, row)| (id, text(&row, "reason").to_owned())).collect();
    Books { code: said.code, rows, missing: named(&last["missing"]), left }
}

fn books(world: &World) -> Books {
    books_of(world, &ALL)
}

impl Books {
    fn sum(&self, member: &str) -> Decimal {
        self.rows.iter().map(|row| amount(&row[member])).sum()
    }

    /// The rows that name the document of this record, each with what of it stands there: shop and ledger, and why.
    fn of(&self, id: &str) -> Vec<(Decimal, Decimal, String)> {
        let documents = self.rows.iter().flat_map(|row| row["documents"].as_array().unwrap());
        let own = documents.filter(|document| text(document, "id") == id);
        own.map(|d| (amount(&d["shop"]), amount(&d["ledger"]), text(d, "why").to_owned())).collect()
    }

    fn differing(&self) -> Vec<String> {
        let documents = self.rows.iter().flat_map(|row| row["documents"].as_array().unwrap());
        let mut ids: Vec<String> = documents.map(|document| text(document, "id").to_owned()).collect();
        ids.dedup();
        ids
    }
}

/// The orders that stand in the ledger, by their number, with their documents.
fn booked(world: &World, resource: &str) -> Vec<(Value, Value)> {
    let documents = world.held(&format!("ledger/{resource}"));
    let of = |order: &Value| documents.iter().find(|d| text(d, "YourRef") == text(order, "number")).cloned();
    world.held("shop/orders").into_iter().filter_map(|order| Some((order.clone(), of(&order)?))).collect()
}

#[test]
fn both_sides_agree_where_nothing_is_wrong_and_nothing_is_written() {
    for (document, resource, ..) in DOCUMENTS {
        let world = world(document, &[]);
        run(&world);
        let before = (world.held(&format!("ledger/{resource}")), world.held("shop/orders"));
        world.forget_calls();
        let books = books(&world);
        assert_eq!((world.calls("shop").1, world.calls("ledger").1), (0, 0), "{document}: writes");
        assert_eq!((world.held(&format!("ledger/{resource}")), world.held("shop/orders")), before);
        let totals: Decimal = booked(&world, resource).iter().map(|(order, _)| amount(&order["total"])).sum();
        assert!(!books.rows.is_empty() && !totals.is_zero(), "{document}");
        assert_eq!((books.sum("shop"), books.sum("ledger")), (totals, totals), "{document}");
        assert_eq!(books.differing(), [""; 0], "{document}");
        assert!(books.rows.iter().all(|row| amount(&row["difference"]).is_zero()), "{document}");
        assert_eq!(books.code, Some(i32::from(!books.missing.is_empty())), "{document}: {:?}", books.missing);
        run(&world);
        let said = world.flowc(&["run", "--project", PROJECT, "--format", "json"]);
        let done = said.lines().pop().unwrap();
        assert_eq!(done["counts"]["created"], json!(0), "{document}: nothing was marked as done");
    }
}

#[test]
fn what_somebody_changed_in_the_ledger_is_named_with_why() {
    for (document, resource, _, lines, field) in DOCUMENTS {
        let world = world(document, &[]);
        run(&world);
        let all = booked(&world, resource);
        let (order, before) = all.iter().find(|(order, _)| amount(&order["total"]) > Decimal::from(20)).unwrap();
        let line = &before[lines][0];
        let service = resource.split('/').next().unwrap();
        let more = json!({"ID": line["ID"], field: (amount(&line[field]) + Decimal::TEN).to_string().parse::<serde_json::Number>().unwrap()});
        world.control(Method::POST, &format!("/ledger/{service}/{lines}"), Some(&more));
        let after = booked(&world, resource).into_iter().find(|(o, _)| o["id"] == order["id"]).unwrap().1;
        let moved = amount(&after["AmountFC"]) - amount(&before["AmountFC"]);
        assert!(!moved.is_zero(), "{document}: the line is another");
        let books = books(&world);
        let id = format!("orders:{}", order["id"]);
        assert_eq!((books.code, books.differing()), (Some(1), vec![id.clone()]), "{document}");
        assert_eq!(books.sum("difference"), -moved, "{document}");
        let why = &books.of(&id)[0].2;
        assert!(why.contains("changed after it was written"), "{document}: {why}");
        assert!(why.contains(&format!("{:.2}", amount(&before["AmountFC"]))), "{document}: {why}");
        let said = world.flowc(&[&["reconcile", "--project", PROJECT][..], &ALL[..]].concat()).stdout;
        let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("changed after it was written"), "{said}");
        let widest = said.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{said}");
    }
}

#[test]
fn a_document_counts_on_the_day_and_under_the_code_that_it_has_in_the_ledger() {
    let world = world("sales_order", &[]);
    run(&world);
    let all = booked(&world, "salesorder/SalesOrders");
    let (order, document) = &all[0];
    let id = format!("orders:{}", order["id"]);
    let dated = json!({"OrderID": document["OrderID"], "OrderDate": "2026-12-31"});
    world.control(Method::POST, "/ledger/salesorder/SalesOrders", Some(&dated));
    let day = |books: &Books| books.rows.iter().map(|row| text(row, "day").to_owned()).collect::<Vec<_>>();
    let moved = books_of(&world, &["--from", "2026-12-31", "--to", "2026-12-31"]);
    assert_eq!(day(&moved), ["2026-12-31"]);
    assert_eq!(moved.sum("shop"), amount(&order["total"]));
    let other = books_of(&world, &["--from", "2020-01-01", "--to", "2026-12-30"]);
    assert!(!day(&other).contains(&"2026-12-31".to_owned()));
    assert_eq!(other.sum("shop") + moved.sum("shop"), books(&world).sum("shop"));
    // Another code: the day's sum stays, two rows differ.
    let line = json!({"ID": document["SalesOrderLines"][0]["ID"], "VATCode": "6"});
    world.control(Method::POST, "/ledger/salesorder/SalesOrderLines", Some(&line));
    let coded = books_of(&world, &["--from", "2026-12-31", "--to", "2026-12-31"]);
    assert_eq!(coded.of(&id).len(), 2, "{:?}", coded.rows);
}

/// The shop's side is the shop's own total: what a mapping leaves out, and says is well so, shows.
#[test]
fn a_fault_of_the_mapping_shows() {
    let world = world("sales_order", &[]);
    let project = world.root().join(PROJECT).join("project.flow");
    let text = std::fs::read_to_string(&project).unwrap();
    let without_shipping = r#"
adapt mapping orders.sales_order {
  set SalesOrderLines = [for line in order.line_items where not line.is_empty(): orders.item_line(order, line)]
  balance AmountFC to order.line_items.sum(l => l.total + l.total_tax) within 0.01 each, rest as orders.rounding(rest)
    else fail "the lines come to {sum}"
}
"#;
    std::fs::write(&project, text + without_shipping).unwrap();
    run(&world);
    let all = booked(&world, "salesorder/SalesOrders");
    let books = books(&world);
    let short = |(order, document): &&(Value, Value)| amount(&order["total"]) != amount(&document["AmountFC"]);
    let mut expected: Vec<String> =
        all.iter().filter(short).map(|(order, _)| format!("orders:{}", order["id"])).collect();
    let mut differing = books.differing();
    expected.sort_unstable();
    differing.sort_unstable();
    differing.dedup();
    assert!(!expected.is_empty());
    assert_eq!((books.code, &differing), (Some(1), &expected));
    assert!(books.of(&expected[0])[0].2.contains("stands in no line"), "{:?}", books.of(&expected[0]));
    assert_eq!(books.sum("shop"), all.iter().map(|(order, _)| amount(&order["total"])).sum());
}

#[test]
fn what_is_due_and_has_no_document_is_missing() {
    let world = world("sales_order", &[]);
    run(&world);
    let missing_before = books(&world).missing;
    let all = booked(&world, "salesorder/SalesOrders");
    let (gone, document) = &all[0];
    let (late, _) = &all[1];
    let sum = books(&world).sum("shop");
    world.control(Method::DELETE, &format!("/ledger/salesorder/SalesOrders/{}", text(document, "OrderID")), None);
    let again = |order: &Value, number: &str, sku: Option<&str>| {
        let mut order = order.clone();
        order["number"] = number.into();
        for member in ["id", "date_created", "date_created_gmt", "date_modified", "date_modified_gmt"] {
            order.as_object_mut().unwrap().remove(member);
        }
        order["line_items"].as_array_mut().unwrap().iter_mut().for_each(|line| {
            line.as_object_mut().unwrap().remove("id");
            if let Some(sku) = sku {
                line["sku"] = sku.into();
                line["product_id"] = 0.into();
                line["variation_id"] = 0.into();
            }
        });
        world.control(Method::POST, "/shop/orders", Some(&order))["id"].clone()
    };
    let parked = format!("orders:{}", again(late, "9001", Some("NOBODY-SELLS-IT")));
    run(&world);
    let new = format!("orders:{}", again(late, "9002", None));
    let books = books(&world);
    let reason = |id: &str| text(&books.missing[id], "reason").to_owned();
    assert!(reason(&format!("orders:{}", gone["id"])).contains("was deleted in"), "{:?}", books.missing);
    assert!(reason(&parked).contains("NOBODY-SELLS-IT"), "{:?}", books.missing);
    assert_eq!(reason(&new), "no run has looked at it yet");
    assert_eq!(books.missing.len(), missing_before.len() + 3, "{:?}", books.missing);
    assert_eq!(books.sum("shop"), sum - amount(&gone["total"]), "what is missing is in no sum");
    assert_eq!((books.code, books.differing()), (Some(1), Vec::new()));
    // What a person has left out is not due.
    let said = world.flowc(&["skip", &parked, "--reason", "sold by mistake", "--project", PROJECT]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let left = self::books(&world);
    assert!(!left.missing.contains_key(&parked) && left.left[&parked].contains("sold by mistake"), "{:?}", left.left);
    // A cancelled order whose document is gone is not due.
    world.control(Method::POST, "/shop/orders", Some(&json!({"id": gone["id"], "status": "cancelled"})));
    assert!(!self::books(&world).missing.contains_key(&format!("orders:{}", gone["id"])));
}

#[test]
fn what_the_shop_has_undone_comes_to_nothing_there() {
    let world = world("sales_order", &[]);
    run(&world);
    let all = booked(&world, "salesorder/SalesOrders");
    let undone = |n: usize| (format!("orders:{}", all[n].0["id"]), amount(&all[n].0["total"]));
    world.control(Method::POST, "/shop/orders", Some(&json!({"id": all[0].0["id"], "status": "cancelled"})));
    world.control(Method::POST, "/shop/orders", Some(&json!({"id": all[1].0["id"], "status": "on-hold"})));
    remove_from_shop(&world, &all[2].0["id"]);
    let books = books(&world);
    let ((cancelled, total), (held, _), (removed, removed_total)) = (undone(0), undone(1), undone(2));
    let side = |id: &str| books.of(id).iter().fold((Decimal::ZERO, Decimal::ZERO), |s, d| (s.0 + d.0, s.1 + d.1));
    assert_eq!(side(&cancelled), (Decimal::ZERO, total), "{:?}", books.of(&cancelled));
    assert!(books.of(&cancelled)[0].2.contains("cancelled"), "{:?}", books.of(&cancelled));
    assert_eq!(side(&removed), (Decimal::ZERO, removed_total), "{:?}", books.rows);
    assert!(books.of(&removed)[0].2.contains("no longer in"), "{:?}", books.of(&removed));
    assert_eq!(books.of(&held), [], "an order on hold is what it was");
    assert!(books.left.contains_key(&held), "{:?}", books.left);
    assert_eq!(books.code, Some(1));
}

#[test]
fn refunds_count_below_nothing_as_their_credits_do() {
    for (document, resource, ..) in DOCUMENTS {
        let refund_item = ["--flow", "refunds.refunds"];
        let world = world(document, &refund_item);
        run(&world);
        let all = booked(&world, resource);
        let (order, _) = all.iter().find(|(order, _)| amount(&order["total"]) > Decimal::from(20)).unwrap();
        let sum = books(&world);
        let path = format!("/shop/orders/{}/refunds", order["id"]);
        let refund = world.control(Method::POST, &path, Some(&json!({"amount": "5.00", "reason": "a scratch"})));
        world.later("+1h");
        let id = format!("refunds:{}", refund["id"]);
        assert_eq!(amount(&books(&world).missing[&id]["shop"]), Decimal::from(-5), "{document}");
        run(&world);
        let books = books(&world);
        assert_eq!(books.sum("shop"), sum.sum("shop") - Decimal::from(5), "{document}: {:?}", books.missing);
        assert_eq!(books.sum("ledger"), sum.sum("ledger") - Decimal::from(5), "{document}");
        assert_eq!(books.differing(), [""; 0], "{document}");
    }
}

#[test]
fn days_are_days_and_a_project_needs_documents() {
    let world = world("sales_order", &[]);
    let of = |arguments: &[&str]| world.flowc(&[&["reconcile", "--project", PROJECT][..], arguments].concat());
    let wrong = of(&["--from", "2026-02-30", "--to", "2026-03-01"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    let back = of(&["--from", "2026-03-02", "--to", "2026-03-01"]);
    assert!(back.code == Some(2) && back.stderr.contains("lies before"), "{}", back.stderr);
    let none = of(&["--from", "2026-03-01", "--to", "2026-03-01"]);
    assert!(none.code == Some(0) && none.stdout.contains("no document of these days"), "{}", none.stdout);
    let project = world.root().join(PROJECT).join("project.flow");
    let text = std::fs::read_to_string(&project).unwrap();
    std::fs::write(&project, text.replace("run orders.orders", "run customers.customers_to_ledger")).unwrap();
    let idle = of(&ALL);
    assert!(idle.code == Some(2) && idle.stderr.contains("no flow that is on makes documents"), "{}", idle.stderr);
}

/// Somebody deletes an order of the shop for good.
fn remove_from_shop(world: &World, id: &Value) {
    world.control(Method::POST, "/shop/server", Some(&json!({"https": true})));
    let line = world.first_line();
    let shop = &line["shop"];
    let address = format!("{}/wp-json/wc/v3/orders/{id}?force=true", text(shop, "url"));
    let said = world.shell(&format!(
        "curl -s -o answer -w '%{{http_code}}' -X DELETE -u '{}:{}' '{address}'",
        text(shop, "key"),
        text(shop, "secret")
    ));
    assert_eq!(said.stdout, "200", "{}", std::fs::read_to_string(world.root().join("answer")).unwrap_or_default());
    world.control(Method::POST, "/shop/server", Some(&json!({"https": false})));
}
