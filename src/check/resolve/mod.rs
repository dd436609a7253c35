//! Files become modules, and names find what they mean: nothing here knows a type.

pub(crate) mod changing;
pub(crate) mod checker;
pub(crate) mod facts;
pub(crate) mod index;
pub(crate) mod instances;
pub(crate) mod items;
pub(crate) mod modules;
pub(crate) mod offer;
pub(crate) mod parallel;
pub(crate) mod paths;
pub(crate) mod references;
pub(crate) mod suggest;
pub(crate) mod typed;
