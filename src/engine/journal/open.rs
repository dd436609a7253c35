//! Writes without an outcome: until when their effects may come, and whether a search will tell.

use super::fate::{Fate, Searched, WHOLE, clue, fate, left};
use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::ir::Verb;
use crate::store::Intent;
use jiff::{SignedDuration, Timestamp};

/// Whether only a person can tell what became of a write. Everything else is cleared up at the begin of a pass.
pub(crate) fn needs_person(pass: &Pass, intent: &Intent) -> bool {
    if pass.several().contains(&intent.id) {
        return true;
    }
    let left = pass.connector(&intent.connection).ok().and_then(|c| left(intent, &c.reading())).unwrap_or(WHOLE);
    fate(clue(intent, &Searched::Absent, is_guarded(pass, intent)), left) == Fate::Person
}

/// Until when the effect of a write may come, by the clock of the flow's source, for people.
pub(crate) fn late_until(pass: &Pass, intent: &Intent) -> Result<Timestamp, PassError> {
    let left = left(intent, &pass.connector(&intent.connection)?.reading()).unwrap_or(WHOLE);
    let now = pass.source()?.now();
    Ok(now.checked_add(SignedDuration::from_millis(left)).unwrap_or(Timestamp::MAX))
}

/// A condition that is asked again, `create unless c`, guards a create without a key; lines are compared with those
/// that are there before any is added.
pub(crate) fn is_guarded(pass: &Pass, intent: &Intent) -> bool {
    let mapping = pass.program().mappings.iter().find(|m| *m.name == *intent.mapping);
    mapping.is_some_and(|m| {
        matches!(m.header.verb, Verb::CreateUnless(_)) || pass.program().entity(m.target).full_name() != intent.entity
    })
}
