//! What a dry run would have written by now: the records behind find it as if it were there, under a key that is made up.

use crate::engine::values::body;
use crate::engine::values::text::{normal, scalar};
use crate::ir::{Entity, EntityId, Entries, Program};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The first made-up key of records whose keys are numbers; JSON holds integers up to 2^53 exactly.
const FIRST_NUMBER: u64 = 9_000_000_000_000_000;

/// How made-up keys begin that are guids: like no key that anybody has made by hand, and version 4, whose rest is drawn by lot.
const GUIDS: &str = "f10c9d3e-71a6-4b58-9e42-";

/// What was planned, by connection, entity and key.
#[derive(Default)]
pub(crate) struct Planned {
    plans: FxHashMap<(Arc<str>, EntityId), FxHashMap<String, Plan>>,
    /// How people call what has a made-up key.
    labels: FxHashMap<String, String>,
}

/// What would have become of a record.
enum Plan {
    /// It would have been made so.
    New(Arc<str>),
    /// These members of it would have been changed.
    Changed(Map<String, Value>),
    /// It would have been taken away.
    Gone,
}

impl Planned {
    /// A record that would be made: its made-up key, and its row.
    pub(crate) fn create(
        &mut self,
        (connection, id, entity): (&Arc<str>, EntityId, &Entity),
        body: &str,
        label: String,
    ) -> (String, Arc<str>) {
        let n = self.labels.len() as u64;
        let (key, value) = if body::key_is_number(entity) {
            ((FIRST_NUMBER + n).to_string(), Value::from(FIRST_NUMBER + n))
        } else {
            let guid = format!("{GUIDS}{n:012x}");
            (guid.clone(), guid.into())
        };
        let mut row = members(body);
        if let Some(field) = entity.key {
            row.insert(entity.get(field).wire.to_string(), value);
        }
        // A code that the other side will give is asked for by its name.
        if let Some(code) = entity.code.map(|code| entity.get(code)).filter(|code| code.ty.present().is_text()) {
            row.entry(code.wire.to_string()).or_insert_with(|| label.clone().into());
        }
        let row: Arc<str> = Value::Object(row).to_string().into();
        self.labels.insert(normal(&key), label);
        self.of(connection, id).insert(normal(&key), Plan::New(Arc::clone(&row)));
        (key, row)
    }

    /// A record that would be changed.
    pub(crate) fn change(
        &mut self,
        program: &Program,
        (connection, entity): (&Arc<str>, EntityId),
        id: &str,
        body: &str,
    ) {
        let entries = program.entries_of(program.entity(entity));
        let plan = self.of(connection, entity).entry(normal(id)).or_insert_with(|| Plan::Changed(Map::new()));
        match plan {
            Plan::New(row) => {
                let mut made = members(row);
                lay_over(entries, &mut made, members(body));
                *row = Value::Object(made).to_string().into();
            }
            Plan::Changed(changed) => lay_over(entries, changed, members(body)),
            Plan::Gone => {}
        }
    }

    /// A record that would be taken away.
    pub(crate) fn delete(&mut self, connection: &Arc<str>, entity: EntityId, id: &str) {
        self.of(connection, entity).insert(normal(id), Plan::Gone);
    }

    /// Whether anything is planned for the record with this normal key.
    pub(crate) fn holds(&self, connection: &Arc<str>, entity: EntityId, id: &str) -> bool {
        self.plan(connection, entity, id).is_some()
    }

    /// A row as it would be by now; none where it would be gone.
    pub(crate) fn by_now(
        &self,
        program: &Program,
        (connection, entity): (&Arc<str>, EntityId),
        id: &str,
        row: Value,
    ) -> Option<Value> {
        match (self.plan(connection, entity, id), row) {
            (Some(Plan::Gone), _) => None,
            (Some(Plan::Changed(changed)), Value::Object(mut row)) => {
                lay_over(program.entries_of(program.entity(entity)), &mut row, changed.clone());
                Some(Value::Object(row))
            }
            (Some(Plan::New(row)), _) => Some(Value::Object(members(row))),
            (_, row) => Some(row),
        }
    }

