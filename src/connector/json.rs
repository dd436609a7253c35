//! Answers as slices of their text: records stay as they came, number by number.

use super::http::{NO_TEXT, shortened};
use super::{Raw, Rows, Unreadable};
use crate::json;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Characters of an answer that a message repeats.
const SAID_CHARS_MAX: usize = 120;

/// The records of a list; `key` is the member that names them. One object is none, whatever it says: taken for a row, what
/// a plugin says instead of the list would be its end.
pub(super) fn listed(text: &str, key: Option<&str>) -> Result<Rows, String> {
    if bare(text).starts_with('{') {
        let _: &RawValue = parsed(bare(&legible(text)))?;
        let said = shortened(bare(text));
        let short: String = said.chars().take(SAID_CHARS_MAX).collect();
        return Err(format!("one object where a list should be (\u{201c}{short}\u{201d})"));
    }
    rows(text, key)
}

/// The records of a list, or of one record; `key` is the member that names them.
pub(super) fn rows(text: &str, key: Option<&str>) -> Result<Rows, String> {
    let text = bare(text);
    if text.contains(NO_TEXT) {
        return marked(text, key);
    }
    if text.starts_with('{') {
        let row: &RawValue = parsed(text)?;
        return Ok(sorted([one(row.get())], key));
    }
    list(parsed(text)?, key)
}

/// The same of an answer with bytes that are no text: the records that hold them cannot be read, the others can.
fn marked(text: &str, key: Option<&str>) -> Result<Rows, String> {
    let whole = legible(text);
    let rows: Vec<&RawValue> = if whole.starts_with('{') { vec![parsed(&whole)?] } else { parsed(&whole)? };
    let mut all = Rows::default();
    for row in rows {
        let its = unmarked(text, &whole, row.get());
        if !its.contains(NO_TEXT) {
            all.extend(sorted([one(its)], key));
            continue;
        }
        let mut told = unreadable(row.get(), key, "it holds bytes that are no UTF-8".to_owned());
        told.key = told.key.filter(|key| !key.contains('?'));
        all.unreadable.push(Unreadable { text: Some(its.into()), ..told });
    }
    Ok(all)
}

/// The same text in a form that can be taken apart: what was no text is a question mark, byte for byte.
pub(super) fn legible(text: &str) -> Cow<'_, str> {
    if text.contains(NO_TEXT) { Cow::Owned(text.replace(NO_TEXT, "?")) } else { Cow::Borrowed(text) }
}

/// A part of the legible text as it came.
pub(super) fn unmarked<'t>(text: &'t str, legible: &str, part: &str) -> &'t str {
    let from = part.as_ptr() as usize - legible.as_ptr() as usize;
    &text[from..from + part.len()]
}

/// One record.
pub(super) fn record(text: &str) -> Result<Raw, String> {
    let row: &RawValue = parsed(bare(text))?;
    match one(row.get()) {
        Ok(raw) => Ok(raw),
        Err((_, why)) => Err(why),
    }
}

pub(super) fn parsed<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| match behind(text) {
        Some(rest) => format!("JSON with text behind it (\u{201c}{}\u{201d})", shortened(rest)),
        None => broken(&e),
    })
}

/// What stands behind JSON that is otherwise whole.
fn behind(text: &str) -> Option<&str> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    values.next()?.ok()?;
    let rest = text.get(values.byte_offset()..)?.trim();
    (!rest.is_empty()).then_some(rest)
}

fn list(rows: Vec<&RawValue>, key: Option<&str>) -> Result<Rows, String> {
    // What a shop makes of a record of which none of the fields asked for exists.
    if !rows.is_empty() && rows.iter().all(|row| row.get() == "[]") {
        return Err("empty rows: none of the fields asked for exists there".to_owned());
    }
    Ok(sorted(rows.into_iter().map(|row| one(row.get())), key))
}

fn sorted<'t>(rows: impl IntoIterator<Item = Result<Raw, (&'t str, String)>>, key: Option<&str>) -> Rows {
    let mut all = Rows::default();
    for row in rows {
        match row {
            Ok(raw) => all.read.push(raw),
            Err((text, why)) => all.unreadable.push(unreadable(text, key, why)),
        }
    }
    all
}

/// A row that cannot be read whole, with its key where that can be read.
pub(super) fn unreadable(text: &str, key: Option<&str>, why: String) -> Unreadable {
    Unreadable { key: key.and_then(|key| member(text, key)), text: Some(text.into()), why, page: None }
}

/// A record, if it can be read whole: its text is taken apart later, piece by piece, where nobody could tell any more what
/// is missing from what is broken.
fn one(text: &str) -> Result<Raw, (&str, String)> {
    if !text.starts_with('{') {
        return Err((text, "it is no record".to_owned()));
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => Ok(Raw(text.into())),
        Err(e) => Err((text, broken(&e))),
    }
}

/// A member of a record by its path, as plain text: without quotes, `None` for null and for what is not there.
pub(super) fn member(record: &str, path: &str) -> Option<String> {
    json::member(record, path).plain().map(Cow::into_owned)
}

/// A value that can be compared with those that are asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Compared {
    Text(String),
    Number(Decimal),
    Flag(bool),
}

impl Compared {
    /// Whether it may be the one that is asked for. A text and a number are compared as numbers where both are; else what
    /// is of another kind than what is asked for says nothing.
    pub(super) fn may_be(&self, wanted: &str) -> bool {
        let wanted = wanted.trim();
        let number = decimal(wanted);
        match self {
            Self::Text(text) if text.trim().eq_ignore_ascii_case(wanted) => true,
            Self::Text(text) => match (number, decimal(text.trim())) {
                (Some(wanted), Some(its)) => wanted == its,
                // A number is asked for, and this is none; or the other way about, and then they differ as texts.
                (Some(_), None) => true,
                (None, _) => matches!(wanted, "true" | "false"),
            },
            Self::Number(its) => number.is_none_or(|wanted| wanted == *its),
            Self::Flag(its) => wanted.parse::<bool>().map_or(true, |wanted| wanted == *its),
        }
    }
}

