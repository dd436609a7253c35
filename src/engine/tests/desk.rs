//! Two systems in memory, and a runner between them whose units are made by hand.

use crate::connector::{
    Answer, CallError, Connector, Find, One, Page, Pause, Position, Presence, Raw, Rows, Scan, Unreadable, Write,
};
use crate::engine::decide::tests::{draft, field, filled, program as accounts, span};
use crate::engine::{Cancel, Engine, Evaluator, Event, PassOptions, Project, Summary};
use crate::eval::{Action, Aside, Evaluated, Failure, KeyTried, Resolver, WriteSet};
use crate::ir::{
    Access, EntityId, Expr, ExprKind, FieldId, Flow, Header, Key as KeyBy, KeyField, LocalId, Mapping, MappingId,
    Method, OnChange, Overwrite, Program, Schedule, Type, Verb,
};
use crate::plan::Reads;
use crate::store::{Embedded, Key, Place, Reading, RecordFilter, State};
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// A program whose flow makes an account of each order.
pub(super) fn program() -> Program {
    let mut program = accounts();
    program.entities[0].fields[1].search = crate::ir::Search::Filter;
    let mut order = program.entities[0].clone();
    order.name = "Order".into();
    order.connector = "woocommerce".into();
    order.fields = vec![field("id", Type::Int, Access::ReadOnly)];
    order.total = None;
    program.entities.push(order);
    let header = Header {
        verb: Verb::CreateOnce,
        keys: vec![KeyBy::By(vec![KeyField { field: FieldId(1), optional: false }])],
        accept: None,
        prefer: Vec::new(),
        prefer_newest: None,
        overwrite: Overwrite::Changed,
        overwrite_fields: None,
        on_change: OnChange::Alert,
        otherwise: None,
        span: span(),
    };
    program.mappings.push(Mapping {
        name: "customers.person".into(),
        target: EntityId(0),
        connection: "books".into(),
        params: Vec::new(),
        locals: 0,
        header,
        steps: Vec::new(),
        balance: None,
        then: Vec::new(),
        span: span(),
    });
    program.flows.push(Flow {
        deleted: false,
        name: "orders.orders".into(),
        source: EntityId(1),
        connection: "shop".into(),
        record: LocalId(0),
        locals: 1,
        filter: None,
        listed: None,
        per: None,
        watch: None,
        displaced: Vec::new(),
        steps: Vec::new(),
        write: Expr { kind: ExprKind::Write(MappingId(0), Vec::new()), ty: Type::Nothing, span: span() },
        schedule: Schedule::default(),
        on: true,
        span: span(),
    });
    program
}

pub(super) type MakeUnit = dyn Fn(&str, &dyn Resolver) -> Evaluated + Send + Sync;

pub(super) struct ByHand(Program, Box<MakeUnit>);

pub(super) fn key(raw: &str) -> String {
    serde_json::from_str::<serde_json::Value>(raw).unwrap()["id"].to_string()
}

impl Evaluator for ByHand {
    fn unit(&self, _: usize, raw: &str, known: &dyn Resolver) -> Evaluated {
        (self.1)(&key(raw), known)
    }
    fn once(&self, _: usize, _: u32, _: &dyn Resolver) -> Aside<Vec<Arc<str>>> {
        Aside::Known(Vec::new())
    }
    fn watched(&self, _: usize, _: &str, _: &dyn Resolver) -> Aside<Option<String>> {
        Aside::Known(None)
    }
    fn key_of(&self, _: usize, raw: &str) -> Result<Arc<str>, Failure> {
        if raw.contains("unreadable") { Err(Failure::new("is no date", span())) } else { Ok(key(raw).into()) }
    }
    fn reads(&self, flow: usize) -> Reads {
        Reads::of_flow(&self.0, &self.0.flows[flow])
    }
    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String> {
        self.reads(flow).wire_names(&self.0, entity)
    }
    fn filter(&self, _: usize) -> Vec<crate::connector::Condition> {
        Vec::new()
    }
}

