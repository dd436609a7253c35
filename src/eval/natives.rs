//! Functions that the language has by itself, computed.

use super::code::{Code, Operand};
use super::compile::{Compiler, call};
use super::direct::direct;
use super::json::json_of;
use super::make::Role;
use super::personal::told;
use super::run::{Eval, Run};
use super::value::{Value, same, show};
use super::{Failure, Halt, LinkNeed, ops};
use crate::ir::{Binary, Const, EntityId, Expr, ExprKind, FieldId, Native, Type};
use crate::source::Span;
use crate::value::code::is_country;
use crate::value::{address, decimal, money, text, time};
use rust_decimal::Decimal;
use std::borrow::Cow;

/// What a function needs to know beside its arguments.
#[derive(Clone)]
pub(super) struct At {
    span: Span,
    ty: Type,
    /// What it works on tells personal data.
    personal: bool,
}

impl At {
    /// A text that does not say what is read of it.
    fn unreadable(&self, text: Value<'_>, why: impl std::fmt::Display) -> Halt {
        let shown = told(text, self.personal);
        let reason = if self.personal { format!("{shown} {why}") } else { format!("\"{shown}\" {why}") };
        Halt::soft(Failure::new(reason, self.span).with_value(shown))
    }
}

/// A call of a native as code.
pub(crate) fn compile(compiler: &mut Compiler<'_>, native: Native, args: &[Expr], expr: &Expr) -> Code {
    let personal = args.first().is_some_and(|of| compiler.tells_personal(of));
    let at = At { span: expr.span, ty: expr.ty.clone(), personal };
    match (native, args) {
        (
            Native::Map | Native::Where | Native::Flat | Native::Any | Native::All | Native::Sum | Native::First,
            [list, Expr { kind: ExprKind::Lambda(locals, body), .. }],
        ) => {
            let (list, body) = (compiler.code(list), compiler.code(body));
            let local = locals.first().map_or(0, |l| l.0);
            call(move |run| over_list(run, native, &list, local, &body, &at))
        }
        (Native::Round, [Expr { kind: ExprKind::Binary(Binary::Div, a, b), .. }, digits])
            if a.ty.present().is_number() && !compiler.trace =>
        {
            divided_and_rounded(compiler, a, b, digits, at.span)
        }
        (Native::First, [Expr { kind: ExprKind::Native(Native::Where, inner), .. }]) if !compiler.trace => {
            first_where(compiler, inner, args, at)
        }
        (Native::Capture, [text, pattern]) => capture(compiler, text, pattern, at.span),
        (Native::Linked, [record]) => linked(compiler, record, at.span),
        (Native::MetaOf, [entries, key]) => meta_of(compiler, expr, entries, key, at.span),
        (Native::JsonOf, [value]) => json_of(compiler, value, at.span),
        (Native::DocumentTotal, [lines, names @ ..]) => document_total(compiler, lines, names, at.span),
        _ if compiler.trace => applied(compiler, native, args, at),
        _ => direct(compiler, native, args, &at).unwrap_or_else(|| applied(compiler, native, args, at)),
    }
}

/// A function of values that are all computed first.
fn applied(compiler: &mut Compiler<'_>, native: Native, args: &[Expr], at: At) -> Code {
    let args: Vec<Code> = args.iter().map(|arg| compiler.code(arg)).collect();
    call(move |run| match args.as_slice() {
        [one] => {
            let one = one.eval(run)?;
            apply(run, native, &[one], &at)
        }
        few if few.len() <= ARGS_FEW => {
            let mut values = [Value::Absent; ARGS_FEW];
            let mut halted = None;
            for (arg, value) in few.iter().zip(&mut values) {
                match arg.eval(run) {
                    Ok(known) => *value = known,
                    Err(halt) => ops::note(&mut halted, halt)?,
                }
            }
            match halted {
                Some(halt) => Err(halt),
                None => apply(run, native, &values[..few.len()], &at),
            }
        }
        many => {
            let args = run.arguments(many, Role::Ensured)?;
            apply(run, native, args, &at)
        }
    })
}

