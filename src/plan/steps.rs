//! The plan of a flow: its steps in order, and what a pass costs in calls.

use super::pushdown::{Sent, pushdown};
use super::reads::Reads;
use super::stage::{Asked, Stages};
use crate::ir::{Const, Entity, EntityId, ExprKind, FieldId, Flow, MappingId, Program, StepKind, Verb, each, of_flow};
use crate::limits;
use crate::source::{Sources, Span};
use std::fmt::Write as _;
use std::sync::Arc;

/// A flow's plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The flow.
    pub flow: Arc<str>,
    /// Its steps.
    pub steps: Vec<PlanStep>,
    /// Calls of a pass, as a formula over what it meets.
    pub calls: String,
}

/// A step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanStep {
    /// Nothing is read: the flow is due by the clock, as it says here.
    Turn(String),
    /// Changed records are read, page by page.
    Scan {
        /// Of what.
        entity: EntityId,
        /// From where.
        connection: Arc<str>,
        /// The selected fields, by wire names.
        fields: Vec<String>,
        /// Conditions that are sent.
        sent: Vec<Sent>,
        /// What changed before this moment is not read.
        since: Option<jiff::Timestamp>,
        /// All that have the same value there are one unit.
        per: Option<FieldId>,
    },
    /// Nothing is read of the records: what is no longer there is told by rows of another entity, or asked after.
    Gone {
        /// Of what.
        entity: EntityId,
        /// From where.
        connection: Arc<str>,
    },
    /// The feed lacks something that is read: its rows are read again by their keys.
    Again {
        /// Of what.
        entity: EntityId,
        /// What it lacks, by wire names.
        lacks: Vec<String>,
    },
    /// Changes of another entity are read: once for all records, or watched behind the feed.
    Aside {
        /// Of what.
        entity: EntityId,
        /// The selected fields, by wire names.
        fields: Vec<String>,
        /// They are watched.
        watched: bool,
    },
    /// What could not be sent is evaluated here.
    Filter {
        /// Where these conditions stand.
        at: Vec<Span>,
        /// What `base` means in them.
        base: Base,
    },
    /// Keys are resolved, for a whole page together.
    Find(Asked, Vec<String>),
    /// Payloads, keys and checks.
    Map(MappingId),
    /// A document is written, with these fields at most.
    Write(MappingId, Vec<Arc<str>>),
    /// The answer to a write tells what the document comes to, and it must come to the amount that stands there.
    Answer(MappingId, FieldId, Span),
}

/// The word `base` in the filter of an `adapt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Places as long as the word.
    words: Vec<Span>,
    /// The default's conditions, for which it stands.
    means: Vec<Span>,
}

impl Base {
    fn of(flow: &Flow) -> Self {
        let mut words = Vec::new();
        if let (Some(filter), false) = (&flow.filter, flow.displaced.is_empty()) {
            each(filter, &mut |e| words.extend((e.span.range().len() == BASE.len()).then_some(e.span)));
            words.sort_unstable();
            words.dedup();
        }
        Self { words, means: flow.displaced.clone() }
    }

    /// What it says, on one line; in brackets where more stands beside it.
    fn said(&self, sources: &Sources, beside: bool) -> String {
        let joined = self.means.iter().map(|at| on_one_line(sources.text(*at))).collect::<Vec<_>>().join(" and ");
        if beside { format!("({joined})") } else { joined }
    }
}

/// The word for what an `adapt` displaces.
const BASE: &str = "base";

