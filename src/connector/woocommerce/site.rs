//! Where a shop's API is, and why it may not be there.

use super::answer::Failed;
use super::door::Door;
use crate::connector::http::{Effect, Fault, Http, Request, Response, place};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::OnceCell;
use url::Url;

/// What WordPress puts its APIs below.
const JSON: &str = "wp-json";
/// The API that is spoken here.
const NAMESPACE: &str = "wc/v3";

/// A shop's address.
pub(super) struct Site {
    /// The API's.
    pub(super) base: Url,
    /// WordPress's own.
    home: Url,
    absent: OnceCell<Option<String>>,
}

/// What WordPress says of itself to everybody.
#[derive(Deserialize)]
struct Index {
    namespaces: Vec<String>,
}

/// Why there is no API, and what to do.
const PLAIN: &str = "its permalinks are \u{201c}plain\u{201d}, and then WooCommerce's API takes no key: choose any other kind \
                     under Settings, Permalinks, for instance \u{201c}Post name\u{201d}";

impl Site {
    /// The address may be the shop's, or already that of its API or a part of it. `Err` says what is wrong with it, without
    /// showing it: it may have come from a secret.
    pub(super) fn of(text: &str, api: &str) -> Result<Self, &'static str> {
        let mut base = Url::parse(text.trim()).map_err(|_| "is no address")?;
        if base.host_str().is_none() {
            return Err("is no address");
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err("holds a user and a password, which would be shown with it: give them as `front_user` and \
                        `front_password`");
        }
        base.set_fragment(None);
        base.set_query(None);
        let given = base.path().trim_end_matches('/').to_owned();
        let ends = api.match_indices('/').map(|(at, _)| &api[..at]).chain([api]).filter(|part| !part.is_empty());
        let home = ends.filter_map(|end| given.strip_suffix(end)).next_back().unwrap_or(&given).to_owned();
        let mut site = base.clone();
        site.set_path(&format!("{home}/"));
        base.set_path(&format!("{home}{api}"));
        Ok(Self { base, home: site, absent: OnceCell::new() })
    }

    /// The address of a resource. One that begins with a slash is of another API of WordPress.
    pub(super) fn address(&self, route: &str) -> Url {
        if let Some(other) = route.strip_prefix('/') {
            let mut address = self.home.clone();
            address.set_path(&format!("{}{JSON}/{}", self.home.path(), other.trim_end_matches('/')));
            return address;
        }
        let mut address = self.base.clone();
        address.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), route.trim_matches('/')));
        address
    }

    /// An answer that leads elsewhere: a login is not sent on, and only a person can say whether that is the right address.
    pub(super) fn moved(&self, response: &Response) -> Option<String> {
        if !(300..400).contains(&response.status) {
            return None;
        }
        let Some(mut to) = response.text("Location").and_then(|text| self.base.join(text).ok()) else {
            return Some("it redirects elsewhere and does not say where to".to_owned());
        };
        let Some(at) = to.path().find(&format!("/{JSON}")) else {
            return Some(format!(
                "it redirects its API to {}: a plugin, or the web server before it, must let calls of the API through",
                place(&to)
            ));
        };
        let home = to.path()[..at].to_owned();
        to.set_path(&home);
        let home = place(&to);
        let home = home.trim_end_matches('/');
        if home == place(&self.home).trim_end_matches('/') {
            // WordPress takes the path for a page's, and leads to how it writes such: as measured.
            return Some(PLAIN.to_owned());
        }
        Some(format!(
            "it redirects to {home}, and a login is not sent on: if that is the right address, put `{home}` as `url` into the \
             `connect` block"
        ))
    }

    /// Why the API is not there, and what to do; none where it is, or where that cannot be told. Asked once.
    pub(super) async fn absent(&self, http: &Http, door: &Door) -> Option<String> {
        self.absent.get_or_init(|| self.find_out(http, door)).await.clone()
    }

    async fn find_out(&self, http: &Http, door: &Door) -> Option<String> {
        let mut pretty = self.home.clone();
        pretty.set_path(&format!("{}{JSON}/", self.home.path()));
        pretty.set_query(Some("_fields=namespaces"));
        if let Some(index) = index(http, door, pretty).await {
            let there = index.namespaces.iter().any(|its| its == NAMESPACE);
            return (!there).then(|| {
                "WordPress is there and WooCommerce is not: switch WooCommerce on under Plugins (its API is `wc/v3`)"
                    .to_owned()
            });
        }
        let mut plain = self.home.clone();
        plain.set_query(Some("rest_route=/&_fields=namespaces"));
        index(http, door, plain).await?;
        Some(PLAIN.to_owned())
    }
}

