//! One step performed: what is sent for a draft, and what its answer means for links and for what is known.

use super::body::{self, Settled};
use super::compare;
use super::decide::{self, Change as FieldChange, Step};
use super::event::{Event, Told};
use super::journal;
use super::lines::Lines;
use super::pass::Ending;
use super::record::Acting;
use super::settle::Verdict;
use super::transmit::{Call, Heard, Said};
use crate::eval::{Draft, Pending};
use crate::ir::{EntityId, Stop};
use crate::store::{Change, FieldHash, Link, LinkKey, Operation, Outcome};
use jiff::Timestamp;
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
    call: Call,
    hashes: Vec<FieldHash>,
    changes: Vec<FieldChange>,
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
        let entity = self.pass.entity(draft.entity);
        let number = body::key_is_number(&entity);
        let there = |id: Arc<str>| Sent::There { there: Settled { id, number, created: false }, sent: false };
        match step {
            Step::Create { body, hashes } => {
                let call = Call {
                    entity,
                    operation: Operation::Create,
                    id: None,
                    body,
                    search: self.search_of(draft, settled),
                    link: self.link_of(writing, "", hashes.clone()),
                };
                self.call(writing, Sending { call, hashes, changes: Vec::new() }).await
            }
            Step::Update { id, body, changes, hashes, lines } => {
                self.update(writing, id, body, changes, hashes, lines).await
            }
            Step::Delete { id } => self.delete(writing, id).await,
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
        let filled = |text: &str| Some(settled.get(Pending::draft(text)?)?.as_ref()?.id.to_string());
        // Where several keys were tried, the last is the one that always identifies it.
        let mut found = draft.keys.iter().rev().map(|key| journal::search_of(entity, key, filled));
        found.find(|search| !search.is_empty()).unwrap_or_default()
    }

    async fn call(&mut self, writing: &Writing<'_>, sending: Sending) -> Result<Sent, Ending> {
        if self.pass.options.dry_run {
            let number = body::key_is_number(&sending.call.entity);
            return Ok(self.dry(writing, &sending, number));
        }
        let Sending { call, hashes, .. } = sending;
        let (operation, id) = (call.operation, call.id.clone());
        match self.transmit(writing.draft, call).await? {
            Heard::Stopped(verdict) => Ok(Sent::Stopped(verdict)),
            Heard::Answer(said) => Ok(self.answered(writing, operation, id, hashes, said)),
        }
    }

    /// Fields of what is there, and lines that are records of their own; its link says so only when all is done.
    async fn update(
        &mut self,
        writing: &Writing<'_>,
        id: Arc<str>,
        body: String,
        mut changes: Vec<FieldChange>,
        hashes: Vec<FieldHash>,
        lines: Vec<Lines>,
    ) -> Result<Sent, Ending> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let mut todo = Vec::new();
        for list in &lines {
            let steps = match self.line_steps(draft, &id, list).await? {
                Ok(steps) => steps,
                Err(verdict) => return Ok(Sent::Stopped(verdict)),
            };
            changes.extend(steps.iter().map(|step| step.change(&list.field)));
            todo.push((list, steps));
        }
        let has_fields = body != "{}";
        if self.pass.options.dry_run && (has_fields || !changes.is_empty()) {
            let call = Call::change(entity, Operation::Update, id, body);
            return Ok(self.dry(writing, &Sending { call, hashes, changes }, false));
        }
        let mut sent = has_fields;
        if has_fields {
            let before =
                |h: &FieldHash| writing.link.and_then(|l| l.fields.iter().find(|f| f.field == h.field)).cloned();
            let so_far = hashes.iter().filter_map(|h| {
                if lines.iter().any(|list| list.field == h.field) { before(h) } else { Some(h.clone()) }
            });
            let so_far = so_far.collect();
            let call = Call::change(Arc::clone(&entity), Operation::Update, Arc::clone(&id), body);
            match self.call(writing, Sending { call, hashes: so_far, changes: Vec::new() }).await? {
                Sent::There { .. } => {}
                other @ (Sent::Left | Sent::Stopped(_)) => return Ok(other),
            }
        }
        let mut changed_lines = false;
        for (list, steps) in todo {
            for step in steps {
                changed_lines = true;
                if let Some(verdict) = self.send_line(draft, list, step).await? {
                    return Ok(Sent::Stopped(verdict));
                }
            }
        }
        if changed_lines && !has_fields {
            let told = Told { target_id: Some(id.to_string()), ..self.told_of(Some(draft)) };
            self.events.push(Event::Updated(told));
        }
        sent |= changed_lines;
        if !lines.is_empty() {
            self.link(writing, &id, hashes);
        }
        if changed_lines {
            self.pass.memory().doubt(&draft.connection, draft.entity, &id);
            let row = self.total_of(draft, &id).await?;
            if let Some(verdict) = self.unbalanced(draft, row.as_ref(), &id) {
                return Ok(Sent::Stopped(verdict));
            }
        }
        let there = Settled { id, number: body::key_is_number(&entity), created: false };
        Ok(Sent::There { there, sent })
    }

    /// Takes a record away, and with it every link that leads to it, whichever mapping made it.
    async fn delete(&mut self, writing: &Writing<'_>, id: Arc<str>) -> Result<Sent, Ending> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let links = self.pass.store().links_to(&journal::target(&draft.connection, &entity, &id)).await?;
        let call = Call::change(entity, Operation::Delete, Arc::clone(&id), String::new());
        let sent = self.call(writing, Sending { call, hashes: Vec::new(), changes: Vec::new() }).await?;
        if matches!(sent, Sent::There { sent: true, .. }) {
            for link in links {
                self.forget_link(&link.source, (draft.entity, &id));
                self.carry.changes.push(Change::Unlink(link.source));
            }
        }
        Ok(sent)
    }

    /// What a dry run tells instead of sending.
    fn dry(&mut self, writing: &Writing<'_>, sending: &Sending, number: bool) -> Sent {
        let mut told = self.told_of(Some(writing.draft));
        told.place = self.pass.place(writing.draft.place);
        told.target_id = sending.call.id.as_ref().map(ToString::to_string);
        let created = sending.call.operation == Operation::Create;
        match sending.call.operation {
            Operation::Create => {
                told.body = serde_json::from_str(&sending.call.body).ok();
                self.events.push(Event::Created(told));
            }
            Operation::Update => {
                told.changes.clone_from(&sending.changes);
                self.events.push(Event::Updated(told));
            }
            Operation::Delete => self.events.push(Event::Deleted(told)),
        }
        let id = sending.call.id.clone().unwrap_or_else(|| format!("(new {})", writing.draft.made.name).into());
        Sent::There { there: Settled { id, number, created }, sent: false }
    }

    fn answered(
        &mut self,
        writing: &Writing<'_>,
        operation: Operation,
        id: Option<Arc<str>>,
        hashes: Vec<FieldHash>,
        said: Said,
    ) -> Sent {
        let Said { intent, answer, at: now } = said;
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let row: Option<serde_json::Value> = answer.record.as_ref().and_then(|raw| serde_json::from_str(&raw.0).ok());
        self.answers.push(serde_json::json!({"id": answer.id, "record": row}));
        let in_row = || Some(compare::scalar(row.as_ref()?.get(&*entity.get(entity.key?).wire)?));
        let id: Option<Arc<str>> =
            id.or_else(|| answer.id.as_deref().map(Arc::from)).or_else(|| in_row().map(Arc::from));
        let outcome = Outcome::Done { target: id.as_ref().map(ToString::to_string) };
        self.carry.changes.push(Change::Outcome { intent, outcome });
        let Some(id) = id else {
            let reason = format!("{} took {} and did not say its key", draft.connection, entity.name);
            self.alert(reason, draft.place);
            return Sent::Left;
        };
        self.remember(draft, &id, operation, answer.record.map(|raw| raw.0), now);
        let mut told = self.told_of(Some(draft));
        told.target_id = Some(id.to_string());
        match operation {
            Operation::Create => self.events.push(Event::Created(told)),
            Operation::Update => self.events.push(Event::Updated(told)),
            Operation::Delete => self.events.push(Event::Deleted(told)),
        }
        if operation != Operation::Delete {
            self.link(writing, &id, hashes);
            if let Some(verdict) = self.unbalanced(draft, row.as_ref(), &id) {
                return Sent::Stopped(verdict);
            }
        }
        let created = operation == Operation::Create;
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
        let Some(link) = self.link_of(writing, id, fields) else { return };
        self.forget_link(&link.source, (writing.draft.entity, id));
        self.carry.changes.push(Change::Link(link));
    }

    fn link_of(&self, writing: &Writing<'_>, id: &str, fields: Vec<FieldHash>) -> Option<Link> {
        let draft = writing.draft;
        let source = writing.source.clone()?;
        let children = writing.link.map(|link| link.children.clone()).unwrap_or_default();
        let target = journal::target(&draft.connection, self.pass.program().entity(draft.entity), id);
        let source_changed = self.item.changed.or_else(|| writing.link.and_then(|l| l.source_changed));
        Some(Link { source, target, fields, source_changed, children })
    }

    /// What was known of links at both ends is asked of the store again.
    fn forget_link(&self, source: &LinkKey, target: (EntityId, &str)) {
        if let Some(entity) = self.pass.entities.iter().position(|e| e.full_name() == source.entity) {
            self.pass.memory().relink((entity.into(), &source.key), target);
        }
    }

    /// The document is there; what the target computed is compared with what it must come to.
    fn unbalanced(&mut self, draft: &Draft, row: Option<&serde_json::Value>, id: &str) -> Option<Verdict> {
        let due = draft.balance.as_ref()?;
        let theirs = row?.get(&*due.field).and_then(compare::number)?;
        if (theirs - due.amount).abs() <= due.within {
            return None;
        }
        let reason = decide::imbalance(self.pass.program(), draft, id, theirs);
        self.alert(reason.clone(), due.place);
        Some(Verdict::parked(reason, due.place))
    }
}
