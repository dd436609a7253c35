//! What all records of a pass of one flow share, and why a pass ends early.

use super::content::Content;
use super::environment::Environment;
use super::evaluator::Evaluator;
use super::event::Event;
use super::memory::Memory;
use super::refusals::Refusals;
use super::{Cancel, PassOptions, Project};
use crate::connector::{CallError, Connector};
use crate::eval::{Answered, Cause, Evaluated, Failure, Query, Resolver};
use crate::ir::{Entity, EntityId, ExprKind, Flow, MappingId, OnChange, Program, StepKind, Stop, Type, Verb};
use crate::plan::Reads;
use crate::source::Span;
use crate::store::{Intent, Place, Store, StoreError};
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why a pass ends before everything was read. Nothing is lost by it: what was settled stays settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    /// A system asks for patience, or is away.
    #[error("{0}")]
    Later(String),
    /// A system refuses the login: only a person can help.
    #[error("{0}")]
    Login(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A person stopped it.
    #[error("it was stopped; the next run goes on from here")]
    Cancelled,
    /// The project lacks something.
    #[error("{0}")]
    Project(String),
    /// A fault of ours.
    #[error("a fault of flowc stopped the flow: {0}")]
    Bug(String),
}

impl From<CallError> for PassError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Login { .. } => Self::Login(error.to_string()),
            CallError::Later { .. }
            | CallError::Unknown { .. }
            | CallError::Garbled { .. }
            | CallError::Refused { .. } => Self::Later(error.to_string()),
        }
    }
}

/// What an evaluation looked at, and what was known of it.
pub(crate) type Used = Vec<(Query, Answered)>;

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
    reads: Reads,
    /// What makes a record another one.
    pub(crate) content: Content,
    /// When it began, by the source's clock.
    pub(crate) began: Timestamp,
}

