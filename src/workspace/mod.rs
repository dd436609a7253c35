//! A project held in memory: loaded, its version told, its flows put in order, its records computed again from the log.
//!
//! Commands, tests, an editor and a service ask here; what is shown of the answers is theirs.

mod compare_log;
mod compared;
mod defaults;
mod error;
mod order;
mod project;
mod record_outcome;
mod replay;
mod texts;
mod version;
mod why;

pub use compared::{Case, Compared, LineDifference, Open, Tally, Whose};
pub use defaults::{Defaults, LOCK_FILE, Moved, name_of};
pub use error::WorkspaceError;
pub use order::{in_order, key_of};
pub use project::{Connections, Workspace};
pub use record_outcome::{Difference, DifferenceKind, RecordOutcome, Sides};
pub use replay::Recorded;
pub use texts::{TEXTS_FILE, Texts};
pub use why::Explained;
