//! Whether what we would write is what the target has already, compared as the target stores it: numbers by value,
//! dates as dates, padded and caseless texts without padding and case, references without case.

use super::text::scalar;
use crate::ir::{Entity, Field, Forms, Program, Type, WireForm};
use crate::value::{decimal, time};
use rust_decimal::Decimal;
use serde_json::Value;

/// A field by its way on the wire, from an entity on.
pub(crate) fn field_at<'p>(program: &'p Program, entity: &'p Entity, path: &[impl AsRef<str>]) -> Option<&'p Field> {
    let (first, rest) = path.split_first()?;
    let field = entity.fields.iter().find(|f| *f.wire == *first.as_ref())?;
    if rest.is_empty() {
        return Some(field);
    }
    match field.ty.present() {
        Type::Record(part) => field_at(program, program.entity(*part), rest),
        _ => None,
    }
}

/// The value at a way through a row.
pub(crate) fn value_at<'v>(row: &'v Value, path: &[impl AsRef<str>]) -> Option<&'v Value> {
    path.iter().try_fold(row, |value, name| value.get(name.as_ref()))
}

/// Whether ours is theirs.
pub(crate) fn same(program: &Program, field: Option<&Field>, ours: &Value, theirs: Option<&Value>) -> bool {
    match field {
        Some(field) => same_as(program, field.ty.present(), field.form, ours, theirs),
        None => same_as(program, &Type::Unknown, Forms::default(), ours, theirs),
    }
}

fn same_as(program: &Program, ty: &Type, form: Forms, ours: &Value, theirs: Option<&Value>) -> bool {
    match (absent(form, Some(ours)), absent(form, theirs), theirs) {
        (true, theirs_absent, _) => return theirs_absent,
        (false, true, _) | (_, _, None) => return false,
        (false, false, Some(_)) => {}
    }
    let theirs = theirs.unwrap_or(&Value::Null);
    match ty {
        Type::List(element) => same_list(program, element.present(), form, ours, theirs),
        Type::Record(entity) if ours.is_object() => same_record(program, program.entity(*entity), ours, theirs),
        Type::Record(entity) => {
            let key = program.entity(*entity).key.map(|key| program.entity(*entity).get(key));
            let theirs = key.and_then(|key| theirs.get(&*key.wire)).unwrap_or(theirs);
            scalar(ours).trim().eq_ignore_ascii_case(scalar(theirs).trim())
        }
        Type::Bool => truth(ours).is_some() && truth(ours) == truth(theirs),
        Type::Date => matches!((date(ours), date(theirs)), (Some(a), Some(b)) if a == b),
        Type::Instant => matches!((moment(ours, form), moment(theirs, form)), (Some(a), Some(b)) if a == b),
        Type::Guid | Type::Country | Type::Currency => scalar(ours).trim().eq_ignore_ascii_case(scalar(theirs).trim()),
        _ if ty.is_number() || *ty == Type::Price => same_number(ty, form, ours, theirs),
        Type::Json => ours == theirs,
        _ => same_text(form, &scalar(ours), &scalar(theirs)),
    }
}

/// Whether there is nothing: none, an empty text, and zero where the schema says that zero means nothing.
pub(crate) fn absent(form: Forms, value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() || (form.zero_is_absent && text == "0"),
        Some(Value::Number(number)) => form.zero_is_absent && exact(&number.to_string()).is_some_and(|n| n.is_zero()),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => false,
    }
}

/// A number, from a JSON number or from a number in a text.
pub(crate) fn number(value: &Value) -> Option<Decimal> {
    exact(scalar(value).trim())
}

fn exact(text: &str) -> Option<Decimal> {
    decimal::parse(text.as_bytes()).ok()
}

fn same_number(ty: &Type, form: Forms, ours: &Value, theirs: &Value) -> bool {
    let scale = match (ty, form.scale) {
        (Type::Int, _) => Some(0),
        (_, 0 | u8::MAX) => None,
        (_, scale) => Some(u32::from(scale)),
    };
    let rounded = |n: Decimal| scale.map_or(n, |scale| decimal::round(n, scale));
    matches!((number(ours), number(theirs)), (Some(a), Some(b)) if rounded(a) == rounded(b))
}

