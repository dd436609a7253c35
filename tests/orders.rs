//! The recorded orders of a real shop through the real binary: each lands once, to the cent, or is parked with a reason
//! that a bookkeeper can act on. A second run writes nothing.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{Said, World, amount, golden, sent, text};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The ledger keeps its money to the cent.
const HALF_A_CENT: Decimal = Decimal::from_parts(5, 0, 0, false, 3);
/// Fewer than these, and the recordings are not where they are looked for.
const ORDERS_AT_LEAST: usize = 90;
/// An order of each kind of supply: at home, another country's rate, reverse charge, export.
const SUPPLIES: [&str; 4] = ["nl-b2c-simple-incl", "be-oss-21", "de-b2b-reverse-charge-class", "us-export"];
/// What a person does about an order that does not land.
const REMEDIES: [(&str, &str); 9] = [
    (
        "be-b2b-vat-exempt-incl",
        "The company gave no VAT number, and nothing else says why no tax is owed: ask for it and add it to the order, or charge the tax.",
    ),
    (
        "ca-compound",
        "Two rates at once have no VAT code of their own: book it by hand, or give the pair a code and adapt `vat`.",
    ),
    (
        "ca-two-rates",
        "Two rates at once have no VAT code of their own: book it by hand, or give the pair a code and adapt `vat`.",
    ),
    (
        "decimals-0-incl",
        "The shop rounds to whole euros and its lines do not add up: give it two decimals, or allow more than a cent in `balance`.",
    ),
    (
        "deleted-product",
        "The product is gone, and its SKU with it: answer `unknown_item`, or skip the order and book it by hand.",
    ),
    (
        "es-canary-postcode-rate",
        "IGIC is no VAT of the union, and the administration has no code for it: book it by hand, or give it a code and a row.",
    ),
    ("no-sku", "Give the product a SKU in the shop and retry, or answer `unknown_item`."),
    (
        "quantity-decimal",
        "2.5 pieces are sold of an item that the ledger counts whole: allow fractions for ROPE-M there and retry.",
    ),
    (
        "refund-reverse-charge",
        "The class says reverse charge, and the company gave no VAT number: add it to the order, or charge the tax.",
    ),
];

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded")
}

/// Each recorded order by its id, with the name of its recording.
fn recordings() -> BTreeMap<u64, (String, Value)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(recorded().join("shop/orders")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let read: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let orders = if let Value::Array(orders) = read { orders } else { vec![read] };
        all.extend(orders.into_iter().map(|order| (order["id"].as_u64().unwrap(), (name.clone(), order))));
    }
    all
}

/// What the ledger holds, looked at from outside.
struct Books {
    documents: BTreeMap<String, Vec<Value>>,
    items: BTreeMap<String, String>,
    accounts: BTreeMap<String, Value>,
    addresses: BTreeMap<String, Value>,
    /// Percent of each VAT code.
    rates: BTreeMap<String, Decimal>,
}

impl Books {
    fn of(world: &World) -> Self {
        let by_id = |resource: &str| -> BTreeMap<String, Value> {
            world.held(resource).into_iter().map(|row| (text(&row, "ID").to_owned(), row)).collect()
        };
        let mut documents: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for document in world.held("ledger/salesorder/SalesOrders") {
            documents.entry(text(&document, "YourRef").to_owned()).or_default().push(document);
        }
        let rate =
            |row: Value| (text(&row, "Code").trim().to_owned(), amount(&row["Percentage"]) * Decimal::ONE_HUNDRED);
        Self {
            documents,
            items: by_id("ledger/logistics/Items")
                .into_iter()
                .map(|(id, i)| (id, text(&i, "Code").to_owned()))
                .collect(),
            accounts: by_id("ledger/crm/Accounts"),
            addresses: by_id("ledger/crm/Addresses"),
            rates: world.held("ledger/vat/VATCodes").into_iter().map(rate).collect(),
        }
    }

