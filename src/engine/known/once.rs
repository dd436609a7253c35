//! What a flow reads once for all of its records, and the changes that it is made of.

use crate::connector::Position;
use crate::eval::Query;
use crate::ir::EntityId;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All that is read once.
#[derive(Default)]
pub(crate) struct Once {
    values: FxHashMap<u32, OnceRows>,
    changes: FxHashMap<Query, Changes>,
    /// The moment of the first reading: what is reckoned from it stays the same while the pass lasts.
    at: Option<Timestamp>,
}

/// The rows of one value.
pub(crate) struct OnceRows {
    pub(crate) entity: EntityId,
    pub(crate) rows: Vec<Arc<str>>,
    /// Under which name the store keeps them.
    pub(crate) hash: String,
}

/// Rows that have changed since a moment, as far as they have been read.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// By their keys, in the order of these.
    pub(crate) rows: BTreeMap<String, Arc<str>>,
    /// Where their feed goes on.
    pub(crate) position: Option<Position>,
}

impl Once {
    /// The rows of a value; none while nobody has read it.
    pub(crate) fn rows(&self, n: u32) -> Option<Vec<Arc<str>>> {
        self.values.get(&n).map(|value| value.rows.clone())
    }

    /// Under which name the store keeps the rows of a value.
    pub(crate) fn kept(&self, n: u32) -> Option<String> {
        self.values.get(&n).map(|value| value.hash.clone())
    }

    /// Which values have been read.
    pub(crate) fn read(&self) -> Vec<(u32, EntityId)> {
        let mut read: Vec<(u32, EntityId)> = self.values.iter().map(|(n, value)| (*n, value.entity)).collect();
        read.sort_unstable_by_key(|(n, _)| *n);
        read
    }

    /// The rows that have changed; none while nobody has read them.
    pub(crate) fn changed(&self, need: &Query) -> Option<Vec<Arc<str>>> {
        self.changes.get(need).map(|changes| changes.rows.values().cloned().collect())
    }

    /// What is known of changes.
    pub(crate) fn changes(&self, need: &Query) -> Changes {
        self.changes.get(need).cloned().unwrap_or_default()
    }

    /// The changes that are read here.
    pub(crate) fn needs(&self) -> Vec<Query> {
        self.changes.keys().cloned().collect()
    }

    /// Changes as far as they have been read by now.
    pub(crate) fn keep_changes(&mut self, need: Query, changes: Changes) {
        self.changes.insert(need, changes);
    }

    /// A value as it has been read.
    pub(crate) fn keep(&mut self, n: u32, value: OnceRows) {
        self.values.insert(n, value);
    }

    /// The moment from which it is reckoned.
    pub(crate) fn at(&mut self, now: Timestamp) -> Timestamp {
        *self.at.get_or_insert(now)
    }
}
