//! The pass of one flow: what has no outcome is cleared up, what waits is tried again, then page by page what changed
//! is evaluated, asked for together, acted on in lanes, and settled; only then the position moves on.

use super::content::same_version;
use super::event::{Event, Told};
use super::hash::hash;
use super::lane::Lanes;
use super::pass::{Ending, Pass, Telling};
use super::record::{self, Acted, Item};
use super::settle::OUTCOME;
use super::{Cancel, Engine, PassOptions, ask};
use crate::connector::{CallError, One, Position, Presence, Raw, Scan, Unreadable};
use crate::eval::{Evaluated, Failure, Need};
use crate::limits;
use crate::store::{Change, Commit, RecordFilter, RecordRow, SourceVersion, State};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How the made-up key of a record begins that has none of its own.
const KEYLESS: &str = "unreadable-";

/// One pass of a flow.
pub(crate) async fn pass(
    engine: &Engine,
    flow: usize,
    options: &PassOptions,
    telling: &mut Telling<'_>,
    cancel: &Cancel,
) -> Result<(), Ending> {
    let open = engine.store.open_intents(None).await?;
    let pass = Arc::new(Pass::new(engine, flow, options.clone(), open, cancel.clone())?);
    let began = (tokio::time::Instant::now(), pass.began);
    keep_sources(&pass).await?;
    super::journal::recover(&pass).await?;
    if options.only.is_empty() && !options.dry_run {
        again(&pass, telling).await?;
    }
    let fed = feed(&pass, telling).await;
    if !matches!(fed, Err(Ending::Store(_))) {
        // What is to be erased by now is erased, however long a system stays away.
        clear_up(&pass).await?;
    }
    fed?;
    if options.only.is_empty() && !options.dry_run && outcomes_come_soon(&pass, began).await? {
        super::journal::recover(&pass).await?;
        again(&pass, telling).await?;
    }
    Ok(())
}

/// Removes what the store need not keep any longer, a bounded number of rows at a time.
async fn clear_up(pass: &Pass) -> Result<(), Ending> {
    if pass.options.dry_run {
        return Ok(());
    }
    let now = pass.source()?.now();
    while pass.store().expire(now).await? > 0 && !pass.cancel.is_cancelled() {}
    Ok(())
}

/// The sources of the plan, once for its hash.
async fn keep_sources(pass: &Pass) -> Result<(), Ending> {
    let hash = &pass.project.plan_hash;
    if pass.options.dry_run || pass.store().plan_sources(hash).await?.is_some() {
        return Ok(());
    }
    let sources = pass.project.sources.clone();
    pass.store().commit(Commit::of(Change::PlanSources { plan_hash: hash.clone(), sources })).await?;
    Ok(())
}

/// Reads what changed, page by page.
async fn feed(pass: &Arc<Pass>, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let options = &pass.options;
    let name = pass.flow().name.to_string();
    let stored = pass.store().position(&name).await?;
    let from_start = options.since.is_some() || !options.only.is_empty();
    // A reading from another moment says nothing of what lies before it: the position stays, if there is one.
    let keeps_position = options.only.is_empty() && (options.since.is_none() || stored.is_none());
    let mut position = Position(stored.filter(|_| !from_start).unwrap_or_default());
    let since = options.since.or(pass.flow().schedule.since);
    let scan = scan(pass, since, options.only.clone());
    let source = pass.source()?;
    position = source.resumed(&scan, position);
    let mut missing = options.only.clone();
    loop {
        stop_if_cancelled(pass)?;
        let page = source.scan(&scan, &position).await?;
        let seen = process(pass, (page.records, page.unreadable), Mode::Feed, telling).await?;
        missing.retain(|key| !seen.contains(key));
        if !options.dry_run && keeps_position && page.next != position {
            pass.store().advance(&name, &page.next.0).await?;
        }
        if page.last || page.next == position {
            break;
        }
        position = page.next;
    }
    let mut none = Vec::new();
    for key in &missing {
        if by_address(pass, key, Mode::Feed, telling).await?.is_some() {
            none.push(key.as_str());
        }
    }
    if none.is_empty() {
        return Ok(());
    }
    let entity = &pass.program().entity(pass.flow().source).name;
    Err(Ending::Project(format!("{} has no {entity} {}", pass.flow().connection, none.join(", "))))
}

fn scan(pass: &Pass, since: Option<Timestamp>, only: Vec<String>) -> Scan {
    let flow = pass.flow();
    // Records that are named are looked at whatever they are now: the flow's own filter decides.
    let filter = if only.is_empty() { pass.meaning().filter(pass.flow) } else { Vec::new() };
    Scan { entity: pass.entity(flow.source), fields: pass.fields(flow.source), filter, since, only }
}

