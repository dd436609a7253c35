//! A page that makes the shop fail while it answers all else: it is too much for one call, or it holds a record that cannot be
//! shown. Halved and halved again it leads to that record, which is told by its key; all others are read.

use super::Shop;
use super::answer::{Failed, Kind};
use super::list::{Ask, At, Listed, fetch, fitting};
use crate::connector::{CallError, Presence, Raw, Rows, Unreadable};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

/// Calls after which a page is given up: so many failures are not those of single records.
const CALLS_MAX: u32 = 120;
/// Records of one page that cannot be shown, beyond which the list itself is at fault.
const DEAD_MAX: usize = 5;
/// Numbers between two records that are looked through for the key of one between them.
const KEYS_MAX: u64 = 2_000;

/// A row that no list shows, at its place, and what the shop said.
struct Dead {
    at: At,
    said: CallError,
}

/// The rows of a page, piece by piece.
pub(super) async fn page(shop: &Shop, ask: &Ask, at: At, said: CallError) -> Result<Listed, CallError> {
    // By the row at which a piece begins.
    let mut pieces: BTreeMap<u32, Rows> = BTreeMap::new();
    let (mut dead, mut total, mut size, mut calls) = (Vec::new(), None, at.size, 0);
    let mut left = vec![(at, said)];
    while let Some((piece, said)) = left.pop() {
        if piece.size == 1 {
            dead.push(Dead { at: piece, said });
            if dead.len() > DEAD_MAX {
                return Err(dead.swap_remove(0).said);
            }
            continue;
        }
        let smaller = fitting(piece.size, piece.size - 1);
        size = size.min(smaller);
        let mut failing = Vec::new();
        let first = piece.of(smaller);
        for number in first.number..first.number + piece.size / smaller {
            let part = At { number, size: smaller };
            calls += 1;
            match once_more(shop, ask, part, smaller == 1).await {
                Ok((read, extent)) => {
                    total = total.max(extent.total());
                    pieces.insert((number - 1) * smaller, read);
                }
                Err(failed) if failed.kind == Kind::Page && calls < CALLS_MAX => failing.push((part, failed.error)),
                Err(failed) => return Err(failed.error),
            }
        }
        left.extend(failing.into_iter().rev());
    }
    if pieces.is_empty()
        && at.size > 1
        && let Some(first) = dead.pop()
    {
        // Not one piece of it can be read, not even one behind the end: it is the list that fails, whatever it holds.
        return Err(first.said);
    }
    let rows = pieces.into_values().fold(Rows::default(), |mut rows, piece| {
        rows.extend(piece);
        rows
    });
    // Without a total there may be more: the next page shows.
    let last = total.is_some_and(|total| at.number as usize * at.size as usize >= total);
    let mut listed = Listed { rows, hidden: 0, total, last, from: at, at, dead: Vec::new(), nameless: false };
    if dead.is_empty() {
        // It was too much at once: the next pages are smaller.
        shop.page.fetch_min(size, Ordering::Relaxed);
        listed.from = at.of(size);
        listed.at = At { number: at.number * (at.size / size), size };
        let before = (at.number as usize - 1) * at.size as usize;
        let due = total.map_or(0, |total| total.saturating_sub(before).min(at.size as usize));
        listed.hidden = due.saturating_sub(listed.rows.len());
    }
    told(shop, ask, &mut listed, dead).await?;
    Ok(listed)
}

/// A piece; a single row once more, since it would be told as one that cannot be shown.
async fn once_more(shop: &Shop, ask: &Ask, at: At, again: bool) -> Result<(Rows, super::list::Extent), Failed> {
    match fetch(shop, ask, at).await {
        Err(failed) if failed.kind == Kind::Page && again => fetch(shop, ask, at).await,
        other => other,
    }
}

/// Each row that no list shows: read alone if that works, else told with its key, as far as it can be known.
async fn told(shop: &Shop, ask: &Ask, listed: &mut Listed, dead: Vec<Dead>) -> Result<(), CallError> {
    let mut known: BTreeSet<String> = super::list::keys(&listed.rows).into_iter().collect();
    for Dead { at, said } in dead {
        let key = key_of(shop, ask, at, (&known, &listed.dead)).await?;
        let said = said.cause();
        let why = |said: &str| format!("the shop fails whenever it shows this record: {said}");
        let Some(key) = key else {
            listed.nameless = true;
            let place = format!("row {} of {}", (at.number - 1) * at.size + 1, ask.route);
            listed.rows.unreadable.push(Unreadable {
                key: None,
                text: None,
                why: why(&format!("{place}; {said}")),
                page: None,
            });
            continue;
        };
        known.insert(key.clone());
        listed.dead.push(key.clone());
        match alone(shop, ask, &key).await? {
            Some(Presence::Found(raw)) => listed.rows.read.push(raw),
            Some(Presence::Gone(_)) => {}
            Some(Presence::Unreadable(row)) => listed.rows.unreadable.push(row),
            None => listed.rows.unreadable.push(Unreadable { key: Some(key), text: None, why: why(&said), page: None }),
        }
    }
    Ok(())
}

