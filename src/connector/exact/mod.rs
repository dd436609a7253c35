//! Exact Online: OData 2 with a login that rotates, limits on calls and on errors, and errors that are sentences.
//!
//! Source: the REST reference as of 2025 and clients in production; the measures are the connector's declaration.

mod answer;
mod envelope;
mod feed;
mod file;
mod lines;
mod login;
mod odata;
mod one;
mod position;
mod scan;
mod search;

pub use login::Consent;

use super::budget::{Allowance, Budget};
use super::clock::Clock;
use super::entries::{Entries, Secrets};
use super::file::{File, too_large};
use super::http::{Body, Effect, Fault, Http, Request, Response, Timing, Verb};
use super::proof::{Amiss, Doubt, Proof};
use super::retry::Tries;
use super::{
    Answer, CallError, Connector, Find, One, OpenError, Page, Pause, Position, Presence, Raw, Rows, Scan, Setup,
    Vitals, Write, fill, json, written,
};
use crate::ir::{Connection, Connector as Habits, Entity, Method};
use crate::limits;
use crate::store::{Reading, Store};
use file::Came;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use login::Login;
use odata::{Measures, ask};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::OnceCell;
use url::Url;

/// Bytes of an address where the declaration does not say.
const URL_MAX: usize = 2_000;
/// Values of a search where the declaration does not say.
const VALUES_MAX: usize = 40;
/// Who we are, as a route.
const ME: &str = "current/Me";
/// What calls for files are counted as.
const FILES: &str = "docs";

/// A ledger.
pub(super) struct Ledger {
    http: Http,
    clock: Arc<Clock>,
    login: Login,
    budget: Budget,
    proof: Proof,
    timing: Timing,
    /// Scheme, host and port.
    root: Url,
    /// The administration of the `connect` block.
    named: Option<String>,
    /// The administration of the calls.
    division: OnceCell<String>,
    measures: Measures,
    /// The zone of its wall clock.
    zone: TimeZone,
    /// How far a pass begins before the last change seen.
    overlap: SignedDuration,
}

/// What a person's consent needs: for `flowc login`.
pub async fn consent(
    connection: &Connection,
    habits: &Habits,
    secrets: &dyn Secrets,
    store: Arc<dyn Store>,
) -> Result<Consent, OpenError> {
    let entries = Entries::new(connection, secrets);
    let setup = Setup { name: connection.name.as_ref().into(), habits, entries, store, timing: Timing::default() };
    let root = root(&setup)?;
    let clock = setup.clock().await?;
    let http = setup.http("base_url", &root)?;
    let login = Login::of(&setup, &root, clock)?;
    let authorize = join(&root, habits.word("login.authorize").unwrap_or("/api/oauth2/auth"));
    Ok(Consent::new(login, http, authorize))
}

impl Ledger {
    pub(super) async fn open(setup: Setup<'_>) -> Result<Self, OpenError> {
        let root = root(&setup)?;
        let clock = setup.clock().await?;
        let http = setup.http("base_url", &root)?;
        let login = Login::of(&setup, &root, Arc::clone(&clock))?;
        let allowed = Allowance {
            minute: setup.number("limits.minute"),
            day: setup.number("limits.day"),
            errors: setup.number("limits.errors"),
            told: true,
        };
        let named = setup.entries.text("division")?;
        if named.as_ref().is_some_and(|text| !text.bytes().all(|b| b.is_ascii_digit())) {
            return Err(setup.bad("division", "is no number"));
        }
        let or = |word: u32, default: usize| if word == 0 { default } else { word as usize };
        let zone = TimeZone::get(&setup.habits.zone).unwrap_or(TimeZone::UTC);
        Ok(Self {
            budget: Budget::new(Arc::clone(&http.system), Arc::clone(&clock), Arc::clone(&setup.store), allowed),
            proof: Proof::new(Arc::clone(&http.system), Arc::clone(&clock)),
            http,
            clock,
            login,
            timing: setup.timing,
            root,
            named,
            division: OnceCell::new(),
            measures: Measures {
                url: or(setup.habits.url_max, URL_MAX),
                values: or(setup.habits.values_max, VALUES_MAX),
            },
            zone,
            overlap: setup.overlap(),
        })
    }

