//! How a record is settled.

use crate::engine::waits::WaitsFor;
use crate::ir::Stop;
use crate::limits;
use crate::source::Span;
use crate::store::State;
use jiff::Timestamp;

/// How a record is settled.
pub(crate) struct Verdict {
    pub(crate) state: State,
    pub(crate) reason: Option<String>,
    pub(crate) place: Option<Span>,
    pub(crate) waits_for: Option<WaitsFor>,
    pub(crate) due: Option<Timestamp>,
    /// A write of its own was not answered.
    pub(crate) unanswered: bool,
}

impl Verdict {
    pub(crate) fn of(stop: Stop, reason: String, place: Span) -> Self {
        let (state, waits_for) = match stop {
            Stop::Fail => (State::Parked, None),
            Stop::Skip => (State::Skipped, None),
            Stop::Wait => (State::Waiting, Some(WaitsFor::Record)),
        };
        Self { state, reason: Some(reason), place: Some(place), waits_for, due: None, unanswered: false }
    }

    /// Parked, with the reason.
    pub(crate) fn parked(reason: String, place: Span) -> Self {
        Self::of(Stop::Fail, reason, place)
    }

    /// Waiting for a row that cannot be read.
    pub(crate) fn unreadable(reason: String, place: Span) -> Self {
        Self { waits_for: Some(WaitsFor::Row), ..Self::of(Stop::Wait, reason, place) }
    }

    /// The same after so many tries: what cannot be read for so long is not put in order by itself.
    pub(crate) fn after(self, tries: u32) -> Self {
        if tries < limits::UNREADABLE_MAX || !matches!(self.waits_for, Some(WaitsFor::Row | WaitsFor::Search)) {
            return self;
        }
        let reason = self.reason.map(|reason| format!("{reason}, then retry: it has been tried {tries} times"));
        Self { state: State::Parked, reason, waits_for: None, due: None, ..self }
    }

    /// All of it is in the target.
    pub(crate) fn written() -> Self {
        Self { state: State::Written, reason: None, place: None, waits_for: None, due: None, unanswered: false }
    }

    /// Waiting until then.
    pub(crate) fn waiting(reason: String, place: Span, waits_for: WaitsFor, due: Timestamp) -> Self {
        let (waits_for, due) = (Some(waits_for), Some(due));
        Self { state: State::Waiting, reason: Some(reason), place: Some(place), waits_for, due, unanswered: false }
    }
}
