//! What schemas say of rows that are a system's own: whether they may be used, and which periods of its books are open.

use super::types::FieldId;
use std::sync::Arc;

/// Which fields of a row say that nothing new may name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usable {
    /// Yes: it may not.
    pub blocked: Option<FieldId>,
    /// No: it may not.
    pub active: Option<FieldId>,
    /// The last day on which it may.
    pub until: Option<FieldId>,
}

impl Usable {
    /// The fields that say it.
    pub fn fields(&self) -> impl Iterator<Item = FieldId> {
        self.blocked.into_iter().chain(self.active).chain(self.until)
    }
}

/// The fields of a period of the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its year.
    pub year: FieldId,
    /// Its number within the year.
    pub number: FieldId,
    /// Its first day.
    pub from: FieldId,
    /// Its last day.
    pub to: FieldId,
}

/// The fields of a row that says whether a period is closed for a record of another entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closes {
    /// The code of that record; empty: all.
    pub of: FieldId,
    /// The period's year.
    pub year: FieldId,
    /// The period's number.
    pub number: FieldId,
    /// The field that says it.
    pub by: FieldId,
    /// Its value, on the wire, where the period is closed.
    pub value: Arc<str>,
}
