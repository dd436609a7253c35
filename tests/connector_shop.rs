//! Reading a shop completely: in all zones and nights, behind hosts that cut pages, past records that kill PHP, under
//! clocks that are wrong.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::shop::{Cap, Headers, Is, Shop};
use connector_bench::{Reply, Server, clock, connect, connection, entity, field, store, woocommerce};
use flowc::connector::{CallError, Condition, Connector, Find, One, Page, Position, Presence, Scan, Unreadable};
use flowc::ir::{Entity, FieldId, Type};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

struct Bench {
    shop: Shop,
    server: Server,
    connector: Arc<dyn Connector>,
    _clock: Server,
    _folder: tempfile::TempDir,
}

async fn bench(shop: Shop, page: u32, now: &str) -> Bench {
    let inside = shop.clone();
    let server = Server::start(move |seen| inside.answer(seen)).await;
    let clock = clock(now).await;
    let (folder, store) = store();
    let entries = [("url", server.url.as_str()), ("key", "ck_k"), ("secret", "cs_s"), ("clock", clock.url.as_str())];
    let connector = connect(&connection("shop", "woocommerce", &entries), &woocommerce(page), &store).await;
    Bench { shop, server, connector, _clock: clock, _folder: folder }
}

fn fields() -> Vec<flowc::ir::Field> {
    vec![field("id", Type::Int), field("date_modified_gmt", Type::Instant), field("status", Type::Text(None))]
}

fn orders() -> Arc<Entity> {
    entity("woocommerce", "Order", "orders", Some(("", 1)), fields())
}

fn scan(of: &Arc<Entity>) -> Scan {
    let fields = vec!["status".into(), "note".into()];
    Scan { entity: Arc::clone(of), fields, filter: vec![], since: None, only: vec![] }
}

/// What a pass has read.
#[derive(Debug, Default)]
struct Read {
    ids: Vec<u32>,
    unreadable: Vec<Unreadable>,
    position: Position,
    pages: usize,
}

impl Read {
    fn take(&mut self, page: &Page) {
        for record in &page.records {
            let json: serde_json::Value = serde_json::from_str(&record.0).unwrap();
            let id = u32::try_from(json["id"].as_u64().unwrap()).unwrap();
            if !self.ids.contains(&id) {
                self.ids.push(id);
            }
        }
        for row in &page.unreadable {
            if !self.unreadable.contains(row) {
                self.unreadable.push(row.clone());
            }
        }
        self.pages += 1;
    }

    fn sorted(&self) -> Vec<u32> {
        let mut ids = self.ids.clone();
        ids.sort_unstable();
        ids
    }

    /// The second up to which all is read.
    fn reached(&self) -> &str {
        self.position.0.split(' ').next().unwrap()
    }

    fn keys(&self) -> Vec<&str> {
        self.unreadable.iter().map(|row| row.key.as_deref().unwrap_or("?")).collect()
    }
}

/// A pass from a stored position to its end.
async fn pass(bench: &Bench, scan: &Scan, stored: &Position) -> Result<Read, CallError> {
    pass_with(bench, scan, stored, |_| {}).await
}

/// The same; something happens after each page.
async fn pass_with(
    bench: &Bench,
    scan: &Scan,
    stored: &Position,
    mut between: impl FnMut(usize),
) -> Result<Read, CallError> {
    let mut read = Read::default();
    let mut from = bench.connector.resumed(scan, stored.clone(), false);
    for n in 0..500 {
        let page = bench.connector.scan(scan, &from).await?;
        read.take(&page);
        assert!(page.last || page.next != from, "it does not get on: {from:?}");
        read.position = page.next.clone();
        from = page.next;
        if page.last {
            return Ok(read);
        }
        between(n);
    }
    panic!("the walk does not end at {from:?}");
}

fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Rows of each so many minutes, from then on.
fn each(minutes: i64, from: &str, count: u32) -> Vec<(u32, String)> {
    let from: Timestamp = from.parse().unwrap();
    (0..count).map(|n| (n + 1, utc(from + SignedDuration::from_mins(minutes * i64::from(n))))).collect()
}

fn listed(rows: &[(u32, String)]) -> Shop {
    Shop::new(&rows.iter().map(|(id, time)| (*id, time.as_str())).collect::<Vec<_>>())
}

fn ids(range: std::ops::RangeInclusive<u32>) -> Vec<u32> {
    range.collect()
}

/// What is read up to a moment, and what a second pass finds that was made behind it: in each zone, around its nights, by
/// either clock that rows are sorted by.
#[tokio::test]
async fn p24_no_change_is_lost_in_any_zone_and_night() {
    let nights = [
        ("Europe/Amsterdam", "2026-10-24T20:00:00Z"),
        ("Europe/Amsterdam", "2026-03-28T20:00:00Z"),
        ("Europe/Amsterdam", "2026-07-15T09:00:00Z"),
        ("America/New_York", "2026-11-01T01:00:00Z"),
        ("America/New_York", "2026-03-07T22:00:00Z"),
        ("Asia/Kolkata", "2026-01-15T09:00:00Z"),
        ("UTC", "2026-07-15T09:00:00Z"),
    ];
    for (zone, from) in nights {
        for by_local in [false, true] {
            let rows = each(15, from, 48);
            // A hundred years on, so that no time is clamped.
            let bench = bench(Shop { zone, by_local, ..Shop::new(&[]) }, 7, "2126-01-01T00:00:00Z").await;
            let mut position = Position::default();
            let mut made = Vec::new();
            for (id, time) in &rows {
                bench.shop.change(*id, time);
                made.push(*id);
                if id % 4 == 0 {
                    let read = pass(&bench, &scan(&orders()), &position).await.unwrap();
                    for id in &made {
                        assert!(read.ids.contains(id), "{zone} by_local {by_local}: {id} of {time} is lost");
                    }
                    made.clear();
                    position = read.position;
                }
            }
            // All of it at once, in small pages.
            let all = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
            assert_eq!(all.sorted(), ids(1..=48), "{zone} by_local {by_local}");
        }
    }
}

