//! The journal: what is about to be sent stands in the store before it is sent, and what became of it after. What has
//! no outcome is cleared up here.

pub(crate) mod effects;
pub(crate) mod entry;
mod fate;
pub(crate) mod lanes;
pub(crate) mod open;
pub(crate) mod recover;
