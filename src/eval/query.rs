//! What an evaluation asks, and who answers it.

use crate::ir::{EntityId, FieldId};
use std::sync::Arc;

/// Something that must be asked of a system or of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// The rows of an entity whose fields have these values (texts as the flow has them, absent for an optional key).
    Find {
        /// The connection it is asked of.
        connection: Arc<str>,
        /// The entity.
        entity: EntityId,
        /// The fields, at least one; the first that the API can filter by is sent, the rest is compared here.
        by: Vec<FieldId>,
        /// Their values.
        values: Vec<Option<Arc<str>>>,
    },
    /// All rows of a small entity.
    Table {
        /// The connection.
        connection: Arc<str>,
        /// The entity.
        entity: EntityId,
    },
    /// The row of an entity with this key, as the system has it now.
    Row {
        /// The connection.
        connection: Arc<str>,
        /// The entity.
        entity: EntityId,
        /// Its key.
        id: Arc<str>,
    },
    /// The rows of an entity that have changed since a moment, as its feed tells.
    Changed {
        /// The connection.
        connection: Arc<str>,
        /// The entity.
        entity: EntityId,
        /// The moment.
        since: jiff::Timestamp,
    },
    /// What a flow reads once for all of its records ([`crate::ir::ExprKind::Once`]).
    Once {
        /// The flow's number.
        flow: usize,
        /// Which of its values.
        n: u32,
        /// The entity of the rows.
        entity: EntityId,
    },
    /// What a record became, or what became it, through an earlier write of ours: a question to the store.
    Link(LinkNeed),
}

/// A question to the store's links, from either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinkNeed {
    /// Links belong to a mapping's name; none: of any mapping.
    pub mapping: Option<Arc<str>>,
    /// The entity of the record that is known.
    pub entity: EntityId,
    /// Its key.
    pub key: Arc<str>,
    /// The entity of the record that is looked for.
    pub other: EntityId,
}

/// What is known of a need. Four things that must not be taken for one another: only what is proved absent may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Nobody has asked.
    NotAsked,
    /// It was asked, and there is none.
    Absent,
    /// All rows that there are, each as JSON text of one object; for [`Query::Link`] each is a JSON text of the other
    /// record's key.
    Found(Vec<Arc<str>>),
    /// It was asked, and what came cannot be read; why, in words for people.
    Unreadable(String),
}

impl Answered {
    /// All rows that there are.
    pub fn all(rows: Vec<Arc<str>>) -> Self {
        if rows.is_empty() { Self::Absent } else { Self::Found(rows) }
    }
}

/// What is known so far: filled by the engine, or from data given to a test.
pub trait Resolver {
    /// What is known of a need.
    fn answer(&self, need: &Query) -> Answered;
    /// The record's moment: fixed at its first try.
    fn now(&self) -> jiff::Timestamp;
    /// Codes are taken as they are and not asked for: there is no ledger to ask (`flowc map`).
    fn offline(&self) -> bool;
    /// Somebody reads once what a flow wants so, and answers [`Query::Once`].
    fn keeps_once(&self) -> bool {
        false
    }
    /// A field that a record does not name is absent; else nobody has said so (the data of a test).
    fn gives_all(&self) -> bool {
        true
    }
    /// How a document's total is divided over the codes of a tax is asked for, beside what is to be written.
    fn asks_shares(&self) -> bool {
        false
    }
    /// A test is asked for a row that it does not give, which this statement would. With `true` the evaluation goes on, to
    /// come to all that is lacking; else it stops here.
    fn goes_on_without(&self, _statement: &str) -> bool {
        false
    }
}
