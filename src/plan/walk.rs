//! Walking through expressions as they are executed: every node that can be computed once, outer ones first.

use crate::ir::{Const, Expr, ExprKind, Flow, Mapping, Native, Step, children, decided, of_flow, of_mapping, of_steps};

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
