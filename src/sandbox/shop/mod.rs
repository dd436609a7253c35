//! The simulated shop: WooCommerce's REST API as the reference recorded it, strict and with its oddities.
//!
//! It speaks plain HTTP, so it accepts what a real shop accepts there: one-legged OAuth 1.0a.

mod answer;
mod arguments;
mod auth;
mod batch;
mod blank;
mod call;
mod customers;
mod dates;
mod discounts;
mod items;
mod list;
pub(crate) mod load;
mod media;
mod meta;
mod notes;
mod order_write;
mod orders;
mod person;
mod product_write;
mod products;
mod query;
mod rates;
mod refunds;
mod routes;
pub(crate) mod seed;
mod server;
mod settings;
mod small;
mod state;
mod stock;
mod table;
#[cfg(test)]
mod tests;
mod totals;
mod webhooks;
mod wire;
mod zone;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response, header};
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio::sync::mpsc::UnboundedSender;

use super::clock::Clock;
use super::deliver;
use answer::Refusal;
pub(crate) use auth::sign_body;
use auth::{Key, Keys, Permission, Signed};
use call::Call;
pub use call::Storage;
use query::Parameters;
use server::Server;
pub use server::{Permalinks, Setup};
use state::State;
pub(crate) use webhooks::Delivery;
pub use zone::Zone;

/// Largest body of a request, bytes; a longer one is refused as PHP refuses it.
const BODY_BYTES_MAX: usize = 8 << 20;

/// What a client needs to log in.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) key: String,
    pub(crate) secret: String,
    /// A key that may only read.
    pub(crate) read_key: String,
    pub(crate) read_secret: String,
    /// A key that may only write.
    pub(crate) write_key: String,
    pub(crate) write_secret: String,
    /// The secret that the sandbox suggests for webhooks.
    pub(crate) webhook_secret: String,
    /// A user of WordPress who may add to the media library, and an application password of hers.
    pub(crate) media_user: String,
    pub(crate) media_password: String,
}

/// The shop; clones share it.
#[derive(Clone)]
pub(crate) struct Shop {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    clock: Clock,
    credentials: Credentials,
    outbox: UnboundedSender<Delivery>,
    client: reqwest::Client,
}

impl Shop {
    /// An empty shop. What its webhooks have to send goes to `outbox`; with `client` it pings them.
    pub(crate) fn new(clock: Clock, seed: u64, outbox: UnboundedSender<Delivery>, client: reqwest::Client) -> Self {
        let credentials = credentials(seed);
        let keys = [
            (&credentials.key, &credentials.secret, Permission::ReadWrite),
            (&credentials.read_key, &credentials.read_secret, Permission::Read),
            (&credentials.write_key, &credentials.write_secret, Permission::Write),
        ];
        let keys = keys.map(|(key, secret, permission)| Key { name: key.clone(), secret: secret.clone(), permission });
        let mut state = State::new(Keys::new(keys.to_vec()));
        state.media.user.clone_from(&credentials.media_user);
        state.media.password.clone_from(&credentials.media_password);
        let state = Mutex::new(state);
        Shop { inner: Arc::new(Inner { state, clock, credentials, outbox, client }) }
    }

