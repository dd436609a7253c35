//! The contract of a store: what any backend must keep. `Bench` is the only place that knows which one is under test.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

use flowc::limits;
use flowc::store::{
    Attempt, AttemptId, Budget, Change, ChildLink, Commit, Counts, Embedded, FieldHash, Intent, Key, Link, LinkKey,
    Operation, Outcome, Place, PlanSource, Reading, RecordFilter, RecordId, RecordRow, RefreshTurn, Rehearsal,
    RouteErrors, SourceVersion, State, Store, StoreError, Table, Target, Tokens, Window, watched,
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::Arc;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the test") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.try_open('1').expect("a store"))
    }

    fn try_open(&self, key: char) -> Result<Embedded, StoreError> {
        // 32 bytes in hex: a passphrase would be stretched at each opening.
        Embedded::open(&self.path(), &Key::from_text(&key.to_string().repeat(64)))
    }
}

fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn row(key: &str, state: State) -> RecordRow {
    RecordRow {
        number: None,
        flow: "orders.orders".into(),
        key: key.into(),
        state,
        content_hash: "c1".into(),
        plan_hash: "p1".into(),
        reason: Some("no VAT code for 19 % in DE".into()),
        place: Some(Place { file: "project.flow".into(), line: 12, column: 3 }),
        target: None,
        waits_for: None,
        due: None,
        first: noon(),
        updated: noon(),
        attempts: 1,
        unanswered: 0,
        left_out: false,
        version: "2026-03-01T11:00:00".into(),
        people: vec![],
        alerts: vec![],
        parts: vec![("order".into(), "1001".into())],
        said: 0,
    }
}

fn reading() -> Reading {
    Reading { clock: "a boot".into(), ms: 7, server: None }
}

fn intent(id: &str) -> Intent {
    Intent {
        id: id.into(),
        flow: "orders.orders".into(),
        key: "1001".into(),
        step: "0".into(),
        mapping: "orders.sales_order".into(),
        connection: "books".into(),
        entity: "exact.SalesOrder".into(),
        operation: Operation::Create,
        target: None,
        search: vec![("YourRef".into(), "1001".into())],
        payload_hash: "h".into(),
        lanes: vec!["exact.SalesOrder:1001".into()],
        plan_hash: "p1".into(),
        at: noon(),
        unknown: None,
        awaited: None,
        anew: false,
        link: None,
    }
}

fn link(key: &str, id: &str) -> Link {
    let fields = vec![FieldHash { field: "YourRef".into(), hash: "f".into() }];
    Link {
        source: LinkKey {
            connection: "shop".into(),
            mapping: "orders.sales_order".into(),
            entity: "woo.Order".into(),
            key: key.into(),
        },
        target: Target { connection: "books".into(), entity: "exact.SalesOrder".into(), id: id.into() },
        fields: fields.clone(),
        carried: Some(SourceVersion {
            content: "aa:1".into(),
            mark: "2026-03-01T12:00:00".into(),
            record: "woocommerce.Order 7".into(),
        }),
        agreed: true,
        children: vec![ChildLink { list: "SalesOrderLines".into(), key: "11".into(), id: Some("l1".into()), fields }],
    }
}

fn attempt(key: &str, at: Timestamp) -> Attempt {
    Attempt {
        form: 1,
        flow: "orders.orders".into(),
        key: key.into(),
        at,
        version: "p1".into(),
        raw: r#"{"billing":{"email":"kim@example.org"}}"#.into(),
        found: "[]".into(),
        drafts: "[{}]".into(),
        steps: "[]".into(),
        answers: "[]".into(),
        people: vec!["kim".into()],
        expires: at + SignedDuration::from_hours(24 * 14),
    }
}