#[tokio::test]
async fn what_was_measured_to_be_right_is_what_is_sent() {
    let bench = bench(listed(&each(30, "2026-07-15T09:00:00Z", 4)), 100, "2026-08-01T00:00:00Z").await;
    let first = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!((first.sorted(), first.reached()), (ids(1..=4), "2026-07-15T10:30:00"));
    assert!(bench.server.seen()[0].query("modified_after").is_none(), "an order without a time of change is read, too");
    let again = pass(&bench, &scan(&orders()), &first.position).await.unwrap();
    assert_eq!((again.ids.as_slice(), again.reached()), (&[2, 3, 4][..], first.reached()));
    let asked = bench.server.seen().pop().unwrap();
    assert_eq!(asked.query("modified_after"), Some("2026-07-15T09:20:00"), "an hour and ten minutes back, no zone");
    assert_eq!(asked.query("dates_are_gmt"), Some("true"));
    assert_eq!(bench.server.seen().len(), 2, "what shows the second that was reached accounts for itself");
    // What the flow is not to read stays unread.
    let since = Scan { since: Some("2026-07-15T10:00:00Z".parse().unwrap()), ..scan(&orders()) };
    let late = pass(&bench, &since, &Position::default()).await.unwrap();
    assert_eq!(late.ids, [3, 4]);
}

/// A shop shows amounts with two decimals unless it is asked for more, and has them with more.
#[tokio::test]
async fn p02_amounts_are_asked_for_with_six_decimals() {
    let bench = bench(listed(&each(30, "2026-07-15T09:00:00Z", 4)), 2, "2026-08-01T00:00:00Z").await;
    pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    let seen = bench.server.seen();
    assert!(seen.len() > 1 && seen.iter().all(|asked| asked.query("dp") == Some("6")), "{seen:?}");
}

/// A filter by time that is wrong by hours shows fewer rows than there are, or none: that is an error, and never the end.
#[tokio::test]
async fn a_list_that_leaves_out_what_is_known_ends_the_pass() {
    for late in [2, 5, 14] {
        let right = listed(&each(10, "2026-07-15T09:00:00Z", 30));
        let bench = bench(Shop { late, ..right }, 100, "2026-08-01T00:00:00Z").await;
        let stored = Position("2026-07-15T13:30:00".into());
        let error = pass(&bench, &scan(&orders()), &stored).await.unwrap_err();
        assert!(matches!(error, CallError::Garbled { .. }), "{late} h: {error}");
        assert!(error.to_string().contains("leaves records out"), "{error}");
        let since = Scan { since: Some("2026-07-15T10:00:00Z".parse().unwrap()), ..scan(&orders()) };
        let first = pass(&bench, &since, &Position::default()).await;
        assert!(first.is_err(), "{late} h: a first reading is no better: {first:?}");
    }
    // Whoever has really nothing new says so.
    let quiet = listed(&each(10, "2026-07-15T09:00:00Z", 3));
    let bench = bench(quiet, 100, "2026-08-01T00:00:00Z").await;
    let none = pass(&bench, &scan(&orders()), &Position("2026-07-20T00:00:00".into())).await.unwrap();
    assert_eq!((none.ids.len(), none.reached()), (0, "2026-07-20T00:00:00"));
    let one = bench.shop.clone();
    one.change(2, "2026-07-21T00:00:00");
    let moved = pass(&bench, &scan(&orders()), &Position("2026-07-20T00:00:00".into())).await.unwrap();
    assert_eq!(moved.ids, [2]);
}

