//! A table of records: each kept as compact JSON text beside the few columns that lists filter and sort by.
//!
//! A hundred thousand orders as `Value` trees would take gigabytes; as text they take some hundred megabytes, and a page
//! of a hundred is parsed in a few milliseconds.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// An instant as the database holds it: twice, and one of the two does not follow when the shop's zone is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The column in UTC, seconds since 1970.
    pub(crate) utc: Option<i64>,
    /// The digits of the shop's wall clock when the row was saved, as if they were UTC's.
    pub(crate) local: Option<i64>,
}

/// What a list filters and sorts by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) created: Moment,
    pub(crate) modified: Moment,
    pub(crate) status: Box<str>,
    /// Customer of an order, order of a refund or note, product of a variation; 0: none.
    pub(crate) owner: u64,
    /// Origin of an order, SKU of a product, e-mail of a customer, code of a coupon; lower case where that is compared.
    pub(crate) key: Box<str>,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) columns: Columns,
    text: Box<str>,
}

impl Row {
    /// The record as it is stored.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_str(&self.text).expect("the table holds only JSON that it wrote")
    }

    /// The stored text, for a quick look whether something can be in it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// How a table's columns are read from a record.
type Read = fn(&Value) -> Columns;

/// The records of one resource by id.
#[derive(Debug)]
pub(crate) struct Table {
    rows: BTreeMap<u64, Row>,
    by_key: Option<HashMap<Box<str>, Vec<u64>>>,
    read: Read,
    /// Moves on with every change; tells whether a remembered list is still true.
    pub(crate) generation: u64,
}

impl Table {
    /// A table that is found by id only.
    pub(crate) fn new(read: Read) -> Self {
        Table { rows: BTreeMap::new(), by_key: None, read, generation: 0 }
    }

    /// A table that is also found by its key column.
    pub(crate) fn keyed(read: Read) -> Self {
        Table { by_key: Some(HashMap::new()), ..Self::new(read) }
    }

    pub(crate) fn get(&self, id: u64) -> Option<Value> {
        self.rows.get(&id).map(Row::value)
    }

    pub(crate) fn row(&self, id: u64) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.rows.contains_key(&id)
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.rows.last_key_value().map_or(0, |(id, _)| *id)
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = (u64, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// The ids with this key, ascending.
    pub(crate) fn with_key(&self, key: &str) -> Vec<u64> {
        match &self.by_key {
            Some(index) => index.get(key).cloned().unwrap_or_default(),
            None => self.rows().filter(|(_, row)| &*row.columns.key == key).map(|(id, _)| id).collect(),
        }
    }

    /// Adds a record or replaces the one with its id.
    pub(crate) fn put(&mut self, id: u64, value: &Value) {
        self.generation += 1;
        let columns = (self.read)(value);
        if let Some(index) = &mut self.by_key {
            if let Some(old) = self.rows.get(&id) {
                forget(index, &old.columns.key, id);
            }
            let ids = index.entry(columns.key.clone()).or_default();
            let at = ids.partition_point(|other| *other < id);
            ids.insert(at, id);
        }
        let text = value.to_string().into_boxed_str();
        self.rows.insert(id, Row { columns, text });
    }

    /// Shows all dates in another zone. The columns stay as they were saved.
    pub(crate) fn show_dates_in(&mut self, zone: &jiff::tz::TimeZone) {
        self.generation += 1;
        for row in self.rows.values_mut() {
            let mut value = row.value();
            let Value::Object(members) = &mut value else { continue };
            let names: Vec<String> =
                members.keys().filter_map(|name| name.strip_suffix("_gmt")).map(str::to_owned).collect();
            for name in names {
                let utc = members.get(&format!("{name}_gmt")).and_then(Value::as_str).unwrap_or("");
                if let Some(instant) = super::dates::instant(utc, zone, true) {
                    members.insert(name, Value::String(super::dates::pair(instant, zone).0));
                }
            }
            row.text = value.to_string().into_boxed_str();
        }
    }

    /// Saves all rows anew in a zone: recordings of another shop become those of this one.
    pub(crate) fn save_dates_in(&mut self, zone: &jiff::tz::TimeZone) {
        self.show_dates_in(zone);
        for row in self.rows.values_mut() {
            row.columns = (self.read)(&row.value());
        }
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<Value> {
        self.generation += 1;
        let row = self.rows.remove(&id)?;
        if let Some(index) = &mut self.by_key {
            forget(index, &row.columns.key, id);
        }
        Some(row.value())
    }
}

fn forget(index: &mut HashMap<Box<str>, Vec<u64>>, key: &str, id: u64) {
    if let Some(ids) = index.get_mut(key) {
        ids.retain(|other| *other != id);
    }
}

/// A text member, `""` where it is missing.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}

/// An id member, 0 where it is missing.
pub(crate) fn id(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn dated(value: &Value) -> Columns {
    let moment = |local: &str, utc: &str| {
        let (local, utc) = (super::dates::seconds(text(value, local)), super::dates::seconds(text(value, utc)));
        Moment { utc, local: local.or(utc) }
    };
    Columns {
        created: moment("date_created", "date_created_gmt"),
        modified: moment("date_modified", "date_modified_gmt"),
        status: text(value, "status").into(),
        ..Columns::default()
    }
}

/// Columns of an order: its customer, its origin.
pub(crate) fn order_columns(value: &Value) -> Columns {
    Columns { owner: id(value, "customer_id"), key: text(value, "created_via").into(), ..dated(value) }
}

/// Columns of a product or variation: its parent, its SKU.
pub(crate) fn product_columns(value: &Value) -> Columns {
    Columns { owner: id(value, "parent_id"), key: text(value, "sku").to_lowercase().into(), ..dated(value) }
}

/// Columns of a customer: the e-mail; the role stands in place of a status.
pub(crate) fn customer_columns(value: &Value) -> Columns {
    Columns { key: text(value, "email").to_lowercase().into(), status: text(value, "role").into(), ..dated(value) }
}

/// Columns of a coupon: its code.
pub(crate) fn coupon_columns(value: &Value) -> Columns {
    Columns { key: text(value, "code").to_lowercase().into(), ..dated(value) }
}

/// Columns of a refund or note: the order it belongs to.
pub(crate) fn child_columns(value: &Value) -> Columns {
    let dates = dated(value);
    let modified = if dates.modified.utc.is_some() { dates.modified } else { dates.created };
    Columns { owner: id(value, "parent_id"), modified, ..dates }
}

/// Columns of a small table: slug or class.
pub(crate) fn plain_columns(value: &Value) -> Columns {
    let key = if value.get("class").is_some() { text(value, "class") } else { text(value, "slug") };
    Columns { key: key.into(), owner: id(value, "parent"), ..dated(value) }
}