    pub(crate) fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }

    /// The whole API as a router: `/wp-json/…` and `/?rest_route=…`.
    pub(crate) fn router(&self) -> Router {
        let shop = self.clone();
        Router::new().fallback(move |request: Request<Body>| {
            let shop = shop.clone();
            async move { shop.handle(request).await }
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
            return answer::respond(
                Err(Refusal::new(413, "rest_request_too_large", "The request is too large.")),
                None,
                "",
                false,
                false,
            );
        };
        let (response, pings) = self.answer(&parts, &body);
        for ping in pings {
            deliver::ping(self, &self.inner.client, &ping).await;
        }
        response
    }

    /// Answers one request, with the pings that are to go out before it is answered.
    fn answer(&self, parts: &Parts, body: &[u8]) -> (Response<Body>, Vec<Delivery>) {
        let server = self.state().server.clone();
        if let Some(response) = server.refuses(parts) {
            return (response, Vec::new());
        }
        let mut pings = Vec::new();
        let response = self.by_wordpress(&server, parts, body, &mut pings);
        (response, pings)
    }

    /// What WordPress answers where the web server lets a request through.
    fn by_wordpress(&self, server: &Server, parts: &Parts, body: &[u8], pings: &mut Vec<Delivery>) -> Response<Body> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let base = format!("http://{host}");
        let query = query::parse(parts.uri.query().unwrap_or(""));
        let path = parts.uri.path();
        let plain = server.permalinks == Permalinks::Plain;
        let Some(route) = route_of(path, &query).filter(|_| !plain || !path.starts_with("/wp-json")) else {
            return routes::page_not_found();
        };
        let head = parts.method == "HEAD";
        let method = overridden(parts, &query);
        let envelope = query.contains_key("_envelope");
        let segments: Vec<&str> = route.split('/').filter(|part| !part.is_empty()).collect();
        let allow = routes::allow(&segments);
        if segments.first() == Some(&"wc") && !server.woocommerce {
            return answer::respond(Err(Refusal::no_route()), None, &base, head, envelope);
        }
        let mut state = self.state();
        if let ["wp", "v2", below @ ..] = &*segments {
            let outcome = self.by_library(&mut state, (&method, below), &query, (parts, body), &base);
            return answer::respond(outcome, None, &base, head, envelope);
        }
        let signed = Signed {
            method: parts.method.as_str(),
            url: &format!("{base}{path}"),
            query: &query,
            authorization: server.passed_on(parts),
            https: server.https,
        };
        let clocks = [self.now(), Timestamp::now()];
        let key = match state.keys.identify(&signed, &clocks) {
            Ok(key) => key,
            Err(refusal) => return answer::respond(Err(refusal), None, &base, head, envelope),
        };
        if let Err(refusal) = routes::admit(key.as_ref(), &method, &segments) {
            return answer::respond(Err(refusal), None, &base, head, envelope);
        }
        let sent = match body_of(parts, body) {
            Ok(sent) => sent,
            Err(refusal) => return answer::respond(Err(refusal), allow, &base, head, envelope),
        };
        let mut parameters = query.clone();
        parameters.extend(sent);
        let mut call = Call {
            method,
            query,
            parameters,
            base: base.clone(),
            root: if plain { format!("{base}/index.php?rest_route=") } else { format!("{base}/wp-json") },
            now: self.now(),
            events: Vec::new(),
            unchecked: false,
            faults: parts.extensions.get().cloned().unwrap_or_default(),
        };
        let outcome = self.struck(&mut state, &mut call, &segments);
        // These are refused before anybody has looked what the key may do there.
        let unlooked = ["rest_no_route", "wc_user_invalid_id", "woocommerce_rest_product_variation_invalid_id"];
        let refused = outcome.as_ref().is_err_and(|refusal| unlooked.contains(&&*refusal.code));
        let allow = allow.filter(|_| !refused);
        *pings = self.send(&state, &call);
        drop(state);
        answer::respond(outcome, allow, &base, head, envelope)
    }

    /// What WordPress's own API answers.
    fn by_library(
        &self,
        state: &mut State,
        (method, segments): (&str, &[&str]),
        query: &Parameters,
        (parts, body): (&Parts, &[u8]),
        base: &str,
    ) -> answer::Outcome {
        let login = state.server.passed_on(parts).and_then(auth::basic);
        let number = if method == "POST" { state.new_id() } else { 0 };
        let asked = media::Asked { method, segments, query, login, parts, body, base, number };
        let call = Call { query: query.clone(), ..Call::inside(base, self.now(), query.clone()) };
        let address = format!("{base}/wp-json/wp/v2/media");
        match media::answer(&mut state.media, &asked) {
            media::Reply::Shown(row) => Ok(answer::Answer::ok(list::project_one(row, query))),
            media::Reply::Created(row) => {
                Ok(answer::Answer::created(list::project_one(row, query), format!("{address}/{number}")))
            }
            media::Reply::Listed(rows) => {
                let page = list::Page::of(&call);
                let shown = page.cut(&rows).to_vec();
                list::answer(&call, shown, rows.len(), page, &address, list::Defaults::None)
            }
            media::Reply::Refused(status, code, words) => Err(Refusal::new(status, code, words)),
        }
    }

    /// Dispatches a call past what faults do to the records that its address names.
    fn struck(&self, state: &mut State, call: &mut Call, segments: &[&str]) -> answer::Outcome {
        let records: Vec<String> = records_in(segments);
        // A batch names its records in its body.
        if let Some(denied) = call.faults.denied(&records).filter(|_| segments.last() != Some(&"batch")) {
            let doing = if call.method == "GET" { "view" } else { "edit" };
            return Err(Refusal::denied(denied, doing));
        }
        let mut outcome = routes::dispatch(state, call, segments);
        if outcome.is_ok() && call.faults.kills(&records) {
            return Err(Refusal::dead());
        }
        if let (Ok(answer), Some(id)) = (&mut outcome, records.last())
            && answer.body.is_object()
        {
            call.faults.blemish(id, &mut answer.body);
        }
        outcome
    }

    /// Hands what a call fired to the outbox, and answers the pings: they go out within the call.
    fn send(&self, state: &State, call: &Call) -> Vec<Delivery> {
        let all = webhooks::deliveries(state, &call.events);
        let (pings, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|delivery| delivery.topic == deliver::PING);
        self.post(later);
        pings
    }

    fn post(&self, deliveries: Vec<Delivery>) {
        for delivery in deliveries {
            // Nobody listens any more only while the sandbox stops.
            let _ = self.inner.outbox.send(delivery);
        }
    }
}

