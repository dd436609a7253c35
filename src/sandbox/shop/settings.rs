//! What a shop says about itself: settings, gateways, shipping zones, statuses, system status.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, Storage};
use super::list;
use super::state::{State, master};
use super::table::{id, text};

const READ_WRITE: [&str; 4] = ["GET", "POST", "PUT", "PATCH"];
const READ_ONLY: [&str; 1] = ["GET"];

/// A plain list that is not paged, with its totals in the headers where the real one has them.
fn whole(rows: Vec<Value>, call: &Call, totals: bool) -> Answer {
    let count = rows.len();
    let rows = rows.into_iter().map(|row| list::project_one(row, &call.query));
    let mut answer = Answer::ok(Value::Array(rows.collect()));
    if totals {
        answer.headers.push(("x-wp-total", count.to_string()));
        answer.headers.push(("x-wp-totalpages", "1".to_owned()));
    }
    answer
}

fn linked(mut row: Value, call: &Call, route: &str, allow: &[&str]) -> Value {
    row["_links"] = call.links(route, &row["id"], allow);
    row
}

/// `GET /settings`: the groups.
pub(crate) fn groups(call: &Call) -> Answer {
    let rows = master()["settings"].as_array().cloned().unwrap_or_default();
    let link = |mut row: Value| {
        let address = call.address(&format!("settings/{}", text(&row, "id")));
        row["_links"] = json!({"options": [{"href": address}]});
        row
    };
    whole(rows.into_iter().map(link).collect(), call, false)
}

/// `GET /settings/{group}`.
pub(crate) fn group(state: &State, call: &Call, group: &str) -> Outcome {
    let rows = state.settings.get(group).ok_or_else(unknown_group)?;
    let route = format!("settings/{group}");
    Ok(whole(rows.iter().map(|row| linked(row.clone(), call, &route, &READ_WRITE)).collect(), call, false))
}

fn unknown_group() -> Refusal {
    Refusal::new(404, "rest_setting_setting_group_invalid", "Invalid setting group.")
}

/// `GET /settings/{group}/{id}`.
pub(crate) fn setting(state: &State, call: &Call, group: &str, name: &str) -> Outcome {
    let rows = state.settings.get(group).ok_or_else(unknown_group)?;
    let row = rows.iter().find(|row| text(row, "id") == name).ok_or_else(unknown_setting)?;
    Ok(Answer::ok(list::project_one(of_group(row.clone(), call, group), &call.query)))
}

/// A setting by itself, which names its group.
fn of_group(mut row: Value, call: &Call, group: &str) -> Value {
    row["group_id"] = json!(group);
    linked(row, call, &format!("settings/{group}"), &READ_WRITE)
}

fn unknown_setting() -> Refusal {
    Refusal::new(404, "rest_setting_setting_invalid", "Invalid setting.")
}

/// `PUT /settings/{group}/{id}`.
pub(crate) fn set(state: &mut State, call: &Call, group: &str, name: &str) -> Outcome {
    let rows = state.settings.get_mut(group).ok_or_else(unknown_group)?;
    let row = rows.iter_mut().find(|row| text(row, "id") == name).ok_or_else(unknown_setting)?;
    if let Some(value) = call.parameters.get("value") {
        let options = row.get("options").and_then(Value::as_object);
        let word = value.as_str().unwrap_or("");
        let switch = text(row, "type") == "checkbox" && !["yes", "no"].contains(&word);
        if switch || options.is_some_and(|options| !options.contains_key(word)) {
            return Err(Refusal::new(400, "rest_setting_value_invalid", "An invalid setting value was passed."));
        }
        row["value"] = value.clone();
    }
    let shown = of_group(row.clone(), call, group);
    Ok(Answer::ok(shown))
}

/// `GET /payment_gateways`: the installed ones; orders may name others.
pub(crate) fn gateways(state: &State, call: &Call) -> Answer {
    let rows = state.gateways.iter().map(|row| linked(row.clone(), call, "payment_gateways", &READ_WRITE));
    whole(rows.collect(), call, false)
}

