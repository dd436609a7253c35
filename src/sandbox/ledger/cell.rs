//! One value of a row: what the API's types hold, and how it is written on the wire.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

use super::schema::Kind;

/// Numbers beyond this are refused at the door, so that no product of two of them leaves a decimal.
const NUMBER_MAX: i64 = 1_000_000_000_000;

/// The ledger's clock on the wall: its times are local and carry no offset.
static ZONE: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::get("Europe/Amsterdam").expect("the zones are part of the program"));

/// A value as it is held.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Number(Decimal),
    Text(Box<str>),
    Guid(Uuid),
    /// Milliseconds since 1970 of the local wall clock, read as if it were UTC.
    Time(i64),
}

/// What equality compares: texts without case and without blanks at the end, as the database does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Text(Box<str>),
    Guid(Uuid),
    Int(i64),
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() { Self::Null } else { Self::Text(text.into()) }
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The form that indexes compare; `None` for what they do not hold.
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::Text(text) => Some(Key::Text(fold(text).into())),
            Self::Guid(guid) => Some(Key::Guid(*guid)),
            Self::Int(number) => Some(Key::Int(*number)),
            Self::Number(number) if number.is_integer() => i64::try_from(*number).ok().map(Key::Int),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Time(_) => None,
        }
    }

    /// The number, of either numeric form.
    pub(super) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Int(number) => Some(Decimal::from(*number)),
            Self::Number(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Guid(_) | Self::Time(_) => None,
        }
    }

    /// The value that a request sent for a property, or `None` if its type cannot take it.
    ///
    /// The service converts between numbers and texts both ways, and so does this.
    pub(super) fn from_json(kind: Kind, value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(Self::Null);
        }
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        match kind {
            Kind::Text | Kind::Binary => Some(Self::text(&text)),
            Kind::Guid => guid(&text).map(Self::Guid),
            Kind::Int16 => whole(&text, i64::from(i16::MIN), i64::from(i16::MAX)),
            Kind::Int32 => whole(&text, i64::from(i32::MIN), i64::from(i32::MAX)),
            Kind::Int64 => whole(&text, i64::MIN, i64::MAX),
            Kind::Byte => match text.as_str() {
                "true" => Some(Self::Int(1)),
                "false" => Some(Self::Int(0)),
                _ => whole(&text, 0, 255),
            },
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(Self::Bool(true)),
                "false" | "0" => Some(Self::Bool(false)),
                _ => None,
            },
            Kind::Double => number(&text).filter(|n| n.abs() <= Decimal::from(NUMBER_MAX)).map(Self::Number),
            Kind::DateTime => time(&text).map(Self::Time),
            Kind::Collection | Kind::Complex => None,
        }
    }

    /// The value in an answer of the API: dates as `/Date(…)/`, 64-bit integers as texts.
    pub(super) fn to_wire(&self, kind: Kind) -> Value {
        match self {
            Self::Time(millisecond) => Value::String(format!("/Date({millisecond})/")),
            Self::Int(number) if kind == Kind::Int64 => Value::String(number.to_string()),
            _ => self.to_plain(),
        }
    }

    /// The value for people and tests: dates in ISO form.
    pub(super) fn to_plain(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::from(*number),
            Self::Number(number) => json_number(*number),
            Self::Text(text) => Value::String(text.to_string()),
            Self::Guid(guid) => Value::String(guid.to_string()),
            Self::Time(millisecond) => Value::String(iso(*millisecond)),
        }
    }
}

/// A text as the database compares it.
pub(super) fn fold(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

/// The local wall clock at an instant, in a cell's milliseconds.
pub(super) fn wall_clock(now: Timestamp) -> i64 {
    let offset = ZONE.to_offset(now).seconds();
    now.as_millisecond() + i64::from(offset) * 1000
}

/// How far the wall clock is ahead of UTC, in seconds.
pub(super) fn offset_seconds(now: Timestamp) -> i32 {
    ZONE.to_offset(now).seconds()
}

/// Midnight of the day of a wall clock's time.
pub(super) fn day_of(millisecond: i64) -> i64 {
    millisecond - millisecond.rem_euclid(86_400_000)
}

/// The calendar day of a wall clock's time; the calendar's first day if it lies outside.
pub(super) fn date_of(millisecond: i64) -> Date {
    let instant = Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(instant).date()
}

/// Midnight of a calendar day.
pub(super) fn midnight(date: Date) -> i64 {
    TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, Timestamp::as_millisecond)
}