fn stop_if_cancelled(pass: &Pass) -> Result<(), Ending> {
    if pass.cancel.is_cancelled() { Err(Ending::Cancelled) } else { Ok(()) }
}

/// Records that wait and whose time has come, and those that were parked under another plan. Where the source's API filters
/// for the flow, parked ones are looked at too: one that the filter leaves out by now would never be seen again.
async fn again(pass: &Arc<Pass>, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let retried = keys_again(pass).await?;
    read_again(pass, &retried, Mode::Again, telling).await?;
    if pass.meaning().filter(pass.flow).is_empty() {
        return Ok(());
    }
    let parked = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
    let mut parked = keys(pass, parked, |row| !retried.contains(&row.key)).await?;
    parked.retain(|key| !key.starts_with(KEYLESS));
    read_again(pass, &parked, Mode::Look, telling).await
}

/// Reads records by their keys, many in a call. What a list does not have proves nothing: it is asked for by its own address.
async fn read_again(pass: &Arc<Pass>, keys: &[String], mode: Mode, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let source = pass.source()?;
    for some in keys.chunks(limits::AGAIN_PAGE_MAX) {
        let scan = scan(pass, None, some.to_vec());
        let mut position = Position::default();
        let mut seen = Vec::new();
        loop {
            stop_if_cancelled(pass)?;
            let page = source.scan(&scan, &position).await?;
            seen.extend(process(pass, (page.records, page.unreadable), mode, telling).await?);
            if page.last || page.next == position {
                break;
            }
            position = page.next;
        }
        for key in some.iter().filter(|key| !seen.iter().any(|s| **s == ***key)) {
            if let Some(how) = by_address(pass, key, mode, telling).await? {
                gone(pass, key, &how, telling).await?;
            }
        }
    }
    Ok(())
}

/// Asks for a record by its own address and acts on it; how it is known to be gone, where it is.
async fn by_address(
    pass: &Arc<Pass>,
    key: &str,
    mode: Mode,
    telling: &mut Telling<'_>,
) -> Result<Option<String>, Ending> {
    stop_if_cancelled(pass)?;
    let flow = pass.flow();
    let one = One {
        entity: pass.entity(flow.source),
        id: key.to_owned(),
        fields: pass.fields(flow.source),
        parts: Vec::new(),
    };
    let unreadable = |why: String| Unreadable { key: Some(key.to_owned()), text: None, why };
    let rows = match pass.source()?.read(&one).await {
        Ok(Presence::Gone(how)) => return Ok(Some(how)),
        Ok(Presence::Found(raw)) => (vec![raw], Vec::new()),
        Ok(Presence::Unreadable(row)) => (Vec::new(), vec![Unreadable { key: Some(key.to_owned()), ..row }]),
        Err(CallError::Refused { reason, .. }) => (Vec::new(), vec![unreadable(reason)]),
        Err(other) => return Err(other.into()),
    };
    process(pass, rows, mode, telling).await?;
    Ok(None)
}

async fn keys_again(pass: &Pass) -> Result<Vec<String>, Ending> {
    let now = pass.source()?.now();
    let plan = pass.project.plan_hash.clone();
    let flow = pass.flow().name.to_string();
    let open: Vec<String> = pass.open().iter().filter(|i| i.flow == flow).map(|i| i.key.clone()).collect();
    let parked = RecordFilter { states: vec![State::Parked], plan_not: Some(plan.clone()), ..RecordFilter::default() };
    let waiting = RecordFilter { states: vec![State::Waiting], ..RecordFilter::default() };
    let mut again = keys(pass, parked, |_| true).await?;
    let due = keys(pass, waiting, |row| {
        // What waited for an outcome that is known by now need not wait till its time.
        let clear = row.waits_for.as_deref() == Some(OUTCOME) && !open.contains(&row.key);
        is_due(row, now) || clear || row.plan_hash != plan
    });
    again.extend(due.await?);
    // No system has a record with a key that we made up; it comes again when it changes.
    again.retain(|key| !key.starts_with(KEYLESS));
    Ok(again)
}

/// Whether a waiting record is to be tried now. No pause is that long: a clock was set back meanwhile.
fn is_due(row: &RecordRow, now: Timestamp) -> bool {
    row.due.is_none_or(|due| due <= now || due.duration_since(now).as_secs() > limits::WAIT_SECONDS_MAX)
}

/// The keys of the records that a filter and a condition take: of the rows, a page is held at a time.
async fn keys(
    pass: &Pass,
    filter: RecordFilter,
    takes: impl Fn(&RecordRow) -> bool + Send,
) -> Result<Vec<String>, Ending> {
    let mut filter = RecordFilter { flow: Some(pass.flow().name.to_string()), ..filter };
    let mut keys = Vec::new();
    loop {
        let page = pass.store().records(&filter).await?;
        keys.extend(page.rows.into_iter().filter(&takes).map(|row| row.key));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(keys),
        }
    }
}

