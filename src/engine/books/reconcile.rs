//! The books of some days compared, flow by flow.

use super::days::Days;
use super::documents::{Comparison, Found};
use super::figures::Reader;
use super::gather::Gather;
use super::report::Reconciled;
use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::engine::project::PassOptions;
use crate::engine::runner::Engine;
use crate::ir::{EntityId, Flow, MappingId, Program};
use crate::store::{Rehearsal, Store};
use crate::value::cancel::Cancel;
use jiff::tz::TimeZone;
use std::sync::Arc;

impl Engine {
    /// Compares the books of some days: both systems are read as they are now, nothing is written, in the store neither.
    ///
    /// # Errors
    /// A system that cannot be read to the end, and a project none of whose flows that are on makes documents.
    pub async fn reconcile(&self, days: Days, cancel: &Cancel) -> Result<Reconciled, PassError> {
        let _turn = self.turn.lock().await;
        let program = Arc::clone(&self.shared.project.program);
        let zone = program.zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        let reader = Reader { program: &program, zone: &zone };
        let store: Arc<dyn Store> = Arc::new(Rehearsal::over(Arc::clone(&self.store)));
        let mut whole = Found::default();
        let mut any = false;
        for flow in 0..program.flows.len() {
            if !program.flows[flow].on || !is_compared(&program, &program.flows[flow]) {
                continue;
            }
            let options = PassOptions { dry_run: true, ..PassOptions::default() };
            let kept = (Arc::clone(&store), store.open_intents(None).await?);
            let mut pass = Pass::new(&self.shared, flow, options, kept, cancel.clone())?;
            let tops = documents(&program, &pass.tops());
            if tops.is_empty() {
                continue;
            }
            any = true;
            also_read(&mut pass, &tops);
            let (gather, found) = (Gather::new(&pass, tops), std::mem::take(&mut whole));
            let mut comparison = Comparison { pass: &pass, reader, days, gather, found };
            comparison.whole().await?;
            whole = comparison.found;
        }
        if !any {
            return Err(PassError::Project(
                "no flow that is on makes documents that can be compared: their source needs a `total` in its schema, what they \
                 make `day` and `lines`"
                    .to_owned(),
            ));
        }
        whole.missing.sort_by(|a, b| (a.day, &a.id).cmp(&(b.day, &b.id)));
        Ok(Reconciled { rows: Reconciled::rows_of(&whole.documents), missing: whole.missing, left: whole.left })
    }
}

/// Whether records of a flow's source say what they come to; what is gathered is known by no record of its own.
fn is_compared(program: &Program, flow: &Flow) -> bool {
    flow.per.is_none() && program.entity(flow.source).total.is_some()
}

/// Those of the mappings that make documents whose money can be compared.
fn documents(program: &Program, tops: &[MappingId]) -> Vec<MappingId> {
    let is_document = |top: &MappingId| {
        let mapping = program.mapping(*top);
        mapping.balance.is_some() && program.entity(mapping.target).books.are_kept()
    };
    tops.iter().copied().filter(is_document).collect()
}

/// What is compared is read too, whether or not the flow reads it.
fn also_read(pass: &mut Pass, tops: &[MappingId]) {
    let program = Arc::clone(&pass.project.program);
    let source = pass.flow().source;
    let credited = program.entity(source).books.credits.and_then(|field| {
        let ty = program.entity(source).get(field).ty.present();
        ty.record()
    });
    let targets = tops.iter().map(|top| program.mapping(*top).target);
    let all: Vec<EntityId> = [source].into_iter().chain(credited).chain(targets).collect();
    for entity in all {
        let schema = program.entity(entity);
        let of_total = schema.total.map(|total| schema.get(total));
        let currency = of_total.and_then(|total| match &total.currency {
            Some(crate::ir::Currency::Here(field)) => Some(*field),
            _ => None,
        });
        let single = schema.total.into_iter().chain(currency).chain(schema.key).chain(schema.code);
        let ways = schema.books.ways().chain(single.map(|field| vec![field]));
        let names = ways.map(|way| program.wire_way(schema, &way).join(".")).collect();
        pass.also.insert(entity, names);
    }
}
