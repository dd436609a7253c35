//! Reading a feed by its row version: it grows with each change and has nothing to do with time. Rows come in its order,
//! 1,000 at a time; that they do is likely and not promised.
//!
//! Source: the vendor's pages on the sync resources.

use super::odata::{self, ask};
use super::position::At;
use super::scan::{selection, wall};
use super::{Ledger, json, key_of};
use crate::connector::http::Effect;
use crate::connector::{CallError, Page, Position, Raw, Rows, Scan, Unreadable, named};
use crate::ir::{Entity, Field};
use crate::limits;
use jiff::Timestamp;
use std::collections::HashSet;

/// Where a feed begins that has never been read.
const FIRST: i64 = 1;
/// How far a row version may be ahead of the one before it. It counts the writes of a database: a million a second for nine
/// years. Beyond that it is none, and would lead past all that is still to come.
const AHEAD_MAX: i64 = 1 << 48;
/// How high the lowest version of a feed may be that has never been read: where the count began nobody knows.
const FIRST_MAX: i64 = 1 << 56;
/// The function that tells where a feed stood at a time.
const STOOD_AT: &str = "read/sync/Sync/SyncTimestamp";

/// The next page.
pub(super) async fn page(
    ledger: &Ledger,
    scan: &Scan,
    (path, by): (&str, &Field),
    from: &Position,
) -> Result<Page, CallError> {
    let version = match (At::read(from), scan.since) {
        (At::Version(version), _) if version <= FIRST_MAX => version,
        // A version that none can have was once taken for one: nothing would ever lie behind it.
        (_, Some(since)) => stood_at(ledger, path, since).await?,
        (_, None) => FIRST,
    };
    let filter = format!("{} gt {version}L", by.wire);
    let (base, key) = (ledger.address(path).await?, key_of(&scan.entity));
    let mut next = Some(ask(&base, &selection(scan).options(Some(&filter))));
    let mut rows = Lowest::default();
    let mut nameless = Vec::new();
    let mut walked = HashSet::new();
    let (mut before, mut sorted) = (version, true);
    while let Some(address) = next {
        let page = ledger.page(&address, path, key).await?;
        walked.insert(address);
        let page_rows: Vec<Row> = parts(named(page.rows, &scan.entity)).collect();
        let highest = highest(before, page_rows.iter().filter_map(|row| row.version(by)));
        let its = |row: &Row| row.version(by).filter(|its| *its <= highest);
        let read = page_rows.iter().filter(|row| matches!(row, Row::Read(_)));
        sorted &= read.filter_map(its).is_sorted();
        let above = before;
        for row in page_rows {
            match its(&row) {
                // Older than what was asked for: then what is newer need not be among these pages.
                Some(its) if its <= version => {
                    let what = format!("rows of {path} that changed before those that were asked for");
                    return Err(ledger.http.garbled(what, Effect::Read));
                }
                Some(its) => {
                    sorted &= above <= its;
                    before = before.max(its);
                    rows.held.push((its, row));
                }
                // It holds nothing up: it is told once, with its key where that can be read, and its next change has
                // another version.
                None => nameless.push(row.without_version(by, key)),
            }
        }
        rows.cut();
        next = page.next.map(|text| ledger.follow(&text)).transpose()?;
        if next.as_ref().is_some_and(|next| walked.contains(next)) {
            return Err(ledger.http.garbled(format!("pages of {path} that lead in a circle"), Effect::Read));
        }
        // The highest version is the next position only if none below it is still to come: where rows do not come in
        // order, all pages are read before the position moves. A page without a version leads nowhere.
        if sorted && !rows.held.is_empty() {
            break;
        }
        if walked.len() >= limits::SEARCH_PAGES_MAX {
            let what = format!("more than {} pages of {path}, out of order", limits::SEARCH_PAGES_MAX);
            return Err(ledger.http.garbled(what, Effect::Read));
        }
    }
    let last = next.is_none() && rows.left.is_none();
    let rows = rows.complete();
    if rows.is_empty() && !last {
        return Err(ledger.http.garbled(format!("more rows of one version of {path} than are held"), Effect::Read));
    }
    let reached = rows.last().map_or(version, |(version, _)| *version);
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    let rows = nameless.into_iter().map(Row::Unreadable).chain(rows.into_iter().map(|(_, row)| row));
    for row in rows.filter(|row| row.is_record(&scan.entity)) {
        match row {
            Row::Read(raw) => read.push(raw),
            Row::Unreadable(row) => unreadable.push(row),
        }
    }
    Ok(Page { records: read, unreadable, next: At::Version(reached).write(), last })
}

