//! Why a project cannot do what it is asked.

use crate::connector::OpenError;
use crate::engine::log::LogError;
use crate::engine::operate::OperateError;
use crate::store::StoreError;

/// Why a project cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// The question does not fit the project.
    #[error("{0}")]
    Asked(String),
    /// A connection cannot be opened.
    #[error(transparent)]
    Connection(#[from] OpenError),
    /// No record is called so, or nothing is known of it.
    #[error(transparent)]
    Record(#[from] OperateError),
    /// An entry of the log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
