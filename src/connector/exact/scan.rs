//! Reading what has changed: by the feed's row version, by a time of change, or all of it where there is neither.
//!
//! A time of change is the ledger's wall clock. A row whose own cannot be read is told all the same: it only leads nowhere.
//!
//! Source: the vendor's pages on the sync resources.

use super::odata::{self, Selection, ask};
use super::position::{At, Walk};
use super::{Ledger, feed, key_of, search};
use crate::connector::http::Effect;
use crate::connector::{CallError, Find, Page, Position, Raw, Rows, Scan, Unreadable, answers, json, named};
use crate::ir::{Entity, Field, Type, WireForm};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
use url::Url;

/// Where a pass begins: where changes are followed by time, before the last one seen, since a row has its time before it is
/// saved; and not before the moment from which the flow reads. A walk that was cut short begins anew.
pub(super) fn resumed(ledger: &Ledger, scan: &Scan, stored: Position) -> Position {
    let moment = match At::read(&stored) {
        At::Moment(moment) => moment,
        At::Page(Walk { began: Some(moment), .. }) => moment,
        At::Page(Walk { began: None, .. }) => return At::Start.write(),
        At::Start | At::Version(_) => return stored,
    };
    let earliest = scan.since.map_or(i64::MIN, |since| wall(&ledger.zone, since).min(moment));
    let overlap = i64::try_from(ledger.overlap.as_millis()).unwrap_or(i64::MAX);
    At::Moment(moment.saturating_sub(overlap).max(earliest)).write()
}

/// The next page of a scan.
pub(super) async fn page(ledger: &Ledger, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    if !scan.only.is_empty() {
        if scan.entity.route.is_none() {
            // What a feed alone shows is in no list: whoever names records asks for each by itself.
            return Ok(Page { records: Vec::new(), unreadable: Vec::new(), next: from.clone(), last: true });
        }
        let find = Find {
            entity: scan.entity.clone(),
            fields: scan.asked(),
            by: scan.entity.key,
            values: scan.only.clone(),
            parts: Vec::new(),
        };
        let Rows { read: records, mut unreadable } = search::find(ledger, &find).await?;
        // Whoever names records asks for each that is not here by its own address.
        unreadable.retain(|row| row.key.is_some());
        return Ok(Page { records, unreadable, next: from.clone(), last: true });
    }
    let Some(feed) = &scan.entity.feed else { return whole(ledger, scan, from).await };
    let by = scan.entity.get(feed.by);
    let path = if feed.path.is_empty() { ledger.route(&scan.entity, &[], "GET")? } else { feed.path.to_string() };
    let page = if is_version(by) {
        feed::page(ledger, scan, (&path, by), from).await?
    } else {
        by_moment(ledger, scan, (&path, by), from).await?
    };
    if scan.lacks() {
        completed(ledger, scan, page).await
    } else {
        Ok(Page { records: kept(scan, page.records), ..page })
    }
}

/// A row version is a whole number, whatever its name; a time of change is a moment.
fn is_version(by: &Field) -> bool {
    !matches!(by.ty.present(), Type::Instant | Type::Date) && by.form.form != WireForm::Milliseconds
}

/// A moment as the ledger's wall clock shows it, read as if it were UTC.
pub(super) fn wall(zone: &TimeZone, moment: Timestamp) -> i64 {
    let offset = zone.to_offset(moment).seconds();
    moment.as_millisecond() + i64::from(offset) * 1_000
}

/// A page as it came, and the walk on which it was read.
struct Stop {
    rows: Rows,
    next: Option<Url>,
    walk: Walk,
}

impl Stop {
    /// The page at this place, or the first one, at `first`. An address that the ledger does not know any more begins the
    /// walk anew, once.
    async fn at(
        ledger: &Ledger,
        at: At,
        first: (&Url, Option<i64>),
        (path, entity): (&str, &Entity),
    ) -> Result<Self, CallError> {
        let key = key_of(entity);
        let begin = |again| Walk::begin(first.0, first.1, again);
        let (page, walk) = match at {
            At::Page(walk) => match ledger.page(&ledger.follow(&walk.address)?, path, key).await {
                Err(CallError::Refused { .. }) if !walk.again => (ledger.page(first.0, path, key).await?, begin(true)),
                page => (page?, walk),
            },
            At::Start | At::Version(_) | At::Moment(_) => (ledger.page(first.0, path, key).await?, begin(false)),
        };
        let next = page.next.map(|text| ledger.follow(&text)).transpose()?;
        Ok(Self { rows: named(page.rows, entity), next, walk })
    }
}

/// The page behind, by its address.
fn onward(ledger: &Ledger, walk: Walk, next: &Url, path: &str) -> Result<At, CallError> {
    let step = walk.step(next).map(At::Page);
    step.ok_or_else(|| ledger.http.garbled(format!("pages of {path} that lead in a circle"), Effect::Read))
}

