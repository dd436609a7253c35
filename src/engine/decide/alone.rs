//! What would be written of drafts when nothing else is known of them: no earlier write, no owner.

use super::draft::decide;
use super::step::{Facts, Step};
use crate::eval::{Action, Draft};
use crate::ir::Program;

/// Whether a draft would be written: it is made, taken away, or differs from what is there.
pub fn would_write(program: &Program, draft: &Draft) -> bool {
    match draft.action {
        Action::Create | Action::After(_) | Action::Delete { .. } => true,
        Action::Leave(..) => false,
        Action::Found { .. } | Action::Itself { .. } => {
            let facts = Facts {
                program,
                draft,
                verb: &program.mapping(draft.made.mapping).header.verb,
                link: None,
                remembers: false,
                is_late: false,
                owner: None,
                settled: &[],
                source_is_new: true,
                hash: &|value| value.to_owned(),
            };
            // A reference to what is made with it says something new.
            !matches!(
                decide(&facts),
                Step::Unchanged { .. } | Step::Adopt { .. } | Step::Alert { .. } | Step::Instead { .. }
            )
        }
    }
}
