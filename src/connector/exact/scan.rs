//! Reading what has changed: by the feed's row version, by a time of change, or all of it where there is neither.
//!
//! A row version grows with each change and has nothing to do with time; rows come in its order, 1,000 at a time. A time
//! of change is the ledger's wall clock.
//!
//! Source: the vendor's pages on the sync resources.

use super::odata::{self, Selection, ask};
use super::{Ledger, json, key_of};
use crate::connector::http::Effect;
use crate::connector::{CallError, Find, Page, Position, Raw, Rows, Scan, answers};
use crate::ir::{Field, Type, WireForm};
use crate::limits;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

/// Where a feed begins that has never been read.
const FIRST: i64 = 1;
/// The function that tells where a feed stood at a time.
const STOOD_AT: &str = "read/sync/Sync/SyncTimestamp";

/// How far a feed has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Start,
    /// All up to this row version.
    Version(i64),
    /// All before this moment of the wall clock, milliseconds, and maybe some of it.
    Moment(i64),
    /// A page further on, by its address on our host.
    Page(String),
}

impl At {
    fn read(position: &Position) -> Self {
        let Some((kind, rest)) = position.0.split_once(':') else { return Self::Start };
        match kind {
            "version" => rest.parse().map_or(Self::Start, Self::Version),
            "moment" => rest.parse().map_or(Self::Start, Self::Moment),
            "page" => Self::Page(rest.to_owned()),
            _ => Self::Start,
        }
    }

    fn write(&self) -> Position {
        Position(match self {
            Self::Start => String::new(),
            Self::Version(version) => format!("version:{version}"),
            Self::Moment(moment) => format!("moment:{moment}"),
            Self::Page(address) => format!("page:{address}"),
        })
    }
}

/// Where a pass begins: where changes are followed by time, before the last one seen, since a row has its time before it is
/// saved; and not before the moment from which the flow reads.
pub(super) fn resumed(ledger: &Ledger, scan: &Scan, stored: Position) -> Position {
    let At::Moment(moment) = At::read(&stored) else { return stored };
    let earliest = scan.since.map_or(i64::MIN, |since| wall(&ledger.zone, since).min(moment));
    let overlap = i64::try_from(ledger.overlap.as_millis()).unwrap_or(i64::MAX);
    At::Moment(moment.saturating_sub(overlap).max(earliest)).write()
}

/// The next page of a scan.
pub(super) async fn page(ledger: &Ledger, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    if !scan.only.is_empty() {
        let find = Find {
            entity: scan.entity.clone(),
            fields: scan.names(),
            by: scan.entity.key,
            values: scan.only.clone(),
            parts: Vec::new(),
        };
        let Rows { read: records, unreadable } = ledger.search(&find).await?;
        return Ok(Page { records, unreadable, next: from.clone(), last: true });
    }
    let Some(feed) = &scan.entity.feed else { return whole(ledger, scan, from).await };
    let by = scan.entity.get(feed.by);
    let path = if feed.path.is_empty() { ledger.route(&scan.entity, &[], "GET")? } else { feed.path.to_string() };
    if is_version(by) {
        by_version(ledger, scan, &path, by, from).await
    } else {
        by_moment(ledger, scan, &path, by, from).await
    }
}

/// A row version is a whole number, whatever its name; a time of change is a moment.
fn is_version(by: &Field) -> bool {
    !matches!(by.ty.present(), Type::Instant | Type::Date) && by.form.form != WireForm::Milliseconds
}

