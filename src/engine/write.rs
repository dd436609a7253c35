//! One step performed: journalled, sent once, and what came of it journalled again.

use super::body::{self, Settled};
use super::compare;
use super::decide::{Change as FieldChange, Step};
use super::event::Event;
use super::hash::hash;
use super::journal;
use super::pass::Ending;
use super::record::{Acting, OUTCOME, Verdict};
use crate::connector::{Answer, CallError, Write};
use crate::eval::Draft;
use crate::ir::{Method, Stop};
use crate::limits;
use crate::store::{Change, FieldHash, Intent, Link, LinkKey, Operation, Outcome};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// A draft, and the link that it has or will have.
pub(crate) struct Writing<'a> {
    pub(crate) draft: &'a Draft,
    pub(crate) link: Option<&'a Link>,
    pub(crate) source: Option<LinkKey>,
}

/// What came of a step.
pub(crate) enum Sent {
    /// The record is there; `sent`: by a write just now.
    There { there: Settled, sent: bool },
    /// It is left alone, and so is what would follow.
    Left,
    /// The record of the source stops here.
    Stopped(Verdict),
}

/// A call in the making.
struct Sending {
    operation: Operation,
    id: Option<Arc<str>>,
    body: String,
    hashes: Vec<FieldHash>,
    changes: Vec<FieldChange>,
    search: Vec<(String, String)>,
}

