//! The shop's side: what is asked, how it is entered, and what each fault means.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{
    NoSecrets, Reply, Seen, Server, clock, connect, connection, entity, exact, field, store, timing, woocommerce,
};
use flowc::connector::{CallError, Connector, Find, OpenError, Position, Scan, Secrets, Write, open_with};
use flowc::ir::{ConnectionValue, Entity, FieldId, Method, Search, Type};
use flowc::limits;
use secrecy::SecretString;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Answering = Box<dyn Fn() -> Reply + Send + Sync>;

const START: &str = "2026-03-01T12:00:00Z";

fn orders() -> Arc<Entity> {
    let text = || Type::Text(None);
    let fields = vec![field("id", Type::Int), field("date_modified_gmt", Type::Instant), field("status", text())];
    entity("woocommerce", "Order", "orders", Some(("", 1)), fields)
}

fn scan(of: &Arc<Entity>) -> Scan {
    Scan { entity: Arc::clone(of), fields: vec!["status".into()], filter: vec![], since: None, only: vec![] }
}

fn write(method: Method) -> Write {
    let id = (method != Method::Post).then(|| "12".to_owned());
    Write { entity: orders(), method, id, body: r#"{"status":"completed"}"#.into(), parts: vec![] }
}

struct Bench {
    server: Server,
    shop: Arc<dyn Connector>,
    _clock: Server,
    _folder: tempfile::TempDir,
}

async fn bench(page: u32, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Bench {
    let server = Server::start(answer).await;
    let clock = clock(START).await;
    let (folder, store) = store();
    let entries =
        [("url", server.url.as_str()), ("key", "ck_key"), ("secret", "cs_secret"), ("clock", clock.url.as_str())];
    let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(page), &store).await;
    Bench { server, shop, _clock: clock, _folder: folder }
}

/// A list as a shop answers it.
fn list(text: &str) -> Reply {
    let total = serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap().len();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("X-WP-Total", total.to_string()),
        ("X-WP-TotalPages", "1".to_owned()),
    ];
    Reply::With(200, headers, text.as_bytes().to_vec())
}

