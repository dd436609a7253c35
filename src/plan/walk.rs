//! Walking through expressions: every node once, outer ones first.

use crate::ir::{Const, Expr, ExprKind, Flow, Mapping, Native, Step, children, of_flow, of_mapping, of_steps};

/// Calls `see` for the expression and for every expression in it. Of a further entry that is asked for by a
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

/// Calls `see` for every expression of a mapping.
pub(crate) fn each_of_mapping<'e>(mapping: &'e Mapping, see: &mut dyn FnMut(&'e Expr)) {
    of_mapping(mapping, &mut |e| each(e, see));
}

/// Calls `see` for every expression of a flow itself, its mappings apart.
pub(crate) fn each_of_flow<'e>(flow: &'e Flow, see: &mut dyn FnMut(&'e Expr)) {
    of_flow(flow, &mut |e| each(e, see));
}
