//! What a ledger's answer means: a 500 with words is a refusal, one without is an outage.

use crate::connector::CallError;
use crate::connector::budget::{Budget, Said};
use crate::connector::http::{Effect, Heard, Http, shortened};
use crate::store::Window;
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
struct Envelope {
    error: Told,
}

#[derive(Deserialize)]
struct Told {
    message: Message,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Message {
    Value { value: String },
    Text(String),
}

/// What the headers say of the limits. Reset times are milliseconds since 1970.
pub(super) fn limits(heard: &Heard) -> Said {
    let window = |limit: &str, left: &str, resets: &str| {
        // The sandbox's "no limit" is larger than our numbers, and so is no limit.
        let number = |name: &str| {
            let number: u64 = heard.text(name)?.trim().parse().ok()?;
            Some(u32::try_from(number).unwrap_or(u32::MAX))
        };
        let resets = heard.text(resets)?.trim().parse().ok()?;
        Some(Window { limit: number(limit)?, left: number(left)?, resets: Timestamp::from_millisecond(resets).ok()? })
    };
    Said {
        minute: window("X-RateLimit-Minutely-Limit", "X-RateLimit-Minutely-Remaining", "X-RateLimit-Minutely-Reset"),
        day: window("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    }
}

/// The answer, if it is one; else what may be done next. A 401 is the caller's: it can renew the login.
pub(super) fn check(
    http: &Http,
    budget: &Budget,
    heard: Heard,
    effect: Effect,
    call: (&str, &str),
    now: Timestamp,
) -> Result<Heard, CallError> {
    let (verb, route) = call;
    let system = http.system.to_string();
    if let Some(redirect) = http.redirected(&heard, format!("{verb} {route}")) {
        return Err(redirect);
    }
    if heard.ok() {
        // The maintenance page has status 200.
        let start = heard.body.trim_start().trim_start_matches('\u{feff}');
        let empty = start.is_empty() && effect == Effect::Write;
        if !empty && (!heard.says_json() || !start.starts_with('{')) {
            return Err(http.garbled(heard.kind(), effect));
        }
        return Ok(heard);
    }
    let words = words(&heard.body);
    let status = heard.status;
    Err(match (status, words) {
        (429, _) => {
            let (until, reason) = match heard.retry_after(now) {
                Some(at) => (at, "it gets too many calls".to_owned()),
                None => budget.reopens(route, &limits(&heard)),
            };
            CallError::Later { system, until, reason }
        }
        (403, words) => CallError::Login {
            system,
            reason: format!(
                "it allows no {verb} of {route} ({}); look whether the user may, whether the app is granted this division, and whether the licence has the module",
                words.unwrap_or_else(|| heard.kind())
            ),
        },
        (408 | 502..=504, _) => http.outage(&heard, effect, now),
        (400..=501, Some(reason)) => CallError::Refused { system, reason, status, call: format!("{verb} {route}") },
        (400 | 404 | 405 | 409..=415 | 501, None) => CallError::Refused {
            system,
            reason: format!("it answered {}", heard.kind()),
            status,
            call: format!("{verb} {route}"),
        },
        (_, _) => http.outage(&heard, effect, now),
    })
}

/// The words of an error, if there are some. Several are on lines of their own.
fn words(body: &str) -> Option<String> {
    let envelope: Envelope = serde_json::from_str(body).ok()?;
    let text = match envelope.error.message {
        Message::Value { value } => value,
        Message::Text(text) => text,
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| shortened(&lines.join("; ")))
}

/// A login that was refused and has been renewed: nothing happened, and it may be tried at once.
pub(super) fn renewed(http: &Http, now: Timestamp) -> CallError {
    CallError::Later {
        system: http.system.to_string(),
        until: now,
        reason: "the login had ended and has been renewed".to_owned(),
    }
}

/// A login that is refused even when it is new.
pub(super) fn not_accepted(http: &Http, heard: &Heard) -> CallError {
    let system = http.system.to_string();
    let said = heard.text("Reason").map(str::to_owned).or_else(|| words(&heard.body));
    let said = said.map(|text| format!(" ({})", shortened(&text))).unwrap_or_default();
    CallError::Login { reason: format!("it refuses a token that is new{said}; run `flowc login {system}`"), system }
}

/// A page that leads elsewhere.
pub(super) fn elsewhere(http: &Http, host: &str) -> CallError {
    CallError::Garbled {
        system: http.system.to_string(),
        what: format!("a next page on another host ({host}), to which the login is not sent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_refusals_are_one_sentence() {
        let body = r#"{"error":{"code":"","message":{"lang":"","value":"Verplicht: Factuur voor\r\nVerplicht: Besteld door"}}}"#;
        assert_eq!(words(body).as_deref(), Some("Verplicht: Factuur voor; Verplicht: Besteld door"));
        assert_eq!(words(r#"{"error":{"message":{"value":""}}}"#), None);
        assert_eq!(words("<html>"), None);
        assert_eq!(words(r#"{"error":{"code":"x","message":"plain"}}"#).as_deref(), Some("plain"));
    }
}