#[tokio::test]
async fn searches_ask_as_the_shop_can_answer() {
    let bench = bench(100, |seen| match seen.query("email") {
        Some("no address") => {
            Reply::Json(400, r#"{"code":"rest_invalid_param","message":"Invalid","data":{"status":400}}"#.into())
        }
        _ => list(r#"[{"id":1}]"#),
    })
    .await;
    let find = |entity: Arc<Entity>, by: u32, values: &[&str]| Find {
        entity,
        fields: vec![],
        by: Some(FieldId(by)),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
        parts: vec![],
    };
    let loose = flowc::ir::Field { search: Search::Loose, ..field("transaction_id", Type::Text(None)) };
    let fields = vec![field("id", Type::Int), field("sku", Type::Text(None)), field("email", Type::Email), loose];
    let of = |route: &str| entity("woocommerce", "X", route, None, fields.clone());
    bench.shop.find(&find(of("orders"), 0, &["1", "2"])).await.unwrap();
    bench.shop.find(&find(of("products"), 1, &["A", "B,C"])).await.unwrap();
    let found = bench.shop.find(&find(of("customers"), 2, &["a@b.example", "no address"])).await.unwrap().read;
    assert_eq!(found.len(), 1);
    bench.shop.find(&find(of("orders"), 3, &["tr_1"])).await.unwrap();
    let asked: Vec<(String, String)> = bench
        .server
        .seen()
        .iter()
        .flat_map(|seen| seen.query.clone())
        .filter(|(name, _)| ["include", "sku", "search_sku", "email", "search"].contains(&name.as_str()))
        .collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("include", "1,2"),
        pair("search_sku", "B,C"),
        pair("sku", "A"),
        pair("email", "a@b.example"),
        pair("email", "no address"),
        pair("search", "tr_1"),
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn a_list_that_knows_no_pages_is_read_once() {
    let bench = bench(2, |_| Reply::Json(200, r#"[{"id":"bacs"},{"id":"cod"}]"#.into())).await;
    let gateways = entity("woocommerce", "Gateway", "payment_gateways", None, vec![field("id", Type::Text(None))]);
    let all = Find { entity: gateways, fields: vec![], by: None, values: vec![], parts: vec![] };
    assert_eq!(bench.shop.find(&all).await.unwrap().read.len(), 2);
    assert_eq!(
        bench.server.seen().len(),
        3,
        "without a word about its length it is asked for one row, and answers all"
    );
}

#[tokio::test]
async fn reads_are_tried_again() {
    let asked = AtomicUsize::new(0);
    let bench = bench(100, move |seen| {
        if seen.path.contains("currencies") {
            return Reply::html(503);
        }
        match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Drop,
            1 => Reply::html(503),
            2 => Reply::Truncated(r#"[{"id":1"#.into()),
            3 => Reply::Json(200, "PHP Notice: x [{}]".into()),
            4 => Reply::With(503, vec![("Retry-After", "7".into())], vec![]),
            _ => list(r#"[{"id":1,"date_modified_gmt":"2026-03-01T10:00:00"}]"#),
        }
    })
    .await;
    let before = bench.shop.now();
    let page = bench.shop.scan(&scan(&orders()), &Position::default()).await.unwrap();
    assert_eq!((page.records.len(), page.last), (1, true));
    assert_eq!(bench.server.count("orders"), 6);
    assert_eq!(bench.server.count("currencies"), 1, "once it is asked whether the shop is there at all");
    assert!(bench.shop.now().duration_since(before).as_secs() >= 7, "it has been asked to wait");
}

#[tokio::test]
async fn a_read_that_never_succeeds_ends_with_a_time() {
    let bench = bench(100, |_| Reply::html(502)).await;
    let error = bench.shop.scan(&scan(&orders()), &Position::default()).await.unwrap_err();
    let CallError::Later { until, reason, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("Onderhoud"), "{reason}");
    assert!(*until > bench.shop.now(), "{until}");
    assert_eq!(bench.server.count("orders"), limits::ATTEMPTS_MAX as usize);
    assert!(bench.shop.calls() <= u64::from(limits::ATTEMPTS_MAX) + 2);
}

/// Each fault of a write, once: it is sent a single time, and classed by what may be done next.
#[tokio::test]
async fn a_write_is_sent_once_and_its_fault_says_what_is_known() {
    let json = |status: u16, text: &'static str| move || Reply::Json(status, text.to_owned());
    let refund =
        r#"{"code":"woocommerce_rest_cannot_create_order_refund","message":"Invalid refund amount.","data":500}"#;
    let fatal = r#"{"code":"internal_server_error","message":"<p>There has been a critical error</p>","data":{"status":500,"error":{}}}"#;
    let sku = r#"{"code":"product_invalid_sku","message":"Invalid or duplicated SKU.","data":{"status":400,"resource_id":58,"unique_sku":"A-1"}}"#;
    let read_only = r#"{"code":"woocommerce_rest_authentication_error","message":"The API key provided does not have write permissions.","data":{"status":401}}"#;
    let cases: Vec<(&str, Answering, &str, &str)> = vec![
        ("drop", Box::new(|| Reply::Drop), "unknown", "broke off"),
        ("hang", Box::new(|| Reply::Hang), "unknown", "no answer in time"),
        ("truncated", Box::new(|| Reply::Truncated(r#"{"id":12"#.into())), "unknown", "broke off"),
        ("maintenance", Box::new(|| Reply::html(200)), "unknown", "Onderhoud"),
        ("gateway", Box::new(|| Reply::html(504)), "unknown", "504"),
        ("empty 500", Box::new(|| Reply::With(500, vec![], vec![])), "unknown", "nothing"),
        ("crash", Box::new(json(500, fatal)), "unknown", "critical error"),
        ("refund", Box::new(json(500, refund)), "refused", "Invalid refund amount."),
        ("duplicate", Box::new(json(400, sku)), "refused", "58"),
        ("no rights", Box::new(json(401, read_only)), "login", "write permissions"),
        ("firewall", Box::new(|| Reply::html(403)), "login", "firewall"),
        ("busy", Box::new(|| Reply::With(429, vec![("Retry-After", "9".into())], vec![])), "later", "too many calls"),
        (
            "redirect",
            Box::new(|| {
                let to = "https://www.shop.example/wp-json/wc/v3/orders/12?oauth_signature=abc".to_owned();
                Reply::With(301, vec![("Location", to)], vec![])
            }),
            "login",
            "put `https://www.shop.example` as `url`",
        ),
    ];
    for (name, reply, class, said) in cases {
        let bench = bench(100, move |_| reply()).await;
        let error = bench.shop.write(&write(Method::Put)).await.unwrap_err();
        let its = match &error {
            CallError::Refused { .. } => "refused",
            CallError::Later { .. } => "later",
            CallError::Unknown { .. } => "unknown",
            CallError::Login { .. } => "login",
            CallError::Garbled { .. } => "garbled",
        };
        assert_eq!(its, class, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(said), "{name}: {text}");
        assert!(!text.contains("oauth") && !text.contains("ck_") && !text.contains("cs_"), "{name}: {text}");
        assert_eq!(bench.server.count("orders"), 1, "{name}");
        assert_eq!(bench.server.count("data/currencies/current"), usize::from(class == "login"), "{name}: one proof");
    }
}

#[tokio::test]
async fn a_shop_that_is_not_there_has_not_been_written_to() {
    let server = Server::start(|_| Reply::Drop).await;
    let (_folder, store) = store();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{gone}");
    let entries = [("url", url.as_str()), ("key", "ck_key"), ("secret", "cs_secret")];
    let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &store).await;
    let error = shop.write(&write(Method::Post)).await.unwrap_err();
    assert!(matches!(error, CallError::Later { .. }), "{error}");
    drop(server);
}

#[tokio::test]
async fn an_answer_to_a_write_is_the_record_and_its_key() {
    let bench = bench(100, |seen| match seen.method.as_str() {
        "DELETE" => {
            Reply::Json(410, r#"{"code":"woocommerce_rest_already_trashed","message":"Already deleted."}"#.into())
        }
        _ => Reply::Json(201, r#"{"id":77,"total":"8.256198"}"#.into()),
    })
    .await;
    let answer = bench.shop.write(&write(Method::Post)).await.unwrap();
    assert_eq!(answer.id.as_deref(), Some("77"));
    assert_eq!(&*answer.record.unwrap().0, r#"{"id":77,"total":"8.256198"}"#);
    let gone = bench.shop.write(&write(Method::Delete)).await.unwrap();
    assert_eq!(gone.id.as_deref(), Some("12"));
    let seen = bench.server.seen();
    assert_eq!(seen[0].path, "/wp-json/wc/v3/orders");
    assert_eq!(seen[0].body, r#"{"status":"completed"}"#);
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!((seen[1].path.as_str(), seen[1].query("force")), ("/wp-json/wc/v3/orders/12", None));
    assert_eq!(seen[0].query("oauth_signature_method"), Some("HMAC-SHA256"));
    assert!(seen[0].header("authorization").is_none(), "over plain HTTP the key is not sent");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let bench = bench(100, |_| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        let blanks = vec![b' '; 1 << 20];
        for _ in 0..(limits::BODY_BYTES_MAX >> 20) + 8 {
            packed.write_all(&blanks).unwrap();
        }
        let headers = vec![("Content-Type", "application/json".into()), ("Content-Encoding", "gzip".into())];
        Reply::With(200, headers, packed.finish().unwrap())
    })
    .await;
    let error = bench.shop.write(&write(Method::Put)).await.unwrap_err();
    assert!(matches!(&error, CallError::Unknown { reason, .. } if reason.contains("MB")), "{error}");
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_before_any_call() {
    let (_folder, store) = store();
    let open = |entries: &'static [(&'static str, &'static str)]| {
        let store = Arc::clone(&store);
        async move {
            let connection = connection("shop", "woocommerce", entries);
            match open_with(&connection, &woocommerce(100), &NoSecrets, store, timing()).await {
                Ok(_) => panic!("it opens"),
                Err(error) => error,
            }
        }
    };
    let missing = open(&[("url", "https://shop.example"), ("key", "k")]).await;
    assert_eq!(missing, OpenError::Missing { connection: "shop".into(), entry: "secret".into() });
    let plain = open(&[("url", "http://shop.example"), ("key", "k"), ("secret", "s")]).await;
    assert!(plain.to_string().contains("use https"), "{plain}");
    let clock = [("url", "https://shop.example"), ("key", "k"), ("secret", "s"), ("clock", "http://time.example")];
    let far = open(Box::leak(Box::new(clock))).await;
    assert!(far.to_string().contains("not on this machine"), "{far}");
}

/// Every secret has this value: somebody wrote one name for another.
struct OneSecret(&'static str);

impl Secrets for OneSecret {
    fn secret(&self, _: &str) -> Option<SecretString> {
        Some(SecretString::from(self.0))
    }
}

#[tokio::test]
async fn no_message_shows_what_came_from_a_secret() {
    let (_folder, store) = store();
    let shop = [("url", "https://shop.example"), ("key", "k"), ("secret", "s")];
    let books = [("country", "nl"), ("division", "1"), ("client_id", "c"), ("client_secret", "s")];
    let clock = ("clock", "http://127.0.0.1:9");
    for (connector, habits, plain, mistaken) in [
        ("woocommerce", woocommerce(100), shop.as_slice(), "url"),
        ("woocommerce", woocommerce(100), &[&shop[..], &[clock]].concat(), "clock"),
        ("exact", exact(), &books, "division"),
        ("exact", exact(), &[&books[..], &[("base_url", "")]].concat(), "base_url"),
        ("exact", exact(), &[&books[..], &[clock]].concat(), "clock"),
    ] {
        for value in ["cs_5ecret", "5ecret://a", "http://5ecret.example/", "http://localhost:9/5ecret?5ecret"] {
            let mut connection = connection("it", connector, plain);
            for (name, entry) in &mut connection.entries {
                if **name == *mistaken {
                    *entry = ConnectionValue::Secret("SHOP_SECRET".into());
                }
            }
            let opened = open_with(&connection, &habits, &OneSecret(value), Arc::clone(&store), timing()).await;
            let Err(error) = opened else { continue };
            let said = error.to_string();
            assert!(!said.contains("5ecret") && said.contains(&format!("`{mistaken}`")), "{said}");
        }
    }
}
