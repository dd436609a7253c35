//! `flowc check`: all mistakes of a project or of single files, in one go.

use super::project::{self, PROJECT_FILE};
use super::screen::Screen;
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, doctor, machine, moved, render};
use crate::check::{self, Checked};
use crate::engine::Examined;
use crate::source::{Diagnostic, Disk, Files, Severity, Sources};
use crate::workspace::{Defaults, Workspace};
use std::path::{Path, PathBuf};

/// The arguments of `check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Flow files, or folders of them; without any, the project.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Asks both systems too: whether the codes of settings and tables are there, may be used, and mean what they should.
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    stored: Stored,
}

/// Checks and prints.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let project = project_asked(global, &arguments.paths)?;
    if arguments.live {
        let Some(root) = project else {
            return Err(Trouble::Misuse(
                "--live asks the systems of a project: name its folder, or nothing".to_owned(),
            ));
        };
        return live(screen, root, arguments);
    }
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

/// The project checked, then its codes asked of its systems.
fn live(screen: &Screen, root: PathBuf, arguments: &Arguments) -> Answer {
    let checked = check::check_live(&Disk, &root, &[]);
    if !checked.is_sound() {
        report(screen, &checked.sources, &checked.diagnostics)?;
        Screen::tell("the systems have not been asked: correct these first");
        return Ok(Outcome::Wrong);
    }
    let workspace = Workspace::open_live(root, &[]).map_err(|_| Trouble::Unsound)?;
    let health = doctor::examined(&workspace, &arguments.stored, Examined::default(), "check")?;
    let mut diagnostics = checked.diagnostics;
    diagnostics.extend(health.codes.iter().cloned());
    diagnostics.sort_by_key(|d| (d.span, d.code.id));
    report(screen, workspace.sources(), &diagnostics)?;
    for ailment in &health.ailments {
        Screen::tell(&format!("{}: {}; {}", ailment.system, ailment.message, ailment.help));
    }
    if let Some(why) = doctor::unreached(&health) {
        return Err(Trouble::Unreachable(why));
    }
    let errors = diagnostics.iter().any(|d| d.severity == Severity::Error);
    Ok(if errors || !health.ailments.is_empty() { Outcome::Wrong } else { Outcome::Done })
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
