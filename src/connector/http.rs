//! The one HTTP client of the connectors: what it may do, how much it takes, and what its failures mean.
//!
//! It follows no redirect, so that credentials go where a person said and nowhere else; it repeats nothing; it reads at
//! most [`limits::BODY_BYTES_MAX`] bytes after decompression; and it never puts the query of an address into a message,
//! since signatures stand there.

use super::CallError;
use super::proof::{Amiss, Doubt};
use crate::limits;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use url::Url;

pub(super) use reqwest::Method as Verb;

/// Stands for bytes that are no UTF-8. No text in JSON may hold it as it is, so that a record with such bytes cannot be
/// read, rather than be read with another text.
pub(super) const NO_TEXT: char = '\u{1}';
/// How long an unused connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// How long things may take. The defaults are [`limits`]'; tests are less patient.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until an answer is there in full.
    pub total: Duration,
    /// The first pause before a read is tried again, of the API's clock; the next ones double.
    pub pause: SignedDuration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(limits::CONNECT_SECONDS),
            total: Duration::from_secs(limits::CALL_SECONDS),
            pause: SignedDuration::from_millis(500),
        }
    }
}

/// Whether a call can change something: what an answer that does not come means depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Safe to repeat.
    Read,
    /// Not to be repeated before the outcome is known.
    Write,
}

/// One call.
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) address: Url,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Body>,
    pub(super) effect: Effect,
}

/// What a call carries.
#[derive(Clone)]
pub(super) struct Body {
    /// Its content type.
    pub(super) kind: Cow<'static, str>,
    pub(super) bytes: Vec<u8>,
}

impl Body {
    /// A text of some kind.
    pub(super) fn text(kind: &'static str, text: String) -> Self {
        Self { kind: Cow::Borrowed(kind), bytes: text.into_bytes() }
    }
}

impl Request {
    /// A read.
    pub(super) fn get(address: Url) -> Self {
        Self { verb: Verb::GET, address, headers: Vec::new(), body: None, effect: Effect::Read }
    }

    /// With one header more.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer that came in full, as bytes.
pub(super) struct Bytes {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

/// An answer that came in full.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Response {
    pub(super) fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the answer says of itself that it is JSON, or says nothing.
    pub(super) fn says_json(&self) -> bool {
        match self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
            Some(kind) => kind.to_ascii_lowercase().contains("json"),
            None => true,
        }
    }

    /// A header as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What kind of thing came, for a message.
    pub(super) fn kind(&self) -> String {
        let start = self.body.trim_start();
        let kind = if start.is_empty() {
            "nothing".to_owned()
        } else if start.starts_with('<') {
            match title(start) {
                Some(title) => format!("a web page (\u{201c}{title}\u{201d})"),
                None => "a web page".to_owned(),
            }
        } else {
            "something that is not the JSON of this API".to_owned()
        };
        format!("{kind}, with status {}", self.status)
    }
}

/// The title of a web page, which often says what is the matter.
fn title(page: &str) -> Option<String> {
    let from = page.find("<title>")? + "<title>".len();
    let text = page.get(from..)?;
    let text = text.get(..text.find('<')?)?.trim();
    (!text.is_empty()).then(|| shortened(text))
}

/// What a system said, on one line and not too long. What was no text of it shows as such.
pub(super) fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace(NO_TEXT, "\u{fffd}");
    match line.char_indices().nth(limits::REASON_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Why no answer came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call has not left: no address, no connection.
    Unsent(String),
    /// The call has not left, and will not whenever it is tried: the other side does not prove who it is.
    Insecure(String),
    /// It was sent, or may have been, and no whole answer came.
    Lost(String),
    /// The answer is longer than we read.
    TooLarge,
}

/// The client of one connection.
pub(super) struct Http {
    client: reqwest::Client,
    calls: AtomicU64,
    /// The connection's name.
    pub(super) system: Arc<str>,
}

impl Http {
    /// A client for calls to this address, which also trusts what these certificates have signed; `Err` says what is wrong
    /// with the address, without showing it: it may have come from a secret.
    pub(super) fn new(
        system: &str,
        base: &Url,
        timing: &Timing,
        certificates: Vec<reqwest::Certificate>,
    ) -> Result<Self, String> {
        let loopback = is_loopback(base);
        match base.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(
                    "begins with http, and the login would be readable on the way; use https (plain http is for \
                            this machine only)"
                        .to_owned(),
                );
            }
            _ => return Err("does not begin with https".to_owned()),
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("flowc/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timing.connect)
            .timeout(timing.total)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Shorter than what servers keep: a call on a connection that is just being closed has an unknown outcome.
            .pool_idle_timeout(POOL_IDLE)
            .tls_certs_merge(certificates);
        if loopback {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|e| format!("cannot be called from here: {}", causes(&e)))?;
        Ok(Self { client, calls: AtomicU64::new(0), system: system.into() })
    }

