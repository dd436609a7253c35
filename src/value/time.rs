//! Dates and moments as APIs write them: ISO 8601 with and without a zone, and `/Date(ms)/` of a wall clock.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// Why a text is no date or moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It does not look like one.
    #[error("is not written as a date")]
    Shape,
    /// There is no such day or hour.
    #[error("is a date that does not exist")]
    Nonexistent,
    /// It lacks a zone where one is needed.
    #[error("has no time zone")]
    NoZone,
}

/// The calendar date at the start of `2026-03-01` or `2026-03-01T10:00:00`; the time is checked and dropped.
pub fn date(text: &str) -> Result<Date, TimeError> {
    let (date, rest) = leading_date(text)?;
    match rest.strip_prefix(['T', ' ']) {
        None if rest.is_empty() => Ok(date),
        None => Err(TimeError::Shape),
        Some(rest) => leading_time(rest).map(|_| date),
    }
}

/// The moment of `2026-03-01T10:00:00Z` or with an offset; one without either is a wall clock's in `zone`.
pub fn instant(text: &str, zone: Option<&TimeZone>) -> Result<Timestamp, TimeError> {
    let (date, rest) = leading_date(text)?;
    let rest = rest.strip_prefix(['T', ' ']).ok_or(TimeError::Shape)?;
    let (time, rest) = leading_time(rest)?;
    let local = DateTime::from_parts(date, time);
    if rest.is_empty() {
        return in_zone(local, zone.ok_or(TimeError::NoZone)?);
    }
    let seconds = offset(rest)?;
    let offset = jiff::tz::Offset::from_seconds(seconds).map_err(|_| TimeError::Shape)?;
    offset.to_timestamp(local).map_err(|_| TimeError::Nonexistent)
}

/// A wall clock's time as a moment. In the hour that occurs twice, the first; one that is left out, an hour later.
fn in_zone(local: DateTime, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    zone.to_timestamp(local).map_err(|_| TimeError::Nonexistent)
}

/// The wall-clock time of `/Date(1700000000000)/`: the milliseconds count as if the clock showed UTC.
pub fn wall_clock(text: &str) -> Result<DateTime, TimeError> {
    let inner = text.strip_prefix("/Date(").and_then(|t| t.strip_suffix(")/")).ok_or(TimeError::Shape)?;
    let ms: i64 = inner.parse().map_err(|_| TimeError::Shape)?;
    let moment = Timestamp::from_millisecond(ms).map_err(|_| TimeError::Nonexistent)?;
    Ok(jiff::tz::Offset::UTC.to_datetime(moment))
}

/// The moment that a wall clock in `zone` means by `/Date(ms)/`.
pub fn wall_clock_instant(text: &str, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    in_zone(wall_clock(text)?, zone)
}

/// The calendar date of a moment in a zone.
pub fn date_in(moment: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(moment).date()
}

/// Appends `2026-03-01`.
pub fn write_date(date: Date, out: &mut Vec<u8>) {
    let year = date.year().unsigned_abs();
    if date.year() < 0 {
        out.push(b'-');
    }
    two(u32::from(year / 100), out);
    two(u32::from(year % 100), out);
    out.push(b'-');
    two(date.month().unsigned_abs().into(), out);
    out.push(b'-');
    two(date.day().unsigned_abs().into(), out);
}

/// Appends `2026-03-01T10:00:00`: whole seconds, no zone.
pub fn write_datetime(at: DateTime, out: &mut Vec<u8>) {
    write_date(at.date(), out);
    for (sign, n) in [(b'T', at.hour()), (b':', at.minute()), (b':', at.second())] {
        out.push(sign);
        two(n.unsigned_abs().into(), out);
    }
}

fn two(n: u32, out: &mut Vec<u8>) {
    let digit = |n: u32| b'0' + u8::try_from(n % 10).unwrap_or(0);
    out.extend_from_slice(&[digit(n / 10), digit(n)]);
}

fn leading_date(text: &str) -> Result<(Date, &str), TimeError> {
    let bytes = text.as_bytes();
    let (Some(head), true) = (bytes.get(..10), text.is_char_boundary(10)) else { return Err(TimeError::Shape) };
    if head[4] != b'-' || head[7] != b'-' {
        return Err(TimeError::Shape);
    }
    let year = digits(&head[..4])?;
    let (month, day) = (digits(&head[5..7])?, digits(&head[8..10])?);
    let small = |n: i16| i8::try_from(n).map_err(|_| TimeError::Shape);
    let date = Date::new(year, small(month)?, small(day)?).map_err(|_| TimeError::Nonexistent)?;
    Ok((date, &text[10..]))
}

