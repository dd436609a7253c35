//! Rows that a shop counts and does not show: its key's user may not read them, or it fails to load them. Each run of them
//! is told as a row that cannot be read, by the row behind which it stands, so that it is the same in each pass whatever
//! the pages are; and with the time at which to look for it, since its page is another one tomorrow.
//!
//! A count moves while people edit: what is missing must be missing when the page is read once more, and at the end of a
//! list nothing is while the total moves.

use super::Shop;
use super::list::{self, Ask, At, Listed};
use super::position::{Look, Stand, Trail, civil};
use super::scan::{HOUR, Reader};
use crate::connector::{CallError, Raw, Unreadable};
use jiff::Timestamp;

/// Times that a page is read until what it counts and what it shows agree, or what is missing has a place.
const TRIES: u32 = 3;
/// Rows of one page that are not shown, beyond which each has no place of its own: the key lacks a right.
const MANY: usize = 10;
/// Calls for the places of what one page does not show; what has none by then is told with the row before its piece.
const CALLS_MAX: u32 = 60;
/// Rows that are looked through for the one before a list begins.
const BEFORE_ROWS: u32 = 10;
/// Pages that are looked through for it.
const BACK_MAX: usize = 10;

/// A row that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) key: String,
    pub(super) time: Option<Timestamp>,
}

/// What stands at a place of a list.
enum Cell {
    Shown(Mark),
    Hidden(usize),
}

/// Rows that are not shown, between two that are.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) count: usize,
    pub(super) behind: Option<Mark>,
    pub(super) before: Option<Mark>,
    at: At,
}

