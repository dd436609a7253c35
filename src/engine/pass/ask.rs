//! Asking for what evaluations need: links of the store, and finds of many records together in few calls.

use super::context::Pass;
use super::files;
use super::linked::linked;
use super::once;
use crate::connector::{CallError, Find, One, Presence, Rows, Unreadable};
use crate::engine::error::PassError;
use crate::engine::hash::hash;
use crate::engine::known::search::{self, row_told, search_field};
use crate::engine::pii;
use crate::engine::values::text::wire_text;
use crate::eval::Query;
use crate::ir::{Entity, EntityId, FieldId};
use crate::store::{Change, Commit, Table};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A search that goes out as one: connection, entity, field, and the values of the route's parts.
type Group = (Arc<str>, EntityId, Option<FieldId>, Vec<(String, String)>);

/// Finds out all of these. What a system refuses to answer is noted, so that only the records that need it stop.
pub(crate) async fn resolve(pass: &Pass, needs: Vec<Query>) -> Result<(), PassError> {
    let mut groups: BTreeMap<Group, Vec<(String, Query)>> = BTreeMap::new();
    for need in needs {
        if let Query::Link(link) = need {
            let keys = linked(pass, &link).await?;
            pass.memory().link(link, keys);
            continue;
        }
        if let Query::Once { .. } | Query::Changed { .. } = need {
            Box::pin(once::read(pass, need)).await?;
            continue;
        }
        let (group, value) = group(pass, &need);
        groups.entry(group).or_default().push((value, need));
    }
    for (group, asked) in groups {
        find(pass, group, asked).await?;
    }
    Ok(())
}

fn group(pass: &Pass, need: &Query) -> (Group, String) {
    match need {
        Query::Find { connection, entity, by, values } => {
            let schema = pass.program().entity(*entity);
            let parts = parts(schema, by, values);
            let found = search_field(schema, by, values);
            let value = found.as_ref().map(|(field, text)| wire_text(schema, *field, text)).unwrap_or_default();
            ((Arc::clone(connection), *entity, found.map(|(field, _)| field), parts), value)
        }
        Query::Row { connection, entity, id } => {
            let key = pass.program().entity(*entity).key;
            ((Arc::clone(connection), *entity, key, Vec::new()), id.to_string())
        }
        Query::Table { connection, entity } => ((Arc::clone(connection), *entity, None, Vec::new()), String::new()),
        Query::Once { .. } | Query::Changed { .. } | Query::Link(_) => unreachable!("answered above, each in its way"),
    }
}

/// Values for the `{parts}` of a route, from the key's fields.
fn parts(schema: &Entity, by: &[FieldId], values: &[Option<Arc<str>>]) -> Vec<(String, String)> {
    let given = by.iter().zip(values).filter(|(field, _)| schema.path_fields().any(|part| part == **field));
    given
        .filter_map(|(field, value)| Some((schema.get(*field).name.to_string(), value.as_ref()?.to_string())))
        .collect()
}

/// A need and the value by which it is searched.
type Asked = Vec<(String, Query)>;

async fn find(pass: &Pass, group: Group, asked: Asked) -> Result<(), PassError> {
    let mut open = vec![asked];
    while let Some(asked) = open.pop() {
        open.extend(find_some(pass, &group, asked).await?);
    }
    Ok(())
}