/// A system in memory: rows to be read, answers to writes one after the other, and a clock.
#[derive(Default)]
pub(super) struct Desk {
    pub(super) rows: Mutex<Vec<Raw>>,
    /// What every search finds.
    pub(super) finds: Mutex<Vec<Raw>>,
    /// Writes that are under way, and the most of them at once.
    pub(super) under_way: Mutex<(usize, usize)>,
    /// Why it answers no search; else it finds nothing.
    pub(super) refuses: Mutex<Option<CallError>>,
    /// Rows of the feed that cannot be read.
    pub(super) unreadable_rows: Mutex<Vec<Unreadable>>,
    /// Rows of every search that cannot be read.
    pub(super) unreadable: Mutex<Vec<Unreadable>>,
    /// What every search finds once something was written.
    pub(super) finds_after_write: Mutex<Vec<Raw>>,
    /// Writes of the common tag that are under way, and the most of them at once.
    pub(super) tags: Mutex<(usize, usize)>,
    pub(super) answers: Mutex<Vec<Result<Answer, CallError>>>,
    pub(super) written: Mutex<Vec<(Method, String)>>,
    pub(super) minutes: Mutex<i64>,
    /// A write says that it has begun, and goes on when it is told to.
    pub(super) gate: Option<(Arc<Notify>, Arc<Notify>)>,
    /// A list of named records comes without them, though they are there.
    pub(super) hides: Mutex<bool>,
}

#[async_trait::async_trait]
impl Connector for Desk {
    async fn scan(&self, scan: &Scan, _: &Position) -> Result<Page, CallError> {
        let wanted = |raw: &&Raw| scan.only.is_empty() || scan.only.contains(&key(&raw.0));
        let mut records: Vec<Raw> = self.rows.lock().unwrap().iter().filter(wanted).cloned().collect();
        if *self.hides.lock().unwrap() && !scan.only.is_empty() {
            records.clear();
        }
        let unreadable = self.unreadable_rows.lock().unwrap().clone();
        Ok(Page { records, unreadable, next: Position("end".into()), last: true })
    }
    async fn find(&self, _: &Find) -> Result<Rows, CallError> {
        let rows =
            || Rows { read: self.finds.lock().unwrap().clone(), unreadable: self.unreadable.lock().unwrap().clone() };
        self.refuses.lock().unwrap().clone().map_or_else(|| Ok(rows()), Err)
    }
    async fn read(&self, one: &One) -> Result<Presence, CallError> {
        let rows = self.rows.lock().unwrap();
        let row = rows.iter().find(|raw| key(&raw.0) == one.id);
        Ok(row.map_or_else(|| Presence::Gone("404".into()), |raw| Presence::Found(raw.clone())))
    }
    fn reading(&self) -> Reading {
        Reading { clock: "desk".into(), ms: self.now().as_millisecond(), server: None }
    }
    async fn write(&self, write: &Write) -> Result<Answer, CallError> {
        self.written.lock().unwrap().push((write.method, write.body.clone()));
        let is_tag = write.body.contains("the same tag");
        let count = |by: isize| {
            let counted = [Some(&self.under_way), is_tag.then_some(&self.tags)];
            for mut under_way in counted.into_iter().flatten().map(|of| of.lock().unwrap()) {
                under_way.0 = under_way.0.strict_add_signed(by);
                under_way.1 = under_way.1.max(under_way.0);
            }
        };
        count(1);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        if let Some((begun, go_on)) = &self.gate {
            begun.notify_one();
            go_on.notified().await;
        }
        count(-1);
        let after = std::mem::take(&mut *self.finds_after_write.lock().unwrap());
        if !after.is_empty() {
            *self.finds.lock().unwrap() = after;
        }
        self.answers.lock().unwrap().remove(0)
    }
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        start.checked_add(jiff::SignedDuration::from_mins(*self.minutes.lock().unwrap())).unwrap()
    }
    async fn sleep_until(&self, then: Timestamp, _: &str) {
        let wait = then.duration_since(self.now()).as_mins();
        *self.minutes.lock().unwrap() += wait.max(0);
    }
    fn pause(&self) -> Option<Pause> {
        None
    }
    fn calls(&self) -> u64 {
        0
    }
    async fn hello(&self) -> Result<Raw, CallError> {
        Ok(Raw("{}".into()))
    }
}