/// A day some days and months later, at midnight; the same day if the calendar ends before.
pub(super) fn later(millisecond: i64, months: i64, days: i64) -> i64 {
    let date = date_of(millisecond);
    let moved = date.checked_add(months.clamp(-1200, 1200).months());
    let moved = moved.and_then(|date| date.checked_add(days.clamp(-36_600, 36_600).days()));
    midnight(moved.unwrap_or(date))
}

/// A guid of 8-4-4-4-12 hexadecimal digits, in either case, without braces.
pub(super) fn guid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// A decimal number in plain or exponent form.
pub(super) fn number(text: &str) -> Option<Decimal> {
    let parsed = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(text));
    parsed.ok().map(|number| number.normalize())
}

/// A time in one of the forms that clients send; an offset is let pass and not applied, for the
/// service's times are those of its own wall clock.
pub(super) fn time(text: &str) -> Option<i64> {
    if let Some(inner) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        return inner.parse().ok();
    }
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        return Some(midnight(date));
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    let plain = match plain.rfind(['+', '-']) {
        Some(at) if at > 10 => &plain[..at],
        _ => plain,
    };
    let moment: DateTime = plain.parse().ok()?;
    TimeZone::UTC.to_timestamp(moment).ok().map(Timestamp::as_millisecond)
}

fn whole(text: &str, low: i64, high: i64) -> Option<Cell> {
    let number = number(text).filter(Decimal::is_integer)?;
    i64::try_from(number).ok().filter(|n| (low..=high).contains(n)).map(Cell::Int)
}

fn json_number(number: Decimal) -> Value {
    let text = number.normalize().to_string();
    text.parse::<serde_json::Number>().map_or(Value::Null, Value::Number)
}

fn iso(millisecond: i64) -> String {
    let instant = Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::UNIX_EPOCH);
    let moment = TimeZone::UTC.to_datetime(instant);
    let whole = moment.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    match millisecond.rem_euclid(1000) {
        0 => whole,
        rest => format!("{whole}.{rest:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_take_what_clients_send() {
        assert_eq!(Cell::from_json(Kind::Double, &json!("12.50")), Some(Cell::Number("12.5".parse().unwrap())));
        assert_eq!(Cell::from_json(Kind::Text, &json!(15)), Some(Cell::text("15")));
        assert_eq!(Cell::from_json(Kind::Int32, &json!(2.5)), None);
        assert_eq!(Cell::from_json(Kind::Guid, &json!("not a guid")), None);
        assert_eq!(Cell::from_json(Kind::Double, &json!(1e15)), None);
        let upper = json!("7C1D1F0E-3A52-4A5E-9D0B-0C5B3F1A1001");
        assert_eq!(Cell::from_json(Kind::Guid, &upper).unwrap().to_plain(), "7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a1001");
    }

    #[test]
    fn times_are_the_wall_clocks() {
        let forms = ["2026-01-31", "2026-01-31T00:00:00", "2026-01-31T00:00:00Z", "/Date(1769817600000)/"];
        for form in forms {
            assert_eq!(time(form), Some(1_769_817_600_000), "{form}");
        }
        let summer: Timestamp = "2026-07-01T10:00:00Z".parse().unwrap();
        assert_eq!(Cell::Time(wall_clock(summer)).to_plain(), "2026-07-01T12:00:00");
        assert_eq!(Cell::Time(1).to_wire(Kind::DateTime), "/Date(1)/");
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(Cell::Number("48.40".parse().unwrap()).to_plain().to_string(), "48.4");
        assert_eq!(Cell::Int(5).to_wire(Kind::Int64), "5");
    }
}
