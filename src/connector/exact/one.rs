//! One record by its own address: what is known by its key is gone only if the ledger says so, twice. At its own address a
//! record that is not there and a resource that is not there are answered the same way; and where the user lacks a right, some
//! lists are empty.
//!
//! Source: the REST reference on key lookups; 404 for a key that is not known, seen by clients in production.

use super::odata::{self, Selection, ask, chains};
use super::{Ledger, envelope, key_of, search};
use crate::connector::http::{Effect, Request};
use crate::connector::retry::Tries;
use crate::connector::{CallError, Find, One, Presence, Rows, Unreadable, named};
use crate::ir::{Entity, Method, Search, Type};
use url::Url;

/// Behind the last row of any feed.
const NEVER: i64 = i64::MAX;
/// Keys that no record has: large lists answer only who asks for some of their rows.
const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";
const NO_NUMBER: &str = "0";

/// What became of it.
pub(super) async fn read(ledger: &Ledger, one: &One) -> Result<Presence, CallError> {
    let route = ledger.route(&one.entity, &one.parts, "GET")?;
    let Some(key) = odata::key(&one.entity, one.entity.key, &one.id) else {
        return Err(ledger.refused("GET", &route, format!("`{}` is no key that a record of it can have", one.id)));
    };
    let mut address = ledger.address(&route).await?;
    address.set_path(&format!("{}{key}", address.path()));
    let address = ask(&address, &Selection::of(&one.entity, &one.names()).options(None));
    let said = match itself(ledger, &address, (&route, key_of(&one.entity))).await {
        Ok(rows) => return Ok(told(one, rows).unwrap_or_else(|| unknown(one, "nothing came in its place".to_owned()))),
        // 400, 405 and 501 say that this resource has no such addresses.
        Err(CallError::Refused { status: status @ (400 | 404 | 405 | 501), reason, .. }) => (status, reason),
        Err(error) => return Err(error),
    };
    let find = Find {
        entity: one.entity.clone(),
        fields: one.fields.clone(),
        by: one.entity.key,
        values: vec![one.id.clone()],
        parts: one.parts.clone(),
    };
    if let Some(there) = told(one, search::find(ledger, &find).await?) {
        return Ok(there);
    }
    Ok(match said {
        (404, reason) => Presence::Gone(format!("{reason}, and no search by its key finds it")),
        (_, reason) => unknown(one, format!("it cannot be asked for by its own address ({reason})")),
    })
}

/// The answer at its own address, tried again while that is of use.
async fn itself(ledger: &Ledger, address: &Url, (route, key): (&str, Option<&str>)) -> Result<Rows, CallError> {
    let mut tries = Tries::new(&ledger.clock, &ledger.timing);
    loop {
        let response = ledger.call(Request::get(address.clone()), route).await;
        let rows = response.and_then(|response| {
            envelope::one(&response.body, key).map_err(|what| ledger.http.garbled(what, Effect::Read))
        });
        match rows {
            Ok(rows) => return Ok(rows),
            Err(error) => tries.pause(error).await?,
        }
    }
}

/// The record among these rows, if it may be there.
fn told(one: &One, rows: Rows) -> Option<Presence> {
    let wire = key_of(&one.entity);
    let is_it = |key: Option<String>| key.is_none_or(|key| key.trim().eq_ignore_ascii_case(one.id.trim()));
    let Rows { read, unreadable } = search::shown(&one.entity, named(rows, &one.entity));
    let came = !read.is_empty();
    for raw in read {
        if is_it(wire.and_then(|wire| raw.member(wire))) {
            return Some(Presence::Found(raw));
        }
    }
    if let Some(row) = unreadable.into_iter().find(|row| is_it(row.key.clone())) {
        return Some(Presence::Unreadable(Unreadable { key: Some(one.id.clone()), ..row }));
    }
    came.then(|| unknown(one, "another record came in its place".to_owned()))
}

fn unknown(one: &One, why: String) -> Presence {
    Presence::Unreadable(Unreadable { key: Some(one.id.clone()), text: None, why, page: None })
}

/// Asks for one row at the entity's own address, and for none behind the end of its feed, where that stands elsewhere.
pub(super) async fn probe(ledger: &Ledger, entity: &Entity) -> Result<(), CallError> {
    let key = key_of(entity);
    let selected = key.map(|key| ("$select", key));
    let route = entity.route.as_deref().filter(|route| !route.contains('{') && entity.methods.contains(&Method::Get));
    if let Some(route) = route {
        let filter = none_of(ledger, entity);
        let few = filter.as_deref().map_or(("$top", "1"), |filter| ("$filter", filter));
        let options: Vec<(&str, &str)> = selected.into_iter().chain([few]).collect();
        let address = ask(&ledger.address(route).await?, &options);
        ledger.page(&address, route, key).await?;
    }
    let Some(feed) = entity.feed.as_ref().filter(|feed| Some(&*feed.path) != entity.route.as_deref()) else {
        return Ok(());
    };
    if feed.path.is_empty() || feed.path.contains('{') {
        return Ok(());
    }
    let filter = format!("{} gt {NEVER}L", entity.get(feed.by).wire);
    let options: Vec<(&str, &str)> = selected.into_iter().chain([("$filter", &*filter)]).collect();
    let address = ask(&ledger.address(&feed.path).await?, &options);
    ledger.page(&address, &feed.path, key).await.map(drop)
}

/// A filter that no row passes, where the list can be searched by its key.
fn none_of(ledger: &Ledger, entity: &Entity) -> Option<String> {
    let key = entity.get(entity.key.filter(|_| !entity.small)?);
    let none = match key.ty.present() {
        Type::Guid | Type::Record(_) => NO_GUID,
        _ => NO_NUMBER,
    };
    if key.search == Search::No {
        return None;
    }
    chains(key, &[none.to_owned()], ledger.measures, |filter| ask(&ledger.root, &[("$filter", filter)])).pop()
}
