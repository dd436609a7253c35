//! What is to be done with one draft: a pure function of what is known about it.
//!
//! In: the draft, the link of an earlier write, the keys of the drafts before it. Out: a [`Step`], which the pass
//! performs and a dry run prints.

use super::body::{self, Dangling, Settled};
use super::compare;
use super::lines::Lines;
use super::owner::{self, Owner};
use crate::eval::{Action, Draft, DraftField, FieldWhen, OnSourceChange};
use crate::ir::{Access, Entity, Overwrite, Program, Stop, Verb};
use crate::source::Span;
use crate::store::{FieldHash, Link};
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
    /// A link will say what was sent.
    pub(crate) remembers: bool,
    /// A record that was made later than this one has been carried out by it.
    pub(crate) is_late: bool,
    /// Another source record that what was found was made for.
    pub(crate) owner: Option<&'a Owner>,
    /// The drafts of the unit that are there already.
    pub(crate) settled: &'a [Option<Settled>],
    /// The source differs from what the link was carried out from; a new plan alone is no change of the source.
    pub(crate) source_is_new: bool,
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

/// Why nothing can be decided yet.
enum Undecided {
    /// A record that it refers to is not there.
    Dangling,
    /// What the target has cannot be read.
    Unreadable(String),
}

impl From<Dangling> for Undecided {
    fn from(_: Dangling) -> Self {
        Self::Dangling
    }
}

/// Decides.
pub(crate) fn decide(facts: &Facts<'_>) -> Step {
    match decided(facts) {
        Ok(step) => step,
        Err(Undecided::Dangling) => {
            let reason = "a record that it refers to is not there yet".to_owned();
            Step::Stop { stop: Stop::Wait, reason, place: facts.draft.place }
        }
        Err(Undecided::Unreadable(why)) => {
            let reason = format!("{} in {} cannot be read ({why})", entity(facts).name, facts.draft.connection);
            Step::Stop { stop: Stop::Fail, reason, place: facts.draft.place }
        }
    }
}

/// A row of the target, taken apart.
fn readable(row: &str) -> Result<Value, Undecided> {
    serde_json::from_str(row).map_err(|e| Undecided::Unreadable(e.to_string()))
}

fn decided(facts: &Facts<'_>) -> Result<Step, Undecided> {
    let draft = facts.draft;
    match &draft.action {
        Action::Leave(stop, reason, place) => Ok(Step::Stop { stop: *stop, reason: reason.clone(), place: *place }),
        Action::Delete { id } => Ok(Step::Delete { id: Arc::clone(id) }),
        Action::Create => create(facts),
        Action::After(n) => match facts.settled.get(*n).and_then(Option::as_ref) {
            Some(settled) if settled.created => create(facts),
            Some(_) => Ok(Step::Again),
            None => Err(Undecided::Dangling),
        },
        Action::Itself { id, row } => update(facts, id, &readable(row)?, true),
        Action::Found { id, ours, row } => {
            let ours = *ours || facts.link.is_some_and(|link| link.target.id == **id);
            let row = readable(row)?;
            let totals = disagreement(draft, &row);
            if !ours && let Some(reason) = stranger(facts, id, &row, totals) {
                return Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place });
            }
            let step = match facts.verb {
                // An account follows the newest order of its customer, whichever is edited last.
                Verb::Upsert if facts.is_late => {
                    let hashes = facts.link.map(|link| link.fields.clone()).unwrap_or_default();
                    Ok(Step::Unchanged { id: Arc::clone(id), hashes })
                }
                Verb::CreateOnce | Verb::CreateUnless(_) => found_once(facts, id, &row, ours),
                Verb::Upsert if !ours && facts.owner.is_some() => shared(facts, id, &row),
                Verb::Upsert | Verb::Update => update(facts, id, &row, ours),
                Verb::Delete(_) => Ok(Step::Unchanged { id: Arc::clone(id), hashes: Vec::new() }),
            };
            match (step?, totals) {
                // What once agreed and does not now, somebody has corrected there since.
                (Step::Unchanged { .. }, Some((theirs, _))) if ours && facts.link.is_some_and(|link| !link.agreed) => {
                    let reason = imbalance(facts.program, draft, id, theirs);
                    Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place })
                }
                (step, _) => Ok(step),
            }
        }
    }
}