    /// One call, once: its turn, its token, the answer and what it means.
    async fn call(&self, call: Request, route: &str) -> Result<Response, CallError> {
        self.budget.turn(route, call.effect).await?;
        let access = self.login.access(&self.http).await?;
        match self.sent(call, route, &access).await {
            Ok(response) => Ok(response),
            Err(Amiss::Plain(error)) => Err(error),
            Err(Amiss::Doubtful(doubt)) => Err(self.proof.judge(doubt, self.prove(&access)).await),
        }
    }

    /// One call with its turn and its token.
    async fn sent(&self, mut call: Request, route: &str, access: &SecretString) -> Result<Response, Amiss> {
        let (effect, verb) = (call.effect, call.verb.clone());
        call = call
            .header(AUTHORIZATION, self.bearer(access)?)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        let response = match self.http.send(call).await {
            Ok(response) => response,
            Err(fault) => return Err(self.http.classed(fault, effect, self.clock.now()).into()),
        };
        self.clock.saw(&response);
        self.budget.saw(route, &response, &answer::limits(&response)).await?;
        answer::check(&self.http, response, effect, (verb.as_str(), route), self.clock.now())
    }

    /// The call that must succeed with this token. If it is the token that is refused, it is renewed, so that the next try
    /// has a good one.
    async fn prove(&self, access: &SecretString) -> Result<(), Amiss> {
        let same = |other: &SecretString| other.expose_secret() == access.expose_secret();
        if !same(&self.login.access(&self.http).await?) {
            return Err(answer::renewed(&self.http, self.clock.now()).into());
        }
        self.budget.turn(ME, Effect::Read).await?;
        let answered = self.sent(Request::get(self.address_of_me()), ME, access).await;
        let Err(Amiss::Doubtful(Doubt { refused: CallError::Refused { status: 401, reason, .. }, .. })) = answered
        else {
            return answered.map(drop);
        };
        self.login.refused(access).await;
        if same(&self.login.access(&self.http).await?) {
            return Err(answer::not_accepted(&self.http, &reason).into());
        }
        Err(answer::renewed(&self.http, self.clock.now()).into())
    }

