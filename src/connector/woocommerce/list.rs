//! A page of a list: how many rows a shop really gives at once, whether more come after them, and which it does not show.
//!
//! Measured: rows that may not be read are left out of a page, hosts cap its rows with or without a word, and a page past
//! the end tells totals of zero. So rows are never counted to find the end: the shop says how many pages there are.

use super::answer::{Failed, Kind};
use super::query::Query;
use super::{Shop, json, narrow, site};
use crate::connector::http::{Effect, Response, Verb};
use crate::connector::retry::Tries;
use crate::connector::{CallError, Raw, Rows};
use std::sync::atomic::Ordering;

/// What a list is asked, page and rows apart.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) route: String,
    pub(super) query: Query,
    /// Where a record of it has its own address, if it has one.
    pub(super) own: Option<String>,
    /// The only keys that can be in it, where they are known.
    pub(super) keys: Option<Vec<String>>,
}

impl Ask {
    /// The same with another parameter.
    pub(super) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        Self { query: self.query.clone().with(name, value), ..self.clone() }
    }
}

/// A page by its number, counted in pages of so many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) number: u32,
    pub(super) size: u32,
}

impl At {
    pub(super) fn first(size: u32) -> Self {
        Self { number: 1, size }
    }

    pub(super) fn next(self) -> Self {
        Self { number: self.number + 1, ..self }
    }

    /// The first page of so many rows in it; they divide its own.
    pub(super) fn of(self, size: u32) -> Self {
        Self { number: (self.number - 1) * (self.size / size) + 1, size }
    }
}

/// A page as it was read.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) rows: Rows,
    /// Rows that the shop counts and does not show.
    pub(super) hidden: usize,
    /// Rows of all pages, where the shop tells.
    pub(super) total: Option<usize>,
    /// Nothing comes behind it.
    pub(super) last: bool,
    /// Its first and its last page, as they were read: the shop may not be up to what was asked.
    pub(super) from: At,
    pub(super) at: At,
    /// Records that no list can show, by their keys.
    pub(super) dead: Vec<String>,
    /// It holds what cannot be shown and has no name, so that it cannot be read again.
    pub(super) nameless: bool,
}

/// The keys of rows; those that can be read in their order.
pub(super) fn keys(rows: &Rows) -> Vec<String> {
    let read = rows.read.iter().filter_map(|row| row.member("id"));
    read.chain(rows.unreadable.iter().filter_map(|row| row.key.clone())).collect()
}

/// What the headers of a list say of its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    total: Option<usize>,
    pages: Option<u32>,
    next: Option<bool>,
    /// The shop itself has said all of it, whatever the way drops.
    whole: bool,
}

impl Extent {
    fn of(response: &Response) -> Self {
        let number = |name: &str| response.text(name).and_then(|text| text.trim().parse::<usize>().ok());
        Self {
            total: number("X-WP-Total"),
            pages: number("X-WP-TotalPages").and_then(|pages| u32::try_from(pages).ok()),
            next: response.text("Link").map(|link| link.contains("rel=\"next\"")),
            whole: response.headers.contains_key(site::OPENED),
        }
    }

    pub(super) fn total(self) -> Option<usize> {
        self.total
    }

    fn told(self) -> bool {
        self.pages.is_some() || self.next.is_some()
    }

    /// Rows that the shop gives at most, if it gives less than was asked.
    fn cap(self, asked: u32, came: usize) -> Option<u32> {
        let (total, pages) = (u32::try_from(self.total?).ok()?, self.pages?);
        let fits = pages > total.div_ceil(asked);
        fits.then(|| total.div_ceil(pages).max(u32::try_from(came).unwrap_or(u32::MAX)))
    }
}

/// The most rows, of those that divide this number, that are not more than the cap.
pub(super) fn fitting(size: u32, cap: u32) -> u32 {
    (1..=size.min(cap.max(1))).rev().find(|rows| size.is_multiple_of(*rows)).unwrap_or(1)
}

/// A page, tried again while that is of use, in smaller pieces where the shop is not up to it.
pub(super) async fn page(shop: &Shop, ask: &Ask, mut at: At) -> Result<Listed, CallError> {
    let mut tries = Tries::new(&shop.clock, &shop.timing);
    loop {
        let failed = match fetch(shop, ask, at).await {
            Ok((rows, extent)) => {
                if let Some(cap) = extent.cap(at.size, rows.len()) {
                    at = smaller(shop, at, cap)?;
                    continue;
                }
                return listed(shop, ask, at, (rows, extent)).await;
            }
            Err(failed) => failed,
        };
        match failed.kind {
            Kind::Cap(said) => {
                let cap = match said {
                    Some(cap) => cap,
                    None => shop.cap(&ask.route).await?.unwrap_or(at.size / 2),
                };
                at = smaller(shop, at, cap)?;
            }
            // It has failed twice, and something else does not: it is what this page holds.
            Kind::Page if tries.tried() == 1 || tries.are_over() => {
                if shop.answers().await {
                    return narrow::page(shop, ask, at, failed.error).await;
                }
                let error = shop.named(failed.error, &tries).await;
                tries.pause(error).await?;
            }
            Kind::Page | Kind::Plain | Kind::NoRoute | Kind::Doubtful => tries.pause(failed.error).await?,
        }
    }
}

