//! Records that are read again without having changed: those that wait or were parked, and what nobody could read.

use super::gone::are_gone;
use super::page::{by_address, pages, process};
use super::rows::{KEYLESS, Mode, is_due, keyed, own_keys, scan};
use super::turn::{due, turn};
use crate::connector::Position;
use crate::engine::error::PassError;
use crate::engine::event::{Event, RecordEvent, Reporter};
use crate::engine::pass::context::Pass;
use crate::engine::waits::WaitsFor;
use crate::limits;
use crate::store::{RecordFilter, RecordRow, State};
use std::collections::HashSet;
use std::sync::Arc;

/// Records that wait and whose time has come, and those that were parked under another plan. Where the source's API filters
/// for the flow, parked ones are looked at too: one that the filter leaves out by now would never be seen again.
pub(crate) async fn again(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    keyless_again(pass, telling).await?;
    let retried = keys_again(pass).await?;
    read_again(pass, &retried, Mode::Again, telling).await?;
    if pass.evaluator().filter(pass.flow).is_empty() {
        return Ok(());
    }
    let parked = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
    let mut parked = keys(pass, parked, |row| !retried.contains(&row.key)).await?;
    parked.retain(|key| !key.starts_with(KEYLESS));
    read_again(pass, &parked, Mode::Look, telling).await
}

/// Pages in which a row stood that could not be read and showed no key: whether it can be read now, or has gone, only the
/// page can tell.
async fn keyless_again(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let flow = pass.flow().name.to_string();
    let open = RecordFilter { states: vec![State::Parked, State::Waiting], ..RecordFilter::default() };
    for key in keys(pass, open, |row| row.key.starts_with(KEYLESS)).await? {
        pass.go_on()?;
        let Some(row) = pass.store().record(&flow, &key).await? else { continue };
        let page = Position(row.version);
        let scan = scan(pass, pass.flow().schedule.since, Vec::new());
        let read = pass.source()?.scan(&scan, &page).await?;
        let seen = process(pass, (read.records, keyed(read.unreadable, &page)), Mode::Look, telling).await?;
        if !seen.contains(&key) {
            gone(pass, &key, "the page where it stood can be read", telling).await?;
        }
    }
    Ok(())
}

/// Reads records by their keys, many in a call. What a list does not have proves nothing: it is asked for by its own address.
pub(super) async fn read_again(
    pass: &Arc<Pass>,
    keys: &[String],
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    if pass.entity(pass.flow().source).is_turn() {
        return turns_again(pass, keys, mode, telling).await;
    }
    if pass.flow().deleted {
        return are_gone(pass, keys, mode, telling).await;
    }
    if pass.entity(pass.flow().source).route.is_none() {
        return marked_again(pass, keys, mode, telling).await.map(drop);
    }
    for some in keys.chunks(limits::AGAIN_PAGE_MAX) {
        let scan = scan(pass, None, own_keys(pass, some).await?);
        let mut seen = Vec::new();
        let begin = (Position::default(), false);
        pages(pass, &scan, begin, mode, &mut |keys| seen.extend(keys), telling).await?;
        for key in some.iter().filter(|key| !seen.iter().any(|s| **s == ***key)) {
            if let Some(how) = by_address(pass, key, mode, telling).await? {
                gone(pass, key, &how, telling).await?;
            }
        }
    }
    Ok(())
}