/// An index that is rebuilt, a plugin that spoils a filter: a list without a row is no proof that there is none.
#[tokio::test]
async fn an_empty_list_is_believed_only_if_what_is_known_is_gone() {
    let filtered = |status: &str| {
        let filter = vec![Condition { field: FieldId(2), values: vec![status.into()] }];
        Scan { filter, ..scan(&orders()) }
    };
    let since = |scan: &Scan| Scan { since: Some("2026-07-15T00:00:00Z".parse().unwrap()), ..scan.clone() };
    let whole = entity("woocommerce", "Customer", "customers", None, fields());
    let rows = each(30, "2026-07-15T09:00:00Z", 8);
    for (blank, of) in [
        ("", scan(&orders())),
        ("", filtered("processing")),
        ("status", filtered("processing")),
        ("modified_after", scan(&orders())),
        ("", scan(&whole)),
    ] {
        let bench = bench(listed(&rows), 100, "2026-08-01T00:00:00Z").await;
        let first = pass(&bench, &of, &Position::default()).await.unwrap();
        bench.shop.change(9, "2026-07-15T14:00:00");
        bench.shop.blank(Some(blank));
        for (of, anew) in [(of.clone(), false), (since(&of), true)] {
            let from = bench.connector.resumed(&of, first.position.clone(), anew);
            let error = bench.connector.scan(&of, &from).await.unwrap_err().to_string();
            let known = error.contains("the record 8") || error.contains("the record 9");
            assert!(known && error.contains("nothing is taken for read"), "{blank} {of:?}: {error}");
        }
        bench.shop.blank(None);
        let then = pass(&bench, &of, &first.position).await.unwrap();
        assert!(then.ids.contains(&9), "{blank}: {then:?}");
    }
    // A new one that is shown proves nothing of those that are known.
    let bench = bench(listed(&rows), 100, "2026-08-01T00:00:00Z").await;
    let first = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    (1..=8).for_each(|id| bench.shop.mark(id, Is::LeftOut));
    bench.shop.change(9, "2026-07-15T19:00:00");
    let error = pass(&bench, &scan(&orders()), &first.position).await.unwrap_err().to_string();
    assert!(error.contains("without the record 8"), "{error}");
    (1..=8).for_each(|id| bench.shop.mark(id, Is::Good));
    assert!(pass(&bench, &scan(&orders()), &first.position).await.unwrap().ids.contains(&9));
    // One that shows no name may be the one that is missed: it is told, and the others are read.
    bench.shop.mark(8, Is::Keyless);
    let nameless = pass(&bench, &scan(&orders()), &first.position).await.unwrap();
    assert_eq!((nameless.keys(), nameless.ids.contains(&9)), (vec!["?"], true));
    // What no longer fits is in no such list, and the list of all shows it.
    let bench = self::bench(listed(&rows), 100, "2026-08-01T00:00:00Z").await;
    let first = pass(&bench, &filtered("processing"), &Position::default()).await.unwrap();
    bench.shop.rows.lock().unwrap().iter_mut().for_each(|row| row.status = "completed");
    let none = pass(&bench, &filtered("processing"), &first.position).await.unwrap();
    assert_eq!((none.ids.len(), none.reached()), (0, first.reached()));
    // One is in the trash and the others are gone for good: there is really nothing, and that is asked once.
    bench.shop.rows.lock().unwrap().retain(|row| row.id == 8);
    bench.shop.mark(8, Is::Trashed);
    let gone = pass(&bench, &filtered("processing"), &none.position).await.unwrap();
    assert_eq!((gone.ids.len(), gone.reached()), (0, first.reached()));
    let before = bench.server.seen().len();
    pass(&bench, &filtered("processing"), &gone.position).await.unwrap();
    assert_eq!(bench.server.seen().len() - before, 2, "the list, and the newest of all");
}

#[tokio::test]
async fn a_record_without_a_time_hides_no_other() {
    let mut rows = each(10, "2026-07-15T09:00:00Z", 9);
    for n in [0, 3, 8] {
        rows[n].1.clear();
    }
    let bench = bench(listed(&rows), 2, "2026-08-01T00:00:00Z").await;
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), ids(1..=9));
    assert_eq!(read.reached(), "2026-07-15T10:10:00");
    let never = Shop::new(&[(1, ""), (2, ""), (3, "")]);
    let bench = self::bench(never, 2, "2026-08-01T00:00:00Z").await;
    assert_eq!(pass(&bench, &scan(&orders()), &Position::default()).await.unwrap().sorted(), [1, 2, 3]);
}

/// Rows that are not shown, hosts that cut pages, proxies that drop headers: the walk ends where the list does.
#[tokio::test]
async fn a_short_page_is_not_the_last() {
    let all_headers = [Headers::All, Headers::Link, Headers::Envelope, Headers::None];
    let caps = [Cap::None, Cap::Silent(50), Cap::Silent(30), Cap::Told(30), Cap::Described(20)];
    for headers in all_headers {
        for cap in caps {
            for (route, feed) in [("orders", Some(("", 1))), ("products", Some(("", 1))), ("customers", None)] {
                let rows = each(1, "2026-07-15T09:00:00Z", 91);
                let shop = Shop { headers, cap, ..listed(&rows) };
                // Without totals nobody can know of what is not shown at the end.
                let hidden: &[u32] = if headers == Headers::None { &[5] } else { &[5, 48, 91] };
                for id in hidden {
                    shop.mark(*id, Is::Hidden);
                }
                let bench = bench(shop, 100, "2026-08-01T00:00:00Z").await;
                let of = entity("woocommerce", "X", route, feed, fields());
                let read = pass(&bench, &scan(&of), &Position::default()).await.unwrap();
                let shown: Vec<u32> = (1..=91).filter(|id| !hidden.contains(id)).collect();
                assert_eq!(read.sorted(), shown, "{route} {cap:?} {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_last_page_that_shows_nothing_ends_the_walk() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 91)), 10, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(91, Is::Hidden);
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), ids(1..=90));
    assert!(bench.connector.remarks()[0].contains("counts more orders than it shows"), "nor is it hushed up");
    // A whole page in the middle that nobody may see.
    for id in 31..=60 {
        bench.shop.mark(id, Is::Hidden);
    }
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), [ids(1..=30), ids(61..=90)].concat());
}

/// Where it is read again, as the engine reads it: what is there, and what still is not.
async fn look(bench: &Bench, scan: &Scan, row: &Unreadable) -> Read {
    let mut read = Read::default();
    let page = bench.connector.scan(scan, row.page.as_ref().unwrap()).await.unwrap();
    assert!(page.last);
    read.take(&page);
    read
}

