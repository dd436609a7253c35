//! The systems at either end: one small door for all of them. A connector moves bytes: it knows paging, login, limits,
//! filters and errors of its API, and no mapping. It never repeats a write: what is tried again is the engine's decision.
//!
//! In: what is to be read, found or written, in the schema's terms. Out: raw records, an answer, or a [`CallError`].

use crate::ir::{Entity, FieldId, Method};
use std::sync::Arc;

/// A system that can be read and written.
#[async_trait::async_trait]
pub trait Connector: Send + Sync {
    /// The next page of records that changed after the cursor, oldest change first. The position overlaps: the caller
    /// drops repeats by key and content.
    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError>;

    /// All records that have one of these values, in as few calls as the API's filter allows. What comes back may hold
    /// more than was asked (some systems ignore what they don't know): the caller compares keys.
    async fn find(&self, find: &Find) -> Result<Vec<Raw>, CallError>;

    /// One write: a create, an update or a deletion. Sent once.
    async fn write(&self, write: &Write) -> Result<Answer, CallError>;

    /// The system's clock, where it tells one: simulated systems run on their own time.
    fn now(&self) -> jiff::Timestamp;

    /// Calls made so far.
    fn calls(&self) -> u64;
}

/// A record as the API answered it: JSON text of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(pub Arc<str>);

/// What is read of a feed.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The fields that are read, by their wire names; nested ones by dots. Key and change field are always among them.
    pub fields: Vec<String>,
    /// Conditions that the API evaluates, by the schema's parameter: `status` in these values.
    pub filter: Vec<Condition>,
    /// Only changes at or after this, for the first run.
    pub since: Option<jiff::Timestamp>,
    /// Only these keys, whatever their change.
    pub only: Vec<String>,
}

/// A condition that the API evaluates: the field has one of these values (wire form, unquoted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The field.
    pub field: FieldId,
    /// Its values.
    pub values: Vec<String>,
}

/// How far a feed has been read. Opaque to all but the connector; durable in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position(pub String);

/// A page of a feed.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its records.
    pub records: Vec<Raw>,
    /// The position behind it: durable once every record of the page is written, skipped or parked.
    pub next: Position,
    /// Nothing more has changed.
    pub last: bool,
}

/// A search by key: records whose fields have one of these values.
#[derive(Clone, Debug)]
pub struct Find {
    /// The entity.
    pub entity: Arc<Entity>,
    /// The fields that are read, by their wire names.
    pub fields: Vec<String>,
    /// The field that is searched by; none: all rows.
    pub by: Option<FieldId>,
    /// The values, in wire form, unquoted.
    pub values: Vec<String>,
    /// Values for `{parts}` of the route.
    pub parts: Vec<(String, String)>,
}

/// A write.
#[derive(Clone, Debug)]
pub struct Write {
    /// The entity.
    pub entity: Arc<Entity>,
    /// Create, update or delete.
    pub method: Method,
    /// The key of what is updated or deleted.
    pub id: Option<String>,
    /// The JSON body.
    pub body: String,
    /// Values for `{parts}` of the route.
    pub parts: Vec<(String, String)>,
}

/// What a write was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The key of the record.
    pub id: Option<String>,
    /// The record as the system has it now, where it says so.
    pub record: Option<Raw>,
}

/// Why a call has no usable answer, by what may be done next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It was read and refused: the same call would be refused again. Not to be repeated; the ledger counts errors.
    #[error("{system} refused: {reason}")]
    Refused {
        /// The connection.
        system: String,
        /// What it said.
        reason: String,
        /// The HTTP status.
        status: u16,
        /// Method and resource, for counting equal refusals.
        call: String,
    },
    /// Nothing happened; it may be tried again at that time.
    #[error("{system} asks to wait until {until}: {reason}")]
    Later {
        /// The connection.
        system: String,
        /// When.
        until: jiff::Timestamp,
        /// Why: a limit, an outage of a read.
        reason: String,
    },
    /// It may have taken effect: search by key before any second attempt.
    #[error("{system} has not answered ({reason}); it may have taken effect")]
    Unknown {
        /// The connection.
        system: String,
        /// What was seen.
        reason: String,
    },
    /// The login is refused; only a person can help.
    #[error("{system} does not accept the login: {reason}")]
    Login {
        /// The connection.
        system: String,
        /// What it said, and what to do.
        reason: String,
    },
    /// The answer makes no sense: HTML, truncated, too large. Reads may be tried again, writes have an unknown outcome
    /// and are [`CallError::Unknown`].
    #[error("{system} answered {what}")]
    Garbled {
        /// The connection.
        system: String,
        /// What came.
        what: String,
    },
}
