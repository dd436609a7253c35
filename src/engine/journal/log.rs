//! What the log keeps of a try: with it each write can be explained, and each person be forgotten.

use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::engine::pii;
use crate::eval::{Answered, Query};
use crate::store::{Attempt, Intent};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

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
        let people = pii::addresses(said);
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

impl Pass {
    /// What a need found, for the log.
    pub(crate) fn found_json(&self, need: &Query, answered: &Answered) -> serde_json::Value {
        let program = self.program();
        let rows: &[Arc<str>] = match answered {
            Answered::Found(rows) => rows,
            Answered::Absent | Answered::NotAsked | Answered::Unreadable(_) => &[],
        };
        let rows: Vec<serde_json::Value> =
            rows.iter().map(|row| serde_json::from_str(row).unwrap_or_else(|_| (&**row).into())).collect();
        let mut found = match need {
            Query::Find { connection, entity, by, values } => {
                let schema = program.entity(*entity);
                let by: Vec<&str> = by.iter().map(|f| &*schema.get(*f).name).collect();
                let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
                serde_json::json!({"find": schema.full_name(), "in": &**connection, "by": by, "values": values, "rows": rows})
            }
            // A table is named, not copied into every entry.
            Query::Table { connection, entity } => {
                let (name, kept) = (program.entity(*entity).full_name(), self.memory().kept_table(connection, *entity));
                serde_json::json!({"table": name, "in": &**connection, "rows": rows.len(), "kept": kept})
            }
            Query::Row { connection, entity, id } => {
                let entity = program.entity(*entity).full_name();
                serde_json::json!({"row": entity, "in": &**connection, "id": &**id, "rows": rows})
            }
            Query::Link(link) => {
                let (entity, other) = (program.entity(link.entity).full_name(), program.entity(link.other).full_name());
                serde_json::json!({"link": entity, "key": &*link.key, "to": other, "mapping": link.mapping.as_deref(), "rows": rows})
            }
        };
        if let (Answered::Unreadable(why), Some(members)) = (answered, found.as_object_mut()) {
            members.remove("rows");
            members.insert("unreadable".to_owned(), why.as_str().into());
        }
        found
    }
}
