//! Master data: what each system has of its own (codes of tax, journals, conditions, ways to pay), and whether the codes that a
//! project names fit it. Pulled into the project it is read from `schema/CONNECTION/ENTITY.csv`; live it comes from the
//! systems. One judge looks at both.
//!
//! In: a checked program and the rows. Out: diagnostics at the settings and rows that name the codes.

mod cells;
mod judge;
mod table;
mod uses;

pub use judge::judge;
pub use table::{Held, Table, pulled_entries_file, pulled_file};
pub use uses::{Use, Whence, uses};
