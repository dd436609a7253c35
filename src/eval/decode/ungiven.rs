//! Fields that a record of a test does not name: nobody has said that they are absent, so whoever reads one is told.

use super::layout::{Action, Layout, Layouts};
use crate::eval::value::{Lack, Record, Value};
use bumpalo::Bump;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The record in which every field that its text does not name is one that was not given.
pub(crate) fn ungiven<'r>(record: &'r Record<'r>, layouts: &Layouts, arena: &'r Bump) -> &'r Record<'r> {
    let layout = layouts.of(record.entity);
    let named: BTreeMap<String, &RawValue> = serde_json::from_str(record.raw).unwrap_or_default();
    let slots = arena.alloc_slice_copy(record.slots);
    for slot in unnamed(layout, &|name| named.contains_key(name)) {
        let value = &mut slots[usize::from(slot)];
        if matches!(value, Value::Absent | Value::Missing(Lack::NotGiven)) {
            *value = Value::Missing(Lack::Ungiven);
        }
    }
    slots.iter_mut().for_each(|value| *value = within(*value, layouts, arena));
    arena.alloc(Record { entity: record.entity, slots, raw: record.raw, path: record.path })
}

/// The slots that no member of the text fills.
fn unnamed(layout: &Layout, named: &dyn Fn(&str) -> bool) -> Vec<u16> {
    let mut filled = vec![false; layout.slots.len()];
    for (_, action) in layout.members.iter().filter(|(name, _)| named(name)) {
        let mut fill = |slot: u16| filled[usize::from(slot)] = true;
        match action {
            Action::Skip => {}
            Action::Take(slot, _) => fill(*slot),
            Action::Twice(a, b) => [*a, *b].into_iter().for_each(fill),
            Action::Meta => layout.metas.iter().for_each(|(_, _, slot)| fill(*slot)),
            Action::MetaAnd(slot) => {
                fill(*slot);
                layout.metas.iter().for_each(|(_, _, slot)| filled[usize::from(*slot)] = true);
            }
        }
    }
    (0u16..).zip(filled).filter(|(_, filled)| !filled).map(|(slot, _)| slot).collect()
}

fn within<'r>(value: Value<'r>, layouts: &Layouts, arena: &'r Bump) -> Value<'r> {
    match value {
        // As much of a record as stands in another one: the rest has its own row.
        Value::Record(part) if !part.slots.iter().any(|slot| matches!(slot, Value::Missing(Lack::Elsewhere))) => {
            Value::Record(ungiven(part, layouts, arena))
        }
        Value::List(list) => {
            let parts: Vec<Value<'r>> = list.iter().map(|value| within(*value, layouts, arena)).collect();
            Value::List(arena.alloc_slice_copy(&parts))
        }
        other => other,
    }
}
