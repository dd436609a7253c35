//! What is known before anything runs: values of literals and answered settings alone.

use super::body::{Body, constant_of};
use crate::ir::{Binary, Const, Expr, ExprKind, Native, Pattern, Unary};
use crate::source::codes;
use crate::value::decimal::DECIMALS_MAX;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// The value of an expression, where literals and answers decide it.
pub(crate) fn known(e: &Expr) -> Option<Const> {
    if let Some(c) = constant_of(e) {
        return Some(c);
    }
    match &e.kind {
        ExprKind::Unary(Unary::Not, a) => truth(a).map(|yes| Const::Bool(!yes)),
        ExprKind::Binary(op, a, b) => binary(*op, a, b),
        ExprKind::IsSome(a, None) => Some(Const::Bool(known(a)? != Const::Absent)),
        ExprKind::In(a, list) => match known(list)? {
            Const::List(list) => Some(Const::Bool(list.contains(&known(a)?))),
            _ => None,
        },
        ExprKind::InGroup(a, group) => match known(a)? {
            Const::Text(country) => Some(Const::Bool(crate::value::code::in_group(&country, group))),
            _ => None,
        },
        ExprKind::If(cond, then, other) => known(if truth(cond)? { then } else { other }),
        ExprKind::OrElse(a, b) => match known(a)? {
            Const::Absent => known(b),
            there => Some(there),
        },
        ExprKind::Match(on, arms) => {
            let on = known(on)?;
            let arm = arms.iter().find_map(|arm| match takes(&arm.pattern, &on) {
                Some(true) => Some(Some(&arm.value)),
                Some(false) => None,
                None => Some(None),
            });
            known(arm??)
        }
        _ => None,
    }
}

/// The truth of a condition that literals and answers decide.
pub(crate) fn truth(e: &Expr) -> Option<bool> {
    match known(e)? {
        Const::Bool(yes) => Some(yes),
        _ => None,
    }
}

fn binary(op: Binary, a: &Expr, b: &Expr) -> Option<Const> {
    // One side may decide alone.
    match (op, truth(a), truth(b)) {
        (Binary::And, Some(false), _) | (Binary::And, _, Some(false)) => return Some(Const::Bool(false)),
        (Binary::Or, Some(true), _) | (Binary::Or, _, Some(true)) => return Some(Const::Bool(true)),
        (Binary::And | Binary::Or, Some(_), Some(_)) => return Some(Const::Bool(op == Binary::And)),
        (Binary::And | Binary::Or, ..) => return None,
        _ => {}
    }
    let (a, b) = (known(a)?, known(b)?);
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
        Binary::Div => number(&a, &b, Decimal::checked_div),
        Binary::And | Binary::Or => None,
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

fn takes(pattern: &Pattern, value: &Const) -> Option<bool> {
    Some(match pattern {
        Pattern::Any => true,
        Pattern::Absent => *value == Const::Absent,
        Pattern::OneOf(list) => list.contains(value),
        Pattern::Prefix(prefix) => match value {
            Const::Text(text) => text.starts_with(&**prefix),
            _ => return None,
        },
        Pattern::Group(group) => match value {
            Const::Text(country) => crate::value::code::in_group(country, group),
            _ => return None,
        },
        Pattern::Either(list) => {
            let mut any = false;
            for p in list {
                any |= takes(p, value)?;
            }
            any
        }
    })
}

/// The number that literals alone come to; an answer may be another one tomorrow, and a condition may guard it.
fn literal(e: &Expr) -> Option<Decimal> {
    match &e.kind {
        ExprKind::Const(Const::Number(n)) => Some(*n),
        ExprKind::Unary(Unary::Neg, a) => literal(a).map(|n| -n),
        ExprKind::Binary(op, a, b) => computed(*op, literal(a)?, literal(b)?),
        _ => None,
    }
}

fn computed(op: Binary, a: Decimal, b: Decimal) -> Option<Decimal> {
    match op {
        Binary::Add => a.checked_add(b),
        Binary::Sub => a.checked_sub(b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div => a.checked_div(b),
        _ => None,
    }
}

/// What no record can change: it has no result.
impl Body<'_, '_> {
    /// Says so of an operation on numbers.
    pub(crate) fn has_result(&mut self, op: Binary, a: &Expr, b: &Expr) {
        let Some(by) = literal(b) else { return };
        if op == Binary::Div && by.is_zero() {
            self.cx.say(&codes::NO_RESULT, b.span, "nothing can be divided by 0", "divide by something else");
        } else if let Some(a) = literal(a)
            && computed(op, a, by).is_none()
        {
            let message = format!("the number becomes larger than {DECIMALS_MAX} digits hold");
            self.cx.say(&codes::NO_RESULT, b.span, message, "write a smaller number");
        }
    }

    /// Says so of what a function is given behind its first argument.
    pub(crate) fn is_possible(&mut self, native: Native, argument: &Expr) {
        let name = native.name();
        let (message, help) = match (native, literal(argument), constant_of(argument)) {
            (Native::Round | Native::Share, Some(n), _) if n < Decimal::ZERO || n > DECIMALS_MAX.into() => {
                (format!("`{name}` keeps 0 to {DECIMALS_MAX} decimals, not {n}"), "an invoice has 2")
            }
            (Native::Take, Some(n), _) if n < Decimal::ZERO => {
                (format!("`{name}` can't leave {n} characters"), "write how many it leaves")
            }
            (Native::Split, _, Some(Const::Text(by))) if by.is_empty() => {
                ("a text can't be split at nothing".to_owned(), "write what stands between its parts")
            }
            (Native::Capture, _, Some(Const::Text(pattern))) => match regex::Regex::new(&pattern) {
                Ok(_) => return,
                // The last line says what is wrong; those before it draw the pattern.
                Err(e) => (
                    format!("this is no pattern: {}", e.to_string().lines().last().unwrap_or_default()),
                    "a bracket that is meant as such is written `\\\\(`",
                ),
            },
            _ => return,
        };
        self.cx.say(&codes::NO_RESULT, argument.span, message, help);
    }
}
