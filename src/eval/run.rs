//! One evaluation of one record: its arena, its frame, what it needs, and the documents that it makes.

use super::compile::Compiled;
use super::decode::{self, Bad};
use super::failure::{Failure, Halt};
use super::layout::NO_SLOT;
use super::learnt::Learnt;
use super::make::{Made, Making};
use super::value::{NEEDS, Record, Value};
use super::why::Trace;
use super::{Answered, Known, LinkNeed, Need};
use crate::ir::{EntityId, Field, FieldId, Stop};
use crate::source::Span;
use crate::value::text;
use bumpalo::Bump;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The value of an expression, or why it has none.
pub(crate) type Eval<'r> = Result<Value<'r>, Halt>;

/// One evaluation.
pub(crate) struct Run<'r> {
    pub(crate) arena: &'r Bump,
    pub(crate) compiled: &'r Compiled,
    pub(crate) known: &'r dyn Known,
    pub(crate) learnt: Learnt,
    /// The frame of the mapping or flow that is being computed.
    pub(crate) locals: &'r mut [Value<'r>],
    /// For each table the row that was found last, or a number beyond them.
    pub(crate) recent_rows: &'r mut [usize],
    /// What must be asked first.
    pub(crate) needs: Vec<Need>,
    /// Rows that were asked for, decoded once however often they are looked at.
    pub(crate) rows: FxHashMap<(EntityId, Need), &'r [&'r Record<'r>]>,
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
            Value::Missing => Err(self.missing("the record", place)),
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
        match record.slots.get(usize::from(slot)) {
            Some(Value::Missing) => {
                let name = &self.compiled.program.entity(entity).get(field).name;
                let of = &self.compiled.program.entity(record.entity).name;
                Err(Halt::fail(Failure::new(
                    format!("`{name}` is not given in this {of}, which always has one"),
                    place,
                )))
            }
            Some(value) => Ok(*value),
            None => Err(self.broken_promise("a field that nobody decodes", place)),
        }
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

    #[expect(clippy::unused_self, reason = "said of a run")]
    pub(crate) fn missing(&self, what: &str, place: Span) -> Halt {
        Halt::fail(Failure::new(format!("{what} is not there"), place))
    }

    /// A bug of ours, told at the record.
    #[expect(clippy::unused_self, reason = "said of a run")]
    pub(crate) fn broken_promise(&self, what: &str, place: Span) -> Halt {
        let mut failure = Failure::new(format!("flowc came to {what}: a fault of flowc, please report it"), place);
        failure.ours = true;
        Halt::fail(failure)
    }

    // ------------------------------------------------------------------------------------ what must be asked

    fn ask(&mut self, need: Need, place: Span) -> Result<Vec<Arc<str>>, Halt> {
        match self.known.answer(&need) {
            Answered::Found(rows) => Ok(rows),
            Answered::Absent => Ok(Vec::new()),
            // It goes on by itself when the row is in order again; nothing is made beside what nobody can read.
            Answered::Unreadable(why) => Err(Halt::stop(Stop::Wait, Failure::new(why, place))),
            Answered::NotAsked => {
                if !self.needs.contains(&need) {
                    self.needs.push(need);
                }
                Err(Halt::Needs)
            }
        }
    }

    fn rows(&mut self, need: Need, entity: EntityId, place: Span) -> Result<&'r [&'r Record<'r>], Halt> {
        let asked = (entity, need);
        if let Some(rows) = self.rows.get(&asked) {
            return Ok(rows);
        }
        let answer = self.ask(asked.1.clone(), place)?;
        let mut rows = bumpalo::collections::Vec::with_capacity_in(answer.len(), self.arena);
        for row in &answer {
            rows.push(self.decode(self.arena.alloc_str(row), entity, place)?);
        }
        let rows = rows.into_bump_slice();
        self.rows.insert(asked, rows);
        Ok(rows)
    }

    /// The row of an entity with that key; it must be there.
    pub(crate) fn row(&mut self, entity: EntityId, id: &str, place: Span) -> Result<&'r Record<'r>, Halt> {
        if let Some(row) = self.row_if_any(entity, id, place)? {
            Ok(row)
        } else {
            let name = &self.compiled.program.entity(entity).name;
            let connection = self.connection(entity);
            let reason = format!("there is no {name} with the key {id} in {connection} any more");
            Err(Halt::fail(Failure::new(reason, place).with_value(id)))
        }
    }

    /// As [`Self::row`]; none when it is gone.
    pub(crate) fn row_if_any(
        &mut self,
        entity: EntityId,
        id: &str,
        place: Span,
    ) -> Result<Option<&'r Record<'r>>, Halt> {
        self.row_of(self.connection(entity), entity, id, place)
    }

    /// As [`Self::row_if_any`], of that connection.
    pub(crate) fn row_of(
        &mut self,
        connection: Arc<str>,
        entity: EntityId,
        id: &str,
        place: Span,
    ) -> Result<Option<&'r Record<'r>>, Halt> {
        let schema = self.compiled.program.entity(entity);
        let key = schema.key;
        let rows = if schema.small {
            self.rows(Need::Table { connection, entity }, entity, place)?
        } else {
            self.rows(Need::Row { connection, entity, id: id.into() }, entity, place)?
        };
        Ok(rows
            .iter()
            .copied()
            .find(|row| key.is_none_or(|key| self.key_text(row, key).is_none_or(|k| k.eq_ignore_ascii_case(id)))))
    }

    /// The rows whose fields have these values, compared as the target stores them.
    pub(crate) fn find(
        &mut self,
        connection: Option<&Arc<str>>,
        entity: EntityId,
        by: &[FieldId],
        values: &[Option<Arc<str>>],
        place: Span,
    ) -> Result<Vec<&'r Record<'r>>, Halt> {
        let connection = connection.filter(|c| !c.is_empty()).map_or_else(|| self.connection(entity), Arc::clone);
        let need = if self.compiled.program.entity(entity).small {
            Need::Table { connection, entity }
        } else {
            Need::Find { connection, entity, by: by.to_vec(), values: values.to_vec() }
        };
        let rows = self.rows(need, entity, place)?;
        Ok(rows.iter().copied().filter(|row| self.has_keys(row, by, values)).collect())
    }

    fn has_keys(&self, row: &Record<'r>, by: &[FieldId], values: &[Option<Arc<str>>]) -> bool {
        by.iter().zip(values).all(|(field, wanted)| {
            let caseless = self.compiled.program.entity(row.entity).get(*field).form.caseless;
            let form = text::KeyForm { caseless };
            match (self.key_text(row, *field), wanted) {
                (Some(has), Some(wanted)) => text::key_form(&has, form) == text::key_form(wanted, form),
                (None, None) => true,
                // Blanks are stored as nothing.
                (Some(has), None) => has.trim().is_empty(),
                (None, Some(wanted)) => wanted.trim().is_empty(),
            }
        })
    }

    /// A field of a row as the text of a key.
    pub(crate) fn key_text(&self, row: &Record<'r>, field: FieldId) -> Option<String> {
        let slot = self.compiled.layouts.slot(row.entity, field);
        row.slots.get(usize::from(slot)).and_then(|value| self.text_of_key(*value))
    }

    /// A value as the text of a key: numbers without zeros at the end, records by their own key.
    pub(crate) fn text_of_key(&self, value: Value<'r>) -> Option<String> {
        match value {
            Value::Absent | Value::Missing | Value::Hole(_) | Value::Keep => None,
            Value::Number(n) => {
                let mut out = Vec::new();
                crate::value::decimal::write(n, &mut out);
                String::from_utf8(out).ok()
            }
            Value::Record(record) => {
                self.compiled.program.entity(record.entity).key.and_then(|key| self.key_text(record, key))
            }
            Value::Draft(n) => self.drafts[n as usize].id.map(str::to_owned),
            other => Some(super::value::show(other)),
        }
    }

    /// The row of an entity with that natural key; it must be there.
    pub(crate) fn row_by_code(&mut self, entity: EntityId, code: &str, place: Span) -> Result<&'r Record<'r>, Halt> {
        let schema = self.compiled.program.entity(entity);
        let Some(by) = schema.code.or(schema.key) else {
            return Err(self.broken_promise("a code of what has none", place));
        };
        match self.find(None, entity, &[by], &[Some(code.into())], place)?.as_slice() {
            [row] => Ok(row),
            [] => Err(self.none_found(entity, &[by], &[Some(code.into())], place)),
            _ => Err(self.two_found(entity, &[by], &[Some(code.into())], place)),
        }
    }

    /// `there is no Item with Code X in exact`
    pub(crate) fn none_found(
        &self,
        entity: EntityId,
        by: &[FieldId],
        values: &[Option<Arc<str>>],
        place: Span,
    ) -> Halt {
        let name = &self.compiled.program.entity(entity).name;
        let what = self.with_values(entity, by, values);
        let reason = format!("there is no {name} with {what} in {}", self.connection(entity));
        Halt::fail(Failure::new(reason, place).with_value(self.first_told(entity, by, values)))
    }

    /// `there are two Items with Code X in exact`
    pub(crate) fn two_found(&self, entity: EntityId, by: &[FieldId], values: &[Option<Arc<str>>], place: Span) -> Halt {
        let name = &self.compiled.program.entity(entity).name;
        let what = self.with_values(entity, by, values);
        let reason = format!("there is more than one {name} with {what} in {}", self.connection(entity));
        Halt::fail(Failure::new(reason, place).with_value(self.first_told(entity, by, values)))
    }

    pub(crate) fn with_values(&self, entity: EntityId, by: &[FieldId], values: &[Option<Arc<str>>]) -> String {
        let schema = self.compiled.program.entity(entity);
        let pairs: Vec<String> = by
            .iter()
            .zip(values)
            .map(|(field, value)| match value {
                Some(value) => format!("{} {}", schema.get(*field).name, Self::key_told(schema.get(*field), value)),
                None => format!("no {}", schema.get(*field).name),
            })
            .collect();
        pairs.join(" and ")
    }

    fn first_told(&self, entity: EntityId, by: &[FieldId], values: &[Option<Arc<str>>]) -> String {
        let mut told = by.iter().zip(values).filter_map(|(field, value)| Some((field, value.as_deref()?)));
        told.next().map_or_else(String::new, |(field, value)| {
            Self::key_told(self.compiled.program.entity(entity).get(*field), value)
        })
    }

    /// A key's value as a reason shows it.
    fn key_told(field: &Field, value: &str) -> String {
        if field.personal { text::masked(value) } else { value.to_owned() }
    }

    /// Keys of the records that are linked to one.
    pub(crate) fn linked(&mut self, need: LinkNeed, place: Span) -> Result<Vec<&'r str>, Halt> {
        let rows = self.ask(Need::Link(need), place)?;
        Ok(rows
            .iter()
            .map(|row| {
                let row: &'r str = self.arena.alloc_str(row);
                // A key without quotes is taken as it stands.
                decode::scalar(row, self.arena).unwrap_or(row)
            })
            .collect())
    }

    /// The connection that an entity is asked of and written to.
    pub(crate) fn connection(&self, entity: EntityId) -> Arc<str> {
        self.compiled.connection(self.flow, entity)
    }

    /// Entity and key of a record, for links and references.
    pub(crate) fn identity(&mut self, value: Value<'r>, entity: EntityId) -> Option<(EntityId, Arc<str>)> {
        match value {
            Value::Record(record) => {
                let key = self.compiled.program.entity(record.entity).key?;
                self.key_text(record, key).map(|key| (record.entity, key.into()))
            }
            Value::Reference(key) => Some((entity, key.into())),
            Value::Draft(n) => {
                let made = &self.drafts[n as usize];
                made.id.map(|id| (made.draft.entity, id.into()))
            }
            _ => None,
        }
    }
}
