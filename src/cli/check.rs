//! `flowc check`: all mistakes of a project or of single files, in one go.

use super::project::{self, PROJECT_FILE};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble, machine, moved, render};
use crate::check::{self, Checked};
use crate::source::{Diagnostic, Disk, Files, Sources};
use crate::workspace::Defaults;
use std::path::{Path, PathBuf};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Flow files, or folders of them; without any, the project.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// Checks and prints.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let project = project_asked(global, &arguments.paths)?;
    let checked = match &project {
        Some(root) => check::check_project(&Disk, root, &[]),
        None => files(arguments)?,
    };
    // Read first: "no mistakes" and a lock that can't be read don't go together.
    let moved =
        project.map_or(Ok(None), |root| moved::moved(&root, || Defaults::of(&checked.sources, &checked.changes)));
    if moved.is_ok() || !checked.diagnostics.is_empty() {
        report(screen, &checked.sources, &checked.diagnostics)?;
    }
    if let Some(moved) = moved? {
        Screen::tell(&format!("warning: {moved}"));
    }
    let outcome = if checked.is_sound() { Outcome::Done } else { Outcome::Wrong };
    // The process ends: to give a program's many small parts back one by one would take longer than to check a file.
    std::mem::forget(checked);
    Ok(outcome)
}

/// The diagnostics in the form that is asked for.
pub(crate) fn report(screen: &Screen, sources: &Sources, diagnostics: &[Diagnostic]) -> Result<(), Trouble> {
    match screen.format() {
        Format::Human => Screen::tell(&render::reports(screen, sources, diagnostics)),
        Format::Json => Screen::answer(&machine::list(sources, diagnostics).to_string())?,
        Format::Sarif => Screen::answer(&machine::sarif(sources, diagnostics).to_string())?,
    }
    Ok(())
}

fn files(arguments: &Arguments) -> Result<Checked, Trouble> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        if path.is_dir() { files.extend(files_below(path)?) } else { files.push(path.clone()) }
    }
    Ok(check::check_files(&Disk, &files))
}

/// The project, when that is what is to be checked: nothing is named, or the project's folder itself.
fn project_asked(global: &Global, paths: &[PathBuf]) -> Result<Option<PathBuf>, Trouble> {
    match paths {
        [] => project::folder(global).map(Some),
        [one] if one.join(PROJECT_FILE).is_file() => Ok(Some(one.clone())),
        _ => Ok(None),
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let found =
        Disk.flow_files(folder).map_err(|e| Trouble::Misuse(format!("{} can't be read: {e}", folder.display())))?;
    if found.is_empty() {
        return Err(Trouble::Misuse(format!("there are no .flow files in {}", folder.display())));
    }
    Ok(found)
}
