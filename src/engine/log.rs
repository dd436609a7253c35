//! What the log keeps of a try: with it each write can be explained, and each person be forgotten.

use super::pass::{Pass, PassError};
use crate::store::{Attempt, Intent};
use jiff::{SignedDuration, Timestamp};

/// The texts of an entry, each JSON.
pub(crate) struct Entry {
    pub(crate) raw: String,
    pub(crate) found: String,
    pub(crate) drafts: String,
    pub(crate) steps: String,
    pub(crate) answers: String,
}

impl Entry {
    /// The entry for a record at that time.
    pub(crate) fn attempt(self, pass: &Pass, key: &str, at: Timestamp, reason: Option<&str>) -> Attempt {
        let Self { raw, found, drafts, steps, answers } = self;
        let said = [&*raw, &found, &drafts, &steps, &answers, reason.unwrap_or_default()];
        let people = super::pii::addresses(said);
        let days = i64::from(pass.project.log_days);
        Attempt {
            flow: pass.flow().name.to_string(),
            key: key.to_owned(),
            at,
            version: pass.project.plan_hash.clone(),
            // By these hashes a person can be forgotten.
            people: people.iter().map(|address| pass.store().keyed_hash(address)).collect(),
            raw,
            found,
            drafts,
            steps,
            answers,
            expires: at.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX),
        }
    }
}

/// What is known of a write that an interrupted run had sent, and what became of it. Its body went with that run; the record
/// is the one that was logged last.
pub(crate) async fn of_interrupted(pass: &Pass, intent: &Intent, became: &str) -> Result<Attempt, PassError> {
    let now = pass.source()?.now();
    let last = pass.store().attempts(&intent.flow, &intent.key, 1, now).await?.pop();
    let (raw, found, drafts) = last.map_or_else(
        || ("null".to_owned(), "[]".to_owned(), "[]".to_owned()),
        |last| (last.raw, last.found, last.drafts),
    );
    let sent = format!("{:?}", intent.operation).to_lowercase();
    let step = serde_json::json!({
        "mapping": intent.mapping, "entity": intent.entity, "sent": sent, "id": intent.target,
        "payload_hash": intent.payload_hash, "at": intent.at,
        "interrupted": intent.unknown.as_ref().map_or("the run ended before an answer came", |(_, why)| why.as_str()),
    });
    let answer = serde_json::json!({ "became": became });
    let entry = Entry {
        raw,
        found,
        drafts,
        steps: serde_json::Value::from(vec![step]).to_string(),
        answers: serde_json::Value::from(vec![answer]).to_string(),
    };
    Ok(entry.attempt(pass, &intent.key, now, None))
}
