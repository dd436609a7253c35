//! Why a record stops: for the bookkeeper who reads it.

use crate::source::Span;

/// Why one record can't go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong and what to do, in one breath, with the value.
    pub reason: String,
    /// The value that is wrong, as text.
    pub value: Option<String>,
    /// The line of the flow that says so.
    pub place: Span,
    /// Where in the record: the target field in the making (`SalesOrderLines[2].VATCode`), when there is one.
    pub field: Option<String>,
    /// A bug of ours rather than a trouble of the record.
    pub ours: bool,
}

impl Failure {
    /// A failure at a place of the flow.
    pub fn new(reason: impl Into<String>, place: Span) -> Self {
        Self { reason: reason.into(), value: None, place, field: None, ours: false }
    }
}
