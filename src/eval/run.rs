//! One evaluation of one record: its arena, its frame, what it needs, and the documents that it makes.

use super::compile::Compiled;
use super::decode::{self, Bad};
use super::failure::{Cause, Failure, Halt};
use super::layout::NO_SLOT;
use super::learnt::Learnt;
use super::make::{Made, Making};
use super::unreadable::Unreadable;
use super::value::{Lack, NEEDS, Record, Value};
use super::why::Trace;
use super::{Query, Resolver};
use crate::ir::{EntityId, FieldId};
use crate::source::Span;
use bumpalo::Bump;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

/// The value of an expression, or why it has none.
pub(crate) type Eval<'r> = Result<Value<'r>, Halt>;

/// One evaluation.
pub(crate) struct Run<'r> {
    pub(crate) arena: &'r Bump,
    pub(crate) compiled: &'r Compiled,
    pub(crate) known: &'r dyn Resolver,
    pub(crate) learnt: Learnt,
    /// The frame of the mapping or flow that is being computed.
    pub(crate) locals: &'r mut [Value<'r>],
    /// For each table the row that was found last, or a number beyond them.
    pub(crate) recent_rows: &'r mut [usize],
    /// What must be asked first.
    pub(crate) needs: Vec<Query>,
    /// Rows that were asked for, decoded once however often they are looked at.
    pub(crate) rows: FxHashMap<(EntityId, Query), &'r [&'r Record<'r>]>,
    /// Documents that are made, in the order of their writes.
    pub(crate) drafts: Vec<Made<'r>>,
    /// Documents in the making, the innermost last.
    pub(crate) making: Vec<Making<'r>>,
    /// Documents whose followers are being made.
    pub(crate) following: Vec<u32>,
    pub(crate) alerts: Vec<(String, Span)>,
    /// Drafts whose answers decide what follows.
    pub(crate) again_after: BTreeSet<usize>,
    /// The record that the flow reads.
    pub(crate) source: Option<&'r Record<'r>>,
    /// The connection of the flow.
    pub(crate) flow: Option<usize>,
    pub(crate) trace: Option<Box<Trace>>,
}

