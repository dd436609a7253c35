//! What a runner is given, and what it answers: the project, how a pass is run, what it came to.

use super::error::PassError;
use super::evaluator::Evaluator;
use super::event::Counts;
use crate::ir::Program;
use crate::source::Span;
use crate::store::{Place, PlanSource};
use jiff::Timestamp;
use std::sync::Arc;

/// A span as people find it; none where the file is not known.
pub type PlaceOf = dyn Fn(Span) -> Option<Place> + Send + Sync;

/// What a run needs of a checked project.
pub struct Project {
    /// The program.
    pub program: Arc<Program>,
    /// What its records mean.
    pub evaluator: Arc<dyn Evaluator>,
    /// The plan's hash, settings included: what parked under another one is tried again.
    pub plan_hash: String,
    /// The source texts, kept under the plan's hash.
    pub sources: Vec<PlanSource>,
    /// Where spans stand.
    pub place: Arc<PlaceOf>,
    /// Days that payloads stay in the log.
    pub log_days: u32,
}

/// How a pass is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassOptions {
    /// Reads both sides, prints what would be written, and writes nothing, not even into the store. What would be written is
    /// known to the records behind as if it were, as far as it can be told without the systems' answers.
    pub dry_run: bool,
    /// Only records with these keys.
    pub only: Vec<String>,
    /// Everything that changed since then, whatever was read before.
    pub since: Option<Timestamp>,
}

/// What a pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many of what.
    pub counts: Counts,
    /// Calls to all systems.
    pub calls: u64,
    /// Records of these flows that need a person now, those of earlier passes too.
    pub parked: u64,
    /// Those of them that did not before.
    pub newly_parked: u64,
    /// Why flows ended before everything was read: the flow and the reason.
    pub endings: Vec<(String, PassError)>,
}
