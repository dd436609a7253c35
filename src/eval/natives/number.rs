//! Functions of numbers, prices and dates.

use super::at::{At, whole, wrong};
use crate::eval::arithmetic::{divided_by_zero, number, too_large};
use crate::eval::code::{Code, Eval, Operand, Run, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::personal::told;
use crate::eval::value::{Value, show};
use crate::ir::{Binary, Native};
use crate::source::Span;
use crate::value::{decimal, money, time};
use rust_decimal::Decimal;

/// A function whose first argument is a number, a price, or a list of them.
pub(crate) fn on_number<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    match (native, args) {
        (Native::Int | Native::DecimalOf, [value, ..]) => parsed(native, *value, at),
        (Native::Max | Native::Min, [Value::List(list)]) => extreme(native, list, at),
        (Native::Max | Native::Min, many) => extreme(native, many, at),
        (_, [Value::Absent, ..]) => Ok(Value::Absent),
        (Native::Round, [Value::Number(n), ..]) => {
            let digits = decimals(native, args.get(1), at.span)?;
            Ok(Value::Number(decimal::round(*n, digits)))
        }
        (Native::Round, [Value::Price((net, gross)), ..]) => {
            let digits = decimals(native, args.get(1), at.span)?;
            let pair = (decimal::round(*net, digits), decimal::round(*gross, digits));
            Ok(Value::Price(run.arena.alloc(pair)))
        }
        (Native::Abs, [Value::Number(n)]) => Ok(Value::Number(n.abs())),
        (Native::Abs, [Value::Price((net, gross))]) => Ok(Value::Price(run.arena.alloc((net.abs(), gross.abs())))),
        (Native::Floor, [Value::Number(n)]) => Ok(Value::Number(n.floor())),
        (Native::PriceOf, [Value::Number(net), Value::Number(tax)]) => {
            let gross = number(Binary::Add, *net, *tax, at.span)?;
            Ok(Value::Price(run.arena.alloc((*net, gross))))
        }
        (Native::TaxOf, [Value::Number(net), Value::Number(rate)]) => computed(money::tax_of(*net, *rate), at),
        (Native::NetOf, [Value::Price((net, _))]) => Ok(Value::Number(*net)),
        (Native::GrossOf, [Value::Price((_, gross))]) => Ok(Value::Number(*gross)),
        (Native::NetOf, [Value::Number(gross), Value::Number(rate)]) => computed(money::net_of(*gross, *rate), at),
        (Native::WithTax, [Value::Number(net), Value::Number(rate)]) => {
            computed(money::tax_of(*net, *rate).and_then(|tax| net.checked_add(tax)), at)
        }
        (Native::Share, [Value::Number(total), Value::List(weights), ..]) => {
            let weights: Vec<Decimal> =
                weights.iter().map(|w| if let Value::Number(n) = w { *n } else { Decimal::ZERO }).collect();
            let digits = decimals(native, args.get(2), at.span)?;
            if weights.is_empty() && !total.is_zero() {
                let reason = format!("{total} can't be divided: there is nothing to divide it over");
                return Err(Halt::fail(Failure::new(reason, at.span).with_value(total.to_string())));
            }
            let shares = money::split(*total, &weights, digits).ok_or_else(|| too_large(at.span))?;
            let shares: Vec<Value<'r>> = shares.into_iter().map(Value::Number).collect();
            Ok(run.list(&shares))
        }
        _ => Err(wrong(run, native, at)),
    }
}

/// How many decimals are asked for.
pub(crate) fn decimals(native: Native, asked: Option<&Value<'_>>, span: Span) -> Result<u32, Halt> {
    let Some(asked) = asked else { return Ok(0) };
    let digits = whole(*asked).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= decimal::DECIMALS_MAX);
    digits.ok_or_else(|| {
        let reason = format!("`{}` keeps 0 to {} decimals, not {}", native.name(), decimal::DECIMALS_MAX, show(*asked));
        Halt::fail(Failure::new(reason, span).with_value(show(*asked)))
    })
}

