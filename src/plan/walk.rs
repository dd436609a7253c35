//! Walking through expressions: every node once, outer ones first.

use crate::ir::{Const, Expr, ExprKind, MappingId, Native, Program, Rest, Step, Verb, children, of_steps};
use crate::ir::{Flow, Key, Mapping, OnChange};
use std::collections::BTreeSet;

/// Calls `see` for the expression and for every expression in it. Of an entry of `meta_data` that is asked for by a
/// known key only the record is looked at: the list itself is not read.
pub fn each<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    match meta_entry(expr) {
        Some((record, _)) => each(record, see),
        None => children(expr, &mut |child| each(child, see)),
    }
}

/// The record and the key of `record.meta("key")`.
pub(crate) fn meta_entry(expr: &Expr) -> Option<(&Expr, &std::sync::Arc<str>)> {
    match &expr.kind {
        ExprKind::Native(Native::MetaOf, args) => match args.as_slice() {
            [
                Expr { kind: ExprKind::Field(record, ..), .. },
                Expr { kind: ExprKind::Const(Const::Text(key)) | ExprKind::Setting(_, Const::Text(key)), .. },
            ] => Some((record, key)),
            _ => None,
        },
        _ => None,
    }
}

/// Calls `see` for every expression of these steps.
pub fn each_step<'e>(steps: &'e [Step], see: &mut dyn FnMut(&'e Expr)) {
    of_steps(steps, &mut |e| each(e, see));
}

/// Calls `see` for every expression of a mapping: header, steps, balance and what follows.
pub(crate) fn each_of_mapping<'e>(mapping: &'e Mapping, see: &mut dyn FnMut(&'e Expr)) {
    let header = &mapping.header;
    match &header.verb {
        Verb::CreateUnless(cond) | Verb::Delete(Some(cond)) => each(cond, see),
        Verb::CreateOnce | Verb::Upsert | Verb::Update | Verb::Delete(None) => {}
    }
    for key in &header.keys {
        if let Key::Linked(to) = key {
            each(to, see);
        }
    }
    header.prefer.iter().for_each(|(_, e)| each(e, see));
    match &header.on_change {
        OnChange::Update { cond: Some(e), .. } | OnChange::Write(e) => each(e, see),
        OnChange::Update { cond: None, .. } | OnChange::Alert | OnChange::Ignore => {}
    }
    header.otherwise.iter().for_each(|e| each(e, see));
    each_step(&mapping.steps, see);
    if let Some(balance) = &mapping.balance {
        each(&balance.formula, see);
        each(&balance.to, see);
        balance.within.iter().chain(&balance.otherwise).for_each(|e| each(e, see));
        if let Some(Rest::Line(_, line)) = &balance.rest {
            each(line, see);
        }
    }
    mapping.then.iter().for_each(|e| each(e, see));
}

/// Calls `see` for every expression of a flow itself, its mappings apart.
pub(crate) fn each_of_flow<'e>(flow: &'e Flow, see: &mut dyn FnMut(&'e Expr)) {
    flow.filter.iter().for_each(|e| each(e, see));
    each_step(&flow.steps, see);
    each(&flow.write, see);
}

/// The mappings that a flow may come through, whatever it reads.
pub fn mappings_of(program: &Program, flow: &Flow) -> BTreeSet<MappingId> {
    let mut found = BTreeSet::new();
    each_of_flow(flow, &mut |e| called(e, &mut found));
    reached(program, found)
}

/// These mappings and all that they may come through.
pub(crate) fn reached(program: &Program, start: BTreeSet<MappingId>) -> BTreeSet<MappingId> {
    let mut found = start;
    let mut todo: Vec<MappingId> = found.iter().copied().collect();
    while let Some(id) = todo.pop() {
        let mut called_here = BTreeSet::new();
        each_of_mapping(program.mapping(id), &mut |e| called(e, &mut called_here));
        todo.extend(called_here.iter().filter(|id| found.insert(**id)));
    }
    found
}

fn called(expr: &Expr, found: &mut BTreeSet<MappingId>) {
    if let ExprKind::Ensure(id, _) | ExprKind::Write(id, _) = &expr.kind {
        found.insert(*id);
    }
}
