//! The shop's dates: local wall clock without offset, the same instant in UTC without `Z`, whole seconds.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

/// A date as a client sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// With `Z` or an offset: an instant.
    Instant(Timestamp),
    /// Without: read in the shop's zone, or in UTC where the client says so.
    Civil(DateTime),
}

/// Reads `2026-11-24T04:26:17`, with an optional `Z` or offset; a date alone is refused, as the shop does.
pub(crate) fn parse(text: &str) -> Option<Sent> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Sent::Instant(instant));
    }
    text.parse::<DateTime>().ok().map(Sent::Civil)
}

/// The instant of a date that a client sent.
pub(crate) fn instant(text: &str, zone: &TimeZone, gmt: bool) -> Option<Timestamp> {
    match parse(text)? {
        Sent::Instant(instant) => Some(instant),
        Sent::Civil(civil) => {
            let zone = if gmt { TimeZone::UTC } else { zone.clone() };
            zone.to_timestamp(civil).ok()
        }
    }
}

/// An instant as the members `date_x` and `date_x_gmt` show it.
pub(crate) fn pair(instant: Timestamp, zone: &TimeZone) -> (String, String) {
    let instant = instant.round(Unit::Second).unwrap_or(instant);
    (show(instant, zone), show(instant, &TimeZone::UTC))
}

fn show(instant: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Seconds since 1970 of a `…_gmt` member.
pub(crate) fn seconds(gmt: &str) -> Option<i64> {
    instant(gmt, &TimeZone::UTC, true).map(Timestamp::as_second)
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
        assert_eq!(parse("2026-07-01"), None);
        assert_eq!(parse("yesterday"), None);
    }
}
