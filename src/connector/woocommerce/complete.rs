//! Whether a list holds all that it should: it is asked to account for what is known to be there.

use super::answer::Kind;
use super::list::{self, Ask, At, Listed};
use super::position::{Stand, Walk, civil};
use super::scan::Reader;
use super::{narrow, query};
use crate::connector::{CallError, Presence, Raw};

/// Rows that are looked at to see what a list leaves out.
const LEFT_OUT_ROWS: u32 = 10;

impl Reader<'_> {
    /// Whether a list of changes holds all of them. One that shows a row of the time that was reached does; of any other
    /// the newest row that is not in it must have changed before it begins.
    pub(super) async fn accounts(&self, ask: &Ask, walk: &Walk, listed: &Listed) -> Result<(), CallError> {
        let (Some(time), Some(_)) = (&self.time, walk.after) else { return Ok(()) };
        let times = || listed.rows.read.iter().filter_map(|row| time.read(row));
        if walk.known.is_some_and(|known| times().any(|its| its <= known)) {
            return Ok(());
        }
        let query = ask.query.clone().without(time.after).without("dates_are_gmt");
        let query = query.with("order", "desc").with("_fields", format!("id,{}", time.wire));
        let count = listed.total.unwrap_or(listed.rows.len());
        let behind = u32::try_from(count).unwrap_or(u32::MAX) / LEFT_OUT_ROWS + 1;
        let at = At { number: behind, size: LEFT_OUT_ROWS };
        let newest = Ask { query, ..ask.clone() };
        let others = match list::fetch(self.shop, &newest, at).await {
            Ok((others, _)) => others,
            Err(_) => match list::fetch(self.shop, &newest, at).await {
                Ok((others, _)) => others,
                // A record that cannot be shown is among them: nothing can be said against the list.
                Err(failed) if failed.kind == Kind::Page && self.shop.answers().await => return Ok(()),
                Err(failed) => return Err(failed.error),
            },
        };
        self.holds(ask, walk, listed, &others.read).await
    }

    /// Whether a list may show nothing of what is known. All other lists may be so by the same fault: what was shown before is
    /// asked for by its keys, and if even that shows nothing, at its own address.
    pub(super) async fn may_know_nothing(
        &self,
        ask: &Ask,
        walk: &Walk,
        listed: &Listed,
        stand: &mut Stand,
    ) -> Result<(), CallError> {
        let keys = list::keys(&listed.rows);
        let nameless = || listed.rows.unreadable.iter().any(|row| row.key.is_none());
        let goes_on = !listed.last && !listed.rows.is_empty();
        if goes_on
            || listed.hidden > 0
            || nameless()
            || stand.shown.is_empty()
            || stand.shown.iter().any(|key| keys.contains(key))
        {
            return Ok(());
        }
        // That it no longer fits what is asked for is no fault of the list.
        let mut query = query::always(&ask.route).with("include", stand.shown.join(","));
        if let Some(fields) = ask.query.get("_fields") {
            query.set("_fields", fields);
        }
        let named = Ask { query, ..ask.clone() };
        let (rows, _) = list::tried(self.shop, &named, At::first(self.shop.page_rows())).await?;
        if !rows.is_empty() {
            let due: Vec<Raw> = rows.read.into_iter().filter(|row| self.fits(row)).collect();
            return self.holds(ask, walk, listed, &due).await;
        }
        for key in stand.shown.iter().rev() {
            match narrow::alone(self.shop, ask, key).await? {
                Some(Presence::Found(row)) if self.begins_before(walk, &row) => {
                    return Err(self.garbled(format!(
                        "lists of {} without the record {key}, which they showed before and which is there: nothing is taken \
                         for read",
                        self.ask.route
                    )));
                }
                Some(Presence::Unreadable(row)) => {
                    return Err(self.garbled(format!(
                        "lists of {} without the record {key}, which they showed before and of which nobody can say that it is \
                         gone ({}): nothing is taken for read",
                        self.ask.route, row.why
                    )));
                }
                Some(Presence::Gone(_) | Presence::Found(_)) | None => {}
            }
        }
        // There is none, then.
        stand.shown.clear();
        Ok(())
    }

    /// Whether a list must hold a row: it changed behind the time at which the list begins.
    fn begins_before(&self, walk: &Walk, row: &Raw) -> bool {
        let changed = self.time.as_ref().and_then(|time| time.read(row));
        walk.after.is_none_or(|after| changed.is_some_and(|changed| changed > after))
    }

    /// Whether a list holds these rows, as far as they have changed since it begins.
    async fn holds(&self, ask: &Ask, walk: &Walk, listed: &Listed, rows: &[Raw]) -> Result<(), CallError> {
        let keys = list::keys(&listed.rows);
        if listed.rows.unreadable.iter().any(|row| row.key.is_none()) {
            // It may be one of them: it is told as a row that cannot be read.
            return Ok(());
        }
        for row in rows {
            let Some(key) = row.member("id").filter(|key| !keys.contains(key)) else { continue };
            if !self.begins_before(walk, row) {
                continue;
            }
            let changed = self.time.as_ref().and_then(|time| time.read(row));
            // It may have changed meanwhile, or be sorted by another clock: whether the list holds it is asked of it alone.
            let (itself, _) = list::tried(self.shop, &ask.with("include", key.clone()), At::first(1)).await?;
            if !list::keys(&itself).contains(&key) {
                return Err(self.left_out(walk, &key, changed.map(civil)));
            }
        }
        Ok(())
    }

    fn left_out(&self, walk: &Walk, key: &str, changed: Option<String>) -> CallError {
        let route = &self.ask.route;
        let after = walk.after.map(|after| format!(" (changes after {}Z)", civil(after))).unwrap_or_default();
        let changed = changed.map(|changed| format!(", which changed at {changed}Z")).unwrap_or_default();
        self.garbled(format!(
            "a list of {route}{after} without the record {key}{changed}: its filter leaves records out, so nothing is taken \
             for read"
        ))
    }
}
