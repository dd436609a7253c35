//! Functions of lists.

use super::at::{At, whole, wrong};
use super::sum::Sum;
use crate::eval::arithmetic::text_fits;
use crate::eval::code::{Eval, Run};
use crate::eval::failure::{Failure, Halt};
use crate::eval::value::{Value, same, show};
use crate::eval::wire::left_out;
use crate::ir::Native;
use memchr::memmem;

/// A function whose first argument is a list.
pub(crate) fn on_list<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    let list: &[Value<'r>] = match args.first() {
        Some(Value::List(list)) => list,
        Some(Value::Absent) => &[],
        Some(Value::Text(t)) => {
            return Ok(match (native, args.get(1)) {
                (Native::Length, _) => Value::Number(t.chars().count().into()),
                (Native::Contains, Some(Value::Text(part))) => {
                    Value::Bool(memmem::find(t.as_bytes(), part.as_bytes()).is_some())
                }
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
        Native::Present => present(run, list),
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

/// What is there of a list.
pub(crate) fn present<'r>(run: &Run<'r>, list: &[Value<'r>]) -> Value<'r> {
    let mut present = bumpalo::collections::Vec::with_capacity_in(list.len(), run.arena);
    present.extend(list.iter().copied().filter(Value::is_some));
    Value::List(present.into_bump_slice())
}

/// What is there of a list, as one text; nothing when there is nothing.
pub(crate) fn joined<'r>(run: &Run<'r>, list: &[Value<'r>], by: &str, at: &At) -> Eval<'r> {
    let mut present = list.iter().copied().filter(|v| !left_out(v));
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
        text_fits(out.len(), at.span)?;
    }
    Ok(Value::Text(out.into_bump_str()))
}
