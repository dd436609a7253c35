//! A record of the log made a test: what was read and found becomes what is given, with other people in it, and what comes of
//! it now is expected from then on.

use super::anonymous::Anonymous;
use crate::engine::log::Asked;
use crate::eval::{Evaluated, Given};
use crate::ir::{EntityId, Program, Stop};
use crate::workspace::{Recorded, Workspace};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The folder of tests that were made of records.
const FOLDER: &str = "recorded";
/// Rows of one entity up to which each is tried for whether the test needs it.
const ROWS_TRIED_MAX: usize = 2000;

/// A test that was made of a record: its files, by path within the project.
#[derive(Debug)]
pub struct Made {
    /// The module of the test.
    pub module: String,
    /// The file of the test.
    pub path: String,
    /// All files.
    pub files: BTreeMap<String, String>,
}

/// A row that is given.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    entity: EntityId,
    key: Option<String>,
    row: Value,
}

/// All that is given.
#[derive(Clone, Debug)]
struct Scene {
    source: Row,
    rows: Vec<Row>,
    /// Two records by entity and key: the one that was read, and what it is linked to.
    links: Vec<[(EntityId, String); 2]>,
    now: Timestamp,
}

/// The test that a record of the log makes.
///
/// # Errors
/// Why it makes none, for the person who asked.
pub fn made_of(workspace: &Workspace, recorded: &Recorded) -> Result<Made, String> {
    let mut scene = Scene::of(workspace, recorded)?;
    let outcome = scene.evaluated(workspace, recorded.flow);
    if let Evaluated::Needs(_) = outcome {
        return Err(
            "the log does not hold all that the flow asks of the systems: run the record again first".to_owned()
        );
    }
    let wanted = told(&outcome);
    scene.keep_needed(workspace, recorded.flow, &wanted);
    Ok(scene.written(workspace, recorded.flow, &outcome))
}

/// What came of it, as far as another scene must come to the same.
fn told(outcome: &Evaluated) -> String {
    format!("{outcome:?}")
}

impl Scene {
    fn of(workspace: &Workspace, recorded: &Recorded) -> Result<Self, String> {
        let program = workspace.program();
        let mut anonymous = Anonymous::new(workspace.compiled());
        let flow = &program.flows[recorded.flow];
        let raw: Value = serde_json::from_str(&recorded.raw).map_err(|e| format!("the record can't be read: {e}"))?;
        let source = Row::of(program, flow.source, &raw, &mut anonymous);
        let mut scene = Self { source, rows: Vec::new(), links: Vec::new(), now: recorded.first };
        let named = |name: &str| {
            let found = program.entities.iter().position(|entity| entity.full_name() == *name);
            found.map(EntityId::from).ok_or_else(|| format!("the project has no entity {name} any more"))
        };
        for (asked, rows) in &recorded.answers {
            match asked {
                Asked::Find { entity, .. }
                | Asked::Table { entity, .. }
                | Asked::Once { entity, .. }
                | Asked::Row { entity, .. } => {
                    let entity = named(entity)?;
                    for row in rows {
                        let row = Row::of(program, entity, row, &mut anonymous);
                        if !row.key.as_ref().is_some_and(|key| recorded.made.contains(key)) {
                            scene.add(row);
                        }
                    }
                }
                Asked::Link { entity, key, other, .. } => {
                    for end in rows.iter().filter_map(key_text).filter(|end| !recorded.made.contains(end)) {
                        let link = [(named(entity)?, key.clone()), (named(other)?, end)];
                        let is_same = |known: &[_; 2]| *known == link || known[0] == link[1] && known[1] == link[0];
                        if !scene.links.iter().any(is_same) {
                            scene.links.push(link);
                        }
                    }
                }
            }
        }
        let ends: Vec<(EntityId, String)> = scene.links.iter().flatten().cloned().collect();
        for (entity, key) in ends {
            scene.add(Row::stub(program, entity, key));
        }
        Ok(scene)
    }

    /// A row that is not there yet; of one that is, what is new.
    fn add(&mut self, row: Row) {
        let same = |other: &&mut Row| other.entity == row.entity && row.key.is_some() && other.key == row.key;
        let known = std::iter::once(&mut self.source).chain(&mut self.rows).find(same);
        match known {
            Some(known) => {
                if let (Value::Object(known), Value::Object(new)) = (&mut known.row, row.row) {
                    for (name, value) in new.into_iter().filter(|(_, value)| !value.is_null()) {
                        // What one answer left out, another one has.
                        if known.get(&name).is_none_or(Value::is_null) {
                            known.insert(name, value);
                        }
                    }
                }
            }
            None => self.rows.push(row),
        }
    }

    fn evaluated(&self, workspace: &Workspace, flow: usize) -> Evaluated {
        let program = workspace.program();
        let mut given = Given::empty(self.now);
        for row in std::iter::once(&self.source).chain(&self.rows) {
            given.add_row(program, row.entity, row.row.clone());
        }
        for [(one, key), (other, end)] in &self.links {
            given.link((*one, key), (*other, end), None);
        }
        workspace.compiled().unit(flow, &self.source.row.to_string(), &given)
    }

