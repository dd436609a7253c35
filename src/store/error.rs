//! Why the store cannot do what it is asked, by what may be done next.

use jiff::Timestamp;
use std::fmt;

/// Who has a store open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The process.
    pub process: u32,
    /// Since when.
    pub since: Timestamp,
    /// What it does: `run`.
    pub command: String,
}

/// A file of an older format that has been brought up to today's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The format it had.
    pub from: u32,
    /// The format it has.
    pub to: u32,
    /// Where it lies as it was.
    pub backup: String,
}

/// Why the store did not do it. Nothing of the request was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("the store {path} is in use by {by}: wait for it, stop it, or name another store with --store", by = by(owner.as_ref()))]
    InUse {
        /// The file.
        path: String,
        /// Who, where that is known.
        owner: Option<Owner>,
    },
    /// The file is not a store, or no longer one.
    #[error(
        "the store {path} cannot be read: {what}. Stop flowc, keep a copy of the file, and put back a backup; without one, move the file away and let `flowc run --since` find again what was written"
    )]
    Damaged {
        /// The file.
        path: String,
        /// What was seen.
        what: String,
    },
    /// A newer flowc wrote it.
    #[error("the store {path} has format {found}, and this flowc knows formats up to {known}: use the newer flowc")]
    Newer {
        /// The file.
        path: String,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It was sealed with another key.
    #[error(
        "the store {path} was sealed with another key than {key}: set FLOWC_KEY to the key of that time, or put back its file .flowc/key"
    )]
    WrongKey {
        /// The file.
        path: String,
        /// Where the key came from that does not open it.
        key: String,
    },
    /// The disk refused: full, read-only, gone. What was acknowledged is safe; the store must be opened again.
    #[error("the store {path} cannot be used: {what}. Nothing that was done is lost; {mend}, and start again")]
    Disk {
        /// The file.
        path: String,
        /// What the system said.
        what: String,
        /// What may be done about it.
        mend: &'static str,
    },
    /// Too many writes have no outcome: none may be added until they are cleared up.
    #[error(
        "{open} writes have got no answer, and no further one is sent before it is known what became of some of them: see that the systems answer, and run the flows again, which looks for them; `flowc status` counts them"
    )]
    Backlog {
        /// How many.
        open: u64,
    },
    /// A name that is to be given is taken.
    #[error("`{name}` has positions, records or links of its own; nothing was renamed")]
    Taken {
        /// The name.
        name: String,
    },
    /// A promise of the caller is broken: a bug of ours.
    #[error("a bug of flowc: {what}")]
    Misused {
        /// Which.
        what: String,
    },
    /// It has been closed.
    #[error("the store has been closed")]
    Closed,
}

/// Another flowc, by all that is known of it.
fn by(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "another flowc".to_owned(), ToString::to_string)
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, since, command } = self;
        let command = format!("flowc {command}");
        write!(f, "`{}` (process {process}, since {since:.0})", command.trim_end())
    }
}