async fn by_version(ledger: &Ledger, scan: &Scan, path: &str, by: &Field, from: &Position) -> Result<Page, CallError> {
    let base = ledger.address(path).await?;
    let version = match (At::read(from), scan.since) {
        (At::Version(version), _) => version,
        (At::Start | At::Moment(_) | At::Page(_), Some(since)) => stood_at(ledger, path, since).await?,
        (At::Start | At::Moment(_) | At::Page(_), None) => FIRST,
    };
    let selection = selection(scan, path);
    let filter = format!("{} gt {version}L", by.wire);
    let mut next = Some(ask(&base, &selection.options(Some(&filter))));
    let mut rows = Lowest::default();
    let mut unreadable = Vec::new();
    let (mut before, mut sorted) = (version, true);
    for _ in 0..limits::SEARCH_PAGES_MAX {
        let Some(address) = next else { break };
        let page = ledger.page(&address, path, key_of(&scan.entity)).await?;
        unreadable.extend(page.rows.unreadable);
        for row in page.rows.read {
            let its = json::member(&row.0, &by.wire).and_then(|text| text.parse().ok());
            let its = its.ok_or_else(|| no_mark(ledger, by))?;
            sorted &= before <= its;
            before = its;
            rows.held.push((its, row));
        }
        rows.cut();
        next = page.next.map(|text| ledger.follow(&text)).transpose()?;
        // The highest version is the next position only if none below it is still to come. That rows come in order is
        // likely and not promised: where they do not, all pages are read before the position moves.
        if sorted {
            break;
        }
    }
    if !sorted && next.is_some() {
        let what = format!("more than {} pages of {path}, out of order", limits::SEARCH_PAGES_MAX);
        return Err(ledger.http.garbled(what, Effect::Read));
    }
    let last = next.is_none() && rows.left.is_none();
    let rows = rows.complete();
    if rows.is_empty() && !last {
        return Err(ledger.http.garbled(format!("more rows of one version of {path} than are held"), Effect::Read));
    }
    let reached = rows.last().map_or(version, |(version, _)| *version).max(version);
    let records = kept(scan, rows.into_iter().map(|(_, row)| row));
    Ok(Page { records, unreadable, next: At::Version(reached).write(), last })
}

/// The rows of the lowest versions, as many as may be held.
#[derive(Default)]
struct Lowest {
    held: Vec<(i64, Raw)>,
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
    fn complete(mut self) -> Vec<(i64, Raw)> {
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
            let told = page.rows.read.first().and_then(|row| json::member(&row.0, "TimeStampAsBigInt"));
            Ok(told.and_then(|text| text.parse().ok()).unwrap_or(FIRST))
        }
        Err(CallError::Refused { .. }) => Ok(FIRST),
        Err(error) => Err(error),
    }
}

/// A moment as the ledger's wall clock shows it, read as if it were UTC.
fn wall(zone: &TimeZone, moment: Timestamp) -> i64 {
    let offset = zone.to_offset(moment).seconds();
    moment.as_millisecond() + i64::from(offset) * 1_000
}

async fn by_moment(ledger: &Ledger, scan: &Scan, path: &str, by: &Field, from: &Position) -> Result<Page, CallError> {
    let base = ledger.address(path).await?;
    let at = match (At::read(from), scan.since) {
        (At::Start | At::Version(_), Some(since)) => At::Moment(wall(&ledger.zone, since)),
        (other, _) => other,
    };
    let address = match &at {
        At::Page(address) => ledger.follow(address)?,
        At::Start | At::Version(_) => moment_address(scan, (path, &base), by, None),
        At::Moment(moment) => moment_address(scan, (path, &base), by, Some(*moment)),
    };
    let page = ledger.page(&address, path, key_of(&scan.entity)).await?;
    let next = page.next.map(|text| ledger.follow(&text)).transpose()?;
    let moment = |row: Option<&Raw>| -> Result<Option<i64>, CallError> {
        let Some(row) = row else { return Ok(None) };
        let its = json::member(&row.0, &by.wire).and_then(|text| odata::milliseconds(&text));
        its.map(Some).ok_or_else(|| no_mark(ledger, by))
    };
    let (first, reached) = (moment(page.rows.read.first())?, moment(page.rows.read.last())?);
    let position = match (&next, reached) {
        // A page of one second does not get on by time.
        (Some(next), Some(reached)) if first.is_some_and(|first| first / 1_000 == reached / 1_000) => {
            At::Page(on_our_host(next))
        }
        (Some(next), None) => At::Page(on_our_host(next)),
        (_, Some(reached)) => At::Moment(reached),
        (None, None) => match at {
            // The last page of a walk by address was empty: what it walked through is read again next time.
            At::Page(_) => from_start(scan, ledger),
            other => other,
        },
    };
    let last = next.is_none();
    let Rows { read, unreadable } = page.rows;
    Ok(Page { records: kept(scan, read.into_iter()), unreadable, next: position.write(), last })
}