/// What is counted and not shown is told as one row, the same in each pass, and its place leads back to it for ever.
#[tokio::test]
async fn what_is_counted_and_not_shown_is_told_and_found_again() {
    for by_local in [false, true] {
        let rows = each(10, "2026-07-15T09:00:00Z", 30);
        let shop = Shop { by_local, zone: "Europe/Amsterdam", ..listed(&rows) };
        let bench = bench(shop, 7, "2026-08-01T00:00:00Z").await;
        let orders = scan(&orders());
        let first = pass(&bench, &orders, &Position::default()).await.unwrap();
        assert_eq!(first.unreadable, []);
        // The newest one is hidden from its first moment.
        bench.shop.change(31, "2026-07-15T14:00:00");
        bench.shop.mark(31, Is::Hidden);
        let read = pass(&bench, &orders, &first.position).await.unwrap();
        let told = read.unreadable[0].clone();
        assert_eq!((read.unreadable.len(), told.key.as_deref()), (1, None));
        assert!(
            told.why.contains("counts 1 of its orders between 30 (of 2026-07-15T13:50:00Z) and the end"),
            "{told:?}"
        );
        assert!(told.why.contains("role of a shop manager"), "{told:?}");
        // In each pass it is the same, wherever the window begins by then.
        let mut position = read.position;
        for minute in (10..90).step_by(5) {
            let id = 100 + minute;
            bench.shop.change(id, &format!("2026-07-15T{}:{:02}:00", 14 + minute / 60, minute % 60));
            let read = pass(&bench, &orders, &position).await.unwrap();
            assert!(read.ids.contains(&id) && read.unreadable.len() <= 1, "{minute}: {read:?}");
            assert!(read.unreadable.iter().all(|row| row.text == told.text && row.key.is_none()), "{minute}: {read:?}");
            let again = look(&bench, &orders, &told).await;
            assert_eq!((again.unreadable.len(), &again.unreadable[0].text), (1, &told.text), "{minute}");
            position = read.position;
        }
        let last = pass(&bench, &orders, &position).await.unwrap();
        assert_eq!(last.unreadable, [], "it lies before what is read twice");
        // Its neighbours change, and many others: its place still leads to it.
        (1..=20).for_each(|id| bench.shop.change(id, "2026-07-16T09:00:00"));
        bench.shop.change(30, "2026-07-16T09:00:01");
        let moved = look(&bench, &orders, &told).await;
        assert_eq!(moved.unreadable.len(), 1, "{moved:?}");
        assert!(moved.unreadable[0].why.contains("between 29 "), "{moved:?}");
        bench.shop.mark(31, Is::Good);
        for row in [&told, &moved.unreadable[0]] {
            let shown = look(&bench, &orders, row).await;
            assert!(shown.ids.contains(&31) && shown.unreadable.is_empty(), "{shown:?}");
        }
    }
}

#[tokio::test]
async fn hidden_rows_of_one_gap_are_told_with_their_number() {
    let hide = |shop: &Shop, range: std::ops::RangeInclusive<u32>| range.for_each(|id| shop.mark(id, Is::Hidden));
    for (route, feed) in [("orders", Some(("", 1))), ("customers", None)] {
        let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 91)), 10, "2026-08-01T00:00:00Z").await;
        hide(&bench.shop, 31..=60);
        hide(&bench.shop, 1..=2);
        hide(&bench.shop, 88..=88);
        hide(&bench.shop, 90..=91);
        let of = scan(&entity("woocommerce", "X", route, feed, fields()));
        let read = pass(&bench, &of, &Position::default()).await.unwrap();
        let said = |text: &str| read.unreadable.iter().filter(|row| row.why.contains(text)).count();
        for text in ["counts 2 of", "counts 30 of", "counts 1 of"] {
            assert!(said(&format!("{text} its {route} between")) >= 1, "{route} {text}: {:?}", read.unreadable);
        }
        assert_eq!((read.unreadable.len(), said("the beginning"), said("the end")), (4, 1, 1), "{route}");
        let again = pass(&bench, &of, &read.position).await.unwrap();
        let texts: Vec<_> = read.unreadable.iter().map(|row| row.text.clone()).collect();
        assert!(again.unreadable.iter().all(|row| texts.contains(&row.text)), "{route}: {again:?}");
        for row in &read.unreadable {
            let there = look(&bench, &of, row).await;
            assert!(there.unreadable.iter().any(|its| its.text == row.text), "{route}: {row:?} {there:?}");
        }
        (1..=91).for_each(|id| bench.shop.mark(id, Is::Good));
        let mut shown: Vec<u32> = read.ids.clone();
        for row in &read.unreadable {
            let there = look(&bench, &of, row).await;
            assert_eq!(there.unreadable, [], "{route}");
            shown.extend(there.ids);
        }
        if feed.is_some() {
            shown.sort_unstable();
            shown.dedup();
            assert_eq!(shown, ids(1..=91), "{route}");
        }
    }
}

/// A key that may not read half of a shop: that is one thing to be told, and no reason to look for each row.
#[tokio::test]
async fn many_hidden_rows_are_told_as_one() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 300)), 100, "2026-08-01T00:00:00Z").await;
    (101..=300).filter(|id| id % 2 == 0).for_each(|id| bench.shop.mark(id, Is::Hidden));
    let orders = scan(&orders());
    let read = pass(&bench, &orders, &Position::default()).await.unwrap();
    assert_eq!(read.ids.len(), 200);
    let told = read.unreadable[0].clone();
    assert!(told.why.contains("many more of its orders than it shows, from 2026-07-15T10:39:00Z on"), "{told:?}");
    assert!(read.unreadable.iter().all(|row| row.text == told.text) && bench.server.seen().len() < 12);
    bench.shop.change(301, "2026-07-15T14:05:00");
    let again = pass(&bench, &orders, &read.position).await.unwrap();
    assert!(again.ids.contains(&301) && again.unreadable.iter().all(|row| row.text == told.text), "{again:?}");
    (101..=299).for_each(|id| bench.shop.mark(id, Is::Good));
    let some = look(&bench, &orders, &told).await;
    assert!((101..=299).all(|id| some.ids.contains(&id)) && some.unreadable.len() == 1, "{some:?}");
    bench.shop.mark(300, Is::Good);
    assert_eq!(look(&bench, &orders, &told).await.unreadable, []);
}

