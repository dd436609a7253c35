//! Bodies of writes: a draft's fields laid out as one JSON object, with the keys of drafts that were written meanwhile.

use crate::eval::{DraftField, Pending};
use crate::ir::{Entity, Type};
use serde_json::{Map, Value};
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

/// Fields as one object, each at its way; entries of `meta_data` are gathered in one list.
pub(crate) fn object(entity: &Entity, fields: &[(&DraftField, Value)]) -> String {
    let mut object = Map::new();
    for (field, value) in fields {
        match meta_entries(entity, field, value) {
            Some(entries) => {
                let list = object.entry("meta_data").or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.extend(
                        entries.into_iter().map(|(key, value)| serde_json::json!({"key": key, "value": value})),
                    );
                }
            }
            None => put(&mut object, &field.path, value.clone()),
        }
    }
    Value::Object(object).to_string()
}

fn put(object: &mut Map<String, Value>, path: &[Arc<str>], value: Value) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.to_string(), value);
        }
        [name, rest @ ..] => {
            let part = object.entry(name.to_string()).or_insert_with(|| Value::Object(Map::new()));
            if !part.is_object() {
                *part = Value::Object(Map::new());
            }
            if let Value::Object(part) = part {
                put(part, rest, value);
            }
        }
    }
}

/// The entries of `meta_data` that a field is, when it is some: its key and value.
pub(crate) fn meta_entries(entity: &Entity, field: &DraftField, value: &Value) -> Option<Vec<(String, Value)>> {
    let schema = entity.fields.get(field.field.0 as usize)?;
    let meta = schema.meta.as_ref()?;
    let first = || meta.keys.first().map(ToString::to_string).unwrap_or_default();
    Some(match (field.path.as_slice(), value) {
        // As whole entries already.
        ([name], Value::Array(entries)) if &**name == "meta_data" => entries
            .iter()
            .map(|e| (e.get("key").and_then(Value::as_str).unwrap_or_default().to_owned(), e["value"].clone()))
            .collect(),
        ([name, key], value) if &**name == "meta_data" => vec![(key.to_string(), value.clone())],
        (_, value) => vec![(first(), value.clone())],
    })
}

/// The value of an entry of `meta_data` in a row.
pub(crate) fn meta_value<'v>(row: &'v Value, key: &str) -> Option<&'v Value> {
    let entries = row.get("meta_data")?.as_array()?;
    entries.iter().find(|e| e.get("key").and_then(Value::as_str) == Some(key)).and_then(|e| e.get("value"))
}
