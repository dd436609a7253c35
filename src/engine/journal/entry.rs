//! Entries of the log that a pass writes: with them each write can be explained, and each person be forgotten.

use crate::engine::error::PassError;
use crate::engine::log::{AnswerEntry, Entry, FORM, Found, StepEntry};
use crate::engine::pass::context::Pass;
use crate::engine::pii;
use crate::eval::{Answered, Query};
use crate::store::{Attempt, Intent};
use jiff::{SignedDuration, Timestamp};

impl Pass {
    /// What was tried for a record at that time, as the store keeps it.
    pub(crate) fn attempt(&self, entry: &Entry, key: &str, at: Timestamp, reason: Option<&str>) -> Attempt {
        let [found, drafts, steps, answers] = entry.texts();
        let said = [&*entry.raw, &found, &drafts, &steps, &answers, reason.unwrap_or_default()];
        let people = pii::addresses(said);
        let days = i64::from(self.project.log_days);
        Attempt {
            form: FORM,
            flow: self.flow().name.to_string(),
            key: key.to_owned(),
            at,
            version: self.project.plan_hash.clone(),
            // By these hashes a person can be forgotten.
            people: people.iter().map(|address| self.store().keyed_hash(address)).collect(),
            raw: entry.raw.clone(),
            found,
            drafts,
            steps,
            answers,
            expires: at.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX),
        }
    }

    /// What a query found.
    pub(crate) fn found(&self, query: &Query, answered: &Answered) -> Found {
        let kept = match query {
            Query::Table { connection, entity } => self.memory().kept_table(connection, *entity),
            Query::Once { n, .. } => self.memory().once.kept(*n),
            Query::Find { .. } | Query::Row { .. } | Query::Link(_) | Query::Changed { .. } => None,
        };
        Found::of(self.program(), query, answered, kept)
    }
}

/// What is known of a write that an interrupted run had sent, and what became of it. Its body went with that run; the record
/// is the one that was logged last.
pub(crate) async fn of_interrupted(pass: &Pass, intent: &Intent, became: &str) -> Result<Attempt, PassError> {
    let now = pass.source()?.now();
    let last = pass.store().attempts(&intent.flow, &intent.key, 1, now).await?.pop();
    let last = last.and_then(|last| Entry::read(&last).ok()).unwrap_or_else(Entry::of_nothing);
    let interrupted = intent.unknown.as_ref().map_or("the run ended before an answer came", |(_, why)| why.as_str());
    let step = StepEntry::Interrupted {
        mapping: intent.mapping.clone(),
        entity: intent.entity.clone(),
        sent: intent.operation.into(),
        id: intent.target.clone(),
        payload_hash: intent.payload_hash.clone(),
        at: intent.at,
        interrupted: interrupted.to_owned(),
    };
    let answers = vec![AnswerEntry::Became { became: became.to_owned() }];
    let entry = Entry { steps: vec![step], answers, ..last };
    Ok(pass.attempt(&entry, &intent.key, now, None))
}
