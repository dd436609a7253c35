//! Walking through expressions: which others one is made of. Every room that looks into them goes this way, so that a new
//! kind of expression has one place where its parts are named.

use super::expr::{Binary, Element, Expr, ExprKind, Step, StepKind, When};
use super::program::{Flow, Key, Mapping, OnChange, Program, Rest, Verb};
use super::types::{MappingId, Type};
use crate::source::Span;
use std::collections::BTreeSet;

/// The walks to look and to change: one text, so that a kind of expression is named once.
macro_rules! walks {
    ($children:ident, $of_element:ident, $of_steps:ident, $iter:ident $(, $mut:tt)?) => {
        /// Calls `see` for the expressions that this one is directly made of, in the order in which they stand.
        pub fn $children<'e>(expr: &'e $($mut)? Expr, see: &mut dyn FnMut(&'e $($mut)? Expr)) {
            match &$($mut)? expr.kind {
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
                | ExprKind::Stop(_, inner) => see(inner),
                ExprKind::Let(_, a, b)
                | ExprKind::Binary(_, a, b)
                | ExprKind::OrElse(a, b)
                | ExprKind::In(a, b)
                | ExprKind::PriceBy(a, b) => {
                    see(a);
                    see(b);
                }
                ExprKind::If(a, b, c) => {
                    see(a);
                    see(b);
                    see(c);
                }
                ExprKind::Lookup { keys: list, .. }
                | ExprKind::Native(_, list)
                | ExprKind::Extern(_, _, list)
                | ExprKind::Concat(list)
                | ExprKind::Ensure(_, list)
                | ExprKind::Write(_, list) => list.$iter().for_each(see),
                ExprKind::Match(subject, arms) => {
                    see(subject);
                    arms.$iter().for_each(|arm| see(&$($mut)? arm.value));
                }
                ExprKind::List(elements) => elements.$iter().for_each(|element| $of_element(element, see)),
                ExprKind::Build(builder) => $of_steps(&$($mut)? builder.steps, see),
                ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
                    find.values.$iter().for_each(see);
                }
                ExprKind::ChangedSince(of) => see(&$($mut)? of.since),
                ExprKind::Once(_, of) => see(of),
            }
        }

        fn $of_element<'e>(element: &'e $($mut)? Element, see: &mut dyn FnMut(&'e $($mut)? Expr)) {
            match element {
                Element::One(e) | Element::All(e) => see(e),
                Element::For(clauses, body) => {
                    for clause in clauses {
                        see(&$($mut)? clause.list);
                        clause.cond.$iter().for_each(&mut *see);
                    }
                    see(body);
                }
            }
        }

        /// Calls `see` for the outermost expressions of these steps.
        pub fn $of_steps<'e>(steps: &'e $($mut)? [Step], see: &mut dyn FnMut(&'e $($mut)? Expr)) {
            for step in steps {
                match &$($mut)? step.kind {
                    StepKind::Let(_, value) => see(value),
                    StepKind::Assign { value, when, .. } => {
                        if let When::Update(Some(cond)) = when {
                            see(cond);
                        }
                        see(value);
                    }
                    StepKind::Check(a, b) | StepKind::Alert(a, b) => {
                        see(a);
                        see(b);
                    }
                }
            }
        }
    };
}

walks!(children, of_element, of_steps, iter);
walks!(children_mut, of_element_mut, of_steps_mut, iter_mut, mut);

/// Moves all locals of an expression by so many places of the frame: a copy of a function's body gets its own.
pub fn relocate(expr: &mut Expr, by: u32) {
    match &mut expr.kind {
        ExprKind::Local(local) | ExprKind::Let(local, ..) | ExprKind::IsSome(_, Some(local)) => local.0 += by,
        ExprKind::Lambda(locals, _) => locals.iter_mut().for_each(|local| local.0 += by),
        ExprKind::List(elements) => {
            let clauses = elements.iter_mut().filter_map(|element| match element {
                Element::For(clauses, _) => Some(clauses),
                Element::One(_) | Element::All(_) => None,
            });
            clauses.flatten().for_each(|clause| clause.local.0 += by);
        }
        ExprKind::Build(builder) => {
            for step in &mut builder.steps {
                if let StepKind::Let(local, _) = &mut step.kind {
                    local.0 += by;
                }
            }
        }
        // The others bind nothing.
        _ => {}
    }
    children_mut(expr, &mut |child| relocate(child, by));
}