impl Desk {
    /// The most writes of the common tag at once.
    pub(super) fn most_of_tag(&self) -> usize {
        self.tags.lock().unwrap().1
    }
}

pub(super) struct Case {
    pub(super) engine: Engine,
    pub(super) books: Arc<Desk>,
    pub(super) shop: Arc<Desk>,
    _folder: tempfile::TempDir,
}

pub(super) fn case(
    orders: usize,
    books: Desk,
    unit: impl Fn(&str, &dyn Resolver) -> Evaluated + Send + Sync + 'static,
) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(&folder.path().join("store.redb"), &Key::from_text("a test")).unwrap();
    let rows = (1..=orders).map(|n| Raw(format!(r#"{{"id":{n}}}"#).into())).collect();
    let (shop, books) = (Arc::new(Desk { rows: Mutex::new(rows), ..Desk::default() }), Arc::new(books));
    let project = Project {
        program: Arc::new(program()),
        evaluator: Arc::new(ByHand(program(), Box::new(unit))),
        plan_hash: "1".into(),
        sources: Vec::new(),
        place: Arc::new(|_| Some(Place { file: "orders.flow".into(), line: 3, column: 1 })),
        log_days: 14,
    };
    let connections: Vec<(String, Arc<dyn Connector>)> =
        vec![("shop".into(), Arc::clone(&shop) as _), ("books".into(), Arc::clone(&books) as _)];
    Case { engine: Engine::new(project, connections, Arc::new(store)), books, shop, _folder: folder }
}

impl Case {
    pub(super) async fn pass(&self) -> (Summary, Vec<Event>) {
        self.pass_with(PassOptions::default()).await
    }

    pub(super) async fn pass_with(&self, options: PassOptions) -> (Summary, Vec<Event>) {
        let events = Mutex::new(Vec::new());
        let tell = |event| events.lock().unwrap().push(event);
        let flows = ["orders".to_owned()];
        let summary = self.engine.pass(&flows, &options, &tell, &Cancel::default()).await.unwrap();
        (summary, events.into_inner().unwrap())
    }

    /// The same project under another plan.
    pub(super) fn edit_project(&mut self, plan_hash: &str) {
        let Project { program, evaluator, sources, place, log_days, .. } = &*self.engine.shared.project;
        let project = Project {
            program: Arc::clone(program),
            evaluator: Arc::clone(evaluator),
            plan_hash: plan_hash.to_owned(),
            sources: sources.clone(),
            place: Arc::clone(place),
            log_days: *log_days,
        };
        self.engine.shared.project = Arc::new(project);
    }

    pub(super) async fn states(&self) -> Vec<(String, State)> {
        let (records, _) = self.engine.records(&RecordFilter::default()).await.unwrap();
        records.into_iter().map(|r| (r.id, r.state)).collect()
    }

    pub(super) fn later(&self, minutes: i64) {
        for desk in [&self.books, &self.shop] {
            *desk.minutes.lock().unwrap() += minutes;
        }
    }
}

/// A unit that makes one account.
pub(super) fn one(name: &str) -> WriteSet {
    let mut one = draft(Action::Create);
    one.linked_to = Some((EntityId(1), name.into()));
    one.fields = vec![filled(1, "Name", &format!("\"{name}\""))];
    one.keys = vec![KeyTried { fields: vec![FieldId(1)], values: vec![Some(name.into())] }];
    WriteSet { drafts: vec![one], ..WriteSet::default() }
}

pub(super) fn made(id: &str, amount: &str) -> Result<Answer, CallError> {
    let record = Raw(format!(r#"{{"ID":"{id}","AmountFC":{amount}}}"#).into());
    Ok(Answer { id: Some(id.to_owned()), record: Some(record) })
}

pub(super) fn refused(reason: &str) -> CallError {
    CallError::Refused { system: "books".into(), reason: reason.into(), status: 400, call: "POST crm/Accounts".into() }
}
