//! The parts of a `where` that the source's API evaluates: a field that it can be asked by has one of some known values.

use crate::ir::{Binary, Const, Element, Expr, ExprKind, FieldId, Flow, Native, Program, Search, known};
use crate::source::Span;

/// A condition that is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The field.
    pub field: FieldId,
    /// Its values, as the flow says them.
    pub values: Vec<Const>,
}

/// What of a filter is sent, and whether something is left to be evaluated here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pushdown {
    /// Sent conditions: all of them must hold.
    pub sent: Vec<Sent>,
    /// What can't be sent, and is evaluated here.
    pub rest: Vec<Span>,
}

/// Divides a flow's filter. What a project's own condition leaves out is listed all the same.
pub fn pushdown(program: &Program, flow: &Flow) -> Pushdown {
    let conditions = |filter: Option<&Expr>| {
        let mut parts = Vec::new();
        filter.into_iter().for_each(|filter| divide(filter, &mut parts));
        parts.into_iter().map(|part| (condition(program, flow, part), part.span)).collect::<Vec<_>>()
    };
    let listed = conditions(flow.listed.as_ref().or(flow.filter.as_ref()));
    let sent: Vec<Sent> = listed.into_iter().filter_map(|(sent, _)| sent).collect();
    let here = conditions(flow.filter.as_ref()).into_iter();
    let rest = here.filter(|(condition, _)| condition.as_ref().is_none_or(|c| !sent.contains(c))).map(|(_, span)| span);
    Pushdown { rest: rest.collect(), sent }
}

/// The conditions that must all hold, but for what holds of every record.
fn divide<'e>(filter: &'e Expr, parts: &mut Vec<&'e Expr>) {
    if let ExprKind::Binary(Binary::And, a, b) = &filter.kind {
        divide(a, parts);
        divide(b, parts);
    } else if known(filter) != Some(Const::Bool(true)) {
        parts.push(filter);
    }
}

fn condition(program: &Program, flow: &Flow, expr: &Expr) -> Option<Sent> {
    let (field, values) = match &expr.kind {
        ExprKind::Binary(Binary::Eq, a, b) => match constants(b) {
            Some(values) => (a, values),
            None => (b, constants(a)?),
        },
        ExprKind::In(a, b) => (a, constants(b)?),
        _ => return None,
    };
    let ExprKind::Field(of, entity, id) = &without_case(program, field).kind else { return None };
    let own = matches!(of.kind, ExprKind::Local(local) if local == flow.record) && *entity == flow.source;
    let asked = matches!(program.entity(*entity).get(*id).search, Search::Filter | Search::Parameter);
    // Nothing can't be asked for, and a condition without values holds nowhere.
    let known = !values.is_empty() && values.iter().all(|value| matches!(value, Const::Text(_) | Const::Number(_)));
    (own && asked && known).then_some(Sent { field: *id, values })
}

/// A field behind the small letters in which it is compared: a system that doesn't mind its case finds it as it stands. Where
/// that is only assumed it is not asked: a system that does mind would leave out rows, and nobody would hear of it.
fn without_case<'e>(program: &Program, compared: &'e Expr) -> &'e Expr {
    if let ExprKind::Native(Native::Lower, args) = &compared.kind
        && let [field] = args.as_slice()
        && let ExprKind::Field(_, entity, id) = &field.kind
        && let of = program.entity(*entity).get(*id)
        && of.form.caseless
        && !of.assumed
    {
        return field;
    }
    compared
}

/// The values of an expression that is known beforehand.
fn constants(expr: &Expr) -> Option<Vec<Const>> {
    match &expr.kind {
        ExprKind::Const(Const::List(list)) | ExprKind::Setting(_, Const::List(list)) => Some(list.clone()),
        ExprKind::Const(one) | ExprKind::Setting(_, one) => Some(vec![one.clone()]),
        ExprKind::List(elements) => {
            let each = elements.iter().map(|element| match element {
                Element::One(one) | Element::All(one) => constants(one),
                Element::For(..) => None,
            });
            Some(each.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}
