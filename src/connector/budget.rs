//! What a connection may still call: a short and a long window, and errors per route. One for all flows of a connection.
//!
//! Whoever calls waits here for a turn, first come, first served. A turn that is too far off is refused, so that the
//! pass can end in good order instead of hanging. A system that was called too often is left alone by all callers.

use super::clock::{AsOf, Clock, Moment};
use super::http::{Effect, Response};
use super::window::{Length, Open, Said, correct, current};
use super::{CallError, Left};
use crate::limits;
use crate::store::{Budget as Kept, RouteErrors, Store};
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Errors of a route that are left unused: others count with us, and a person may want to try something.
const ERRORS_RESERVE: u32 = 2;
/// Calls after which what was used is kept: the headers of the first answer after a start correct what was missed.
const KEEP_EVERY: u32 = 10;
/// Most routes whose errors are kept in mind; the quietest go.
const ROUTES_MAX: usize = 200;
/// How long errors of a route count, milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Milliseconds after which a system is called again that was called too often and does not say when.
const HELD_MS: i64 = 60_000;
/// Shortest and longest pause after which it is called again at all, milliseconds: each further answer of the kind doubles it.
const PAUSE_MS: (i64, i64) = (limits::RETRY_AFTER_SECONDS.0 * 1_000, 64_000);

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

/// The budget of a connection.
pub(super) struct Budget {
    system: Arc<str>,
    clock: Arc<Clock>,
    store: Arc<dyn Store>,
    allowed: Allowance,
    /// Held while waiting: a fair queue.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<BudgetState>,
    loaded: OnceCell<()>,
}

/// All times are milliseconds of the clock that nobody can set.
#[derive(Default)]
struct BudgetState {
    minute: Option<Open>,
    day: Option<Open>,
    errors: Vec<Errors>,
    /// It was called too often: nobody calls it before then.
    held: Option<(i64, String)>,
    /// How often in a row it said so, where nothing of ours was under way any more.
    storm: u32,
    /// A good answer came without a word of limits: this system has none, whatever its declaration says.
    unlimited: bool,
    since_kept: u32,
}

/// Errors of one route.
struct Errors {
    route: String,
    at: Vec<i64>,
}