    /// Calls made so far.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Sends a call, once, and reads the answer.
    pub(super) async fn send(&self, call: Request) -> Result<Response, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.send_uncounted(call).await
    }

    /// The same, for what is no call to the API: its clock.
    pub(super) async fn send_uncounted(&self, call: Request) -> Result<Response, Fault> {
        let Bytes { status, headers, bytes } = self.received(call, limits::BODY_BYTES_MAX).await?;
        Ok(Response { status, headers, body: text_of(bytes) })
    }

    /// Sends a call, once, whose answer is no text; of at most so many bytes.
    pub(super) async fn bytes(&self, call: Request, most: usize) -> Result<Bytes, Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.received(call, most).await
    }

    async fn received(&self, call: Request, most: usize) -> Result<Bytes, Fault> {
        let Request { verb, address, headers, body, effect: _ } = call;
        let mut request = self.client.request(verb, address);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(Body { kind, bytes }) = body {
            request = request.header(CONTENT_TYPE, kind.as_ref()).body(bytes);
        }
        let mut response = request.send().await.map_err(|e| fault(&e))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| fault(&e))? {
            if bytes.len() + chunk.len() > most {
                return Err(Fault::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Bytes { status, headers, bytes })
    }

    /// What a fault means for the caller.
    pub(super) fn classed(&self, fault: Fault, effect: Effect, now: Timestamp) -> CallError {
        let system = self.system.to_string();
        match (fault, effect) {
            (Fault::Unsent(reason), effect) => CallError::Later {
                system,
                until: guessed(effect, now),
                reason: format!("it cannot be reached ({reason})"),
            },
            (Fault::Insecure(reason), _) => CallError::Login { system, reason },
            (Fault::Lost(reason), Effect::Read) => CallError::Later { system, until: now, reason },
            (Fault::Lost(reason), Effect::Write) => CallError::Unknown { system, reason },
            (Fault::TooLarge, Effect::Read) => CallError::Garbled { system, what: too_large() },
            (Fault::TooLarge, Effect::Write) => CallError::Unknown { system, reason: too_large() },
        }
    }

    /// An answer that is none: a redirect. The call was not carried out, unless it is a write that is redirected as after a
    /// form; and only a person can say whether the other address is the right one.
    pub(super) fn redirected(&self, response: &Response, effect: Effect, call: &str) -> Option<Amiss> {
        if !(300..400).contains(&response.status) {
            return None;
        }
        let to = response.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let to = match to.map(|text| (text, Url::parse(text))) {
            Some((_, Ok(url))) => format!("to {}", place(&url)),
            Some((text, Err(_))) => format!("to {}", text.split('?').next().unwrap_or_default()),
            None => "elsewhere".to_owned(),
        };
        let system = self.system.to_string();
        let reason = format!(
            "it redirects {to}, and a login is not sent on; if that is the right address, put it into the `connect` block ({call})"
        );
        if effect == Effect::Write && matches!(response.status, 302 | 303) {
            return Some(CallError::Unknown { system, reason }.into());
        }
        let refused =
            CallError::Refused { system, reason: reason.clone(), status: response.status, call: call.to_owned() };
        Some(Amiss::Doubtful(Doubt { refused, lost: reason }))
    }

    /// An answer that makes no sense: a read may be tried again, a write may have happened.
    pub(super) fn garbled(&self, what: String, effect: Effect) -> CallError {
        let system = self.system.to_string();
        match effect {
            Effect::Read => CallError::Garbled { system, what },
            Effect::Write => CallError::Unknown { system, reason: format!("it answered {what}") },
        }
    }

    /// The system is there and cannot answer: 502, 503, a web page.
    pub(super) fn outage(&self, response: &Response, effect: Effect, now: Timestamp) -> CallError {
        let system = self.system.to_string();
        let reason = format!("it answered {}", response.kind());
        match effect {
            Effect::Read => {
                let pause = response.retry_after(now).unwrap_or_default();
                CallError::Later { system, until: now.checked_add(pause).unwrap_or(now), reason }
            }
            Effect::Write => CallError::Unknown { system, reason },
        }
    }
}

/// The text of an answer; bytes that are none are marked.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|broken| {
        let mut text = String::with_capacity(broken.as_bytes().len());
        for chunk in broken.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                text.push(NO_TEXT);
            }
        }
        text
    })
}