fn from_start(scan: &Scan, ledger: &Ledger) -> At {
    scan.since.map_or(At::Start, |since| At::Moment(wall(&ledger.zone, since)))
}

fn moment_address(scan: &Scan, (path, base): (&str, &Url), by: &Field, moment: Option<i64>) -> Url {
    let selection = selection(scan, path);
    let since = moment.and_then(odata::wall).map(|literal| format!("{} ge {literal}", by.wire));
    let conditions = odata::conditions(&scan.entity, &scan.filter);
    let filter: Vec<String> = since.into_iter().chain(conditions).collect();
    let filter = filter.join(" and ");
    let mut options = selection.options(Some(&filter));
    options.push(("$orderby", &by.wire));
    ask(base, &options)
}

/// What is read: all that is asked for from the resource itself, all but lists from a feed beside it.
fn selection(scan: &Scan, path: &str) -> Selection {
    let names = scan.names();
    if scan.entity.route.as_deref() == Some(path) {
        Selection::of(&scan.entity, &names)
    } else {
        Selection::flat(&scan.entity, &names)
    }
}

/// A resource without changes to follow: all of it in each pass.
async fn whole(ledger: &Ledger, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    let route = ledger.route(&scan.entity, &[], "GET")?;
    let address = match At::read(from) {
        At::Page(address) => ledger.follow(&address)?,
        At::Start | At::Version(_) | At::Moment(_) => {
            let filter = odata::conditions(&scan.entity, &scan.filter);
            ask(&ledger.address(&route).await?, &selection(scan, &route).options(filter.as_deref()))
        }
    };
    let page = ledger.page(&address, &route, key_of(&scan.entity)).await?;
    let next = page.next.map(|text| ledger.follow(&text)).transpose()?;
    let last = next.is_none();
    let next = next.map_or(At::Start, |next| At::Page(on_our_host(&next)));
    let Rows { read, unreadable } = page.rows;
    Ok(Page { records: kept(scan, read.into_iter()), unreadable, next: next.write(), last })
}

/// Path and query: the host is the connection's, also when it has moved.
fn on_our_host(address: &Url) -> String {
    match address.query() {
        Some(query) => format!("{}?{query}", address.path()),
        None => address.path().to_owned(),
    }
}

/// What fits the conditions; feeds take none of them.
fn kept(scan: &Scan, rows: impl Iterator<Item = Raw>) -> Vec<Raw> {
    rows.filter(|row| scan.filter.iter().all(|condition| answers(&scan.entity, row, condition))).collect()
}

fn no_mark(ledger: &Ledger, by: &Field) -> CallError {
    ledger.http.garbled(format!("a row without a readable `{}`, by which changes are followed", by.wire), Effect::Read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_as_they_were_written() {
        for text in ["", "version:1234500", "moment:1767312000000", "page:/api/v1/1/crm/Accounts?$skiptoken=guid'x'"] {
            assert_eq!(At::read(&Position(text.to_owned())).write().0, text);
        }
        assert_eq!(At::read(&Position("2026-03-01T12:00:00".into())), At::Start);
    }

    #[test]
    fn the_wall_clock_knows_summer() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let noon = |text: &str| text.parse::<Timestamp>().unwrap();
        let shown = |text: &str| odata::wall(wall(&zone, noon(text))).unwrap();
        assert_eq!(shown("2026-01-02T12:00:00Z"), "datetime'2026-01-02T13:00:00'");
        assert_eq!(shown("2026-07-02T12:00:00Z"), "datetime'2026-07-02T14:00:00'");
    }
}