    /// A page, tried again while that is of use.
    async fn page(&self, address: &Url, route: &str, key: Option<&str>) -> Result<envelope::Listed, CallError> {
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            let response = self.call(Request::get(address.clone()), route).await;
            let page = response.and_then(|response| {
                envelope::page(&response.body, key).map_err(|what| self.http.garbled(what, Effect::Read))
            });
            match page {
                Ok(page) => return Ok(page),
                Err(error) => tries.pause(error).await?,
            }
        }
    }

    /// Every row of a question.
    async fn all(&self, address: Url, route: &str, key: Option<&str>) -> Result<Rows, CallError> {
        let mut rows = Rows::default();
        let mut read = HashSet::new();
        let mut next = Some(address);
        let mut count = None;
        for _ in 0..limits::SEARCH_PAGES_MAX {
            let Some(address) = next else {
                let came = rows.read.len() + rows.unreadable.len();
                return match count {
                    Some(count) if came < count => {
                        let what = format!("{came} rows of {route} where it counts {count}");
                        Err(self.http.garbled(what, Effect::Read))
                    }
                    Some(_) | None => Ok(rows),
                };
            };
            let page = self.page(&address, route, key).await?;
            count = count.or(page.count);
            rows.extend(page.rows);
            next = page.next.map(|text| self.follow(&text)).transpose()?;
            read.insert(address);
            if next.as_ref().is_some_and(|next| read.contains(next)) {
                return Err(self.http.garbled(format!("pages of {route} that lead in a circle"), Effect::Read));
            }
        }
        Err(self.http.garbled(format!("more than {} pages of {route}", limits::SEARCH_PAGES_MAX), Effect::Read))
    }

    /// The address of the next page; only on our own host, since the login goes with it.
    fn follow(&self, text: &str) -> Result<Url, CallError> {
        let next = self.root.join(text);
        match next {
            Ok(next) if next.origin() == self.root.origin() => Ok(next),
            Ok(next) => Err(answer::elsewhere(&self.http, next.host_str().unwrap_or_default())),
            Err(_) => Err(answer::elsewhere(&self.http, "unreadable")),
        }
    }

    /// The administration: the named one, else the user's own.
    async fn division(&self) -> Result<&str, CallError> {
        if let Some(named) = &self.named {
            return Ok(named);
        }
        let found = self.division.get_or_try_init(|| async {
            let me = self.me().await?;
            me.member("CurrentDivision").ok_or_else(|| CallError::Login {
                system: self.http.system.to_string(),
                reason: "it does not say which division is the user's; name one in the `connect` block".to_owned(),
            })
        });
        found.await.map(String::as_str)
    }

    /// The cheapest question that needs the login and nothing else: who we are.
    fn address_of_me(&self) -> Url {
        ask(&join(&self.root, "/api/v1/current/Me"), &[("$select", "CurrentDivision,UserID,FullName,ServerTime")])
    }

    async fn me(&self) -> Result<Raw, CallError> {
        let page = self.page(&self.address_of_me(), ME, None).await?;
        page.rows.read.into_iter().next().ok_or_else(|| self.http.garbled("no user".to_owned(), Effect::Read))
    }

    /// The address of a route. One that begins with a slash stands outside of the administration.
    async fn address(&self, route: &str) -> Result<Url, CallError> {
        if route.starts_with('/') {
            return Ok(join(&self.root, route));
        }
        let division = self.division().await?;
        Ok(match route.strip_prefix("beta/") {
            Some(rest) => join(&self.root, &format!("/api/v1/beta/{division}/{rest}")),
            None => join(&self.root, &format!("/api/v1/{division}/{route}")),
        })
    }

    /// An entity's route with its parts.
    fn route(&self, entity: &Entity, parts: &[(String, String)], verb: &str) -> Result<String, CallError> {
        let name = entity.full_name();
        let route = entity.route.as_deref().ok_or_else(|| {
            self.refused(verb, &name, format!("{name} has no address of its own; it comes with what it is part of"))
        })?;
        fill(route, parts).map_err(|part| {
            self.refused(verb, route, format!("the address of {name} needs `{part}`, which is not given"))
        })
    }

    /// What is not even asked.
    fn refused(&self, verb: &str, route: &str, reason: String) -> CallError {
        CallError::Refused { system: self.http.system.to_string(), reason, status: 0, call: format!("{verb} {route}") }
    }

    /// A file by its address. What stands behind a `#` tells versions of one address apart, and is not sent.
    async fn moved(&self, address: &str) -> Result<Option<File>, CallError> {
        let mut address = self.follow(address)?;
        address.set_fragment(None);
        let mut tries = Tries::new(&self.clock, &self.timing);
        loop {
            match self.moved_once(&address).await {
                Ok(file) => return Ok(file),
                Err(error) => tries.pause(error).await?,
            }
        }
    }

    async fn moved_once(&self, address: &Url) -> Result<Option<File>, CallError> {
        self.budget.turn(FILES, Effect::Read).await?;
        let access = self.login.access(&self.http).await?;
        let call = Request::get(address.clone()).header(AUTHORIZATION, self.bearer(&access)?);
        let refused = |reason: String| self.refused("GET", FILES, reason);
        let came = match self.http.bytes(call, limits::MOVED_BYTES_MAX).await {
            Ok(came) => came,
            Err(Fault::TooLarge) => return Err(refused(too_large())),
            Err(fault) => return Err(self.http.classed(fault, Effect::Read, self.clock.now())),
        };
        let kind = came.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match file::came(came.status, kind, came.bytes) {
            Came::File(file) => Ok(Some(file)),
            Came::Nothing => Ok(None),
            Came::Refused(reason) => Err(refused(reason)),
            Came::Outage(reason) => {
                Err(CallError::Later { system: self.http.system.to_string(), until: self.clock.now(), reason })
            }
            Came::Shut(said) => {
                let lost = format!("{said}; run `flowc login {}`", self.http.system);
                let doubt = Doubt { refused: refused(format!("{said}: look at it in a browser")), lost };
                Err(self.proof.judge(doubt, self.prove(&access)).await)
            }
        }
    }

    /// The header that a token goes in.
    fn bearer(&self, access: &SecretString) -> Result<HeaderValue, CallError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", access.expose_secret()))
            .map_err(|_| answer::renewed(&self.http, self.clock.now()))?;
        bearer.set_sensitive(true);
        Ok(bearer)
    }

    async fn send(&self, write: &Write) -> Result<Answer, CallError> {
        let verb = match write.method {
            Method::Get => unreachable!("a write is a create, an update or a deletion"),
            Method::Post => Verb::POST,
            Method::Put => Verb::PUT,
            Method::Delete => Verb::DELETE,
        };
        let route = self.route(&write.entity, &write.parts, verb.as_str())?;
        let mut address = self.address(&route).await?;
        if verb != Verb::POST {
            let key = write.id.as_deref().and_then(|id| odata::key(&write.entity, write.entity.key, id));
            let key = key.ok_or_else(|| {
                self.refused(verb.as_str(), &route, "it is not said which record, by a key that it can have".to_owned())
            })?;
            address.set_path(&format!("{}{key}", address.path()));
        }
        let body = lines::sent(&write.entity, &write.body).unwrap_or_else(|| write.body.clone());
        let mut call = Request {
            verb: verb.clone(),
            address,
            headers: Vec::new(),
            body: (verb != Verb::DELETE).then(|| Body::text("application/json", body)),
            effect: Effect::Write,
        };
        if verb == Verb::POST {
            // Else the answer repeats what was sent, and what the ledger computed must be read again.
            call = call.header(HeaderName::from_static("prefer"), HeaderValue::from_static("return=representation"));
        }
        let response = self.call(call, &route).await?;
        let garbled = |what: &str| self.http.garbled(what.to_owned(), Effect::Write);
        if response.body.trim().is_empty() {
            if verb == Verb::POST {
                return Err(garbled("nothing, where the new record should be"));
            }
            return Ok(Answer { id: write.id.clone(), record: None });
        }
        let record = envelope::record(&response.body).map_err(|what| self.http.garbled(what, Effect::Write))?;
        let shown = lines::answered(&write.entity, &record.0, &write.body).map(Raw::of);
        written(write, shown.unwrap_or(record)).map_err(garbled)
    }
}

