//! Reading what has changed.
//!
//! `modified_after` is exclusive and in whole seconds, and a page that is cut by number moves while it is read. So a
//! pass walks upwards by the time of change, always takes the first page behind the last second seen, and reads that
//! second again. A pass begins some minutes before the last second of the one before it: an order has its time of change
//! before it is saved, and two web servers have two clocks. Only where one second fills more than a page are the records of it that were seen left out by id.
//! What has no time of change (customers) is read whole, in the order of ids, to be compared.

use super::{Query, Shop, filter};
use crate::connector::http::Effect;
use crate::connector::{CallError, Find, Page, Position, Raw, Rows, Scan, answers, json};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// Ids of one second that are left out by name; more would make the address too long.
const EXCLUDED_MAX: usize = 400;
/// Rows that are read twice where a long second is walked by number: some may have moved away meanwhile.
const OFFSET_OVERLAP: usize = 20;

/// How far a walk has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum At {
    /// Nothing has been read.
    #[default]
    Start,
    /// All before this second, and maybe some of it.
    Second(Timestamp),
    /// All before this second, and of it these: it fills more than a page.
    Within(Timestamp, Vec<String>),
    /// The same, by number.
    Counted(Timestamp, usize),
    /// So many rows of a list without times.
    Row(usize),
}

impl At {
    fn read(position: &Position) -> Self {
        let text = position.0.as_str();
        if let Some(row) = text.strip_prefix("row:") {
            return row.parse().map_or(Self::Start, Self::Row);
        }
        let (second, rest) = text.split_once('|').unwrap_or((text, ""));
        let Some(second) = second_of(second) else { return Self::Start };
        match rest.strip_prefix('#') {
            Some(count) => count.parse().map_or(Self::Second(second), |count| Self::Counted(second, count)),
            None if rest.is_empty() => Self::Second(second),
            None => Self::Within(second, rest.split(',').map(str::to_owned).collect()),
        }
    }

    fn write(&self) -> Position {
        Position(match self {
            Self::Start => String::new(),
            Self::Second(second) => civil(*second),
            Self::Within(second, ids) => format!("{}|{}", civil(*second), ids.join(",")),
            Self::Counted(second, count) => format!("{}|#{count}", civil(*second)),
            Self::Row(row) => format!("row:{row}"),
        })
    }
}

/// `2026-03-01T12:00:00`, in UTC.
fn civil(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A time of the shop in UTC, which it writes without a zone.
fn second_of(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(local).ok()
}

/// Where a pass begins: before the last second seen, and not before the moment from which the flow reads.
pub(super) fn resumed(stored: &Position, since: Option<Timestamp>, overlap: SignedDuration) -> Position {
    match At::read(stored) {
        At::Second(second) | At::Within(second, _) | At::Counted(second, _) => {
            let earliest = since.map_or(Timestamp::MIN, |since| since.min(second));
            At::Second(second.checked_sub(overlap).unwrap_or(Timestamp::MIN).max(earliest)).write()
        }
        At::Start | At::Row(_) => stored.clone(),
    }
}

/// The next page of a scan.
pub(super) async fn page(shop: &Shop, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    if !scan.only.is_empty() {
        return only(shop, scan, from).await;
    }
    let feed = scan.entity.feed.as_ref();
    let route = match feed.map(|feed| &*feed.path).filter(|path| !path.is_empty()) {
        Some(path) => path.to_owned(),
        None => shop.route(&scan.entity, &[], "scan")?,
    };
    let mut query = filter::always(&route);
    query.extend(filter::fields(&scan.entity, &scan.names()));
    query.extend(filter::conditions(&scan.entity, &scan.filter));
    match feed.and_then(|feed| Time::of(&scan.entity.get(feed.by).wire, &feed.since)) {
        Some(time) => changed(shop, scan, (&route, query), &time, from).await,
        None => whole(shop, scan, (&route, query), from).await,
    }
}

/// A time by which a list is walked.
struct Time<'e> {
    /// The member of a record. The one in UTC: the local one occurs twice in an autumn night.
    wire: &'e str,
    /// The parameter that takes the time behind which is read.
    after: &'e str,
    order: &'static str,
}

impl<'e> Time<'e> {
    /// None where the schema names no parameter: such a list is read whole.
    fn of(wire: &'e str, since: &'e str) -> Option<Self> {
        let order = match since {
            "" => return None,
            "modified_after" => "modified",
            // What cannot be changed (refunds, reviews) is walked by the time it was made.
            _ => "date",
        };
        Some(Self { wire, after: since, order })
    }
}

