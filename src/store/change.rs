//! A commit: changes that become true together or not at all.

use super::rows::{Attempt, Intent, Link, LinkKey, Outcome, PlanSource, Reading, RecordRow, Table};

/// Changes that become true together.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// In this order.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug)]
pub enum Change {
    /// The source has been read up to here: every record before it is written, skipped or parked.
    Advance {
        /// The flow.
        flow: String,
        /// Opaque to all but its connector.
        position: String,
    },
    /// A record's state. What a person decided since the row was read stays: a row that was `said` less often than the
    /// one that is stored changes nothing of it, and adds its target where it has one. A decision of a person, `said`
    /// once more than what was read, loses no target that came in between.
    Record(RecordRow),
    /// What is about to be sent.
    Intend(Intent),
    /// What became of it. `Unknown` leaves the intent open; all else closes it.
    Outcome {
        /// The intent's id.
        intent: String,
        /// What became of it.
        outcome: Outcome,
    },
    /// The wait for the effect of an intent begins anew: its clock is not there any more.
    Await {
        /// The intent's id.
        intent: String,
        /// From then on.
        since: Reading,
    },
    /// A link, new or changed.
    Link(Link),
    /// The link no longer holds.
    Unlink(LinkKey),
    /// An entry of the log.
    Log(Attempt),
    /// Rows that entries of the log are about to name.
    Table(Table),
    /// The sources of a plan, once for its hash.
    PlanSources {
        /// The plan's hash.
        plan_hash: String,
        /// Its files.
        sources: Vec<PlanSource>,
    },
}

impl Commit {
    /// One change alone.
    #[must_use]
    pub fn of(change: Change) -> Self {
        Self { changes: vec![change] }
    }

    /// One change more.
    #[must_use]
    pub fn and(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }
}