/// Scheme, host and port: of `base_url`, else of the country's site.
fn root(setup: &Setup<'_>) -> Result<Url, OpenError> {
    let (entry, text) = if let Some(text) = setup.entries.text("base_url")? {
        ("base_url", text)
    } else {
        let country = setup.entries.needed("country")?;
        let base = setup.habits.word("base").unwrap_or("https://start.exactonline.{country}/");
        ("country", base.replace("{country}", &site(&country)).replace("{division}", ""))
    };
    let mut root = Url::parse(text.trim()).map_err(|_| setup.bad(entry, "makes no address"))?;
    if root.host_str().is_none() {
        return Err(setup.bad(entry, "makes no address"));
    }
    root.set_query(None);
    root.set_fragment(None);
    root.set_path("/");
    Ok(root)
}

/// The end of the site's name for a country: most are the country's code.
fn site(country: &str) -> String {
    match country.trim().to_ascii_lowercase().as_str() {
        "gb" | "uk" | "co.uk" => "co.uk".to_owned(),
        "us" | "com" => "com".to_owned(),
        other => other.to_owned(),
    }
}

/// The member that names a record of the entity.
fn key_of(entity: &Entity) -> Option<&str> {
    entity.key.map(|key| &*entity.get(key).wire)
}

/// An address of this host.
fn join(root: &Url, path: &str) -> Url {
    let mut address = root.clone();
    address.set_path(path);
    address
}

#[async_trait::async_trait]
impl Connector for Ledger {
    fn resumed(&self, scan: &Scan, stored: Position, anew: bool) -> Position {
        if anew { Position::default() } else { scan::resumed(self, scan, stored) }
    }

    fn before(&self, mark: &str) -> Option<Position> {
        position::before(mark)
    }

    async fn scan(&self, scan: &Scan, from: &Position) -> Result<Page, CallError> {
        scan::page(self, scan, from).await
    }

    async fn find(&self, find: &Find) -> Result<Rows, CallError> {
        search::find(self, find).await
    }

    async fn read(&self, one: &One) -> Result<Presence, CallError> {
        one::read(self, one).await
    }

    async fn write(&self, write: &Write) -> Result<Answer, CallError> {
        self.send(write).await
    }

    async fn file(&self, address: &str) -> Result<Option<File>, CallError> {
        self.moved(address).await
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

    async fn probe(&self, entity: &Entity) -> Result<(), CallError> {
        one::probe(self, entity).await
    }

    fn vitals(&self) -> Vitals {
        Vitals { ahead: self.clock.ahead(), left: self.budget.left() }
    }

    async fn hello(&self) -> Result<Raw, CallError> {
        self.me().await
    }
}
