//! What each order changes in the tables.
//!
//! Orders share a transaction, so each looks first and refuses before it changes anything.

use super::tables::{
    BUDGETS, COUNTS, INTENTS, LINKS, LOG, LOG_ENDS, LOG_OF, META, NAMED, PENDING, PEOPLE, PLANS, POSITIONS, RECORDS,
    REFRESHES, TABLES, TARGETS, TOKENS, Trouble, WAITS, decode, encode, open_value, pack, seal_value, unpack,
};
use super::writer::Refresher;
use crate::limits;
use crate::store::rows::{
    Attempt, AttemptId, Budget, Intent, Link, LinkKey, Outcome, PlanSource, Reading, RecordRow, RefreshTurn, State,
    Table, Tokens,
};
use crate::store::seal::Seal;
use crate::store::{Change, Commit, StoreError};
use jiff::{SignedDuration, Timestamp};
use redb::{ReadableTable as _, ReadableTableMetadata as _, WriteTransaction};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashSet;

/// A state as a number in keys.
pub(super) fn number(state: State) -> u8 {
    match state {
        State::Written => 0,
        State::Skipped => 1,
        State::Waiting => 2,
        State::Parked => 3,
    }
}

/// All changes of a commit.
pub(super) fn commit(t: &WriteTransaction, seal: &Seal, commit: &Commit) -> Result<(), Trouble> {
    check(t, commit)?;
    for change in &commit.changes {
        match change {
            Change::Advance { flow, position } => {
                t.open_table(POSITIONS)?.insert(flow.as_str(), position.as_str())?;
            }
            Change::Record(row) => settle_record(t, seal, row)?,
            Change::Intend(intent) => {
                let value = seal_value(seal, "intents", intent);
                t.open_table(INTENTS)?.insert(intent.id.as_str(), value.as_slice())?;
            }
            Change::Outcome { intent, outcome } => settle(t, seal, intent, outcome)?,
            Change::Await { intent, since } => await_anew(t, seal, intent, since)?,
            Change::Link(link) => put_link(t, link)?,
            Change::Unlink(key) => remove_link(t, key)?,
            Change::Log(attempt) => log(t, seal, attempt)?,
            Change::Table(table) => put_table(t, seal, table)?,
            Change::PlanSources { plan_hash, sources } => put_sources(t, plan_hash, sources)?,
        }
    }
    Ok(())
}

/// What can be wrong with a commit, before anything is changed.
fn check(t: &WriteTransaction, commit: &Commit) -> Result<(), Trouble> {
    let intents = t.open_table(INTENTS)?;
    let mut open: HashSet<&str> = HashSet::new();
    let misused = |what: String| Err(Trouble::Refused(StoreError::Misused { what }));
    for change in &commit.changes {
        match change {
            Change::Intend(intent) => {
                let there = intents.len()? + open.len() as u64;
                if there >= limits::INTENTS_OPEN_MAX as u64 {
                    return Err(StoreError::Backlog { open: there }.into());
                }
                if intents.get(intent.id.as_str())?.is_some() || !open.insert(&intent.id) {
                    return misused(format!("the intent {} is written down twice", intent.id));
                }
            }
            Change::Outcome { intent, outcome: _ } => {
                if !open.contains(intent.as_str()) && intents.get(intent.as_str())?.is_none() {
                    return misused(format!("the intent {intent} gets an outcome and is not open"));
                }
            }
            Change::Advance { .. }
            | Change::Record(_)
            | Change::Await { .. }
            | Change::Link(_)
            | Change::Unlink(_)
            | Change::Log(_)
            | Change::Table(_)
            | Change::PlanSources { .. } => {}
        }
    }
    Ok(())
}

fn settle(t: &WriteTransaction, seal: &Seal, id: &str, outcome: &Outcome) -> Result<(), Trouble> {
    let mut table = t.open_table(INTENTS)?;
    match outcome {
        // What it became stands in the link and the record of the same commit, and in the log.
        Outcome::Done { target: _ } | Outcome::NotDone | Outcome::Refused { reason: _ } => {
            table.remove(id)?;
        }
        Outcome::Unknown { at, awaited, reason } => {
            let Some(mut intent) =
                table.get(id)?.map(|value| open_value::<Intent>(seal, "intents", value.value())).transpose()?
            else {
                return Ok(());
            };
            // The first time counts: from then on the effect may come late.
            if intent.unknown.is_none() {
                intent.unknown = Some((*at, reason.clone()));
                intent.awaited = Some(awaited.clone());
                table.insert(id, seal_value(seal, "intents", &intent).as_slice())?;
            }
        }
    }
    Ok(())
}

