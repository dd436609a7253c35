//! The runner: one pass of a flow reads what changed, asks what must be known, decides, writes, and remembers.
//!
//! In: a checked project, its connections, the store. Out: a stream of [`Event`]s and a [`Summary`]. It alone decides,
//! retries and moves positions; what it does is in the journal before and after.

mod books;
mod decide;
mod environment;
mod error;
mod evaluator;
mod event;
mod feed;
mod found;
mod hash;
mod health;
mod journal;
mod known;
pub mod log;
pub mod operate;
mod pass;
mod pii;
mod project;
mod record;
mod runner;
mod turns;
mod values;
mod waits;

pub use crate::value::cancel::Cancel;
pub use books::{BookRow, Days, Differing, Left, Missing, Reconciled};
pub use decide::{Alone, alone};
pub use environment::Environment;
pub use error::PassError;
pub use evaluator::Evaluator;
pub use event::{Counts, Done, Event, FieldChange, RecordEvent};
pub use health::{Ailment, Entries, Examined, Health, LackingRow, Pulled, Sampled, SystemHealth};
pub use project::{PassOptions, PlaceOf, Project, Summary};
pub use runner::Engine;

#[cfg(test)]
mod tests;