/// What the state says to one who wants to call.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Now,
    At(i64, String),
    Never(i64, String),
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
        let patience = self.clock.moment().ms + limits::TURN_SECONDS_MAX * 1_000;
        loop {
            let now = self.clock.moment();
            let turn = self.state().turn(self.allowed, route, now);
            match turn {
                Turn::Now => break,
                Turn::At(then, reason) if effect == Effect::Read && then <= patience => {
                    self.clock.sleep_until(now.ours_at(then), &reason).await;
                }
                Turn::At(then, reason) | Turn::Never(then, reason) => return Err(self.later(now.ours_at(then), reason)),
            }
        }
        let keep = self.state().keep_now(self.clock.as_of());
        self.keep(keep).await
    }

    /// Takes note of what an answer said. `Err`, too, where that is "too many calls": when they may go on, and why not now;
    /// nobody calls before, the next run neither.
    pub(super) async fn saw(&self, route: &str, response: &Response, said: &Said) -> Result<(), CallError> {
        let (now, status) = (self.clock.moment(), response.status);
        let counted = self.allowed.errors.is_some() && matches!(status, 400..=500) && status != 429;
        let (throttled, keep) = {
            let mut state = self.state();
            if (200..300).contains(&status) {
                state.unlimited = self.allowed.told && !said.mentioned;
                if state.held.as_ref().is_none_or(|(until, _)| *until <= now.ms) {
                    (state.held, state.storm) = (None, 0);
                }
            }
            state.correct(said, now);
            if counted {
                state.count(route, now.ms);
            }
            let asked =
                || response.retry_after(self.clock.now()).and_then(|pause| i64::try_from(pause.as_millis()).ok());
            let throttled = (status == 429).then(|| state.throttled(self.allowed, route, asked(), now));
            let keep = (counted || throttled.is_some()).then(|| state.kept(self.clock.as_of()));
            (throttled, keep)
        };
        self.keep(keep).await?;
        throttled.map_or(Ok(()), |(until, reason)| Err(self.later(now.ours_at(until), reason)))
    }

    /// What may still be called, as far as that is known; nothing where there is no limit.
    pub(super) fn left(&self) -> Vec<Left> {
        let state = self.state();
        if state.unlimited {
            return Vec::new();
        }
        let windows = [("minute", &state.minute), ("day", &state.day)];
        let known = windows.into_iter().filter_map(|(name, window)| Some((name, window.as_ref()?)));
        known.map(|(window, open)| Left { window, limit: open.limit, left: open.left }).collect()
    }

    fn later(&self, until: Timestamp, reason: String) -> CallError {
        CallError::Later { system: self.system.to_string(), until, reason }
    }

    async fn load(&self) -> Result<(), CallError> {
        let kept = self.store.budget(&self.system).await.map_err(|e| self.store_failed(&e))?;
        if let Some(kept) = kept {
            *self.state() = BudgetState::of(kept, &self.clock.as_of());
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
        let now = self.clock.moment();
        self.later(now.ours_at(now.ms + HELD_MS), format!("what it allows cannot be kept: {error}"))
    }

    fn state(&self) -> MutexGuard<'_, BudgetState> {
        // Each change of the state is one assignment after all sums are done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetState {
    /// May this route be called now? If so, the call is counted.
    fn turn(&mut self, allowed: Allowance, route: &str, now: Moment) -> Turn {
        if let Some((until, reason)) = self.held.as_ref().filter(|(until, _)| is_ahead(*until, now)) {
            return Turn::At(*until, reason.clone());
        }
        if let Some(most) = most_errors(allowed)
            && let Some((count, first)) = self.errors(route, now)
            && count >= most
        {
            let reason = format!(
                "{route} has refused {count} calls in an hour and would close after some more; look at the parked records first"
            );
            return Turn::Never(first + HOUR_MS, reason);
        }
        if self.unlimited {
            return Turn::Now;
        }
        let windows = [
            (&mut self.day, allowed.day, Length::Day, DAY_USED),
            (&mut self.minute, allowed.minute, Length::Minute, MINUTE_USED),
        ];
        for (window, most, length, used) in windows {
            let Some(most) = most else { continue };
            let window = current(window, most, length, now);
            if window.left == 0 {
                return Turn::At(window.ends, used.to_owned());
            }
        }
        for window in [&mut self.minute, &mut self.day].into_iter().flatten() {
            window.left = window.left.saturating_sub(1);
        }
        self.since_kept += 1;
        Turn::Now
    }

    /// The system's own count.
    fn correct(&mut self, said: &Said, now: Moment) {
        let pairs = [(&mut self.minute, &said.minute, Length::Minute), (&mut self.day, &said.day, Length::Day)];
        for (ours, theirs, length) in pairs {
            if let Some(theirs) = theirs {
                correct(ours, theirs, length, now);
            }
        }
    }

    fn throttled(&mut self, allowed: Allowance, route: &str, asked: Option<i64>, now: Moment) -> (i64, String) {
        let spent = |window: &Option<Open>| window.as_ref().filter(|w| w.left == 0 && w.ends > now.ms).map(|w| w.ends);
        let too_many = "it gets too many calls";
        let (until, reason) = match (asked, spent(&self.day), spent(&self.minute)) {
            (Some(ms), _, _) => (now.ms + ms, too_many),
            (None, Some(ends), _) => (ends, DAY_USED),
            (None, None, Some(ends)) => (ends, MINUTE_USED),
            (None, None, None) => {
                let count = self.errors(route, now).map_or(0, |(count, _)| count);
                if most_errors(allowed).is_some_and(|most| count >= most) {
                    // Of this route alone, and [`Self::turn`] lets nobody call it.
                    return (
                        now.ms + HOUR_MS,
                        format!("it has closed {route} for an hour, after too many errors there"),
                    );
                }
                (now.ms + HELD_MS, too_many)
            }
        };
        if !self.held.as_ref().is_some_and(|(until, _)| is_ahead(*until, now)) {
            self.storm = self.storm.saturating_add(1);
        }
        let pause = PAUSE_MS.0.saturating_mul(1 << (self.storm.max(1) - 1).min(16)).min(PAUSE_MS.1);
        let until = until.max(now.ms + pause);
        let held = self.held.as_ref().map_or(until, |(held, _)| until.max(*held));
        self.held = Some((held, reason.to_owned()));
        (until, reason.to_owned())
    }

    fn count(&mut self, route: &str, ms: i64) {
        match self.errors.iter_mut().find(|errors| errors.route == route) {
            Some(errors) => errors.at.push(ms),
            None => self.errors.push(Errors { route: route.to_owned(), at: vec![ms] }),
        }
        if self.errors.len() > ROUTES_MAX {
            self.errors.sort_by_key(|errors| std::cmp::Reverse(errors.at.last().copied()));
            self.errors.truncate(ROUTES_MAX / 2);
        }
    }

    /// How many errors of a route count now, and when the first of them was.
    fn errors(&mut self, route: &str, now: Moment) -> Option<(u32, i64)> {
        let errors = self.errors.iter_mut().find(|errors| errors.route == route)?;
        errors.at.retain(|at| *at > now.ms - HOUR_MS && *at <= now.ms);
        let first = *errors.at.iter().min()?;
        Some((u32::try_from(errors.at.len()).unwrap_or(u32::MAX), first))
    }

    fn keep_now(&mut self, as_of: AsOf) -> Option<Kept> {
        if self.since_kept < KEEP_EVERY {
            return None;
        }
        self.since_kept = 0;
        Some(self.kept(as_of))
    }

    /// As it is kept: in the calendar, since the clock that nobody can set ends with the machine.
    fn kept(&self, as_of: AsOf) -> Kept {
        let now = as_of.moment;
        let errors = self.errors.iter().map(|errors| RouteErrors {
            route: errors.route.clone(),
            at: errors.at.iter().map(|ms| now.ours_at(*ms)).collect(),
        });
        Kept {
            minute: self.minute.as_ref().map(|window| window.keep(now)),
            day: self.day.as_ref().map(|window| window.keep(now)),
            errors: errors.collect(),
            held: self.held.as_ref().map(|(until, reason)| (now.ours_at(*until), reason.clone())),
            as_of: Some((now.ours, as_of.reading)),
        }
    }

    /// What was kept, at this moment: the calendar may have been set since.
    fn of(kept: Kept, as_of: &AsOf) -> Self {
        let now = as_of.moment;
        let set = kept.as_of.as_ref().map_or(0, |(ours, reading)| as_of.set_since(*ours, reading));
        let shown = Moment { ours: now.ours_at(now.ms.saturating_sub(set)), ..now };
        // An error that seems to be still to come was counted by another calendar, an hour ago at most.
        let errors = kept.errors.into_iter().map(|errors| Errors {
            route: errors.route,
            at: errors.at.into_iter().map(|at| shown.ms_of(at).min(now.ms)).collect(),
        });
        Self {
            minute: kept.minute.and_then(|window| Open::kept(&window, Length::Minute, shown)),
            day: kept.day.and_then(|window| Open::kept(&window, Length::Day, shown)),
            errors: errors.collect(),
            held: kept.held.map(|(until, reason)| (shown.ms_of(until), reason)),
            ..Self::default()
        }
    }
}

