//! What no record can change: operations on literals that have no result.

use super::body::Body;
use crate::ir::{Binary, Const, Expr, ExprKind, Native, Unary, known};
use crate::source::codes;
use crate::value::decimal::DECIMALS_MAX;
use rust_decimal::Decimal;

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
        let (message, help) = match (native, literal(argument), known(argument)) {
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
