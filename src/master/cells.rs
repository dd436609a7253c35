//! A value of a row as text that a person reads and a file keeps: by the type that its schema says, whatever its form on the
//! wire.

use crate::ir::{Field, Type, WireForm};
use crate::value::{decimal, time};
use rust_decimal::Decimal;
use serde_json::Value;

/// The value as text; empty where there is none.
pub(super) fn cell(field: &Field, value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    let text = plain(value);
    match (field.ty.present(), field.form.form) {
        (Type::Bool, WireForm::ZeroOne) => yes_no(text == "1"),
        (Type::Bool, WireForm::YesNo) => yes_no(text == "yes"),
        (Type::Bool, _) => yes_no(*value == Value::Bool(true)),
        (Type::Enum(of), _) => {
            let known = of.values.iter().find(|known| known.wire.trim_matches('"') == text);
            known.map_or(text, |known| known.code.to_string())
        }
        (Type::Percent, form) => number(&text).map_or(text, |n| {
            let n = if form == WireForm::Fraction { n.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(n) } else { n };
            format!("{}%", n.normalize())
        }),
        (Type::Date, WireForm::Milliseconds) => {
            time::wall_clock(&text).map_or(text, |moment| moment.date().to_string())
        }
        (Type::Date, _) => time::date(&text).map_or(text, |date| date.to_string()),
        (Type::Record(_), WireForm::Nested) => value.get("id").map(plain).unwrap_or_default(),
        _ => text,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// The number of a rate as [`cell`] writes it.
pub(super) fn rate(cell: &str) -> Option<Decimal> {
    number(cell.strip_suffix('%')?)
}

/// Whether two numbers are one.
pub(super) fn same(a: Decimal, b: Decimal) -> bool {
    decimal::equal(a, b)
}
