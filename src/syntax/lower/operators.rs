//! Operators and their strength: a flat row of operands and operators becomes a value.
//!
//! From weak to strong: `??` (from the right), `or`, `and`, `not`, comparisons with `in` and `is`, `+ -`, `* /`, `-x`.

use super::Lower;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Name, UnaryOp};
use std::iter::Peekable;

/// A part of the row.
pub(super) enum Item {
    Prefix(UnaryOp, Span),
    Value(Expr),
    Infix(Infix, Span),
    /// `is none`
    IsNone(Span),
    /// `is some`, `is some name`
    IsSome(Option<Name>, Span),
}

/// An operator between two values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Binary(BinaryOp),
    In,
}

type Row = Peekable<std::vec::IntoIter<Item>>;

const ELSE: u8 = 1;
const NOT: u8 = 4;
const COMPARE: u8 = 5;
const SUM: u8 = 6;
const NEGATE: u8 = 8;

fn strength(infix: Infix) -> u8 {
    match infix {
        Infix::Binary(op) => match op {
            BinaryOp::Else => ELSE,
            BinaryOp::Or => 2,
            BinaryOp::And => 3,
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => COMPARE,
            BinaryOp::Add | BinaryOp::Sub => SUM,
            BinaryOp::Mul | BinaryOp::Div => 7,
        },
        Infix::In => COMPARE,
    }
}

impl Lower<'_> {
    /// The value of a row.
    pub(super) fn row_of_operators(&mut self, items: Vec<Item>, whole: Span) -> Expr {
        let mut row = items.into_iter().peekable();
        self.climb(&mut row, 0, whole).0
    }

    /// A value of operators that bind at least as strongly as `weakest`, and whether its last step was arithmetic.
    fn climb(&mut self, row: &mut Row, weakest: u8, whole: Span) -> (Expr, bool) {
        let (mut left, mut arithmetic) = self.operand(row, whole);
        let mut compared: Option<Span> = None;
        while let Some(item) = row.peek() {
            let (power, sign) = match item {
                Item::Infix(infix, sign) => (strength(*infix), *sign),
                Item::IsNone(sign) | Item::IsSome(_, sign) => (COMPARE, *sign),
                Item::Prefix(..) | Item::Value(_) => break,
            };
            if power < weakest {
                break;
            }
            if power == COMPARE
                && let Some(first) = compared.replace(sign)
            {
                self.chained(first, sign);
            }
            match row.next() {
                Some(Item::IsNone(sign)) => {
                    let span = left.span.to(sign);
                    (left, arithmetic) = (Expr { kind: ExprKind::IsNone(Box::new(left)), span }, false);
                }
                Some(Item::IsSome(name, sign)) => {
                    let span = left.span.to(sign);
                    (left, arithmetic) = (Expr { kind: ExprKind::IsSome(Box::new(left), name), span }, false);
                }
                Some(Item::Infix(infix, sign)) => {
                    // `??` is taken from the right: the last one is the last resort.
                    let next = if power == ELSE { power } else { power + 1 };
                    let (right, right_arithmetic) = self.climb(row, next, whole);
                    if power == ELSE && (arithmetic || right_arithmetic) {
                        self.wants_parentheses(&left, sign, &right, arithmetic);
                    }
                    arithmetic = matches!(power, SUM | 7);
                    left = join(left, infix, sign, right);
                }
                Some(Item::Prefix(..) | Item::Value(_)) | None => break,
            }
        }
        (left, arithmetic)
    }

    fn operand(&mut self, row: &mut Row, whole: Span) -> (Expr, bool) {
        match row.next() {
            Some(Item::Value(value)) => (value, false),
            Some(Item::Prefix(op, sign)) => {
                let power = if op == UnaryOp::Not { NOT } else { NEGATE };
                let (inner, _) = self.climb(row, power, whole);
                let span = sign.to(inner.span);
                (Expr { kind: ExprKind::Unary(op, Box::new(inner)), span }, false)
            }
            Some(Item::Infix(..) | Item::IsNone(_) | Item::IsSome(..)) | None => {
                (Expr { kind: ExprKind::Error, span: whole }, false)
            }
        }
    }

    fn chained(&mut self, first: Span, second: Span) {
        self.report(
            Diagnostic::new(&codes::SYNTAX, second, "comparisons can't be chained: the first one is already yes or no")
                .label("a second comparison")
                .help("compare twice and join with `and`: `a < b and b < c`")
                .related(first, "the first comparison"),
        );
    }

    fn wants_parentheses(&mut self, left: &Expr, sign: Span, right: &Expr, left_is_sum: bool) {
        let sum = if left_is_sum { left.span } else { right.span };
        let shown = self.text.get(sum.range()).unwrap_or("").trim();
        let mut wrong = Diagnostic::new(&codes::SYNTAX, sign, "`??` beside a calculation needs parentheses")
            .label("what does it stand for?")
            .help(format!(
                "say what is calculated: write `({shown})` for how it is read now, or put parentheses around the `??`"
            ))
            .related(sum, "the calculation");
        let edit = |span: Span, text: &str| crate::source::Edit { span, text: text.into() };
        wrong.fix = Some(crate::source::Fix {
            title: "put the calculation in parentheses".into(),
            edits: vec![edit(sum.at_start(), "("), edit(sum.at_end(), ")")],
        });
        self.report(wrong);
    }
}

fn join(left: Expr, infix: Infix, sign: Span, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    let (left, right) = (Box::new(left), Box::new(right));
    let kind = match infix {
        Infix::Binary(op) => ExprKind::Binary(op, sign, left, right),
        Infix::In => ExprKind::In(left, right),
    };
    Expr { kind, span }
}
