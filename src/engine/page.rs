//! The records of a page: read, evaluated, asked for together, acted on in lanes, and settled.

use super::ask;
use super::content::same_version;
use super::event::{Event, RecordEvent};
use super::hash::hash;
use super::lane::Lanes;
use super::pass::{Pass, PassError, Reporter};
use super::record::{self, Acted, Item};
use super::settle::numbered;
use crate::connector::{CallError, One, Position, Presence, Raw, Scan, Unreadable};
use crate::eval::{Evaluated, Failure, Query};
use crate::limits;
use crate::store::{RecordRow, SourceVersion, State};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How the made-up key of a record begins that has none of its own.
pub(crate) const KEYLESS: &str = "unreadable-";

/// What is read of the flow's source.
pub(crate) fn scan(pass: &Pass, since: Option<Timestamp>, only: Vec<String>) -> Scan {
    let flow = pass.flow();
    // Records that are named are looked at whatever they are now: the flow's own filter decides.
    let filter = if only.is_empty() { pass.evaluator().filter(pass.flow) } else { Vec::new() };
    Scan { entity: pass.entity(flow.source), fields: pass.fields(flow.source), filter, since, only }
}

pub(crate) fn stop_if_cancelled(pass: &Pass) -> Result<(), PassError> {
    if pass.cancel.is_cancelled() { Err(PassError::Cancelled) } else { Ok(()) }
}

/// Whether a waiting record is to be tried now. No pause is that long: a clock was set back meanwhile.
pub(crate) fn is_due(row: &RecordRow, now: Timestamp) -> bool {
    row.due.is_none_or(|due| due <= now || due.duration_since(now).as_secs() > limits::WAIT_SECONDS_MAX)
}

/// Why records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They have changed.
    Feed,
    /// They are to be tried again.
    Again,
    /// They may have changed without the flow's feed telling it.
    Look,
}

/// Evaluates, asks and acts on the rows of a list; answers the keys that were there. A row with an older mark than the one
/// that was read before may come from a copy that lags behind, or from a clock that was set: the record itself is asked.
pub(crate) async fn process(
    pass: &Arc<Pass>,
    rows: (Vec<Raw>, Vec<Broken>),
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<Vec<String>, PassError> {
    let (keys, older) = take(pass, rows, mode, Origin::List, telling).await?;
    for key in older {
        by_address(pass, &key, mode, telling).await?;
    }
    Ok(keys)
}

/// Where rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    List,
    Address,
}

/// Acts on rows. Answers their keys, and those of list rows that were read in a newer version before: they are left.
async fn take(
    pass: &Arc<Pass>,
    (records, unreadable): (Vec<Raw>, Vec<Broken>),
    mode: Mode,
    from: Origin,
    telling: &mut Reporter<'_>,
) -> Result<(Vec<String>, Vec<Arc<str>>), PassError> {
    let now = pass.source()?.now();
    pass.memory().turn_page(now);
    let mut items: BTreeMap<usize, Arc<Item>> = BTreeMap::new();
    let mut at: HashMap<Arc<str>, usize> = HashMap::new();
    for (n, raw) in records.into_iter().enumerate() {
        let item = item(pass, raw, now).await?;
        // Read twice in one page: the later one is the newer one.
        if let Some(earlier) = at.insert(Arc::clone(&item.key), n) {
            items.remove(&earlier);
        }
        items.insert(n, Arc::new(item));
    }
    let mut keys: Vec<String> = at.into_keys().map(|key| key.to_string()).collect();
    let lags = |item: &Arc<Item>| from == Origin::List && is_older(item);
    let older = items.values().filter(|item| lags(item)).map(|item| Arc::clone(&item.key)).collect();
    items.retain(|_, item| !lags(item));
    let forced = mode == Mode::Again || !pass.options.only.is_empty();
    items.retain(|_, item| match settled(pass, item, forced, now) {
        Seen::New => true,
        // What stands beside what could not be read is no news: the feed tells of it.
        Seen::Unchanged if mode == Mode::Look => false,
        Seen::Unchanged => {
            telling.say(Event::Unchanged(unchanged(pass, item)));
            false
        }
        Seen::Quiet => false,
    });
    let ready = know(pass, items).await?;
    act(pass, ready, telling).await?;
    for row in unreadable {
        keys.push(row.key.to_string());
        cannot_read(pass, row, forced, telling).await?;
    }
    Ok((keys, older))
}

fn source_name(pass: &Pass) -> Arc<str> {
    pass.program().entity(pass.flow().source).full_name().into()
}

