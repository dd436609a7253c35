//! The shop's server: what its owner or host sets up, which no call of the API changes.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Response, header};
use serde::{Deserialize, Deserializer, Serialize};

use super::call::Storage;
use super::zone::Zone;
use super::{Shop, answer, auth};

/// A login that the web server asks for before WordPress is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The user's name.
    pub user: String,
    /// Their password.
    pub password: String,
}

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
    /// A login before the shop; `null` takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub gate: Option<Option<Gate>>,
    /// How addresses are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalinks: Option<Permalinks>,
    /// Whether WooCommerce is switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub woocommerce: Option<bool>,
    /// Where the site has moved to: every call is answered with 301. `null` takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub moved: Option<Option<String>>,
}

/// A member that is `null` was given; one that is left out was not.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(from).map(Some)
}

/// The server as it stands between the network and WordPress.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) https: bool,
    pub(crate) authorization: bool,
    pub(crate) gate: Option<Gate>,
    pub(crate) permalinks: Permalinks,
    pub(crate) woocommerce: bool,
    pub(crate) moved: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            https: false,
            authorization: true,
            gate: None,
            permalinks: Permalinks::Pretty,
            woocommerce: true,
            moved: None,
        }
    }
}

/// What nginx writes when it refuses.
const PAGE_401: &str = "<html>\r\n<head><title>401 Authorization Required</title></head>\r\n<body>\r\n<center><h1>401 Authorization Required</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
/// See `PAGE_401`.
const PAGE_400: &str = "<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
/// See `PAGE_401`.
const PAGE_301: &str = "<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n<body>\r\n<center><h1>301 Moved Permanently</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";

impl Server {
    /// What the web server answers by itself, without WordPress.
    pub(crate) fn refuses(&self, parts: &Parts) -> Option<Response<Body>> {
        if parts.headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
            return Some(answer::html(400, PAGE_400));
        }
        if let Some(to) = &self.moved {
            let mut response = answer::html(301, PAGE_301);
            let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
            if let Ok(address) = HeaderValue::from_str(&format!("{}{path}", to.trim_end_matches('/'))) {
                response.headers_mut().insert(header::LOCATION, address);
            }
            return Some(response);
        }
        let gate = self.gate.as_ref()?;
        let login = authorization(parts).and_then(auth::basic);
        if login.is_some_and(|(user, password)| user == gate.user && password == gate.password) {
            return None;
        }
        let mut response = answer::html(401, PAGE_401);
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
