//! Functions of texts.

use super::at::{At, or_absent, whole, wrong};
use crate::eval::arithmetic::{list_fits, text_fits};
use crate::eval::code::{Code, Eval, Run, call};
use crate::eval::failure::{Failure, Halt};
use crate::eval::pending::without_nul;
use crate::eval::value::{Value, show};
use crate::ir::Native;
use crate::json;
use crate::limits::LIST_MAX;
use crate::source::Span;
use crate::value::code::is_country;
use crate::value::{address, text};
use memchr::memmem;
use std::borrow::Cow;

/// A function whose first argument is a text.
pub(crate) fn on_text<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
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
        Native::Plain => plain(run, t, at),
        Native::Digits => {
            let digits: String = t.chars().filter(char::is_ascii_digit).collect();
            or_absent(run.arena.alloc_str(&digits), at)
        }
        Native::Trim => match t.trim() {
            "" => Value::Absent,
            trimmed => Value::Text(trimmed),
        },
        Native::Tidy => tidied(run, t, at),
        Native::CountryOf => match t.trim() {
            code if is_country(code) => Value::Text(code),
            other if other.len() == 2 && is_country(&other.to_ascii_uppercase()) => Value::Text(upper(run, other)),
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
            (Some(from), Some(to)) => Value::Text(replaced(run, t, from, to, at.span)?),
            _ => Value::Text(t),
        },
        Native::Split => match other(1) {
            Some(by) if !by.is_empty() => {
                let parts = split(run, t, by);
                list_fits(parts.len(), at.span)?;
                Value::List(parts)
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

/// Without HTML.
pub(crate) fn plain<'r>(run: &Run<'r>, t: &'r str, at: &At) -> Value<'r> {
    or_absent(if is_simple(t) { t } else { run.arena.alloc_str(&text::plain(t)) }, at)
}

/// As a name is compared.
pub(crate) fn tidied<'r>(run: &Run<'r>, t: &'r str, at: &At) -> Value<'r> {
    match text::tidy(t) {
        Cow::Borrowed("") => Value::Absent,
        Cow::Borrowed(tidy) => Value::Text(tidy),
        Cow::Owned(tidy) => or_absent(run.arena.alloc_str(&tidy), at),
    }
}

/// Whether a text is plain already, as most names are: neither tags nor entities, and single blanks within it.
fn is_simple(t: &str) -> bool {
    let mut before = b' ';
    for b in t.bytes() {
        match b {
            b'<' | b'&' | ..b' ' => return false,
            b' ' if before == b' ' => return false,
            // There are blanks of other kinds.
            0x80.. => {
                let odd = |c: char| matches!(c, '<' | '&') || c != ' ' && (c.is_whitespace() || c.is_control());
                return !t.contains(odd) && !t.contains("  ") && t.trim().len() == t.len();
            }
            _ => before = b,
        }
    }
    before != b' ' || t.is_empty()
}

/// In upper case; a text that is so already stays where it is.
pub(crate) fn upper<'r>(run: &Run<'r>, t: &'r str) -> &'r str {
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
pub(crate) fn lower<'r>(run: &Run<'r>, t: &'r str) -> &'r str {
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
pub(crate) fn replaced<'r>(run: &Run<'r>, t: &'r str, from: &str, to: &str, span: Span) -> Result<&'r str, Halt> {
    let found = |t: &str| match from.as_bytes() {
        [] => None,
        [byte] => memchr::memchr(*byte, t.as_bytes()),
        more => memmem::find(t.as_bytes(), more),
    };
    let Some(mut at) = found(t) else { return Ok(t) };
    if to.len() > from.len() {
        // Each piece takes the length of what it becomes.
        let grown = t.matches(from).count().saturating_mul(to.len() - from.len());
        text_fits(t.len().saturating_add(grown), span)?;
    }
    let (mut out, mut rest) = (bumpalo::collections::String::with_capacity_in(t.len(), run.arena), t);
    loop {
        out.push_str(&rest[..at]);
        out.push_str(to);
        rest = &rest[at + from.len()..];
        match found(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.push_str(rest);
    Ok(out.into_bump_str())
}

/// The text or number that a piece of JSON is.
pub(crate) fn text_of<'r>(run: &Run<'r>, json: &'r str) -> Value<'r> {
    match json.as_bytes().first() {
        // Most hold no escape, so they stay where they are.
        Some(b'"') if json::special(json.as_bytes(), 1) + 1 == json.len() => match &json[1..json.len() - 1] {
            "" => Value::Absent,
            text => Value::Text(text),
        },
        Some(b'"') => match serde_json::from_str::<Cow<'_, str>>(json) {
            Ok(text) => match &*without_nul(&text) {
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

/// The pieces of a text between these; no more than show that a list would not hold them.
fn split<'r>(run: &Run<'r>, t: &'r str, by: &str) -> &'r [Value<'r>] {
    let mut parts = bumpalo::collections::Vec::new_in(run.arena);
    match by.as_bytes() {
        // Mostly it is one character, which is found without a search being prepared.
        [byte] if byte.is_ascii() => parts.extend(t.split(char::from(*byte)).take(LIST_MAX + 1).map(Value::Text)),
        _ => parts.extend(t.split(by).take(LIST_MAX + 1).map(Value::Text)),
    }
    parts.into_bump_slice()
}

/// Street, number and addition; what the line lacks is absent.
fn street<'r>(run: &Run<'r>, line: &'r str) -> Value<'r> {
    let parts = address::street(line);
    let text = |t: Option<&'r str>| t.filter(|t| !t.is_empty()).map_or(Value::Absent, Value::Text);
    run.list(&[text(Some(parts.street)), text(parts.number), text(parts.addition)])
}

/// The groups of a pattern that is known when the flow is compiled.
pub(crate) fn capture(text: Code, pattern: Result<regex::Regex, String>, span: Span) -> Code {
    call(move |run| {
        let pattern =
            pattern.as_ref().map_err(|e| Halt::fail(Failure::new(format!("the pattern can't be used: {e}"), span)))?;
        let Value::Text(t) = text.eval(run)? else { return Ok(Value::List(&[])) };
        // Most texts are looked at for what they are not, and that costs less than the groups of one that is.
        if !pattern.is_match(t) {
            return Ok(Value::List(&[]));
        }
        let Some(groups) = pattern.captures(t) else { return Ok(Value::List(&[])) };
        let groups = groups.iter().skip(1).map(|g| Value::Text(g.map_or("", |g| g.as_str())));
        let groups: Vec<Value<'_>> = groups.collect();
        Ok(run.list(&groups))
    })
}

/// Whether [`capture`] finds nothing, without looking for where its groups stand.
pub(crate) fn captures_none(text: Code, pattern: regex::Regex) -> Code {
    // The whole is one group, and none that is given.
    let has_groups = pattern.captures_len() > 1;
    call(move |run| {
        let Value::Text(t) = text.eval(run)? else { return Ok(Value::Bool(true)) };
        Ok(Value::Bool(!has_groups || !pattern.is_match(t)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_simple_text_is_plain(text in "[a<&; \\t\\n\u{a0}é]{0,6}|.*") {
            if is_simple(&text) {
                prop_assert_eq!(text::plain(&text), text);
            }
        }
    }
}
