//! The query language of `$filter`: what a condition is, and how it judges rows.

mod lexer;
mod parser;

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::cell::{self, Cell};

/// A checked condition on rows of one entity.
#[derive(Debug, PartialEq)]
pub(super) enum Expr {
    Literal(Cell),
    Property(u16),
    Call(Function, Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    Math(Math, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    SubstringOf,
    StartsWith,
    EndsWith,
    IndexOf,
    Length,
    ToLower,
    ToUpper,
    Trim,
    Concat,
    Substring,
    Replace,
    Year,
    Month,
    Day,
    Round,
    Floor,
    Ceiling,
}

impl Expr {
    /// The properties it reads, each once, in the order of the text.
    pub(super) fn properties(&self, into: &mut Vec<u16>) {
        match self {
            Self::Literal(_) => {}
            Self::Property(at) => {
                if !into.contains(at) {
                    into.push(*at);
                }
            }
            Self::Call(_, inner) | Self::And(inner) | Self::Or(inner) => {
                for expr in inner {
                    expr.properties(into);
                }
            }
            Self::Not(inner) | Self::Negative(inner) => inner.properties(into),
            Self::Compare(_, left, right) | Self::Math(_, left, right) => {
                left.properties(into);
                right.properties(into);
            }
        }
    }

    /// Whether a row passes; `read` gives its values.
    pub(super) fn holds<'a>(&'a self, read: &dyn Fn(u16) -> Cow<'a, Cell>) -> bool {
        *self.value(read) == Cell::Bool(true)
    }

    fn value<'a>(&'a self, read: &dyn Fn(u16) -> Cow<'a, Cell>) -> Cow<'a, Cell> {
        let made = match self {
            Self::Literal(cell) => return Cow::Borrowed(cell),
            Self::Property(at) => return read(*at),
            Self::Not(inner) => match *inner.value(read) {
                Cell::Bool(flag) => Cell::Bool(!flag),
                _ => Cell::Null,
            },
            Self::Negative(inner) => inner.value(read).number().map_or(Cell::Null, |number| Cell::Number(-number)),
            Self::And(all) => Cell::Bool(all.iter().all(|expr| expr.holds(read))),
            Self::Or(any) => Cell::Bool(any.iter().any(|expr| expr.holds(read))),
            Self::Compare(how, left, right) => Cell::Bool(compare(*how, &left.value(read), &right.value(read))),
            Self::Math(how, left, right) => math(*how, &left.value(read), &right.value(read)),
            Self::Call(function, inner) => {
                let values: Vec<_> = inner.iter().map(|expr| expr.value(read)).collect();
                call(*function, &values)
            }
        };
        Cow::Owned(made)
    }
}

/// Null equals null only, and is neither more nor less than anything.
fn compare(how: Compare, left: &Cell, right: &Cell) -> bool {
    let order = order(left, right);
    match how {
        Compare::Eq => order == Some(Ordering::Equal),
        Compare::Ne => order != Some(Ordering::Equal),
        Compare::Gt => order == Some(Ordering::Greater),
        Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Compare::Lt => order == Some(Ordering::Less),
        Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// How two values stand to each other, texts as the database compares them.
pub(super) fn order(left: &Cell, right: &Cell) -> Option<Ordering> {
    match (left, right) {
        (Cell::Null, Cell::Null) => Some(Ordering::Equal),
        (Cell::Text(a), Cell::Text(b)) => Some(cell::fold(a).cmp(&cell::fold(b))),
        (Cell::Guid(a), Cell::Guid(b)) => Some(a.cmp(b)),
        (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(b)),
        (Cell::Time(a), Cell::Time(b)) | (Cell::Int(a), Cell::Int(b)) => Some(a.cmp(b)),
        _ => Some(left.number()?.cmp(&right.number()?)),
    }
}

fn math(how: Math, left: &Cell, right: &Cell) -> Cell {
    let (Some(left), Some(right)) = (left.number(), right.number()) else {
        return Cell::Null;
    };
    let result = match how {
        Math::Add => left.checked_add(right),
        Math::Sub => left.checked_sub(right),
        Math::Mul => left.checked_mul(right),
        Math::Div => left.checked_div(right),
        Math::Mod => left.checked_rem(right),
    };
    result.map_or(Cell::Null, Cell::Number)
}

fn call(function: Function, values: &[Cow<'_, Cell>]) -> Cell {
    let text = |at: usize| match values.get(at).map(Cow::as_ref) {
        Some(Cell::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    let number = |at: usize| values.get(at).and_then(|value| value.number());
    let place = |at: usize| number(at).and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
    let date = || match values.first().map(Cow::as_ref) {
        Some(Cell::Time(time)) => Some(cell::date_of(*time)),
        _ => None,
    };
    let count = |n: usize| Cell::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let part = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
    let rounded = |n: Option<Decimal>| n.map_or(Cell::Null, Cell::Number);
    match function {
        Function::SubstringOf => Cell::Bool(cell::fold(&text(1)).contains(&cell::fold(&text(0)))),
        Function::StartsWith => Cell::Bool(cell::fold(&text(0)).starts_with(&cell::fold(&text(1)))),
        Function::EndsWith => Cell::Bool(cell::fold(&text(0)).ends_with(&cell::fold(&text(1)))),
        Function::IndexOf => {
            let (within, wanted) = (text(0).to_lowercase(), text(1).to_lowercase());
            within.find(&wanted).map_or(Cell::Int(-1), |at| count(within[..at].chars().count()))
        }
        Function::Length => count(text(0).chars().count()),
        Function::ToLower => Cell::text(&text(0).to_lowercase()),
        Function::ToUpper => Cell::text(&text(0).to_uppercase()),
        Function::Trim => Cell::text(text(0).trim()),
        Function::Concat => Cell::text(&(text(0) + &*text(1))),
        Function::Substring => {
            let rest: String = text(0).chars().skip(place(1)).collect();
            if values.len() < 3 {
                Cell::text(&rest)
            } else {
                Cell::text(&rest.chars().take(place(2)).collect::<String>())
            }
        }
        Function::Replace if text(1).is_empty() => Cell::text(&text(0)),
        Function::Replace => Cell::text(&text(0).replace(&text(1), &text(2))),
        Function::Year => part(date().map(|date| date.year().into())),
        Function::Month => part(date().map(|date| date.month().into())),
        Function::Day => part(date().map(|date| date.day().into())),
        Function::Round => rounded(number(0).map(|n| super::amounts::round(n, 0))),
        Function::Floor => rounded(number(0).map(|n| n.floor())),
        Function::Ceiling => rounded(number(0).map(|n| n.ceil())),
    }
}
