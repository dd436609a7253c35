//! Format 2: a record says how often a person has decided about it.

use super::super::tables::{RECORDS, Trouble, open_value, seal_value};
use crate::store::seal::Seal;
use redb::{ReadableTable as _, WriteTransaction};
use serde_json::{Map, Value, json};

/// From format 1 to format 2.
pub(super) fn step(t: &WriteTransaction, seal: &Seal) -> Result<(), Trouble> {
    records(t, seal, |record| {
        record.insert("said".to_owned(), json!(0));
    })
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
