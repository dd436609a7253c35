//! One call that writes: intended in the journal, sent once, and what came of it journalled again.

use super::acting::Acting;
use super::call::{Acknowledged, Changing, Transmitted, WriteCall};
use super::verdict::Verdict;
use crate::connector::{Answer, CallError, Connector, File, Write};
use crate::engine::error::PassError;
use crate::engine::hash::hash;
use crate::engine::journal::{effects, lanes, open};
use crate::engine::log::{AnswerEntry, StepEntry};
use crate::engine::pass::files;
use crate::engine::values::shown;
use crate::engine::values::text::parts_of;
use crate::engine::waits::WaitsFor;
use crate::eval::{Answered, Draft};
use crate::ir::{Entity, Method, Program};
use crate::limits;
use crate::source::Span;
use crate::store::{Change, Commit, Intent, Operation, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

impl Acting<'_> {
    /// Sends a call.
    pub(crate) async fn transmit(&mut self, draft: &Draft, call: WriteCall) -> Result<Transmitted, PassError> {
        let entity = Arc::clone(&call.entity);
        let kind = format!("{} {} {:?}", draft.connection, entity.full_name(), call.operation);
        let connector = self.pass.connector(&draft.connection)?;
        if let Some(verdict) = self.stopped_kind(draft, &entity, &kind)? {
            return Ok(Transmitted::Stopped(verdict));
        }
        if let Some(verdict) = self.given_up(draft, &entity) {
            return Ok(Transmitted::Stopped(verdict));
        }
        let payload = hash(format!("{kind} {:?} {}", call.id, call.body).as_bytes());
        if let Some((_, verdict)) = self.refused.take_if(|(refused, _)| *refused == payload) {
            return Ok(Transmitted::Stopped(verdict));
        }
        let file = match files::of_body(self.pass, &entity, &call.body).await? {
            Ok(file) => file,
            Err(reason) => return Ok(Transmitted::Stopped(Verdict::parked(reason, draft.place))),
        };
        let mut intent = self.intent(draft, &call, connector.as_ref());
        self.carry.changes.push(Change::Intend(intent.clone()));
        // From here on nobody knows what the target has until an answer comes, whatever ends this try.
        let parts = self.parts(draft, &call);
        let as_it_was = call.changing.map(|changing| self.no_longer_known(changing));
        self.begins_to_write()?;
        let carried = std::mem::take(&mut self.carry);
        self.pass.store().commit(carried).await?;
        let method = match call.operation {
            Operation::Create => Method::Post,
            Operation::Update => Method::Put,
            Operation::Delete => Method::Delete,
        };
        let id = call.id.as_ref().map(ToString::to_string);
        let write = Write { entity: Arc::clone(&entity), method, id, body: call.body, parts };
        self.steps.push(StepEntry::Sent {
            mapping: draft.made.name.to_string(),
            entity: entity.full_name(),
            sent: call.operation.into(),
            id: write.id.clone(),
            body: serde_json::from_str(&write.body).unwrap_or_default(),
        });
        match self.patiently((&draft.connection, &connector), (&write, file.as_ref()), &mut intent).await? {
            // What can't be named can't be linked, nor told from a second one: it is searched for.
            Ok(answer) if call.operation == Operation::Create && entity.key.is_some() && answer.id.is_none() => {
                let (system, reason) =
                    (draft.connection.to_string(), "it did not say the key of the new record".into());
                let error = CallError::Unknown { system, reason };
                self.not_answered(draft, &entity, &kind, intent, error, connector.as_ref()).map(Transmitted::Stopped)
            }
            Ok(answer) => {
                if let Some(verdict) = self.is_of_another(draft, &entity, (&kind, &intent), &answer).await? {
                    return Ok(Transmitted::Stopped(verdict));
                }
                self.pass.refusals().done(&kind);
                Ok(Transmitted::Answer(Acknowledged {
                    intent: intent.id,
                    answer,
                    sent: write.body,
                    at: connector.now(),
                }))
            }
            Err(error) => {
                let refused = matches!(error, CallError::Refused { .. });
                if let (true, Some(as_it_was)) = (refused, as_it_was) {
                    self.carry.changes.push(as_it_was);
                }
                let verdict = self.not_answered(draft, &entity, &kind, intent, error, connector.as_ref())?;
                // Once: if after a second look the same would be sent, the refusal stands.
                if refused && self.refused.is_none() && self.doubt_what_was_found() {
                    self.refused = Some((payload, verdict));
                    return Ok(Transmitted::Again);
                }
                Ok(Transmitted::Stopped(verdict))
            }
        }
    }

    /// What its address names beside its key: as the call itself says it, else as the record showed it when it was read.
    fn parts(&self, draft: &Draft, call: &WriteCall) -> Vec<(String, String)> {
        let named = |text: &str| parts_of(&call.entity, &serde_json::from_str(text).unwrap_or_default());
        let mut parts = named(&call.body);
        let itself = call.id.as_ref().filter(|_| Arc::ptr_eq(&call.entity, &self.pass.entity(draft.entity)));
        let known = itself.and_then(|id| self.pass.memory().read(&draft.connection, draft.entity, id));
        let known = known.map(|row| named(&row)).unwrap_or_default();
        let unsaid = |(name, _): &(String, String)| !parts.iter().any(|(said, _)| said == name);
        let more: Vec<(String, String)> = known.into_iter().filter(unsaid).collect();
        parts.extend(more);
        parts
    }

    /// What stops the record where the answer to a create is about another record than the one that was to be made. One
    /// that something else has become proves nothing of ours: it is searched for. One with another key may be ours in a
    /// form that no search would find: a person looks.
    async fn is_of_another(
        &mut self,
        draft: &Draft,
        entity: &Entity,
        (kind, intent): (&str, &Intent),
        answer: &Answer,
    ) -> Result<Option<Verdict>, PassError> {
        let Some(id) = answer.id.as_ref().filter(|_| intent.operation == Operation::Create) else { return Ok(None) };
        if let Some(whose) = self.whose(draft, entity, id).await? {
            let (system, name) = (draft.connection.to_string(), &entity.name);
            let error = CallError::Unknown { system, reason: format!("it answered with {name} {id}, which {whose}") };
            let connector = self.pass.connector(&draft.connection)?;
            return self.not_answered(draft, entity, kind, intent.clone(), error, connector.as_ref()).map(Some);
        }
        let row: Option<Value> = answer.record.as_ref().and_then(|record| serde_json::from_str(&record.0).ok());
        let shown = row.as_ref().and_then(|row| shown::another(self.pass.program(), entity, &intent.search, row));
        let Some((field, theirs, ours)) = shown else { return Ok(None) };
        let reason = format!(
            "{} answered the new {} with {id}, whose {field} is {theirs} and not {ours}: look whether it is the one and correct it there, or whether none was made, then retry",
            draft.connection, entity.name
        );
        self.answers.push(AnswerEntry::Record { id: Some(id.clone()), record: row });
        self.carry.changes.push(Change::Outcome { intent: intent.id.clone(), outcome: Outcome::Done { target: None } });
        self.alert(reason.clone(), draft.place);
        Ok(Some(Verdict::parked(reason, draft.place)))
    }

    /// What else has become the record that a create is answered with; it is remembered as made.
    async fn whose(&self, draft: &Draft, entity: &Entity, id: &str) -> Result<Option<String>, PassError> {
        let target = effects::target(&draft.connection, entity, id);
        if let Some(link) = self.pass.store().links_to(&target).await?.first() {
            return Ok(Some(format!("{} {} became before", link.source.entity, link.source.key)));
        }
        let now = self.pass.connector(&draft.connection)?.now();
        let known = self.pass.entities.iter().position(|e| e.full_name() == target.entity);
        let is_new = known.is_none_or(|n| self.pass.memory().made(&draft.connection, n.into(), id, now));
        Ok((!is_new).then(|| "another record just became".to_owned()))
    }

    /// Makes the link say that nobody knows what the target has; the change that takes that back.
    fn no_longer_known(&mut self, changing: Changing) -> Change {
        let Changing { link, before } = changing;
        let back = before.map_or_else(|| Change::Unlink(link.source.clone()), Change::Link);
        self.carry.changes.push(Change::Link(link));
        back
    }

    /// Forgets the records that this one found; whether there were some.
    fn doubt_what_was_found(&self) -> bool {
        let mut memory = self.pass.memory();
        let mut some = false;
        for (need, answered) in &self.used {
            if matches!(answered, Answered::Found(_)) {
                some |= memory.doubt_need(self.pass.program(), need);
            }
        }
        some
    }

    /// Nobody answered the writes of this record, again and again: it is a person's now. Nothing of it is under way.
    fn given_up(&mut self, draft: &Draft, entity: &Entity) -> Option<Verdict> {
        let before = self.tried_before().filter(|b| b.unanswered >= limits::UNANSWERED_MAX)?;
        let reason = format!(
            "{} did not answer {} writes of {} for this record, one after the other; the last time: {}. See what hinders it there, then retry",
            draft.connection,
            before.unanswered,
            entity.name,
            before.reason.as_deref().unwrap_or("no words")
        );
        self.alert(reason.clone(), draft.place);
        Some(Verdict::parked(reason, draft.place))
    }

    /// Sends it when the system is ready. Where it was put off nothing happened; what is sent later is another intent,
    /// since from its moment on it is counted how long the effect may still come.
    async fn patiently(
        &self,
        (connection, connector): (&Arc<str>, &Arc<dyn Connector>),
        (write, file): (&Write, Option<&File>),
        intent: &mut Intent,
    ) -> Result<Result<Answer, CallError>, PassError> {
        let patience = SignedDuration::from_secs(limits::TURN_SECONDS_MAX);
        let together = write.method == Method::Put && write.entity.batch.is_some();
        let send = async || {
            if let Some(file) = file {
                connector.write_with(write, file).await
            } else if together {
                self.pass.batches.write(connection, connector, write).await
            } else {
                connector.write(write).await
            }
        };
        let mut sent = send().await;
        for _ in 1..limits::PUT_OFF_MAX {
            let Err(CallError::Later { until, reason, .. }) = &sent else { break };
            if until.duration_since(connector.now()) > patience || self.pass.cancel.is_cancelled() {
                break;
            }
            connector.sleep_until(*until, reason).await;
            let late = std::mem::replace(&mut intent.id, self.pass.environment.id());
            intent.at = connector.now();
            intent.awaited = Some(connector.reading());
            let not_done = Change::Outcome { intent: late, outcome: Outcome::NotDone };
            self.pass.store().commit(Commit::of(not_done).and(Change::Intend(intent.clone()))).await?;
            sent = send().await;
        }
        Ok(sent)
    }

    /// Writes of this kind were refused again and again: no more of them are sent.
    fn stopped_kind(&self, draft: &Draft, entity: &Entity, kind: &str) -> Result<Option<Verdict>, PassError> {
        let refusals = self.pass.refusals();
        let Some(said) = refusals.stopped(kind) else { return Ok(None) };
        let due = self.pass.source()?.now().checked_add(SignedDuration::from_secs(limits::REFUSED_KIND_SECONDS));
        let reason = format!(
            "not sent: {} refused {} writes of {} in a row with the same words ({said}). It goes on after a change of the flow, or within the hour",
            draft.connection,
            limits::EQUAL_REFUSALS_MAX,
            entity.name
        );
        let due = due.unwrap_or(Timestamp::MAX);
        Ok(Some(Verdict::waiting(reason, draft.place, WaitsFor::Kind, due)))
    }

    fn intent(&self, draft: &Draft, call: &WriteCall, connector: &dyn Connector) -> Intent {
        // All that the record holds, not only what this write has: a contact may be under way to an account that other
        // records find by its address.
        let mut lanes = self.lanes.clone();
        lanes.extend(lanes::draft_lanes(self.pass, draft));
        lanes.sort_unstable();
        lanes.dedup();
        Intent {
            id: self.pass.environment.id(),
            flow: self.pass.flow().name.to_string(),
            key: self.item.key.to_string(),
            step: self.steps.len().to_string(),
            mapping: draft.made.name.to_string(),
            connection: draft.connection.to_string(),
            entity: call.entity.full_name(),
            operation: call.operation,
            target: call.id.as_ref().map(ToString::to_string),
            search: call.search.clone(),
            payload_hash: hash(call.body.as_bytes()),
            lanes,
            plan_hash: self.pass.project.plan_hash.clone(),
            at: connector.now(),
            unknown: None,
            awaited: Some(connector.reading()),
            anew: false,
            link: call.link.clone().map(Box::new),
        }
    }

    fn not_answered(
        &mut self,
        draft: &Draft,
        entity: &Entity,
        kind: &str,
        intent: Intent,
        error: CallError,
        connector: &dyn Connector,
    ) -> Result<Verdict, PassError> {
        self.answers.push(AnswerEntry::Error { error: error.to_string() });
        let mut close = |outcome| self.carry.changes.push(Change::Outcome { intent: intent.id.clone(), outcome });
        match error {
            CallError::Refused { system, reason, .. } => {
                close(Outcome::Refused { reason: reason.clone() });
                // Words of refusal are believed of this record; the next one with its key looks first.
                let mut memory = self.pass.memory();
                for key in &draft.keys {
                    memory.doubt_key(self.pass.program(), &draft.connection, draft.entity, key);
                }
                drop(memory);
                let entity = &entity.name;
                if self.pass.refusals().refused(kind, &reason) {
                    let text = format!(
                        "{system} has refused {} writes of {entity} in a row with the same words: {reason}. No more of them are sent in this pass",
                        limits::EQUAL_REFUSALS_MAX
                    );
                    self.alert(text, draft.place);
                }
                let (field, place) = blamed(self.pass.program(), draft, &reason);
                let look = field.map_or_else(|| "the source or the flow".to_owned(), |f| format!("what fills {f}"));
                let said = reason.trim_end_matches('.');
                let reason = format!("{system} refused {entity}: {said}. Correct {look}, then retry");
                Ok(Verdict::parked(reason, place))
            }
            CallError::Unknown { system, reason } | CallError::Garbled { system, what: reason } => {
                let (at, awaited) = (connector.now(), connector.reading());
                close(Outcome::Unknown { at, awaited: awaited.clone(), reason: reason.clone() });
                let intent = Intent { unknown: Some((at, reason.clone())), awaited: Some(awaited), ..intent };
                let due = open::late_until(self.pass, &intent)?;
                self.pass.open().push(intent);
                let entity = &entity.name;
                let reason = format!(
                    "{system} gave no answer to the write of {entity} ({reason}): it may have taken effect; it is searched for before anything is sent again"
                );
                Ok(Verdict { unanswered: true, ..Verdict::waiting(reason, draft.place, WaitsFor::Outcome, due) })
            }
            error @ (CallError::Later { .. } | CallError::Login { .. }) => {
                close(Outcome::NotDone);
                Err(error.into())
            }
        }
    }
}

/// The field that a refusal names, and the line that fills it; else the mapping.
fn blamed(program: &Program, draft: &Draft, reason: &str) -> (Option<String>, Span) {
    let entity = program.entity(draft.entity);
    let named = draft.fields.iter().find(|field| {
        let name = entity.fields.get(field.field.0 as usize).map_or("", |f| &*f.name);
        !name.is_empty() && reason.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
    });
    named.map_or((None, draft.place), |field| (Some(field.path.join(".")), field.place))
}
