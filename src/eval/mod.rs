//! From a raw record to what is to be written: pure, and the same for check, map, test, dry run, run and replay.
//!
//! In: a compiled [`crate::ir::Program`], a record's JSON text, and what is known of both systems ([`Resolver`]). Out: what
//! must be asked first ([`Evaluated::Needs`]), or the drafts of the record in the order of their writes, or a [`Failure`].

mod arithmetic;
mod body;
mod code;
mod compile;
mod constants;
mod coverage;
mod decode;
mod document;
mod draft;
mod evaluate;
mod failure;
mod given;
mod making;
mod map;
mod natives;
mod pattern;
mod pending;
mod personal;
mod query;
mod row_cache;
mod runtime;
mod script;
mod script_stop;
mod table;
mod testing;
#[cfg(test)]
mod tests;
mod trace;
mod unreadable;
mod value;
mod why;
mod wire;

pub use body::body;
pub use code::Compiled;
pub use coverage::{Branch, Passed, Point};
pub use draft::{Action, BalanceDue, Draft, DraftField, FieldWhen, KeyTried, MadeBy, OnSourceChange, Share, WriteSet};
pub use evaluate::{Argument, Aside, Evaluated};
pub use failure::{Cause, Failure, Lacks};
pub use given::{Given, entity_named};
pub use map::{Mapper, Tables};
pub use pending::Pending;
pub use query::{Answered, LinkNeed, Query, Resolver};
pub use runtime::called;
pub use testing::{Came, Trial, World};
pub use why::Why;
