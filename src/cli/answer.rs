//! What every command takes and gives back: its flags for all, how it ended, why it could not do its work.

use super::screen::Format;
use crate::engine::operate::OperateError;
use crate::limits::STACK_BYTES;
use crate::store::{KeyError, Owner, StoreError};
use std::path::PathBuf;

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Global {
    /// Text for people, or JSON on stdout for programs (`check` also SARIF).
    #[arg(long, global = true, value_name = "FORM", default_value = "human")]
    pub(crate) format: Format,
    /// The project's folder, instead of the nearest one upwards that has a `project.flow`.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
}

/// How a command ended that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 1: the check found errors, a record was parked.
    Wrong,
}

/// Why a command could not do its work, by exit code.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Exit code 2: the arguments, or where the command was called.
    Misuse(String),
    /// Exit code 3: a system can't be reached, or refuses the login; the store too.
    Unreachable(String),
    /// Exit code 3: another flowc has the store.
    Busy(Box<Busy>),
    /// Exit code 1: the project has errors, and they have been told.
    Unsound,
    /// Exit code 4: a bug of ours.
    Bug(String),
    /// Nobody reads what is printed any more (`flowc … | head`): an end, not an error.
    Closed,
}

impl From<std::io::Error> for Trouble {
    /// Only what is printed gives this error here: files are read and written where their trouble is told in words.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Misuse(format!("the answer can't be written: {error}")),
        }
    }
}

/// Another flowc has the store.
#[derive(Debug)]
pub(crate) struct Busy {
    /// Who, where that is known.
    owner: Option<Owner>,
    said: String,
}

impl Busy {
    /// Who makes a pass over the same store.
    pub(crate) fn runner(&self) -> Option<&Owner> {
        self.owner.as_ref().filter(|owner| owner.command == "run")
    }

    /// In words for people.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let said = error.to_string();
        match error {
            StoreError::InUse { path: _, owner } => Self::Busy(Box::new(Busy { owner, said })),
            StoreError::Damaged { .. }
            | StoreError::Newer { .. }
            | StoreError::WrongKey { .. }
            | StoreError::Disk { .. }
            | StoreError::Backlog { .. } => Self::Unreachable(said),
            StoreError::Taken { .. } => Self::Misuse(said),
            StoreError::Misused { .. } | StoreError::Closed => Self::Bug(said),
        }
    }
}

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<OperateError> for Trouble {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::Store(error) => error.into(),
            OperateError::NoRecord(_) | OperateError::NoLog(_) | OperateError::NoFlow(_) => {
                Self::Misuse(error.to_string())
            }
        }
    }
}

/// What a command gives back.
pub(crate) type Answer = Result<Outcome, Trouble>;

/// Why nothing can begin.
pub(crate) fn no_threads(error: &std::io::Error) -> String {
    format!("the machine gives no threads: {error}")
}

/// The one runtime of a command that talks to systems.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Trouble> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|e| Trouble::Misuse(no_threads(&e)))
}

/// Waits for Ctrl-C, or for being told to end.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut asked), Ok(mut told)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = asked.recv() => {}
            _ = told.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
