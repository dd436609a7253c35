//! What the runner remembers: positions, intents and outcomes, links, parked records, the activity log, tokens.
//!
//! The trait speaks in promises: what a method says it did is on disk when it returns, each method is one transaction,
//! and none spans a call to a system. Whatever must be true together travels in one [`Commit`]. Every answer is
//! bounded: a page says where the next one begins.

mod change;
mod disk;
mod embedded;
mod error;
mod key;
mod rehearsal;
mod rows;
mod seal;

pub use change::{Change, Commit};
pub use embedded::Embedded;
pub use error::{Owner, StoreError, Upgraded};
pub use key::{Key, KeyError};
pub use rehearsal::Rehearsal;
pub use rows::{
    Attempt, AttemptId, Budget, ChildLink, Counts, FieldHash, Intent, Link, LinkKey, LinkPage, LogPage, Operation,
    Outcome, Place, PlanSource, Reading, RecordFilter, RecordId, RecordPage, RecordRow, RefreshTurn, RouteErrors,
    SourceVersion, State, Table, Target, Tokens, Window,
};

use jiff::Timestamp;

/// What ends the name of the position of what a flow watches; no flow is called so.
const WATCHED: &str = "/watched";

/// The name of the position up to which a flow has read what it watches. It moves with the flow's own name.
pub fn watched(flow: &str) -> String {
    format!("{flow}{WATCHED}")
}

/// The flow that a position belongs to.
fn flow_of(position: &str) -> &str {
    position.strip_suffix(WATCHED).unwrap_or(position)
}

/// The runner's memory.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Makes all of these changes, or none. Durable when it returns.
    async fn commit(&self, commit: Commit) -> Result<(), StoreError>;

    /// How far a flow has read its source; none before its first run.
    async fn position(&self, flow: &str) -> Result<Option<String>, StoreError>;

    /// Flows that have a position or records and are not among these: renamed or removed since.
    async fn orphans(&self, flows: &[&str]) -> Result<Vec<String>, StoreError>;

    /// Gives position, records, open intents and log of a flow another name. Refused when the new name has some.
    async fn rename_flow(&self, old: &str, new: &str) -> Result<(), StoreError>;

    /// Gives links, tokens and budget of a connection another name. Refused when the new name has some.
    async fn rename_connection(&self, old: &str, new: &str) -> Result<(), StoreError>;

    /// A record of a flow.
    async fn record(&self, flow: &str, key: &str) -> Result<Option<RecordRow>, StoreError>;

    /// Records in order of flow and key, at most [`crate::limits::STORE_PAGE_MAX`].
    async fn records(&self, filter: &RecordFilter) -> Result<RecordPage, StoreError>;

    /// Records that wait for this, at most [`crate::limits::STORE_PAGE_MAX`]; settle them and ask again.
    async fn waiting_for(&self, what: &str) -> Result<Vec<RecordRow>, StoreError>;

    /// How many records of a flow are in which state.
    async fn counts(&self, flow: &str) -> Result<Counts, StoreError>;

    /// Intents whose outcome is not known, of one flow or of all, oldest first: after a crash, what may have happened.
    async fn open_intents(&self, flow: Option<&str>) -> Result<Vec<Intent>, StoreError>;

    /// The link of a source record.
    async fn link(&self, key: &LinkKey) -> Result<Option<Link>, StoreError>;

    /// The links that lead to this target record.
    async fn links_to(&self, target: &Target) -> Result<Vec<Link>, StoreError>;

    /// Names of the mappings that have links from this source connection.
    async fn link_mappings(&self, connection: &str) -> Result<Vec<String>, StoreError>;

    /// Links of a source connection and mapping, in order of entity and key, behind `after`.
    async fn links(&self, connection: &str, mapping: &str, after: Option<&LinkKey>) -> Result<LinkPage, StoreError>;

    /// What happened to a record: the newest attempts, at most `limit` of them, oldest of those first; none whose time is
    /// over, whether or not [`Store::expire`] has removed it yet.
    async fn attempts(&self, flow: &str, key: &str, limit: usize, now: Timestamp) -> Result<Vec<Attempt>, StoreError>;

    /// The log since a moment, oldest first, of one flow or of all, behind `after`; nothing whose time is over.
    async fn attempts_since(
        &self,
        flow: Option<&str>,
        since: Timestamp,
        after: Option<AttemptId>,
        now: Timestamp,
    ) -> Result<LogPage, StoreError>;

    /// The rows that an entry of the log names by this hash, a list as JSON; none when they are erased.
    async fn table(&self, hash: &str) -> Result<Option<String>, StoreError>;

    /// The source texts of a plan.
    async fn plan_sources(&self, plan_hash: &str) -> Result<Option<Vec<PlanSource>>, StoreError>;

    /// The tokens of a connection.
    async fn tokens(&self, connection: &str) -> Result<Option<Tokens>, StoreError>;

    /// Asks for the right to refresh a login, and marks durably that a refresh is under way. One at a time, among all
    /// runners of this store; the right lapses after [`crate::limits::REFRESH_LEASE_SECONDS`].
    async fn begin_refresh(&self, connection: &str, holder: &str, now: Timestamp) -> Result<RefreshTurn, StoreError>;

    /// Keeps new tokens, ends the mark and the right. To be called before their first use.
    async fn put_tokens(&self, connection: &str, tokens: &Tokens) -> Result<(), StoreError>;

    /// Ends mark and right of a refresh that changed nothing.
    async fn abandon_refresh(&self, connection: &str, holder: &str) -> Result<(), StoreError>;

    /// What a connection has used of its limits.
    async fn budget(&self, connection: &str) -> Result<Option<Budget>, StoreError>;

    /// Keeps what a connection has used of its limits.
    async fn put_budget(&self, connection: &str, budget: &Budget) -> Result<(), StoreError>;

    /// Removes a bounded number of things whose time is over; call it until it answers 0.
    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Erases what the log holds about a person, named by [`Store::keyed_hash`] of the e-mail address, and the reasons of
    /// the records concerned. Links and states stay: without them the records would be written again.
    async fn forget(&self, person: &str) -> Result<u64, StoreError>;

    /// A hash that only this installation can make: of an e-mail address, of a field that was written. 32 hex digits.
    fn keyed_hash(&self, text: &str) -> String;

    /// [`Change::Advance`] alone.
    async fn advance(&self, flow: &str, position: &str) -> Result<(), StoreError> {
        self.commit(Commit::of(Change::Advance { flow: flow.to_owned(), position: position.to_owned() })).await
    }

    /// [`Change::Intend`] alone: before the call.
    async fn intend(&self, intent: Intent) -> Result<(), StoreError> {
        self.commit(Commit::of(Change::Intend(intent))).await
    }

    /// [`Change::Outcome`] alone; after a create, put it into one [`Commit`] with its link and its record.
    async fn settle(&self, intent: &str, outcome: Outcome) -> Result<(), StoreError> {
        self.commit(Commit::of(Change::Outcome { intent: intent.to_owned(), outcome })).await
    }

    /// [`Change::Record`] alone.
    async fn settle_record(&self, row: RecordRow) -> Result<(), StoreError> {
        self.commit(Commit::of(Change::Record(row))).await
    }
}
