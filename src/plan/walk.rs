//! Walking through expressions as they are executed: every node that can be computed once, outer ones first.

use crate::ir::{
    Binary, Const, Expr, ExprKind, Flow, Mapping, Native, Step, accepts, children, known, of_flow, of_mapping, of_steps,
};

/// Calls `see` for the expression and for every expression in it that can be computed.
pub fn each<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    see(expr);
    executed(expr, &mut |child| each(child, see));
}

/// Calls `see` for the expressions that this one is directly made of, but for branches that literals and answered settings
/// rule out: what stands there is neither read nor asked for. Of a further entry that is asked for by a known key only the
/// record is looked at: the list itself is not read.
pub(crate) fn executed<'e>(expr: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    if let Some((record, _)) = meta_entry(expr) {
        return see(record);
    }
    match decided(expr) {
        Some(taken) => see(taken),
        None => children(expr, see),
    }
}

/// The branch that is taken whatever is read.
pub(crate) fn decided(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::If(cond, then, other) => match known(cond)? {
            Const::Bool(true) => Some(then),
            Const::Bool(false) => Some(other),
            _ => None,
        },
        ExprKind::Match(subject, arms) => {
            let subject = known(subject)?;
            arms.iter().find(|arm| accepts(&arm.pattern, &subject)).map(|arm| &arm.value)
        }
        ExprKind::OrElse(a, b) => match known(a)? {
            Const::Absent => Some(b),
            _ => Some(a),
        },
        ExprKind::Binary(op @ (Binary::And | Binary::Or), a, b) => match known(a)? {
            Const::Bool(yes) => Some(if yes == (*op == Binary::And) { b } else { a }),
            _ => None,
        },
        _ => None,
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

/// Calls `see` for every expression of a mapping.
pub(crate) fn each_of_mapping<'e>(mapping: &'e Mapping, see: &mut dyn FnMut(&'e Expr)) {
    of_mapping(mapping, &mut |e| each(e, see));
}

/// Calls `see` for every expression of a flow itself, its mappings apart.
pub(crate) fn each_of_flow<'e>(flow: &'e Flow, see: &mut dyn FnMut(&'e Expr)) {
    of_flow(flow, &mut |e| each(e, see));
}
