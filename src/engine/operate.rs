//! What people do with records: list, look at, try again, leave out. Once for shell and dashboard.

use super::runner::Engine;
use super::waits::WaitsFor;
use crate::ir::{NoFlow, Program};
use crate::store::{
    Attempt, Change, Commit, Counts, Place, RecordFilter, RecordId, RecordRow, State, StoreError, Target,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// A record, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// `orders:1001`
    pub id: String,
    /// The flow, with its module.
    pub flow: String,
    /// What has become of it.
    pub state: State,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The line of the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What a person was told of it, and still holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// What it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What people call that: its number or code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_number: Option<String>,
    /// When that was decided.
    pub updated: Timestamp,
    /// Not to be tried again before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Tries without success.
    pub attempts: u32,
}

/// A record with what was tried for it, the newest last.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// `orders:1001`
    pub id: String,
    /// The record as it is now.
    pub record: Option<Listed>,
    /// What was tried.
    pub attempts: Vec<ShownAttempt>,
}

/// What was tried for a record.
#[derive(Debug, Serialize)]
pub struct ShownAttempt {
    /// When.
    pub at: Timestamp,
    /// The plan's hash.
    pub version: String,
    /// The source record.
    pub raw: Box<RawValue>,
    /// What the finds found.
    pub found: Box<RawValue>,
    /// What was to be written.
    pub drafts: Box<RawValue>,
    /// What was done.
    pub steps: Box<RawValue>,
    /// What the systems answered.
    pub answers: Box<RawValue>,
}

/// A flow at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlowStatus {
    /// The flow, with its module.
    pub flow: String,
    /// Whether the project has it on.
    pub on: bool,
    /// It has read its source before.
    pub has_run: bool,
    /// Records in the target.
    pub written: u64,
    /// Records left out.
    pub skipped: u64,
    /// Records that go on by themselves.
    pub waiting: u64,
    /// Records that need a person.
    pub parked: u64,
    /// Writes whose outcome is not known.
    pub open_writes: usize,
}