async fn only(shop: &Shop, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    let find = Find {
        entity: scan.entity.clone(),
        fields: scan.names(),
        by: scan.entity.key,
        values: scan.only.clone(),
        parts: Vec::new(),
    };
    let Rows { read: records, unreadable } = filter::find(shop, &find).await?;
    Ok(Page { records, unreadable, next: from.clone(), last: true })
}

async fn changed(
    shop: &Shop,
    scan: &Scan,
    (route, query): (&str, Query),
    time: &Time<'_>,
    from: &Position,
) -> Result<Page, CallError> {
    let at = match At::read(from) {
        At::Start => scan.since.map_or(At::Start, At::Second),
        other => other,
    };
    let (Rows { read: rows, unreadable }, asked) = shop.list(route, |rows| with(&query, time, rows, &at)).await?;
    let last = rows.len() + unreadable.len() < asked as usize;
    let next = advance(&at, &rows, (time.wire, shop.clock.now()), last)
        .map_err(|what| shop.http.garbled(what, Effect::Read))?;
    Ok(Page { records: kept(scan, rows), unreadable, next: next.write(), last })
}

/// The query for the page behind a position.
fn with(query: &[(String, String)], time: &Time<'_>, rows: u32, at: &At) -> Query {
    let mut query = query.to_vec();
    let mut add = |name: &str, value: String| query.push((name.to_owned(), value));
    add("orderby", time.order.to_owned());
    add("order", "asc".to_owned());
    add("per_page", rows.to_string());
    let after = match at {
        At::Start | At::Row(_) => None,
        At::Second(second) | At::Within(second, _) | At::Counted(second, _) => Some(*second),
    };
    if let Some(second) = after {
        // Exclusive, and whole seconds: one before it takes it in.
        let before = second.checked_sub(SignedDuration::from_secs(1)).unwrap_or(second);
        // UTC digits without a zone: with the flag a zone would be turned into the shop's own.
        add(time.after, civil(before));
        add("dates_are_gmt", "true".to_owned());
    }
    match at {
        At::Within(_, ids) => add("exclude", ids.join(",")),
        At::Counted(_, count) => add("offset", count.saturating_sub(OFFSET_OVERLAP).to_string()),
        At::Start | At::Second(_) | At::Row(_) => {}
    }
    query
}

/// The position behind a page. A time that cannot be read is passed over, and none leads beyond now: one record with a
/// wrong date would hide all that change after it.
fn advance(at: &At, rows: &[Raw], (wire, now): (&str, Timestamp), last: bool) -> Result<At, String> {
    if rows.is_empty() {
        return Ok(match at {
            At::Within(second, _) | At::Counted(second, _) => At::Second(*second),
            At::Start | At::Second(_) | At::Row(_) => at.clone(),
        });
    }
    let mut times = rows.iter().filter_map(|row| second_of(&json::member(&row.0, wire)?)).map(|time| time.min(now));
    let Some(first) = times.next() else {
        // At the end of all there is nothing behind them that could be passed over.
        let why = || format!("records without a readable `{wire}`, by which changes are followed");
        return if last { Ok(at.clone()) } else { Err(why()) };
    };
    let newest = times.next_back().unwrap_or(first);
    // Sorted by the shop; if it were not, records would be passed over.
    if let Some(second) = before(at)
        && newest < second
    {
        return Err("records that are not sorted by their time of change".to_owned());
    }
    if first > newest {
        return Err("records that are not sorted by their time of change".to_owned());
    }
    if last || first < newest {
        return Ok(At::Second(newest));
    }
    // A full page of one second.
    let ids: Vec<String> = rows.iter().filter_map(|row| json::member(&row.0, "id")).collect();
    Ok(match at {
        At::Within(second, seen) if *second == newest => {
            let all: Vec<String> = seen.iter().cloned().chain(ids).collect();
            if all.len() > EXCLUDED_MAX { At::Counted(newest, all.len()) } else { At::Within(newest, all) }
        }
        At::Counted(second, count) if *second == newest => {
            At::Counted(newest, count.saturating_sub(OFFSET_OVERLAP) + rows.len())
        }
        At::Start | At::Second(_) | At::Within(..) | At::Counted(..) | At::Row(_) => At::Within(newest, ids),
    })
}

fn before(at: &At) -> Option<Timestamp> {
    match at {
        At::Second(second) | At::Within(second, _) | At::Counted(second, _) => {
            second.checked_sub(SignedDuration::from_secs(1)).ok()
        }
        At::Start | At::Row(_) => None,
    }
}

