//! What expressions and statements mean, and what type they have.

pub(crate) mod branches;
pub(crate) mod call;
pub(crate) mod callables;
pub(crate) mod caseless;
pub(crate) mod changes;
pub(crate) mod coerce;
pub(crate) mod coverage;
pub(crate) mod expr;
pub(crate) mod fields;
pub(crate) mod filling;
pub(crate) mod find;
pub(crate) mod fixes;
pub(crate) mod frame;
pub(crate) mod inlining;
pub(crate) mod literals;
pub(crate) mod names;
pub(crate) mod natives;
pub(crate) mod ops;
pub(crate) mod order;
pub(crate) mod passed;
pub(crate) mod patterns;
pub(crate) mod prices;
pub(crate) mod receivers;
pub(crate) mod settings;
pub(crate) mod steps;
