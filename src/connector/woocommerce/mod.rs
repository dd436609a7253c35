//! WooCommerce, REST v3: lists that move under the reader's hands, and errors whose status does not say what they are.
//!
//! Source: WooCommerce REST v3; what is said to be measured was seen on shops of versions 9.9, 10.5 and 11.

mod answer;
mod auth;
mod batch;
mod below;
mod clocks;
mod complete;
mod door;
mod filter;
mod hidden;
mod list;
mod look;
mod media;
mod narrow;
mod own;
mod position;
mod query;
mod scan;
mod site;

use super::budget::{Allowance, Budget};
use super::clock::Clock;
use super::file::File;
use super::http::{Body, Effect, Http, Request, Response, Timing, Verb};
use super::proof::{Amiss, Proof};
use super::retry::Tries;
use super::window::Said;
use super::{
    Answer, CallError, Connector, Find, One, OpenError, Page, Pause, Position, Presence, Raw, Rows, Scan, Setup,
    Vitals, Write, fill, json, written,
};
use crate::ir::{Entity, Method};
use crate::store::Reading;
use answer::{Failed, Kind};
use auth::Login;
use door::Door;
use jiff::{SignedDuration, Timestamp};
use query::Query;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::ExposeSecret;
use site::Site;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Calls to one shop at a time: it is somebody's web shop, and each of ours takes one of its workers.
const PARALLEL: usize = 4;
/// Where the API is below the shop's address, unless the declaration says otherwise.
const API: &str = "/wp-json/wc/v3";
/// Rows of a page where the declaration names none.
const PAGE: u32 = 100;
/// Bytes of a list in an address where the declaration does not say.
const URL_MAX: u32 = 3_000;
/// What every shop answers quickly, whatever is wrong with its records.
const LIGHT: &str = "data/currencies/current";

/// A shop.
pub(super) struct Shop {
    http: Http,
    clock: Arc<Clock>,
    door: Door,
    /// Who may use WordPress's own API.
    user: Option<HeaderValue>,
    timing: Timing,
    site: Site,
    /// Rows that this shop can answer at once; less after it could not.
    page: AtomicU32,
    page_max: AtomicU32,
    /// Something on the way may drop the headers of lists; then the shop puts them into its answers.
    envelope: site::Sealing,
    /// Most values of a list in an address, and its longest one, in bytes.
    values_max: usize,
    url_max: usize,
    workers: Semaphore,
    budget: Budget,
    proof: Proof,
    /// How far a pass begins before the last change seen.
    overlap: SignedDuration,
    /// What a person should know of it, each once.
    remarks: Mutex<Vec<String>>,
}

