//! The rows of the store, as its callers see them.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is in the target.
    Written,
    /// Left out on purpose.
    Skipped,
    /// It goes on when something else is there.
    Waiting,
    /// It needs a person, or another version of the flow or of itself.
    Parked,
}

/// A record of a flow and how far it got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// The flow.
    pub flow: String,
    /// The source's key.
    pub key: String,
    /// What has become of it.
    pub state: State,
    /// Hash of the fields that were read: the same again is nothing new.
    pub content_hash: String,
    /// The plan that decided.
    pub plan_hash: String,
    /// Why, where there is a why. Sealed at rest.
    pub reason: Option<String>,
    /// The line of the flow that decided.
    pub place: Option<Place>,
    /// What it became.
    pub target: Option<Target>,
    /// What people call that: its number or code.
    #[serde(default)]
    pub number: Option<String>,
    /// What it waits for, in the engine's words.
    pub waits_for: Option<String>,
    /// Not to be tried again before.
    pub due: Option<Timestamp>,
    /// When it was tried first: what its flow calls today.
    pub first: Timestamp,
    /// When this was decided.
    pub updated: Timestamp,
    /// Tries without success since the record or the plan changed.
    pub attempts: u32,
    /// Writes in a row that nobody answered, since the record or the plan changed.
    #[serde(default)]
    pub unanswered: u32,
    /// A person has left it out: that holds until it changes in its source, whatever is edited in the project.
    #[serde(default)]
    pub left_out: bool,
    /// The source's own mark of this version: its time of change, its row version.
    pub version: String,
    /// People whom the reason and what was told may name: [`super::Store::keyed_hash`] of their e-mail addresses.
    pub people: Vec<String>,
    /// What a person was told of it and still holds. It is told once.
    #[serde(default)]
    pub alerts: Vec<String>,
    /// What its address names beside its key, and nothing else leads to: the order of a refund.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<(String, String)>,
    /// How often a person has decided about it: raised by each decision, see [`super::Change::Record`].
    #[serde(default)]
    pub said: u32,
}

/// A place in a flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the project.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// A record of a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The connection.
    pub connection: String,
    /// The entity, `exact.SalesOrder`.
    pub entity: String,
    /// Its key there.
    pub id: String,
}

/// A record, named.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    /// The flow.
    pub flow: String,
    /// The source's key.
    pub key: String,
}

/// Which records are asked for.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    /// Of this flow; else of all.
    pub flow: Option<String>,
    /// In one of these states; empty: in any.
    pub states: Vec<State>,
    /// Decided by another plan than this.
    pub plan_not: Option<String>,
    /// Behind this record.
    pub after: Option<RecordId>,
    /// At most so many; 0: as many as a page holds.
    pub limit: usize,
}

/// A page of records.
#[derive(Clone, Debug, Default)]
pub struct RecordPage {
    /// The records.
    pub rows: Vec<RecordRow>,
    /// Where to go on; none: that was all. There may be more even behind a page without rows.
    pub next: Option<RecordId>,
}

/// Records of a flow by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Written.
    pub written: u64,
    /// Skipped.
    pub skipped: u64,
    /// Waiting.
    pub waiting: u64,
    /// Parked.
    pub parked: u64,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A new record.
    Create,
    /// Fields of a record.
    Update,
    /// The end of a record.
    Delete,
}

/// A reading of a clock that nobody can set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Which clock: one boot of a machine, or a sandbox. Readings of two clocks cannot be compared.
    pub clock: String,
    /// Its milliseconds, from a moment of its own.
    pub ms: i64,
    /// The time that the system itself told then, where it told one.
    pub server: Option<Timestamp>,
}

/// What is about to be sent: durable before the call. Sealed at rest, since keys may be e-mail addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Unique, made by the engine.
    pub id: String,
    /// The flow.
    pub flow: String,
    /// The source's key.
    pub key: String,
    /// The step of the draft, `0.2`.
    pub step: String,
    /// The mapping.
    pub mapping: String,
    /// The connection that is written to.
    pub connection: String,
    /// The entity.
    pub entity: String,
    /// Create, update or delete.
    pub operation: Operation,
    /// The key of what is updated or deleted.
    pub target: Option<String>,
    /// Fields and values by which the effect can be found.
    pub search: Vec<(String, String)>,
    /// Hash of the body.
    pub payload_hash: String,
    /// Keys that stay held until the outcome is known.
    pub lanes: Vec<String>,
    /// The plan that decided.
    pub plan_hash: String,
    /// When it was written down.
    pub at: Timestamp,
    /// Since when its outcome is known to be unknown, and what was seen. None: the process died before it could say.
    pub unknown: Option<(Timestamp, String)>,
    /// Since when its effect is awaited, by a clock that nobody can set; none in a file of an older flowc.
    #[serde(default)]
    pub awaited: Option<Reading>,
    /// The wait has begun anew once, on a machine that was started again.
    #[serde(default)]
    pub anew: bool,
    /// Of a create: the link that comes with its effect, all but the key of the target.
    pub link: Option<Box<Link>>,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Done {
        /// The key of the record.
        target: Option<String>,
    },
    /// It did not, and cannot any more.
    NotDone,
    /// It was read and refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// It may have taken effect; the intent stays open.
    Unknown {
        /// Since when.
        at: Timestamp,
        /// The same by a clock that nobody can set.
        awaited: Reading,
        /// What was seen.
        reason: String,
    },
}