/// The plan of a flow.
pub fn plan(program: &Program, flow: &Flow) -> Plan {
    let reads = Reads::of_flow(program, flow);
    let divided = pushdown(program, flow);
    let stages = Stages::of(program, flow);
    let turn = program.entity(flow.source).is_turn().then(|| when(flow));
    let scan = || PlanStep::Scan {
        entity: flow.source,
        connection: Arc::clone(&flow.connection),
        fields: reads.wire_names(program, flow.source),
        sent: divided.sent,
        since: flow.schedule.since.filter(|_| program.entity(flow.source).feed.is_some()),
        per: flow.per,
    };
    let gone = || PlanStep::Gone { entity: flow.source, connection: Arc::clone(&flow.connection) };
    let read = || if flow.deleted { gone() } else { scan() };
    let mut steps = vec![turn.map_or_else(read, PlanStep::Turn)];
    let lacks = if flow.deleted { Vec::new() } else { lacked(program, flow.source, &reads) };
    if !lacks.is_empty() {
        steps.push(PlanStep::Again { entity: flow.source, lacks: lacks.clone() });
    }
    let aside = aside(flow);
    steps.extend(aside.iter().map(|(entity, watched)| PlanStep::Aside {
        entity: *entity,
        fields: reads.wire_names(program, *entity),
        watched: *watched,
    }));
    if !divided.rest.is_empty() {
        steps.push(PlanStep::Filter { at: divided.rest, base: Base::of(flow) });
    }
    for asked in &stages.asked {
        steps.push(PlanStep::Find(asked.clone(), reads.wire_names(program, asked.entity)));
    }
    steps.extend(stages.mappings.iter().map(|id| PlanStep::Map(*id)));
    for id in &stages.mappings {
        steps.push(PlanStep::Write(*id, filled(program, *id)));
        // What comes of a formula is known before the write.
        let answered = program.mapping(*id).balance.as_ref().filter(|balance| balance.formula.is_none());
        steps.extend(answered.map(|balance| PlanStep::Answer(*id, balance.field, balance.to.span)));
    }
    let calls = cost(program, flow, &stages, (!lacks.is_empty(), &aside));
    Plan { flow: Arc::clone(&flow.name), steps, calls }
}

/// The fields that a mapping fills, each once, in the order of its lines.
fn filled(program: &Program, id: MappingId) -> Vec<Arc<str>> {
    let mapping = program.mapping(id);
    let entity = program.entity(mapping.target);
    let mut names: Vec<Arc<str>> = Vec::new();
    for step in &mapping.steps {
        if let StepKind::Assign { path, .. } = &step.kind
            && let Some(field) = path.first()
            && !names.contains(&entity.get(*field).name)
        {
            names.push(Arc::clone(&entity.get(*field).name));
        }
    }
    names
}

/// What is read of a record and its feed lacks.
fn lacked(program: &Program, entity: EntityId, reads: &Reads) -> Vec<String> {
    let names = reads.wire_names(program, entity);
    program.entity(entity).lacked_by_feed(&names).into_iter().map(str::to_owned).collect()
}

/// Entities whose changes are read beside the source's, and whether they are watched.
fn aside(flow: &Flow) -> Vec<(EntityId, bool)> {
    let mut found = Vec::new();
    of_flow(flow, &mut |outer| {
        each(outer, &mut |e| {
            if let ExprKind::ChangedSince(of) = &e.kind {
                found.push((of.entity, false));
            }
        });
    });
    found.extend(flow.watch.iter().map(|watch| (watch.entity, true)));
    found
}

/// `records/100 + orders/60 + 1 + writes`
fn cost(program: &Program, flow: &Flow, stages: &Stages<'_>, (again, aside): (bool, &[(EntityId, bool)])) -> String {
    let source = program.entity(flow.source);
    let mut calls = match &source.deletions {
        _ if source.is_turn() => "0".to_owned(),
        Some(told) if flow.deleted => format!("deletions/{}", page(program, program.entity(told.entity))),
        None if flow.deleted => format!("linked/{} + gone", limits::AGAIN_PAGE_MAX),
        _ => format!("records/{}", page(program, source)),
    };
    if again {
        // Writing into memory does not fail.
        let _ = write!(calls, " + records/{}", values(program, source));
    }
    for (entity, _) in aside {
        let entity = program.entity(*entity);
        let _ = write!(calls, " + changed {}/{}", entity.name, page(program, entity));
    }
    let mut tables = 0;
    for asked in &stages.asked {
        let entity = program.entity(asked.entity);
        if entity.read_whole() {
            tables += 1;
        } else {
            let _ = write!(calls, " + new {} keys/{}", entity.name, values(program, entity));
        }
    }
    if tables > 0 {
        let _ = write!(calls, " + {tables} once");
    }
    calls.push_str(" + writes");
    calls
}

