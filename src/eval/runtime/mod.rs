//! What compiled code does: fields and rows of both systems, operators, lists, tables, and what it tells of its steps.

mod arguments;
mod ask;
mod choices;
mod fields;
mod find;
mod lists;
mod lookup;
mod operators;
mod rows;
mod tell;
mod texts;
mod told;

pub(crate) use choices::{bound, choice, choice_if_some, in_group, is_some, matched, or_else, shared};
pub(crate) use fields::{FieldWanted, field};
pub(crate) use find::{changed_since, find, find_all, linked_to, once, verified};
pub(crate) use lists::{ElementCode, list};
pub(crate) use lookup::RowWanted;
pub(crate) use operators::{binary, constants_within, equals_constant, ordered, unary, within};
pub use tell::called;
pub(crate) use texts::{concat, masked, stop};
