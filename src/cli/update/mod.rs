//! `flowc update`: takes the defaults of this edition into the project, behind what they change for it.

mod compare;
mod payloads;

use super::diff::people;
use super::open::{Answers, open};
use super::screen::Screen;
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, project};
use crate::check::Changed;
use crate::workspace::{Defaults, LOCK_FILE, Moved, TEXTS_FILE, Workspace, name_of};
use serde_json::json;
use std::fmt::Write as _;

/// The arguments of `update`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Show it, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    stored: Stored,
}

/// Shows what has moved and what that changes, then writes the lock.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = match open(screen, global, &Answers::default()) {
        Err(Trouble::Unsound) => {
            if let Some(told) = compare::was_sound(&project::folder(global)?)? {
                Screen::tell(&told);
            }
            return Err(Trouble::Unsound);
        }
        opened => opened?,
    };
    let texts = workspace.texts();
    let (now, before) = (workspace.defaults().with(&texts), locked(&workspace)?);
    let moved = before.as_ref().map(|before| now.since(before));
    // A copy that is damaged is refused whether it is needed now or not.
    if let Some(before) = &before {
        before.texts(workspace.root()).map_err(Trouble::Misuse)?.ok();
    }
    let beside = match (&before, &moved) {
        (Some(before), Some(moved)) if !moved.is_nothing() => {
            Some(compare::beside(workspace.root(), before, arguments.stored.store.as_deref())?)
        }
        _ => None,
    };
    // What a test says must not become untrue by an update.
    let breaks = beside.as_ref().is_some_and(compare::Beside::breaks_tests);
    let writes = !arguments.dry_run && !breaks;
    if screen.format() == Format::Json {
        let moved = moved.clone().unwrap_or_default();
        let told = json!({
            "from": before.as_ref().map(|before| before.flowc.clone()), "to": now.flowc,
            "changed": moved.changed, "added": moved.added, "gone": moved.gone, "unused": moved.unused,
            "underneath": moved.underneath, "payloads": payloads::machine(beside.as_ref()), "written": writes,
        });
        Screen::answer(&told.to_string())?;
    } else {
        let mut text = told(&workspace, (before.as_ref(), &now), moved.as_ref(), arguments.dry_run);
        if let Some(beside) = &beside {
            text.push_str(&payloads::people(screen, beside));
        }
        if breaks {
            let _ = writeln!(
                text,
                "{LOCK_FILE} stays as it is: change the project, or what its tests expect (`flowc test`, which runs with the \
                 defaults of now), until those tests pass; then run `flowc update` again"
            );
        }
        Screen::answer(text.trim_end())?;
    }
    let is_whole = before.as_ref().is_some_and(|before| before == &now && before.has_copy(workspace.root()));
    if writes && !is_whole {
        let root = workspace.root();
        now.lock(&texts, root).map_err(|e| Trouble::Unreachable(format!("{LOCK_FILE} can't be written: {e}")))?;
    }
    Ok(if breaks { Outcome::Wrong } else { Outcome::Done })
}

fn locked(workspace: &Workspace) -> Result<Option<Defaults>, Trouble> {
    Defaults::locked(workspace.root()).map_err(Trouble::Misuse)
}

fn told(
    workspace: &Workspace,
    (before, now): (Option<&Defaults>, &Defaults),
    moved: Option<&Moved>,
    dry_run: bool,
) -> String {
    let (Some(before), Some(moved)) = (before, moved) else {
        let flowc = workspace.defaults().flowc;
        return if dry_run {
            format!("there is no {LOCK_FILE} yet: without `--dry-run` it would hold the defaults of flowc {flowc}")
        } else {
            format!("{LOCK_FILE} holds the defaults of flowc {flowc} from now on")
        };
    };
    if moved.is_nothing() && moved.added.is_empty() && moved.unused.is_empty() {
        let mut text = format!("the defaults are those that {LOCK_FILE} holds (flowc {})\n", before.flowc);
        written(&mut text, workspace, (before, now), dry_run);
        return text;
    }
    let mut text = format!("since flowc {}:\n", before.flowc);
    let files = [
        ("changed", &moved.changed),
        ("without a line in the lock", &moved.added),
        ("used no more", &moved.unused),
        ("gone", &moved.gone),
    ];
    for (what, files) in files {
        for file in files {
            let _ = writeln!(text, "  {what}: {file}");
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
    written(&mut text, workspace, (before, now), dry_run);
    text
}

/// What else is written of both files.
fn written(text: &mut String, workspace: &Workspace, (before, now): (&Defaults, &Defaults), dry_run: bool) {
    let lines = now.beside(before);
    if !lines.is_empty() {
        let verb = if dry_run { "would be written" } else { "is written" };
        let _ = writeln!(text, "{verb} into {LOCK_FILE}:");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    if !before.has_copy(workspace.root()) {
        let verb = if dry_run { "`flowc update` writes it anew" } else { "it is written anew" };
        let _ = writeln!(text, "{TEXTS_FILE}, the texts of the defaults, is not there: {verb}");
    }
}
