//! What a pass knows of both systems: rows that were found or written, keys that lead nowhere, links.
//!
//! Answers the needs of an evaluation. What we write ourselves changes what is known, so that the account that one
//! record made is there for the next one without another call.

use super::once::Once;
use super::planned::Planned;
use super::rows::{KnownRow, KnownRows, KnownTable};
use super::search::search_field;
use crate::engine::values::text::{normal, scalar, wire_text};
use crate::eval::{Answered, KeyTried, LinkNeed, Query, called};
use crate::ir::{EntityId, Field, FieldId, Program, Search, Type};
use crate::limits;
use jiff::{SignedDuration, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use std::sync::Arc;

/// Everything known.
#[derive(Default)]
pub(crate) struct Memory {
    rows: FxHashMap<(Arc<str>, EntityId), KnownRows>,
    links: FxHashMap<LinkNeed, Vec<Arc<str>>>,
    /// Needs that a system refused to answer, and what it said.
    refused: FxHashMap<Query, String>,
    /// Needs whose answer cannot be read: which row, and why.
    unreadable: FxHashMap<Query, String>,
    bytes: usize,
    /// What a dry run would have written by now.
    pub(crate) planned: Planned,
    /// What the flow reads once for all of its records.
    pub(crate) once: Once,
}

impl Memory {
    /// Nothing is known but what a dry run would have made by now.
    pub(crate) fn knowing(program: &Program, planned: Planned, now: Timestamp) -> Self {
        let made = planned.made();
        let mut memory = Self { planned, ..Self::default() };
        for (connection, entity, row) in made {
            let id = memory.row(program, &connection, entity, &row, now);
            memory.made(&connection, entity, &id, now);
        }
        memory
    }

    /// What is known of a need.
    pub(crate) fn answer(&self, program: &Program, need: &Query) -> Answered {
        match self.unreadable.get(need) {
            Some(why) => Answered::Unreadable(why.clone()),
            None => self.rows(program, need).map_or(Answered::NotAsked, Answered::all),
        }
    }

    fn rows(&self, program: &Program, need: &Query) -> Option<Vec<Arc<str>>> {
        match need {
            Query::Link(need) => self.links.get(need).cloned(),
            Query::Once { n, .. } => self.once.rows(*n),
            Query::Changed { .. } => self.once.changed(need),
            Query::Table { connection, entity } => Some(self.of(connection, *entity)?.table.as_ref()?.rows.clone()),
            Query::Row { connection, entity, id } => {
                let rows = self.of(connection, *entity)?;
                let id = normal(id);
                match rows.by_id.get(&id) {
                    Some(row) => Some(vec![Arc::clone(&row.json)]),
                    None => rows.gone.contains(&id).then(Vec::new),
                }
            }
            Query::Find { connection, entity, by, values } => {
                let schema = program.entity(*entity);
                let Some((field, value)) = search_field(schema, by, values) else {
                    // No value is there to search by: nothing can be found.
                    return Some(Vec::new());
                };
                let key = (field, normal(&wire_text(schema, field, &value)));
                let refers_to_new = || match schema.get(field).ty.present() {
                    Type::Record(other) => {
                        self.of(connection, *other).is_some_and(|rows| rows.made.contains_key(&key.1))
                    }
                    _ => false,
                };
                let rows = self.of(connection, *entity);
                let is_whole = || !rows.is_some_and(|rows| rows.partly.contains(&key)) && refers_to_new();
                if !rows.is_some_and(|rows| rows.asked.contains_key(&key)) && !is_whole() {
                    return None;
                }
                let ids = rows.and_then(|rows| rows.index.get(&key)).into_iter().flatten();
                Some(ids.filter_map(|id| rows.and_then(|r| r.by_id.get(id))).map(|row| Arc::clone(&row.json)).collect())
            }
        }
    }

    fn of(&self, connection: &Arc<str>, entity: EntityId) -> Option<&KnownRows> {
        self.rows.get(&(Arc::clone(connection), entity))
    }

    fn of_mut(&mut self, connection: &Arc<str>, entity: EntityId) -> &mut KnownRows {
        self.rows.entry((Arc::clone(connection), entity)).or_default()
    }

    /// A search for these values has been answered with these rows.
    pub(crate) fn found(
        &mut self,
        program: &Program,
        (connection, entity, field): (&Arc<str>, EntityId, FieldId),
        values: &[String],
        rows: &[Arc<str>],
        now: Timestamp,
    ) {
        let mut answered: FxHashSet<String> = FxHashSet::default();
        for row in rows {
            answered.insert(self.row(program, connection, entity, row, now));
        }
        for value in values {
            let at = (field, normal(value));
            let known = self.of_mut(connection, entity);
            // The answer is all that there is: what was known under this key and is not in it has gone, or has another
            // key by now. What we have just made is there, whether or not the system's search has noticed it.
            let under = known.index.get(&at).cloned().unwrap_or_default();
            let left = under.into_iter().filter(|id| !answered.contains(id) && !known.made.contains_key(id));
            for id in left.collect::<Vec<_>>() {
                self.doubt(connection, entity, &id);
            }
            let known = self.of_mut(connection, entity);
            known.partly.remove(&at);
            known.asked.insert(at, now);
        }
    }

    /// There is no record with this key: it was asked for by its own address.
    pub(crate) fn gone(&mut self, connection: &Arc<str>, entity: EntityId, id: &str) {
        self.of_mut(connection, entity).gone.insert(normal(id));
    }

    /// Whether a record with this key is known.
    pub(crate) fn has(&self, connection: &Arc<str>, entity: EntityId, id: &str) -> bool {
        self.of(connection, entity).is_some_and(|rows| rows.by_id.contains_key(&normal(id)))
    }

    /// A record that is known, as it was read last.
    pub(crate) fn read(&self, connection: &Arc<str>, entity: EntityId, id: &str) -> Option<Arc<str>> {
        self.of(connection, entity)?.by_id.get(&normal(id)).map(|row| Arc::clone(&row.json))
    }

    /// The number or code of a record that is known, without the blanks that fill it up.
    pub(crate) fn number_of(&self, program: &Program, entity: &str, id: &str) -> Option<String> {
        let at = normal(id);
        self.rows.iter().find_map(|((_, of), rows)| {
            let schema = program.entity(*of);
            let code = schema.code.filter(|_| schema.full_name() == entity)?;
            let row: Value = serde_json::from_str(&rows.by_id.get(&at)?.json).ok()?;
            let code = scalar(row.get(&*schema.get(code).wire)?).trim().to_owned();
            Some(code).filter(|code| !code.is_empty())
        })
    }

    /// How people call a record that is known: by its code, else its name.
    pub(crate) fn name_of(&self, program: &Program, connection: &Arc<str>, id: &str) -> Option<String> {
        if !crate::value::code::is_guid(id) {
            return None;
        }
        let at = normal(id);
        self.rows.iter().filter(|((of, _), _)| of == connection).find_map(|((_, entity), rows)| {
            let schema = program.entity(*entity);
            let key = schema.key.map(|key| &*schema.get(key).wire)?;
            let of_table =
                rows.table.iter().flat_map(|table| &table.rows).filter_map(|row| serde_json::from_str(row).ok());
            let known = rows.by_id.get(&at).and_then(|row| serde_json::from_str(&row.json).ok());
            let is_it = |row: &Value| row.get(key).is_some_and(|its| normal(&scalar(its)) == at);
            let row: Value = known.into_iter().chain(of_table).find(is_it)?;
            called(schema, &row)
        })
    }

    /// All rows of a small entity, as the store keeps them under this hash.
    pub(crate) fn table(
        &mut self,
        program: &Program,
        (connection, entity): (&Arc<str>, EntityId),
        rows: Vec<Arc<str>>,
        hash: String,
        now: Timestamp,
    ) {
        let rows = self.planned.all_by_now(program, (connection, entity), rows);
        self.of_mut(connection, entity).table = Some(KnownTable { rows, hash, read: now });
    }

    /// Under which hash the store keeps the rows of a small entity.
    pub(crate) fn kept_table(&self, connection: &Arc<str>, entity: EntityId) -> Option<String> {
        self.of(connection, entity)?.table.as_ref().map(|table| table.hash.clone())
    }

    /// A row as it is now, indexed under all fields that can be searched; the name under which it is kept.
    pub(crate) fn row(
        &mut self,
        program: &Program,
        connection: &Arc<str>,
        entity: EntityId,
        json: &Arc<str>,
        now: Timestamp,
    ) -> String {
        let schema = program.entity(entity);
        // A row that came through a connector's door can be read whole.
        let value: Value = serde_json::from_str(json).unwrap_or(Value::Null);
        let key = schema.key.and_then(|key| value.get(&*schema.get(key).wire)).map(scalar);
        let known = self.of_mut(connection, entity);
        let id = normal(&key.unwrap_or_else(|| format!("row {}", known.by_id.len())));
        self.bytes -= known.forget(&id).map_or(0, |row| row.bytes());
        let planned = self.planned.holds(connection, entity, &id);
        let (json, value) = if planned {
            let Some(value) = self.planned.by_now(program, (connection, entity), &id, value) else {
                self.of_mut(connection, entity).gone.insert(id.clone());
                return id;
            };
            (Arc::from(value.to_string()), value)
        } else {
            (Arc::clone(json), value)
        };
        let known = self.of_mut(connection, entity);
        let mut indexed = Vec::new();
        for (n, field) in schema.fields.iter().enumerate() {
            if let Some(text) = value.get(&*field.wire).filter(|v| !v.is_array()).map(|v| reference(v, field, program))
                && (field.search != Search::No || schema.key.is_some_and(|key| key.0 as usize == n))
            {
                let field = FieldId(u32::try_from(n).unwrap_or(u32::MAX));
                let at = (field, normal(&text));
                known.index.entry(at.clone()).or_default().push(id.clone());
                indexed.push(at);
            }
        }
        known.gone.remove(&id);
        // A table with a changed row is read again.
        known.table = None;
        let row = KnownRow { json, indexed, seen: now, planned };
        let bytes = row.bytes();
        known.by_id.insert(id.clone(), row);
        self.bytes += bytes;
        id
    }

    /// We have made this record: it is known, and so is that nothing else refers to it. False if it was made before.
    pub(crate) fn made(&mut self, connection: &Arc<str>, entity: EntityId, id: &str, now: Timestamp) -> bool {
        self.of_mut(connection, entity).made.insert(normal(id), now).is_none()
    }

    /// A record of this entity was made, and its answer did not show it: what it refers to is no longer known to be referred
    /// to by nothing.
    pub(crate) fn made_unseen(&mut self, program: &Program, connection: &Arc<str>, entity: EntityId) {
        for field in &program.entity(entity).fields {
            if let Type::Record(other) = field.ty.present() {
                self.of_mut(connection, *other).made.clear();
            }
        }
    }

    /// A record may have changed, or be gone: it is asked for again.
    pub(crate) fn doubt(&mut self, connection: &Arc<str>, entity: EntityId, id: &str) {
        let known = self.of_mut(connection, entity);
        let id = normal(id);
        if known.by_id.get(&id).is_some_and(|row| row.planned) {
            return;
        }
        known.gone.remove(&id);
        if let Some(row) = known.forget(&id) {
            // Whoever searched by one of its keys searches again.
            let bytes = row.bytes();
            for at in row.indexed {
                known.asked.remove(&at);
                known.partly.insert(at);
            }
            self.bytes -= bytes;
        }
    }

    /// A dry run would make this record: it is known from now on, under the key that it gets for that.
    pub(crate) fn would_create(
        &mut self,
        program: &Program,
        (connection, entity): (&Arc<str>, EntityId),
        body: &str,
        label: String,
        now: Timestamp,
    ) -> Arc<str> {
        let (id, row) = self.planned.create((connection, entity, program.entity(entity)), body, label);
        self.row(program, connection, entity, &row, now);
        self.made(connection, entity, &id, now);
        id.into()
    }

    /// A dry run would change this record so.
    pub(crate) fn would_change(
        &mut self,
        program: &Program,
        (connection, entity): (&Arc<str>, EntityId),
        (id, body): (&str, &str),
        now: Timestamp,
    ) {
        self.planned.change(program, (connection, entity), id, body);
        let row = self.of(connection, entity).and_then(|rows| rows.by_id.get(&normal(id)));
        if let Some(row) = row.map(|row| Arc::clone(&row.json)) {
            self.row(program, connection, entity, &row, now);
        }
    }

    /// A dry run would take this record away.
    pub(crate) fn would_delete(&mut self, connection: &Arc<str>, entity: EntityId, id: &str) {
        self.planned.delete(connection, entity, id);
        let id = normal(id);
        let known = self.of_mut(connection, entity);
        known.made.remove(&id);
        let row = known.forget(&id);
        known.gone.insert(id);
        self.bytes -= row.map_or(0, |row| row.bytes());
    }

    /// What a key leads to may have changed: it is searched again.
    pub(crate) fn doubt_key(&mut self, program: &Program, connection: &Arc<str>, entity: EntityId, key: &KeyTried) {
        let schema = program.entity(entity);
        if let Some((field, value)) = search_field(schema, &key.fields, &key.values) {
            let at = (field, normal(&wire_text(schema, field, &value)));
            let known = self.of_mut(connection, entity);
            known.asked.remove(&at);
            known.partly.insert(at);
        }
    }

    /// What answered a need may have changed, or be gone: it is asked again. Whether that is of use: links are our own, and
    /// small tables have their time.
    pub(crate) fn doubt_need(&mut self, program: &Program, need: &Query) -> bool {
        match need {
            Query::Row { connection, entity, id } => self.doubt(connection, *entity, id),
            Query::Find { connection, entity, by, values } => {
                let key = KeyTried { fields: by.clone(), values: values.clone() };
                self.doubt_key(program, connection, *entity, &key);
            }
            Query::Table { .. } | Query::Changed { .. } | Query::Once { .. } | Query::Link(_) => return false,
        }
        true
    }

    /// What the store says of a link.
    pub(crate) fn link(&mut self, need: LinkNeed, keys: Vec<Arc<str>>) {
        self.links.insert(need, keys);
    }

    /// A link of ours is new or gone: whatever was known of its two ends is asked again.
    pub(crate) fn relink(&mut self, source: (EntityId, &str), target: (EntityId, &str)) {
        self.links.retain(|need, _| {
            let is = |end: (EntityId, &str)| need.entity == end.0 && *need.key == *end.1;
            !is(source) && !is(target)
        });
    }

    /// A system refused to answer.
    pub(crate) fn refuse(&mut self, need: Query, reason: String) {
        self.refused.insert(need, reason);
    }

    /// What a system answered cannot be read. It counts as asked for this need alone, and as long as this is known: whatever
    /// else came with it is not all that there is.
    pub(crate) fn cannot_read(&mut self, program: &Program, need: Query, why: String) {
        match &need {
            Query::Table { connection, entity } => self.of_mut(connection, *entity).table = None,
            Query::Find { connection, entity, by, values } => {
                let schema = program.entity(*entity);
                if let Some((field, value)) = search_field(schema, by, values) {
                    let at = (field, normal(&wire_text(schema, field, &value)));
                    self.of_mut(connection, *entity).asked.remove(&at);
                }
            }
            Query::Row { .. } | Query::Changed { .. } | Query::Once { .. } | Query::Link(_) => {}
        }
        self.unreadable.insert(need, why);
    }

    /// Why a need is not answered.
    pub(crate) fn refusal(&self, need: &Query) -> Option<&str> {
        self.refused.get(need).map(String::as_str)
    }

    /// Nothing is known of any record any more, but for what is planned; small tables stay until their time.
    pub(crate) fn forget(&mut self) {
        for known in self.rows.values_mut() {
            known.keep_planned();
        }
        self.links.clear();
        self.bytes = 0;
    }

    /// A new page begins: what was not found may be there now, what was found long ago may have changed.
    pub(crate) fn turn_page(&mut self, now: Timestamp) {
        self.links.clear();
        self.refused.clear();
        self.unreadable.clear();
        let oldest = now.checked_sub(SignedDuration::from_secs(limits::FOUND_SECONDS)).unwrap_or(Timestamp::MIN);
        if self.bytes > limits::FOUND_BYTES_MAX {
            self.forget();
            return;
        }
        for known in self.rows.values_mut() {
            let old: Vec<String> =
                known.by_id.iter().filter(|(_, r)| r.seen < oldest && !r.planned).map(|(id, _)| id.clone()).collect();
            for id in old {
                if let Some(row) = known.forget(&id) {
                    row.indexed.iter().for_each(|at| {
                        known.asked.remove(at);
                    });
                    self.bytes -= row.bytes();
                }
            }
            known.table.take_if(|table| table.read < oldest);
            let KnownRows { by_id, asked, index, gone, made, .. } = known;
            index.retain(|_, ids| !ids.is_empty());
            asked.retain(|at, _| index.contains_key(at));
            gone.clear();
            // KnownRows that refer to a record are younger than the record: they are forgotten after it.
            made.retain(|id, at| *at >= oldest || by_id.get(id).is_some_and(|row| row.planned));
        }
    }
}

/// A value as text; a nested record by its key.
fn reference(value: &Value, field: &Field, program: &Program) -> String {
    match (value, field.ty.present()) {
        (Value::Object(_), Type::Record(other)) => {
            let other = program.entity(*other);
            other.key.and_then(|key| value.get(&*other.get(key).wire)).map(scalar).unwrap_or_default()
        }
        _ => scalar(value),
    }
}
