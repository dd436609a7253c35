//! What a flow watches beside its source: where that has changed by somebody else's hand, its record is looked at again.

use super::again::read_again;
use super::rows::Mode;
use crate::connector::{Position, Raw, Scan};
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent, Reporter};
use crate::engine::pass::ask::resolve;
use crate::engine::pass::context::Pass;
use crate::engine::values::compare;
use crate::eval::Aside;
use crate::ir::{EntityId, mappings_of};
use crate::limits;
use crate::store::{self, Link, Target};
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
        let page = connector.scan(&scan, &position).await?;
        let mut theirs = Vec::new();
        let mut keys = BTreeSet::new();
        for row in page.records {
            if !is_as_written(pass, entity, &row).await? {
                theirs.push(row);
            }
        }
        // What has become of its record now, only the record can tell by stopping: it says why.
        for row in &page.unreadable {
            match &row.key {
                Some(key) => keys.extend(became(pass, entity, key).await?),
                None => {
                    tell(pass, telling, &format!("a {} that has changed can't be read: {}", scan.entity.name, row.why));
                }
            }
        }
        keys.extend(concerned(pass, theirs, telling).await?);
        let mut known = Vec::new();
        for key in keys {
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

/// The links from records of the flow to one that it watches.
async fn links(pass: &Pass, entity: EntityId, id: &str) -> Result<Vec<Link>, PassError> {
    let program = pass.program();
    let connection = pass.connection_of(entity).to_string();
    let target = Target { connection, entity: program.entity(entity).full_name(), id: id.to_owned() };
    let own = mappings_of(program, pass.flow());
    let mut links = pass.store().links_to(&target).await?;
    links.retain(|link| own.iter().any(|id| *program.mapping(*id).name == *link.source.mapping));
    Ok(links)
}

/// The keys of the flow's records that have become this one.
async fn became(pass: &Pass, entity: EntityId, id: &str) -> Result<Vec<String>, PassError> {
    Ok(links(pass, entity, id).await?.into_iter().map(|link| link.source.key).collect())
}

/// Whether a record was written by this flow and has all that was written: our own change comes back as an echo, and what
/// the flow never writes is nobody's concern here. What others of our flows have written says nothing of it.
async fn is_as_written(pass: &Pass, entity: EntityId, row: &Raw) -> Result<bool, PassError> {
    let schema = pass.program().entity(entity);
    let Some(id) = schema.key.and_then(|key| row.member(&schema.get(key).wire)) else { return Ok(false) };
    let links = links(pass, entity, &id).await?;
    let row: serde_json::Value = serde_json::from_str(&row.0).unwrap_or_default();
    let has = |field: &str| {
        let path: Vec<Arc<str>> = field.split('.').map(Arc::from).collect();
        compare::value_at(&row, &path).map(|theirs| pass.store().keyed_hash(&theirs.to_string()))
    };
    let is_kept = |link: &Link| {
        !link.fields.is_empty() && link.fields.iter().all(|last| has(&last.field).as_ref() == Some(&last.hash))
    };
    Ok(!links.is_empty() && links.iter().all(is_kept))
}

/// The keys of the flow's records that these concern.
async fn concerned(pass: &Pass, rows: Vec<Raw>, telling: &mut Reporter<'_>) -> Result<BTreeSet<String>, PassError> {
    let now = pass.source()?.now();
    let mut keys = BTreeSet::new();
    let mut open = rows;
    for _ in 0..limits::STAGES_MAX {
        let (mut needs, mut still) = (Vec::new(), Vec::new());
        for row in open {
            match pass.evaluate_watched(&row.0, now) {
                Aside::Known(key) => keys.extend(key),
                Aside::Stopped(failure) => {
                    let why = format!("which record this concerns can't be told: {}", failure.reason);
                    tell(pass, telling, &why);
                }
                Aside::Needs(asked) => {
                    if let Some(refused) = asked.iter().find_map(|need| pass.memory().refusal(need).map(str::to_owned))
                    {
                        return Err(PassError::Project(refused));
                    }
                    for need in asked {
                        if !needs.contains(&need) {
                            needs.push(need);
                        }
                    }
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

/// Tells a person of a change for which no record of the flow can stop.
fn tell(pass: &Pass, telling: &mut Reporter<'_>, why: &str) {
    let flow = pass.flow();
    let (mapping, entity) = pass.writes();
    let place = flow.watch.as_ref().and_then(|watch| pass.place(watch.unit.span));
    let reason = Some(format!("what {} watches has changed: {why}", flow.name));
    telling.say(Event::Alert(RecordEvent {
        id: flow.name.to_string(),
        mapping,
        entity,
        reason,
        place,
        ..RecordEvent::default()
    }));
}
