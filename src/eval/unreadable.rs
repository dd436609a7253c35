//! What stands in a record and is no value of its field: it stops whoever reads that field, and nobody else.

use crate::ir::EntityId;
use crate::json::path_to;

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
    /// Where it stands in its record: `line_items[1].price`. Lists may stand in an object, under the name of the wrapper.
    pub(crate) fn path(&self, wrapper: Option<&str>) -> String {
        let mut path = path_to(self.text.as_bytes(), self.part, wrapper);
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(self.field);
        path
    }
}
