//! What is asked of the tables.

use super::tables::{
    BUDGETS, COUNTS, INTENTS, LINKS, LOG, LOG_OF, PENDING, PLANS, POSITIONS, RECORDS, TABLES, TARGETS, TOKENS, Trouble,
    WAITS, decode, open_value, unpack,
};
use super::write::{TokensRow, attempt, number};
use crate::limits;
use crate::store::flow_of;
use crate::store::rows::{
    Attempt, AttemptId, Budget, Counts, Intent, Link, LinkKey, LinkPage, LogPage, PlanSource, RecordFilter, RecordId,
    RecordPage, RecordRow, State, Target, Tokens,
};
use crate::store::seal::Seal;
use jiff::Timestamp;
use redb::{ReadTransaction, ReadableTable as _};
use secrecy::SecretString;
use std::collections::BTreeSet;
use std::ops::Bound;

pub(super) fn position(t: &ReadTransaction, flow: &str) -> Result<Option<String>, Trouble> {
    Ok(t.open_table(POSITIONS)?.get(flow)?.map(|value| value.value().to_owned()))
}

pub(super) fn orphans(t: &ReadTransaction, flows: &[String]) -> Result<Vec<String>, Trouble> {
    let mut found = BTreeSet::new();
    for row in t.open_table(POSITIONS)?.iter()? {
        found.insert(flow_of(row?.0.value()).to_owned());
    }
    for row in t.open_table(COUNTS)?.iter()? {
        let row = row?;
        if row.1.value() > 0 {
            found.insert(row.0.value().0.to_owned());
        }
    }
    Ok(found.into_iter().filter(|flow| !flows.contains(flow)).collect())
}

pub(super) fn record(t: &ReadTransaction, seal: &Seal, flow: &str, key: &str) -> Result<Option<RecordRow>, Trouble> {
    t.open_table(RECORDS)?.get((flow, key))?.map(|value| open_value(seal, "records", value.value())).transpose()
}

pub(super) fn records(t: &ReadTransaction, seal: &Seal, filter: &RecordFilter) -> Result<RecordPage, Trouble> {
    let limit = match filter.limit {
        0 => limits::STORE_PAGE_MAX,
        some => some.min(limits::STORE_PAGE_MAX),
    };
    let mut page = RecordPage::default();
    let mut looked_at = 0;
    let table = t.open_table(RECORDS)?;
    let pending = t.open_table(PENDING)?;
    let only_pending =
        !filter.states.is_empty() && filter.states.iter().all(|s| matches!(s, State::Waiting | State::Parked));
    let mut last: Option<RecordId> = None;
    let mut take = |id: RecordId, row: RecordRow| {
        if matches(filter, &row) {
            page.rows.push(row);
        }
        looked_at += 1;
        last = Some(id);
        page.rows.len() >= limit || looked_at >= limits::STORE_SCAN_MAX
    };
    let mut more = false;
    if only_pending {
        for id in pending_ids(&pending, filter)? {
            let Some(value) = table.get((id.flow.as_str(), id.key.as_str()))? else { continue };
            if take(id, open_value(seal, "records", value.value())?) {
                more = true;
                break;
            }
        }
    } else {
        let start = start(filter);
        for row in table.range((start.0.as_ref().map(|k| (k.0.as_str(), k.1.as_str())), Bound::Unbounded))? {
            let row = row?;
            let (flow, key) = row.0.value();
            if filter.flow.as_deref().is_some_and(|wanted| wanted != flow) {
                break;
            }
            let id = RecordId { flow: flow.to_owned(), key: key.to_owned() };
            if take(id, open_value(seal, "records", row.1.value())?) {
                more = true;
                break;
            }
        }
    }
    page.next = if more { last } else { None };
    Ok(page)
}

struct Start(Bound<(String, String)>);

/// Where a page of records begins.
fn start(filter: &RecordFilter) -> Start {
    let flow = filter.flow.clone().unwrap_or_default();
    Start(match &filter.after {
        Some(after) if after.flow >= flow => Bound::Excluded((after.flow.clone(), after.key.clone())),
        Some(_) | None => Bound::Included((flow, String::new())),
    })
}

