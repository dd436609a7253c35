//! Each connector meets a table of answers: for each kind of call, what an answer means, by its status, body, headers and the
//! moment at which it comes. The tables are in `tests/answers`; how they are read stands there.
//!
//! Two rules judge every cell: a write is called not done only where that is proved, and nothing is called absent unless
//! that is proved.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{NoSecrets, Reply, Seen, Server, clock_at, connection, entity, exact, field, store, woocommerce};
use flowc::connector::{CallError, Connector, Find, One, Position, Presence, Rows, Scan, Timing, Write, open_with};
use flowc::ir::{Entity, FieldId, Method, Type};
use flowc::store::Store;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const START: &str = "2026-03-01T12:00:05Z";
const GUID: &str = "7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a5001";
/// Cells that are played side by side.
const SIDE_BY_SIDE: usize = 8;

/// How long a cell may take, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a system answers.
#[derive(Clone, Debug)]
struct Answered {
    status: u16,
    body: String,
    headers: Vec<(String, String)>,
}

/// A row of a table.
struct Row {
    line: usize,
    text: String,
    answer: Answered,
    proof: Option<Answered>,
    /// The kind of call, and what is expected of it.
    cells: Vec<(String, String)>,
}

/// A table with the texts that its bodies stand for.
struct Table {
    bodies: Arc<BTreeMap<String, String>>,
    rows: Vec<Row>,
}

impl Table {
    fn read(text: &str) -> Self {
        let (mut bodies, mut rows, mut calls) = (BTreeMap::new(), Vec::new(), Vec::new());
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(body) = line.strip_prefix("body ") {
                let (name, text) = body.split_once(':').expect("a body has a name and a text");
                bodies.insert(name.trim().to_owned(), text.trim().replace("GUID", GUID));
                continue;
            }
            let parts: Vec<&str> = line.split('|').map(str::trim).collect();
            let cells: Vec<String> = parts[2].split_whitespace().map(str::to_owned).collect();
            if parts[0] == "answer" {
                calls = cells;
                continue;
            }
            assert_eq!(cells.len(), calls.len(), "line {}: a cell for each call", n + 1);
            let proof = (parts[1] != "good").then(|| answered(parts[1]));
            let cells = calls.iter().cloned().zip(cells).collect();
            rows.push(Row { line: n + 1, text: line.to_owned(), answer: answered(parts[0]), proof, cells });
        }
        Self { bodies: Arc::new(bodies), rows }
    }
}

/// `200 good; Name: value; Name: value`
fn answered(text: &str) -> Answered {
    let mut parts = text.split(';').map(str::trim);
    let (status, body) = parts.next().unwrap().split_once(' ').expect("a status and a body");
    let headers = parts.map(|header| header.split_once(':').map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())));
    let headers = headers.map(|header| header.expect("a header has a name and a value")).collect();
    Answered { status: status.parse().expect("a status"), body: body.trim().to_owned(), headers }
}

impl Answered {
    /// The reply; bodies differ between a list and one record.
    fn reply(&self, bodies: &BTreeMap<String, String>, form: &str) -> Reply {
        match self.body.as_str() {
            "drop" => return Reply::Drop,
            "hang" => return Reply::Hang,
            _ => {}
        }
        let page = "<html><head><title>Onderhoud</title></head></html>".to_owned();
        let body = bodies.get(&format!("{} {form}", self.body)).or_else(|| bodies.get(&self.body));
        let body = body.or((self.body == "page").then_some(&page));
        let body = body.unwrap_or_else(|| panic!("there is no body `{} {form}`", self.body));
        let kind = if self.body == "page" { "text/html" } else { "application/json" };
        let mut headers: Vec<(&'static str, String)> = vec![("Content-Type", kind.into())];
        headers.extend([("X-WP-Total", "1".into()), ("X-WP-TotalPages", "1".into())]);
        for (name, value) in &self.headers {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push((Box::leak(name.clone().into_boxed_str()), value.clone()));
        }
        // A byte that is no UTF-8 is written as a control picture.
        let bytes = body.split('\u{241a}').map(str::as_bytes).collect::<Vec<_>>().join(&0xff_u8);
        Reply::With(self.status, headers, bytes)
    }
}

/// A system that stands in for one cell.
struct Stage {
    system: System,
    server: Server,
    connector: Arc<dyn Connector>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum System {
    Books,
    Shop,
    /// The books, whose tokens are answered so.
    Tokens,
}

impl System {
    fn of(self) -> Arc<Entity> {
        match self {
            Self::Books | Self::Tokens => {
                let fields = vec![
                    field("OrderID", Type::Guid),
                    field("Timestamp", Type::Int),
                    field("YourRef", Type::Text(None)),
                ];
                entity(
                    "exact",
                    "SalesOrder",
                    "salesorder/SalesOrders",
                    Some(("sync/SalesOrder/SalesOrderHeaders", 1)),
                    fields,
                )
            }
            Self::Shop => {
                let fields = vec![
                    field("id", Type::Int),
                    field("date_modified_gmt", Type::Instant),
                    field("created_via", Type::Text(None)),
                ];
                entity("woocommerce", "Order", "orders", Some(("", 1)), fields)
            }
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Books | Self::Tokens => GUID,
            Self::Shop => "12",
        }
    }

