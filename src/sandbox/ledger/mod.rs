//! The simulated ledger: an administration with its master data behind a strict copy of the API.
//!
//! What it offers is a table made from the recorded reference (`entities.txt`), what an administration
//! always has is `master.json`, and the rules of the books are `rules/`. It refuses what the service
//! is known to refuse, with the service's statuses and texts.

mod amounts;
mod atom;
mod cell;
mod draft;
mod filter;
mod functions;
mod geography;
mod http;
mod limits;
mod oauth;
mod person;
mod query;
mod record;
mod refusal;
mod render;
mod resource;
mod rules;
mod schema;
mod seed;
mod state;
mod store;
mod webhook;

pub use amounts::Rounding;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use uuid::Uuid;

use super::clock::Clock;
use limits::Meter;
use oauth::Logins;
use state::State;

pub use limits::Limits;
pub use oauth::Credentials;
pub use webhook::Delivery;

/// How the ledger is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which call limits hold.
    pub limits: Limits,
    /// What ids, tokens and secrets are made from: the same seed makes the same ones.
    pub seed: u64,
    /// The number of the administration.
    pub division: i64,
    /// How VAT is rounded.
    pub rounding: Rounding,
    /// Services and resources that the login has no right to, or that the edition lacks: `salesinvoice`,
    /// `financial/Journals`.
    pub denied: Vec<String>,
    /// What notifications are signed with.
    pub webhook_secret: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::Real,
            seed: 1,
            division: 1_234_567,
            rounding: Rounding::PerCode,
            denied: Vec::new(),
            webhook_secret: "sandbox-ledger-webhooks".to_owned(),
        }
    }
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It came into being.
    Create,
    /// It became another.
    Update,
    /// It is gone.
    Delete,
}

/// A change that webhooks tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The topic that subscriptions name.
    pub topic: &'static str,
    /// What happened.
    pub action: Action,
    /// The record's key.
    pub key: Uuid,
    /// The record's entity: `crm/Accounts`.
    pub entity: &'static str,
}

/// What a listener hears of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something changed; [`Ledger::deliveries`] makes the notifications.
    Changed(Change),
    /// Somebody subscribed: about a second later the address is called with an empty POST, and if
    /// that is not answered with 200, [`Ledger::drop_subscription`] is due.
    Subscribed {
        /// The new subscription.
        subscription: Uuid,
        /// The address to call.
        url: String,
    },
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// The ledger. Clones are the same ledger.
#[derive(Clone)]
pub struct Ledger(Arc<Inner>);

struct Inner {
    clock: Clock,
    config: Config,
    books: Mutex<State>,
    logins: Mutex<Logins>,
    meter: Mutex<Meter>,
    listeners: Mutex<Vec<Listener>>,
    base: Mutex<String>,
}

impl Ledger {
    /// A ledger with the master data that every administration of the sandbox has.
    pub fn new(clock: Clock, config: Config) -> Self {
        let now = clock.now();
        let mut books = State::new(config.seed, config.division, config.rounding);
        set_time(&mut books, now);
        seed::plant(&mut books);
        books.take_changes();
        let logins = Logins::new(config.seed, books.client, now);
        let meter = Meter::new(config.limits);
        Self(Arc::new(Inner {
            clock,
            config,
            books: Mutex::new(books),
            logins: Mutex::new(logins),
            meter: Mutex::new(meter),
            listeners: Mutex::new(Vec::new()),
            base: Mutex::new("http://localhost".to_owned()),
        }))
    }

    /// The whole API, `/api/oauth2/…` included.
    pub fn router(&self) -> axum::Router {
        axum::Router::new().fallback(http::serve).with_state(self.clone())
    }

    /// Everything that is held of an entity, past any paging: plain objects with the API's names,
    /// guids as texts, dates as ISO, the lines of a document nested under their name. In lists of
    /// more than 5,000 rows values that are null are left out. `None` if there is no such entity.
    pub fn rows(&self, service: &str, entity: &str) -> Option<Vec<Value>> {
        let entity = schema::schema().find(&format!("{service}/{entity}"))?;
        let books = self.books();
        let source = entity.source.map_or(entity, |source| schema::schema().get(source));
        let rows: Vec<_> = books.table(source).rows().map(|(_, row)| row).collect();
        Some(render::plain(&books, entity, &rows))
    }

    /// The same as JSON text, one row after the other, for lists too long to be held as values.
    pub fn rows_json(&self, service: &str, entity: &str) -> Option<String> {
        let entity = schema::schema().find(&format!("{service}/{entity}"))?;
        let books = self.books();
        let source = entity.source.map_or(entity, |source| schema::schema().get(source));
        let rows: Vec<_> = books.table(source).rows().map(|(_, row)| row).collect();
        Some(render::plain_text(&books, entity, &rows))
    }

    /// Loads files called `<service>.<Entity>.json`, each one record or a list of them: what is found
    /// by key or by code is changed, the rest is added.
    ///
    /// # Errors
    /// Which file cannot be taken and why, in words for a person.
    pub fn load_dir(&self, folder: &Path) -> Result<(), String> {
        person::load_dir(&mut self.books(), folder)?;
        self.announce();
        Ok(())
    }

    /// Adds an item of a shop's SKU that can be sold, unless there is one of that code.
    pub fn ensure_item(&self, code: &str, description: &str) {
        rules::item_with_code(&mut self.books(), code, description);
        self.announce();
    }

