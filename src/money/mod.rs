//! Whether money is conserved: every amount of a record reaches the document that is made of it, once.
//!
//! In: a checked program and a mapping of it. Out: [`Proof`]: each amount of the source with how often it reaches the
//! target's total and by which lines of the flow, and what is too much. It is reckoned over all records at once: amounts are
//! sums of products of fields, in which equal ones cancel out. What it can't follow it does not judge.

mod algebra;
mod choices;
mod describe;
mod follow;
mod natives;
mod proof;
mod schema;
mod value;

pub use proof::{Amounts, Place, Proof, Reaches, Verdict, proof};
