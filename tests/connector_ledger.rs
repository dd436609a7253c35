//! The ledger's side where it is odd: whose a refusal is, rows that cannot be read, lists that lead in circles or are begun
//! again, and clocks that were set.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{
    Reply, Seen, Server, clock_at, connect, connection, entity, exact, field, milliseconds, store, woocommerce,
};
use flowc::connector::{CallError, Condition, Connector, Find, Page, Position, Scan, Write};
use flowc::ir::{Entity, Field, FieldId, Method, Shown, Type};
use flowc::store::{RefreshTurn, Store, Tokens};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const START: &str = "2026-03-01T12:00:05Z";

fn orders() -> Arc<Entity> {
    let fields = vec![field("OrderID", Type::Guid), field("Timestamp", Type::Int), field("YourRef", Type::Text(None))];
    entity("exact", "SalesOrder", "salesorder/SalesOrders", Some(("sync/SalesOrder/SalesOrderHeaders", 1)), fields)
}

/// A list that has no changes to follow.
fn journals() -> Arc<Entity> {
    entity("exact", "Journal", "financial/Journals", None, vec![field("Code", Type::Text(None))])
}

/// A list that is followed by time.
fn receivables() -> Arc<Entity> {
    let fields = vec![field("ID", Type::Guid), milliseconds("Modified")];
    entity("exact", "Receivable", "cashflow/Receivables", Some(("", 1)), fields)
}

fn scan(entity: Arc<Entity>) -> Scan {
    Scan { entity, fields: vec![], filter: vec![], since: None, only: vec![] }
}

