//! WooCommerce, REST v3: lists that move under the reader's hands, and errors whose status does not say what they are.
//!
//! Source: WooCommerce REST v3; what is said to be measured was seen on shops of versions 9.9 and 11.

mod answer;
mod auth;
mod filter;
mod scan;

use super::budget::{Allowance, Budget};
use super::clock::Clock;
use super::http::{Call, Effect, Heard, Http, Timing, Verb};
use super::retry::Tries;
use super::{
    Answer, CallError, Connector, Find, One, OpenError, Page, Pause, Position, Presence, Raw, Rows, Scan, Setup, Write,
    fill, json,
};
use crate::ir::{Entity, Method};
use crate::store::Reading;
use auth::Login;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Semaphore;
use url::Url;

/// Calls to one shop at a time: it is somebody's web shop, and each of ours takes one of its workers.
const PARALLEL: usize = 4;
/// Where the API is below the shop's address, unless the declaration says otherwise.
const API: &str = "/wp-json/wc/v3";
/// Rows of a page where the declaration names none.
const PAGE: u32 = 100;
/// Bytes of a list in an address where the declaration does not say.
const URL_MAX: u32 = 3_000;
/// Rows below which a page is not made smaller when the shop cannot answer it.
const PAGE_MIN: u32 = 10;

/// A shop.
pub(super) struct Shop {
    http: Http,
    clock: Arc<Clock>,
    login: Login,
    timing: Timing,
    base: Url,
    /// Rows that this shop can answer at once; less after it could not.
    page: AtomicU32,
    page_max: u32,
    /// Most values of a list in an address, and its longest one, in bytes.
    values_max: usize,
    url_max: usize,
    workers: Semaphore,
    budget: Budget,
    /// How far a pass begins before the last change seen.
    overlap: SignedDuration,
}

/// A query, in order.
type Query = Vec<(String, String)>;

impl Shop {
    pub(super) async fn open(setup: Setup<'_>) -> Result<Self, OpenError> {
        let api = setup.habits.word("base").and_then(|base| base.strip_prefix("{url}")).unwrap_or(API);
        let base = base(&setup.entries.needed("url")?, api).ok_or_else(|| setup.bad("url", "is no address"))?;
        let login = Login { key: setup.entries.needed_secret("key")?, secret: setup.entries.needed_secret("secret")? };
        let http = Http::new(&setup.name, &base, &setup.timing).map_err(|reason| setup.bad("url", &reason))?;
        let clock = setup.clock().await?;
        let allowed = Allowance {
            minute: setup.number("limits.minute"),
            day: setup.number("limits.day"),
            // A shop counts no errors, and says nothing of limits: what its declaration allows is a small host's.
            errors: None,
            told: false,
        };
        let rows = if setup.habits.page == 0 { PAGE } else { setup.habits.page.min(PAGE) };
        let or = |said: u32, usual: u32| if said == 0 { usual as usize } else { said as usize };
        Ok(Self {
            budget: Budget::new(Arc::clone(&http.system), Arc::clone(&clock), Arc::clone(&setup.store), allowed),
            http,
            clock,
            login,
            timing: setup.timing,
            base,
            page: AtomicU32::new(rows),
            page_max: rows,
            values_max: or(setup.habits.values_max, PAGE),
            url_max: or(setup.habits.url_max, URL_MAX),
            workers: Semaphore::new(PARALLEL),
            overlap: setup.overlap(),
        })
    }

