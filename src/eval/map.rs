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
    learnt: Learnt,
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
            learnt: Learnt::default(),
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
        match self.evaluated(raw) {
            Evaluated::WriteSet(unit) => {
                let draft = unit.drafts.iter().rfind(|draft| draft.made.mapping == self.mapping);
                let Some(draft) = draft.filter(|draft| !draft.fields.is_empty()) else { return Ok(false) };
                let program = self.compiled.program();
                let further = program.entries_of(program.entity(draft.entity));
                out.extend_from_slice(Pending::shown(&draft.create_body(further)).as_bytes());
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

    fn evaluated(&mut self, raw: &str) -> Evaluated {
        let mut args = vec![Argument::Record(self.record, raw)];
        args.resize(self.absent + 1, Argument::Constant(Const::Absent));
        self.arena.reset();
        let mut run = Run::new(self.compiled, &self.arena, self.known, None);
        run.cache = Some(&self.cache);
        run.payload_of = Some(self.mapping);
        run.learnt = std::mem::take(&mut self.learnt);
        let outcome = run.apply(self.mapping, &args);
        self.learnt = std::mem::take(&mut run.learnt);
        outcome
    }

    /// Appends the payload straight to the buffer; `false`: it has none, or stops, and nothing is appended.
    fn at_once(&mut self, code: &MappingCode, plain: &Plain, raw: &str, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        self.arena.reset();
        let mut run = Run::new(self.compiled, &self.arena, self.known, None);
        run.cache = Some(&self.cache);
        run.learnt = std::mem::take(&mut self.learnt);
        let written = run.decode(raw, self.record, code.span).and_then(|record| {
            run.locals = run.frame(code.frame);
            run.locals[code.params[0] as usize] = Value::Record(record);
            plain.write(&mut run, code.target, &code.steps, code.span, out)
        });
        self.learnt = std::mem::take(&mut run.learnt);
        let made = written.is_ok() && out.len() > start + "{}".len();
        if !made {
            out.truncate(start);
        }
        made
    }
}
