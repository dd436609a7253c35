//! `payments.clearing` from outside: the real binary over a simulated shop and ledger. What the shop was paid is booked once, comes to
//! nothing in both currencies, and leaves alone what the ledger was paid itself.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{World, amount, text};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The project that the tests make.
const PROJECT: &str = "acme";
const ENTRIES: &str = "ledger/generaljournalentry/GeneralJournalEntries";
const IDEAL: &str = "mollie_wc_gateway_ideal";

/// What an order becomes, and how its documents get a receivable.
const KINDS: [(&str, &str); 4] = [
    ("sales_entry", "ledger/salesentry/SalesEntries"),
    ("sales_invoice", "ledger/salesinvoice/SalesInvoices"),
    ("direct_invoice", "ledger/salesinvoice/SalesInvoices"),
    ("sales_order", "ledger/salesorder/SalesOrders"),
];

/// A shop with one order, and a project that books its orders so.
fn world(document: &str, flows: &[&str], sets: &[&str]) -> World {
    let world = World::new(Options { orders: Some(1), seed: 5, limits: Limits::Off, ..Options::default() });
    std::fs::write(world.root().join("sandbox.json"), world.first_line().to_string()).unwrap();
    let document = format!("orders.document={document}");
    let mut new = vec!["new", PROJECT, "--yes", "--sandbox", "sandbox.json", "--set", &document];
    let all = [&["orders.orders", "payments.clearing"], flows].concat();
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

/// An order of one piece.
fn order(world: &World, status: &str, method: &str, more: &Value) -> Value {
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
    let mut body = json!({"status": status, "payment_method": method, "billing": who, "shipping": who, "transaction_id": "tr_77",
        "line_items": [{"product_id": product["id"], "quantity": 2}],
        "shipping_lines": [{"method_id": "flat_rate", "instance_id": "1", "method_title": "Post", "total": "4.09"}]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.control(Method::POST, "/shop/orders", Some(&body))
}

fn refund(world: &World, order: &Value, amount: &str) -> Value {
    let body = json!({"amount": amount, "reason": "a scratch", "api_refund": false, "api_restock": false});
    world.control(Method::POST, &format!("/shop/orders/{}/refunds", order["id"]), Some(&body))
}

/// Invoices what is a sales order, and processes what is an invoice: then the ledger is owed it.
fn owe(world: &World, document: &str, order: &Value) {
    let resource = KINDS.iter().find(|(kind, _)| *kind == document).unwrap().1;
    let own = |d: &&Value| text(d, "YourRef") == text(order, "number");
    let found = world.held(resource).iter().find(own).cloned().unwrap();
    if document == "sales_order" {
        let body = json!({"SalesOrderIDs": [{"ID": found["OrderID"]}], "JournalCode": "70", "CreateMode": 1, "InvoiceMode": 1});
        world.control(Method::POST, "/ledger/salesinvoice/InvoiceSalesOrders", Some(&body));
    }
    if document != "sales_entry" {
        let invoices = world.held("ledger/salesinvoice/SalesInvoices");
        let invoice = invoices.iter().find(own).unwrap();
        let body = json!({"InvoiceID": invoice["InvoiceID"]});
        world.control(Method::POST, "/ledger/salesinvoice/PrintedSalesInvoices", Some(&body));
    }
}

/// The entries whose lines say this.
fn entries(world: &World, reference: &str) -> Vec<Value> {
    let says = |entry: &Value| {
        entry["GeneralJournalEntryLines"].as_array().unwrap().iter().all(|l| text(l, "Description") == reference)
    };
    world.held(ENTRIES).into_iter().filter(says).collect()
}

/// The receivables of an order, with whether each is paid.
fn paid(world: &World, order: &Value) -> Vec<bool> {
    let all = world.held("ledger/cashflow/Receivables");
    let own = all.iter().filter(|due| text(due, "YourRef") == text(order, "number"));
    own.map(|due| due["IsFullyPaid"].as_bool().unwrap()).collect()
}

/// One entry with this reference: what it moves from the customer to the clearing account, which comes to nothing.
fn moved(world: &World, reference: &str, account: &str) -> (Decimal, Value) {
    let found = entries(world, reference);
    assert_eq!(found.len(), 1, "{reference}: {:?}", world.held(ENTRIES));
    let lines = found[0]["GeneralJournalEntryLines"].as_array().unwrap().clone();
    for member in ["AmountFC", "AmountDC"] {
        assert_eq!(
            lines.iter().map(|line| amount(&line[member])).sum::<Decimal>(),
            Decimal::ZERO,
            "{reference}: {member}"
        );
    }
    let on = |code: &str| lines.iter().filter(|line| text(line, "GLAccountCode") == code).collect::<Vec<_>>();
    let (debtor, clearing) = (on("1300"), on(account));
    assert_eq!((debtor.len(), clearing.len(), lines.len()), (1, 1, 2), "{reference}");
    assert!(debtor[0]["Account"].is_string(), "{reference}: nobody's debt");
    (amount(&clearing[0]["AmountFC"]), found[0].clone())
}

fn reasons(world: &World) -> Vec<String> {
    let said = world.flowc(&["records", "--project", PROJECT, "--format", "json"]);
    let of = |row: Value| Some(format!("{} {} {}", text(&row, "id"), text(&row, "state"), row["reason"].as_str()?));
    said.lines().into_iter().filter_map(of).collect()
}

#[test]
fn each_paid_order_is_booked_once_and_its_refund_back() {
    for (document, _) in KINDS {
        let world = world(document, &[], &["orders.prefix=W-"]);
        let paid_one = order(&world, "processing", IDEAL, &json!({}));
        let unpaid = order(&world, "on-hold", "bacs", &json!({}));
        run(&world);
        let number = text(&paid_one, "number").to_owned();
        let own = json!({"number": format!("W-{number}")});
        if document != "sales_entry" {
            assert!(entries(&world, &format!("W-{number}-P")).is_empty(), "{document}: nothing is owed yet");
            owe(&world, document, &own);
            run(&world);
        }
        let (sum, entry) = moved(&world, &format!("W-{number}-P"), "2000");
        assert_eq!(sum, amount(&paid_one["total"]), "{document}");
        let day = &text(&paid_one, "date_paid")[..10];
        let lines = entry["GeneralJournalEntryLines"].as_array().unwrap();
        assert!(lines.iter().all(|line| text(line, "Date").starts_with(day)), "{document}: {day}, {lines:?}");
        assert_eq!(entry["FinancialPeriod"].to_string(), day[5..7].trim_start_matches('0'), "{document}");
        assert!(lines.iter().any(|line| text(line, "Notes") == "tr_77"), "{document}");
        assert_eq!(paid(&world, &own), [true], "{document}");
        assert!(entries(&world, &format!("W-{}-P", text(&unpaid, "number"))).is_empty(), "{document}");
        quiet(&world, document);
        let back = refund(&world, &paid_one, "2.50");
        run(&world);
        let (sum, _) = moved(&world, &format!("W-{number}-R{}-P", back["id"]), "2000");
        assert_eq!(sum, Decimal::new(-250, 2), "{document}");
        // As a file of the project the flow knows no link of its own, as if the store were lost: all is found again by what it says.
        let before = world.held(ENTRIES).len();
        let folder = world.root().join(PROJECT);
        std::fs::write(folder.join("later.flow"), include_str!("../flows/payments.flow")).unwrap();
        let written = std::fs::read_to_string(folder.join("project.flow")).unwrap();
        let answers = written[written.find("settings for payments").unwrap()..].replace("for payments", "for later");
        let both = written
            .replace("use flows.payments", "use flows.payments\nuse later")
            .replace("payments.clearing", "payments.clearing, later.clearing");
        std::fs::write(
            folder.join("project.flow"),
            format!("{both}\n{}", answers.split_inclusive('}').next().unwrap()),
        )
        .unwrap();
        let events = run(&world);
        let linked = events.iter().filter(|e| text(e, "event") == "linked" && text(e, "mapping").starts_with("later."));
        assert_eq!((linked.count(), world.held(ENTRIES).len()), (before, before), "{document}: {events:?}");
        quiet(&world, document);
    }
}

#[test]
fn what_the_ledger_was_paid_goes_to_the_shop_and_does_not_come_back() {
    for document in ["sales_entry", "sales_invoice"] {
        let sets = ["orders.statuses=[\"on-hold\",\"processing\",\"completed\"]", "orders.process_invoice=yes"];
        let world = world(document, &["statuses.payments"], &sets);
        let by_bank = order(&world, "on-hold", "bacs", &json!({}));
        let by_shop = order(&world, "processing", IDEAL, &json!({}));
        run(&world);
        moved(&world, &format!("{}-P", text(&by_shop, "number")), "2000");
        let due = world.held("ledger/cashflow/Receivables");
        let due = due.iter().find(|due| text(due, "YourRef") == text(&by_bank, "number")).unwrap();
        let line = json!({"AmountFC": due["AmountFC"], "Account": due["Account"], "GLAccount": due["GLAccount"], "OurRef": due["InvoiceNumber"]});
        let bank = json!({"JournalCode": "20", "BankEntryLines": [line]});
        world.control(Method::POST, "/ledger/financialtransaction/BankEntries", Some(&bank));
        assert_eq!(paid(&world, &by_bank), [true], "{document}");
        run(&world);
        run(&world);
        let shop = world.held("shop/orders");
        let now = |order: &Value| shop.iter().find(|o| o["id"] == order["id"]).unwrap().clone();
        assert!(now(&by_bank)["date_paid"].is_string(), "{document}: the shop was told");
        assert_eq!(text(&now(&by_shop), "status"), "processing", "{document}");
        assert!(entries(&world, &format!("{}-P", text(&by_bank, "number"))).is_empty(), "{document}: paid twice");
        assert_eq!(world.held(ENTRIES).len(), 2, "{document}: that of the sandbox's own order, and one");
        quiet(&world, document);
    }
}

#[test]
fn a_payment_in_another_currency_leaves_nothing_of_the_debt() {
    let world = world("sales_entry", &[], &[]);
    let dollars = order(&world, "processing", IDEAL, &json!({"currency": "USD"}));
    run(&world);
    let (_, entry) = moved(&world, &format!("{}-P", text(&dollars, "number")), "2000");
    assert_eq!((text(&entry, "Currency"), amount(&entry["ExchangeRate"])), ("USD", Decimal::new(92, 2)));
    let lines = entry["GeneralJournalEntryLines"].as_array().unwrap();
    let due = world.held("ledger/cashflow/Receivables");
    let due = due.iter().find(|due| text(due, "YourRef") == text(&dollars, "number")).unwrap();
    assert_eq!(amount(&lines[0]["AmountDC"]), -amount(&due["AmountDC"]));
    assert_eq!(paid(&world, &dollars), [true]);
}

#[test]
fn an_answer_that_is_lost_books_nothing_twice() {
    for fault in ["drop_after", "effect_late", "drop_before"] {
        let world = world("sales_entry", &[], &[]);
        let one = order(&world, "processing", IDEAL, &json!({}));
        world.faults(&json!([{"system": "ledger", "method": "POST", "resource": "generaljournalentry/GeneralJournalEntries", "kind": fault, "once": true, "ms": 300}]));
        for _ in 0..4 {
            run(&world);
        }
        let (sum, _) = moved(&world, &format!("{}-P", text(&one, "number")), "2000");
        assert_eq!(sum, amount(&one["total"]), "{fault}");
        quiet(&world, fault);
    }
}

#[test]
fn an_entry_that_a_person_made_is_linked_and_one_that_differs_is_told() {
    let world = world("sales_entry", &[], &[]);
    let one = order(&world, "processing", IDEAL, &json!({}));
    let reference = format!("{}-P", text(&one, "number"));
    let typed = |paid: &Value| {
        let line = |code: &str, sum: Decimal| json!({"GLAccount": code, "AmountFC": sum.to_string(), "Description": reference});
        let mut debtor = line("1300", -amount(paid));
        debtor["Account"] = "9999".into();
        let body = json!({"JournalCode": "90", "GeneralJournalEntryLines": [debtor, line("2000", amount(paid))]});
        world.control(Method::POST, &format!("/{ENTRIES}"), Some(&body))["key"].as_str().unwrap().to_owned()
    };
    let wrong = typed(&json!("1.00"));
    let says = |events: &[Value], kind: &str| {
        let own =
            |e: &&Value| text(e, "mapping") == "payments.payment" && text(e, "id").ends_with(&one["id"].to_string());
        events.iter().filter(own).any(|e| text(e, "event") == kind)
    };
    let events = run(&world);
    assert!(says(&events, "parked"), "{events:?}");
    assert_eq!(entries(&world, &reference).len(), 1);
    world.control(Method::DELETE, &format!("/{ENTRIES}/{wrong}"), None);
    typed(&one["total"]);
    let said = world.flowc(&["retry", &format!("clearing:{}", one["id"]), "--project", PROJECT]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let events = run(&world);
    assert!(says(&events, "linked"), "{events:?}");
    assert_eq!(entries(&world, &reference).len(), 1);
    quiet(&world, "linked");
}

#[test]
fn an_order_that_changes_after_its_payment_is_told_and_a_note_is_not() {
    let world = world("sales_entry", &[], &[]);
    let one = order(&world, "processing", IDEAL, &json!({}));
    run(&world);
    let alerts = |events: &[Value]| {
        events.iter().filter(|e| text(e, "event") == "alert" && text(e, "mapping") == "payments.payment").count()
    };
    world.control(
        Method::POST,
        "/shop/orders",
        Some(&json!({"id": one["id"], "status": "completed", "customer_note": "gift"})),
    );
    assert_eq!(alerts(&run(&world)), 0);
    let fee = json!({"id": one["id"], "fee_lines": [{"name": "Gift wrap", "total": "5.00", "tax_class": ""}]});
    world.control(Method::POST, "/shop/orders", Some(&fee));
    let events = run(&world);
    assert_eq!(alerts(&events), 1, "{events:?}");
    let (sum, _) = moved(&world, &format!("{}-P", text(&one, "number")), "2000");
    assert_eq!(sum, amount(&one["total"]), "what was booked stays");
    quiet(&world, "told");
}

#[test]
fn what_cannot_be_booked_stops_alone_and_says_why() {
    let world = world("sales_entry", &[], &[]);
    let closed = order(&world, "processing", IDEAL, &json!({}));
    let day = text(&closed, "date_paid")[..10].to_owned();
    let month = day[5..7].trim_start_matches('0').parse::<i64>().unwrap();
    let status = |status: i64| {
        let row = json!({"Year": 2026, "Period": month, "Journal": "90", "Status": status});
        world.control(Method::POST, "/ledger/read/financial/JournalStatusList", Some(&row));
    };
    status(1);
    run(&world);
    let told = reasons(&world);
    let says = |order: &Value, words: &str| {
        told.iter().any(|r| r.starts_with(&format!("clearing:{} ", order["id"])) && r.contains(words))
    };
    assert!(says(&closed, "Periode is afgesloten"), "{told:?}");
    let reference = format!("{}-P", text(&closed, "number"));
    assert!(entries(&world, &reference).is_empty());
    status(0);
    let id = format!("clearing:{}", closed["id"]);
    let said = world.flowc(&["retry", &id, "--project", PROJECT]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    run(&world);
    moved(&world, &reference, "2000");
    // What a person deletes stays deleted.
    let entry = entries(&world, &reference)[0]["EntryID"].clone();
    world.control(Method::DELETE, &format!("/{ENTRIES}/{}", entry.as_str().unwrap()), None);
    quiet(&world, "deleted by hand");
}
