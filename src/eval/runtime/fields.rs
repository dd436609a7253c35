//! Fields of records in all their forms.

use crate::eval::code::{Call, Code, Eval, Run, call};
use crate::eval::decode::NO_SLOT;
use crate::eval::failure::{Cause, Failure, Halt};
use crate::eval::making::filled;
use crate::eval::value::{Lack, Record, Value};
use crate::ir::{Access, EntityId, FieldId};
use crate::source::Span;

impl<'r> Run<'r> {
    /// The field of a value that is a record in any of its forms.
    pub(crate) fn field(&mut self, of: Value<'r>, entity: EntityId, field: FieldId, place: Span) -> Eval<'r> {
        match of {
            Value::Absent => Ok(Value::Absent),
            Value::Record(record) => self.slot(record, entity, field, place),
            Value::Reference(key) => {
                let row = self.row(entity, key, place)?;
                self.slot(row, entity, field, place)
            }
            Value::Built(built) => {
                let field = self.compiled.view(built.entity, entity, field);
                Ok(field.map_or(Value::Absent, |field| built.get(field)))
            }
            Value::Draft(n) => self.field_of_draft(n, field, place),
            Value::Missing(_) => Err(self.broken_promise("a field of what is not there", place)),
            Value::Text(code) => {
                // A natural key stands for its record.
                let row = self.row_by_code(entity, code, place)?;
                self.slot(row, entity, field, place)
            }
            _ => Err(self.broken_promise("a field of what is no record", place)),
        }
    }

    fn slot(&mut self, record: &'r Record<'r>, entity: EntityId, field: FieldId, place: Span) -> Eval<'r> {
        let known = self.compiled.view(record.entity, entity, field);
        let slot = known.map_or(NO_SLOT, |field| self.compiled.layouts.slot(record.entity, field));
        self.slot_of(record, slot, place)
    }

    /// What a slot of a record holds.
    pub(crate) fn slot_of(&mut self, record: &'r Record<'r>, slot: u16, place: Span) -> Eval<'r> {
        match record.slots.get(usize::from(slot)) {
            Some(Value::Missing(lack)) => self.lacking(record, slot, *lack, place),
            Some(value) => Ok(*value),
            None => Err(self.broken_promise("a field that nobody decodes", place)),
        }
    }

    /// A slot without a value to give: the record stops, unless its own row has it.
    #[cold]
    pub(crate) fn lacking(&mut self, record: &'r Record<'r>, slot: u16, lack: Lack<'r>, place: Span) -> Eval<'r> {
        let schema = self.compiled.program.entity(record.entity);
        let layout = self.compiled.layouts.of(record.entity);
        let name = layout.slots.get(usize::from(slot)).map_or("a field", |slot| &slot.name);
        match lack {
            Lack::NotGiven => {
                let reason = format!("`{name}` is not given in this {}, which always has one", schema.name);
                Err(Halt::fail(Failure::new(reason, place)))
            }
            Lack::Ungiven => {
                let reason = format!(
                    "the test does not give `{name}` of this {}: give its value, or `{name} = none`",
                    schema.name
                );
                Err(Halt::fail(Failure { cause: Cause::Given, ..Failure::new(reason, place) }))
            }
            Lack::Unreadable(what) => Err(self.unreadable(what, place)),
            Lack::Elsewhere => {
                let told = |key: &FieldId| {
                    let slot = self.compiled.layouts.slot(record.entity, *key);
                    !matches!(record.slots.get(usize::from(slot)), Some(Value::Missing(Lack::Elsewhere)))
                };
                let key = match schema.key.filter(told) {
                    Some(key) => self.key_text(record, key, place)?,
                    None => None,
                };
                let Some(key) = key else {
                    let reason = format!("`{name}` is not given here, nor which {} it is", schema.name);
                    return Err(Halt::fail(Failure::new(reason, place)));
                };
                let row = self.row(record.entity, key, place)?;
                self.slot_of(row, slot, place)
            }
        }
    }

    /// The field of a document of this unit: as drafted, else as the target has it.
    pub(crate) fn field_of_draft(&mut self, n: u32, field: FieldId, place: Span) -> Eval<'r> {
        let made = &self.drafts[n as usize];
        let entity = made.draft.entity;
        match filled(made.values, field) {
            Some(Value::Hole(draft)) => return Err(Halt::Later(draft)),
            Some(Value::Keep) | None => {}
            Some(value) => return Ok(value),
        }
        if let Some(found) = made.found {
            return self.slot(found, entity, field, place);
        }
        let schema = self.compiled.program.entity(entity);
        if schema.key == Some(field) {
            return Ok(Value::Draft(n));
        }
        if self.following.contains(&n) {
            return Err(Halt::Later(n));
        }
        // The system fills it when the document is written; what the flow may fill and does not is absent.
        if schema.get(field).access == Access::ReadOnly || schema.get(field).computed.is_some() {
            let reason =
                format!("`{}` of the new {} is not known before it is written", schema.get(field).name, schema.name);
            return Err(Halt::fail(Failure::new(reason, place)));
        }
        Ok(Value::Absent)
    }
}

/// A field that is looked at: its slot, and that of the parts which may stand where its own is wanted.
pub(crate) struct FieldWanted {
    pub(crate) entity: EntityId,
    pub(crate) field: FieldId,
    pub(crate) slot: u16,
    pub(crate) views: Vec<(EntityId, u16)>,
    pub(crate) span: Span,
}

/// A field of a record as code.
pub(crate) fn field(inner: Code, wanted: FieldWanted) -> Code {
    let FieldWanted { entity, field, slot, views, span } = wanted;
    if let (Code::Local(local), false) = (&inner, slot == NO_SLOT) {
        let local = *local;
        let else_call: Call = Box::new(move |run| {
            let of = run.local(local)?;
            match of_view(of, &views) {
                Some(value) => Ok(value),
                None => run.field(of, entity, field, span),
            }
        });
        return Code::Slot { local, entity, slot, else_call };
    }
    call(move |run| {
        let of = match (inner.lying(run), &inner) {
            (Some(of), _) => *of,
            (None, inner) => match inner.eval(run) {
                Ok(Value::Record(record)) => Value::Record(record),
                Ok(other) => other,
                Err(halt) => return Err(halt),
            },
        };
        if let Value::Record(record) = of
            && record.entity == entity
            && let Some(value) = record.slots.get(usize::from(slot))
            && !matches!(value, Value::Missing(_))
        {
            return Ok(*value);
        }
        match of_view(of, &views) {
            Some(value) => Ok(value),
            None => run.field(of, entity, field, span),
        }
    })
}

/// The field of a record that stands where another part is wanted.
fn of_view<'r>(of: Value<'r>, views: &[(EntityId, u16)]) -> Option<Value<'r>> {
    let Value::Record(record) = of else { return None };
    let (_, slot) = views.iter().find(|(entity, _)| *entity == record.entity)?;
    record.slots.get(usize::from(*slot)).copied().filter(|value| !matches!(value, Value::Missing(_)))
}