/// Whether another version of it was read before whose mark is later. Marks of one form are compared as texts.
fn is_older(item: &Item) -> bool {
    item.before.as_ref().is_some_and(|before| {
        before.content_hash != item.content_hash
            && before.version.len() == item.version.len()
            && before.version > item.version
    })
}

/// Asks for a record by its own address and acts on it; how it is known to be gone, where it is.
pub(crate) async fn by_address(
    pass: &Arc<Pass>,
    key: &str,
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<Option<String>, PassError> {
    stop_if_cancelled(pass)?;
    let flow = pass.flow();
    let one = One {
        entity: pass.entity(flow.source),
        id: key.to_owned(),
        fields: pass.fields(flow.source),
        parts: Vec::new(),
    };
    let unreadable = |why: String| Unreadable { key: Some(key.to_owned()), text: None, why, page: None };
    let rows = match pass.source()?.read(&one).await {
        Ok(Presence::Gone(how)) => return Ok(Some(how)),
        Ok(Presence::Found(raw)) => (vec![raw], Vec::new()),
        Ok(Presence::Unreadable(row)) => {
            (Vec::new(), keyed(vec![Unreadable { key: Some(key.to_owned()), ..row }], &Position::default()))
        }
        Err(CallError::Refused { reason, .. }) => (Vec::new(), keyed(vec![unreadable(reason)], &Position::default())),
        Err(other) => return Err(other.into()),
    };
    take(pass, rows, mode, Origin::Address, telling).await?;
    Ok(None)
}

/// A row of the source that cannot be read.
pub(crate) struct Broken {
    /// Its key; one of ours where it shows none.
    key: Arc<str>,
    text: Arc<str>,
    content: String,
    why: String,
    /// Where the page begins that it stands in: nothing else leads back to a row without a key.
    page: String,
}

/// Rows that cannot be read, of the page that begins there; those that show no key get one of ours.
pub(crate) fn keyed(rows: Vec<Unreadable>, page: &Position) -> Vec<Broken> {
    let keyed = |row: Unreadable| {
        let text = row.text.unwrap_or_default();
        let content = hash(if text.is_empty() { row.why.as_bytes() } else { text.as_bytes() });
        let shown = row.key.filter(|key| !key.is_empty());
        let page = if shown.is_none() { row.page.as_ref().unwrap_or(page).0.clone() } else { String::new() };
        let key = shown.unwrap_or_else(|| format!("{KEYLESS}{}", &content[..16])).into();
        Broken { key, text, content, why: row.why, page }
    };
    rows.into_iter().map(keyed).collect()
}

/// Parks what cannot be read, by its key where that much is plain.
async fn cannot_read(pass: &Arc<Pass>, row: Broken, forced: bool, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let Broken { key, text, content, why, page } = row;
    let now = pass.source()?.now();
    let before = pass.store().record(&pass.flow().name, &key).await?;
    let first = before.as_ref().map_or(now, |before| before.first);
    let entity = source_name(pass);
    let item = Item { entity, key, raw: text, content_hash: content, version: page, before, now: first };
    // A person has left it out, and what cannot be read does not say that it has changed.
    let left_out = item.before.as_ref().is_some_and(|before| before.state == State::Skipped && before.left_out);
    if left_out || !matches!(settled(pass, &item, forced, now), Seen::New) {
        return Ok(());
    }
    let name = &pass.program().entity(pass.flow().source).name;
    let reason = format!(
        "this {name} cannot be read: {why}. Put it in order in {}; it goes on when it can be read",
        pass.flow().connection
    );
    let lanes = record::lanes_of(pass, &item, None);
    let failure = Failure::new(reason, pass.flow().span);
    match record::park(Arc::clone(pass), Arc::new(item), lanes, failure).await {
        Acted::Settled(events) => events.into_iter().for_each(|event| telling.say(event)),
        Acted::Ended(ending, _) => return Err(ending),
        Acted::Lanes(..) | Acted::Bug(..) => unreachable!("what is parked needs no lanes and is no bug"),
    }
    Ok(())
}

/// A record as it was read.
async fn item(pass: &Pass, raw: Raw, now: Timestamp) -> Result<Item, PassError> {
    let row: serde_json::Value = serde_json::from_str(&raw.0).unwrap_or_default();
    let whole = || hash(raw.0.as_bytes());
    let content_hash = if row.is_object() { pass.content.hash(&row) } else { whole() };
    // What can't be read keeps its own key if that much is plain; without a key its content stands for it.
    let schema = pass.program().entity(pass.flow().source);
    let plain = || schema.key.and_then(|key| row.get(&*schema.get(key).wire)).map(super::compare::scalar);
    let key =
        pass.evaluator().key_of(pass.flow, &raw.0).ok().or_else(|| plain().filter(|k| !k.is_empty()).map(Arc::from));
    let key = key.unwrap_or_else(|| format!("{KEYLESS}{}", &whole()[..16]).into());
    let version = version(pass, &row);
    let before = pass.store().record(&pass.flow().name, &key).await?;
    // A record keeps the day of its first try, whenever it is looked at again.
    let now = before.as_ref().map_or(now, |before| before.first);
    Ok(Item { entity: source_name(pass), key, raw: raw.0, content_hash, version, before, now })
}

/// The source's mark of a version; empty where it gives none.
fn version(pass: &Pass, row: &serde_json::Value) -> String {
    let entity = pass.program().entity(pass.flow().source);
    let mark = entity.feed.as_ref().and_then(|feed| row.get(&*entity.get(feed.by).wire));
    mark.map(super::compare::scalar).unwrap_or_default()
}

/// What the store says of a record that was read.
enum Seen {
    New,
    /// Settled just so: nothing is to be done, and nothing is called.
    Unchanged,
    /// Parked or waiting just so: it has been told.
    Quiet,
}

fn settled(pass: &Pass, item: &Item, forced: bool, now: Timestamp) -> Seen {
    let Some(before) = &item.before else { return Seen::New };
    if before.state == State::Skipped && before.left_out {
        let then = SourceVersion {
            content: before.content_hash.clone(),
            mark: before.version.clone(),
            ..item.source_version()
        };
        return if same_version(&then, &item.source_version()) { Seen::Unchanged } else { Seen::New };
    }
    if before.content_hash != item.content_hash || before.plan_hash != pass.project.plan_hash {
        return Seen::New;
    }
    match before.state {
        // What this very pass has written comes back as an echo.
        State::Written | State::Skipped if before.updated >= pass.began => Seen::Quiet,
        State::Written | State::Skipped => Seen::Unchanged,
        State::Parked | State::Waiting if forced => Seen::New,
        State::Waiting if is_due(before, now) => Seen::New,
        State::Parked | State::Waiting => Seen::Quiet,
    }
}

fn unchanged(pass: &Pass, item: &Item) -> RecordEvent {
    let (mapping, entity) = pass.writes();
    let target_id = item.before.as_ref().and_then(|b| b.target.as_ref()).map(|t| t.id.clone());
    RecordEvent { id: pass.label(&item.key), mapping, entity, target_id, ..RecordEvent::default() }
}

/// Rounds of questions for the whole page together; answers the records that are to be acted on, with their lanes.
async fn know(pass: &Pass, items: BTreeMap<usize, Arc<Item>>) -> Result<Vec<(Arc<Item>, Vec<String>)>, PassError> {
    let mut open: Vec<usize> = items.keys().copied().collect();
    let mut lanes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for _ in 0..limits::STAGES_MAX {
        let mut needs: Vec<Query> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut still = Vec::new();
        for n in open {
            stop_if_cancelled(pass)?;
            let item = &items[&n];
            match pass.evaluate(&item.raw, item.now).0 {
                Evaluated::Needs(asked) if asked.iter().all(|need| pass.memory().refusal(need).is_none()) => {
                    needs.extend(asked.into_iter().filter(|need| seen.insert(need.clone())));
                    still.push(n);
                }
                Evaluated::WriteSet(unit) => {
                    lanes.insert(n, record::lanes_of(pass, item, Some(&unit)));
                }
                Evaluated::Needs(_) | Evaluated::Stopped(..) | Evaluated::Filtered => {
                    lanes.insert(n, record::lanes_of(pass, item, None));
                }
            }
        }
        open = still;
        if needs.is_empty() {
            break;
        }
        ask::resolve(pass, needs).await?;
    }
    // Whatever still needs something is told so when it is acted on.
    for n in open {
        lanes.entry(n).or_insert_with(|| record::lanes_of(pass, &items[&n], None));
    }
    Ok(lanes.into_iter().map(|(n, lanes)| (Arc::clone(&items[&n]), lanes)).collect())
}

/// Acts on records in lanes, several side by side.
async fn act(
    pass: &Arc<Pass>,
    ready: Vec<(Arc<Item>, Vec<String>)>,
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    let mut lanes = Lanes::new(limits::RECORDS_SIDE_BY_SIDE);
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
        while let Some((n, keys)) = lanes.next() {
            let task = running.spawn(record::act(Arc::clone(pass), Arc::clone(&items[n]), keys.clone()));
            held.insert(task.id(), (n, keys));
        }
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
    record::park(Arc::clone(pass), Arc::clone(&items[n]), keys, failure).await
}