fn computed<'r>(number: Option<Decimal>, at: &At) -> Eval<'r> {
    number.map(Value::Number).ok_or_else(|| too_large(at.span))
}

fn parsed<'r>(native: Native, value: Value<'r>, at: &At) -> Eval<'r> {
    let number = match value {
        Value::Absent => return Ok(Value::Absent),
        Value::Number(n) => n,
        Value::Text(t) => decimal::parse(t.trim().as_bytes()).map_err(|e| at.unreadable(value, e))?,
        other => {
            let shown = told(other, at.personal);
            return Err(Halt::soft(Failure::new(format!("{shown} is not a number"), at.span).with_value(shown)));
        }
    };
    if native == Native::Int && !number.fract().is_zero() {
        let reason = format!("{number} is not a whole number");
        return Err(Halt::soft(Failure::new(reason, at.span).with_value(number.to_string())));
    }
    Ok(Value::Number(if native == Native::Int { number.trunc() } else { number }))
}

fn extreme<'r>(native: Native, values: &[Value<'r>], at: &At) -> Eval<'r> {
    let mut best = Value::Absent;
    for value in values.iter().copied().filter(Value::is_some) {
        let better = match (value, best) {
            (_, Value::Absent) => true,
            (Value::Number(a), Value::Number(b)) => (a > b) == (native == Native::Max) && a != b,
            (Value::Date(a), Value::Date(b)) => (a > b) == (native == Native::Max) && a != b,
            (Value::Instant(a), Value::Instant(b)) => (a > b) == (native == Native::Max) && a != b,
            (a, b) => {
                let reason = format!("{} can't be compared with {}", show(a), show(b));
                return Err(Halt::fail(Failure::new(reason, at.span)));
            }
        };
        if better {
            best = value;
        }
    }
    Ok(best)
}

/// The date that a text, a moment or a date says.
pub(crate) fn date_of<'r>(run: &mut Run<'r>, args: &[Value<'r>], at: &At) -> Eval<'r> {
    match args {
        [Value::Absent, ..] => Ok(Value::Absent),
        [Value::Date(d), ..] => Ok(Value::Date(*d)),
        [Value::Instant(t)] => Ok(Value::Date(time::date_in(*t, &run.compiled.zone))),
        [Value::Instant(t), Value::Text(zone)] => {
            let zone = jiff::tz::TimeZone::get(zone)
                .map_err(|_| Halt::fail(Failure::new(format!("there is no time zone \"{zone}\""), at.span)))?;
            Ok(Value::Date(time::date_in(*t, &zone)))
        }
        [text @ Value::Text(t), ..] => time::date(t).map(Value::Date).map_err(|e| at.unreadable(*text, e)),
        _ => Err(wrong(run, Native::DateOf, at)),
    }
}

/// `(a / b).round(n)`, rounded once.
pub(crate) fn divided_and_rounded(
    (a, b, division): (Code, Code, Span),
    digits: Code,
    known: Option<u32>,
    span: Span,
) -> Code {
    let divided = move |a: Decimal, b: Decimal, digits: u32| match decimal::divide_and_round(a, b, digits) {
        Some(quotient) => Ok(Value::Number(quotient)),
        None if b.is_zero() => Err(divided_by_zero(a, division)),
        None => Err(too_large(division)),
    };
    call(move |run| {
        if let (Some(Value::Number(a)), Some(Value::Number(b)), Some(digits)) = (a.lying(run), b.lying(run), known) {
            return divided(*a, *b, digits);
        }
        let wrong = |run: &Run<'_>| Err(run.broken_promise("a division of what is no number", span));
        let Operand::Number(a) = a.number(run)? else { return wrong(run) };
        let Operand::Number(b) = b.number(run)? else { return wrong(run) };
        let digits = match known {
            Some(known) => known,
            None => decimals(Native::Round, Some(&digits.eval(run)?), span)?,
        };
        divided(a, b, digits)
    })
}
