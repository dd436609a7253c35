//! What an OData service puts around its rows: `d.results`, or a bare `d: […]`, or one record `d: {…}`.

use crate::connector::json::{self, legible, unmarked};
use crate::connector::{Raw, Rows};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a list.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) rows: Rows,
    /// The address of the next page, as it came.
    pub(super) next: Option<String>,
    /// Rows of all pages, where it says so.
    pub(super) count: Option<usize>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    d: &'a RawValue,
}

#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    results: Option<&'a RawValue>,
    #[serde(rename = "__next")]
    next: Option<String>,
    #[serde(borrow, rename = "__count")]
    count: Option<&'a RawValue>,
}

/// The rows of a list; `key` is the member that names them. Anything else is no answer to a search: taken for an empty
/// one, what is there would be made again.
pub(super) fn page(text: &str, key: Option<&str>) -> Result<Listed, String> {
    let text = json::bare(text);
    let legible = legible(text);
    let d = json::parsed::<Envelope>(&legible)?.d.get();
    if d.starts_with('[') {
        return Ok(Listed { rows: json::rows(unmarked(text, &legible, d), key)?, next: None, count: None });
    }
    let Results { results, next, count } = json::parsed(d)?;
    let list = results.map(RawValue::get).filter(|list| list.starts_with('[')).ok_or("no list of rows")?;
    let count = count.and_then(|count| count.get().trim_matches('"').parse().ok());
    Ok(Listed { rows: json::rows(unmarked(text, &legible, list), key)?, next, count })
}

/// The record `d: {…}` of an answer to a write.
pub(super) fn record(text: &str) -> Result<Raw, String> {
    json::record(json::parsed::<Envelope>(json::bare(text))?.d.get())
}

/// What is at a record's own address: the record, or a list of it.
pub(super) fn one(text: &str, key: Option<&str>) -> Result<Rows, String> {
    let whole = json::bare(text);
    let legible = legible(whole);
    let d = json::parsed::<Envelope>(&legible)?.d.get();
    match page(text, key) {
        Ok(listed) => Ok(listed.rows),
        Err(_) if d.starts_with('{') => json::rows(unmarked(whole, &legible, d), key),
        Err(_) if d == "null" => Ok(Rows::default()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rows: &Rows) -> Vec<&str> {
        assert_eq!(rows.unreadable, []);
        rows.read.iter().map(|row| &*row.0).collect()
    }

    #[test]
    fn a_ledgers_answers_are_lists_or_a_record_and_nothing_else() {
        let listed =
            page(r#"{"d":{"results":[{"ID":"a"},{"ID":"b"}],"__next":"https://x/?$skiptoken=1"}}"#, None).unwrap();
        assert_eq!(texts(&listed.rows), [r#"{"ID":"a"}"#, r#"{"ID":"b"}"#]);
        assert_eq!(listed.next.as_deref(), Some("https://x/?$skiptoken=1"));
        assert_eq!(page(r#"{"d":[{"ID":"a"}]}"#, None).unwrap().rows.read.len(), 1);
        assert!(page(r#"{"d":{"results":[]}}"#, None).unwrap().rows == Rows::default());
        let one = record(r#"{"d":{"ID":"a","Lines":{"results":[]}}}"#).unwrap();
        assert_eq!(&*one.0, r#"{"ID":"a","Lines":{"results":[]}}"#);
        for odd in ["null", "{}", r#"{"results":null}"#, r#"{"error":"x"}"#, "7"] {
            assert!(page(&format!(r#"{{"d":{odd}}}"#), None).is_err(), "{odd} is no list");
        }
        assert!(record(r#"{"d":null}"#).is_err());
        assert!(page(r#"{"error":{}}"#, None).is_err());
    }

    #[test]
    fn only_the_row_that_cannot_be_read_is_told_as_such() {
        for broken in ["\\ud83d", "\u{1}"] {
            let text =
                format!(r#"{{"d":{{"results":[{{"ID":"a"}},{{"ID":"b","Name":"x{broken}"}},7],"__count":"3"}}}}"#);
            let listed = page(&text, Some("ID")).unwrap();
            assert_eq!((listed.rows.read.len(), listed.count), (1, Some(3)));
            let told = &listed.rows.unreadable;
            assert_eq!((told[0].key.as_deref(), told[0].value("ID").as_deref()), (Some("b"), Some("b")));
            assert_eq!(told[1].key, None);
            let alone = format!(r#"{{"d":{{"ID":"b","Name":"x{broken}"}}}}"#);
            assert_eq!(one(&alone, Some("ID")).unwrap().unreadable[0].key.as_deref(), Some("b"));
            assert!(record(&alone).is_err());
        }
        assert_eq!(one(r#"{"d":null}"#, Some("ID")).unwrap(), Rows::default());
        assert!(one(r#"{"d":7}"#, Some("ID")).is_err() && one("<html>", None).is_err());
    }
}
