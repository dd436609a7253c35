//! How far a shop has been read. Between passes that is a second: all that changed before it has been read. Within a pass
//! it is also the page that comes next, of a list that stays the same while it is walked.

use super::clocks::Noted;
use super::hidden::Mark;
use super::list;
use crate::connector::Position;
use jiff::Timestamp;
use jiff::civil::DateTime;

/// A list without times has been read to its end: the next pass reads all of it again.
const WHOLE: &str = "whole";

/// How far a feed has been read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stand {
    /// All that changed before this second has been read. Never later than now, by the shop's clock and by ours.
    pub(super) reached: Option<Timestamp>,
    /// The clocks when the last pass began: the shop's may be set back.
    pub(super) noted: Option<Noted>,
    /// Records that no list can show: lists are asked to leave them out, and they are asked for alone.
    pub(super) alone: Vec<String>,
    /// Records that were shown last, by which an empty list is told from one that fails.
    pub(super) shown: Vec<String>,
    /// Within a pass.
    pub(super) walk: Option<Walk>,
    /// It is no position of a reading: here the shop does not show all that it counts.
    pub(super) look: Option<Look>,
    /// It has no times: nothing was reached, and all was read.
    pub(super) whole: bool,
}

/// A walk through a list of changes, by its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// What changed after this second is in the list; none: all.
    pub(super) after: Option<Timestamp>,
    /// Rows up to this second are known to lie in the list: they must be seen again.
    pub(super) known: Option<Timestamp>,
    /// The newest change seen, whatever the time is here.
    pub(super) newest: Option<Timestamp>,
    /// All rows came in the order of their times.
    pub(super) sorted: bool,
    /// The page that comes next.
    pub(super) at: list::At,
    /// The rows at the end of the page before it, by which is seen that none has moved over to it: one that has changed is
    /// another row, wherever it stands by now.
    pub(super) seen: Vec<Mark>,
    /// Pages that it has gone back, since rows had moved.
    pub(super) back: u32,
    /// What was shown last, and what is not shown behind it.
    pub(super) trail: Trail,
}

/// The end of what was read of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    /// The last row that was shown.
    pub(super) last: Option<Mark>,
    /// Rows behind it that are counted and not shown.
    pub(super) open: usize,
    /// Rows of the list, as its last page told.
    pub(super) total: Option<usize>,
}

/// A place at which rows are counted and not shown, by what leads back to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The times of the rows around it; by the first a list is begun, and none without.
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    /// The page, for lists without times: what is deleted moves it to an earlier one.
    pub(super) at: list::At,
    /// The row behind which they stand, and how many.
    pub(super) behind: Option<String>,
    pub(super) count: usize,
}

impl Walk {
    /// A walk through all there is, from this page on.
    pub(super) fn first(at: list::At) -> Self {
        Self {
            after: None,
            known: None,
            newest: None,
            sorted: true,
            at,
            seen: Vec::new(),
            back: 0,
            trail: Trail::default(),
        }
    }
}

impl Mark {
    fn read(text: &str) -> Self {
        match text.split_once('@') {
            Some((key, time)) => Self { key: key.to_owned(), time: second_of(time) },
            None => Self { key: text.to_owned(), time: None },
        }
    }

    fn write(&self) -> String {
        match self.time {
            Some(time) => format!("{}@{}", self.key, civil(time)),
            None => self.key.clone(),
        }
    }
}

impl Trail {
    fn read(text: &str) -> Option<Self> {
        let [open, total, time, key] = text.splitn(4, '/').collect::<Vec<_>>().try_into().ok()?;
        let last = (!key.is_empty()).then(|| Mark { key: key.to_owned(), time: second_of(time) });
        Some(Self { last, open: open.parse().ok()?, total: total.parse().ok() })
    }

    fn write(&self) -> String {
        let total = self.total.map(|total| total.to_string()).unwrap_or_default();
        let time = self.last.as_ref().and_then(|last| last.time).map(civil).unwrap_or_default();
        format!("{}/{total}/{time}/{}", self.open, self.last.as_ref().map_or("", |last| &last.key))
    }
}

impl Look {
    fn read(text: &str) -> Option<Self> {
        let [from, to, number, size, count, behind] = text.splitn(6, '/').collect::<Vec<_>>().try_into().ok()?;
        let behind = (!behind.is_empty()).then(|| behind.to_owned());
        let at = list::At { number: number.parse().ok()?, size: size.parse().ok()? };
        Some(Self { from: second_of(from), to: second_of(to), at, behind, count: count.parse().ok()? })
    }

