//! What is declared: types that are written, entities with their fields, heads of mappings and lookups.

pub(crate) mod clauses;
pub(crate) mod entity;
pub(crate) mod heads;
pub(crate) mod marks;
pub(crate) mod relations;
pub(crate) mod words;
pub(crate) mod written;
