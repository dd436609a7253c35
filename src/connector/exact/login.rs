//! The login: tokens that rotate, and must not be lost.
//!
//! An access token lives ten minutes and may be renewed only in its last half minute; each renewal gives another
//! refresh token, and the one before it dies as soon as its successor is used. So one renews at a time, among all
//! runners of a store, and the new tokens are on disk before they are used: whoever dies in between finds the old ones,
//! which still count.
//!
//! Source: the vendor's OAuth pages and clients in production.

use super::join;
use crate::connector::clock::Clock;
use crate::connector::http::{Body, Effect, Http, Request, Response, Verb, later, shortened, soon};
use crate::connector::proof::{Amiss, Doubt};
use crate::connector::{CallError, OpenError, Setup};
use crate::store::{RefreshTurn, Store, StoreError, Tokens};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// Seconds from which a token may be renewed, where the declaration does not say.
pub(super) const REFRESH_AFTER: i64 = 570;
/// Seconds that a token lives, where its answer does not say.
const LIVES: i64 = 600;
/// Seconds by which the ledger's clock and ours may differ, answers on their way included.
const CLOCKS_APART: i64 = 60;
/// Times that another runner's renewal is waited for.
const WAITS_MAX: u32 = 100;
/// Milliseconds for which a token is used on that is older than it can be by our calendar, after the ledger has said that
/// it is alive.
const ALIVE_MS: i64 = 30_000;

/// What the tokens are fetched with.
pub(super) struct Client {
    pub(super) id: SecretString,
    pub(super) secret: SecretString,
    pub(super) address: Url,
}

/// The login of a connection.
pub(super) struct Login {
    pub(super) client: Client,
    pub(super) clock: Arc<Clock>,
    pub(super) store: Arc<dyn Store>,
    /// Tokens of the `connect` block: the first ones.
    pub(super) first: First,
    pub(super) refresh_after: i64,
    /// Names this runner among those of the store.
    pub(super) holder: String,
    pub(super) state: tokio::sync::Mutex<LoginState>,
}

/// Tokens that a project brings.
#[derive(Default)]
pub(super) struct First {
    pub(super) refresh: Option<SecretString>,
    pub(super) access: Option<SecretString>,
}

/// What is known of the tokens in use.
#[derive(Default)]
pub(super) struct LoginState {
    tokens: Option<Tokens>,
    /// How we know that they are alive.
    age: Age,
    /// The first access token was refused; only renewing is left.
    first_spent: bool,
    /// An access token that the ledger refused before its time.
    refused: Option<SecretString>,
}

/// How old tokens are, in milliseconds of a clock that nobody can set where that is known: the calendar in which they are
/// kept may have been set since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Age {
    /// By the calendar.
    #[default]
    Kept,
    /// We have got them then.
    Since(i64),
    /// The ledger has said that they are alive; asked again from then on.
    AliveUntil(i64),
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    refresh_token: String,
    #[serde(default)]
    expires_in: serde_json::Value,
}

#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Why there are no new tokens.
enum NoTokens {
    /// The ledger holds those that it has given last for too young; it may be asked again then.
    TooEarly(Timestamp),
    /// Anything else.
    Failed(CallError),
}

impl From<CallError> for NoTokens {
    fn from(error: CallError) -> Self {
        Self::Failed(error)
    }
}

impl NoTokens {
    /// What it means for a call.
    fn told(self, http: &Http) -> CallError {
        match self {
            Self::TooEarly(until) => {
                let reason = "the login was renewed less than ten minutes ago, and not by this store";
                postponed(http, until, reason.to_owned())
            }
            Self::Failed(error) => error,
        }
    }
}

impl Login {
    /// A token for a call, renewed when its time has come.
    pub(super) async fn access(&self, http: &Http) -> Result<SecretString, CallError> {
        let mut state = self.state.lock().await;
        if state.tokens.is_none() {
            state.tokens = self.store.tokens(&http.system).await.map_err(|e| self.forgetful(http, &e))?;
        }
        if let Some(tokens) = &state.tokens {
            if self.good(tokens, state.age, &state) {
                return Ok(tokens.access.clone());
            }
        } else if let (Some(access), false) = (&self.first.access, state.first_spent) {
            return Ok(access.clone());
        }
        let (tokens, age) = self.renew(http, &state).await?;
        let access = tokens.access.clone();
        (state.tokens, state.age) = (Some(tokens), age);
        state.refused = None;
        Ok(access)
    }

