//! What a connection may still call: a short and a long window, and errors per route. One for all flows of a connection.
//!
//! Whoever calls waits here for a turn, first come, first served. A turn that is too far off is refused, so that the
//! pass can end in good order instead of hanging.

use super::CallError;
use super::clock::Clock;
use super::http::{Effect, later};
use crate::limits;
use crate::store::{Budget as Kept, RouteErrors, Store, Window};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Errors of a route that are left unused: others count with us, and a person may want to try something.
const ERRORS_RESERVE: u32 = 2;
/// Calls after which what was used is kept: the headers of the first answer after a start correct what was missed.
const KEEP_EVERY: u32 = 10;
/// Most routes whose errors are kept in mind; the quietest go.
const ROUTES_MAX: usize = 200;

/// What an API allows, from its declaration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowance {
    /// Calls in the short window.
    pub(super) minute: Option<u32>,
    /// Calls in the long window.
    pub(super) day: Option<u32>,
    /// Errors an hour on one route.
    pub(super) errors: Option<u32>,
    /// Good answers tell what is left. One that tells nothing then means that there is no limit.
    pub(super) told: bool,
}

/// What an answer said about the windows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) minute: Option<Window>,
    pub(super) day: Option<Window>,
}

/// The budget of a connection.
pub(super) struct Budget {
    system: Arc<str>,
    clock: Arc<Clock>,
    store: Arc<dyn Store>,
    allowed: Allowance,
    /// Held while waiting: a fair queue.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    loaded: OnceCell<()>,
}

#[derive(Default)]
struct State {
    kept: Kept,
    /// A good answer came without a word of limits: this system has none, whatever its declaration says.
    unlimited: bool,
    since_kept: u32,
}

/// What the state says to one who wants to call.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Now,
    At(Timestamp, &'static str),
    Never(Timestamp, String),
}

impl Budget {
    pub(super) fn new(system: Arc<str>, clock: Arc<Clock>, store: Arc<dyn Store>, allowed: Allowance) -> Self {
        Self {
            system,
            clock,
            store,
            allowed,
            queue: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
            loaded: OnceCell::new(),
        }
    }

    /// A turn to call this route. A read waits for it; a write is put off, since its caller notes when it is sent.
    pub(super) async fn turn(&self, route: &str, effect: Effect) -> Result<(), CallError> {
        self.clock.refresh().await;
        self.loaded.get_or_try_init(|| self.load()).await?;
        let _first_in_line = match effect {
            Effect::Read => Some(self.queue.lock().await),
            Effect::Write => None,
        };
        let began = self.clock.now();
        loop {
            let now = self.clock.now();
            let turn = self.state().turn(self.allowed, route, now);
            match turn {
                Turn::Now => break,
                Turn::At(then, reason) if effect == Effect::Read && then <= later(began, limits::TURN_SECONDS_MAX) => {
                    self.clock.sleep_until(then, reason).await;
                }
                Turn::At(until, reason) => return Err(self.later(until, reason.to_owned())),
                Turn::Never(until, reason) => return Err(self.later(until, reason)),
            }
        }
        let keep = self.state().keep_now();
        self.keep(keep).await
    }

    /// Takes note of what an answer said.
    pub(super) async fn heard(&self, route: &str, status: u16, said: Said) -> Result<(), CallError> {
        let now = self.clock.now();
        let counted = matches!(status, 400..=500) && status != 429;
        let keep = {
            let mut state = self.state();
            if self.allowed.told && (200..300).contains(&status) {
                state.unlimited = said == Said::default();
            }
            state.correct(said);
            if counted {
                state.count(route, now);
            }
            (counted || status == 429).then(|| state.kept.clone())
        };
        self.keep(keep).await
    }

