//! The shop's dates: local wall clock without offset, the same instant in UTC without `Z`, whole seconds; and how PHP
//! reads a date that a client sends, which decides what a date filter finds.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, Unit};

/// Bytes of `2026-11-24T04:26:17`.
const DIGITS: usize = 19;

/// A date as a client sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    digits: DateTime,
    offset: Option<Offset>,
    /// `T`, no fraction, and a zone written as `Z` or `±HH:MM`: the only form whose zone the orders' own tables heed.
    exact: bool,
}

/// Reads `2026-11-24T04:26:17`, with an optional fraction and `Z`, `±HH:MM` or `±HH`; all else is refused, as WordPress does.
pub(crate) fn parse(text: &str) -> Option<Sent> {
    let (head, tail) = text.split_at_checked(DIGITS)?;
    let separator = head.as_bytes()[10];
    let shape = head.bytes().zip("0000-00-00T00:00:00".bytes());
    let well = shape.enumerate().all(|(at, (byte, wanted))| match wanted {
        b'0' => byte.is_ascii_digit(),
        b'T' => at == 10 && matches!(byte, b'T' | b't' | b' '),
        _ => byte == wanted,
    });
    let zone = match tail.strip_prefix('.') {
        Some(rest) => {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            rest.get(digits..).filter(|_| digits > 0)?
        }
        None => tail,
    };
    let digits = digits(head).filter(|_| well)?;
    let exact = separator == b'T' && zone.len() == tail.len() && matches!(zone.len(), 1 | 6);
    let offset = if zone.is_empty() { None } else { Some(offset(zone)?) };
    Some(Sent { digits, offset, exact })
}

/// The wall clock that PHP reads: days and hours past the end of theirs go over into the next, months do not.
fn digits(head: &str) -> Option<DateTime> {
    let number = |from: usize, to: usize| head.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if month > 12 || day > 31 || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let date = first.checked_add((month - 1).months()).ok()?.checked_add((day - 1).days()).ok()?;
    let seconds = SignedDuration::from_secs(hour * 3600 + minute * 60 + second);
    date.to_datetime(jiff::civil::Time::midnight()).checked_add(seconds).ok()
}

/// What a zone says; none where it cannot be read.
fn offset(zone: &str) -> Option<Offset> {
    let (sign, rest) = match zone {
        "Z" => return Some(Offset::UTC),
        _ if zone.starts_with('+') => (1, &zone[1..]),
        _ if zone.starts_with('-') => (-1, &zone[1..]),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let two = |text: &str| {
        let well = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| well)
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

impl Sent {
    /// What the orders' own tables compare with their UTC column where no flag says GMT, seconds since 1970.
    ///
    /// Only the exact form keeps its zone; of any other the digits in UTC are read as the shop's.
    pub(crate) fn in_order_tables(&self, zone: &TimeZone) -> i64 {
        let meant = self.offset.map_or_else(|| utc_seconds(self.digits), |offset| before(self.digits, offset));
        if self.exact { meant } else { resolve(civil(meant), zone) }
    }

    /// The digits that WordPress compares with a column of posts, or with the GMT column where a flag says so: always
    /// those of the shop's wall clock, as seconds since 1970.
    pub(crate) fn in_posts(&self, zone: &TimeZone) -> i64 {
        let meant = self.offset.map_or_else(|| resolve(self.digits, zone), |offset| before(self.digits, offset));
        let instant = Timestamp::from_second(meant).unwrap_or_default();
        utc_seconds(zone.to_datetime(instant))
    }
}

fn before(digits: DateTime, offset: Offset) -> i64 {
    utc_seconds(digits) - i64::from(offset.seconds())
}

/// A wall clock as if it hung in Greenwich, seconds since 1970.
fn utc_seconds(digits: DateTime) -> i64 {
    TimeZone::UTC.to_timestamp(digits).map_or(i64::MAX, Timestamp::as_second)
}

fn civil(seconds: i64) -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).unwrap_or_default())
}

/// The instant of a wall clock, seconds since 1970, as PHP finds it.
///
/// A time that a gap leaves out is an hour later. One that comes twice is the second where the zone then lies at or east
/// of Greenwich, else the first: PHP looks up the offset by reading the digits as UTC.
fn resolve(digits: DateTime, zone: &TimeZone) -> i64 {
    let offset = match zone.to_ambiguous_timestamp(digits).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset,
        AmbiguousOffset::Gap { before, .. } => before,
        AmbiguousOffset::Fold { before, after } => {
            if after.seconds() >= 0 {
                after
            } else {
                before
            }
        }
    };
    before(digits, offset)
}

/// The instant of a stored date without a zone: read in the shop's zone, or in UTC.
pub(crate) fn instant(text: &str, zone: &TimeZone, gmt: bool) -> Option<Timestamp> {
    let sent = parse(text)?;
    let seconds = match sent.offset {
        Some(offset) => before(sent.digits, offset),
        None if gmt => utc_seconds(sent.digits),
        None => resolve(sent.digits, zone),
    };
    Timestamp::from_second(seconds).ok()
}

/// An instant as the members `date_x` and `date_x_gmt` show it.
pub(crate) fn pair(instant: Timestamp, zone: &TimeZone) -> (String, String) {
    let instant = instant.round(Unit::Second).unwrap_or(instant);
    (show(instant, zone), show(instant, &TimeZone::UTC))
}

fn show(instant: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The digits of a stored date as if its clock hung in Greenwich, seconds since 1970: the instant, of a `…_gmt` member.
pub(crate) fn seconds(digits: &str) -> Option<i64> {
    instant(digits, &TimeZone::UTC, true).map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_utc() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let instant_ = instant("2026-07-03T00:15:00", &zone, false).unwrap();
        assert_eq!(pair(instant_, &zone), ("2026-07-03T00:15:00".to_owned(), "2026-07-02T22:15:00".to_owned()));
        assert_eq!(
            instant("2026-07-02T22:15:00+05:00", &zone, false).unwrap().as_second() + 18_000,
            instant_.as_second()
        );
        for refused in ["2026-07-01", "yesterday", "2026-13-01T00:00:00", "2026-07-01T25:00:00", "2026-07-01T00:00:00."]
        {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }

    #[test]
    fn days_past_the_end_of_a_month_go_on_as_in_php() {
        let seconds = |text: &str| seconds(text).unwrap();
        assert_eq!(seconds("2026-02-30T00:00:00"), seconds("2026-03-02T00:00:00"));
        assert_eq!(seconds("2026-02-28T24:00:00"), seconds("2026-03-01T00:00:00"));
    }
}