    /// What of the order is not in the document, in words.
    fn differences(&self, order: &Value, document: &Value) -> Vec<String> {
        let mut all = Vec::new();
        let (theirs, ours) = (amount(&document["AmountFC"]), amount(&order["total"]));
        if (theirs - ours).abs() > HALF_A_CENT {
            all.push(format!("total {theirs} for {ours}"));
        }
        if text(document, "Currency").trim() != text(order, "currency") {
            all.push(format!("currency {} for {}", document["Currency"], order["currency"]));
        }
        let lines = document["SalesOrderLines"].as_array().expect("a sales order has lines");
        all.extend(self.pieces(order, lines));
        all.extend(self.taxes(order, lines));
        let account = self.accounts.get(text(document, "OrderedBy")).unwrap_or(&Value::Null);
        let email = text(&order["billing"], "email").trim().to_lowercase();
        if !email.is_empty() && text(account, "Email").to_lowercase() != email {
            all.push(format!("customer {} for {email}", account["Email"]));
        }
        let street = text(&order["shipping"], "address_1").trim().to_lowercase();
        let delivered = self.addresses.get(text(document, "DeliveryAddress")).unwrap_or(&Value::Null);
        let line = text(delivered, "AddressLine1").to_lowercase();
        let start = |text: &str| text.chars().take(8).collect::<String>();
        if !street.is_empty() && start(&line) != start(&street) {
            all.push(format!("delivered to {line:?} for {street:?}"));
        }
        all
    }

    fn pieces(&self, order: &Value, lines: &[Value]) -> Option<String> {
        let mut wanted: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in order["line_items"].as_array().into_iter().flatten().filter(|l| !text(l, "sku").is_empty()) {
            *wanted.entry(text(line, "sku")).or_default() += amount(&line["quantity"]);
        }
        let mut there: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in lines {
            let item = self.items.get(text(line, "Item")).map_or("", String::as_str);
            *there.entry(item).or_default() += amount(&line["Quantity"]);
        }
        let short: Vec<&str> =
            wanted.iter().filter(|(sku, n)| there.get(*sku) != Some(n)).map(|(sku, _)| *sku).collect();
        (!short.is_empty()).then(|| format!("pieces of {}", short.join(", ")))
    }

    fn taxes(&self, order: &Value, lines: &[Value]) -> Option<String> {
        let taxes = order["tax_lines"].as_array().into_iter().flatten();
        let taxed = taxes.filter(|t| !(amount(&t["tax_total"]) + amount(&t["shipping_tax_total"])).is_zero());
        let wanted: BTreeSet<Decimal> = taxed.map(|t| amount(&t["rate_percent"]).normalize()).collect();
        let lines = lines.iter().filter(|line| !amount(&line["AmountFC"]).is_zero());
        let rates = lines.map(|line| self.rates.get(text(line, "VATCode").trim()).copied().unwrap_or_default());
        let there: BTreeSet<Decimal> = rates.filter(|rate| !rate.is_zero()).map(|rate| rate.normalize()).collect();
        (wanted != there).then(|| format!("rates {there:?} for {wanted:?}"))
    }
}

/// What happens to which record by which mapping, sorted, and how many of what.
fn happens(said: &Said) -> (Vec<String>, Value) {
    let mut lines = said.lines();
    let done = lines.pop().unwrap();
    let part = |line: &Value| format!("{} {} {}", text(line, "event"), text(line, "id"), text(line, "mapping"));
    let mut events: Vec<String> = lines.iter().map(part).collect();
    events.sort_unstable();
    (events, done["counts"].clone())
}

