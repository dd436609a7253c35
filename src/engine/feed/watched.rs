//! What a flow watches beside its source: where that has changed by somebody else's hand, its record is looked at again.

use super::again::read_again;
use super::rows::Mode;
use crate::connector::{Position, Raw, Scan};
use crate::engine::error::PassError;
use crate::engine::event::Reporter;
use crate::engine::pass::ask::resolve;
use crate::engine::pass::context::Pass;
use crate::engine::values::compare;
use crate::eval::Aside;
use crate::ir::EntityId;
use crate::limits;
use crate::store::{self, Target};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Before the first pass reads anything: what changes from then on is looked at by the next one.
pub(crate) async fn begin_watching(pass: &Pass) -> Result<(), PassError> {
    let Some(entity) = pass.flow().watch.as_ref().map(|watch| watch.entity) else { return Ok(()) };
    let place = store::watched(&pass.flow().name);
    if pass.store().position(&place).await?.is_some() {
        return Ok(());
    }
    let connector = pass.connector(&pass.connection_of(entity))?;
    let scan = Scan { since: Some(connector.now()), ..scan(pass, entity) };
    let begin = connector.resumed(&scan, Position::default(), true);
    Ok(pass.store().advance(&place, &begin.0).await?)
}

/// Looks again at the records that are concerned by what has changed since the last pass.
pub(crate) async fn watched(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let Some(entity) = pass.flow().watch.as_ref().map(|watch| watch.entity) else { return Ok(()) };
    let place = store::watched(&pass.flow().name);
    let Some(stored) = pass.store().position(&place).await? else { return Ok(()) };
    let connector = pass.connector(&pass.connection_of(entity))?;
    let scan = scan(pass, entity);
    let mut position = connector.resumed(&scan, Position(stored), false);
    loop {
        pass.go_on()?;
        // One that can't be read says nothing of its own; its record comes when it can be.
        let page = connector.scan(&scan, &position).await?;
        let mut theirs = Vec::new();
        for row in page.records {
            if !is_as_written(pass, entity, &row).await? {
                theirs.push(row);
            }
        }
        let mut known = Vec::new();
        for key in concerned(pass, theirs).await? {
            // What the flow has never read, it reads when it comes to it.
            if pass.store().record(&pass.flow().name, &key).await?.is_some() {
                known.push(key);
            }
        }
        read_again(pass, &known, Mode::Became, telling).await?;
        pass.store().advance(&place, &page.next.0).await?;
        if page.last || page.next == position {
            return Ok(());
        }
        position = page.next;
    }
}

fn scan(pass: &Pass, entity: EntityId) -> Scan {
    Scan { entity: pass.entity(entity), fields: pass.fields(entity), filter: Vec::new(), since: None, only: Vec::new() }
}

/// Whether a record was written by us and has all that was written: our own change comes back as an echo, and what we never
/// write is nobody's concern here.
async fn is_as_written(pass: &Pass, entity: EntityId, row: &Raw) -> Result<bool, PassError> {
    let schema = pass.program().entity(entity);
    let Some(id) = schema.key.and_then(|key| row.member(&schema.get(key).wire)) else { return Ok(false) };
    let target = Target { connection: pass.connection_of(entity).to_string(), entity: schema.full_name(), id };
    let links = pass.store().links_to(&target).await?;
    let row: serde_json::Value = serde_json::from_str(&row.0).unwrap_or_default();
    let has = |field: &str| {
        let path: Vec<Arc<str>> = field.split('.').map(Arc::from).collect();
        compare::value_at(&row, &path).map(|theirs| pass.store().keyed_hash(&theirs.to_string()))
    };
    let is_kept =
        |link: &crate::store::Link| link.fields.iter().all(|last| has(&last.field).as_ref() == Some(&last.hash));
    Ok(!links.is_empty() && links.iter().all(is_kept))
}

/// The keys of the flow's records that these concern. One of which that can't be told is left: where it becomes known, the
/// record itself changes.
async fn concerned(pass: &Pass, rows: Vec<Raw>) -> Result<BTreeSet<String>, PassError> {
    let now = pass.source()?.now();
    let mut keys = BTreeSet::new();
    let mut open = rows;
    for _ in 0..limits::STAGES_MAX {
        let (mut needs, mut still) = (Vec::new(), Vec::new());
        for row in open {
            match pass.evaluate_watched(&row.0, now) {
                Aside::Known(key) => keys.extend(key),
                Aside::Stopped(_) => {}
                Aside::Needs(asked) => {
                    if let Some(refused) = asked.iter().find_map(|need| pass.memory().refusal(need).map(str::to_owned))
                    {
                        return Err(PassError::Project(refused));
                    }
                    needs.extend(asked.into_iter().filter(|need| !needs.contains(need)).collect::<Vec<_>>());
                    still.push(row);
                }
            }
        }
        open = still;
        if open.is_empty() {
            break;
        }
        resolve(pass, needs).await?;
    }
    Ok(keys)
}
