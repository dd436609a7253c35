//! What a shop's answer means. Its status alone does not tell: a refund that is refused is a 500, and so is a crash.

use super::door::Way;
use crate::connector::CallError;
use crate::connector::http::{Effect, Http, Response, shortened};
use crate::connector::proof::{Amiss, Doubt};
use jiff::Timestamp;
use serde::Deserialize;

/// Characters of a notice that a message repeats.
const NOTICE_CHARS_MAX: usize = 240;
/// Places of an answer at which JSON is looked for behind a notice.
const STARTS_MAX: usize = 20;

/// A call without a usable answer, and what may lie behind that.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: CallError,
    pub(super) kind: Kind,
    /// What it means if the login is lost, or everything is refused: where it is doubtful.
    pub(super) lost: Option<String>,
}

/// What may lie behind a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What its error says.
    Plain,
    /// What was to be shown: one record that cannot be, or too many at once. Or an outage.
    Page,
    /// More rows were asked for than the shop gives; as many as it says.
    Cap(Option<u32>),
    /// The API does not know the address.
    NoRoute,
    /// Of this call, or of all: see [`crate::connector::proof`].
    Doubtful,
}

impl Failed {
    pub(super) fn plain(error: CallError) -> Self {
        Self { error, kind: Kind::Plain, lost: None }
    }

    pub(super) fn page(error: CallError) -> Self {
        Self { error, kind: Kind::Page, lost: None }
    }

    /// A refusal that is of this call, unless everything is refused: then it means what is `lost`.
    pub(super) fn doubtful(error: CallError, lost: String) -> Self {
        Self { error, kind: Kind::Doubtful, lost: Some(lost) }
    }

    /// The same for whoever judges it.
    pub(super) fn amiss(self) -> Amiss {
        match self.lost {
            Some(lost) => Amiss::Doubtful(Doubt { refused: self.error, lost }),
            None => Amiss::Plain(self.error),
        }
    }
}

impl From<Failed> for CallError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

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
pub(super) fn check(
    http: &Http,
    response: Response,
    effect: Effect,
    call: &str,
    now: Timestamp,
) -> Result<Response, Failed> {
    if response.ok() {
        // Maintenance pages and notices of plugins come with 200.
        let start = response.body.trim_start().trim_start_matches('\u{feff}');
        if !response.says_json() || !start.starts_with(['{', '[']) {
            return Err(Failed::page(http.garbled(odd(&response), effect)));
        }
        return Ok(response);
    }
    let told: Option<Told> = serde_json::from_str(&response.body).ok();
    Err(match told {
        Some(told) => refusal(http, &response, &told, effect, call, now),
        None => without_words(http, &response, effect, call, now),
    })
}

fn kind(status: u16, told: &Told) -> Kind {
    match (status, told.code.as_str()) {
        (404, "rest_no_route") => Kind::NoRoute,
        (500, "internal_server_error") | (502..=504, _) => Kind::Page,
        (400, "rest_invalid_param") => match told.data.pointer("/params/per_page").and_then(|text| text.as_str()) {
            // "per_page must be between 1 (inclusive) and 50 (inclusive)", in the shop's language.
            Some(words) => Kind::Cap(numbers(words).max().filter(|most| *most > 0)),
            None => Kind::Plain,
        },
        _ => Kind::Plain,
    }
}

fn numbers(words: &str) -> impl Iterator<Item = u32> {
    words.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok())
}

/// Whether the API says that it sees no key that it knows, so that another way in may be tried: what it says this to, it
/// has not carried out.
pub(super) fn unseen(response: &Response, way: Way) -> bool {
    if response.status != 401 {
        return false;
    }
    let Ok(told) = serde_json::from_str::<Told>(&response.body) else { return false };
    match way {
        Way::Header => told.code.starts_with("woocommerce_rest_cannot_"),
        Way::Signed | Way::SignedAsPlain => true,
    }
}

/// Whether it is the API that answers, with or without what was asked for.
pub(super) fn is_api(response: &Response) -> bool {
    response.status < 500 && response.body.trim_start().starts_with(['{', '['])
}

/// Whether an answer says what is wrong with the key, rather than that none was seen.
pub(super) fn says_why(response: &Response) -> bool {
    response.body.contains("woocommerce_rest_authentication_error")
}

/// What came with 200 and is not the API's JSON.
fn odd(response: &Response) -> String {
    let text = response.body.trim();
    let starts = text.match_indices(['{', '[']).map(|(at, _)| at).filter(|at| *at > 0).take(STARTS_MAX);
    let json = starts.into_iter().find(|at| serde_json::from_str::<serde::de::IgnoredAny>(&text[*at..]).is_ok());
    match json {
        Some(at) => format!(
            "with text before its JSON: {}; PHP shows its errors there: switch that off (`WP_DEBUG_DISPLAY`), and see to \
             what it says",
            quoted(&text[..at])
        ),
        None if text.starts_with('<') || text.is_empty() => {
            let what = response.kind();
            let page = plain(text);
            if what.contains('\u{201c}') || page.trim().is_empty() { what } else { format!("{what}: {}", quoted(text)) }
        }
        None => format!("{}: {}", response.kind(), quoted(text)),
    }
}

/// The text of a notice or page, without its tags and not too long.
fn quoted(text: &str) -> String {
    let text = shortened(&plain(text));
    let short: String = text.chars().take(NOTICE_CHARS_MAX).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\u{201c}{short}{more}\u{201d}")
}

