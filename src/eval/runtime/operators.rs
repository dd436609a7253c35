//! Operators: arithmetic without loss, comparison without guessing.

use crate::eval::arithmetic::{list_fits, number, text_fits, too_large};
use crate::eval::code::{Code, Eval, Operand, Run, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::pattern::is_constant;
use crate::eval::value::{Value, same, show};
use crate::ir::{Binary, Const, EntityId, Unary};
use crate::source::Span;
use crate::value::{decimal, time};
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Whether an order of two values is what the operator asks.
fn compare(op: Binary, order: Ordering) -> bool {
    match op {
        Binary::Lt => order.is_lt(),
        Binary::Le => order.is_le(),
        Binary::Gt => order.is_gt(),
        Binary::Ge => order.is_ge(),
        Binary::Eq => order.is_eq(),
        Binary::Ne => order.is_ne(),
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::And | Binary::Or => false,
    }
}

/// Whether a value is a constant, or whether it is another one.
pub(crate) fn equals_constant(a: Code, constant: Const, wanted: bool) -> Code {
    if let Const::Number(constant) = constant {
        return call(move |run| match a.number(run)? {
            Operand::Number(a) => Ok(Value::Bool(decimal::equal(a, constant) == wanted)),
            Operand::Other(_) => Ok(Value::Bool(!wanted)),
        });
    }
    call(move |run| a.see(run, |_, a| Ok(Value::Bool(is_constant(a, &constant) == wanted))))
}

/// An operator between two values; `entity` where they are records of it, by whatever they are known.
pub(crate) fn binary(op: Binary, a: Code, b: Code, entity: Option<EntityId>, span: Span) -> Code {
    match op {
        Binary::And => call(move |run| if a.holds(run)? { b.eval(run) } else { Ok(Value::Bool(false)) }),
        Binary::Or => call(move |run| if a.holds(run)? { Ok(Value::Bool(true)) } else { b.eval(run) }),
        Binary::Eq | Binary::Ne => {
            let wanted = op == Binary::Eq;
            if entity.is_none() {
                return call(move |run| {
                    match (a.lying(run), b.lying(run)) {
                        (Some(Value::Number(a)), Some(Value::Number(b))) => {
                            return Ok(Value::Bool(decimal::equal(*a, *b) == wanted));
                        }
                        (Some(a), Some(b)) => return Ok(Value::Bool(same(*a, *b) == wanted)),
                        _ => {}
                    }
                    let (a, b) = both(run, &a, &b)?;
                    Ok(Value::Bool(same(a, b) == wanted))
                });
            }
            call(move |run| {
                let (a, b) = both(run, &a, &b)?;
                Ok(Value::Bool(identical(run, a, b, entity, span)? == wanted))
            })
        }
        Binary::Lt | Binary::Le | Binary::Gt | Binary::Ge => call(move |run| {
            let (a, b) = both(run, &a, &b)?;
            ordered(a, b, span).map(|order| Value::Bool(compare(op, order)))
        }),
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => call(move |run| {
            if let (Some(Value::Number(a)), Some(Value::Number(b))) = (a.lying(run), b.lying(run))
                && let Some(sum) = match op {
                    Binary::Add => decimal::add_small(*a, *b),
                    Binary::Sub => decimal::add_small(*a, -*b),
                    _ => None,
                }
            {
                return Ok(Value::Number(sum));
            }
            computed(run, op, &a, &b, span)
        }),
    }
}

/// Arithmetic of any operands.
fn computed<'r>(run: &mut Run<'r>, op: Binary, a: &Code, b: &Code, span: Span) -> Eval<'r> {
    match a.number(run) {
        Ok(Operand::Number(a)) => match b.number(run)? {
            Operand::Number(b) => number(op, a, b, span).map(Value::Number),
            Operand::Other(b) => arithmetic(run, op, Value::Number(a), b, span),
        },
        Ok(Operand::Other(a)) => {
            let b = b.number(run)?.value();
            arithmetic(run, op, a, b, span)
        }
        Err(Halt::Needs) => {
            // Its needs come out too.
            let _ = b.eval(run);
            Err(Halt::Needs)
        }
        Err(halt) => Err(halt),
    }
}

fn both<'r>(run: &mut Run<'r>, a: &Code, b: &Code) -> Result<(Value<'r>, Value<'r>), Halt> {
    match a.eval(run) {
        Ok(a) => Ok((a, b.eval(run)?)),
        Err(Halt::Needs) => {
            // Its needs come out too.
            let _ = b.eval(run);
            Err(Halt::Needs)
        }
        Err(halt) => Err(halt),
    }
}

/// Whether two values are the same; an entity, its code and its key are one identity.
fn identical<'r>(
    run: &mut Run<'r>,
    a: Value<'r>,
    b: Value<'r>,
    entity: Option<EntityId>,
    span: Span,
) -> Result<bool, Halt> {
    let Some(entity) = entity else { return Ok(same(a, b)) };
    Ok(match (a, b) {
        (Value::Text(code), other @ (Value::Record(_) | Value::Reference(_) | Value::Draft(_)))
        | (other @ (Value::Record(_) | Value::Reference(_) | Value::Draft(_)), Value::Text(code)) => {
            match run.compiled.program.entity(entity).code {
                Some(field) => {
                    let value = run.field(other, entity, field, span)?;
                    run.text_of_key(value, span)?.is_some_and(|text| text.trim() == code.trim())
                }
                None => false,
            }
        }
        (
            Value::Record(_) | Value::Reference(_) | Value::Draft(_),
            Value::Record(_) | Value::Reference(_) | Value::Draft(_),
        ) => {
            same(a, b)
                || match (run.identity(a, entity, span)?, run.identity(b, entity, span)?) {
                    (Some((_, a)), Some((_, b))) => a == b,
                    _ => false,
                }
        }
        _ => same(a, b),
    })
}