/// One search; answers what must be asked again, value by value: a row that cannot be read does not say whose it is.
async fn find_some(
    pass: &Pass,
    (connection, entity, by, parts): &Group,
    asked: Asked,
) -> Result<Vec<Asked>, PassError> {
    let (entity, by) = (*entity, *by);
    let connector = pass.connector(connection)?;
    let mut values: Vec<String> = asked.iter().map(|(value, _)| value.clone()).filter(|v| !v.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    let schema = pass.entity(entity);
    let mut fields = pass.fields(entity);
    fields.extend(by.map(|by| schema.get(by).wire.to_string()));
    fields.sort_unstable();
    fields.dedup();
    let find = Find { entity: Arc::clone(&schema), fields, by, values: values.clone(), parts: parts.clone() };
    let answered = if schema.has_files() {
        files::rows(pass, (connection, connector.as_ref()), &schema, &values).await
    } else {
        search::search(connector.as_ref(), &find).await
    };
    let Rows { read, unreadable } = match answered {
        Ok(rows) => rows,
        Err(CallError::Refused { system, reason, .. }) => {
            refused(pass, &schema.name, &system, &reason, asked);
            return Ok(Vec::new());
        }
        Err(other) => return Err(PassError::from(other)),
    };
    let whose = |row: &Unreadable| by.and_then(|by| row.value(&schema.get(by).wire));
    if values.len() > 1 && unreadable.iter().any(|row| whose(row).is_none()) {
        return Ok(by_value(asked));
    }
    let rows: Vec<Arc<str>> = read.into_iter().map(|raw| raw.0).collect();
    let now = connector.now();
    let kept = if by.is_none() { keep_table(pass, &rows, now).await? } else { String::new() };
    {
        let mut memory = pass.memory();
        match by {
            Some(field) => memory.found(pass.program(), (connection, entity, field), &values, &rows, now),
            None => memory.table(pass.program(), (connection, entity), rows, kept, now),
        }
        for (value, need) in &asked {
            let of_value =
                |row: &&Unreadable| whose(row).is_none_or(|its| its.trim().eq_ignore_ascii_case(value.trim()));
            if let Some(row) = unreadable.iter().find(of_value) {
                memory.cannot_read(pass.program(), need.clone(), row_told(connection, &schema, row));
            }
        }
    }
    if by.is_some() && by == schema.key && !schema.has_files() {
        for (id, need) in asked {
            if !pass.memory().has(connection, entity, &id) {
                by_address(pass, (connection, entity, &id), need).await?;
            }
        }
    }
    Ok(Vec::new())
}

/// Keeps all rows of an entity, once for their hash, before any entry of the log names them: `flowc why` computes a record
/// again by them, whether or not the system is there. A table is too large to stand in each entry.
pub(super) async fn keep_table(pass: &Pass, rows: &[Arc<str>], now: Timestamp) -> Result<String, PassError> {
    let rows = format!("[{}]", rows.join(","));
    let hash = hash(rows.as_bytes());
    let people = pii::addresses([rows.as_str()]);
    let people = people.iter().map(|address| pass.store().keyed_hash(address)).collect();
    // A day longer than the entries that will name it.
    let days = SignedDuration::from_hours(24 * (i64::from(pass.project.log_days) + 1));
    let expires = now.checked_add(days).unwrap_or(Timestamp::MAX);
    let table = Table { hash: hash.clone(), rows, people, expires };
    pass.store().commit(Commit::of(Change::Table(table))).await?;
    Ok(hash)
}

/// Each value for itself.
fn by_value(asked: Asked) -> Vec<Asked> {
    let mut each: BTreeMap<String, Asked> = BTreeMap::new();
    for (value, need) in asked {
        each.entry(value.clone()).or_default().push((value, need));
    }
    each.into_values().collect()
}

/// A list that does not have a key proves nothing: the record itself is asked for.
async fn by_address(
    pass: &Pass,
    (connection, entity, id): (&Arc<str>, EntityId, &str),
    need: Query,
) -> Result<(), PassError> {
    let connector = pass.connector(connection)?;
    let schema = pass.entity(entity);
    let one = One { entity: Arc::clone(&schema), id: id.to_owned(), fields: pass.fields(entity), parts: Vec::new() };
    let presence = connector.read(&one).await;
    let mut memory = pass.memory();
    match presence {
        Ok(Presence::Found(raw)) => {
            memory.row(pass.program(), connection, entity, &raw.0, connector.now());
        }
        Ok(Presence::Gone(_)) => memory.gone(connection, entity, id),
        Ok(Presence::Unreadable(row)) => memory.cannot_read(pass.program(), need, row_told(connection, &schema, &row)),
        Err(CallError::Refused { system, reason, .. }) => {
            drop(memory);
            refused(pass, &schema.name, &system, &reason, vec![(id.to_owned(), need)]);
        }
        Err(other) => return Err(PassError::from(other)),
    }
    Ok(())
}

fn refused(pass: &Pass, entity: &str, system: &str, reason: &str, asked: Asked) {
    let reason = format!(
        "{system} refuses to search {entity}: {reason}. See whether its schema in the project still is as the system is"
    );
    let mut memory = pass.memory();
    for (_, need) in asked {
        memory.refuse(need, reason.clone());
    }
}
