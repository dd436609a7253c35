//! Walking through expressions: every node once, outer ones first.

use crate::ir::{Const, Element, Expr, ExprKind, Find, MappingId, Native, Program, Rest, Step, StepKind, Verb, When};
use crate::ir::{Flow, Key, Mapping, OnChange};
use std::collections::BTreeSet;

/// Calls `see` for the expression and for every expression in it. Of an entry of `meta_data` that is asked for by a
/// known key only the record is looked at: the list itself is not read.
pub fn each<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    if let Some((record, _)) = meta_entry(expr) {
        return each(record, see);
    }
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Setting(..)
        | ExprKind::Unanswered(_)
        | ExprKind::Local(_)
        | ExprKind::It(_)
        | ExprKind::ItSelf
        | ExprKind::Was
        | ExprKind::Keep => {}
        ExprKind::Field(inner, ..)
        | ExprKind::Lambda(_, inner)
        | ExprKind::Unary(_, inner)
        | ExprKind::IsSome(inner, _)
        | ExprKind::InGroup(inner, _)
        | ExprKind::LinkedTo(_, inner)
        | ExprKind::Stop(_, inner) => each(inner, see),
        ExprKind::Let(_, a, b)
        | ExprKind::Binary(_, a, b)
        | ExprKind::OrElse(a, b)
        | ExprKind::In(a, b)
        | ExprKind::PriceBy(a, b) => {
            each(a, see);
            each(b, see);
        }
        ExprKind::If(a, b, c) => {
            each(a, see);
            each(b, see);
            each(c, see);
        }
        ExprKind::Lookup { keys: list, .. }
        | ExprKind::Native(_, list)
        | ExprKind::Extern(_, _, list)
        | ExprKind::Concat(list)
        | ExprKind::Ensure(_, list)
        | ExprKind::Write(_, list) => list.iter().for_each(|e| each(e, see)),
        ExprKind::Match(subject, arms) => {
            each(subject, see);
            for arm in arms {
                each(&arm.value, see);
            }
        }
        ExprKind::List(elements) => elements.iter().for_each(|e| each_element(e, see)),
        ExprKind::Build(builder) => each_step(&builder.steps, see),
        ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
            let Find { values, .. } = find.as_ref();
            for value in values {
                each(value, see);
            }
        }
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

fn each_element<'e>(element: &'e Element, see: &mut dyn FnMut(&'e Expr)) {
    match element {
        Element::One(e) | Element::All(e) => each(e, see),
        Element::For(clauses, body) => {
            for clause in clauses {
                each(&clause.list, see);
                if let Some(cond) = &clause.cond {
                    each(cond, see);
                }
            }
            each(body, see);
        }
    }
}

/// Calls `see` for every expression of these steps.
pub fn each_step<'e>(steps: &'e [Step], see: &mut dyn FnMut(&'e Expr)) {
    for step in steps {
        match &step.kind {
            StepKind::Let(_, value) => each(value, see),
            StepKind::Assign { value, when, .. } => {
                if let When::Update(Some(cond)) = when {
                    each(cond, see);
                }
                each(value, see);
            }
            StepKind::Check(a, b) | StepKind::Alert(a, b) => {
                each(a, see);
                each(b, see);
            }
        }
    }
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
