//! `flowc doctor`, `flowc schema pull` and `flowc check --live` from outside: the real binary over a simulated shop and ledger
//! in which a person blocks codes, changes rates, closes periods and takes rights away.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{Said, World};
use reqwest::Method;
use serde_json::{Value, json};

/// The project that the tests make.
const PROJECT: &str = "acme";

/// A shop with some orders, and a project with these flows.
fn world(flow: &str, more: &[&str], options: Options) -> World {
    let world = World::new(Options { orders: Some(24), seed: 3, limits: Limits::Off, ..options });
    std::fs::write(world.root().join("sandbox.json"), world.first_line().to_string()).unwrap();
    let mut new = vec!["new", PROJECT, "--yes", "--sandbox", "sandbox.json", "--flow", flow];
    new.extend(more);
    let made = world.flowc(&new);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    world
}

fn doctor(world: &World) -> (Option<i32>, Value) {
    let said = world.flowc(&["doctor", "--project", PROJECT, "--format", "json"]);
    let told = serde_json::from_str(&said.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", said.stdout, said.stderr));
    (said.code, told)
}

/// The codes of the diagnostics that the doctor tells, with their messages.
fn codes(told: &Value) -> Vec<(String, String)> {
    let all = told["codes"].as_array().unwrap().iter();
    all.map(|d| (d["code"].as_str().unwrap().to_owned(), d["message"].as_str().unwrap().to_owned())).collect()
}

/// A row of the ledger as it is held.
fn row(world: &World, resource: &str, code: &str) -> Value {
    let all = world.control(Method::GET, &format!("/ledger/{resource}"), None);
    let found = all.as_array().unwrap().iter().find(|row| row["Code"] == code);
    found.unwrap_or_else(|| panic!("no {code} in {resource}")).clone()
}

/// Changes a row of the ledger as a person does.
fn change(world: &World, resource: &str, code: &str, changes: &Value) {
    let mut body = json!({ "ID": row(world, resource, code)["ID"] });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    world.control(Method::POST, &format!("/ledger/{resource}"), Some(&body));
}

fn adapt(world: &World, more: &str) {
    let path = world.root().join(PROJECT).join("project.flow");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{more}\n")).unwrap();
}

fn answer(world: &World, from: &str, to: &str) {
    let path = world.root().join(PROJECT).join("project.flow");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

fn live(world: &World) -> (Said, Vec<Value>) {
    let said = world.flowc(&["check", "--live", "--project", PROJECT, "--format", "json"]);
    let told = serde_json::from_str(&said.stdout).unwrap_or_default();
    (said, told)
}

#[test]
fn nothing_is_wrong_with_a_new_project() {
    let mut world = world("all", &[], Options::default());
    let (code, told) = doctor(&world);
    assert_eq!((code, &told["well"]), (Some(0), &json!(true)), "{told:#}");
    assert!(told["records"].as_u64().unwrap() > 24, "the last records are tried: {told:#}");
    assert!(told["systems"].as_array().unwrap().iter().all(|system| system["reached"] == true), "{told:#}");
    let (said, told) = live(&world);
    assert_eq!((said.code, told.len()), (Some(0), 0), "{}{}", said.stdout, said.stderr);
    world.stop();
    for command in [&["doctor"][..], &["check", "--live"], &["schema", "pull"]] {
        let said = world.flowc(&[command, &["--project", PROJECT]].concat());
        assert_eq!(said.code, Some(3), "{command:?}: {}{}", said.stdout, said.stderr);
    }
}

#[test]
fn codes_that_are_blocked_missing_or_mean_something_else_are_told_at_their_rows() {
    let world = world("orders.orders", &[], Options::default());
    change(&world, "vat/VATCodes", "3", &json!({ "IsBlocked": true }));
    answer(&world, "shipping_item    = \"SHIP\"", "shipping_item    = \"SHPI\"");
    adapt(&world, "settings for tables { cost_center = \"NOPE\" }");
    adapt(
        &world,
        "adapt lookup tables.customer_vat_code {\n  \"BE\", no, no => \"NONE\"\n}\nadapt lookup tables.warehouse {\n  \"BE\" => \"11\"\n}",
    );
    answer(
        &world,
        "\"IE\", 23%,    \"taxed\", \"price\", _ => \"IE1\"",
        "\"IE\", 23%,    \"taxed\", \"price\", _ => \"IE3\"",
    );
    let (code, told) = doctor(&world);
    assert_eq!(code, Some(1), "{told:#}");
    let found = codes(&told);
    let has = |id: &str, part: &str| found.iter().any(|(code, message)| code == id && message.contains(part));
    assert!(has("F0602", "`3` of books may not be used: its IsBlocked is yes"), "{found:?}");
    assert!(has("F0601", "exact.Item `SHPI` is not in books"), "{found:?}");
    assert!(has("F0601", "exact.Warehouse `11` is not in books"), "{found:?}");
    assert!(has("F0601", "exact.Costcenter `NOPE` is not in books"), "{found:?}");
    assert!(has("F0604", "the row is for rate 23%, and exact.VATCode `IE3` of books is for 13.5%"), "{found:?}");
    let item = told["codes"].as_array().unwrap().iter().find(|d| d["message"].as_str().unwrap().contains("SHPI"));
    assert_eq!(item.unwrap()["file"], "project.flow", "at the answer");
    let (said, told) = live(&world);
    assert_eq!((said.code, told.len()), (Some(1), found.len()), "{}", said.stdout);
}

#[test]
fn a_closed_period_and_a_journal_of_another_kind_are_told() {
    let world = world("orders.orders", &["--set", "orders.document=sales_entry"], Options::default());
    let now: jiff::Timestamp = world.control(Method::GET, "/clock", None)["now"].as_str().unwrap().parse().unwrap();
    let day = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap().to_datetime(now).date();
    let closed = json!({ "Year": day.year(), "Period": day.month(), "Journal": "70", "Status": 1 });
    world.control(Method::POST, "/ledger/read/financial/JournalStatusList", Some(&closed));
    let (code, told) = doctor(&world);
    let period = |told: &Value| told["ailments"].as_array().unwrap().iter().any(|a| a["kind"] == "period");
    assert!(code == Some(1) && period(&told), "{told:#}");
    answer(&world, "journal          = \"70\"", "journal          = \"10\"");
    let (_, told) = doctor(&world);
    assert!(codes(&told).iter().any(|(code, _)| code == "F0603") && !period(&told), "{told:#}");
}

#[test]
fn rights_that_the_login_lacks_are_told_with_the_flows_that_need_them() {
    let denied = vec!["salesorder".to_owned(), "vat/VATCodes".to_owned()];
    let world = world("orders.orders", &[], Options { denied, ..Options::default() });
    let (code, told) = doctor(&world);
    assert_eq!(code, Some(1), "{told:#}");
    let rights: Vec<&Value> =
        told["ailments"].as_array().unwrap().iter().filter(|ailment| ailment["kind"] == "rights").collect();
    let order = rights.iter().find(|a| a["message"].as_str().unwrap().contains("exact.SalesOrder"));
    assert!(order.is_some_and(|a| a["help"].as_str().unwrap().contains("orders.orders")), "{told:#}");
}

#[test]
fn rows_that_the_last_records_miss_are_told_to_be_pasted() {
    let world = world("orders.orders", &[], Options::default());
    let path = world.root().join(PROJECT).join("project.flow");
    let text = std::fs::read_to_string(&path).unwrap();
    let start = text.find("adapt lookup tables.vat_code {").unwrap();
    let end = start + text[start..].find("\n}\n").unwrap() + 3;
    std::fs::write(&path, format!("{}{}", &text[..start], &text[end..])).unwrap();
    let mut told = doctor(&world);
    assert_eq!((told.0, told.1["rows"].as_array().unwrap().is_empty()), (Some(1), false), "{:#}", told.1);
    // A record tells the first row that it misses. What is told fits as it is told.
    for _ in 0..8 {
        for row in told.1["rows"].as_array().unwrap() {
            let paste = row["paste"].as_str().unwrap();
            assert!(paste.starts_with("adapt lookup tables.vat_code {\n  \""), "{paste}");
            adapt(&world, &paste.replace("\"…\"", "fail \"later\""));
        }
        told = doctor(&world);
        if told.1["rows"].as_array().unwrap().is_empty() {
            break;
        }
    }
    assert_eq!(told.0, Some(0), "{:#}", told.1);
}

#[test]
fn a_shop_without_a_user_for_pictures_is_told() {
    let world = world("products.items_to_shop", &[], Options::default());
    answer(&world, "  media_user     = \"flowc\"\n  media_password = secret(\"SHOP_MEDIA_PASSWORD\")\n", "");
    let (code, told) = doctor(&world);
    assert_eq!(code, Some(1), "{told:#}");
    assert!(told["ailments"].to_string().contains("names no `media_user`"), "{told:#}");
}

#[test]
fn what_is_pulled_is_sorted_stays_and_is_what_the_check_goes_by() {
    let world = world("orders.orders", &[], Options::default());
    let pull = |more: &[&str]| {
        let said = world.flowc(&[&["schema", "pull", "--project", PROJECT, "--format", "json"], more].concat());
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        serde_json::from_str::<Value>(&said.stdout).unwrap()["changes"].as_array().unwrap().clone()
    };
    let file = world.root().join(PROJECT).join("schema/books/VATCode.csv");
    assert!(!pull(&["--diff"]).is_empty() && !file.exists(), "--diff only shows");
    assert!(pull(&["books"]).iter().all(|change| change["file"].as_str().unwrap().starts_with("schema/books/")));
    pull(&[]);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut sorted: Vec<&str> = text.lines().skip(1).collect();
    sorted.sort_by_key(|line| line.split(',').next().unwrap().to_lowercase());
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), sorted);
    assert!(pull(&[]).is_empty(), "a second pull changes nothing");
    assert_eq!(world.flowc(&["check", "--project", PROJECT]).code, Some(0));

    change(&world, "vat/VATCodes", "5", &json!({ "IsBlocked": true }));
    let changes = pull(&["--diff"]);
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0]["come"][0].as_str().unwrap().starts_with("5,"), "{changes:?}");
    pull(&[]);
    let said = world.flowc(&["check", "--project", PROJECT, "--format", "json"]);
    assert!(said.code == Some(1) && said.stdout.contains("F0602"), "{}", said.stdout);
    // What was pulled is no reason not to pull again.
    change(&world, "vat/VATCodes", "5", &json!({ "IsBlocked": false }));
    pull(&[]);
    assert_eq!(world.flowc(&["check", "--project", PROJECT]).code, Some(0));
}
