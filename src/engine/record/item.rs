//! A record of a page, and what came of acting on it.

use crate::engine::error::PassError;
use crate::engine::event::Event;
use crate::store::{RecordRow, SourceVersion};
use jiff::Timestamp;
use std::sync::Arc;

/// A record of the page.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// What it is a record of.
    pub(crate) entity: Arc<str>,
    /// The source's key.
    pub(crate) key: Arc<str>,
    pub(crate) raw: Arc<str>,
    /// Hash of what the flow reads of it.
    pub(crate) content_hash: String,
    /// The source's mark of this version.
    pub(crate) version: String,
    /// What its address names beside its key.
    pub(crate) parts: Vec<(String, String)>,
    /// What was settled before.
    pub(crate) before: Option<RecordRow>,
    /// The moment of its first try: its now.
    pub(crate) now: Timestamp,
}

impl Item {
    /// The version that it is, as links keep it.
    pub(crate) fn source_version(&self) -> SourceVersion {
        SourceVersion {
            content: self.content_hash.clone(),
            mark: self.version.clone(),
            record: format!("{} {}", self.entity, self.key),
        }
    }
}

/// What came of acting on a record.
#[derive(Debug)]
pub(crate) enum Acted {
    /// It is settled; this is what happened.
    Settled(Vec<Event>),
    /// It may create further keys: it goes on when it holds these too. What it did so far is durable.
    Lanes(Vec<String>, Vec<Event>),
    /// The pass ends; what was done for the record is in the journal.
    Ended(PassError, Vec<Event>),
    /// A fault of ours: the record is parked, the flow pauses.
    Bug(String, Vec<Event>),
}
