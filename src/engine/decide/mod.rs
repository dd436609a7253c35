//! Decisions: pure functions of what is known, without any input or output.

mod alone;
pub(crate) mod draft;
pub(crate) mod lines;
pub(crate) mod owner;
pub(crate) mod step;
pub(crate) mod total;
mod update;

pub use alone::{Alone, alone};

#[cfg(test)]
pub(crate) mod tests;