/// `GET /payment_gateways/{id}`.
pub(crate) fn gateway(state: &State, call: &Call, name: &str) -> Outcome {
    let row = state.gateways.iter().find(|row| text(row, "id") == name);
    let row =
        row.ok_or_else(|| Refusal::new(404, "woocommerce_rest_payment_gateway_invalid", "Resource does not exist."))?;
    Ok(Answer::ok(list::project_one(linked(row.clone(), call, "payment_gateways", &READ_WRITE), &call.query)))
}

/// `GET /shipping/zones`.
pub(crate) fn zones(state: &State, call: &Call) -> Answer {
    whole(state.zones.iter().map(|zone| show_zone(zone, call)).collect(), call, true)
}

fn show_zone(zone: &Value, call: &Call) -> Value {
    let mut zone = linked(zone.clone(), call, "shipping/zones", &super::call::ALL_METHODS);
    let locations = call.address(&format!("shipping/zones/{}/locations", zone["id"]));
    zone["_links"]["describedby"] = json!([{"href": locations}]);
    zone
}

fn known_zone(state: &State, zone: u64) -> Result<&Value, Refusal> {
    let found = state.zones.iter().find(|row| id(row, "id") == zone);
    found.ok_or_else(|| Refusal::new(404, "woocommerce_rest_shipping_zone_invalid", "Resource does not exist."))
}

/// `GET /shipping/zones/{id}`.
pub(crate) fn zone(state: &State, call: &Call, zone: u64) -> Outcome {
    Ok(Answer::ok(show_zone(known_zone(state, zone)?, call)))
}

/// `GET /shipping/zones/{id}/methods`.
pub(crate) fn zone_methods(state: &State, call: &Call, zone: u64) -> Outcome {
    known_zone(state, zone)?;
    let route = format!("shipping/zones/{zone}/methods");
    let rows = state.zone_methods.get(&zone).cloned().unwrap_or_default();
    Ok(whole(rows.into_iter().map(|row| linked(row, call, &route, &super::call::ALL_METHODS)).collect(), call, false))
}

/// `GET /shipping/zones/{id}/locations`.
pub(crate) fn zone_locations(state: &State, call: &Call, zone: u64) -> Outcome {
    known_zone(state, zone)?;
    let rows = master()["zone_locations"][zone.to_string()].as_array().cloned().unwrap_or_default();
    Ok(whole(rows, call, false))
}

/// `GET /shipping_methods`.
pub(crate) fn shipping_methods(call: &Call) -> Answer {
    let rows = master()["shipping_methods"].as_array().cloned().unwrap_or_default();
    whole(rows.into_iter().map(|row| linked(row, call, "shipping_methods", &READ_ONLY)).collect(), call, false)
}

/// `GET /orders/statuses`.
pub(crate) fn statuses(call: &Call) -> Answer {
    whole(master()["orders/statuses"].as_array().cloned().unwrap_or_default(), call, false)
}

/// `GET /data/currencies/current`.
pub(crate) fn currency(state: &State) -> Answer {
    let code = state.setting("general", "woocommerce_currency").to_owned();
    let mut row = master()["data/currencies/current"].clone();
    row["code"] = json!(code);
    row["symbol"] = json!(super::orders::symbol(&code));
    Answer::ok(row)
}

/// `GET /system_status`: which storage of orders, which versions.
pub(crate) fn system_status(state: &State, call: &Call) -> Answer {
    let mut status = master()["system_status"].clone();
    status["environment"]["home_url"] = json!(call.base);
    status["environment"]["site_url"] = json!(call.base);
    if state.storage == Storage::Posts {
        status["settings"]["HPOS_enabled"] = json!(false);
        status["settings"]["order_datastore"] = json!("WC_Order_Data_Store_CPT");
    }
    status["settings"]["number_of_decimals"] = json!(state.price_decimals());
    status["settings"]["currency"] = json!(state.setting("general", "woocommerce_currency"));
    let shown = list::project_one(status, &call.query);
    Answer::ok(shown)
}
