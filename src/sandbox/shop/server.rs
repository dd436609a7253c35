//! The shop's server: what its owner or host sets up, which no call of the API changes.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Response, header};
use serde::{Deserialize, Serialize};

use super::call::Storage;
use super::zone::Zone;
use super::{Shop, answer, auth};

/// How addresses are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permalinks {
    /// `/wp-json/wc/v3/…`, and `/?rest_route=…` too.
    Pretty,
    /// Only `/?rest_route=/wc/v3/…`.
    Plain,
}

/// How the server is set up; a member that is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The shop's zone: a name such as `Europe/Amsterdam`, or hours such as `UTC+5.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Where orders lie: `tables` of their own (HPOS), or `posts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Storage>,
    /// PHP is told that the connection is encrypted: the key is taken as a Basic login and from the query too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub https: Option<bool>,
    /// Whether the `Authorization` header reaches PHP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<bool>,
    /// The login `user:password` before the shop; an empty text takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// How addresses are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalinks: Option<Permalinks>,
    /// Whether WooCommerce is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woocommerce: Option<bool>,
    /// Where the site has moved to: every call is answered with 301. An empty text takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
}

/// The server as it stands between the network and WordPress.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) https: bool,
    pub(crate) authorization: bool,
    pub(crate) gate: String,
    pub(crate) permalinks: Permalinks,
    pub(crate) woocommerce: bool,
    pub(crate) moved: String,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            https: false,
            authorization: true,
            gate: String::new(),
            permalinks: Permalinks::Pretty,
            woocommerce: true,
            moved: String::new(),
        }
    }
}

/// A page that nginx writes by itself.
fn nginx(status: u16, reason: &str) -> Response<Body> {
    let title = format!("{status} {reason}");
    answer::html(
        status,
        format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"
        ),
    )
}

impl Server {
    /// What the web server answers by itself, without WordPress.
    pub(crate) fn refuses(&self, parts: &Parts) -> Option<Response<Body>> {
        if parts.headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
            return Some(nginx(400, "Bad Request"));
        }
        if !self.moved.is_empty() {
            let mut response = nginx(301, "Moved Permanently");
            let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
            if let Ok(address) = HeaderValue::from_str(&format!("{}{path}", self.moved.trim_end_matches('/'))) {
                response.headers_mut().insert(header::LOCATION, address);
            }
            return Some(response);
        }
        let login = authorization(parts).and_then(auth::basic);
        let login = login.map(|(user, password)| format!("{user}:{password}"));
        if self.gate.is_empty() || login.is_some_and(|login| login == self.gate) {
            return None;
        }
        let mut response = nginx(401, "Authorization Required");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"staging\""));
        Some(response)
    }

    /// The `Authorization` header as PHP sees it.
    pub(crate) fn passed_on<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        authorization(parts).filter(|_| self.authorization)
    }
}

fn authorization(parts: &Parts) -> Option<&str> {
    parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())
}

impl Setup {
    /// Reads the JSON of a setup.
    ///
    /// # Errors
    /// Which member is wrong, and what it may be.
    pub fn parse(text: &str) -> Result<Setup, String> {
        serde_json::from_str(text).map_err(|error| format!("the server's setup is not understood: {error}"))
    }
}

impl Shop {
    /// Sets up the server; what is not named stays.
    pub(crate) fn set_up(&self, setup: &Setup) {
        let Setup { zone, orders, https, authorization, gate, permalinks, woocommerce, moved } = setup.clone();
        let mut state = self.state();
        if let Some(zone) = zone {
            state.set_zone(zone);
        }
        if let Some(orders) = orders {
            state.storage = orders;
            state.remembered = None;
        }
        let server = &mut state.server;
        server.https = https.unwrap_or(server.https);
        server.authorization = authorization.unwrap_or(server.authorization);
        server.permalinks = permalinks.unwrap_or(server.permalinks);
        server.woocommerce = woocommerce.unwrap_or(server.woocommerce);
        if let Some(gate) = gate {
            server.gate = gate;
        }
        if let Some(moved) = moved {
            server.moved = moved;
        }
    }

    /// How the server is set up now.
    pub(crate) fn setup(&self) -> Setup {
        let state = self.state();
        let Server { https, authorization, gate, permalinks, woocommerce, moved } = state.server.clone();
        Setup {
            zone: Some(state.zone.clone()),
            orders: Some(state.storage),
            https: Some(https),
            authorization: Some(authorization),
            gate: Some(gate),
            permalinks: Some(permalinks),
            woocommerce: Some(woocommerce),
            moved: Some(moved),
        }
    }
}
