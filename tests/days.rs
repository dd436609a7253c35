//! Runs `tests/corpus/days`: what happens in a shop, through the real binary, and what stands in the books in the end.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use libtest_mimic::{Arguments, Failed, Trial};
use promise::{Said, World, text};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A case.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    days: Vec<Day>,
    /// What stands at the end of `project.flow`.
    #[serde(default)]
    project: String,
    /// Answers to settings.
    #[serde(default)]
    set: BTreeMap<String, String>,
    accounts: Vec<Value>,
    /// How many orders stand in the ledger.
    #[serde(default)]
    booked: Option<usize>,
    #[serde(default)]
    debtors: BTreeMap<String, usize>,
    #[serde(default)]
    lines: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    addresses: Vec<Value>,
    /// The street that an order is delivered to.
    #[serde(default)]
    delivered: BTreeMap<String, String>,
    #[serde(default)]
    remarks: BTreeMap<String, String>,
    #[serde(default)]
    parked: BTreeMap<String, String>,
}

/// What happens between two runs, and what a person sees of the second.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    #[serde(default)]
    customers: Vec<Value>,
    orders: Vec<Map<String, Value>>,
    /// Amounts that are paid back, by order.
    #[serde(default)]
    refunds: BTreeMap<u64, String>,
    #[serde(default)]
    alerts: Vec<String>,
    #[serde(default)]
    skipped: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/days")
}

fn main() {
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|e| e == "json") && name != "base" {
            trials.push(Trial::test(name, move || day_by_day(&path)));
        }
    }
    assert!(!trials.is_empty(), "there are days");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Members of one object over those of another; lists are taken row by row.
