//! Asking for what evaluations need: links of the store, and finds of many records together in few calls.

use super::memory::{search_field, wire_text};
use super::pass::{Ending, Pass};
use crate::connector::{CallError, Find};
use crate::eval::{LinkNeed, Need};
use crate::ir::{EntityId, FieldId};
use crate::store::{LinkKey, Target};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A search that goes out as one: connection, entity, field, and the values of the route's parts.
type Group = (Arc<str>, EntityId, Option<FieldId>, Vec<(String, String)>);

/// Finds out all of these. What a system refuses to answer is noted, so that only the records that need it stop.
pub(crate) async fn resolve(pass: &Pass, needs: Vec<Need>) -> Result<(), Ending> {
    let mut groups: BTreeMap<Group, Vec<(String, Need)>> = BTreeMap::new();
    for need in needs {
        if let Need::Link(link) = need {
            let keys = linked(pass, &link).await?;
            pass.memory().link(link, keys);
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

fn group(pass: &Pass, need: &Need) -> (Group, String) {
    match need {
        Need::Find { connection, entity, by, values } => {
            let schema = pass.program().entity(*entity);
            let parts = parts(schema.route.as_deref(), by, values, |field| schema.get(field).wire.to_string());
            let found = search_field(schema, by, values);
            let value = found.as_ref().map(|(field, text)| wire_text(schema, *field, text)).unwrap_or_default();
            ((Arc::clone(connection), *entity, found.map(|(field, _)| field), parts), value)
        }
        Need::Row { connection, entity, id } => {
            let key = pass.program().entity(*entity).key;
            ((Arc::clone(connection), *entity, key, Vec::new()), id.to_string())
        }
        Need::Table { connection, entity } => ((Arc::clone(connection), *entity, None, Vec::new()), String::new()),
        Need::Link(_) => unreachable!("links are asked of the store"),
    }
}

/// Values for the `{parts}` of a route, from the key's fields.
fn parts(
    route: Option<&str>,
    by: &[FieldId],
    values: &[Option<Arc<str>>],
    wire: impl Fn(FieldId) -> String,
) -> Vec<(String, String)> {
    let pairs = by.iter().zip(values).filter_map(|(f, v)| Some((wire(*f), v.as_ref()?.to_string())));
    pairs.filter(|(name, _)| route.is_some_and(|route| route.contains(&format!("{{{name}}}")))).collect()
}

async fn find(pass: &Pass, group: Group, asked: Vec<(String, Need)>) -> Result<(), Ending> {
    let (connection, entity, by, parts) = group;
    let connector = pass.connector(&connection)?;
    let mut values: Vec<String> = asked.iter().map(|(value, _)| value.clone()).filter(|v| !v.is_empty()).collect();
    values.sort_unstable();
    values.dedup();
    let find = Find { entity: pass.entity(entity), fields: pass.fields(entity), by, values: values.clone(), parts };
    match connector.find(&find).await {
        Ok(rows) => {
            let rows: Vec<Arc<str>> = rows.into_iter().map(|raw| raw.0).collect();
            let now = connector.now();
            let mut memory = pass.memory();
            match by {
                Some(field) => memory.found(pass.program(), (&connection, entity, field), &values, &rows, now),
                None => memory.table(&connection, entity, rows, now),
            }
            Ok(())
        }
        Err(CallError::Refused { system, reason, .. }) => {
            let reason = format!(
                "{system} refuses to search {}: {reason}. See whether its schema in the project still is as the system is",
                pass.program().entity(entity).name
            );
            let mut memory = pass.memory();
            for (_, need) in asked {
                memory.refuse(need, reason.clone());
            }
            Ok(())
        }
        Err(other) => Err(Ending::from(other)),
    }
}

/// Keys of the records at the other end, as JSON texts.
async fn linked(pass: &Pass, need: &LinkNeed) -> Result<Vec<Arc<str>>, Ending> {
    let program = pass.program();
    let connection = pass.connection_of(need.entity);
    let entity = program.entity(need.entity).full_name();
    let other = program.entity(need.other).full_name();
    let current: Vec<Arc<str>> = match &need.mapping {
        Some(mapping) => vec![Arc::clone(mapping)],
        None => program.mappings.iter().filter(|m| m.target == need.other).map(|m| Arc::clone(&m.name)).collect(),
    };
    // A mapping that was renamed made the same of the same: without its links everything would be made once more.
    let named = |name: &str| program.mappings.iter().any(|m| *m.name == *name);
    let gone = pass.store().link_mappings(&connection).await?.into_iter().filter(|name| !named(name));
    let mappings: Vec<Arc<str>> = current.iter().cloned().chain(gone.map(Arc::from)).collect();
    let mut keys = Vec::new();
    for mapping in &mappings {
        let key = LinkKey {
            connection: connection.to_string(),
            mapping: mapping.to_string(),
            entity: entity.clone(),
            key: need.key.to_string(),
        };
        if let Some(link) = pass.store().link(&key).await?
            && link.target.entity == other
        {
            keys.push(link.target.id);
        }
    }
    let target = Target { connection: connection.to_string(), entity, id: need.key.to_string() };
    for link in pass.store().links_to(&target).await? {
        let of_mapping = need.mapping.is_none() || mappings.iter().any(|mapping| **mapping == *link.source.mapping);
        if of_mapping && link.source.entity == other {
            keys.push(link.source.key);
        }
    }
    keys.sort_unstable();
    keys.dedup();
    Ok(keys.into_iter().map(|key| serde_json::Value::String(key).to_string().into()).collect())
}