impl Pass {
    pub(crate) fn new(
        engine: &super::Engine,
        flow: usize,
        options: PassOptions,
        (store, open): (Arc<dyn Store>, Vec<Intent>),
        cancel: Cancel,
    ) -> Result<Self, PassError> {
        let program = &engine.project.program;
        let reads = engine.project.evaluator.reads(flow);
        let content = Content::new(program, &reads, program.flows[flow].source);
        let mut pass = Self {
            reads,
            content,
            project: Arc::clone(&engine.project),
            entities: Arc::clone(&engine.entities),
            connections: Arc::clone(&engine.connections),
            store,
            environment: engine.environment.clone(),
            flow,
            options,
            cancel,
            memory: Mutex::default(),
            refusals: Mutex::default(),
            open: Mutex::new(open),
            several: Mutex::default(),
            unsearched: Mutex::default(),
            began: Timestamp::UNIX_EPOCH,
        };
        pass.began = pass.source()?.now();
        Ok(pass)
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

    /// What is selected of an entity: what the flow reads, and what its updates compare.
    pub(crate) fn fields(&self, entity: EntityId) -> Vec<String> {
        let mut names = self.reads.wire_names(self.program(), entity);
        for mapping in self.program().mappings.iter().filter(|m| m.target == entity) {
            let updates = match mapping.header.verb {
                Verb::Upsert | Verb::Update => true,
                Verb::CreateOnce => matches!(mapping.header.on_change, OnChange::Update { .. }),
                Verb::CreateUnless(_) | Verb::Delete(_) => false,
            };
            if updates {
                names.extend(self.assigned(mapping));
            }
        }
        let schema = self.program().entity(entity);
        if self.program().mappings.iter().any(|m| m.target == entity) {
            // By them it is told whose a copy is.
            names.extend(super::owner::identity(schema).map(|field| field.wire.to_string()));
        }
        names.extend(schema.key.into_iter().map(|key| schema.get(key).wire.to_string()));
        if entity == self.flow().source {
            names.extend(schema.feed.as_ref().map(|feed| schema.get(feed.by).wire.to_string()));
        }
        names.sort_unstable();
        names.dedup();
        // Who selects a field whole needs not select its parts.
        let whole = names.clone();
        names.retain(|name| !name.rmatch_indices('.').any(|(at, _)| whole.iter().any(|w| *w == name[..at])));
        names
    }

    /// Wire names of what a mapping fills; lists of what stands alone are another resource.
    fn assigned(&self, mapping: &crate::ir::Mapping) -> Vec<String> {
        let program = self.program();
        let mut names = Vec::new();
        for step in &mapping.steps {
            let StepKind::Assign { path, .. } = &step.kind else { continue };
            let mut entity = mapping.target;
            let mut wire = Vec::new();
            for field in path {
                let Some(field) = program.entity(entity).fields.get(field.0 as usize) else { break };
                if field.meta.is_some() {
                    wire.push("meta_data".to_owned());
                    break;
                }
                let stands_alone = |ty: &Type| matches!(ty.element().map(Type::present), Some(Type::Record(e)) if program.entity(*e).route.is_some());
                if field.write_only || stands_alone(field.ty.present()) {
                    wire.clear();
                    break;
                }
                wire.push(field.wire.to_string());
                if let Type::Record(part) = field.ty.present() {
                    entity = *part;
                }
            }
            if !wire.is_empty() {
                names.push(wire.join("."));
            }
        }
        names
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
        format!("{}:{key}", super::operate::short_name(self.program(), &self.flow().name))
    }

    /// What a need found, for the log.
    pub(crate) fn found_json(&self, need: &Query, answered: &Answered) -> serde_json::Value {
        let program = self.program();
        let rows: &[Arc<str>] = match answered {
            Answered::Found(rows) => rows,
            Answered::Absent | Answered::NotAsked | Answered::Unreadable(_) => &[],
        };
        let rows: Vec<serde_json::Value> =
            rows.iter().map(|row| serde_json::from_str(row).unwrap_or_else(|_| (&**row).into())).collect();
        let mut found = match need {
            Query::Find { connection, entity, by, values } => {
                let schema = program.entity(*entity);
                let by: Vec<&str> = by.iter().map(|f| &*schema.get(*f).name).collect();
                let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
                serde_json::json!({"find": schema.full_name(), "in": &**connection, "by": by, "values": values, "rows": rows})
            }
            // A table is named, not copied into every entry.
            Query::Table { connection, entity } => {
                let (name, kept) = (program.entity(*entity).full_name(), self.memory().kept_table(connection, *entity));
                serde_json::json!({"table": name, "in": &**connection, "rows": rows.len(), "kept": kept})
            }
            Query::Row { connection, entity, id } => {
                let entity = program.entity(*entity).full_name();
                serde_json::json!({"row": entity, "in": &**connection, "id": &**id, "rows": rows})
            }
            Query::Link(link) => {
                let (entity, other) = (program.entity(link.entity).full_name(), program.entity(link.other).full_name());
                serde_json::json!({"link": entity, "key": &*link.key, "to": other, "mapping": link.mapping.as_deref(), "rows": rows})
            }
        };
        if let (Answered::Unreadable(why), Some(members)) = (answered, found.as_object_mut()) {
            members.remove("rows");
            members.insert("unreadable".to_owned(), why.as_str().into());
        }
        found
    }

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

    /// Lanes that are held by writes without an outcome.
    pub(crate) fn held_by(&self, lanes: &[String]) -> Option<Intent> {
        let open = self.open();
        open.iter().find(|intent| intent.lanes.iter().any(|lane| lanes.contains(lane))).cloned()
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

/// Counts and passes on.
pub(crate) struct Reporter<'t> {
    pub(crate) tell: &'t (dyn Fn(Event) + Sync),
    pub(crate) counts: super::event::Counts,
    /// Records that need a person and did not before.
    pub(crate) newly_parked: u64,
}

impl<'t> Reporter<'t> {
    pub(crate) fn new(tell: &'t (dyn Fn(Event) + Sync)) -> Self {
        Self { tell, counts: super::event::Counts::default(), newly_parked: 0 }
    }

    pub(crate) fn say(&mut self, event: Event) {
        self.newly_parked += u64::from(matches!(&event, Event::Parked(told) if !told.known));
        self.counts.count(&event);
        (self.tell)(event);
    }
}
