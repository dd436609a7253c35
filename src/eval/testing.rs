//! A test, evaluated statement by statement: the records that it gives, the values that it names, what came of what it
//! expects. Whether that is as expected is judged elsewhere.

use crate::eval::code::{Code, Compiled, Eval, Frame, Run, TestedCode};
use crate::eval::draft::{Action, Draft};
use crate::eval::evaluate::Evaluated;
use crate::eval::failure::{Cause, Failure, Halt};
use crate::eval::given::Given;
use crate::eval::making::Made;
use crate::eval::pending::Pending;
use crate::eval::query::{Answered, Query, Resolver};
use crate::eval::value::{Value, show};
use crate::eval::why::Why;
use crate::eval::wire::{left_out, write};
use crate::ir::{
    EntityId, Expected, FieldId, GivenRecord, GivenValue, LocalId, Place, Program, Stop, Subject, Test, TestStep,
};
use crate::source::Span;
use bumpalo::Bump;
use serde_json::{Map, Value as Json};
use std::cell::RefCell;

/// What a test has given so far stands for both systems.
pub struct World {
    given: RefCell<Given>,
    /// Statements that would give what was asked for and is not given; only while they are collected.
    lacking: RefCell<Option<Vec<String>>>,
}

impl World {
    /// Nothing is given; the clock stands at `now`.
    pub fn new(now: jiff::Timestamp) -> Self {
        Self { given: RefCell::new(Given::empty(now)), lacking: RefCell::new(None) }
    }
}

impl Resolver for World {
    fn answer(&self, need: &Query) -> Answered {
        self.given.borrow().answer(need)
    }

    fn now(&self) -> jiff::Timestamp {
        self.given.borrow().now()
    }

    fn offline(&self) -> bool {
        true
    }

    fn gives_all(&self) -> bool {
        false
    }

    fn goes_on_without(&self, statement: &str) -> bool {
        let mut lacking = self.lacking.borrow_mut();
        let Some(all) = lacking.as_mut() else { return false };
        if !all.iter().any(|known| known == statement) {
            all.push(statement.to_owned());
        }
        true
    }
}

/// What came of a statement.
#[derive(Debug)]
pub enum Came {
    /// It was done.
    Done,
    /// Whether the condition holds, and what its parts are.
    Holds(bool, Vec<(Span, String)>),
    /// These drafts, and what is told a person.
    Drafts(Vec<Draft>, Vec<String>),
    /// The flow's filter leaves the record out.
    Filtered,
    /// It stops.
    Stopped(Stop, Failure),
    /// The payload of the draft that is kept, or a value.
    Payload(String),
}

/// A test that is evaluated.
pub struct Trial<'r> {
    run: Run<'r>,
    world: &'r World,
    /// Cells of the case that have no value yet.
    cells: Vec<(LocalId, &'r Code)>,
    exprs: std::slice::Iter<'r, TestedCode>,
    steps: std::slice::Iter<'r, TestStep>,
    /// The statement that was evaluated last, and the expressions from its own on.
    last: Option<(&'r TestStep, std::slice::Iter<'r, TestedCode>)>,
    /// What made the fields of what flows were expected to write, where steps are told.
    whys: Vec<Why>,
}

impl<'r> Trial<'r> {
    /// A case of the test of that number, of which nothing is done yet; one without cases has the case 0.
    pub fn new(compiled: &'r Compiled, (number, case): (usize, usize), world: &'r World, arena: &'r Bump) -> Self {
        let test: &'r Test = &compiled.program.tests[number];
        let mut run = Run::new(compiled, arena, world, None);
        run.locals = run.frame(Frame { shared: 0, locals: test.locals as usize });
        let cells = compiled.tests[number].cases.get(case).map_or(&[][..], Vec::as_slice);
        let columns = test.cases.iter().flat_map(|cases| cases.columns.iter().copied());
        let cells = columns.zip(cells).collect();
        let exprs = compiled.tests[number].exprs.iter();
        Self { run, world, cells, exprs, steps: test.steps.iter(), last: None, whys: Vec::new() }
    }

    /// The same, and each step is told: [`Self::whys`].
    pub fn traced(compiled: &'r Compiled, of: (usize, usize), world: &'r World, arena: &'r Bump) -> Self {
        let mut trial = Self::new(compiled.tracing(), of, world, arena);
        trial.run.trace = Some(Box::default());
        trial
    }