fn over(base: &mut Value, more: &Value) {
    match (base, more) {
        (Value::Object(base), Value::Object(more)) => {
            for (name, value) in more {
                over(base.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(base), Value::Array(more)) if !base.is_empty() && more.iter().all(|m| m.get("id").is_none()) => {
            base.iter_mut().zip(more).for_each(|(base, more)| over(base, more));
        }
        (base, more) => *base = more.clone(),
    }
}

/// An order as it differs from the base, with its tax.
fn whole(differs: &Map<String, Value>) -> Value {
    let mut order: Value = serde_json::from_str(&std::fs::read_to_string(folder().join("base.json")).unwrap()).unwrap();
    let mut differs = differs.clone();
    let tax = differs.remove("tax");
    over(&mut order, &Value::Object(differs.clone()));
    order["number"] = json!(order["id"].to_string());
    let Some((country, rate)) = tax.as_ref().and_then(Value::as_str).and_then(|tax| tax.split_once(' ')) else {
        return order;
    };
    // Hundred euros without tax, so that the rate is the amount.
    let amount = format!("{rate}.00");
    order["tax_lines"] = json!([{
        "id": 51, "rate_code": format!("{country}-VAT {rate}%-1"), "rate_id": 901, "label": format!("VAT {rate}%"),
        "compound": false, "tax_total": amount, "shipping_tax_total": "0.00",
        "rate_percent": rate.parse::<u32>().unwrap(), "meta_data": [],
    }]);
    order["line_items"][0]["taxes"] = json!([{"id": 901, "total": amount, "subtotal": amount}]);
    for (part, field) in [(true, "total_tax"), (true, "subtotal_tax"), (false, "total_tax"), (false, "cart_tax")] {
        let of = if part { &mut order["line_items"][0] } else { &mut order };
        of[field] = json!(amount);
    }
    order["total"] = differs.get("total").cloned().unwrap_or_else(|| json!(format!("1{rate:0>2}.00")));
    order
}

fn told(said: &Said, event: &str, part: &str) -> Vec<String> {
    let lines = said.lines().into_iter().filter(|line| line["event"] == event);
    lines.map(|line| text(&line, part).to_owned()).collect()
}

fn counts(said: &Said) -> Value {
    said.lines().pop().unwrap()["counts"].clone()
}

fn day_by_day(path: &Path) -> Result<(), Failed> {
    let case: Case = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let world = World::new(Options { orders: Some(0), limits: Limits::Off, ..Options::default() });
    world.edit(|project| format!("{project}\n{}\n", case.project));
    let before = world.held("ledger/crm/Accounts");
    for (n, day) in case.days.iter().enumerate() {
        world.later("+1h");
        for customer in &day.customers {
            world.control(Method::POST, "/shop/customers", Some(customer));
        }
        for order in &day.orders {
            let known = world.held("shop/orders").iter().any(|held| held["id"] == order["id"]);
            let order = if known { Value::Object(order.clone()) } else { whole(order) };
            world.control(Method::POST, "/shop/orders", Some(&order));
        }
        for (order, amount) in &day.refunds {
            world.control(Method::POST, &format!("/shop/orders/{order}/refunds"), Some(&json!({"amount": amount})));
        }
        the_day(&world, day, &case.set).map_err(|wrong| format!("day {}: {wrong}", n + 1))?;
    }
    world.forget_calls();
    let again = run(&world, &case.set, &[]);
    if world.calls("ledger").1 + world.calls("shop").1 != 0 {
        return Err(format!("a further run writes: {}", again.stdout).into());
    }
    books(&case, &world, &before)
}

fn run(world: &World, set: &BTreeMap<String, String>, further: &[&str]) -> Said {
    let set: Vec<String> = set.iter().map(|(name, answer)| format!("--set={name}={answer}")).collect();
    let set = set.iter().map(String::as_str);
    let arguments: Vec<&str> =
        ["run", "orders", "--format", "json"].into_iter().chain(set).chain(further.iter().copied()).collect();
    world.flowc(&arguments)
}

/// A dry run and a run, which come to the same.
fn the_day(world: &World, day: &Day, set: &BTreeMap<String, String>) -> Result<(), String> {
    world.forget_calls();
    let dry = run(world, set, &["--dry-run"]);
    if world.calls("ledger").1 + world.calls("shop").1 != 0 {
        return Err("the dry run has written".to_owned());
    }
    let run = run(world, set, &[]);
    if counts(&dry) != counts(&run) {
        return Err(format!("dry {} and run {}: {:?}", counts(&dry), counts(&run), told(&run, "parked", "reason")));
    }
    let alerts = told(&run, "alert", "reason");
    let all_told = day.alerts.iter().all(|part| alerts.iter().any(|alert| alert.contains(part)));
    if !all_told || alerts.len() != day.alerts.len() {
        return Err(format!("told: {alerts:?}"));
    }
    // In any order: what changed in one second has none.
    let mut skipped: Vec<String> =
        told(&run, "skipped", "id").iter().map(|id| id.trim_start_matches("orders:").to_owned()).collect();
    let mut wanted = day.skipped.clone();
    skipped.sort();
    wanted.sort();
    if skipped == wanted { Ok(()) } else { Err(format!("left out: {skipped:?}")) }
}

/// Whether a row has all that is named.
fn has(row: &Value, named: &Value) -> bool {
    let Value::Object(named) = named else { return false };
    named.iter().all(|(field, value)| row.get(field).unwrap_or(&Value::Null) == value)
}

fn books(case: &Case, world: &World, before: &[Value]) -> Result<(), Failed> {
    let made: Vec<Value> =
        world.held("ledger/crm/Accounts").into_iter().filter(|a| !before.iter().any(|b| b["ID"] == a["ID"])).collect();
    if made.len() != case.accounts.len() {
        return Err(format!("{} accounts: {made:?}", made.len()).into());
    }
    let wanted: Vec<&Value> =
        case.accounts.iter().filter_map(|named| made.iter().find(|row| has(row, named))).collect();
    if wanted.len() != made.len() {
        return Err(format!("other accounts: {made:?}").into());
    }
    let documents = world.held("ledger/salesorder/SalesOrders");
    if case.booked.is_some_and(|booked| booked != documents.len()) {
        return Err(format!("{} orders are booked", documents.len()).into());
    }
    let document = |number: &str| documents.iter().find(|d| text(d, "YourRef").trim() == number);
    for (number, account) in &case.debtors {
        let debtor = document(number).map(|d| &d["OrderedBy"]);
        if debtor != Some(&wanted[*account]["ID"]) {
            return Err(format!("order {number} is owed by {debtor:?}").into());
        }
    }
    let items = world.held("ledger/logistics/Items");
    for (number, lines) in &case.lines {
        let there = document(number).and_then(|d| d["SalesOrderLines"].as_array().cloned()).unwrap_or_default();
        let there: Vec<String> = there
            .iter()
            .map(|line| {
                let item = items.iter().find(|item| item["ID"] == line["Item"]).map_or("", |item| text(item, "Code"));
                format!("{} {}", item.trim(), text(line, "VATCode").trim())
            })
            .collect();
        if there != *lines {
            return Err(format!("lines of order {number}: {there:?}").into());
        }
    }
    for (number, remarks) in &case.remarks {
        if document(number).map(|d| text(d, "Remarks")) != Some(remarks) {
            return Err(format!("remarks of order {number}: {:?}", document(number)).into());
        }
    }
    let addresses = world.held("ledger/crm/Addresses");
    if let Some(named) = case.addresses.iter().find(|named| !addresses.iter().any(|row| has(row, named))) {
        return Err(format!("no address {named}").into());
    }
    for (number, street) in &case.delivered {
        let at = document(number).map(|d| &d["DeliveryAddress"]);
        let there = addresses.iter().find(|row| at == Some(&row["ID"])).map(|row| text(row, "AddressLine1"));
        if there != Some(street) {
            return Err(format!("order {number} is delivered to {there:?}").into());
        }
    }
    let parked: BTreeMap<String, Value> =
        world.records().into_iter().filter(|(_, row)| row["state"] == "parked").collect();
    let fits =
        |(number, part): (&String, &String)| parked.get(number).is_some_and(|row| text(row, "reason").contains(part));
    if parked.len() != case.parked.len() || !case.parked.iter().all(fits) {
        return Err(format!("parked: {parked:?}").into());
    }
    Ok(())
}
