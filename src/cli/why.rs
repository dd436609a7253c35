//! `flowc why ID FIELD`: what made a field of a record, computed again from what the log says was found.

use super::moment::Moments;
use super::open::{Answers, Ready};
use super::records::Stored;
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble, runtime};
use crate::check::nearest;
use crate::engine::{BEFORE_WRITING, Engine};
use crate::eval::{Answered, Evaluated, Query, Resolver, Why};
use crate::ir::{Entity, EntityId, Program};
use crate::store::{Attempt, Place, Store};
use jiff::Timestamp;
use serde_json::{Value, json as object};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// The attempts that are looked through for one that filled the field.
const ATTEMPTS: usize = 20;

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

/// Tells what made the field: at the newest attempt that filled it, since what is filled when a record is made is left alone
/// by the attempts behind.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let ready = Ready::new(screen, global, &Answers::default())?;
    runtime()?.block_on(async {
        let store = ready.store(arguments.stored.store.as_deref(), "why")?;
        let engine = ready.engine_over(Arc::clone(&store), Vec::new());
        let (attempts, first) = engine.attempts(&arguments.id, ATTEMPTS, Timestamp::now()).await?;
        let mut newest = None;
        let mut told = None;
        for attempt in &attempts {
            let again = Again::of(&ready, &store, attempt, first).await?;
            if let Some(why) = again.why(again.project(&ready), &arguments.field) {
                told = Some((again, why, attempt));
                break;
            }
            let newest = newest.get_or_insert(again);
            if !newest.fills(&ready) {
                break;
            }
        }
        let Some((again, why, attempt)) = told else {
            return Err(match newest {
                Some(newest) => newest.missing(newest.project(&ready), arguments),
                None => Trouble::Misuse(format!("nothing is known of {}", arguments.id)),
            });
        };
        let now = again.then.as_ref().and_then(|_| again.why(&ready, &arguments.field));
        let now = now.filter(|now| now.value != why.value);
        let project = again.project(&ready);
        match screen.format() {
            Format::Human => {
                let mut text = for_people(screen, project, &why);
                if newest.is_some() {
                    let when = Moments::of(project.program()).second(attempt.at);
                    let _ = writeln!(text, "  as it was filled on {when}; what came later left it alone");
                }
                if let Some(now) = now {
                    let _ = writeln!(text, "the project has changed since then; as it is now:");
                    text.push_str(&for_people(screen, &ready, &now));
                }
                Screen::answer(&text)?;
            }
            Format::Json | Format::Sarif => {
                let mut value = json(project, &why);
                if let Some(members) = value.as_object_mut() {
                    members.insert("at".into(), object!(attempt.at));
                    if let Some(now) = now {
                        members.insert("now".into(), json(&ready, &now));
                    }
                }
                Screen::answer(&value.to_string())?;
            }
        }
        Ok(Outcome::Done)
    })
}

/// What made each field of what was written for a record at its newest attempt, and the project as it was then, where it
/// was another one.
pub(crate) async fn all(
    ready: &Ready,
    engine: &Engine,
    store: &Arc<dyn Store>,
    id: &str,
) -> Result<(Vec<Why>, Option<Ready>), Trouble> {
    let (attempts, first) = engine.attempts(id, 1, Timestamp::now()).await?;
    let Some(newest) = attempts.first() else { return Ok((Vec::new(), None)) };
    let again = Again::of(ready, store, newest, first).await?;
    let project = again.project(ready);
    let whys = again.whys(project);
    Ok((whys, again.then))
}

/// A record that is computed again: one of its attempts, and what was known of both systems by then.
struct Again {
    flow: usize,
    raw: String,
    known: Logged,
    /// The project as it was then, if it has changed since.
    then: Option<Ready>,
}

impl Again {
    /// Reads the log, and the small tables that it names. No system is asked.
    async fn of(ready: &Ready, store: &Arc<dyn Store>, attempt: &Attempt, first: Timestamp) -> Result<Self, Trouble> {
        let then = if attempt.version == ready.version() {
            None
        } else {
            ready.as_of(&attempt.version, store.as_ref()).await?
        };
        let program = then.as_ref().unwrap_or(ready).program();
        let flow = program.flows.iter().position(|flow| *flow.name == *attempt.flow);
        let flow = flow.ok_or_else(|| Trouble::Misuse(format!("the project has no flow {} any more", attempt.flow)))?;
        let mut found: Vec<Value> = serde_json::from_str(&attempt.found).unwrap_or_default();
        for members in found.iter_mut().filter_map(Value::as_object_mut) {
            let Some(kept) = members.get("kept").and_then(Value::as_str) else { continue };
            let rows = store.table(kept).await?.and_then(|rows| serde_json::from_str(&rows).ok());
            members.insert("rows".to_owned(), rows.unwrap_or_default());
        }
        let (earlier, later) = found.into_iter().partition(|entry| entry.get(BEFORE_WRITING).is_some());
        let known = Logged { found: later, earlier, at: first, names: names(program) };
        Ok(Self { flow, raw: attempt.raw.clone(), known, then })
    }

