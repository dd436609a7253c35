//! Reading what has changed.
//!
//! A pass asks for the changes after a second, in their order, and walks the pages of that list. What it asks with was
//! measured in four zones and in the nights of their clocks: UTC digits without a zone and `dates_are_gmt` are right, but
//! for digits that no clock of the shop shows in spring, which mean an hour later. So each list begins more than an hour
//! before what was reached, and shows what is known once more; a list that does not is asked to account for it.
//!
//! Rows need not come in the order of their times in UTC (products are sorted by the shop's clock), so that only their
//! maximum is believed. A list moves under the reader's hands: of each page behind the first it is seen that none of its
//! rows has moved to the page before. What has no time of change (customers) is walked whole, in the order of ids.

use super::below::with_those_below;
use super::clocks::Noted;
use super::hidden::Mark;
use super::list::{self, Ask, At, Listed};
use super::position::{Stand, Trail, Walk, civil, second_of};
use super::query::{self, Query};
use super::{Shop, filter, narrow};
use crate::connector::http::Effect;
use crate::connector::{CallError, Find, Page, Position, Presence, Raw, Rows, Scan, answers, named};
use jiff::{SignedDuration, Timestamp};

/// More than the hour by which digits may be misread in a night of spring.
pub(super) const HOUR: SignedDuration = SignedDuration::from_secs(3_600);
/// Keys of a page by which it is known again.
const SEEN: usize = 10;
/// Pages that a walk may go back. A list that moves more than that cannot be read.
const BACK_MAX: u32 = 200;
/// Records that no list can show; more of them are no records' fault.
const ALONE_MAX: usize = 50;
/// Rows that are remembered as shown.
const SHOWN: usize = 5;

/// A time by which a list is walked.
pub(super) struct Time<'e> {
    /// The member of a record. The one in UTC: the local one occurs twice in an autumn night.
    pub(super) wire: &'e str,
    /// The parameter that takes the time behind which is read.
    pub(super) after: &'e str,
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

    pub(super) fn read(&self, row: &Raw) -> Option<Timestamp> {
        second_of(&row.member(self.wire)?)
    }
}

/// Where a pass begins: a walk that did not come to its end begins anew. What is read from another moment is read from
/// there, and what was shown before is known all the same.
pub(super) fn resumed(stored: &Position, anew: bool) -> Position {
    let stand = Stand { walk: None, ..Stand::read(stored) };
    if anew { Stand { alone: stand.alone, shown: stand.shown, ..Stand::default() } } else { stand }.write()
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
    let mut query = query::conditions(query::always(&route), &scan.entity, &scan.filter);
    if let Some(fields) = query::fields(&scan.entity, &scan.names()) {
        query.set("_fields", fields);
    }
    let own = scan.entity.route.as_deref().filter(|own| !own.contains('{')).map(str::to_owned);
    let time = feed.and_then(|feed| Time::of(&scan.entity.get(feed.by).wire, &feed.since));
    let ask = Ask { route, query, own, keys: None };
    let reader = Reader { shop, scan, ask, time };
    let mut stand = Stand::read(from);
    let page = match stand.look.take() {
        Some(look) => reader.look(look, from).await?,
        None => reader.next(stand).await?,
    };
    let rows = Rows { read: page.records, unreadable: page.unreadable };
    let Rows { read: records, unreadable } =
        with_those_below(shop, (&scan.entity, &scan.names()), &scan.filter, rows).await?;
    Ok(Page { records, unreadable, ..page })
}

async fn only(shop: &Shop, scan: &Scan, from: &Position) -> Result<Page, CallError> {
    let find = Find {
        entity: scan.entity.clone(),
        fields: scan.names(),
        by: scan.entity.key,
        values: scan.only.clone(),
        parts: Vec::new(),
    };
    let Rows { read: records, mut unreadable } = filter::find(shop, &find).await?;
    // Whoever names records asks for each that is not here by its own address: a row without a name tells nothing more.
    unreadable.retain(|row| row.key.is_some());
    Ok(Page { records, unreadable, next: from.clone(), last: true })
}

/// One page of one scan.
pub(super) struct Reader<'a> {
    pub(super) shop: &'a Shop,
    pub(super) scan: &'a Scan,
    pub(super) ask: Ask,
    pub(super) time: Option<Time<'a>>,
}

