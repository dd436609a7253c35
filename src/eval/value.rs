//! Values while a record is computed: small, copied, and borrowing from the record's text or its arena.

use crate::eval::unreadable::Unreadable;
use crate::ir::{EntityId, FieldId};
use crate::source::Span;
use crate::value::{decimal, time};
use jiff::{SignedDuration, Timestamp, civil::Date};
use rust_decimal::Decimal;

/// A value. Its tag is a whole word, so that a value that has just been made is copied word by word: a wide load of what
/// narrow stores have written waits for them.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Value<'r> {
    /// Nothing there.
    Absent,
    /// A field that was read and has no value to give: whoever looks at it is stopped, or led on to where it stands.
    Missing(Lack<'r>),
    /// Not known in this round: what it needs is noted, or it waits for the answer to that draft.
    Hole(u32),
    Bool(bool),
    Number(Decimal),
    Text(&'r str),
    Date(Date),
    Instant(Timestamp),
    Duration(SignedDuration),
    List(&'r [Value<'r>]),
    /// A decoded record, read or found.
    Record(&'r Record<'r>),
    /// A record by its key alone.
    Reference(&'r str),
    /// A part made here.
    Built(&'r Built<'r>),
    /// A document of this unit, by its number.
    Draft(u32),
    /// Net and gross of one amount.
    Price(&'r (Decimal, Decimal)),
    /// What the target has.
    Keep,
}

/// Why a field has no value to give. None of it is the same as nothing being there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lack<'r> {
    /// It must be there, and the record does not have it.
    NotGiven,
    /// A test gives the record, and says nothing of this field.
    Ungiven,
    /// Only a part of a record stands here: it was not asked for, and its own row has it.
    Elsewhere,
    /// What stands there is no value of its type.
    Unreadable(&'r Unreadable<'r>),
}

/// A hole whose needs are noted.
pub(crate) const NEEDS: u32 = u32::MAX;

/// A place whose value has not been computed yet.
pub(crate) const EMPTY: u32 = u32::MAX - 1;

/// A decoded record: slots of its entity's layout.
#[derive(Debug)]
pub(crate) struct Record<'r> {
    pub(crate) entity: EntityId,
    pub(crate) slots: &'r [Value<'r>],
    /// Its JSON text.
    pub(crate) raw: &'r str,
    /// Where it lies in the record that was read (`line_items[0]`); kept when it is asked why.
    pub(crate) path: &'r str,
}

/// A part made here.
#[derive(Debug)]
pub(crate) struct Built<'r> {
    pub(crate) entity: EntityId,
    pub(crate) fields: &'r [BuiltField<'r>],
}

/// A field of a part made here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BuiltField<'r> {
    pub(crate) path: &'r [FieldId],
    pub(crate) value: Value<'r>,
    pub(crate) place: Span,
}

impl<'r> Built<'r> {
    /// The value of a field; what is not filled is absent.
    pub(crate) fn get(&self, field: FieldId) -> Value<'r> {
        self.fields.iter().rev().find(|f| f.path == [field]).map_or(Value::Absent, |f| f.value)
    }
}

impl Value<'_> {
    /// Whether it is there.
    pub(crate) fn is_some(&self) -> bool {
        !matches!(self, Value::Absent | Value::Missing(_))
    }
}

/// Whether two values are the same; documents and records by identity.
pub(crate) fn same(a: Value<'_>, b: Value<'_>) -> bool {
    match (a, b) {
        (Value::Absent, Value::Absent) | (Value::Keep, Value::Keep) => true,
        (Value::Missing(a), Value::Missing(b)) => match (a, b) {
            (Lack::NotGiven, Lack::NotGiven) | (Lack::Ungiven, Lack::Ungiven) | (Lack::Elsewhere, Lack::Elsewhere) => {
                true
            }
            (Lack::Unreadable(a), Lack::Unreadable(b)) => a.raw == b.raw,
            _ => false,
        },
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => decimal::equal(a, b),
        (Value::Text(a), Value::Text(b)) | (Value::Reference(a), Value::Reference(b)) => a == b,
        (Value::Date(a), Value::Date(b)) => a == b,
        (Value::Instant(a), Value::Instant(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(*a, *b)),
        (Value::Record(a), Value::Record(b)) => {
            std::ptr::eq(a, b)
                || a.entity == b.entity
                    && a.slots.len() == b.slots.len()
                    && a.slots.iter().zip(b.slots).all(|(a, b)| same(*a, *b))
        }
        (Value::Built(a), Value::Built(b)) => {
            std::ptr::eq(a, b)
                || a.entity == b.entity
                    && a.fields.len() == b.fields.len()
                    && a.fields.iter().zip(b.fields).all(|(a, b)| a.path == b.path && same(a.value, b.value))
        }
        (Value::Draft(a), Value::Draft(b)) => a == b,
        (Value::Price(a), Value::Price(b)) => a == b,
        _ => false,
    }
}

/// Appends the value as it stands in a text.
pub(crate) fn show_into(value: Value<'_>, out: &mut Vec<u8>) {
    use std::io::Write;
    match value {
        Value::Absent | Value::Missing(_) | Value::Hole(_) | Value::Keep => {}
        Value::Bool(b) => out.extend_from_slice(if b { b"yes" } else { b"no" }),
        Value::Number(n) => decimal::write_scaled(n, out),
        Value::Text(t) | Value::Reference(t) => out.extend_from_slice(t.as_bytes()),
        Value::Date(d) => time::write_date(d, out),
        Value::Instant(t) => {
            // Writing into memory does not fail.
            let _ = write!(out, "{t}");
        }
        Value::Duration(d) => {
            let _ = write!(out, "{d:#}");
        }
        Value::List(list) => {
            for (n, value) in list.iter().enumerate() {
                if n > 0 {
                    out.extend_from_slice(b", ");
                }
                show_into(*value, out);
            }
        }
        Value::Record(_) | Value::Built(_) => out.extend_from_slice(b"(a record)"),
        Value::Draft(_) => out.extend_from_slice(b"(new)"),
        Value::Price((net, _)) => out.extend_from_slice(decimal::show(*net).as_bytes()),
    }
}

/// The value as a person reads it.
pub(crate) fn show(value: Value<'_>) -> String {
    match value {
        Value::Absent | Value::Missing(_) => "nothing".to_owned(),
        Value::Price((net, gross)) => format!("{net} net, {gross} gross"),
        other => {
            let mut out = Vec::new();
            show_into(other, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}
