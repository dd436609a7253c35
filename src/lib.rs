//! flowc: a language that moves business records between a web shop and a ledger.

pub mod ir;
pub mod limits;
pub mod source;
pub mod syntax;
