//! Date filters as a real shop answered them: `testdata/dates` holds what was asked there and what came back.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::call::{Call, Storage};
use super::super::query;
use super::super::state::State;
use super::super::zone::Zone;
use super::super::{Shop, dates, routes};
use super::{ask, ask_struck, shop};
use crate::sandbox::faults::Kind;
use crate::sandbox::rows::{RowFault, RowFaults};

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sandbox/shop/testdata/dates").join(name)
}

/// Seconds around an instant at which the measured shop had a row: each half hour, a second before and after it.
fn around() -> Vec<i64> {
    let half_hours = (-14..=14).flat_map(|half| [-1, 0, 1].map(|second| half * 1800 + second));
    half_hours.chain([-12, -9, 9, 12].map(|hour| hour * 3600)).collect()
}

/// A shop with an order and a product at each of these instants, saved in this zone.
fn filled(zone: &str, instants: &[(u64, Timestamp)]) -> Shop {
    let (shop, _) = shop();
    {
        let mut state = shop.state();
        state.set_zone(Zone::parse(zone).unwrap());
        for (id, instant) in instants {
            put(&mut state, *id, *instant);
        }
    }
    shop
}

fn put(state: &mut State, id: u64, instant: Timestamp) {
    let mut row = json!({"id": id, "status": "processing"});
    state.stamp(&mut row, "date_created", instant);
    state.stamp(&mut row, "date_modified", instant);
    state.orders.put(id, &row);
    row["status"] = json!("publish");
    state.products.put(id, &row);
}

/// The ids that a list answers, or the status of its refusal.
fn listed(shop: &Shop, resource: &str, parameters: &str) -> Result<Vec<u64>, u16> {
    let now = shop.now();
    let mut call = Call::inside("http://shop.test", now, query::parse(parameters));
    call.query = call.parameters.clone();
    call.unchecked = false;
    "GET".clone_into(&mut call.method);
    let answer = routes::dispatch(&mut shop.state(), &mut call, &["wc", "v3", resource]);
    let rows = answer.map_err(|refusal| refusal.status)?.body;
    Ok(rows.as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect())
}

/// A shop by the name of its case, and the changes that it holds.
type Filled = (String, Shop, Vec<(u64, Timestamp)>);