    /// Leaves out the rows without which the same comes of it.
    fn keep_needed(&mut self, workspace: &Workspace, flow: usize, wanted: &str) {
        let linked: BTreeSet<(EntityId, String)> = self.links.iter().flatten().cloned().collect();
        let mut n = 0;
        let mut tried = 0;
        while n < self.rows.len() && tried < ROWS_TRIED_MAX {
            tried += 1;
            let key = self.rows[n].key.clone().map(|key| (self.rows[n].entity, key));
            if key.is_some_and(|key| linked.contains(&key)) {
                n += 1;
                continue;
            }
            let left = self.rows.remove(n);
            if told(&self.evaluated(workspace, flow)) != *wanted {
                self.rows.insert(n, left);
                n += 1;
            }
        }
    }

    fn written(&self, workspace: &Workspace, flow: usize, outcome: &Evaluated) -> Made {
        let program = workspace.program();
        let declared = &program.flows[flow];
        let short = declared.name.rsplit('.').next().unwrap_or_default();
        let key = self.source.key.clone().unwrap_or_default();
        let name = format!("{short}_{}", plain(&key));
        let mut files = BTreeMap::new();
        let mut text = format!("# Made of the record {short}:{key} of the log; the people in it are made up.\n");
        let module = module_of(workspace, flow);
        let mut uses: BTreeSet<String> = std::iter::once(&self.source)
            .chain(&self.rows)
            .map(|row| program.entity(row.entity).connector.to_string())
            .collect();
        uses.insert(module.clone());
        uses.iter().for_each(|name| {
            let _ = writeln!(text, "use {name}");
        });
        let _ = writeln!(text, "\ntest \"{short} {key} of the log\" {{");
        let _ = writeln!(text, "  given now = {}", self.now);
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut names: Vec<(EntityId, Option<String>, String)> = Vec::new();
        for (n, row) in std::iter::once(&self.source).chain(&self.rows).enumerate() {
            let entity = program.entity(row.entity);
            let kind = entity.name.to_lowercase();
            let number = numbers.entry(kind.clone()).or_default();
            *number += 1;
            let local = if n == 0 { "source".to_owned() } else { format!("{kind}_{number}") };
            let file = format!("{name}.{local}.json");
            let linked = self.linked(row, &names);
            let linked = linked.map_or(String::new(), |other| format!(" linked to {other}"));
            let _ = writeln!(text, "  given {local} = {} from \"{file}\"{linked}", entity.full_name());
            let row_text = serde_json::to_string_pretty(&row.row).unwrap_or_default() + "\n";
            files.insert(format!("{FOLDER}/data/{file}"), row_text);
            names.push((row.entity, row.key.clone(), local));
        }
        let call = format!("{}.{short}(source)", module.rsplit('.').next().unwrap_or_default());
        let _ = writeln!(text, "\n  {}\n}}", expected(&call, outcome));
        let path = format!("{FOLDER}/{name}.flow");
        files.insert(path.clone(), text);
        Made { module: format!("{FOLDER}.{name}"), path, files }
    }

    /// The record before this one that it is linked to, by its name in the test.
    fn linked(&self, row: &Row, before: &[(EntityId, Option<String>, String)]) -> Option<String> {
        let key = row.key.as_ref()?;
        let is = |end: &(EntityId, String)| end.0 == row.entity && end.1 == *key;
        let others = self.links.iter().filter_map(|[one, other]| match (is(one), is(other)) {
            (true, _) => Some(other),
            (_, true) => Some(one),
            _ => None,
        });
        let mut named = others.filter_map(|(entity, key)| {
            let known = before.iter().find(|(e, k, _)| e == entity && k.as_deref() == Some(key));
            known.map(|(_, _, name)| name.clone())
        });
        named.next()
    }
}

impl Row {
    fn of(program: &Program, entity: EntityId, row: &Value, anonymous: &mut Anonymous<'_>) -> Self {
        let schema = program.entity(entity);
        let key = schema.key.and_then(|key| key_text(row.get(&*schema.get(key).wire)?));
        Self { entity, key, row: anonymous.record(entity, row) }
    }

    /// A record of which only the key is known.
    fn stub(program: &Program, entity: EntityId, key: String) -> Self {
        let schema = program.entity(entity);
        let number =
            key.parse::<u64>().ok().filter(|_| schema.key.is_some_and(|k| schema.get(k).ty.present().is_number()));
        let value = number.map_or_else(|| Value::from(key.as_str()), Value::from);
        let members = schema.key.map(|field| (schema.get(field).wire.to_string(), value));
        Self { entity, key: Some(key), row: Value::Object(members.into_iter().collect()) }
    }
}

fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What is expected of it from now on.
fn expected(call: &str, outcome: &Evaluated) -> String {
    match outcome {
        Evaluated::Stopped(stop, failure, _) => {
            let word = match stop {
                Stop::Fail => "fails",
                Stop::Wait => "waits",
                Stop::Skip => "skips",
            };
            let reason = failure.reason.lines().next().unwrap_or_default();
            let reason = reason.replace('\\', "\\\\").replace('"', "\\\"").replace('{', "\\{").replace('}', "\\}");
            format!("expect {call} {word} \"{reason}\"")
        }
        Evaluated::WriteSet(_) => format!("snapshot {call}"),
        Evaluated::Filtered | Evaluated::Needs(_) => format!("expect {call} writes nothing"),
    }
}

/// The module that holds a flow, as a `use` names it.
fn module_of(workspace: &Workspace, flow: usize) -> String {
    let path = &workspace.sources().get(workspace.program().flows[flow].span.file).path;
    let parts = path.with_extension("");
    parts.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join(".")
}

/// A key as a part of a file's name and of a module's.
fn plain(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