    /// Whether this is the call that must succeed.
    fn proves(self, seen: &Seen) -> bool {
        seen.path.ends_with("current/Me") || seen.path.ends_with("data/currencies/current")
    }

    /// What the call that must succeed is answered, if nothing is wrong.
    fn proof(self) -> Reply {
        match self {
            Self::Books | Self::Tokens => Reply::Json(200, r#"{"d":{"results":[{"CurrentDivision":123}]}}"#.into()),
            Self::Shop => Reply::Json(200, r#"{"code":"EUR"}"#.into()),
        }
    }

    /// What is asked beside: tokens, what stands at the shop's own address, and a search after a record's own address.
    fn beside(self, seen: &Seen, issued: &AtomicUsize) -> Option<Reply> {
        if seen.path.ends_with("oauth2/token") && self != Self::Tokens {
            let n = issued.fetch_add(1, Ordering::SeqCst);
            let text = format!(
                r#"{{"access_token":"access-{n}","token_type":"bearer","expires_in":"600","refresh_token":"refresh-{n}"}}"#
            );
            return Some(Reply::Json(200, text));
        }
        if self == Self::Shop && seen.path == "/wp-json/" {
            return Some(Reply::Json(200, r#"{"namespaces":["wc/v3"]}"#.into()));
        }
        None
    }
}

impl Stage {
    async fn set(system: System, row: &Row, call: &str, shared: &Shared, clock: &Server) -> Self {
        let (answer, proof) = (row.answer.clone(), row.proof.clone());
        let bodies = Arc::clone(&shared.bodies);
        let (issued, reading) = (AtomicUsize::new(0), call == "read");
        let server = Server::start(move |seen| {
            if let Some(reply) = system.beside(seen, &issued) {
                return reply;
            }
            if system == System::Tokens {
                let token = seen.path.ends_with("oauth2/token");
                return if token { answer.reply(&bodies, "one") } else { system.proof() };
            }
            if system.proves(seen) {
                return proof.as_ref().map_or_else(|| system.proof(), |proof| proof.reply(&bodies, "proof"));
            }
            let own = seen.path.contains("(guid'") || seen.path.ends_with("/12");
            if reading && !own {
                return Reply::Json(200, r#"{"d":{"results":[]}}"#.into());
            }
            answer.reply(&bodies, if own || seen.method == "POST" { "one" } else { "list" })
        })
        .await;
        let name = format!("line{}{call}", row.line);
        let clock = ("clock", clock.url.as_str());
        let (connector, habits, entries) = match system {
            System::Shop => {
                let entries = vec![("url", server.url.as_str()), ("key", "ck"), ("secret", "cs"), clock];
                ("woocommerce", woocommerce(2), entries)
            }
            System::Books | System::Tokens => {
                let entries = vec![
                    ("base_url", server.url.as_str()),
                    ("division", "123"),
                    ("client_id", "client"),
                    ("client_secret", "secret"),
                    ("refresh_token", "refresh"),
                    clock,
                ];
                ("exact", exact(), entries)
            }
        };
        let timing = Timing {
            connect: Duration::from_secs(5),
            total: Duration::from_millis(if row.answer.body == "hang" { 300 } else { 10_000 }),
            pause: SignedDuration::from_secs(1),
        };
        let connection = connection(&name, connector, &entries);
        let connector = open_with(&connection, &habits, &NoSecrets, Arc::clone(&shared.store), timing).await.unwrap();
        Self { system, server, connector }
    }

    /// What became of the call, in the words of the table.
    async fn outcome(&self, call: &str) -> (String, String) {
        let entity = self.system.of();
        let id = self.system.id().to_owned();
        let write = |method, id| Write {
            entity: self.system.of(),
            method,
            id,
            body: r#"{"YourRef":"1001"}"#.into(),
            parts: vec![],
        };
        let fields = vec![entity.get(FieldId(2)).wire.to_string()];
        match call {
            "scan" => {
                let scan = Scan { entity, fields, filter: vec![], since: None, only: vec![] };
                let page = self.connector.scan(&scan, &Position::default()).await;
                self.told(page.map(|page| listed(&Rows { read: page.records, unreadable: page.unreadable })))
            }
            "find" => {
                let values = vec!["1001".to_owned()];
                let find = Find { entity, fields, by: Some(FieldId(2)), values, parts: vec![] };
                self.told(self.connector.find(&find).await.map(|rows| listed(&rows)))
            }
            "read" => {
                let one = One { entity, id, fields, parts: vec![] };
                self.told(self.connector.read(&one).await.map(|presence| match presence {
                    Presence::Found(_) => "found",
                    Presence::Gone(_) => "absent",
                    Presence::Unreadable(_) => "unreadable",
                }))
            }
            "create" => self.told(self.connector.write(&write(Method::Post, None)).await.map(|answer| {
                assert!(answer.id.is_some(), "what was made has a key");
                "done"
            })),
            "update" => self.told(self.connector.write(&write(Method::Put, Some(id))).await.map(|_| "done")),
            "delete" => self.told(self.connector.write(&write(Method::Delete, Some(id))).await.map(|_| "done")),
            other => panic!("there is no call `{other}`"),
        }
    }

    fn told(&self, result: Result<&str, CallError>) -> (String, String) {
        match result {
            Ok(word) => (word.to_owned(), String::new()),
            Err(error) => {
                let text = error.to_string();
                let word = match error {
                    CallError::Refused { .. } => "refused",
                    CallError::Later { until, .. } => {
                        let away = until.duration_since(self.connector.now()).as_secs();
                        assert!(away <= 86_400, "a wait of {away} seconds: {text}");
                        "later"
                    }
                    CallError::Unknown { .. } => "unknown",
                    CallError::Login { .. } => "login",
                    CallError::Garbled { .. } => "garbled",
                };
                (word.to_owned(), text)
            }
        }
    }

    /// What was sent, whatever came back: a write once, and few calls in all.
    fn sent(&self, call: &str) -> Result<(), String> {
        let seen = self.server.seen();
        let writes = seen.iter().filter(|seen| seen.method != "GET" && seen.method != "OPTIONS");
        let writes = writes.filter(|seen| !seen.path.contains("oauth2")).count();
        let due = usize::from(["create", "update", "delete"].contains(&call) && self.system != System::Tokens);
        if writes != due {
            return Err(format!("{writes} writes were sent"));
        }
        let proofs = seen.iter().filter(|seen| self.system.proves(seen)).count();
        // A list that cannot be shown is told apart from an outage by the same call.
        if due == 1 && proofs > 1 { Err(format!("{proofs} proofs")) } else { Ok(()) }
    }
}

fn listed(rows: &Rows) -> &'static str {
    match (rows.read.is_empty(), rows.unreadable.is_empty()) {
        (_, false) => "unreadable",
        (false, true) => "found",
        (true, true) => "absent",
    }
}

/// What all cells of a table share.
struct Shared {
    clock: Server,
    slow: Server,
    store: Arc<dyn Store>,
    bodies: Arc<BTreeMap<String, String>>,
}

/// What is wrong with a cell.
async fn cell(
    system: System,
    row: &Arc<Row>,
    call: &str,
    expected: &str,
    shared: &Shared,
    clock: &Server,
) -> Option<String> {
    let stage = Stage::set(system, row, call, shared, clock).await;
    let (outcome, said) = tokio::time::timeout(PATIENCE, stage.outcome(call))
        .await
        .unwrap_or_else(|_| ("no end".to_owned(), format!("after {} calls", stage.server.seen().len())));
    let wrong = (outcome != expected).then(|| format!("{outcome}, not {expected} ({said})"));
    wrong.or_else(|| stage.sent(call).err())
}

async fn play(system: System, text: &str) {
    let Table { bodies, rows } = Table::read(text);
    let (_folder, store) = store();
    let (clock, slow) = (clock_at(START, 2_000).await, clock_at(START, 100).await);
    let shared = Arc::new(Shared { clock, slow, store, bodies });
    let places = Arc::new(tokio::sync::Semaphore::new(SIDE_BY_SIDE));
    let mut cells = tokio::task::JoinSet::new();
    let mut count = 0;
    for row in rows.into_iter().map(Arc::new) {
        for (call, expected) in row.cells.clone() {
            count += 1;
            let (row, shared, places) = (Arc::clone(&row), Arc::clone(&shared), Arc::clone(&places));
            cells.spawn(async move {
                let _place = places.acquire().await.unwrap();
                let mut wrong = None;
                // On a clock of two thousand seconds a second a busy machine lets a proof grow old between two calls: what
                // is wrong by it is played once more on a slow one, and that counts.
                for clock in [&shared.clock, &shared.slow] {
                    wrong = cell(system, &row, &call, &expected, &shared, clock).await;
                    if wrong.is_none() {
                        break;
                    }
                }
                wrong.map(|wrong| (row.line, format!("line {}, {call}: {wrong}\n    {}", row.line, row.text)))
            });
        }
    }
    let mut wrong: Vec<(usize, String)> = cells.join_all().await.into_iter().flatten().collect();
    wrong.sort();
    let wrong: Vec<String> = wrong.into_iter().map(|(_, text)| text).collect();
    assert!(wrong.is_empty(), "{} of {count} cells:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledgers_answers_mean_what_the_table_says() {
    play(System::Books, include_str!("answers/exact.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledgers_tokens_mean_what_the_table_says() {
    play(System::Tokens, include_str!("answers/tokens.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shops_answers_mean_what_the_table_says() {
    play(System::Shop, include_str!("answers/woocommerce.txt")).await;
}