impl Shop {
    pub(super) async fn open(setup: Setup<'_>) -> Result<Self, OpenError> {
        let api = setup.habits.word("base").and_then(|base| base.strip_prefix("{url}")).unwrap_or(API);
        let site = Site::of(&setup.entries.needed("url")?, api).map_err(|reason| setup.bad("url", reason))?;
        let login = Login { key: setup.entries.needed_secret("key")?, secret: setup.entries.needed_secret("secret")? };
        let front = match (setup.entries.text("front_user")?, setup.entries.secret("front_password")?) {
            (Some(user), password) => Some(door::front(&user, &password.unwrap_or_default())),
            (None, None) => None,
            (None, Some(_)) => return Err(setup.bad("front_password", "needs `front_user` beside it")),
        };
        let http = setup.http("url", &site.base)?;
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
            proof: Proof::new(Arc::clone(&http.system), Arc::clone(&clock)),
            http,
            clock,
            user: user(&setup)?,
            door: Door::new(login, front, &site.base),
            timing: setup.timing,
            site,
            page: AtomicU32::new(rows),
            page_max: AtomicU32::new(rows),
            envelope: site::Sealing::default(),
            values_max: or(setup.habits.values_max, PAGE),
            url_max: or(setup.habits.url_max, URL_MAX),
            workers: Semaphore::new(PARALLEL),
            overlap: setup.overlap(),
            remarks: Mutex::default(),
        })
    }

    /// One call, once. A refusal that a lost login would bring as well is told apart from one of this call.
    async fn call(&self, verb: &Verb, route: &str, query: &Query, body: Option<String>) -> Result<Response, Failed> {
        let _worker = self.workers.acquire().await.expect("the shop's workers are never closed");
        match self.sent(verb, route, query, body).await {
            Err(failed) if failed.kind == Kind::Doubtful => {
                let kind = failed.kind;
                let error = match failed.amiss() {
                    Amiss::Doubtful(doubt) => self.proof.judge(doubt, self.prove()).await,
                    Amiss::Plain(error) => error,
                };
                let kind = if matches!(error, CallError::Refused { .. }) { kind } else { Kind::Plain };
                Err(Failed { error, kind, lost: None })
            }
            other => other,
        }
    }

    /// The call that must succeed.
    async fn prove(&self) -> Result<Response, Amiss> {
        let query = Query::default().with("_fields", "code");
        self.sent(&Verb::GET, LIGHT, &query, None).await.map_err(Failed::amiss)
    }

    /// One call, once; again only by another way in, if the API says that it saw no key.
    async fn sent(&self, verb: &Verb, route: &str, query: &Query, body: Option<String>) -> Result<Response, Failed> {
        if media::is_own(route) {
            let body = body.map(|body| Body::text("application/json", body));
            return self.sent_by_user((verb, route), query, body).await;
        }
        let effect = if *verb == Verb::GET { Effect::Read } else { Effect::Write };
        let address = self.site.address(route);
        let mut locked: Option<Response> = None;
        for way in self.door.ways() {
            self.budget.turn(route, effect).await.map_err(Failed::plain)?;
            // The shop compares a signature's time with its own calendar.
            let second = self.clock.moment().theirs.as_second();
            let (address, header) = self.door.dressed(way, (verb, &address, query), second);
            let headers = header.into_iter().collect();
            let body = body.clone().map(|body| Body::text("application/json", body));
            let response = self.http.send(Request { verb: verb.clone(), address, headers, body, effect }).await;
            let response = response.map_err(|fault| site::failed(&self.http, fault, effect, self.clock.now()))?;
            self.clock.saw(&response);
            self.budget.saw(route, &response, &Said::default()).await.map_err(Failed::plain)?;
            if answer::unseen(&response, way) {
                if locked.is_none() || answer::says_why(&response) {
                    locked = Some(response);
                }
                continue;
            }
            if answer::is_api(&response)
                && let Some(remark) = self.door.keep(way)
            {
                self.remark(remark.to_owned());
            }
            return self.check((verb, route), response, effect).await;
        }
        let response = locked.expect("each way in was shut by an answer");
        self.check((verb, route), response, effect).await
    }

    /// One call of WordPress's own API, once.
    async fn sent_by_user(
        &self,
        (verb, route): (&Verb, &str),
        query: &Query,
        body: Option<Body>,
    ) -> Result<Response, Failed> {
        let Some(user) = &self.user else {
            return Err(Failed::plain(CallError::Refused {
                system: self.http.system.to_string(),
                reason: "its `connect` block names no `media_user` and `media_password`".to_owned(),
                status: 0,
                call: format!("{verb} {route}"),
            }));
        };
        let effect = if *verb == Verb::GET { Effect::Read } else { Effect::Write };
        self.budget.turn(route, effect).await.map_err(Failed::plain)?;
        let mut address = self.site.address(route);
        address.set_query(query.text().as_deref());
        let headers = vec![(AUTHORIZATION, user.clone())];
        let sent = self.http.send(Request { verb: verb.clone(), address, headers, body, effect }).await;
        let response = sent.map_err(|fault| site::failed(&self.http, fault, effect, self.clock.now()))?;
        self.clock.saw(&response);
        self.budget.saw(route, &response, &Said::default()).await.map_err(Failed::plain)?;
        self.check((verb, route), response, effect).await
    }

    /// A new record of the media library with its file.
    async fn add(&self, write: &Write, file: &File) -> Result<Answer, CallError> {
        let route = self.route(&write.entity, &write.parts, "write")?;
        let (kind, bytes) = media::form(&write.body, file);
        let body = Some(Body { kind: kind.into(), bytes });
        let response = self.sent_by_user((&Verb::POST, &route), &Query::default(), body).await?;
        let garbled = |what: String| self.http.garbled(what, Effect::Write);
        let record = json::record(&response.body).map_err(garbled)?;
        written(write, record).map_err(|what| garbled(what.to_owned()))
    }

    async fn check(
        &self,
        (verb, route): (&Verb, &str),
        response: Response,
        effect: Effect,
    ) -> Result<Response, Failed> {
        let system = || self.http.system.to_string();
        let call = format!("{verb} {route}");
        if let Some(reason) = self.door.barred(&response).or_else(|| self.site.moved(&response)) {
            // "See other" is what some answer to a write that they have carried out.
            if effect == Effect::Write && matches!(response.status, 302 | 303) {
                return Err(Failed::plain(CallError::Unknown { system: system(), reason }));
            }
            let refused =
                CallError::Refused { system: system(), reason: reason.clone(), status: response.status, call };
            return Err(Failed::doubtful(refused, reason));
        }
        let response = site::opened(response);
        let status = response.status;
        let checked = answer::check(&self.http, response, effect, &call, self.clock.now());
        match checked {
            Err(failed) if status == 404 && matches!(failed.kind, Kind::NoRoute | Kind::Doubtful) => {
                Err(match self.site.absent(&self.http, &self.door).await {
                    Some(reason) => Failed::plain(CallError::Login { system: system(), reason }),
                    None => failed,
                })
            }
            other => other,
        }
    }

    /// Whether the shop answers what is light: it tells an outage from a list that it cannot show.
    async fn answers(&self) -> bool {
        let query = Query::default().with("_fields", "code");
        match self.call(&Verb::GET, LIGHT, &query, None).await {
            Ok(_) => true,
            // Whoever refuses is there.
            Err(failed) => matches!(failed.error, CallError::Refused { .. } | CallError::Login { .. }),
        }
    }

    /// An error that is about to be told for good: a web page where the API should be has a cause that can be named.
    async fn named(&self, error: CallError, tries: &Tries<'_>) -> CallError {
        let CallError::Garbled { system, .. } = &error else { return error };
        if !tries.are_over() {
            return error;
        }
        match self.site.absent(&self.http, &self.door).await {
            Some(reason) => CallError::Login { system: system.clone(), reason },
            None => error,
        }
    }

    /// The most rows of a page, as the list's own description says.
    async fn cap(&self, route: &str) -> Result<Option<u32>, CallError> {
        let response = self.call(&Verb::OPTIONS, route, &Query::default(), None).await?;
        let told: serde_json::Value = serde_json::from_str(&response.body).unwrap_or_default();
        let most = told.pointer("/endpoints/0/args/per_page/maximum").and_then(serde_json::Value::as_u64);
        Ok(most.and_then(|most| u32::try_from(most).ok()).filter(|most| *most > 0))
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
            .path_of(parts)
            .ok_or_else(|| refused(format!("{name} has no address of its own; it comes with what it is part of")))?;
        fill(route, parts).map_err(|part| refused(format!("the address of {name} needs `{part}`, which is not given")))
    }

    fn remark(&self, remark: String) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        if !remarks.contains(&remark) {
            remarks.push(remark);
        }
    }

    /// Rows of a page now.
    fn page_rows(&self) -> u32 {
        self.page.load(Ordering::Relaxed)
    }

    /// What failed may have been a fault of the moment: pages may be larger again.
    fn larger_pages(&self) {
        let most = self.page_max.load(Ordering::Relaxed);
        self.page.store((self.page_rows() * 2).min(most), Ordering::Relaxed);
    }

    async fn send(&self, write: &Write) -> Result<Answer, CallError> {
        let route = self.route(&write.entity, &write.parts, "write")?;
        // `dp` is for the answer: with the shop's own decimals it would hide what was stored.
        let mut query = Query::default().with("dp", "6");
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
                    query.set("force", "true");
                }
                (Verb::DELETE, one(&write.id)?, None)
            }
        };
        let response = match self.call(&verb, &route, &query, body).await.map_err(CallError::from) {
            Err(CallError::Refused { status: 410, .. }) if verb == Verb::DELETE => {
                return Ok(Answer { id: write.id.clone(), record: None });
            }
            other => other?,
        };
        let record = json::record(&response.body).map_err(|what| self.http.garbled(what, Effect::Write))?;
        written(write, record).map_err(|what| self.http.garbled(what.to_owned(), Effect::Write))
    }
}