/// Arguments that need no room in the arena.
const ARGS_FEW: usize = 4;

/// `list.where(x => …).first()`: every element is asked, as by the two of them, and no list is made.
fn first_where(compiler: &mut Compiler<'_>, inner: &[Expr], outer: &[Expr], at: At) -> Code {
    let [list, Expr { kind: ExprKind::Lambda(locals, body), .. }] = inner else {
        return applied(compiler, Native::First, outer, at);
    };
    let (list, body) = (compiler.code(list), compiler.code(body));
    let local = locals.first().map_or(0, |l| l.0);
    call(move |run| {
        let Some(list) = list.list(run)? else { return Ok(Value::Absent) };
        let (mut first, mut halted) = (None, None);
        for element in list {
            run.locals[local as usize] = *element;
            match body.holds(run) {
                Ok(true) => {
                    first.get_or_insert(element);
                }
                Ok(false) => {}
                Err(halt) => ops::note(&mut halted, halt)?,
            }
        }
        match (halted, first) {
            (Some(halt), _) => Err(halt),
            (None, Some(first)) => Ok(*first),
            (None, None) => Ok(Value::Absent),
        }
    })
}

pub(super) fn apply<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    use Native as N;
    match native {
        N::Fit
        | N::Plain
        | N::Digits
        | N::Trim
        | N::Tidy
        | N::CountryOf
        | N::Upper
        | N::Lower
        | N::Take
        | N::Replace
        | N::Split
        | N::Postcode
        | N::Street
        | N::StartsWith
        | N::EndsWith
        | N::TextOf => on_text(run, native, args, at),
        N::Join
        | N::Present
        | N::Distinct
        | N::Count
        | N::First
        | N::Last
        | N::Single
        | N::Nth
        | N::IsEmpty
        | N::Sum
        | N::Length
        | N::Contains => on_list(run, native, args, at),
        N::Max
        | N::Min
        | N::Abs
        | N::Round
        | N::Floor
        | N::Int
        | N::DecimalOf
        | N::PriceOf
        | N::TaxOf
        | N::NetOf
        | N::WithTax
        | N::Share => on_number(run, native, args, at),
        N::Untaxed | N::PercentOf => Ok(args.first().copied().unwrap_or(Value::Absent)),
        N::DateOf => date_of(run, args, at),
        N::Today => Ok(Value::Date(time::date_in(run.known.now(), &run.compiled.zone))),
        N::Now => Ok(Value::Instant(run.known.now())),
        N::Map
        | N::Where
        | N::Flat
        | N::Any
        | N::All
        | N::Linked
        | N::MetaOf
        | N::DocumentTotal
        | N::JsonOf
        | N::Capture => {
            Err(run.broken_promise(&format!("`{}` with other arguments than it has", native.name()), at.span))
        }
    }
}

/// An empty text where there may be none.
fn or_absent<'r>(text: &'r str, at: &At) -> Value<'r> {
    if text.is_empty() && at.ty.is_optional() { Value::Absent } else { Value::Text(text) }
}

pub(super) fn wrong(run: &Run<'_>, native: Native, at: &At) -> Halt {
    run.broken_promise(&format!("`{}` with other arguments than it has", native.name()), at.span)
}

