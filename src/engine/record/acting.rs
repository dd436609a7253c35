//! A record while it is acted on: what was done for it so far, and what is told.

use super::item::Item;
use super::verdict::Verdict;
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent};
use crate::engine::log::{AnswerEntry, DraftEntry, StepEntry};
use crate::engine::pass::context::Pass;
use crate::engine::pass::view::Used;
use crate::engine::values::body::Settled;
use crate::eval::Draft;
use crate::ir::EntityId;
use crate::source::Span;
use crate::store::{Commit, RecordRow, Target};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A draft across evaluations: what made it, from what, and which of those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DraftName {
    pub(crate) mapping: Arc<str>,
    pub(crate) linked_to: Option<(EntityId, Arc<str>)>,
    pub(crate) keys: Vec<(Vec<u32>, Vec<Option<String>>)>,
}

/// A record while it is acted on.
pub(crate) struct Acting<'p> {
    pub(crate) pass: &'p Pass,
    pub(crate) item: &'p Item,
    pub(crate) lanes: Vec<String>,
    /// Changes that become durable with the next commit.
    pub(crate) carry: Commit,
    pub(crate) events: Vec<Event>,
    pub(crate) done: Vec<(DraftName, Settled)>,
    pub(crate) target: Option<Target>,
    pub(crate) used: Used,
    /// What the evaluation before the first write of this try looked at.
    pub(crate) used_before: Used,
    pub(crate) drafts: Vec<DraftEntry>,
    pub(crate) steps: Vec<StepEntry>,
    pub(crate) answers: Vec<AnswerEntry>,
    /// Something was sent to a system in this try.
    pub(crate) wrote: bool,
    /// A write that was refused, by the hash of its body, and what to say if it is the same after a second look.
    pub(crate) refused: Option<(String, Verdict)>,
    pub(crate) told: BTreeSet<String>,
    /// What the evaluations of this try had to tell, with the lines of the flow.
    pub(crate) to_tell: Vec<(String, Span)>,
    /// What was told and holds; none where nothing new was told.
    pub(crate) alerted: Option<Vec<String>>,
}

impl<'p> Acting<'p> {
    pub(crate) fn new(pass: &'p Pass, item: &'p Item, lanes: Vec<String>) -> Self {
        Self {
            pass,
            item,
            lanes,
            carry: Commit::default(),
            events: Vec::new(),
            done: Vec::new(),
            target: None,
            used: Vec::new(),
            used_before: Vec::new(),
            drafts: Vec::new(),
            steps: Vec::new(),
            answers: Vec::new(),
            wrote: false,
            refused: None,
            told: BTreeSet::new(),
            to_tell: Vec::new(),
            alerted: None,
        }
    }

    /// Makes durable what has been done.
    pub(crate) async fn flush(&mut self) -> Result<(), PassError> {
        let carried = std::mem::take(&mut self.carry);
        if !carried.changes.is_empty() {
            self.pass.store().commit(carried).await?;
        }
        Ok(())
    }

    /// What an event about this record says of it.
    pub(crate) fn told_of(&self, draft: Option<&Draft>) -> RecordEvent {
        let (mapping, entity) = match draft {
            Some(draft) => (draft.made.name.to_string(), self.pass.program().entity(draft.entity).full_name()),
            None => self.pass.writes(),
        };
        RecordEvent { id: self.pass.label(&self.item.key), mapping, entity, ..RecordEvent::default() }
    }

    /// What a person was told of it when it was settled last.
    pub(crate) fn alerts_before(&self) -> &[String] {
        self.item.before.as_ref().map_or(&[], |before| &before.alerts)
    }

    /// What was settled of just this version under just this plan.
    pub(crate) fn tried_before(&self) -> Option<&RecordRow> {
        let plan = &self.pass.project.plan_hash;
        let before = self.item.before.as_ref();
        before.filter(|b| b.content_hash == self.item.content_hash && b.plan_hash == *plan)
    }

    /// Tells a person; the record goes on.
    pub(crate) fn alert(&mut self, reason: String, place: Span) {
        let mut told = self.told_of(None);
        told.reason = Some(reason);
        told.place = self.pass.place(place);
        self.events.push(Event::Alert(told));
    }
}