/// The login of the user of WordPress, where a connection names one.
fn user(setup: &Setup<'_>) -> Result<Option<HeaderValue>, OpenError> {
    match (setup.entries.text("media_user")?, setup.entries.secret("media_password")?) {
        (Some(_), Some(_)) if setup.entries.text("front_user")?.is_some() => {
            Err(setup.bad("media_user", "has no room beside `front_user`: one call has one login in its header"))
        }
        (Some(name), Some(password)) => Ok(Some(auth::basic(&name, password.expose_secret()))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(setup.bad("media_user", "needs `media_password` beside it")),
        (None, Some(_)) => Err(setup.bad("media_password", "needs `media_user` beside it")),
    }
}

#[async_trait::async_trait]
impl Connector for Shop {
    fn resumed(&self, _scan: &Scan, stored: Position, anew: bool) -> Position {
        scan::resumed(&stored, anew)
    }

    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError> {
        scan::page(self, scan, from).await
    }

    async fn find(&self, find: &Find) -> Result<Rows, CallError> {
        filter::find(self, find).await
    }

    async fn read(&self, one: &One) -> Result<Presence, CallError> {
        let route = self.route(&one.entity, &one.parts, "read")?;
        let mut query = query::always(&route);
        if let Some(fields) = query::fields(&one.entity, &one.names()) {
            query.set("_fields", format!("{fields},status"));
        }
        let wire = one.entity.key.map_or("id", |key| &*one.entity.get(key).wire);
        own::read(self, &route, (wire, &one.id), &query).await
    }

    async fn write(&self, write: &Write) -> Result<Answer, CallError> {
        self.send(write).await
    }

    async fn write_with(&self, write: &Write, file: &File) -> Result<Answer, CallError> {
        self.add(write, file).await
    }

    async fn write_all(&self, writes: &[Write]) -> Vec<Result<Answer, CallError>> {
        batch::send(self, writes).await
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

    fn remarks(&self) -> Vec<String> {
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn calls(&self) -> u64 {
        self.http.calls()
    }

    async fn probe(&self, entity: &Entity) -> Result<(), CallError> {
        let readable = |route: &&str| !route.contains('{') && entity.methods.contains(&Method::Get);
        let Some(route) = entity.route.as_deref().filter(readable) else { return Ok(()) };
        let mut query = Query::default();
        if let Some(key) = entity.key {
            // One record by itself has no pages.
            query = query.with("per_page", "1").with("_fields", &*entity.get(key).wire);
        }
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            match self.call(&Verb::GET, route, &query, None).await.map_err(CallError::from) {
                Ok(_) => return Ok(()),
                Err(error) => tries.pause(error).await?,
            }
        }
    }

    fn vitals(&self) -> Vitals {
        // It tells of no limits: those that it is called by are ours.
        Vitals { ahead: self.clock.ahead(), left: Vec::new() }
    }

    async fn hello(&self) -> Result<Raw, CallError> {
        let query = Query::default().with("_fields", "environment,settings,security");
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            let response = self.call(&Verb::GET, "system_status", &query, None).await.map_err(CallError::from);
            let told = response.and_then(|response| {
                json::record(&response.body).map_err(|what| self.http.garbled(what, Effect::Read))
            });
            match told {
                Ok(told) => return Ok(told),
                Err(error) => {
                    let error = self.named(error, &tries).await;
                    tries.pause(error).await?;
                }
            }
        }
    }
}
