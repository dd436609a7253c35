//! Literals: the values that they are, and operations on them that have no result.

use crate::check::infer::frame::Infer;
use crate::ir::{Binary, Const, Expr, ExprKind, Native, Type, Unary, known};
use crate::source::{Span, codes};
use crate::syntax::ast::{self, ExprKind as A, TextPart, UnaryOp};
use crate::value::decimal::DECIMALS_MAX;
use rust_decimal::Decimal;
use std::sync::Arc;

/// How long a text is in whatever unit: where it is looked at itself, it is counted in the unit of its place.
pub(crate) fn most_units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX)
}

/// The number that literals alone come to; an answer may be another one tomorrow, and a condition may guard it.
fn computed_of(e: &Expr) -> Option<Decimal> {
    match &e.kind {
        ExprKind::Const(Const::Number(n)) => Some(*n),
        ExprKind::Unary(Unary::Neg, a) => computed_of(a).map(|n| -n),
        ExprKind::Binary(op, a, b) => computed(*op, computed_of(a)?, computed_of(b)?),
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

impl Infer<'_, '_> {
    /// The value of a literal; none where it is another expression. `want` decides what a text in quotes is.
    pub(crate) fn literal(&mut self, e: &ast::Expr, want: Option<&Type>) -> Option<Expr> {
        let span = e.span;
        Some(match &e.kind {
            A::Number(n) => {
                let made = self.number(n, Type::Literal, span);
                let whole = computed_of(&made).is_none_or(|n| n.fract().is_zero());
                if whole { made } else { Expr { ty: Type::Fraction, ..made } }
            }
            A::Percent(n) => self.number(n, Type::Percent, span),
            A::Date(text) => self.date(text, span),
            A::Instant(text) => self.instant(text, span),
            A::Duration(n, unit) => self.duration(n, unit, span),
            A::Bool(yes) => Self::make(ExprKind::Const(Const::Bool(*yes)), Type::Bool, span),
            A::None => Self::absent(span),
            A::Text(parts) => match parts.as_slice() {
                [] => self.plain_text("".into(), want, span),
                [TextPart::Plain(text)] => self.plain_text(Arc::clone(text), want, span),
                _ => return None,
            },
            A::Unary(UnaryOp::Neg, inner) => {
                let inner = self.literal(inner, None).filter(|inner| inner.ty.is_number())?;
                let ty = inner.ty.clone();
                Self::make(ExprKind::Unary(Unary::Neg, Box::new(inner)), ty, span)
            }
            _ => return None,
        })
    }

    /// A literal for a place which messages call so.
    pub(crate) fn literal_for(&mut self, place: &str, e: &ast::Expr, want: &Type) -> Option<Expr> {
        let outer = std::mem::replace(&mut self.place, place.into());
        let made = self.literal(e, Some(want));
        self.place = outer;
        made
    }

    /// A text without holes; where a code is wanted, it is one.
    fn plain_text(&mut self, text: Arc<str>, want: Option<&Type>, span: Span) -> Expr {
        let length = most_units(&text);
        let plain = Self::make(ExprKind::Const(Const::Text(text)), Type::Text(Some(length)), span);
        match want.map(Type::present) {
            Some(
                ty @ (Type::Enum(_) | Type::Country | Type::Currency | Type::Code(_) | Type::FieldOf(_) | Type::Guid),
            ) => {
                let ty = ty.clone();
                let place = Arc::clone(&self.place);
                self.coerce(plain, &ty, &place)
            }
            _ => plain,
        }
    }

    /// Says so of an operation on numbers.
    pub(crate) fn has_result(&mut self, op: Binary, a: &Expr, b: &Expr) {
        let Some(by) = computed_of(b) else { return };
        if op == Binary::Div && by.is_zero() {
            self.cx.say(&codes::NO_RESULT, b.span, "nothing can be divided by 0", "divide by something else");
        } else if let Some(a) = computed_of(a)
            && computed(op, a, by).is_none()
        {
            let message = format!("the number becomes larger than {DECIMALS_MAX} digits hold");
            self.cx.say(&codes::NO_RESULT, b.span, message, "write a smaller number");
        }
    }

    /// Says so of what a function is given behind its first argument.
    pub(crate) fn is_possible(&mut self, native: Native, argument: &Expr) {
        let name = native.name();
        let (message, help) = match (native, computed_of(argument), known(argument)) {
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
                    format!("this is not a pattern: {}", e.to_string().lines().last().unwrap_or_default()),
                    "a bracket that is meant as such is written `\\\\(`",
                ),
            },
            _ => return,
        };
        self.cx.say(&codes::NO_RESULT, argument.span, message, help);
    }
}

impl Infer<'_, '_> {
    pub(crate) fn bad_literal(&mut self, span: Span, message: String, help: &str) -> Expr {
        self.cx.say(&codes::BAD_LITERAL, span, message, help);
        Self::unknown(span)
    }

    pub(crate) fn number(&mut self, text: &str, ty: Type, span: Span) -> Expr {
        match Decimal::from_str_exact(text) {
            Ok(n) => Self::make(ExprKind::Const(Const::Number(n)), ty, span),
            Err(_) => self.bad_literal(
                span,
                format!("`{text}` has more digits than an amount can have"),
                "numbers have at most 28 digits",
            ),
        }
    }

    pub(crate) fn date(&mut self, text: &str, span: Span) -> Expr {
        match text.parse() {
            Ok(date) => Self::make(ExprKind::Const(Const::Date(date)), Type::Date, span),
            Err(_) => self.bad_literal(
                span,
                format!("{text} is not a date of the calendar"),
                "a date is written year-month-day, as 2026-01-31",
            ),
        }
    }

    pub(crate) fn instant(&mut self, text: &str, span: Span) -> Expr {
        match text.parse() {
            Ok(at) => Self::make(ExprKind::Const(Const::Instant(at)), Type::Instant, span),
            Err(_) => self.bad_literal(
                span,
                format!("{text} is not an instant"),
                "an instant carries its zone, as 2026-01-31T10:00:00Z",
            ),
        }
    }

    pub(crate) fn duration(&mut self, text: &str, unit: &ast::Name, span: Span) -> Expr {
        let seconds = match unit.text.trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 3_600,
            "day" => 86_400,
            "week" => 604_800,
            _ => {
                return self.bad_literal(
                    unit.span,
                    format!("`{}` is not a unit of time", unit.text),
                    "units are seconds, minutes, hours, days and weeks",
                );
            }
        };
        match text.parse::<i64>().ok().and_then(|n| n.checked_mul(seconds)) {
            Some(n) => {
                Self::make(ExprKind::Const(Const::Duration(jiff::SignedDuration::from_secs(n))), Type::Duration, span)
            }
            None => self.bad_literal(
                span,
                format!("`{text}` is not a whole number of {}", unit.text),
                "write a whole number before the unit",
            ),
        }
    }
}
