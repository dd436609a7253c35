//! Effects of creates without an outcome, searched by their keys.

use super::fate::Searched;
use crate::connector::{CallError, Find, Rows};
use crate::engine::error::PassError;
use crate::engine::known::search::{self, search_field};
use crate::engine::pass::context::Pass;
use crate::engine::values::compare;
use crate::engine::values::text::{scalar, wire_text};
use crate::eval::{KeyTried, Pending};
use crate::ir::{Entity, FieldId, Program};
use crate::store::{Intent, Operation, Target};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Fields and values by which a create can be found, with the keys that other drafts have got meanwhile.
pub(crate) fn search_of(
    entity: &Entity,
    key: &KeyTried,
    filled: impl Fn(&str) -> Option<String>,
) -> Vec<(String, String)> {
    let pairs = key.fields.iter().zip(&key.values).map(|(field, value)| {
        let text = value.as_deref().unwrap_or("");
        let text = if Pending::draft(text).is_some() { filled(text)? } else { text.to_owned() };
        Some((entity.get(*field).name.to_string(), text))
    });
    pairs.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// The record of an effect, for the store.
pub(crate) fn target(connection: &str, entity: &Entity, id: &str) -> Target {
    Target { connection: connection.to_owned(), entity: entity.full_name(), id: id.to_owned() }
}

/// The effects of creates, searched together.
pub(crate) async fn effects(pass: &Pass, intents: &[Intent]) -> Result<Vec<Searched>, PassError> {
    let mut found = vec![Searched::Unknown; intents.len()];
    let mut groups: BTreeMap<(String, usize, FieldId), Vec<(usize, String)>> = BTreeMap::new();
    for (n, intent) in intents.iter().enumerate().filter(|(_, i)| i.operation == Operation::Create) {
        let entity = pass.entities.iter().position(|e| e.full_name() == intent.entity);
        let Some(entity) = entity else { continue };
        let schema = &pass.entities[entity];
        let Some(fields) = fields_of(schema, intent) else { continue };
        let (by, values): (Vec<FieldId>, Vec<Option<Arc<str>>>) = fields.into_iter().unzip();
        if let Some((field, value)) = search_field(schema, &by, &values) {
            let value = wire_text(schema, field, &value);
            groups.entry((intent.connection.clone(), entity, field)).or_default().push((n, value));
        }
    }
    for ((connection, entity, by), asked) in groups {
        let schema = Arc::clone(&pass.entities[entity]);
        let mut values: Vec<String> = asked.iter().map(|(_, value)| value.clone()).collect();
        values.sort_unstable();
        values.dedup();
        let mut fields = pass.fields(crate::ir::EntityId::from(entity));
        fields.push(schema.get(by).wire.to_string());
        let find = Find { entity: Arc::clone(&schema), fields, by: Some(by), values, parts: Vec::new() };
        let Rows { read, unreadable } = match search::search(pass.connector(&connection)?.as_ref(), &find).await {
            Ok(rows) => rows,
            // Without an answer the write stays open, and its lanes stay held.
            Err(CallError::Refused { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        // One of these rows may be any of them.
        if unreadable.is_empty() {
            asked.iter().for_each(|(n, _)| found[*n] = Searched::Absent);
        }
        for row in read {
            let Ok(row) = serde_json::from_str::<serde_json::Value>(&row.0) else {
                for (n, _) in &asked {
                    if found[*n] == Searched::Absent {
                        found[*n] = Searched::Unknown;
                    }
                }
                continue;
            };
            let Some(id) = schema.key.and_then(|key| row.get(&*schema.get(key).wire)) else { continue };
            for (n, _) in &asked {
                if is_effect(pass.program(), &schema, &intents[*n], &row) {
                    let id = scalar(id);
                    found[*n] = match &found[*n] {
                        Searched::Found(other) if *other != id => Searched::Several,
                        Searched::Several => Searched::Several,
                        Searched::Found(_) | Searched::Absent | Searched::Unknown => Searched::Found(id),
                    };
                }
            }
        }
    }
    Ok(found)
}

/// The fields and values that the effect has; none where the entity lacks one of them by now.
fn fields_of(entity: &Entity, intent: &Intent) -> Option<Vec<(FieldId, Option<Arc<str>>)>> {
    let value = |text: &str| (!text.is_empty()).then(|| Arc::from(text));
    intent.search.iter().map(|(name, text)| Some((entity.field(name)?, value(text)))).collect()
}

/// Whether the row is what the intent was to make: it has its key, and its owner.
fn is_effect(program: &Program, entity: &Entity, intent: &Intent, row: &serde_json::Value) -> bool {
    let Some(fields) = fields_of(entity, intent) else { return false };
    fields.into_iter().all(|(field, value)| {
        let schema = entity.get(field);
        let ours = value.map_or(serde_json::Value::Null, |text| wire_text(entity, field, &text).into());
        compare::same(program, Some(schema), &ours, row.get(&*schema.wire))
    })
}
