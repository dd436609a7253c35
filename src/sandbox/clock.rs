//! Simulated time: both systems of the sandbox read it, tests and people move it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

/// A clock that starts where it is told, runs `rate` times as fast as the wall's, and can be moved.
///
/// Clones share one time. It can be set back as well as forward: what happens to tokens and limits
/// then is what happens to a server whose clock is corrected.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Mutex<Anchor>>,
    rate: u32,
}

/// The last moment at which simulated and real time were set against each other.
#[derive(Debug)]
struct Anchor {
    simulated: Timestamp,
    real: Instant,
}

impl Clock {
    /// A clock that shows `start` now and gains `rate` simulated seconds a second; 0 stands still.
    pub fn new(start: Timestamp, rate: u32) -> Self {
        let anchor = Anchor { simulated: start, real: Instant::now() };
        Self { shared: Arc::new(Mutex::new(anchor)), rate }
    }

    /// The simulated time; it stops at the ends of the calendar.
    pub fn now(&self) -> Timestamp {
        self.read(&self.lock())
    }

    /// Moves the clock by `step`, back when it is negative.
    pub fn advance(&self, step: SignedDuration) {
        let mut anchor = self.lock();
        let moved = add(self.read(&anchor), step);
        *anchor = Anchor { simulated: moved, real: Instant::now() };
    }

    /// Sets the clock; it goes on from `to`.
    pub fn set(&self, to: Timestamp) {
        *self.lock() = Anchor { simulated: to, real: Instant::now() };
    }

    /// How many simulated seconds pass in a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    fn read(&self, anchor: &Anchor) -> Timestamp {
        let real = SignedDuration::try_from(anchor.real.elapsed()).unwrap_or(SignedDuration::MAX);
        let rate = i32::try_from(self.rate).unwrap_or(i32::MAX);
        add(anchor.simulated, real.checked_mul(rate).unwrap_or(SignedDuration::MAX))
    }

    /// A thread that panicked while it held the lock cannot have left half a time behind.
    fn lock(&self) -> std::sync::MutexGuard<'_, Anchor> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(to: Timestamp, step: SignedDuration) -> Timestamp {
    let end = if step.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    to.checked_add(step).unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-01-02T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_clock_of_rate_nought_moves_only_when_told() {
        let clock = Clock::new(noon(), 0);
        let twin = clock.clone();
        clock.advance(SignedDuration::from_hours(1));
        assert_eq!(twin.now().to_string(), "2026-01-02T13:00:00Z");
        clock.set(noon());
        assert_eq!(twin.now(), noon());
    }

    #[test]
    fn a_fast_clock_gains() {
        let clock = Clock::new(noon(), 100_000);
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(clock.now() >= noon() + SignedDuration::from_secs(500));
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        let clock = Clock::new(Timestamp::MAX, 1);
        clock.advance(SignedDuration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
