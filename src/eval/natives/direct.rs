//! The commonest functions as closures of their own: their plain case needs neither a list of arguments nor a search for
//! what the function is. Whatever is not plain goes the common way.

use super::apply::apply;
use super::at::{At, whole, wrong};
use super::list::{joined, present};
use super::text::{lower, plain, replaced, text_of, tidied, upper};
use crate::eval::code::{Code, Eval, Run, call};
use crate::eval::value::Value;
use crate::ir::{Const, Native};
use crate::value::text;
use memchr::memmem;

/// How a function is made of the code of its first argument.
pub(crate) type Direct = Box<dyn FnOnce(Code) -> Code>;

/// The function as a closure of its own, where it has one; `known` are its arguments, as far as they are constants.
pub(crate) fn direct(native: Native, known: &[Option<Const>], at: &At) -> Option<Direct> {
    let at = at.clone();
    Some(match (native, known) {
        (Native::Trim, [_]) => of_text(native, None, at, |_, t| if is_trim(t) { Value::Text(t) } else { trimmed(t) }),
        (Native::Upper, [_]) => of_text(native, None, at, |run, t| Value::Text(upper(run, t))),
        (Native::Lower, [_]) => of_text(native, None, at, |run, t| Value::Text(lower(run, t))),
        (Native::Tidy, [_]) => {
            let ty = at.clone();
            of_text(native, None, at, move |run, t| tidied(run, t, &ty))
        }
        (Native::Plain, [_]) => {
            let ty = at.clone();
            of_text(native, None, at, move |run, t| plain(run, t, &ty))
        }
        (Native::TextOf, [_]) => of_text(native, None, at, text_of),
        (Native::Take, [_, Some(Const::Number(n))]) => {
            let most = whole(Value::Number(*n))?;
            let rest = Some(Const::Number(*n));
            of_text(native, rest, at, move |_, t| Value::Text(text::cut(t, most, text::Unit::CodePoints)))
        }
        (Native::StartsWith, [_, Some(Const::Text(beginning))]) => {
            let (rest, beginning) = (Const::Text(beginning.clone()), beginning.clone());
            of_text(native, Some(rest), at, move |_, t| Value::Bool(t.starts_with(&*beginning)))
        }
        (Native::Contains, [_, Some(Const::Text(part))]) => {
            let (rest, part) = (Const::Text(part.clone()), memmem::Finder::new(part.as_bytes()).into_owned());
            of_text(native, Some(rest), at, move |_, t| Value::Bool(part.find(t.as_bytes()).is_some()))
        }
        (Native::Replace, [_, Some(Const::Text(from)), Some(Const::Text(to))]) => {
            let (from, to) = (from.clone(), to.clone());
            Box::new(move |text| {
                call(move |run| {
                    text.see(run, |run, text| match text {
                        Value::Text(t) => replaced(run, t, &from, &to, at.span).map(Value::Text),
                        other => {
                            let (from, to) = (run.text(&from), run.text(&to));
                            apply(run, native, &[*other, from, to], &at)
                        }
                    })
                })
            })
        }
        (Native::Fit, [_, Some(Const::Number(most)), rest @ ..]) if rest.iter().all(Option::is_some) => {
            let rest = [Some(Const::Number(*most))].into_iter().chain(rest.iter().cloned()).flatten();
            fitted(at, whole(Value::Number(*most))?, rest.collect())
        }
        (Native::IsEmpty, [_]) => of_list(native, at, |_, list| Value::Bool(list.is_empty())),
        (Native::First, [_]) => of_list(native, at, |_, list| list.first().copied().unwrap_or(Value::Absent)),
        (Native::Count, [_]) => of_list(native, at, |_, list| Value::Number(list.len().into())),
        (Native::Present, [_]) => of_list(native, at, present),
        (Native::Join, [_, Some(Const::Text(by))]) => {
            let by = by.clone();
            Box::new(move |list| {
                call(move |run| match list.list(run)? {
                    Some(list) => joined(run, list, &by, &at),
                    None => Err(wrong(run, native, &at)),
                })
            })
        }
        (Native::Nth, [_, Some(Const::Number(n))]) => {
            let (n, wanted) = (*n, whole(Value::Number(*n)));
            Box::new(move |list| {
                call(move |run| match (list.list(run)?, wanted) {
                    (Some(list), Some(wanted)) if wanted < list.len() => Ok(list[wanted]),
                    (Some(list), _) => apply(run, native, &[Value::List(list), Value::Number(n)], &at),
                    (None, _) => Err(wrong(run, native, &at)),
                })
            })
        }
        _ => return None,
    })
}

/// A function that is `plain` of a text. Anything else goes the common way, with the second argument if there is one.
fn of_text<F>(native: Native, second: Option<Const>, at: At, plain: F) -> Direct
where
    F: for<'r> Fn(&Run<'r>, &'r str) -> Value<'r> + Send + Sync + 'static,
{
    Box::new(move |text| {
        call(move |run| {
            text.see(run, |run, text| match text {
                Value::Text(t) => Ok(plain(run, t)),
                other => common(run, native, *other, second.as_ref(), &at),
            })
        })
    })
}

/// A function of a list alone.
fn of_list<F>(native: Native, at: At, plain: F) -> Direct
where
    F: for<'r> Fn(&Run<'r>, &'r [Value<'r>]) -> Value<'r> + Send + Sync + 'static,
{
    Box::new(move |list| {
        call(move |run| match list.list(run)? {
            Some(list) => Ok(plain(run, list)),
            None => Err(wrong(run, native, &at)),
        })
    })
}

/// A text cut to a length that is known, as is how it is cut.
fn fitted(at: At, most: usize, rest: Vec<Const>) -> Direct {
    Box::new(move |text| {
        call(move |run| {
            text.see(run, |run, text| match text {
                // No text has more characters than bytes.
                Value::Text(t) if t.len() <= most && !t.is_empty() && !ends_blank(t) => Ok(Value::Text(t)),
                Value::Absent => Ok(Value::Absent),
                other => {
                    let args: Vec<Value<'_>> = std::iter::once(*other)
                        .chain(rest.iter().map(|constant| match constant {
                            Const::Text(t) => run.text(t),
                            Const::Number(n) => Value::Number(*n),
                            Const::Bool(b) => Value::Bool(*b),
                            _ => Value::Absent,
                        }))
                        .collect();
                    apply(run, Native::Fit, &args, &at)
                }
            })
        })
    })
}

/// Whether a blank may stand at the end, where a text is cut at words.
fn ends_blank(t: &str) -> bool {
    !t.as_bytes().last().is_some_and(u8::is_ascii_graphic)
}

fn common<'r>(run: &mut Run<'r>, native: Native, first: Value<'r>, second: Option<&Const>, at: &At) -> Eval<'r> {
    match second {
        Some(Const::Number(n)) => apply(run, native, &[first, Value::Number(*n)], at),
        Some(Const::Text(t)) => {
            let second = run.text(t);
            apply(run, native, &[first, second], at)
        }
        _ => apply(run, native, &[first], at),
    }
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