/// When a call may be tried again that nobody has set a time for: reads are at once in the hands of [`super::retry`].
fn guessed(effect: Effect, now: Timestamp) -> Timestamp {
    match effect {
        Effect::Read => now,
        Effect::Write => soon(now),
    }
}

/// When to try again what has no time of its own.
pub(super) fn soon(now: Timestamp) -> Timestamp {
    later(now, 30)
}

/// So many seconds from then.
pub(super) fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

fn too_large() -> String {
    format!("more than {} MB at once", limits::BODY_BYTES_MAX >> 20)
}

fn fault(error: &reqwest::Error) -> Fault {
    if let Some(reason) = insecure(error) {
        return Fault::Insecure(reason);
    }
    if error.is_builder() || error.is_connect() {
        return Fault::Unsent(causes(error));
    }
    if error.is_timeout() {
        return Fault::Lost("no answer in time".to_owned());
    }
    Fault::Lost(format!("the connection broke off ({})", causes(error)))
}

/// What is wrong with the other side's certificate, and what to do about it.
fn insecure(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut said = None;
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("peer certificate") || text.contains("InvalidContentType") {
            said = Some(text);
        }
        cause = error.source();
    }
    let said = said?;
    // The checker of certificates has no type for these that could be asked; its words are stable.
    let mend = if said.contains("InvalidContentType") {
        return Some("it does not speak TLS there: check the port of its address".to_owned());
    } else if said.contains("UnknownIssuer") || said.contains("SelfSigned") {
        "nobody whom this machine trusts has signed it; if it is one of your own, name the file of whoever signed it as \
         `ca = \"file.pem\"` in the `connect` block"
    } else if said.to_ascii_lowercase().contains("expired") {
        "it has expired and must be renewed there, or this machine's clock is wrong"
    } else if said.contains("NotValidYet") || said.contains("not valid yet") {
        "it is not valid yet; look at this machine's clock"
    } else if said.contains("not valid for name") || said.contains("NotValidForName") {
        "it is for another host name than the one in the `connect` block"
    } else if said.contains("CaUsedAsEndEntity") {
        "an authority's certificate is used as a server's; make one for the server and let the authority sign it"
    } else {
        "it must be put right there"
    };
    let said = said.rsplit("peer certificate: ").next().unwrap_or_default();
    Some(format!("its certificate is refused ({}): {mend}", shortened(said)))
}

/// The innermost cause: the outer ones repeat the address with its query.
fn causes(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    // The outermost error is the only one that names the address.
    if std::ptr::addr_eq(inner, error) { "unknown cause".to_owned() } else { shortened(&inner.to_string()) }
}

/// An address without query, user and password, for messages.
pub(super) fn place(address: &Url) -> String {
    let host = address.host_str().unwrap_or_default();
    let port = address.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", address.scheme(), address.path())
}

/// Whether an address stays on this machine.
pub(super) fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(address: &str) -> Result<Http, String> {
        Http::new("shop", &Url::parse(address).unwrap(), &Timing::default(), Vec::new())
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(http("https://shop.example").is_ok());
        assert!(http("http://127.0.0.1:8080").is_ok());
        assert!(http("http://localhost").is_ok());
        assert!(http("http://shop.example/?key=k").err().unwrap().contains("use https"));
        assert!(http("http://127.0.0.1.example.org").is_err());
        assert!(http("ftp://shop.example").is_err());
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(shortened(" Verplicht: a\r\nVerplicht: b "), "Verplicht: a Verplicht: b");
        assert_eq!(shortened(&"é".repeat(10_000)).chars().count(), limits::REASON_CHARS_MAX + 1);
        assert_eq!(title("<html><head><title> Onderhoud </title>").as_deref(), Some("Onderhoud"));
    }

    #[test]
    fn bytes_that_are_no_text_are_marked_and_never_guessed() {
        assert_eq!(text_of(b"caf\xc3\xa9".to_vec()), "caf\u{e9}");
        assert_eq!(text_of(b"[\"caf\xe9\",1]".to_vec()), "[\"caf\u{1}\",1]");
        assert!(serde_json::from_str::<serde_json::Value>(&text_of(b"\"caf\xe9\"".to_vec())).is_err());
        assert_eq!(shortened(&text_of(b"caf\xe9".to_vec())), "caf\u{fffd}");
    }

    #[test]
    fn addresses_are_shown_without_what_is_secret() {
        let url = Url::parse("https://u:p@shop.example:8443/wp-json?oauth_signature=s#f").unwrap();
        assert_eq!(place(&url), "https://shop.example:8443/wp-json");
    }
}