#[tokio::test]
async fn a_row_without_a_key_is_found_again_by_its_time() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 60)), 10, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(27, Is::Keyless);
    let orders = scan(&orders());
    let read = pass(&bench, &orders, &Position::default()).await.unwrap();
    assert_eq!((read.ids.len(), read.keys()), (59, vec!["?"]));
    assert!(read.unreadable[0].why.contains("shows no key"), "{:?}", read.unreadable);
    // All that stood before it and beside it moves.
    (1..=26).for_each(|id| bench.shop.change(id, "2026-07-16T09:00:00"));
    let there = look(&bench, &orders, &read.unreadable[0]).await;
    assert_eq!((there.unreadable.len(), &there.unreadable[0].text), (1, &read.unreadable[0].text));
    bench.shop.mark(27, Is::Good);
    let shown = look(&bench, &orders, &read.unreadable[0]).await;
    assert!(shown.ids.contains(&27) && shown.unreadable.is_empty(), "{shown:?}");
}

/// A count that moves while people edit hides nothing: neither a page that is whole when it is read once more, nor the end
/// of a list whose total moves.
#[tokio::test]
async fn p26_a_total_that_moves_hides_no_row() {
    for case in ["short once", "moves"] {
        let shop = listed(&each(1, "2026-07-15T09:00:00Z", 25));
        let inside = shop.clone();
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let server = Server::start(move |seen| {
            let n = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            inside.mark(14, if case == "short once" && n == 1 { Is::Hidden } else { Is::Good });
            match inside.answer(seen) {
                Reply::With(status, mut headers, body) if case == "moves" => {
                    headers.iter_mut().filter(|(name, _)| *name == "X-WP-Total").for_each(|(_, total)| {
                        *total = (total.parse::<usize>().unwrap() + n % 4 + 1).to_string();
                    });
                    Reply::With(status, headers, body)
                }
                other => other,
            }
        })
        .await;
        let clock = clock("2026-08-01T00:00:00Z").await;
        let (folder, store) = store();
        let entries = [("url", server.url.as_str()), ("key", "k"), ("secret", "s"), ("clock", clock.url.as_str())];
        let connector = connect(&connection("shop", "woocommerce", &entries), &woocommerce(10), &store).await;
        let bench = Bench { shop, connector, _clock: clock, server, _folder: folder };
        let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
        assert_eq!((read.sorted(), read.unreadable.as_slice()), (ids(1..=25), &[][..]), "{case}");
    }
}

/// One record that kills PHP is told by its key with the shop's words; all others are read, and the next pass does not look
/// for it again.
#[tokio::test]
async fn one_record_that_cannot_be_shown_stops_no_other() {
    for (is, calls) in [(Is::Deadly, 60), (Is::DeadlyInPart, 30), (Is::Refused, 60)] {
        for dead in [vec![1], vec![50], vec![250], vec![100], vec![101], vec![17, 18], vec![3, 240]] {
            let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 250)), 100, "2026-08-01T00:00:00Z").await;
            for id in &dead {
                bench.shop.mark(*id, is);
            }
            let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
            let shown: Vec<u32> = (1..=250).filter(|id| !dead.contains(id)).collect();
            assert_eq!(read.sorted(), shown, "{is:?} {dead:?}");
            let mut keys = read.keys();
            keys.sort_unstable_by_key(|key| key.parse::<u32>().unwrap());
            assert_eq!(keys, dead.iter().map(u32::to_string).collect::<Vec<_>>(), "{is:?}");
            let why = &read.unreadable[0].why;
            assert!(why.contains("Onderhoud") && !why.contains("wait until"), "{why}");
            let count = bench.server.seen().len();
            assert!(count < calls * dead.len() + 20, "{is:?} {dead:?}: {count} calls");

            // The next pass knows of it.
            let again = pass(&bench, &scan(&orders()), &read.position).await.unwrap();
            assert_eq!(again.keys().len(), dead.len());
            let more = bench.server.seen().len() - count;
            assert!(more <= 4 + 5 * dead.len(), "{is:?} {dead:?}: {more} calls");
            // And when it is mended, it is read.
            bench.shop.mark(dead[0], Is::Good);
            let mended = pass(&bench, &scan(&orders()), &again.position).await.unwrap();
            assert!(mended.ids.contains(&dead[0]), "{is:?} {dead:?}: {:?}", mended.ids);
            assert_eq!(mended.keys().len(), dead.len() - 1);
        }
    }
}

/// Keys that lie too far apart to be looked through: the record has no name, and all others are read.
#[tokio::test]
async fn a_record_without_a_name_stops_no_other() {
    let rows: Vec<(u32, String)> =
        each(1, "2026-07-15T09:00:00Z", 60).into_iter().map(|(id, time)| (id * 100_000, time)).collect();
    let bench = bench(listed(&rows), 20, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(2_500_000, Is::Deadly);
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!((read.ids.len(), read.keys()), (59, vec!["?"]));
    assert!(read.unreadable[0].why.contains("row 25 of orders"), "{:?}", read.unreadable);
    assert!(bench.server.seen().len() < 200);
}

#[tokio::test]
async fn a_record_that_kills_lists_alone_is_read_alone() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 30)), 10, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(14, Is::DeadlyInLists);
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.keys().len()), (ids(1..=30), 0));
    // Named, it is read as well.
    let only = Scan { only: vec!["13".into(), "14".into(), "99".into()], ..scan(&orders()) };
    let read = pass(&bench, &only, &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.keys().len()), (vec![13, 14], 0));
    bench.shop.mark(14, Is::Deadly);
    let read = pass(&bench, &only, &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.keys()), (vec![13], vec!["14"]));
}

