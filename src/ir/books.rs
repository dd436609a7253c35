//! What an entity says to whoever compares the books of two systems: on which day a document counts, what it comes to under
//! each code of a tax, where and how it was paid. All of it is data from the schemas.

use super::types::FieldId;
use std::sync::Arc;

/// A way to a field: through parts of the record, or a field of the record itself.
pub type Way = Vec<FieldId>;

/// What an entity says of its documents in the books; empty for one that says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// The day on which it counts: the first of these that is filled.
    pub day: Vec<Way>,
    /// The country: the first of these that is filled.
    pub country: Vec<Way>,
    /// How it was paid.
    pub method: Vec<Way>,
    /// The record that it takes back a part of: its own total counts below nothing, and country and way to pay are that one's.
    pub credits: Option<FieldId>,
    /// When it comes to nothing, whatever its total says.
    pub void: Option<Among>,
    /// When it counts below nothing, though its amounts stand above.
    pub credit: Option<Among>,
    /// Its lines, each under a code of a tax.
    pub lines: Option<TaxedLines>,
}

/// A field that has one of some values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Among {
    /// The field.
    pub field: FieldId,
    /// The values on the wire, without quotes.
    pub values: Vec<Arc<str>>,
}

/// Lines of a document, and what of each is its amount and its tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxedLines {
    /// The list.
    pub list: FieldId,
    /// The code of a line.
    pub code: FieldId,
    /// Its amount without tax.
    pub net: FieldId,
    /// Its tax.
    pub tax: FieldId,
}

impl Books {
    /// Whether documents of it can be compared, line by line and day by day.
    pub fn are_kept(&self) -> bool {
        self.lines.is_some() && !self.day.is_empty()
    }

    /// All ways that it names, those to its lines as the whole list.
    pub fn ways(&self) -> impl Iterator<Item = Way> + '_ {
        let single = self.credits.into_iter().chain(self.void.iter().chain(&self.credit).map(|among| among.field));
        let single = single.chain(self.lines.map(|lines| lines.list)).map(|field| vec![field]);
        self.day.iter().chain(&self.country).chain(&self.method).cloned().chain(single)
    }
}
