//! The ledger's side: the login that rotates, limits, searches in chunks, feeds, and what each fault means.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{
    Reply, Seen, Server, clock, clock_at, connect, connection, entity, exact, field, milliseconds, reopen, store,
};
use flowc::connector::{CallError, Connector, Find, Position, Scan, Write, consent};
use flowc::ir::{Entity, FieldId, Method, Type};
use flowc::limits;
use flowc::store::{RefreshTurn, Store, Tokens};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const START: &str = "2026-03-01T12:00:05Z";
type Answering = Box<dyn Fn() -> Reply + Send + Sync>;

const GUID: &str = "7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a5001";

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn orders() -> Arc<Entity> {
    let fields = vec![field("OrderID", Type::Guid), field("Timestamp", Type::Int), field("YourRef", Type::Text(None))];
    entity("exact", "SalesOrder", "salesorder/SalesOrders", Some(("sync/SalesOrder/SalesOrderHeaders", 1)), fields)
}

fn write(method: Method) -> Write {
    let id = (method != Method::Post).then(|| GUID.to_owned());
    Write { entity: orders(), method, id, body: r#"{"YourRef":"1001"}"#.into(), parts: vec![] }
}

fn find(values: &[&str]) -> Find {
    Find {
        entity: orders(),
        fields: vec!["OrderID".into()],
        by: Some(FieldId(2)),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        parts: vec![],
    }
}

fn results(rows: &str) -> Reply {
    Reply::Json(200, format!(r#"{{"d":{{"results":[{rows}]}}}}"#))
}

/// Answers as the token endpoint does: the n-th renewal gives `access-n` and `refresh-n`.
fn issue(n: usize) -> Reply {
    Reply::Json(
        200,
        format!(
            r#"{{"access_token":"access-{n}","token_type":"bearer","expires_in":"600","refresh_token":"refresh-{n}"}}"#
        ),
    )
}

struct Bench {
    server: Server,
    ledger: Arc<dyn Connector>,
    store: Arc<dyn Store>,
    clock: Server,
    folder: tempfile::TempDir,
}

fn entries<'a>(server: &'a Server, clock: &'a Server) -> Vec<(&'a str, &'a str)> {
    vec![
        ("base_url", server.url.as_str()),
        ("division", "123"),
        ("client_id", "client"),
        ("client_secret", "client-secret"),
        ("refresh_token", "refresh-0"),
        ("clock", clock.url.as_str()),
    ]
}

/// A ledger whose login works; `answer` answers the API's calls.
async fn bench(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Bench {
    bench_with_tokens(100, issuing(answer)).await
}

fn issuing(answer: impl Fn(&Seen) -> Reply) -> impl Fn(&Seen) -> Reply {
    let issued = AtomicUsize::new(0);
    move |seen| {
        if seen.path == "/api/oauth2/token" {
            return issue(issued.fetch_add(1, Ordering::SeqCst) + 1);
        }
        answer(seen)
    }
}

async fn bench_with_tokens(rate: i32, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Bench {
    let server = Server::start(answer).await;
    let clock = clock_at(START, rate).await;
    let (folder, store) = store();
    let ledger = connect(&connection("books", "exact", &entries(&server, &clock)), &exact(), &store).await;
    Bench { server, ledger, store, clock, folder }
}

fn class(error: &CallError) -> &'static str {
    match error {
        CallError::Refused { .. } => "refused",
        CallError::Later { .. } => "later",
        CallError::Unknown { .. } => "unknown",
        CallError::Login { .. } => "login",
        CallError::Garbled { .. } => "garbled",
    }
}

#[tokio::test]
async fn one_renews_for_all_and_the_tokens_are_kept() {
    let bench = bench(|seen| {
        assert_eq!(seen.header("authorization"), Some("Bearer access-1"));
        results("")
    })
    .await;
    let calls = (0..5).map(|_| {
        let ledger = Arc::clone(&bench.ledger);
        tokio::spawn(async move { ledger.find(&find(&["1001"])).await.unwrap().read })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(bench.server.count("oauth2/token"), 1);
    let kept = bench.store.tokens("books").await.unwrap().unwrap();
    assert_eq!(kept.refresh.expose_secret(), "refresh-1");
    assert_eq!(kept.expires.duration_since(kept.issued).as_secs(), 600);
    let form = bench.server.seen()[0].body.clone();
    for part in
        ["grant_type=refresh_token", "refresh_token=refresh-0", "client_id=client", "client_secret=client-secret"]
    {
        assert!(form.contains(part), "{form}");
    }
}

#[tokio::test]
async fn a_token_is_renewed_when_its_time_has_come_and_not_before() {
    let bench = bench_with_tokens(400, issuing(|_| results(""))).await;
    bench.ledger.find(&find(&["1"])).await.unwrap();
    bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(300), "a test").await;
    bench.ledger.find(&find(&["2"])).await.unwrap();
    assert_eq!(bench.server.count("oauth2/token"), 1);
    bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(280), "a test").await;
    bench.ledger.find(&find(&["3"])).await.unwrap();
    assert_eq!(bench.server.count("oauth2/token"), 2);
    let seen = bench.server.seen();
    assert!(seen.iter().any(|s| s.body.contains("refresh_token=refresh-1")));
    assert_eq!(seen.last().unwrap().header("authorization"), Some("Bearer access-2"));
}

#[tokio::test]
async fn whoever_dies_while_renewing_goes_on_with_the_old_token() {
    let Bench { server, ledger, store, clock, folder } = bench(|_| results("")).await;
    let old = Tokens {
        access: SecretString::from("access-old"),
        refresh: SecretString::from("refresh-old"),
        issued: start() - SignedDuration::from_secs(1000),
        expires: start() - SignedDuration::from_secs(400),
    };
    store.put_tokens("books", &old).await.unwrap();
    assert!(matches!(store.begin_refresh("books", "the dead", start()).await.unwrap(), RefreshTurn::Yours { .. }));
    drop(ledger);
    drop(store);
    let store = reopen(&folder);
    let ledger = connect(&connection("books", "exact", &entries(&server, &clock)), &exact(), &store).await;
    ledger.find(&find(&["1"])).await.unwrap();
    assert!(server.seen()[0].body.contains("refresh_token=refresh-old"), "the store's token, not the project's");
    assert_eq!(store.tokens("books").await.unwrap().unwrap().refresh.expose_secret(), "refresh-1");
}

#[tokio::test]
async fn another_runners_renewal_is_waited_for() {
    let bench = bench(|_| results("")).await;
    let turn = bench.store.begin_refresh("books", "another", bench.ledger.now()).await.unwrap();
    assert!(matches!(turn, RefreshTurn::Yours { .. }));
    let (store, ledger) = (Arc::clone(&bench.store), Arc::clone(&bench.ledger));
    let other = tokio::spawn(async move {
        ledger.sleep_until(ledger.now() + SignedDuration::from_secs(20), "a test").await;
        let issued = ledger.now();
        let tokens = Tokens {
            access: SecretString::from("access-of-another"),
            refresh: SecretString::from("refresh-of-another"),
            issued,
            expires: issued + SignedDuration::from_secs(600),
        };
        store.put_tokens("books", &tokens).await.unwrap();
    });
    bench.ledger.find(&find(&["1"])).await.unwrap();
    other.await.unwrap();
    assert_eq!(bench.server.count("oauth2/token"), 0);
    assert_eq!(bench.server.seen()[0].header("authorization"), Some("Bearer access-of-another"));
}

#[tokio::test]
async fn each_refusal_of_the_login_says_what_to_do() {
    let json = |status: u16, error: &str, text: &str| {
        let body = format!(r#"{{"error":"{error}","error_description":"{text}"}}"#);
        move || Reply::Json(status, body.clone())
    };
    let cases: Vec<(Answering, &str, &str)> = vec![
        (Box::new(json(401, "unauthorized_client", "Old refresh token used.")), "login", "flowc login books"),
        (Box::new(json(400, "invalid_request", "The refresh token expired at x.")), "login", "flowc login books"),
        (Box::new(json(400, "invalid_grant", "Refresh token is invalid.")), "login", "flowc login books"),
        (Box::new(json(401, "invalid_client", "Client authentication failed.")), "login", "App Centre"),
        (Box::new(json(400, "access_denied", "Rate limit exceeded: access_token not expired")), "later", "ten minutes"),
        (Box::new(|| Reply::html(200)), "later", "Onderhoud"),
        (Box::new(|| Reply::Drop), "later", "broke off"),
        (Box::new(|| Reply::html(503)), "later", "Onderhoud"),
    ];
    for (reply, expected, said) in cases {
        let bench = bench_with_tokens(100, move |_| reply()).await;
        let error = bench.ledger.write(&write(Method::Post)).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(class(&error), expected, "{text}");
        assert!(text.contains(said), "{text}");
        assert!(!text.contains("refresh-0") && !text.contains("client-secret"), "{text}");
        let turn = bench.store.begin_refresh("books", "next", bench.ledger.now()).await.unwrap();
        assert_eq!(turn, RefreshTurn::Yours { interrupted: None }, "the right is given back");
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_and_only_reads_are_repeated() {
    let bench = bench(|seen| match seen.header("authorization") {
        Some("Bearer access-1" | "Bearer access-2") => Reply::With(401, vec![], vec![]),
        _ if seen.method == "POST" => Reply::Json(201, format!(r#"{{"d":{{"OrderID":"{GUID}"}}}}"#)),
        _ => results(""),
    })
    .await;
    let error = bench.ledger.write(&write(Method::Post)).await.unwrap_err();
    assert_eq!(class(&error), "later", "{error}");
    assert_eq!(bench.server.count("SalesOrders"), 1, "the write was not repeated");
    bench.ledger.find(&find(&["1"])).await.unwrap();
    assert_eq!(bench.server.count("oauth2/token"), 3);
    assert_eq!(bench.ledger.write(&write(Method::Post)).await.unwrap().id.as_deref(), Some(GUID));
}

#[tokio::test]
async fn a_write_is_sent_once_and_its_fault_says_what_is_known() {
    let odata = |text: &str| format!(r#"{{"error":{{"code":"","message":{{"lang":"","value":"{text}"}}}}}}"#);
    let words = |status: u16, text: &str| {
        let body = odata(text);
        Box::new(move || Reply::Json(status, body.clone())) as Answering
    };
    let cases: Vec<(&str, Answering, &str, &str)> = vec![
        (
            "validation",
            words(500, r"Verplicht: Dagboek\r\nVerplicht: Besteld door"),
            "refused",
            "Verplicht: Dagboek; Verplicht: Besteld door",
        ),
        ("unknown field", words(400, "The property name 'X' is not valid."), "refused", "'X'"),
        ("forbidden", words(403, "Forbidden"), "login", "flowc login books"),
        ("outage", Box::new(|| Reply::html(500)), "unknown", "Onderhoud"),
        ("empty 500", Box::new(|| Reply::With(500, vec![], vec![])), "unknown", "500"),
        ("maintenance", Box::new(|| Reply::html(200)), "unknown", "Onderhoud"),
        ("drop", Box::new(|| Reply::Drop), "unknown", "broke off"),
        ("hang", Box::new(|| Reply::Hang), "unknown", "in time"),
        ("nothing", Box::new(|| Reply::With(201, vec![], vec![])), "unknown", "nothing"),
        ("half", Box::new(|| Reply::Json(201, r#"{"d":{"OrderID":"#.into())), "unknown", "too early"),
    ];
    for (name, reply, expected, said) in cases {
        let bench = bench(move |_| reply()).await;
        let error = bench.ledger.write(&write(Method::Post)).await.unwrap_err();
        assert_eq!(class(&error), expected, "{name}: {error}");
        assert!(error.to_string().contains(said), "{name}: {error}");
        assert_eq!(bench.server.count("SalesOrders"), 1, "{name}");
    }
}

#[tokio::test]
async fn records_are_written_by_their_keys() {
    let bench = bench(|seen| match seen.method.as_str() {
        "POST" => Reply::Json(201, format!(r#"{{"d":{{"__metadata":{{}},"OrderID":"{GUID}","AmountFC":48.40}}}}"#)),
        _ => Reply::With(204, vec![], vec![]),
    })
    .await;
    let made = bench.ledger.write(&write(Method::Post)).await.unwrap();
    assert_eq!(made.id.as_deref(), Some(GUID));
    assert!(made.record.unwrap().0.contains("48.40"), "numbers stay as they came");
    assert_eq!(bench.ledger.write(&write(Method::Put)).await.unwrap().id.as_deref(), Some(GUID));
    bench.ledger.write(&write(Method::Delete)).await.unwrap();
    let seen: Vec<Seen> = bench.server.seen().into_iter().filter(|s| s.path.contains("SalesOrders")).collect();
    assert_eq!(seen[0].path, "/api/v1/123/salesorder/SalesOrders");
    assert_eq!(seen[0].header("prefer"), Some("return=representation"));
    assert_eq!(seen[0].header("accept"), Some("application/json"));
    assert_eq!(seen[1].path, format!("/api/v1/123/salesorder/SalesOrders(guid'{GUID}')"));
    assert_eq!((seen[2].method.as_str(), seen[2].body.as_str()), ("DELETE", ""));
    let nowhere = Write { id: Some("1 or 1 eq 1".into()), ..write(Method::Put) };
    assert_eq!(class(&bench.ledger.write(&nowhere).await.unwrap_err()), "refused");
}

#[tokio::test]
async fn a_search_is_cut_into_addresses_that_fit() {
    let bench = bench(|seen| {
        assert_eq!(seen.query("$select"), Some("OrderID,YourRef"));
        let rows = seen.query("$filter").unwrap().split(" or ").count();
        Reply::Json(200, format!(r#"{{"d":[{}]}}"#, vec![r#"{"OrderID":"a"}"#; rows].join(",")))
    })
    .await;
    let values: Vec<String> = (0..100).map(|n| format!("WC-{n}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let found = bench.ledger.find(&find(&values)).await.unwrap().read;
    assert_eq!(found.len(), 100);
    assert_eq!(bench.server.count("SalesOrders"), 3, "40, 40 and 20 values");
    assert!(bench.ledger.find(&find(&[])).await.unwrap().read.is_empty());
    let nothing = Find { by: Some(FieldId(0)), ..find(&["no guid"]) };
    assert!(bench.ledger.find(&nothing).await.unwrap().read.is_empty(), "nothing can have that key");
    assert_eq!(bench.server.count("SalesOrders"), 3);
}

#[tokio::test]
async fn next_pages_are_followed_on_our_host_only() {
    let host: Arc<Mutex<String>> = Arc::default();
    let inside = Arc::clone(&host);
    let bench = bench(move |seen| match seen.query("$skiptoken") {
        None => {
            let host = inside.lock().unwrap();
            let next = format!("{host}{}?$skiptoken=1", seen.path);
            Reply::Json(200, format!(r#"{{"d":{{"results":[{{"OrderID":"a"}}],"__next":"{next}"}}}}"#))
        }
        Some(_) => results(r#"{"OrderID":"b"}"#),
    })
    .await;
    host.lock().unwrap().clone_from(&bench.server.url);
    assert_eq!(bench.ledger.find(&find(&["1"])).await.unwrap().read.len(), 2);
    let foreign = Server::start(|_| panic!("the login must not go there")).await;
    host.lock().unwrap().clone_from(&foreign.url);
    let error = bench.ledger.find(&find(&["1"])).await.unwrap_err();
    assert_eq!(class(&error), "garbled", "{error}");
    assert!(foreign.seen().is_empty());
}

#[tokio::test]
async fn a_feed_is_read_by_row_version() {
    let bench = bench(|seen| {
        assert!(seen.path.ends_with("/sync/SalesOrder/SalesOrderHeaders"), "{}", seen.path);
        assert_eq!(seen.query("$select"), Some("OrderID,Timestamp,YourRef"));
        match seen.query("$filter") {
            Some("Timestamp gt 1L") => {
                let rows = r#"{"OrderID":"a","Timestamp":"70"},{"OrderID":"b","Timestamp":"90"}"#;
                let next = format!("{}?$skiptoken=90L", seen.path);
                Reply::Json(200, format!(r#"{{"d":{{"results":[{rows}],"__next":"{next}"}}}}"#))
            }
            Some("Timestamp gt 90L") => results(r#"{"OrderID":"a","Timestamp":"95"}"#),
            Some("Timestamp gt 95L") => results(""),
            other => panic!("{other:?}"),
        }
    })
    .await;
    let scan = Scan { entity: orders(), fields: vec!["YourRef".into()], filter: vec![], since: None, only: vec![] };
    let first = bench.ledger.scan(&scan, &Position::default()).await.unwrap();
    assert_eq!((first.records.len(), first.last, first.next.0.as_str()), (2, false, "version:90"));
    let second = bench.ledger.scan(&scan, &first.next).await.unwrap();
    assert_eq!((second.records.len(), second.last, second.next.0.as_str()), (1, true, "version:95"));
    let third = bench.ledger.scan(&scan, &second.next).await.unwrap();
    assert_eq!((third.records.len(), third.last, third.next), (0, true, second.next));
}

/// Rows that come with the latest change first: all are read before the position moves, and no more are held than may be.
#[tokio::test]
async fn a_feed_out_of_order_is_read_in_pages_of_bounded_size() {
    let all = 2 * limits::PAGE_RECORDS_MAX + 500;
    let bench = bench(move |seen| {
        let after: usize = seen
            .query("$filter")
            .map_or(0, |text| text.trim_end_matches('L').rsplit(' ').next().unwrap().parse().unwrap());
        let skipped: usize = seen.query("$skiptoken").map_or(0, |text| text.parse().unwrap());
        let from = seen.query("from").map_or(after, |text| text.parse().unwrap());
        let newer: Vec<usize> = (from + 1..=all).rev().collect();
        let rows: Vec<String> = newer
            .iter()
            .skip(skipped)
            .take(limits::PAGE_RECORDS_MAX)
            .map(|n| format!(r#"{{"OrderID":"o{n}","Timestamp":"{n}"}}"#))
            .collect();
        let rest = skipped + rows.len();
        let next = format!(r#","__next":"{}?from={from}&$skiptoken={rest}""#, seen.path);
        let next = if rest < newer.len() { next } else { String::new() };
        Reply::Json(200, format!(r#"{{"d":{{"results":[{}]{next}}}}}"#, rows.join(",")))
    })
    .await;
    let scan = Scan { entity: orders(), fields: vec!["YourRef".into()], filter: vec![], since: None, only: vec![] };
    let (mut read, mut position) = (1, Position("version:1".into()));
    loop {
        let page = bench.ledger.scan(&scan, &position).await.unwrap();
        assert!(page.records.len() <= limits::PAGE_RECORDS_MAX);
        read += page.records.len();
        position = page.next;
        assert_eq!(position.0, format!("version:{read}"), "nothing is passed over");
        if page.last {
            break;
        }
    }
    assert_eq!(read, all);
}

#[tokio::test]
async fn a_resource_with_a_time_of_change_is_read_by_it() {
    let bench = bench(|seen| match (seen.query("$filter"), seen.query("$skiptoken")) {
        (Some("Modified ge datetime'2026-03-01T13:00:05'"), _) => {
            assert_eq!(seen.query("$orderby"), Some("Modified"));
            let rows = r#"{"ID":"a","Modified":"/Date(1772370010500)/"},{"ID":"b","Modified":"/Date(1772370010900)/"}"#;
            let next = format!("{}?$skiptoken=x", seen.path);
            Reply::Json(200, format!(r#"{{"d":{{"results":[{rows}],"__next":"{next}"}}}}"#))
        }
        (_, Some(_)) => results(r#"{"ID":"c","Modified":"/Date(1772370020000)/"}"#),
        (Some("Modified ge datetime'2026-03-01T13:00:20'"), _) => results(""),
        other => panic!("{other:?}"),
    })
    .await;
    let fields = vec![field("ID", Type::Guid), milliseconds("Modified")];
    let entries = entity("exact", "Receivable", "cashflow/Receivables", Some(("", 1)), fields);
    let scan = Scan { entity: entries, fields: vec!["ID".into()], filter: vec![], since: Some(start()), only: vec![] };
    let first = bench.ledger.scan(&scan, &Position::default()).await.unwrap();
    assert!(
        first.next.0.contains("/api/v1/123/cashflow/Receivables?$skiptoken=x"),
        "a second of more than a page: {:?}",
        first.next
    );
    let second = bench.ledger.scan(&scan, &first.next).await.unwrap();
    assert_eq!((second.records.len(), second.last, second.next.0.as_str()), (1, true, "moment:1772370020000"));
    assert_eq!(bench.ledger.scan(&scan, &second.next).await.unwrap().next, second.next);
}

#[tokio::test]
async fn a_full_minute_is_waited_for_and_a_full_day_is_not() {
    let answered = AtomicUsize::new(0);
    let bench = bench(move |seen| {
        let n = answered.fetch_add(1, Ordering::SeqCst);
        let left = if n == 0 { "0" } else { "59" };
        let minute = if n == 0 { "1772366460000" } else { "1772366520000" };
        let (day, resets) = (if seen.path.contains("Accounts") { "0" } else { "100" }, "1772409600000");
        let headers = vec![
            ("Content-Type", "application/json".into()),
            ("X-RateLimit-Limit", "5000".into()),
            ("X-RateLimit-Remaining", day.into()),
            ("X-RateLimit-Reset", resets.into()),
            ("X-RateLimit-Minutely-Limit", "60".into()),
            ("X-RateLimit-Minutely-Remaining", left.into()),
            ("X-RateLimit-Minutely-Reset", minute.into()),
        ];
        Reply::With(200, headers, br#"{"d":{"results":[]}}"#.to_vec())
    })
    .await;
    bench.ledger.find(&find(&["1"])).await.unwrap();
    assert!(bench.ledger.now() < "2026-03-01T12:01:00Z".parse::<Timestamp>().unwrap(), "the bench is fast enough");
    bench.ledger.find(&find(&["2"])).await.unwrap();
    assert!(bench.ledger.now() >= "2026-03-01T12:01:00Z".parse::<Timestamp>().unwrap());
    let accounts = entity("exact", "Account", "crm/Accounts", None, vec![field("ID", Type::Guid)]);
    let all = Find { entity: accounts, by: None, ..find(&[]) };
    bench.ledger.find(&all).await.unwrap();
    let calls = bench.ledger.calls();
    let error = bench.ledger.find(&find(&["3"])).await.unwrap_err();
    let CallError::Later { until, .. } = &error else { panic!("{error}") };
    assert_eq!(*until, "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(bench.ledger.calls(), calls, "nothing was sent");
}

#[tokio::test]
async fn a_429_is_obeyed() {
    let answered = AtomicUsize::new(0);
    let bench = bench(move |seen| {
        if seen.method == "POST" {
            let resets = "1772409600000".to_owned();
            let headers = vec![
                ("X-RateLimit-Limit", "5000".into()),
                ("X-RateLimit-Remaining", "0".into()),
                ("X-RateLimit-Reset", resets),
            ];
            return Reply::With(429, headers, vec![]);
        }
        match answered.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let headers = vec![
                    ("X-RateLimit-Minutely-Limit", "60".into()),
                    ("X-RateLimit-Minutely-Remaining", "0".into()),
                    ("X-RateLimit-Minutely-Reset", "1772366460000".into()),
                ];
                Reply::With(429, headers, vec![])
            }
            _ => results(""),
        }
    })
    .await;
    bench.ledger.find(&find(&["1"])).await.unwrap();
    assert!(bench.ledger.now() >= "2026-03-01T12:01:00Z".parse::<Timestamp>().unwrap(), "the read has waited");
    let error = bench.ledger.write(&write(Method::Post)).await.unwrap_err();
    let CallError::Later { until, reason, .. } = &error else { panic!("{error}") };
    assert_eq!(*until, "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap());
    assert!(reason.contains("day"), "{reason}");
    let kept = bench.store.budget("books").await.unwrap().unwrap();
    assert_eq!(kept.day.unwrap().left, 0, "known after a crash too");
}

#[tokio::test]
async fn a_route_is_closed_before_the_ledger_closes_it() {
    let bench = bench(|_| {
        Reply::Json(
            500,
            r#"{"error":{"code":"","message":{"lang":"","value":"Ongeldige referentie: Artikel"}}}"#.into(),
        )
    })
    .await;
    for _ in 0..8 {
        assert_eq!(class(&bench.ledger.write(&write(Method::Post)).await.unwrap_err()), "refused");
    }
    let error = bench.ledger.write(&write(Method::Post)).await.unwrap_err();
    let CallError::Later { until, reason, .. } = &error else { panic!("{error}") };
    assert!(until.duration_since(bench.ledger.now()).as_secs() > 3000, "{error}");
    assert!(reason.contains("salesorder/SalesOrders"), "{reason}");
    assert_eq!(bench.server.count("SalesOrders"), 8);
    // After a restart it is still known.
    let Bench { server, ledger, store, clock, folder } = bench;
    drop(ledger);
    drop(store);
    let store = reopen(&folder);
    let ledger = connect(&connection("books", "exact", &entries(&server, &clock)), &exact(), &store).await;
    assert_eq!(class(&ledger.write(&write(Method::Post)).await.unwrap_err()), "later");
    assert_eq!(server.count("SalesOrders"), 8);
}

#[tokio::test]
async fn reads_of_an_outage_are_tried_again_and_refusals_are_not() {
    let answered = AtomicUsize::new(0);
    let bench = bench(move |seen| match (seen.query("$filter"), answered.fetch_add(1, Ordering::SeqCst)) {
        (Some("YourRef eq 'bad'"), _) => {
            Reply::Json(400, r#"{"error":{"code":"","message":{"lang":"","value":"syntax"}}}"#.into())
        }
        (_, 0) => Reply::html(500),
        (_, 1) => Reply::Truncated(r#"{"d":"#.into()),
        (_, 2) => Reply::html(200),
        (_, _) => results(r#"{"OrderID":"a"}"#),
    })
    .await;
    assert_eq!(bench.ledger.find(&find(&["1"])).await.unwrap().read.len(), 1);
    assert_eq!(bench.server.count("SalesOrders"), 4);
    assert_eq!(class(&bench.ledger.find(&find(&["bad"])).await.unwrap_err()), "refused");
    assert_eq!(bench.server.count("SalesOrders"), 5);
}

#[tokio::test]
async fn the_division_may_be_the_users_own() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api/oauth2/token" => issue(1),
        "/api/v1/current/Me" => results(r#"{"CurrentDivision":777}"#),
        "/api/v1/777/salesorder/SalesOrders" => results(""),
        other => panic!("{other}"),
    })
    .await;
    let clock = clock(START).await;
    let (_folder, store) = store();
    let mut entries = entries(&server, &clock);
    entries.retain(|(name, _)| *name != "division");
    let ledger = connect(&connection("books", "exact", &entries), &exact(), &store).await;
    ledger.find(&find(&["1"])).await.unwrap();
    ledger.find(&find(&["2"])).await.unwrap();
    assert_eq!(server.count("current/Me"), 1);
    assert!(ledger.hello().await.unwrap().0.contains("777"));
}

#[tokio::test]
async fn a_consent_gives_the_first_tokens() {
    let server = Server::start(|seen| {
        assert!(seen.body.contains("code=abc%21def") && seen.body.contains("grant_type=authorization_code"));
        issue(1)
    })
    .await;
    let clock = clock(START).await;
    let (_folder, store) = store();
    let connection = connection("books", "exact", &entries(&server, &clock));
    let consent = consent(&connection, &exact(), &connector_bench::NoSecrets, Arc::clone(&store)).await.unwrap();
    let address = consent.address("https://flow.example/back", "state-1");
    assert!(address.starts_with(&format!("{}/api/oauth2/auth?client_id=client&", server.url)), "{address}");
    consent.finish("abc!def", "https://flow.example/back").await.unwrap();
    assert_eq!(store.tokens("books").await.unwrap().unwrap().access.expose_secret(), "access-1");
}
