//! Why a pass ends early.

use crate::connector::CallError;
use crate::store::StoreError;

/// Why a pass ends before everything was read. Nothing is lost by it: what was settled stays settled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassError {
    /// A system asks for patience, or is away.
    #[error("{0}")]
    Later(String),
    /// A system refuses the login: only a person can help.
    #[error("{0}")]
    Login(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A person stopped it.
    #[error("it was stopped; the next run goes on from here")]
    Cancelled,
    /// The project lacks something.
    #[error("{0}")]
    Project(String),
    /// A fault of ours.
    #[error("a fault of flowc stopped the flow: {0}")]
    Bug(String),
}

impl From<CallError> for PassError {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Login { .. } => Self::Login(error.to_string()),
            CallError::Later { .. }
            | CallError::Unknown { .. }
            | CallError::Garbled { .. }
            | CallError::Refused { .. } => Self::Later(error.to_string()),
        }
    }
}
