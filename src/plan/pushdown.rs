//! The parts of a filter that the source's API evaluates itself; all of it is evaluated here again.

use crate::ir::{Binary, Const, Element, Expr, ExprKind, FieldId, Flow, Program, Search};

/// A condition that is sent: the field has one of these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The field.
    pub field: FieldId,
    /// Its values.
    pub values: Vec<Const>,
}

/// What of a flow's filter is sent, and what can only be evaluated here.
pub fn pushdown<'p>(program: &'p Program, flow: &'p Flow) -> (Vec<Sent>, Vec<&'p Expr>) {
    let (mut sent, mut here) = (Vec::new(), Vec::new());
    if let Some(filter) = &flow.filter {
        conjuncts(program, flow, filter, &mut sent, &mut here);
    }
    (sent, here)
}

fn conjuncts<'p>(program: &Program, flow: &Flow, filter: &'p Expr, sent: &mut Vec<Sent>, here: &mut Vec<&'p Expr>) {
    let asked = match &filter.kind {
        ExprKind::Binary(Binary::And, a, b) => {
            conjuncts(program, flow, a, sent, here);
            conjuncts(program, flow, b, sent, here);
            return;
        }
        ExprKind::Binary(Binary::Eq, a, b) | ExprKind::In(a, b) => asked(program, flow, a, b),
        _ => None,
    };
    match asked {
        Some(condition) => sent.push(condition),
        None => here.push(filter),
    }
}

/// A field of the record that the API can be asked by, and values that are known beforehand.
fn asked(program: &Program, flow: &Flow, field: &Expr, values: &Expr) -> Option<Sent> {
    let ExprKind::Field(of, entity, id) = &field.kind else { return None };
    let is_record = matches!(of.kind, ExprKind::Local(local) if local == flow.record) && *entity == flow.source;
    let can = matches!(program.entity(*entity).get(*id).search, Search::Filter | Search::Parameter);
    let values: Vec<Const> = constants(values)?.into_iter().cloned().collect();
    (is_record && can && !values.is_empty()).then_some(Sent { field: *id, values })
}

/// The values of an expression that is known beforehand.
fn constants(expr: &Expr) -> Option<Vec<&Const>> {
    match &expr.kind {
        ExprKind::Const(Const::List(list)) | ExprKind::Setting(_, Const::List(list)) => Some(list.iter().collect()),
        ExprKind::Const(one) | ExprKind::Setting(_, one) => Some(vec![one]),
        ExprKind::List(elements) => {
            let each = elements.iter().map(|element| match element {
                Element::One(one) => constants(one),
                Element::All(_) | Element::For(..) => None,
            });
            Some(each.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}