    /// Takes note that a call with this token was refused: the next one renews it.
    pub(super) async fn refused(&self, used: &SecretString) {
        let mut state = self.state.lock().await;
        let same = |token: &SecretString| token.expose_secret() == used.expose_secret();
        if self.first.access.as_ref().is_some_and(same) {
            state.first_spent = true;
        }
        if state.tokens.as_ref().is_some_and(|tokens| same(&tokens.access)) {
            state.refused = Some(used.clone());
        }
    }

    fn good(&self, tokens: &Tokens, age: Age, state: &LoginState) -> bool {
        let now = self.clock.moment();
        let alive = match age {
            Age::Since(then) => (-CLOCKS_APART..self.refresh_after).contains(&(now.ms.saturating_sub(then) / 1_000)),
            Age::AliveUntil(then) => now.ms < then,
            // A token from the future: the calendar was set back, and nobody knows how old it is. Renewing tells.
            Age::Kept => {
                (-CLOCKS_APART..self.refresh_after).contains(&now.ours.duration_since(tokens.issued).as_secs())
            }
        };
        alive && !state.is_spent(tokens)
    }

    /// Whether tokens have ended so lately that clocks which differ explain why the ledger holds them for alive.
    fn is_recent(&self, tokens: Option<&Tokens>) -> bool {
        tokens.is_some_and(|tokens| self.clock.now() < later(tokens.issued, LIVES + CLOCKS_APART))
    }

    /// Renews the tokens, or takes those that another runner has renewed meanwhile.
    async fn renew(&self, http: &Http, state: &LoginState) -> Result<(Tokens, Age), CallError> {
        for _ in 0..WAITS_MAX {
            let now = self.clock.now();
            let turn = self.store.begin_refresh(&http.system, &self.holder, now).await;
            match turn.map_err(|e| self.forgetful(http, &e))? {
                RefreshTurn::Yours { interrupted: _ } => return self.renew_alone(http, state).await,
                RefreshTurn::Held { until } => {
                    self.clock.sleep_until(later(now, 1).min(until), "another flowc renews the login").await;
                    let kept = self.store.tokens(&http.system).await.map_err(|e| self.forgetful(http, &e))?;
                    if let Some(tokens) = kept.filter(|tokens| self.good(tokens, Age::Kept, state)) {
                        return Ok((tokens, Age::Kept));
                    }
                }
            }
        }
        Err(postponed(http, soon(self.clock.now()), "another runner has been renewing the login for long".to_owned()))
    }

    async fn renew_alone(&self, http: &Http, state: &LoginState) -> Result<(Tokens, Age), CallError> {
        let renewed = self.renew_held(http, state).await;
        // New tokens are kept, and that ends the right; else it is given back.
        if !matches!(renewed, Ok((_, Age::Since(_)))) {
            self.store.abandon_refresh(&http.system, &self.holder).await.map_err(|e| self.forgetful(http, &e))?;
        }
        renewed
    }

