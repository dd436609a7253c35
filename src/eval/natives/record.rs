//! Functions of records and their entries: links, `meta_data`, and values as JSON.

use super::text::text_of;
use crate::eval::code::{Code, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::query::LinkNeed;
use crate::eval::value::{Value, same, show};
use crate::ir::{EntityId, FieldId};
use crate::json::write_text;
use crate::source::Span;
use crate::value::decimal;
use std::sync::Arc;

/// Whether a record, one of `entity`, is linked to one of these others; by that mapping only, where one is named.
pub(crate) fn linked(
    record: Code,
    entity: EntityId,
    (mapping, others): (Option<Arc<str>>, Vec<EntityId>),
    span: Span,
) -> Code {
    call(move |run| {
        let record = record.eval(run)?;
        let Some((entity, key)) = run.identity(record, entity, span)? else { return Ok(Value::Bool(false)) };
        for other in &others {
            let need = LinkNeed { mapping: mapping.clone(), entity, key: key.into(), other: *other };
            if !run.linked(need, span)?.is_empty() {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    })
}

/// The entry with this key of the `meta_data` of a record of `entity`, which has a slot of its own where the record was read;
/// `searched` looks through the entries of one that is made here.
pub(crate) fn meta_slot(record: Code, entity: EntityId, key: Arc<str>, searched: Code, span: Span) -> Code {
    call(move |run| {
        let record = match record.eval(run)? {
            Value::Absent => return Ok(Value::Absent),
            Value::Record(record) => record,
            // The record itself is elsewhere: what it does not say here it may say there.
            Value::Reference(key) => run.row(entity, key, span)?,
            Value::Text(code) => run.row_by_code(entity, code, span)?,
            _ => return searched.eval(run),
        };
        match run.compiled.layouts.of(record.entity).meta_slots.get(&key) {
            Some(slot) => run.slot_of(record, *slot, span),
            None => Err(run.broken_promise("an entry of `meta_data` that nobody decodes", span)),
        }
    })
}

/// The first of these entries, of `entity`, that has this key and a value; `fields` are those of the two.
pub(crate) fn meta_of(
    entries: Code,
    key: Code,
    entity: EntityId,
    fields: Option<(FieldId, FieldId)>,
    span: Span,
) -> Code {
    call(move |run| {
        let Some((key_field, value_field)) = fields else {
            return Err(run.broken_promise("`meta_data` whose entries have no key", span));
        };
        let (Value::List(entries), key) = (entries.eval(run)?, key.eval(run)?) else { return Ok(Value::Absent) };
        for entry in entries {
            if same(run.field(*entry, entity, key_field, span)?, key) {
                // An entry is JSON; what is asked for is the text or the number that it is.
                let value = match run.field(*entry, entity, value_field, span)? {
                    Value::Text(json) => text_of(run, json),
                    other => other,
                };
                if value.is_some() && !matches!(value, Value::Text("")) {
                    return Ok(value);
                }
            }
        }
        Ok(Value::Absent)
    })
}

/// A value as JSON. What is JSON already (`raw`) stays as it is.
pub(crate) fn json_of(value: Code, raw: bool, span: Span) -> Code {
    call(move |run| {
        let value = value.eval(run)?;
        let mut out = Vec::new();
        if !write_value(value, raw, &mut out) {
            let reason = format!("{} has no form in JSON", show(value));
            return Err(Halt::fail(Failure::new(reason, span)));
        }
        Ok(run.text(&String::from_utf8_lossy(&out)))
    })
}

/// Appends a plain value as JSON; whether it has such a form. `raw`: its texts are JSON already.
fn write_value(value: Value<'_>, raw: bool, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Value::Number(n) => decimal::write(n, out),
        Value::Text(json) if raw => out.extend_from_slice(json.as_bytes()),
        Value::Text(text) => write_text(text, out),
        Value::Date(_) | Value::Instant(_) => write_text(&show(value), out),
        Value::List(list) => {
            out.push(b'[');
            for (n, element) in list.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                if !write_value(*element, raw, out) {
                    return false;
                }
            }
            out.push(b']');
        }
        _ => return false,
    }
    true
}
