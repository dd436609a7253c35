//! What would be written of drafts when nothing else is known of them: no earlier write, no owner.

use super::draft::decide;
use super::step::{Facts, Step};
use crate::eval::{Action, Draft, Pending};
use crate::ir::{EntityId, Program};
use crate::store::{Link, LinkKey, Target};

/// What would be written of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alone {
    /// Nothing: it is left alone, or is what is there.
    Nothing,
    /// It is made, with this body.
    Create(String),
    /// It is changed, with this body where that is known.
    Update(Option<String>),
    /// It is taken away.
    Delete,
}

/// What would be written of a draft: it is made, taken away, or differs from what is there.
pub fn alone(program: &Program, draft: &Draft) -> Alone {
    match draft.action {
        Action::Create | Action::After(_) => {
            let further = program.entries_of(program.entity(draft.entity));
            Alone::Create(Pending::shown(&draft.create_body(further)).into_owned())
        }
        Action::Delete { .. } => Alone::Delete,
        Action::Leave(..) => Alone::Nothing,
        Action::Found { .. } | Action::Itself { .. } => {
            let link = earlier(program, draft);
            let facts = Facts {
                program,
                draft,
                verb: &program.mapping(draft.made.mapping).header.verb,
                link: link.as_ref(),
                remembers: false,
                is_late: false,
                owner: None,
                settled: &[],
                source_is_new: true,
                hash: &|value| value.to_owned(),
            };
            match decide(&facts) {
                Step::Unchanged { .. } | Step::Adopt { .. } | Step::Alert { .. } | Step::Instead { .. } => {
                    Alone::Nothing
                }
                Step::Update { body, .. } => Alone::Update(Some(body)),
                // A reference to what is made with it says something new.
                _ => Alone::Update(None),
            }
        }
    }
}

/// The link of what an earlier write made, of which it is not known what that write filled.
fn earlier(program: &Program, draft: &Draft) -> Option<Link> {
    let Action::Found { id, ours: true, .. } = &draft.action else { return None };
    let end = |entity: EntityId| program.entity(entity).full_name();
    let (source, key) = draft.linked_to.as_ref()?;
    Some(Link {
        source: LinkKey {
            connection: String::new(),
            mapping: draft.made.name.to_string(),
            entity: end(*source),
            key: key.to_string(),
        },
        target: Target { connection: draft.connection.to_string(), entity: end(draft.entity), id: id.to_string() },
        fields: Vec::new(),
        carried: None,
        agreed: true,
        children: Vec::new(),
    })
}
