//! `flowc plan FLOW`: the steps of a flow, what is sent of its filter, and its calls as a formula.

use super::open::{Answers, Ready};
use super::screen::Screen;
use super::{Answer, Format, Global, Outcome, Trouble};
use crate::ir::{Const, Flow, Program};
use crate::plan::{Plan, Sent, Step, outcome};
use crate::source::Sources;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The flow: `orders`, or `module.flow` where that is ambiguous.
    #[arg(value_name = "FLOW")]
    flow: String,
    #[command(flatten)]
    answers: Answers,
}

/// Prints the plan.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let ready = Ready::new(screen, global, &arguments.answers)?;
    let program = ready.compiled.program();
    let flow = flow_named(program, &arguments.flow)?;
    let plan = Plan::of_flow(program, flow);
    if screen.format() == Format::Json {
        Screen::answer(&machine(program, &plan, &ready.sources).to_string())?;
    } else {
        Screen::answer(&people(program, &plan, &ready.sources))?;
    }
    Ok(Outcome::Done)
}

fn flow_named<'p>(program: &'p Program, name: &str) -> Result<&'p Flow, Trouble> {
    let fits = |f: &&Flow| *f.name == *name || f.name.rsplit('.').next() == Some(name);
    let found: Vec<&Flow> = program.flows.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<&str> = program.flows.iter().map(|f| &*f.name).collect();
            Err(Trouble::Misuse(format!("there is no flow `{name}`; the project has {}", names.join(", "))))
        }
        _ => Err(Trouble::Misuse(format!("there are several flows `{name}`: say `module.{name}`"))),
    }
}

fn people(program: &Program, plan: &Plan, sources: &Sources) -> String {
    let mut out = format!("flow {}\n", plan.flow);
    for step in &plan.steps {
        match step {
            Step::Scan { entity, fields, sent } => {
                let _ = writeln!(out, "  scan    {}, what changed, page by page", program.entity(*entity).full_name());
                for condition in sent {
                    let _ = writeln!(out, "          sent: {}", shown(program, step, condition));
                }
                let _ = writeln!(out, "          reads: {}", fields.join(", "));
            }
            Step::Filter { places } => {
                for place in places {
                    let _ = writeln!(
                        out,
                        "  filter  here: {}  ({})",
                        one_line(sources.text(*place)),
                        sources.place(*place)
                    );
                }
            }
            Step::Find { stage, entity, by, fields, chunk } => {
                let e = program.entity(*entity);
                let names: Vec<&str> = by.iter().map(|f| &*e.get(*f).name).collect();
                let how = if by.is_empty() {
                    "all rows, once a pass".to_owned()
                } else {
                    format!("by {}, about {chunk} in a call", names.join(" and "))
                };
                let _ = writeln!(out, "  find {stage}  {}, {how}", e.full_name());
                let _ = writeln!(out, "          reads: {}", fields.join(", "));
            }
            Step::Map { mapping } => {
                let _ = writeln!(out, "  map     {}, pure: all checks, all payloads", program.mapping(*mapping).name);
            }
            Step::Write { mapping, follows } => {
                let m = program.mapping(*mapping);
                let word = if *follows { "then  " } else { "write " };
                let _ = writeln!(
                    out,
                    "  {word}  {}: {} {}",
                    m.name,
                    program.entity(m.target).full_name(),
                    outcome(&m.header)
                );
            }
        }
    }
    for calls in &plan.calls {
        let _ = writeln!(out, "  calls to {}: {}", calls.system, calls.formula.join(" + "));
    }
    out.trim_end().to_owned()
}

fn shown(program: &Program, step: &Step, sent: &Sent) -> String {
    let Step::Scan { entity, .. } = step else { return String::new() };
    let values: Vec<String> = sent.values.iter().map(value).collect();
    format!("{} in {}", program.entity(*entity).get(sent.field).name, values.join(", "))
}

fn value(c: &Const) -> String {
    match c {
        Const::Text(t) => t.to_string(),
        Const::Number(n) => n.to_string(),
        Const::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Const::Date(d) => d.to_string(),
        Const::Instant(t) => t.to_string(),
        Const::Duration(d) => d.to_string(),
        Const::Absent => "none".into(),
        Const::List(list) => list.iter().map(value).collect::<Vec<_>>().join(", "),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn machine(program: &Program, plan: &Plan, sources: &Sources) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| match step {
            Step::Scan { entity, fields, sent } => {
                let sent: Vec<Value> = sent
                    .iter()
                    .map(|s| json!({ "field": &*program.entity(*entity).get(s.field).name, "values": s.values.iter().map(value).collect::<Vec<_>>() }))
                    .collect();
                json!({ "kind": "scan", "entity": program.entity(*entity).full_name(), "fields": fields, "sent": sent })
            }
            Step::Filter { places } => {
                let here: Vec<Value> = places
                    .iter()
                    .map(|p| {
                        let at = sources.position(*p);
                        let file = sources.get(p.file).path.display().to_string();
                        json!({ "text": one_line(sources.text(*p)), "file": file, "line": at.line, "column": at.column })
                    })
                    .collect();
                json!({ "kind": "filter", "here": here })
            }
            Step::Find { stage, entity, by, fields, chunk } => {
                let e = program.entity(*entity);
                let by: Vec<&str> = by.iter().map(|f| &*e.get(*f).name).collect();
                json!({ "kind": "find", "stage": stage, "entity": e.full_name(), "by": by, "fields": fields, "chunk": chunk })
            }
            Step::Map { mapping } => json!({ "kind": "map", "mapping": &*program.mapping(*mapping).name }),
            Step::Write { mapping, follows } => {
                let m = program.mapping(*mapping);
                let kind = if *follows { "then" } else { "write" };
                json!({ "kind": kind, "mapping": &*m.name, "entity": program.entity(m.target).full_name(), "outcome": outcome(&m.header) })
            }
        })
        .collect();
    let calls: Vec<Value> =
        plan.calls.iter().map(|c| json!({ "system": c.system, "formula": c.formula.join(" + ") })).collect();
    json!({ "flow": plan.flow, "steps": steps, "calls": calls })
}