impl Plan {
    /// The plan for people: a line a step, and below it what is read or sent.
    pub fn human(&self, program: &Program, sources: &Sources) -> String {
        let mut out = format!("{}\n", self.flow);
        for step in &self.steps {
            let line = match step {
                PlanStep::Scan { entity, connection, fields, sent, since, per } => {
                    let sent: Vec<String> = sent.iter().map(|s| said(program, *entity, s)).collect();
                    let filter = if sent.is_empty() { String::new() } else { format!(" where {}", sent.join(" and ")) };
                    let source = program.entity(*entity);
                    format!(
                        "scan   {} of {connection}{}{}, {} a page{filter}{}\n         {}",
                        source.name,
                        changes(source),
                        since.map(|since| format!(" since {}", in_zone(program, since))).unwrap_or_default(),
                        page(program, source),
                        per.map(|per| format!(", one unit per {}", source.get(per).name)).unwrap_or_default(),
                        fields.join(", ")
                    )
                }
                PlanStep::Turn(when) => format!("turn   {when}"),
                PlanStep::Gone { entity, connection } => match &program.entity(*entity).deletions {
                    Some(told) => format!(
                        "gone   {} of {connection} that became something, as {} tells",
                        program.entity(*entity).name,
                        program.entity(told.entity).full_name()
                    ),
                    None => format!(
                        "gone   {} of {connection} that became something, {} asked after in a pass",
                        program.entity(*entity).name,
                        limits::ASKED_AFTER_MAX
                    ),
                },
                PlanStep::Again { entity, lacks } => {
                    let source = program.entity(*entity);
                    format!(
                        "again  {} by its key, {} a call: its feed lacks {}",
                        source.full_name(),
                        values(program, source),
                        lacks.join(", ")
                    )
                }
                PlanStep::Aside { entity, fields, watched } => {
                    let source = program.entity(*entity);
                    let (word, when) = if *watched {
                        ("watch ", "behind the feed")
                    } else {
                        ("once  ", "and on before a page writes")
                    };
                    let (full, changes) = (source.full_name(), changes(source));
                    format!("{word} {full}{changes}, {when}\n         {}", fields.join(", "))
                }
                PlanStep::Filter { at, base } => format!("filter {}", conditions(at, base, sources).join(" and ")),
                PlanStep::Find(asked, fields) => format!(
                    "find   stage {}: {}{}\n         {}",
                    asked.stage,
                    program.entity(asked.entity).full_name(),
                    by(program, asked),
                    fields.join(", ")
                ),
                PlanStep::Map(id) => format!("map    {}", program.mapping(*id).name),
                PlanStep::Write(id, fields) => {
                    let mapping = program.mapping(*id);
                    format!(
                        "write  {} {} ({})\n         {}",
                        verb(&mapping.header.verb),
                        program.entity(mapping.target).full_name(),
                        mapping.name,
                        fields.join(", ")
                    )
                }
                PlanStep::Answer(id, field, to) => {
                    let entity = program.entity(program.mapping(*id).target);
                    let (name, to) = (&entity.get(*field).name, on_one_line(sources.text(*to)));
                    format!("answer {name} of {} must come to {to}", entity.full_name())
                }
            };
            let _ = writeln!(out, "  {line}");
        }
        let _ = writeln!(out, "  calls  {}", self.calls);
        out
    }

    /// The plan for programs: `{flow, steps: [{kind, …}], calls}`.
    pub fn json(&self, program: &Program, sources: &Sources) -> serde_json::Value {
        let steps: Vec<serde_json::Value> = self
            .steps
            .iter()
            .map(|step| match step {
                PlanStep::Scan { entity, connection, fields, sent, since, per } => serde_json::json!({
                    "kind": "scan", "entity": program.entity(*entity).full_name(), "connection": **connection, "fields": fields,
                    "by": program.entity(*entity).feed.as_ref().map(|feed| &*program.entity(*entity).get(feed.by).name),
                    "since": since.map(|since| in_zone(program, since)),
                    "page": page(program, program.entity(*entity)),
                    "per": per.map(|per| &*program.entity(*entity).get(per).name),
                    "filter": sent.iter().map(|s| said(program, *entity, s)).collect::<Vec<_>>(),
                }),
                PlanStep::Turn(when) => serde_json::json!({"kind": "turn", "when": when}),
                PlanStep::Gone { entity, connection } => serde_json::json!({
                    "kind": "gone", "entity": program.entity(*entity).full_name(), "connection": **connection,
                    "told_by": program.entity(*entity).deletions.as_ref().map(|told| program.entity(told.entity).full_name()),
                }),
                PlanStep::Again { entity, lacks } => serde_json::json!({
                    "kind": "again", "entity": program.entity(*entity).full_name(), "lacks": lacks,
                }),
                PlanStep::Aside { entity, fields, watched } => serde_json::json!({
                    "kind": if *watched { "watch" } else { "once" },
                    "entity": program.entity(*entity).full_name(), "fields": fields,
                }),
                PlanStep::Filter { at, base } => {
                    serde_json::json!({"kind": "filter", "where": conditions(at, base, sources)})
                }
                PlanStep::Find(asked, fields) => {
                    let entity = program.entity(asked.entity);
                    let by: Vec<&str> = asked.by.iter().map(|f| &*entity.get(*f).name).collect();
                    serde_json::json!({
                        "kind": "find", "stage": asked.stage, "entity": entity.full_name(), "by": by, "whole": entity.read_whole(), "fields": fields,
                    })
                }
                PlanStep::Map(id) => serde_json::json!({"kind": "map", "mapping": *program.mapping(*id).name}),
                PlanStep::Write(id, fields) => {
                    let mapping = program.mapping(*id);
                    serde_json::json!({
                        "kind": "write", "mapping": *mapping.name, "entity": program.entity(mapping.target).full_name(),
                        "verb": verb(&mapping.header.verb), "fields": fields.iter().map(|f| &**f).collect::<Vec<_>>(),
                    })
                }
                PlanStep::Answer(id, field, to) => {
                    let mapping = program.mapping(*id);
                    let entity = program.entity(mapping.target);
                    serde_json::json!({
                        "kind": "answer", "mapping": *mapping.name, "entity": entity.full_name(),
                        "field": *entity.get(*field).name, "comes_to": on_one_line(sources.text(*to)),
                    })
                }
            })
            .collect();
        serde_json::json!({"flow": *self.flow, "steps": steps, "calls": self.calls})
    }
}

