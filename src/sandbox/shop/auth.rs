//! Who is calling: one-legged OAuth 1.0a, since the sandbox speaks plain HTTP, where the shop accepts nothing else.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

use super::answer::Refusal;
use super::query::{self, Parameters};

/// Seconds that a request's time may lie off, either way.
const WINDOW_SECONDS: i64 = 15 * 60;
/// Nonces remembered for one key; older ones have left the window.
const NONCES_MAX: usize = 200_000;

/// What a signed request carries besides the key.
const NEEDED: [&str; 4] = ["oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"];

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Read,
    Write,
    ReadWrite,
}

/// One REST key of the shop.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) secret: String,
    pub(crate) permission: Permission,
}

/// What is signed of a request.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// The home URL and the path, without query.
    pub(crate) url: &'a str,
    pub(crate) query: &'a Parameters,
    /// As far as the web server passes it on.
    pub(crate) authorization: Option<&'a str>,
    /// The connection is encrypted, as far as PHP is told.
    pub(crate) https: bool,
}

/// The shop's keys and the nonces that were used.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    nonces: BTreeSet<(i64, String)>,
}

impl Keys {
    pub(crate) fn new(keys: Vec<Key>) -> Self {
        Keys { keys, nonces: BTreeSet::new() }
    }

    /// The key of a request, or none where the shop sees no key at all (also with Basic, and with an unknown key).
    ///
    /// The request's time must lie in the window around one of `clocks`: the simulated time, or the real one, since a
    /// client that was not told of the sandbox's clock stamps with its own.
    ///
    /// # Errors
    /// `woocommerce_rest_authentication_error` for a wrong signature, time or nonce; see the recorded answers.
    pub(crate) fn identify(&mut self, request: &Signed<'_>, clocks: &[Timestamp]) -> Result<Option<Key>, Refusal> {
        if request.https
            && let Some(known) = self.plain(request)?
        {
            return Ok(Some(known));
        }
        let mut parameters = request.query.clone();
        for (name, value) in request.authorization.and_then(header).unwrap_or_default() {
            parameters.insert(name, Value::String(value));
        }
        let Some(key) = text(&parameters, "oauth_consumer_key") else {
            return Ok(None);
        };
        let missing: Vec<&str> = NEEDED.into_iter().filter(|name| text(&parameters, name).is_none()).collect();
        if !missing.is_empty() {
            let names = missing.join(", ");
            return Err(Refusal::new(
                401,
                "woocommerce_rest_authentication_missing_parameter",
                format!("Missing OAuth parameters {names}"),
            ));
        }
        let Some(known) = self.keys.iter().find(|known| known.name == key).cloned() else {
            return Err(wrong("Consumer key is invalid."));
        };
        check_signature(request, &parameters, &known.secret)?;
        let stamp = text(&parameters, "oauth_timestamp").and_then(|stamp| stamp.parse::<i64>().ok()).unwrap_or(0);
        if clocks.iter().all(|now| (now.as_second() - stamp).abs() > WINDOW_SECONDS) {
            return Err(wrong("Invalid timestamp."));
        }
        let nonce = text(&parameters, "oauth_nonce").unwrap_or_default().to_owned();
        if !self.nonces.insert((stamp, format!("{key}/{nonce}"))) {
            return Err(wrong("Invalid nonce - nonce has already been used."));
        }
        while self.nonces.len() > NONCES_MAX {
            self.nonces.pop_first();
        }
        Ok(Some(known))
    }
}

impl Keys {
    /// The key whose secret was sent as it is: in the query, which comes first, or as a Basic login.
    fn plain(&self, request: &Signed<'_>) -> Result<Option<Key>, Refusal> {
        let in_query = text(request.query, "consumer_key").zip(text(request.query, "consumer_secret"));
        let in_query = in_query.map(|(key, secret)| (key.to_owned(), secret.to_owned()));
        let Some((key, secret)) = in_query.or_else(|| request.authorization.and_then(basic)) else {
            return Ok(None);
        };
        let Some(known) = self.keys.iter().find(|known| known.name == key) else {
            return Ok(None);
        };
        if known.secret == secret { Ok(Some(known.clone())) } else { Err(wrong("Consumer secret is invalid.")) }
    }
}

/// User and password of a Basic login.
pub(crate) fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    let bytes = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(bytes).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Whether a key may use a method.
///
/// # Errors
/// The recorded refusals of a key that reads or writes only.
pub(crate) fn permit(key: &Key, method: &str) -> Result<(), Refusal> {
    match (method, key.permission) {
        ("GET" | "HEAD", Permission::Write) => Err(wrong("The API key provided does not have read permissions.")),
        ("POST" | "PUT" | "PATCH" | "DELETE", Permission::Read) => {
            Err(wrong("The API key provided does not have write permissions."))
        }
        _ => Ok(()),
    }
}

fn wrong(message: &str) -> Refusal {
    Refusal::new(401, "woocommerce_rest_authentication_error", message)
}

fn text<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    parameters.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The parameters of an `Authorization: OAuth …` header.
fn header(value: &str) -> Option<Vec<(String, String)>> {
    let list = value.strip_prefix("OAuth ")?;
    let pairs = list.split(',').filter_map(|pair| pair.trim().split_once('='));
    let decode = |text: &str| percent_decode_str(text.trim_matches('"')).decode_utf8_lossy().into_owned();
    Some(
        pairs
            .map(|(name, value)| (decode(name), decode(value)))
            .filter(|(name, _)| name.starts_with("oauth_"))
            .collect(),
    )
}