/// The keys of a shop, made from its seed so that a second start has the same.
fn credentials(seed: u64) -> Credentials {
    let hex = |salt: u64| {
        let mut state = seed ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03);
        let words: Vec<String> = (0..3).map(|_| format!("{:016x}", seed::mix(&mut state))).collect();
        words.concat()[..40].to_owned()
    };
    Credentials {
        key: format!("ck_{}", hex(1)),
        secret: format!("cs_{}", hex(2)),
        read_key: format!("ck_{}", hex(3)),
        read_secret: format!("cs_{}", hex(4)),
        write_key: format!("ck_{}", hex(6)),
        write_secret: format!("cs_{}", hex(7)),
        webhook_secret: format!("whsec_{}", hex(5)),
        media_user: "flowc".to_owned(),
        media_password: hex(8).as_bytes()[..24].chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "),
    }
}

/// The part behind `/wp-json`, or what `rest_route` names.
fn route_of(path: &str, query: &Parameters) -> Option<String> {
    if let Some(route) = path.strip_prefix("/wp-json") {
        return Some(route.to_owned());
    }
    let plain = ["/", "/index.php"].contains(&path);
    query.get("rest_route").and_then(Value::as_str).filter(|_| plain).map(str::to_owned)
}

/// The method, or the one that a POST asks to be taken for.
fn overridden(parts: &Parts, query: &Parameters) -> String {
    let asked = query.get("_method").and_then(Value::as_str);
    let asked = asked.or_else(|| parts.headers.get("x-http-method-override").and_then(|value| value.to_str().ok()));
    let method = asked.filter(|_| parts.method == "POST").unwrap_or(parts.method.as_str());
    if method == "HEAD" { "GET".to_owned() } else { method.to_uppercase() }
}

/// The parameters of a body: JSON or a form; another content type is not read.
fn body_of(parts: &Parts, body: &[u8]) -> Result<Parameters, Refusal> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    if body.is_empty() {
        return Ok(Map::new());
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let form = query::parse(&String::from_utf8_lossy(body));
        return Ok(form.into_iter().map(|(name, value)| (name, query::listed(value))).collect());
    }
    if !kind.starts_with("application/json") && !kind.contains("+json") {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Ok(Map::new()),
        Err(_) => Err(Refusal::new(400, "rest_invalid_json", "Invalid JSON body passed.")
            .with("json_error_code", Value::from(4))
            .with("json_error_message", Value::from("Syntax error"))),
    }
}

fn records_in(segments: &[&str]) -> Vec<String> {
    segments.iter().filter(|part| part.parse::<u64>().is_ok()).map(|part| (*part).to_owned()).collect()
}

/// The records that an address names, by id.
pub(crate) fn records_of(uri: &axum::http::Uri) -> Vec<String> {
    let query = query::parse(uri.query().unwrap_or(""));
    let route = route_of(uri.path(), &query).unwrap_or_else(|| uri.path().to_owned());
    records_in(&route.split('/').collect::<Vec<_>>())
}

/// The resource that an address names, without ids: `orders`, `orders/refunds`, `products/variations`.
pub(crate) fn resource_of(uri: &axum::http::Uri) -> String {
    let query = query::parse(uri.query().unwrap_or(""));
    let route = route_of(uri.path(), &query).unwrap_or_else(|| uri.path().to_owned());
    let route = route.trim_matches('/');
    let route = route.strip_prefix("wc/v3").unwrap_or(route);
    let parts = route.split('/').filter(|part| !part.is_empty() && part.parse::<u64>().is_err());
    parts.collect::<Vec<_>>().join("/")
}