#[tokio::test]
async fn a_page_that_is_too_much_for_the_shop_is_read_in_pieces() {
    let shop = Shop { most: 12, ..listed(&each(1, "2026-07-15T09:00:00Z", 250)) };
    let bench = bench(shop, 100, "2026-08-01T00:00:00Z").await;
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.keys().len()), (ids(1..=250), 0));
    let mut after = bench.server.seen();
    after.drain(..60);
    assert!(after.iter().all(|seen| seen.query("per_page").is_none_or(|rows| rows == "5")), "it is remembered");
}

#[tokio::test]
async fn an_outage_is_not_the_fault_of_a_record() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 30)), 10, "2026-08-01T00:00:00Z").await;
    for status in [500, 502, 503] {
        bench.shop.down(Some(status));
        let error = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap_err();
        let CallError::Later { reason, .. } = &error else { panic!("{error}") };
        assert!(reason.contains("Onderhoud"), "{reason}");
    }
    bench.shop.down(None);
    // A list that shows no record at all is no record's fault either.
    for id in 1..=30 {
        bench.shop.mark(id, Is::Deadly);
    }
    assert!(pass(&bench, &scan(&orders()), &Position::default()).await.is_err());
}

#[tokio::test]
async fn a_text_that_is_no_utf_8_spoils_its_record_alone() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 30)), 10, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(14, Is::NoText);
    bench.shop.mark(20, Is::NoText);
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.ids.len(), 28);
    assert_eq!(read.keys(), ["14", "20"]);
    assert!(read.unreadable[0].why.contains("UTF-8"), "{:?}", read.unreadable);
    let one = One { entity: orders(), id: "14".into(), fields: vec![], parts: vec![] };
    assert!(
        matches!(bench.connector.read(&one).await.unwrap(), Presence::Unreadable(row) if row.why.contains("UTF-8"))
    );
}

#[tokio::test]
async fn a_shop_whose_clock_is_ahead_is_read_to_its_end() {
    // Five pages of fresh changes, all ten minutes ahead of us.
    let rows = each(0, "2026-07-15T09:10:00Z", 55);
    let bench = bench(listed(&rows), 10, "2026-07-15T09:00:00Z").await;
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), ids(1..=55));
    assert!(read.position.0.as_str() < "2026-07-15T09:05:00", "no later than now: {:?}", read.position);
    // It is put right, by hours: what changes then has times of before.
    let ahead = self::bench(listed(&each(1, "2026-07-15T15:00:00Z", 25)), 10, "2026-07-15T09:00:00Z").await;
    let read = pass(&ahead, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), ids(1..=25));
    ahead.shop.change(3, "2026-07-15T09:00:20");
    ahead.shop.change(77, "2026-07-15T09:00:30");
    let again = pass(&ahead, &scan(&orders()), &read.position).await.unwrap();
    assert!(again.ids.contains(&3) && again.ids.contains(&77), "{:?}", again.ids);
}

/// The shop's clock is set back by hours, whatever ours says: what changes until it is put right has times from before.
#[tokio::test]
async fn what_changes_while_the_shops_clock_is_set_back_is_read() {
    let now = Timestamp::now();
    let ago = |minutes: i64| utc(now - SignedDuration::from_mins(minutes));
    let shop = listed(&(1..=20).map(|n| (n, ago(200 - 10 * i64::from(n)))).collect::<Vec<_>>());
    let (inside, set) = (shop.clone(), Arc::new(std::sync::atomic::AtomicI64::new(0)));
    let theirs = Arc::clone(&set);
    let server = Server::start(move |seen| {
        let date = Timestamp::now() + SignedDuration::from_mins(theirs.load(std::sync::atomic::Ordering::SeqCst));
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        match inside.answer(seen) {
            Reply::With(status, headers, body) => Reply::With(status, [headers, vec![("Date", date)]].concat(), body),
            other => other,
        }
    })
    .await;
    let (folder, store) = store();
    let entries = [("url", server.url.as_str()), ("key", "ck_k"), ("secret", "cs_s")];
    let connector = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
    let bench = Bench { shop, connector, _clock: clock("2026-08-01T00:00:00Z").await, server, _folder: folder };
    let orders = scan(&orders());
    let read = pass(&bench, &orders, &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.reached()), (ids(1..=20), ago(0).as_str()));
    assert_eq!(bench.connector.remarks().len(), 0);
    let set = |minutes| set.store(minutes, std::sync::atomic::Ordering::SeqCst);
    set(-180);
    bench.shop.change(3, &ago(180));
    bench.shop.change(77, &ago(179));
    let again = pass(&bench, &orders, &read.position).await.unwrap();
    assert!(again.ids.contains(&3) && again.ids.contains(&77), "{:?}", again.ids);
    assert!(again.reached() <= ago(178).as_str(), "never ahead of the shop's own clock: {:?}", again.position);
    let remarks = bench.connector.remarks();
    assert!(remarks.len() == 1 && remarks[0].contains("set back"), "{remarks:?}");
    bench.shop.change(78, &ago(178));
    let third = pass(&bench, &orders, &again.position).await.unwrap();
    assert!(third.ids.contains(&78), "{:?}", third.ids);
    // It is put right.
    set(0);
    bench.shop.change(79, &ago(0));
    let fourth = pass(&bench, &orders, &third.position).await.unwrap();
    assert!(fourth.ids.contains(&79) && fourth.reached() >= ago(0).as_str(), "{:?}", fourth.position);
    assert_eq!(bench.connector.remarks().len(), 1, "it is told once");
    // What was stored without a reading, ahead of the clock, is set back by a day.
    let old = Position(utc(now + SignedDuration::from_hours(5)));
    let day = pass(&bench, &orders, &old).await.unwrap();
    assert_eq!(day.ids.len(), 23);
}

