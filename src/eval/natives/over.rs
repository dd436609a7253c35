//! Functions that look at each element of a list: `map`, `where`, `sum` and their like.

use super::at::{At, wrong};
use super::sum::Sum;
use crate::eval::arithmetic::{list_fits, too_large};
use crate::eval::code::{Code, Each, Eval, Operand, Run, call};
use crate::eval::failure::note;
use crate::eval::runtime::ordered;
use crate::eval::value::Value;
use crate::ir::Native;
use crate::value::decimal;
use std::cmp::Ordering;

/// `list.where(x => …).first()`: every element is asked, as by the two of them, and no list is made.
pub(crate) fn first_where(list: Code, each: Each, body: Code) -> Code {
    call(move |run| {
        let Some(list) = list.list(run)? else { return Ok(Value::Absent) };
        let (mut first, mut halted) = (None, None);
        for element in list {
            run.enter(&each, element);
            match body.holds(run) {
                Ok(true) => {
                    first.get_or_insert(element);
                }
                Ok(false) => {}
                Err(halt) => note(&mut halted, halt)?,
            }
        }
        match (halted, first) {
            (Some(halt), _) => Err(halt),
            (None, Some(first)) => Ok(*first),
            (None, None) => Ok(Value::Absent),
        }
    })
}

/// `list.chain((x, last) => …)`: each element is given what came of the one before it, the first one nothing.
pub(crate) fn chained(list: Code, each: Each, last: u32, body: Code) -> Code {
    call(move |run| {
        let Some(list) = list.list(run)? else { return Ok(Value::Absent) };
        let mut before = Value::Absent;
        for (n, element) in list.iter().enumerate() {
            run.locals[last as usize] = before;
            run.enter(&each, element);
            // What comes behind it depends on it.
            before = body.eval(run).map_err(|halt| halt.within(&format!("[{n}]")))?;
        }
        Ok(before)
    })
}

/// The elements in the order of what the body makes of each; those that are alike stay in theirs.
fn sorted<'r>(run: &mut Run<'r>, list: &[Value<'r>], each: &Each, body: &Code, at: &At) -> Eval<'r> {
    let mut keyed = bumpalo::collections::Vec::with_capacity_in(list.len(), run.arena);
    let (mut halted, mut mixed) = (None, None);
    for (n, element) in list.iter().enumerate() {
        run.enter(each, element);
        match body.eval(run) {
            Ok(key) => keyed.push((key, *element)),
            Err(halt) => note(&mut halted, halt.within(&format!("[{n}]")))?,
        }
    }
    if let Some(halt) = halted {
        return Err(halt);
    }
    keyed.sort_by(|(a, _), (b, _)| match ordered(*a, *b, at.span) {
        Ok(order) => order,
        Err(halt) => {
            mixed.get_or_insert(halt);
            Ordering::Equal
        }
    });
    mixed.map_or_else(
        || Ok(Value::List(run.arena.alloc_slice_fill_iter(keyed.iter().map(|(_, element)| *element)))),
        Err,
    )
}

fn sum_over<'r>(run: &mut Run<'r>, list: &[Value<'r>], each: &Each, body: &Code, at: &At) -> Eval<'r> {
    let mut sum = Sum::default();
    let mut halted = None;
    for element in list {
        run.enter(each, element);
        match body.number(run) {
            Ok(Operand::Number(n)) => {
                sum.total = decimal::add(sum.total, n).ok_or_else(|| too_large(at.span))?;
            }
            Ok(Operand::Other(value)) => sum.add(run, value, at)?,
            Err(halt) => note(&mut halted, halt)?,
        }
    }
    match halted {
        Some(halt) => Err(halt),
        None => Ok(sum.value(run)),
    }
}

/// Whether any or all of these hold, one for each element of a list that is known.
pub(crate) fn asked_in_turn(native: Native, asked: Vec<Code>) -> Code {
    let decisive = native == Native::Any;
    call(move |run| {
        let mut halted = None;
        for (n, code) in asked.iter().enumerate() {
            match code.eval(run) {
                Ok(Value::Bool(holds)) if holds == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => {}
                Err(halt) => note(&mut halted, halt.within(&format!("[{n}]")))?,
            }
        }
        halted.map_or(Ok(Value::Bool(!decisive)), Err)
    })
}

/// A function that computes `body` for each element.
pub(crate) fn over_list(native: Native, list: Code, each: Each, body: Code, at: At) -> Code {
    call(move |run| over(run, native, &list, &each, &body, &at))
}

fn over<'r>(run: &mut Run<'r>, native: Native, list: &Code, each: &Each, body: &Code, at: &At) -> Eval<'r> {
    let Some(list) = list.list(run)? else { return Err(wrong(run, native, at)) };
    if native == Native::Sum {
        return sum_over(run, list, each, body, at);
    }
    if native == Native::Sorted {
        return sorted(run, list, each, body, at);
    }
    let room = if matches!(native, Native::Map | Native::Where | Native::Flat) { list.len() } else { 0 };
    let mut out = bumpalo::collections::Vec::with_capacity_in(room, run.arena);
    let mut halted = None;
    for (n, element) in list.iter().enumerate() {
        run.enter(each, element);
        match (native, body.eval(run)) {
            (Native::Map, Ok(value)) => out.push(value),
            (Native::Where, Ok(Value::Bool(true))) => out.push(*element),
            (Native::First, Ok(Value::Bool(true))) => return Ok(*element),
            (Native::Any, Ok(Value::Bool(true))) => return Ok(Value::Bool(true)),
            (Native::All, Ok(Value::Bool(false))) => return Ok(Value::Bool(false)),
            (Native::Flat, Ok(Value::List(values))) => {
                list_fits(out.len() + values.len(), at.span)?;
                out.extend_from_slice(values);
            }
            (_, Ok(_)) => {}
            (_, Err(halt)) => note(&mut halted, halt.within(&format!("[{n}]")))?,
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
