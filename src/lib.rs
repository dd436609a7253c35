//! flowc: a language that moves business records between a web shop and a ledger.

// The parser that pest makes without `std` names it.
extern crate alloc;

pub mod check;
pub mod cli;
pub mod connector;
pub mod engine;
pub mod eval;
pub mod ir;
pub mod json;
pub mod limits;
pub mod lints;
pub mod master;
pub mod money;
pub mod plan;
pub mod sandbox;
pub mod shipped;
pub mod source;
pub mod store;
pub mod syntax;
pub mod testing;
pub mod value;
pub mod workspace;
