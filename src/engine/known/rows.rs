//! The rows that are known of an entity, and the keys by which they are found.

use crate::ir::FieldId;
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// What is known of an entity in a connection.
#[derive(Default)]
pub(crate) struct KnownRows {
    pub(crate) by_id: FxHashMap<String, KnownRow>,
    /// Keys that were asked, and when.
    pub(crate) asked: FxHashMap<(FieldId, String), Timestamp>,
    pub(crate) index: FxHashMap<(FieldId, String), Vec<String>>,
    /// Keys under which a row stood that was forgotten: the index does not have all that is there, whatever else is known.
    pub(crate) partly: FxHashSet<(FieldId, String)>,
    /// Keys of rows that are not there.
    pub(crate) gone: FxHashSet<String>,
    /// Made in this pass: nobody but us refers to them yet.
    pub(crate) made: FxHashMap<String, Timestamp>,
    /// All rows of a small entity.
    pub(crate) table: Option<KnownTable>,
}

/// All rows of an entity.
pub(crate) struct KnownTable {
    pub(crate) rows: Vec<Arc<str>>,
    /// Under which name the store keeps them.
    pub(crate) hash: String,
    /// When they were read.
    pub(crate) read: Timestamp,
}

/// A row, and the keys under which it is indexed.
pub(crate) struct KnownRow {
    pub(crate) json: Arc<str>,
    pub(crate) indexed: Vec<(FieldId, String)>,
    pub(crate) seen: Timestamp,
    /// It is as it would be after a dry run: no system can tell it once more.
    pub(crate) planned: bool,
}

/// What an entry of the index takes beside its text: entries of two maps and the row's key.
const INDEX_BYTES: usize = 200;

impl KnownRow {
    /// What it takes, roughly: each key under which it is indexed stands in two places, with the row's own. What is planned
    /// cannot be given up to save room, and does not count.
    pub(crate) fn bytes(&self) -> usize {
        if self.planned {
            return 0;
        }
        let keys: usize = self.indexed.iter().map(|(_, text)| 2 * text.len() + INDEX_BYTES).sum();
        self.json.len() + keys
    }
}

impl KnownRows {
    /// Forgets all but what is planned, and the table.
    pub(crate) fn keep_planned(&mut self) {
        self.by_id.retain(|_, row| row.planned);
        let Self { by_id, made, table, .. } = std::mem::take(self);
        self.table = table;
        for (id, at) in by_id.iter().flat_map(|(id, row)| row.indexed.iter().map(move |at| (id, at))) {
            self.index.entry(at.clone()).or_default().push(id.clone());
        }
        self.made.extend(made.into_iter().filter(|(id, _)| by_id.contains_key(id)));
        self.by_id = by_id;
    }

    /// Forgets a row.
    pub(crate) fn forget(&mut self, id: &str) -> Option<KnownRow> {
        let row = self.by_id.remove(id)?;
        for at in &row.indexed {
            if let Some(ids) = self.index.get_mut(at) {
                ids.retain(|other| other != id);
            }
        }
        self.table = None;
        Some(row)
    }
}
