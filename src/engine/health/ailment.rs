//! What keeps flows from working, in words for people.

use crate::source::Span;

/// Something that keeps flows from working.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailment {
    /// `rights`, `clock`, `period`, `codes` or `records`.
    pub kind: &'static str,
    /// The connection.
    pub system: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The line that it concerns, where there is one.
    pub span: Option<Span>,
}
