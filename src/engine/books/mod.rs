//! The second opinion on money: what the source says that its documents come to, beside what the target has, by day, tax code,
//! country, way to pay and currency. Both systems are read as they are now, and nothing is written anywhere.
//!
//! What counts when and under which code, the flow says itself: each record is evaluated afresh. What it comes to, its source
//! says alone, so that a fault of the mapping shows as a difference.

mod allot;
mod days;
mod documents;
mod figures;
pub(in crate::engine) mod gather;
mod reconcile;
mod report;
mod why;

pub use days::Days;
pub use report::{BookRow, Differing, Left, Missing, Reconciled};
