//! `flowc why ID FIELD`: what made a field of a record, computed again from what the log says was found.

use super::moment::Moments;
use super::open::{Answers, open};
use super::screen::{Paint, Screen};
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, runtime, store};
use crate::eval::Why;
use crate::store::Place;
use crate::workspace::{Explained, Workspace};
use jiff::Timestamp;
use serde_json::{Value, json as object};
use std::fmt::Write as _;

/// The arguments of `why`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The record: FLOW:KEY, such as `orders:1001`.
    #[arg(value_name = "ID")]
    id: String,
    /// The field: `sales_order.SalesOrderLines[0].VATCode`.
    #[arg(value_name = "FIELD")]
    field: String,
    #[command(flatten)]
    stored: Stored,
}

/// Tells what made the field.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    runtime()?.block_on(async {
        let store = store::of(workspace.root(), arguments.stored.store.as_deref(), "why")?;
        let explained = workspace.why(&store, &arguments.id, &arguments.field, Timestamp::now()).await?;
        let Explained { why, at, is_earlier, then, now } = explained;
        let project = then.as_ref().unwrap_or(&workspace);
        match screen.format() {
            Format::Human => {
                let mut text = for_people(screen, project, &why);
                if is_earlier {
                    let when = Moments::of(project.program()).second(at);
                    let _ = writeln!(text, "  as it was filled on {when}; what came later left it alone");
                }
                if let Some(now) = now {
                    let _ = writeln!(text, "the project has changed since then; as it is now:");
                    text.push_str(&for_people(screen, &workspace, &now));
                }
                Screen::answer(&text)?;
            }
            Format::Json | Format::Sarif => {
                let mut value = json(project, &why);
                if let Some(members) = value.as_object_mut() {
                    members.insert("at".into(), object!(at));
                    if let Some(now) = now {
                        members.insert("now".into(), json(&workspace, &now));
                    }
                }
                Screen::answer(&value.to_string())?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// The contract's form of an explanation.
pub(crate) fn json(workspace: &Workspace, why: &Why) -> Value {
    let mut value = object!({
        "field": why.field,
        "value": why.value,
        "place": workspace.place(why.place),
        "settings": why.settings.iter().map(|(name, answer)| object!({ "name": &**name, "value": answer })).collect::<Vec<_>>(),
        "sources": why.sources.iter().map(|(path, value)| object!({ "path": path, "value": value })).collect::<Vec<_>>(),
    });
    if let Some(members) = value.as_object_mut() {
        if let Some((default, between)) = why.displaced.split_first() {
            members.insert("base".into(), object!(workspace.place(*default)));
            if !between.is_empty() {
                let places: Vec<_> = between.iter().map(|change| workspace.place(*change)).collect();
                members.insert("between".into(), object!(places));
            }
        }
        if let Some((table, row)) = &why.row {
            members.insert(
                "row".into(),
                object!({ "table": &**table, "place": workspace.place(*row), "text": workspace.sources().text(*row).trim() }),
            );
        }
    }
    value
}

/// An explanation in a few lines.
pub(crate) fn for_people(screen: &Screen, workspace: &Workspace, why: &Why) -> String {
    let at = |place: Option<Place>| place.map_or(String::new(), |place| format!("{}:{}", place.file, place.line));
    let line =
        |span: crate::source::Span| workspace.sources().text(span).lines().next().unwrap_or_default().trim().to_owned();
    let mut text = format!("{} = {}\n", screen.paint(&why.field, Paint::Bold), why.value);
    let _ = writeln!(text, "  {}  {}", at(workspace.place(why.place)), line(why.place));
    for (n, displaced) in why.displaced.iter().enumerate().rev() {
        let what = if n == 0 { "instead of the default" } else { "which changes" };
        let _ = writeln!(text, "  {what}  {}  {}", at(workspace.place(*displaced)), line(*displaced));
    }
    if let Some((table, row)) = &why.row {
        let _ = writeln!(text, "  row of {table}  {}  {}", at(workspace.place(*row)), line(*row));
    }
    for (name, answer) in &why.settings {
        let _ = writeln!(text, "  setting {name} = {answer}");
    }
    for (path, value) in &why.sources {
        let _ = writeln!(text, "  {path} = {value}");
    }
    text
}
