//! `flowc update`: takes the defaults of this edition into the project, behind what they change for it.

use super::diff::people;
use super::open::{Answers, open};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::check::Changed;
use crate::workspace::{Defaults, LOCK_FILE, Moved, Workspace, name_of};
use serde_json::json;
use std::fmt::Write as _;

/// The arguments of `update`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Show it, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Shows what has moved, then writes the lock.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    let (now, before) = (workspace.defaults(), locked(&workspace)?);
    let moved = before.as_ref().map(|before| now.since(before));
    if screen.format() == Format::Json {
        let moved = moved.clone().unwrap_or_default();
        let told = json!({
            "from": before.as_ref().map(|before| before.flowc.clone()), "to": now.flowc,
            "changed": moved.changed, "added": moved.added, "gone": moved.gone, "underneath": moved.underneath,
            "written": !arguments.dry_run,
        });
        Screen::answer(&told.to_string())?;
    } else {
        Screen::answer(told(&workspace, before.as_ref(), moved.as_ref()).trim_end())?;
    }
    if !arguments.dry_run && before.as_ref() != Some(&now) {
        now.lock(workspace.root()).map_err(|e| Trouble::Unreachable(format!("{LOCK_FILE} can't be written: {e}")))?;
    }
    Ok(Outcome::Done)
}

fn locked(workspace: &Workspace) -> Result<Option<Defaults>, Trouble> {
    Defaults::locked(workspace.root()).map_err(Trouble::Misuse)
}

fn told(workspace: &Workspace, before: Option<&Defaults>, moved: Option<&Moved>) -> String {
    let (Some(before), Some(moved)) = (before, moved) else {
        return format!("{LOCK_FILE} holds the defaults of flowc {} from now on", workspace.defaults().flowc);
    };
    if moved.is_nothing() && moved.added.is_empty() {
        return format!("the defaults are those that {LOCK_FILE} holds (flowc {})", before.flowc);
    }
    let mut text = format!("since flowc {}:\n", before.flowc);
    for (what, files) in [("changed", &moved.changed), ("used by now", &moved.added), ("gone", &moved.gone)] {
        for file in files {
            let _ = writeln!(text, "  {what:<12} {file}");
        }
    }
    let under: Vec<(&Changed, bool)> = workspace
        .changes()
        .iter()
        .filter(|change| moved.underneath.contains(&name_of(change)))
        .map(|c| (c, true))
        .collect();
    if !under.is_empty() {
        let _ = writeln!(text, "\nchanges of this project under which the default is another now:\n");
        text.push_str(&people(workspace.sources(), &under));
    }
    text
}

/// Tells people where the defaults are others than those that the project was made with.
pub(super) fn tell_moved(workspace: &Workspace) -> Result<(), Trouble> {
    let Some(before) = locked(workspace)? else { return Ok(()) };
    let moved = workspace.defaults().since(&before);
    if !moved.is_nothing() {
        let files = moved.changed.iter().chain(&moved.gone).cloned().collect::<Vec<_>>().join(", ");
        return Err(Trouble::Misuse(format!(
            "the defaults are others than those that {LOCK_FILE} holds ({files}): `flowc update --dry-run` shows what that changes, `flowc update` takes them over"
        )));
    }
    Ok(())
}