#[tokio::test]
async fn a_position_is_there_after_reopening() {
    let bench = Bench::new();
    let store = bench.open();
    assert_eq!(store.position("orders.orders").await.unwrap(), None);
    store.advance("orders.orders", "a").await.unwrap();
    store.advance("orders.orders", "b").await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.position("orders.orders").await.unwrap().as_deref(), Some("b"));
    assert_eq!(store.orphans(&[]).await.unwrap(), ["orders.orders"]);
    assert!(store.orphans(&["orders.orders"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_intent_stays_open_until_its_outcome_is_known() {
    let bench = Bench::new();
    let store = bench.open();
    store.intend(intent("i1")).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.open_intents(None).await.unwrap(), [intent("i1")]);
    assert!(store.open_intents(Some("stock.stock")).await.unwrap().is_empty());
    for later in [0, 60] {
        let at = noon() + SignedDuration::from_secs(later);
        store.settle("i1", Outcome::Unknown { at, awaited: reading(), reason: format!("seen {later}") }).await.unwrap();
    }
    let open = store.open_intents(Some("orders.orders")).await.unwrap();
    assert_eq!(open[0].unknown, Some((noon(), "seen 0".into())), "the first time counts");
    store.settle("i1", Outcome::Done { target: Some("t1".into()) }).await.unwrap();
    assert!(store.open_intents(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn outcome_link_and_record_become_true_together_or_not_at_all() {
    let bench = Bench::new();
    let store = bench.open();
    store.intend(intent("i1")).await.unwrap();
    let finish = |id: &str| {
        Commit::of(Change::Link(link("1001", "t1")))
            .and(Change::Record(RecordRow { target: Some(link("1001", "t1").target), ..row("1001", State::Written) }))
            .and(Change::Advance { flow: "orders.orders".into(), position: "p".into() })
            .and(Change::Log(attempt("1001", noon())))
            .and(Change::Outcome { intent: id.into(), outcome: Outcome::Done { target: Some("t1".into()) } })
    };
    let refused = store.commit(finish("never intended")).await;
    assert!(matches!(refused, Err(StoreError::Misused { .. })), "{refused:?}");
    assert_eq!(store.link(&link("1001", "t1").source).await.unwrap(), None);
    assert_eq!(store.record("orders.orders", "1001").await.unwrap(), None);
    assert_eq!(store.position("orders.orders").await.unwrap(), None);
    assert!(store.attempts("orders.orders", "1001", 9, noon()).await.unwrap().is_empty());

    store.commit(finish("i1")).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.link(&link("1001", "t1").source).await.unwrap(), Some(link("1001", "t1")));
    assert_eq!(store.links_to(&link("1001", "t1").target).await.unwrap(), [link("1001", "t1")]);
    assert_eq!(store.record("orders.orders", "1001").await.unwrap().unwrap().state, State::Written);
    assert_eq!(store.position("orders.orders").await.unwrap().as_deref(), Some("p"));
    assert!(store.open_intents(None).await.unwrap().is_empty());
    assert_eq!(store.attempts("orders.orders", "1001", 9, noon()).await.unwrap(), [attempt("1001", noon())]);
}

#[tokio::test]
async fn many_at_once_all_become_durable_and_a_refused_one_spoils_no_other() {
    let bench = Bench::new();
    let store = bench.open();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..400 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            if n % 10 == 0 {
                assert!(store.settle(&format!("ghost {n}"), Outcome::NotDone).await.is_err());
            } else {
                store.intend(intent(&format!("i{n:03}"))).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    drop(store);
    assert_eq!(bench.open().open_intents(None).await.unwrap().len(), 360);
}

#[tokio::test]
async fn the_same_intent_twice_is_a_bug_and_too_many_are_an_outage() {
    let bench = Bench::new();
    let store = bench.open();
    store.intend(intent("i1")).await.unwrap();
    assert!(matches!(store.intend(intent("i1")).await, Err(StoreError::Misused { .. })));
    let changes = (1..limits::INTENTS_OPEN_MAX).map(|n| Change::Intend(intent(&format!("n{n}")))).collect();
    store.commit(Commit { changes }).await.unwrap();
    assert!(matches!(store.intend(intent("one more")).await, Err(StoreError::Backlog { .. })));
}

#[tokio::test]
async fn records_are_found_by_state_plan_time_and_what_they_wait_for() {
    let bench = Bench::new();
    let store = bench.open();
    let waiting = RecordRow {
        waits_for: Some("woo.Order:7".into()),
        due: Some(noon() + SignedDuration::from_hours(1)),
        ..row("2", State::Waiting)
    };
    for row in [
        row("1", State::Written),
        waiting.clone(),
        row("3", State::Parked),
        RecordRow { plan_hash: "p2".into(), ..row("4", State::Parked) },
        RecordRow { flow: "refunds.refunds".into(), ..row("5", State::Parked) },
        row("6", State::Skipped),
    ] {
        store.settle_record(row).await.unwrap();
    }
    let keys = |filter: RecordFilter| {
        let store = Arc::clone(&store);
        async move {
            let page = store.records(&filter).await.unwrap();
            assert_eq!(page.next, None);
            page.rows.into_iter().map(|row| row.key).collect::<Vec<_>>()
        }
    };
    let flow = Some("orders.orders".to_owned());
    let parked = RecordFilter { states: vec![State::Parked], ..RecordFilter::default() };
    assert_eq!(keys(RecordFilter::default()).await, ["1", "2", "3", "4", "6", "5"]);
    assert_eq!(keys(RecordFilter { flow: flow.clone(), ..RecordFilter::default() }).await, ["1", "2", "3", "4", "6"]);
    assert_eq!(keys(parked.clone()).await, ["3", "4", "5"]);
    assert_eq!(keys(RecordFilter { flow: flow.clone(), ..parked.clone() }).await, ["3", "4"]);
    assert_eq!(keys(RecordFilter { plan_not: Some("p2".into()), ..parked.clone() }).await, ["3", "5"]);
    let mixed = RecordFilter { states: vec![State::Written, State::Waiting], flow, ..RecordFilter::default() };
    assert_eq!(keys(mixed).await, ["1", "2"]);

    assert_eq!(store.waiting_for("woo.Order:7").await.unwrap(), [waiting]);
    store.settle_record(row("2", State::Written)).await.unwrap();
    assert!(store.waiting_for("woo.Order:7").await.unwrap().is_empty());
    let counts = store.counts("orders.orders").await.unwrap();
    assert_eq!(counts, Counts { written: 2, skipped: 1, waiting: 0, parked: 2 });
}

/// A pass reads a record, works on it, and settles it; meanwhile a person says that it is to be left out, and later that
/// it is to be tried again.
#[tokio::test]
async fn what_a_person_decided_is_not_overwritten_by_what_was_read_before() {
    let bench = Bench::new();
    let store = bench.open();
    let stored = || async { store.record("orders.orders", "1").await.unwrap().unwrap() };
    let read = row("1", State::Parked);
    let target = Some(link("1", "t1").target);
    store.settle_record(read.clone()).await.unwrap();
    let skipped = RecordRow { state: State::Skipped, reason: Some("by hand".into()), said: 1, ..read.clone() };
    store.settle_record(skipped.clone()).await.unwrap();

    let settled = RecordRow {
        state: State::Waiting,
        content_hash: "c2".into(),
        waits_for: Some("woo.Order:7".into()),
        due: Some(noon()),
        people: vec!["kim".into()],
        ..read.clone()
    };
    let commit = Commit::of(Change::Record(settled.clone())).and(Change::Link(link("1", "t1")));
    store.commit(commit).await.unwrap();
    assert_eq!(stored().await, skipped, "nothing of an older reading");
    assert!(store.waiting_for("woo.Order:7").await.unwrap().is_empty());
    assert_eq!(store.counts("orders.orders").await.unwrap(), Counts { skipped: 1, ..Counts::default() });
    assert!(store.link(&link("1", "t1").source).await.unwrap().is_some(), "the rest of its commit is done");

    store.settle_record(RecordRow { target: target.clone(), ..settled.clone() }).await.unwrap();
    assert_eq!(stored().await, RecordRow { target: target.clone(), ..skipped.clone() }, "but what it became is known");
    let again = RecordRow { state: State::Waiting, content_hash: String::new(), said: 2, ..read };
    store.settle_record(again.clone()).await.unwrap();
    assert_eq!(stored().await, RecordRow { target: target.clone(), ..again }, "a decision loses no target");
    let done = RecordRow { state: State::Written, said: 2, target: None, ..settled };
    store.settle_record(done.clone()).await.unwrap();
    assert_eq!(stored().await, done, "who read the decision settles");
    drop(store);
    assert_eq!(bench.open().record("orders.orders", "1").await.unwrap(), Some(done));
}

#[tokio::test]
async fn pages_are_bounded_and_lead_on() {
    let bench = Bench::new();
    let store = bench.open();
    let total = limits::STORE_PAGE_MAX + 50;
    let changes = (0..total)
        .flat_map(|n| {
            let key = format!("{n:05}");
            [
                Change::Record(row(&key, State::Parked)),
                Change::Link(link(&key, "t")),
                Change::Log(attempt(&key, noon())),
            ]
        })
        .collect();
    store.commit(Commit { changes }).await.unwrap();
    for states in [vec![], vec![State::Parked], vec![State::Parked, State::Written]] {
        let first = store.records(&RecordFilter { states: states.clone(), ..RecordFilter::default() }).await.unwrap();
        assert_eq!(first.rows.len(), limits::STORE_PAGE_MAX);
        let after = first.next.clone();
        assert_eq!(after, Some(RecordId { flow: "orders.orders".into(), key: "00999".into() }));
        let second = store.records(&RecordFilter { states, after, ..RecordFilter::default() }).await.unwrap();
        assert_eq!((second.rows.len(), second.next), (50, None));
        assert_eq!(second.rows[0].key, "01000");
    }
    let few = store.records(&RecordFilter { limit: 3, ..RecordFilter::default() }).await.unwrap();
    assert_eq!(few.rows.len(), 3);
    let first = store.links("shop", "orders.sales_order", None).await.unwrap();
    let second = store.links("shop", "orders.sales_order", first.next.as_ref()).await.unwrap();
    assert_eq!((first.links.len(), second.links.len(), second.next), (limits::STORE_PAGE_MAX, 50, None));
    assert_eq!(store.links_to(&link("", "t").target).await.unwrap().len(), limits::STORE_PAGE_MAX);
    let first = store.attempts_since(None, noon(), None, noon()).await.unwrap();
    let second = store.attempts_since(None, noon(), first.next, noon()).await.unwrap();
    assert_eq!((first.attempts.len(), second.attempts.len(), second.next), (limits::STORE_PAGE_MAX, 50, None));
}

#[tokio::test]
async fn a_link_moves_and_goes_at_both_ends() {
    let bench = Bench::new();
    let store = bench.open();
    store.commit(Commit::of(Change::Link(link("1", "a")))).await.unwrap();
    store.commit(Commit::of(Change::Link(link("1", "b")))).await.unwrap();
    assert!(store.links_to(&link("1", "a").target).await.unwrap().is_empty());
    assert_eq!(store.links_to(&link("1", "b").target).await.unwrap().len(), 1);
    store.commit(Commit::of(Change::Unlink(link("1", "b").source))).await.unwrap();
    assert_eq!(store.link(&link("1", "b").source).await.unwrap(), None);
    assert!(store.links_to(&link("1", "b").target).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_log_ends_by_itself_and_forgets_people() {
    let bench = Bench::new();
    let store = bench.open();
    let later = noon() + SignedDuration::from_hours(1);
    let other = Attempt { people: vec!["lee".into()], ..attempt("2", later) };
    let parked = RecordRow { people: vec!["kim".into()], ..row("1", State::Parked) };
    let commit = Commit::of(Change::Log(attempt("1", noon())))
        .and(Change::Log(attempt("1", later)))
        .and(Change::Log(other.clone()))
        .and(Change::Record(parked.clone()));
    store.commit(commit).await.unwrap();
    assert_eq!(store.attempts("orders.orders", "1", 1, noon()).await.unwrap(), [attempt("1", later)]);
    let page = store.attempts_since(Some("orders.orders"), later, None, noon()).await.unwrap();
    assert_eq!(page.attempts, [attempt("1", later), other.clone()]);

    let over = attempt("1", noon()).expires;
    assert_eq!(store.attempts("orders.orders", "1", 9, over).await.unwrap(), [attempt("1", later)]);
    let page = store.attempts_since(None, noon(), None, over).await.unwrap();
    assert_eq!(page.attempts, [attempt("1", later), other.clone()]);

    assert_eq!(store.expire(noon()).await.unwrap(), 0);
    assert_eq!(store.expire(attempt("1", noon()).expires).await.unwrap(), 1);
    assert_eq!(store.attempts("orders.orders", "1", 9, noon()).await.unwrap().len(), 1);

    assert_eq!(store.forget("kim").await.unwrap(), 2);
    assert!(store.attempts("orders.orders", "1", 9, noon()).await.unwrap().is_empty());
    let left = store.record("orders.orders", "1").await.unwrap().unwrap();
    assert_eq!(left, RecordRow { reason: None, people: vec![], ..parked });
    assert_eq!(store.attempts("orders.orders", "2", 9, noon()).await.unwrap(), [other]);
    assert_eq!(store.forget("kim").await.unwrap(), 0);
}

#[tokio::test]
async fn rows_that_the_log_names_are_kept_as_long_as_it_and_forget_people() {
    let bench = Bench::new();
    let store = bench.open();
    let table = |hash: &str, people: &[&str], hours: i64| Table {
        hash: hash.into(),
        rows: format!("[{{\"Code\":\"{hash}\"}}]"),
        people: people.iter().map(|person| (*person).to_owned()).collect(),
        expires: noon() + SignedDuration::from_hours(hours),
    };
    for kept in [table("a", &[], 24), table("b", &["kim"], 24), table("a", &[], 48), table("a", &[], 1)] {
        store.commit(Commit::of(Change::Table(kept))).await.unwrap();
    }
    drop(store);
    let store = bench.open();
    assert_eq!(store.table("a").await.unwrap(), Some(table("a", &[], 0).rows));
    store.expire(noon() + SignedDuration::from_hours(24)).await.unwrap();
    assert!(store.table("a").await.unwrap().is_some(), "the latest end counts");
    assert_eq!(store.table("b").await.unwrap(), None);
    store.commit(Commit::of(Change::Table(table("b", &["kim"], 48)))).await.unwrap();
    assert_eq!(store.forget("kim").await.unwrap(), 1);
    assert_eq!(store.table("b").await.unwrap(), None);
    assert!(store.table("a").await.unwrap().is_some(), "it names nobody");
    store.expire(noon() + SignedDuration::from_hours(48)).await.unwrap();
    assert_eq!(store.table("a").await.unwrap(), None);
}

#[tokio::test]
async fn one_refresher_at_a_time_and_a_crash_is_noticed() {
    let bench = Bench::new();
    let store = bench.open();
    let turn = store.begin_refresh("books", "a", noon()).await.unwrap();
    assert_eq!(turn, RefreshTurn::Yours { interrupted: None });
    let RefreshTurn::Held { until } = store.begin_refresh("books", "b", noon()).await.unwrap() else {
        panic!("only one may");
    };
    assert_eq!(until, noon() + SignedDuration::from_secs(limits::REFRESH_LEASE_SECONDS));
    store.abandon_refresh("books", "b").await.unwrap();
    assert!(matches!(store.begin_refresh("books", "b", noon()).await.unwrap(), RefreshTurn::Held { .. }));
    drop(store);

    // The process has died in the window: the right is free, and that somebody had begun is known.
    let store = bench.open();
    let turn = store.begin_refresh("books", "b", noon()).await.unwrap();
    assert_eq!(turn, RefreshTurn::Yours { interrupted: Some(noon()) });
    let tokens = Tokens {
        access: SecretString::from("access"),
        refresh: SecretString::from("refresh"),
        issued: noon(),
        expires: noon() + SignedDuration::from_secs(600),
    };
    store.put_tokens("books", &tokens).await.unwrap();
    assert_eq!(store.begin_refresh("books", "c", noon()).await.unwrap(), RefreshTurn::Yours { interrupted: None });
    store.abandon_refresh("books", "c").await.unwrap();
    assert_eq!(store.begin_refresh("books", "d", noon()).await.unwrap(), RefreshTurn::Yours { interrupted: None });
    drop(store);

    let kept = bench.open().tokens("books").await.unwrap().unwrap();
    assert_eq!(kept.refresh.expose_secret(), "refresh");
    assert_eq!(kept.expires, tokens.expires);
}

#[tokio::test]
async fn budget_known_keys_and_sources_come_back() {
    let bench = Bench::new();
    let store = bench.open();
    let budget = Budget {
        minute: Some(Window { limit: 60, left: 3, resets: noon() }),
        day: None,
        errors: vec![RouteErrors { route: "POST salesorder/SalesOrders".into(), at: vec![noon()] }],
        held: Some((noon(), "it gets too many calls".to_owned())),
        as_of: Some((noon(), Reading { clock: "boot 1".into(), ms: 5, server: None })),
    };
    store.put_budget("books", &budget).await.unwrap();
    let sources = vec![PlanSource { name: "project.flow".into(), text: "edition 2026\n".repeat(1000) }];
    let commit = Commit::of(Change::PlanSources { plan_hash: "p1".into(), sources: sources.clone() })
        .and(Change::PlanSources { plan_hash: "p1".into(), sources: vec![] });
    store.commit(commit).await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.budget("books").await.unwrap(), Some(budget));
    assert_eq!(store.budget("shop").await.unwrap(), None);
    assert_eq!(store.plan_sources("p1").await.unwrap(), Some(sources));
    assert_eq!(store.plan_sources("p2").await.unwrap(), None);
}

#[tokio::test]
async fn another_name_keeps_everything() {
    let bench = Bench::new();
    let store = bench.open();
    let target = Some(link("1", "a").target);
    let commit = Commit::of(Change::Record(RecordRow { target, ..row("1", State::Waiting) }))
        .and(Change::Link(link("1", "a")))
        .and(Change::Intend(intent("i1")))
        .and(Change::Log(attempt("1", noon())))
        .and(Change::Advance { flow: "orders.orders".into(), position: "p".into() });
    store.commit(commit).await.unwrap();
    store.advance("taken", "x").await.unwrap();
    // What a flow watches is read up to a position of its own, which goes with it.
    store.advance(&watched("orders.orders"), "w").await.unwrap();
    assert!(matches!(store.rename_flow("orders.orders", "taken").await, Err(StoreError::Taken { .. })));
    store.rename_flow("orders.orders", "sales").await.unwrap();
    store.rename_connection("books", "ledger").await.unwrap();
    drop(store);
    let store = bench.open();
    assert_eq!(store.orphans(&[]).await.unwrap(), ["sales", "taken"]);
    assert_eq!(store.position("sales").await.unwrap().as_deref(), Some("p"));
    assert_eq!(store.position(&watched("sales")).await.unwrap().as_deref(), Some("w"));
    let record = store.record("sales", "1").await.unwrap().unwrap();
    assert_eq!(record.target.unwrap().connection, "ledger");
    assert_eq!(store.counts("sales").await.unwrap().waiting, 1);
    assert_eq!(store.attempts("sales", "1", 9, noon()).await.unwrap().len(), 1);
    let open = store.open_intents(Some("sales")).await.unwrap();
    assert_eq!(open[0].connection, "ledger");
    let moved = store.link(&link("1", "a").source).await.unwrap().unwrap();
    assert_eq!(moved.target.connection, "ledger");
    assert_eq!(store.links_to(&moved.target).await.unwrap().len(), 1);
    assert!(matches!(store.rename_connection("shop", "ledger").await, Err(StoreError::Taken { .. })));
}

#[tokio::test]
async fn a_second_owner_is_turned_away() {
    let bench = Bench::new();
    let store = bench.open();
    let second = bench.try_open('1').err().expect("one owner");
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("in use by `flowc` (process "), "{second}");
    drop(store);
    bench.try_open('1').unwrap();
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let bench = Bench::new();
    drop(bench.open());
    let wrong = bench.try_open('2').err().expect("another key");
    assert!(matches!(wrong, StoreError::WrongKey { .. }), "{wrong}");
}

#[tokio::test]
async fn secrets_and_people_do_not_stand_in_the_file() {
    let bench = Bench::new();
    let store = bench.open();
    let tokens = Tokens {
        access: SecretString::from("access-in-clear"),
        refresh: SecretString::from("refresh-in-clear"),
        issued: noon(),
        expires: noon(),
    };
    store.put_tokens("books", &tokens).await.unwrap();
    let mut entry = attempt("1", noon());
    entry.raw = "kim@example.org ".repeat(20);
    let parked = RecordRow { reason: Some("kim@example.org is no address".into()), ..row("1", State::Parked) };
    let mut open = intent("i1");
    open.search = vec![("Email".into(), "kim@example.org".into())];
    let commit = Commit::of(Change::Log(entry)).and(Change::Record(parked)).and(Change::Intend(open));
    store.commit(commit).await.unwrap();
    assert_ne!(store.keyed_hash("kim@example.org"), store.keyed_hash("lee@example.org"));
    drop(store);
    let bytes = std::fs::read(bench.path()).unwrap();
    let holds = |what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
    assert!(holds("orders.orders"), "names of flows are no secret");
    assert!(!holds("in-clear") && !holds("kim@example.org"));
    assert!(!format!("{tokens:?}").contains("in-clear"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(bench.path()).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_alone() {
    for damage in ["text", "cut", "zeros"] {
        let bench = Bench::new();
        let store = bench.open();
        let changes = (0..500).map(|n| Change::Record(row(&n.to_string(), State::Written))).collect();
        store.commit(Commit { changes }).await.unwrap();
        drop(store);
        let mut bytes = std::fs::read(bench.path()).unwrap();
        match damage {
            "text" => bytes = b"this is no store".repeat(100),
            "cut" => bytes.truncate(bytes.len() / 2),
            _ => {
                let from = bytes.len() / 8;
                bytes[from..].fill(0);
            }
        }
        std::fs::write(bench.path(), &bytes).unwrap();
        let error = match bench.try_open('1') {
            Err(error) => error,
            Ok(store) => {
                let all = RecordFilter { flow: Some("orders.orders".into()), ..RecordFilter::default() };
                store.records(&all).await.expect_err("nothing can be read")
            }
        };
        assert!(matches!(error, StoreError::Damaged { .. }), "{damage}: {error}");
        assert!(error.to_string().contains("store.redb"), "{error}");
        assert_eq!(std::fs::read(bench.path()).unwrap().len(), bytes.len(), "{damage}: it is not repaired in secret");
    }
}

#[tokio::test]
async fn a_store_of_a_newer_flowc_is_refused() {
    let bench = Bench::new();
    drop(bench.open());
    let database = redb::Database::open(bench.path()).unwrap();
    let transaction = database.begin_write().unwrap();
    let meta: redb::TableDefinition<&str, &[u8]> = redb::TableDefinition::new("meta");
    transaction.open_table(meta).unwrap().insert("format", 99_u32.to_be_bytes().as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let newer = bench.try_open('1').err().expect("unknown format");
    assert!(matches!(newer, StoreError::Newer { found: 99, .. }), "{newer}");
}

#[test]
fn an_entry_of_the_log_is_ordered_by_time() {
    assert!(AttemptId { at: 1, number: 9 } < AttemptId { at: 2, number: 1 });
}

/// Writes intents until it is killed, and says of each that it is kept.
fn write_until_killed(path: &std::path::Path) -> ! {
    use std::io::Write as _;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(path, &Key::from_text(&"1".repeat(64))).unwrap());
        for n in 0_u64.. {
            store.intend(intent(&format!("{n}"))).await.unwrap();
            let row = row(&n.to_string(), State::Written);
            let done = Outcome::Done { target: None };
            // Every other one is finished, together with its record.
            if n % 2 == 0 {
                let change = Change::Outcome { intent: n.to_string(), outcome: done };
                store.commit(Commit::of(change).and(Change::Record(row))).await.unwrap();
            }
            let mut out = std::io::stdout();
            writeln!(out, "kept {n}").unwrap();
            out.flush().unwrap();
        }
    });
    unreachable!("it writes until it is killed")
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    use std::io::BufRead as _;
    if let Some(path) = std::env::var_os("FLOWC_TEST_STORE") {
        write_until_killed(std::path::Path::new(&path));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = Bench::new();
    let mut kept = 0;
    for round in 1..=3 {
        drop(bench.open());
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_was_acknowledged_survives_a_kill", "--nocapture"])
            .env("FLOWC_TEST_STORE", bench.path())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.by_ref().map_while(Result::ok).filter(|line| line.starts_with("kept ")).nth(5 + 7 * round);
        let told = told.expect("it has written");
        child.kill().unwrap();
        child.wait().unwrap();
        kept = told.trim_start_matches("kept ").parse::<u64>().unwrap();
        runtime.block_on(check_kept(&bench, kept));
        std::fs::remove_file(bench.path()).unwrap();
    }
    assert!(kept > 20);
}

async fn check_kept(bench: &Bench, kept: u64) {
    let store = bench.open();
    let open: Vec<String> = store.open_intents(None).await.unwrap().into_iter().map(|i| i.id).collect();
    for n in 0..=kept {
        let record = store.record("orders.orders", &n.to_string()).await.unwrap();
        assert_eq!(record.is_some(), n % 2 == 0, "{n}");
        assert_eq!(open.contains(&n.to_string()), n % 2 == 1, "{n}");
    }
}

/// What a store answers to all that a run asks of it but for the journal.
async fn answers(store: &dyn Store) -> String {
    let flow = "orders.orders";
    let mut told = vec![format!("{:?} {:?}", store.position(flow).await.unwrap(), store.counts(flow).await.unwrap())];
    for key in ["1", "2", "3", "4", "5"] {
        told.push(format!("{:?}", store.record(flow, key).await.unwrap()));
        told.push(format!("{:?}", store.link(&link(key, "").source).await.unwrap()));
        let mut to = store.links_to(&link("", key).target).await.unwrap();
        to.sort_unstable_by(|a, b| a.source.cmp(&b.source));
        told.push(format!("{to:?}"));
    }
    for states in [vec![], vec![State::Parked], vec![State::Written, State::Waiting]] {
        let mut filter = RecordFilter { flow: Some(flow.into()), states, limit: 2, ..RecordFilter::default() };
        loop {
            let page = store.records(&filter).await.unwrap();
            told.extend(page.rows.iter().map(|row| format!("{} {:?}", row.key, row.state)));
            let Some(next) = page.next else { break };
            filter.after = Some(next);
        }
        told.push("end".into());
    }
    told.join("\n")
}

#[tokio::test]
async fn a_rehearsal_answers_as_the_store_would_and_leaves_it_alone() {
    let (kept, done) = (Bench::new(), Bench::new());
    let (kept, done) = (kept.open(), done.open());
    let first = || {
        let advance = Change::Advance { flow: "orders.orders".into(), position: "a".into() };
        let commit = Commit::of(advance).and(Change::Record(row("1", State::Parked)));
        let commit = commit.and(Change::Record(row("3", State::Waiting))).and(Change::Record(row("5", State::Parked)));
        commit.and(Change::Link(link("1", "1"))).and(Change::Link(link("2", "2"))).and(Change::Link(link("3", "2")))
    };
    let then = || {
        let advance = Change::Advance { flow: "orders.orders".into(), position: "b".into() };
        let commit = Commit::of(advance).and(Change::Record(row("1", State::Written)));
        let commit = commit.and(Change::Record(row("2", State::Parked))).and(Change::Record(row("4", State::Skipped)));
        let commit = commit.and(Change::Unlink(link("2", "").source)).and(Change::Link(link("4", "2")));
        commit.and(Change::Link(link("1", "3")))
    };
    kept.commit(first()).await.unwrap();
    done.commit(first()).await.unwrap();
    let before = answers(kept.as_ref()).await;
    let rehearsal = Rehearsal::over(Arc::clone(&kept));
    assert_eq!(answers(&rehearsal).await, before);

    rehearsal.commit(then()).await.unwrap();
    done.commit(then()).await.unwrap();
    assert_eq!(answers(&rehearsal).await, answers(done.as_ref()).await);
    assert_ne!(answers(&rehearsal).await, before);
    assert_eq!(answers(kept.as_ref()).await, before);
}
