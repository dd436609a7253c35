//! One record, evaluated: its filter, its checks, and what is written for it.

use super::compile::Compiled;
use super::failure::{Failure, Halt};
use super::learnt::Learnt;
use super::run::Run;
use super::value::{Record, Value};
use super::why::Trace;
use super::{Evaluated, Resolver, WriteSet};
use crate::ir::{EntityId, MappingId};
use bumpalo::Bump;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

impl Compiled {
    /// What came of a record of a flow. After [`Evaluated::Needs`] the caller asks and calls again: at most
    /// [`crate::limits::STAGES_MAX`] times, since each round depends on the one before.
    pub fn unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Evaluated {
        let arena = Bump::new();
        let mut run = self.run(&arena, known, Some(flow));
        run.unit(flow, arena.alloc_str(raw))
    }

    /// The mapping of that name, with or without its module.
    pub fn mapping(&self, name: &str) -> Option<MappingId> {
        let mappings = &self.program.mappings;
        let exact = mappings.iter().position(|m| *m.name == *name);
        let found = exact.or_else(|| {
            let mut short = mappings.iter().enumerate().filter(|(_, m)| m.name.rsplit('.').next() == Some(name));
            match (short.next(), short.next()) {
                (Some((n, _)), None) => Some(n),
                _ => None,
            }
        });
        found.and_then(|n| u32::try_from(n).ok()).map(MappingId)
    }

    /// What is written when a mapping is applied to records and constants: a test's or a person's question. An
    /// argument is the JSON text of a record of its parameter's entity, or a constant.
    pub fn apply(&self, mapping: MappingId, args: &[Argument<'_>], known: &dyn Resolver) -> Evaluated {
        self.apply_in(&Bump::new(), &mut Learnt::default(), mapping, args, known)
    }

    /// As [`Self::apply`], in an arena and with what earlier records taught.
    pub(crate) fn apply_in(
        &self,
        arena: &Bump,
        learnt: &mut Learnt,
        mapping: MappingId,
        args: &[Argument<'_>],
        known: &dyn Resolver,
    ) -> Evaluated {
        let mut run = self.run(arena, known, None);
        run.learnt = std::mem::take(learnt);
        let outcome = run.apply(mapping, args);
        *learnt = std::mem::take(&mut run.learnt);
        outcome
    }

    /// The key of a record of a flow, as links and the journal name it.
    pub fn key_of(&self, flow: usize, raw: &str) -> Result<String, Failure> {
        let arena = Bump::new();
        let mut run = self.run(&arena, &Nothing, Some(flow));
        let source = &self.program.flows[flow];
        let record = run.decode(arena.alloc_str(raw), source.source, source.span).map_err(failure_of)?;
        let entity = self.program.entity(source.source);
        let key = match entity.key {
            Some(key) => run.key_text(record, key, source.span).map_err(failure_of)?,
            None => None,
        };
        key.ok_or_else(|| Failure::new(format!("the {} has no key", entity.name), source.span))
    }

    pub(crate) fn traced_unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> (Evaluated, Trace) {
        let arena = Bump::new();
        let mut run = self.run(&arena, known, Some(flow));
        run.trace = Some(Box::default());
        let outcome = run.unit(flow, arena.alloc_str(raw));
        let trace = run.trace.take().map(|trace| *trace).unwrap_or_default();
        (outcome, trace)
    }

    pub(crate) fn run<'r>(&'r self, arena: &'r Bump, known: &'r dyn Resolver, flow: Option<usize>) -> Run<'r> {
        Run {
            arena,
            compiled: self,
            known,
            learnt: Learnt::default(),
            recent_rows: arena.alloc_slice_fill_copy(self.tables.len(), usize::MAX),
            locals: &mut [],
            needs: Vec::new(),
            rows: FxHashMap::default(),
            drafts: Vec::new(),
            making: Vec::new(),
            following: Vec::new(),
            alerts: Vec::new(),
            again_after: BTreeSet::new(),
            source: None,
            flow,
            trace: None,
        }
    }
}

/// An argument of a mapping.
#[derive(Clone, Debug)]
pub enum Argument<'a> {
    /// A record: JSON text.
    Record(EntityId, &'a str),
    /// A constant.
    Constant(crate::ir::Const),
}

impl<'r> Run<'r> {
    fn unit(&mut self, flow: usize, raw: &'r str) -> Evaluated {
        match self.written(flow, raw) {
            Ok(true) => self.finished(),
            Ok(false) => Evaluated::Filtered,
            Err(halt) => self.halted(halt),
        }
    }

    fn written(&mut self, flow: usize, raw: &'r str) -> Result<bool, Halt> {
        let compiled = self.compiled;
        let (source, code) = (&compiled.program.flows[flow], &compiled.flows[flow]);
        let record: &'r Record<'r> = self.decode(raw, source.source, source.span)?;
        self.source = Some(record);
        self.locals = self.frame(source.locals);
        self.locals[source.record.0 as usize] = Value::Record(record);
        if let Some(filter) = &code.filter
            && !filter.holds(self)?
        {
            return Ok(false);
        }
        let mut halted = None;
        for step in &code.steps {
            if let Err(halt) = self.step(step) {
                super::ops::note(&mut halted, halt)?;
            }
        }
        // Its needs come out with those of the steps.
        if let Err(halt) = code.write.eval(self) {
            super::ops::note(&mut halted, halt)?;
        }
        halted.map_or(Ok(true), Err)
    }

    fn apply(&mut self, mapping: MappingId, args: &[Argument<'_>]) -> Evaluated {
        let place = self.compiled.mappings[mapping.0 as usize].place();
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            match arg {
                Argument::Record(entity, raw) => {
                    let raw: &'r str = self.arena.alloc_str(raw);
                    match self.decode(raw, *entity, place) {
                        Ok(record) => values.push(Value::Record(record)),
                        Err(halt) => return self.halted(halt),
                    }
                }
                Argument::Constant(constant) => {
                    values.push(super::pool::value_of(self.arena.alloc(constant.clone()), self.arena));
                }
            }
        }
        let args = self.arena.alloc_slice_copy(&values);
        match super::make::make(self, mapping, args, super::make::Role::Top, place) {
            Ok(_) => self.finished(),
            Err(halt) => self.halted(halt),
        }
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

    fn halted(&mut self, halt: Halt) -> Evaluated {
        match halt {
            Halt::Needs if !self.needs.is_empty() => Evaluated::Needs(std::mem::take(&mut self.needs)),
            Halt::Stop(stopped) => Evaluated::Stopped(stopped.stop, stopped.failure, std::mem::take(&mut self.alerts)),
            Halt::Needs | Halt::Later(_) => {
                let place = self.flow.map(|flow| self.compiled.program.flows[flow].span);
                let place = place.unwrap_or(crate::source::Span::new(crate::source::FileId(0), 0, 0));
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
        Halt::Needs | Halt::Later(_) => {
            Failure::new("something must be asked first", crate::source::Span::new(crate::source::FileId(0), 0, 0))
        }
    }
}

/// Nothing is known, and nothing is asked.
struct Nothing;

impl Resolver for Nothing {
    fn answer(&self, _: &super::Query) -> super::Answered {
        super::Answered::Absent
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }

    fn offline(&self) -> bool {
        true
    }
}
