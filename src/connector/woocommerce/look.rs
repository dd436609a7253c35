//! Looking again where a list did not show all that it counts: the rows of that time, whatever the pages are by now.

use super::hidden::{self, Run};
use super::list::{self, Ask, At};
use super::position::{Look, Stand, Trail, Walk, second_of};
use super::scan::{HOUR, Reader};
use crate::connector::{CallError, Page, Position, Raw, Rows, Unreadable, named};
use crate::limits;
use jiff::{SignedDuration, Timestamp};

/// Pages that one look may take. What lies among more rows stays as it was told.
const PAGES_MAX: usize = 50;

impl Reader<'_> {
    /// All that is shown at that time by now, and what still is not.
    pub(super) async fn look(&self, look: Look, from: &Position) -> Result<Page, CallError> {
        let walk = Walk { after: look.from.map(before), ..Walk::first(At::first(self.shop.page_rows())) };
        let ask = Ask { query: self.query(&Stand::default(), &walk), ..self.ask.clone() };
        let mut at = if self.time.is_some() { walk.at } else { hidden::first_page(self.shop, &ask, &look).await? };
        let (mut rows, mut trail, mut near) = (Rows::default(), Trail::default(), Near::new(&look));
        let (mut ends, mut hides, many) = (false, false, look.is_many());
        for _ in 0..if many || look.count > 0 { PAGES_MAX } else { limits::SEARCH_PAGES_MAX } {
            let mut listed = list::page(self.shop, &ask, at).await?;
            hides |= listed.hidden > 0;
            if !many {
                let runs;
                (listed, trail, runs) = self.counted(&ask, trail, listed, true).await?;
                let runs: Vec<Run> = runs.into_iter().filter(|run| look.covers(run)).collect();
                rows.unreadable.extend(self.told(&runs, None));
            }
            let times: Vec<Timestamp> = self.times(&listed.rows.read);
            let read = named(listed.rows, &self.scan.entity);
            rows.unreadable
                .extend(self.led_back(Rows { read: Vec::new(), unreadable: read.unreadable }, at).unreadable);
            rows.read.extend(read.read.into_iter().filter(|row| near.takes(row, self)));
            let behind = || times.last().is_none_or(|last| look.is_before(*last)) && near.is_done();
            ends = listed.last || (!many && trail.open == 0 && behind());
            if ends {
                break;
            }
            at = listed.at.next();
        }
        rows.unreadable.extend(self.still(&look, hides, ends)?);
        let records = rows.read.into_iter().filter(|row| self.wanted(row, None)).collect();
        Ok(Page { records, unreadable: rows.unreadable, next: from.clone(), last: true })
    }

    /// What is told once more, as it was: of many hidden rows while any is, and of what lies beyond the pages of a look.
    fn still(&self, look: &Look, hides: bool, ends: bool) -> Result<Option<Unreadable>, CallError> {
        let route = &self.ask.route;
        if look.is_many() {
            return Ok((hides || !ends).then(|| self.tell_many(look)));
        }
        if ends {
            return Ok(None);
        }
        if look.count == 0 {
            let what = format!("more than {} pages of {route} of one time", limits::SEARCH_PAGES_MAX);
            return Err(self.garbled(what));
        }
        let why = format!("more than {PAGES_MAX} pages of {route} are of the time of what the shop does not show");
        Ok(Some(self.missing(look, why)))
    }

    /// Rows of a list of changes that show no key, with the time that leads back to them: their page is another tomorrow.
    pub(super) fn led_back(&self, mut rows: Rows, at: At) -> Rows {
        let Some(time) = &self.time else { return rows };
        for row in rows.unreadable.iter_mut().filter(|row| row.key.is_none() && row.page.is_none()) {
            if let Some(its) = row.value(time.wire).and_then(|text| second_of(&text)) {
                let look = Look { from: Some(its), to: Some(its), at, behind: None, count: 0 };
                row.page = Some(Stand { look: Some(look), ..Stand::default() }.write());
            }
        }
        rows
    }
}

/// So far before a row that a list begins before it in a night of spring, too.
fn before(time: Timestamp) -> Timestamp {
    time.checked_sub(HOUR + SignedDuration::from_secs(1)).unwrap_or(Timestamp::MIN)
}

/// The rows among which what was hidden is now shown: those of its time, and those behind the row behind which it stood.
struct Near<'l> {
    look: &'l Look,
    left: usize,
}

impl<'l> Near<'l> {
    fn new(look: &'l Look) -> Self {
        Self { look, left: 0 }
    }

    fn takes(&mut self, row: &Raw, reader: &Reader<'_>) -> bool {
        let time = reader.time.as_ref().and_then(|time| time.read(row));
        if row.member("id") == self.look.behind {
            self.left = self.look.count + 1;
        } else if self.left > 0 {
            self.left -= 1;
            return true;
        }
        time.is_none_or(|time| !self.look.is_before(time))
    }

    fn is_done(&self) -> bool {
        self.left == 0
    }
}