    /// All rows of an entity as they would be by now, of those that are there.
    pub(crate) fn all_by_now(
        &self,
        program: &Program,
        (connection, id): (&Arc<str>, EntityId),
        rows: Vec<Arc<str>>,
    ) -> Vec<Arc<str>> {
        let entity = program.entity(id);
        let Some(plans) = self.plans.get(&(Arc::clone(connection), id)) else { return rows };
        // A row that does not say which it is stays as it is.
        let key_of = |row: &Value| Some(normal(&scalar(row.get(&*entity.get(entity.key?).wire)?)));
        let by_now = |row: Arc<str>| {
            let value: Value = serde_json::from_str(&row).unwrap_or_default();
            match key_of(&value).filter(|key| plans.contains_key(key)) {
                Some(key) => self.by_now(program, (connection, id), &key, value).map(|row| row.to_string().into()),
                None => Some(row),
            }
        };
        let new = plans.values().filter_map(|plan| match plan {
            Plan::New(row) => Some(Arc::clone(row)),
            Plan::Changed(_) | Plan::Gone => None,
        });
        rows.into_iter().filter_map(by_now).chain(new).collect()
    }

    /// All that would have been made: connection, entity and row.
    pub(crate) fn made(&self) -> Vec<(Arc<str>, EntityId, Arc<str>)> {
        let all = self.plans.iter().flat_map(|((connection, entity), plans)| {
            plans.values().filter_map(|plan| match plan {
                Plan::New(row) => Some((Arc::clone(connection), *entity, Arc::clone(row))),
                Plan::Changed(_) | Plan::Gone => None,
            })
        });
        all.collect()
    }

    /// A text for people, with names for made-up keys.
    pub(crate) fn in_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for begins in [GUIDS, &FIRST_NUMBER.to_string()[..10]] {
            let length = if begins == GUIDS { GUIDS.len() + 12 } else { 16 };
            let mut from = 0;
            while let Some(at) = text[from..].find(begins).map(|n| from + n) {
                let label = text.get(at..at + length).and_then(|key| self.label(key)).map(str::to_owned);
                from = at + label.as_ref().map_or(begins.len(), String::len);
                if let Some(label) = label {
                    text.to_mut().replace_range(at..at + length, &label);
                }
            }
        }
        text
    }

    /// How people call what has this made-up key.
    pub(crate) fn label(&self, id: &str) -> Option<&str> {
        self.labels.get(&normal(id)).map(String::as_str)
    }

    /// A body with names in the places of made-up keys.
    pub(crate) fn named(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.named(value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.named(value)),
            Value::String(_) | Value::Number(_) => {
                if let Some(label) = self.label(&scalar(value)) {
                    *value = label.into();
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn plan(&self, connection: &Arc<str>, entity: EntityId, id: &str) -> Option<&Plan> {
        if self.plans.is_empty() {
            return None;
        }
        self.plans.get(&(Arc::clone(connection), entity))?.get(id)
    }

    fn of(&mut self, connection: &Arc<str>, entity: EntityId) -> &mut FxHashMap<String, Plan> {
        self.plans.entry((Arc::clone(connection), entity)).or_default()
    }
}

/// The members of a body; what we write is an object.
fn members(body: &str) -> Map<String, Value> {
    serde_json::from_str(body).unwrap_or_default()
}

/// Members over those that are there; further entries by their names.
fn lay_over(list: Option<Entries<'_>>, row: &mut Map<String, Value>, members: Map<String, Value>) {
    for (name, value) in members {
        match (row.get_mut(&name), value, list) {
            (Some(Value::Object(part)), Value::Object(members), _) => lay_over(None, part, members),
            (Some(Value::Array(entries)), Value::Array(ours), Some(of)) if **of.list == name => {
                let is_ours = |entry: &Value| ours.iter().any(|own| own.get(&**of.key) == entry.get(&**of.key));
                entries.retain(|entry| !is_ours(entry));
                entries.extend(ours);
            }
            (_, value, _) => {
                row.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::decide::tests::program;

    #[test]
    fn rows_that_do_not_say_which_they_are_stay_beside_what_is_planned() {
        let (mut planned, books, id, program) = (Planned::default(), Arc::from("books"), EntityId(0), program());
        let accounts = program.entity(id);
        planned.create((&books, id, accounts), r#"{"Name":"Ann"}"#, "(new)".to_owned());
        let rows: Vec<Arc<str>> = vec![r#"{"Name":"Bert"}"#.into(), "no JSON".into()];
        let by_now = planned.all_by_now(&program, (&books, id), rows.clone());
        assert_eq!(by_now[..2], rows[..]);
        assert_eq!(by_now.len(), 3);
    }

    #[test]
    fn a_made_up_key_is_told_by_its_name_wherever_it_stands() {
        let (mut planned, books) = (Planned::default(), Arc::from("books"));
        let (key, _) =
            planned.create((&books, EntityId(0), program().entity(EntityId(0))), "{}", "(new person)".to_owned());
        assert_eq!(planned.in_text(&format!("is {key}, not {key}")), "is (new person), not (new person)");
        assert_eq!(planned.in_text(&format!("is {GUIDS}")), format!("is {GUIDS}"));
    }
}