const DAY_USED: &str = "its calls of this day are used up";
const MINUTE_USED: &str = "its calls of this minute are used up";

/// Errors of a route in an hour after which it is left alone.
fn most_errors(allowed: Allowance) -> Option<u32> {
    allowed.errors.map(|errors| errors.saturating_sub(ERRORS_RESERVE).max(1))
}

/// Whether a time is still to come; one more than a day ahead was set by a sandbox's clock that was set back.
fn is_ahead(until: i64, now: Moment) -> bool {
    until > now.ms && until <= now.ms + limits::RETRY_AFTER_SECONDS.1 * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Reading, Window};

    const REAL: Allowance = Allowance { minute: Some(3), day: Some(5), errors: Some(10), told: true };
    const NOON: &str = "2026-03-01T12:00:20Z";

    /// So many seconds after noon, on all clocks.
    fn after(seconds: i64) -> Moment {
        let noon: Timestamp = NOON.parse().unwrap();
        let date = noon + jiff::SignedDuration::from_secs(seconds);
        Moment { ms: 1_000_000_000 + seconds * 1_000, ours: date, theirs: date }
    }

    fn at(seconds: i64) -> i64 {
        after(seconds).ms
    }

    fn said(left: u32, seconds: i64) -> Said {
        let minute = Some(Window { limit: 3, left, resets: after(seconds).ours });
        Said { minute, day: None, mentioned: true }
    }

    #[test]
    fn a_minute_has_its_calls_and_then_the_next_begins() {
        let mut state = BudgetState::default();
        for _ in 0..3 {
            assert_eq!(state.turn(REAL, "a", after(0)), Turn::Now);
        }
        assert_eq!(state.turn(REAL, "a", after(0)), Turn::At(at(40), MINUTE_USED.to_owned()));
        assert_eq!(state.turn(REAL, "a", after(40)), Turn::Now);
        assert_eq!(state.turn(REAL, "a", after(40)), Turn::Now);
        let tomorrow = at(43_180);
        assert_eq!(state.turn(REAL, "a", after(40)), Turn::At(tomorrow, DAY_USED.to_owned()));
    }

    #[test]
    fn the_systems_count_wins_where_it_is_lower() {
        let mut state = BudgetState::default();
        assert_eq!(state.turn(REAL, "a", after(0)), Turn::Now);
        state.correct(&said(2, 40), after(0));
        assert_eq!(state.minute.as_ref().unwrap().left, 2);
        state.correct(&said(0, 40), after(0));
        assert!(matches!(state.turn(REAL, "a", after(0)), Turn::At(..)));
        state.correct(&said(2, 40), after(0));
        assert!(matches!(state.turn(REAL, "a", after(0)), Turn::At(..)), "an older answer gives nothing back");
    }

    #[test]
    fn errors_of_a_route_close_it_before_the_system_does() {
        let mut state = BudgetState::default();
        let free = Allowance { minute: None, day: None, ..REAL };
        for n in 0..8 {
            assert_eq!(state.turn(free, "a", after(n)), Turn::Now);
            state.count("a", at(n));
        }
        let turn = state.turn(free, "a", after(60));
        assert!(matches!(&turn, Turn::Never(until, _) if *until == at(3_600)), "{turn:?}");
        assert_eq!(state.turn(free, "b", after(60)), Turn::Now);
        assert_eq!(state.turn(free, "a", after(3_601)), Turn::Now);
    }

    #[test]
    fn a_sandboxs_clock_that_is_set_back_does_not_close_the_door() {
        let mut state = BudgetState::default();
        for _ in 0..3 {
            state.turn(REAL, "a", after(400_000));
        }
        state.throttled(REAL, "a", Some(60_000), after(400_000));
        assert_eq!(state.turn(REAL, "a", after(0)), Turn::Now);
    }

    #[test]
    fn whoever_calls_too_often_is_held_back_with_all_others_and_longer_each_time() {
        let mut state = BudgetState::default();
        let free = Allowance { minute: None, day: None, ..REAL };
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..9 {
            assert_eq!(state.turn(free, "a", after(now)), Turn::Now);
            let (until, _) = state.throttled(free, "a", Some(1_000), after(now));
            // A second call was under way, and is no second storm.
            assert_eq!(state.throttled(free, "b", Some(1_000), after(now)).0, until);
            assert!(matches!(state.turn(free, "b", after(now)), Turn::At(then, _) if then == until));
            pauses.push((until - at(now)) / 1_000);
            now += pauses.last().unwrap();
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
        let asked = state.throttled(free, "a", Some(7_200_000), after(now)).0;
        assert_eq!(asked, at(now + 7_200), "what it asks for is obeyed");
        let limits = state.throttled(REAL, "a", None, after(now + 7_200)).0;
        assert_eq!(limits, at(now + 7_200 + 64), "who says nothing is left alone for a minute");
    }

    #[test]
    fn who_asked_for_patience_is_left_alone_by_the_next_run_too() {
        let reading = |moment: Moment| Reading { clock: "boot 1".to_owned(), ms: moment.ms, server: None };
        let as_of = |moment: Moment| AsOf { moment, reading: reading(moment) };
        let mut state = BudgetState::default();
        let (until, reason) = state.throttled(REAL, "a", Some(3_600_000), after(0));
        let kept = state.kept(as_of(after(1)));
        let mut next = BudgetState::of(kept, &as_of(after(60)));
        assert_eq!(next.turn(REAL, "b", after(60)), Turn::At(until, reason));
        assert_eq!(next.turn(REAL, "b", after(3_600)), Turn::Now);
    }

    /// Kept, and read again when the calendar says something else, on the same boot of the machine or on another.
    #[test]
    fn a_calendar_that_was_set_meanwhile_neither_closes_nor_frees() {
        let as_of = |moment: Moment, boot: &str| AsOf {
            moment,
            reading: Reading { clock: boot.to_owned(), ms: moment.ms, server: None },
        };
        let mut state = BudgetState::default();
        for _ in 0..3 {
            state.turn(REAL, "a", after(0));
            state.count("a", at(0));
        }
        state.correct(
            &Said { day: Some(Window { limit: 5, left: 0, resets: after(43_180).ours }), ..said(0, 40) },
            after(0),
        );
        let kept = state.kept(as_of(after(0), "boot 1"));
        let day = 86_400;
        for (set, boot, day_is_used, errors) in [
            (0, "boot 1", true, 3),
            (day, "boot 1", true, 3),
            (-day, "boot 1", true, 3),
            (-10 * day, "boot 1", true, 3),
            // Nobody can know: what is impossible counts for nothing, and errors count, for an hour at most.
            (-day, "boot 2", false, 3),
            (day, "boot 2", false, 0),
            (0, "boot 2", true, 3),
        ] {
            // Ten seconds later.
            let now = Moment { ours: after(10 + set).ours, ..after(10) };
            let mut again = BudgetState::of(kept.clone(), &as_of(now, boot));
            let used = again.day.as_ref().is_some_and(|window| window.left == 0 && window.ends == at(43_180));
            assert_eq!(used, day_is_used, "set by {set} on {boot}");
            assert_eq!(again.errors("a", now).map_or(0, |(count, _)| count), errors, "set by {set} on {boot}");
        }
    }
}
