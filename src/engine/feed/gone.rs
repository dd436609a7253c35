//! What is no longer there: where a system tells of deletions, by its rows; else by asking after the records that became
//! something, some in each pass. Of nothing else could a flow take the consequences.

use super::page::process;
use super::rows::Mode;
use crate::connector::{CallError, One, Position, Presence, Raw, Scan};
use crate::engine::error::PassError;
use crate::engine::event::Reporter;
use crate::engine::pass::context::Pass;
use crate::ir::{Deletions, Type};
use crate::limits;
use crate::store::{Link, LinkKey, Target};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Acts on what is gone since the last pass; of single records, once they are known to be gone.
pub(super) async fn gone(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    if !pass.options.only.is_empty() {
        return named(pass, telling).await;
    }
    let entity = pass.entity(pass.flow().source);
    match &entity.deletions {
        Some(deletions) => told(pass, deletions, telling).await,
        None => asked_after(pass, telling).await,
    }
}

/// Takes records for gone: those that are tried again were known to be.
pub(super) async fn are_gone(
    pass: &Arc<Pass>,
    keys: &[String],
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    let entity = pass.entity(pass.flow().source);
    let Some(key) = entity.key.map(|key| entity.get(key)) else { return Ok(()) };
    let row = |value: &String| {
        let number = value.parse::<i64>().ok().filter(|_| *key.ty.present() == Type::Int);
        let value = number.map_or_else(|| serde_json::Value::from(value.as_str()), serde_json::Value::from);
        Raw(serde_json::json!({ &*key.wire: value }).to_string().into())
    };
    for some in keys.chunks(limits::AGAIN_PAGE_MAX) {
        process(pass, (some.iter().map(row).collect(), Vec::new()), mode, telling).await?;
    }
    Ok(())
}

/// Records that a person names: the system is asked whether they are gone.
async fn named(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    for key in &pass.options.only {
        if !is_gone(pass, key).await? {
            let entity = pass.entity(pass.flow().source);
            let there =
                format!("{} {key} is still there, as far as {} tells", entity.full_name(), pass.flow().connection);
            return Err(PassError::Project(there));
        }
        are_gone(pass, std::slice::from_ref(key), Mode::Feed, telling).await?;
    }
    Ok(())
}

/// Reads what the system tells.
async fn told(pass: &Arc<Pass>, deletions: &Deletions, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let flow = &pass.flow().name;
    let entity = pass.entity(deletions.entity);
    let wire = |field| entity.get(field).wire.to_string();
    let (key, of, value) = (wire(deletions.key), wire(deletions.rows.0), &deletions.rows.1);
    let mut fields = vec![key.clone(), of.clone()];
    fields.extend(entity.feed.iter().map(|feed| wire(feed.by)));
    let scan = Scan { entity: Arc::clone(&entity), fields, filter: Vec::new(), since: None, only: Vec::new() };
    let source = pass.source()?;
    let mut position = source.resumed(&scan, Position(pass.store().position(flow).await?.unwrap_or_default()), false);
    loop {
        pass.go_on()?;
        let page = source.scan(&scan, &position).await?;
        if let Some(row) = page.unreadable.first() {
            return Err(PassError::Project(format!("a row of {} can't be read: {}", entity.full_name(), row.why)));
        }
        let mut keys = Vec::new();
        for row in page.records.iter().filter(|row| row.member(&of).as_deref() == Some(&**value)) {
            if let Some(key) = row.member(&key)
                && !keys.contains(&key)
                && is_ours(pass, &key).await?
            {
                keys.push(key);
            }
        }
        are_gone(pass, &keys, Mode::Feed, telling).await?;
        if page.next != position {
            pass.store().advance(flow, &page.next.0).await?;
        }
        if page.last || page.next == position {
            return Ok(());
        }
        position = page.next;
    }
}

