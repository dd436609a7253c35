//! The last records through the flows, as if none of them had been seen before: which rows of tables they miss.

use super::ailment::Ailment;
use crate::connector::{Position, Scan};
use crate::engine::books::gather::Gather;
use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::engine::pass::view::Look;
use crate::engine::project::PassOptions;
use crate::engine::runner::Engine;
use crate::eval::{Evaluated, Lacks};
use crate::ir::{Flow, LookupId, Program};
use crate::store::{Rehearsal, Store};
use crate::value::cancel::Cancel;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What changed since so many hours is read, a longer time where that was too little; at last all that there is.
const HOURS: [i64; 4] = [6, 48, 24 * 14, 24 * 120];

/// What the last records come to.
#[derive(Clone, Debug, Default)]
pub struct Sampled {
    /// Records that were tried.
    pub records: usize,
    /// Rows that they miss.
    pub rows: Vec<LackingRow>,
}

/// A row that records miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LackingRow {
    /// The table.
    pub lookup: LookupId,
    /// The row, as the table's file has it, with `…` for its value.
    pub row: String,
    /// How many records miss it.
    pub count: usize,
    /// One of them, `orders:1001`.
    pub example: String,
}

/// Tries the last records of each flow that is on and looks into a table.
pub(super) async fn tried(
    engine: &Engine,
    most: usize,
    cancel: &Cancel,
    ailments: &mut Vec<Ailment>,
) -> Result<Sampled, PassError> {
    let program = Arc::clone(&engine.shared.project.program);
    let store: Arc<dyn Store> = Arc::new(Rehearsal::over(Arc::clone(&engine.store)));
    let mut found: BTreeMap<Lacks, (usize, String)> = BTreeMap::new();
    let mut sampled = Sampled::default();
    for flow in 0..program.flows.len() {
        if !is_tried(&program, &program.flows[flow]) {
            continue;
        }
        let options = PassOptions { dry_run: true, ..PassOptions::default() };
        let kept = (Arc::clone(&store), store.open_intents(None).await?);
        let pass = Pass::new(&engine.shared, flow, options, kept, cancel.clone())?;
        match of_flow(&pass, most, &mut found).await {
            Ok(records) => sampled.records += records,
            Err(error @ (PassError::Store(_) | PassError::Cancelled)) => return Err(error),
            Err(other) => ailments.push(Ailment {
                kind: "records",
                system: program.flows[flow].connection.to_string(),
                message: format!("the last records of {} cannot be tried: {other}", program.flows[flow].name),
                help: "nobody can tell which rows its tables lack: mend that first".to_owned(),
                span: Some(program.flows[flow].span),
            }),
        }
    }
    let row = |(Lacks { lookup, row }, (count, example))| LackingRow { lookup, row, count, example };
    sampled.rows = found.into_iter().map(row).collect();
    Ok(sampled)
}

/// Whether a flow reads records one by one and comes through a table.
fn is_tried(program: &Program, flow: &Flow) -> bool {
    let schema = program.entity(flow.source);
    flow.on && flow.per.is_none() && !schema.is_turn() && schema.feed.is_some() && looks_up(program, flow)
}

fn looks_up(program: &Program, flow: &Flow) -> bool {
    let mut any = false;
    let mut see = |outer: &crate::ir::Expr| {
        crate::plan::each(outer, &mut |e| any |= matches!(e.kind, crate::ir::ExprKind::Lookup { .. }));
    };
    crate::ir::of_flow(flow, &mut see);
    for mapping in crate::ir::mappings_of(program, flow) {
        crate::ir::of_mapping(program.mapping(mapping), &mut see);
    }
    any
}

async fn of_flow(pass: &Pass, most: usize, found: &mut BTreeMap<Lacks, (usize, String)>) -> Result<usize, PassError> {
    let mut gather = Gather::new(pass, pass.tops());
    let mut sources = Vec::new();
    let now = pass.source()?.now();
    let windows = HOURS.iter().map(|hours| Some(SignedDuration::from_hours(*hours))).chain([None]);
    for window in windows {
        let since = window.and_then(|window| now.checked_sub(window).ok());
        let entity = pass.entity(pass.flow().source);
        let scan = Scan {
            fields: pass.fields(pass.flow().source),
            entity,
            filter: pass.evaluator().filter(pass.flow),
            since,
            only: Vec::new(),
        };
        let source = pass.source()?;
        let mut position = source.resumed(&scan, Position::default(), true);
        loop {
            pass.go_on()?;
            let page = source.scan(&scan, &position).await?;
            sources.extend(gather.sources(page.records).await?.0);
            if page.last || sources.len() >= most {
                break;
            }
            position = page.next;
        }
        if sources.len() >= most {
            break;
        }
    }
    sources.truncate(most);
    let all: Vec<_> = sources.iter().collect();
    for (source, outcome) in sources.iter().zip(gather.evaluated(&all, Look::Afresh).await?) {
        if let Evaluated::Stopped(_, failure, _) = outcome
            && let Some(lacks) = failure.lacks
        {
            let example = || (0, pass.label(&source.key));
            found.entry(*lacks).or_insert_with(example).0 += 1;
        }
    }
    Ok(sources.len())
}
