//! The steps of a flow: scan, filter, find, map, write, then, in the order in which a page goes through them, and what
//! they cost in calls.

use super::pushdown::{Sent, pushdown};
use super::reads::Reads;
use super::walk::{each, each_of_flow, each_of_mapping, mappings_of};
use crate::ir::{
    EntityId, Expr, ExprKind, FieldId, Find, Flow, Header, Key, LocalId, Mapping, MappingId, Program, Step as IrStep,
    StepKind, Verb,
};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// What a flow does, step by step.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The flow.
    pub flow: String,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// The calls by connection, each a formula.
    pub calls: Vec<Calls>,
}

/// The calls to one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The connection, or the connector where the project has no connection of its kind.
    pub system: String,
    /// What is added up.
    pub formula: Vec<String>,
}

/// A step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Changed records are read, page by page.
    Scan {
        /// The entity.
        entity: EntityId,
        /// The fields, by wire names.
        fields: Vec<String>,
        /// What is sent of the filter.
        sent: Vec<Sent>,
    },
    /// What is evaluated here of the filter: its places.
    Filter {
        /// The places of the conditions.
        places: Vec<Span>,
    },
    /// Keys of all records of a page are looked up at once.
    Find {
        /// 1, 2 …: a later stage needs what an earlier one found.
        stage: usize,
        /// The entity.
        entity: EntityId,
        /// By these fields; none: all rows, once a pass.
        by: Vec<FieldId>,
        /// The fields that are read, by wire names.
        fields: Vec<String>,
        /// Values that fit one call, about.
        chunk: usize,
    },
    /// Drafts are made: pure.
    Map {
        /// The mapping that the flow writes.
        mapping: MappingId,
    },
    /// A draft is written, when it needs to be.
    Write {
        /// The mapping.
        mapping: MappingId,
        /// It follows another write.
        follows: bool,
    },
}

/// Bytes of a condition around its value: ` or Field eq ''`, encoded.
const CONDITION_BYTES: usize = 18;
/// Bytes of a value, about: an e-mail address, a reference.
const VALUE_BYTES: usize = 22;
/// Bytes of an address before its conditions.
const ADDRESS_BYTES: usize = 300;

impl Plan {
    /// The plan of a flow.
    pub fn of_flow(program: &Program, flow: &Flow) -> Self {
        let reads = Reads::of_flow(program, flow);
        let (sent, here) = pushdown(program, flow);
        let mut steps = vec![Step::Scan { entity: flow.source, fields: reads.wire_names(program, flow.source), sent }];
        if !here.is_empty() {
            steps.push(Step::Filter { places: here.iter().map(|e| e.span).collect() });
        }
        let mappings = mappings_of(program, flow);
        steps.extend(finds(program, flow, &mappings, &reads));
        let follows = following(program, &mappings);
        let mut written = BTreeSet::new();
        each_of_flow(flow, &mut |e| {
            if let ExprKind::Write(id, _) = &e.kind {
                written.insert(*id);
            }
        });
        steps.extend(written.iter().map(|mapping| Step::Map { mapping: *mapping }));
        // What others refer to is written before them, what follows behind.
        let mut order: Vec<MappingId> = mappings.iter().copied().collect();
        order.sort_by_key(|id| (follows.contains(id), written.contains(id)));
        steps.extend(order.into_iter().map(|mapping| Step::Write { mapping, follows: follows.contains(&mapping) }));
        let calls = calls(program, flow, &steps);
        Self { flow: flow.name.to_string(), steps, calls }
    }
}

/// The mappings that only follow a write.
fn following(program: &Program, mappings: &BTreeSet<MappingId>) -> BTreeSet<MappingId> {
    let mut found = BTreeSet::new();
    for id in mappings {
        for then in &program.mapping(*id).then {
            each(then, &mut |e| {
                if let ExprKind::Write(id, _) = &e.kind {
                    found.insert(*id);
                }
            });
        }
    }
    found
}

/// What is looked up: entity and fields, with the latest stage that asks for it.
type Asked = BTreeMap<(usize, EntityId, Vec<FieldId>), ()>;

fn finds(program: &Program, flow: &Flow, mappings: &BTreeSet<MappingId>, reads: &Reads) -> Vec<Step> {
    let mut asked = Asked::new();
    let mut stages = Stages { program, asked: &mut asked, locals: BTreeMap::new() };
    each_of_flow(flow, &mut |e| stages.note(e));
    for id in mappings {
        let mapping = program.mapping(*id);
        stages.locals.clear();
        // A record of the target's own system was found, or made, before it came here.
        let system = &program.entity(mapping.target).connector;
        for (_, ty, local) in &mapping.params {
            if let crate::ir::Type::Record(e) = ty.present()
                && program.entity(*e).connector == *system
            {
                stages.locals.insert(*local, 1);
            }
        }
        stages.lets(&mapping.steps);
        each_of_mapping(mapping, &mut |e| stages.note(e));
        stages.keys(mapping);
    }
    let mut seen = BTreeSet::new();
    asked
        .into_keys()
        .filter(|(_, entity, by)| seen.insert((*entity, by.clone())))
        .map(|(stage, entity, by)| Step::Find {
            stage,
            entity,
            fields: reads.wire_names(program, entity),
            chunk: chunk(program, entity),
            by,
        })
        .collect()
}

