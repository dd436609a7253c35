//! What expressions come to while values are followed.

use super::algebra::{Amount, NodeId};
use crate::ir::{EntityId, FieldId, Type};
use crate::source::Span;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A number, an amount, or a truth: 1 or 0.
    Amount(Amount),
    /// A record that is made here.
    Record(Rc<Made>),
    /// A list that is made here.
    List(Rc<Vec<Piece>>),
    /// Something else.
    Node(NodeId),
    /// Nothing: the record stops.
    Never,
}

/// A record that is made: its fields, and the lines of the flow that fill them.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) entity: EntityId,
    pub(super) fields: BTreeMap<FieldId, (Value, Span)>,
}

/// Elements of a list that is made: one for each element of other lists, where the condition holds.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) over: Vec<NodeId>,
    pub(super) holds: Amount,
    pub(super) value: Value,
    /// Where it is written.
    pub(super) span: Span,
}

/// Products of which a condition may be made until it is taken as one, and those by which a branch is chosen.
pub(super) const CONDITION: usize = 8;
pub(super) const BRANCH: usize = 2;

/// The tags of what is not there, and of the first of a list.
pub(super) const NOTHING: &str = "nothing";
pub(super) const FIRST: &str = "first";

/// Whether values of that type are counted with: numbers, amounts, and truths.
pub(super) fn is_counted(ty: &Type) -> bool {
    let ty = ty.present();
    ty.is_number() || matches!(ty, Type::Price | Type::Entered(..) | Type::Bool)
}
