//! Calls of functions of texts that are done in one walk, where a flow says them one after the other.

use super::apply::apply;
use super::at::At;
use crate::eval::code::{Code, call};
use crate::eval::value::Value;
use crate::ir::Native;
use bumpalo::Bump;
use memchr::memmem::Finder;
use std::sync::Arc;

/// Which bytes a text has, a bit each.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Bytes([u64; 4]);

impl Bytes {
    fn of(text: &[u8]) -> Self {
        let mut all = [0; 4];
        for byte in text {
            all[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Self(all)
    }

    /// Whether all of these are among them.
    fn hold(self, few: Self) -> bool {
        self.0.iter().zip(few.0).all(|(all, few)| all & few == few)
    }
}

/// Whether a text contains any of these, or all of them. Most words have a letter that a short text lacks, so that few are
/// searched for. What is no text is asked by `one_by_one`.
pub(crate) fn contains_each(native: Native, text: Code, parts: &[Arc<str>], one_by_one: Code) -> Code {
    let decisive = native == Native::Any;
    let part = |part: &Arc<str>| (Bytes::of(part.as_bytes()), Finder::new(part.as_bytes()).into_owned());
    let parts: Vec<(Bytes, Finder<'static>)> = parts.iter().map(part).collect();
    call(move |run| {
        let Ok(Value::Text(text)) = text.eval(run) else { return one_by_one.eval(run) };
        let bytes = Bytes::of(text.as_bytes());
        let decided =
            parts.iter().any(|(own, part)| (bytes.hold(*own) && part.find(text.as_bytes()).is_some()) == decisive);
        Ok(Value::Bool(decided == decisive))
    })
}

/// A character of a text that is replaced, and by what, if by anything.
pub(crate) type Change = (u8, Option<u8>);

/// A text with single characters replaced or taken out, one after the other; what is no text becomes one first.
pub(crate) fn characters_replaced(text: Code, changes: Vec<Change>, at: At) -> Code {
    let table = table_of(&changes);
    call(move |run| {
        let value = text.eval(run)?;
        let Value::Text(t) = value else {
            let mut value = value;
            for (from, to) in &changes {
                let text = |byte: Option<u8>| byte.map_or(String::new(), |byte| char::from(byte).to_string());
                let (from, to) = (run.text(&text(Some(*from))), run.text(&text(*to)));
                value = apply(run, Native::Replace, &[value, from, to], &at)?;
            }
            return Ok(value);
        };
        Ok(Value::Text(changed(run.arena, t, &table)))
    })
}

/// What each character of ASCII becomes.
fn table_of(changes: &[Change]) -> [Option<u8>; 128] {
    let becomes = |byte| changes.iter().try_fold(byte, |now, (from, to)| if now == *from { *to } else { Some(now) });
    std::array::from_fn(|n| u8::try_from(n).ok().and_then(becomes))
}

/// The text of which each character has become what the table says.
fn changed<'r>(arena: &'r Bump, text: &'r str, table: &[Option<u8>; 128]) -> &'r str {
    // Bytes of longer characters are none of these.
    let differs = |byte: u8| table.get(usize::from(byte)).is_some_and(|to| *to != Some(byte));
    let Some(first) = text.bytes().position(differs) else { return text };
    let mut out = bumpalo::collections::String::with_capacity_in(text.len(), arena);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        match u8::try_from(c).ok().and_then(|byte| table.get(usize::from(byte))) {
            Some(Some(byte)) => out.push(char::from(*byte)),
            Some(None) => {}
            None => out.push(c),
        }
    }
    out.into_bump_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_has_the_bytes_of_its_parts(text in "[a-eé ]{0,12}", part in "[a-eé ]{0,4}") {
            prop_assert!(Bytes::of(text.as_bytes()).hold(Bytes::of(part.as_bytes())) || !text.contains(&part));
        }

        #[test]
        fn characters_are_replaced_as_one_after_the_other(
            text in "[abc\u{e9} ]{0,12}",
            changes in prop::collection::vec(("[abc]", "[abc]?"), 0..5),
        ) {
            let one_by_one = changes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
            let bytes = |(from, to): &(String, String)| (from.as_bytes()[0], to.as_bytes().first().copied());
            let table = table_of(&changes.iter().map(bytes).collect::<Vec<_>>());
            let arena = Bump::new();
            prop_assert_eq!(changed(&arena, &text, &table), one_by_one);
        }
    }
}