#[test]
fn filters_answer_as_measured() {
    let text = std::fs::read_to_string(testdata("filters.tsv")).unwrap();
    let cases: Vec<Vec<&str>> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    assert!(cases.len() > 1000, "{} cases", cases.len());
    let mut shops: Vec<Filled> = Vec::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let [zone, storage, resource, instant, filter, value, flag, rows, lost, extra] = case.as_slice() else {
            panic!("{case:?} has not ten columns");
        };
        let meant: Timestamp = instant.parse().unwrap();
        let name = format!("{zone} {storage} {instant}");
        let at = shops.iter().position(|(known, _, _)| *known == name).unwrap_or_else(|| {
            let instants: Vec<(u64, Timestamp)> =
                (1..).zip(around()).map(|(id, off)| (id, meant + SignedDuration::from_secs(off))).collect();
            let (saved, moved) = zone.split_once('>').unwrap_or((zone, zone));
            let shop = filled(saved, &instants);
            shop.state().set_zone(Zone::parse(moved).unwrap());
            shop.state().storage = if *storage == "posts" { Storage::Posts } else { Storage::Tables };
            shops.push((name, shop, instants));
            shops.len() - 1
        });
        let (_, shop, instants) = &shops[at];
        let right = |instant: Timestamp| if *filter == "after" { instant > meant } else { instant < meant };
        let flags: &[&str] =
            if *flag == "true" { &["&dates_are_gmt=true", "&dates_are_gmt=1"] } else { &["", "&dates_are_gmt=false"] };
        for (parameter, flag) in [(format!("modified_{filter}"), flags[0]), ((*filter).to_owned(), flags[1])] {
            let question = format!("per_page=100&_fields=id&{parameter}={}{flag}", query::encode(value));
            let told = match listed(shop, resource, &question) {
                Err(status) => format!("{status} - -"),
                Ok(ids) => {
                    let missing = instants.iter().filter(|(id, at)| right(*at) && !ids.contains(id)).count();
                    let unasked = instants.iter().filter(|(id, at)| !right(*at) && ids.contains(id)).count();
                    format!("{} {missing} {unasked}", ids.len())
                }
            };
            if told != format!("{rows} {lost} {extra}") {
                wrong.push(format!("{case:?} {question}: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn recorded_lists_come_back_as_recorded() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(testdata("samples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 10);
    for file in files {
        let sample: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let zone = sample["shop"]["timezone"].as_str().unwrap();
        let (now, saved) = zone.split_once(" (rows saved while ").unwrap_or((zone, zone));
        let instants: Vec<(u64, Timestamp)> = sample["shop"]["stored"].as_array().unwrap().iter().map(stored).collect();
        let shop = filled(saved.trim_end_matches(')'), &instants);
        shop.state().set_zone(Zone::parse(now).unwrap());
        let path = sample["request"].as_str().unwrap().split_once("/wc/v3").unwrap().1;
        let refused = sample["shop"].get("filter").map(|words| words.as_str().unwrap().rsplit_once(' ').unwrap().1);
        let hidden =
            refused.map(|id| RowFault { kind: Kind::Hide, ids: vec![id.to_owned()], status: None, rows: None });
        let faults = RowFaults::new(hidden.into_iter().collect());
        let (status, headers, rows) = ask_struck(&shop, faults, "GET", path, None).await;
        assert_eq!((json!(status), &rows), (sample["status"].clone(), &sample["rows"]), "{}", file.display());
        for (name, value) in sample["headers"].as_object().unwrap() {
            assert_eq!(headers[name.as_str()], value.as_str().unwrap(), "{name} of {}", file.display());
        }
    }
}

fn stored(row: &Value) -> (u64, Timestamp) {
    let instant = dates::instant(row["date_modified_gmt"].as_str().unwrap(), &TimeZone::UTC, true).unwrap();
    (row["id"].as_u64().unwrap(), instant)
}

#[test]
fn recordings_are_saved_in_the_zone_of_the_shop_that_loads_them() {
    let (shop, _inbox) = shop();
    shop.state().set_zone(Zone::parse("Asia/Kolkata").unwrap());
    shop.load(&testdata("..")).unwrap();
    let state = shop.state();
    let orders = state.orders.rows().map(|(_, row)| row).chain(state.products.rows().map(|(_, row)| row));
    let mut seen = 0;
    for row in orders {
        let (Some(utc), Some(local)) = (row.columns.modified.utc, row.columns.modified.local) else { continue };
        assert_eq!(local - utc, 19_800, "{}", row.text());
        seen += 1;
    }
    assert!(seen > 5, "{seen} rows");
}

/// The rows of the hour that comes twice, one a quarter of an hour.
fn double_hour() -> Shop {
    let start: Timestamp = "2026-10-25T00:00:00Z".parse().unwrap();
    let instants: Vec<(u64, Timestamp)> =
        (1..).zip((0..8).map(|quarter| start + SignedDuration::from_secs(quarter * 900))).collect();
    filled("Europe/Amsterdam", &instants)
}

#[test]
fn in_the_hour_that_comes_twice_products_are_not_in_the_order_of_their_instants() {
    let shop = double_hour();
    let sorted = "per_page=100&_fields=id&orderby=modified&order=asc";
    assert_eq!(listed(&shop, "orders", sorted).unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(listed(&shop, "products", sorted).unwrap(), [1, 5, 2, 6, 3, 7, 4, 8]);
}

#[test]
fn an_order_without_a_time_of_change_is_in_no_list_that_asks_for_it() {
    let shop = double_hour();
    let none = json!({"id": 9, "status": "processing", "date_created_gmt": "2026-10-25T00:00:00", "date_modified": null, "date_modified_gmt": null});
    shop.state().orders.put(9, &none);
    assert_eq!(listed(&shop, "orders", "include=9").unwrap(), [9]);
    for filter in ["modified_after=2000-01-01T00:00:00Z", "modified_before=2030-01-01T00:00:00Z"] {
        assert_eq!(listed(&shop, "orders", &format!("include=9&{filter}")).unwrap(), [] as [u64; 0]);
    }
}

#[tokio::test]
async fn past_the_end_orders_of_their_own_tables_count_nothing() {
    let shop = double_hour();
    let totals = async |path: &str| {
        let (status, headers, rows) = ask(&shop, "GET", path, None).await;
        assert_eq!((status, rows), (200, json!([])), "{path}");
        ["x-wp-total", "x-wp-totalpages"].map(|name| headers[name].to_str().unwrap().to_owned())
    };
    assert_eq!(totals("/orders?page=2").await, ["0", "0"]);
    assert_eq!(totals("/products?page=2").await, ["8", "1"]);
    shop.state().storage = Storage::Posts;
    assert_eq!(totals("/orders?page=2").await, ["8", "1"]);
    assert_eq!(totals("/orders?offset=100").await, ["0", "0"]);
}

#[tokio::test]
async fn the_first_page_tells_the_zone_without_a_key() {
    let shop = filled("Asia/Kolkata", &[]);
    let page = async || {
        let request = axum::http::Request::builder().uri("/wp-json/?_fields=timezone_string,gmt_offset");
        let (response, _) = shop.answer(&request.body(()).unwrap().into_parts().0, b"");
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    };
    assert_eq!(page().await, json!({"gmt_offset": 5.5, "timezone_string": "Asia/Kolkata"}));
    shop.state().set_zone(Zone::parse("UTC+5.5").unwrap());
    assert_eq!(page().await, json!({"gmt_offset": "5.5", "timezone_string": ""}));
}
