//! Two simulated systems on loopback, strict enough that a mistake of ours shows as a refused call.
//!
//! Nothing of flowc is used here, not even its schemas: the tables come from the recorded reference.

pub mod clock;
pub mod ledger;
