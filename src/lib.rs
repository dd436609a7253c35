//! flowc: a language that moves business records between a web shop and a ledger.

pub mod connector;
pub mod ir;
pub mod limits;
pub mod sandbox;
pub mod source;
pub mod store;
pub mod syntax;
