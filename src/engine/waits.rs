//! What records wait for, in the words that the store keeps.

/// What a record waits for whose write, or whose key's write, has no outcome.
pub(crate) const OUTCOME: &str = "the outcome of a write";

/// What a record waits for whose own write may have taken effect, while no search tells.
pub(crate) const SEARCH: &str = "a search for its own write";

/// What a record waits for that needs a row which cannot be read.
pub(crate) const ROW: &str = "a row that can be read";

/// What a record waits for that a person wants to be tried again.
pub(crate) const NEXT_RUN: &str = "the next run";

/// What a record waits for while it is written, and after a run that ended meanwhile.
pub(crate) const UNFINISHED: &str = "the end of its own write";