impl Reader<'_> {
    /// A page and what it does not show. `sure` takes what is missing at the end for hidden though the total moves.
    pub(super) async fn counted(
        &self,
        ask: &Ask,
        mut trail: Trail,
        mut listed: Listed,
        sure: bool,
    ) -> Result<(Listed, Trail, Vec<Run>), CallError> {
        let mut steady = trail.total.is_none_or(|total| listed.total == Some(total));
        let mut cells = None;
        for _ in 0..TRIES {
            if listed.hidden == 0 || !self.has_ids() {
                break;
            }
            // A page that was read in pieces is gone through piece by piece.
            let again = list::page(self.shop, ask, listed.from).await?;
            steady &= again.total == listed.total;
            listed = again;
            if listed.hidden == 0 {
                break;
            }
            if listed.hidden > MANY && !listed.rows.is_empty() {
                return self.many(ask, trail, listed).await;
            }
            let found = self.cells(ask, &listed).await?;
            if found.iter().any(|cell| matches!(cell, Cell::Hidden(_))) {
                cells = Some(found);
                break;
            }
        }
        let cells = cells.unwrap_or_else(|| self.coarse(&listed));
        let mut runs = trail.walk(cells, listed.from, listed.last && (steady || sure));
        trail.total = listed.total;
        for run in runs.iter_mut().filter(|run| run.behind.is_none()) {
            run.behind = self.predecessor(ask, &listed).await?;
        }
        Ok((listed, trail, runs))
    }

    /// A page of which so much is not shown that all from there on is told as one.
    async fn many(&self, ask: &Ask, trail: Trail, listed: Listed) -> Result<(Listed, Trail, Vec<Run>), CallError> {
        let behind = match trail.last {
            Some(mark) => Some(mark),
            None => self.predecessor(ask, &listed).await?,
        };
        let last = listed.rows.read.iter().rev().find_map(|row| self.mark(row)).or_else(|| behind.clone());
        let run = Run { count: 0, behind, before: None, at: listed.from };
        let trail = Trail { last, open: 0, total: listed.total };
        Ok((listed, trail, vec![run]))
    }

    /// What stands on a page of which no place is known for what is missing: at its end, where a total may be wrong; else
    /// before all that it shows.
    fn coarse(&self, listed: &Listed) -> Vec<Cell> {
        let shown = listed.rows.read.iter().filter_map(|row| self.mark(row)).map(Cell::Shown);
        let hidden = (listed.hidden > 0 && self.has_ids()).then_some(Cell::Hidden(listed.hidden));
        let (front, end) = if listed.last { (None, hidden) } else { (hidden, None) };
        front.into_iter().chain(shown).chain(end).collect()
    }

    /// Whether rows are named by what lists are asked for.
    fn has_ids(&self) -> bool {
        let key = self.scan.entity.key.map(|key| &*self.scan.entity.get(key).wire);
        key == Some("id")
    }

    pub(super) fn mark(&self, row: &Raw) -> Option<Mark> {
        let time = self.time.as_ref().and_then(|time| time.read(row));
        Some(Mark { key: row.member("id")?, time })
    }

    /// The same list, of each row only what names it.
    pub(super) fn light(&self, ask: &Ask) -> Ask {
        ask.with("_fields", self.time.as_ref().map_or("id".to_owned(), |time| format!("id,{}", time.wire)))
    }

    /// What stands at each place of a page: it is halved where less is shown than counted.
    async fn cells(&self, ask: &Ask, listed: &Listed) -> Result<Vec<Cell>, CallError> {
        let light = self.light(ask);
        let (mut cells, mut left, mut calls) = (Vec::new(), vec![listed.from], 0);
        while let Some(piece) = left.pop() {
            let (rows, extent) = list::tried(self.shop, &light, piece).await?;
            calls += 1;
            let before = (piece.number as usize - 1) * piece.size as usize;
            let due = extent.total().map_or(0, |total| total.saturating_sub(before).min(piece.size as usize));
            let missing = due.saturating_sub(rows.len());
            if missing > 0 && !rows.is_empty() && calls < CALLS_MAX && piece.size > 1 {
                let first = piece.of(list::fitting(piece.size, piece.size - 1));
                left.extend(
                    (first.number..first.number + piece.size / first.size).rev().map(|number| At { number, ..first }),
                );
                continue;
            }
            cells.extend((missing > 0).then_some(Cell::Hidden(missing)));
            cells.extend(rows.read.iter().filter_map(|row| self.mark(row)).map(Cell::Shown));
        }
        Ok(cells)
    }

    /// The row before a page: where a list of changes begins, the newest one that is not in it.
    async fn predecessor(&self, ask: &Ask, listed: &Listed) -> Result<Option<Mark>, CallError> {
        let light = self.light(ask);
        for number in (1..listed.from.number).rev().take(BACK_MAX) {
            let (rows, _) = list::tried(self.shop, &light, At { number, ..listed.from }).await?;
            if let Some(mark) = rows.read.last().and_then(|row| self.mark(row)) {
                return Ok(Some(mark));
            }
        }
        let Some(time) = self.time.as_ref().filter(|time| ask.query.get(time.after).is_some()) else { return Ok(None) };
        let query = light.query.clone().without(time.after).without("dates_are_gmt").with("order", "desc");
        let total = u32::try_from(listed.total.unwrap_or(listed.rows.len())).unwrap_or(u32::MAX);
        let (older, keys) = (Ask { query, ..light }, list::keys(&listed.rows));
        let mut at = At { number: total / BEFORE_ROWS + 1, size: BEFORE_ROWS };
        for _ in 0..BACK_MAX {
            let (rows, _) = list::tried(self.shop, &older, at).await?;
            let mut marks = rows.read.iter().filter_map(|row| self.mark(row));
            if let Some(mark) = marks.find(|mark| !keys.contains(&mark.key)) {
                return Ok(Some(mark));
            }
            at = at.next();
        }
        Ok(None)
    }

    /// Runs as rows that cannot be read.
    pub(super) fn told(&self, runs: &[Run], newest: Option<Timestamp>) -> Vec<Unreadable> {
        runs.iter().map(|run| self.tell(run, newest)).collect()
    }

    fn tell(&self, run: &Run, newest: Option<Timestamp>) -> Unreadable {
        if run.count == 0 {
            let from = run.behind.as_ref().and_then(|mark| mark.time);
            return self.tell_many(&Look { from, to: None, at: run.at, behind: None, count: 0 });
        }
        let key = |mark: &Option<Mark>| mark.as_ref().map(|mark| mark.key.clone());
        let time = |mark: &Option<Mark>| mark.as_ref().and_then(|mark| mark.time);
        // What stands at the end is no newer than now, by whichever clock.
        let now = newest.max(Some(self.shop.clock.moment().theirs));
        let now = now.and_then(|now| now.checked_add(self.shop.overlap).ok());
        let look = Look {
            from: time(&run.behind),
            to: self.time.as_ref().and(time(&run.before).or(now)),
            at: run.at,
            behind: key(&run.behind),
            count: run.count,
        };
        let named = |mark: &Option<Mark>, none: &str| match mark {
            Some(Mark { key, time: Some(time) }) => format!("{key} (of {}Z)", civil(*time)),
            Some(Mark { key, time: None }) => key.clone(),
            None => none.to_owned(),
        };
        let order = if self.time.is_some() { "their times" } else { "their keys" };
        let why = format!(
            "in the order of {order} the shop counts {} of its {} between {} and {}, and shows none of them: the key's user \
             may not read them, or the shop fails to load them. Look there for records of that time, and give the key's user \
             the role of a shop manager",
            run.count,
            self.ask.route,
            named(&run.behind, "the beginning"),
            named(&run.before, "the end"),
        );
        self.missing(&look, why)
    }

    /// The row that stands for so many hidden ones that they are told as one, whatever their number is by now.
    pub(super) fn tell_many(&self, look: &Look) -> Unreadable {
        let from = look.from.map_or_else(|| "the beginning".to_owned(), |from| format!("{}Z", civil(from)));
        let why = format!(
            "the shop counts many more of its {} than it shows, from {from} on: the key's user may not read them, or the \
             shop fails to load them. Give the key's user the role of a shop manager",
            self.ask.route
        );
        let text = serde_json::json!({"list": self.ask.route, "many": true});
        let page = Stand { look: Some(look.clone()), ..Stand::default() }.write();
        Unreadable { key: None, text: Some(text.to_string().into()), why, page: Some(page) }
    }

    /// The row that stands for hidden ones. Its text is what it is known by: that of one pass must be that of the next.
    pub(super) fn missing(&self, look: &Look, why: String) -> Unreadable {
        let text = serde_json::json!({
            "list": self.ask.route, "behind": look.behind, "counted": look.count, "shown": 0
        });
        let page = Stand { look: Some(look.clone()), ..Stand::default() }.write();
        Unreadable { key: None, text: Some(text.to_string().into()), why, page: Some(page) }
    }
}