    /// When the window that was hit opens again: the answer was 429.
    pub(super) fn reopens(&self, route: &str, said: &Said) -> (Timestamp, String) {
        let now = self.clock.now();
        let spent = |window: &Option<Window>| window.as_ref().filter(|w| w.left == 0).map(|w| w.resets);
        if let Some(at) = spent(&said.day) {
            return (at.max(now), "its calls of this day are used up".to_owned());
        }
        if let Some(at) = spent(&said.minute) {
            return (at.max(now), "its calls of this minute are used up".to_owned());
        }
        let errors = self.state().errors(route, now);
        if errors >= self.allowed.errors.unwrap_or(u32::MAX).saturating_sub(ERRORS_RESERVE) {
            return (later(now, 3600), format!("it has closed {route} for an hour, after too many errors there"));
        }
        (later(now, 60), "it gets too many calls".to_owned())
    }

    fn later(&self, until: Timestamp, reason: String) -> CallError {
        CallError::Later { system: self.system.to_string(), until, reason }
    }

    async fn load(&self) -> Result<(), CallError> {
        let kept = self.store.budget(&self.system).await.map_err(|e| self.store_failed(&e))?;
        if let Some(kept) = kept {
            self.state().kept = kept;
        }
        Ok(())
    }

    async fn keep(&self, kept: Option<Kept>) -> Result<(), CallError> {
        match kept {
            Some(kept) => self.store.put_budget(&self.system, &kept).await.map_err(|e| self.store_failed(&e)),
            None => Ok(()),
        }
    }

