//! What is to be done with one draft: a pure function of what is known about it.
//!
//! In: the draft, the link of an earlier write, the keys of the drafts before it. Out: a [`Step`], which the pass
//! performs and a dry run prints.

use super::body::{self, Dangling, Settled};
use super::compare;
use super::lines::Lines;
use crate::eval::{Action, Draft, DraftField, FieldWhen, OnSourceChange};
use crate::ir::{Access, Entity, Overwrite, Program, Stop, Verb};
use crate::source::Span;
use crate::store::{FieldHash, Link};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// All that a decision depends on.
pub(crate) struct Facts<'a> {
    pub(crate) program: &'a Program,
    pub(crate) draft: &'a Draft,
    pub(crate) verb: &'a Verb,
    /// What this source record became through this mapping.
    pub(crate) link: Option<&'a Link>,
    /// The key of another source record that became, through this mapping, what was found.
    pub(crate) owner: Option<&'a str>,
    /// The drafts of the unit that are there already.
    pub(crate) settled: &'a [Option<Settled>],
    /// The source's time of change.
    pub(crate) source_changed: Option<Timestamp>,
    /// The source differs from what was settled last; a new plan alone is no change of the source.
    pub(crate) source_is_new: bool,
    /// The record was settled as written: somebody may have corrected the target since.
    pub(crate) was_written: bool,
    /// The installation's hash of a written value.
    pub(crate) hash: &'a dyn Fn(&str) -> String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// It is made.
    Create { body: String, hashes: Vec<FieldHash> },
    /// These fields of it are changed, and these lists of lines that are records of their own.
    Update { id: Arc<str>, body: String, changes: Vec<Change>, hashes: Vec<FieldHash>, lines: Vec<Lines> },
    /// It is taken away.
    Delete { id: Arc<str> },
    /// It is left as it is, and the draft with that number is written instead.
    Instead { id: Arc<str>, draft: usize },
    /// It is as it should be.
    Unchanged { id: Arc<str>, hashes: Vec<FieldHash> },
    /// It was there already and is ours from now on.
    Adopt { id: Arc<str>, hashes: Vec<FieldHash> },
    /// It is left alone and a person is told.
    Alert { id: Arc<str>, reason: String, place: Span },
    /// The record stops, or the draft is left alone.
    Stop { stop: Stop, reason: String, place: Span },
    /// Whether it is there can be asked now: evaluate again.
    Again,
}

/// A field that changes, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The field, by its way on the wire.
    pub field: String,
    /// What the target has, as JSON.
    pub from: Option<String>,
    /// What it will have, as JSON.
    pub to: String,
}

/// Decides.
pub(crate) fn decide(facts: &Facts<'_>) -> Step {
    match decided(facts) {
        Ok(step) => step,
        Err(Dangling(_)) => Step::Stop {
            stop: Stop::Wait,
            reason: "a record that it refers to is not there yet".to_owned(),
            place: facts.draft.place,
        },
    }
}

fn decided(facts: &Facts<'_>) -> Result<Step, Dangling> {
    let draft = facts.draft;
    match &draft.action {
        Action::Leave(stop, reason, place) => Ok(Step::Stop { stop: *stop, reason: reason.clone(), place: *place }),
        Action::Delete { id } => Ok(Step::Delete { id: Arc::clone(id) }),
        Action::Create => create(facts),
        Action::After(n) => match facts.settled.get(*n).and_then(Option::as_ref) {
            Some(settled) if settled.created => create(facts),
            Some(_) => Ok(Step::Again),
            None => Err(Dangling(*n)),
        },
        Action::Itself { id, row } => update(facts, id, row, true),
        Action::Found { id, ours, row } => {
            let ours = *ours || facts.link.is_some_and(|link| link.target.id == **id);
            let totals = disagreement(draft, row);
            if !ours && let Some(reason) = stranger(facts, id, totals) {
                return Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place });
            }
            let step = match facts.verb {
                Verb::CreateOnce | Verb::CreateUnless(_) => found_once(facts, id, row, ours),
                Verb::Upsert | Verb::Update => update(facts, id, row, ours),
                Verb::Delete(_) => Ok(Step::Unchanged { id: Arc::clone(id), hashes: Vec::new() }),
            };
            match (step?, totals) {
                (Step::Unchanged { .. }, Some((theirs, _))) if ours && !facts.was_written => {
                    let reason = imbalance(facts.program, draft, id, theirs);
                    Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place })
                }
                (step, _) => Ok(step),
            }
        }
    }
}

