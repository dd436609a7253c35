//! From a program to a plan: what is read, sent and asked, in which stages, and what it costs in calls.
//!
//! In: a checked [`crate::ir::Program`]. Out: [`Reads`], the fields that some expression uses, by which records are
//! decoded and selected; a [`Plan`] of steps with their cost; and the lines that fill a field ([`writers`]).

mod pushdown;
mod reads;
mod stage;
mod steps;
mod walk;
mod writes;

pub use pushdown::{Pushdown, Sent, pushdown};
pub use reads::Reads;
pub use stage::Asked;
pub use steps::{Plan, PlanStep, plan};
pub use walk::{each, each_step};
pub(crate) use walk::{each_of_flow, each_of_mapping, meta_entry};
pub use writes::{Writer, writers};
