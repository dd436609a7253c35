//! One record, evaluated: its filter, its checks, and what is written for it.

use crate::eval::code::{Compiled, Run};
use crate::eval::constants::value_of;
use crate::eval::document::make;
use crate::eval::draft::WriteSet;
use crate::eval::failure::{Failure, Halt, note};
use crate::eval::making::Role;
use crate::eval::query::{Answered, Query, Resolver};
use crate::eval::trace::Trace;
use crate::eval::value::{Record, Value};
use crate::ir::{Const, EntityId, MappingId, Stop};
use crate::source::{FileId, Span};
use bumpalo::Bump;
use std::sync::Arc;

/// What came of a record.
#[derive(Debug)]
pub enum Evaluated {
    /// These must be known first; then evaluate again.
    Needs(Vec<Query>),
    /// The flow's filter does not take it.
    Filtered,
    /// What is to be written.
    WriteSet(WriteSet),
    /// It stops: how, why, and what was to be told by then (text and line of the flow).
    Stopped(Stop, Failure, Vec<(String, Span)>),
}

impl Compiled {
    /// What came of a record of a flow. After [`Evaluated::Needs`] the caller asks and calls again: at most
    /// [`crate::limits::STAGES_MAX`] times, since each round depends on the one before.
    pub fn unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Evaluated {
        let arena = Bump::new();
        let mut run = Run::new(self, &arena, known, Some(flow));
        run.unit(flow, arena.alloc_str(raw))
    }

