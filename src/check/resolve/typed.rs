//! Functions that have been typed, and how far they are nested.

use crate::check::resolve::instances::InstanceId;
use crate::ir::Expr;
use crate::source::Span;

/// Which function, and what of its surroundings its meaning depends on: texts are counted in UTF-16 units, and a call of a
/// mapping is the record that it would make.
pub(crate) type Key = (InstanceId, Span, bool, bool);

/// A function that has been typed, in a frame of its own whose first places are its parameters.
#[derive(Debug)]
pub(crate) struct Typed {
    /// What it computes, of the type that it gives.
    pub(crate) body: Expr,
    /// Places of the frame that it needs.
    pub(crate) frame: u32,
    /// Functions and parts that are copied into it, and their text in bytes.
    pub(crate) inlined: usize,
    pub(crate) inlined_bytes: usize,
    /// How far it is nested.
    pub(crate) height: Height,
}

/// How far declarations and expressions are nested.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Height {
    pub(crate) depth: usize,
    pub(crate) levels: usize,
}
