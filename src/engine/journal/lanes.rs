//! Lanes by their names: the keys that a record may write, one record at a time.

use crate::engine::pass::context::Pass;
use crate::engine::values::body::Settled;
use crate::eval::{Action, Draft, KeyTried, Pending, WriteSet};
use crate::ir::{EntityId, Program};

/// A key as its lane: `books|exact.Account|Email=ann@example.org`.
pub(crate) fn lane(program: &Program, draft: &Draft, key: &KeyTried) -> Option<String> {
    // The key of what is not written yet: the lane of that one is held.
    lane_of(program, draft, key, &[])
}

/// The same, with the keys of drafts that are written.
pub(crate) fn lane_of(program: &Program, draft: &Draft, key: &KeyTried, settled: &[Option<Settled>]) -> Option<String> {
    let entity = program.entity(draft.entity);
    let mut pairs = Vec::new();
    for (field, value) in key.fields.iter().zip(&key.values) {
        let value = value.as_deref().unwrap_or("");
        let value = match Pending::draft(value) {
            Some(n) => &*settled.get(n)?.as_ref()?.id,
            None => value,
        };
        pairs.push(format!("{}={}", entity.get(*field).name, value.trim().to_lowercase()));
    }
    Some(format!("{}|{}|{}", draft.connection, entity.full_name(), pairs.join("|")))
}

/// The record's own lane, and those of all that its unit may write.
pub(crate) fn lanes_of(pass: &Pass, key: &str, unit: Option<&WriteSet>) -> Vec<String> {
    let drafts = unit.into_iter().flat_map(|unit| &unit.drafts);
    let mut lanes = vec![source_lane(pass, pass.flow().source, key)];
    lanes.extend(drafts.flat_map(|draft| draft_lanes(pass, draft)));
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

/// What a draft may write: the record with one of its keys, the one that its source is or will be linked to, or the one
/// that was found.
pub(crate) fn draft_lanes(pass: &Pass, draft: &Draft) -> Vec<String> {
    let keys = draft.keys.iter().filter_map(|key| lane(pass.program(), draft, key));
    let source = draft.linked_to.iter().map(|(entity, key)| source_lane(pass, *entity, key));
    let found = match &draft.action {
        Action::Found { id, .. } | Action::Itself { id, .. } | Action::Delete { id } => {
            let entity = pass.program().entity(draft.entity).full_name();
            Some(format!("{}|{entity}|#{}", draft.connection, id.to_lowercase()))
        }
        Action::Create | Action::After(_) | Action::Leave(..) => None,
    };
    keys.chain(source).chain(found).collect()
}

fn source_lane(pass: &Pass, entity: EntityId, key: &str) -> String {
    format!("{}|{}|{key}", pass.connection_of(entity), pass.program().entity(entity).full_name())
}