/// An error in the API's own words.
fn refusal(http: &Http, response: &Response, told: &Told, effect: Effect, call: &str, now: Timestamp) -> Failed {
    let system = http.system.to_string();
    let status = response.status;
    let refused = |reason| CallError::Refused { system: system.clone(), reason, status, call: route_of(call) };
    let said = reason(told);
    let error = match status {
        // It says so to those only whom it knows; who is not known gets a 401.
        403 if told.code.starts_with("woocommerce_rest_cannot_") => {
            refused(format!("{said}; give the key's user the role of a shop manager"))
        }
        401 | 403 => {
            let alone = "the key is good for other calls: give it read and write rights, and its user the role of a shop manager";
            return Failed::doubtful(refused(format!("{said}; {alone}")), login_reason(told));
        }
        408 | 502..=504 => http.outage(response, effect, now),
        // A crash of PHP, told in the API's form: what was written before it is unknown.
        500 if told.code == "internal_server_error" => match effect {
            Effect::Read => CallError::Later { system: system.clone(), until: now, reason: said },
            Effect::Write => CallError::Unknown { system: system.clone(), reason: said },
        },
        404 if told.code == "rest_no_route" => {
            refused(format!("its version has nothing at {} ({})", route_of(call), told.code))
        }
        // Only of a key does the API say that it is not valid: then the record is not there.
        404 if !told.code.contains("invalid") => return Failed::doubtful(refused(said.clone()), said),
        406 => return Failed::doubtful(refused(said.clone()), said),
        _ => refused(said),
    };
    Failed { error, kind: kind(status, told), lost: None }
}

/// The refusal of one row of a batch, in the API's own words.
pub(super) fn row_refused(http: &Http, error: &serde_json::Value, call: &str) -> CallError {
    let system = http.system.to_string();
    let Ok(told) = Told::deserialize(error) else {
        return http.garbled("an error without words for a row of a batch".to_owned(), Effect::Write);
    };
    let status =
        told.data.get("status").and_then(serde_json::Value::as_u64).and_then(|status| u16::try_from(status).ok());
    CallError::Refused { system, reason: reason(&told), status: status.unwrap_or(400), call: call.to_owned() }
}

/// An error from before the API: a firewall, a cache, the web server.
fn without_words(http: &Http, response: &Response, effect: Effect, call: &str, now: Timestamp) -> Failed {
    let system = http.system.to_string();
    let status = response.status;
    let said = format!("it answered {}", response.kind());
    let refused = |reason| CallError::Refused { system, reason, status, call: route_of(call) };
    match status {
        // What the status says cannot be helped by asking again, and nothing of ours has read it.
        405 | 411 | 413 | 414 | 415 | 431 => Failed::plain(refused(said)),
        400..=407 | 409..=451 => {
            let firewall = "a firewall or a security plugin stands before its API";
            let lost = match status {
                404 => format!(
                    "{said}; there is no WooCommerce API at this address: check `url`, and that permalinks are not set to \u{201c}plain\u{201d}"
                ),
                _ => format!("{said}; {firewall}: let this machine's address through there"),
            };
            let alone =
                format!("{said}, to this call alone; {firewall}: look there for what it holds against this record");
            Failed::doubtful(refused(alone), lost)
        }
        _ => {
            let kind = if status >= 500 && response.text("Retry-After").is_none() { Kind::Page } else { Kind::Plain };
            Failed { error: http.outage(response, effect, now), kind, lost: None }
        }
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

    fn response(body: &str) -> Response {
        Response { status: 200, headers: reqwest::header::HeaderMap::new(), body: body.to_owned() }
    }

    #[test]
    fn what_stands_before_json_is_quoted() {
        let notice =
            odd(&response("<br />\n<b>Warning</b>: Undefined array key in x.php on line 3<br />\n[{\"id\":1}]"));
        assert!(notice.contains("\u{201c}Warning: Undefined array key in x.php on line 3\u{201d}"), "{notice}");
        assert!(notice.contains("WP_DEBUG_DISPLAY"), "{notice}");
        let page = odd(&response("<html><head><title>Onderhoud</title></head><body>x</body></html>"));
        assert_eq!(page, "a web page (\u{201c}Onderhoud\u{201d}), with status 200");
        let bare = odd(&response("<p>Back soon</p>"));
        assert_eq!(bare, "a web page, with status 200: \u{201c}Back soon\u{201d}");
        let long = odd(&response(&format!("Notice: {}", "x".repeat(2_000))));
        assert!(long.chars().count() < 400 && long.ends_with("…\u{201d}"), "{long}");
    }

    #[test]
    fn a_cap_is_read_from_the_words_of_its_refusal() {
        let told = |words: &str| -> Told {
            serde_json::from_value(serde_json::json!({
                "code": "rest_invalid_param", "message": "m", "data": {"status": 400, "params": {"per_page": words}}
            }))
            .unwrap()
        };
        assert_eq!(kind(400, &told("per_page must be between 1 (inclusive) and 50 (inclusive)")), Kind::Cap(Some(50)));
        assert_eq!(kind(400, &told("per_page moet tussen 1 (inclusief) en 20 (inclusief) zijn")), Kind::Cap(Some(20)));
        assert_eq!(kind(400, &told("too many")), Kind::Cap(None));
        let other: Told = serde_json::from_str(r#"{"code":"rest_invalid_param","message":"m","data":{}}"#).unwrap();
        assert_eq!(kind(400, &other), Kind::Plain);
    }

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