/// A copy that another record of the source became, where one key is enough to be the same: it serves both, and stays as
/// the first one made it.
fn shared(facts: &Facts<'_>, id: &Arc<str>, row: &Value) -> Result<Step, Undecided> {
    let mut others = Vec::new();
    for field in facts.draft.fields.iter().filter(|f| f.when != FieldWhen::Create) {
        let value = body::filled(&field.json, facts.settled)?;
        let schema = compare::field_at(facts.program, entity(facts), &field.path);
        if !value.is_null() && !compare::same(facts.program, schema, &value, theirs(field, row)) {
            others.push(field.path.join("."));
        }
    }
    let (id, place) = (Arc::clone(id), facts.draft.place);
    let Some(Owner { source }) = facts.owner.filter(|_| !others.is_empty()) else {
        return Ok(Step::Unchanged { id, hashes: Vec::new() });
    };
    let reason = format!(
        "{} {id} in {} has the same key and is what {} {} of {} became; it is used as it is, though this one has another {}. Where they are two, give the mapping a key that tells them apart",
        entity(facts).name,
        facts.draft.connection,
        source.entity,
        source.key,
        source.connection,
        others.join(", ")
    );
    Ok(Step::Alert { id, reason, place })
}

/// Why a copy with the same key is not taken for ours, where it is not.
fn stranger(facts: &Facts<'_>, id: &str, row: &Value, totals: Option<(Decimal, Decimal)>) -> Option<String> {
    let (name, connection) = (&entity(facts).name, &facts.draft.connection);
    let once = matches!(facts.verb, Verb::CreateOnce | Verb::CreateUnless(_));
    if once && let Some(Owner { source }) = facts.owner {
        return Some(format!(
            "{name} {id} in {connection} has the same key and is what {} {} of {} became: two records have one key. Give the mapping a key that tells them apart, such as a prefix for each shop",
            source.entity, source.key, source.connection
        ));
    }
    if matches!(facts.verb, Verb::Update | Verb::Delete(_)) {
        return None;
    }
    if let Some((field, theirs, ours)) = owner::another(facts.program, facts.draft, facts.settled, row) {
        return Some(format!(
            "{connection} has a {name} with this key already ({id}), whose {field} is {theirs} and not {ours}; it is not ours. Give one of the two another reference"
        ));
    }
    let (theirs, ours) = totals?;
    Some(format!(
        "{connection} has a {name} with this key already ({id}), whose total is {theirs} and not {ours}; it is not ours. Give one of the two another reference, or make the totals agree"
    ))
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

fn create(facts: &Facts<'_>) -> Result<Step, Undecided> {
    let draft = facts.draft;
    if matches!(facts.verb, Verb::Update | Verb::Delete(_)) {
        let reason = format!("there is no {} to update", entity(facts).name);
        return Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place });
    }
    let sent = draft.fields.iter().filter(|f| f.when != FieldWhen::Update && f.json != "null");
    let fields = sent.map(|f| Ok((f, body::filled(&f.json, facts.settled)?))).collect::<Result<Vec<_>, Dangling>>()?;
    let hashes = fields.iter().map(|(f, value)| hashed(facts, f, value)).collect();
    Ok(Step::Create { body: body::of(&fields), hashes })
}

/// A `create once` that is there.
fn found_once(facts: &Facts<'_>, id: &Arc<str>, row: &Value, ours: bool) -> Result<Step, Undecided> {
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
    if !facts.source_is_new || changed == 0 {
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
pub(crate) fn disagreement(draft: &Draft, row: &Value) -> Option<(Decimal, Decimal)> {
    let due = draft.balance.as_ref()?;
    let theirs = row.get(&*due.field).and_then(compare::number)?;
    ((theirs - due.amount).abs() > due.within).then_some((theirs, due.amount))
}

fn update(facts: &Facts<'_>, id: &Arc<str>, row: &Value, ours: bool) -> Result<Step, Undecided> {
    let previous = || facts.link.map(|l| l.fields.clone()).unwrap_or_default();
    let mut hashes = Vec::new();
    let mut sent = Vec::new();
    let mut changes = Vec::new();
    let mut lines = Vec::new();
    for field in facts.draft.fields.iter().filter(|f| f.when != FieldWhen::Create) {
        let value = body::filled(&field.json, facts.settled)?;
        let hash = hashed(facts, field, &value);
        if let Some(change) = change(facts, field, &value, &hash, row, ours) {
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
        let adopted = facts.link.is_none() && facts.remembers && !ours;
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
    if schema.is_some_and(|f| f.write_only) && last.is_some_and(|last| *last == hash.hash) {
        return None;
    }
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
