//! What stands for a key that is not there yet.

use crate::ir::Entity;
use std::borrow::Cow;

/// What stands for the key of another draft of the unit, in a draft's JSON and in its keys: that draft's number and
/// entity between two NUL. JSON has no bare NUL and no text of ours holds one (see [`without_nul`]), so that nothing
/// which a shop says is taken for a reference.
pub struct Pending;

impl Pending {
    const MARK: char = '\0';

    /// The mark for the key of draft `n`, a record of that entity.
    pub(crate) fn mark(n: usize, entity: &str) -> String {
        ["\0", &n.to_string(), ":", entity, "\0"].concat()
    }

    /// Appends the mark for the key of draft `n`, a record of that entity.
    pub(crate) fn write(n: usize, entity: &Entity, out: &mut Vec<u8>) {
        use std::io::Write as _;
        // Writing into memory does not fail.
        let _ = write!(out, "\0{n}:");
        if !entity.connector.is_empty() {
            out.extend_from_slice(entity.connector.as_bytes());
            out.push(b'.');
        }
        out.extend_from_slice(entity.name.as_bytes());
        out.push(0);
    }

    /// The draft whose key this text stands for.
    pub fn draft(text: &str) -> Option<usize> {
        Self::number(text.strip_prefix(Self::MARK)?.strip_suffix(Self::MARK)?)
    }

    fn number(mark: &str) -> Option<usize> {
        mark.split_once(':')?.0.parse().ok()
    }

    /// The JSON with the keys of drafts in their places, each itself JSON.
    ///
    /// # Errors
    /// What `key` says of a draft that has none.
    pub fn filled<E>(json: &str, mut key: impl FnMut(usize) -> Result<String, E>) -> Result<Cow<'_, str>, E> {
        Self::each(json, |mark| key(Self::number(mark).unwrap_or(usize::MAX)))
    }

    /// The JSON for people and programs that get it before anything is written: `{"pending": "exact.Account"}` where
    /// the key of a new account will stand.
    pub fn shown(json: &str) -> Cow<'_, str> {
        let shown = Self::each(json, |mark| {
            let entity = mark.split_once(':').map_or(mark, |(_, entity)| entity);
            Ok::<_, std::convert::Infallible>(["{\"pending\":\"", entity, "\"}"].concat())
        });
        match shown {
            Ok(shown) => shown,
            Err(never) => match never {},
        }
    }

    fn each<E>(json: &str, mut fill: impl FnMut(&str) -> Result<String, E>) -> Result<Cow<'_, str>, E> {
        if memchr::memchr(0, json.as_bytes()).is_none() {
            return Ok(Cow::Borrowed(json));
        }
        let mut out = String::with_capacity(json.len() + 32);
        for (n, piece) in json.split(Self::MARK).enumerate() {
            if n % 2 == 0 {
                out.push_str(piece);
            } else {
                out.push_str(&fill(piece)?);
            }
        }
        Ok(Cow::Owned(out))
    }
}

/// A text from outside, without the character that marks what is pending. No API stores it.
pub(crate) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains(Pending::MARK) { Cow::Owned(text.replace(Pending::MARK, "")) } else { Cow::Borrowed(text) }
}
