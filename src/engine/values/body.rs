//! Bodies of writes: a draft's fields laid out as one JSON object, with the keys of drafts that were written meanwhile.

use crate::eval::{DraftField, META, Pending};
use crate::ir::{Entity, Type};
use serde_json::Value;
use std::sync::Arc;

/// The key of a draft of the unit, once it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Its key.
    pub(crate) id: Arc<str>,
    /// The API's keys of that kind are numbers.
    pub(crate) number: bool,
    /// It was made in this try, so nothing that refers to it can be there already.
    pub(crate) created: bool,
}

/// A reference to a draft that has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dangling(pub(crate) usize);

/// Whether an entity's keys are numbers on the wire.
pub(crate) fn key_is_number(entity: &Entity) -> bool {
    entity.key.is_some_and(|key| *entity.get(key).ty.present() == Type::Int)
}

/// A field's JSON with the keys of other drafts in their places.
pub(crate) fn filled(json: &str, settled: &[Option<Settled>]) -> Result<Value, Dangling> {
    let json = Pending::filled(json, |n| match settled.get(n).and_then(Option::as_ref) {
        Some(settled) => Ok(key(settled).to_string()),
        None => Err(Dangling(n)),
    })?;
    // Eval wrote it: what is not JSON can only be a bare text.
    Ok(serde_json::from_str(&json).unwrap_or_else(|_| Value::String(json.into_owned())))
}

fn key(settled: &Settled) -> Value {
    match settled.id.parse::<i64>() {
        Ok(number) if settled.number => Value::from(number),
        _ => Value::String(settled.id.to_string()),
    }
}

/// Fields as one body, as `flowc map` shows it.
pub(crate) fn of(fields: &[(&DraftField, Value)]) -> String {
    let texts: Vec<String> = fields.iter().map(|(_, value)| value.to_string()).collect();
    crate::eval::body(fields.iter().zip(&texts).map(|((field, _), json)| (field.path.as_slice(), json.as_str())))
}

/// The key of the entry of `meta_data` that a field is, when it is one.
pub(crate) fn meta_key(field: &DraftField) -> Option<&str> {
    match field.path.as_slice() {
        [list, key] if **list == *META => Some(key),
        _ => None,
    }
}

/// The value of an entry of `meta_data` in a row.
pub(crate) fn meta_value<'v>(row: &'v Value, key: &str) -> Option<&'v Value> {
    let entries = row.get(META)?.as_array()?;
    entries.iter().find(|e| e.get("key").and_then(Value::as_str) == Some(key)).and_then(|e| e.get("value"))
}
