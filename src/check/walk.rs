//! Going through what was made of expressions.

use crate::ir::{Builder, Element, Expr, ExprKind, Step, StepKind, When};

/// Calls `f` with an expression and all that it is made of, the outer ones first.
pub(crate) fn each(e: &Expr, f: &mut dyn FnMut(&Expr)) {
    f(e);
    match &e.kind {
        ExprKind::Const(_)
        | ExprKind::Setting(..)
        | ExprKind::Unanswered(_)
        | ExprKind::Local(_)
        | ExprKind::It(_)
        | ExprKind::ItSelf
        | ExprKind::Was
        | ExprKind::Keep => {}
        ExprKind::Field(a, ..)
        | ExprKind::Unary(_, a)
        | ExprKind::IsSome(a, _)
        | ExprKind::InGroup(a, _)
        | ExprKind::LinkedTo(_, a)
        | ExprKind::Stop(_, a)
        | ExprKind::Lambda(_, a) => each(a, f),
        ExprKind::Let(_, a, b)
        | ExprKind::Binary(_, a, b)
        | ExprKind::OrElse(a, b)
        | ExprKind::In(a, b)
        | ExprKind::PriceBy(a, b) => [a, b].into_iter().for_each(|e| each(e, f)),
        ExprKind::If(a, b, c) => [a, b, c].into_iter().for_each(|e| each(e, f)),
        ExprKind::Lookup { keys: list, .. }
        | ExprKind::Native(_, list)
        | ExprKind::Extern(_, _, list)
        | ExprKind::Concat(list)
        | ExprKind::Ensure(_, list)
        | ExprKind::Write(_, list) => list.iter().for_each(|e| each(e, f)),
        ExprKind::Match(on, arms) => {
            each(on, f);
            arms.iter().for_each(|arm| each(&arm.value, f));
        }
        ExprKind::List(elements) => elements.iter().for_each(|element| each_of(element, f)),
        ExprKind::Build(builder) => {
            let Builder { entity: _, steps, name: _ } = &**builder;
            each_step(steps, f);
        }
        ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
            find.values.iter().for_each(|e| each(e, f));
        }
    }
}

fn each_of(element: &Element, f: &mut dyn FnMut(&Expr)) {
    match element {
        Element::One(e) | Element::All(e) => each(e, f),
        Element::For(clauses, e) => {
            for clause in clauses {
                each(&clause.list, f);
                if let Some(cond) = &clause.cond {
                    each(cond, f);
                }
            }
            each(e, f);
        }
    }
}

/// Calls `f` with all expressions of steps.
pub(crate) fn each_step(steps: &[Step], f: &mut dyn FnMut(&Expr)) {
    for step in steps {
        match &step.kind {
            StepKind::Let(_, value) => each(value, f),
            StepKind::Assign { path: _, value, when } => {
                each(value, f);
                if let When::Update(Some(cond)) = when {
                    each(cond, f);
                }
            }
            StepKind::Check(cond, otherwise) | StepKind::Alert(cond, otherwise) => {
                each(cond, f);
                each(otherwise, f);
            }
        }
    }
}
