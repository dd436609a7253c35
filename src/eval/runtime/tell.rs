//! The telling of steps: what each value came from, where somebody asks why.

use crate::eval::code::Run;
use crate::eval::trace::{Item, Mark, Told, within};
use crate::eval::value::{Value, show};
use crate::ir::{Entity, MappingId};
use crate::source::Span;

impl<'r> Run<'r> {
    /// What was told before may be told again: it belongs to another field then.
    pub(crate) fn tell(&mut self, item: impl FnOnce() -> Item) {
        if let Some(trace) = &mut self.trace {
            trace.items.push(item());
        }
    }

    fn frame_number(&self) -> usize {
        self.locals.as_ptr() as usize
    }

    /// A row of a table gave a value.
    pub(crate) fn told_row(&mut self, lookup: usize, row: usize) {
        self.tell(|| Item::Row(lookup, row));
    }

    /// Where the telling stands.
    pub(crate) fn tell_from(&self) -> Mark {
        self.trace
            .as_ref()
            .map_or(Mark { items: 0, fields: 0 }, |t| Mark { items: t.items.len(), fields: t.fields.len() })
    }

    /// A local's value came from what was told since.
    pub(crate) fn told_local(&mut self, mark: Mark, local: u32) {
        let frame = self.frame_number();
        if let Some(trace) = &mut self.trace {
            let items = trace.since(mark);
            trace.locals.push((frame, local, items));
        }
    }

    /// A field was filled from what was told since; parts told since lie within it.
    pub(crate) fn told_field(&mut self, mark: Mark, name: &str, value: Value<'r>, place: (Span, &[Span])) {
        if self.trace.is_none() {
            return;
        }
        let shown = self.named(value);
        if let Some(trace) = &mut self.trace {
            let items = trace.since(mark);
            within(&mut trace.fields[mark.fields..], name);
            trace.fields.push(Told {
                mapping: None,
                path: name.to_owned(),
                value: shown,
                place: place.0,
                displaced: place.1.to_vec(),
                items: items.clone(),
            });
            // What reads the field again may want to know too.
            trace.items.extend(items);
        }
    }

    /// A value as a person reads it: of a record what it is and what people call it, of one that is made with this one the
    /// mapping that makes it.
    fn named(&self, value: Value<'r>) -> String {
        let program = &self.compiled.program;
        match value {
            Value::Record(record) => {
                let entity = program.entity(record.entity);
                let row = serde_json::from_str(record.raw).unwrap_or_default();
                let called = called(entity, &row).unwrap_or_else(|| "without a code or a name".to_owned());
                format!("{} {called}", entity.name)
            }
            Value::Draft(n) => {
                let made = &self.drafts[n as usize];
                let (entity, mapping) = (program.entity(made.draft.entity), program.mapping(made.mapping));
                let row = made.found.and_then(|record| serde_json::from_str(record.raw).ok());
                match row.and_then(|row| called(entity, &row)) {
                    Some(name) => format!("{} {name}, of the mapping {}", entity.name, mapping.name),
                    None => format!("{} of the mapping {}", entity.name, mapping.name),
                }
            }
            other => show(other),
        }
    }

    /// An element of a list was made from what was told since.
    pub(crate) fn told_element(&mut self, mark: Mark, n: usize) {
        if let Some(trace) = &mut self.trace {
            within(&mut trace.fields[mark.fields..], &format!("[{n}]"));
        }
    }

    /// A document was made from what was told since.
    pub(crate) fn told_document(&mut self, mark: Mark, mapping: MappingId) {
        if let Some(trace) = &mut self.trace {
            for told in trace.fields[mark.fields..].iter_mut().filter(|told| told.mapping.is_none()) {
                told.mapping = Some(mapping);
            }
            trace.items.truncate(mark.items);
        }
    }

    /// What a local came from is what is told now.
    pub(crate) fn told_again(&mut self, local: u32) {
        let frame = self.frame_number();
        if let Some(trace) = &mut self.trace
            && let Some((.., items)) = trace.locals.iter().rev().find(|(f, l, _)| (*f, *l) == (frame, local))
        {
            trace.items.extend(items.clone());
        }
    }
}

/// What people call a record of this entity: its code, else its name, or what stands for one.
pub fn called(entity: &Entity, row: &serde_json::Value) -> Option<String> {
    let code = entity.code.map(|code| &*entity.get(code).wire);
    let text = |name: &str| match row.get(name)? {
        serde_json::Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    code.into_iter().chain(["Name", "Description", "AddressLine1"]).find_map(text)
}
