//! Records evaluated with what is known.

use super::context::Pass;
use crate::eval::{Answered, Cause, Evaluated, Failure, Query, Resolver};
use crate::ir::Stop;
use jiff::Timestamp;
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

/// What an evaluation looked at, and what was known of it.
pub(crate) type Used = Vec<(Query, Answered)>;

impl Pass {
    /// Evaluates a record with what is known; a panic of ours is the record's failure.
    pub(crate) fn evaluate(&self, raw: &str, now: Timestamp) -> (Evaluated, Used) {
        let view = View { pass: self, now, used: RefCell::default() };
        let evaluated = std::panic::catch_unwind(AssertUnwindSafe(|| self.evaluator().unit(self.flow, raw, &view)));
        let evaluated =
            evaluated.unwrap_or_else(|panic| Evaluated::Stopped(Stop::Fail, self.bug(panic.as_ref()), Vec::new()));
        (evaluated, view.used.into_inner())
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

/// What is known, seen by one evaluation.
struct View<'p> {
    pass: &'p Pass,
    now: Timestamp,
    used: RefCell<Used>,
}

impl Resolver for View<'_> {
    fn answer(&self, need: &Query) -> Answered {
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
}
