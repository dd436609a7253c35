//! Two simulated systems on loopback, strict enough that a mistake of ours shows as a refused call.
//!
//! Nothing of flowc is used here, not even its schemas: the tables come from the recorded reference.

mod calls;
pub mod clock;
mod control;
mod deliver;
mod door;
mod faults;
pub mod ledger;
mod rows;
mod serve;
mod shop;

pub use faults::{Fault, Kind};
pub use ledger::{Limits, Rounding};
pub use serve::{Options, Running, parse_limits, start};
pub use shop::{Permalinks, Setup, Storage, Zone};