/// Rows of a page.
fn page(program: &Program, entity: &Entity) -> u32 {
    program.connector(&entity.connector).map_or(100, |c| c.page.max(1))
}

/// When a flow is due that reads nothing.
fn when(flow: &Flow) -> String {
    match (flow.schedule.every, &flow.schedule.daily) {
        (Some(every), _) => format!("every {every:#}"),
        (None, Some(at)) => format!("daily at {at}"),
        (None, None) => "never".to_owned(),
    }
}

/// Keys that a call asks for.
fn values(program: &Program, entity: &Entity) -> u32 {
    program.connector(&entity.connector).map_or(1, |c| c.values_max.max(1))
}

/// How it is told what has changed.
fn changes(entity: &Entity) -> String {
    match &entity.feed {
        Some(feed) => format!(" changed by {}", entity.get(feed.by).name),
        None => ", all of them in each pass".to_owned(),
    }
}

/// Conditions as they are written, each on one line, with what `base` stands for.
fn conditions(spans: &[Span], base: &Base, sources: &Sources) -> Vec<String> {
    let written = |span: &Span| {
        let mut text = sources.text(*span).to_owned();
        // From behind, so that places before stay where they are.
        for word in base.words.iter().rev().filter(|word| span.contains(**word) && sources.text(**word) == BASE) {
            let from = word.range().start - span.range().start;
            text.replace_range(from..from + BASE.len(), &base.said(sources, *word != *span || spans.len() > 1));
        }
        on_one_line(&text)
    };
    spans.iter().map(written).collect()
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A moment as the project's clocks show it.
fn in_zone(program: &Program, at: jiff::Timestamp) -> String {
    let zoned = program.zone.as_deref().and_then(|zone| at.in_tz(zone).ok());
    zoned.map_or_else(|| at.to_string(), |zoned| zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

fn by(program: &Program, asked: &Asked) -> String {
    let entity = program.entity(asked.entity);
    if entity.read_whole() {
        return ", all rows once".to_owned();
    }
    let names: Vec<&str> = asked.by.iter().map(|f| &*entity.get(*f).name).collect();
    format!(" by {}", names.join(", "))
}

fn said(program: &Program, entity: EntityId, sent: &Sent) -> String {
    let values: Vec<String> = sent
        .values
        .iter()
        .map(|value| match value {
            Const::Text(text) => format!("\"{text}\""),
            Const::Number(n) => n.to_string(),
            Const::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
            Const::Date(d) => d.to_string(),
            Const::Instant(t) => t.to_string(),
            Const::Duration(d) => format!("{d:#}"),
            Const::Absent => "none".to_owned(),
            Const::List(_) => "a list".to_owned(),
        })
        .collect();
    format!("{} in [{}]", program.entity(entity).get(sent.field).name, values.join(", "))
}

fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::CreateOnce => "create once",
        Verb::Upsert => "upsert",
        Verb::Update => "update",
        Verb::CreateUnless(_) => "create",
        Verb::Delete(_) => "delete",
    }
}
