//! Whose a document is that was found by its key, and that no link makes ours: it is taken over only if those who own it
//! agree. Two customers may have one reference, and two shops one order number.

use crate::engine::values::body::{self, Settled};
use crate::engine::values::compare;
use crate::engine::values::text::scalar;
use crate::eval::{Draft, DraftField};
use crate::ir::{Entity, Field, Program, Verb};
use crate::store::{Link, LinkKey};
use serde_json::Value;

/// The source record that became a document, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Its end of the link.
    pub(crate) source: LinkKey,
}

impl Owner {
    /// Another record of a source that a document was made for, among the links that lead to it: whatever mapping made it,
    /// under whatever name. A mapping that only changes what is there makes nothing its own.
    pub(crate) fn among(program: &Program, links: Vec<Link>, ours: &LinkKey) -> Option<Self> {
        let makes = |name: &str| {
            let mapping = program.mappings.iter().find(|m| *m.name == *name);
            mapping.is_none_or(|m| matches!(m.header.verb, Verb::CreateOnce | Verb::CreateUnless(_) | Verb::Upsert))
        };
        // What is remembered by its own key is nobody's.
        let links = links
            .into_iter()
            .filter(|l| (&l.source.connection, &l.source.entity) != (&l.target.connection, &l.target.entity));
        let other = |l: &LinkKey| (&l.connection, &l.entity, &l.key) != (&ours.connection, &ours.entity, &ours.key);
        let mut sources = links.map(|link| link.source);
        sources.find(|source| other(source) && makes(&source.mapping)).map(|source| Self { source })
    }
}

/// The fields by which a document belongs to somebody.
pub(crate) fn identity(entity: &Entity) -> impl Iterator<Item = &Field> {
    entity.fields.iter().filter(|field| field.is_identity())
}

/// Those of a draft, each with its value once all drafts before it have their keys; none where one has no key yet.
pub(crate) fn of_draft<'d>(
    program: &Program,
    draft: &'d Draft,
    settled: &[Option<Settled>],
) -> Vec<(&'d DraftField, Option<Value>)> {
    let entity = program.entity(draft.entity);
    let names: Vec<&str> = identity(entity).map(|field| &*field.wire).collect();
    let fields = draft.fields.iter().filter(|f| matches!(&*f.path, [name] if names.contains(&&**name)));
    fields.map(|field| (field, body::filled(&field.json, settled).ok())).collect()
}

/// The field in which the owner of a row is another than the draft's: its name, theirs and ours.
pub(crate) fn another(
    program: &Program,
    draft: &Draft,
    settled: &[Option<Settled>],
    row: &Value,
) -> Option<(String, String, String)> {
    let entity = program.entity(draft.entity);
    of_draft(program, draft, settled).into_iter().find_map(|(field, ours)| {
        let schema = compare::field_at(program, entity, &field.path);
        let theirs = compare::value_at(row, &field.path);
        let agree = ours.as_ref().is_some_and(|ours| compare::same(program, schema, ours, theirs));
        let told = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), scalar);
        let ours = ours.map_or_else(|| "one that is not there yet".to_owned(), |ours| scalar(&ours));
        (!agree).then(|| (field.path.join("."), told(theirs), ours))
    })
}