fn check_signature(request: &Signed<'_>, parameters: &Parameters, secret: &str) -> Result<(), Refusal> {
    let given = text(parameters, "oauth_signature").unwrap_or_default().replace(' ', "+");
    let given = percent_decode_str(&given).decode_utf8_lossy().into_owned();
    let key = format!("{secret}&");
    let sign = |base: &str| match text(parameters, "oauth_signature_method") {
        Some("HMAC-SHA1") => Ok(STANDARD.encode(mac::<Hmac<Sha1>>(&key, base))),
        Some("HMAC-SHA256") => Ok(STANDARD.encode(mac::<Hmac<Sha256>>(&key, base))),
        _ => Err(wrong("Invalid signature - signature method is invalid.")),
    };
    let mut well = sign(&base_string(request, request.url, parameters))? == given;
    if request.https {
        // The encryption is pretended: a client signs the address that it has, or the one that PHP is told of.
        let told = request.url.replacen("http://", "https://", 1);
        well |= sign(&base_string(request, &told, parameters))? == given;
    }
    if well { Ok(()) } else { Err(wrong("Invalid signature - provided signature does not match.")) }
}

fn mac<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).expect("an HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// `METHOD&url&parameters`, sorted by name; the members of PHP's arrays carry their keys.
fn base_string(request: &Signed<'_>, url: &str, parameters: &Parameters) -> String {
    let mut names: Vec<&String> = parameters.keys().filter(|name| *name != "oauth_signature").collect();
    names.sort_unstable();
    let mut pairs = Vec::new();
    for name in names {
        join(&query::encode(name), &parameters[name], &mut pairs);
    }
    format!("{}&{}&{}", request.method, query::encode(url), pairs.join("%26"))
}

fn join(name: &str, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                join(&format!("{name}%5B{}%5D", query::encode(key)), value, pairs);
            }
        }
        Value::String(text) => {
            pairs.push(query::encode(&format!("{name}={}", query::encode(text))));
        }
        _ => {}
    }
}

/// A signature as WooCommerce puts it on webhooks: base64 of HMAC-SHA256 over the raw body.
pub(crate) fn sign_body(secret: &str, body: &[u8]) -> String {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("an HMAC takes keys of any length");
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A query string with its signature, as a client makes it.
#[cfg(test)]
pub(crate) fn signed_query(method: &str, url: &str, query: &str, key: &Key, now: Timestamp) -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let nonce = NONCE.fetch_add(1, Ordering::Relaxed);
    let joint = if query.is_empty() { "" } else { "&" };
    let whole = format!(
        "{query}{joint}oauth_consumer_key={}&oauth_nonce=n{nonce}&oauth_signature_method=HMAC-SHA256&oauth_timestamp={}",
        key.name,
        now.as_second()
    );
    let parameters = query::parse(&whole);
    let request = Signed { method, url, query: &parameters, authorization: None, https: false };
    let base = base_string(&request, url, &parameters);
    let signature = STANDARD.encode(mac::<Hmac<Sha256>>(&format!("{}&", key.secret), &base));
    format!("{whole}&oauth_signature={}", query::encode(&signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys::new(vec![Key { name: "ck_a".into(), secret: "cs_b".into(), permission: Permission::ReadWrite }])
    }

    fn identify(keys: &mut Keys, query: &str) -> Result<Option<Key>, Refusal> {
        let query = query::parse(query);
        let request = Signed {
            method: "GET",
            url: "http://127.0.0.1:1/wp-json/wc/v3/orders",
            query: &query,
            authorization: None,
            https: false,
        };
        keys.identify(&request, &[Timestamp::from_second(1_000_000).unwrap()])
    }

    #[test]
    fn a_signature_holds_once() {
        let query = "oauth_consumer_key=ck_a&oauth_nonce=n1&oauth_signature_method=HMAC-SHA256&oauth_timestamp=1000000&per_page=1&status[]=a b";
        let parsed = query::parse(query);
        let request = Signed {
            method: "GET",
            url: "http://127.0.0.1:1/wp-json/wc/v3/orders",
            query: &parsed,
            authorization: None,
            https: false,
        };
        let base = base_string(&request, request.url, &parsed);
        assert!(base.ends_with("per_page%3D1%26status%255B0%255D%3Da%2520b"), "{base}");
        let signature = query::encode(&STANDARD.encode(mac::<Hmac<Sha256>>("cs_b&", &base)));
        let whole = format!("{query}&oauth_signature={signature}");
        let mut keys = keys();
        assert!(identify(&mut keys, &whole).unwrap().is_some());
        assert_eq!(identify(&mut keys, &whole).unwrap_err().message, "Invalid nonce - nonce has already been used.");
        let changed = whole.replace("per_page=1", "per_page=2");
        assert_eq!(
            identify(&mut keys, &changed).unwrap_err().message,
            "Invalid signature - provided signature does not match."
        );
        assert!(identify(&mut keys, "per_page=1").unwrap().is_none());
    }
}
