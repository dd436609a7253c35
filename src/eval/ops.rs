//! Operators: arithmetic without loss, comparison without guessing, and what a pattern accepts.

use super::code::{Code, Operand};
use super::compile::{Compiler, call};
use super::run::{Eval, Run};
use super::value::{Value, same, show};
use super::{Failure, Halt};
use crate::ir::{Binary, Const, EntityId, Expr, Pattern, Type, Unary, known};
use crate::limits;
use crate::source::Span;
use crate::value::code::in_group;
use crate::value::decimal;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Remembers why something has no value and goes on, so that all needs come out together; a stop goes out at once
/// unless something before it is not known yet.
pub(crate) fn note(halted: &mut Option<Halt>, halt: Halt) -> Result<(), Halt> {
    match halt {
        Halt::Stop(_) if halted.is_none() => Err(halt),
        Halt::Stop(_) => Ok(()),
        other => {
            halted.get_or_insert(other);
            Ok(())
        }
    }
}

/// Whether an order of two values is what the operator asks.
pub(crate) fn compare(op: Binary, order: Ordering) -> bool {
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

/// An operator between two values.
pub(crate) fn binary(compiler: &mut Compiler<'_>, op: Binary, a: &Expr, b: &Expr, span: Span) -> Code {
    let entity = entity_of(a).or_else(|| entity_of(b));
    if let (Binary::Eq | Binary::Ne, None, false) = (op, entity, compiler.trace)
        && let Some(constant) = known(b)
    {
        let (a, wanted) = (compiler.code(a), op == Binary::Eq);
        if let Const::Number(constant) = constant {
            return call(move |run| match a.number(run)? {
                Operand::Number(a) => Ok(Value::Bool(decimal::equal(a, constant) == wanted)),
                Operand::Other(_) => Ok(Value::Bool(!wanted)),
            });
        }
        return call(move |run| a.see(run, |_, a| Ok(Value::Bool(is_constant(a, &constant) == wanted))));
    }
    let (a, b) = (compiler.code(a), compiler.code(b));
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

fn entity_of(expr: &Expr) -> Option<EntityId> {
    match expr.ty.present() {
        Type::Record(entity) | Type::Code(entity) => Some(*entity),
        _ => None,
    }
}

/// Whether two values are the same; an entity, its code and its key are one identity.
pub(crate) fn identical<'r>(
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

fn ordered(a: Value<'_>, b: Value<'_>, span: Span) -> Result<Ordering, Halt> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Ok(a.cmp(&b)),
        (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
        (Value::Date(a), Value::Date(b)) => Ok(a.cmp(&b)),
        (Value::Instant(a), Value::Instant(b)) => Ok(a.cmp(&b)),
        (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(&b)),
        (a, b) => Err(Halt::fail(Failure::new(format!("{} can't be compared with {}", show(a), show(b)), span))),
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
        (Value::Date(_), Value::Duration(d)) if !crate::value::time::whole_days(d) => {
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

/// One operation on numbers.
pub(crate) fn number(op: Binary, a: Decimal, b: Decimal, span: Span) -> Result<Decimal, Halt> {
    let result = match op {
        Binary::Add => decimal::add(a, b),
        Binary::Sub => decimal::add(a, -b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div if b.is_zero() => return Err(divided_by_zero(a, span)),
        Binary::Div => a.checked_div(b),
        _ => None,
    };
    result.ok_or_else(|| too_large(span))
}

#[cold]
pub(crate) fn divided_by_zero(a: Decimal, span: Span) -> Halt {
    Halt::soft(Failure::new(format!("{a} is divided by 0"), span).with_value(a.to_string()))
}

#[cold]
pub(crate) fn too_large(span: Span) -> Halt {
    Halt::fail(Failure::new("the number becomes larger than 28 digits hold", span))
}

/// An operator before a value.
pub(crate) fn unary(compiler: &mut Compiler<'_>, op: Unary, a: &Expr, span: Span) -> Code {
    let a = compiler.code(a);
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

/// `a in [b, c]`
pub(crate) fn within(compiler: &mut Compiler<'_>, a: &Expr, list: &Expr, span: Span) -> Code {
    let entity = entity_of(a);
    if let (Some(Const::List(constants)), None, false) = (known(list), entity, compiler.trace) {
        let a = compiler.code(a);
        return call(move |run| {
            a.see(run, |_, a| Ok(Value::Bool(constants.iter().any(|constant| is_constant(a, constant)))))
        });
    }
    let (a, list) = (compiler.code(a), compiler.code(list));
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

/// Whether a value is that constant.
pub(crate) fn is_constant(value: &Value<'_>, constant: &Const) -> bool {
    match (value, constant) {
        (Value::Absent, Const::Absent) => true,
        (Value::Bool(a), Const::Bool(b)) => a == b,
        (Value::Number(a), Const::Number(b)) => decimal::equal(*a, *b),
        (Value::Text(a), Const::Text(b)) => *a == &**b,
        (Value::Date(a), Const::Date(b)) => a == b,
        (Value::Instant(a), Const::Instant(b)) => a == b,
        (Value::Duration(a), Const::Duration(b)) => a == b,
        (Value::List(a), Const::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_constant(a, b)),
        _ => false,
    }
}

/// Whether a pattern takes a value.
pub(crate) fn accepts(pattern: &Pattern, value: &Value<'_>) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Absent => matches!(value, Value::Absent),
        Pattern::OneOf(constants) => constants.iter().any(|constant| is_constant(value, constant)),
        Pattern::Prefix(prefix) => matches!(value, Value::Text(text) if text.starts_with(&**prefix)),
        Pattern::Group(group) => matches!(value, Value::Text(country) if in_group(country, group)),
        Pattern::Either(patterns) => patterns.iter().any(|pattern| accepts(pattern, value)),
    }
}

/// Whether a text of so many bytes may be made, before memory is taken for it.
pub(crate) fn text_fits(bytes: usize, span: Span) -> Result<(), Halt> {
    if bytes <= limits::TEXT_BYTES_MAX {
        return Ok(());
    }
    let reason = format!("the text is longer than {} KB", limits::TEXT_BYTES_MAX >> 10);
    Err(Halt::fail(Failure::new(reason, span)))
}

/// Whether a list of so many elements may be made, before memory is taken for it.
pub(crate) fn list_fits(elements: usize, span: Span) -> Result<(), Halt> {
    if elements <= limits::LIST_MAX {
        return Ok(());
    }
    Err(Halt::fail(Failure::new(format!("a list has more than {} elements", limits::LIST_MAX), span)))
}

/// A key of a table as it is hashed: what is equal hashes alike, whether it is a constant or a value.
#[derive(Hash)]
pub(crate) enum Hashed<'a> {
    Absent,
    Bool(bool),
    Small(i64, u32),
    Number(Decimal),
    Text(&'a str),
    /// Compared in full, and rarely a key.
    Other,
}

impl<'a> Hashed<'a> {
    /// Equal numbers hash alike, whatever zeros they end in.
    fn number(n: Decimal) -> Self {
        let mut scale = n.scale();
        match decimal::small_mantissa(n) {
            Some(mut small) => {
                while scale > 0 && small % 10 == 0 {
                    small /= 10;
                    scale -= 1;
                }
                Self::Small(small, if small == 0 { 0 } else { scale })
            }
            None => Self::Number(n),
        }
    }

    /// A value's.
    pub(crate) fn of(value: Value<'a>) -> Self {
        match value {
            Value::Absent => Self::Absent,
            Value::Bool(b) => Self::Bool(b),
            Value::Number(n) => Self::number(n),
            Value::Text(t) => Self::Text(t),
            _ => Self::Other,
        }
    }
}

/// A constant's.
pub(crate) fn hashed(constant: &Const) -> Hashed<'_> {
    match constant {
        Const::Absent => Hashed::Absent,
        Const::Bool(b) => Hashed::Bool(*b),
        Const::Number(n) => Hashed::number(*n),
        Const::Text(t) => Hashed::Text(t),
        Const::Date(_) | Const::Instant(_) | Const::Duration(_) | Const::List(_) => Hashed::Other,
    }
}