    /// What is written when a mapping is applied to records and constants: a test's or a person's question. An
    /// argument is the JSON text of a record of its parameter's entity, or a constant.
    pub fn apply(&self, mapping: MappingId, args: &[Argument<'_>], known: &dyn Resolver) -> Evaluated {
        let arena = Bump::new();
        Run::new(self, &arena, known, None).apply(mapping, args)
    }

    /// What a flow reads once for all of its records: the rows, as they were read.
    pub fn once(&self, flow: usize, n: u32, known: &dyn Resolver) -> Aside<Vec<Arc<str>>> {
        let arena = Bump::new();
        let mut run = Run::new(self, &arena, known, Some(flow));
        let rows = run.once(flow, n);
        run.aside(rows)
    }

    /// The key of the record of a flow that a record concerns which the flow watches; none where it concerns none.
    pub fn watched(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Aside<Option<String>> {
        let arena = Bump::new();
        let mut run = Run::new(self, &arena, known, Some(flow));
        let unit = run.watched(flow, arena.alloc_str(raw)).map(|key| key.map(str::to_owned));
        run.aside(unit)
    }

    /// The key of a record of a flow, as links and the journal name it.
    pub fn key_of(&self, flow: usize, raw: &str) -> Result<String, Failure> {
        let arena = Bump::new();
        let mut run = Run::new(self, &arena, &Nothing, Some(flow));
        let source = &self.program.flows[flow];
        let record = run.decode(arena.alloc_str(raw), source.source, source.span).map_err(failure_of)?;
        let entity = self.program.entity(source.source);
        let key = match entity.key {
            Some(key) => run.key_text(record, key, source.span).map_err(failure_of)?,
            None => None,
        };
        key.map(str::to_owned).ok_or_else(|| Failure::new(format!("the {} has no key", entity.name), source.span))
    }

    pub(crate) fn traced_unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> (Evaluated, Trace) {
        let arena = Bump::new();
        let mut run = Run::new(self, &arena, known, Some(flow));
        run.trace = Some(Box::default());
        let outcome = run.unit(flow, arena.alloc_str(raw));
        let trace = run.trace.take().map(|trace| *trace).unwrap_or_default();
        (outcome, trace)
    }
}

/// What came of a value that belongs to no record of the flow.
#[derive(Debug)]
pub enum Aside<T> {
    /// These must be known first; then evaluate again.
    Needs(Vec<Query>),
    /// The value.
    Known(T),
    /// It can't be told, because.
    Stopped(Failure),
}

/// An argument of a mapping.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// A record: JSON text.
    Record(EntityId, &'a str),
    /// A constant.
    Constant(Const),
}

impl<'r> Run<'r> {
    fn unit(&mut self, flow: usize, raw: &'r str) -> Evaluated {
        match self.written(flow, raw) {
            Ok(true) => self.finished(),
            Ok(false) => Evaluated::Filtered,
            Err(halt) => self.halted(halt),
        }
    }

    /// The rows that the flow reads once, each as JSON text.
    fn once(&mut self, flow: usize, n: u32) -> Result<Vec<Arc<str>>, Halt> {
        let compiled = self.compiled;
        let (code, place) = (&compiled.flows[flow], compiled.program.flows[flow].span);
        let Some(once) = code.once.get(n as usize) else {
            return Err(self.broken_promise("what no flow reads once", place));
        };
        self.locals = self.frame(code.frame);
        let raw = |value: &Value<'r>| match value {
            Value::Record(record) => Some(record.raw.into()),
            _ => None,
        };
        let rows = match once.eval(self)? {
            Value::List(list) => list.iter().map(raw).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        rows.ok_or_else(|| Halt::fail(Failure::new("what is read once is no list of whole records", place)))
    }

    fn watched(&mut self, flow: usize, raw: &'r str) -> Result<Option<&'r str>, Halt> {
        let compiled = self.compiled;
        let (source, code) = (&compiled.program.flows[flow], &compiled.flows[flow]);
        let (Some(watch), Some((local, unit))) = (&source.watch, &code.watch) else { return Ok(None) };
        let record = self.decode(raw, watch.entity, source.span)?;
        self.locals = self.frame(code.frame);
        self.locals[*local as usize] = Value::Record(record);
        let unit = unit.eval(self)?;
        self.text_of_key(unit, source.span)
    }

    fn aside<T>(&mut self, known: Result<T, Halt>) -> Aside<T> {
        match known {
            Ok(known) => Aside::Known(known),
            Err(Halt::Needs) if !self.needs.is_empty() => Aside::Needs(std::mem::take(&mut self.needs)),
            Err(halt) => Aside::Stopped(failure_of(halt)),
        }
    }

    fn written(&mut self, flow: usize, raw: &'r str) -> Result<bool, Halt> {
        let compiled = self.compiled;
        let (source, code) = (&compiled.program.flows[flow], &compiled.flows[flow]);
        let record: &'r Record<'r> = self.decode(raw, source.source, source.span)?;
        self.source = Some(record);
        self.locals = self.frame(code.frame);
        self.locals[code.record as usize] = Value::Record(record);
        if let Some(filter) = &code.filter
            && !filter.holds(self)?
        {
            return Ok(false);
        }
        let mut halted = None;
        for step in &code.steps {
            if let Err(halt) = self.step(step) {
                note(&mut halted, halt)?;
            }
        }
        // Its needs come out with those of the steps.
        if let Err(halt) = code.write.eval(self) {
            note(&mut halted, halt)?;
        }
        halted.map_or(Ok(true), Err)
    }

    /// Applies a mapping, and nothing else.
    pub(crate) fn apply(&mut self, mapping: MappingId, args: &[Argument<'_>]) -> Evaluated {
        match self.applied(mapping, args) {
            Ok(()) => self.finished(),
            Err(halt) => self.halted(halt),
        }
    }

    /// As [`Self::apply`], and nothing is put together of it yet.
    pub(crate) fn applied(&mut self, mapping: MappingId, args: &[Argument<'_>]) -> Result<(), Halt> {
        let place = self.compiled.mappings[mapping.0 as usize].span;
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Argument::Record(entity, raw) => {
                    let raw: &'r str = self.arena.alloc_str(raw);
                    values.push(Value::Record(self.decode(raw, *entity, place)?));
                }
                Argument::Constant(constant) => {
                    values.push(value_of(self.arena.alloc(constant.clone()), self.arena));
                }
            }
        }
        let args = self.arena.alloc_slice_copy(&values);
        make(self, mapping, args, Role::Top, place).map(|_| ())
    }

    fn finished(&mut self) -> Evaluated {
        if !self.needs.is_empty() {
            return Evaluated::Needs(std::mem::take(&mut self.needs));
        }
        Evaluated::WriteSet(WriteSet {
            drafts: self.drafts.drain(..).map(|made| made.draft).collect(),
            alerts: std::mem::take(&mut self.alerts),
            again_after: std::mem::take(&mut self.again_after).into_iter().collect(),
        })
    }

    pub(crate) fn halted(&mut self, halt: Halt) -> Evaluated {
        match halt {
            Halt::Needs if !self.needs.is_empty() => Evaluated::Needs(std::mem::take(&mut self.needs)),
            Halt::Stop(stopped) => Evaluated::Stopped(stopped.stop, stopped.failure, std::mem::take(&mut self.alerts)),
            Halt::Needs | Halt::Later(_) => {
                let place = self.flow.map(|flow| self.compiled.program.flows[flow].span);
                let place = place.unwrap_or(Span::new(FileId(0), 0, 0));
                let Halt::Stop(stopped) = self.broken_promise("a value that nobody can tell", place) else {
                    return Evaluated::Needs(Vec::new());
                };
                Evaluated::Stopped(stopped.stop, stopped.failure, Vec::new())
            }
        }
    }
}

fn failure_of(halt: Halt) -> Failure {
    match halt {
        Halt::Stop(stopped) => stopped.failure,
        Halt::Needs | Halt::Later(_) => Failure::new("something must be asked first", Span::new(FileId(0), 0, 0)),
    }
}

/// Nothing is known, and nothing is asked.
struct Nothing;

impl Resolver for Nothing {
    fn answer(&self, _: &Query) -> Answered {
        Answered::Absent
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn offline(&self) -> bool {
        true
    }
}
