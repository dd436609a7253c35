//! `flowc why ID FIELD`: what made a field of a record, computed again from what the log says was found.

use super::open::{Answers, Ready};
use super::records::Stored;
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble, runtime};
use crate::check::nearest;
use crate::engine::Engine;
use crate::eval::{Answered, Evaluated, Known, Need, Pending, Why};
use crate::ir::{Entity, EntityId, Program};
use crate::store::{Place, Store};
use jiff::Timestamp;
use serde_json::{Value, json as object};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

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
    let ready = Ready::new(screen, global, &Answers::default())?;
    runtime()?.block_on(async {
        let store = ready.store(arguments.stored.store.as_deref(), "why")?;
        let engine = ready.engine_over(Arc::clone(&store), Vec::new());
        let then = then(&ready, &engine, &store, &arguments.id).await?;
        let project = then.as_ref().unwrap_or(&ready);
        let again = Again::of(project, &engine, &store, &arguments.id).await?;
        let Some(why) = again.why(project, &arguments.field) else { return Err(again.missing(project, arguments)) };
        let now = match &then {
            None => None,
            Some(_) => Again::of(&ready, &engine, &store, &arguments.id).await?.why(&ready, &arguments.field),
        };
        let now = now.filter(|now| now.value != why.value);
        match screen.format() {
            Format::Human => {
                let mut text = for_people(screen, project, &why);
                if let Some(now) = now {
                    let _ = writeln!(text, "the project has changed since then; as it is now:");
                    text.push_str(&for_people(screen, &ready, &now));
                }
                Screen::answer(&text)?;
            }
            Format::Json | Format::Sarif => {
                let mut value = json(project, &why);
                if let (Some(now), Some(members)) = (now, value.as_object_mut()) {
                    members.insert("now".into(), json(&ready, &now));
                }
                Screen::answer(&value.to_string())?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// What made each field of what was written for a record, and the project as it was then, where it was another one.
pub(crate) async fn all(
    ready: &Ready,
    engine: &Engine,
    store: &Arc<dyn Store>,
    id: &str,
) -> Result<(Vec<Why>, Option<Ready>), Trouble> {
    let then = then(ready, engine, store, id).await?;
    let project = then.as_ref().unwrap_or(ready);
    let again = Again::of(project, engine, store, id).await?;
    let whys = again.fields(project).iter().filter_map(|field| again.why(project, field)).collect();
    Ok((whys, then))
}

/// The project as it was when the record was tried last, if it has changed since.
async fn then(ready: &Ready, engine: &Engine, store: &Arc<dyn Store>, id: &str) -> Result<Option<Ready>, Trouble> {
    let (newest, _) = engine.newest_attempt(id, Timestamp::now()).await?;
    if newest.version == ready.version() { Ok(None) } else { ready.as_of(&newest.version, store.as_ref()).await }
}

/// A record that is computed again: its newest attempt, and what is known of both systems.
struct Again {
    flow: usize,
    raw: String,
    known: Logged,
}

impl Again {
    /// Reads the log, and the small tables that it names. No system is asked.
    async fn of(ready: &Ready, engine: &Engine, store: &Arc<dyn Store>, id: &str) -> Result<Self, Trouble> {
        let (newest, first) = engine.newest_attempt(id, Timestamp::now()).await?;
        let flow = ready.program().flows.iter().position(|flow| *flow.name == *newest.flow);
        let flow = flow.ok_or_else(|| Trouble::Misuse(format!("the project has no flow {} any more", newest.flow)))?;
        let mut found: Vec<Value> = serde_json::from_str(&newest.found).unwrap_or_default();
        for members in found.iter_mut().filter_map(Value::as_object_mut) {
            let Some(kept) = members.get("kept").and_then(Value::as_str) else { continue };
            let rows = store.table(kept).await?.and_then(|rows| serde_json::from_str(&rows).ok());
            members.insert("rows".to_owned(), rows.unwrap_or_default());
        }
        let known = Logged { found, at: first, names: names(ready.program()) };
        Ok(Self { flow, raw: newest.raw, known })
    }

    /// What made the field; whatever it came from is named once, however often it was looked at.
    fn why(&self, ready: &Ready, field: &str) -> Option<Why> {
        let mut why = ready.compiled.why(self.flow, &self.raw, &self.known, field)?;
        let mut seen = BTreeSet::new();
        why.sources.retain(|source| seen.insert(source.clone()));
        let mut seen = BTreeSet::new();
        why.settings.retain(|setting| seen.insert(setting.clone()));
        Some(why)
    }

    /// All fields of what is written for the record, as `why` names them.
    fn fields(&self, ready: &Ready) -> Vec<String> {
        let Evaluated::Unit(unit) = ready.compiled.unit(self.flow, &self.raw, &self.known) else { return Vec::new() };
        let mut all = Vec::new();
        for draft in &unit.drafts {
            let mapping = draft.made.name.rsplit('.').next().unwrap_or_default();
            for field in &draft.fields {
                let path = format!("{mapping}.{}", field.path.join("."));
                match serde_json::from_str::<Value>(&Pending::shown(&field.json)) {
                    Ok(value) => leaves(&path, &value, &mut all),
                    Err(_) => all.push(path),
                }
            }
        }
        all
    }

    fn missing(&self, ready: &Ready, arguments: &Arguments) -> Trouble {
        let id = &arguments.id;
        if let Some(unknown) = unknown_field(ready.program(), &arguments.field) {
            return Trouble::Misuse(unknown);
        }
        match ready.compiled.unit(self.flow, &self.raw, &self.known) {
            Evaluated::Needs(_) => {
                return Trouble::Misuse(format!(
                    "the log does not hold all that the flow asks of the systems for {id}: run it again with `flowc run --only {id}`"
                ));
            }
            Evaluated::Stopped(_, failure) => {
                let at = ready.place(failure.place).map_or(String::new(), |at| format!(" ({}:{})", at.file, at.line));
                return Trouble::Misuse(format!("{id} stops, so nothing is filled: {}{at}", failure.reason));
            }
            Evaluated::Filtered => return Trouble::Misuse(format!("the flow's `where` leaves {id} out")),
            Evaluated::Unit(_) => {}
        }
        let fields = self.fields(ready);
        let hint = match nearest(&arguments.field, fields.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", first_of(&fields)),
        };
        Trouble::Misuse(format!("no mapping of {id} fills `{}`: {hint}", arguments.field))
    }
}

/// What is wrong with a field that no mapping of the project could fill, whatever the record: its mapping or its name.
fn unknown_field(program: &Program, field: &str) -> Option<String> {
    let (mapping, path) = field.split_once('.')?;
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut targets = program.mappings.iter().filter(|m| last(&m.name) == mapping).map(|m| m.target).peekable();
    if targets.peek().is_none() {
        let names: BTreeSet<String> = program.mappings.iter().map(|m| last(&m.name)).collect();
        let names: Vec<String> = names.into_iter().collect();
        return Some(format!("no mapping is called `{mapping}`: there are {}", first_of(&names)));
    }
    let name = path.split(['.', '[']).next().unwrap_or_default();
    let entities: Vec<&Entity> = targets.map(|target| program.entity(target)).collect();
    if entities.iter().any(|e| e.field(name).is_some()) {
        return None;
    }
    let entity = entities.first()?;
    let hint = nearest(name, entity.fields.iter().map(|f| &*f.name));
    let hint = hint.map(|near| format!(": did you mean `{mapping}.{near}`?")).unwrap_or_default();
    Some(format!("{} has no field `{name}`{hint}", entity.full_name()))
}

/// The first of many names, and that there are more.
fn first_of(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

fn names(program: &Program) -> Vec<(String, Vec<String>)> {
    program
        .entities
        .iter()
        .map(|entity| (entity.full_name(), entity.fields.iter().map(|field| field.name.to_string()).collect()))
        .collect()
}

fn leaves(path: &str, value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                leaves(&format!("{path}.{name}"), inner, all);
            }
        }
        Value::Array(list) => {
            for (n, inner) in list.iter().enumerate() {
                leaves(&format!("{path}[{n}]"), inner, all);
            }
        }
        _ => all.push(path.to_owned()),
    }
}

/// What the newest attempt found, as the log keeps it.
struct Logged {
    found: Vec<Value>,
    at: Timestamp,
    names: Vec<(String, Vec<String>)>,
}

impl Logged {
    fn name(&self, entity: EntityId) -> &str {
        self.names.get(entity.0 as usize).map_or("", |(name, _)| name)
    }

    fn rows(entry: &Value) -> Answered {
        if let Some(why) = entry.get("unreadable").and_then(Value::as_str) {
            return Answered::Unreadable(why.to_owned());
        }
        let rows = entry.get("rows").and_then(Value::as_array);
        rows.map_or(Answered::NotAsked, |rows| Answered::all(rows.iter().map(|row| row.to_string().into()).collect()))
    }
}

impl Known for Logged {
    fn answer(&self, need: &Need) -> Answered {
        let text = |entry: &Value, member: &str, is: &str| entry.get(member).and_then(Value::as_str) == Some(is);
        let entry = self.found.iter().find(|entry| match need {
            Need::Find { connection, entity, by, values } => {
                let fields = self.names.get(entity.0 as usize).map_or(&[][..], |(_, fields)| fields);
                let by: Value = by.iter().map(|field| fields.get(field.0 as usize).cloned()).collect();
                let values: Value = values.iter().map(|value| value.as_deref().map(str::to_owned)).collect();
                text(entry, "find", self.name(*entity))
                    && text(entry, "in", connection)
                    && entry.get("by") == Some(&by)
                    && entry.get("values") == Some(&values)
            }
            Need::Table { connection, entity } => {
                text(entry, "table", self.name(*entity)) && text(entry, "in", connection)
            }
            Need::Row { connection, entity, id } => {
                text(entry, "row", self.name(*entity)) && text(entry, "in", connection) && text(entry, "id", id)
            }
            Need::Link(link) => {
                text(entry, "link", self.name(link.entity))
                    && text(entry, "key", &link.key)
                    && text(entry, "to", self.name(link.other))
                    && entry.get("mapping").and_then(Value::as_str) == link.mapping.as_deref()
            }
        });
        match (entry, need) {
            (Some(entry), _) => Self::rows(entry),
            (None, Need::Link(_)) => Answered::Absent,
            (None, _) => Answered::NotAsked,
        }
    }

    fn now(&self) -> Timestamp {
        self.at
    }

    fn offline(&self) -> bool {
        false
    }
}

/// The contract's form of an explanation.
pub(crate) fn json(ready: &Ready, why: &Why) -> Value {
    let mut value = object!({
        "field": why.field,
        "value": why.value,
        "place": ready.place(why.place),
        "settings": why.settings.iter().map(|(name, answer)| object!({ "name": &**name, "value": answer })).collect::<Vec<_>>(),
        "sources": why.sources.iter().map(|(path, value)| object!({ "path": path, "value": value })).collect::<Vec<_>>(),
    });
    if let Some(members) = value.as_object_mut() {
        if let Some(displaced) = why.displaced {
            members.insert("base".into(), object!(ready.place(displaced)));
        }
        if let Some((table, row)) = &why.row {
            members.insert(
                "row".into(),
                object!({ "table": &**table, "place": ready.place(*row), "text": ready.sources.text(*row).trim() }),
            );
        }
    }
    value
}

/// An explanation in a few lines.
pub(crate) fn for_people(screen: &Screen, ready: &Ready, why: &Why) -> String {
    let at = |place: Option<Place>| place.map_or(String::new(), |place| format!("{}:{}", place.file, place.line));
    let line =
        |span: crate::source::Span| ready.sources.text(span).lines().next().unwrap_or_default().trim().to_owned();
    let mut text = format!("{} = {}\n", screen.paint(&why.field, Paint::Bold), why.value);
    let _ = writeln!(text, "  {}  {}", at(ready.place(why.place)), line(why.place));
    if let Some(displaced) = why.displaced {
        let _ = writeln!(text, "  instead of the default  {}  {}", at(ready.place(displaced)), line(displaced));
    }
    if let Some((table, row)) = &why.row {
        let _ = writeln!(text, "  row of {table}  {}  {}", at(ready.place(*row)), line(*row));
    }
    for (name, answer) in &why.settings {
        let _ = writeln!(text, "  setting {name} = {answer}");
    }
    for (path, value) in &why.sources {
        let _ = writeln!(text, "  {path} = {value}");
    }
    text
}