/// From then on the effect of an intent is awaited.
fn await_anew(t: &WriteTransaction, seal: &Seal, id: &str, since: &Reading) -> Result<(), Trouble> {
    let mut table = t.open_table(INTENTS)?;
    let intent = table.get(id)?.map(|value| open_value::<Intent>(seal, "intents", value.value())).transpose()?;
    if let Some(intent) = intent {
        let intent = Intent { awaited: Some(since.clone()), anew: true, ..intent };
        table.insert(id, seal_value(seal, "intents", &intent).as_slice())?;
    }
    Ok(())
}

/// Keeps what became of a record, unless a person has decided about it since it was read.
fn settle_record(t: &WriteTransaction, seal: &Seal, row: &RecordRow) -> Result<(), Trouble> {
    let table = t.open_table(RECORDS)?;
    let stored = table.get((row.flow.as_str(), row.key.as_str()))?;
    let stored = stored.map(|stored| open_value::<RecordRow>(seal, "records", stored.value())).transpose()?;
    drop(table);
    let Some(stored) = stored else { return put_record(t, seal, row) };
    match stored.said.cmp(&row.said) {
        Ordering::Equal => put_record(t, seal, row),
        Ordering::Greater => {
            let target = row.target.clone().or_else(|| stored.target.clone());
            put_record(t, seal, &RecordRow { target, ..stored })
        }
        Ordering::Less => {
            let target = row.target.clone().or(stored.target);
            put_record(t, seal, &RecordRow { target, ..row.clone() })
        }
    }
}

/// Replaces a record's row and its entries in the indexes.
pub(super) fn put_record(t: &WriteTransaction, seal: &Seal, row: &RecordRow) -> Result<(), Trouble> {
    take_record(t, seal, &row.flow, &row.key)?;
    let (flow, key, state) = (row.flow.as_str(), row.key.as_str(), number(row.state));
    t.open_table(RECORDS)?.insert((flow, key), seal_value(seal, "records", row).as_slice())?;
    let mut counts = t.open_table(COUNTS)?;
    let count = counts.get((flow, state))?.map_or(0, |c| c.value());
    counts.insert((flow, state), count + 1)?;
    if matches!(row.state, State::Waiting | State::Parked) {
        t.open_table(PENDING)?.insert((state, flow, key), ())?;
    }
    if let (State::Waiting, Some(what)) = (row.state, &row.waits_for) {
        t.open_table(WAITS)?.insert((what.as_str(), flow, key), ())?;
    }
    let mut named = t.open_table(NAMED)?;
    for person in &row.people {
        named.insert((person.as_str(), flow, key), ())?;
    }
    Ok(())
}

/// Takes a record's row out, with its entries in the indexes.
pub(super) fn take_record(
    t: &WriteTransaction,
    seal: &Seal,
    flow: &str,
    key: &str,
) -> Result<Option<RecordRow>, Trouble> {
    let row = match t.open_table(RECORDS)?.remove((flow, key))? {
        Some(old) => open_value::<RecordRow>(seal, "records", old.value())?,
        None => return Ok(None),
    };
    let state = number(row.state);
    let mut counts = t.open_table(COUNTS)?;
    let count = counts.get((flow, state))?.map_or(0, |c| c.value());
    counts.insert((flow, state), count.saturating_sub(1))?;
    t.open_table(PENDING)?.remove((state, flow, key))?;
    if let Some(what) = &row.waits_for {
        t.open_table(WAITS)?.remove((what.as_str(), flow, key))?;
    }
    let mut named = t.open_table(NAMED)?;
    for person in &row.people {
        named.remove((person.as_str(), flow, key))?;
    }
    Ok(Some(row))
}

/// Replaces a link, from both ends.
pub(super) fn put_link(t: &WriteTransaction, link: &Link) -> Result<(), Trouble> {
    remove_link(t, &link.source)?;
    let LinkKey { connection, mapping, entity, key } = &link.source;
    let source = (connection.as_str(), mapping.as_str(), entity.as_str(), key.as_str());
    t.open_table(LINKS)?.insert(source, encode(link).as_slice())?;
    t.open_table(TARGETS)?.insert(target_end(link), ())?;
    Ok(())
}

/// Takes a link out, from both ends.
pub(super) fn remove_link(t: &WriteTransaction, at: &LinkKey) -> Result<(), Trouble> {
    let LinkKey { connection, mapping, entity, key } = at;
    let source = (connection.as_str(), mapping.as_str(), entity.as_str(), key.as_str());
    let old = match t.open_table(LINKS)?.remove(source)? {
        Some(old) => decode::<Link>("links", old.value())?,
        None => return Ok(()),
    };
    t.open_table(TARGETS)?.remove(target_end(&old))?;
    Ok(())
}

