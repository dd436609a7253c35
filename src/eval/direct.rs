//! The commonest functions as closures of their own: their plain case needs neither a list of arguments nor a search for
//! what the function is. Whatever is not plain goes the common way.

use super::code::Code;
use super::compile::{Compiler, call};
use super::natives::{At, apply, joined, lower, text_of, upper, whole, wrong};
use super::value::Value;
use crate::ir::{Const, Expr, Native, known};
use crate::value::text;

/// The function as a closure of its own, where it has one.
pub(super) fn direct(compiler: &mut Compiler<'_>, native: Native, args: &[Expr], at: &At) -> Option<Code> {
    let at = at.clone();
    Some(match (native, args) {
        (Native::Trim, [text]) => {
            let text = compiler.code(text);
            call(move |run| {
                text.see(run, |run, text| match text {
                    Value::Text(t) => Ok(if is_trim(t) { Value::Text(t) } else { trimmed(t) }),
                    other => apply(run, native, &[*other], &at),
                })
            })
        }
        (Native::Upper | Native::Lower, [text]) => {
            let text = compiler.code(text);
            call(move |run| {
                text.see(run, |run, text| match text {
                    Value::Text(t) if native == Native::Upper => Ok(Value::Text(upper(run, t))),
                    Value::Text(t) => Ok(Value::Text(lower(run, t))),
                    other => apply(run, native, &[*other], &at),
                })
            })
        }
        (Native::TextOf, [json]) => {
            let json = compiler.code(json);
            call(move |run| {
                json.see(run, |run, json| match json {
                    Value::Text(json) => Ok(text_of(run, json)),
                    other => apply(run, native, &[*other], &at),
                })
            })
        }
        (Native::Take, [text, count]) => {
            let count = known(count)?;
            let Const::Number(n) = count else { return None };
            let most = whole(Value::Number(n))?;
            let text = compiler.code(text);
            call(move |run| {
                text.see(run, |run, text| match text {
                    Value::Text(t) => Ok(Value::Text(text::cut(t, most, text::Unit::CodePoints))),
                    other => apply(run, native, &[*other, Value::Number(n)], &at),
                })
            })
        }
        (Native::Join, [list, by]) => {
            let Const::Text(by) = known(by)? else { return None };
            let list = compiler.code(list);
            call(move |run| match list.list(run)? {
                Some(list) => joined(run, list, &by, &at),
                None => Err(wrong(run, native, &at)),
            })
        }
        (Native::Nth, [list, n]) => {
            let Const::Number(n) = known(n)? else { return None };
            let (wanted, list) = (whole(Value::Number(n)), compiler.code(list));
            call(move |run| match (list.list(run)?, wanted) {
                (Some(list), Some(wanted)) if wanted < list.len() => Ok(list[wanted]),
                (Some(list), _) => apply(run, native, &[Value::List(list), Value::Number(n)], &at),
                (None, _) => Err(wrong(run, native, &at)),
            })
        }
        (Native::StartsWith, [text, beginning]) => {
            let Const::Text(beginning) = known(beginning)? else { return None };
            let text = compiler.code(text);
            call(move |run| {
                text.see(run, |run, text| match text {
                    Value::Text(t) => Ok(Value::Bool(t.starts_with(&*beginning))),
                    other => apply(run, native, &[*other, run.text(&beginning)], &at),
                })
            })
        }
        _ => return None,
    })
}

/// Whether nothing need be cut off: both ends are letters, digits or signs of ASCII.
fn is_trim(t: &str) -> bool {
    let graphic = |b: Option<&u8>| b.is_some_and(u8::is_ascii_graphic);
    graphic(t.as_bytes().first()) && graphic(t.as_bytes().last())
}

fn trimmed(t: &str) -> Value<'_> {
    match t.trim() {
        "" => Value::Absent,
        trimmed => Value::Text(trimmed),
    }
}