async fn by_moment(
    ledger: &Ledger,
    scan: &Scan,
    (path, by): (&str, &Field),
    from: &Position,
) -> Result<Page, CallError> {
    let at = At::read(from);
    let began = match (&at, scan.since) {
        (At::Page(walk), _) => walk.began,
        (At::Moment(moment), _) => Some(*moment),
        (At::Start | At::Version(_), since) => since.map(|since| wall(&ledger.zone, since)),
    };
    let first = moment_address(scan, &ledger.address(path).await?, by, began);
    let Stop { rows, next, mut walk } = Stop::at(ledger, at, (&first, began), (path, &scan.entity)).await?;
    let of = |text: Option<String>| odata::milliseconds(&text?);
    let times: Vec<i64> = rows.read.iter().filter_map(|row| of(row.member(&by.wire))).collect();
    let others = rows.unreadable.iter().filter_map(|row| of(row.value(&by.wire)));
    let before = walk.reached.filter(|_| !times.is_empty());
    walk.unsorted |= !before.iter().chain(&times).map(|time| time / 1_000).is_sorted();
    walk.reached = walk.reached.into_iter().chain(times.iter().copied()).chain(others).max();
    // A time that is still to come would hide what changes before it. As much as is read twice it may be ahead.
    let ahead = i64::try_from(ledger.overlap.as_millis()).unwrap_or(0);
    let now = wall(&ledger.zone, ledger.clock.moment().theirs).saturating_add(ahead);
    let position = match &next {
        None => At::moment(walk.reached.map(|reached| reached.min(now).max(began.unwrap_or(i64::MIN)))),
        Some(next) => match (times.first(), walk.reached) {
            // By time, so that rows that change meanwhile move nothing. A page of one second does not get on by time.
            (Some(first), Some(reached)) if !walk.unsorted && first / 1_000 < reached / 1_000 && reached <= now => {
                At::Moment(reached)
            }
            (Some(_) | None, _) => onward(ledger, walk, next, path)?,
        },
    };
    Ok(Page { records: rows.read, unreadable: rows.unreadable, next: position.write(), last: next.is_none() })
}

fn moment_address(scan: &Scan, base: &Url, by: &Field, moment: Option<i64>) -> Url {
    let selection = selection(scan);
    let since = moment.and_then(odata::wall).map(|literal| format!("{} ge {literal}", by.wire));
    let conditions = odata::conditions(&scan.entity, &scan.filter);
    let filter: Vec<String> = since.into_iter().chain(conditions).collect();
    let filter = filter.join(" and ");
    let mut options = selection.options(Some(&filter));
    options.push(("$orderby", &by.wire));
    ask(base, &options)
}

/// What is read of a list.
pub(super) fn selection(scan: &Scan) -> Selection {
    Selection::of(&scan.entity, &scan.names())
}

/// A resource without changes to follow: all of it in each pass.
async fn whole(ledger: &Ledger, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    let route = ledger.route(&scan.entity, &[], "GET")?;
    let filter = odata::conditions(&scan.entity, &scan.filter);
    let first = ask(&ledger.address(&route).await?, &selection(scan).options(filter.as_deref()));
    let stop = Stop::at(ledger, At::read(from), (&first, None), (&route, &scan.entity)).await?;
    let position = match &stop.next {
        Some(next) => onward(ledger, stop.walk, next, &route)?,
        None => At::Start,
    };
    let Rows { read, unreadable } = stop.rows;
    Ok(Page { records: kept(scan, read), unreadable, next: position.write(), last: stop.next.is_none() })
}

/// What fits the conditions; feeds take none of them.
pub(super) fn kept(scan: &Scan, rows: Vec<Raw>) -> Vec<Raw> {
    let fits = |row: &Raw| scan.filter.iter().all(|condition| answers(&scan.entity, row, condition));
    rows.into_iter().filter(fits).collect()
}

/// The rows of a feed as their own resource shows them, where the feed lacks something that is asked for: read in one piece,
/// many in a call. The mark of their change stays the feed's: what has changed meanwhile comes again.
async fn completed(ledger: &Ledger, scan: &Scan, page: Page) -> Result<Page, CallError> {
    let (Some(key), Some(feed)) = (key_of(&scan.entity), &scan.entity.feed) else { return Ok(page) };
    let by = &scan.entity.get(feed.by).wire;
    let keyed = |row: &Raw| row.member(key).map(|key| key.to_lowercase());
    let find = Find {
        entity: scan.entity.clone(),
        fields: scan.asked(),
        by: scan.entity.key,
        values: page.records.iter().filter_map(|row| row.member(key)).collect(),
        parts: Vec::new(),
    };
    let Rows { read, unreadable } = search::find(ledger, &find).await?;
    let mut twins: HashMap<String, Raw> = read.into_iter().filter_map(|row| Some((keyed(&row)?, row))).collect();
    let mut told: HashMap<String, Unreadable> =
        unreadable.into_iter().filter_map(|row| Some((row.key.as_ref()?.to_lowercase(), row))).collect();
    let mut out = Page { records: Vec::new(), ..page };
    for row in page.records {
        let named = keyed(&row).unwrap_or_default();
        match (twins.remove(&named), told.remove(&named)) {
            (Some(twin), _) => out.records.push(twin.with(by, &row)),
            (None, Some(unreadable)) => out.unreadable.push(unreadable),
            (None, None) => {
                let why = format!("{} tells of it, and {} does not show it", feed.path, find.entity.full_name());
                out.unreadable.push(json::unreadable(&row.0, Some(key), why));
            }
        }
    }
    out.records = kept(scan, out.records);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_knows_summer() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let noon = |text: &str| text.parse::<Timestamp>().unwrap();
        let shown = |text: &str| odata::wall(wall(&zone, noon(text))).unwrap();
        assert_eq!(shown("2026-01-02T12:00:00Z"), "datetime'2026-01-02T13:00:00'");
        assert_eq!(shown("2026-07-02T12:00:00Z"), "datetime'2026-07-02T14:00:00'");
    }
}
