//! One pass of one flow: what its records share, how they are evaluated, and how what they need is asked.

pub(crate) mod ask;
mod batches;
pub(crate) mod context;
pub(crate) mod files;
pub(crate) mod linked;
pub(crate) mod once;
mod refusals;
mod selection;
mod shelf;
pub(crate) mod view;
