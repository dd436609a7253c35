//! One mapping over many records, offline: `flowc map`.

use crate::eval::code::{Compiled, MappingCode, Plain, Run};
use crate::eval::decode::Learnt;
use crate::eval::evaluate::{Argument, Evaluated};
use crate::eval::failure::Failure;
use crate::eval::given::Given;
use crate::eval::pending::Pending;
use crate::eval::row_cache::RowCache;
use crate::eval::value::Value;
use crate::ir::{Const, EntityId, MappingId, Stop, Type};
use bumpalo::Bump;
use std::mem::take;

/// Where a [`Mapper`] keeps the rows that it is given, which are decoded once for all its records.
#[derive(Default)]
pub struct Tables {
    arena: Bump,
}

/// A mapping that is applied to one record after the other; each thread has its own.
pub struct Mapper<'c> {
    compiled: &'c Compiled,
    mapping: MappingId,
    record: EntityId,
    /// Parameters behind the record, which nobody fills.
    absent: usize,
    /// What is known of both systems.
    known: &'c Given,
    cache: RowCache<'c>,
    arena: Bump,
    kept: Kept,
}

/// What a record leaves for the next one, which mostly is alike.
#[derive(Default)]
struct Kept {
    learnt: Learnt,
    recent_rows: Vec<usize>,
    /// Room in which JSON is put together.
    scratch: Vec<u8>,
}

impl Kept {
    /// For another record.
    fn give(&mut self, run: &mut Run<'_>) {
        run.learnt = take(&mut self.learnt);
        run.recent_rows = take(&mut self.recent_rows);
        run.scratch = take(&mut self.scratch);
    }

    /// Of a record that is done. What was put together for one that stopped is of no use.
    fn take_back(&mut self, run: &mut Run<'_>) {
        self.learnt = take(&mut run.learnt);
        self.recent_rows = take(&mut run.recent_rows);
        self.scratch = take(&mut run.scratch);
        self.scratch.clear();
    }
}

impl<'c> Mapper<'c> {
    /// A mapper of records of the mapping's first parameter.
    ///
    /// # Errors
    /// The mapping takes something else than one record.
    pub fn new(
        compiled: &'c Compiled,
        mapping: MappingId,
        known: &'c Given,
        tables: &'c Tables,
    ) -> Result<Self, String> {
        let declared = compiled.program().mapping(mapping);
        let Some(((_, ty, _), rest)) = declared.params.split_first() else {
            return Err(format!("`{}` takes no record", declared.name));
        };
        let Type::Record(record) = ty.present() else {
            return Err(format!("the first parameter of `{}` is not a record", declared.name));
        };
        if let Some((name, ..)) = rest.iter().find(|(_, ty, _)| !ty.is_optional()) {
            let reason = format!("`{}` wants `{name}` beside the record: give it a mapping of its own", declared.name);
            return Err(reason);
        }
        Ok(Self {
            compiled,
            mapping,
            record: *record,
            absent: rest.len(),
            known,
            cache: RowCache::new(compiled.program(), &compiled.layouts, known, &tables.arena),
            arena: Bump::new(),
            kept: Kept::default(),
        })
    }

    /// Appends the payload of a record; `false`: the mapping leaves it alone, and nothing is appended.
    ///
    /// # Errors
    /// Why the record stops. `out` is as it was before.
    pub fn map(&mut self, raw: &str, out: &mut Vec<u8>) -> Result<bool, (Stop, Failure)> {
        let code = &self.compiled.mappings[self.mapping.0 as usize];
        // What stops there is told by the plain way, which knows how.
        if let Some(plain) = &code.plain
            && self.at_once(code, plain, raw, out)
        {
            return Ok(true);
        }
        let payload = self.evaluated(raw)?;
        if let Some(payload) = &payload {
            out.extend_from_slice(Pending::shown(payload).as_bytes());
        }
        Ok(payload.is_some())
    }

    /// The payload of a record, if it has one.
    fn evaluated(&mut self, raw: &str) -> Result<Option<String>, (Stop, Failure)> {
        let mut args = vec![Argument::Record(self.record, raw)];
        args.resize(self.absent + 1, Argument::Constant(Const::Absent));
        self.arena.reset();
        let mut run = Run::new(self.compiled, &self.arena, self.known, None);
        run.cache = Some(&self.cache);
        run.payload_of = Some(self.mapping);
        self.kept.give(&mut run);
        let place = self.compiled.program().mapping(self.mapping).span;
        let unknown = |needs: usize| (Stop::Fail, Failure::new(format!("{needs} things must be asked first"), place));
        let outcome = match run.applied(self.mapping, &args) {
            Ok(()) if run.needs.is_empty() => Ok(run.payload.take()),
            Ok(()) => Err(unknown(run.needs.len())),
            Err(halt) => match run.halted(halt) {
                Evaluated::Stopped(stop, failure, _) => Err((stop, failure)),
                Evaluated::Needs(needs) => Err(unknown(needs.len())),
                Evaluated::Filtered | Evaluated::WriteSet(_) => Ok(None),
            },
        };
        self.kept.take_back(&mut run);
        outcome
    }

    /// Appends the payload straight to the buffer; `false`: it has none, or stops, and nothing is appended.
    fn at_once(&mut self, code: &MappingCode, plain: &Plain, raw: &str, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        self.arena.reset();
        let mut run = Run::new(self.compiled, &self.arena, self.known, None);
        run.cache = Some(&self.cache);
        self.kept.give(&mut run);
        let written = run.decode(raw, self.record, code.span).and_then(|record| {
            run.locals = run.frame(code.frame);
            run.locals[code.params[0] as usize] = Value::Record(record);
            plain.write(&mut run, code.target, &code.steps, code.span, out)
        });
        self.kept.take_back(&mut run);
        let made = written.is_ok() && out.len() > start + "{}".len();
        if !made {
            out.truncate(start);
        }
        made
    }
}
