//! The runner of a project: passes of its flows, one after the other.

use super::environment::Environment;
use super::error::PassError;
use super::event::{Done, Event, Reporter};
use super::feed::run;
use super::known::planned::Planned;
use super::pass::context::Shared;
use super::project::{PassOptions, Project, Summary};
use super::turns::{Turn, Turns};
use crate::connector::{Connector, Pause};
use crate::store::{Rehearsal, Store};
use crate::value::cancel::Cancel;
use std::sync::Arc;

/// The runner of a project.
pub struct Engine {
    pub(super) shared: Shared,
    pub(super) store: Arc<dyn Store>,
    /// One pass at a time: lanes hold keys within a pass.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl Engine {
    /// A runner for this project, with these connections by name, over this store.
    pub fn new(project: Project, connections: Vec<(String, Arc<dyn Connector>)>, store: Arc<dyn Store>) -> Self {
        let entities = project.program.entities.iter().cloned().map(Arc::new).collect();
        let shared = Shared {
            project: Arc::new(project),
            entities,
            connections: Arc::new(connections.into_iter().collect()),
            environment: Environment::default(),
        };
        Self { shared, store, turn: tokio::sync::Mutex::new(()) }
    }

    /// The same runner on another machine.
    #[must_use]
    pub fn on(self, environment: Environment) -> Self {
        Self { shared: Shared { environment, ..self.shared }, ..self }
    }

    /// The store, for the operations of [`operate`].
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The connections that wait for something now, more than for an answer, and for what.
    pub fn pauses(&self) -> impl Iterator<Item = (&str, Pause)> {
        self.shared.connections.iter().filter_map(|(name, connection)| Some((name.as_str(), connection.pause()?)))
    }

    /// What connections found out about the ways to their systems that a person should know.
    pub fn remarks(&self) -> impl Iterator<Item = (&str, String)> {
        let all = self.shared.connections.iter();
        all.flat_map(|(name, connection)| connection.remarks().into_iter().map(|remark| (name.as_str(), remark)))
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.shared.project
    }

    /// One pass of these flows, by name, one after the other; a flow takes another turn when one behind it has written what
    /// it reads, so that nothing of a day's work is left to the next pass. A login that is refused or a store that fails ends all
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
            |name: &String| self.shared.project.program.flow_named(name).map_err(|e| PassError::Project(e.to_string()));
        let numbers = flows.iter().map(named).collect::<Result<Vec<_>, _>>()?;
        self.refuse_orphans(&numbers).await?;
        let before: u64 = self.shared.connections.values().map(|c| c.calls()).sum();
        let mut telling = Reporter::new(tell);
        let mut endings = Vec::new();
        let mut stage = run::Stage { store: self.store_of(options), planned: Planned::default(), further: false };
        let mut turns = Turns::of(&self.shared.project.program, &numbers, options);
        while let Some(Turn { flow, options, further }) = turns.next() {
            stage.further = further;
            let name = self.shared.project.program.flows[flow].name.to_string();
            let passed = run::pass(&self.shared, flow, &options, &mut stage, &mut telling, cancel).await;
            turns.taken(flow, std::mem::take(&mut telling.written), passed.is_ok());
            if let Err(ending) = passed {
                let ends_all = matches!(ending, PassError::Login(_) | PassError::Store(_) | PassError::Cancelled);
                endings.push((name, ending));
                if ends_all {
                    break;
                }
            }
        }
        let after: u64 = self.shared.connections.values().map(|c| c.calls()).sum();
        let mut parked = 0;
        for flow in numbers {
            parked += stage.store.counts(&self.shared.project.program.flows[flow].name).await?.parked;
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
        let names: Vec<&str> = self.shared.project.program.flows.iter().map(|f| &*f.name).collect();
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
