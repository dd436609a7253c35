//! Bodies of writes: a draft's fields laid out as one JSON object, with the keys of drafts that were written meanwhile.

use crate::eval::{DraftField, Pending};
use crate::ir::{Entity, Entries, Type};
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
pub(crate) fn of(entries: Option<Entries<'_>>, fields: &[(&DraftField, Value)]) -> String {
    let texts: Vec<String> = fields.iter().map(|(_, value)| value.to_string()).collect();
    let fields = fields.iter().zip(&texts).map(|((field, _), json)| (&*field.path, json.as_str()));
    crate::eval::body(entries, fields)
}

/// The name of the further entry that a field is, where it is one.
pub(crate) fn entry_name<'d>(entries: Option<Entries<'_>>, field: &'d DraftField) -> Option<&'d str> {
    match &*field.path {
        [list, name] if entries.is_some_and(|entries| entries.list == list) => Some(name),
        _ => None,
    }
}

/// The value of a further entry in a row.
pub(crate) fn entry_value<'v>(entries: Entries<'_>, row: &'v Value, name: &str) -> Option<&'v Value> {
    let named = |entry: &&Value| entry.get(&**entries.key).and_then(Value::as_str) == Some(name);
    row.get(&**entries.list)?.as_array()?.iter().find(named)?.get(&**entries.value)
}
