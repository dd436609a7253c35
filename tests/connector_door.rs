//! The ways into a shop: servers that drop a header, that ask for a user of their own, that end TLS and do not say so;
//! certificates; and what is told where there is no way in.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector_bench::{
    NoSecrets, Reply, Seen, Server, clock, connect, connection, entity, exact, field, store, timing, tls, woocommerce,
};
use flowc::connector::{CallError, Connector, OpenError, Position, Scan, Write, open_with};
use flowc::ir::{Entity, Method, Type};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

type Answering = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;
/// Entries of a `connect` block.
type More = &'static [(&'static str, &'static str)];

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn orders() -> Arc<Entity> {
    let fields = vec![field("id", Type::Int), field("date_modified_gmt", Type::Instant)];
    entity("woocommerce", "Order", "orders", Some(("", 1)), fields)
}

fn scan() -> Scan {
    Scan { entity: orders(), fields: vec![], filter: vec![], since: None, only: vec![] }
}

/// A web server and the shop behind it.
#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    /// The header of a login does not come through.
    drops: bool,
    /// The web server asks for a user of its own.
    front: bool,
    /// PHP does not know that the call came over TLS.
    untold: bool,
}

const FRONT: (&str, &str) = ("staging", "geheim");

fn refused(code: &str, message: &str) -> Reply {
    Reply::Json(401, format!(r#"{{"code":"{code}","message":"{message}","data":{{"status":401}}}}"#))
}

impl Gate {
    /// As measured, save that the key is known.
    fn answer(self, seen: &Seen) -> Reply {
        let header = seen.header("authorization").and_then(|text| text.strip_prefix("Basic "));
        let user = header.map(|text| String::from_utf8(STANDARD.decode(text).unwrap()).unwrap());
        if self.front && user.as_deref() != Some(&*format!("{}:{}", FRONT.0, FRONT.1)) {
            let headers =
                vec![("WWW-Authenticate", r#"Basic realm="staging""#.into()), ("Content-Type", "text/html".into())];
            return Reply::With(401, headers, b"<html><title>401</title></html>".to_vec());
        }
        let no_key = || refused("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.");
        let known = match seen.query("oauth_consumer_key") {
            Some("ck_key") if seen.query("oauth_signature") == Some(&self.signature(seen)) => true,
            Some("ck_key") => return refused("woocommerce_rest_authentication_error", "Invalid signature."),
            Some(_) => return refused("woocommerce_rest_authentication_error", "Consumer key is invalid."),
            None => !self.drops && !self.untold && user.as_deref() == Some("ck_key:cs_secret"),
        };
        if !known {
            return no_key();
        }
        let headers = vec![
            ("Content-Type", "application/json".to_owned()),
            ("X-WP-Total", "1".to_owned()),
            ("X-WP-TotalPages", "1".to_owned()),
        ];
        let text = r#"[{"id":1,"date_modified_gmt":"2026-03-01T10:00:00"}]"#;
        if seen.method == "GET" {
            Reply::With(200, headers, text.into())
        } else {
            Reply::Json(201, r#"{"id":1}"#.into())
        }
    }

    /// As the shop computes it, from the address that its PHP sees.
    fn signature(self, seen: &Seen) -> String {
        let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        let mut pairs: Vec<(String, String)> = seen
            .query
            .iter()
            .filter(|(name, _)| name != "oauth_signature")
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        pairs.sort();
        let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let scheme = if self.untold { "http" } else { "https" };
        let address = format!("{scheme}://{}{}", seen.header("host").unwrap(), seen.path);
        let base = format!("{}&{}&{}", seen.method, encode(&address), encode(&pairs.join("&")));
        let mut mac = Hmac::<Sha256>::new_from_slice(b"cs_secret&").unwrap();
        mac.update(base.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

async fn opened(url: &str, more: &[(&str, &str)]) -> Result<Arc<dyn Connector>, OpenError> {
    let (_folder, store) = store();
    let clock = clock("2026-03-01T12:00:00Z").await;
    let mut entries = vec![("url", url), ("key", "ck_key"), ("secret", "cs_secret"), ("clock", clock.url.as_str())];
    for (name, value) in more {
        entries.retain(|(its, _)| its != name);
        entries.push((name, value));
    }
    open_with(&connection("shop", "woocommerce", &entries), &woocommerce(100), &NoSecrets, store, timing()).await
}

async fn gate(gate: Gate) -> Server {
    tls::start(tls::GOOD, move |seen| gate.answer(seen)).await
}

const CA: (&str, &str) = ("ca", tls::AUTHORITY);
const USER: (&str, &str) = ("front_user", FRONT.0);
const PASSWORD: (&str, &str) = ("front_password", FRONT.1);

#[tokio::test]
async fn each_way_into_a_shop_is_found_and_kept() {
    for front in [false, true] {
        for drops in [false, true] {
            for untold in [false, true] {
                let all = Gate { drops, front, untold };
                let server = gate(all).await;
                let more: &[(&str, &str)] = if front { &[CA, USER, PASSWORD] } else { &[CA] };
                let shop = opened(&server.url, more).await.unwrap();
                let page = shop.scan(&scan(), &Position::default()).await.unwrap();
                assert_eq!(page.records.len(), 1, "{all:?}");
                let first = server.seen().len();
                assert!(first <= 3, "{all:?}: {first} calls");
                shop.scan(&scan(), &Position::default()).await.unwrap();
                let write =
                    Write { entity: orders(), method: Method::Post, id: None, body: "{}".into(), parts: vec![] };
                shop.write(&write).await.unwrap();
                assert_eq!(server.seen().len(), first + 2, "{all:?}: the way is kept");
                // What a person should know is told once.
                let remarks = shop.remarks();
                let expected = match (front, drops, untold) {
                    (_, _, true) => Some("X-Forwarded-Proto"),
                    (false, true, false) => Some("drops the Authorization header"),
                    (true, _, false) | (false, false, false) => None,
                };
                assert_eq!(remarks.len(), usize::from(expected.is_some()), "{all:?}: {remarks:?}");
                assert!(expected.is_none_or(|words| remarks[0].contains(words)), "{all:?}: {remarks:?}");
                let secrets = ["cs_secret", FRONT.1];
                let asked = server.seen();
                assert!(asked.iter().flat_map(|seen| &seen.query).all(|(_, v)| !secrets.contains(&v.as_str())));
            }
        }
    }
}

#[tokio::test]
async fn a_write_finds_its_way_as_well_and_is_carried_out_once() {
    let server = gate(Gate { drops: true, ..Gate::default() }).await;
    let shop = opened(&server.url, &[CA]).await.unwrap();
    let write = Write { entity: orders(), method: Method::Post, id: None, body: "{}".into(), parts: vec![] };
    shop.write(&write).await.unwrap();
    let asked = server.seen();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].query("oauth_signature").is_none() && asked[1].query("oauth_signature").is_some());
}

#[tokio::test]
async fn a_login_that_leads_nowhere_is_told_with_what_to_do() {
    let all = Gate::default();
    let front = Gate { front: true, ..all };
    let cases: [(Gate, More, &str); 5] = [
        (all, &[CA, ("key", "ck_other")], "Consumer key is invalid"),
        (all, &[CA, ("secret", "cs_other")], "Invalid signature"),
        (front, &[CA], "`front_user` and `front_password`"),
        (front, &[CA, USER, ("front_password", "x")], "refuses `front_user`"),
        (Gate { drops: true, ..all }, &[CA, ("key", "ck_other")], "make a new key"),
    ];
    for (gate_of, more, words) in cases {
        let server = gate(gate_of).await;
        let shop = opened(&server.url, more).await.unwrap();
        let error = shop.scan(&scan(), &Position::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Login { .. }), "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(!error.to_string().contains("cs_"), "{error}");
        // Each way, and the proof that it is not this call alone that is refused.
        assert!(server.seen().len() <= 6, "{words}: {} calls", server.seen().len());
    }
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_told_at_once_with_what_to_do() {
    let cases: [(&str, More, &str); 4] = [
        (tls::GOOD, &[], "`ca = \"file.pem\"`"),
        (tls::EXPIRED, &[CA], "expired"),
        (tls::ELSEWHERE, &[CA], "another host name"),
        (tls::ELSEWHERE, &[], "certificate"),
    ];
    for (certificate, more, words) in cases {
        let server = tls::start(certificate, |seen| Gate::default().answer(seen)).await;
        let shop = opened(&server.url, more).await.unwrap();
        let error = shop.scan(&scan(), &Position::default()).await.unwrap_err();
        assert!(matches!(error, CallError::Login { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(words) && text.contains("certificate"), "{words}: {text}");
        assert_eq!((shop.calls(), server.seen().len()), (1, 0), "it is not tried again");
    }
    // What is no TLS at all.
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    let shop = opened(&url, &[]).await.unwrap();
    let error = shop.scan(&scan(), &Position::default()).await.unwrap_err();
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
}

/// The ledger behind a certificate of one's own.
#[tokio::test]
async fn a_ledger_is_trusted_as_a_shop_is() {
    let server = tls::start(tls::GOOD, |_| Reply::Json(200, r#"{"d":{"results":[]}}"#.into())).await;
    let sandbox = clock("2026-03-01T10:00:00Z").await;
    let entries = |more: More| {
        let of_ledger = [("base_url", &*server.url), ("clock", &*sandbox.url), ("division", "1")];
        let login = [("client_id", "i"), ("client_secret", "s"), ("refresh_token", "r"), ("access_token", "a")];
        of_ledger
            .into_iter()
            .chain(login)
            .chain(more.iter().copied())
            .map(|(n, v)| (n, v.to_owned()))
            .collect::<Vec<_>>()
    };
    for (more, trusted) in [(&[][..], false), (&[CA][..], true)] {
        let (_folder, store) = store();
        let entries = entries(more);
        let entries: Vec<(&str, &str)> = entries.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let ledger = connect(&connection("books", "exact", &entries), &exact(), &store).await;
        let answer = ledger.hello().await;
        let told = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(!told.contains("certificate is refused"), trusted, "{told}");
        assert_eq!(!server.seen().is_empty(), trusted);
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_entries_is_said_before_any_call() {
    let error = |more: More| async move { opened("https://127.0.0.1:9", more).await.err().unwrap().to_string() };
    assert!(error(&[("ca", "no certificate")]).await.contains("`ca` holds no certificate"));
    assert!(error(&[PASSWORD]).await.contains("`front_user`"));
    let inside = error(&[("url", "https://staging:geheim@shop.example")]).await;
    assert!(inside.contains("`front_user`") && !inside.contains("geheim"), "{inside}");
}

/// Where WordPress is, and its API is not.
#[tokio::test]
async fn a_missing_api_is_told_by_its_cause() {
    let index = |namespaces: &str| Reply::Json(200, format!(r#"{{"namespaces":[{namespaces}]}}"#));
    let no_route = || {
        let told = r#"{"code":"rest_no_route","message":"No route was found.","data":{"status":404}}"#;
        Reply::Json(404, told.into())
    };
    let plain = move |page: u16| -> Answering {
        Box::new(move |seen| match seen.query("rest_route") {
            Some("/") => index(r#""wc/v3","wp/v2""#),
            _ => Reply::html(page),
        })
    };
    let cases: Vec<(Answering, &str)> = vec![
        (plain(404), "permalinks"),
        (plain(200), "permalinks"),
        (
            Box::new(move |seen| if seen.path == "/wp-json/" { index(r#""wp/v2""#) } else { no_route() }),
            "switch WooCommerce on",
        ),
        (
            Box::new(move |seen| if seen.path == "/wp-json/" { index(r#""wc/v3""#) } else { no_route() }),
            "its version has nothing at GET orders",
        ),
        (Box::new(|_| Reply::html(404)), "check `url`"),
        (
            Box::new(|_| {
                Reply::With(301, vec![("Location", "https://www.shop.example/wp-json/wc/v3/orders?x=1".into())], vec![])
            }),
            "put `https://www.shop.example` as `url`",
        ),
        // As measured with plain permalinks.
        (
            Box::new(|_| Reply::With(301, vec![("Location", "/wp-json/wc/v3/orders/?per_page=1".into())], vec![])),
            "permalinks are",
        ),
        (
            Box::new(|_| Reply::Json(200, "<b>Notice</b>: old call in plugin.php\n[]".into())),
            "\u{201c}Notice: old call in plugin.php\u{201d}",
        ),
        (
            Box::new(|_| Reply::Json(200, "[]<!-- cached -->".into())),
            "text behind it (\u{201c}<!-- cached -->\u{201d})",
        ),
    ];
    for (answer, words) in cases {
        let server = Server::start(answer).await;
        let shop = opened(&server.url, &[]).await.unwrap();
        let error = shop.scan(&scan(), &Position::default()).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}