    /// With the right to renew. A renewal that was cut short counts for nothing: its tokens were never used.
    async fn renew_held(&self, http: &Http, state: &LoginState) -> Result<(Tokens, Age), CallError> {
        let kept = self.store.tokens(&http.system).await.map_err(|e| self.forgetful(http, &e))?;
        // What we hold ourselves has just been found to be old; what another has kept meanwhile may be good.
        let others = kept.as_ref().filter(|kept| !state.tokens.as_ref().is_some_and(|ours| is_same(ours, kept)));
        if let Some(tokens) = others.filter(|tokens| self.good(tokens, Age::Kept, state)) {
            return Ok((tokens.clone(), Age::Kept));
        }
        let stored = kept.as_ref().map(|tokens| &tokens.refresh);
        let Some(refresh) = stored.or(self.first.refresh.as_ref()) else {
            return Err(lost(http, "nobody has logged in yet"));
        };
        match self.ask(http, &[("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())]).await {
            Err(NoTokens::TooEarly(until)) => match kept {
                // They are alive, says the ledger: our calendar was set forth, or its clock is behind ours.
                Some(tokens) if !state.is_spent(&tokens) => {
                    Ok((tokens, Age::AliveUntil(self.clock.moment().ms.saturating_add(ALIVE_MS))))
                }
                // Alive and refused: a moment later it will do, or it is another copy of this login that lives.
                kept if self.is_recent(kept.as_ref()) => {
                    let reason = "it renews the login in a moment: its clock is behind ours".to_owned();
                    Err(postponed(http, soon(self.clock.now()), reason))
                }
                Some(_) | None => Err(NoTokens::TooEarly(until).told(http)),
            },
            Err(NoTokens::Failed(error @ CallError::Login { .. })) => {
                // A person may have put a new token into the project, in place of a chain that has broken.
                let other = self
                    .first
                    .refresh
                    .as_ref()
                    .filter(|first| stored.is_some_and(|stored| stored.expose_secret() != first.expose_secret()));
                let Some(first) = other else { return Err(error) };
                let fields = [("grant_type", "refresh_token"), ("refresh_token", first.expose_secret())];
                self.ask(http, &fields).await.map_err(|_| error)
            }
            other => other.map_err(|failed| failed.told(http)),
        }
    }

    /// The first tokens of a consent.
    pub(super) async fn exchange(&self, http: &Http, code: &str, redirect: &str) -> Result<(), CallError> {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect)];
        let (tokens, age) = self.ask(http, &fields).await.map_err(|failed| failed.told(http))?;
        let mut state = self.state.lock().await;
        (state.tokens, state.age) = (Some(tokens), age);
        Ok(())
    }

    /// Asks for tokens, and keeps them before anybody can use them.
    async fn ask(&self, http: &Http, fields: &[(&str, &str)]) -> Result<(Tokens, Age), NoTokens> {
        let client =
            [("client_id", self.client.id.expose_secret()), ("client_secret", self.client.secret.expose_secret())];
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.iter().chain(&client)).finish();
        let mut call = Request::get(self.client.address.clone());
        call.verb = Verb::POST;
        call.body = Some(Body::text("application/x-www-form-urlencoded", form));
        let response = http.send(call).await;
        let answered = self.clock.moment();
        let now = answered.ours;
        // Repeating is safe: the old token lives until the new one is used.
        let response = response.map_err(|fault| match http.classed(fault, Effect::Read, now) {
            CallError::Later { reason, .. } | CallError::Unknown { reason, .. } => postponed(http, soon(now), reason),
            other => other,
        })?;
        if let Some(Amiss::Doubtful(Doubt { lost, .. })) = http.redirected(&response, Effect::Read, "POST oauth2/token")
        {
            return Err(CallError::Login { system: http.system.to_string(), reason: lost }.into());
        }
        let issued: Option<Issued> = serde_json::from_str(&response.body).ok().filter(|_| response.ok());
        let Some(issued) = issued else { return Err(self.classed(http, &response, now)) };
        let lives = match &issued.expires_in {
            serde_json::Value::String(text) => text.trim().parse().unwrap_or(LIVES),
            other => other.as_i64().unwrap_or(LIVES),
        };
        let tokens = Tokens {
            access: SecretString::from(issued.access_token),
            refresh: SecretString::from(issued.refresh_token),
            issued: now,
            expires: later(now, lives),
        };
        self.store.put_tokens(&http.system, &tokens).await.map_err(|e| self.forgetful(http, &e))?;
        // Not older than this: renewed a moment too early, they would be refused.
        Ok((tokens, Age::Since(answered.ms)))
    }

    /// What the token endpoint's refusal means. Statuses differ between reports; the words do not.
    fn classed(&self, http: &Http, response: &Response, now: Timestamp) -> NoTokens {
        let told: Refused = serde_json::from_str(&response.body).unwrap_or_default();
        let header = response.text("Reason").unwrap_or_default();
        let said = [told.error_description.as_str(), header].join(" ").to_ascii_lowercase();
        if response.status == 429 {
            let pause = response.retry_after(now).unwrap_or(SignedDuration::from_hours(1));
            let until = now.checked_add(pause).unwrap_or(now);
            return postponed(http, until, "it gets too many logins".to_owned()).into();
        }
        if said.contains("not expired") || said.contains("tooearly") {
            // Another copy of this login has been renewed a moment ago; its access token is not ours to know.
            return NoTokens::TooEarly(later(now, self.refresh_after));
        }
        if matches!(told.error.as_str(), "invalid_client") {
            let reason = format!(
                "client_id or client_secret is not known there ({}); compare them with the app in the App Centre",
                shortened(&told.error_description)
            );
            return CallError::Login { system: http.system.to_string(), reason }.into();
        }
        if matches!(response.status, 400 | 401 | 403) && !told.error.is_empty() {
            let what = match told.error_description.as_str() {
                "" => &told.error,
                text => text,
            };
            return lost(http, what).into();
        }
        postponed(http, soon(now), format!("its login page answered {}", response.kind())).into()
    }

    /// Tokens that cannot be kept are not used: the next start would have none.
    fn forgetful(&self, http: &Http, error: &StoreError) -> CallError {
        postponed(http, later(self.clock.now(), 60), format!("its tokens cannot be kept: {error}"))
    }
}