impl Trail {
    /// Goes on over a page; the runs that end on it, or with the list.
    fn walk(&mut self, cells: Vec<Cell>, at: At, ends: bool) -> Vec<Run> {
        let mut runs = Vec::new();
        for cell in cells {
            match cell {
                Cell::Hidden(count) => self.open += count,
                Cell::Shown(mark) => {
                    let behind = self.last.replace(mark.clone());
                    let count = std::mem::take(&mut self.open);
                    if count > 0 {
                        runs.push(Run { count, behind, before: Some(mark), at });
                    }
                }
            }
        }
        if ends && self.open > 0 {
            let count = std::mem::take(&mut self.open);
            runs.push(Run { count, behind: self.last.clone(), before: None, at });
        }
        runs
    }
}

impl Look {
    /// Whether all from there on is looked through, since too much is not shown to have places of its own.
    pub(super) fn is_many(&self) -> bool {
        self.count == 0 && self.to.is_none()
    }

    /// Whether a run may be the one that is looked for.
    pub(super) fn covers(&self, run: &Run) -> bool {
        let time = |mark: &Option<Mark>| mark.as_ref().and_then(|mark| mark.time);
        let starts = time(&run.behind).zip(self.to).is_none_or(|(behind, to)| behind <= to);
        starts && time(&run.before).zip(self.from).is_none_or(|(before, from)| before >= from)
    }

    /// Whether a time lies behind all that is looked for. Rows may be sorted by a clock that is set back by an hour.
    pub(super) fn is_before(&self, time: Timestamp) -> bool {
        self.to.is_some_and(|to| time.duration_since(to) > HOUR)
    }
}

/// The page of a list without times that holds the row behind which something is not shown.
pub(super) async fn first_page(shop: &Shop, ask: &Ask, look: &Look) -> Result<At, CallError> {
    let Some(behind) = look.behind.as_ref().and_then(|key| key.parse::<u64>().ok()) else {
        return Ok(At::first(look.at.size));
    };
    let mut at = look.at;
    // What was deleted before it moves it to an earlier page.
    while at.number > 1 {
        let (rows, _) = list::tried(shop, &ask.with("_fields", "id"), at).await?;
        let first = rows.read.first().and_then(|row| row.member("id")?.parse::<u64>().ok());
        if first.is_some_and(|first| first <= behind) {
            break;
        }
        at.number -= 1;
    }
    Ok(at)
}
