//! How often the API may be called, and how often it may be called wrongly.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// Calls of the plain contract: per clock minute and per day of UTC.
const MINUTE_CALLS: u32 = 60;
const DAY_CALLS: u32 = 5_000;
/// Token calls of an app and user a day.
const TOKEN_CALLS: u32 = 200;
/// Errors of one endpoint within an hour; the next one blocks it for an hour.
const ERRORS: usize = 10;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What the headers say where nothing is limited: a client that waits at nought never waits.
const UNLIMITED: u32 = 1_000_000;

/// Which limits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limits {
    /// Those of the service: 60 a minute, 5,000 a day, 10 errors an hour, 200 token calls a day.
    #[default]
    Real,
    /// None, not for errors either.
    Off,
    /// Calls a minute and a day; errors and token calls as with [`Limits::Real`].
    Custom {
        /// Calls a clock minute.
        minute: u32,
        /// Calls a day of UTC.
        day: u32,
    },
}

impl Limits {
    fn minute(self) -> u32 {
        match self {
            Self::Real => MINUTE_CALLS,
            Self::Off => UNLIMITED,
            Self::Custom { minute, .. } => minute,
        }
    }

    fn day(self) -> u32 {
        match self {
            Self::Real => DAY_CALLS,
            Self::Off => UNLIMITED,
            Self::Custom { day, .. } => day,
        }
    }
}

/// A window that a limit counts in, or the errors of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Minute,
    Day,
    Errors,
}

/// Calls and errors so far.
pub(super) struct Meter {
    limits: Limits,
    minute: Window,
    day: Window,
    tokens: Window,
    errors: HashMap<String, Errors>,
}

#[derive(Default)]
struct Window {
    /// Its number since 1970.
    number: i64,
    calls: u32,
    /// Declared used up, whatever was called.
    exhausted: bool,
}

impl Window {
    fn turn(&mut self, number: i64) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
    }

    fn left(&self, limit: u32) -> u32 {
        if self.exhausted { 0 } else { limit.saturating_sub(self.calls) }
    }
}

#[derive(Default)]
struct Errors {
    times: VecDeque<Timestamp>,
    blocked_until: Option<Timestamp>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        let (minute, day, tokens) = (Window::default(), Window::default(), Window::default());
        Self { limits, minute, day, tokens, errors: HashMap::new() }
    }

    fn turn(&mut self, now: Timestamp) {
        self.minute.turn(now.as_second().div_euclid(60));
        self.day.turn(now.as_second().div_euclid(86_400));
        self.tokens.turn(now.as_second().div_euclid(86_400));
    }

    /// Counts a call of the API, or says which limit it hits; a call that is refused is not counted.
    pub(super) fn call(&mut self, resource: &str, now: Timestamp) -> Result<(), Hit> {
        self.turn(now);
        if self.is_blocked(resource, now) {
            return Err(Hit::Errors);
        }
        if self.day.left(self.limits.day()) == 0 {
            return Err(Hit::Day);
        }
        if self.minute.left(self.limits.minute()) == 0 {
            return Err(Hit::Minute);
        }
        self.day.calls += 1;
        self.minute.calls += 1;
        Ok(())
    }

    /// Counts a call of the token endpoint, which has a limit of its own.
    pub(super) fn token_call(&mut self, resource: &str, now: Timestamp) -> Result<(), Hit> {
        self.turn(now);
        if self.is_blocked(resource, now) {
            return Err(Hit::Errors);
        }
        self.tokens.calls += 1;
        if self.limits != Limits::Off && self.tokens.calls > TOKEN_CALLS {
            return Err(Hit::Errors);
        }
        Ok(())
    }

    fn is_blocked(&self, resource: &str, now: Timestamp) -> bool {
        self.errors.get(resource).and_then(|errors| errors.blocked_until).is_some_and(|until| now < until)
    }

    /// Counts an answer that was an error; the eleventh within an hour blocks the endpoint.
    pub(super) fn error(&mut self, resource: &str, now: Timestamp) {
        if self.limits == Limits::Off {
            return;
        }
        let errors = self.errors.entry(resource.to_owned()).or_default();
        errors.times.push_back(now);
        while errors.times.front().is_some_and(|first| now.duration_since(*first) >= HOUR) {
            errors.times.pop_front();
        }
        if errors.times.len() > ERRORS {
            errors.blocked_until = now.checked_add(HOUR).ok();
            errors.times.clear();
        }
    }

    /// Declares the current minute used up.
    pub(super) fn exhaust_minute(&mut self, now: Timestamp) {
        self.turn(now);
        self.minute.exhausted = true;
    }

    /// Declares the current day used up.
    pub(super) fn exhaust_day(&mut self, now: Timestamp) {
        self.turn(now);
        self.day.exhausted = true;
    }

    /// The headers of an answer: all six, or those of the window that was hit.
    pub(super) fn headers(&mut self, hit: Option<Hit>, now: Timestamp) -> Vec<(&'static str, String)> {
        self.turn(now);
        let minute = || {
            let reset = (self.minute.number + 1) * 60_000;
            let limit = self.limits.minute();
            [
                ("x-ratelimit-minutely-limit", limit.to_string()),
                ("x-ratelimit-minutely-remaining", self.minute.left(limit).to_string()),
                ("x-ratelimit-minutely-reset", reset.to_string()),
            ]
        };
        let day = || {
            let reset = (self.day.number + 1) * 86_400_000;
            let limit = self.limits.day();
            [
                ("x-ratelimit-limit", limit.to_string()),
                ("x-ratelimit-remaining", self.day.left(limit).to_string()),
                ("x-ratelimit-reset", reset.to_string()),
            ]
        };
        match hit {
            None => day().into_iter().chain(minute()).collect(),
            Some(Hit::Minute) => minute().into(),
            Some(Hit::Day) => day().into(),
            Some(Hit::Errors) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_minute_ends_on_the_clock() {
        let mut meter = Meter::new(Limits::Custom { minute: 2, day: 3 });
        let now = at("2026-01-02T10:00:59Z");
        assert_eq!(meter.call("a", now), Ok(()));
        assert_eq!(meter.call("a", now), Ok(()));
        assert_eq!(meter.call("a", now), Err(Hit::Minute));
        let headers = meter.headers(Some(Hit::Minute), now);
        assert_eq!(headers.len(), 3);
        assert_eq!(headers[2].1, at("2026-01-02T10:01:00Z").as_millisecond().to_string());
        let next = at("2026-01-02T10:01:00Z");
        assert_eq!(meter.call("a", next), Ok(()));
        assert_eq!(meter.call("a", next), Err(Hit::Day));
        assert_eq!(meter.call("a", at("2026-01-03T00:00:00Z")), Ok(()));
    }

    #[test]
    fn the_eleventh_error_blocks_its_endpoint_for_an_hour() {
        let mut meter = Meter::new(Limits::Real);
        let now = at("2026-01-02T10:00:00Z");
        for _ in 0..10 {
            meter.error("crm/Accounts", now);
        }
        assert_eq!(meter.call("crm/Accounts", now), Ok(()));
        meter.error("crm/Accounts", now);
        assert_eq!(meter.call("crm/Accounts", now), Err(Hit::Errors));
        assert_eq!(meter.call("logistics/Items", now), Ok(()));
        assert_eq!(meter.call("crm/Accounts", at("2026-01-02T11:00:00Z")), Ok(()));
    }
}
