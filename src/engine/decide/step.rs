//! What a decision depends on, and what it comes to.

use super::lines::Lines;
use super::owner::Owner;
use crate::engine::event::FieldChange;
use crate::engine::values::body::{self, Dangling, Settled};
use crate::engine::values::compare;
use crate::eval::{Draft, DraftField};
use crate::ir::{Entity, Entries, Program, Stop, Verb};
use crate::source::Span;
use crate::store::{FieldHash, Link};
use serde_json::Value;
use std::sync::Arc;

/// All that a decision depends on.
pub(crate) struct Facts<'a> {
    pub(crate) program: &'a Program,
    pub(crate) draft: &'a Draft,
    pub(crate) verb: &'a Verb,
    /// What this source record became through this mapping.
    pub(crate) link: Option<&'a Link>,
    /// A link will say what was sent.
    pub(crate) remembers: bool,
    /// A record that was made later than this one has been carried out by it.
    pub(crate) is_late: bool,
    /// Another source record that what was found was made for.
    pub(crate) owner: Option<&'a Owner>,
    /// The drafts of the unit that are there already.
    pub(crate) settled: &'a [Option<Settled>],
    /// The source differs from what the link was carried out from; a new plan alone is no change of the source.
    pub(crate) source_is_new: bool,
    /// The installation's hash of a written value.
    pub(crate) hash: &'a dyn Fn(&str) -> String,
}

impl<'a> Facts<'a> {
    /// The schema of what is written.
    pub(crate) fn entity(&self) -> &'a Entity {
        self.program.entity(self.draft.entity)
    }

    /// Where its further entries stand.
    pub(crate) fn entries(&self) -> Option<Entries<'a>> {
        self.program.entries_of(self.entity())
    }

    /// What a row has where a field of the draft goes.
    pub(crate) fn theirs<'r>(&self, field: &DraftField, row: &'r Value) -> Option<&'r Value> {
        let entries = self.entries();
        match entries.zip(body::entry_name(entries, field)) {
            Some((entries, name)) => body::entry_value(entries, row, name),
            None => compare::value_at(row, &field.path),
        }
    }

    /// The mark of a value that is written into a field.
    pub(crate) fn hashed(&self, field: &DraftField, value: &Value) -> FieldHash {
        FieldHash { field: field.path.join("."), hash: (self.hash)(&value.to_string()) }
    }

    /// The marks of all fields whose values are known: a reference to what is not written yet says nothing new about a
    /// document that is there.
    pub(crate) fn all_hashed(&self) -> Vec<FieldHash> {
        let fields = self.draft.fields.iter();
        fields.filter_map(|f| body::filled(&f.json, self.settled).ok().map(|v| self.hashed(f, &v))).collect()
    }

    /// The mark of what was written into a field last.
    pub(crate) fn last_hash(&self, field: &str) -> Option<&'a str> {
        self.link?.fields.iter().find(|f| f.field == field).map(|f| f.hash.as_str())
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// It is made.
    Create { body: String, hashes: Vec<FieldHash> },
    /// These fields of it are changed, and these lists of lines that are records of their own.
    Update { id: Arc<str>, body: String, changes: Vec<FieldChange>, hashes: Vec<FieldHash>, lines: Vec<Lines> },
    /// It is taken away.
    Delete { id: Arc<str> },
    /// It is left as it is, and the draft with that number is written instead.
    Instead { id: Arc<str>, draft: usize },
    /// It is as it should be.
    Unchanged { id: Arc<str>, hashes: Vec<FieldHash> },
    /// It was there already and is ours from now on.
    Adopt { id: Arc<str>, hashes: Vec<FieldHash> },
    /// It is left alone and a person is told.
    Alert { id: Arc<str>, reason: String, place: Span },
    /// The record stops, or the draft is left alone.
    Stop { stop: Stop, reason: String, place: Span },
    /// Whether it is there can be asked now: evaluate again.
    Again,
}

/// Why nothing can be decided yet.
pub(crate) enum Undecided {
    /// A record that it refers to is not there.
    Dangling,
    /// What the target has cannot be read.
    Unreadable(String),
}

impl From<Dangling> for Undecided {
    fn from(_: Dangling) -> Self {
        Self::Dangling
    }
}
