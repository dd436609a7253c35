//! Calls of functions that are done together, as if one after the other: what each comes to is looked at nowhere else.

use super::compiler::Compiler;
use crate::eval::natives::{At, Change};
use crate::ir::{Const, Expr, ExprKind, LocalId, Native, Type, children_mut, each, known};
use std::sync::Arc;

/// `[a, b].any(x => text.contains("… {x} …"))`, of elements that are known: the text, which is the same for all, and what is
/// looked for in it.
pub(crate) fn contains_each<'e>(
    elements: &[Const],
    local: LocalId,
    body: &'e Expr,
) -> Option<(&'e Expr, Vec<Arc<str>>)> {
    let ExprKind::Native(Native::Contains, args) = &body.kind else { return None };
    let [text, part] = args.as_slice() else { return None };
    let mut is_same = matches!(text.ty, Type::Text(_));
    each(text, &mut |e| is_same &= !matches!(e.kind, ExprKind::Local(other) if other == local));
    let part = |element: &Const| match known(&with_constant(part.clone(), local, element)) {
        Some(Const::Text(part)) => Some(part),
        _ => None,
    };
    let parts = elements.iter().map(part).collect::<Option<Vec<Arc<str>>>>();
    parts.filter(|_| is_same).map(|parts| (text, parts))
}

/// `text.replace(" ", "").replace(".", "")`: the innermost text, where at least two single characters are replaced.
pub(crate) fn characters_replaced<'e>(
    compiler: &Compiler<'_>,
    args: &'e [Expr],
    expr: &'e Expr,
) -> Option<(&'e Expr, Vec<Change>, At)> {
    let mut changes = vec![change(args)?];
    let (mut call, mut of) = (expr, args.first()?);
    while let ExprKind::Native(Native::Replace, inner) = &of.kind
        && compiler.is_alone(of)
        && let Some(change) = change(inner)
    {
        changes.push(change);
        (call, of) = (of, inner.first()?);
    }
    if changes.len() < 2 || compiler.is_stepwise() {
        return None;
    }
    changes.reverse();
    let at = At { span: call.span, ty: call.ty.clone(), personal: compiler.tells_personal(of) };
    Some((of, changes, at))
}

/// The one character of ASCII that is replaced here, by one such or by nothing.
fn change(args: &[Expr]) -> Option<Change> {
    let [_, from, to] = args else { return None };
    match (known(from)?, known(to)?) {
        (Const::Text(from), Const::Text(to)) if from.is_ascii() && to.is_ascii() => {
            match (from.as_bytes(), to.as_bytes()) {
                ([from], []) => Some((*from, None)),
                ([from], [to]) => Some((*from, Some(*to))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An expression in which a local is a constant.
pub(crate) fn with_constant(mut expr: Expr, local: LocalId, constant: &Const) -> Expr {
    if matches!(expr.kind, ExprKind::Local(known) if known == local) {
        expr.kind = ExprKind::Const(constant.clone());
    }
    children_mut(&mut expr, &mut |child| *child = with_constant(child.clone(), local, constant));
    expr
}
