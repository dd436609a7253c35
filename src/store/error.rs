//! Why the store cannot do what it is asked, by what may be done next.

/// Why the store did not do it. Nothing of the request was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("the store {path} is in use by another flowc: wait for it, stop it, or name another store with --store")]
    InUse {
        /// The file.
        path: String,
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
        "the store {path} was sealed with another key: set FLOWC_KEY to the key of that time, or put back the file .flowc/key"
    )]
    WrongKey {
        /// The file.
        path: String,
    },
    /// The disk refused: full, read-only, gone. What was acknowledged is safe; the store must be opened again.
    #[error(
        "the store {path} cannot be written: {what}. Nothing that was done is lost; make room or repair the disk, and start again"
    )]
    Disk {
        /// The file.
        path: String,
        /// What the system said.
        what: String,
    },
    /// Too many writes have no outcome: none may be added until they are cleared up.
    #[error("{open} writes have no known outcome; no further one is begun before some of them are cleared up")]
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