/// A link as the key of its target's end.
pub(super) fn target_end(link: &Link) -> (&str, &str, &str, &str, &str, &str, &str) {
    let (target, source) = (&link.target, &link.source);
    (&target.connection, &target.entity, &target.id, &source.connection, &source.mapping, &source.entity, &source.key)
}

/// Adds an entry to the log.
fn log(t: &WriteTransaction, seal: &Seal, attempt: &Attempt) -> Result<(), Trouble> {
    let number = {
        let mut meta = t.open_table(META)?;
        let last = match meta.get("log_number")? {
            Some(value) => u64::from_be_bytes(value.value().try_into().map_err(|_| Trouble::Value("meta"))?),
            None => 0,
        };
        meta.insert("log_number", (last + 1).to_be_bytes().as_slice())?;
        last + 1
    };
    put_attempt(t, seal, AttemptId { at: attempt.at.as_microsecond(), number }, attempt)
}

/// Writes an entry of the log under its number.
pub(super) fn put_attempt(t: &WriteTransaction, seal: &Seal, id: AttemptId, attempt: &Attempt) -> Result<(), Trouble> {
    let AttemptId { at, number } = id;
    let value = seal.close("log", &pack(&encode(attempt)));
    t.open_table(LOG)?.insert((at, number), value.as_slice())?;
    t.open_table(LOG_OF)?.insert((attempt.flow.as_str(), attempt.key.as_str(), at, number), ())?;
    t.open_table(LOG_ENDS)?.insert((attempt.expires.as_microsecond(), at, number), ())?;
    let mut people = t.open_table(PEOPLE)?;
    for person in &attempt.people {
        people.insert((person.as_str(), at, number), ())?;
    }
    Ok(())
}

/// An entry of the log from its bytes.
pub(super) fn attempt(seal: &Seal, bytes: &[u8]) -> Result<Attempt, Trouble> {
    let packed = seal.open("log", bytes).ok_or(Trouble::Value("log"))?;
    decode("log", &unpack("log", &packed)?)
}

/// Takes an entry out of the log.
pub(super) fn take_attempt(t: &WriteTransaction, seal: &Seal, id: AttemptId) -> Result<Option<Attempt>, Trouble> {
    let AttemptId { at, number } = id;
    let entry = match t.open_table(LOG)?.remove((at, number))? {
        Some(value) => attempt(seal, value.value())?,
        None => return Ok(None),
    };
    t.open_table(LOG_OF)?.remove((entry.flow.as_str(), entry.key.as_str(), at, number))?;
    t.open_table(LOG_ENDS)?.remove((entry.expires.as_microsecond(), at, number))?;
    let mut people = t.open_table(PEOPLE)?;
    for person in &entry.people {
        people.remove((person.as_str(), at, number))?;
    }
    Ok(Some(entry))
}

/// Keeps rows, to the latest end that anybody gave them.
fn put_table(t: &WriteTransaction, seal: &Seal, table: &Table) -> Result<(), Trouble> {
    let mut tables = t.open_table(TABLES)?;
    let ends = table.expires.as_microsecond();
    if tables.get(table.hash.as_str())?.is_none_or(|kept| kept.value().0 < ends) {
        let value = seal.close("tables", &pack(&encode(table)));
        tables.insert(table.hash.as_str(), (ends, value.as_slice()))?;
    }
    Ok(())
}

/// Rows from their bytes.
pub(super) fn kept_table(seal: &Seal, bytes: &[u8]) -> Result<Table, Trouble> {
    let packed = seal.open("tables", bytes).ok_or(Trouble::Value("tables"))?;
    decode("tables", &unpack("tables", &packed)?)
}

/// Removes the rows that this is true of; how many.
fn remove_tables(t: &WriteTransaction, ended: impl Fn(i64, &[u8]) -> Result<bool, Trouble>) -> Result<usize, Trouble> {
    let mut tables = t.open_table(TABLES)?;
    let mut hashes = Vec::new();
    for row in tables.iter()? {
        let (hash, value) = row?;
        let (ends, bytes) = value.value();
        if ended(ends, bytes)? {
            hashes.push(hash.value().to_owned());
        }
    }
    for hash in &hashes {
        tables.remove(hash.as_str())?;
    }
    Ok(hashes.len())
}

fn put_sources(t: &WriteTransaction, plan_hash: &str, sources: &[PlanSource]) -> Result<(), Trouble> {
    let mut table = t.open_table(PLANS)?;
    if table.get(plan_hash)?.is_none() {
        table.insert(plan_hash, pack(&encode(&sources)).as_slice())?;
    }
    Ok(())
}

