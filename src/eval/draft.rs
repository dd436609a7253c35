//! What is to be written for one record: documents in write order, all of it known before the first write, but for the
//! keys of what must first be created.

use crate::ir::{EntityId, FieldId, MappingId, Overwrite, Stop};
use crate::source::Span;
use rust_decimal::Decimal;
use std::sync::Arc;

/// All that is written for one record: one unit, that goes on where it stopped.
#[derive(Clone, Debug, Default)]
pub struct WriteSet {
    /// The drafts in the order of their writes: whatever another refers to comes before it.
    pub drafts: Vec<Draft>,
    /// What is told a person once: `check … else alert`.
    pub alerts: Vec<(String, Span)>,
    /// Once these drafts have been written (or found), the record is evaluated again with their answers known
    /// ([`crate::eval::Query::Link`], [`crate::eval::Query::Row`]): only then what follows them is known.
    pub again_after: Vec<usize>,
}

/// Which mapping made a draft, for people and for links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeBy {
    /// The mapping.
    pub mapping: MappingId,
    /// Its name.
    pub name: Arc<str>,
}

/// One record of a system in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What made it.
    pub made: MadeBy,
    /// The connection it is written to.
    pub connection: Arc<str>,
    /// What it is.
    pub entity: EntityId,
    /// What is to be done, as far as what was found decides it.
    pub action: Action,
    /// The source record that it is linked to: entity and key.
    pub linked_to: Option<(EntityId, Arc<str>)>,
    /// The keys that were tried, for the search before a second attempt and for the lanes.
    pub keys: Vec<KeyTried>,
    /// The fields, in the order of the flow's lines that fill them.
    pub fields: Vec<DraftField>,
    /// Drafts of this unit whose keys stand in its fields.
    pub refers_to: Vec<usize>,
    /// It follows the write of that draft (`then write`), and only when that was written or found.
    pub follows: Option<usize>,
    /// Some of its fields depend on what the target answers to that draft, and are missing here: once that is written
    /// the record is evaluated again, with the answer known.
    pub waits_for: Option<usize>,
    /// What the target's answer must come to.
    pub balance: Option<BalanceDue>,
    /// How its total is divided over the codes of a tax, where that is asked for ([`crate::eval::Resolver::asks_shares`]).
    pub shares: Vec<Share>,
    /// What an update may touch, and of which fields.
    pub overwrite: (Overwrite, Option<Vec<Arc<str>>>),
    /// What happens when the source of a `create once` has changed.
    pub on_change: OnSourceChange,
    /// Where its mapping is declared.
    pub place: Span,
}

/// What is to be done with a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Nothing was found: it is created.
    Create,
    /// It was found: its key, how (`link` or the key fields), and the row as the target has it now.
    Found {
        /// Its key.
        id: Arc<str>,
        /// Through an earlier write of ours, and not only by key.
        ours: bool,
        /// The row, JSON.
        row: Arc<str>,
    },
    /// It is the record that the flow reads (`update itself`): its key and the row as read.
    Itself {
        /// Its key.
        id: Arc<str>,
        /// The record as it was read, JSON.
        row: Arc<str>,
    },
    /// It is deleted: its key.
    Delete {
        /// Its key.
        id: Arc<str>,
    },
    /// It is left alone, with the reason.
    Leave(Stop, String, Span),
    /// Whether it is there is not known until the draft with that number has been written: none can be there if that
    /// one is created.
    After(usize),
}

/// A key that was searched by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyTried {
    /// Its fields.
    pub fields: Vec<FieldId>,
    /// Their values, as the flow has them.
    pub values: Vec<Option<Arc<str>>>,
}

/// A field of a draft.
#[derive(Clone, Debug)]
pub struct DraftField {
    /// The way to it, by wire names: `["billing", "phone"]`; the list and the name of a further entry.
    pub path: Arc<[Arc<str>]>,
    /// The flow's name of it.
    pub field: FieldId,
    /// Its JSON, as written to the API; where the key of another draft of the unit stands, a [`crate::eval::Pending`].
    pub json: String,
    /// In which case it is sent.
    pub when: FieldWhen,
    /// The line that decided it.
    pub place: Span,
}

/// In which case a field is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldWhen {
    /// Always.
    Always,
    /// On a create only.
    Create,
    /// On an update only.
    Update,
}

/// What a document must come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceDue {
    /// The computed field, by wire name.
    pub field: Arc<str>,
    /// What it must come to.
    pub amount: Decimal,
    /// The most that it may be off, of the target's currency.
    pub within: Decimal,
    /// Where that is said.
    pub place: Span,
}

/// What of a document's total stands under one code of a tax, tax included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The code; empty for lines without one.
    pub code: Arc<str>,
    /// The amount, in the document's currency.
    pub amount: Decimal,
    /// It is the line that evens out cents, and no part of what is sold.
    pub evens_out: bool,
}

/// What happens when the source of a `create once` has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnSourceChange {
    /// A person is told.
    Alert,
    /// Nothing.
    Ignore,
    /// It is updated.
    Update,
    /// The draft with that number is written, which is left alone else.
    Write(usize),
}