    /// What made each field of what the test came to so far.
    pub fn whys(mut self) -> Vec<Why> {
        let own = self.run.trace.take().map(|trace| trace.leaves(self.run.compiled));
        self.whys.extend(own.unwrap_or_default());
        self.whys
    }

    /// The drafts of what the test evaluated by itself so far, and what a person was told.
    pub fn drafted_so_far(&self) -> (Vec<Draft>, Vec<String>) {
        let drafts = self.run.drafts.iter().map(|made| made.draft.clone()).collect();
        (drafts, self.run.alerts.iter().map(|(text, _)| text.clone()).collect())
    }

    /// Evaluates the next statement; none: it was the last.
    pub fn step(&mut self) -> Option<(&'r TestStep, Came)> {
        let step = self.steps.next()?;
        let told = self.run.alerts.len();
        self.last = Some((step, self.exprs.clone()));
        let came = self.case().and_then(|()| self.came(step, told)).unwrap_or_else(|halt| self.stopped(halt));
        Some((step, came))
    }

    /// The text that must be told: the second expression of an [`Expected::Stops`] or [`Expected::Alerts`].
    pub fn reason(&mut self) -> String {
        self.value().map_or_else(|_| String::new(), show)
    }

    /// The statements that would give all rows that the statement evaluated last asks for, as far as it comes without them.
    /// It is evaluated once more for that: it has stopped, so that nothing of it is used.
    pub fn lacking(&mut self) -> Vec<String> {
        let Some((step, from)) = self.last.take() else { return Vec::new() };
        let behind = std::mem::replace(&mut self.exprs, from);
        self.world.lacking.replace(Some(Vec::new()));
        let _ = self.came(step, self.run.alerts.len());
        self.exprs = behind;
        self.world.lacking.take().unwrap_or_default()
    }

    /// The columns get the values of the case.
    fn case(&mut self) -> Result<(), Halt> {
        for (column, code) in std::mem::take(&mut self.cells) {
            let value = code.eval(&mut self.run).map_err(|halt| match halt {
                Halt::Stop(mut stopped) => {
                    stopped.failure.cause = Cause::Given;
                    Halt::Stop(stopped)
                }
                other => other,
            });
            self.run.locals[column.0 as usize] = value?;
        }
        Ok(())
    }

    /// What comes of a statement; before it so many alerts had been told.
    fn came(&mut self, step: &'r TestStep, told: usize) -> Result<Came, Halt> {
        match step {
            TestStep::Given(given) => self.give(given).map(|()| Came::Done),
            TestStep::Now(_) => {
                if let Value::Instant(now) = self.value()? {
                    self.world.given.borrow_mut().stand_at(now);
                }
                Ok(Came::Done)
            }
            TestStep::Let(local, _) => {
                let value = self.value()?;
                self.run.locals[local.0 as usize] = value;
                Ok(Came::Done)
            }
            TestStep::Expect(Subject::Flow(flow, _), _, span) | TestStep::Snapshot(Subject::Flow(flow, _), span) => {
                self.flow(*flow, *span)
            }
            TestStep::Expect(Subject::Value(_), Expected::Holds, _) => self.holds(),
            TestStep::Expect(Subject::Value(_), ..) => {
                let value = self.value()?;
                Ok(self.drafted(value, told))
            }
            TestStep::Snapshot(Subject::Value(_), _) => {
                let value = self.value()?;
                let made = if let Value::Draft(n) = value { self.run.drafts.get(n as usize) } else { None };
                Ok(Came::Payload(made.map_or_else(|| show(value), |made| self.body(made))))
            }
        }
    }