#[test]
fn recorded_orders_land_to_the_cent_or_say_why_not() {
    let world = World::new(Options {
        shop_data: Some(recorded().join("shop")),
        ledger_data: Some(recorded().join("ledger")),
        limits: Limits::Off,
        ..Options::default()
    });
    let dry = world.flowc(&["run", "orders", "--dry-run", "--format", "json"]);
    let run = world.flowc(&["run", "orders", "--format", "json"]);
    assert_eq!(run.code, Some(1), "some are parked: {}", run.stderr);
    assert_eq!((dry.code, happens(&dry)), (run.code, happens(&run)), "a dry run tells what the run does");
    let documents =
        run.lines().into_iter().filter(|line| line["event"] == "created" && line["entity"] == "exact.SalesOrder");
    let unnamed: Vec<Value> = documents.filter(|line| text(line, "target_number").is_empty()).collect();
    assert_eq!(unnamed, [] as [Value; 0], "what is made is told by its number");
    let listed = world.flowc(&["records"]).stdout;
    let wide: Vec<&str> = listed.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty() && listed.lines().count() > ORDERS_AT_LEAST, "records fit 80 columns: {wide:?}");
    world.forget_calls();
    let again = world.flowc(&["run", "orders"]);
    assert_eq!(world.calls("ledger").1 + world.calls("shop").1, 0, "a second run writes nothing: {}", again.stderr);

    let recordings = recordings();
    let orders: Vec<Value> = recordings.values().map(|(_, order)| order.clone()).collect();
    let wanted: BTreeMap<&str, &Value> = sent(&orders).map(|order| (text(order, "number"), order)).collect();
    assert!(wanted.len() >= ORDERS_AT_LEAST, "{} orders are recorded", wanted.len());
    let books = Books::of(&world);
    let records = world.records();
    let mut wrong = Vec::new();
    let mut parked = Vec::new();
    for (number, order) in &wanted {
        let name = &recordings[&order["id"].as_u64().unwrap()].0;
        match books.documents.get(*number).map(Vec::as_slice) {
            Some([document]) => {
                wrong.extend(books.differences(order, document).into_iter().map(|d| format!("{name}: {d}")));
            }
            Some(several) => wrong.push(format!("{name}: it is there {} times", several.len())),
            None => match records.get(&order["id"].to_string()) {
                Some(record) => parked.push((name.as_str(), record)),
                None => wrong.push(format!("{name}: it is not there, and nothing says why")),
            },
        }
    }
    wrong
        .extend(books.documents.keys().filter(|n| !wanted.contains_key(n.as_str())).map(|n| format!("{n}: not asked")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    golden("orders.md", &page(wanted.len(), &mut parked));
    golden("why.md", &whys(&world, &recordings));
    one_account_a_customer(&books);
}

/// Two orders of one customer make one account.
fn one_account_a_customer(books: &Books) {
    let mut seen = BTreeSet::new();
    for account in books.accounts.values().filter(|account| !text(account, "Email").is_empty()) {
        assert!(seen.insert(text(account, "Email").to_lowercase()), "{} has two accounts", account["Email"]);
    }
}

/// The orders that do not land, with what a bookkeeper reads.
fn page(wanted: usize, parked: &mut [(&str, &Value)]) -> String {
    parked.sort_unstable_by_key(|(name, _)| *name);
    let mut text = format!(
        "# Recorded orders that do not land\n\n{} of {wanted} land to the cent. The others are parked, each with its reason \
         and the line that stopped it.\n",
        wanted - parked.len()
    );
    for (name, record) in parked {
        let place = &record["place"];
        let reason = self::text(record, "reason");
        assert_eq!(self::text(record, "state"), "parked", "{name} is settled: {reason}");
        assert!(!reason.is_empty() && place["line"].is_u64(), "{name} is parked without reason or place");
        for jargon in ["Some(", "None", "Err(", "::"] {
            assert!(!reason.contains(jargon), "{name}: {reason:?} is not for people");
        }
        let remedy = REMEDIES.iter().find(|(known, _)| known == name).map(|(_, remedy)| *remedy);
        let remedy = remedy.unwrap_or_else(|| panic!("{name} did land before: {reason}"));
        // The column is left out: it moves with the words before it.
        let _ =
            write!(text, "\n## {name}\n- {reason}\n- {}:{}\n- {remedy}\n", self::text(place, "file"), place["line"]);
    }
    text
}

/// What made the VAT code of the first line, for each kind of supply.
fn whys(world: &World, recordings: &BTreeMap<u64, (String, Value)>) -> String {
    let mut page = "# Why a line has its VAT code\n".to_owned();
    for wanted in SUPPLIES {
        let found = recordings.iter().find(|(_, (name, _))| name == wanted);
        let (id, _) = found.unwrap_or_else(|| panic!("{wanted} is not recorded"));
        let said = world.flowc(&["why", &format!("orders:{id}"), "sales_order.SalesOrderLines[0].VATCode"]);
        assert_eq!(said.code, Some(0), "{wanted}: {}", said.stderr);
        let _ = write!(page, "\n## {wanted}\n{}", said.stdout);
    }
    page
}