/// Why a copy with the same key is not taken for ours, where it is not.
fn stranger(facts: &Facts<'_>, id: &str, totals: Option<(Decimal, Decimal)>) -> Option<String> {
    let name = &entity(facts).name;
    let once = matches!(facts.verb, Verb::CreateOnce | Verb::CreateUnless(_));
    match (facts.owner, totals) {
        (Some(owner), _) if once => Some(format!(
            "{name} {id} has the same key and is what {owner} became: two records of the source have one key. Give the mapping a key that tells them apart"
        )),
        (_, Some((theirs, ours))) if !matches!(facts.verb, Verb::Delete(_)) => Some(format!(
            "{} has a {name} with this key already ({id}), whose total is {theirs} and not {ours}; it is not ours. Give one of the two another reference, or make the totals agree",
            facts.draft.connection
        )),
        _ => None,
    }
}

/// What a person is told when the target's total of a document is another one.
pub(crate) fn imbalance(program: &Program, draft: &Draft, id: &str, theirs: Decimal) -> String {
    let wanted = draft.balance.as_ref().map_or_else(String::new, |due| due.amount.to_string());
    format!(
        "{} computed {theirs} for {} {id}, its source says {wanted}: correct it there, or the mapping's VAT codes and prices, then retry",
        draft.connection,
        program.entity(draft.entity).name
    )
}

fn create(facts: &Facts<'_>) -> Result<Step, Dangling> {
    let draft = facts.draft;
    if matches!(facts.verb, Verb::Update | Verb::Delete(_)) {
        let reason = format!("there is no {} to update", entity(facts).name);
        return Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place });
    }
    let sent = draft.fields.iter().filter(|f| f.when != FieldWhen::Update && f.json != "null");
    let fields = sent.map(|f| Ok((f, body::filled(&f.json, facts.settled)?))).collect::<Result<Vec<_>, _>>()?;
    let hashes = fields.iter().map(|(f, value)| hashed(facts, f, value)).collect();
    Ok(Step::Create { body: body::of(&fields), hashes })
}

/// A `create once` that is there.
fn found_once(facts: &Facts<'_>, id: &Arc<str>, row: &str, ours: bool) -> Result<Step, Dangling> {
    let draft = facts.draft;
    let hashes = all_hashes(facts);
    if !ours {
        return Ok(match draft.linked_to {
            None => Step::Unchanged { id: Arc::clone(id), hashes },
            Some(_) => Step::Adopt { id: Arc::clone(id), hashes },
        });
    }
    let Some(link) = facts.link else { return Ok(Step::Adopt { id: Arc::clone(id), hashes }) };
    let changed = hashes.iter().filter(|h| link_hash(link, &h.field) != Some(h.hash.as_str())).count();
    if !facts.source_is_new || changed == 0 || is_older(facts) {
        return Ok(Step::Unchanged { id: Arc::clone(id), hashes: link.fields.clone() });
    }
    match draft.on_change {
        OnSourceChange::Ignore => Ok(Step::Unchanged { id: Arc::clone(id), hashes: link.fields.clone() }),
        OnSourceChange::Update => update(facts, id, row, true),
        OnSourceChange::Write(draft) => Ok(Step::Instead { id: Arc::clone(id), draft }),
        OnSourceChange::Alert => {
            let names: Vec<&str> = hashes
                .iter()
                .filter(|h| link_hash(link, &h.field) != Some(h.hash.as_str()))
                .map(|h| h.field.as_str())
                .collect();
            let reason = format!(
                "its source has changed since it became {} {id} ({}); it is left as it is, change it there by hand if it should follow",
                entity(facts).name,
                names.join(", ")
            );
            Ok(Step::Alert { id: Arc::clone(id), reason, place: draft.place })
        }
    }
}

/// The totals, theirs and ours, where they differ by more than may be.
fn disagreement(draft: &Draft, row: &str) -> Option<(Decimal, Decimal)> {
    let due = draft.balance.as_ref()?;
    let row: Value = serde_json::from_str(row).ok()?;
    let theirs = row.get(&*due.field).and_then(compare::number)?;
    ((theirs - due.amount).abs() > due.within).then_some((theirs, due.amount))
}

