//! A window of a limit: so many calls until it ends. It ends by a clock that nobody can set; what a system says of it, and
//! what is kept of it, stands in calendars, and is believed only as far as it can be true.

use super::clock::Moment;
use crate::store::Window;
use jiff::Timestamp;

/// Milliseconds by which two answers about one window may differ: a system tells its time in whole seconds, and an answer
/// is on its way for a while.
const ABOUT_MS: i64 = 5_000;

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Minute,
    Day,
}

impl Length {
    pub(super) fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Day => 86_400,
        }
    }

    fn ms(self) -> i64 {
        self.seconds() * 1_000
    }

    /// Milliseconds until the window ends that is open then: windows end on the minute and on the day of UTC.
    fn left_of(self, date: Timestamp) -> i64 {
        self.ms() - date.as_millisecond().rem_euclid(self.ms())
    }
}

/// What an answer said about the windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) minute: Option<Window>,
    pub(super) day: Option<Window>,
    /// It spoke of limits, be it in a way that cannot be true.
    pub(super) mentioned: bool,
}

/// A window that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) limit: u32,
    pub(super) left: u32,
    /// Milliseconds of the clock that nobody can set.
    pub(super) ends: i64,
    /// The system has told of it; else it is our guess.
    told: bool,
}

impl Open {
    /// The window that must be open now, as far as we know.
    fn guessed(limit: u32, length: Length, now: Moment) -> Self {
        Self { limit, left: limit, ends: now.ms + length.left_of(now.theirs), told: false }
    }

    /// The window that an answer tells of. One that has ended is none, and none lasts longer than it can.
    fn told(said: &Window, length: Length, now: Moment) -> Option<Self> {
        let away = said.resets.as_millisecond().saturating_sub(now.theirs.as_millisecond());
        if away <= 0 || said.limit == 0 {
            return None;
        }
        let away = if away > length.ms() + ABOUT_MS { length.left_of(now.theirs) } else { away };
        Some(Self { limit: said.limit, left: said.left.min(said.limit), ends: now.ms + away, told: true })
    }

    /// The window that was kept. One that lasts longer than it can was kept by another calendar: it counts for nothing,
    /// and the next answer tells.
    pub(super) fn kept(kept: &Window, length: Length, now: Moment) -> Option<Self> {
        let away = kept.resets.as_millisecond().saturating_sub(now.ours.as_millisecond());
        let possible = away > 0 && away <= length.ms();
        possible.then(|| Self { limit: kept.limit, left: kept.left.min(kept.limit), ends: now.ms + away, told: false })
    }

    /// As it is kept.
    pub(super) fn keep(&self, now: Moment) -> Window {
        Window { limit: self.limit, left: self.left, resets: now.ours_at(self.ends) }
    }

    fn is_open(&self, length: Length, now: Moment) -> bool {
        // A clock that was set back, a sandbox's, has opened another.
        self.ends > now.ms && self.ends <= now.ms + length.ms() + ABOUT_MS
    }
}

/// The window that is open now: a new one where the last has ended.
pub(super) fn current(window: &mut Option<Open>, limit: u32, length: Length, now: Moment) -> &mut Open {
    if !window.as_ref().is_some_and(|window| window.is_open(length, now)) {
        // What the system told of its limit outlives the window.
        let limit = window.as_ref().map_or(limit, |window| window.limit);
        *window = Some(Open::guessed(limit, length, now));
    }
    window.as_mut().expect("it has just been filled")
}

