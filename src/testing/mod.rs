//! Tests of a project: each is evaluated with what it gives, and judged.
//!
//! In: a project's folder and the tests that are meant. Out: for each test an [`Outcome`]. No system is asked.

mod judge;
mod snapshot;
mod suite;

pub use judge::{Mismatch, Outcome, Part};
pub use snapshot::Snapshots;
pub use suite::{Suite, Tested};
