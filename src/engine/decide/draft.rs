//! What is to be done with one draft: a pure function of what is known about it.
//!
//! In: the draft, the link of an earlier write, the keys of the drafts before it. Out: a [`Step`], which the pass
//! performs and a dry run prints.

use super::owner::{self, Owner};
use super::step::{Facts, Step, Undecided};
use super::total::{disagreement, imbalance};
use super::update::update;
use crate::engine::values::body::{self, Dangling};
use crate::engine::values::compare;
use crate::eval::{Action, FieldWhen, OnSourceChange};
use crate::ir::{Stop, Verb};
use rust_decimal::Decimal;
use serde_json::Value;
use std::sync::Arc;

/// Decides.
pub(crate) fn decide(facts: &Facts<'_>) -> Step {
    match decided(facts) {
        Ok(step) => step,
        Err(Undecided::Dangling) => {
            let reason = "a record that it refers to is not there yet".to_owned();
            Step::Stop { stop: Stop::Wait, reason, place: facts.draft.place }
        }
        Err(Undecided::Unreadable(why)) => {
            let reason = format!("{} in {} cannot be read ({why})", facts.entity().name, facts.draft.connection);
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
        let schema = compare::field_at(facts.program, facts.entity(), &field.path);
        if !value.is_null() && !compare::same(facts.program, schema, &value, facts.theirs(field, row)) {
            others.push(field.path.join("."));
        }
    }
    let (id, place) = (Arc::clone(id), facts.draft.place);
    let Some(Owner { source }) = facts.owner.filter(|_| !others.is_empty()) else {
        return Ok(Step::Unchanged { id, hashes: Vec::new() });
    };
    let reason = format!(
        "{} {id} in {} has the same key and is what {} {} of {} became; it is used as it is, though this one has another {}. Where they are two, give the mapping a key that tells them apart",
        facts.entity().name,
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
    let (name, connection) = (&facts.entity().name, &facts.draft.connection);
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

fn create(facts: &Facts<'_>) -> Result<Step, Undecided> {
    let draft = facts.draft;
    if matches!(facts.verb, Verb::Update | Verb::Delete(_)) {
        let reason = format!("there is no {} to update", facts.entity().name);
        return Ok(Step::Stop { stop: Stop::Fail, reason, place: draft.place });
    }
    let sent = draft.fields.iter().filter(|f| f.when != FieldWhen::Update && f.json != "null");
    let fields = sent.map(|f| Ok((f, body::filled(&f.json, facts.settled)?))).collect::<Result<Vec<_>, Dangling>>()?;
    let hashes = fields.iter().map(|(f, value)| facts.hashed(f, value)).collect();
    Ok(Step::Create { body: body::of(facts.entries(), &fields), hashes })
}

/// A `create once` that is there.
fn found_once(facts: &Facts<'_>, id: &Arc<str>, row: &Value, ours: bool) -> Result<Step, Undecided> {
    let draft = facts.draft;
    let hashes = facts.all_hashed();
    if !ours {
        return Ok(match draft.linked_to {
            None => Step::Unchanged { id: Arc::clone(id), hashes },
            Some(_) => Step::Adopt { id: Arc::clone(id), hashes },
        });
    }
    let Some(link) = facts.link else { return Ok(Step::Adopt { id: Arc::clone(id), hashes }) };
    let changed = hashes.iter().filter(|h| facts.last_hash(&h.field) != Some(h.hash.as_str())).count();
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
                .filter(|h| facts.last_hash(&h.field) != Some(h.hash.as_str()))
                .map(|h| h.field.as_str())
                .collect();
            let reason = format!(
                "its source has changed since it became {} {id} ({}); it is left as it is, change it there by hand if it should follow",
                facts.entity().name,
                names.join(", ")
            );
            Ok(Step::Alert { id: Arc::clone(id), reason, place: draft.place })
        }
    }
}
