//! What the connectors' tests stand on: a server that answers as it is told, schemas of a few fields, a store.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up fails the test")]

pub(crate) mod shop;
pub(crate) mod tls;

use flowc::connector::{Connector, Secrets, Timing, open_with};
use flowc::ir::{
    Connection, ConnectionValue, Connector as Habits, Const, Entity, Feed, Field, FieldId, Forms, Method, Search, Type,
    WireForm,
};
use flowc::source::{FileId, Span};
use flowc::store::{Embedded, Key, Store};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// What the server does.
pub(crate) enum Reply {
    Json(u16, String),
    With(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// The connection ends without an answer.
    Drop,
    /// No answer for long.
    Hang,
    /// Half of an answer.
    Truncated(String),
}

impl Reply {
    pub(crate) fn html(status: u16) -> Self {
        let page = "<html><head><title>Onderhoud</title></head></html>";
        Self::With(status, vec![("Content-Type", "text/html".into())], page.into())
    }
}

/// A server on loopback.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, kept) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
                tokio::spawn(async move { serve(stream, &*answer, &kept).await });
            }
        });
        Self { url, seen }
    }

    /// Requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Requests whose path holds this.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path.contains(path)).count()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(dyn Fn(&Seen) -> Reply + Send + Sync),
    kept: &Mutex<Vec<Seen>>,
) {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 8192];
    let (head, body_at) = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..at]).into_owned(), at + 4);
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    };
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> =
        lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let length = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("content-length"));
    let length: usize = length.map_or(0, |(_, v)| v.parse().unwrap());
    while bytes.len() < body_at + length {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
    let url = url::Url::parse("http://x").unwrap().join(&target).unwrap();
    let seen = Seen {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::from_utf8_lossy(&bytes[body_at..]).into_owned(),
    };
    let reply = answer(&seen);
    kept.lock().unwrap().push(seen);
    let (status, headers, body, said) = match reply {
        Reply::Json(status, text) => {
            let length = text.len();
            (status, vec![("Content-Type", "application/json".to_owned())], text.into_bytes(), length)
        }
        Reply::With(status, headers, body) => {
            let length = body.len();
            (status, headers, body, length)
        }
        Reply::Truncated(text) => {
            (200, vec![("Content-Type", "application/json".to_owned())], text.clone().into_bytes(), text.len() * 2)
        }
        Reply::Drop => return,
        // Until the caller gives up, or the test ends.
        Reply::Hang => return std::future::pending().await,
    };
    let more: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let more = more.concat();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {said}\r\nConnection: close\r\n{more}\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(&body).await;
    let _ = stream.shutdown().await;
}

/// A control API whose clock starts there and runs a hundred times as fast as the wall's: fast enough to wait for, and
/// slow enough that a busy machine does not change what happens.
pub(crate) async fn clock(start: &str) -> Server {
    clock_at(start, 100).await
}

/// The same, at another rate.
pub(crate) async fn clock_at(start: &str, rate: i32) -> Server {
    let start: Timestamp = start.parse().unwrap();
    let real = std::time::Instant::now();
    Server::start(move |seen| {
        assert_eq!(seen.path, "/clock");
        let gone = SignedDuration::try_from(real.elapsed()).unwrap().checked_mul(rate).unwrap();
        Reply::Json(200, format!(r#"{{"now":"{}","rate":{rate}}}"#, start + gone))
    })
    .await
}

pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn secret(&self, name: &str) -> Option<SecretString> {
        (name == "SET").then(|| SecretString::from("from the environment"))
    }
}

/// A connection with these entries.
pub(crate) fn connection(name: &str, connector: &str, entries: &[(&str, &str)]) -> Connection {
    Connection {
        name: name.into(),
        connector: connector.into(),
        entries: entries
            .iter()
            .map(|(name, value)| ((*name).into(), ConnectionValue::Plain(Const::Text((*value).into()))))
            .collect(),
        span: span(),
    }
}

pub(crate) fn span() -> Span {
    Span { file: FileId(0), start: 0, end: 0 }
}

pub(crate) fn woocommerce(page: u32) -> Habits {
    Habits { name: "woocommerce".into(), page, ..Habits::default() }
}

pub(crate) fn exact() -> Habits {
    let words =
        [("limits.minute", "60"), ("limits.day", "5000"), ("limits.errors", "10"), ("login.refresh_after", "570")];
    Habits {
        name: "exact".into(),
        page: 60,
        url_max: 2000,
        values_max: 40,
        zone: "Europe/Amsterdam".into(),
        words: words.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
    }
}

/// A store in a folder that lives as long as the test.
pub(crate) fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let store = reopen(&folder);
    (folder, store)
}

pub(crate) fn reopen(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    Arc::new(Embedded::open(&folder.path().join("store.redb"), &Key::from_text(&"1".repeat(64))).unwrap())
}

/// Impatient in real time, patient in the simulated one.
pub(crate) fn timing() -> Timing {
    Timing { connect: Duration::from_secs(2), total: Duration::from_millis(700), pause: SignedDuration::from_secs(1) }
}

pub(crate) async fn connect(connection: &Connection, habits: &Habits, store: &Arc<dyn Store>) -> Arc<dyn Connector> {
    open_with(connection, habits, &NoSecrets, Arc::clone(store), timing()).await.unwrap()
}

pub(crate) fn field(name: &str, ty: Type) -> Field {
    Field { search: Search::Filter, ..Field::new(name.into(), ty, span()) }
}

pub(crate) fn milliseconds(name: &str) -> Field {
    Field { form: Forms { form: WireForm::Milliseconds, ..Forms::default() }, ..field(name, Type::Instant) }
}

/// An entity whose key is its first field.
pub(crate) fn entity(
    connector: &str,
    name: &str,
    route: &str,
    feed: Option<(&str, u32)>,
    fields: Vec<Field>,
) -> Arc<Entity> {
    Arc::new(Entity {
        route: Some(route.into()),
        methods: vec![Method::Get, Method::Post, Method::Put, Method::Delete],
        feed: feed.map(|(path, by)| Feed {
            path: path.into(),
            by: FieldId(by),
            since: if connector == "woocommerce" { "modified_after".into() } else { "".into() },
            rows: None,
        }),
        key: Some(FieldId(0)),
        fields,
        ..Entity::new(connector.into(), name.into(), span())
    })
}
