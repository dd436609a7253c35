//! One step performed: what is sent for a draft, and what its answer means for links and for what is known.

use super::acting::Acting;
use super::call::{Acknowledged, Changing, Transmitted, WriteCall};
use super::links::{Carried, Writing};
use super::verdict::Verdict;
use crate::engine::decide::lines::Lines;
use crate::engine::decide::owner;
use crate::engine::decide::step::Step;
use crate::engine::error::PassError;
use crate::engine::event::{Event, FieldChange, RecordEvent};
use crate::engine::journal::effects;
use crate::engine::log::{AnswerEntry, StepEntry};
use crate::engine::values::body::{self, Settled};
use crate::engine::values::text::scalar;
use crate::engine::waits::WaitsFor;
use crate::eval::{Draft, Pending, called};
use crate::ir::Stop;
use crate::store::{Change, FieldHash, Link, Operation, Outcome};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// What came of a step.
pub(crate) enum Sent {
    /// The record is there; `sent`: by a write just now.
    There { there: Settled, sent: bool },
    /// It is left alone, and so is what would follow.
    Left,
    /// What was found may have changed: the record is looked at again.
    Again,
    /// The record of the source stops here.
    Stopped(Verdict),
}

/// A call in the making.
struct Sending {
    call: WriteCall,
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
    ) -> Result<Sent, PassError> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let number = body::key_is_number(&entity);
        let there = |id: Arc<str>| Sent::There { there: Settled { id, number, created: false }, sent: false };
        match step {
            Step::Create { body, hashes } => {
                let call = WriteCall {
                    entity,
                    operation: Operation::Create,
                    id: None,
                    body,
                    search: self.search_of(draft, settled),
                    // Whether its total agrees is not known before the answer.
                    link: self.link_of(writing, "", hashes.clone(), Carried::Out { agreed: draft.balance.is_none() }),
                    changing: None,
                };
                self.call(writing, Sending { call, hashes, changes: Vec::new() }, Carried::out()).await
            }
            Step::Update { id, body, changes, hashes, lines } => {
                self.update(writing, id, body, changes, hashes, lines).await
            }
            Step::Delete { id } => self.delete(writing, id).await,
            Step::Unchanged { id, hashes } => {
                let is_new = |link: &&Link| {
                    link.fields != hashes
                        || !link.agreed
                        || link.carried.as_ref().is_none_or(|carried| *carried != self.item.source_version())
                };
                let is_late =
                    |link: &&Link| link.carried.as_ref().is_some_and(|c| c.is_later_than(&self.item.source_version()));
                let known = writing.link.filter(|link| link.target.id == *id);
                if known.is_some_and(|link| is_new(&link) && !is_late(&link)) {
                    self.link(writing, &id, hashes, Carried::Out { agreed: true });
                }
                Ok(there(id))
            }
            Step::Adopt { id, hashes } => {
                self.link(writing, &id, hashes, Carried::Out { agreed: true });
                if draft.linked_to.is_some() {
                    let mut told = self.told_of(Some(draft));
                    told.target_id = Some(id.to_string());
                    told.reason = Some("it was there already".to_owned());
                    self.events.push(Event::Linked(told));
                }
                Ok(there(id))
            }
            Step::Instead { id, .. } => Ok(there(id)),
            Step::Alert { id, reason, place } => {
                self.alert(reason, place);
                self.carried_out(writing, &id);
                Ok(there(id))
            }
            Step::Stop { stop: Stop::Skip, reason, .. } => {
                self.steps.push(StepEntry::Skipped { mapping: draft.made.name.to_string(), skipped: reason });
                Ok(Sent::Left)
            }
            Step::Stop { stop: Stop::Fail, reason, place } => Ok(Sent::Stopped(Verdict::parked(reason, place))),
            Step::Stop { stop: Stop::Wait, reason, place } => {
                let now = self.pass.source()?.now();
                Ok(Sent::Stopped(Verdict::waiting(reason, place, WaitsFor::Record, now)))
            }
            Step::Again => unreachable!("an evaluation again is the caller's"),
        }
    }

    /// The key by which a create can be found again.
    fn search_of(&self, draft: &Draft, settled: &[Option<Settled>]) -> Vec<(String, String)> {
        let program = self.pass.program();
        let entity = program.entity(draft.entity);
        let filled = |text: &str| Some(settled.get(Pending::draft(text)?)?.as_ref()?.id.to_string());
        // Where several keys were tried, the last is the one that always identifies it.
        let mut found = draft.keys.iter().rev().map(|key| effects::search_of(entity, key, filled));
        let Some(mut search) = found.find(|search| !search.is_empty()) else { return Vec::new() };
        // A document with this key of somebody else's is not its effect.
        for (field, value) in owner::of_draft(program, draft, settled) {
            let name = &entity.get(field.field).name;
            if let Some(value) = value.filter(|_| !search.iter().any(|(known, _)| **known == **name)) {
                search.push((name.to_string(), scalar(&value)));
            }
        }
        search
    }

    async fn call(&mut self, writing: &Writing<'_>, sending: Sending, carried: Carried) -> Result<Sent, PassError> {
        if self.pass.options.dry_run {
            return self.dry(writing, sending);
        }
        let Sending { call, hashes, .. } = sending;
        let (operation, id) = (call.operation, call.id.clone());
        match self.transmit(writing.draft, call).await? {
            Transmitted::Stopped(verdict) => Ok(Sent::Stopped(verdict)),
            Transmitted::Again => Ok(Sent::Again),
            Transmitted::Answer(said) => self.answered(writing, operation, id, (hashes, carried), said).await,
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
    ) -> Result<Sent, PassError> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let fields: Vec<String> = changes.iter().map(|change| change.field.clone()).collect();
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
            let call = WriteCall::change(entity, Operation::Update, id, body);
            return self.dry(writing, Sending { call, hashes, changes });
        }
        let mut changing = self.changing(writing, &id, fields.iter().chain(lines.iter().map(|list| &list.field)));
        let mut sent = has_fields;
        if has_fields {
            let open = |h: &FieldHash| lines.iter().any(|list| list.field == h.field);
            let so_far = hashes.iter().map(|h| if open(h) { no_value(&h.field) } else { h.clone() }).collect();
            let call = WriteCall::change(Arc::clone(&entity), Operation::Update, Arc::clone(&id), body);
            let call = call.begins(changing.take());
            // Until its lines are done, too, it is not carried out.
            let carried = if lines.is_empty() { Carried::out() } else { Carried::Partly };
            match self.call(writing, Sending { call, hashes: so_far, changes: Vec::new() }, carried).await? {
                Sent::There { .. } => {}
                other @ (Sent::Left | Sent::Again | Sent::Stopped(_)) => return Ok(other),
            }
        }
        let mut changed_lines = false;
        let mut anew = Vec::new();
        for (list, steps) in todo {
            let part = self.pass.entity(list.part);
            for step in steps {
                changed_lines = true;
                anew.extend(step.refers_anew(&part).map(str::to_owned));
                if let Some(verdict) = self.send_line(draft, list, (step, changing.take())).await? {
                    return Ok(Sent::Stopped(verdict));
                }
            }
        }
        for list in lines.iter().filter(|_| !anew.is_empty()) {
            if let Some(verdict) = self.said_again(draft, &id, list, &anew).await? {
                return Ok(Sent::Stopped(verdict));
            }
        }
        for list in lines.iter().filter(|_| changed_lines) {
            if let Some(verdict) = self.lines_differ(draft, &id, list).await? {
                return Ok(Sent::Stopped(verdict));
            }
        }
        if changed_lines && !has_fields {
            let told = RecordEvent { target_id: Some(id.to_string()), ..self.told_of(Some(draft)) };
            self.events.push(Event::Updated(told));
        }
        sent |= changed_lines;
        let mut agreed = writing.link.is_none_or(|link| link.agreed);
        if changed_lines || !agreed {
            self.pass.memory().doubt(&draft.connection, draft.entity, &id);
            let verdict = self.unbalanced(draft, None, &id).await?;
            agreed = verdict.is_none();
            if let Some(verdict) = verdict {
                self.link(writing, &id, hashes, Carried::Out { agreed });
                return Ok(Sent::Stopped(verdict));
            }
        }
        if !lines.is_empty() {
            self.link(writing, &id, hashes, Carried::Out { agreed });
        }
        let there = Settled { id, number: body::key_is_number(&entity), created: false };
        Ok(Sent::There { there, sent })
    }

    /// The link while these of its fields change: until an answer comes, no value is known to be theirs.
    fn changing<'f>(
        &self,
        writing: &Writing<'_>,
        id: &str,
        fields: impl Iterator<Item = &'f String>,
    ) -> Option<Changing> {
        let mut known = writing.link.map(|link| link.fields.clone()).unwrap_or_default();
        for field in fields {
            known.retain(|known| known.field != *field);
            known.push(no_value(field));
        }
        let link = self.link_of(writing, id, known, Carried::Partly)?;
        Some(Changing { link, before: writing.link.cloned() })
    }

    /// Takes a record away, and with it every link that leads to it, whichever mapping made it.
    async fn delete(&mut self, writing: &Writing<'_>, id: Arc<str>) -> Result<Sent, PassError> {
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let links = self.pass.store().links_to(&effects::target(&draft.connection, &entity, &id)).await?;
        let call = WriteCall::change(entity, Operation::Delete, Arc::clone(&id), String::new());
        let sending = Sending { call, hashes: Vec::new(), changes: Vec::new() };
        let sent = self.call(writing, sending, Carried::Partly).await?;
        if matches!(sent, Sent::There { sent: true, .. }) {
            for link in links {
                self.forget_link(&link.source, (draft.entity, &id));
                self.carry.changes.push(Change::Unlink(link.source));
            }
        }
        Ok(sent)
    }

    /// What a dry run does instead of sending: it tells, and what would be there is known to the records behind.
    fn dry(&mut self, writing: &Writing<'_>, sending: Sending) -> Result<Sent, PassError> {
        let Sending { call: WriteCall { entity, operation, id, body, .. }, hashes, changes } = sending;
        let draft = writing.draft;
        let now = self.pass.source()?.now();
        let mut told = self.told_of(Some(draft));
        told.place = self.pass.place(draft.place);
        told.target_id = id.as_ref().map(ToString::to_string);
        let of = (&draft.connection, draft.entity);
        let id = match (operation, id) {
            (Operation::Update, Some(id)) => {
                let mut changes = changes;
                told.shown_changes = self.readable_changes(draft, &mut changes);
                told.changes = changes;
                self.events.push(Event::Updated(told));
                self.pass.memory().would_change(self.pass.program(), of, (&id, &body), now);
                id
            }
            (Operation::Delete, Some(id)) => {
                self.events.push(Event::Deleted(told));
                self.pass.memory().would_delete(&draft.connection, draft.entity, &id);
                id
            }
            (Operation::Create | Operation::Update | Operation::Delete, _) => {
                (told.body, told.shown) = self.readable(draft, &body).unzip();
                self.events.push(Event::Created(told));
                let mapping = draft.made.name.rsplit('.').next().unwrap_or_default();
                let source = self.pass.label(&self.item.key);
                let row = serde_json::from_str(&body).unwrap_or_default();
                let label = match called(self.pass.program().entity(draft.entity), &row) {
                    Some(name) => format!("{name} (new, of {source})"),
                    None => format!("(new {mapping} of {source})"),
                };
                self.pass.memory().would_create(self.pass.program(), of, &body, label, now)
            }
        };
        if operation != Operation::Delete {
            self.link(writing, &id, hashes, Carried::out());
        }
        let created = operation == Operation::Create;
        Ok(Sent::There { there: Settled { id, number: body::key_is_number(&entity), created }, sent: true })
    }

    async fn answered(
        &mut self,
        writing: &Writing<'_>,
        operation: Operation,
        id: Option<Arc<str>>,
        (hashes, carried): (Vec<FieldHash>, Carried),
        said: Acknowledged,
    ) -> Result<Sent, PassError> {
        let Acknowledged { intent, answer, sent, at: now } = said;
        let draft = writing.draft;
        let entity = self.pass.entity(draft.entity);
        let mut row: Option<Value> = answer.record.as_ref().and_then(|raw| serde_json::from_str(&raw.0).ok());
        self.answers.push(AnswerEntry::Record { id: answer.id.clone(), record: row.clone() });
        let in_row = || Some(scalar(row.as_ref()?.get(&*entity.get(entity.key?).wire)?));
        let id: Option<Arc<str>> =
            id.or_else(|| answer.id.as_deref().map(Arc::from)).or_else(|| in_row().map(Arc::from));
        let outcome = Outcome::Done { target: id.as_ref().map(ToString::to_string) };
        self.carry.changes.push(Change::Outcome { intent, outcome });
        let Some(id) = id else {
            let reason = format!("{} took {} and did not say its key", draft.connection, entity.name);
            self.alert(reason, draft.place);
            return Ok(Sent::Left);
        };
        self.remember(draft, &id, operation, answer.record.map(|raw| raw.0), now);
        let told = RecordEvent { target_id: Some(id.to_string()), ..self.told_of(Some(draft)) };
        match operation {
            Operation::Create => self.events.push(Event::Created(told)),
            Operation::Update => self.events.push(Event::Updated(told)),
            Operation::Delete => self.events.push(Event::Deleted(told)),
        }
        let kept = match operation {
            Operation::Create | Operation::Update => self.is_kept(writing, &id, (operation, &sent), &mut row).await?,
            Operation::Delete => Ok(()),
        };
        if let Err(verdict) = kept {
            if operation == Operation::Create {
                // It is ours all the same, and not as this version of the source has it.
                self.link(writing, &id, Vec::new(), Carried::Partly);
            }
            return Ok(Sent::Stopped(verdict));
        }
        if operation != Operation::Delete
            && let Some(verdict) = self.joined(writing, &id, row.as_ref(), (hashes, carried)).await?
        {
            return Ok(Sent::Stopped(verdict));
        }
        let there = Settled { id, number: body::key_is_number(&entity), created: operation == Operation::Create };
        Ok(Sent::There { there, sent: true })
    }

    /// Links what was written, and compares its total; what stops the record where that is another.
    async fn joined(
        &mut self,
        writing: &Writing<'_>,
        id: &Arc<str>,
        row: Option<&Value>,
        (hashes, carried): (Vec<FieldHash>, Carried),
    ) -> Result<Option<Verdict>, PassError> {
        if carried == Carried::Partly {
            // The total of what is not done yet is not what it must come to.
            self.link(writing, id, hashes, carried);
            return Ok(None);
        }
        // Whatever keeps its total from being read, it is ours, and of this version.
        let agreed = writing.draft.balance.is_none();
        self.link(writing, id, hashes.clone(), Carried::Out { agreed });
        let verdict = self.unbalanced(writing.draft, row, id).await?;
        if !agreed && verdict.is_none() {
            self.link(writing, id, hashes, Carried::out());
        }
        Ok(verdict)
    }

    /// What was written is known to the records behind.
    fn remember(&self, draft: &Draft, id: &Arc<str>, operation: Operation, row: Option<Arc<str>>, now: Timestamp) {
        let mut memory = self.pass.memory();
        let program = self.pass.program();
        match (operation, row) {
            (Operation::Create | Operation::Update, Some(row)) => {
                memory.row(program, &draft.connection, draft.entity, &row, now);
            }
            (Operation::Create | Operation::Update | Operation::Delete, _) => {
                if operation == Operation::Create {
                    memory.made_unseen(program, &draft.connection, draft.entity);
                }
                memory.doubt(&draft.connection, draft.entity, id);
                draft.keys.iter().for_each(|key| memory.doubt_key(program, &draft.connection, draft.entity, key));
            }
        }
    }
}

/// A field of which nobody knows what stands in it: no value has that hash.
fn no_value(field: &str) -> FieldHash {
    FieldHash { field: field.to_owned(), hash: String::new() }
}
