//! What is asked of the systems and of the store, and what is told of an answer that is none.

use crate::eval::code::Run;
use crate::eval::decode::{decode, scalar, ungiven};
use crate::eval::failure::{Cause, Failure, Halt};
use crate::eval::query::{Answered, LinkNeed, Query};
use crate::eval::value::Record;
use crate::ir::{EntityId, Stop};
use crate::json::DecodeError;
use crate::source::Span;
use std::sync::Arc;

impl<'r> Run<'r> {
    /// The rows that answer a question.
    fn ask(&mut self, need: Query, place: Span) -> Result<Vec<Arc<str>>, Halt> {
        match self.known.answer(&need) {
            Answered::Found(rows) => Ok(rows),
            Answered::Absent => Ok(Vec::new()),
            // It goes on by itself when the row is in order again; nothing is made beside what nobody can read.
            Answered::Unreadable(why) => {
                let failure = Failure { cause: Cause::Row, ..Failure::new(why, place) };
                Err(Halt::stop(Stop::Wait, failure))
            }
            Answered::NotAsked => {
                if !self.needs.contains(&need) {
                    self.needs.push(need);
                }
                Err(Halt::Needs)
            }
        }
    }

    /// The rows that answer a question, decoded once however often it is asked.
    pub(crate) fn rows(&mut self, need: Query, entity: EntityId, place: Span) -> Result<&'r [&'r Record<'r>], Halt> {
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

    /// Keys of the records that are linked to one.
    pub(crate) fn linked(&mut self, need: LinkNeed, place: Span) -> Result<Vec<&'r str>, Halt> {
        let rows = self.ask(Query::Link(need), place)?;
        // Its keys are texts in quotes, or numbers; one without quotes is taken as it stands.
        let key = |row: &Arc<str>| {
            let row: &'r str = self.arena.alloc_str(row);
            if row.starts_with('"') { scalar(row, self.arena) } else { Some(row) }
        };
        let keys: Option<Vec<&'r str>> = rows.iter().map(key).collect();
        keys.ok_or_else(|| self.broken_promise("a link whose key is no text", place))
    }

    /// Decodes a record of an entity.
    pub(crate) fn decode(&mut self, raw: &'r str, entity: EntityId, place: Span) -> Result<&'r Record<'r>, Halt> {
        let layouts = &self.compiled.layouts;
        let record = decode(raw, entity, layouts, self.arena, &mut self.learnt, self.trace.is_some())
            .map_err(|bad| Halt::fail(self.not_as_declared(&bad, entity, place)))?;
        Ok(if self.known.gives_all() { record } else { ungiven(record, layouts, self.arena) })
    }

    fn not_as_declared(&self, bad: &DecodeError, entity: EntityId, place: Span) -> Failure {
        let name = &self.compiled.program.entity(entity).name;
        let subject = if bad.path.is_empty() { format!("the {name}") } else { format!("`{}` of the {name}", bad.path) };
        let mut failure = Failure::new(format!("{subject} {}", bad.told()), place);
        failure.value.clone_from(&bad.value);
        failure
    }
}
