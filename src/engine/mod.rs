//! The runner: one pass of a flow reads what changed, asks what must be known, decides, writes, and remembers.
//!
//! In: a checked project, its connections, the store. Out: a stream of [`Event`]s and a [`Summary`]. It alone decides,
//! retries and moves positions; what it does is in the journal before and after.

mod again;
mod alerts;
mod ask;
mod body;
mod compare;
mod content;
mod decide;
mod environment;
mod evaluator;
mod event;
mod hash;
mod joined;
mod journal;
mod kept;
mod lane;
mod lines;
mod log;
mod memory;
pub mod operate;
mod owner;
mod page;
mod pass;
mod pii;
mod planned;
mod record;
mod refusals;
mod rows;
mod run;
mod settle;
mod shown;
mod transmit;
mod write;

pub use decide::Change;
pub use environment::Environment;
pub use evaluator::Evaluator;
pub use event::{Counts, Done, Event, RecordEvent};
pub use pass::PassError;
pub(crate) use settle::BEFORE_WRITING;

use crate::connector::{Connector, Pause};
use crate::ir::{Entity, Program};
use crate::source::Span;
use crate::store::{Place, PlanSource, Rehearsal, Store};
use jiff::Timestamp;
use pass::Reporter;
use planned::Planned;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Stops a pass at its next journalled point.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Stops it.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
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

/// The runner of a project.
pub struct Engine {
    project: Arc<Project>,
    entities: Arc<[Arc<Entity>]>,
    connections: Arc<FxHashMap<String, Arc<dyn Connector>>>,
    store: Arc<dyn Store>,
    environment: Environment,
    /// One pass at a time: lanes hold keys within a pass.
    turn: tokio::sync::Mutex<()>,
}

impl Engine {
    /// A runner for this project, with these connections by name, over this store.
    pub fn new(project: Project, connections: Vec<(String, Arc<dyn Connector>)>, store: Arc<dyn Store>) -> Self {
        let entities = project.program.entities.iter().cloned().map(Arc::new).collect();
        Self {
            project: Arc::new(project),
            entities,
            connections: Arc::new(connections.into_iter().collect()),
            store,
            environment: Environment::default(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The same runner on another machine.
    #[must_use]
    pub fn on(self, environment: Environment) -> Self {
        Self { environment, ..self }
    }

    /// The store, for the operations of [`operate`].
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The connections that wait for something now, more than for an answer, and for what.
    pub fn pauses(&self) -> impl Iterator<Item = (&str, Pause)> {
        self.connections.iter().filter_map(|(name, connection)| Some((name.as_str(), connection.pause()?)))
    }

    /// What connections found out about the ways to their systems that a person should know.
    pub fn remarks(&self) -> impl Iterator<Item = (&str, String)> {
        let all = self.connections.iter();
        all.flat_map(|(name, connection)| connection.remarks().into_iter().map(|remark| (name.as_str(), remark)))
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// One pass of these flows, by name, one after the other. A login that is refused or a store that fails ends all
    /// of them; whatever else ends a flow early leaves the next ones their turn.
    ///
    /// # Errors
    /// [`PassError::Project`] for a name that no flow has, and for positions of flows that are no longer there.
    pub async fn pass(
        &self,
        flows: &[String],
        options: &PassOptions,
        tell: &(dyn Fn(Event) + Sync),
        cancel: &Cancel,
    ) -> Result<Summary, PassError> {
        let _turn = self.turn.lock().await;
        let named =
            |name: &String| self.project.program.flow_named(name).map_err(|e| PassError::Project(e.to_string()));
        let numbers = flows.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        self.refuse_orphans(&numbers).await?;
        let before: u64 = self.connections.values().map(|c| c.calls()).sum();
        let mut telling = Reporter::new(tell);
        let mut endings = Vec::new();
        let mut stage = run::Stage { store: self.store_of(options), planned: Planned::default() };
        for flow in numbers.iter().copied() {
            let name = self.project.program.flows[flow].name.to_string();
            if let Err(ending) = run::pass(self, flow, options, &mut stage, &mut telling, cancel).await {
                let ends_all = matches!(ending, PassError::Login(_) | PassError::Store(_) | PassError::Cancelled);
                endings.push((name, ending));
                if ends_all {
                    break;
                }
            }
        }
        let after: u64 = self.connections.values().map(|c| c.calls()).sum();
        let mut parked = 0;
        for flow in numbers {
            parked += stage.store.counts(&self.project.program.flows[flow].name).await?.parked;
        }
        let Reporter { counts, newly_parked, .. } = telling;
        let summary = Summary { counts, calls: after.saturating_sub(before), parked, newly_parked, endings };
        let ended = summary.endings.first().map(|(flow, ending)| format!("{flow}: {ending}"));
        tell(Event::Done(Done { counts, calls: summary.calls, parked, ended }));
        Ok(summary)
    }

    fn store_of(&self, options: &PassOptions) -> Arc<dyn Store> {
        let store = Arc::clone(&self.store);
        if options.dry_run { Arc::new(Rehearsal::over(store)) } else { store }
    }

    /// A flow that was renamed would start afresh and write everything again.
    async fn refuse_orphans(&self, flows: &[usize]) -> Result<(), PassError> {
        let names: Vec<&str> = self.project.program.flows.iter().map(|f| &*f.name).collect();
        let orphans = self.store.orphans(&names).await?;
        if orphans.is_empty() {
            return Ok(());
        }
        for flow in flows {
            let name = names[*flow];
            if self.store.position(name).await?.is_none() {
                return Err(PassError::Project(format!(
                    "the store has records of {}, which the project no longer has, and {name} has never run: if it was renamed, say `flowc state move {} {name}`",
                    orphans.join(", "),
                    orphans[0]
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