/// `10:00`, `10:00:00`, `10:00:00.123`.
fn leading_time(text: &str) -> Result<(Time, &str), TimeError> {
    let bytes = text.as_bytes();
    let pair = |at: usize| bytes.get(at..at + 2).ok_or(TimeError::Shape).and_then(digits);
    if bytes.get(2) != Some(&b':') {
        return Err(TimeError::Shape);
    }
    let (hour, minute) = (pair(0)?, pair(3)?);
    let mut end = 5;
    let (mut second, mut nanosecond) = (0, 0);
    if bytes.get(5) == Some(&b':') {
        second = pair(6)?;
        end = 8;
        if bytes.get(8) == Some(&b'.') {
            let fraction: &[u8] = &bytes[9..];
            let count = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if count == 0 {
                return Err(TimeError::Shape);
            }
            nanosecond = (0..9).fold(0_i32, |n, at| {
                n * 10 + fraction.get(at).filter(|_| at < count).map_or(0, |b| i32::from(b - b'0'))
            });
            end = 9 + count;
        }
    }
    let small = |n: i16| i8::try_from(n).map_err(|_| TimeError::Shape);
    let time =
        Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond).map_err(|_| TimeError::Nonexistent)?;
    Ok((time, text.get(end..).ok_or(TimeError::Shape)?))
}

/// `Z`, `+02:00`, `+0200`, `-05`: seconds east of Greenwich.
fn offset(text: &str) -> Result<i32, TimeError> {
    let (sign, digits_text) = match text.as_bytes() {
        b"Z" | b"z" => return Ok(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return Err(TimeError::Shape),
    };
    let (hours, minutes) = match digits_text {
        [a, b] => (digits(&[*a, *b])?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
        _ => return Err(TimeError::Shape),
    };
    if hours > 23 || minutes > 59 {
        return Err(TimeError::Shape);
    }
    Ok(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60))
}

fn digits(bytes: &[u8]) -> Result<i16, TimeError> {
    bytes.iter().try_fold(0_i16, |n, b| {
        if b.is_ascii_digit() { Ok(n * 10 + i16::from(b - b'0')) } else { Err(TimeError::Shape) }
    })
}

/// Whether a span of time is so many days and nothing beside.
pub fn whole_days(d: jiff::SignedDuration) -> bool {
    d.subsec_nanos() == 0 && d.as_secs() % (24 * 60 * 60) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn iso_in_all_its_forms() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let at = |t: &str| instant(t, Some(&zone)).map(|t| t.to_string());
        assert_eq!(at("2026-03-01T10:00:00Z").unwrap(), "2026-03-01T10:00:00Z");
        assert_eq!(at("2026-03-01T10:00:00+02:00").unwrap(), "2026-03-01T08:00:00Z");
        assert_eq!(at("2026-07-01T10:00:00").unwrap(), "2026-07-01T08:00:00Z");
        assert_eq!(at("2026-03-01 10:00:00.5").unwrap(), "2026-03-01T09:00:00.5Z");
        assert_eq!(at("2026-02-30T10:00:00"), Err(TimeError::Nonexistent));
        assert_eq!(at("2026-03-01T25:00:00"), Err(TimeError::Nonexistent));
        assert_eq!(at("01-03-2026"), Err(TimeError::Shape));
        assert_eq!(instant("2026-03-01T10:00:00", None), Err(TimeError::NoZone));
        assert_eq!(date("2026-03-01").unwrap().to_string(), "2026-03-01");
        assert_eq!(date("2026-03-01T10:00:00").unwrap().to_string(), "2026-03-01");
        assert_eq!(date("2025-02-29"), Err(TimeError::Nonexistent));
    }

    #[test]
    fn milliseconds_are_of_a_wall_clock() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        assert_eq!(wall_clock("/Date(1767225600000)/").unwrap().to_string(), "2026-01-01T00:00:00");
        assert_eq!(wall_clock_instant("/Date(1767225600000)/", &zone).unwrap().to_string(), "2025-12-31T23:00:00Z");
        assert_eq!(wall_clock("/Date(x)/"), Err(TimeError::Shape));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,30}") {
            let _ = (date(&text), instant(&text, Some(&TimeZone::UTC)), wall_clock(&text));
        }

        #[test]
        fn dates_are_written_as_read(days in 0_i64..3_000_000) {
            let start = Date::new(1, 1, 1).unwrap();
            let day = start.checked_add(jiff::Span::new().days(days)).unwrap();
            let mut out = Vec::new();
            write_date(day, &mut out);
            prop_assert_eq!(date(std::str::from_utf8(&out).unwrap()).unwrap(), day);
        }
    }
}