/// Why an operation is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperateError {
    /// No record has that name.
    #[error("there is no record {0}; `flowc records` lists them, an ID is FLOW:KEY as in orders:1001")]
    NoRecord(String),
    /// The record is known, and nothing of what was done for it.
    #[error("the log of {0} is erased: {days} days have passed, or a person was forgotten", days = crate::limits::LOG_DAYS)]
    NoLog(String),
    /// No flow has that name.
    #[error(transparent)]
    NoFlow(#[from] NoFlow),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// What its flows mean.
    pub fn program(&self) -> &Program {
        &self.shared.project.program
    }

    /// The record that an ID names.
    ///
    /// # Errors
    /// [`OperateError::NoRecord`] where it names none, [`OperateError::NoFlow`].
    pub fn record_id(&self, id: &str) -> Result<RecordId, OperateError> {
        let (flow, key) = id.split_once(':').ok_or_else(|| OperateError::NoRecord(id.to_owned()))?;
        let number = self.shared.project.program.flow_named(flow)?;
        Ok(RecordId { flow: self.shared.project.program.flows[number].name.to_string(), key: key.to_owned() })
    }

    /// A page of records, and where the next one begins.
    pub async fn records(&self, filter: &RecordFilter) -> Result<(Vec<Listed>, Option<RecordId>), OperateError> {
        let page = self.store.records(filter).await?;
        Ok((page.rows.into_iter().map(|row| self.listed(row)).collect(), page.next))
    }

    /// A record and the newest attempts, at most `limit`.
    pub async fn show(&self, id: &str, limit: usize, now: Timestamp) -> Result<Shown, OperateError> {
        let RecordId { flow, key } = self.record_id(id)?;
        let record = self.store.record(&flow, &key).await?.map(|row| self.listed(row));
        let attempts = self.store.attempts(&flow, &key, limit, now).await?;
        if record.is_none() && attempts.is_empty() {
            return Err(OperateError::NoRecord(id.to_owned()));
        }
        let attempts = attempts.into_iter().map(|a| ShownAttempt {
            at: a.at,
            version: a.version,
            raw: json(&a.raw),
            found: json(&a.found),
            drafts: json(&a.drafts),
            steps: json(&a.steps),
            answers: json(&a.answers),
        });
        Ok(Shown { id: id.to_owned(), record, attempts: attempts.collect() })
    }

    /// The newest attempts, the newest first, and when the record was tried first: what `why` computes again.
    pub async fn attempts(
        &self,
        id: &str,
        limit: usize,
        now: Timestamp,
    ) -> Result<(Vec<Attempt>, Timestamp), OperateError> {
        let RecordId { flow, key } = self.record_id(id)?;
        let mut attempts = self.store.attempts(&flow, &key, limit, now).await?;
        attempts.reverse();
        let record = self.store.record(&flow, &key).await?;
        match (attempts.first(), record) {
            (Some(newest), record) => {
                let first = record.map_or(newest.at, |row| row.first);
                Ok((attempts, first))
            }
            (None, Some(_)) => Err(OperateError::NoLog(id.to_owned())),
            (None, None) => Err(OperateError::NoRecord(id.to_owned())),
        }
    }

    /// The record is tried again with the next pass, whatever was decided about it. Of a write that only a person can tell
    /// about it says that it is not there.
    pub async fn retry(&self, id: &str, now: Timestamp) -> Result<(), OperateError> {
        let row = self.row(id).await?;
        let row = RecordRow {
            state: State::Waiting,
            waits_for: Some(WaitsFor::NextRun.word().to_owned()),
            due: None,
            attempts: 0,
            unanswered: 0,
            left_out: false,
            updated: now,
            said: row.said + 1,
            ..row
        };
        Ok(self.store.commit(Commit::of(Change::Record(row))).await?)
    }

    /// The record is left out until it changes in its source, whatever is edited in the project. A write of it without
    /// outcome stays open as long as it may take effect: what nobody can tell of it then need not be known.
    pub async fn skip(&self, id: &str, reason: &str, now: Timestamp) -> Result<(), OperateError> {
        let row = self.row(id).await?;
        let row = RecordRow {
            state: State::Skipped,
            reason: Some(reason.to_owned()),
            waits_for: None,
            due: None,
            left_out: true,
            updated: now,
            said: row.said + 1,
            ..row
        };
        Ok(self.store.commit(Commit::of(Change::Record(row))).await?)
    }

    /// Erases what the log holds about the person with this e-mail address; how many entries that was. Links and states
    /// stay, or the records would be written again.
    pub async fn forget(&self, email: &str) -> Result<u64, OperateError> {
        let person = self.store.keyed_hash(&email.trim().to_lowercase());
        Ok(self.store.forget(&person).await?)
    }

    /// All flows at a glance.
    pub async fn status(&self) -> Result<Vec<FlowStatus>, OperateError> {
        let mut all = Vec::new();
        for flow in &self.shared.project.program.flows {
            let Counts { written, skipped, waiting, parked } = self.store.counts(&flow.name).await?;
            all.push(FlowStatus {
                flow: flow.name.to_string(),
                on: flow.on,
                has_run: self.store.position(&flow.name).await?.is_some(),
                written,
                skipped,
                waiting,
                parked,
                open_writes: self.store.open_intents(Some(&flow.name)).await?.len(),
            });
        }
        Ok(all)
    }

    async fn row(&self, id: &str) -> Result<RecordRow, OperateError> {
        let RecordId { flow, key } = self.record_id(id)?;
        self.store.record(&flow, &key).await?.ok_or_else(|| OperateError::NoRecord(id.to_owned()))
    }

    fn listed(&self, row: RecordRow) -> Listed {
        let RecordRow {
            flow,
            key,
            state,
            reason,
            place,
            alerts,
            target,
            number: target_number,
            updated,
            due,
            attempts,
            ..
        } = row;
        let id = format!("{}:{key}", self.shared.project.program.short_name(&flow));
        Listed { id, flow, state, reason, place, alerts, target, target_number, updated, due, attempts }
    }
}

/// A text of the log as the JSON that it is.
fn json(text: &str) -> Box<RawValue> {
    let quoted = |text: &str| RawValue::from_string(serde_json::Value::from(text).to_string());
    RawValue::from_string(text.to_owned()).or_else(|_| quoted(text)).expect("a quoted text is JSON")
}