    fn code(&mut self) -> &'r TestedCode {
        self.exprs.next().expect("each expression of a test has its code")
    }

    fn value(&mut self) -> Eval<'r> {
        self.code().code.eval(&mut self.run)
    }

    fn holds(&mut self) -> Result<Came, Halt> {
        let code = self.code();
        let holds = code.code.holds(&mut self.run)?;
        let mut parts = Vec::new();
        if !holds {
            for (span, part) in &code.parts {
                // What was passed over may have no value.
                if let Ok(value) = part.eval(&mut self.run) {
                    parts.push((*span, self.shown(value)));
                }
            }
        }
        Ok(Came::Holds(holds, parts))
    }

    /// The body that would make a draft.
    fn body(&self, made: &Made<'r>) -> String {
        let program = &self.run.compiled.program;
        let further = program.entries_of(program.entity(made.draft.entity));
        Pending::shown(&made.draft.create_body(further)).into_owned()
    }

    fn shown(&self, value: Value<'r>) -> String {
        match value {
            Value::Text(text) => format!("\"{text}\""),
            Value::Record(record) => record.raw.to_owned(),
            Value::Draft(n) => self.run.drafts.get(n as usize).map_or_else(String::new, |made| self.body(made)),
            Value::List(list) => {
                let shown: Vec<String> = list.iter().map(|value| self.shown(*value)).collect();
                format!("[{}]", shown.join(", "))
            }
            Value::Built(built) => {
                let entity = self.run.compiled.program.entity(built.entity);
                let fields = built.fields.iter().map(|field| {
                    let name = field.path.first().map_or("", |field| &entity.get(*field).name);
                    format!("{name} = {}", self.shown(field.value))
                });
                format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
            }
            other => show(other),
        }
    }

    fn flow(&mut self, flow: usize, span: Span) -> Result<Came, Halt> {
        let Value::Record(record) = self.value()? else {
            return Err(self.run.broken_promise("a record that was not given", span));
        };
        let compiled = self.run.compiled;
        let evaluated = if self.run.trace.is_some() {
            let (evaluated, trace) = compiled.traced_unit(flow, record.raw, self.world);
            self.whys.extend(trace.leaves(compiled));
            evaluated
        } else {
            compiled.unit(flow, record.raw, self.world)
        };
        match evaluated {
            Evaluated::WriteSet(unit) => {
                Ok(Came::Drafts(unit.drafts, unit.alerts.into_iter().map(|(text, _)| text).collect()))
            }
            Evaluated::Filtered => Ok(Came::Filtered),
            Evaluated::Stopped(stop, failure, _) => Ok(Came::Stopped(stop, failure)),
            Evaluated::Needs(_) => Err(self.run.broken_promise("a question that nobody answers", span)),
        }
    }

    /// The draft, those that it refers to, and those that follow it; of one that is left alone, why.
    fn drafted(&self, value: Value<'r>, told: usize) -> Came {
        let alerts: Vec<String> = self.run.alerts[told..].iter().map(|(text, _)| text.clone()).collect();
        let Value::Draft(top) = value else { return Came::Drafts(Vec::new(), alerts) };
        let top = top as usize;
        if let Action::Leave(stop, reason, place) = &self.run.drafts[top].draft.action {
            return Came::Stopped(*stop, Failure::new(reason.clone(), *place));
        }
        let mut reached = vec![false; self.run.drafts.len()];
        let mut open = vec![top];
        while let Some(n) = open.pop() {
            if std::mem::replace(&mut reached[n], true) {
                continue;
            }
            open.extend(self.run.drafts[n].draft.refers_to.iter().copied());
            let follows = |m: &usize| self.run.drafts[*m].draft.follows == Some(n);
            open.extend((0..self.run.drafts.len()).filter(follows));
        }
        let drafts = self.run.drafts.iter().zip(reached).filter(|(_, reached)| *reached);
        Came::Drafts(drafts.map(|(made, _)| made.draft.clone()).collect(), alerts)
    }

    fn stopped(&self, halt: Halt) -> Came {
        match halt {
            Halt::Stop(stopped) => Came::Stopped(stopped.stop, stopped.failure),
            Halt::Needs | Halt::Later(_) => {
                let reason = "this depends on what the system answers to a write, which a test does not make";
                let place = Span::new(crate::source::FileId(0), 0, 0);
                Came::Stopped(Stop::Fail, Failure { cause: Cause::Given, ..Failure::new(reason, place) })
            }
        }
    }
}

