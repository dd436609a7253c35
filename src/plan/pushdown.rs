//! The parts of a `where` that the source's API evaluates: a field that it can be asked by has one of some known values.

use crate::ir::{Binary, Const, Element, Expr, ExprKind, FieldId, Flow, Program, Search, known};
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

/// Divides a flow's filter.
pub fn pushdown(program: &Program, flow: &Flow) -> Pushdown {
    let mut divided = Pushdown::default();
    if let Some(filter) = flow.listed.as_ref().or(flow.filter.as_ref()) {
        divide(program, flow, filter, &mut divided);
    }
    // What a project's own condition leaves out is listed all the same.
    if let (Some(_), Some(filter)) = (&flow.listed, &flow.filter) {
        divided.rest = vec![filter.span];
    }
    divided
}

fn divide(program: &Program, flow: &Flow, filter: &Expr, divided: &mut Pushdown) {
    if let ExprKind::Binary(Binary::And, a, b) = &filter.kind {
        divide(program, flow, a, divided);
        divide(program, flow, b, divided);
        return;
    }
    match condition(program, flow, filter) {
        Some(sent) => divided.sent.push(sent),
        // What holds of every record is neither.
        None if known(filter) == Some(Const::Bool(true)) => {}
        None => divided.rest.push(filter.span),
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
    let ExprKind::Field(of, entity, id) = &field.kind else { return None };
    let own = matches!(of.kind, ExprKind::Local(local) if local == flow.record) && *entity == flow.source;
    let asked = matches!(program.entity(*entity).get(*id).search, Search::Filter | Search::Parameter);
    // Nothing can't be asked for, and a condition without values holds nowhere.
    let known = !values.is_empty() && values.iter().all(|value| matches!(value, Const::Text(_) | Const::Number(_)));
    (own && asked && known).then_some(Sent { field: *id, values })
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
