//! What is told while a record is computed with its steps told.

use crate::ir::MappingId;
use crate::source::Span;
use std::collections::HashSet;
use std::sync::Arc;

/// Something that a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    Row(usize, usize),
    Setting(Arc<str>, String),
    Source(String, String),
}

/// A field that was told.
pub(crate) struct Told {
    pub(crate) mapping: Option<MappingId>,
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) place: Span,
    pub(crate) displaced: Vec<Span>,
    pub(crate) items: Vec<Item>,
}

/// What is told while a record is computed.
#[derive(Default)]
pub(crate) struct Trace {
    pub(crate) items: Vec<Item>,
    pub(crate) fields: Vec<Told>,
    /// What the value of a local came from: frame, local, items.
    pub(crate) locals: Vec<(usize, u32, Vec<Item>)>,
}

/// How far had been told when something began.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) items: usize,
    pub(crate) fields: usize,
}

impl Trace {
    /// Takes what was told since, each thing once, so that a local of locals does not grow with every step.
    pub(crate) fn since(&mut self, mark: Mark) -> Vec<Item> {
        let mut items = self.items.split_off(mark.items.min(self.items.len()));
        let mut seen = HashSet::new();
        items.retain(|item| seen.insert(item.clone()));
        items
    }
}

/// Puts fields that were told within what has that name, or within an element of a list.
pub(crate) fn within(fields: &mut [Told], name: &str) {
    for told in fields.iter_mut().filter(|told| told.mapping.is_none()) {
        let dot = if told.path.starts_with('[') { "" } else { "." };
        told.path = format!("{name}{dot}{}", told.path);
    }
}