#[tokio::test]
async fn p25_nothing_is_lost_while_a_full_second_moves() {
    // More than a page of one second, of which records go while it is walked: all behind them move up.
    let bench = bench(listed(&each(0, "2026-07-15T09:00:00Z", 95)), 10, "2026-08-01T00:00:00Z").await;
    let (shop, all, start) = (bench.shop.clone(), scan(&orders()), Position::default());
    let read = pass_with(&bench, &all, &start, |n| {
        let n = u32::try_from(n).unwrap();
        match n {
            1 => shop.remove(3),
            2 => (4..=16).for_each(|id| shop.remove(id)),
            4 => shop.change(20, "2026-07-15T10:00:00"),
            6 => shop.change(200, "2026-07-15T09:00:00"),
            _ => {}
        }
    });
    let read = read.await.unwrap();
    let held: Vec<u32> = (1..=95).collect();
    let lost: Vec<&u32> = held.iter().filter(|id| !read.ids.contains(id)).collect();
    assert!(lost.iter().all(|id| **id <= 16), "{lost:?} are lost");
    // What cannot be held fast at all is an error.
    let restless = self::bench(listed(&each(0, "2026-07-15T09:00:00Z", 95)), 10, "2026-08-01T00:00:00Z").await;
    let shop = restless.shop.clone();
    let error =
        pass_with(&restless, &all, &start, |_| shop.rows.lock().unwrap().iter_mut().for_each(|row| row.id += 1));
    assert!(error.await.is_err());
}

#[tokio::test]
async fn a_row_that_changes_while_it_is_worked_on_hides_none_behind_it() {
    // What is read of a page is written back to the shop before the next is asked for: its rows stand at the end by then,
    // and the last of the page before is one of them.
    for count in [11, 12, 15, 21] {
        let bench = bench(listed(&each(0, "2026-07-15T09:00:00Z", count)), 10, "2026-08-01T00:00:00Z").await;
        let shop = bench.shop.clone();
        let (all, start) = (scan(&orders()), Position::default());
        let read = pass_with(&bench, &all, &start, |n| {
            if n == 0 {
                (1..=10).for_each(|id| shop.change(id, &format!("2026-07-15T10:00:{id:02}")));
            }
        });
        let read = read.await.unwrap();
        let lost: Vec<u32> = (1..=count).filter(|id| !read.ids.contains(id)).collect();
        assert!(lost.is_empty(), "of {count} {lost:?} are lost");
    }
}

#[tokio::test]
async fn a_long_history_is_walked_by_its_times() {
    // Sparse changes: each page is asked for behind the one before, so that nothing can move under it.
    let bench = bench(listed(&each(60, "2026-01-01T00:00:00Z", 500)), 100, "2026-08-01T00:00:00Z").await;
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!(read.sorted(), ids(1..=500));
    let asked = bench.server.seen();
    assert!(asked.iter().all(|seen| seen.query("page").is_none()));
    assert!(asked.len() <= 6, "{} calls", asked.len());
    // What is broken off goes on where it was.
    let mut from = bench.connector.resumed(&scan(&orders()), Position::default(), false);
    for _ in 0..2 {
        from = bench.connector.scan(&scan(&orders()), &from).await.unwrap().next;
    }
    let rest = pass(&bench, &scan(&orders()), &from).await.unwrap();
    assert!(rest.ids.iter().all(|id| *id > 190) && rest.ids.contains(&500), "{:?}", rest.ids.first());
}

#[tokio::test]
async fn what_is_saved_long_after_its_time_of_change_is_read_by_the_next_pass() {
    let bench = bench(listed(&each(3, "2026-07-15T09:00:00Z", 9)), 100, "2026-08-01T00:00:00Z").await;
    let read = pass(&bench, &scan(&orders()), &Position::default()).await.unwrap();
    // Another web server, whose clock is behind, took its time.
    bench.shop.change(50, "2026-07-15T09:14:00");
    let again = pass(&bench, &scan(&orders()), &read.position).await.unwrap();
    assert!(again.ids.contains(&50));
    assert_eq!(again.reached(), read.reached());
}

#[tokio::test]
async fn a_filter_that_the_shop_ignores_is_applied_here() {
    let bench =
        bench(Shop { deaf: true, ..listed(&each(3, "2026-07-15T09:00:00Z", 9)) }, 4, "2026-08-01T00:00:00Z").await;
    bench.shop.rows.lock().unwrap()[8].status = "cancelled";
    bench.shop.rows.lock().unwrap()[2].status = "completed";
    let filter = vec![Condition { field: FieldId(2), values: vec!["processing".into(), "completed".into()] }];
    let read = pass(&bench, &Scan { filter, ..scan(&orders()) }, &Position::default()).await.unwrap();
    assert_eq!((read.sorted(), read.reached()), (ids(1..=8), "2026-07-15T09:24:00"));
    assert_eq!(bench.server.seen()[0].query("status"), Some("processing,completed"));
}