impl LoginState {
    /// Whether the ledger has refused these tokens before their time.
    fn is_spent(&self, tokens: &Tokens) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.expose_secret() == tokens.access.expose_secret())
    }
}

fn is_same(one: &Tokens, other: &Tokens) -> bool {
    one.access.expose_secret() == other.access.expose_secret()
}

/// A login that only a person can give back.
fn lost(http: &Http, what: &str) -> CallError {
    let system = http.system.to_string();
    CallError::Login {
        reason: format!("{}; run `flowc login {system}`", shortened(what).trim_end_matches('.')),
        system,
    }
}

/// A login that will do later.
fn postponed(http: &Http, until: Timestamp, reason: String) -> CallError {
    CallError::Later { system: http.system.to_string(), until, reason }
}

/// What a person's consent in the browser needs.
pub struct Consent {
    login: Login,
    http: Http,
    authorize: Url,
    client_id: String,
}

impl Consent {
    pub(super) fn new(login: Login, http: Http, authorize: Url) -> Self {
        let client_id = login.client.id.expose_secret().to_owned();
        Self { login, http, authorize, client_id }
    }

    /// Where the browser goes. `redirect` must be the address registered for the app; `state` comes back with the code.
    pub fn address(&self, redirect: &str, state: &str) -> String {
        let mut address = self.authorize.clone();
        address
            .query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect)
            .append_pair("response_type", "code")
            .append_pair("state", state)
            .append_pair("force_login", "0");
        address.into()
    }

    /// Exchanges the code, decoded once, for tokens, and keeps them in the store.
    pub async fn finish(&self, code: &str, redirect: &str) -> Result<(), CallError> {
        self.login.exchange(&self.http, code, redirect).await
    }
}

impl Login {
    /// The login of a connection.
    pub(super) fn of(setup: &Setup<'_>, root: &Url, clock: Arc<Clock>) -> Result<Self, OpenError> {
        let after =
            setup.habits.word("login.refresh_after").and_then(|text| text.split_whitespace().next()?.parse().ok());
        Ok(Self {
            client: Client {
                id: setup.entries.needed_secret("client_id")?,
                secret: setup.entries.needed_secret("client_secret")?,
                address: join(root, setup.habits.word("login.token").unwrap_or("/api/oauth2/token")),
            },
            clock,
            store: Arc::clone(&setup.store),
            first: First {
                refresh: setup.entries.secret("refresh_token")?,
                access: setup.entries.secret("access_token")?,
            },
            refresh_after: after.unwrap_or(REFRESH_AFTER),
            holder: uuid::Uuid::new_v4().to_string(),
            state: tokio::sync::Mutex::default(),
        })
    }
}
