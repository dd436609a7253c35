//! Whether each entity that the flows that are on read or write can be read by the login: rights, edition and licence show so.
//! Nothing is written to find out; a right to read and not to write shows with the first write.

use super::ailment::Ailment;
use crate::connector::CallError;
use crate::engine::pass::context::Shared;
use crate::ir::{EntityId, Program};
use crate::plan::{PlanStep, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The flows that need an entity, and what they do with it.
#[derive(Default)]
struct Needed {
    flows: BTreeSet<Arc<str>>,
    written: bool,
}

/// The entities that a login may not read.
pub(super) async fn missing(shared: &Shared, reached: &impl Fn(&str) -> bool) -> Vec<Ailment> {
    let program = &shared.project.program;
    let mut told: BTreeMap<(Arc<str>, String), (Vec<String>, Needed)> = BTreeMap::new();
    for ((connection, entity), needed) in needed(program) {
        let Some(connector) = shared.connections.get(&*connection).filter(|_| reached(&connection)) else { continue };
        let schema = program.entity(entity);
        let Err(error) = connector.probe(schema).await else { continue };
        // What has no way in at all is refused for one reason, whatever is asked.
        let why = match error {
            CallError::Refused { reason, status: 0, .. } => reason,
            CallError::Refused { reason, call, .. } => format!("{reason} ({call})"),
            other => other.to_string(),
        };
        let (names, all) = told.entry((connection, why)).or_default();
        names.push(schema.full_name());
        all.flows.extend(needed.flows);
        all.written |= needed.written;
    }
    told.into_iter().map(|((connection, why), (names, needed))| ailment(&connection, &why, &names, &needed)).collect()
}

fn ailment(connection: &str, why: &str, names: &[String], needed: &Needed) -> Ailment {
    let flows: Vec<&str> = needed.flows.iter().map(|flow| &**flow).collect();
    let does = if needed.written { "write" } else { "read" };
    Ailment {
        kind: "rights",
        system: connection.to_owned(),
        message: format!("{} may not be read: {why}", names.join(", ")),
        help: format!(
            "{} {does} it: give the login of {connection} the right, take an edition that has it, or run no flow that needs it",
            flows.join(", ")
        ),
        span: None,
    }
}

/// What the flows that are on read and write, by connection.
fn needed(program: &Program) -> BTreeMap<(Arc<str>, EntityId), Needed> {
    let mut all: BTreeMap<(Arc<str>, EntityId), Needed> = BTreeMap::new();
    for flow in program.flows.iter().filter(|flow| flow.on) {
        for step in plan(program, flow).steps {
            let (entity, written) = match step {
                PlanStep::Scan { entity, .. } | PlanStep::Again { entity, .. } | PlanStep::Aside { entity, .. } => {
                    (entity, false)
                }
                PlanStep::Gone { entity, .. } => {
                    (program.entity(entity).deletions.as_ref().map_or(entity, |told| told.entity), false)
                }
                PlanStep::Find(asked, _) => (asked.entity, false),
                PlanStep::Write(mapping, _) => (program.mapping(mapping).target, true),
                PlanStep::Turn(_) | PlanStep::Filter { .. } | PlanStep::Map(_) | PlanStep::Answer(..) => continue,
            };
            let Some(connection) = program.connection_of(Some(flow), entity) else { continue };
            let needed = all.entry((connection, entity)).or_default();
            needed.flows.insert(Arc::clone(&flow.name));
            needed.written |= written;
        }
    }
    all
}
