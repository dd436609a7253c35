//! Decisions: pure functions of what is known, without any input or output.

pub(crate) mod draft;
pub(crate) mod lines;
pub(crate) mod owner;
pub(crate) mod step;
pub(crate) mod total;
mod update;

#[cfg(test)]
pub(crate) mod tests;
