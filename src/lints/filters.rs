//! Conditions that are evaluated here though they speak of fields that the API can filter by.

use crate::ir::{Binary, Expr, ExprKind, LocalId, Native, Program, Search, Unary, each, truth};
use crate::source::{Diagnostic, codes};

/// Conditions that are evaluated here though they speak of fields that the API can filter by.
pub(super) fn sent(program: &Program, record: LocalId, cond: &Expr, told: &mut Vec<Diagnostic>) {
    if let ExprKind::Binary(Binary::And, a, b) = &cond.kind {
        sent(program, record, a, told);
        sent(program, record, b, told);
        return;
    }
    if truth(cond).is_some() || is_plain(program, record, cond) {
        return;
    }
    // What a setting decides is not there any more.
    if let ExprKind::Binary(Binary::Or, a, b) = &cond.kind {
        for (one, other) in [(a, b), (b, a)] {
            if truth(one) == Some(false) {
                return sent(program, record, other, told);
            }
        }
    }
    let mut field = None;
    each(cond, &mut |e| {
        if let ExprKind::Field(of, entity, f) = &e.kind
            && of.kind_is_local(record)
        {
            field.get_or_insert((*entity, *f));
        }
    });
    let Some((entity, f)) = field else { return };
    let f = program.entity(entity).get(f);
    if f.search == Search::No {
        return;
    }
    let name = f.name.clone();
    let help = match &cond.kind {
        ExprKind::Binary(Binary::Or, ..) => format!("say it as one list: `{name} in [\"a\", \"b\"]`"),
        _ => format!("compare the field itself, as in `{name} == value` or `{name} in [\"a\", \"b\"]`"),
    };
    told.push(
        Diagnostic::new(
            &codes::FILTER_NOT_SENT,
            cond.span,
            format!("every record is fetched to decide this; the API could filter by `{name}` itself"),
        )
        .label("evaluated here")
        .help(help),
    );
}

impl Expr {
    fn kind_is_local(&self, local: LocalId) -> bool {
        matches!(self.kind, ExprKind::Local(id) if id == local)
    }
}

/// `record.field OP value`, `record.field in values`, `record.flag`, `not record.flag`, `record.field is some`, where the
/// values do not depend on the record.
fn is_plain(program: &Program, record: LocalId, cond: &Expr) -> bool {
    let plain = |e: &Expr| matches!(&e.kind, ExprKind::Field(of, ..) if of.kind_is_local(record));
    // Small letters are how a text is compared whose case says nothing.
    let field = |e: &Expr| match &e.kind {
        ExprKind::Native(Native::Lower, args) => args.first().is_some_and(|e| {
            plain(e)
                && matches!(&e.kind, ExprKind::Field(_, entity, f) if program.entity(*entity).get(*f).form.caseless)
        }),
        _ => plain(e),
    };
    let free = |e: &Expr| {
        let mut free = true;
        each(e, &mut |e| free &= !e.kind_is_local(record));
        free
    };
    match &cond.kind {
        ExprKind::Binary(Binary::Eq | Binary::Ne | Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge, a, b) => {
            field(a) && free(b) || field(b) && free(a)
        }
        ExprKind::In(a, list) => field(a) && free(list),
        ExprKind::IsSome(a, _) => field(a),
        ExprKind::Unary(Unary::Not, a) => field(a) || matches!(&a.kind, ExprKind::IsSome(a, _) if field(a)),
        _ => field(cond),
    }
}
