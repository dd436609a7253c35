//! One record of a page: acted on draft by draft, each write journalled, and settled.

pub(crate) mod act;
mod acting;
mod alerts;
mod call;
mod dry;
pub(crate) mod item;
mod kept;
mod lines;
mod links;
pub(crate) mod settle;
mod transmit;
mod verdict;
mod write;
