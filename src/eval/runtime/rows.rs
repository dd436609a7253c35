//! Rows of the systems by the keys by which they are known and found.

use crate::eval::code::{Code, Run};
use crate::eval::failure::{Failure, Halt, note};
use crate::eval::query::Query;
use crate::eval::value::{Lack, NEEDS, Record, Value, show};
use crate::ir::{EntityId, FieldId};
use crate::source::Span;
use crate::value::{decimal, text};
use std::sync::Arc;

impl<'r> Run<'r> {
    /// The row of an entity with that key; it must be there, or `??` says what holds without it.
    pub(crate) fn row(&mut self, entity: EntityId, id: &str, place: Span) -> Result<&'r Record<'r>, Halt> {
        if let Some(row) = self.row_if_any(entity, id, place)? {
            Ok(row)
        } else {
            let name = &self.compiled.program.entity(entity).name;
            let connection = self.connection(entity);
            let reason = format!("there is no {name} with the key {id} in {connection} any more");
            Err(Halt::soft(Failure::new(reason, place).with_value(id)))
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
        if let Some(kept) = self.cache.and_then(|cache| cache.of(entity)) {
            return Ok(kept.by_key(id));
        }
        let schema = self.compiled.program.entity(entity);
        let key = schema.key;
        let rows = if schema.read_whole() {
            self.rows(Query::Table { connection, entity }, entity, place)?
        } else {
            self.rows(Query::Row { connection, entity, id: id.into() }, entity, place)?
        };
        for row in rows {
            let own = match key {
                Some(key) => self.key_text(row, key, place)?,
                None => None,
            };
            // A row that does not tell its key was asked for by it.
            if own.is_none_or(|own: &str| own.eq_ignore_ascii_case(id)) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The rows whose fields have these values, compared as the target stores them; without fields all rows.
    ///
    /// An absent value finds the rows that have none there. Where all of them are absent nothing is found, by the rule of
    /// the language and without asking: nothing is no key.
    pub(crate) fn find(
        &mut self,
        connection: Option<&Arc<str>>,
        entity: EntityId,
        by: &[FieldId],
        values: &[Option<&'r str>],
        place: Span,
    ) -> Result<&'r [&'r Record<'r>], Halt> {
        let schema = self.compiled.program.entity(entity);
        // A blank text is stored as nothing, and nobody can be asked for it.
        let given = |value: Option<&str>| value.is_some_and(|text| !is_blank(text));
        if !by.is_empty() && !values.iter().any(|value| given(*value)) {
            return Ok(&[]);
        }
        let can_be_asked = by.iter().zip(values).any(|(field, value)| given(*value) && schema.asked_by(*field));
        if !schema.read_whole() && !can_be_asked {
            let reason = format!(
                "the {} can't be searched: {}, and by the rest the API can't be asked",
                schema.name,
                self.with_values(entity, by, values)
            );
            return Err(Halt::fail(Failure::new(reason, place)));
        }
        let candidates = match self.kept(entity, by, values) {
            // They were compared when they were put there.
            Some((kept, true)) => return Ok(kept),
            Some((kept, false)) => kept,
            None => {
                let connection =
                    connection.filter(|c| !c.is_empty()).map_or_else(|| self.connection(entity), Arc::clone);
                let need = if schema.read_whole() {
                    Query::Table { connection, entity }
                } else {
                    let values = values.iter().map(|value| value.map(Arc::from)).collect();
                    Query::Find { connection, entity, by: by.to_vec(), values }
                };
                self.rows(need, entity, place)?
            }
        };
        let mut found = bumpalo::collections::Vec::new_in(self.arena);
        for row in candidates {
            if self.has_keys(row, by, values, place)? {
                found.push(*row);
            }
        }
        Ok(found.into_bump_slice())
    }

    /// Rows that are kept from one record to the next, at least those whose fields have these values; whether they are all
    /// of them.
    fn kept(&self, entity: EntityId, by: &[FieldId], values: &[Option<&str>]) -> Option<(&'r [&'r Record<'r>], bool)> {
        let rows = self.cache?.of(entity)?;
        // The first field decides first, so that the other fields of rows which differ there are not looked at.
        let first = match (by.first(), values.first()) {
            (Some(field), Some(Some(value))) if !is_blank(value) => rows.with(*field, value),
            _ => None,
        };
        Some(first.map_or((rows.all, false), |first| (first, by.len() == 1)))
    }

    /// Whether the fields of a row have these values. One that can't be read, or is not there and must be, proves nothing.
    fn has_keys(
        &mut self,
        row: &'r Record<'r>,
        by: &[FieldId],
        values: &[Option<&str>],
        place: Span,
    ) -> Result<bool, Halt> {
        for (field, wanted) in by.iter().zip(values) {
            let caseless = self.compiled.program.entity(row.entity).get(*field).form.caseless;
            let form = text::KeyForm { caseless };
            let value = self.slot_of(row, self.compiled.layouts.slot(row.entity, *field), place)?;
            let same = match (self.text_of_key(value, place)?, wanted) {
                (Some(has), Some(wanted)) => {
                    has == *wanted || text::key_form(has, form) == text::key_form(wanted, form)
                }
                (None, None) => true,
                // Blanks are stored as nothing.
                (Some(has), None) => is_blank(has),
                (None, Some(wanted)) => is_blank(wanted),
            };
            if !same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A field of a row as the text of a key; none where it is not there.
    pub(crate) fn key_text(
        &mut self,
        row: &'r Record<'r>,
        field: FieldId,
        place: Span,
    ) -> Result<Option<&'r str>, Halt> {
        let slot = self.compiled.layouts.slot(row.entity, field);
        match row.slots.get(usize::from(slot)) {
            None | Some(Value::Missing(Lack::NotGiven | Lack::Ungiven)) => Ok(None),
            Some(Value::Missing(lack)) => {
                let value = self.lacking(row, slot, *lack, place)?;
                self.text_of_key(value, place)
            }
            Some(value) => self.text_of_key(*value, place),
        }
    }

    /// A value as the text of a key: numbers without zeros at the end, records by their own key.
    pub(crate) fn text_of_key(&mut self, value: Value<'r>, place: Span) -> Result<Option<&'r str>, Halt> {
        Ok(match value {
            Value::Absent | Value::Keep => None,
            Value::Hole(NEEDS) => return Err(Halt::Needs),
            Value::Hole(draft) => return Err(Halt::Later(draft)),
            Value::Missing(_) => return Err(self.broken_promise("a key that is not there", place)),
            Value::Number(n) => {
                let mut out = Vec::new();
                decimal::write(n, &mut out);
                Some(self.arena.alloc_str(&String::from_utf8_lossy(&out)))
            }
            Value::Record(record) => match self.compiled.program.entity(record.entity).key {
                Some(key) => self.key_text(record, key, place)?,
                None => None,
            },
            Value::Draft(n) => self.drafts[n as usize].id,
            Value::Text(text) | Value::Reference(text) => Some(text),
            other => Some(self.arena.alloc_str(&show(other))),
        })
    }

    /// The row of an entity with that natural key; it must be there.
    pub(crate) fn row_by_code(&mut self, entity: EntityId, code: &'r str, place: Span) -> Result<&'r Record<'r>, Halt> {
        let schema = self.compiled.program.entity(entity);
        let Some(by) = schema.code.or(schema.key) else {
            return Err(self.broken_promise("a code of what has none", place));
        };
        match self.find(None, entity, &[by], &[Some(code)], place)? {
            [row] => Ok(row),
            [] => Err(self.none_found(entity, &[by], &[Some(code)], place)),
            _ => Err(self.two_found(entity, &[by], &[Some(code)], place)),
        }
    }

    /// Entity and key of a record, for links and references.
    pub(crate) fn identity(
        &mut self,
        value: Value<'r>,
        entity: EntityId,
        place: Span,
    ) -> Result<Option<(EntityId, &'r str)>, Halt> {
        Ok(match value {
            Value::Record(record) => {
                let key = match self.compiled.program.entity(record.entity).key {
                    Some(key) => self.key_text(record, key, place)?,
                    None => None,
                };
                key.map(|key| (record.entity, key))
            }
            Value::Reference(key) => Some((entity, key)),
            Value::Draft(n) => {
                let made = &self.drafts[n as usize];
                made.id.map(|id| (made.draft.entity, id))
            }
            _ => None,
        })
    }

    /// The values of a search as texts, blank ones as absent; none at all where one is a document that is not written yet,
    /// to which nothing can refer.
    pub(crate) fn key_values(&mut self, values: &[Code], place: Span) -> Result<Option<&'r [Option<&'r str>]>, Halt> {
        let mut texts = bumpalo::collections::Vec::with_capacity_in(values.len(), self.arena);
        let mut halted = None;
        for value in values {
            match value.eval(self) {
                Ok(Value::Draft(n)) if self.drafts[n as usize].id.is_none() => return Ok(None),
                Ok(value) => match self.text_of_key(value, place) {
                    Ok(text) => texts.push(text.filter(|text| !is_blank(text))),
                    Err(halt) => note(&mut halted, halt)?,
                },
                Err(halt) => note(&mut halted, halt)?,
            }
        }
        halted.map_or(Ok(Some(texts.into_bump_slice())), Err)
    }
}

/// Whether a text has nothing but blanks; one that begins with a letter is not looked at further.
fn is_blank(text: &str) -> bool {
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim().is_empty()
}
