//! E-mail addresses in what the log holds of a record: by their hashes a person can be forgotten.
//!
//! What is missed here stays in the log when somebody asks to be forgotten. What is found in vain costs an entry of the
//! log, so in doubt an address is one.

use serde_json::Value;
use std::collections::BTreeSet;

/// Longest name before the `@`, in characters (RFC 5321).
const NAME_MAX: usize = 64;

/// The addresses in these texts, in small letters. A text that is JSON is read as such: shops escape letters.
pub(crate) fn addresses<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts {
        match serde_json::from_str(text) {
            Ok(value) => in_value(&value, &mut found),
            Err(_) => in_text(text, &mut found),
        }
    }
    found
}

fn in_value(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => in_text(text, found),
        Value::Array(list) => list.iter().for_each(|value| in_value(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                in_text(name, found);
                in_value(value, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_text(text: &str, found: &mut BTreeSet<String>) {
    for (at, _) in text.match_indices('@') {
        let host: String =
            text[at + 1..].chars().take_while(|c| c.is_alphanumeric() || matches!(c, '.' | '-')).collect();
        let host = host.trim_end_matches(['.', '-']);
        if !host.contains('.') || host.starts_with('.') {
            continue;
        }
        let host = host.to_lowercase();
        let mut name = String::new();
        // Quotes, braces and signs may belong to a name or stand around it: the longest name is one, and each that begins
        // behind such a sign.
        for c in text[..at].chars().rev().take(NAME_MAX) {
            let plain = is_plain(c);
            if !plain && !is_unusual(c) {
                break;
            }
            if !plain && !name.is_empty() {
                add(&name, &host, found);
            }
            name.push(c);
        }
        add(&name, &host, found);
    }
}

/// What names are made of nearly always.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%')
}

/// What a name may hold besides, without quotes (RFC 5322).
fn is_unusual(c: char) -> bool {
    matches!(c, '!' | '#' | '$' | '&' | '\'' | '*' | '/' | '=' | '?' | '^' | '`' | '{' | '|' | '}' | '~')
}

/// An address, if its name, from the back, is one.
fn add(backwards: &str, host: &str, found: &mut BTreeSet<String>) {
    let name: String = backwards.chars().rev().collect();
    let name = name.trim_start_matches('.').to_lowercase();
    if !name.is_empty() {
        found.insert(format!("{name}@{host}"));
    }
}

#[cfg(test)]
mod tests {
    use super::addresses;

    fn found(text: &str) -> Vec<String> {
        addresses([text]).into_iter().collect()
    }

    #[test]
    fn finds_addresses_between_quotes_and_words() {
        let text = r#"{"email": "Ann@Example.org", "note": "ask bob@x.example, not @home", "tim@x.example": 1}"#;
        assert_eq!(found(text), ["ann@example.org", "bob@x.example", "tim@x.example"]);
        assert_eq!(found("no JSON, of bob@x.example."), ["bob@x.example"]);
    }

    #[test]
    fn finds_names_with_signs_in_them_and_around_them() {
        assert!(found(r#"{"email": "O'Brien@x.ie"}"#).contains(&"o'brien@x.ie".to_owned()));
        assert!(found("'bob@x.example'").contains(&"bob@x.example".to_owned()));
        assert!(found("?email=bob@x.example&a").contains(&"bob@x.example".to_owned()));
        assert_eq!(found(r#""jos\u00e9@x.example""#), ["josé@x.example"]);
    }

    #[test]
    fn what_is_no_address_is_none() {
        assert!(found("@x.example a@b a@.example ..@x.example").is_empty());
        let long = format!("{}@x.example", "'".repeat(100_000));
        assert!(found(&long).len() <= super::NAME_MAX);
    }
}
