//! `flowc diff --default`: what the project changes of what ships, field by field, with the line that each change displaces.

use super::open::{Answers, open};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::check::Changed;
use crate::source::{Sources, Span};
use crate::workspace::{Defaults, name_of};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The arguments of `diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Against the defaults that ship.
    #[arg(long, required = true)]
    default: bool,
}

/// Prints the changes.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    let locked = Defaults::locked(workspace.root()).map_err(Trouble::Misuse)?;
    let underneath = locked.map(|locked| workspace.defaults().since(&locked).underneath).unwrap_or_default();
    let sources = workspace.sources();
    let changes: Vec<(&Changed, bool)> =
        workspace.changes().iter().map(|change| (change, underneath.contains(&name_of(change)))).collect();
    if screen.format() == Format::Json {
        let list: Vec<Value> = changes.iter().map(|(change, moved)| as_json(sources, change, *moved)).collect();
        Screen::answer(&json!(list).to_string())?;
    } else if changes.is_empty() {
        Screen::answer("the project changes nothing of what ships")?;
    } else {
        Screen::answer(people(sources, &changes).trim_end())?;
    }
    Ok(Outcome::Done)
}

/// A change, for people: the declaration once, then each line with what it displaces.
pub(super) fn people(sources: &Sources, changes: &[(&Changed, bool)]) -> String {
    let mut text = String::new();
    let mut of = String::new();
    for (change, moved) in changes {
        let now = format!("{} {}", change.kind, change.of);
        if now != of {
            let _ = writeln!(text, "{}{now}", if of.is_empty() { "" } else { "\n" });
            of = now;
        }
        let (sign, word) = match (change.removed, change.displaced) {
            (true, _) => ('-', "removed"),
            (false, Some(_)) => ('~', "in the place of"),
            (false, None) => ('+', ""),
        };
        let _ = writeln!(text, "  {sign} {}", one_line(sources.text(change.at)));
        let _ = writeln!(text, "      {}", sources.place(change.at));
        if let Some(displaced) = change.displaced {
            let new = if *moved { ", which is new since `defaults.lock` was written" } else { "" };
            let _ = writeln!(text, "    {word}  {}", one_line(sources.text(displaced)));
            let _ = writeln!(text, "      {}{new}", sources.place(displaced));
        }
    }
    text
}

/// Text of several lines in one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn as_json(sources: &Sources, change: &Changed, moved: bool) -> Value {
    let line = |span: Span| {
        let at = sources.position(span);
        json!({ "place": { "file": sources.get(span.file).path.display().to_string(), "line": at.line }, "text": sources.text(span) })
    };
    json!({
        "kind": change.kind,
        "of": &*change.of,
        "what": change.what,
        "change": if change.removed { "removed" } else if change.displaced.is_some() { "set" } else { "added" },
        "now": line(change.at),
        "default": change.displaced.map(line),
        "default_is_new": moved,
    })
}
