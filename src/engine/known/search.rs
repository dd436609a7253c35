//! How records are searched: by which field, and that each row which comes shows what it was searched by.

use crate::connector::{CallError, Connector, Find, Raw, Rows, Unreadable};
use crate::ir::{Entity, Field, FieldId, Search, Type};
use std::sync::Arc;

/// The field by which a search is sent, and its value: the first that the API can filter by.
pub(crate) fn search_field(
    entity: &Entity,
    by: &[FieldId],
    values: &[Option<Arc<str>>],
) -> Option<(FieldId, Arc<str>)> {
    let present = || by.iter().zip(values).filter_map(|(f, v)| v.as_ref().map(|v| (*f, Arc::clone(v))));
    let exact = |f: FieldId| matches!(entity.get(f).search, Search::Filter | Search::Parameter);
    let narrow = |f: FieldId| !matches!(entity.get(f).ty.present(), Type::Enum(_) | Type::Bool);
    present()
        .find(|(f, _)| exact(*f) && narrow(*f))
        .or_else(|| present().find(|(f, _)| entity.get(*f).search == Search::Loose))
        .or_else(|| present().find(|(f, _)| exact(*f) || entity.key == Some(*f) || is_part(entity, *f)))
}

/// Whether the field stands in the route.
fn is_part(entity: &Entity, field: FieldId) -> bool {
    entity.path_fields().any(|part| part == field)
}

/// Searches. A row that does not show what it was searched by tells nothing of whose it is: it cannot be read.
pub(crate) async fn search(connector: &dyn Connector, find: &Find) -> Result<Rows, CallError> {
    let mut rows = connector.find(find).await?;
    let entity = &find.entity;
    if !find.parts.is_empty() {
        rows.read = rows.read.into_iter().map(|row| row.completed(entity, &find.parts)).collect();
    }
    let is_shown = |by: &FieldId| entity.get(*by).meta.is_none() && !is_part(entity, *by);
    let by = find.by.filter(is_shown).map(|by| entity.get(by));
    let Some(by) = by else { return Ok(rows) };
    let mut shown = Rows { read: Vec::with_capacity(rows.read.len()), unreadable: rows.unreadable };
    for raw in rows.read {
        if raw.member(&by.wire).is_some() {
            shown.read.push(raw);
        } else {
            shown.unreadable.push(mute(entity, by, raw));
        }
    }
    Ok(shown)
}

fn mute(entity: &Entity, by: &Field, raw: Raw) -> Unreadable {
    let key = entity.key.and_then(|key| raw.member(&entity.get(key).wire));
    let why = format!("it was searched by {} and does not show it", by.wire);
    Unreadable { key: key.filter(|key| !key.is_empty()), text: Some(raw.0), why, page: None }
}

/// Which row cannot be read, and what to do.
pub(crate) fn row_told(connection: &str, entity: &Entity, row: &Unreadable) -> String {
    let which = row.key.as_ref().map_or_else(
        || format!("a row of {} in {connection}, and its key,", entity.name),
        |key| format!("{} {key} in {connection}", entity.name),
    );
    format!(
        "{which} cannot be read ({}), so it is not known whether it is what is looked for: put it in order there",
        row.why
    )
}
