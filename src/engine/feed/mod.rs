//! The feed of a flow: what changed, page by page, and what is looked at again.

mod again;
mod gone;
mod lanes;
mod page;
mod rows;
pub(crate) mod run;
mod side_by_side;
mod turn;
mod watched;