fn write() -> Write {
    Write { entity: orders(), method: Method::Post, id: None, body: r#"{"YourRef":"1001"}"#.into(), parts: vec![] }
}

fn find() -> Find {
    let fields = vec!["OrderID".into()];
    Find { entity: orders(), fields, by: Some(FieldId(2)), values: vec!["1001".into()], parts: vec![] }
}

fn results(rows: &str) -> Reply {
    Reply::Json(200, format!(r#"{{"d":{{"results":[{rows}]}}}}"#))
}

/// A page with another behind it.
fn more(rows: &str, next: &str) -> Reply {
    Reply::Json(200, format!(r#"{{"d":{{"results":[{rows}],"__next":"{next}"}}}}"#))
}

fn is_me(seen: &Seen) -> bool {
    seen.path.ends_with("current/Me")
}

struct Bench {
    server: Server,
    ledger: Arc<dyn Connector>,
    store: Arc<dyn Store>,
    _clock: Server,
    _folder: tempfile::TempDir,
}

/// A ledger whose login works, at a clock of this rate.
async fn bench(rate: i32, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Bench {
    let server = Server::start(move |seen| {
        if seen.path != "/api/oauth2/token" {
            return answer(seen);
        }
        Reply::Json(200, r#"{"access_token":"access","expires_in":"600","refresh_token":"refresh"}"#.into())
    })
    .await;
    let clock = clock_at(START, rate).await;
    let (folder, store) = store();
    let entries = entries(&server, Some(&clock));
    let ledger = connect(&connection("books", "exact", &entries), &exact(), &store).await;
    Bench { server, ledger, store, _clock: clock, _folder: folder }
}

fn entries<'a>(server: &'a Server, clock: Option<&'a Server>) -> Vec<(&'a str, &'a str)> {
    let mut entries = vec![
        ("base_url", server.url.as_str()),
        ("division", "123"),
        ("client_id", "client"),
        ("client_secret", "client-secret"),
        ("refresh_token", "refresh-0"),
    ];
    entries.extend(clock.map(|clock| ("clock", clock.url.as_str())));
    entries
}

/// All pages, as a pass reads them; `Err` where it ends with an error.
async fn walk(ledger: &dyn Connector, scan: &Scan) -> Result<(Vec<Page>, Position), CallError> {
    let (mut pages, mut at) = (Vec::new(), Position::default());
    for _ in 0..200 {
        let page = ledger.scan(scan, &at).await?;
        let (next, last) = (page.next.clone(), page.last);
        pages.push(page);
        if last || next == at {
            return Ok((pages, next));
        }
        at = next;
    }
    panic!("the walk does not end at {at:?}");
}

fn texts(pages: &[Page]) -> Vec<String> {
    pages.iter().flat_map(|page| page.records.iter().map(|row| row.0.to_string())).collect()
}

/// Each call of these, all under way at once; how many were refused, and how many ended the flow.
async fn burst(connector: &Arc<dyn Connector>, write: &Write, count: usize) -> (usize, usize) {
    let calls = (0..count).map(|_| {
        let (connector, write) = (Arc::clone(connector), write.clone());
        tokio::spawn(async move { connector.write(&write).await.unwrap_err() })
    });
    let (mut refused, mut ended) = (0, 0);
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            CallError::Refused { .. } => refused += 1,
            CallError::Login { .. } => ended += 1,
            other => panic!("{other}"),
        }
    }
    (refused, ended)
}

#[tokio::test]
async fn many_refusals_at_once_need_one_proof() {
    for (proof, expected) in [(200, (6, 0)), (403, (0, 6))] {
        let bench = bench(1, move |seen| match (is_me(seen), proof) {
            (true, 200) => results(r#"{"CurrentDivision":123}"#),
            _ => Reply::html(403),
        })
        .await;
        assert_eq!(burst(&bench.ledger, &write(), 6).await, expected);
        assert_eq!((bench.server.count("current/Me"), bench.server.count("SalesOrders")), (1, 6));
    }
}

#[tokio::test]
async fn a_shop_is_asked_once_as_well() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::Json(200, r#"{"code":"EUR"}"#.into()),
        _ => Reply::html(406),
    })
    .await;
    let clock = clock_at(START, 1).await;
    let (_folder, store) = store();
    let entries = [("url", server.url.as_str()), ("key", "k"), ("secret", "s"), ("clock", clock.url.as_str())];
    let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
    let orders = entity("woocommerce", "Order", "orders", None, vec![field("id", Type::Int)]);
    let write = Write { entity: orders, method: Method::Put, id: Some("12".into()), ..write() };
    assert_eq!(burst(&shop, &write, 12).await, (12, 0));
    assert_eq!((server.count("currencies"), server.count("orders")), (1, 12));
}

#[tokio::test]
async fn a_feed_goes_on_past_rows_that_cannot_be_read() {
    let bench = bench(100, |seen| match seen.query("$filter").unwrap() {
        "Timestamp gt 1L" => more(
            r#"{"OrderID":"a","Timestamp":"70"},{"OrderID":"b","Timestamp":"80","YourRef":"\ud83d"},
               {"OrderID":"c","Timestamp":null},7,{"OrderID":"d","Timestamp":"90"}"#,
            "/api/v1/123/sync/SalesOrder/SalesOrderHeaders?$skiptoken=90L",
        ),
        // None of its rows leads on, nor does an empty page.
        "Timestamp gt 90L" if seen.query("$skiptoken").is_none() => more(
            r#"{"OrderID":"e","Timestamp":"\ud83d"}"#,
            &format!("{}?$filter=Timestamp%20gt%2090L&$skiptoken=1", seen.path),
        ),
        "Timestamp gt 90L" if seen.query("$skiptoken") == Some("1") => {
            more("", &format!("{}?$filter=Timestamp%20gt%2090L&$skiptoken=2", seen.path))
        }
        "Timestamp gt 90L" => results(r#"{"OrderID":"f","Timestamp":"95"}"#),
        other => panic!("{other}"),
    })
    .await;
    let (pages, reached) = walk(&*bench.ledger, &scan(orders())).await.unwrap();
    let keys = |page: &Page| -> Vec<Option<String>> { page.unreadable.iter().map(|row| row.key.clone()).collect() };
    let some = |key: &str| Some(key.to_owned());
    assert_eq!(keys(&pages[0]), [some("c"), None, some("b")]);
    assert_eq!((keys(&pages[1]), pages.len()), (vec![some("e")], 2));
    assert_eq!(texts(&pages).len(), 3);
    assert_eq!(reached.0, "version:95");
}

/// An invoice: its feed has lines among the invoices, and not what its own resource shows of them.
fn invoices() -> Arc<Entity> {
    let shown = |shown, field| Field { shown, ..field };
    let fields = vec![
        field("InvoiceID", Type::Guid),
        shown(Shown::InFeed, field("Timestamp", Type::Int)),
        shown(Shown::InFeed, field("LineNumber", Type::Int)),
        field("Status", Type::Int),
        shown(Shown::AtAddress, field("Carrier", Type::Text(None))),
    ];
    let feed = Some(("sync/SalesInvoice/SalesInvoices", 1));
    let mut entity = Arc::unwrap_or_clone(entity("exact", "SalesInvoice", "salesinvoice/SalesInvoices", feed, fields));
    entity.feed.as_mut().unwrap().rows = Some((FieldId(2), "0".into()));
    Arc::new(entity)
}

/// What the feed lacks is read at the record's own resource, by key and many in a call; what the feed alone has is asked of
/// nothing else; and rows of another kind only move the position on.
#[tokio::test]
async fn a_feed_and_its_rows_are_twins() {
    const A: &str = "00000000-0000-0000-0000-00000000000a";
    const B: &str = "00000000-0000-0000-0000-00000000000b";
    let bench = bench(100, move |seen| {
        let select = seen.query("$select").unwrap().to_owned();
        if seen.path.contains("/sync/") {
            assert!(select == "InvoiceID,Timestamp,LineNumber" || select == "InvoiceID,Timestamp,LineNumber,Status");
            let row = |key: &str, version: u32, line: u32| {
                format!(r#"{{"InvoiceID":"{key}","Timestamp":"{version}","LineNumber":{line},"Status":50}}"#)
            };
            return results(&[row(A, 70, 0), row(A, 80, 1), row(B, 90, 0), row(B, 95, 2)].join(","));
        }
        assert_eq!(select, "InvoiceID,Status,Carrier");
        let asked = seen.query("$filter").unwrap();
        assert!(asked.contains(A) && asked.contains(" or ") && asked.contains(B), "{asked}");
        results(&format!(r#"{{"InvoiceID":"{A}","Status":50,"Carrier":"DHL"}}"#))
    })
    .await;
    let of = |fields: &[&str]| Scan { fields: fields.iter().map(|f| (*f).to_owned()).collect(), ..scan(invoices()) };
    let (pages, reached) = walk(&*bench.ledger, &of(&["Status"])).await.unwrap();
    assert_eq!((texts(&pages).len(), reached.0.as_str()), (2, "version:95"));
    assert_eq!(bench.server.count("/salesinvoice/"), 0);
    let (pages, reached) = walk(&*bench.ledger, &of(&["Status", "Carrier"])).await.unwrap();
    let texts = texts(&pages);
    assert_eq!((texts.len(), reached.0.as_str()), (1, "version:95"));
    assert!(texts[0].contains("DHL") && texts[0].contains(r#""Timestamp":"70""#), "{texts:?}");
    let told = &pages[0].unreadable;
    assert!(told.len() == 1 && told[0].key.as_deref() == Some(B), "{told:?}");
    assert!(told[0].why.contains("does not show it"), "{told:?}");
    assert_eq!(bench.server.count("/salesinvoice/"), 1);
}

/// A version beyond all that can be, alone, among others or in its order, leads past nothing that is still to come.
#[tokio::test]
async fn a_version_that_cannot_be_holds_nothing_back() {
    const MOST: &str = "9223372036854775807";
    let row = |key: &str, version: &str| format!(r#"{{"OrderID":"{key}","Timestamp":{version}}}"#);
    for (rows, reached, keys) in [
        (vec![row("a", "70"), row("b", MOST), row("c", "90")], 90_i64, vec!["b"]),
        (vec![row("b", MOST)], 60, vec!["b"]),
        (vec![row("a", "70"), row("b", "1000000000000000"), row("c", MOST)], 70, vec!["b", "c"]),
        (vec![row("a", "70"), row("b", "1000000000000")], 1_000_000_000_000, vec![]),
    ] {
        let rows = rows.join(",");
        let bench = bench(100, move |_| results(&rows)).await;
        let page = bench.ledger.scan(&scan(orders()), &Position("version:60".into())).await.unwrap();
        assert_eq!(page.next.0, format!("version:{reached}"));
        let told: Vec<&str> = page.unreadable.iter().filter_map(|row| row.key.as_deref()).collect();
        assert_eq!(told, keys, "{:?}", page.unreadable);
        assert!(page.unreadable.iter().all(|row| row.why.contains("ahead of all others")), "{:?}", page.unreadable);
    }
    // Where a feed begins that has never been read nobody knows.
    let bench = bench(100, move |_| results(&row("a", "2000000000000000"))).await;
    let page = bench.ledger.scan(&scan(orders()), &Position::default()).await.unwrap();
    assert_eq!((page.records.len(), page.next.0.as_str()), (1, "version:2000000000000000"));
}

/// A row that shows no key of its own is told as one that cannot be read, whatever the feed, and the others are read.
#[tokio::test]
async fn a_row_without_a_key_is_not_acted_on() {
    for (of, by) in [(orders(), r#""Timestamp":"70""#), (receivables(), r#""Modified":"/Date(1772370001000)/""#)] {
        let name = of.get(FieldId(0)).wire.to_string();
        let row = move |key: &str| format!(r#"{{"{name}":{key},{by}}}"#);
        let zero = r#""00000000-0000-0000-0000-000000000000""#;
        let rows = [row("null"), row(r#""a""#), row(zero), row("{}"), format!("{{{by}}}")].join(",");
        let bench = bench(100, move |_| results(&rows)).await;
        let page = bench.ledger.scan(&scan(of), &Position::default()).await.unwrap();
        assert_eq!((page.records.len(), page.unreadable.len()), (1, 4), "{page:?}");
        assert!(page.unreadable.iter().all(|row| row.key.is_none() && row.why.contains("no key")), "{page:?}");
    }
}

/// What cannot be compared with what is asked for is handed on: only a readable value that differs is left out.
#[tokio::test]
async fn a_value_that_cannot_be_compared_is_not_left_out() {
    let row = |key: u32, value: &str| format!(r#"{{"OrderID":"{key}","Timestamp":"7{key}","YourRef":{value}}}"#);
    let rows = [row(1, "null"), row(2, "5"), row(3, r#""no""#), row(4, r#""YES ""#), row(5, "{}"), row(6, "true")];
    let rows = [&rows[..], &[r#"{"OrderID":"7","Timestamp":"77"}"#.to_owned()]].concat().join(",");
    let bench = bench(100, move |_| results(&rows)).await;
    let filter = vec![Condition { field: FieldId(2), values: vec!["yes".into()] }];
    let page = bench.ledger.scan(&Scan { filter, ..scan(orders()) }, &Position::default()).await.unwrap();
    let kept = texts(&[page]).join("");
    let kept: Vec<bool> = (1..=7).map(|key| kept.contains(&format!(r#""OrderID":"{key}""#))).collect();
    assert_eq!(kept, [true, true, false, true, true, true, true]);
}

#[tokio::test]
async fn a_feed_that_answers_what_is_older_is_not_followed() {
    let bench = bench(100, |_| more(r#"{"OrderID":"a","Timestamp":"70"}"#, "/x?$skiptoken=1")).await;
    let error = bench.ledger.scan(&scan(orders()), &Position("version:90".into())).await.unwrap_err();
    assert!(matches!(error, CallError::Garbled { .. }), "{error}");
}

#[tokio::test]
async fn a_list_that_leads_in_a_circle_ends_with_an_error() {
    let bench = bench(200, |seen| {
        let at: u32 = seen.query("$skiptoken").map_or(0, |text| text.parse().unwrap());
        let next = if at == 5 { 3 } else { at + 1 };
        more(&format!(r#"{{"Code":"{at}"}}"#), &format!("{}?$skiptoken={next}", seen.path))
    })
    .await;
    let error = walk(&*bench.ledger, &scan(journals())).await.unwrap_err();
    assert!(matches!(&error, CallError::Garbled { what, .. } if what.contains("circle")), "{error}");
}

#[tokio::test]
async fn a_page_whose_address_has_ended_begins_its_list_anew_and_once() {
    for (ends, expected) in [(1, Some(4)), (2, None)] {
        let refused = AtomicUsize::new(0);
        let bench = bench(100, move |seen| match seen.query("$skiptoken") {
            None => more(r#"{"Code":"a"},{"Code":"b"}"#, &format!("{}?$skiptoken=1", seen.path)),
            Some(_) if refused.fetch_add(1, Ordering::SeqCst) < ends => Reply::Json(
                400,
                r#"{"error":{"code":"","message":{"lang":"","value":"Bad Request - Error in query syntax."}}}"#.into(),
            ),
            Some(_) => results(r#"{"Code":"c"}"#),
        })
        .await;
        let walked = walk(&*bench.ledger, &scan(journals())).await;
        match expected {
            Some(count) => {
                let (pages, at) = walked.unwrap();
                let texts = texts(&pages);
                assert_eq!((texts.len(), texts.last().map(String::as_str)), (count + 1, Some(r#"{"Code":"c"}"#)));
                assert_eq!(at, Position::default());
            }
            None => assert!(matches!(walked.unwrap_err(), CallError::Refused { .. })),
        }
    }
}

/// A walk from page to page that was cut short is begun anew by the next pass.
#[tokio::test]
async fn no_pass_begins_in_the_middle_of_a_walk() {
    let bench = bench(100, |seen| more(r#"{"Code":"a"}"#, &format!("{}?$skiptoken=1", seen.path))).await;
    let first = bench.ledger.scan(&scan(journals()), &Position::default()).await.unwrap();
    assert!(first.next.0.contains("$skiptoken=1"), "{:?}", first.next);
    assert_eq!(bench.ledger.resumed(&scan(journals()), first.next, false), Position::default());
}

#[tokio::test]
async fn rows_that_do_not_come_in_the_order_of_their_times_are_all_read_before_the_position_moves() {
    // 13:00:01 to 13:00:04 of the ledger's wall clock, out of order over two pages; the last one is ten years ahead.
    let row = |id: &str, ms: i64| format!(r#"{{"ID":"{id}","Modified":"/Date({ms})/"}}"#);
    let first = [row("c", 1_772_370_003_000), row("a", 1_772_370_001_000)].join(",");
    let ahead = row("d", 2_087_730_000_000);
    let second = [row("b", 1_772_370_002_000), r#"{"ID":"e","Modified":null}"#.into(), ahead].join(",");
    let bench = bench(1, move |seen| match seen.query("$skiptoken") {
        None => more(&first, &format!("{}?$skiptoken=1", seen.path)),
        Some(_) => results(&second),
    })
    .await;
    let (pages, at) = walk(&*bench.ledger, &scan(receivables())).await.unwrap();
    assert_eq!((texts(&pages).len(), bench.server.count("Receivables")), (5, 2));
    let moment: i64 = at.0.strip_prefix("moment:").unwrap().parse().unwrap();
    // Ten minutes are read twice; a row from the future leads no further.
    let now = 1_772_370_005_000;
    assert!((now..now + 700_000).contains(&moment), "{moment}");
}

/// Our calendar was set forth: by it the token has ended, and the ledger says that it has not.
#[tokio::test]
async fn a_token_that_the_ledger_holds_for_alive_is_used() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let server = Server::start(move |seen| {
        if seen.path == "/api/oauth2/token" {
            *counted.lock().unwrap() += 1;
            let text =
                r#"{"error":"access_denied","error_description":"Rate limit exceeded: access_token not expired"}"#;
            return Reply::Json(400, text.into());
        }
        assert_eq!(seen.header("authorization"), Some("Bearer access-kept"));
        results("")
    })
    .await;
    let clock = clock_at(START, 1).await;
    let (_folder, store) = store();
    let start: Timestamp = START.parse().unwrap();
    for set in [86_400, -86_400] {
        let name = format!("books{set}");
        let issued = start - SignedDuration::from_secs(set);
        let tokens = Tokens {
            access: SecretString::from("access-kept"),
            refresh: SecretString::from("refresh-kept"),
            issued,
            expires: issued + SignedDuration::from_secs(600),
        };
        store.put_tokens(&name, &tokens).await.unwrap();
        let ledger = connect(&connection(&name, "exact", &entries(&server, Some(&clock))), &exact(), &store).await;
        ledger.find(&find()).await.unwrap();
        ledger.find(&find()).await.unwrap();
    }
    assert_eq!(*asked.lock().unwrap(), 2, "once for each");
}

#[tokio::test]
async fn a_right_to_renew_from_the_future_is_nobodys() {
    let bench = bench(1, |_| results("")).await;
    let now = bench.ledger.now();
    let ahead = now + SignedDuration::from_hours(24);
    assert!(matches!(bench.store.begin_refresh("books", "the dead", ahead).await.unwrap(), RefreshTurn::Yours { .. }));
    bench.ledger.find(&find()).await.unwrap();
    assert_eq!(bench.server.count("oauth2/token"), 1);
}

#[tokio::test]
async fn whoever_called_too_often_leaves_the_system_alone_until_its_time() {
    let bench = bench(1, |_| Reply::With(429, vec![("Retry-After", "600".into())], vec![])).await;
    for _ in 0..5 {
        let error = bench.ledger.write(&write()).await.unwrap_err();
        let CallError::Later { until, .. } = error else { panic!("{error}") };
        let away = until.duration_since(bench.ledger.now()).as_secs();
        assert!((590..=600).contains(&away), "{away}");
        assert!(matches!(bench.ledger.find(&find()).await.unwrap_err(), CallError::Later { .. }));
    }
    assert_eq!(bench.server.count("SalesOrders"), 1);
}

#[tokio::test]
async fn a_reading_is_of_this_machine_and_of_the_systems_own_calendar() {
    let server = Server::start(|seen| {
        let headers =
            vec![("Content-Type", "application/json".into()), ("Date", "Sun, 01 Mar 2026 10:00:00 GMT".into())];
        let tokens = r#"{"access_token":"a","expires_in":"600","refresh_token":"r"}"#;
        let body = if seen.path == "/api/oauth2/token" { tokens } else { r#"{"d":{"results":[]}}"# };
        Reply::With(200, headers, body.into())
    })
    .await;
    let (_folder, store) = store();
    let ledger = connect(&connection("books", "exact", &entries(&server, None)), &exact(), &store).await;
    let before = ledger.reading();
    assert_eq!(before.server, None, "it has told nothing yet");
    ledger.find(&find()).await.unwrap();
    let after = ledger.reading();
    assert!(after.clock == before.clock && after.ms >= before.ms, "{before:?} {after:?}");
    assert!(after.clock.starts_with("boot ") || after.clock.starts_with("process "), "{}", after.clock);
    let told: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    let gone = after.server.unwrap().duration_since(told).as_secs();
    assert!((0..60).contains(&gone), "{gone}");
    let clock = clock_at(START, 1).await;
    let simulated = connect(&connection("sim", "exact", &entries(&server, Some(&clock))), &exact(), &store).await;
    simulated.find(&find()).await.unwrap();
    let reading = simulated.reading();
    assert!(reading.clock.starts_with("sandbox ") && reading.server.is_none(), "{reading:?}");
    let start: Timestamp = START.parse().unwrap();
    assert!((0..60_000).contains(&(reading.ms - start.as_millisecond())), "it has one clock");
}
