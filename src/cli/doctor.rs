//! `flowc doctor`: what would keep the project from working, before it goes live.

use super::open::{Answers, engine};
use super::screen::{Paint, Screen};
use super::store::Stored;
use super::tell::{COLUMNS, wrapped};
use super::{Answer, Format, Global, Outcome, Trouble, interrupted, machine, project, render, runtime};
use crate::check;
use crate::engine::{Ailment, Cancel, Examined, Health, LackingRow, PassError, SystemHealth};
use crate::ir::{Grows, LookupId, Program};
use crate::workspace::Workspace;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// So many of the last records of each flow are tried; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 100)]
    records: usize,
    #[command(flatten)]
    answers: Answers,
    #[command(flatten)]
    stored: Stored,
}

/// Examines the project and its systems.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = Workspace::open_live(project::folder(global)?, &arguments.answers.set).map_err(|checked| {
        Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
        Trouble::Unsound
    })?;
    let examined = Examined { whole: true, records: arguments.records };
    let health = self::examined(&workspace, &arguments.stored, examined, "doctor")?;
    match screen.format() {
        Format::Human => Screen::answer(&for_people(screen, &workspace, &health))?,
        Format::Json | Format::Sarif => Screen::answer(&for_programs(&workspace, &health).to_string())?,
    }
    match unreached(&health) {
        Some(why) => Err(Trouble::Unreachable(why)),
        None if health.is_well() => Ok(Outcome::Done),
        None => Ok(Outcome::Wrong),
    }
}

/// What comes of examining a project.
pub(super) fn examined(
    workspace: &Workspace,
    stored: &Stored,
    examined: Examined,
    command: &str,
) -> Result<Health, Trouble> {
    runtime()?.block_on(async {
        let engine = engine(workspace, stored.store.as_deref(), command).await?;
        let cancel = Cancel::default();
        let health = tokio::select! {
            health = engine.examine(examined, check::near, &cancel) => health,
            () = interrupted() => Err(PassError::Cancelled),
        };
        health.map_err(|ending| super::run::trouble(&ending))
    })
}

/// Which systems could not be asked, and why.
pub(super) fn unreached(health: &Health) -> Option<String> {
    let told = health.systems.iter().filter_map(|s| s.trouble.clone());
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn for_people(screen: &Screen, workspace: &Workspace, health: &Health) -> String {
    let mut text = String::new();
    for system in &health.systems {
        let _ = writeln!(text, "{}", wrapped(&of_system(screen, system), COLUMNS));
    }
    if !health.codes.is_empty() {
        let _ = write!(text, "\n{}", render::reports(screen, workspace.sources(), &health.codes));
    }
    for ailment in &health.ailments {
        let at = ailment.span.map(|span| format!("{}: ", workspace.sources().place(span))).unwrap_or_default();
        let told = format!("{}{}: {}", at, ailment.system, ailment.message);
        let _ = write!(text, "\n{}\n{}\n", wrapped(&told, COLUMNS), wrapped(&format!("  {}", ailment.help), COLUMNS));
    }
    let rows = paste(workspace.program(), &health.sampled.rows);
    if !rows.is_empty() {
        let _ = write!(text, "\nOf the last {} records some miss a row of a table:\n", health.sampled.records);
        for (missing, rows) in rows {
            let _ = write!(text, "\n{rows}\n  # {missing}\n");
        }
        text.push_str("\nA record tells the first row that it misses: look again when these are in.\n");
    }
    let says = match (health.is_reached(), health.is_well()) {
        (false, _) => "Not all systems could be asked.",
        (true, true) => "Nothing is wrong.",
        (true, false) => "Something is to be mended before this goes live.",
    };
    let _ = write!(text, "\n{says}");
    if health.sampled.records > 0 && health.sampled.rows.is_empty() {
        let _ = write!(text, " The last {} records miss no row of a table.", health.sampled.records);
    }
    text.push('\n');
    text
}

fn of_system(screen: &Screen, system: &SystemHealth) -> String {
    let name = screen.paint(&system.name, Paint::Bold);
    if let Some(trouble) = &system.trouble {
        return format!("{name}: {trouble}");
    }
    let mut said = vec!["answers, and takes the login".to_owned()];
    if let Some(ahead) = system.ahead {
        let way = if ahead.is_negative() { "behind" } else { "ahead" };
        said.push(format!("its clock is {} s {way}", ahead.abs().as_secs()));
    }
    said.extend(
        system.left.iter().map(|left| format!("{} of {} calls a {} are left", left.left, left.limit, left.window)),
    );
    format!("{name}: {}", said.join("; "))
}

/// Rows as a person pastes them: for each table who misses them, and the lines.
fn paste(program: &Program, rows: &[LackingRow]) -> Vec<(String, String)> {
    let mut tables: Vec<LookupId> = rows.iter().map(|row| row.lookup).collect();
    tables.dedup();
    let of_table = |id: LookupId| {
        let rows: Vec<&LackingRow> = rows.iter().filter(|row| row.lookup == id).collect();
        let missing: Vec<String> =
            rows.iter().map(|row| format!("{}: {} records, such as {}", row.row, row.count, row.example)).collect();
        let indented: Vec<String> = rows.iter().map(|row| format!("  {}", row.row)).collect();
        let lookup = program.lookup(id);
        let lines = match &lookup.grows {
            Grows::Adapted => format!("adapt lookup {} {{\n{}\n}}", lookup.name, indented.join("\n")),
            Grows::Here => format!("lookup {}:\n{}", lookup.name, indented.join("\n")),
            Grows::Csv(file) => format!("{file}:\n{}", indented.join("\n")),
        };
        (missing.join("\n  # "), lines)
    };
    tables.into_iter().map(of_table).collect()
}

fn for_programs(workspace: &Workspace, health: &Health) -> Value {
    let ailment = |a: &Ailment| {
        let mut value = json!({ "kind": a.kind, "system": a.system, "message": a.message, "help": a.help });
        if let (Some(place), Some(members)) = (a.span.and_then(|span| workspace.place(span)), value.as_object_mut()) {
            members.insert("file".into(), place.file.into());
            members.insert("line".into(), place.line.into());
            members.insert("column".into(), place.column.into());
        }
        value
    };
    let system = |s: &SystemHealth| {
        json!({
            "name": s.name,
            "reached": s.trouble.is_none(),
            "trouble": s.trouble,
            "ahead_seconds": s.ahead.map(|ahead| ahead.as_secs()),
            "left": s.left.iter().map(|l| json!({ "window": l.window, "limit": l.limit, "left": l.left })).collect::<Vec<_>>(),
        })
    };
    let row = |row: &LackingRow| {
        let paste = paste(workspace.program(), std::slice::from_ref(row)).into_iter().next();
        json!({
            "table": workspace.program().lookup(row.lookup).name,
            "row": row.row,
            "records": row.count,
            "example": row.example,
            "paste": paste.map(|(_, lines)| lines),
        })
    };
    json!({
        "well": health.is_well(),
        "systems": health.systems.iter().map(system).collect::<Vec<_>>(),
        "codes": machine::list(workspace.sources(), &health.codes),
        "ailments": health.ailments.iter().map(ailment).collect::<Vec<_>>(),
        "records": health.sampled.records,
        "rows": health.sampled.rows.iter().map(row).collect::<Vec<_>>(),
    })
}