fn on_text<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    let t = match args.first() {
        Some(Value::Text(t)) => *t,
        Some(Value::Absent) => return Ok(Value::Absent),
        // A number that is wanted as a text.
        Some(value @ (Value::Number(_) | Value::Date(_))) => run.arena.alloc_str(&show(*value)),
        _ => return Err(wrong(run, native, at)),
    };
    let other = |n: usize| match args.get(n) {
        Some(Value::Text(t)) => Some(*t),
        _ => None,
    };
    Ok(match native {
        Native::Fit => return fit(run, t, args, at),
        Native::Plain => {
            // Most names hold neither tags nor entities, and single blanks.
            let simple =
                !t.contains(['<', '&', '\n', '\t', '\r', '\u{a0}']) && !t.contains("  ") && t.trim().len() == t.len();
            or_absent(if simple { t } else { run.arena.alloc_str(&text::plain(t)) }, at)
        }
        Native::Digits => {
            let digits: String = t.chars().filter(char::is_ascii_digit).collect();
            or_absent(run.arena.alloc_str(&digits), at)
        }
        Native::Trim => match t.trim() {
            "" => Value::Absent,
            trimmed => Value::Text(trimmed),
        },
        Native::Tidy => match text::tidy(t) {
            Cow::Borrowed("") => Value::Absent,
            Cow::Borrowed(tidy) => Value::Text(tidy),
            Cow::Owned(tidy) => or_absent(run.arena.alloc_str(&tidy), at),
        },
        Native::CountryOf => match t.trim().to_ascii_uppercase() {
            code if is_country(&code) => run.text(&code),
            _ => Value::Absent,
        },
        Native::Upper => Value::Text(upper(run, t)),
        Native::Lower => Value::Text(lower(run, t)),
        Native::Take => match args.get(1) {
            // Far beyond any text.
            Some(Value::Number(n)) if n.is_sign_positive() => {
                let unit = if args.len() > 2 { text::Unit::Utf16 } else { text::Unit::CodePoints };
                Value::Text(text::cut(t, whole(Value::Number(*n)).unwrap_or(usize::MAX), unit))
            }
            Some(n @ Value::Number(_)) => {
                let reason = format!("`take` can't leave {} characters", show(*n));
                return Err(Halt::fail(Failure::new(reason, at.span).with_value(show(*n))));
            }
            _ => return Err(wrong(run, native, at)),
        },
        Native::Replace => match (other(1), other(2)) {
            (Some(from), Some(to)) if !from.is_empty() => {
                // Each piece takes the length of what it becomes.
                let grown = t.matches(from).count().saturating_mul(to.len().saturating_sub(from.len()));
                ops::text_fits(t.len() + grown, at.span)?;
                Value::Text(replaced(run, t, from, to))
            }
            _ => Value::Text(t),
        },
        Native::Split => match other(1) {
            Some(by) if !by.is_empty() => {
                ops::list_fits(t.matches(by).count() + 1, at.span)?;
                let parts: Vec<Value<'r>> = t.split(by).map(Value::Text).collect();
                run.list(&parts)
            }
            Some(_) => return Err(Halt::fail(Failure::new("a text can't be split at nothing", at.span))),
            None => return Err(wrong(run, native, at)),
        },
        Native::Postcode => match address::postcode(t, other(1).unwrap_or("")) {
            Cow::Borrowed("") => Value::Absent,
            Cow::Borrowed(code) => Value::Text(code),
            Cow::Owned(code) => run.text(&code),
        },
        Native::TextOf => text_of(run, t),
        Native::Street => street(run, t),
        Native::StartsWith => Value::Bool(other(1).is_some_and(|o| t.starts_with(o))),
        Native::EndsWith => Value::Bool(other(1).is_some_and(|o| t.ends_with(o))),
        _ => return Err(wrong(run, native, at)),
    })
}

/// In upper case; a text that is so already stays where it is.
pub(super) fn upper<'r>(run: &Run<'r>, t: &'r str) -> &'r str {
    if t.is_ascii() {
        if !t.bytes().any(|b| b.is_ascii_lowercase()) {
            return t;
        }
        let copy = run.arena.alloc_str(t);
        copy.make_ascii_uppercase();
        return copy;
    }
    if t.chars().any(char::is_lowercase) { run.arena.alloc_str(&t.to_uppercase()) } else { t }
}

/// As [`upper`], in lower case.
pub(super) fn lower<'r>(run: &Run<'r>, t: &'r str) -> &'r str {
    if t.is_ascii() {
        if !t.bytes().any(|b| b.is_ascii_uppercase()) {
            return t;
        }
        let copy = run.arena.alloc_str(t);
        copy.make_ascii_lowercase();
        return copy;
    }
    if t.chars().any(char::is_uppercase) { run.arena.alloc_str(&t.to_lowercase()) } else { t }
}