/// Records that wait or are parked, of the filter's flow and behind its start, in order.
fn pending_ids(
    pending: &redb::ReadOnlyTable<(u8, &'static str, &'static str), ()>,
    filter: &RecordFilter,
) -> Result<BTreeSet<RecordId>, Trouble> {
    let mut ids = BTreeSet::new();
    for state in &filter.states {
        let state = number(*state);
        let start = start(filter).0;
        let from = start.as_ref().map(|(flow, key)| (state, flow.as_str(), key.as_str()));
        for (of_state, row) in pending.range((from, Bound::Unbounded))?.enumerate() {
            let row = row?;
            let (its_state, flow, key) = row.0.value();
            let beyond = its_state != state || filter.flow.as_deref().is_some_and(|wanted| wanted != flow);
            // One more than is looked at, so that the page knows that there is more.
            if beyond || of_state > limits::STORE_SCAN_MAX {
                break;
            }
            ids.insert(RecordId { flow: flow.to_owned(), key: key.to_owned() });
        }
    }
    Ok(ids)
}

fn matches(filter: &RecordFilter, row: &RecordRow) -> bool {
    let RecordFilter { flow, states, plan_not, after: _, limit: _ } = filter;
    flow.as_ref().is_none_or(|flow| *flow == row.flow)
        && (states.is_empty() || states.contains(&row.state))
        && plan_not.as_ref().is_none_or(|plan| *plan != row.plan_hash)
}

pub(super) fn waiting_for(t: &ReadTransaction, seal: &Seal, what: &str) -> Result<Vec<RecordRow>, Trouble> {
    let records = t.open_table(RECORDS)?;
    let mut rows = Vec::new();
    for row in t.open_table(WAITS)?.range((what, "", "")..)? {
        let row = row?;
        let (its, flow, key) = row.0.value();
        if its != what || rows.len() >= limits::STORE_PAGE_MAX {
            break;
        }
        if let Some(value) = records.get((flow, key))? {
            rows.push(open_value(seal, "records", value.value())?);
        }
    }
    Ok(rows)
}

pub(super) fn counts(t: &ReadTransaction, flow: &str) -> Result<Counts, Trouble> {
    let table = t.open_table(COUNTS)?;
    let count = |state: State| -> Result<u64, Trouble> {
        Ok(table.get((flow, number(state)))?.map_or(0, |value| value.value()))
    };
    Ok(Counts {
        written: count(State::Written)?,
        skipped: count(State::Skipped)?,
        waiting: count(State::Waiting)?,
        parked: count(State::Parked)?,
    })
}

pub(super) fn open_intents(t: &ReadTransaction, seal: &Seal, flow: Option<&str>) -> Result<Vec<Intent>, Trouble> {
    let mut intents = Vec::new();
    for row in t.open_table(INTENTS)?.iter()? {
        let intent: Intent = open_value(seal, "intents", row?.1.value())?;
        if flow.is_none_or(|flow| flow == intent.flow) {
            intents.push(intent);
        }
    }
    intents.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Ok(intents)
}

pub(super) fn link(t: &ReadTransaction, at: &LinkKey) -> Result<Option<Link>, Trouble> {
    let LinkKey { connection, mapping, entity, key } = at;
    let at = (connection.as_str(), mapping.as_str(), entity.as_str(), key.as_str());
    t.open_table(LINKS)?.get(at)?.map(|value| decode("links", value.value())).transpose()
}

pub(super) fn links_to(t: &ReadTransaction, target: &Target) -> Result<Vec<Link>, Trouble> {
    let links = t.open_table(LINKS)?;
    let mut found = Vec::new();
    let wanted = (target.connection.as_str(), target.entity.as_str(), target.id.as_str());
    for row in t.open_table(TARGETS)?.range((wanted.0, wanted.1, wanted.2, "", "", "", "")..)? {
        let row = row?;
        let (connection, entity, id, source, mapping, source_entity, key) = row.0.value();
        if (connection, entity, id) != wanted || found.len() >= limits::STORE_PAGE_MAX {
            break;
        }
        if let Some(value) = links.get((source, mapping, source_entity, key))? {
            found.push(decode("links", value.value())?);
        }
    }
    Ok(found)
}

/// One step for each name: the next one begins behind all links of the last.
pub(super) fn link_mappings(t: &ReadTransaction, connection: &str) -> Result<Vec<String>, Trouble> {
    let links = t.open_table(LINKS)?;
    let mut names: Vec<String> = Vec::new();
    loop {
        let behind = names.last().map_or_else(String::new, |name| format!("{name}\0"));
        let Some(row) = links.range((connection, behind.as_str(), "", "")..)?.next() else { return Ok(names) };
        let key = row?.0;
        let (of, mapping, ..) = key.value();
        if of != connection {
            return Ok(names);
        }
        names.push(mapping.to_owned());
    }
}