/// A record that was to be tried again and is no longer in the source.
async fn gone(pass: &Pass, key: &str, how: &str, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let flow = pass.flow().name.to_string();
    let Some(row) = pass.store().record(&flow, key).await? else { return Ok(()) };
    let reason = format!("it is no longer in the source ({how})");
    let (mapping, entity) = pass.writes();
    let told = Told { id: pass.label(key), mapping, entity, reason: Some(reason.clone()), ..Told::default() };
    let now = pass.source()?.now();
    // Should it come back, it is looked at again even if nothing in it has changed.
    let row = RecordRow {
        state: State::Skipped,
        content_hash: String::new(),
        reason: Some(reason),
        waits_for: None,
        due: None,
        attempts: 0,
        unanswered: 0,
        updated: now,
        ..row
    };
    pass.store().settle_record(row).await?;
    telling.say(Event::Skipped(told));
    Ok(())
}

/// Why records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// They have changed.
    Feed,
    /// They are to be tried again.
    Again,
    /// They may have changed without the flow's feed telling it.
    Look,
}

/// Evaluates, asks and acts; answers the keys that were there.
async fn process(
    pass: &Arc<Pass>,
    (records, unreadable): (Vec<Raw>, Vec<Unreadable>),
    mode: Mode,
    telling: &mut Telling<'_>,
) -> Result<Vec<String>, Ending> {
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
    let forced = mode == Mode::Again || !pass.options.only.is_empty();
    if pass.options.dry_run {
        // A run knows by the store what it has done already.
        let mut memory = pass.memory();
        items.retain(|_, item| !memory.repeats(&item.key, &item.content_hash));
    }
    items.retain(|_, item| match settled(pass, item, forced, now) {
        Known::New => true,
        Known::Unchanged => {
            telling.say(Event::Unchanged(unchanged(pass, item)));
            false
        }
        Known::Quiet => false,
    });
    let ready = know(pass, items).await?;
    act(pass, ready, telling).await?;
    for row in unreadable {
        keys.extend(row.key.clone());
        cannot_read(pass, row, forced, telling).await?;
    }
    Ok(keys)
}