/// The text with one part replaced wherever it stands.
fn replaced<'r>(run: &Run<'r>, t: &'r str, from: &str, to: &str) -> &'r str {
    let Some(at) = t.find(from) else { return t };
    let mut out = bumpalo::collections::String::with_capacity_in(t.len() + to.len(), run.arena);
    out.push_str(&t[..at]);
    for (n, piece) in t[at..].split(from).enumerate() {
        if n > 0 {
            out.push_str(to);
        }
        out.push_str(piece);
    }
    out.into_bump_str()
}

/// The text or number that a piece of JSON is.
pub(super) fn text_of<'r>(run: &Run<'r>, json: &'r str) -> Value<'r> {
    match json.as_bytes().first() {
        // Most hold no escape, so they stay where they are.
        Some(b'"') if super::scan::special(json.as_bytes(), 1) + 1 == json.len() => match &json[1..json.len() - 1] {
            "" => Value::Absent,
            text => Value::Text(text),
        },
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(json) {
            Ok(text) => match &*super::draft::without_nul(&text) {
                "" => Value::Absent,
                text => Value::Text(run.arena.alloc_str(text)),
            },
            Err(_) => Value::Absent,
        },
        Some(b'[' | b'{' | b'n') | None => Value::Absent,
        Some(_) => Value::Text(json),
    }
}

/// Cut to the field that it is for: `(text, most, "word" or "char", in UTF-16 units)`.
fn fit<'r>(run: &Run<'r>, t: &'r str, args: &[Value<'r>], at: &At) -> Eval<'r> {
    let Some(max) = args.get(1).and_then(|n| whole(*n)) else { return Ok(Value::Text(t)) };
    let unit = match args.get(3) {
        Some(Value::Bool(true)) => text::Unit::Utf16,
        _ => text::Unit::CodePoints,
    };
    let short = match args.get(2) {
        Some(Value::Text("word")) => text::cut_at_word(t, max, unit),
        Some(Value::Text("mark")) => match text::cut_with_mark(t, max, unit) {
            Cow::Borrowed(whole) => whole,
            Cow::Owned(marked) => run.arena.alloc_str(&marked),
        },
        _ => text::cut(t, max, unit),
    };
    Ok(or_absent(short, at))
}

pub(super) fn whole(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Number(n) => usize::try_from(if n.scale() == 0 { n } else { n.trunc() }.mantissa()).ok(),
        _ => None,
    }
}

/// Street, number and addition; what the line lacks is absent.
fn street<'r>(run: &Run<'r>, line: &'r str) -> Value<'r> {
    let parts = address::street(line);
    let text = |t: Option<&'r str>| t.filter(|t| !t.is_empty()).map_or(Value::Absent, Value::Text);
    run.list(&[text(Some(parts.street)), text(parts.number), text(parts.addition)])
}

fn on_list<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    let list: &[Value<'r>] = match args.first() {
        Some(Value::List(list)) => list,
        Some(Value::Absent) => &[],
        Some(Value::Text(t)) => {
            return Ok(match (native, args.get(1)) {
                (Native::Length, _) => Value::Number(t.chars().count().into()),
                (Native::Contains, Some(Value::Text(part))) => Value::Bool(t.contains(part)),
                _ => return Err(wrong(run, native, at)),
            });
        }
        _ => return Err(wrong(run, native, at)),
    };
    Ok(match native {
        Native::Join => {
            let by = if let Some(Value::Text(by)) = args.get(1) { by } else { "" };
            return joined(run, list, by, at);
        }
        Native::Present => {
            let mut present = bumpalo::collections::Vec::with_capacity_in(list.len(), run.arena);
            present.extend(list.iter().copied().filter(super::value::Value::is_some));
            Value::List(present.into_bump_slice())
        }
        Native::Distinct => {
            let mut once: Vec<Value<'r>> = Vec::new();
            for value in list {
                if !once.iter().any(|known| same(*known, *value)) {
                    once.push(*value);
                }
            }
            run.list(&once)
        }
        Native::Count | Native::Length => Value::Number(list.len().into()),
        Native::First => list.first().copied().unwrap_or(Value::Absent),
        Native::Last => list.last().copied().unwrap_or(Value::Absent),
        Native::IsEmpty => Value::Bool(list.is_empty()),
        Native::Single => match list {
            [one] => *one,
            _ => {
                let reason = format!("exactly one is wanted here, and there are {}", list.len());
                return Err(Halt::soft(Failure::new(reason, at.span).with_value(list.len().to_string())));
            }
        },
        Native::Nth => {
            let n = args.get(1).and_then(|n| whole(*n));
            match n.and_then(|n| list.get(n)) {
                Some(value) => *value,
                None => {
                    let wanted = args.get(1).map_or_else(String::new, |n| show(*n));
                    let reason = format!("there is no element {wanted} in a list of {}", list.len());
                    return Err(Halt::soft(Failure::new(reason, at.span).with_value(wanted)));
                }
            }
        }
        Native::Contains => Value::Bool(args.get(1).is_some_and(|wanted| list.iter().any(|v| same(*v, *wanted)))),
        Native::Sum => {
            let mut sum = Sum::default();
            for value in list {
                sum.add(run, *value, at)?;
            }
            sum.value(run)
        }
        _ => return Err(wrong(run, native, at)),
    })
}

