//! Tests of a project: each is evaluated with what it gives, and judged.
//!
//! In: a project's folder and the tests that are meant. Out: for each test, or each of its cases, an [`Outcome`], and what of
//! the project they come to. No system is asked.

mod anonymous;
mod compare;
mod coverage;
mod judge;
mod record;
mod snapshot;
mod suite;

pub use compare::Turned;
pub use coverage::{Coverage, Covered, PointKind, Reached, Share};
pub use judge::{Mismatch, Outcome, Part};
pub use record::{Made, made_of};
pub use snapshot::Snapshots;
pub use suite::{Suite, Tested};
