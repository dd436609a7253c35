//! Before going live: whether the systems can be reached and used as the flows that are on need it, whether the codes that the
//! project names are there, and which rows of its tables the last records would miss. Everything is read, nothing written.

mod ailment;
mod codes;
mod examine;
mod periods;
mod pull;
mod rights;
mod sample;

pub use ailment::Ailment;
pub use examine::{Examined, Health, SystemHealth};
pub use pull::{Entries, Pulled};
pub use sample::{LackingRow, Sampled};
