//! Values written as the fields of a target want them.

use super::field::{Shape, Wire, left_out, quoted};
use super::nested::{natural_key, object, reference};
use crate::eval::code::Run;
use crate::eval::failure::{Failure, Halt};
use crate::eval::personal::told;
use crate::eval::value::{Value, show};
use crate::ir::{EntityId, WireForm};
use crate::json::write_text;
use crate::source::Span;
use crate::value::{decimal, time};
use jiff::tz::TimeZone;

/// Appends a field's value as JSON. It is there ([`left_out`] says no).
pub(crate) fn write<'r>(
    run: &mut Run<'r>,
    wire: &'r Wire,
    value: Value<'r>,
    place: Span,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match (&wire.shape, value) {
        (Shape::Text, Value::Text(t)) => wire.text(t, place, out),
        (Shape::Number { .. }, Value::Number(n)) => wire.number(&n, place, out),
        (shape, value) => write_shape(run, wire, shape, value, place, out),
    }
}

fn write_shape<'r>(
    run: &mut Run<'r>,
    wire: &'r Wire,
    shape: &'r Shape,
    value: Value<'r>,
    place: Span,
    out: &mut Vec<u8>,
) -> Result<(), Halt> {
    match (shape, value) {
        (Shape::Bool(form), Value::Bool(b)) => {
            let text: &[u8] = match (form, b) {
                (WireForm::ZeroOne, true) => b"1",
                (WireForm::ZeroOne, false) => b"0",
                (WireForm::YesNo, true) => b"\"yes\"",
                (WireForm::YesNo, false) => b"\"no\"",
                (_, true) => b"true",
                (_, false) => b"false",
            };
            out.extend_from_slice(text);
        }
        (Shape::Enum { values, open }, Value::Text(code)) => match values.iter().find(|(known, _)| **known == *code) {
            Some((_, wire)) => out.extend_from_slice(wire.as_bytes()),
            None if *open => write_text(code, out),
            None => {
                let code = told(value, wire.personal);
                let reason = format!("`{}` can't be \"{code}\"", wire.name);
                return Err(Halt::fail(Failure::new(reason, place).with_value(code)));
            }
        },
        (Shape::Date, Value::Date(d)) => quoted(out, |out| time::write_date(d, out)),
        (Shape::Instant(form, zone), Value::Instant(t)) => quoted(out, |out| match (form, zone) {
            (WireForm::Milliseconds, Some(zone)) => time::write_datetime(zone.to_datetime(t), out),
            (WireForm::Utc, _) => time::write_datetime(TimeZone::UTC.to_datetime(t), out),
            _ => out.extend_from_slice(t.to_string().as_bytes()),
        }),
        // A line stands alone in its API, and inside its document it is made with it.
        (Shape::Reference { .. } | Shape::Nested, Value::Built(built)) => return object(run, built, out),
        (Shape::Reference { entity, number, member: None }, value) => {
            return reference(run, *entity, *number, value, place, out);
        }
        (Shape::Reference { entity, number, member: Some(member) }, value) => {
            out.push(b'{');
            write_text(member, out);
            out.push(b':');
            reference(run, *entity, *number, value, place, out)?;
            out.push(b'}');
        }
        (Shape::Guid, Value::Text(guid)) => write_text(guid, out),
        (Shape::Guid, value) => return reference(run, EntityId(0), false, value, place, out),
        (Shape::Code(entity), value) => return natural_key(run, *entity, value, place, out),
        (Shape::List(element), Value::List(list)) => {
            out.push(b'[');
            let start = out.len();
            // What is not there is no element; an empty text is one.
            for value in list.iter().filter(|value| matches!(value, Value::Text("")) || !left_out(value)) {
                if out.len() > start {
                    out.push(b',');
                }
                write_shape(run, wire, element, *value, place, out)?;
            }
            out.push(b']');
        }
        // As it was read, or as it has been made of another value.
        (Shape::Json, Value::Text(json)) => out.extend_from_slice(json.as_bytes()),
        (Shape::Number { in_text: false, fraction: false }, Value::Number(n)) => {
            decimal::write(n, out);
        }
        (Shape::Number { in_text: true, .. }, Value::Number(n)) => quoted(out, |out| decimal::write(n, out)),
        (Shape::Text, value @ (Value::Number(_) | Value::Date(_) | Value::Instant(_) | Value::Text(_))) => {
            write_text(&show(value), out);
        }
        (_, value) => {
            let reason = format!("`{}` can't hold {}", wire.name, told(value, wire.personal));
            return Err(Halt::fail(Failure::new(reason, place)));
        }
    }
    Ok(())
}
