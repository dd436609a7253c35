//! A call that writes, and what came back.

use super::verdict::Verdict;
use crate::connector::Answer;
use crate::ir::Entity;
use crate::store::{Link, Operation};
use jiff::Timestamp;
use std::sync::Arc;

/// A call that writes.
pub(crate) struct WriteCall {
    pub(crate) entity: Arc<Entity>,
    pub(crate) operation: Operation,
    pub(crate) id: Option<Arc<str>>,
    pub(crate) body: String,
    /// Fields and values by which the effect of a create can be found.
    pub(crate) search: Vec<(String, String)>,
    /// The link that comes with the effect of a create, but for the target's key.
    pub(crate) link: Option<Link>,
    /// What it begins to change.
    pub(crate) changing: Option<Changing>,
}

impl WriteCall {
    /// A call that changes or removes what is there.
    pub(crate) fn change(entity: Arc<Entity>, operation: Operation, id: Arc<str>, body: String) -> Self {
        Self { entity, operation, id: Some(id), body, search: Vec::new(), link: None, changing: None }
    }

    /// The same, as the first that changes what has this link.
    pub(crate) fn begins(self, changing: Option<Changing>) -> Self {
        Self { changing, ..self }
    }
}

/// The link of what is about to be changed: while nobody knows how far that has come, and as it was.
pub(crate) struct Changing {
    pub(crate) link: Link,
    pub(crate) before: Option<Link>,
}

/// What came back.
pub(crate) enum Transmitted {
    /// It took effect; its outcome is the caller's to write down, with what it means.
    Answer(Acknowledged),
    /// The record stops here; its outcome is written down.
    Stopped(Verdict),
    /// It was refused: what it refers to may be gone meanwhile, so everything is looked up once more.
    Again,
}

/// An answer, to what, and when.
pub(crate) struct Acknowledged {
    pub(crate) intent: String,
    pub(crate) answer: Answer,
    /// The body that it answers.
    pub(crate) sent: String,
    pub(crate) at: Timestamp,
}