/// A record at its own address, where it has one.
pub(super) async fn alone(shop: &Shop, ask: &Ask, key: &str) -> Result<Option<Presence>, CallError> {
    let Some(own) = &ask.own else { return Ok(None) };
    let mut query = super::query::always(own);
    if let Some(fields) = ask.query.get("_fields") {
        query.set("_fields", format!("{fields},status"));
    }
    match super::own::read(shop, own, ("id", key), &query).await {
        // No list shows it, and the shop refuses to: it is this record's matter.
        Err(CallError::Refused { reason, .. }) => {
            let why = format!("no list shows this record, and the shop refuses it: {reason}");
            Ok(Some(Presence::Unreadable(Unreadable { key: Some(key.to_owned()), text: None, why, page: None })))
        }
        other => other.map(Some),
    }
}

/// The key of a row that no list shows.
async fn key_of(
    shop: &Shop,
    ask: &Ask,
    at: At,
    (known, dead): (&BTreeSet<String>, &[String]),
) -> Result<Option<String>, CallError> {
    // It may be a part of it that cannot be shown.
    if let Ok((rows, _)) = fetch(shop, &ask.with("_fields", "id"), at).await {
        return Ok(rows.read.first().and_then(id));
    }
    if let Some(keys) = &ask.keys {
        let left: Vec<String> = keys.iter().filter(|key| !known.contains(*key)).cloned().collect();
        return among(shop, ask, left).await;
    }
    let (below, above) = neighbours(shop, ask, dead).await?;
    let (from, to) = match (below, above) {
        (Some(below), Some(above)) => (below + 1, above.min(below + 1 + KEYS_MAX)),
        (Some(below), None) => (below + 1, below + 1 + KEYS_MAX),
        (None, Some(above)) => (above.saturating_sub(KEYS_MAX).max(1), above),
        (None, None) => return Ok(None),
    };
    let keys = (from..to).map(|key| key.to_string()).filter(|key| !known.contains(key)).collect();
    among(shop, ask, keys).await
}

/// The keys before and behind the first row that fails in the order of keys.
async fn neighbours(shop: &Shop, ask: &Ask, dead: &[String]) -> Result<(Option<u64>, Option<u64>), CallError> {
    let mut by_key = ask.with("_fields", "id").with("orderby", "id").with("order", "asc");
    let without: Vec<&str> = ask.query.get("exclude").into_iter().chain(dead.iter().map(String::as_str)).collect();
    if !without.is_empty() {
        by_key.query.set("exclude", without.join(","));
    }
    let number = |row: Option<&Raw>| row.and_then(id).and_then(|id| id.parse::<u64>().ok());
    let (mut below, mut at) = (None, At::first(shop.page_rows()));
    // The first page that fails, then the first piece of it, down to one row.
    let mut calls = 0;
    loop {
        calls += 1;
        if calls > CALLS_MAX {
            return Ok((None, None));
        }
        match fetch(shop, &by_key, at).await {
            Ok((rows, _)) if rows.read.is_empty() => return Ok((below, None)),
            Ok((rows, _)) => {
                below = number(rows.read.last()).or(below);
                at = at.next();
            }
            Err(failed) if failed.kind != Kind::Page => return Err(failed.error),
            Err(_) if at.size > 1 => at = at.of(fitting(at.size, at.size - 1)),
            Err(_) => break,
        }
    }
    let above = match fetch(shop, &by_key, at.next()).await {
        Ok((rows, _)) => number(rows.read.first()),
        Err(_) => None,
    };
    Ok((below, above))
}

/// Of these keys the one whose record the shop fails at: lists of them are halved.
async fn among(shop: &Shop, ask: &Ask, keys: Vec<String>) -> Result<Option<String>, CallError> {
    let mut parts: Vec<Vec<String>> = keys.chunks(shop.page_rows() as usize).rev().map(<[String]>::to_vec).collect();
    while let Some(part) = parts.pop() {
        let named = ask.with("_fields", "id").with("include", part.join(","));
        match fetch(shop, &named, At::first(shop.page_rows())).await {
            Ok(_) => {}
            Err(failed) if failed.kind != Kind::Page => return Err(failed.error),
            Err(_) if part.len() == 1 => return Ok(part.into_iter().next()),
            Err(_) => {
                let (front, back) = part.split_at(part.len() / 2);
                parts = vec![back.to_vec(), front.to_vec()];
            }
        }
    }
    Ok(None)
}

fn id(row: &Raw) -> Option<String> {
    row.member("id")
}