async fn index(http: &Http, door: &Door, address: Url) -> Option<Index> {
    let mut call = Request::get(address);
    call.headers.extend(door.front());
    let response = http.send(call).await.ok()?;
    response.ok().then(|| serde_json::from_str(response.body.trim_start_matches('\u{feff}')).ok()).flatten()
}

/// What a fault of the line means: too long an answer, or none in time, may be the page's fault.
pub(super) fn failed(http: &Http, fault: Fault, effect: Effect, now: Timestamp) -> Failed {
    let page = matches!(fault, Fault::Lost(_) | Fault::TooLarge);
    let error = http.classed(fault, effect, now);
    if page { Failed::page(error) } else { Failed::plain(error) }
}

/// A header that we put on what was in an envelope.
pub(super) const OPENED: &str = "x-opened-envelope";

/// Whether a shop is asked to put the headers of a list into its answer: something on the way may drop them.
#[derive(Debug, Default)]
pub(super) struct Sealing(AtomicU8);

const NOT_NEEDED: u8 = 0;
const NEEDED: u8 = 1;
const NOT_KNOWN: u8 = 2;

impl Sealing {
    pub(super) fn is_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NEEDED
    }

    pub(super) fn may_be_asked_for(&self) -> bool {
        self.0.load(Ordering::Relaxed) == NOT_NEEDED
    }

    pub(super) fn ask(&self, yes: bool) {
        self.0.store(if yes { NEEDED } else { NOT_NEEDED }, Ordering::Relaxed);
    }

    /// The shop does not know of it.
    pub(super) fn is_unknown(&self) {
        self.0.store(NOT_KNOWN, Ordering::Relaxed);
    }
}

/// An answer with its headers inside, where it was asked for so.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    body: &'a RawValue,
    status: u16,
    #[serde(borrow)]
    headers: &'a RawValue,
}

/// The answer that an envelope holds; any other as it is.
pub(super) fn opened(response: Response) -> Response {
    // No record of a shop begins so, and no list.
    let start = response.body.trim_start();
    if !start.starts_with("{\"body\":") {
        return response;
    }
    let Ok(envelope) = serde_json::from_str::<Envelope>(start) else { return response };
    let inside: BTreeMap<String, serde_json::Value> = serde_json::from_str(envelope.headers.get()).unwrap_or_default();
    let mut headers: HeaderMap = response.headers.clone();
    headers.insert(OPENED, HeaderValue::from_static("1"));
    for (name, value) in inside {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
            headers.insert(name, value);
        }
    }
    Response { status: envelope.status, headers, body: envelope.body.get().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "/wp-json/wc/v3";

    #[test]
    fn the_address_may_be_the_shops_or_the_apis_or_between() {
        for text in ["", "/", "/wp-json", "/wp-json/", "/wp-json/wc", "/wp-json/wc/v3/"] {
            let site = Site::of(&format!("https://shop.example{text}"), API).unwrap();
            assert_eq!(site.base.as_str(), "https://shop.example/wp-json/wc/v3", "{text}");
            assert_eq!(site.home.as_str(), "https://shop.example/");
        }
        let below = Site::of("https://x.example/winkel/", API).unwrap();
        assert_eq!((below.base.path(), below.home.path()), ("/winkel/wp-json/wc/v3", "/winkel/"));
        assert_eq!(below.address("orders/12").path(), "/winkel/wp-json/wc/v3/orders/12");
        assert_eq!(below.address("/wp/v2/media").path(), "/winkel/wp-json/wp/v2/media");
        assert!(Site::of("shop.example", API).is_err());
        assert!(Site::of("https://staging:geheim@shop.example", API).err().unwrap().contains("front_user"));
    }

    #[test]
    fn an_envelope_holds_an_answer_and_nothing_else_is_one() {
        let response = |body: &str| Response { status: 200, headers: HeaderMap::new(), body: body.to_owned() };
        let inside =
            opened(response(r#"{"body":[{"id":1.50}],"status":200,"headers":{"X-WP-Total":91,"X-WP-TotalPages":10}}"#));
        assert_eq!((inside.body.as_str(), inside.text("X-WP-TotalPages")), (r#"[{"id":1.50}]"#, Some("10")));
        let refused = opened(response(r#"{"body":{"code":"c","message":"m"},"status":404,"headers":[]}"#));
        assert_eq!((refused.status, refused.body.as_str()), (404, r#"{"code":"c","message":"m"}"#));
        assert_eq!(opened(response(r#"{"body":1}"#)).body, r#"{"body":1}"#);
    }
}