/// One end of a link: a record of a source, for a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkKey {
    /// The source's connection.
    pub connection: String,
    /// The mapping.
    pub mapping: String,
    /// The source's entity.
    pub entity: String,
    /// The source's key.
    pub key: String,
}

/// Which record became which, and what of ours is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The source's end.
    pub source: LinkKey,
    /// The target's end.
    pub target: Target,
    /// What we wrote last, field by field.
    pub fields: Vec<FieldHash>,
    /// The version of the source from which the target was carried out in full; none: it never was, or nobody knows.
    #[serde(default)]
    pub carried: Option<SourceVersion>,
    /// The target's total is what it must come to, as far as it must.
    #[serde(default = "yes")]
    pub agreed: bool,
    /// Line by line.
    pub children: Vec<ChildLink>,
}

/// What was not noted was in order.
fn yes() -> bool {
    true
}

/// A version of a source record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceVersion {
    /// What a flow reads of it, as the engine hashes it.
    pub content: String,
    /// The source's own mark of it: its time of change, its row version. A hint: the source's clock may be set.
    pub mark: String,
    /// Whose version it is: entity and key. Empty where that was not noted.
    #[serde(default)]
    pub record: String,
}

impl SourceVersion {
    /// Whether it is of a record that was made after that of another version. Keys that are numbers are given in order; of
    /// others, and of other entities, nobody can say.
    pub fn is_later_than(&self, other: &Self) -> bool {
        let parts = |version: &Self| {
            let (entity, key) = version.record.rsplit_once(' ')?;
            Some((entity.to_owned(), key.parse::<u64>().ok()?))
        };
        matches!((parts(self), parts(other)), (Some(a), Some(b)) if a.0 == b.0 && a.1 > b.1)
    }
}

/// A line of the source and the line that it became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildLink {
    /// The list's field in the target, `SalesOrderLines`.
    pub list: String,
    /// The source's key.
    pub key: String,
    /// The target's key, once it is known.
    pub id: Option<String>,
    /// What we wrote last.
    pub fields: Vec<FieldHash>,
}

/// A field of ours: its path and the [`super::Store::keyed_hash`] of what we wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldHash {
    /// The field.
    pub field: String,
    /// The hash.
    pub hash: String,
}

/// A page of links.
#[derive(Clone, Debug, Default)]
pub struct LinkPage {
    /// The links.
    pub links: Vec<Link>,
    /// Where to go on; none: that was all.
    pub next: Option<LinkKey>,
}

/// An entry of the log, by time and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId {
    /// Microseconds since 1970.
    pub at: i64,
    /// Among those of the same time.
    pub number: u64,
}

/// What was tried for a record, as it was then. The texts are JSON that the engine writes and reads. Sealed at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which form the texts have; 0 where that was not noted.
    #[serde(default)]
    pub form: u32,
    /// The flow.
    pub flow: String,
    /// The source's key.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// The plan's hash.
    pub version: String,
    /// The source record.
    pub raw: String,
    /// What the finds found.
    pub found: String,
    /// The payloads.
    pub drafts: String,
    /// What was decided.
    pub steps: String,
    /// What the systems answered.
    pub answers: String,
    /// People whom this is about: [`super::Store::keyed_hash`] of their e-mail addresses.
    pub people: Vec<String>,
    /// When it is erased.
    pub expires: Timestamp,
}

/// A page of the log.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    /// The entries, oldest first.
    pub attempts: Vec<Attempt>,
    /// Where to go on; none: that was all.
    pub next: Option<AttemptId>,
}

/// All rows of an entity, as they were when records were evaluated with them: entries of the log name them by their hash.
/// Sealed at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The hash of the rows.
    pub hash: String,
    /// A list, as JSON.
    pub rows: String,
    /// People whom it names: [`super::Store::keyed_hash`] of their e-mail addresses.
    pub people: Vec<String>,
    /// When it is erased, unless it has been read again by then.
    pub expires: Timestamp,
}

/// A file of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSource {
    /// Its name, relative to the project; the library's begin with their own prefix.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A login's tokens. Sealed at rest.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For calls.
    pub access: SecretString,
    /// For the next refresh.
    pub refresh: SecretString,
    /// When they were issued.
    pub issued: Timestamp,
    /// When the access token ends.
    pub expires: Timestamp,
}

/// Whether one may refresh a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshTurn {
    /// One may; the mark is on disk.
    Yours {
        /// A refresh began at that time and never told its end: the process died. Its new tokens were never used, so
        /// the old ones still count.
        interrupted: Option<Timestamp>,
    },
    /// Somebody else is at it.
    Held {
        /// Until then at most.
        until: Timestamp,
    },
}

/// What a connection has used of its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The short window.
    pub minute: Option<Window>,
    /// The long window.
    pub day: Option<Window>,
    /// Errors per route.
    pub errors: Vec<RouteErrors>,
    /// The system was called too often: until when it is left alone, and why.
    #[serde(default)]
    pub held: Option<(Timestamp, String)>,
    /// When this was kept: by the calendar, and by a clock that nobody can set. Whoever reads it sees by how much the
    /// calendar was set since.
    #[serde(default)]
    pub as_of: Option<(Timestamp, Reading)>,
}

/// A window of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Calls that it allows.
    pub limit: u32,
    /// Calls that are left.
    pub left: u32,
    /// When it begins anew.
    pub resets: Timestamp,
}

/// Errors of one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteErrors {
    /// The route.
    pub route: String,
    /// When.
    pub at: Vec<Timestamp>,
}