fn decimal(text: &str) -> Option<Decimal> {
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}

/// A member by its path as it can be compared; none for what is missing, null, or no plain value.
pub(super) fn compared(record: &str, path: &str) -> Option<Compared> {
    let whole: serde_json::Value = serde_json::from_str(record).ok()?;
    let value = path.split('.').try_fold(&whole, |value, name| value.get(name))?;
    match value {
        serde_json::Value::String(text) => Some(Compared::Text(text.clone())),
        serde_json::Value::Number(number) => decimal(&number.to_string()).map(Compared::Number),
        serde_json::Value::Bool(flag) => Some(Compared::Flag(*flag)),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}

/// Some servers put a mark in front of their text.
pub(super) fn bare(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

fn broken(error: &serde_json::Error) -> String {
    if error.is_eof() { "JSON that ends too early".to_owned() } else { format!("broken JSON ({error})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rows: &Rows) -> Vec<&str> {
        assert_eq!(rows.unreadable, []);
        rows.read.iter().map(|row| &*row.0).collect()
    }

    #[test]
    fn records_stay_as_they_came() {
        let text = "\u{feff}[{\"total\": 8.256198333333334000, \"a\":\"\\u00e9\\/\"} ,{}]";
        assert_eq!(texts(&rows(text, None).unwrap()), [r#"{"total": 8.256198333333334000, "a":"\u00e9\/"}"#, "{}"]);
        assert_eq!(texts(&rows(r#"{"id":1}"#, None).unwrap()), [r#"{"id":1}"#]);
        assert!(rows("[[],[]]", None).unwrap_err().contains("empty rows"));
        assert!(rows(r#"[{"id":1"#, None).unwrap_err().contains("too early"));
        assert!(rows("<html>", None).is_err());
    }

    #[test]
    fn a_row_that_cannot_be_read_is_told_with_its_key_and_the_others_stay() {
        let text = r#"[{"id":1},{"id":2,"name":"\ud83d"},7,{"id":"\ud83d"}]"#;
        let rows = rows(text, Some("id")).unwrap();
        assert_eq!(rows.read, [Raw(r#"{"id":1}"#.into())]);
        let keys: Vec<Option<&str>> = rows.unreadable.iter().map(|row| row.key.as_deref()).collect();
        assert_eq!(keys, [Some("2"), None, None]);
        assert!(rows.unreadable[0].why.contains("broken JSON"), "{:?}", rows.unreadable[0]);
    }

    #[test]
    fn bytes_that_are_no_text_spoil_the_row_that_holds_them_and_no_other() {
        let text = "[{\"id\":1,\"a\":\"caf\u{1}\"}, {\"id\":2},{\"id\":\"\u{1}\"}]";
        let rows = rows(text, Some("id")).unwrap();
        assert_eq!(rows.read, [Raw(r#"{"id":2}"#.into())]);
        let keys: Vec<Option<&str>> = rows.unreadable.iter().map(|row| row.key.as_deref()).collect();
        assert_eq!(keys, [Some("1"), None]);
        assert!(rows.unreadable.iter().all(|row| row.why.contains("UTF-8")), "{:?}", rows.unreadable);
        assert!(super::rows("[{\"id\":1}\u{1}]", Some("id")).is_err(), "outside of a record it is no JSON");
        assert!(super::rows("{\"id\":1,\"a\":\"\u{1}\"}", Some("id")).unwrap().read.is_empty());
    }

    #[test]
    fn text_behind_json_is_told_as_such() {
        let told = rows("[{\"id\":1}]<!-- cached\n in 0.1 s -->", None).unwrap_err();
        assert_eq!(told, "JSON with text behind it (\u{201c}<!-- cached in 0.1 s -->\u{201d})");
        assert!(rows(r#"{"id":1"#, None).unwrap_err().contains("too early"), "half a record is no record");
    }

    #[test]
    fn only_what_can_be_compared_differs() {
        let record = r#"{"t":"Done ","n":12.0,"s":"12","f":true,"e":1.2e1,"x":null,"o":{"a":"b"},"l":[]}"#;
        let may = |path: &str, wanted: &str| compared(record, path).is_none_or(|value| value.may_be(wanted));
        for (path, wanted) in [
            ("t", "done"),
            ("n", "12"),
            ("s", "12.00"),
            ("f", "true"),
            ("e", "12"),
            ("x", "a"),
            ("o", "a"),
            ("l", "a"),
            ("gone", "a"),
            ("o.c", "a"),
            ("t", "12"),
            ("n", "done"),
            ("f", "done"),
            ("t", "true"),
        ] {
            assert!(may(path, wanted), "{path} {wanted}");
        }
        for (path, wanted) in [("t", "open"), ("n", "13"), ("s", "13"), ("f", "false"), ("o.a", "c"), ("s", "open")] {
            assert!(!may(path, wanted), "{path} {wanted}");
        }
        assert!(listed(r#"{"success":false}"#, None).unwrap_err().contains("where a list should be"));
    }

    #[test]
    fn members_are_read_by_path() {
        let record = r#"{"id":12,"billing":{"email":"a\u0040b"},"x":null}"#;
        assert_eq!(member(record, "id").as_deref(), Some("12"));
        assert_eq!(member(record, "billing.email").as_deref(), Some("a@b"));
        assert_eq!(member(record, "x"), None);
        assert_eq!(member(record, "y.z"), None);
    }
}