impl Acting<'_> {
    /// Performs a step.
    pub(crate) async fn send(
        &mut self,
        writing: &Writing<'_>,
        step: Step,
        settled: &[Option<Settled>],
    ) -> Result<Sent, Ending> {
        let draft = writing.draft;
        let number = body::key_is_number(self.pass.program().entity(draft.entity));
        let there = |id: Arc<str>| Sent::There { there: Settled { id, number, created: false }, sent: false };
        match step {
            Step::Create { body, hashes } => {
                let search = self.search_of(draft, settled);
                let (operation, changes) = (Operation::Create, Vec::new());
                self.call(writing, Sending { operation, id: None, body, hashes, changes, search }).await
            }
            Step::Update { id, body, changes, hashes } => {
                let (operation, search) = (Operation::Update, Vec::new());
                self.call(writing, Sending { operation, id: Some(id), body, hashes, changes, search }).await
            }
            Step::Delete { id } => {
                let (operation, search) = (Operation::Delete, Vec::new());
                let (body, hashes, changes) = (String::new(), Vec::new(), Vec::new());
                self.call(writing, Sending { operation, id: Some(id), body, hashes, changes, search }).await
            }
            Step::Unchanged { id, hashes } => {
                if writing.link.is_some_and(|link| link.target.id == *id && link.fields != hashes) {
                    self.link(writing, &id, hashes);
                }
                Ok(there(id))
            }
            Step::Adopt { id, hashes } => {
                self.link(writing, &id, hashes);
                let mut told = self.told_of(Some(draft));
                told.target_id = Some(id.to_string());
                told.reason = Some("it was there already".to_owned());
                self.events.push(Event::Linked(told));
                Ok(there(id))
            }
            Step::Instead { id, .. } => Ok(there(id)),
            Step::Alert { id, reason, place } => {
                self.alert(reason, place);
                Ok(there(id))
            }
            Step::Stop { stop: Stop::Skip, reason, .. } => {
                self.steps.push(serde_json::json!({"mapping": &*draft.made.name, "skipped": reason}));
                Ok(Sent::Left)
            }
            Step::Stop { stop: Stop::Fail, reason, place } => Ok(Sent::Stopped(Verdict::parked(reason, place))),
            Step::Stop { stop: Stop::Wait, reason, place } => {
                let now = self.pass.source()?.now();
                Ok(Sent::Stopped(Verdict::waiting(reason, place, "another record", now)))
            }
            Step::Again => unreachable!("an evaluation again is the caller's"),
        }
    }

    /// The key by which a create can be found again.
    fn search_of(&self, draft: &Draft, settled: &[Option<Settled>]) -> Vec<(String, String)> {
        let entity = self.pass.program().entity(draft.entity);
        let filled = |text: &str| Some(settled.get(body::pending(text)?)?.as_ref()?.id.to_string());
        // Where several keys were tried, the last is the one that always identifies it.
        let mut found = draft.keys.iter().rev().map(|key| journal::search_of(entity, key, filled));
        found.find(|search| !search.is_empty()).unwrap_or_default()
    }

    async fn call(&mut self, writing: &Writing<'_>, sending: Sending) -> Result<Sent, Ending> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let number = body::key_is_number(&entity);
        if self.pass.options.dry_run {
            return Ok(self.dry(writing, &sending, number));
        }
        let kind = format!("{} {} {:?}", draft.connection, entity.full_name(), sending.operation);
        let connector = self.pass.connector(&draft.connection)?;
        let stopped = self.pass.refusals().stopped(&kind).map(str::to_owned);
        if let Some(reason) = stopped {
            let due = self.pass.source()?.now().checked_add(SignedDuration::from_secs(limits::REFUSED_KIND_SECONDS));
            let reason = format!(
                "not sent: {} refused {} writes of {} in a row with the same words ({reason}). It goes on after a change of the flow, or within the hour",
                draft.connection,
                limits::EQUAL_REFUSALS_MAX,
                entity.name
            );
            let due = due.unwrap_or(Timestamp::MAX);
            return Ok(Sent::Stopped(Verdict::waiting(reason, draft.place, "writes of its kind", due)));
        }
        let intent = self.intent(draft, &sending, connector.now());
        let id = intent.id.clone();
        self.carry.changes.push(Change::Intend(intent.clone()));
        let carried = std::mem::take(&mut self.carry);
        self.pass.store().commit(carried).await?;
        self.wrote = true;
        let method = match sending.operation {
            Operation::Create => Method::Post,
            Operation::Update => Method::Put,
            Operation::Delete => Method::Delete,
        };
        let target = sending.id.as_ref().map(ToString::to_string);
        let parts = route_parts(&entity, &sending.body);
        let write = Write { entity: Arc::clone(&entity), method, id: target, body: sending.body.clone(), parts };
        self.steps.push(serde_json::json!({
            "mapping": &*draft.made.name, "entity": entity.full_name(), "sent": format!("{method:?}").to_lowercase(),
            "id": write.id, "body": serde_json::from_str::<serde_json::Value>(&write.body).unwrap_or_default(),
        }));
        let mut sent = connector.write(&write).await;
        for _ in 1..limits::PUT_OFF_MAX {
            // Nothing happened, and the system says when it will take it: that is no second attempt.
            let Err(CallError::Later { until, .. }) = &sent else { break };
            let patience = SignedDuration::from_secs(limits::TURN_SECONDS_MAX);
            if until.duration_since(connector.now()) > patience || self.pass.cancel.is_cancelled() {
                break;
            }
            connector.sleep_until(*until).await;
            sent = connector.write(&write).await;
        }
        match sent {
            Ok(answer) => {
                self.pass.refusals().done(&kind);
                Ok(self.answered(writing, &sending, id, answer, connector.now()))
            }
            Err(error) => self.not_answered(writing, &kind, intent, error, connector.now()),
        }
    }

    /// What a dry run tells instead of sending.
    fn dry(&mut self, writing: &Writing<'_>, sending: &Sending, number: bool) -> Sent {
        let mut told = self.told_of(Some(writing.draft));
        told.place = self.pass.place(writing.draft.place);
        told.target_id = sending.id.as_ref().map(ToString::to_string);
        let created = sending.operation == Operation::Create;
        match sending.operation {
            Operation::Create => {
                told.body = serde_json::from_str(&sending.body).ok();
                self.events.push(Event::Created(told));
            }
            Operation::Update => {
                told.changes.clone_from(&sending.changes);
                self.events.push(Event::Updated(told));
            }
            Operation::Delete => self.events.push(Event::Deleted(told)),
        }
        let id = sending.id.clone().unwrap_or_else(|| format!("(new {})", writing.draft.made.name).into());
        Sent::There { there: Settled { id, number, created }, sent: false }
    }

    fn intent(&self, draft: &Draft, sending: &Sending, at: Timestamp) -> Intent {
        let program = self.pass.program();
        let own = super::record::lanes_of(self.pass, self.item, None);
        let keys = draft.keys.iter().filter_map(|key| journal::lane(program, draft, key));
        Intent {
            id: uuid::Uuid::new_v4().to_string(),
            flow: self.pass.flow().name.to_string(),
            key: self.item.key.to_string(),
            step: self.steps.len().to_string(),
            mapping: draft.made.name.to_string(),
            connection: draft.connection.to_string(),
            entity: program.entity(draft.entity).full_name(),
            operation: sending.operation,
            target: sending.id.as_ref().map(ToString::to_string),
            search: sending.search.clone(),
            payload_hash: hash(sending.body.as_bytes()),
            lanes: own.into_iter().chain(keys).collect(),
            plan_hash: self.pass.project.plan_hash.clone(),
            at,
            unknown: None,
        }
    }

    fn answered(
        &mut self,
        writing: &Writing<'_>,
        sending: &Sending,
        intent: String,
        answer: Answer,
        now: Timestamp,
    ) -> Sent {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let row: Option<serde_json::Value> = answer.record.as_ref().and_then(|raw| serde_json::from_str(&raw.0).ok());
        self.answers.push(serde_json::json!({"id": answer.id, "record": row}));
        let in_row = || Some(compare::scalar(row.as_ref()?.get(&*entity.get(entity.key?).wire)?));
        let id: Option<Arc<str>> =
            sending.id.clone().or_else(|| answer.id.as_deref().map(Arc::from)).or_else(|| in_row().map(Arc::from));
        let outcome = Outcome::Done { target: id.as_ref().map(ToString::to_string) };
        self.carry.changes.push(Change::Outcome { intent, outcome });
        let Some(id) = id else {
            let reason = format!("{} took {} and did not say its key", draft.connection, entity.name);
            self.alert(reason, draft.place);
            return Sent::Left;
        };
        self.remember(draft, &id, sending.operation, answer.record.map(|raw| raw.0), now);
        let mut told = self.told_of(Some(draft));
        told.target_id = Some(id.to_string());
        match sending.operation {
            Operation::Create => self.events.push(Event::Created(told)),
            Operation::Update => self.events.push(Event::Updated(told)),
            Operation::Delete => self.events.push(Event::Deleted(told)),
        }
        if sending.operation == Operation::Delete {
            self.unlink(writing);
        } else {
            self.link(writing, &id, sending.hashes.clone());
            if let Some(verdict) = self.unbalanced(draft, row.as_ref(), &id) {
                return Sent::Stopped(verdict);
            }
        }
        let created = sending.operation == Operation::Create;
        let there = Settled { id, number: body::key_is_number(&entity), created };
        Sent::There { there, sent: true }
    }

    /// What was written is known to the records behind.
    fn remember(&self, draft: &Draft, id: &Arc<str>, operation: Operation, row: Option<Arc<str>>, now: Timestamp) {
        let mut memory = self.pass.memory();
        let program = self.pass.program();
        match (operation, row) {
            (Operation::Create | Operation::Update, Some(row)) => {
                memory.row(program, &draft.connection, draft.entity, &row, now);
                if operation == Operation::Create {
                    memory.made(&draft.connection, draft.entity, id, now);
                }
            }
            (Operation::Create | Operation::Update | Operation::Delete, _) => {
                memory.doubt(&draft.connection, draft.entity, id);
                draft.keys.iter().for_each(|key| memory.doubt_key(program, &draft.connection, draft.entity, key));
            }
        }
    }

    /// Joins source and target.
    fn link(&mut self, writing: &Writing<'_>, id: &Arc<str>, fields: Vec<FieldHash>) {
        let draft = writing.draft;
        let Some(source) = &writing.source else { return };
        let entity = self.pass.program().entity(draft.entity);
        let children = writing.link.map(|link| link.children.clone()).unwrap_or_default();
        let target = journal::target(&draft.connection, entity, id);
        let source_changed = self.item.changed.or_else(|| writing.link.and_then(|l| l.source_changed));
        let link = Link { source: source.clone(), target, fields, source_changed, children };
        self.carry.changes.push(Change::Link(link));
        self.forget_link(writing, id);
    }

    fn unlink(&mut self, writing: &Writing<'_>) {
        if let Some(link) = writing.link {
            self.carry.changes.push(Change::Unlink(link.source.clone()));
            self.forget_link(writing, &link.target.id);
        }
    }

    /// What was known of links at both ends is asked of the store again.
    fn forget_link(&self, writing: &Writing<'_>, id: &str) {
        if let Some(source) = &writing.source
            && let Some(entity) = self.pass.entities.iter().position(|e| e.full_name() == source.entity)
        {
            self.pass.memory().relink((entity.into(), &source.key), (writing.draft.entity, id));
        }
    }

    /// The document is there; what the target computed is compared with what it must come to.
    fn unbalanced(&mut self, draft: &Draft, row: Option<&serde_json::Value>, id: &str) -> Option<Verdict> {
        let due = draft.balance.as_ref()?;
        let theirs = row?.get(&*due.field).and_then(compare::number)?;
        if (theirs - due.amount).abs() <= due.within {
            return None;
        }
        let entity = &self.pass.program().entity(draft.entity).name;
        let reason = format!(
            "{} computed {theirs} for {entity} {id}, its source says {}: correct it there, or the mapping's VAT codes and prices, then retry",
            draft.connection, due.amount
        );
        self.alert(reason.clone(), due.place);
        Some(Verdict::parked(reason, due.place))
    }

    fn not_answered(
        &mut self,
        writing: &Writing<'_>,
        kind: &str,
        intent: Intent,
        error: CallError,
        now: Timestamp,
    ) -> Result<Sent, Ending> {
        let draft = writing.draft;
        self.answers.push(serde_json::json!({"error": error.to_string()}));
        let mut close = |outcome| self.carry.changes.push(Change::Outcome { intent: intent.id.clone(), outcome });
        match error {
            CallError::Refused { system, reason, .. } => {
                close(Outcome::Refused { reason: reason.clone() });
                let entity = self.pass.program().entity(draft.entity).name.to_string();
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
                Ok(Sent::Stopped(Verdict::parked(reason, place)))
            }
            CallError::Unknown { system, reason } | CallError::Garbled { system, what: reason } => {
                close(Outcome::Unknown { at: now, reason: reason.clone() });
                let intent = Intent { unknown: Some((now, reason.clone())), ..intent };
                let due = journal::late_until(&intent);
                self.pass.open().push(intent);
                let entity = &self.pass.program().entity(draft.entity).name;
                let reason = format!(
                    "{system} gave no answer to the write of {entity} ({reason}): it may have taken effect; it is searched for before anything is sent again"
                );
                Ok(Sent::Stopped(Verdict::waiting(reason, draft.place, OUTCOME, due)))
            }
            error @ (CallError::Later { .. } | CallError::Login { .. }) => {
                close(Outcome::NotDone);
                Err(error.into())
            }
        }
    }
}

/// The field that a refusal names, and the line that fills it; else the mapping.
fn blamed(program: &crate::ir::Program, draft: &Draft, reason: &str) -> (Option<String>, crate::source::Span) {
    let entity = program.entity(draft.entity);
    let named = draft.fields.iter().find(|field| {
        let name = entity.fields.get(field.field.0 as usize).map_or("", |f| &*f.name);
        !name.is_empty() && reason.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
    });
    named.map_or((None, draft.place), |field| (Some(field.path.join(".")), field.place))
}

/// Values of a route's `{parts}`: fields of the body.
fn route_parts(entity: &crate::ir::Entity, body: &str) -> Vec<(String, String)> {
    let Some(route) = entity.route.as_deref().filter(|route| route.contains('{')) else { return Vec::new() };
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let names = route.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.filter_map(|name| Some((name.to_owned(), compare::scalar(body.get(name)?)))).collect()
}