    /// Writes a record as if a person had done it at the screens: read-only properties too, references
    /// by key or by code, and without the rules' refusals. Answers the record's key.
    ///
    /// # Errors
    /// An unknown entity or property, or a value of the wrong form.
    pub fn set_row(&self, service: &str, entity: &str, record: &Value) -> Result<String, String> {
        let key = person::set_row(&mut self.books(), &format!("{service}/{entity}"), record)?;
        self.announce();
        Ok(key)
    }

    /// Takes a record out, as a person would at the screens.
    ///
    /// # Errors
    /// An unknown entity or key, and what the ledger refuses to take out.
    pub fn remove_row(&self, service: &str, entity: &str, key: &str) -> Result<(), String> {
        person::remove_row(&mut self.books(), &format!("{service}/{entity}"), key)?;
        self.announce();
        Ok(())
    }

    /// What a client needs to call the ledger now.
    pub fn credentials(&self) -> Credentials {
        self.logins().credentials(self.0.config.division)
    }

    /// The secret that notifications are signed with.
    pub fn webhook_secret(&self) -> &str {
        &self.0.config.webhook_secret
    }

    /// Ends all access tokens; a refresh is taken at once.
    pub fn expire_tokens(&self) {
        self.logins().expire();
    }

    /// Voids all refresh tokens; only a new consent helps.
    pub fn revoke_refresh(&self) {
        self.logins().revoke();
    }

    /// Uses up the calls of the current minute.
    pub fn exhaust_minute(&self) {
        let now = self.0.clock.now();
        self.meter().exhaust_minute(now);
    }

    /// Uses up the calls of the current day.
    pub fn exhaust_day(&self) {
        let now = self.0.clock.now();
        self.meter().exhaust_day(now);
    }

    /// Calls `listener` after each call or change that something came of; it may call the ledger.
    pub fn on_change(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        lock(&self.0.listeners).push(Arc::new(listener));
    }

    /// The notifications that a change makes, signed, one a subscription to its topic.
    pub fn deliveries(&self, change: &Change) -> Vec<Delivery> {
        let base = lock(&self.0.base).clone();
        webhook::deliveries(&self.books(), change, &base, self.webhook_secret())
    }

    /// Takes a subscription back whose address did not answer.
    pub fn drop_subscription(&self, subscription: Uuid) {
        let mut books = self.books();
        let found = books.by_guid("webhooks/WebhookSubscriptions", Some(subscription));
        if let Some(record) = found {
            books.delete(&record);
        }
    }

    /// The address that notifications name; else the one of the last call is used.
    pub fn set_base_url(&self, base: &str) {
        let base = base.trim_end_matches('/');
        self.remember_base(base);
        base.clone_into(&mut self.books().base);
    }

    fn remember_base(&self, base: &str) {
        let mut known = lock(&self.0.base);
        if *known != base {
            base.clone_into(&mut known);
        }
    }

    /// The bytes of an item's picture.
    fn picture_of(&self, item: &str) -> Option<Vec<u8>> {
        let books = self.books();
        let record = books.by_guid("logistics/Items", cell::guid(item))?;
        let picture = record.text("Picture")?;
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture).ok()
    }

    fn clock(&self) -> &Clock {
        &self.0.clock
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    /// The books at the present time.
    fn books(&self) -> MutexGuard<'_, State> {
        let now = self.0.clock.now();
        let mut books = lock(&self.0.books);
        set_time(&mut books, now);
        books
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        lock(&self.0.logins)
    }

    /// Whether the login may not use a resource: by its own name or by its service's.
    fn denies(&self, resource: &str) -> bool {
        self.0
            .config
            .denied
            .iter()
            .any(|denied| resource.strip_prefix(&**denied).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        lock(&self.0.meter)
    }

    /// Tells the listeners what has changed since the last time.
    fn announce(&self) {
        let (changes, subscribed) = {
            let mut books = lock(&self.0.books);
            let changes = books.take_changes();
            (changes, books.take_subscribed())
        };
        // Taken out of the lock: a listener may write, and then this is called again.
        let listeners = lock(&self.0.listeners).clone();
        let events = changes.into_iter().map(Event::Changed);
        let subscribed = subscribed.into_iter().map(|(subscription, url)| Event::Subscribed { subscription, url });
        for event in events.chain(subscribed) {
            for listener in &listeners {
                listener(&event);
            }
        }
    }
}

fn set_time(books: &mut State, now: jiff::Timestamp) {
    books.now = cell::wall_clock(now);
    books.utc_offset = i64::from(cell::offset_seconds(now));
}

/// A thread that panicked has left whole rows behind: each change is made in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The resource that a path of the API names, without division and key: `salesorder/SalesOrders`,
/// `oauth2/token`, `current/Me`.
pub fn resource_of(path: &str) -> String {
    let path = path.split(['?', '(']).next().unwrap_or_default().trim_matches('/');
    let path = path.strip_prefix("api/").unwrap_or(path);
    let path = path.strip_prefix("v1/").unwrap_or(path);
    let path = path.strip_suffix("/$count").unwrap_or(path);
    match path.split_once('/') {
        Some((division, rest)) if division.bytes().all(|byte| byte.is_ascii_digit()) => rest.to_owned(),
        _ => path.to_owned(),
    }
}

/// The records that a path names, by key: `(guid'…')`.
pub(super) fn records_of(path: &str) -> Vec<String> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let keys = decoded.split('(').skip(1).filter_map(|rest| rest.split_once(')')).map(|(key, _)| key);
    keys.map(|key| key.trim_start_matches("guid").trim_matches('\'').to_owned()).collect()
}

#[cfg(test)]
mod tests;
