//! Documents in the making, and those that are made.

use crate::eval::draft::Draft;
use crate::eval::value::{Record, Value};
use crate::ir::{EntityId, FieldId, MappingId};
use bumpalo::Bump;

/// What a mapping's document is to the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// What the flow writes: its record's own copy.
    Top,
    /// What another document refers to.
    Ensured,
    /// What follows the write of another.
    Follows,
}

/// A document of the unit.
pub(crate) struct Made<'r> {
    pub(crate) mapping: MappingId,
    pub(crate) args: &'r [Value<'r>],
    pub(crate) draft: Draft,
    /// Fields that are filled.
    pub(crate) values: &'r [Filled<'r>],
    pub(crate) found: Option<&'r Record<'r>>,
    /// Its key in the target, when it is there.
    pub(crate) id: Option<&'r str>,
}

/// A field that is filled, and its value. A document has few of the many that its entity has.
pub(crate) type Filled<'r> = (FieldId, Value<'r>);

/// The value of a field among those that are filled.
pub(crate) fn filled<'r>(values: &[Filled<'r>], field: FieldId) -> Option<Value<'r>> {
    values.iter().find(|(filled, _)| *filled == field).map(|(_, value)| *value)
}

/// A document in the making.
pub(crate) struct Making<'r> {
    pub(crate) entity: EntityId,
    pub(crate) values: bumpalo::collections::Vec<'r, Filled<'r>>,
    /// What is filled, in order: step and value.
    pub(crate) filled: bumpalo::collections::Vec<'r, (usize, Value<'r>)>,
    pub(crate) found: Option<&'r Record<'r>>,
    /// Whether it is there is known.
    pub(crate) resolved: bool,
    pub(crate) updating: bool,
    /// It was found by its key, and no earlier write of ours says that it is ours.
    pub(crate) strange: bool,
    /// Its number, once it is made.
    pub(crate) draft: Option<u32>,
    /// Documents that it refers to.
    pub(crate) refers: Vec<usize>,
    /// Some field waits for the answer to that draft.
    pub(crate) later: Option<u32>,
}

impl<'r> Making<'r> {
    /// With nothing filled, and room for what so many steps fill.
    pub(crate) fn new(arena: &'r Bump, entity: EntityId, steps: usize) -> Self {
        Self {
            entity,
            values: bumpalo::collections::Vec::with_capacity_in(steps, arena),
            filled: bumpalo::collections::Vec::with_capacity_in(steps, arena),
            found: None,
            resolved: false,
            updating: false,
            strange: false,
            draft: None,
            refers: Vec::new(),
            later: None,
        }
    }

    /// Fills a field.
    pub(crate) fn fill(&mut self, field: FieldId, value: Value<'r>) {
        match self.values.iter_mut().find(|(filled, _)| *filled == field) {
            Some((_, known)) => *known = value,
            None => self.values.push((field, value)),
        }
    }

    /// The value of a field, if it is filled.
    pub(crate) fn value(&self, field: FieldId) -> Option<Value<'r>> {
        filled(&self.values, field)
    }
}