/// What is there of a list, as one text; nothing when there is nothing.
pub(super) fn joined<'r>(run: &Run<'r>, list: &[Value<'r>], by: &str, at: &At) -> Eval<'r> {
    let mut present = list.iter().copied().filter(|v| !super::wire::left_out(v));
    let Some(first) = present.next() else { return Ok(Value::Absent) };
    let Some(second) = present.next() else {
        return Ok(if let Value::Text(_) = first { first } else { run.text(&show(first)) });
    };
    let mut out = bumpalo::collections::String::with_capacity_in(128, run.arena);
    for (n, value) in [first, second].into_iter().chain(present).enumerate() {
        if n > 0 {
            out.push_str(by);
        }
        match value {
            Value::Text(t) => out.push_str(t),
            other => out.push_str(&show(other)),
        }
        ops::text_fits(out.len(), at.span)?;
    }
    Ok(Value::Text(out.into_bump_str()))
}

/// A sum in the making: of numbers, or of prices.
#[derive(Default)]
struct Sum {
    total: Decimal,
    price: Option<(Decimal, Decimal)>,
}

impl Sum {
    fn add<'r>(&mut self, run: &Run<'r>, value: Value<'r>, at: &At) -> Result<(), Halt> {
        match value {
            Value::Number(n) => self.total = ops::number(Binary::Add, self.total, n, at.span)?,
            Value::Price((net, gross)) => {
                let (n, g) = self.price.unwrap_or_default();
                let net = ops::number(Binary::Add, n, *net, at.span)?;
                self.price = Some((net, ops::number(Binary::Add, g, *gross, at.span)?));
            }
            Value::Absent => {}
            _ => return Err(wrong(run, Native::Sum, at)),
        }
        Ok(())
    }

    fn value<'r>(self, run: &Run<'r>) -> Value<'r> {
        self.price.map_or(Value::Number(self.total), |price| Value::Price(run.arena.alloc(price)))
    }
}