fn update(facts: &Facts<'_>, id: &Arc<str>, row: &str, ours: bool) -> Result<Step, Dangling> {
    let previous = || facts.link.map(|l| l.fields.clone()).unwrap_or_default();
    if is_older(facts) {
        return Ok(Step::Unchanged { id: Arc::clone(id), hashes: previous() });
    }
    let row: Value = serde_json::from_str(row).unwrap_or(Value::Null);
    let mut hashes = Vec::new();
    let mut sent = Vec::new();
    let mut changes = Vec::new();
    let mut lines = Vec::new();
    for field in facts.draft.fields.iter().filter(|f| f.when != FieldWhen::Create) {
        let value = body::filled(&field.json, facts.settled)?;
        let hash = hashed(facts, field, &value);
        if let Some(change) = change(facts, field, &value, &hash, &row, ours) {
            if let Some(list) = Lines::of(facts.program, entity(facts), &hash.field, &value) {
                lines.push(list);
            } else {
                changes.push(change);
                sent.push((field, value));
            }
        }
        hashes.push(hash);
    }
    // What is filled on a create only keeps the mark of that time.
    for old in previous() {
        if !hashes.iter().any(|h| h.field == old.field) {
            hashes.push(old);
        }
    }
    if sent.is_empty() && lines.is_empty() {
        let adopted = facts.link.is_none() && facts.draft.linked_to.is_some() && !ours;
        let id = Arc::clone(id);
        return Ok(if adopted { Step::Adopt { id, hashes } } else { Step::Unchanged { id, hashes } });
    }
    let body = body::of(&sent);
    Ok(Step::Update { id: Arc::clone(id), body, changes, hashes, lines })
}

/// What becomes of a field, when something does.
fn change(
    facts: &Facts<'_>,
    field: &DraftField,
    ours: &Value,
    hash: &FieldHash,
    row: &Value,
    known: bool,
) -> Option<Change> {
    let target = entity(facts);
    let schema = compare::field_at(facts.program, target, &field.path);
    let key = target.key.map(|key| &target.get(key).wire);
    if schema.is_some_and(|f| f.access != Access::Free) || (key.is_some() && field.path.first() == key) {
        return None;
    }
    let theirs = theirs(field, row);
    if compare::same(facts.program, schema, ours, theirs) || !may_touch(facts, field) {
        return None;
    }
    let form = schema.map(|f| f.form).unwrap_or_default();
    // Lines that are records of their own do not come with their document: whether there are some is not known.
    let apart = Lines::of(facts.program, target, &hash.field, ours).is_some();
    let empty_there = compare::absent(form, theirs) && !apart;
    let last = facts.link.and_then(|link| link_hash(link, &hash.field));
    if ours.is_null() && last.is_none() {
        // Only what we had filled is cleared.
        return None;
    }
    let touched = match facts.draft.overwrite.0 {
        Overwrite::Nothing => false,
        Overwrite::Empty => empty_there,
        Overwrite::All => true,
        Overwrite::Changed => match last {
            Some(last) => last != hash.hash,
            // Never written by this mapping: an `update` says what must stand there; a copy that others made, or a
            // field that the mapping has not filled before, is only completed where it is ours.
            None => matches!(facts.verb, Verb::Update) || (known && empty_there),
        },
    };
    touched.then(|| Change { field: hash.field.clone(), from: theirs.map(Value::to_string), to: ours.to_string() })
}

fn theirs<'r>(field: &DraftField, row: &'r Value) -> Option<&'r Value> {
    match body::meta_key(field) {
        Some(key) => body::meta_value(row, key),
        None => compare::value_at(row, &field.path),
    }
}

/// Whether the header's `of` names the field.
fn may_touch(facts: &Facts<'_>, field: &DraftField) -> bool {
    let Some(names) = &facts.draft.overwrite.1 else { return true };
    let own = entity(facts).fields.get(field.field.0 as usize).map(|f| &*f.name);
    let path = field.path.join(".");
    names.iter().any(|name| own == Some(&**name) || **name == path || field.path.first() == Some(name))
}

/// The target has a newer version of the source already.
fn is_older(facts: &Facts<'_>) -> bool {
    matches!((facts.source_changed, facts.link.and_then(|l| l.source_changed)), (Some(now), Some(then)) if now < then)
}

fn all_hashes(facts: &Facts<'_>) -> Vec<FieldHash> {
    // A reference to what is not written yet says nothing new about a document that is there.
    let fields = facts.draft.fields.iter();
    fields.filter_map(|f| body::filled(&f.json, facts.settled).ok().map(|v| hashed(facts, f, &v))).collect()
}

fn hashed(facts: &Facts<'_>, field: &DraftField, value: &Value) -> FieldHash {
    FieldHash { field: field.path.join("."), hash: (facts.hash)(&value.to_string()) }
}

fn link_hash<'l>(link: &'l Link, field: &str) -> Option<&'l str> {
    link.fields.iter().find(|f| f.field == field).map(|f| f.hash.as_str())
}

fn entity<'a>(facts: &Facts<'a>) -> &'a Entity {
    facts.program.entity(facts.draft.entity)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
pub(crate) mod tests;