/// A list without times of change, all of it in each pass.
async fn whole(shop: &Shop, scan: &Scan, (route, query): (&str, Query), from: &Position) -> Result<Page, CallError> {
    let row = match At::read(from) {
        At::Row(row) => row,
        At::Start | At::Second(_) | At::Within(..) | At::Counted(..) => 0,
    };
    let (Rows { read: rows, unreadable }, asked) = shop
        .list(route, |rows| {
            let mut query = query.clone();
            let mut add = |name: &str, value: String| query.push((name.to_owned(), value));
            add("orderby", "id".to_owned());
            add("order", "asc".to_owned());
            add("per_page", rows.to_string());
            if row > 0 {
                add("offset", row.to_string());
            }
            query
        })
        .await?;
    // A resource without pages answers more than was asked, and the same to each page.
    let count = rows.len() + unreadable.len();
    let last = count != asked as usize;
    let next = if last { At::Row(0) } else { At::Row(row + count) };
    Ok(Page { records: kept(scan, rows), unreadable, next: next.write(), last })
}

/// What fits the conditions: a shop answers everything to a filter that it does not know.
fn kept(scan: &Scan, rows: Vec<Raw>) -> Vec<Raw> {
    let fits = |row: &Raw| scan.filter.iter().all(|condition| answers(&scan.entity, row, condition));
    rows.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u32, time: &str) -> Raw {
        Raw(format!(r#"{{"id":{id},"date_modified_gmt":"{time}"}}"#).into())
    }

    const MODIFIED: Time<'static> = Time { wire: "date_modified_gmt", after: "modified_after", order: "modified" };

    const WIRE: (&str, Timestamp) = (MODIFIED.wire, Timestamp::MAX);

    fn at(text: &str) -> At {
        At::read(&Position(text.to_owned()))
    }

    #[test]
    fn positions_come_back_as_they_were_written() {
        for text in ["", "2026-03-01T12:00:00", "2026-03-01T12:00:00|7,8", "2026-03-01T12:00:00|#500", "row:300"] {
            assert_eq!(at(text).write().0, text);
        }
        assert_eq!(at("nonsense"), At::Start);
    }

    #[test]
    fn a_page_leads_to_its_last_second() {
        let rows = [row(1, "2026-03-01T12:00:00"), row(2, "2026-03-01T12:00:05")];
        let next = advance(&At::Start, &rows, WIRE, false).unwrap();
        assert_eq!(next, at("2026-03-01T12:00:05"));
        let query = with(&[], &MODIFIED, 100, &next);
        assert!(query.contains(&("modified_after".to_owned(), "2026-03-01T12:00:04".to_owned())));
        assert_eq!(advance(&next, &[], WIRE, true).unwrap(), next);
    }

    #[test]
    fn a_second_of_many_records_is_walked_by_id_and_then_by_number() {
        let second = "2026-03-01T12:00:00";
        let rows: Vec<Raw> = (1..=300).map(|id| row(id, second)).collect();
        let within = advance(&at(second), &rows[..2], WIRE, false).unwrap();
        assert_eq!(within.write().0, "2026-03-01T12:00:00|1,2");
        assert!(with(&[], &MODIFIED, 2, &within).contains(&("exclude".to_owned(), "1,2".to_owned())));
        let counted = advance(&within, &[rows.clone(), rows.clone()].concat(), WIRE, false).unwrap();
        assert_eq!(counted.write().0, "2026-03-01T12:00:00|#602");
        assert!(with(&[], &MODIFIED, 2, &counted).contains(&("offset".to_owned(), "582".to_owned())));
        let short = advance(&within, &rows[2..3], WIRE, true).unwrap();
        assert_eq!(short, at(second), "the next pass reads the second again, whoever was seen");
    }

    #[test]
    fn what_is_not_sorted_or_has_no_time_is_not_passed_over() {
        let back = [row(1, "2026-03-01T12:00:05"), row(2, "2026-03-01T12:00:00")];
        assert!(advance(&At::Start, &back, WIRE, false).is_err());
        assert!(advance(&At::Start, &[Raw(r#"{"id":1}"#.into())], WIRE, false).is_err());
    }

    #[test]
    fn a_wrong_time_hides_nothing_behind_it() {
        let rows = [row(1, "2026-03-01T12:00:00"), row(2, "2026-03-01T12:00:05"), row(3, "0000-00-00T00:00:00")];
        assert_eq!(advance(&At::Start, &rows, WIRE, false).unwrap(), at("2026-03-01T12:00:05"));
        let ahead = [row(1, "2026-03-01T12:00:00"), row(2, "2036-01-01T00:00:00")];
        let now = "2026-03-01T13:00:00Z".parse().unwrap();
        assert_eq!(advance(&At::Start, &ahead, (MODIFIED.wire, now), true).unwrap(), at("2026-03-01T13:00:00"));
        let none = [row(1, "")];
        assert_eq!(advance(&At::Start, &none, WIRE, true).unwrap(), At::Start, "it is looked at again next time");
    }
}