    /// The project as it was then.
    fn project<'a>(&'a self, ready: &'a Ready) -> &'a Ready {
        self.then.as_ref().unwrap_or(ready)
    }

    /// Whether the attempt came as far as a document.
    fn fills(&self, ready: &Ready) -> bool {
        matches!(self.project(ready).compiled.unit(self.flow, &self.raw, &self.known), Evaluated::WriteSet(_))
    }

    /// What made the field.
    fn why(&self, ready: &Ready, field: &str) -> Option<Why> {
        let why = |known: &dyn Resolver| ready.compiled.why(self.flow, &self.raw, known, field);
        why(&self.known).or_else(|| why(&Earlier(&self.known)))
    }

    /// What made each field that the attempt filled, before it wrote anything and behind that.
    fn whys(&self, ready: &Ready) -> Vec<Why> {
        let whys = |known: &dyn Resolver| ready.compiled.whys(self.flow, &self.raw, known);
        let mut all = whys(&self.known);
        all.extend(whys(&Earlier(&self.known)));
        let mut seen = BTreeSet::new();
        all.retain(|why| seen.insert(why.field.clone()));
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
            Evaluated::Stopped(_, failure, _) => {
                let at = ready.place(failure.place).map_or(String::new(), |at| format!(" ({}:{})", at.file, at.line));
                return Trouble::Misuse(format!("{id} stops, so nothing is filled: {}{at}", failure.reason));
            }
            Evaluated::Filtered => return Trouble::Misuse(format!("the flow's `where` leaves {id} out")),
            Evaluated::WriteSet(_) => {}
        }
        let fields: Vec<String> = self.whys(ready).into_iter().map(|why| why.field).collect();
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
    let makers = program.mappings.iter().filter(|m| *program.entity(m.target).name == *mapping);
    let makers: Vec<String> = makers.map(|m| format!("`{}.{path}`", last(&m.name))).collect();
    if targets.peek().is_none() && !makers.is_empty() {
        return Some(format!("a field is named by the mapping that fills it: {}", makers.join(", ")));
    }
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

/// What the newest attempt found, as the log keeps it.
struct Logged {
    found: Vec<Value>,
    /// What was answered otherwise before the attempt wrote anything.
    earlier: Vec<Value>,
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

    fn answer_of(&self, found: &[Value], need: &Query) -> Option<Answered> {
        let text = |entry: &Value, member: &str, is: &str| entry.get(member).and_then(Value::as_str) == Some(is);
        let entry = found.iter().find(|entry| match need {
            Query::Find { connection, entity, by, values } => {
                let fields = self.names.get(entity.0 as usize).map_or(&[][..], |(_, fields)| fields);
                let by: Value = by.iter().map(|field| fields.get(field.0 as usize).cloned()).collect();
                let values: Value = values.iter().map(|value| value.as_deref().map(str::to_owned)).collect();
                text(entry, "find", self.name(*entity))
                    && text(entry, "in", connection)
                    && entry.get("by") == Some(&by)
                    && entry.get("values") == Some(&values)
            }
            Query::Table { connection, entity } => {
                text(entry, "table", self.name(*entity)) && text(entry, "in", connection)
            }
            Query::Row { connection, entity, id } => {
                text(entry, "row", self.name(*entity)) && text(entry, "in", connection) && text(entry, "id", id)
            }
            Query::Link(link) => {
                text(entry, "link", self.name(link.entity))
                    && text(entry, "key", &link.key)
                    && text(entry, "to", self.name(link.other))
                    && entry.get("mapping").and_then(Value::as_str) == link.mapping.as_deref()
            }
        });
        entry.map(Self::rows)
    }

    /// What is not in the log was not asked; of links it has all.
    fn or_else_of(need: &Query) -> Answered {
        if let Query::Link(_) = need { Answered::Absent } else { Answered::NotAsked }
    }
}

impl Resolver for Logged {
    fn answer(&self, need: &Query) -> Answered {
        self.answer_of(&self.found, need).unwrap_or_else(|| Self::or_else_of(need))
    }

    fn now(&self) -> Timestamp {
        self.at
    }

    fn offline(&self) -> bool {
        false
    }
}

/// What was known before the attempt wrote anything.
struct Earlier<'l>(&'l Logged);

impl Resolver for Earlier<'_> {
    fn answer(&self, need: &Query) -> Answered {
        let Self(logged) = self;
        logged.answer_of(&logged.earlier, need).unwrap_or_else(|| logged.answer(need))
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn offline(&self) -> bool {
        self.0.offline()
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
