//! What the clocks said when a shop was last read. Its own may be set back: what changes then has times that lie before the
//! position, and would never be read.

use super::position::{civil, second_of};
use crate::connector::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// By so much two clocks may drift apart, or an answer may be late. What is read twice is more.
const DRIFT: SignedDuration = SignedDuration::from_mins(1);
/// So far a position is set back of which nobody can say how long ago it was reached.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A moment on all clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// The shop's calendar.
    theirs: Timestamp,
    /// Ours.
    ours: Timestamp,
    /// The clock that nobody can set, and its milliseconds.
    clock: String,
    ms: i64,
}

impl Noted {
    /// Now.
    pub(super) fn now(clock: &Clock) -> Self {
        let now = clock.as_of();
        let whole = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
        let (theirs, ours) = (whole(now.moment.theirs), whole(now.moment.ours));
        Self { theirs, ours, clock: now.reading.clock, ms: now.reading.ms }
    }

    /// As it was written; none where it was not.
    pub(super) fn read(text: &str) -> Option<Self> {
        let [theirs, ours, ms, clock] = text.splitn(4, ',').collect::<Vec<_>>().try_into().ok()?;
        let clock = percent_decode_str(clock).decode_utf8().ok()?.into_owned();
        Some(Self { theirs: second_of(theirs)?, ours: second_of(ours)?, clock, ms: ms.parse().ok()? })
    }

    /// As one word.
    pub(super) fn write(&self) -> String {
        let clock = utf8_percent_encode(&self.clock, NON_ALPHANUMERIC);
        format!("{},{},{},{clock}", civil(self.theirs), civil(self.ours), self.ms)
    }

    /// How much time has gone since an earlier moment: by the clock that nobody can set, or by our calendar, where the
    /// machine was started anew. None where even that went back.
    fn since(&self, earlier: &Self) -> Option<SignedDuration> {
        let gone = if earlier.clock == self.clock {
            SignedDuration::from_millis(self.ms.saturating_sub(earlier.ms))
        } else {
            self.ours.duration_since(earlier.ours)
        };
        (!gone.is_negative()).then_some(gone)
    }

    /// The position that leads to all that was written since it was reached; none where that is the position itself.
    /// Whenever the clock was set back meanwhile: what was written then has no earlier time than now, less what has gone.
    pub(super) fn set_back(&self, reached: Timestamp, then: Option<&Self>) -> Option<Timestamp> {
        let before = |gone: SignedDuration| self.theirs.checked_sub(gone).unwrap_or(Timestamp::MIN);
        let is_ahead = |time: Timestamp| time.duration_since(self.theirs) > DRIFT;
        let earliest = match then.and_then(|then| Some((then.theirs, self.since(then)?))) {
            Some((theirs, gone)) if theirs.duration_since(before(gone)) > DRIFT => before(gone),
            Some((_, gone)) if is_ahead(reached) => before(gone.max(DAY)),
            None if is_ahead(then.map_or(reached, |then| then.theirs.max(reached))) => before(DAY),
            Some(_) | None => return None,
        };
        (earliest < reached).then_some(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(theirs: &str, ours: &str, clock: &str, minutes: i64) -> Noted {
        let time = |text: &str| second_of(&format!("2026-07-15T{text}")).unwrap();
        Noted { theirs: time(theirs), ours: time(ours), clock: clock.into(), ms: minutes * 60_000 }
    }

    #[test]
    fn a_moment_comes_back_as_it_was_written() {
        let noted = at("12:00:00", "09:00:00", "boot 1-2 x,y=z", 7);
        assert!(!noted.write().contains([' ', '=']));
        assert_eq!(Noted::read(&noted.write()), Some(noted));
        assert_eq!(Noted::read("x"), None);
    }

    #[test]
    fn a_clock_that_was_set_back_leads_before_all_that_was_written_since() {
        let then = at("12:00:00", "12:00:00", "boot 1", 0);
        let reached = second_of("2026-07-15T11:30:00").unwrap();
        let back = |now: Noted, then: Option<&Noted>| now.set_back(reached, then).map(civil);
        // Nothing was set, or ours alone was.
        assert_eq!(back(at("14:00:00", "14:00:00", "boot 1", 120), Some(&then)), None);
        assert_eq!(back(at("14:00:00", "20:00:00", "boot 1", 120), Some(&then)), None);
        assert_eq!(back(at("11:59:30", "12:00:00", "boot 1", 0), Some(&then)), None, "they drift");
        // By three hours: an hour ago at the earliest it was nine; it may have run past the position by now.
        let set = |theirs, minutes| back(at(theirs, "12:00:00", "boot 1", minutes), Some(&then));
        assert_eq!(set("10:00:00", 60).as_deref(), Some("2026-07-15T09:00:00"));
        assert_eq!(set("14:00:00", 300).as_deref(), Some("2026-07-15T09:00:00"));
        // After a restart our calendar tells, if it can.
        assert_eq!(back(at("10:00:00", "13:00:00", "boot 2", 1), Some(&then)).as_deref(), Some("2026-07-15T09:00:00"));
        let day = Some("2026-07-14T10:00:00");
        assert_eq!(back(at("10:00:00", "09:00:00", "boot 2", 1), Some(&then)).as_deref(), day);
        assert_eq!(back(at("10:00:00", "13:00:00", "boot 1", 60), None).as_deref(), day);
        assert_eq!(back(at("11:45:00", "13:00:00", "boot 1", 60), None), None);
    }
}