/// A row, whatever can be read of it.
enum Row {
    Read(Raw),
    Unreadable(Unreadable),
}

fn parts(rows: Rows) -> impl Iterator<Item = Row> {
    rows.read.into_iter().map(Row::Read).chain(rows.unreadable.into_iter().map(Row::Unreadable))
}

impl Row {
    fn member(&self, wire: &str) -> Option<String> {
        match self {
            Self::Read(raw) => raw.member(wire),
            Self::Unreadable(row) => row.value(wire),
        }
    }

    fn version(&self, by: &Field) -> Option<i64> {
        version_of(self.member(&by.wire))
    }

    /// Whether it is a record of the entity: a feed of documents may have their lines among them.
    fn is_record(&self, entity: &Entity) -> bool {
        let Some((field, value)) = entity.feed.as_ref().and_then(|feed| feed.rows.as_ref()) else { return true };
        self.member(&entity.get(*field).wire).is_none_or(|shown| shown == **value)
    }

    /// Told as one that cannot be read: whether it is newer than what was read of it before cannot be said.
    fn without_version(self, by: &Field, key: Option<&str>) -> Unreadable {
        match self {
            Self::Read(raw) => {
                let said = match raw.member(&by.wire) {
                    Some(said) if version_of(Some(said.clone())).is_some() => {
                        format!(" ({said} is ahead of all others by more than can be)")
                    }
                    Some(_) | None => String::new(),
                };
                let why = format!("it has no readable `{}`{said}, by which changes are followed", by.wire);
                json::unreadable(&raw.0, key, why)
            }
            Self::Unreadable(row) => row,
        }
    }
}

/// The highest version that one can have of these rows: each is ahead of the one below it by no more than can be.
fn highest(before: i64, versions: impl Iterator<Item = i64>) -> i64 {
    let mut versions: Vec<i64> = versions.filter(|its| *its > before).collect();
    versions.sort_unstable();
    versions.into_iter().fold(before, |below, its| {
        let most = if below == FIRST { FIRST_MAX } else { AHEAD_MAX };
        if its.saturating_sub(below) <= most { its } else { below }
    })
}

fn version_of(text: Option<String>) -> Option<i64> {
    text?.trim().parse().ok()
}

/// The rows of the lowest versions, as many as may be held.
#[derive(Default)]
struct Lowest {
    held: Vec<(i64, Row)>,
    /// The lowest version of those that were left out.
    left: Option<i64>,
}

impl Lowest {
    fn cut(&mut self) {
        self.held.sort_by_key(|(version, _)| *version);
        if let Some((version, _)) = self.held.get(limits::PAGE_RECORDS_MAX) {
            self.left = Some(self.left.map_or(*version, |left| left.min(*version)));
            self.held.truncate(limits::PAGE_RECORDS_MAX);
        }
    }

    /// Those below which none was left out, in order.
    fn complete(mut self) -> Vec<(i64, Row)> {
        if let Some(left) = self.left {
            self.held.retain(|(version, _)| *version < left);
        }
        self.held
    }
}

/// Where a feed stood at a time. Its argument names are likely and not proved: if it refuses, all is read.
async fn stood_at(ledger: &Ledger, path: &str, since: Timestamp) -> Result<i64, CallError> {
    let base = ledger.address(STOOD_AT).await?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let moment = odata::wall(wall(&ledger.zone, since)).unwrap_or_default();
    let address =
        ask(&base, &[("modified", &moment), ("endPoint", &format!("'{name}'")), ("$select", "TimeStampAsBigInt")]);
    match ledger.page(&address, STOOD_AT, None).await {
        Ok(page) => {
            let told = page.rows.read.first().and_then(|row| row.member("TimeStampAsBigInt"));
            Ok(told.and_then(|text| text.parse().ok()).unwrap_or(FIRST))
        }
        Err(CallError::Refused { .. }) => Ok(FIRST),
        Err(error) => Err(error),
    }
}
