//! From a record's JSON text straight into slots: only what some expression reads is built, all else is checked for
//! shape and skipped. Texts stay where they are; the few with escapes are unescaped into the arena.

mod decoder;
mod layout;
mod object;
mod ungiven;
mod value;

pub(crate) use decoder::Learnt;
pub(crate) use layout::{Layouts, NO_SLOT};
pub(crate) use ungiven::ungiven;

use crate::eval::value::Record;
use crate::ir::EntityId;
use crate::json::{DecodeError, Decoded, Scanner};
use crate::limits::RECORD_BYTES_MAX;
use crate::value::decimal;
use bumpalo::Bump;
use decoder::Decoder;

/// The record in this text.
pub(crate) fn decode<'r>(
    text: &'r str,
    entity: EntityId,
    layouts: &'r Layouts,
    arena: &'r Bump,
    learnt: &mut Learnt,
    paths: bool,
) -> Decoded<&'r Record<'r>> {
    if text.len() > RECORD_BYTES_MAX {
        return Err(DecodeError::new(format!("is larger than {} MB", RECORD_BYTES_MAX >> 20)));
    }
    let mut decoder = Decoder::new(text, layouts, arena, learnt);
    (decoder.paths, decoder.root) = (paths, entity);
    decoder.json.blank();
    let record = decoder.object(layouts.of(entity), "")?;
    decoder.json.end("the record")?;
    Ok(record)
}

/// The text of a JSON text or number that stands alone, such as a key.
pub(crate) fn scalar<'r>(text: &'r str, arena: &'r Bump) -> Option<&'r str> {
    let text = text.trim();
    if !text.starts_with('"') {
        return decimal::parse(text.as_bytes()).ok().map(|_| text);
    }
    let mut json = Scanner::new(text, arena);
    json.string().ok().filter(|_| json.at == text.len())
}