/// Gives the right to refresh a login, unless somebody else has it.
pub(super) fn begin_refresh(
    t: &WriteTransaction,
    connection: &str,
    holder: &str,
    now: Timestamp,
) -> Result<RefreshTurn, Trouble> {
    let mut table = t.open_table(REFRESHES)?;
    let before: Option<Refresher> =
        table.get(connection)?.map(|value| decode("refreshes", value.value())).transpose()?;
    let lease = SignedDuration::from_secs(limits::REFRESH_LEASE_SECONDS);
    let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
    // A mark that ends later than one made now was made by a clock that has been set back since: nobody is at it.
    if let Some(other) = &before
        && other.until > now
        && other.until <= until
        && other.holder != holder
    {
        return Ok(RefreshTurn::Held { until: other.until });
    }
    let mine = Refresher { holder: holder.to_owned(), since: now, until };
    table.insert(connection, encode(&mine).as_slice())?;
    Ok(RefreshTurn::Yours { interrupted: before.map(|b| b.since) })
}

/// Ends the right to refresh of this holder; the mark of another stays.
pub(super) fn abandon_refresh(t: &WriteTransaction, connection: &str, holder: &str) -> Result<(), Trouble> {
    let mut table = t.open_table(REFRESHES)?;
    let mine = match table.get(connection)? {
        Some(value) => decode::<Refresher>("refreshes", value.value())?.holder == holder,
        None => false,
    };
    if mine {
        table.remove(connection)?;
    }
    Ok(())
}

/// Tokens as they stand in the file, below the seal.
#[derive(Serialize, Deserialize)]
pub(super) struct TokensRow {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) issued: Timestamp,
    pub(super) expires: Timestamp,
}

impl Drop for TokensRow {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.access);
        zeroize::Zeroize::zeroize(&mut self.refresh);
    }
}

/// Keeps tokens and ends the refresh.
pub(super) fn put_tokens(t: &WriteTransaction, seal: &Seal, connection: &str, tokens: &Tokens) -> Result<(), Trouble> {
    let row = TokensRow {
        access: tokens.access.expose_secret().to_owned(),
        refresh: tokens.refresh.expose_secret().to_owned(),
        issued: tokens.issued,
        expires: tokens.expires,
    };
    let plain = zeroize::Zeroizing::new(encode(&row));
    t.open_table(TOKENS)?.insert(connection, seal.close("tokens", &plain).as_slice())?;
    t.open_table(REFRESHES)?.remove(connection)?;
    Ok(())
}

/// Keeps a budget.
pub(super) fn put_budget(t: &WriteTransaction, connection: &str, budget: &Budget) -> Result<(), Trouble> {
    t.open_table(BUDGETS)?.insert(connection, encode(budget).as_slice())?;
    Ok(())
}

/// Removes a bounded number of log entries, and tables, whose time is over.
pub(super) fn expire(t: &WriteTransaction, seal: &Seal, now: Timestamp) -> Result<u64, Trouble> {
    let mut ended = Vec::new();
    for row in t.open_table(LOG_ENDS)?.range(..(now.as_microsecond().saturating_add(1), i64::MIN, 0))? {
        let (_, at, number) = row?.0.value();
        ended.push(AttemptId { at, number });
        if ended.len() >= limits::EXPIRE_ROWS_MAX {
            break;
        }
    }
    let removed = ended.len() as u64;
    for id in ended {
        take_attempt(t, seal, id)?;
    }
    remove_tables(t, |ends, _| Ok(ends <= now.as_microsecond()))?;
    Ok(removed)
}

/// Erases a bounded number of things that are about a person.
pub(super) fn forget(t: &WriteTransaction, seal: &Seal, person: &str) -> Result<u64, Trouble> {
    let mut entries = Vec::new();
    for row in t.open_table(PEOPLE)?.range((person, i64::MIN, 0)..=(person, i64::MAX, u64::MAX))? {
        let (_, at, number) = row?.0.value();
        entries.push(AttemptId { at, number });
        if entries.len() >= limits::EXPIRE_ROWS_MAX {
            break;
        }
    }
    let mut named = Vec::new();
    for row in t.open_table(NAMED)?.range((person, "", "")..)? {
        let row = row?;
        let (who, flow, key) = row.0.value();
        if who != person || named.len() >= limits::EXPIRE_ROWS_MAX {
            break;
        }
        named.push((flow.to_owned(), key.to_owned()));
    }
    let names = |_, bytes: &[u8]| Ok(kept_table(seal, bytes)?.people.iter().any(|named| named == person));
    let erased = entries.len() + named.len() + remove_tables(t, names)?;
    for id in entries {
        take_attempt(t, seal, id)?;
    }
    for (flow, key) in named {
        if let Some(row) = take_record(t, seal, &flow, &key)? {
            put_record(t, seal, &RecordRow { reason: None, alerts: Vec::new(), people: Vec::new(), ..row })?;
        }
    }
    Ok(erased as u64)
}
