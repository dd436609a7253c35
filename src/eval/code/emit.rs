//! Payloads that can be written straight to the output: the same steps as a document's, without the tree of its values
//! between.

use super::expression::{ClauseCode, Code};
use crate::ir::FieldId;
use crate::source::Span;

/// How the value of a field is written.
pub(crate) enum Emit {
    /// Computed, then written.
    Value(Code),
    /// A part, by its number.
    Part(usize),
    List(Vec<ElementEmit>),
    Let(u32, Code, Box<Emit>),
    If(Code, Box<Emit>, Box<Emit>),
}

/// An element of a list.
pub(crate) enum ElementEmit {
    One(Emit),
    For(Vec<ClauseCode>, Emit),
}

/// How a step is done.
pub(crate) enum StepEmit {
    /// As in any document: it fills nothing.
    Step,
    /// It is for what is there already.
    Never,
    /// The same in every document: the member as it stands behind another, with its comma.
    Constant {
        member: Box<[u8]>,
        bit: u64,
    },
    Field {
        field: FieldId,
        emit: Emit,
        place: Span,
        bit: u64,
    },
}

/// Fields that can be written one after the other.
pub(crate) struct Plain {
    /// How each step is done.
    pub(crate) steps: Vec<StepEmit>,
    /// Fields that must be there; the step that fills one of them has its bit.
    pub(crate) required: Vec<FieldId>,
    /// All these bits.
    pub(crate) required_bits: u64,
}
