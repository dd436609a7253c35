//! What the store says of links.

use super::context::Pass;
use crate::engine::error::PassError;
use crate::eval::LinkNeed;
use crate::store::{LinkKey, Target};
use std::sync::Arc;

/// Keys of the records at the other end, as JSON texts.
pub(crate) async fn linked(pass: &Pass, need: &LinkNeed) -> Result<Vec<Arc<str>>, PassError> {
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