    /// One call, once.
    async fn call(
        &self,
        verb: &Verb,
        route: &str,
        query: &[(String, String)],
        body: Option<String>,
    ) -> Result<Heard, CallError> {
        let effect = if *verb == Verb::GET { Effect::Read } else { Effect::Write };
        let _worker = self.workers.acquire().await.expect("the shop's workers are never closed");
        self.budget.turn(route, effect).await?;
        let mut address = self.base.clone();
        address.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), route.trim_matches('/')));
        if !query.is_empty() {
            address.set_query(Some(&auth::joined(query)));
        }
        let mut call = Call {
            verb: verb.clone(),
            address,
            headers: Vec::new(),
            body: body.map(|body| ("application/json", body)),
            effect,
        };
        if call.address.scheme() == "https" {
            call = call.header(reqwest::header::AUTHORIZATION, self.login.basic());
        } else {
            let nonce = uuid::Uuid::new_v4().simple().to_string();
            call.address = self.login.signed(verb.as_str(), &call.address, self.clock.now().as_second(), &nonce);
        }
        let heard = self.http.send(call).await;
        let heard = heard.map_err(|fault| self.http.classed(fault, effect, self.clock.now()))?;
        answer::check(&self.http, heard, effect, &format!("{verb} {route}"), self.clock.now())
    }

    /// A list, tried again while that is of use, with smaller pages where the shop is not up to large ones. `query` is
    /// given the rows of the page.
    async fn list(&self, route: &str, query: impl Fn(u32) -> Query) -> Result<(Rows, u32), CallError> {
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            if tries.tried() >= 2 {
                // A page of large orders can be more than the memory or the time that a shop gives to one call.
                let rows = self.page.load(Ordering::Relaxed);
                self.page.store((rows / 2).max(PAGE_MIN).min(rows), Ordering::Relaxed);
            }
            let rows = self.page.load(Ordering::Relaxed);
            let heard = self.call(&Verb::GET, route, &query(rows), None).await;
            let records = heard.and_then(|heard| {
                json::rows(&heard.body, Some("id")).map_err(|what| self.http.garbled(what, Effect::Read))
            });
            match records {
                Ok(records) => {
                    // What failed may have been a fault of the moment: the next page may be larger again.
                    self.page.store((rows * 2).min(self.page_max), Ordering::Relaxed);
                    return Ok((records, rows));
                }
                Err(error) => tries.pause(error).await?,
            }
        }
    }

    fn route(&self, entity: &Entity, parts: &[(String, String)], call: &str) -> Result<String, CallError> {
        let refused = |reason: String| CallError::Refused {
            system: self.http.system.to_string(),
            reason,
            status: 0,
            call: call.to_owned(),
        };
        let name = entity.full_name();
        let route = entity
            .route
            .as_deref()
            .ok_or_else(|| refused(format!("{name} has no address of its own; it comes with what it is part of")))?;
        fill(route, parts).map_err(|part| refused(format!("the address of {name} needs `{part}`, which is not given")))
    }

    /// Rows of a page now.
    fn page_rows(&self) -> usize {
        self.page.load(Ordering::Relaxed) as usize
    }

    /// One record by its own address, with all that it has: its status tells whether it is in the trash.
    async fn one(&self, one: &One) -> Result<Presence, CallError> {
        let route = self.route(&one.entity, &one.parts, "read")?;
        let id = percent_encoding::utf8_percent_encode(&one.id, percent_encoding::NON_ALPHANUMERIC);
        let (route, query) = (format!("{route}/{id}"), filter::always(&route));
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            let heard = match self.call(&Verb::GET, &route, &query, None).await {
                Ok(heard) => heard,
                Err(CallError::Refused { status: 404, reason, .. }) => return Ok(Presence::Gone(reason)),
                Err(error) => {
                    tries.pause(error).await?;
                    continue;
                }
            };
            return Ok(match json::record(&heard.body) {
                Ok(raw) if json::member(&raw.0, "status").as_deref() == Some("trash") => {
                    Presence::Gone("it is in the trash".to_owned())
                }
                Ok(raw) => Presence::Found(raw),
                Err(why) => Presence::Unreadable(json::unreadable(&heard.body, Some("id"), why)),
            });
        }
    }

    async fn send(&self, write: &Write) -> Result<Answer, CallError> {
        let route = self.route(&write.entity, &write.parts, "write")?;
        // `dp` is for the answer: with the shop's own decimals it would hide what was stored.
        let mut query: Query = vec![("dp".to_owned(), "6".to_owned())];
        let one = |id: &Option<String>| match id {
            Some(id) => {
                Ok(format!("{route}/{}", percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC)))
            }
            None => Err(CallError::Refused {
                system: self.http.system.to_string(),
                reason: "it is not said which record".to_owned(),
                status: 0,
                call: route.clone(),
            }),
        };
        let (verb, route, body) = match write.method {
            Method::Get => unreachable!("a write is a create, an update or a deletion"),
            Method::Post => (Verb::POST, route.clone(), Some(write.body.clone())),
            Method::Put => (Verb::PUT, one(&write.id)?, Some(write.body.clone())),
            Method::Delete => {
                // Only these have a trash; for all others the shop asks to be told that it is final.
                if !matches!(route.as_str(), "orders" | "products" | "coupons") {
                    query.push(("force".to_owned(), "true".to_owned()));
                }
                (Verb::DELETE, one(&write.id)?, None)
            }
        };
        let heard = match self.call(&verb, &route, &query, body).await {
            Err(CallError::Refused { status: 410, .. }) if verb == Verb::DELETE => {
                return Ok(Answer { id: write.id.clone(), record: None });
            }
            other => other?,
        };
        let record = json::record(&heard.body).map_err(|what| self.http.garbled(what, Effect::Write))?;
        let key = write.entity.key.map(|key| write.entity.get(key).wire.to_string());
        let id = key.and_then(|key| json::member(&record.0, &key)).or_else(|| write.id.clone());
        Ok(Answer { id, record: Some(record) })
    }
}

