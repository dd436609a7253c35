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
    /// Filled fields by number.
    pub(crate) values: &'r [Option<Value<'r>>],
    pub(crate) found: Option<&'r Record<'r>>,
    /// Its key in the target, when it is there.
    pub(crate) id: Option<&'r str>,
}

/// A document in the making.
pub(crate) struct Making<'r> {
    pub(crate) entity: EntityId,
    pub(crate) values: &'r mut [Option<Value<'r>>],
    /// What is filled, in order: step and value.
    pub(crate) filled: Vec<(usize, Value<'r>)>,
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
    /// With nothing filled of its fields.
    pub(crate) fn new(arena: &'r Bump, entity: EntityId, fields: usize) -> Self {
        Self {
            entity,
            values: arena.alloc_slice_fill_copy(fields, None),
            filled: Vec::new(),
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
        if let Some(slot) = self.values.get_mut(field.0 as usize) {
            *slot = Some(value);
        }
    }
}