fn sum_over<'r>(run: &mut Run<'r>, list: &[Value<'r>], local: u32, body: &Code, at: &At) -> Eval<'r> {
    let mut sum = Sum::default();
    let mut halted = None;
    for element in list {
        run.locals[local as usize] = *element;
        match body.number(run) {
            Ok(Operand::Number(n)) => {
                sum.total = decimal::add(sum.total, n).ok_or_else(|| ops::too_large(at.span))?;
            }
            Ok(Operand::Other(value)) => sum.add(run, value, at)?,
            Err(halt) => ops::note(&mut halted, halt)?,
        }
    }
    match halted {
        Some(halt) => Err(halt),
        None => Ok(sum.value(run)),
    }
}

fn over_list<'r>(run: &mut Run<'r>, native: Native, list: &Code, local: u32, body: &Code, at: &At) -> Eval<'r> {
    let Some(list) = list.list(run)? else { return Err(wrong(run, native, at)) };
    if native == Native::Sum {
        return sum_over(run, list, local, body, at);
    }
    let mut out = bumpalo::collections::Vec::new_in(run.arena);
    let mut halted = None;
    for element in list {
        run.locals[local as usize] = *element;
        match (native, body.eval(run)) {
            (Native::Map, Ok(value)) => out.push(value),
            (Native::Where, Ok(Value::Bool(true))) => out.push(*element),
            (Native::First, Ok(Value::Bool(true))) => return Ok(*element),
            (Native::Any, Ok(Value::Bool(true))) => return Ok(Value::Bool(true)),
            (Native::All, Ok(Value::Bool(false))) => return Ok(Value::Bool(false)),
            (Native::Flat, Ok(Value::List(values))) => {
                ops::list_fits(out.len() + values.len(), at.span)?;
                out.extend_from_slice(values);
            }
            (_, Ok(_)) => {}
            (_, Err(halt)) => ops::note(&mut halted, halt.within(&format!("[{}]", out.len())))?,
        }
    }
    match (halted, native) {
        (Some(halt), _) => Err(halt),
        (None, Native::Any) => Ok(Value::Bool(false)),
        (None, Native::All) => Ok(Value::Bool(true)),
        (None, Native::First) => Ok(Value::Absent),
        (None, _) => Ok(Value::List(out.into_bump_slice())),
    }
}

fn on_number<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
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
            let gross = ops::number(Binary::Add, *net, *tax, at.span)?;
            Ok(Value::Price(run.arena.alloc((*net, gross))))
        }
        (Native::TaxOf, [Value::Number(net), Value::Number(rate)]) => computed(money::tax_of(*net, *rate), at),
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
            let shares = money::split(*total, &weights, digits).ok_or_else(|| ops::too_large(at.span))?;
            let shares: Vec<Value<'r>> = shares.into_iter().map(Value::Number).collect();
            Ok(run.list(&shares))
        }
        _ => Err(wrong(run, native, at)),
    }
}

/// How many decimals are asked for.
fn decimals(native: Native, asked: Option<&Value<'_>>, span: Span) -> Result<u32, Halt> {
    let Some(asked) = asked else { return Ok(0) };
    let digits = whole(*asked).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= decimal::DECIMALS_MAX);
    digits.ok_or_else(|| {
        let reason = format!("`{}` keeps 0 to {} decimals, not {}", native.name(), decimal::DECIMALS_MAX, show(*asked));
        Halt::fail(Failure::new(reason, span).with_value(show(*asked)))
    })
}