/// Takes over what an answer said.
pub(super) fn correct(ours: &mut Option<Open>, said: &Window, length: Length, now: Moment) {
    let Some(theirs) = Open::told(said, length, now) else { return };
    match ours {
        // The lower count: calls of ours may still be under way.
        Some(ours) if (ours.ends - theirs.ends).abs() <= ABOUT_MS && ours.limit == theirs.limit => {
            ours.left = ours.left.min(theirs.left);
            ours.ends = theirs.ends;
            ours.told = true;
        }
        // A window that was told of later is the newer one; a guess, or what cannot be, gives way to the system's word.
        Some(ours)
            if ours.told
                && ours.ends > theirs.ends
                && theirs.ends <= now.ms + ABOUT_MS
                && ours.is_open(length, now) => {}
        Some(_) | None => *ours = Some(theirs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// A moment at which the system's calendar says this, and ours that.
    fn moment(ms: i64, theirs: &str, ours: &str) -> Moment {
        Moment { ms, ours: time(ours), theirs: time(theirs) }
    }

    fn noon() -> Moment {
        moment(1_000_000, "2026-03-01T12:00:20Z", "2026-03-01T12:00:20Z")
    }

    fn said(left: u32, resets: &str) -> Window {
        Window { limit: 60, left, resets: time(resets) }
    }

    #[test]
    fn what_cannot_be_is_bounded() {
        let ends = |resets: &str, length| Open::told(&said(0, resets), length, noon()).map(|w| w.ends - noon().ms);
        assert_eq!(ends("2026-03-01T12:01:00Z", Length::Minute), Some(40_000));
        assert_eq!(ends("2126-03-01T12:01:00Z", Length::Minute), Some(40_000), "a hundred years are a minute");
        assert_eq!(ends("2126-03-01T12:01:00Z", Length::Day), Some(43_180_000), "and at most the rest of the day");
        assert_eq!(ends("2026-03-01T12:00:00Z", Length::Minute), None, "what has ended holds nobody up");
        assert_eq!(ends("-000001-03-01T12:00:00Z", Length::Day), None);
        let more = Window { limit: 60, left: 4_000, resets: time("2026-03-01T12:01:00Z") };
        assert_eq!(Open::told(&more, Length::Minute, noon()).unwrap().left, 60);
        let none = Window { limit: 0, left: 0, resets: time("2026-03-01T12:01:00Z") };
        assert_eq!(
            Open::told(&none, Length::Minute, noon()),
            None,
            "a limit of nothing is no limit that one could keep"
        );
    }

    #[test]
    fn a_systems_window_is_told_by_its_own_calendar() {
        // Ours is a day ahead; forty seconds of theirs are forty seconds.
        let now = moment(5_000, "2026-03-01T12:00:20Z", "2026-03-02T12:00:20Z");
        assert_eq!(Open::told(&said(0, "2026-03-01T12:01:00Z"), Length::Minute, now).unwrap().ends, 45_000);
        let mut ours = None;
        current(&mut ours, 60, Length::Day, now);
        correct(&mut ours, &said(3, "2026-03-02T00:00:00Z"), Length::Day, now);
        assert_eq!(ours.as_ref().map(|w| w.left), Some(3));
    }

    #[test]
    fn a_guess_gives_way_and_an_older_answer_gives_nothing_back() {
        let now = noon();
        let mut ours = Some(Open { limit: 60, left: 0, ends: now.ms + 80_000_000, told: false });
        correct(&mut ours, &said(7, "2026-03-01T12:01:00Z"), Length::Day, now);
        assert_eq!(ours.as_ref().map(|w| (w.left, w.ends)), Some((7, now.ms + 40_000)));
        correct(&mut ours, &said(9, "2026-03-01T12:01:00Z"), Length::Day, now);
        assert_eq!(ours.as_ref().map(|w| w.left), Some(7));
        // The window after it is told of, and then an answer that took its time.
        let after = moment(now.ms + 39_000, "2026-03-01T12:00:59Z", "2026-03-01T12:00:59Z");
        correct(&mut ours, &said(58, "2026-03-01T12:02:00Z"), Length::Minute, after);
        assert_eq!(ours.as_ref().map(|w| w.left), Some(58));
        correct(&mut ours, &said(0, "2026-03-01T12:01:00Z"), Length::Minute, after);
        assert_eq!(ours.as_ref().map(|w| w.left), Some(58));
    }

    #[test]
    fn what_was_kept_by_another_calendar_counts_for_nothing() {
        let now = noon();
        let open = |resets: &str| Open::kept(&said(0, resets), Length::Day, now).map(|w| w.ends - now.ms);
        assert_eq!(open("2026-03-02T00:00:00Z"), Some(43_180_000));
        assert_eq!(open("2026-03-03T00:00:00Z"), None, "set back by a day: the day that was used up is over");
        assert_eq!(open("2026-03-01T00:00:00Z"), None);
    }
}