impl Reader<'_> {
    async fn next(&self, mut stand: Stand) -> Result<Page, CallError> {
        let mut rows = Rows::default();
        let (begins, mut walk) = match stand.walk.take() {
            Some(walk) => (false, walk),
            None => {
                self.alone(&mut stand, &mut rows).await?;
                (true, self.begun(&stand))
            }
        };
        let mut ask = Ask { query: self.query(&stand, &walk), ..self.ask.clone() };
        let (mut listed, mut back) = self.page(&ask, &walk).await?;
        // The shop's clock is known by its answer.
        if begins && self.set_back(&mut stand) {
            walk = self.begun(&stand);
            ask.query = self.query(&stand, &walk);
            (listed, back) = self.page(&ask, &walk).await?;
        }
        // What was read of the page before is not behind a row that has moved to it.
        let trail = if back > 0 { Trail::default() } else { walk.trail.clone() };
        let (listed, trail, mut runs) = self.counted(&ask, trail, listed, false).await?;
        runs.retain(|run| {
            run.before.as_ref().and_then(|mark| mark.time).is_none_or(|time| self.is_due(time, stand.reached))
        });
        let walk = Walk { at: listed.at, back: walk.back + back, ..walk };
        if walk.back > BACK_MAX {
            return Err(self.garbled(format!("a list of {} that moves faster than it can be read", self.ask.route)));
        }
        if walk.at.number == 1 {
            self.accounts(&ask, &walk, &listed).await?;
            self.may_know_nothing(&ask, &walk, &listed, &mut stand).await?;
        }
        if listed.hidden > 0 {
            self.shop.remark(format!(
                "it counts more {} than it shows: some that the key's user may not read, or that it cannot load; they are told \
                 as rows that cannot be read",
                self.ask.route
            ));
        }
        let reached = stand.reached;
        let newest = walk.newest.max(self.times(&listed.rows.read).into_iter().max());
        rows.unreadable.extend(self.told(&runs, newest));
        let last = self.advance(&mut stand, walk, &listed, trail)?;
        rows.extend(self.led_back(named(listed.rows, &self.scan.entity), listed.from));
        let records = rows.read.into_iter().filter(|row| self.wanted(row, reached)).collect();
        Ok(Page { records, unreadable: rows.unreadable, next: stand.write(), last })
    }

    /// What no list can show is asked for by itself; what can be read again is left out no longer.
    async fn alone(&self, stand: &mut Stand, rows: &mut Rows) -> Result<(), CallError> {
        for key in std::mem::take(&mut stand.alone) {
            match narrow::alone(self.shop, &self.ask, &key).await? {
                Some(Presence::Found(raw)) => rows.read.push(raw),
                Some(Presence::Gone(_)) | None => {}
                Some(Presence::Unreadable(row)) => {
                    rows.unreadable.push(row);
                    stand.alone.push(key);
                }
            }
        }
        Ok(())
    }

    /// A pass begins before what was reached: a record has its time of change before it is saved, and two web servers have
    /// two clocks.
    fn begun(&self, stand: &Stand) -> Walk {
        self.shop.larger_pages();
        let known = self.time.as_ref().and(stand.reached);
        let from = known.or_else(|| self.time.as_ref().and(self.scan.since));
        Walk { after: from.map(|from| self.before(from)), known, ..Walk::first(At::first(self.shop.page_rows())) }
    }

    /// Sets a position back that the shop's clock, set back itself, no longer leads to; whether it was. The clocks are noted
    /// for the next pass.
    fn set_back(&self, stand: &mut Stand) -> bool {
        if self.time.is_none() {
            return false;
        }
        let now = Noted::now(&self.shop.clock);
        let then = stand.noted.replace(now.clone());
        let Some(reached) = stand.reached else { return false };
        let Some(earlier) = now.set_back(reached, then.as_ref()) else { return false };
        self.shop.remark(format!(
            "its clock was set back since it was last read: {} are read again from {}Z on, since what changed meanwhile has \
             times of before; see that its clock is right",
            self.ask.route,
            civil(self.before(earlier))
        ));
        stand.reached = Some(earlier);
        true
    }

    /// So far before a second that nothing behind it can be missed.
    fn before(&self, second: Timestamp) -> Timestamp {
        second.checked_sub(HOUR + self.shop.overlap).unwrap_or(Timestamp::MIN)
    }

    /// The times of change of these rows, in their order.
    pub(super) fn times(&self, rows: &[Raw]) -> Vec<Timestamp> {
        self.time.iter().flat_map(|time| rows.iter().filter_map(|row| time.read(row))).collect()
    }

    pub(super) fn query(&self, stand: &Stand, walk: &Walk) -> Query {
        let mut query = self.ask.query.clone();
        query.set("orderby", self.time.as_ref().map_or("id", |time| time.order));
        query.set("order", "asc");
        if let (Some(time), Some(after)) = (&self.time, walk.after) {
            query.set(time.after, civil(after));
            query.set("dates_are_gmt", "true");
        }
        if !stand.alone.is_empty() {
            query.set("exclude", stand.alone.join(","));
        }
        query
    }

    /// The page that comes next, or the one into which its rows have moved, and how many pages that lies back.
    async fn page(&self, ask: &Ask, walk: &Walk) -> Result<(Listed, u32), CallError> {
        let (mut at, mut back) = (walk.at, 0);
        loop {
            let listed = list::page(self.shop, ask, at).await?;
            if listed.from.number == 1
                || walk.seen.is_empty()
                || (back > 0 && self.marks(&listed.rows).any(|mark| walk.seen.contains(&mark)))
            {
                return Ok((listed, back));
            }
            let before = At { number: listed.from.number - 1, ..listed.from };
            if back == 0 {
                let (rows, _) = list::tried(self.shop, &self.light(ask), before).await?;
                if self.marks(&rows).last().is_some_and(|last| walk.seen.contains(&last)) {
                    return Ok((listed, 0));
                }
            }
            at = before;
            back += 1;
        }
    }

    /// The position behind a page, and whether it was the last.
    fn advance(&self, stand: &mut Stand, mut walk: Walk, listed: &Listed, trail: Trail) -> Result<bool, CallError> {
        let new: Vec<String> = listed.dead.iter().filter(|key| !stand.alone.contains(key)).cloned().collect();
        if !new.is_empty() {
            stand.alone.extend(new);
            if stand.alone.len() > ALONE_MAX {
                return Err(self.garbled(format!("more than {ALONE_MAX} records that it cannot show")));
            }
            // Without them the rows of this page are others.
            stand.walk = Some(walk);
            return Ok(false);
        }
        walk.trail = trail;
        let mut shown = list::keys(&listed.rows);
        shown.retain(|key| !stand.alone.contains(key));
        if !shown.is_empty() {
            stand.shown = shown.split_off(shown.len().saturating_sub(SHOWN));
        }
        if self.time.is_none() {
            stand.whole = listed.last;
            stand.walk = (!listed.last).then(|| self.next_page(walk, listed));
            return Ok(listed.last);
        }
        let times = self.times(&listed.rows.read);
        // The first page of a list that begins anew shows rows of before.
        let before = walk.newest.filter(|_| listed.from.number > 1);
        walk.sorted &= before.iter().chain(&times).is_sorted();
        walk.newest = walk.newest.max(times.iter().max().copied());
        // A clock of the shop that is ahead would hide what changes after it has been put right.
        let now = self.shop.clock.moment();
        let newest = walk.newest.map(|newest| newest.min(now.ours).min(now.theirs));
        if listed.last || walk.sorted {
            stand.reached = stand.reached.or(self.scan.since).max(newest);
        }
        if listed.last {
            return Ok(true);
        }
        // Where half of the page lies before what is read twice, the list begins anew behind it: so that it cannot move.
        let anew = walk.newest.map(|newest| self.before(newest)).filter(|anew| {
            walk.sorted && times.get(times.len() / 2).is_some_and(|half| half <= anew) && walk.after < Some(*anew)
        });
        stand.walk = Some(match anew {
            Some(anew) => Walk {
                after: Some(anew),
                known: walk.newest,
                at: At::first(self.shop.page_rows()),
                seen: Vec::new(),
                trail: Trail::default(),
                ..walk
            },
            None => self.next_page(walk, listed),
        });
        Ok(false)
    }

    fn next_page(&self, walk: Walk, listed: &Listed) -> Walk {
        let mut seen: Vec<Mark> = if listed.nameless { Vec::new() } else { self.marks(&listed.rows).collect() };
        seen.drain(..seen.len().saturating_sub(SEEN));
        Walk { at: walk.at.next(), seen, ..walk }
    }

    /// Rows by what they are known by; those that cannot be read have no time.
    fn marks<'r>(&'r self, rows: &'r Rows) -> impl Iterator<Item = Mark> + 'r {
        let unreadable = rows.unreadable.iter().filter_map(|row| Some(Mark { key: row.key.clone()?, time: None }));
        rows.read.iter().filter_map(|row| self.mark(row)).chain(unreadable)
    }

    /// What fits the conditions (a shop answers everything to a filter that it does not know), and changed at or after the
    /// moment from which is read.
    pub(super) fn wanted(&self, row: &Raw, reached: Option<Timestamp>) -> bool {
        let changed = self.time.as_ref().and_then(|time| time.read(row));
        self.fits(row) && changed.is_none_or(|changed| self.is_due(changed, reached))
    }

    /// Whether a row is one of those that are asked for.
    pub(super) fn fits(&self, row: &Raw) -> bool {
        self.scan.filter.iter().all(|condition| answers(&self.scan.entity, row, condition))
    }

    /// Whether a change lies behind the moment from which is read.
    fn is_due(&self, changed: Timestamp, reached: Option<Timestamp>) -> bool {
        self.scan.since.is_none_or(|since| changed >= reached.map_or(since, |reached| reached.min(since)))
    }

    pub(super) fn garbled(&self, what: String) -> CallError {
        self.shop.http.garbled(what, Effect::Read)
    }
}
