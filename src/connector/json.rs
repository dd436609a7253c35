//! Answers as slices of their text: records stay as they came, number by number.

use super::http::{NO_TEXT, shortened};
use super::{Raw, Rows, Unreadable};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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
    let whole = text.replace(NO_TEXT, "?");
    let rows: Vec<&RawValue> = if whole.starts_with('{') { vec![parsed(&whole)?] } else { parsed(&whole)? };
    let mut all = Rows::default();
    for row in rows {
        let from = row.get().as_ptr() as usize - whole.as_ptr() as usize;
        let its = &text[from..from + row.get().len()];
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

/// One record.
pub(super) fn record(text: &str) -> Result<Raw, String> {
    let row: &RawValue = parsed(bare(text))?;
    match one(row.get()) {
        Ok(raw) => Ok(raw),
        Err((_, why)) => Err(why),
    }
}

fn parsed<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
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
    Unreadable { key: key.and_then(|key| member(text, key)), text: Some(text.into()), why }
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

/// A page of an OData service.
pub(super) struct ODataPage {
    pub(super) rows: Rows,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    d: &'a RawValue,
}

#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    results: Option<Vec<&'a RawValue>>,
    #[serde(rename = "__next")]
    next: Option<String>,
}

/// The rows of `d.results` or of a bare `d: […]`: both occur. Anything else is no answer to a search: taken for an empty
/// one, what is there would be made again.
pub(super) fn odata_page(text: &str, key: Option<&str>) -> Result<ODataPage, String> {
    let envelope: Envelope = serde_json::from_str(bare(text)).map_err(|e| broken(&e))?;
    let d = envelope.d.get();
    if d.starts_with('[') {
        return Ok(ODataPage { rows: rows(d, key)?, next: None });
    }
    let results: Results = serde_json::from_str(d).map_err(|e| broken(&e))?;
    let rows = results.results.ok_or("no list of rows")?;
    Ok(ODataPage { rows: list(rows, key)?, next: results.next })
}

/// The record `d: {…}` of an answer to a write.
pub(super) fn odata_record(text: &str) -> Result<Raw, String> {
    let envelope: Envelope = serde_json::from_str(bare(text)).map_err(|e| broken(&e))?;
    record(envelope.d.get())
}

/// A member of a record by its path, as plain text: without quotes, `None` for null and for what is not there.
pub(super) fn member(record: &str, path: &str) -> Option<String> {
    let mut text = record;
    for name in path.split('.') {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        text = members.get(name)?.get();
    }
    plain(text)
}

fn plain(text: &str) -> Option<String> {
    match text {
        "null" => None,
        text if text.starts_with('"') => serde_json::from_str(text).ok(),
        text => Some(text.to_owned()),
    }
}

/// Some servers put a mark in front of their text.
fn bare(text: &str) -> &str {
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
    fn a_ledgers_answers_are_lists_or_a_record_and_nothing_else() {
        let page = odata_page(r#"{"d":{"results":[{"ID":"a"},{"ID":"b"}],"__next":"https://x/?$skiptoken=1"}}"#, None)
            .unwrap();
        assert_eq!(texts(&page.rows), [r#"{"ID":"a"}"#, r#"{"ID":"b"}"#]);
        assert_eq!(page.next.as_deref(), Some("https://x/?$skiptoken=1"));
        assert_eq!(odata_page(r#"{"d":[{"ID":"a"}]}"#, None).unwrap().rows.read.len(), 1);
        assert!(odata_page(r#"{"d":{"results":[]}}"#, None).unwrap().rows == Rows::default());
        let one = odata_record(r#"{"d":{"ID":"a","Lines":{"results":[]}}}"#).unwrap();
        assert_eq!(&*one.0, r#"{"ID":"a","Lines":{"results":[]}}"#);
        for odd in ["null", "{}", r#"{"results":null}"#, r#"{"error":"x"}"#, "7"] {
            assert!(odata_page(&format!(r#"{{"d":{odd}}}"#), None).is_err(), "{odd} is no list");
        }
        assert!(odata_record(r#"{"d":null}"#).is_err());
        assert!(odata_page(r#"{"error":{}}"#, None).is_err());
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
    fn members_are_read_by_path() {
        let record = r#"{"id":12,"billing":{"email":"a\u0040b"},"x":null}"#;
        assert_eq!(member(record, "id").as_deref(), Some("12"));
        assert_eq!(member(record, "billing.email").as_deref(), Some("a@b"));
        assert_eq!(member(record, "x"), None);
        assert_eq!(member(record, "y.z"), None);
    }
}
