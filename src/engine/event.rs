//! What happens, as one stream of values: the log, progress, alerts and the lines of `flowc run` are renderings of it.

use crate::store::Place;
use serde::Serialize;
use std::collections::BTreeSet;

/// Something that happened in a pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A record was made in the target.
    Created(RecordEvent),
    /// Fields of a record of the target were changed.
    Updated(RecordEvent),
    /// A record of the target was taken away.
    Deleted(RecordEvent),
    /// A record was in the target already and belongs to its source from now on.
    Linked(RecordEvent),
    /// Nothing had to be done.
    Unchanged(RecordEvent),
    /// Left out on purpose.
    Skipped(RecordEvent),
    /// It goes on later by itself.
    Waiting(RecordEvent),
    /// It needs a person.
    Parked(RecordEvent),
    /// A person is told; the record goes on.
    Alert(RecordEvent),
    /// The pass of these flows has ended.
    Done(Done),
}

impl Event {
    /// What it tells of a record.
    pub(crate) fn told_mut(&mut self) -> Option<&mut RecordEvent> {
        match self {
            Self::Created(told)
            | Self::Updated(told)
            | Self::Deleted(told)
            | Self::Linked(told)
            | Self::Unchanged(told)
            | Self::Skipped(told)
            | Self::Waiting(told)
            | Self::Parked(told)
            | Self::Alert(told) => Some(told),
            Self::Done(_) => None,
        }
    }
}

/// A field that changes, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field, by its way on the wire.
    pub field: String,
    /// What the target has, as JSON.
    pub from: Option<String>,
    /// What it will have, as JSON.
    pub to: String,
}

/// About which record, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RecordEvent {
    /// `FLOW:SOURCE_KEY`; the flow alone when it is about all of it.
    pub id: String,
    /// The mapping.
    pub mapping: String,
    /// The target's entity.
    pub entity: String,
    /// The key there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<String>,
    /// What people call it there: its number or code, where the answer showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_number: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The line of the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What a create sends: in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
    /// The same as people read it: records by their codes and names.
    #[serde(skip)]
    pub shown: Option<serde_json::Value>,
    /// What an update changes, field by field: in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<FieldChange>,
    /// The same as people read it: field, what is there, what it will be.
    #[serde(skip)]
    pub shown_changes: Vec<(String, serde_json::Value, serde_json::Value)>,
    /// It needed a person before this pass, too.
    #[serde(skip)]
    pub known: bool,
}

/// The end of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// How many of what.
    pub counts: Counts,
    /// Calls to all systems.
    pub calls: u64,
    /// Records of these flows that need a person now, those of earlier passes too.
    pub parked: u64,
    /// Why it ended before everything was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records of a target that were made.
    pub created: u64,
    /// Records of a target that were changed.
    pub updated: u64,
    /// Records of a target that were taken away.
    pub deleted: u64,
    /// Records of a target that were found and linked.
    pub linked: u64,
    /// Source records for which nothing had to be done.
    pub unchanged: u64,
    /// Source records left out on purpose.
    pub skipped: u64,
    /// Source records that go on later.
    pub waiting: u64,
    /// Source records that need a person.
    pub parked: u64,
    /// Things told.
    pub alerts: u64,
}

impl Counts {
    /// One more of what this event tells.
    pub fn count(&mut self, event: &Event) {
        let of = match event {
            Event::Created(_) => &mut self.created,
            Event::Updated(_) => &mut self.updated,
            Event::Deleted(_) => &mut self.deleted,
            Event::Linked(_) => &mut self.linked,
            Event::Unchanged(_) => &mut self.unchanged,
            Event::Skipped(_) => &mut self.skipped,
            Event::Waiting(_) => &mut self.waiting,
            Event::Parked(_) => &mut self.parked,
            Event::Alert(_) => &mut self.alerts,
            Event::Done(_) => return,
        };
        *of += 1;
    }
}

/// Counts and passes on.
pub(crate) struct Reporter<'t> {
    pub(crate) tell: &'t (dyn Fn(Event) + Sync),
    pub(crate) counts: Counts,
    /// Records that need a person and did not before.
    pub(crate) newly_parked: u64,
    /// The entities of which records were written, by their full names.
    pub(crate) written: BTreeSet<String>,
}

impl<'t> Reporter<'t> {
    pub(crate) fn new(tell: &'t (dyn Fn(Event) + Sync)) -> Self {
        Self { tell, counts: Counts::default(), newly_parked: 0, written: BTreeSet::new() }
    }

    pub(crate) fn say(&mut self, event: Event) {
        self.newly_parked += u64::from(matches!(&event, Event::Parked(told) if !told.known));
        self.counts.count(&event);
        if let Event::Created(told) | Event::Updated(told) | Event::Deleted(told) = &event {
            self.written.insert(told.entity.clone());
        }
        (self.tell)(event);
    }
}