impl<'r> Run<'r> {
    /// A constant of the pool.
    #[inline]
    pub(crate) fn constant(&self, n: u32) -> Value<'r> {
        self.compiled.pool.get(n, self.arena)
    }

    /// A local; a hole goes on as a hole.
    #[inline]
    pub(crate) fn local(&self, n: u32) -> Eval<'r> {
        match self.locals[n as usize] {
            Value::Hole(NEEDS) => Err(Halt::Needs),
            Value::Hole(draft) => Err(Halt::Later(draft)),
            value => Ok(value),
        }
    }

    /// Gives a local its value; what is not known yet leaves a hole, so that all else goes on.
    pub(crate) fn bind(&mut self, n: u32, value: Eval<'r>) -> Result<(), Halt> {
        let local = &mut self.locals[n as usize];
        match value {
            // The commonest are written part by part.
            Ok(Value::Text(t)) => *local = Value::Text(t),
            Ok(Value::Record(record)) => *local = Value::Record(record),
            Ok(Value::Number(n)) => *local = Value::Number(n),
            Ok(value) => *local = value,
            Err(Halt::Needs) => *local = Value::Hole(NEEDS),
            Err(Halt::Later(draft)) => *local = Value::Hole(draft),
            Err(stop) => return Err(stop),
        }
        Ok(())
    }

    /// An empty frame.
    pub(crate) fn frame(&self, locals: u32) -> &'r mut [Value<'r>] {
        self.arena.alloc_slice_fill_copy(locals as usize, Value::Absent)
    }

    /// A text in the arena.
    pub(crate) fn text(&self, text: &str) -> Value<'r> {
        Value::Text(self.arena.alloc_str(text))
    }

    /// A list in the arena.
    pub(crate) fn list(&self, values: &[Value<'r>]) -> Value<'r> {
        Value::List(self.arena.alloc_slice_copy(values))
    }

    /// Decodes a record of an entity.
    pub(crate) fn decode(&mut self, raw: &'r str, entity: EntityId, place: Span) -> Result<&'r Record<'r>, Halt> {
        let layouts = &self.compiled.layouts;
        decode::decode(raw, entity, layouts, self.arena, &mut self.learnt, self.trace.is_some())
            .map_err(|bad| Halt::fail(self.not_as_declared(&bad, entity, place)))
    }

    fn not_as_declared(&self, bad: &Bad, entity: EntityId, place: Span) -> Failure {
        let name = &self.compiled.program.entity(entity).name;
        let subject = if bad.path.is_empty() { format!("the {name}") } else { format!("`{}` of the {name}", bad.path) };
        let mut failure = Failure::new(format!("{subject} {}", bad.told()), place);
        failure.value.clone_from(&bad.value);
        failure
    }

    /// The field of a value that is a record in any of its forms.
    pub(crate) fn field(&mut self, of: Value<'r>, entity: EntityId, field: FieldId, place: Span) -> Eval<'r> {
        match of {
            Value::Absent => Ok(Value::Absent),
            Value::Record(record) => self.slot(record, entity, field, place),
            Value::Reference(key) => {
                let row = self.row(entity, key, place)?;
                self.slot(row, entity, field, place)
            }
            Value::Built(built) => {
                let field = self.compiled.view(built.entity, entity, field);
                Ok(field.map_or(Value::Absent, |field| built.get(field)))
            }
            Value::Draft(n) => self.field_of_draft(n, field, place),
            Value::Missing(_) => Err(self.broken_promise("a field of what is not there", place)),
            Value::Text(code) => {
                // A natural key stands for its record.
                let row = self.row_by_code(entity, code, place)?;
                self.slot(row, entity, field, place)
            }
            _ => Err(self.broken_promise("a field of what is no record", place)),
        }
    }

    fn slot(&mut self, record: &'r Record<'r>, entity: EntityId, field: FieldId, place: Span) -> Eval<'r> {
        let known = self.compiled.view(record.entity, entity, field);
        let slot = known.map_or(NO_SLOT, |field| self.compiled.layouts.slot(record.entity, field));
        self.slot_of(record, slot, place)
    }

    /// What a slot of a record holds.
    pub(crate) fn slot_of(&mut self, record: &'r Record<'r>, slot: u16, place: Span) -> Eval<'r> {
        match record.slots.get(usize::from(slot)) {
            Some(Value::Missing(lack)) => self.lacking(record, slot, *lack, place),
            Some(value) => Ok(*value),
            None => Err(self.broken_promise("a field that nobody decodes", place)),
        }
    }

    /// A slot without a value to give: the record stops, unless its own row has it.
    #[cold]
    pub(crate) fn lacking(&mut self, record: &'r Record<'r>, slot: u16, lack: Lack<'r>, place: Span) -> Eval<'r> {
        let schema = self.compiled.program.entity(record.entity);
        let layout = self.compiled.layouts.of(record.entity);
        let name = layout.slots.get(usize::from(slot)).map_or("a field", |slot| &slot.name);
        match lack {
            Lack::NotGiven => {
                let reason = format!("`{name}` is not given in this {}, which always has one", schema.name);
                Err(Halt::fail(Failure::new(reason, place)))
            }
            Lack::Unreadable(what) => Err(self.unreadable(what, place)),
            Lack::Elsewhere => {
                let told = |key: &FieldId| {
                    let slot = self.compiled.layouts.slot(record.entity, *key);
                    !matches!(record.slots.get(usize::from(slot)), Some(Value::Missing(Lack::Elsewhere)))
                };
                let key = match schema.key.filter(told) {
                    Some(key) => self.key_text(record, key, place)?,
                    None => None,
                };
                let Some(key) = key else {
                    let reason = format!("`{name}` is not given here, nor which {} it is", schema.name);
                    return Err(Halt::fail(Failure::new(reason, place)));
                };
                let row = self.row(record.entity, &key, place)?;
                self.slot_of(row, slot, place)
            }
        }
    }

    /// Which row it is that was found, by its key; nothing of the record that is read.
    fn found_as(&self, what: &Unreadable<'r>) -> String {
        let within = what.text.as_bytes().as_ptr_range();
        let mut found = self.rows.values().flat_map(|rows| rows.iter());
        let row = found.find(|row| within.contains(&row.raw.as_ptr()));
        let key = row.and_then(|row| {
            let slot = self.compiled.layouts.slot(row.entity, self.compiled.program.entity(row.entity).key?);
            row.slots.get(usize::from(slot))
        });
        match key {
            Some(Value::Text(key) | Value::Reference(key)) => format!(" {key}"),
            Some(Value::Number(key)) => format!(" {key}"),
            _ => String::new(),
        }
    }

    /// What stands in a field that is read is no value of it.
    pub(crate) fn unreadable(&self, what: &Unreadable<'r>, place: Span) -> Halt {
        let name = &self.compiled.program.entity(what.of).name;
        let which = self.found_as(what);
        let mut failure = Failure::new(format!("`{}` of the {name}{which} {}", what.path(), what.told), place);
        failure.value = what.value.map(str::to_owned);
        Halt::fail(failure)
    }

    /// The field of a document of this unit: as drafted, else as the target has it.
    pub(crate) fn field_of_draft(&mut self, n: u32, field: FieldId, place: Span) -> Eval<'r> {
        let made = &self.drafts[n as usize];
        let entity = made.draft.entity;
        match made.values.get(field.0 as usize).copied().flatten() {
            Some(Value::Hole(draft)) => return Err(Halt::Later(draft)),
            Some(Value::Keep) | None => {}
            Some(value) => return Ok(value),
        }
        if let Some(found) = made.found {
            return self.slot(found, entity, field, place);
        }
        let schema = self.compiled.program.entity(entity);
        if schema.key == Some(field) {
            return Ok(Value::Draft(n));
        }
        if self.following.contains(&n) {
            return Err(Halt::Later(n));
        }
        // The system fills it when the document is written; what the flow may fill and does not is absent.
        if schema.get(field).access == crate::ir::Access::ReadOnly || schema.get(field).computed.is_some() {
            let reason =
                format!("`{}` of the new {} is not known before it is written", schema.get(field).name, schema.name);
            return Err(Halt::fail(Failure::new(reason, place)));
        }
        Ok(Value::Absent)
    }

    /// A bug of ours, told at the record.
    #[expect(clippy::unused_self, reason = "said of a run")]
    pub(crate) fn broken_promise(&self, what: &str, place: Span) -> Halt {
        let mut failure = Failure::new(format!("flowc came to {what}: a fault of flowc, please report it"), place);
        failure.cause = Cause::Bug;
        Halt::fail(failure)
    }
}
