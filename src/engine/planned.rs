//! What a dry run would have done by now: a record that several others share is planned once, and what follows a write is
//! told though its answer is not there.

use super::body::Settled;
use super::event::Event;
use super::journal;
use super::record::Acting;
use crate::eval::Draft;
use crate::ir::{EntityId, Program, Type};
use serde_json::Value;
use std::sync::Arc;

impl Acting<'_> {
    /// The name of what this dry run would have made already for a draft.
    pub(crate) fn planned(&self, draft: &Draft, settled: &[Option<Settled>]) -> Option<Arc<str>> {
        if !self.pass.options.dry_run {
            return None;
        }
        let planned = self.pass.planned();
        self.names(draft, settled).iter().find_map(|name| planned.get(name).cloned())
    }

    /// A draft would be made, under that name.
    pub(crate) fn plan(&self, draft: &Draft, settled: &[Option<Settled>], id: &Arc<str>) {
        if self.pass.options.dry_run {
            let mut planned = self.pass.planned();
            planned.extend(self.names(draft, settled).into_iter().map(|name| (name, Arc::clone(id))));
        }
    }

    /// A draft that needs the answer to what would be made: its fields are not known.
    pub(crate) fn planned_behind(&mut self, draft: &Draft, settled: &[Option<Settled>]) {
        let made = draft.follows.and_then(|n| settled.get(n)?.as_ref()).is_some_and(|there| there.created);
        if self.pass.options.dry_run && made {
            let mut told = self.told_of(Some(draft));
            told.reason = Some("afterwards: it gets what the answer tells, such as a number".to_owned());
            self.events.push(Event::Updated(told));
        }
    }

    /// All keys by which a draft could be found.
    fn names(&self, draft: &Draft, settled: &[Option<Settled>]) -> Vec<String> {
        let linked = draft.linked_to.iter().map(|(entity, key)| format!("{} {entity:?} {key}", draft.made.name));
        let keys = draft.keys.iter().filter_map(|key| journal::lane_of(self.pass.program(), draft, key, settled));
        linked.chain(keys).collect()
    }

    /// A body as people read it: records that are known by their codes and names, enumerations by their words.
    pub(crate) fn readable(&self, draft: &Draft, body: &str) -> Option<Value> {
        let mut body = serde_json::from_str(body).ok()?;
        in_words(self.pass.program(), draft.entity, &mut body);
        self.name_records(draft, &mut body);
        Some(body)
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