/// The same rows in pages that the shop gives.
fn smaller(shop: &Shop, at: At, cap: u32) -> Result<At, CallError> {
    let size = fitting(at.size, cap.min(at.size.saturating_sub(1)));
    if at.size <= 1 {
        return Err(shop.http.garbled("pages of no row at all".to_owned(), Effect::Read));
    }
    shop.page_max.fetch_min(size, Ordering::Relaxed);
    shop.page.fetch_min(size, Ordering::Relaxed);
    Ok(at.of(size))
}

/// One call.
pub(super) async fn fetch(shop: &Shop, ask: &Ask, at: At) -> Result<(Rows, Extent), Failed> {
    let mut query = ask.query.clone().with("per_page", at.size.to_string());
    if at.number > 1 {
        query.set("page", at.number.to_string());
    }
    if shop.envelope.is_asked_for() {
        query.set("_envelope", "1");
    }
    let response = shop.call(&Verb::GET, &ask.route, &query, None).await?;
    let rows =
        json::listed(&response.body, Some("id")).map_err(|what| Failed::page(shop.http.garbled(what, Effect::Read)))?;
    Ok((rows, Extent::of(&response)))
}

async fn listed(shop: &Shop, ask: &Ask, at: At, read: (Rows, Extent)) -> Result<Listed, CallError> {
    let (mut rows, mut extent) = read;
    if !extent.told() && !extent.whole && shop.envelope.may_be_asked_for() {
        // A page alone may have no `Link`; without totals something on the way drops them. The shop itself can put them
        // into its answer.
        shop.envelope.ask(true);
        (rows, extent) = tried(shop, ask, at).await?;
        match extent {
            Extent { whole: false, .. } => shop.envelope.is_unknown(),
            // It is a list that has no pages.
            Extent { pages: None, .. } => shop.envelope.ask(false),
            Extent { .. } => {}
        }
    }
    let last = match extent {
        // A page past the end tells of nothing at all; one that has rows is not past it.
        Extent { pages: Some(0), .. } if !rows.is_empty() => {
            return Err(shop.http.garbled("rows, and that there are none".to_owned(), Effect::Read));
        }
        Extent { pages: Some(pages), .. } => at.number >= pages,
        Extent { next: Some(next), .. } => !next,
        Extent { whole: true, .. } => true,
        Extent { .. } => rows.len() > at.size as usize || ends(shop, ask, at, &rows).await?,
    };
    let before = (at.number as usize - 1) * at.size as usize;
    let due = extent.total.map_or(0, |total| total.saturating_sub(before).min(at.size as usize));
    let hidden = due.saturating_sub(rows.len());
    Ok(Listed { hidden, rows, total: extent.total, last, from: at, at, dead: Vec::new(), nameless: false })
}

/// Whether a list that nobody tells the length of ends with this page. One that has no pages answers more rows than one,
/// though one is asked for; else an empty page follows the end, and is believed only if the list, read from its other end,
/// begins with what was just read.
async fn ends(shop: &Shop, ask: &Ask, at: At, rows: &Rows) -> Result<bool, CallError> {
    if rows.is_empty() {
        return Ok(true);
    }
    if at.number == 1 && rows.len() > 1 && tried(shop, ask, At::first(1)).await?.0.len() > 1 {
        return Ok(true);
    }
    let (behind, _) = tried(shop, ask, at.next()).await?;
    let key = |row: &Raw| row.member("id");
    if !behind.is_empty() {
        if at.number == 1 && rows.len() == 1 && behind.read == rows.read {
            return Ok(true);
        }
        return if behind.read.first().and_then(key).is_some_and(|first| keys(rows).contains(&first)) {
            Err(shop.http.garbled("the same page again instead of the next".to_owned(), Effect::Read))
        } else {
            Ok(false)
        };
    }
    let Some(order) = ask.query.get("order") else { return Ok(true) };
    let other = if order == "asc" { "desc" } else { "asc" };
    let (end, _) = tried(shop, &ask.with("order", other), At::first(1)).await?;
    match end.read.first().and_then(key) {
        Some(end) if keys(rows).contains(&end) => Ok(true),
        _ => Err(shop.http.garbled("an empty page before the end of its list".to_owned(), Effect::Read)),
    }
}

/// One page, tried again while that is of use.
pub(super) async fn tried(shop: &Shop, ask: &Ask, at: At) -> Result<(Rows, Extent), CallError> {
    let mut tries = Tries::new(&shop.clock, &shop.timing);
    loop {
        match fetch(shop, ask, at).await {
            Ok(read) => return Ok(read),
            Err(failed) => tries.pause(failed.error).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_learnt_from_totals_and_never_thought_larger_than_it_is() {
        let extent = |total, pages| Extent { total: Some(total), pages: Some(pages), ..Extent::default() };
        assert_eq!(extent(91, 1).cap(100, 91), None);
        assert_eq!(extent(91, 2).cap(100, 50), Some(50));
        assert_eq!(extent(91, 2).cap(100, 30), Some(46), "twenty of them are hidden");
        assert_eq!(extent(0, 0).cap(100, 0), None);
        assert_eq!(Extent::default().cap(100, 50), None);
    }

    #[test]
    fn pages_of_other_sizes_begin_at_the_same_row() {
        assert_eq!([fitting(100, 99), fitting(100, 30), fitting(50, 49), fitting(97, 96)], [50, 25, 25, 1]);
        assert_eq!(At { number: 3, size: 100 }.of(25), At { number: 9, size: 25 });
        assert_eq!(At { number: 3, size: 100 }.of(100), At { number: 3, size: 100 });
    }
}
