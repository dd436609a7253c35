//! Records of a page acted on in lanes, several side by side.

use super::lanes::Lanes;
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent, Reporter};
use crate::engine::pass::context::Pass;
use crate::engine::record::act;
use crate::engine::record::item::{Acted, Item};
use crate::ir::mappings_of;
use crate::limits;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Acts on records in lanes, several side by side.
pub(crate) async fn side_by_side(
    pass: &Arc<Pass>,
    ready: Vec<(Arc<Item>, Vec<String>)>,
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    let mut lanes = Lanes::new(side_by_side_max(pass));
    let mut items = Vec::with_capacity(ready.len());
    for (n, (item, keys)) in ready.into_iter().enumerate() {
        lanes.add(n, keys);
        items.push(item);
    }
    let mut running: JoinSet<Acted> = JoinSet::new();
    let mut held: HashMap<tokio::task::Id, (usize, Vec<String>)> = HashMap::new();
    let mut told: HashMap<usize, Vec<Event>> = HashMap::new();
    let mut ending = None;
    loop {
        pass.batches.fill();
        while let Some((n, keys)) = lanes.next() {
            let task = running.spawn(act::act(Arc::clone(pass), Arc::clone(&items[n]), keys.clone()));
            held.insert(task.id(), (n, keys));
        }
        pass.batches.filled(running.len());
        let Some(joined) = running.join_next_with_id().await else { break };
        let (id, acted) = match joined {
            Ok((id, acted)) => (id, acted),
            Err(error) => (error.id(), panicked(pass, &items, &held, error).await),
        };
        let Some((n, keys)) = held.remove(&id) else { continue };
        lanes.free(&keys);
        let (events, end) = match acted {
            Acted::Settled(events) => (events, None),
            Acted::Lanes(wider, events) => {
                lanes.again(n, wider);
                // It goes on in a moment, and is told as a whole.
                told.entry(n).or_default().extend(events);
                continue;
            }
            Acted::Ended(end, events) => (events, Some(end)),
            Acted::Bug(reason, events) => (events, Some(PassError::Bug(reason))),
        };
        let mut before = told.remove(&n).unwrap_or_default();
        // Whoever begins anew has the same to tell.
        let events = events.into_iter().filter(|event| !matches!(event, Event::Alert(_)) || !before.contains(event));
        let events: Vec<Event> = events.collect();
        before.extend(events);
        let mut events = before;
        numbered(pass, &mut events);
        events.drain(..).for_each(|event| telling.say(event));
        if let Some(end) = end {
            if let PassError::Bug(reason) = &end {
                let told = RecordEvent {
                    id: pass.label(&items[n].key),
                    reason: Some(reason.clone()),
                    ..RecordEvent::default()
                };
                telling.say(Event::Alert(told));
            }
            ending.get_or_insert(end);
        }
        if ending.is_some() {
            lanes.stop();
        }
    }
    // What was done for records that cannot go on now.
    told.into_values().flatten().for_each(|event| telling.say(event));
    assert!(lanes.is_done(), "a page ends when all its lanes are free");
    ending.map_or(Ok(()), Err)
}

/// How many records go on side by side: where changes go out together, as many as a call carries.
fn side_by_side_max(pass: &Pass) -> usize {
    let program = pass.program();
    let targets = mappings_of(program, pass.flow()).into_iter().map(|id| program.entity(program.mapping(id).target));
    let together = targets.filter_map(|entity| entity.batch).max().unwrap_or(0) as usize;
    together.clamp(limits::RECORDS_SIDE_BY_SIDE, limits::BATCH_MAX)
}

/// A panic of ours while a record was acted on: the record is parked, whatever it had sent stays in the journal.
async fn panicked(
    pass: &Arc<Pass>,
    items: &[Arc<Item>],
    held: &HashMap<tokio::task::Id, (usize, Vec<String>)>,
    error: tokio::task::JoinError,
) -> Acted {
    let Some((n, keys)) = held.get(&error.id()).cloned() else {
        return Acted::Bug("a task that nobody began has ended".to_owned(), Vec::new());
    };
    let failure = match error.try_into_panic() {
        Ok(panic) => pass.bug(panic.as_ref()),
        Err(_) => return Acted::Ended(PassError::Cancelled, Vec::new()),
    };
    act::park(Arc::clone(pass), Arc::clone(&items[n]), keys, failure).await
}

/// What was written is told by its number, which is known when all answers are; what only would be made, by its name.
fn numbered(pass: &Pass, events: &mut [Event]) {
    let memory = pass.memory();
    for told in events.iter_mut().filter_map(Event::told_mut) {
        if let Some(id) = &told.target_id {
            told.target_number = memory.number_of(pass.program(), &told.entity, id);
        }
        for text in told.target_id.iter_mut().chain(&mut told.reason) {
            if let Cow::Owned(named) = memory.planned.in_text(text) {
                *text = named;
            }
        }
    }
}