    /// Without memory nothing may be called: limits and errors would be counted from nought.
    fn store_failed(&self, error: &crate::store::StoreError) -> CallError {
        self.later(later(self.clock.now(), 60), format!("what it allows cannot be kept: {error}"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of the state is one assignment after all sums are done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// May this route be called now? If so, the call is counted.
    fn turn(&mut self, allowed: Allowance, route: &str, now: Timestamp) -> Turn {
        if let Some(most) = allowed.errors.map(|errors| errors.saturating_sub(ERRORS_RESERVE)) {
            let hour_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
            let of_route = self.kept.errors.iter_mut().find(|errors| errors.route == route);
            if let Some(errors) = of_route {
                errors.at.retain(|at| *at > hour_ago && *at <= now);
                if errors.at.len() >= most.max(1) as usize {
                    let until = errors.at.iter().min().map_or(now, |first| later(*first, 3600));
                    let count = errors.at.len();
                    let reason = format!(
                        "{route} has refused {count} calls in an hour and would close after some more; look at the parked records first"
                    );
                    return Turn::Never(until, reason);
                }
            }
        }
        if self.unlimited {
            return Turn::Now;
        }
        if let Some(most) = allowed.day {
            let end = next(now, 86_400);
            let day = current(&mut self.kept.day, most, end, 86_400, now);
            if day.left == 0 {
                return Turn::At(day.resets, "its calls of this day are used up");
            }
        }
        if let Some(most) = allowed.minute {
            let minute = current(&mut self.kept.minute, most, next(now, 60), 60, now);
            if minute.left == 0 {
                return Turn::At(minute.resets, "its calls of this minute are used up");
            }
        }
        for window in [&mut self.kept.minute, &mut self.kept.day].into_iter().flatten() {
            window.left = window.left.saturating_sub(1);
        }
        self.since_kept += 1;
        Turn::Now
    }

    /// The system's own count, where it is the lower one: calls of ours may still be under way.
    fn correct(&mut self, said: Said) {
        let pairs = [(&mut self.kept.minute, said.minute), (&mut self.kept.day, said.day)];
        for (ours, theirs) in pairs {
            let Some(theirs) = theirs else { continue };
            match ours {
                Some(ours) if ours.resets == theirs.resets && ours.limit == theirs.limit => {
                    ours.left = ours.left.min(theirs.left);
                }
                Some(ours) if ours.resets > theirs.resets => {}
                Some(_) | None => *ours = Some(theirs),
            }
        }
    }

    fn count(&mut self, route: &str, now: Timestamp) {
        match self.kept.errors.iter_mut().find(|errors| errors.route == route) {
            Some(errors) => errors.at.push(now),
            None => self.kept.errors.push(RouteErrors { route: route.to_owned(), at: vec![now] }),
        }
        if self.kept.errors.len() > ROUTES_MAX {
            self.kept.errors.sort_by_key(|errors| std::cmp::Reverse(errors.at.last().copied()));
            self.kept.errors.truncate(ROUTES_MAX / 2);
        }
    }

    fn errors(&self, route: &str, now: Timestamp) -> u32 {
        let hour_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
        let of_route = self.kept.errors.iter().find(|errors| errors.route == route);
        let count = of_route.map_or(0, |errors| errors.at.iter().filter(|at| **at > hour_ago).count());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn keep_now(&mut self) -> Option<Kept> {
        if self.since_kept < KEEP_EVERY {
            return None;
        }
        self.since_kept = 0;
        Some(self.kept.clone())
    }
}

/// The window that is open now; a new one when the last has passed, or the clock was set back far before it.
fn current(window: &mut Option<Window>, limit: u32, end: Timestamp, length: i64, now: Timestamp) -> &mut Window {
    let open = window.as_ref().is_some_and(|w| w.resets > now && w.resets <= later(now, 2 * length));
    if !open {
        // What the system told of its limit outlives the window.
        let limit = window.as_ref().map_or(limit, |w| w.limit);
        *window = Some(Window { limit, left: limit, resets: end });
    }
    window.as_mut().expect("it has just been filled")
}

/// The end of the window of this many seconds: windows end on the clock's minute and on the day of UTC.
fn next(now: Timestamp, length: i64) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(length) + length).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    const REAL: Allowance = Allowance { minute: Some(3), day: Some(5), errors: Some(10), told: true };

    #[test]
    fn a_minute_has_its_calls_and_then_the_next_begins() {
        let mut state = State::default();
        let now = time("2026-03-01T12:00:20Z");
        for _ in 0..3 {
            assert_eq!(state.turn(REAL, "a", now), Turn::Now);
        }
        let next_minute = time("2026-03-01T12:01:00Z");
        assert_eq!(state.turn(REAL, "a", now), Turn::At(next_minute, "its calls of this minute are used up"));
        assert_eq!(state.turn(REAL, "a", next_minute), Turn::Now);
        assert_eq!(state.turn(REAL, "a", next_minute), Turn::Now);
        let tomorrow = time("2026-03-02T00:00:00Z");
        assert_eq!(state.turn(REAL, "a", next_minute), Turn::At(tomorrow, "its calls of this day are used up"));
    }

    #[test]
    fn the_systems_count_wins_where_it_is_lower() {
        let mut state = State::default();
        let now = time("2026-03-01T12:00:20Z");
        let resets = time("2026-03-01T12:01:00Z");
        assert_eq!(state.turn(REAL, "a", now), Turn::Now);
        let said = |left| Said { minute: Some(Window { limit: 3, left, resets }), day: None };
        state.correct(said(2));
        assert_eq!(state.kept.minute.as_ref().unwrap().left, 2);
        state.correct(said(0));
        assert!(matches!(state.turn(REAL, "a", now), Turn::At(..)));
        state.correct(said(2));
        assert!(matches!(state.turn(REAL, "a", now), Turn::At(..)), "an older answer gives nothing back");
    }

    #[test]
    fn errors_of_a_route_close_it_before_the_system_does() {
        let mut state = State::default();
        let free = Allowance { minute: None, day: None, ..REAL };
        let start = time("2026-03-01T12:00:00Z");
        for n in 0..8 {
            assert_eq!(state.turn(free, "a", later(start, n)), Turn::Now);
            state.count("a", later(start, n));
        }
        let turn = state.turn(free, "a", later(start, 60));
        assert!(matches!(&turn, Turn::Never(until, _) if *until == later(start, 3600)), "{turn:?}");
        assert_eq!(state.turn(free, "b", later(start, 60)), Turn::Now);
        assert_eq!(state.turn(free, "a", later(start, 3601)), Turn::Now);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_close_the_door() {
        let mut state = State::default();
        let late = time("2026-03-05T12:00:20Z");
        for _ in 0..3 {
            state.turn(REAL, "a", late);
        }
        assert_eq!(state.turn(REAL, "a", time("2026-03-01T12:00:20Z")), Turn::Now);
    }
}
