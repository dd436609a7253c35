//! A project opened for a command: what is wrong with it is told.

use super::screen::Screen;
use super::secrets::ProjectSecrets;
use super::{Global, Trouble, project, render, store};
use crate::connector::OpenError;
use crate::engine::Engine;
use crate::workspace::{Workspace, WorkspaceError};
use std::path::Path;

/// What commands over a project take.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Answers {
    /// Answers a setting for this run only: `unknown_item=create`, or `orders.unknown_item=create`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// `NAME=VALUE`, as flags say it; the blanks of a value are its own.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// The project; one with errors is told and goes no further.
pub(crate) fn open(screen: &Screen, global: &Global, answers: &Answers) -> Result<Workspace, Trouble> {
    Workspace::open(project::folder(global)?, &answers.set).map_err(|checked| {
        Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
        Trouble::Unsound
    })
}

/// The runner over the project's store, or the one that is named, with its connections open.
pub(crate) async fn engine(workspace: &Workspace, named: Option<&Path>, command: &str) -> Result<Engine, Trouble> {
    let store = store::of(workspace.root(), named, command)?;
    let secrets = ProjectSecrets::of(workspace.root())?;
    let connections = workspace.connections(&secrets, &store).await?;
    Ok(workspace.engine(store, connections))
}

impl From<WorkspaceError> for Trouble {
    fn from(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::Store(error) => error.into(),
            WorkspaceError::Record(error) => error.into(),
            WorkspaceError::Connection(OpenError::NoClock { .. }) => Self::Unreachable(error.to_string()),
            WorkspaceError::Asked(_) | WorkspaceError::Connection(_) | WorkspaceError::Log(_) => {
                Self::Misuse(error.to_string())
            }
        }
    }
}
