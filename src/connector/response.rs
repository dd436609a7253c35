//! What the headers of an answer say about time: when it was given, and when to come back.

use super::http::Response;
use crate::limits;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AGE, DATE, RETRY_AFTER};

/// Dates of headers; a wrong day of the week is no reason not to read one.
const DATES: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

impl Response {
    /// The system's own time when it answered; an answer from a cache says how old it is.
    pub(super) fn date(&self) -> Option<Timestamp> {
        let date = DATES.parse_timestamp(self.text(DATE.as_str())?.trim()).ok()?;
        let age = self.text(AGE.as_str()).and_then(|text| text.trim().parse::<i64>().ok()).unwrap_or(0);
        date.checked_add(SignedDuration::from_secs(age.clamp(0, limits::RETRY_AFTER_SECONDS.1))).ok()
    }

    /// How long the system asks to wait: seconds, or a date of its own calendar; `now` is ours. Never nothing, and never
    /// longer than a day: a storm of calls helps nobody, and a wrong header is not obeyed for years.
    pub(super) fn retry_after(&self, now: Timestamp) -> Option<SignedDuration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let seconds = if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let most = if whole.starts_with('-') { i64::MIN } else { i64::MAX };
            whole.parse().unwrap_or(most)
        } else {
            let date = DATES.parse_timestamp(text).ok()?;
            date.duration_since(self.date().unwrap_or(now)).as_secs()
        };
        let (least, most) = limits::RETRY_AFTER_SECONDS;
        Some(SignedDuration::from_secs(seconds.clamp(least, most)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let response = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
            Response { status: 503, headers, body: String::new() }.retry_after(now)
        };
        let seconds = |text| response(text).map(|pause| pause.as_secs());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sun, 01 Mar 2026 12:05:00 GMT"), Some(300));
        for none in ["0", "-5", "0.4", "-99999999999999999999", "Sun, 01 Mar 2026 11:05:00 GMT"] {
            assert_eq!(seconds(none), Some(1), "{none} is no pause");
        }
        for long in ["86401", "99999999999999999999999", "Sun, 01 Mar 2126 12:05:00 GMT"] {
            assert_eq!(seconds(long), Some(86_400), "{long}");
        }
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds(""), None);
    }

    #[test]
    fn a_date_is_one_of_the_systems_calendar() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("Sun, 01 Mar 2026 10:00:30 GMT"));
        headers.insert(DATE, HeaderValue::from_static("Sun, 01 Mar 2026 09:58:00 GMT"));
        headers.insert(AGE, HeaderValue::from_static("120"));
        let response = Response { status: 429, headers, body: String::new() };
        assert_eq!(response.date(), Some("2026-03-01T10:00:00Z".parse().unwrap()));
        assert_eq!(
            response.retry_after(now).map(|pause| pause.as_secs()),
            Some(30),
            "its clock is two hours behind ours"
        );
    }
}