impl<'r> Trial<'r> {
    fn give(&mut self, given: &'r GivenRecord) -> Result<(), Halt> {
        let base = given.base.as_deref().map(|text| serde_json::from_str::<Json>(text).unwrap_or_default());
        let mut row = base.unwrap_or_else(|| Json::Object(Map::new()));
        for (places, value) in &given.fields {
            let value = self.json(value, false, given.span)?;
            if let Err(reason) = put(&self.run.compiled.program, &mut row, places, value) {
                return Err(Halt::fail(Failure { cause: Cause::Given, ..Failure::new(reason, given.span) }));
            }
        }
        let linked = if given.linked.is_some() { Some(self.value()?) } else { None };
        let program = &self.run.compiled.program;
        let (row, key) = self.world.given.borrow_mut().add_wire(program, given.entity, row);
        // What was asked before may have another answer now.
        self.run.rows.clear();
        if let Some(linked) = linked {
            let Some((entity, other)) = self.run.identity(linked, given.entity, given.span)? else {
                let reason = "what it is linked to is not there".to_owned();
                return Err(Halt::fail(Failure { cause: Cause::Given, ..Failure::new(reason, given.span) }));
            };
            self.world.given.borrow_mut().link((entity, other), (given.entity, &key), given.linked_as.clone());
        }
        if let Some(local) = given.local {
            let record = self.run.decode(self.run.arena.alloc_str(&row), given.entity, given.span)?;
            self.run.locals[local.0 as usize] = Value::Record(record);
        }
        Ok(())
    }

    /// A given value as the API writes it.
    fn json(&mut self, value: &'r GivenValue, is_element: bool, span: Span) -> Result<Json, Halt> {
        match value {
            GivenValue::Part(entity, fields) => {
                let mut part = Json::Object(Map::new());
                for (field, value) in fields {
                    let value = self.json(value, false, span)?;
                    let place = [Place::Field(*entity, *field)];
                    put(&self.run.compiled.program, &mut part, &place, value)
                        .map_err(|reason| Halt::fail(Failure::new(reason, span)))?;
                }
                Ok(part)
            }
            GivenValue::List(list) => {
                let list: Result<Vec<Json>, Halt> = list.iter().map(|value| self.json(value, true, span)).collect();
                list.map(Json::Array)
            }
            GivenValue::Value(entity, field, expr) => {
                let value = self.value()?;
                if left_out(&value) && !matches!(value, Value::Text(_)) {
                    return Ok(Json::Null);
                }
                let wire = self.run.compiled.wires.of(*entity, *field);
                let wire = wire.element.as_deref().filter(|_| is_element).unwrap_or(wire);
                let mut out = Vec::new();
                write(&mut self.run, wire, value, expr.span, &mut out)?;
                Ok(serde_json::from_slice(&out).unwrap_or_default())
            }
        }
    }
}

/// Puts a value where these places lead.
fn put(program: &Program, row: &mut Json, places: &[Place], value: Json) -> Result<(), String> {
    let Some((place, rest)) = places.split_first() else {
        *row = value;
        return Ok(());
    };
    match place {
        Place::Field(entity, field) => member(program, *entity, *field, row, rest, value),
        Place::Index(n) => {
            let Some(element) = row.get_mut(*n) else {
                return Err(format!("the record has no element {n} there: the list is shorter"));
            };
            put(program, element, rest, value)
        }
    }
}

fn member(
    program: &Program,
    entity: EntityId,
    field: FieldId,
    row: &mut Json,
    rest: &[Place],
    value: Json,
) -> Result<(), String> {
    let schema = program.entity(entity);
    let field = schema.get(field);
    if !row.is_object() {
        *row = Json::Object(Map::new());
    }
    let Json::Object(members) = row else { return Ok(()) };
    let key = field.meta.as_ref().and_then(|meta| meta.keys.first());
    let Some((entries, key)) = program.entries_of(schema).zip(key) else {
        return put(program, members.entry(field.wire.to_string()).or_insert(Json::Null), rest, value);
    };
    let list = members.entry(entries.list.to_string()).or_insert_with(|| Json::Array(Vec::new()));
    let Json::Array(list) = list else { return Ok(()) };
    list.retain(|entry| entry.get(&**entries.key).and_then(Json::as_str) != Some(&**key));
    if !value.is_null() {
        let entry = [(entries.key.to_string(), Json::from(&**key)), (entries.value.to_string(), value)];
        list.push(Json::Object(Map::from_iter(entry)));
    }
    Ok(())
}
