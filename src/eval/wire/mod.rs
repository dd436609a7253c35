//! Values in the form that the target reads.

mod field;
mod nested;
mod write;

pub(crate) use field::{Wire, Wires, left_out};
pub(crate) use nested::code_text;
pub(crate) use write::write;
