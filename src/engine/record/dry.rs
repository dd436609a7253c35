//! What a dry run tells: changes and bodies with names in the places of keys that are made up.

use super::acting::Acting;
use crate::engine::event::{Event, FieldChange};
use crate::engine::values::body::Settled;
use crate::eval::{Action, Draft};
use crate::ir::{EntityId, Program, Type};
use serde_json::{Map, Value};

impl Acting<'_> {
    /// A draft that needs the answer to what would be made: its fields are not known.
    pub(crate) fn planned_behind(&mut self, draft: &Draft, settled: &[Option<Settled>]) {
        let made = draft.follows.and_then(|n| settled.get(n)?.as_ref()).is_some_and(|there| there.created);
        if !self.pass.options.dry_run || !made {
            return;
        }
        let mut told = self.told_of(Some(draft));
        told.reason = Some("afterwards: what the answer tells, such as the new number, is written there".to_owned());
        self.events.extend(match &draft.action {
            // What refers to a record that is new is new itself.
            Action::Create | Action::After(_) => Some(Event::Created(told)),
            Action::Found { .. } | Action::Itself { .. } => Some(Event::Updated(told)),
            Action::Delete { .. } => Some(Event::Deleted(told)),
            Action::Leave(..) => None,
        });
    }

    /// Changes with names for keys that are made up, and the same as people read them.
    pub(crate) fn readable_changes(&self, draft: &Draft, changes: &mut [FieldChange]) -> Vec<(String, Value, Value)> {
        let shown = changes.iter_mut().map(|change| {
            let mut read = |text: &mut String| {
                let mut value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into());
                self.pass.memory().planned.named(&mut value);
                *text = value.to_string();
                let mut of_field = Value::Object(Map::from_iter([(change.field.clone(), value)]));
                in_words(self.pass.program(), draft.entity, &mut of_field);
                self.name_records(draft, &mut of_field);
                of_field.as_object_mut().and_then(|members| members.remove(&change.field)).unwrap_or_default()
            };
            let from = change.from.as_mut().map(&mut read).unwrap_or_default();
            (change.field.clone(), from, read(&mut change.to))
        });
        shown.collect()
    }

    /// A body as it would be sent, with names for keys that are made up, and as people read it: records that are known by
    /// their codes and names, enumerations by their words, and the total that the lines must come to.
    pub(crate) fn readable(&self, draft: &Draft, body: &str) -> Option<(Value, Value)> {
        let mut body: Value = serde_json::from_str(body).ok()?;
        self.pass.memory().planned.named(&mut body);
        let mut shown = body.clone();
        in_words(self.pass.program(), draft.entity, &mut shown);
        self.name_records(draft, &mut shown);
        if let (Some(due), Some(shown)) = (&draft.balance, shown.as_object_mut()) {
            shown.insert(due.field.to_string(), format!("{} (what the lines must come to)", due.amount).into());
        }
        Some((body, shown))
    }

    fn name_records(&self, draft: &Draft, value: &mut Value) {
        match value {
            Value::String(id) => {
                if let Some(name) = self.pass.memory().name_of(self.pass.program(), &draft.connection, id) {
                    *id = name;
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.name_records(draft, value)),
            Value::Object(members) => members.values_mut().for_each(|value| self.name_records(draft, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// What an API has numbers or letters for, in the words of its schema.
fn in_words(program: &Program, entity: EntityId, body: &mut Value) {
    let Value::Object(members) = body else { return };
    for (name, value) in members {
        let Some(field) = program.entity(entity).fields.iter().find(|field| *field.wire == **name) else { continue };
        match field.ty.present() {
            Type::Enum(known) => {
                let wire = value.to_string();
                if let Some(word) = known.values.iter().find(|word| *word.wire == *wire) {
                    *value = Value::String(word.code.to_string());
                }
            }
            Type::Record(part) => in_words(program, *part, value),
            Type::List(element) => {
                if let (Type::Record(part), Value::Array(rows)) = (element.present(), value) {
                    rows.iter_mut().for_each(|row| in_words(program, *part, row));
                }
            }
            _ => {}
        }
    }
}