    fn write(&self) -> String {
        let time = |time: Option<Timestamp>| time.map(civil).unwrap_or_default();
        let list::At { number, size } = self.at;
        let behind = self.behind.as_deref().unwrap_or_default();
        format!("{}/{}/{number}/{size}/{}/{behind}", time(self.from), time(self.to), self.count)
    }
}

impl Stand {
    pub(super) fn read(position: &Position) -> Self {
        let mut stand = Self::default();
        let mut words = position.0.split(' ');
        let first = words.next().unwrap_or_default();
        stand.whole = first == WHOLE;
        // A second of an earlier edition had more behind a bar.
        stand.reached = second_of(first.split('|').next().unwrap_or_default());
        let word = |name: &str| {
            let mut words = position.0.split(' ').filter_map(|word| word.split_once('='));
            words.find(|(its, _)| *its == name).map(|(_, value)| value)
        };
        let list = |name: &str| -> Vec<String> {
            word(name).into_iter().flat_map(|text| text.split(',')).map(str::to_owned).collect()
        };
        stand.alone = list("alone");
        stand.shown = list("shown");
        stand.noted = word("noted").and_then(Noted::read);
        let page = word("page").and_then(|text| text.split_once('/'));
        stand.walk = page.and_then(|(number, size)| {
            Some(Walk {
                after: word("after").and_then(second_of),
                known: word("known").and_then(second_of),
                newest: word("newest").and_then(second_of),
                sorted: word("sorted") != Some("no"),
                at: list::At { number: number.parse().ok()?, size: size.parse().ok()? },
                seen: list("seen").iter().map(|text| Mark::read(text)).collect(),
                back: word("back").and_then(|text| text.parse().ok()).unwrap_or_default(),
                trail: word("trail").and_then(Trail::read).unwrap_or_default(),
            })
        });
        stand.look = word("look").and_then(Look::read);
        stand
    }

    pub(super) fn write(&self) -> Position {
        let mut words = vec![match self.reached {
            Some(second) => civil(second),
            None if self.whole => WHOLE.to_owned(),
            None => String::new(),
        }];
        if !self.alone.is_empty() {
            words.push(format!("alone={}", self.alone.join(",")));
        }
        if !self.shown.is_empty() {
            words.push(format!("shown={}", self.shown.join(",")));
        }
        words.extend(self.noted.as_ref().map(|noted| format!("noted={}", noted.write())));
        if let Some(walk) = &self.walk {
            words.push(format!("page={}/{}", walk.at.number, walk.at.size));
            for (name, time) in [("after", walk.after), ("known", walk.known), ("newest", walk.newest)] {
                words.extend(time.map(|time| format!("{name}={}", civil(time))));
            }
            if !walk.sorted {
                words.push("sorted=no".to_owned());
            }
            if !walk.seen.is_empty() {
                let seen: Vec<String> = walk.seen.iter().map(Mark::write).collect();
                words.push(format!("seen={}", seen.join(",")));
            }
            if walk.back > 0 {
                words.push(format!("back={}", walk.back));
            }
            if walk.trail != Trail::default() {
                words.push(format!("trail={}", walk.trail.write()));
            }
        }
        words.extend(self.look.as_ref().map(|look| format!("look={}", look.write())));
        Position(words.join(" "))
    }
}

/// `2026-03-01T12:00:00`, in UTC.
pub(super) fn civil(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A time of the shop in UTC, which it writes without a zone.
pub(super) fn second_of(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    jiff::tz::Offset::UTC.to_timestamp(local).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_as_they_were_written() {
        for text in [
            "",
            "whole",
            "2026-03-01T12:00:00",
            "2026-03-01T12:00:00 alone=7,8",
            "2026-03-01T12:00:00 alone=7,8 shown=5,6",
            "2026-03-01T12:00:00 noted=2026-03-01T12:00:05,2026-03-01T13:00:05,700,boot%201",
            " page=3/100 sorted=no seen=1,2@2026-03-01T12:00:00 back=1",
            " page=3/100 trail=2/91/2026-03-01T12:00:00/17",
            " page=3/100 trail=0///17",
            " look=2026-03-01T12:00:00/2026-03-01T12:10:00/1/100/2/17",
            " look=//3/100/1/",
            "2026-03-01T12:00:00 page=2/50 after=2026-03-01T10:50:00 known=2026-03-01T12:00:00 newest=2026-03-01T12:00:09",
        ] {
            assert_eq!(Stand::read(&Position(text.to_owned())).write().0, text);
        }
        let earlier = |text: &str| Stand::read(&Position(text.to_owned()));
        assert_eq!(earlier("2026-03-01T12:00:00|7,8"), earlier("2026-03-01T12:00:00"));
        assert_eq!(earlier("row:300"), Stand::default());
        assert_eq!(earlier("nonsense"), Stand::default());
    }
}