/// What cannot be compared with what is asked for is handed on: only a readable value that differs is left out.
#[tokio::test]
async fn a_value_that_cannot_be_compared_is_not_left_out() {
    let values = ["null", "5", r#""cancelled""#, r#""processing""#, "{}", "[]", "true"];
    let rows: Vec<String> = (1..).zip(values).map(|(id, value)| format!(r#"{{"id":{id},"status":{value}}}"#)).collect();
    let rows = [rows, vec![r#"{"id":8}"#.to_owned()]].concat().join(",");
    let server = Server::start(move |_| {
        let told = vec![("Content-Type", "application/json".into()), ("X-WP-TotalPages", "1".into())];
        Reply::With(200, told, format!("[{rows}]").into_bytes())
    })
    .await;
    let clock = clock("2026-08-01T00:00:00Z").await;
    let (_folder, store) = store();
    let entries = [("url", server.url.as_str()), ("key", "k"), ("secret", "s"), ("clock", clock.url.as_str())];
    let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
    let filter = vec![Condition { field: FieldId(2), values: vec!["processing".into()] }];
    let page = shop.scan(&Scan { filter, ..scan(&orders()) }, &Position::default()).await.unwrap();
    let mut read = Read::default();
    read.take(&page);
    assert_eq!(read.ids, [1, 2, 4, 5, 6, 7, 8]);
}

#[tokio::test]
async fn a_parameter_that_is_always_set_is_set_once() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 3)), 100, "2026-08-01T00:00:00Z").await;
    let mut with_role = fields();
    with_role.push(field("role", Type::Text(None)));
    let customers = entity("woocommerce", "Customer", "customers", None, with_role);
    let filter = vec![Condition { field: FieldId(3), values: vec!["customer".into()] }];
    bench.connector.scan(&Scan { filter, ..scan(&customers) }, &Position::default()).await.unwrap();
    let seen = bench.server.seen().pop().unwrap();
    let roles: Vec<&str> =
        seen.query.iter().filter(|(name, _)| name == "role").map(|(_, value)| value.as_str()).collect();
    assert_eq!(roles, ["customer"]);
}

#[tokio::test]
async fn what_a_search_is_not_shown_is_not_absent() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 9)), 100, "2026-08-01T00:00:00Z").await;
    bench.shop.mark(4, Is::Hidden);
    let find = |values: &[&str]| Find {
        entity: orders(),
        fields: vec![],
        by: Some(FieldId(0)),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        parts: vec![],
    };
    let some = bench.connector.find(&find(&["3", "4"])).await.unwrap();
    assert_eq!((some.read.len(), some.unreadable.len()), (1, 1), "{some:?}");
    let none = bench.connector.find(&find(&["77"])).await.unwrap();
    assert!(none.is_empty());
    let all = Find { by: None, ..find(&[]) };
    let all = bench.connector.find(&all).await.unwrap();
    assert_eq!((all.read.len(), all.unreadable.len()), (8, 1));
}

#[tokio::test]
async fn gone_is_what_the_shop_itself_says_of_one_record() {
    let bench = bench(listed(&each(1, "2026-07-15T09:00:00Z", 9)), 100, "2026-08-01T00:00:00Z").await;
    let one = |id: &str| One { entity: orders(), id: id.into(), fields: vec!["status".into()], parts: vec![] };
    assert!(matches!(bench.connector.read(&one("3")).await.unwrap(), Presence::Found(_)));
    let gone = bench.connector.read(&one("77")).await.unwrap();
    assert!(matches!(&gone, Presence::Gone(how) if how.contains("Invalid ID")), "{gone:?}");
    bench.shop.mark(3, Is::Trashed);
    let trashed = bench.connector.read(&one("3")).await.unwrap();
    assert!(matches!(&trashed, Presence::Gone(how) if how.contains("trash")), "{trashed:?}");
    bench.shop.mark(4, Is::Deadly);
    let dead = bench.connector.read(&one("4")).await.unwrap();
    assert!(matches!(&dead, Presence::Unreadable(row) if row.key.as_deref() == Some("4")), "{dead:?}");
    // An outage proves nothing.
    bench.shop.down(Some(503));
    assert!(matches!(bench.connector.read(&one("4")).await, Err(CallError::Later { .. })));
}

/// Answers to the question for one record that prove nothing.
#[tokio::test]
async fn what_is_no_answer_of_the_api_proves_nothing() {
    let no_route = r#"{"code":"rest_no_route","message":"No route was found.","data":{"status":404}}"#;
    let answers: Vec<fn() -> Reply> = vec![
        || Reply::html(404),
        || Reply::html(200),
        || Reply::Json(200, "[]".into()),
        || Reply::Json(200, "{\"id\":5}".into()),
        || Reply::Json(200, "{\"id\":4".into()),
        || Reply::Json(401, r#"{"code":"woocommerce_rest_cannot_view","message":"m","data":{"status":401}}"#.into()),
    ];
    let no_route = move || Reply::Json(404, no_route.into());
    let all = answers.into_iter().map(|answer| Box::new(answer) as Box<dyn Fn() -> Reply + Send + Sync>);
    for (n, answer) in all.chain([Box::new(no_route) as Box<_>]).enumerate() {
        let server = Server::start(move |_| answer()).await;
        let clock = clock("2026-08-01T00:00:00Z").await;
        let (_folder, store) = store();
        let entries = [("url", server.url.as_str()), ("key", "k"), ("secret", "s"), ("clock", clock.url.as_str())];
        let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
        let one = One { entity: orders(), id: "4".into(), fields: vec![], parts: vec![] };
        let presence = shop.read(&one).await;
        let said = !matches!(presence, Ok(Presence::Gone(_) | Presence::Found(_)));
        assert!(said, "case {n}: {presence:?}");
    }
}