/// Calls `see` for an expression and for all that it is made of, the outer ones first.
pub fn each<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    children(expr, &mut |child| each(child, see));
}

/// Calls `see` for the outermost expressions of a mapping: header, steps, balance and what follows.
pub fn of_mapping<'e>(mapping: &'e Mapping, see: &mut dyn FnMut(&'e Expr)) {
    let header = &mapping.header;
    match &header.verb {
        Verb::CreateUnless(cond) | Verb::Delete(Some(cond)) => see(cond),
        Verb::CreateOnce | Verb::Upsert | Verb::Update | Verb::Delete(None) => {}
    }
    for key in &header.keys {
        if let Key::Linked(to) = key {
            see(to);
        }
    }
    header.accept.iter().for_each(&mut *see);
    header.prefer.iter().for_each(|(_, e)| see(e));
    match &header.on_change {
        OnChange::Update { cond: Some(e), .. } | OnChange::Write(e) => see(e),
        OnChange::Update { cond: None, .. } | OnChange::Alert | OnChange::Ignore => {}
    }
    header.otherwise.iter().for_each(&mut *see);
    of_steps(&mapping.steps, see);
    if let Some(balance) = &mapping.balance {
        balance.formula.iter().for_each(&mut *see);
        see(&balance.to);
        balance.within.iter().chain(&balance.otherwise).for_each(&mut *see);
        if let Some(Rest::Line(_, line)) = &balance.rest {
            see(line);
        }
    }
    mapping.then.iter().for_each(see);
}

/// Calls `see` for the outermost expressions of a flow itself, its mappings apart.
pub fn of_flow<'e>(flow: &'e Flow, see: &mut dyn FnMut(&'e Expr)) {
    flow.filter.iter().for_each(&mut *see);
    flow.watch.iter().for_each(|watch| see(&watch.unit));
    of_steps(&flow.steps, see);
    see(&flow.write);
}

/// The mappings that a flow may come through, whatever it reads.
pub fn mappings_of(program: &Program, flow: &Flow) -> BTreeSet<MappingId> {
    let mut found = BTreeSet::new();
    of_flow(flow, &mut |outer| called(outer, &mut found));
    reached(program, found)
}

/// These mappings and all that they may come through.
pub fn reached(program: &Program, start: BTreeSet<MappingId>) -> BTreeSet<MappingId> {
    let mut found = start;
    let mut todo: Vec<MappingId> = found.iter().copied().collect();
    while let Some(id) = todo.pop() {
        let mut called_here = BTreeSet::new();
        of_mapping(program.mapping(id), &mut |outer| called(outer, &mut called_here));
        todo.extend(called_here.iter().filter(|id| found.insert(**id)));
    }
    found
}

fn called(outer: &Expr, found: &mut BTreeSet<MappingId>) {
    each(outer, &mut |e| {
        if let ExprKind::Ensure(id, _) | ExprKind::Write(id, _) = &e.kind {
            found.insert(*id);
        }
    });
}

/// The parts of an expression that a person wrote there and that have a value of their own, in the order of their places:
/// what is shown of it when it does not hold.
pub fn parts_of(expr: &Expr) -> Vec<&Expr> {
    let mut parts = Vec::new();
    written_in(expr, expr.span, &mut parts);
    parts.sort_by_key(|part| (part.span.start, std::cmp::Reverse(part.span.end)));
    parts.dedup_by_key(|part| part.span);
    parts
}

fn written_in<'e>(expr: &'e Expr, whole: Span, parts: &mut Vec<&'e Expr>) {
    let within = expr.span.file == whole.file && expr.span.start >= whole.start && expr.span.end <= whole.end;
    // A record by its name alone says nothing that its given does not say.
    let is_record = matches!(expr.kind, ExprKind::Local(_)) && matches!(expr.ty.present(), Type::Record(_));
    let is_plain =
        matches!(expr.kind, ExprKind::Const(_) | ExprKind::Lambda(..) | ExprKind::Binary(Binary::And | Binary::Or, ..));
    let shown = !is_record && !is_plain;
    if within && shown && expr.span != whole {
        parts.push(expr);
    }
    match &expr.kind {
        // What it is applied to has a value only there.
        ExprKind::Lambda(..) => {}
        // Each side is written; the copy of a function's body between is not.
        ExprKind::Let(_, value, body) => {
            written_in(value, whole, parts);
            written_in(body, whole, parts);
        }
        _ => children(expr, &mut |child| written_in(child, whole, parts)),
    }
}
