//! What a ledger's answer means: a 500 with words is a refusal, one without is an outage.

use crate::connector::CallError;
use crate::connector::http::{Effect, Http, Response, shortened};
use crate::connector::proof::{Amiss, Doubt};
use crate::connector::window::Said;
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

/// What the headers say of the limits. Reset times are milliseconds since 1970. A window that makes no sense is left out.
pub(super) fn limits(response: &Response) -> Said {
    let window = |limit: &str, left: &str, resets: &str| {
        // The sandbox's "no limit" is larger than our numbers, and so is no limit; less than nothing left is nothing.
        let number = |name: &str| {
            let number: i128 = response.text(name)?.trim().parse().ok()?;
            Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
        };
        let resets = response.text(resets)?.trim().parse().ok()?;
        Some(Window { limit: number(limit)?, left: number(left)?, resets: Timestamp::from_millisecond(resets).ok()? })
    };
    Said {
        minute: window("X-RateLimit-Minutely-Limit", "X-RateLimit-Minutely-Remaining", "X-RateLimit-Minutely-Reset"),
        day: window("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
        mentioned: response.headers.keys().any(|name| name.as_str().starts_with("x-ratelimit")),
    }
}

/// The answer, if it is one; else what may be done next.
pub(super) fn check(
    http: &Http,
    response: Response,
    effect: Effect,
    call: (&str, &str),
    now: Timestamp,
) -> Result<Response, Amiss> {
    let (verb, route) = call;
    let system = http.system.to_string();
    if let Some(redirect) = http.redirected(&response, effect, &format!("{verb} {route}")) {
        return Err(redirect);
    }
    if response.ok() {
        // The maintenance page has status 200.
        let start = response.body.trim_start().trim_start_matches('\u{feff}');
        let empty = start.is_empty() && effect == Effect::Write;
        if !empty && (!response.says_json() || !start.starts_with('{')) {
            return Err(http.garbled(response.kind(), effect).into());
        }
        return Ok(response);
    }
    let words = words(&response.body);
    let status = response.status;
    Err(match (status, words) {
        (401 | 403 | 406, words) => doubtful(http, &response, words, call),
        (408 | 502..=504, _) => http.outage(&response, effect, now).into(),
        (400..=501, Some(reason)) => {
            CallError::Refused { system, reason, status, call: format!("{verb} {route}") }.into()
        }
        // What is said of the call itself; no firewall answers like this.
        (405 | 409..=415 | 431 | 501, None) => {
            let reason = format!("it answered {}", response.kind());
            CallError::Refused { system, reason, status, call: format!("{verb} {route}") }.into()
        }
        (400..=451, None) => doubtful(http, &response, None, call),
        (_, _) => http.outage(&response, effect, now).into(),
    })
}

/// A refusal that a lost login, or a firewall that blocks us, would bring as well.
fn doubtful(http: &Http, response: &Response, words: Option<String>, (verb, route): (&str, &str)) -> Amiss {
    let system = http.system.to_string();
    let api = words.is_some();
    let header = response.text("Reason").map(shortened);
    let said = words.or(header).map_or_else(|| format!("it answered {}", response.kind()), |words| shortened(&words));
    let said = said.trim_end_matches('.');
    let status = response.status;
    let refused = match status {
        401 | 403 => format!(
            "{said}: it allows no {verb} of {route}, though the login is good; look whether the user may, whether the app is granted this division, and whether the licence has the module"
        ),
        _ => {
            format!("{said}, to this {verb} of {route} alone; look at what stands before its API, and at what was sent")
        }
    };
    let lost = match status {
        401 => format!("{said}; run `flowc login {system}`"),
        _ if api => format!("{said}; look whether the user may still sign in, and run `flowc login {system}`"),
        _ => format!("{said}; a firewall or proxy stands before its API: let this machine's address through there"),
    };
    let refused = CallError::Refused { system, reason: refused, status, call: format!("{verb} {route}") };
    Amiss::Doubtful(Doubt { refused, lost })
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
pub(super) fn not_accepted(http: &Http, said: &str) -> CallError {
    let system = http.system.to_string();
    CallError::Login { reason: format!("it refuses a token that is new ({said}); run `flowc login {system}`"), system }
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
