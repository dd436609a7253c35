//! `flowc schema pull`: what the systems have of their own, written into the project to be committed.

use super::open::engine;
use super::screen::Screen;
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, interrupted, project, render, runtime};
use crate::engine::{Pulled, SystemHealth};
use crate::master::{pulled_entries_file, pulled_file};
use crate::workspace::Workspace;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The arguments of `schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read the systems, and write what they have of their own into schema/
    #[command(after_help = "Example: flowc schema pull books --diff")]
    Pull(Arguments),
}

/// The arguments of `schema pull`.
#[derive(Debug, clap::Args)]
struct Arguments {
    /// One connection; without any, all.
    #[arg(value_name = "CONNECTION")]
    connection: Option<String>,
    /// Only show what would change.
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    stored: Stored,
}

/// A file that is to change: its path from the project's folder, what it held, what it will hold.
struct Change {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

/// Reads, shows what changes, and writes it.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &SchemaArguments) -> Answer {
    let Command::Pull(arguments) = &arguments.command;
    let root = project::folder(global)?;
    let workspace = open(screen, &root)?;
    if let Some(named) = &arguments.connection
        && !workspace.program().connections.iter().any(|c| *c.name == **named)
    {
        let all: Vec<&str> = workspace.program().connections.iter().map(|c| &*c.name).collect();
        return Err(Trouble::Misuse(format!("there is no connection `{named}`; the project has {}", all.join(", "))));
    }
    let pulled = pulled(&workspace, arguments)?;
    let changes = changes(&workspace, &pulled)?;
    if !arguments.diff {
        write(&root, &changes)?;
    }
    for ailment in &pulled.unread {
        Screen::tell(&format!("{}: {}; {}", ailment.system, ailment.message, ailment.help));
    }
    match screen.format() {
        Format::Human => Screen::answer(&for_people(&changes, arguments.diff))?,
        Format::Json | Format::Sarif => Screen::answer(&for_programs(&changes, &pulled, arguments.diff).to_string())?,
    }
    Ok(if pulled.unread.is_empty() { Outcome::Done } else { Outcome::Wrong })
}

/// The project; mistakes that a fresh pull may mend keep nobody from pulling.
fn open(screen: &Screen, root: &Path) -> Result<Workspace, Trouble> {
    Workspace::open_to_pull(root.to_path_buf()).map_err(|checked| {
        Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
        Trouble::Unsound
    })
}

fn pulled(workspace: &Workspace, arguments: &Arguments) -> Result<Pulled, Trouble> {
    runtime()?.block_on(async {
        let engine = engine(workspace, arguments.stored.store.as_deref(), "schema").await?;
        tokio::select! {
            pulled = async {
                let named = arguments.connection.as_deref();
                let lost: Vec<SystemHealth> = engine.greeted(named).await.into_iter().filter(|s| s.trouble.is_some()).collect();
                match lost.into_iter().find_map(|system| system.trouble) {
                    Some(trouble) => Err(Trouble::Unreachable(trouble)),
                    None => Ok(engine.pull(named).await),
                }
            } => pulled,
            () = interrupted() => Err(Trouble::Misuse("it was stopped; nothing is written".to_owned())),
        }
    })
}

/// The files that hold something else than before.
fn changes(workspace: &Workspace, pulled: &Pulled) -> Result<Vec<Change>, Trouble> {
    let program = workspace.program();
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for table in &pulled.tables {
        let text = table.written(program).map_err(|e| Trouble::Bug(format!("rows have no form as CSV: {e}")))?;
        files.insert(pulled_file(&table.connection, program.entity(table.entity)), text);
    }
    for entries in &pulled.entries {
        let text: String = std::iter::once("key\n".to_owned())
            .chain(entries.names.iter().map(|name| format!("{}\n", name.replace(['\n', '\r'], " "))))
            .collect();
        files.insert(pulled_entries_file(&entries.connection, program.entity(entries.entity)), text);
    }
    let mut changes = Vec::new();
    for (path, after) in files {
        // Of what no record has there is nothing to keep.
        let is_empty = after.lines().count() < 2;
        let before = match std::fs::read_to_string(workspace.root().join(&path)) {
            Ok(before) => Some(before),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(Trouble::Misuse(format!("{} can't be read: {e}", path.display()))),
        };
        if before.as_deref() != Some(&*after) && !(is_empty && before.is_none()) {
            changes.push(Change { path, before, after });
        }
    }
    Ok(changes)
}

fn write(root: &Path, changes: &[Change]) -> Result<(), Trouble> {
    for change in changes {
        let path = root.join(&change.path);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        made.and_then(|()| std::fs::write(&path, &change.after))
            .map_err(|e| Trouble::Misuse(format!("{} can't be written: {e}", change.path.display())))?;
    }
    Ok(())
}

impl Change {
    /// Lines that go, and lines that come.
    fn lines(&self) -> (Vec<&str>, Vec<&str>) {
        let before: Vec<&str> = self.before.iter().flat_map(|text| text.lines()).collect();
        let after: Vec<&str> = self.after.lines().collect();
        let gone = before.iter().filter(|line| !after.contains(line)).copied().collect();
        let come = after.iter().filter(|line| !before.contains(line)).copied().collect();
        (gone, come)
    }
}

fn for_people(changes: &[Change], only_shown: bool) -> String {
    let mut text = String::new();
    for change in changes {
        let (gone, come) = change.lines();
        let new = if change.before.is_none() { " (new)" } else { "" };
        let _ = writeln!(text, "{}{new}", change.path.display());
        if change.before.is_none() && !only_shown {
            let _ = writeln!(text, "  {} lines", come.len());
            continue;
        }
        for (sign, line) in gone.iter().map(|line| ('-', line)).chain(come.iter().map(|line| ('+', line))) {
            let _ = writeln!(text, "{sign} {line}");
        }
    }
    let says = match (changes.is_empty(), only_shown) {
        (true, _) => "schema/ holds what the systems have.",
        (false, true) => "Nothing is written: leave out --diff to take it over.",
        (false, false) => "Look at the changes, run `flowc check`, and commit schema/.",
    };
    let _ = writeln!(text, "{says}");
    text
}

fn for_programs(changes: &[Change], pulled: &Pulled, only_shown: bool) -> serde_json::Value {
    let change = |change: &Change| {
        let (gone, come) = change.lines();
        json!({ "file": change.path, "new": change.before.is_none(), "gone": gone, "come": come })
    };
    let unread = pulled.unread.iter().map(|a| json!({ "system": a.system, "message": a.message }));
    json!({
        "written": !only_shown,
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "unread": unread.collect::<Vec<_>>(),
    })
}