fn same_text(form: Forms, ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (ours.trim(), theirs.trim());
    ours == theirs || (form.caseless && ours.to_lowercase() == theirs.to_lowercase())
}

fn same_record(program: &Program, entity: &Entity, ours: &Value, theirs: &Value) -> bool {
    ours.as_object().is_some_and(|members| {
        members.iter().all(|(name, value)| {
            let field = entity.fields.iter().find(|f| *f.wire == **name);
            same(program, field, value, theirs.get(name))
        })
    })
}

/// A list, element by element; some APIs wrap theirs in an object.
fn same_list(program: &Program, element: &Type, form: Forms, ours: &Value, theirs: &Value) -> bool {
    let wrapped = theirs.as_object().and_then(|members| members.values().find(|value| value.is_array()));
    let rows = wrapped.unwrap_or(theirs);
    match (ours.as_array(), rows.as_array()) {
        (Some(ours), Some(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(a, b)| same_as(program, element, form, a, Some(b)))
        }
        _ => false,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match scalar(value).trim() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// The day that a value says, whatever else it says.
pub(crate) fn date(value: &Value) -> Option<jiff::civil::Date> {
    let text = scalar(value);
    let text = text.trim();
    match time::wall_clock(text) {
        Ok(at) => Some(at.date()),
        // A date and time may carry a zone that a date has no use for.
        Err(_) => time::date(text.get(..10).unwrap_or(text)).ok(),
    }
}

/// A moment as wall-clock seconds: both sides are of one system, so its zone need not be known.
fn moment(value: &Value, form: Forms) -> Option<jiff::civil::DateTime> {
    let text = scalar(value);
    let text = text.trim();
    if form.form == WireForm::Milliseconds
        && let Ok(at) = time::wall_clock(text)
    {
        return Some(at.with().subsec_nanosecond(0).build().unwrap_or(at));
    }
    text.get(..19).and_then(|t| t.replace(' ', "T").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn same_in(ty: &Type, form: Forms, ours: &Value, theirs: &Value) -> bool {
        same_as(&Program::default(), ty, form, ours, Some(theirs))
    }

    #[test]
    fn compares_as_the_target_stores() {
        let plain = Forms::default();
        let padded = Forms { padded: 18, caseless: true, ..plain };
        let cents = Forms { scale: 2, ..plain };
        let zero = Forms { zero_is_absent: true, ..plain };
        let wall = Forms { form: WireForm::Milliseconds, ..plain };
        let money = Type::Money(crate::ir::Kind::Net);
        let cases = [
            (Type::Decimal, plain, json!("12.50"), json!(12.5), true),
            (Type::Decimal, plain, json!(12.5), json!(12.51), false),
            (money, cents, json!("10.891"), json!("10.89"), true),
            (Type::Text(None), padded, json!("7"), json!("                 7"), true),
            (Type::Text(None), padded, json!("Ab"), json!("aB "), true),
            (Type::Text(None), plain, json!("Ab"), json!("aB"), false),
            (Type::Text(None), plain, json!(null), json!(""), true),
            (Type::Int, zero, json!(null), json!(0), true),
            (Type::Int, plain, json!(null), json!(0), false),
            (Type::Bool, plain, json!(true), json!(1), true),
            (Type::Date, wall, json!("2026-03-01T00:00:00"), json!("/Date(1772323200000)/"), true),
            (Type::Date, wall, json!("2026-03-02"), json!("/Date(1772323200000)/"), false),
            (
                Type::Guid,
                plain,
                json!("ABCDEF00-0000-0000-0000-000000000001"),
                json!("abcdef00-0000-0000-0000-000000000001"),
                true,
            ),
            (Type::List(Type::Int.into()), plain, json!([1, 2]), json!({"results": [1, 2]}), true),
            (Type::List(Type::Int.into()), plain, json!([1, 2]), json!([1]), false),
        ];
        for (ty, form, ours, theirs, expected) in cases {
            assert_eq!(same_in(&ty, form, &ours, &theirs), expected, "{ty:?}: {ours} and {theirs}");
        }
    }
}
