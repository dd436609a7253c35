//! What a flow reads once for all of its records. It is read before what they ask for themselves, and looked at again before
//! they write: what has come meanwhile joins it, and what was there stays. So what crosses over while a pass lasts counts
//! twice rather than never.

use super::ask::{keep_table, resolve};
use super::context::Pass;
use crate::connector::{CallError, Position, Raw, Scan};
use crate::engine::error::PassError;
use crate::engine::known::once::OnceRows;
use crate::engine::known::search::row_told;
use crate::eval::{Aside, Query};
use crate::ir::EntityId;
use crate::limits;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Finds out what is read once, or the changes that it is made of. What cannot be read stops the records that ask for it.
pub(super) async fn read(pass: &Pass, need: Query) -> Result<(), PassError> {
    match &need {
        Query::Once { n, entity, .. } => match value(pass, *n).await? {
            Ok(rows) => keep(pass, (*n, *entity), rows).await?,
            Err(why) => pass.memory().cannot_read(pass.program(), need, why),
        },
        Query::Changed { .. } => {
            changes(pass, need).await?;
        }
        Query::Find { .. } | Query::Table { .. } | Query::Row { .. } | Query::Link(_) => {}
    }
    Ok(())
}

/// Before records of a page write: whatever has changed meanwhile in what was read once.
pub(crate) async fn look_again(pass: &Pass) -> Result<(), PassError> {
    let needs = pass.memory().once.needs();
    let mut in_doubt = false;
    for need in needs {
        in_doubt |= changes(pass, need).await?;
    }
    if !in_doubt {
        return Ok(());
    }
    let read = pass.memory().once.read();
    for (n, entity) in read {
        let schema = pass.entity(entity);
        let Some(wire) = schema.key.map(|key| Arc::clone(&schema.get(key).wire)) else { continue };
        let new = match value(pass, n).await? {
            Ok(new) => new,
            // What has come meanwhile is not known: nobody writes by what was there before.
            Err(why) => {
                let need = Query::Once { flow: pass.flow, n, entity };
                pass.memory().cannot_read(pass.program(), need, why);
                continue;
            }
        };
        let before = pass.memory().once.rows(n).unwrap_or_default();
        let key = |row: &Arc<str>| Raw(Arc::clone(row)).member(&wire);
        let there: BTreeSet<Option<String>> = new.iter().map(key).collect();
        let crossed: Vec<Arc<str>> = before.iter().filter(|row| !there.contains(&key(row))).cloned().collect();
        let rows: Vec<Arc<str>> = new.into_iter().chain(crossed).collect();
        if rows != before {
            keep(pass, (n, entity), rows).await?;
        }
    }
    Ok(())
}

async fn keep(pass: &Pass, (n, entity): (u32, EntityId), rows: Vec<Arc<str>>) -> Result<(), PassError> {
    let hash = keep_table(pass, &rows, pass.source()?.now()).await?;
    pass.memory().once.keep(n, OnceRows { entity, rows, hash });
    Ok(())
}

/// The rows of a value by what is known, and what it still needs is asked; else why there are none.
async fn value(pass: &Pass, n: u32) -> Result<Result<Vec<Arc<str>>, String>, PassError> {
    let now = pass.source()?.now();
    let at = pass.memory().once.at(now);
    for _ in 0..limits::STAGES_MAX {
        match pass.evaluate_once(n, at) {
            Aside::Known(rows) => return Ok(Ok(rows)),
            Aside::Stopped(failure) => return Ok(Err(failure.reason)),
            Aside::Needs(needs) => {
                if let Some(refused) = needs.iter().find_map(|need| pass.memory().refusal(need).map(str::to_owned)) {
                    return Ok(Err(refused));
                }
                resolve(pass, needs).await?;
            }
        }
    }
    let rounds = limits::STAGES_MAX;
    Ok(Err(format!(
        "what the flow reads once asks for more after {rounds} rounds: leave out of it what is found by what was found"
    )))
}

/// Reads on where the changes of an entity were left; whether what is known by now is another thing, or not to be known.
async fn changes(pass: &Pass, need: Query) -> Result<bool, PassError> {
    let Query::Changed { connection, entity, since } = &need else { return Ok(false) };
    let connector = pass.connector(connection)?;
    let schema = pass.entity(*entity);
    let scan = Scan {
        entity: Arc::clone(&schema),
        fields: pass.fields(*entity),
        filter: Vec::new(),
        since: Some(*since),
        only: Vec::new(),
    };
    let mut known = pass.memory().once.changes(&need);
    let mut moved = false;
    let mut position = known.position.take().unwrap_or_else(|| connector.resumed(&scan, Position::default(), true));
    loop {
        pass.go_on()?;
        let page = match connector.scan(&scan, &position).await {
            Ok(page) => page,
            Err(CallError::Refused { system, reason, .. }) => {
                let why = format!(
                    "{system} does not tell which {} have changed: {reason}. See whether its schema in the project still is as the system is",
                    schema.name
                );
                pass.memory().cannot_read(pass.program(), need, why);
                return Ok(true);
            }
            Err(other) => return Err(other.into()),
        };
        if let Some(row) = page.unreadable.first() {
            let why = row_told(connection, &schema, row);
            pass.memory().cannot_read(pass.program(), need, why);
            return Ok(true);
        }
        for raw in page.records {
            let Some(key) = schema.key.and_then(|key| raw.member(&schema.get(key).wire)) else { continue };
            moved |= known.rows.insert(key, Arc::clone(&raw.0)).is_none_or(|before| before != raw.0);
        }
        if page.last || page.next == position {
            known.position = Some(page.next);
            break;
        }
        position = page.next;
    }
    pass.memory().once.keep_changes(need, known);
    Ok(moved)
}
