//! One mapping over many records, offline: `flowc map`.

use super::compile::Compiled;
use super::emit::Plain;
use super::learnt::Learnt;
use super::value::Value;
use super::{Answered, Argument, Evaluated, Failure, Halt, Pending, Query, Resolver};
use crate::ir::{Const, EntityId, MappingId, Stop, Type};
use bumpalo::Bump;
use std::sync::Arc;

/// A mapping that is applied to one record after the other; each thread has its own.
pub struct Mapper<'c> {
    compiled: &'c Compiled,
    mapping: MappingId,
    /// The connection that is written to.
    target: Arc<str>,
    record: EntityId,
    /// Parameters behind the record, which nobody fills.
    absent: usize,
    arena: Bump,
    learnt: Learnt,
}

impl<'c> Mapper<'c> {
    /// A mapper of records of the mapping's first parameter.
    ///
    /// # Errors
    /// The mapping takes something else than one record.
    pub fn new(compiled: &'c Compiled, mapping: MappingId) -> Result<Self, String> {
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
        let absent = rest.len();
        let target = compiled.connection(None, declared.target);
        Ok(Self { target, compiled, mapping, record: *record, absent, arena: Bump::new(), learnt: Learnt::default() })
    }

    /// Appends the payload of a record; `false`: the mapping leaves it alone, and nothing is appended.
    ///
    /// # Errors
    /// Why the record stops. `out` is as it was before.
    pub fn map(&mut self, raw: &str, known: &dyn Resolver, out: &mut Vec<u8>) -> Result<bool, (Stop, Failure)> {
        self.arena.reset();
        if let Some(plain) = &self.compiled.mappings[self.mapping.0 as usize].plain
            && self.nothing_there(known)
        {
            return self.plain(plain, raw, known, out).map(|()| true);
        }
        let mut args = vec![Argument::Record(self.record, raw)];
        args.resize(self.absent + 1, Argument::Constant(Const::Absent));
        match self.compiled.apply_in(&self.arena, &mut self.learnt, self.mapping, &args, known) {
            Evaluated::WriteSet(unit) => {
                let Some(draft) = unit.drafts.iter().rfind(|draft| draft.made.mapping == self.mapping) else {
                    return Ok(false);
                };
                if draft.fields.is_empty() {
                    return Ok(false);
                }
                out.extend_from_slice(Pending::shown(&draft.create_body()).as_bytes());
                Ok(true)
            }
            Evaluated::Filtered => Ok(false),
            Evaluated::Stopped(stop, failure, _) => Err((stop, failure)),
            Evaluated::Needs(needs) => {
                let place = self.compiled.program().mapping(self.mapping).span;
                Err((Stop::Fail, Failure::new(format!("{} things must be asked first", needs.len()), place)))
            }
        }
    }

    /// Whether the target has no records at all, so that no key need be looked for.
    fn nothing_there(&self, known: &dyn Resolver) -> bool {
        let code = &self.compiled.mappings[self.mapping.0 as usize];
        let table = Query::Table { connection: Arc::clone(&self.target), entity: code.target };
        known.offline() && known.answer(&table) == Answered::Absent
    }

    /// The payload, straight to the buffer.
    fn plain(
        &mut self,
        plain: &Plain,
        raw: &str,
        known: &dyn Resolver,
        out: &mut Vec<u8>,
    ) -> Result<(), (Stop, Failure)> {
        let code = &self.compiled.mappings[self.mapping.0 as usize];
        let start = out.len();
        let mut run = self.compiled.run(&self.arena, known, None);
        run.learnt = std::mem::take(&mut self.learnt);
        let written = match run.decode(raw, self.record, code.place()) {
            Ok(record) => {
                run.locals = run.frame(code.locals);
                run.locals[code.params[0] as usize] = Value::Record(record);
                plain.write(&mut run, code.target, &code.steps, code.place(), out)
            }
            Err(halt) => Err(halt),
        };
        self.learnt = std::mem::take(&mut run.learnt);
        written.map_err(|halt| {
            out.truncate(start);
            match halt {
                Halt::Stop(stopped) => (stopped.stop, stopped.failure),
                Halt::Needs | Halt::Later(_) => {
                    (Stop::Fail, Failure::new("something must be asked first", code.place()))
                }
            }
        })
    }
}
