//! What all records of a pass of one flow share.

use super::batches::Batches;
use super::refusals::Refusals;
use super::shelf::Held;
use crate::connector::Connector;
use crate::engine::environment::Environment;
use crate::engine::error::PassError;
use crate::engine::evaluator::Evaluator;
use crate::engine::known::memory::Memory;
use crate::engine::project::{PassOptions, Project};
use crate::engine::values::content::Content;
use crate::ir::{Entity, EntityId, ExprKind, Flow, MappingId, Program};
use crate::plan::Reads;
use crate::source::Span;
use crate::store::{Intent, Place, Store};
use crate::value::cancel::Cancel;
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all passes of a runner share.
pub(crate) struct Shared {
    pub(crate) project: Arc<Project>,
    pub(crate) entities: Arc<[Arc<Entity>]>,
    pub(crate) connections: Arc<FxHashMap<String, Arc<dyn Connector>>>,
    pub(crate) environment: Environment,
}

/// One pass of one flow.
pub(crate) struct Pass {
    pub(crate) project: Arc<Project>,
    pub(crate) entities: Arc<[Arc<Entity>]>,
    pub(crate) connections: Arc<FxHashMap<String, Arc<dyn Connector>>>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) environment: Environment,
    pub(crate) flow: usize,
    pub(crate) options: PassOptions,
    pub(crate) cancel: Cancel,
    memory: Mutex<Memory>,
    refusals: Mutex<Refusals>,
    /// Writes without an outcome, of all flows: their lanes are held.
    open: Mutex<Vec<Intent>>,
    /// Those of them of which a search found several that they may have made.
    several: Mutex<FxHashSet<String>>,
    /// Those of them for which no search tells anything: it was refused, or shows rows that cannot be read.
    unsearched: Mutex<FxHashSet<String>>,
    pub(crate) reads: Reads,
    /// Changes that wait to be sent with others.
    pub(crate) batches: Batches,
    /// Fields that are selected beside what the flow reads, by entity: of whoever compares.
    pub(crate) also: FxHashMap<EntityId, Vec<String>>,
    /// Files on their way.
    pub(crate) files: Held,
    /// What makes a record another one.
    pub(crate) content: Content,
    /// When it began, by the source's clock.
    pub(crate) began: Timestamp,
    /// Whether the flow has had a turn before in this pass of a project: what has not changed has been told.
    pub(crate) further: bool,
}

impl Pass {
    pub(crate) fn new(
        shared: &Shared,
        flow: usize,
        options: PassOptions,
        (store, open): (Arc<dyn Store>, Vec<Intent>),
        cancel: Cancel,
    ) -> Result<Self, PassError> {
        let program = &shared.project.program;
        let reads = shared.project.evaluator.reads(flow);
        let content = Content::new(program, &reads, program.flows[flow].source);
        let mut pass = Self {
            reads,
            batches: Batches::default(),
            also: FxHashMap::default(),
            files: Held::default(),
            content,
            project: Arc::clone(&shared.project),
            entities: Arc::clone(&shared.entities),
            connections: Arc::clone(&shared.connections),
            store,
            environment: shared.environment.clone(),
            flow,
            options,
            cancel,
            memory: Mutex::default(),
            refusals: Mutex::default(),
            open: Mutex::new(open),
            several: Mutex::default(),
            unsearched: Mutex::default(),
            began: Timestamp::UNIX_EPOCH,
            further: false,
        };
        pass.began = pass.source()?.now();
        Ok(pass)
    }

    /// An error where it is to stop.
    pub(crate) fn go_on(&self) -> Result<(), PassError> {
        if self.cancel.is_cancelled() { Err(PassError::Cancelled) } else { Ok(()) }
    }

    pub(crate) fn program(&self) -> &Program {
        &self.project.program
    }

    pub(crate) fn flow(&self) -> &Flow {
        &self.program().flows[self.flow]
    }

    pub(crate) fn evaluator(&self) -> &dyn Evaluator {
        self.project.evaluator.as_ref()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Held for the length of a statement or block, never over a wait.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn several(&self) -> MutexGuard<'_, FxHashSet<String>> {
        self.several.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn unsearched(&self) -> MutexGuard<'_, FxHashSet<String>> {
        self.unsearched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(&self) -> MutexGuard<'_, Vec<Intent>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn connector(&self, name: &str) -> Result<Arc<dyn Connector>, PassError> {
        let lacks = || {
            PassError::Project(if name.is_empty() {
                "the project has no connection for a system that the flow uses: add a `connect … to …` to project.flow"
                    .to_owned()
            } else {
                format!("the connection {name} is not open")
            })
        };
        self.connections.get(name).cloned().ok_or_else(lacks)
    }

    /// The source's connector.
    pub(crate) fn source(&self) -> Result<Arc<dyn Connector>, PassError> {
        self.connector(&self.flow().connection)
    }

    pub(crate) fn entity(&self, id: EntityId) -> Arc<Entity> {
        Arc::clone(&self.entities[id.0 as usize])
    }

    /// The connection that records of an entity are in; none there is empty.
    pub(crate) fn connection_of(&self, entity: EntityId) -> Arc<str> {
        self.program().connection_of(Some(self.flow()), entity).unwrap_or_else(|| Arc::from(""))
    }

    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        (self.project.place)(span)
    }

    /// The mappings that the flow itself writes by.
    pub(crate) fn tops(&self) -> Vec<MappingId> {
        let mut tops = Vec::new();
        crate::plan::each(&self.flow().write, &mut |e| {
            if let ExprKind::Write(mapping, _) = e.kind {
                tops.push(mapping);
            }
        });
        tops
    }

    /// Mapping and entity that the flow writes, as far as its text says one.
    pub(crate) fn writes(&self) -> (String, String) {
        self.tops().first().map_or_else(Default::default, |id| {
            let mapping = self.program().mapping(*id);
            (mapping.name.to_string(), self.program().entity(mapping.target).full_name())
        })
    }

    /// `orders:1001`, as people name a record.
    pub(crate) fn label(&self, key: &str) -> String {
        format!("{}:{key}", self.program().short_name(&self.flow().name))
    }

    /// Lanes that are held by writes without an outcome.
    pub(crate) fn held_by(&self, lanes: &[String]) -> Option<Intent> {
        let open = self.open();
        open.iter().find(|intent| intent.lanes.iter().any(|lane| lanes.contains(lane))).cloned()
    }
}
