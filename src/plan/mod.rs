//! From a program to a plan: what is read, sent and asked, in which stages, and what it costs in calls.
//!
//! In: a checked [`crate::ir::Program`]. Out: [`Reads`], the fields that some expression uses, by which records are
//! decoded and selected; and a [`Plan`] of steps with their cost.

mod reads;
mod walk;

pub use reads::{Reads, tax_fields};
pub(crate) use walk::meta_entry;
pub use walk::{each, each_step, mappings_of};