pub(super) fn links(
    t: &ReadTransaction,
    connection: &str,
    mapping: &str,
    after: Option<&LinkKey>,
) -> Result<LinkPage, Trouble> {
    let from = match after {
        Some(after) => Bound::Excluded((connection, mapping, after.entity.as_str(), after.key.as_str())),
        None => Bound::Included((connection, mapping, "", "")),
    };
    let mut page = LinkPage::default();
    for row in t.open_table(LINKS)?.range((from, Bound::Unbounded))? {
        let row = row?;
        let key = row.0.value();
        if (key.0, key.1) != (connection, mapping) {
            break;
        }
        if page.links.len() >= limits::STORE_PAGE_MAX {
            page.next = page.links.last().map(|link: &Link| link.source.clone());
            break;
        }
        page.links.push(decode("links", row.1.value())?);
    }
    Ok(page)
}

pub(super) fn attempts(
    t: &ReadTransaction,
    seal: &Seal,
    flow: &str,
    key: &str,
    limit: usize,
) -> Result<Vec<Attempt>, Trouble> {
    let log = t.open_table(LOG)?;
    let mut found = Vec::new();
    let range = (flow, key, i64::MIN, 0)..=(flow, key, i64::MAX, u64::MAX);
    for row in t.open_table(LOG_OF)?.range(range)?.rev().take(limit.min(limits::STORE_PAGE_MAX)) {
        let (_, _, at, number) = row?.0.value();
        if let Some(value) = log.get((at, number))? {
            found.push(attempt(seal, value.value())?);
        }
    }
    found.reverse();
    Ok(found)
}

/// Bytes of log entries that one page holds: a page of large orders must not fill the memory.
const LOG_PAGE_BYTES_MAX: usize = 16 << 20;

pub(super) fn attempts_since(
    t: &ReadTransaction,
    seal: &Seal,
    flow: Option<&str>,
    since: Timestamp,
    after: Option<AttemptId>,
) -> Result<LogPage, Trouble> {
    let from = match after {
        Some(AttemptId { at, number }) => Bound::Excluded((at, number)),
        None => Bound::Included((since.as_microsecond(), 0)),
    };
    let mut page = LogPage::default();
    let (mut looked_at, mut bytes) = (0, 0);
    for row in t.open_table(LOG)?.range((from, Bound::Unbounded))? {
        let row = row?;
        let (at, number) = row.0.value();
        let entry = attempt(seal, row.1.value())?;
        looked_at += 1;
        if flow.is_none_or(|flow| flow == entry.flow) {
            bytes += entry.raw.len() + entry.found.len() + entry.drafts.len() + entry.steps.len() + entry.answers.len();
            page.attempts.push(entry);
        }
        if page.attempts.len() >= limits::STORE_PAGE_MAX
            || bytes >= LOG_PAGE_BYTES_MAX
            || looked_at >= limits::STORE_SCAN_MAX
        {
            page.next = Some(AttemptId { at, number });
            break;
        }
    }
    Ok(page)
}

pub(super) fn table(t: &ReadTransaction, seal: &Seal, hash: &str) -> Result<Option<String>, Trouble> {
    let tables = t.open_table(TABLES)?;
    let found = tables.get(hash)?.map(|value| super::write::kept_table(seal, value.value().1)).transpose()?;
    Ok(found.map(|table| table.rows))
}

pub(super) fn plan_sources(t: &ReadTransaction, plan_hash: &str) -> Result<Option<Vec<PlanSource>>, Trouble> {
    let table = t.open_table(PLANS)?;
    table.get(plan_hash)?.map(|value| decode("plans", &unpack("plans", value.value())?)).transpose()
}

pub(super) fn tokens(t: &ReadTransaction, seal: &Seal, connection: &str) -> Result<Option<Tokens>, Trouble> {
    let table = t.open_table(TOKENS)?;
    let row = table.get(connection)?.map(|value| open_value::<TokensRow>(seal, "tokens", value.value())).transpose()?;
    Ok(row.map(|row| Tokens {
        access: SecretString::from(row.access.clone()),
        refresh: SecretString::from(row.refresh.clone()),
        issued: row.issued,
        expires: row.expires,
    }))
}

pub(super) fn budget(t: &ReadTransaction, connection: &str) -> Result<Option<Budget>, Trouble> {
    t.open_table(BUDGETS)?.get(connection)?.map(|value| decode("budgets", value.value())).transpose()
}
