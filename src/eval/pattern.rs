//! Constants that values are compared with, and patterns that take them.

use crate::eval::value::Value;
use crate::ir::{Const, Pattern};
use crate::value::code::in_group;
use crate::value::decimal;
use rust_decimal::Decimal;

/// Whether a value is that constant.
pub(crate) fn is_constant(value: &Value<'_>, constant: &Const) -> bool {
    match (value, constant) {
        (Value::Absent, Const::Absent) => true,
        (Value::Bool(a), Const::Bool(b)) => a == b,
        (Value::Number(a), Const::Number(b)) => decimal::equal(*a, *b),
        (Value::Text(a), Const::Text(b)) => *a == &**b,
        (Value::Date(a), Const::Date(b)) => a == b,
        (Value::Instant(a), Const::Instant(b)) => a == b,
        (Value::Duration(a), Const::Duration(b)) => a == b,
        (Value::List(a), Const::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_constant(a, b)),
        _ => false,
    }
}

/// Whether a pattern takes a value.
pub(crate) fn accepts(pattern: &Pattern, value: &Value<'_>) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Absent => matches!(value, Value::Absent),
        Pattern::OneOf(constants) => constants.iter().any(|constant| is_constant(value, constant)),
        Pattern::Prefix(prefix) => matches!(value, Value::Text(text) if text.starts_with(&**prefix)),
        Pattern::Group(group) => matches!(value, Value::Text(country) if in_group(country, group)),
        Pattern::Either(patterns) => patterns.iter().any(|pattern| accepts(pattern, value)),
    }
}

/// A key of a table as it is hashed: what is equal hashes alike, whether it is a constant or a value.
#[derive(Hash)]
pub(crate) enum Hashed<'a> {
    Absent,
    Bool(bool),
    Small(i64, u32),
    Number(Decimal),
    Text(&'a str),
    /// Compared in full, and rarely a key.
    Other,
}

impl<'a> Hashed<'a> {
    /// Equal numbers hash alike, whatever zeros they end in.
    fn number(n: Decimal) -> Self {
        let mut scale = n.scale();
        match decimal::small_mantissa(n) {
            Some(mut small) => {
                while scale > 0 && small % 10 == 0 {
                    small /= 10;
                    scale -= 1;
                }
                Self::Small(small, if small == 0 { 0 } else { scale })
            }
            None => Self::Number(n),
        }
    }

    /// A value's.
    pub(crate) fn of(value: Value<'a>) -> Self {
        match value {
            Value::Absent => Self::Absent,
            Value::Bool(b) => Self::Bool(b),
            Value::Number(n) => Self::number(n),
            Value::Text(t) => Self::Text(t),
            _ => Self::Other,
        }
    }
}

/// A constant's.
pub(crate) fn hashed(constant: &Const) -> Hashed<'_> {
    match constant {
        Const::Absent => Hashed::Absent,
        Const::Bool(b) => Hashed::Bool(*b),
        Const::Number(n) => Hashed::number(*n),
        Const::Text(t) => Hashed::Text(t),
        Const::Date(_) | Const::Instant(_) | Const::Duration(_) | Const::List(_) => Hashed::Other,
    }
}
