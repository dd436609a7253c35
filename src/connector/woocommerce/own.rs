//! A record at its own address: the only thing that proves that it is gone.

use super::answer::{Failed, Kind};
use super::query::Query;
use super::{Shop, json};
use crate::connector::http::{Effect, Response, Verb};
use crate::connector::retry::Tries;
use crate::connector::{CallError, Presence, Unreadable, no_key};

/// One record. Gone is what the shop says in its API's own words, or what lies in its trash; a page of a web server, or an
/// address that the API does not know, proves nothing.
pub(super) async fn read(
    shop: &Shop,
    route: &str,
    (wire, id): (&str, &str),
    query: &Query,
) -> Result<Presence, CallError> {
    let address = format!("{route}/{}", percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC));
    let mut tries = Tries::new(&shop.clock, &shop.timing);
    loop {
        let read = shop.call(&Verb::GET, &address, query, None).await;
        let failed = match read.and_then(|response| presence(shop, &response, (wire, id))) {
            Ok(presence) => return Ok(presence),
            Err(failed) => failed,
        };
        match failed {
            Failed { kind: Kind::Plain, error: CallError::Refused { status: 404, reason, .. }, .. } => {
                return Ok(Presence::Gone(reason));
            }
            Failed { kind: Kind::Page, error, .. } if tries.tried() > 0 && shop.answers().await => {
                let why = format!("the shop fails whenever it shows this record: {}", error.cause());
                return Ok(Presence::Unreadable(Unreadable { key: Some(id.to_owned()), text: None, why, page: None }));
            }
            Failed { error, .. } => tries.pause(error).await?,
        }
    }
}

fn presence(shop: &Shop, response: &Response, (wire, id): (&str, &str)) -> Result<Presence, Failed> {
    let garbled = |what: String| Failed::page(shop.http.garbled(what, Effect::Read));
    let rows = json::rows(&response.body, Some("id")).map_err(garbled)?;
    if let Some(row) = rows.unreadable.into_iter().next() {
        return Ok(Presence::Unreadable(Unreadable { key: Some(id.to_owned()), ..row }));
    }
    let raw = rows.read.into_iter().next().ok_or_else(|| garbled("a list without a record".to_owned()))?;
    match raw.member(wire) {
        Some(its) if its == id => {}
        Some(_) => return Err(garbled("another record than the one that was asked for".to_owned())),
        None => return Ok(Presence::Unreadable(Unreadable { key: Some(id.to_owned()), ..no_key(&raw, wire) })),
    }
    if raw.member("status").as_deref() == Some("trash") {
        return Ok(Presence::Gone("it is in the trash".to_owned()));
    }
    Ok(Presence::Found(raw))
}