/// The order of two values of one type.
pub(crate) fn ordered(a: Value<'_>, b: Value<'_>, span: Span) -> Result<Ordering, Halt> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Ok(numbers_ordered(a, b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.cmp(&b)),
        (Value::Instant(a), Value::Instant(b)) => Ok(a.cmp(&b)),
        (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(&b)),
        (a, b) => Err(Halt::fail(Failure::new(format!("{} can't be compared with {}", show(a), show(b)), span))),
    }
}

/// The order of two numbers. Small ones of one scale, or beside zero, need not be brought to one.
fn numbers_ordered(a: Decimal, b: Decimal) -> Ordering {
    match (decimal::small_mantissa(a), decimal::small_mantissa(b)) {
        (Some(x), Some(y)) if x == 0 || y == 0 || a.scale() == b.scale() => x.cmp(&y),
        _ => a.cmp(&b),
    }
}

fn arithmetic<'r>(run: &mut Run<'r>, op: Binary, a: Value<'r>, b: Value<'r>, span: Span) -> Eval<'r> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => number(op, a, b, span).map(Value::Number),
        (Value::Price((net, gross)), Value::Number(b)) => {
            let pair = (number(op, *net, b, span)?, number(op, *gross, b, span)?);
            Ok(Value::Price(run.arena.alloc(pair)))
        }
        (Value::Number(a), Value::Price((net, gross))) => {
            let pair = (number(op, a, *net, span)?, number(op, a, *gross, span)?);
            Ok(Value::Price(run.arena.alloc(pair)))
        }
        (Value::Price(a), Value::Price(b)) => {
            let pair = (number(op, a.0, b.0, span)?, number(op, a.1, b.1, span)?);
            Ok(Value::Price(run.arena.alloc(pair)))
        }
        (Value::Text(a), Value::Text(b)) if op == Binary::Add => {
            text_fits(a.len() + b.len(), span)?;
            Ok(run.text(&format!("{a}{b}")))
        }
        (Value::List(a), Value::List(b)) if op == Binary::Add => {
            list_fits(a.len() + b.len(), span)?;
            Ok(run.list(&[a, b].concat()))
        }
        (Value::Instant(t), Value::Duration(d)) => moved(op, t, d).map(Value::Instant).ok_or_else(|| too_large(span)),
        (Value::Instant(a), Value::Instant(b)) if op == Binary::Sub => Ok(Value::Duration(a.duration_since(b))),
        (Value::Date(_), Value::Duration(d)) if !time::whole_days(d) => {
            Err(Halt::fail(Failure::new("a date moves by whole days: take the date of a moment instead", span)))
        }
        (Value::Date(day), Value::Duration(d)) => {
            let day = if op == Binary::Sub { day.checked_sub(d) } else { day.checked_add(d) };
            day.map(Value::Date).map_err(|_| too_large(span))
        }
        (Value::Duration(a), Value::Duration(b)) => {
            let sum = if op == Binary::Sub { a.checked_sub(b) } else { a.checked_add(b) };
            sum.map(Value::Duration).ok_or_else(|| too_large(span))
        }
        (a, b) => {
            let reason = format!("{} and {} can't be computed with", show(a), show(b));
            Err(Halt::fail(Failure::new(reason, span)))
        }
    }
}

fn moved(op: Binary, t: jiff::Timestamp, d: jiff::SignedDuration) -> Option<jiff::Timestamp> {
    if op == Binary::Sub { t.checked_sub(d).ok() } else { t.checked_add(d).ok() }
}

/// An operator before a value.
pub(crate) fn unary(op: Unary, a: Code, span: Span) -> Code {
    match op {
        Unary::Not => call(move |run| Ok(Value::Bool(!a.holds(run)?))),
        Unary::Neg => call(move |run| match a.eval(run)? {
            Value::Number(n) => Ok(Value::Number(-n)),
            Value::Price((net, gross)) => Ok(Value::Price(run.arena.alloc((-*net, -*gross)))),
            Value::Duration(d) => d.checked_neg().map(Value::Duration).ok_or_else(|| too_large(span)),
            Value::Absent => Ok(Value::Absent),
            _ => Err(run.broken_promise("the negative of what is no number", span)),
        }),
    }
}

/// `a in [b, c]`, all of them constants.
pub(crate) fn constants_within(a: Code, constants: Vec<Const>) -> Code {
    call(move |run| a.see(run, |_, a| Ok(Value::Bool(constants.iter().any(|constant| is_constant(a, constant))))))
}

/// `a in [b, c]`
pub(crate) fn within(a: Code, list: Code, entity: Option<EntityId>, span: Span) -> Code {
    call(move |run| {
        let (a, list) = both(run, &a, &list)?;
        let Value::List(list) = list else { return Ok(Value::Bool(false)) };
        for element in list {
            if identical(run, a, *element, entity, span)? {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    })
}
