//! Records evaluated with what is known.

use super::context::Pass;
use crate::eval::{Answered, Aside, Cause, Evaluated, Failure, Query, Resolver};
use crate::ir::Stop;
use jiff::Timestamp;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// What an evaluation looked at, and what was known of it.
pub(crate) type Used = Vec<(Query, Answered)>;

impl Pass {
    /// Evaluates a record with what is known; a panic of ours is the record's failure.
    pub(crate) fn evaluate(&self, raw: &str, now: Timestamp) -> (Evaluated, Used) {
        self.evaluate_as(raw, now, Look::ToWrite)
    }

    /// The same, for another purpose than to write.
    pub(crate) fn evaluate_as(&self, raw: &str, now: Timestamp, look: Look) -> (Evaluated, Used) {
        let view = View { pass: self, now, look, used: RefCell::default() };
        let evaluated = std::panic::catch_unwind(AssertUnwindSafe(|| self.evaluator().unit(self.flow, raw, &view)));
        let evaluated =
            evaluated.unwrap_or_else(|panic| Evaluated::Stopped(Stop::Fail, self.bug(panic.as_ref()), Vec::new()));
        (evaluated, view.used.into_inner())
    }

    /// What the flow reads once, evaluated with what is known.
    pub(crate) fn evaluate_once(&self, n: u32, now: Timestamp) -> Aside<Vec<Arc<str>>> {
        self.aside(now, |view| self.evaluator().once(self.flow, n, view))
    }

    /// The key of the record that one concerns which is watched, by what is known.
    pub(crate) fn evaluate_watched(&self, raw: &str, now: Timestamp) -> Aside<Option<String>> {
        self.aside(now, |view| self.evaluator().watched(self.flow, raw, view))
    }

    fn aside<T>(&self, now: Timestamp, evaluate: impl FnOnce(&View<'_>) -> Aside<T>) -> Aside<T> {
        let view = View { pass: self, now, look: Look::ToWrite, used: RefCell::default() };
        let evaluated = std::panic::catch_unwind(AssertUnwindSafe(|| evaluate(&view)));
        evaluated.unwrap_or_else(|panic| Aside::Stopped(self.bug(panic.as_ref())))
    }

    /// A panic as a failure.
    pub(crate) fn bug(&self, panic: &(dyn std::any::Any + Send)) -> Failure {
        let what = panic.downcast_ref::<String>().map(String::as_str);
        let what = what.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        let mut failure = Failure::new(
            format!(
                "a fault of flowc, not of the record: {what}. Please report it; the record is tried again with the next version"
            ),
            self.flow().span,
        );
        failure.cause = Cause::Bug;
        failure
    }
}

/// For what a record is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Something is to be written.
    ToWrite,
    /// Books are compared: how totals are divided is told too.
    ToCompare,
    /// The same, as if nothing had been made of any record before: whether it would be booked, and as what.
    Afresh,
}

/// What is known, seen by one evaluation.
struct View<'p> {
    pass: &'p Pass,
    now: Timestamp,
    look: Look,
    used: RefCell<Used>,
}

impl Resolver for View<'_> {
    fn answer(&self, need: &Query) -> Answered {
        if self.look == Look::Afresh
            && let Query::Link(link) = need
            && link.entity == self.pass.flow().source
        {
            return Answered::Absent;
        }
        let answered = self.pass.memory().answer(self.pass.program(), need);
        if answered != Answered::NotAsked {
            self.used.borrow_mut().push((need.clone(), answered.clone()));
        }
        answered
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn offline(&self) -> bool {
        false
    }

    fn keeps_once(&self) -> bool {
        true
    }

    fn asks_shares(&self) -> bool {
        self.look != Look::ToWrite
    }
}
