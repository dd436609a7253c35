//! One evaluation of one record: its arena, its frame, what it needs, and the documents that it makes.

use super::compiled::Compiled;
use super::expression::{Each, Eval, Frame};
use crate::eval::decode::Learnt;
use crate::eval::failure::{Cause, Failure, Halt};
use crate::eval::making::{Made, Making};
use crate::eval::query::{Query, Resolver};
use crate::eval::row_cache::RowCache;
use crate::eval::trace::Trace;
use crate::eval::value::{EMPTY, NEEDS, Record, Value};
use crate::ir::{EntityId, MappingId};
use crate::source::Span;
use bumpalo::Bump;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// One evaluation.
pub(crate) struct Run<'r> {
    pub(crate) arena: &'r Bump,
    pub(crate) compiled: &'r Compiled,
    pub(crate) known: &'r dyn Resolver,
    pub(crate) learnt: Learnt,
    /// The frame of the mapping or flow that is being computed.
    pub(crate) locals: &'r mut [Value<'r>],
    /// For each table the row that was found last, or a number beyond them; none of a table that comes later.
    pub(crate) recent_rows: Vec<usize>,
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
    /// Tables that were decoded for an earlier record.
    pub(crate) cache: Option<&'r RowCache<'r>>,
    /// Only payloads of this mapping are wanted: what else is said of documents is not put down.
    pub(crate) payload_of: Option<MappingId>,
    /// The payload of the last of them, if it has any.
    pub(crate) payload: Option<String>,
    /// Where the JSON of a field is put together.
    pub(crate) scratch: Vec<u8>,
}

impl<'r> Run<'r> {
    /// A new one, of a record of that flow if it is one's.
    pub(crate) fn new(compiled: &'r Compiled, arena: &'r Bump, known: &'r dyn Resolver, flow: Option<usize>) -> Self {
        Self {
            arena,
            compiled,
            known,
            learnt: Learnt::default(),
            recent_rows: Vec::new(),
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
            cache: None,
            payload_of: None,
            payload: None,
            scratch: Vec::new(),
        }
    }

    /// The row of a table that was found last, or a number beyond them.
    pub(crate) fn recent_row(&self, table: usize) -> usize {
        self.recent_rows.get(table).copied().unwrap_or(usize::MAX)
    }

    /// That row of a table was found.
    pub(crate) fn found_row(&mut self, table: usize, row: usize) {
        if self.recent_rows.len() <= table {
            self.recent_rows.resize(self.compiled.tables.len(), usize::MAX);
        }
        self.recent_rows[table] = row;
    }

    /// A constant of the pool.
    #[inline]
    pub(crate) fn constant(&self, n: u32) -> Value<'r> {
        self.compiled.constants.get(n, self.arena)
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

    /// A frame whose places of shared values are empty, and whose locals hold nothing.
    pub(crate) fn frame(&self, Frame { shared, locals }: Frame) -> &'r mut [Value<'r>] {
        let frame = self.arena.alloc_slice_fill_copy(shared + locals, Value::Absent);
        frame[..shared].fill(Value::Hole(EMPTY));
        frame
    }

    /// A loop comes to its next element.
    #[inline]
    pub(crate) fn enter(&mut self, each: &Each, element: &Value<'r>) {
        self.locals[each.local as usize] = *element;
        for place in &each.places {
            self.locals[*place as usize] = Value::Hole(EMPTY);
        }
    }

    /// A text in the arena.
    pub(crate) fn text(&self, text: &str) -> Value<'r> {
        Value::Text(self.arena.alloc_str(text))
    }

    /// A list in the arena.
    pub(crate) fn list(&self, values: &[Value<'r>]) -> Value<'r> {
        Value::List(self.arena.alloc_slice_copy(values))
    }

    /// A bug of ours, told at the record.
    #[expect(clippy::unused_self, reason = "said of a run")]
    pub(crate) fn broken_promise(&self, what: &str, place: Span) -> Halt {
        let mut failure = Failure::new(format!("flowc came to {what}: a fault of flowc, please report it"), place);
        failure.cause = Cause::Bug;
        Halt::fail(failure)
    }

    /// The connection that an entity is asked of and written to.
    pub(crate) fn connection(&self, entity: EntityId) -> Arc<str> {
        self.compiled.connection(self.flow, entity)
    }

    /// A document of this entity in the making, of which nothing is filled yet.
    pub(crate) fn making_of(&self, entity: EntityId, steps: usize) -> Making<'r> {
        Making::new(self.arena, entity, steps)
    }

    /// Tells a person once.
    pub(crate) fn alert(&mut self, text: String, place: Span) {
        if !self.alerts.iter().any(|(known, at)| *known == text && *at == place) {
            self.alerts.push((text, place));
        }
    }

    /// Whether the innermost document is there already.
    pub(crate) fn updating(&self) -> bool {
        self.making.last().is_some_and(|making| making.updating)
    }

    /// Whether the innermost document is a copy that may be somebody else's.
    pub(crate) fn is_strange(&self) -> bool {
        self.making.last().is_some_and(|making| making.strange)
    }

    /// The document in the making refers to that one.
    pub(crate) fn refer_to(&mut self, n: u32) {
        if let Some(making) = self.making.last_mut()
            && !making.refers.contains(&(n as usize))
        {
            making.refers.push(n as usize);
        }
    }
}
