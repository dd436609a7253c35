//! The records of a page: read, evaluated, asked for together, acted on in lanes, and settled.

use super::rows::{Broken, Mode, Seen, is_older, item, keyed, own_keys, settled, source_name};
use super::side_by_side::side_by_side;
use crate::connector::{CallError, One, Position, Presence, Raw, Scan, Unreadable};
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent, Reporter};
use crate::engine::journal::lanes::lanes_of;
use crate::engine::pass::ask;
use crate::engine::pass::context::Pass;
use crate::engine::pass::once;
use crate::engine::record::act;
use crate::engine::record::item::{Acted, Item};
use crate::eval::{Evaluated, Failure, Query};
use crate::limits;
use crate::store::State;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Reads page after page and acts on what is there; `seen` is told the keys of each page, and the position moves on behind it
/// where it is to be kept. What stands below another record is in no list that could be asked for keys.
pub(crate) async fn pages(
    pass: &Arc<Pass>,
    scan: &Scan,
    (mut position, is_kept): (Position, bool),
    mode: Mode,
    seen: &mut (dyn FnMut(Vec<String>) + Send),
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    if !scan.only.is_empty() && scan.entity.is_below_another() {
        return Ok(());
    }
    loop {
        pass.go_on()?;
        let page = pass.source()?.scan(scan, &position).await?;
        let rows = (page.records, keyed(page.unreadable, &position));
        seen(process(pass, rows, mode, telling).await?);
        if is_kept && page.next != position {
            pass.store().advance(&pass.flow().name, &page.next.0).await?;
        }
        if page.last || page.next == position {
            return Ok(());
        }
        position = page.next;
    }
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
    let mut left_out: Vec<String> = Vec::new();
    for (n, raw) in records.into_iter().enumerate() {
        let item = item(pass, raw, now).await?;
        if speaks_for_no_unit(pass, &item) {
            left_out.push(item.key.to_string());
            continue;
        }
        // Read twice in one page: the later one is the newer one.
        if let Some(earlier) = at.insert(Arc::clone(&item.key), n) {
            items.remove(&earlier);
        }
        items.insert(n, Arc::new(item));
    }
    let mut keys: Vec<String> = at.into_keys().map(|key| key.to_string()).chain(left_out).collect();
    let lags = |item: &Arc<Item>| from == Origin::List && is_older(item);
    let older = items.values().filter(|item| lags(item)).map(|item| Arc::clone(&item.key)).collect();
    items.retain(|_, item| !lags(item));
    items.retain(|_, item| match settled(pass, item, mode, now) {
        Seen::New => true,
        // What stands beside what could not be read is no news: the feed tells of it.
        Seen::Unchanged if mode == Mode::Look || pass.further => false,
        Seen::Unchanged => {
            telling.say(Event::Unchanged(unchanged(pass, item)));
            false
        }
        Seen::Quiet => false,
    });
    let ready = know(pass, items).await?;
    if !ready.is_empty() {
        once::look_again(pass).await?;
    }
    side_by_side(pass, ready, telling).await?;
    for row in unreadable {
        keys.push(row.key.to_string());
        cannot_read(pass, row, mode, telling).await?;
    }
    Ok((keys, older))
}

/// Whether changes are gathered and the filter leaves this one out: another one of its unit, earlier or later, is not
/// displaced by it.
fn speaks_for_no_unit(pass: &Pass, item: &Item) -> bool {
    pass.flow().per.is_some() && matches!(pass.evaluate(&item.raw, item.now).0, Evaluated::Filtered)
}

/// Asks for a record by its own address and acts on it; how it is known to be gone, where it is.
pub(crate) async fn by_address(
    pass: &Arc<Pass>,
    key: &str,
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<Option<String>, PassError> {
    pass.go_on()?;
    let flow = pass.flow();
    let before = pass.store().record(&flow.name, key).await?;
    let own = own_keys(pass, &[key.to_owned()]).await?;
    let one = One {
        entity: pass.entity(flow.source),
        id: own.into_iter().next().unwrap_or_default(),
        fields: pass.fields(flow.source),
        parts: before.map_or_else(Vec::new, |before| before.parts),
    };
    let unreadable = |why: String| Unreadable { key: Some(key.to_owned()), text: None, why, page: None };
    let rows = match pass.source()?.read(&one).await {
        Ok(Presence::Gone(how)) => return Ok(Some(how)),
        Ok(Presence::Found(raw)) => (vec![raw.completed(&one.entity, &one.parts)], Vec::new()),
        Ok(Presence::Unreadable(row)) => {
            (Vec::new(), keyed(vec![Unreadable { key: Some(key.to_owned()), ..row }], &Position::default()))
        }
        Err(CallError::Refused { reason, .. }) => (Vec::new(), keyed(vec![unreadable(reason)], &Position::default())),
        Err(other) => return Err(other.into()),
    };
    take(pass, rows, mode, Origin::Address, telling).await?;
    Ok(None)
}

/// Parks what cannot be read, by its key where that much is plain.
async fn cannot_read(pass: &Arc<Pass>, row: Broken, mode: Mode, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let Broken { key, text, content, why, page } = row;
    let now = pass.source()?.now();
    let before = pass.store().record(&pass.flow().name, &key).await?;
    let first = before.as_ref().map_or(now, |before| before.first);
    let entity = source_name(pass);
    let parts = before.as_ref().map_or_else(Vec::new, |before| before.parts.clone());
    let item = Item { entity, key, raw: text, content_hash: content, version: page, parts, before, now: first };
    // A person has left it out, and what cannot be read does not say that it has changed.
    let left_out = item.before.as_ref().is_some_and(|before| before.state == State::Skipped && before.left_out);
    if left_out || !matches!(settled(pass, &item, mode, now), Seen::New) {
        return Ok(());
    }
    let name = &pass.program().entity(pass.flow().source).name;
    let reason = format!(
        "this {name} cannot be read: {why}. Put it in order in {}; it goes on when it can be read",
        pass.flow().connection
    );
    let lanes = lanes_of(pass, &item.key, None);
    let failure = Failure::new(reason, pass.flow().span);
    match act::park(Arc::clone(pass), Arc::new(item), lanes, failure).await {
        Acted::Settled(events) => events.into_iter().for_each(|event| telling.say(event)),
        Acted::Ended(ending, _) => return Err(ending),
        Acted::Lanes(..) | Acted::Bug(..) => unreachable!("what is parked needs no lanes and is no bug"),
    }
    Ok(())
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
            pass.go_on()?;
            let item = &items[&n];
            match pass.evaluate(&item.raw, item.now).0 {
                Evaluated::Needs(asked) if asked.iter().all(|need| pass.memory().refusal(need).is_none()) => {
                    needs.extend(asked.into_iter().filter(|need| seen.insert(need.clone())));
                    still.push(n);
                }
                Evaluated::WriteSet(unit) => {
                    lanes.insert(n, lanes_of(pass, &item.key, Some(&unit)));
                }
                Evaluated::Needs(_) | Evaluated::Stopped(..) | Evaluated::Filtered => {
                    lanes.insert(n, lanes_of(pass, &item.key, None));
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
        lanes.entry(n).or_insert_with(|| lanes_of(pass, &items[&n].key, None));
    }
    Ok(lanes.into_iter().map(|(n, lanes)| (Arc::clone(&items[&n]), lanes)).collect())
}
