//! Whole declarations: the bodies of mappings, lookups, flows, the answers of settings, connections.

pub(crate) mod adapting;
pub(crate) mod answers;
mod beside;
pub(crate) mod books;
pub(crate) mod circles;
pub(crate) mod conditions;
pub(crate) mod connect;
pub(crate) mod deleted;
mod entries;
pub(crate) mod flow;
pub(crate) mod given;
pub(crate) mod header;
pub(crate) mod lookup;
pub(crate) mod mapping;
pub(crate) mod rows;
pub(crate) mod script;
pub(crate) mod table;
pub(crate) mod testing;