/// The address of the API: `url` may be the shop's, or already the API's.
fn base(text: &str, api: &str) -> Option<Url> {
    let mut base = Url::parse(text.trim()).ok()?;
    base.host_str()?;
    base.set_fragment(None);
    base.set_query(None);
    let path = base.path().trim_end_matches('/').to_owned();
    let path = if path.ends_with(api) { path } else { format!("{path}{api}") };
    base.set_path(&path);
    Some(base)
}

#[async_trait::async_trait]
impl Connector for Shop {
    fn resumed(&self, scan: &Scan, stored: Position) -> Position {
        scan::resumed(&stored, scan.since, self.overlap)
    }

    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError> {
        scan::page(self, scan, from).await
    }

    async fn find(&self, find: &Find) -> Result<Rows, CallError> {
        filter::find(self, find).await
    }

    async fn read(&self, one: &One) -> Result<Presence, CallError> {
        self.one(one).await
    }

    async fn write(&self, write: &Write) -> Result<Answer, CallError> {
        self.send(write).await
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn reading(&self) -> Reading {
        self.clock.reading()
    }

    async fn sleep_until(&self, then: Timestamp, why: &str) {
        self.clock.sleep_until(then, why).await;
    }

    fn pause(&self) -> Option<Pause> {
        self.clock.pause()
    }

    fn calls(&self) -> u64 {
        self.http.calls()
    }

    async fn hello(&self) -> Result<Raw, CallError> {
        let query = [("_fields".to_owned(), "environment,settings,security".to_owned())];
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            let heard = self.call(&Verb::GET, "system_status", &query, None).await;
            let told =
                heard.and_then(|heard| json::record(&heard.body).map_err(|what| self.http.garbled(what, Effect::Read)));
            match told {
                Ok(told) => return Ok(told),
                Err(error) => tries.pause(error).await?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_may_be_the_shops_or_the_apis() {
        for text in ["https://shop.example", "https://shop.example/", "https://shop.example/wp-json/wc/v3/"] {
            assert_eq!(base(text, API).unwrap().as_str(), "https://shop.example/wp-json/wc/v3");
        }
        assert_eq!(base("https://x.example/winkel/", API).unwrap().path(), "/winkel/wp-json/wc/v3");
        assert!(base("shop.example", API).is_none());
    }
}
