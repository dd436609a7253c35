//! What a shop's answer means. Its status alone does not tell: a refund that is refused is a 500, and so is a crash.

use crate::connector::CallError;
use crate::connector::http::{Effect, Heard, Http, later, shortened};
use jiff::Timestamp;
use serde::Deserialize;

/// An error of the shop's API. `data` is an object, a number or nothing.
#[derive(Deserialize)]
struct Told {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: serde_json::Value,
}

/// The answer, if it is one; else what may be done next.
pub(super) fn check(http: &Http, heard: Heard, effect: Effect, call: &str, now: Timestamp) -> Result<Heard, CallError> {
    if let Some(redirect) = http.redirected(&heard, call.to_owned()) {
        return Err(redirect);
    }
    if heard.ok() {
        // Maintenance pages and notices of plugins come with 200.
        let start = heard.body.trim_start().trim_start_matches('\u{feff}');
        if !heard.says_json() || !start.starts_with(['{', '[']) {
            return Err(http.garbled(heard.kind(), effect));
        }
        return Ok(heard);
    }
    let told: Option<Told> = serde_json::from_str(&heard.body).ok();
    Err(match told {
        Some(told) => refusal(http, &heard, &told, effect, call, now),
        None => without_words(http, &heard, effect, now),
    })
}

/// An error in the API's own words.
fn refusal(http: &Http, heard: &Heard, told: &Told, effect: Effect, call: &str, now: Timestamp) -> CallError {
    let system = http.system.to_string();
    match heard.status {
        401 => CallError::Login { system, reason: login_reason(told) },
        403 if told.code.starts_with("woocommerce_rest_cannot") || told.code.starts_with("rest_forbidden") => {
            CallError::Login {
                system,
                reason: format!("{}; give the key's user the role of a shop manager", reason(told)),
            }
        }
        429 => CallError::Later {
            system,
            until: heard.retry_after(now).unwrap_or_else(|| later(now, 60)),
            reason: "it gets too many calls".to_owned(),
        },
        408 | 502..=504 => http.outage(heard, effect, now),
        // A crash of PHP, told in the API's form: what was written before it is unknown.
        500 if told.code == "internal_server_error" => match effect {
            Effect::Read => CallError::Later { system, until: now, reason: reason(told) },
            Effect::Write => CallError::Unknown { system, reason: reason(told) },
        },
        status => CallError::Refused { system, reason: reason(told), status, call: route_of(call) },
    }
}

/// An error from before the API: a firewall, a cache, the web server.
fn without_words(http: &Http, heard: &Heard, effect: Effect, now: Timestamp) -> CallError {
    let system = http.system.to_string();
    match heard.status {
        401 | 403 | 406 => CallError::Login {
            system,
            reason: format!(
                "it answered {}; a firewall or a security plugin stands before its API: let this machine's address through there",
                heard.kind()
            ),
        },
        404 => CallError::Login {
            system,
            reason: format!(
                "it answered {}; there is no WooCommerce API at this address: check `url`, and that permalinks are not set to \u{201c}plain\u{201d}",
                heard.kind()
            ),
        },
        429 => CallError::Later {
            system,
            until: heard.retry_after(now).unwrap_or_else(|| later(now, 60)),
            reason: "it gets too many calls".to_owned(),
        },
        // What the status says cannot be helped by asking again, and nothing of ours has read it.
        400 | 405 | 411 | 413 | 414 | 415 | 431 => CallError::Refused {
            system,
            reason: format!("it answered {}", heard.kind()),
            status: heard.status,
            call: String::new(),
        },
        _ => http.outage(heard, effect, now),
    }
}

fn login_reason(told: &Told) -> String {
    let what = match told.code.as_str() {
        // An unknown key, no key and a dropped header look the same.
        "woocommerce_rest_cannot_view" | "woocommerce_rest_cannot_create" | "woocommerce_rest_cannot_edit" => {
            "the key is not known there, or the web server drops the Authorization header"
        }
        _ => "make a new key under WooCommerce, settings, advanced, REST API, with read and write rights",
    };
    format!("{}; {what}", reason(told))
}

/// Message, details and code.
fn reason(told: &Told) -> String {
    let mut said = vec![plain(&told.message)];
    if let Some(params) = told.data.get("params").and_then(|params| params.as_object()) {
        said.extend(params.iter().map(|(name, what)| format!("{name}: {}", plain(what.as_str().unwrap_or_default()))));
    }
    for (name, what) in [("resource_id", "the record that has it"), ("unique_sku", "a SKU that is free")] {
        if let Some(value) = told.data.get(name) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            said.push(format!("{what}: {value}"));
        }
    }
    let text = said.join("; ");
    format!("{} ({})", shortened(&text), told.code)
}

/// Without tags and entities, which stand in some messages.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            letter if !inside => out.push(letter),
            _ => {}
        }
    }
    out.replace("&quot;", "\"").replace("&#039;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// `PUT orders/12` is one kind of call with `PUT orders/13`.
fn route_of(call: &str) -> String {
    let parts: Vec<&str> =
        call.split('/').map(|part| if part.bytes().all(|b| b.is_ascii_digit()) { "{id}" } else { part }).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_with_its_details() {
        let told: Told = serde_json::from_str(
            r#"{"code":"rest_invalid_param","message":"Invalid parameter(s): <b>status</b>","data":{"status":400,"params":{"status":"status is not one of a &amp; b"}}}"#,
        )
        .unwrap();
        assert_eq!(
            reason(&told),
            "Invalid parameter(s): status; status: status is not one of a & b (rest_invalid_param)"
        );
        let number: Told = serde_json::from_str(r#"{"code":"c","message":"m","data":404}"#).unwrap();
        assert_eq!(reason(&number), "m (c)");
    }

    #[test]
    fn calls_to_different_records_are_of_one_kind() {
        assert_eq!(route_of("PUT orders/12/notes/7"), "PUT orders/{id}/notes/{id}");
    }
}