/// Whether a record has become something, or something has become it.
async fn is_ours(pass: &Pass, id: &str) -> Result<bool, PassError> {
    let flow = pass.flow();
    let entity = pass.entity(flow.source).full_name();
    let target = Target { connection: flow.connection.to_string(), entity: entity.clone(), id: id.to_owned() };
    if !pass.store().links_to(&target).await?.is_empty() {
        return Ok(true);
    }
    for mapping in pass.store().link_mappings(&flow.connection).await? {
        let connection = flow.connection.to_string();
        let key = LinkKey { connection, mapping, entity: entity.clone(), key: id.to_owned() };
        if pass.store().link(&key).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Asks after the records that became something: what a list does not show is asked for by its own address.
async fn asked_after(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let flow = pass.flow();
    let entity = pass.entity(flow.source);
    let (keys, next) = candidates(pass).await?;
    let fields: Vec<String> = entity.key.iter().map(|key| entity.get(*key).wire.to_string()).collect();
    let mut missing = Vec::new();
    for some in keys.chunks(limits::AGAIN_PAGE_MAX) {
        pass.go_on()?;
        let (entity, fields) = (Arc::clone(&entity), fields.clone());
        let scan = Scan { entity, fields, filter: Vec::new(), since: None, only: some.to_vec() };
        let mut shown = BTreeSet::new();
        let mut position = Position::default();
        loop {
            let page = pass.source()?.scan(&scan, &position).await?;
            let name = scan.fields.first().map(String::as_str).unwrap_or_default();
            shown.extend(page.records.iter().filter_map(|row| row.member(name)));
            shown.extend(page.unreadable.iter().filter_map(|row| row.key.clone()));
            if page.last || page.next == position {
                break;
            }
            position = page.next;
        }
        for key in some.iter().filter(|key| !shown.contains(*key)) {
            if is_gone(pass, key).await? {
                missing.push(key.clone());
            }
        }
    }
    // A shop that was set up anew, or another one at this address, has none of them: then nothing was deleted.
    if missing.len() > limits::GONE_MAX && missing.len() * 2 > keys.len() {
        return Err(PassError::Project(format!(
            "of {} records of {} that were written on, {} are gone, {} for one: this may be another system, or one that was set up anew; nothing is taken for deleted. If they were, say so for each: `flowc run {} --only {}`",
            keys.len(),
            entity.full_name(),
            missing.len(),
            missing[0],
            flow.name,
            missing[0]
        )));
    }
    are_gone(pass, &missing, Mode::Feed, telling).await?;
    Ok(pass.store().advance(&flow.name, &next).await?)
}

/// The keys that are asked after now, and where the next pass goes on.
async fn candidates(pass: &Pass) -> Result<(Vec<String>, String), PassError> {
    let flow = pass.flow();
    let stored = pass.store().position(&flow.name).await?.unwrap_or_default();
    let begin: Option<LinkKey> = serde_json::from_str(&stored).ok();
    let entity = pass.entity(flow.source).full_name();
    let key_of = |link: &Link| {
        let source = &link.source;
        let target = &link.target;
        if source.connection == *flow.connection && source.entity == entity {
            return Some(source.key.clone());
        }
        (target.connection == *flow.connection && target.entity == entity).then(|| target.id.clone())
    };
    let mut keys = Vec::new();
    for connection in pass.program().connections.iter().map(|c| c.name.to_string()) {
        for mapping in pass.store().link_mappings(&connection).await? {
            let here = (connection.as_str(), mapping.as_str());
            let behind = begin.as_ref().map(|begin| (begin.connection.as_str(), begin.mapping.as_str()));
            if behind.is_some_and(|behind| here < behind) {
                continue;
            }
            let mut after = begin.clone().filter(|_| behind == Some(here));
            loop {
                let page = pass.store().links(&connection, &mapping, after.as_ref()).await?;
                for link in &page.links {
                    let Some(key) = key_of(link) else { continue };
                    // One that was acted on, or waits to be, is known to be gone.
                    if pass.store().record(&flow.name, &key).await?.is_none() && !keys.contains(&key) {
                        keys.push(key);
                    }
                    if keys.len() == limits::ASKED_AFTER_MAX {
                        return Ok((keys, serde_json::to_string(&link.source).unwrap_or_default()));
                    }
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
    }
    Ok((keys, String::new()))
}

/// Whether the system says that it has no such record: an answer that can't be had proves nothing.
async fn is_gone(pass: &Pass, key: &str) -> Result<bool, PassError> {
    pass.go_on()?;
    let entity = pass.entity(pass.flow().source);
    let fields = entity.key.iter().map(|key| entity.get(*key).wire.to_string()).collect();
    let one = One { entity, id: key.to_owned(), fields, parts: Vec::new() };
    match pass.source()?.read(&one).await {
        Ok(Presence::Gone(_)) => Ok(true),
        Ok(Presence::Found(_) | Presence::Unreadable(_)) | Err(CallError::Refused { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}
