//! What is known when a flow is compiled: constants, answered settings, and what is computed from them alone.

use super::ops::{accepts_constant, compare};
use crate::ir::{Binary, Const, Expr, ExprKind, Unary};

/// The value of an expression that depends on no record.
pub(crate) fn fold(expr: &Expr) -> Option<Const> {
    match &expr.kind {
        ExprKind::Const(constant) | ExprKind::Setting(_, constant) => Some(constant.clone()),
        ExprKind::If(cond, then, other) => match fold(cond)? {
            Const::Bool(true) => fold(then),
            Const::Bool(false) => fold(other),
            _ => None,
        },
        ExprKind::Match(subject, arms) => {
            let subject = fold(subject)?;
            arms.iter().find(|arm| accepts_constant(&arm.pattern, &subject)).and_then(|arm| fold(&arm.value))
        }
        ExprKind::OrElse(a, b) => match fold(a)? {
            Const::Absent => fold(b),
            present => Some(present),
        },
        ExprKind::IsSome(a, None) => fold(a).map(|a| Const::Bool(a != Const::Absent)),
        ExprKind::In(a, b) => match (fold(a)?, fold(b)?) {
            (a, Const::List(list)) => Some(Const::Bool(list.contains(&a))),
            _ => None,
        },
        ExprKind::Unary(Unary::Not, a) => match fold(a)? {
            Const::Bool(b) => Some(Const::Bool(!b)),
            _ => None,
        },
        ExprKind::Unary(Unary::Neg, a) => match fold(a)? {
            Const::Number(n) => Some(Const::Number(-n)),
            _ => None,
        },
        ExprKind::Binary(op, a, b) => fold_binary(*op, a, b),
        ExprKind::Concat(parts) => {
            let texts = parts.iter().map(|part| match fold(part)? {
                Const::Text(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<Vec<_>>>().map(|texts| Const::Text(texts.concat().into()))
        }
        _ => None,
    }
}

fn fold_binary(op: Binary, a: &Expr, b: &Expr) -> Option<Const> {
    match (op, fold(a), fold(b)) {
        (Binary::And, Some(Const::Bool(false)), _) => Some(Const::Bool(false)),
        (Binary::Or, Some(Const::Bool(true)), _) => Some(Const::Bool(true)),
        (Binary::And | Binary::Or, Some(Const::Bool(_)), Some(Const::Bool(b))) => Some(Const::Bool(b)),
        (Binary::Eq, Some(a), Some(b)) => Some(Const::Bool(a == b)),
        (Binary::Ne, Some(a), Some(b)) => Some(Const::Bool(a != b)),
        (Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge, Some(Const::Number(a)), Some(Const::Number(b))) => {
            Some(Const::Bool(compare(op, a.cmp(&b))))
        }
        (Binary::Add, Some(Const::Number(a)), Some(Const::Number(b))) => a.checked_add(b).map(Const::Number),
        (Binary::Sub, Some(Const::Number(a)), Some(Const::Number(b))) => a.checked_sub(b).map(Const::Number),
        (Binary::Mul, Some(Const::Number(a)), Some(Const::Number(b))) => a.checked_mul(b).map(Const::Number),
        _ => None,
    }
}