/// Values that fit one search of an entity's API.
fn chunk(program: &Program, entity: EntityId) -> usize {
    let connector = program.connector(&program.entity(entity).connector);
    let (url, values) = connector.map_or((2000, 100), |c| (c.url_max as usize, c.values_max as usize));
    (url.saturating_sub(ADDRESS_BYTES) / (CONDITION_BYTES + VALUE_BYTES)).clamp(1, values.max(1))
}

/// Which finds wait for which.
struct Stages<'a> {
    program: &'a Program,
    asked: &'a mut Asked,
    /// Stages behind which a value is known.
    locals: BTreeMap<LocalId, usize>,
}

impl Stages<'_> {
    fn lets(&mut self, steps: &[IrStep]) {
        for step in steps {
            if let StepKind::Let(local, value) = &step.kind {
                let stage = self.depth(value);
                self.locals.insert(*local, stage);
            }
        }
    }

    fn note(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
                let stage = 1 + find.values.iter().map(|v| self.depth(v)).max().unwrap_or(0);
                self.ask(stage, find);
            }
            ExprKind::Let(local, value, _) => {
                let stage = self.depth(value);
                self.locals.insert(*local, stage);
            }
            _ => {}
        }
    }

    fn ask(&mut self, stage: usize, find: &Find) {
        // Few rows are read whole, and once.
        let small = self.program.entity(find.entity).small;
        let key = if small { (1, find.entity, Vec::new()) } else { (stage, find.entity, find.by.clone()) };
        self.asked.insert(key, ());
    }

    /// Stages behind which an expression is known.
    fn depth(&self, e: &Expr) -> usize {
        let mut depth = 0;
        each(e, &mut |inner| match &inner.kind {
            ExprKind::Find(_) | ExprKind::FindAll(_) => depth = depth.max(1),
            ExprKind::Local(local) => depth = depth.max(self.locals.get(local).copied().unwrap_or(0)),
            ExprKind::Ensure(..) => depth = depth.max(1),
            _ => {}
        });
        depth
    }

    /// The earlier copies of what a mapping makes.
    fn keys(&mut self, mapping: &Mapping) {
        for key in &mapping.header.keys {
            let Key::By(fields) = key else { continue };
            let by: Vec<FieldId> = fields.iter().map(|k| k.field).collect();
            let waits = mapping.steps.iter().any(|s| match &s.kind {
                StepKind::Assign { path, value, .. } => by.contains(&path[0]) && self.depth(value) > 0,
                _ => false,
            });
            self.asked.insert((if waits { 2 } else { 1 }, mapping.target, by), ());
        }
    }
}

fn calls(program: &Program, flow: &Flow, steps: &[Step]) -> Vec<Calls> {
    let mut by_system: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let system = |entity: EntityId, connection: &str| -> String {
        if connection.is_empty() { program.entity(entity).connector.to_string() } else { connection.to_owned() }
    };
    let of_kind = |entity: EntityId| -> String {
        let connector = &program.entity(entity).connector;
        let named = program.connections.iter().find(|c| c.connector == *connector);
        named.map_or_else(|| connector.to_string(), |c| c.name.to_string())
    };
    for step in steps {
        let (system, text) = match step {
            Step::Scan { entity, .. } => {
                let page = program.connector(&program.entity(*entity).connector).map_or(100, |c| c.page);
                (system(*entity, &flow.connection), format!("{}s ÷ {page}", lower(&program.entity(*entity).name)))
            }
            Step::Find { entity, by, .. } if by.is_empty() => {
                (of_kind(*entity), format!("1 for all {}s", program.entity(*entity).name))
            }
            Step::Find { entity, by, chunk, .. } => {
                let e = program.entity(*entity);
                let names: Vec<&str> = by.iter().map(|f| &*e.get(*f).name).collect();
                (of_kind(*entity), format!("new {} of {} ÷ {chunk}", names.join("+"), e.name))
            }
            Step::Write { mapping, .. } => {
                let m = program.mapping(*mapping);
                (
                    system(m.target, &m.connection),
                    format!("1 for each {} {}", program.entity(m.target).name, outcome(&m.header)),
                )
            }
            Step::Filter { .. } | Step::Map { .. } => continue,
        };
        by_system.entry(system).or_default().push(text);
    }
    by_system.into_iter().map(|(system, formula)| Calls { system, formula }).collect()
}

/// What a write of a mapping comes to, in a word.
pub fn outcome(header: &Header) -> &'static str {
    match header.verb {
        Verb::CreateOnce | Verb::CreateUnless(_) => "created",
        Verb::Upsert => "created or changed",
        Verb::Update => "changed",
        Verb::Delete(_) => "deleted",
    }
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}