/// Parks what cannot be read, by its key where that much is plain.
async fn cannot_read(pass: &Arc<Pass>, row: Unreadable, forced: bool, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let text = row.text.unwrap_or_default();
    let content = hash(if text.is_empty() { row.why.as_bytes() } else { text.as_bytes() });
    let key: Arc<str> = row.key.unwrap_or_else(|| format!("{KEYLESS}{}", &content[..16])).into();
    let now = pass.source()?.now();
    let before = pass.store().record(&pass.flow().name, &key).await?;
    let first = before.as_ref().map_or(now, |before| before.first);
    let item = Item { key, raw: text, content_hash: content, version: String::new(), before, now: first };
    if !matches!(settled(pass, &item, forced, now), Known::New) {
        return Ok(());
    }
    let name = &pass.program().entity(pass.flow().source).name;
    let reason = format!(
        "this {name} cannot be read: {}. Put it in order in {}; it is tried again when it changes there, or with `flowc retry`",
        row.why,
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
async fn item(pass: &Pass, raw: Raw, now: Timestamp) -> Result<Item, Ending> {
    let row: serde_json::Value = serde_json::from_str(&raw.0).unwrap_or_default();
    let whole = || hash(raw.0.as_bytes());
    let content_hash = if row.is_object() { pass.content.hash(&row) } else { whole() };
    // What can't be read keeps its own key if that much is plain; without a key its content stands for it.
    let schema = pass.program().entity(pass.flow().source);
    let plain = || schema.key.and_then(|key| row.get(&*schema.get(key).wire)).map(super::compare::scalar);
    let key =
        pass.meaning().key_of(pass.flow, &raw.0).ok().or_else(|| plain().filter(|k| !k.is_empty()).map(Arc::from));
    let key = key.unwrap_or_else(|| format!("{KEYLESS}{}", &whole()[..16]).into());
    let version = version(pass, &row);
    let before = pass.store().record(&pass.flow().name, &key).await?;
    // A record keeps the day of its first try, whenever it is looked at again.
    let now = before.as_ref().map_or(now, |before| before.first);
    Ok(Item { key, raw: raw.0, content_hash, version, before, now })
}

/// The source's mark of a version; empty where it gives none.
fn version(pass: &Pass, row: &serde_json::Value) -> String {
    let entity = pass.program().entity(pass.flow().source);
    let mark = entity.feed.as_ref().and_then(|feed| row.get(&*entity.get(feed.by).wire));
    mark.map(super::compare::scalar).unwrap_or_default()
}

/// What the store says of a record that was read.
enum Known {
    New,
    /// Settled just so: nothing is to be done, and nothing is called.
    Unchanged,
    /// Parked or waiting just so: it has been told.
    Quiet,
}

fn settled(pass: &Pass, item: &Item, forced: bool, now: Timestamp) -> Known {
    let Some(before) = &item.before else { return Known::New };
    if before.state == State::Skipped && before.left_out {
        let then = SourceVersion { content: before.content_hash.clone(), mark: before.version.clone() };
        return if same_version(&then, &item.source_version()) { Known::Unchanged } else { Known::New };
    }
    if before.content_hash != item.content_hash || before.plan_hash != pass.project.plan_hash {
        return Known::New;
    }
    match before.state {
        // What this very pass has written comes back as an echo.
        State::Written | State::Skipped if before.updated >= pass.began => Known::Quiet,
        State::Written | State::Skipped => Known::Unchanged,
        State::Parked | State::Waiting if forced => Known::New,
        State::Waiting if is_due(before, now) => Known::New,
        State::Parked | State::Waiting => Known::Quiet,
    }
}

fn unchanged(pass: &Pass, item: &Item) -> Told {
    let (mapping, entity) = pass.writes();
    let target_id = item.before.as_ref().and_then(|b| b.target.as_ref()).map(|t| t.id.clone());
    Told { id: pass.label(&item.key), mapping, entity, target_id, ..Told::default() }
}

/// Rounds of questions for the whole page together; answers the records that are to be acted on, with their lanes.
async fn know(pass: &Pass, items: BTreeMap<usize, Arc<Item>>) -> Result<Vec<(Arc<Item>, Vec<String>)>, Ending> {
    let mut open: Vec<usize> = items.keys().copied().collect();
    let mut lanes: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for _ in 0..limits::STAGES_MAX {
        let mut needs: Vec<Need> = Vec::new();
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
                Evaluated::Unit(unit) => {
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
async fn act(pass: &Arc<Pass>, ready: Vec<(Arc<Item>, Vec<String>)>, telling: &mut Telling<'_>) -> Result<(), Ending> {
    let mut lanes = Lanes::new(limits::RECORDS_SIDE_BY_SIDE);
    let mut items = Vec::with_capacity(ready.len());
    for (n, (item, keys)) in ready.into_iter().enumerate() {
        lanes.add(n, keys);
        items.push(item);
    }
    let mut running: JoinSet<Acted> = JoinSet::new();
    let mut held: HashMap<tokio::task::Id, (usize, Vec<String>)> = HashMap::new();
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
                (events, None)
            }
            Acted::Ended(end, events) => (events, Some(end)),
            Acted::Bug(reason, events) => (events, Some(Ending::Bug(reason))),
        };
        for event in events {
            telling.say(event);
        }
        if let Some(end) = end {
            if let Ending::Bug(reason) = &end {
                let told = Told { id: pass.label(&items[n].key), reason: Some(reason.clone()), ..Told::default() };
                telling.say(Event::Alert(told));
            }
            ending.get_or_insert(end);
        }
        if ending.is_some() {
            lanes.stop();
        }
    }
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
        Err(_) => return Acted::Ended(Ending::Cancelled, Vec::new()),
    };
    record::park(Arc::clone(pass), Arc::clone(&items[n]), keys, failure).await
}

/// Waits for the last moment at which writes without an outcome may take effect, where the clock makes that short: a
/// simulated one runs fast. Whether it has waited.
async fn outcomes_come_soon(pass: &Pass, began: (tokio::time::Instant, Timestamp)) -> Result<bool, Ending> {
    let flow = pass.flow().name.to_string();
    let mine: Vec<_> = pass.open().iter().filter(|i| i.flow == flow).cloned().collect();
    let lasts = mine.iter().map(|intent| super::journal::late_until(pass, intent)).collect::<Result<Vec<_>, _>>()?;
    let Some(until) = lasts.into_iter().max() else { return Ok(false) };
    let source = pass.source()?;
    let now = source.now();
    let real = began.0.elapsed().as_millis().max(1);
    let simulated = u128::try_from(now.duration_since(began.1).as_millis()).unwrap_or(1).max(1);
    let left = u128::try_from(until.duration_since(now).as_millis()).unwrap_or(0);
    if left * real / simulated > u128::from(limits::OUTCOME_PATIENCE_SECONDS) * 1_000 {
        return Ok(false);
    }
    while source.now() < until {
        stop_if_cancelled(pass)?;
        let step = source.now().checked_add(jiff::SignedDuration::from_secs(15)).unwrap_or(until);
        source.sleep_until(step.min(until), "a write without an answer may still take effect").await;
    }
    Ok(true)
}