/// Tries the turn again that is due; the time of another one is over.
async fn turns_again(
    pass: &Arc<Pass>,
    keys: &[String],
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<(), PassError> {
    let due = due(pass)?;
    for key in keys {
        if *key == due {
            turn(pass, mode, telling).await?;
        } else {
            gone(pass, key, &format!("{due} is due by now"), telling).await?;
        }
    }
    Ok(())
}

/// Reads records again that a feed alone shows: each stands behind the mark that it had. One that is not there has changed
/// meanwhile, and the feed tells of it. Answers the keys that nobody has read before.
pub(super) async fn marked_again(
    pass: &Arc<Pass>,
    keys: &[String],
    mode: Mode,
    telling: &mut Reporter<'_>,
) -> Result<Vec<String>, PassError> {
    let flow = pass.flow().name.to_string();
    let scan = scan(pass, None, Vec::new());
    let entity = pass.entity(pass.flow().source);
    let wire = entity.key.map(|key| Arc::clone(&entity.get(key).wire)).unwrap_or_default();
    let own = own_keys(pass, keys).await?;
    let mut open: HashSet<&str> = own.iter().map(String::as_str).collect();
    let mut unknown = Vec::new();
    for (wanted, own) in keys.iter().zip(&own) {
        pass.go_on()?;
        if !open.contains(&**own) {
            continue;
        }
        let row = pass.store().record(&flow, wanted).await?;
        let Some(position) = row.and_then(|row| pass.source().ok()?.before(&row.version)) else {
            unknown.push(wanted.clone());
            continue;
        };
        let page = pass.source()?.scan(&scan, &position).await?;
        let mut found = HashSet::from([own.clone()]);
        let mut is_one = |key: Option<String>| {
            key.is_some_and(|key| open.contains(&*key) && (found.contains(&key) || found.insert(key)))
        };
        let records = page.records.into_iter().filter(|row| is_one(row.member(&wire))).collect();
        let unreadable = page.unreadable.into_iter().filter(|row| is_one(row.key.clone())).collect();
        open.retain(|key| !found.contains(*key));
        process(pass, (records, keyed(unreadable, &position)), mode, telling).await?;
    }
    Ok(unknown)
}

async fn keys_again(pass: &Pass) -> Result<Vec<String>, PassError> {
    let now = pass.source()?.now();
    let plan = pass.project.plan_hash.clone();
    let flow = pass.flow().name.to_string();
    let open: Vec<String> = pass.open().iter().filter(|i| i.flow == flow).map(|i| i.key.clone()).collect();
    let parked = RecordFilter { states: vec![State::Parked], plan_not: Some(plan.clone()), ..RecordFilter::default() };
    let waiting = RecordFilter { states: vec![State::Waiting], ..RecordFilter::default() };
    let mut again = keys(pass, parked, |_| true).await?;
    let due = keys(pass, waiting, |row| {
        // What waited for an outcome that is known by now need not wait till its time.
        let clear = WaitsFor::Outcome.holds(row) && !open.contains(&row.key);
        is_due(row, now) || clear || row.plan_hash != plan
    });
    again.extend(due.await?);
    // No system has a record with a key that we made up; it comes again when it changes.
    again.retain(|key| !key.starts_with(KEYLESS));
    Ok(again)
}

/// The keys of the records that a filter and a condition take: of the rows, a page is held at a time.
async fn keys(
    pass: &Pass,
    filter: RecordFilter,
    takes: impl Fn(&RecordRow) -> bool + Send,
) -> Result<Vec<String>, PassError> {
    let mut filter = RecordFilter { flow: Some(pass.flow().name.to_string()), ..filter };
    let mut keys = Vec::new();
    loop {
        let page = pass.store().records(&filter).await?;
        keys.extend(page.rows.into_iter().filter(&takes).map(|row| row.key));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(keys),
        }
    }
}

/// A record that was to be tried again and is no longer in the source.
async fn gone(pass: &Pass, key: &str, how: &str, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let flow = pass.flow().name.to_string();
    let Some(row) = pass.store().record(&flow, key).await? else { return Ok(()) };
    let reason = format!("it is no longer in the source ({how})");
    let (mapping, entity) = pass.writes();
    let told =
        RecordEvent { id: pass.label(key), mapping, entity, reason: Some(reason.clone()), ..RecordEvent::default() };
    let now = pass.source()?.now();
    // Should it come back, it is looked at again even if nothing in it has changed.
    let row = RecordRow {
        state: State::Skipped,
        content_hash: String::new(),
        reason: Some(reason),
        waits_for: None,
        due: None,
        attempts: 0,
        unanswered: 0,
        updated: now,
        ..row
    };
    pass.store().settle_record(row).await?;
    telling.say(Event::Skipped(told));
    Ok(())
}
