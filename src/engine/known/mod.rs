//! What a pass knows of both systems, and how it is searched for.

pub(crate) mod memory;
pub(crate) mod once;
pub(crate) mod planned;
mod rows;
pub(crate) mod search;
