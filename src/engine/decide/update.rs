//! Which fields of what is there are changed, and which are left as they are.

use super::lines::Lines;
use super::step::{Facts, Step, Undecided};
use crate::engine::event::FieldChange;
use crate::engine::values::body;
use crate::engine::values::compare;
use crate::eval::{DraftField, FieldWhen};
use crate::ir::{Access, Overwrite, Verb};
use crate::store::FieldHash;
use serde_json::Value;
use std::sync::Arc;

/// What is changed of what is there.
pub(crate) fn update(facts: &Facts<'_>, id: &Arc<str>, row: &Value, ours: bool) -> Result<Step, Undecided> {
    let previous = || facts.link.map(|l| l.fields.clone()).unwrap_or_default();
    let mut hashes = Vec::new();
    let mut sent = Vec::new();
    let mut changes = Vec::new();
    let mut lines = Vec::new();
    for field in facts.draft.fields.iter().filter(|f| f.when != FieldWhen::Create) {
        let value = body::filled(&field.json, facts.settled)?;
        let hash = facts.hashed(field, &value);
        if let Some(change) = change(facts, field, &value, &hash, row, ours) {
            if let Some(list) = Lines::of(facts.program, facts.entity(), &hash.field, &value) {
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
    let body = body::of(facts.entries(), &sent);
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
) -> Option<FieldChange> {
    let target = facts.entity();
    let schema = compare::field_at(facts.program, target, &field.path);
    let key = target.key.map(|key| &target.get(key).wire);
    if schema.is_some_and(|f| f.access != Access::Free) || (key.is_some() && field.path.first() == key) {
        return None;
    }
    let theirs = facts.theirs(field, row);
    if compare::same(facts.program, schema, ours, theirs) || !may_touch(facts, field) {
        return None;
    }
    let form = schema.map(|f| f.form).unwrap_or_default();
    // Lines that are records of their own do not come with their document: whether there are some is not known.
    let apart = Lines::of(facts.program, target, &hash.field, ours).is_some();
    let no_elements = theirs.and_then(Value::as_array).is_some_and(Vec::is_empty);
    let empty_there = (compare::absent(form, theirs) || no_elements) && !apart;
    let last = facts.last_hash(&hash.field);
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
    touched.then(|| FieldChange { field: hash.field.clone(), from: theirs.map(Value::to_string), to: ours.to_string() })
}

/// Whether the header's `of` names the field.
fn may_touch(facts: &Facts<'_>, field: &DraftField) -> bool {
    let Some(names) = &facts.draft.overwrite.1 else { return true };
    let own = facts.entity().fields.get(field.field.0 as usize).map(|f| &*f.name);
    let path = field.path.join(".");
    names.iter().any(|name| own == Some(&**name) || **name == path || field.path.first() == Some(name))
}
