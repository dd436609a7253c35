//! Format 2: a record says how often a person has decided about it, and whether a person has left it out; a link from which
//! version of its source it was carried out, which nobody knows of those that are there; an intent since when its effect is
//! awaited.

use super::super::tables::{RECORDS, Trouble, open_value, seal_value};
use crate::store::seal::Seal;
use redb::{ReadableTable as _, WriteTransaction};
use serde_json::{Map, Value, json};

/// From format 1 to format 2.
pub(super) fn step(t: &WriteTransaction, seal: &Seal) -> Result<(), Trouble> {
    records(t, seal, |record| {
        let left_out = is_left_out(record);
        record.insert("said".to_owned(), json!(0));
        record.insert("left_out".to_owned(), json!(left_out));
    })
}

/// Whether it was a person who said that the record is to be left out: `skip` kept what had been tried and what had come of
/// it, and a flow that leaves a record out begins anew. One that has gone from its source has no content.
fn is_left_out(record: &Map<String, Value>) -> bool {
    let is = |name: &str, nothing: &Value| record.get(name).is_some_and(|value| value != nothing && !value.is_null());
    let skipped = record.get("state").is_some_and(|state| state == "skipped");
    skipped && is("content_hash", &json!("")) && (is("attempts", &json!(0)) || is("target", &Value::Null))
}

/// Changes each row of the records.
fn records(t: &WriteTransaction, seal: &Seal, change: impl Fn(&mut Map<String, Value>)) -> Result<(), Trouble> {
    let mut table = t.open_table(RECORDS)?;
    let mut keys = Vec::new();
    for row in table.iter()? {
        let row = row?;
        let (flow, key) = row.0.value();
        keys.push((flow.to_owned(), key.to_owned()));
    }
    for (flow, key) in keys {
        let key = (flow.as_str(), key.as_str());
        let Some(mut row) = table.get(key)?.map(|v| open_value(seal, "records", v.value())).transpose()? else {
            continue;
        };
        change(&mut row);
        table.insert(key, seal_value(seal, "records", &row).as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_a_record_out_is_told_by_what_was_kept() {
        let cases = [
            (json!({"state": "skipped", "content_hash": "c", "attempts": 2, "target": null}), true),
            (json!({"state": "skipped", "content_hash": "c", "attempts": 0, "target": {"id": "t"}}), true),
            (json!({"state": "skipped", "content_hash": "c", "attempts": 0, "target": null}), false),
            (json!({"state": "skipped", "content_hash": "", "attempts": 2, "target": null}), false),
            (json!({"state": "parked", "content_hash": "c", "attempts": 2, "target": null}), false),
        ];
        for (record, expected) in cases {
            assert_eq!(is_left_out(record.as_object().unwrap()), expected, "{record}");
        }
    }
}
