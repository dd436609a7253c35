//! Records of a flow's source with what is known of their documents: read, asked for together, evaluated.

use crate::connector::Raw;
use crate::engine::error::PassError;
use crate::engine::pass::ask;
use crate::engine::pass::context::Pass;
use crate::engine::pass::linked::linked;
use crate::engine::pass::view::Look;
use crate::eval::{Answered, Evaluated, LinkNeed, Query};
use crate::ir::{EntityId, MappingId, Type};
use crate::limits;
use crate::store::RecordRow;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Arc;

/// A record of the source.
pub(in crate::engine) struct Source {
    pub(in crate::engine) key: Arc<str>,
    pub(in crate::engine) raw: Arc<str>,
    pub(in crate::engine) row: Value,
    /// What the store says of it.
    pub(in crate::engine) before: Option<RecordRow>,
    /// The moment of its first try.
    pub(in crate::engine) now: Timestamp,
    /// The document that an earlier write made of it.
    pub(in crate::engine) linked: Option<(EntityId, Arc<str>)>,
}

/// What is known of a document by its key.
pub(in crate::engine) enum Standing {
    /// It is there: its row, JSON.
    There(Value),
    /// It is not there any more.
    Gone,
    /// Nobody can tell, and why.
    Unknown(String),
}

/// What asks for the records of one flow and their documents.
pub(in crate::engine) struct Gather<'a> {
    pub(in crate::engine) pass: &'a Pass,
    /// The mappings that make its documents.
    pub(in crate::engine) tops: Vec<MappingId>,
    /// Records that have been looked at.
    pub(in crate::engine) seen: HashSet<String>,
}

impl<'a> Gather<'a> {
    /// Nothing has been looked at.
    pub(in crate::engine) fn new(pass: &'a Pass, tops: Vec<MappingId>) -> Self {
        Self { pass, tops, seen: HashSet::new() }
    }

    /// Records of a page that have not come before, each with the document that it is linked to; and how many show no key.
    pub(in crate::engine) async fn sources(&mut self, records: Vec<Raw>) -> Result<(Vec<Source>, usize), PassError> {
        let now = self.pass.source()?.now();
        let (mut sources, mut nameless) = (Vec::with_capacity(records.len()), 0);
        for Raw(raw) in records {
            // A key that cannot be read: the run parks such a record under a key of its own, and tells.
            let Ok(key) = self.pass.evaluator().key_of(self.pass.flow, &raw) else {
                nameless += 1;
                continue;
            };
            if !self.seen.insert(key.to_string()) {
                continue;
            }
            let row = serde_json::from_str(&raw).unwrap_or_default();
            let before = self.pass.store().record(&self.pass.flow().name, &key).await?;
            let first = before.as_ref().map_or(now, |before| before.first);
            let linked = self.linked(&key).await?;
            sources.push(Source { key, raw, row, before, now: first, linked });
        }
        Ok((sources, nameless))
    }

    async fn linked(&self, key: &Arc<str>) -> Result<Option<(EntityId, Arc<str>)>, PassError> {
        let source = self.pass.flow().source;
        for top in &self.tops {
            let mapping = self.pass.program().mapping(*top);
            let need = LinkNeed {
                mapping: Some(Arc::clone(&mapping.name)),
                entity: source,
                key: Arc::clone(key),
                other: mapping.target,
            };
            let found = linked(self.pass, &need).await?;
            if let Some(id) = found.first().and_then(|id| serde_json::from_str::<String>(id).ok()) {
                return Ok(Some((mapping.target, id.into())));
            }
        }
        Ok(None)
    }

    /// Asks for documents by their keys, many in a call.
    pub(in crate::engine) async fn ask_rows(
        &self,
        rows: impl Iterator<Item = (EntityId, Arc<str>)>,
    ) -> Result<(), PassError> {
        let mut seen = HashSet::new();
        let needs = rows.map(|(entity, id)| self.row_of(entity, &id)).filter(|need| seen.insert(need.clone()));
        let unknown = needs.filter(|need| self.pass.memory().answer(self.pass.program(), need) == Answered::NotAsked);
        ask::resolve(self.pass, unknown.collect()).await
    }

    fn row_of(&self, entity: EntityId, id: &Arc<str>) -> Query {
        Query::Row { connection: self.pass.connection_of(entity), entity, id: Arc::clone(id) }
    }

    /// What is known of a record that has been asked for by its key.
    pub(in crate::engine) fn standing(&self, entity: EntityId, id: &Arc<str>) -> Standing {
        let need = self.row_of(entity, id);
        let memory = self.pass.memory();
        match memory.answer(self.pass.program(), &need) {
            Answered::Found(rows) => match rows.first().and_then(|row| serde_json::from_str(row).ok()) {
                Some(row) => Standing::There(row),
                None => Standing::Unknown("it cannot be read".to_owned()),
            },
            Answered::Absent => Standing::Gone,
            Answered::Unreadable(why) => Standing::Unknown(why),
            Answered::NotAsked => Standing::Unknown(memory.refusal(&need).unwrap_or("it is not shown").to_owned()),
        }
    }

    /// The record that a source record takes back a part of: its entity and its key.
    pub(in crate::engine) fn credited(&self, row: &Value) -> Option<(EntityId, Arc<str>)> {
        let schema = self.pass.program().entity(self.pass.flow().source);
        let field = schema.get(schema.books.credits?);
        let Type::Record(other) = field.ty.present() else { return None };
        let id = row.get(&*field.wire).map(crate::engine::values::text::scalar)?;
        Some((*other, id.into()))
    }

    /// Evaluates records, with rounds of questions for all of them together; what still needs something at the end says so.
    pub(in crate::engine) async fn evaluated(
        &self,
        sources: &[&Source],
        look: Look,
    ) -> Result<Vec<Evaluated>, PassError> {
        let mut outcomes: Vec<Option<Evaluated>> = sources.iter().map(|_| None).collect();
        for _ in 0..limits::STAGES_MAX {
            let mut needs: Vec<Query> = Vec::new();
            let mut asked = HashSet::new();
            for (source, outcome) in sources.iter().zip(&mut outcomes) {
                self.pass.go_on()?;
                if matches!(outcome, Some(done) if !matches!(done, Evaluated::Needs(_))) {
                    continue;
                }
                let evaluated = self.pass.evaluate_as(&source.raw, source.now, look).0;
                if let Evaluated::Needs(more) = &evaluated
                    && more.iter().all(|need| self.pass.memory().refusal(need).is_none())
                {
                    needs.extend(more.iter().filter(|need| asked.insert((*need).clone())).cloned());
                }
                *outcome = Some(evaluated);
            }
            if needs.is_empty() {
                break;
            }
            ask::resolve(self.pass, needs).await?;
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Evaluated::Filtered)).collect())
    }

    /// Why needs are not answered.
    pub(in crate::engine) fn refusal(&self, needs: &[Query]) -> String {
        let memory = self.pass.memory();
        let refusal = needs.iter().find_map(|need| memory.refusal(need));
        refusal.unwrap_or("what it needs to know is asked for without end").to_owned()
    }
}
