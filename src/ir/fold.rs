//! The one constant folder: what literals, answered settings and what is computed from them alone come to.

use super::expr::{Binary, Const, Element, Expr, ExprKind, Pattern, Unary};
use crate::value::code::in_group;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// The value of an expression that depends on no record, and that computing cannot stop.
pub fn known(expr: &Expr) -> Option<Const> {
    match &expr.kind {
        ExprKind::Const(constant) | ExprKind::Setting(_, constant) => Some(constant.clone()),
        ExprKind::If(cond, then, other) => known(if bool_of(known(cond)?)? { then } else { other }),
        ExprKind::Match(subject, arms) => {
            let subject = known(subject)?;
            arms.iter().find(|arm| accepts(&arm.pattern, &subject)).and_then(|arm| known(&arm.value))
        }
        ExprKind::OrElse(a, b) => match known(a)? {
            Const::Absent => known(b),
            there => Some(there),
        },
        ExprKind::IsSome(a, None) => known(a).map(|a| Const::Bool(a != Const::Absent)),
        ExprKind::In(a, list) => match (known(a)?, known(list)?) {
            (a, Const::List(list)) => Some(Const::Bool(list.contains(&a))),
            _ => None,
        },
        ExprKind::InGroup(a, group) => match known(a)? {
            Const::Text(country) => Some(Const::Bool(in_group(&country, group))),
            _ => None,
        },
        ExprKind::Unary(Unary::Not, a) => bool_of(known(a)?).map(|yes| Const::Bool(!yes)),
        ExprKind::Unary(Unary::Neg, a) => match known(a)? {
            Const::Number(n) => Some(Const::Number(-n)),
            _ => None,
        },
        ExprKind::Binary(op, a, b) => binary(*op, a, b),
        ExprKind::Concat(parts) => {
            let texts = parts.iter().map(|part| match known(part)? {
                Const::Text(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<Vec<_>>>().map(|texts| Const::Text(texts.concat().into()))
        }
        ExprKind::List(elements) => {
            let known = elements.iter().map(|element| match element {
                Element::One(e) => known(e),
                Element::All(_) | Element::For(..) => None,
            });
            known.collect::<Option<Vec<_>>>().map(Const::List)
        }
        // What asks a record, the world or the clock.
        _ => None,
    }
}

/// The branch that is taken whatever is read.
pub fn decided(expr: &Expr) -> Option<&Expr> {
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

/// The truth of a condition of which one side may decide alone, whatever the other comes to or stops at.
pub fn truth(cond: &Expr) -> Option<bool> {
    match &cond.kind {
        ExprKind::Unary(Unary::Not, a) => truth(a).map(|yes| !yes),
        ExprKind::Binary(op @ (Binary::And | Binary::Or), a, b) => {
            let decides = *op == Binary::Or;
            match (truth(a), truth(b)) {
                (Some(yes), _) | (_, Some(yes)) if yes == decides => Some(decides),
                (Some(_), Some(_)) => Some(!decides),
                _ => None,
            }
        }
        _ => bool_of(known(cond)?),
    }
}

/// Whether a pattern accepts a constant.
pub fn accepts(pattern: &Pattern, constant: &Const) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Absent => *constant == Const::Absent,
        Pattern::OneOf(constants) => constants.contains(constant),
        Pattern::Prefix(prefix) => matches!(constant, Const::Text(text) if text.starts_with(&**prefix)),
        Pattern::Group(group) => matches!(constant, Const::Text(country) if in_group(country, group)),
        Pattern::Either(patterns) => patterns.iter().any(|pattern| accepts(pattern, constant)),
    }
}

fn bool_of(constant: Const) -> Option<bool> {
    if let Const::Bool(yes) = constant { Some(yes) } else { None }
}

fn binary(op: Binary, a: &Expr, b: &Expr) -> Option<Const> {
    let left = known(a)?;
    // The right side is not computed where the left one decides.
    match (op, &left) {
        (Binary::And, Const::Bool(false)) | (Binary::Or, Const::Bool(true)) => return Some(left),
        (Binary::And | Binary::Or, _) => return bool_of(known(b)?).map(Const::Bool),
        _ => {}
    }
    let (a, b) = (left, known(b)?);
    let ordered = |holds: fn(Ordering) -> bool| Some(Const::Bool(holds(order(&a, &b)?)));
    match op {
        Binary::Eq => Some(Const::Bool(a == b)),
        Binary::Ne => Some(Const::Bool(a != b)),
        Binary::Lt => ordered(Ordering::is_lt),
        Binary::Le => ordered(Ordering::is_le),
        Binary::Gt => ordered(Ordering::is_gt),
        Binary::Ge => ordered(Ordering::is_ge),
        Binary::Add => number(&a, &b, Decimal::checked_add),
        Binary::Sub => number(&a, &b, Decimal::checked_sub),
        Binary::Mul => number(&a, &b, Decimal::checked_mul),
        // A quotient may be cut, and by 0 there is none.
        Binary::Div | Binary::And | Binary::Or => None,
    }
}

fn number(a: &Const, b: &Const, f: fn(Decimal, Decimal) -> Option<Decimal>) -> Option<Const> {
    match (a, b) {
        (Const::Number(a), Const::Number(b)) => f(*a, *b).map(Const::Number),
        _ => None,
    }
}

fn order(a: &Const, b: &Const) -> Option<Ordering> {
    match (a, b) {
        (Const::Number(a), Const::Number(b)) => Some(a.cmp(b)),
        (Const::Date(a), Const::Date(b)) => Some(a.cmp(b)),
        (Const::Instant(a), Const::Instant(b)) => Some(a.cmp(b)),
        (Const::Duration(a), Const::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
