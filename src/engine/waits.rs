//! What records wait for. The store keeps it in words, and nobody else reads those.

use crate::store::RecordRow;

/// What a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// The outcome of a write that holds a key of it.
    Outcome,
    /// Its own write may have taken effect, while no search tells.
    Search,
    /// A row that it needs cannot be read.
    Row,
    /// Another record.
    Record,
    /// Writes of its kind were refused again and again.
    Kind,
    /// A person wants it to be tried again.
    NextRun,
    /// It is being written, or a run ended meanwhile.
    OwnWrite,
}

impl WaitsFor {
    /// As the store has it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Outcome => "the outcome of a write",
            Self::Search => "a search for its own write",
            Self::Row => "a row that can be read",
            Self::Record => "another record",
            Self::Kind => "writes of its kind",
            Self::NextRun => "the next run",
            Self::OwnWrite => "the end of its own write",
        }
    }

    /// Whether a record waits for this.
    pub(crate) fn holds(self, row: &RecordRow) -> bool {
        row.waits_for.as_deref() == Some(self.word())
    }
}
