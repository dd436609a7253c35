//! A search for earlier copies by all keys of a header at once.

use crate::eval::code::{MappingCode, Run};
use crate::eval::draft::KeyTried;
use crate::eval::failure::{Failure, Halt};
use crate::eval::pending::Pending;
use crate::eval::value::{NEEDS, Record, Value};
use crate::ir::{EntityId, FieldId, KeyField, Type};
use crate::source::Span;
use std::sync::Arc;

/// A search by all keys of a header.
#[derive(Default)]
pub(crate) struct Search<'r> {
    pub(crate) rows: Vec<(&'r str, &'r Record<'r>)>,
    pub(crate) tried: Vec<KeyTried>,
    /// Some key was tried.
    pub(crate) has_tried: bool,
    pub(crate) after: Option<u32>,
}

impl<'r> Search<'r> {
    /// Searches by one key; gives the field that is empty where it can't be tried.
    pub(crate) fn by(
        &mut self,
        run: &mut Run<'r>,
        mapping: &MappingCode,
        fields: &[KeyField],
        place: Span,
    ) -> Result<Option<FieldId>, Halt> {
        let target = mapping.target;
        let told = run.payload_of.is_none();
        let mut by = Vec::with_capacity(fields.len());
        let mut values: Vec<Option<&'r str>> = Vec::with_capacity(fields.len());
        let mut pending = None;
        for key in fields {
            let value = run.making.last().and_then(|making| making.value(key.field)).unwrap_or(Value::Absent);
            let value = match value {
                Value::Hole(NEEDS) => return Err(Halt::Needs),
                Value::Hole(draft) => return Err(Halt::Later(draft)),
                Value::Draft(n) if run.drafts[n as usize].id.is_none() => {
                    pending = Some(n);
                    let mark = || {
                        let entity = run.compiled.program.entity(run.drafts[n as usize].draft.entity);
                        &*run.arena.alloc_str(&Pending::mark(n as usize, &entity.full_name()))
                    };
                    Some(if told { mark() } else { "" })
                }
                value => Self::key_value(run, target, key.field, value, place)?,
            };
            if value.is_none() && !key.optional {
                return Ok(Some(key.field));
            }
            by.push(key.field);
            values.push(value);
        }
        // Nothing is no key, whichever part of it may be empty.
        if values.iter().all(Option::is_none) {
            return Ok(by.first().copied());
        }
        self.has_tried = true;
        if told {
            let tried = values.iter().map(|value| value.map(Arc::from)).collect();
            self.tried.push(KeyTried { fields: by.clone(), values: tried });
        }
        if let Some(n) = pending {
            self.after.get_or_insert(n);
            return Ok(None);
        }
        let connection = run.compiled.connection_of(run.flow, mapping.id);
        for row in run.find(Some(&connection), target, &by, &values, place)? {
            let key = match run.compiled.program.entity(target).key {
                Some(key) => run.key_text(row, key, place)?,
                None => None,
            };
            let Some(key) = key else {
                let name = &run.compiled.program.entity(target).name;
                let reason = format!("a {name} has this key, and the answer does not say which it is");
                return Err(Halt::fail(Failure::new(reason, place)));
            };
            if !self.rows.iter().any(|(known, _)| *known == key) {
                self.rows.push((key, row));
            }
        }
        Ok(None)
    }

    /// The text of a key's value: an enumeration as the flow says it, a reference by its own key.
    fn key_value(
        run: &mut Run<'r>,
        target: EntityId,
        field: FieldId,
        value: Value<'r>,
        place: Span,
    ) -> Result<Option<&'r str>, Halt> {
        let value = match (value, run.compiled.program.entity(target).get(field).ty.present()) {
            (Value::Text(code), Type::Record(entity)) if !crate::value::code::is_guid(code) => {
                Value::Record(run.row_by_code(*entity, code, place)?)
            }
            (other @ (Value::Record(_) | Value::Reference(_)), Type::Code(entity)) => {
                match run.compiled.program.entity(*entity).code {
                    Some(code) => run.field(other, *entity, code, place)?,
                    None => other,
                }
            }
            (other, _) => other,
        };
        Ok(run.text_of_key(value, place)?.filter(|text| !text.trim().is_empty()))
    }
}