fn computed<'r>(number: Option<Decimal>, at: &At) -> Eval<'r> {
    number.map(Value::Number).ok_or_else(|| ops::too_large(at.span))
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
    for value in values.iter().copied().filter(super::value::Value::is_some) {
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

fn date_of<'r>(run: &mut Run<'r>, args: &[Value<'r>], at: &At) -> Eval<'r> {
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
fn divided_and_rounded(compiler: &mut Compiler<'_>, a: &Expr, b: &Expr, digits: &Expr, span: Span) -> Code {
    let known = match crate::ir::known(digits) {
        Some(Const::Number(n)) => decimals(Native::Round, Some(&Value::Number(n)), span).ok(),
        _ => None,
    };
    let (a, b, digits) = (compiler.code(a), compiler.code(b), compiler.code(digits));
    let divided = move |a: Decimal, b: Decimal, digits: u32| match decimal::divide_and_round(a, b, digits) {
        Some(quotient) => Ok(Value::Number(quotient)),
        None if b.is_zero() => Err(ops::divided_by_zero(a, span)),
        None => Err(ops::too_large(span)),
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

/// The groups of a pattern that is known when the flow is compiled.
fn capture(compiler: &mut Compiler<'_>, text: &Expr, pattern: &Expr, span: Span) -> Code {
    let text = compiler.code(text);
    let pattern = match crate::ir::known(pattern) {
        Some(Const::Text(pattern)) => regex::Regex::new(&pattern).map_err(|e| e.to_string()),
        _ => Err("it is not known when the flow is compiled".to_owned()),
    };
    call(move |run| {
        let pattern =
            pattern.as_ref().map_err(|e| Halt::fail(Failure::new(format!("the pattern can't be used: {e}"), span)))?;
        let Value::Text(t) = text.eval(run)? else { return Ok(Value::List(&[])) };
        let Some(groups) = pattern.captures(t) else { return Ok(Value::List(&[])) };
        let groups = groups.iter().skip(1).map(|g| Value::Text(g.map_or("", |g| g.as_str())));
        let groups: Vec<Value<'_>> = groups.collect();
        Ok(run.list(&groups))
    })
}

fn linked(compiler: &mut Compiler<'_>, record: &Expr, span: Span) -> Code {
    let entity = match record.ty.present() {
        Type::Record(entity) | Type::Code(entity) => *entity,
        _ => EntityId(0),
    };
    let other = compiler.other.unwrap_or(entity);
    let record = compiler.code(record);
    call(move |run| {
        let record = record.eval(run)?;
        let Some((entity, key)) = run.identity(record, entity, span)? else { return Ok(Value::Bool(false)) };
        let ids = run.linked(LinkNeed { mapping: None, entity, key, other }, span)?;
        Ok(Value::Bool(!ids.is_empty()))
    })
}

/// `(entries of meta_data, key)`. A key that is known when the flow is compiled has a slot of its own.
fn meta_of(compiler: &mut Compiler<'_>, expr: &Expr, entries: &Expr, key: &Expr, span: Span) -> Code {
    if let Some((record, key)) = crate::plan::meta_entry(expr) {
        let (record, key) = (compiler.code(record), std::sync::Arc::clone(key));
        return call(move |run| match record.eval(run)? {
            Value::Record(record) => match run.compiled.layouts.of(record.entity).meta_slots.get(&key) {
                Some(slot) => run.slot_of(record, *slot, span),
                None => Err(run.broken_promise("an entry of `meta_data` that nobody decodes", span)),
            },
            _ => Ok(Value::Absent),
        });
    }
    let entity = match entries.ty.present().element() {
        Some(Type::Record(entity)) => *entity,
        _ => EntityId(0),
    };
    let schema = compiler.program.entity(entity);
    let fields = schema.field("key").zip(schema.field("value"));
    let (entries, key) = (compiler.code(entries), compiler.code(key));
    call(move |run| {
        let Some((key_field, value_field)) = fields else {
            return Err(run.broken_promise("`meta_data` whose entries have no key", span));
        };
        let (Value::List(entries), key) = (entries.eval(run)?, key.eval(run)?) else { return Ok(Value::Absent) };
        for entry in entries {
            if same(run.field(*entry, entity, key_field, span)?, key) {
                // An entry is JSON; what is asked for is the text or the number that it is.
                let value = match run.field(*entry, entity, value_field, span)? {
                    Value::Text(json) => text_of(run, json),
                    other => other,
                };
                if value.is_some() && !matches!(value, Value::Text("")) {
                    return Ok(value);
                }
            }
        }
        Ok(Value::Absent)
    })
}

/// The fields of a line that its formula looks at.
struct LineFields {
    entity: EntityId,
    fields: Vec<FieldId>,
    /// Whose rows the tax codes are.
    codes: Option<EntityId>,
}

/// What a document's lines come to as the ledger adds them: `(lines, net, tax)`, or `(lines, quantity, price, code)`.
fn document_total(compiler: &mut Compiler<'_>, lines: &Expr, names: &[Expr], span: Span) -> Code {
    let program = compiler.program;
    let line = match lines.ty.present().element().map(Type::present) {
        Some(Type::Record(line)) => *line,
        _ => EntityId(0),
    };
    let schema = program.entity(line);
    let named = names.iter().filter_map(|name| match crate::ir::known(name) {
        Some(Const::Text(name)) => schema.field(&name),
        _ => None,
    });
    let fields: Vec<FieldId> = named.collect();
    let codes = fields.get(2).and_then(|field| match schema.get(*field).ty.present() {
        Type::Code(entity) | Type::Record(entity) => Some(*entity),
        _ => None,
    });
    let line = LineFields { entity: line, fields, codes };
    let lines = compiler.code(lines);
    call(move |run| {
        let Value::List(lines) = lines.eval(run)? else { return Ok(Value::Number(Decimal::ZERO)) };
        match line.fields.len() {
            2 => line.total_of_amounts(run, lines, span),
            3 => line.total_by_code(run, lines, span),
            _ => Err(run.broken_promise("a total whose fields are unknown", span)),
        }
    })
}

impl LineFields {
    fn number<'r>(
        &self,
        run: &mut Run<'r>,
        line: Value<'r>,
        n: usize,
        empty: Decimal,
        span: Span,
    ) -> Result<Decimal, Halt> {
        match run.field(line, self.entity, self.fields[n], span)? {
            Value::Number(n) => Ok(n),
            _ => Ok(empty),
        }
    }

    /// Each line says its amount and its tax.
    fn total_of_amounts<'r>(&self, run: &mut Run<'r>, lines: &[Value<'r>], span: Span) -> Eval<'r> {
        let mut total = Decimal::ZERO;
        for line in lines {
            for n in 0..2 {
                let amount = self.number(run, *line, n, Decimal::ZERO, span)?;
                total = ops::number(Binary::Add, total, decimal::round(amount, super::balance::DECIMALS), span)?;
            }
        }
        Ok(Value::Number(total))
    }

    /// A line is rounded to cents, the tax once for each code; where a code's prices include the tax, their sum is kept
    /// as it is.
    fn total_by_code<'r>(&self, run: &mut Run<'r>, lines: &[Value<'r>], span: Span) -> Eval<'r> {
        let mut sums: Vec<(Value<'_>, Decimal)> = Vec::new();
        for line in lines {
            let quantity = self.number(run, *line, 0, Decimal::ONE, span)?;
            let price = self.number(run, *line, 1, Decimal::ZERO, span)?;
            let amount = decimal::round(ops::number(Binary::Mul, quantity, price, span)?, super::balance::DECIMALS);
            let code = run.field(*line, self.entity, self.fields[2], span)?;
            match sums.iter_mut().find(|(known, _)| same(*known, code)) {
                Some((_, sum)) => *sum = ops::number(Binary::Add, *sum, amount, span)?,
                None => sums.push((code, amount)),
            }
        }
        let mut total = Decimal::ZERO;
        let mut halted = None;
        for (code, sum) in sums {
            let row = match self.codes {
                Some(codes) if code.is_some() => match run.tax_row(code, codes, span) {
                    // Offline, and the code was not given.
                    Ok(None) => return Ok(Value::Absent),
                    Ok(row) => row,
                    Err(halt) => {
                        ops::note(&mut halted, halt)?;
                        continue;
                    }
                },
                _ => None,
            };
            total = ops::number(Binary::Add, total, sum, span)?;
            if let Some((false, rate)) = row {
                let tax = money::tax_of(sum, rate).ok_or_else(|| ops::too_large(span))?;
                total = ops::number(Binary::Add, total, decimal::round(tax, super::balance::DECIMALS), span)?;
            }
        }
        halted.map_or(Ok(Value::Number(total)), Err)
    }
}

impl<'r> Run<'r> {
    /// Whether prices with this tax code include the tax, and its rate; none where it can't be known.
    pub(crate) fn tax_row(
        &mut self,
        code: Value<'r>,
        entity: EntityId,
        span: Span,
    ) -> Result<Option<(bool, Decimal)>, Halt> {
        let schema = self.compiled.program.entity(entity);
        let Some((including, rate)) = crate::plan::tax_fields(schema) else { return Ok(None) };
        let row = match code {
            Value::Absent => return Ok(None),
            Value::Text(text) if self.known.offline() => {
                let by = schema.code.or(schema.key);
                match by.map(|by| self.find(None, entity, &[by], &[Some(text.into())], span)).transpose()?.as_deref() {
                    Some([row]) => Value::Record(row),
                    _ => return Ok(None),
                }
            }
            other => other,
        };
        let including = matches!(self.field(row, entity, including, span)?, Value::Text("including"));
        let rate = match self.field(row, entity, rate, span)? {
            Value::Number(rate) => rate,
            _ => Decimal::ZERO,
        };
        Ok(Some((including, rate)))
    }
}
