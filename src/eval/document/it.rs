//! The document in the making, as its own steps look at it.

use crate::eval::code::{Eval, Run};
use crate::eval::failure::Halt;
use crate::eval::making::Making;
use crate::eval::value::{NEEDS, Value};
use crate::ir::FieldId;
use crate::source::Span;

impl<'r> Run<'r> {
    /// A field of the document in the making, or as it was made.
    pub(crate) fn it(&mut self, field: FieldId, place: Span) -> Eval<'r> {
        let Some(making) = self.making.last() else {
            return Err(self.broken_promise("`it` where nothing is made", place));
        };
        if let Some(n) = making.draft {
            return self.field_of_draft(n, field, place);
        }
        match making.value(field) {
            Some(Value::Hole(NEEDS)) => return Err(Halt::Needs),
            Some(Value::Hole(draft)) => return Err(Halt::Later(draft)),
            Some(Value::Keep) | None => {}
            Some(value) => return Ok(value),
        }
        let (entity, found) = (making.entity, making.found);
        match found {
            Some(row) => self.field(Value::Record(row), entity, field, place),
            None => Ok(Value::Absent),
        }
    }

    /// The document itself.
    pub(crate) fn itself(&mut self, place: Span) -> Eval<'r> {
        match self.making.last() {
            Some(Making { draft: Some(n), .. }) => Ok(Value::Draft(*n)),
            Some(Making { found: Some(row), .. }) => Ok(Value::Record(row)),
            _ => Err(self.broken_promise("the whole of a document that is still being made", place)),
        }
    }

    /// The target's present copy.
    pub(crate) fn was(&mut self, place: Span) -> Eval<'r> {
        match self.making.iter().rev().find(|making| making.resolved || making.draft.is_some()) {
            Some(making) => Ok(making.found.map_or(Value::Absent, Value::Record)),
            None if self.making.is_empty() => Err(self.broken_promise("`was` where nothing is made", place)),
            None => Err(Halt::Needs),
        }
    }
}
