//! flowc: a language that moves business records between a web shop and a ledger.

pub mod sandbox;
