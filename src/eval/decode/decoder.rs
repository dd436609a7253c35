//! Where the decoding of a record stands.

use super::layout::{Action, Layouts, Slot};
use crate::eval::value::Value;
use crate::ir::EntityId;
use crate::json::{DecodeError, Orders, Scanner};
use crate::value::text::masked;
use bumpalo::Bump;

/// The order in which the members of each entity came last time.
pub(crate) type Learnt = Orders<Action>;

/// A decoder of one text.
pub(crate) struct Decoder<'r, 'l> {
    pub(crate) json: Scanner<'r>,
    pub(crate) layouts: &'r Layouts,
    pub(crate) learnt: &'l mut Learnt,
    /// What the record is.
    pub(crate) root: EntityId,
    /// Elements of the lists that are not closed yet, the innermost last.
    pub(crate) elements: bumpalo::collections::Vec<'r, Value<'r>>,
    /// Paths are kept in the records.
    pub(crate) paths: bool,
}

impl<'r, 'l> Decoder<'r, 'l> {
    /// At the beginning of a text.
    pub(crate) fn new(text: &'r str, layouts: &'r Layouts, arena: &'r Bump, learnt: &'l mut Learnt) -> Self {
        let elements = bumpalo::collections::Vec::with_capacity_in(32, arena);
        Self { json: Scanner::new(text, arena), layouts, learnt, elements, paths: false, root: EntityId(0) }
    }
}

/// With the field of a slot: of personal data nothing is told.
pub(crate) fn within_slot(bad: Box<DecodeError>, slot: &Slot) -> Box<DecodeError> {
    let bad = if slot.personal { bad.masked(masked) } else { bad };
    bad.within(&slot.name)
}
