//! What stands in a record and is no value of its field: it stops whoever reads that field, and nobody else.

use crate::ir::EntityId;
use crate::value::place::path_to;

/// A value that could not be read.
#[derive(Debug)]
pub(crate) struct Unreadable<'r> {
    /// What the record is that was decoded.
    pub(crate) of: EntityId,
    /// Its JSON text.
    pub(crate) text: &'r str,
    /// Where the part begins in it that has the field.
    pub(crate) part: usize,
    /// The field, with the place within it: `line_items[2]`.
    pub(crate) field: &'r str,
    /// What is wrong, in words.
    pub(crate) told: &'r str,
    /// What stands there, for people.
    pub(crate) value: Option<&'r str>,
    /// What stands there, as it is.
    pub(crate) raw: &'r str,
}

impl Unreadable<'_> {
    /// Where it stands in its record: `line_items[1].price`.
    pub(crate) fn path(&self) -> String {
        let mut path = path_to(self.text.as_bytes(), self.part);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(self.field);
        path
    }
}

/// The halves of a character that is spelt as two.
pub(super) const HIGH: std::ops::Range<u32> = 0xd800..0xdc00;
pub(super) const LOW: std::ops::Range<u32> = 0xdc00..0xe000;

/// Whether half a character stands alone in a JSON text, whose shape has been checked.
pub(super) fn has_half(json: &str) -> bool {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        at += match unit(at) {
            Some(first) if HIGH.contains(&first) => match unit(at + 6) {
                Some(second) if LOW.contains(&second) => 12,
                _ => return true,
            },
            Some(first) if LOW.contains(&first) => return true,
            Some(_) => 6,
            None => 2,
        };
    }
    false
}
