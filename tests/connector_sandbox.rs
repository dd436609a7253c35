//! Both connectors against the sandbox, over real connections: it was made from the recorded reference and knows nothing
//! of ours, so a misreading shows as a refused call.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{connect, connection, entity, exact, field, milliseconds, reopen, store, woocommerce};
use flowc::connector::{CallError, Condition, Connector, Find, Position, Raw, Scan, Timing, Write, open_with};
use flowc::ir::{Entity, Field, FieldId, Forms, Method, Shown, Type};
use flowc::sandbox::{Fault, Kind, Options, Running, start};
use flowc::store::Store;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest wait for what the sandbox does by itself.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

struct Bench {
    sandbox: Running,
    shop: Arc<dyn Connector>,
    ledger: Arc<dyn Connector>,
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start(options: Options) -> Self {
        let sandbox = start(options).await.unwrap();
        let (folder, store) = store();
        let shop = open(&sandbox, "shop", &store).await;
        let ledger = open(&sandbox, "ledger", &store).await;
        Self { sandbox, shop, ledger, store, folder }
    }

    /// What a system holds, past any paging.
    async fn held(&self, what: &str) -> Vec<Value> {
        let line = self.sandbox.first_line();
        let url = format!("{}/{what}", line["control"]["url"].as_str().unwrap());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn faults(&self, faults: &[Fault]) {
        let line = self.sandbox.first_line();
        let url = format!("{}/faults", line["control"]["url"].as_str().unwrap());
        let client = reqwest::Client::new();
        let put =
            client.put(url).header("Content-Type", "application/json").body(serde_json::to_string(faults).unwrap());
        let answer = put.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// An order to the control API: standing orders are put, all else is posted.
    async fn order(&self, what: &str, body: &Value) {
        let line = self.sandbox.first_line();
        let url = format!("{}/{what}", line["control"]["url"].as_str().unwrap());
        let client = reqwest::Client::new();
        let call = if what == "faults" { client.put(url) } else { client.post(url) };
        let answer = call.header("Content-Type", "application/json").body(body.to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{body}: {}", answer.text().await.unwrap());
    }

    /// Answers with this status so far.
    async fn answered(&self, system: &str, status: u64) -> u64 {
        let calls = self.held("calls").await;
        let of = calls.iter().filter(|call| call["system"] == system && call["status"] == status);
        of.map(|call| call["count"].as_u64().unwrap()).sum()
    }
}

fn options() -> Options {
    Options { clock_rate: 60, orders: Some(230), ..Options::default() }
}

async fn open(sandbox: &Running, system: &str, store: &Arc<dyn Store>) -> Arc<dyn Connector> {
    let line = sandbox.first_line();
    let text = |path: &str| match line.pointer(path).unwrap() {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let clock = text("/control/url");
    let timing = Timing { total: std::time::Duration::from_secs(10), ..Timing::default() };
    let (name, habits, entries) = if system == "shop" {
        let entries = vec![("url", text("/shop/url")), ("key", text("/shop/key")), ("secret", text("/shop/secret"))];
        ("shop", woocommerce(100), entries)
    } else {
        let entries = vec![
            ("base_url", text("/ledger/url")),
            ("division", text("/ledger/division")),
            ("client_id", text("/ledger/client_id")),
            ("client_secret", text("/ledger/client_secret")),
            ("refresh_token", text("/ledger/refresh_token")),
            ("access_token", text("/ledger/access_token")),
        ];
        ("books", exact(), entries)
    };
    let mut entries: Vec<(&str, &str)> = entries.iter().map(|(name, value)| (*name, value.as_str())).collect();
    entries.push(("clock", &clock));
    let connector = if system == "shop" { "woocommerce" } else { "exact" };
    let connection = connection(name, connector, &entries);
    open_with(&connection, &habits, &connector_bench::NoSecrets, Arc::clone(store), timing).await.unwrap()
}

fn text(name: &str) -> Field {
    field(name, Type::Text(None))
}

fn woo(name: &str, route: &str, feed: Option<(&str, u32)>, fields: Vec<Field>) -> Arc<Entity> {
    entity("woocommerce", name, route, feed, fields)
}

fn woo_orders() -> Arc<Entity> {
    let fields = vec![field("id", Type::Int), field("date_modified_gmt", Type::Instant), text("status"), text("total")];
    woo("Order", "orders", Some(("", 1)), fields)
}

fn accounts() -> Arc<Entity> {
    let code = Field { form: Forms { padded: 18, ..Forms::default() }, ..text("Code") };
    let fields = vec![field("ID", Type::Guid), field("Timestamp", Type::Int), code, text("Name"), text("Email")];
    entity("exact", "Account", "crm/Accounts", Some(("sync/CRM/Accounts", 1)), fields)
}

fn items() -> Arc<Entity> {
    entity("exact", "Item", "logistics/Items", None, vec![field("ID", Type::Guid), text("Code"), text("Description")])
}

fn sales_orders() -> Arc<Entity> {
    let lines = field("SalesOrderLines", Type::List(Arc::new(Type::Unknown)));
    // The feed of headers has the row version, and not the lines.
    let lines = Field { shown: Shown::AtAddress, ..lines };
    let version = Field { shown: Shown::InFeed, ..field("Timestamp", Type::Int) };
    let fields = vec![field("OrderID", Type::Guid), version, text("YourRef"), text("Description"), lines];
    let feed = Some(("sync/SalesOrder/SalesOrderHeaders", 1));
    entity("exact", "SalesOrder", "salesorder/SalesOrders", feed, fields)
}

fn find(of: &Arc<Entity>, fields: &[&str], by: Option<u32>, values: &[&str]) -> Find {
    Find {
        entity: Arc::clone(of),
        fields: fields.iter().map(|f| (*f).to_owned()).collect(),
        by: by.map(FieldId),
        values: values.iter().map(|v| (*v).to_owned()).collect(),
        parts: vec![],
    }
}

fn write(of: &Arc<Entity>, method: Method, id: Option<&str>, body: &Value) -> Write {
    let id = id.map(str::to_owned);
    Write { entity: Arc::clone(of), method, id, body: body.to_string(), parts: vec![] }
}

fn scan(of: &Arc<Entity>, fields: &[&str]) -> Scan {
    let fields = fields.iter().map(|f| (*f).to_owned()).collect();
    Scan { entity: Arc::clone(of), fields, filter: vec![], since: None, only: vec![] }
}

fn value(raw: &Raw) -> Value {
    serde_json::from_str(&raw.0).unwrap()
}

async fn walk(system: &dyn Connector, scan: &Scan, mut from: Position) -> (Vec<Value>, Position) {
    let mut records = Vec::new();
    for _ in 0..100 {
        let page = system.scan(scan, &from).await.unwrap();
        records.extend(page.records.iter().map(value));
        from = page.next;
        if page.last {
            return (records, from);
        }
    }
    panic!("the walk does not end at {from:?}");
}

fn ids(records: &[Value], key: &str) -> BTreeSet<String> {
    records.iter().map(|record| record[key].to_string()).collect()
}

#[tokio::test]
async fn every_order_of_the_shop_is_read_and_then_only_what_changed() {
    let bench = Bench::start(options()).await;
    let orders = woo_orders();
    let all = scan(&orders, &["total", "billing.email", "line_items"]);
    let (read, position) = walk(&*bench.shop, &all, Position::default()).await;
    let held = bench.held("shop/orders").await;
    assert_eq!(ids(&read, "id"), ids(&held, "id"));
    assert!(read[0]["line_items"].is_array() && read[0].get("customer_note").is_none(), "{}", read[0]);

    bench.shop.sleep_until(bench.shop.now() + SignedDuration::from_secs(5), "a test").await;
    let id = read[7]["id"].to_string();
    let changed =
        bench.shop.write(&write(&orders, Method::Put, Some(&id), &json!({"status": "on-hold"}))).await.unwrap();
    assert_eq!(value(&changed.record.unwrap())["status"], "on-hold");
    let (again, _) = walk(&*bench.shop, &all, position).await;
    assert!(ids(&again, "id").contains(&id) && again.len() < 20, "{} of {}", again.len(), read.len());

    let mut held_back = scan(&orders, &["total"]);
    held_back.filter = vec![Condition { field: FieldId(2), values: vec!["on-hold".into()] }];
    let (held_back, _) = walk(&*bench.shop, &held_back, Position::default()).await;
    assert!(ids(&held_back, "id").contains(&id) && held_back.iter().all(|order| order["status"] == "on-hold"));
    let mut only = scan(&orders, &["total"]);
    only.only = vec![id.clone(), "99999999".into()];
    let (only, _) = walk(&*bench.shop, &only, Position::default()).await;
    assert_eq!(ids(&only, "id"), BTreeSet::from([id]));
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn the_shop_is_searched_by_what_it_knows() {
    let bench = Bench::start(options()).await;
    let customers = woo("Customer", "customers", None, vec![field("id", Type::Int), field("email", Type::Email)]);
    let (read, _) = walk(&*bench.shop, &scan(&customers, &["email"]), Position::default()).await;
    assert_eq!(ids(&read, "id"), ids(&bench.held("shop/customers").await, "id"));
    let email = read[3]["email"].as_str().unwrap().to_uppercase();
    let found = bench.shop.find(&find(&customers, &["email"], Some(1), &[&email, "no address"])).await.unwrap().read;
    assert_eq!(found.len(), 1);
    assert_eq!(value(&found[0])["id"], read[3]["id"]);

    let products = woo("Product", "products", None, vec![field("id", Type::Int), text("sku")]);
    let (all, _) = walk(&*bench.shop, &scan(&products, &["sku"]), Position::default()).await;
    let skus: Vec<&str> = all.iter().filter_map(|p| p["sku"].as_str()).filter(|sku| !sku.is_empty()).take(5).collect();
    let found = bench.shop.find(&find(&products, &["sku"], Some(1), &skus)).await.unwrap().read;
    assert_eq!(found.len(), skus.len());

    let taxes = woo("TaxRate", "taxes", None, vec![field("id", Type::Int)]);
    let gateways = woo("Gateway", "payment_gateways", None, vec![text("id")]);
    for small in [&taxes, &gateways] {
        assert!(!bench.shop.find(&find(small, &[], None, &[])).await.unwrap().read.is_empty());
    }
    let order = bench.held("shop/orders").await[0]["id"].to_string();
    let refunds = woo("Refund", "orders/{order_id}/refunds", None, vec![field("id", Type::Int)]);
    let parts = vec![("order_id".to_owned(), order)];
    bench.shop.find(&Find { parts: parts.clone(), ..find(&refunds, &[], None, &[]) }).await.unwrap();
    let too_much = json!({"amount": "999999.00", "api_refund": false});
    let refused =
        bench.shop.write(&Write { parts, ..write(&refunds, Method::Post, None, &too_much) }).await.unwrap_err();
    assert!(matches!(&refused, CallError::Refused { status: 500, .. }), "{refused}");
    assert!(bench.shop.hello().await.unwrap().0.contains("version"));
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn refunds_are_walked_by_the_time_they_were_made() {
    let bench = Bench::start(options()).await;
    let fields = vec![field("id", Type::Int), field("date_created_gmt", Type::Instant), field("parent_id", Type::Int)];
    let refunds = woo("Refund", "orders/{order}/refunds", Some(("refunds", 1)), fields);
    let all = scan(&refunds, &["amount", "parent_id"]);
    let (before, position) = walk(&*bench.shop, &all, Position::default()).await;
    let order = bench.held("shop/orders").await[0]["id"].to_string();
    let parts = vec![("order".to_owned(), order.clone())];
    let body = json!({"amount": "0.01", "api_refund": false});
    let made = bench.shop.write(&Write { parts, ..write(&refunds, Method::Post, None, &body) }).await.unwrap();
    let (after, _) = walk(&*bench.shop, &all, position).await;
    let id: u64 = made.id.as_deref().unwrap().parse().unwrap();
    let new = after.iter().find(|refund| refund["id"] == id).unwrap();
    assert_eq!(new["parent_id"].to_string(), order);
    assert!(!ids(&before, "id").contains(&made.id.unwrap()));
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_a_lost_login() {
    let bench = Bench::start(options()).await;
    let line = bench.sandbox.first_line();
    let url = line["shop"]["url"].as_str().unwrap();
    let clock = line["control"]["url"].as_str().unwrap();
    let entries = [("url", url), ("key", "ck_wrong"), ("secret", "cs_wrong"), ("clock", clock)];
    let shop = connect(&connection("other", "woocommerce", &entries), &woocommerce(100), &bench.store).await;
    let error = shop.scan(&scan(&woo_orders(), &[]), &Position::default()).await.unwrap_err();
    assert!(matches!(error, CallError::Login { .. }), "{error}");
    bench.sandbox.stop().await;
}

async fn account(bench: &Bench, name: &str) -> String {
    let body = json!({"Name": name, "Status": "C", "Email": format!("{name}@example.org"), "Country": "NL"});
    let made = bench.ledger.write(&write(&accounts(), Method::Post, None, &body)).await.unwrap();
    made.id.unwrap()
}

async fn order(bench: &Bench, reference: &str) -> Result<String, CallError> {
    let account = account(bench, &format!("customer-{reference}")).await;
    let items = bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap().read;
    let item = value(&items[0])["ID"].as_str().unwrap().to_owned();
    let body = json!({
        "OrderedBy": account, "YourRef": reference, "Description": "from the shop",
        "SalesOrderLines": [{"Item": item, "Quantity": 2, "NetPrice": 12.10, "VATCode": "5"}]
    });
    let made = bench.ledger.write(&write(&sales_orders(), Method::Post, None, &body)).await?;
    Ok(made.id.unwrap())
}

#[tokio::test]
async fn the_ledger_is_written_searched_and_followed() {
    let bench = Bench::start(options()).await;
    let id = order(&bench, "it's 1").await.unwrap();
    let found =
        bench.ledger.find(&find(&sales_orders(), &["Description"], Some(2), &["it's 1", "none"])).await.unwrap().read;
    assert_eq!(found.len(), 1);
    assert_eq!(value(&found[0])["OrderID"], id.as_str());

    let found =
        bench.ledger.find(&find(&sales_orders(), &["SalesOrderLines.Quantity"], Some(0), &[&id])).await.unwrap().read;
    assert_eq!(value(&found[0])["SalesOrderLines"]["results"][0]["Quantity"], 2, "{}", found[0].0);

    let feed = scan(&sales_orders(), &["YourRef", "SalesOrderLines.Quantity"]);
    let (first, position) = walk(&*bench.ledger, &feed, Position::default()).await;
    let made = first.iter().find(|row| row["OrderID"] == id.as_str()).unwrap();
    assert_eq!(made["SalesOrderLines"]["results"][0]["Quantity"], 2, "what the feed lacks is read beside it: {made}");
    assert!(made["Timestamp"].is_string(), "{made}");
    let (nothing, same) = walk(&*bench.ledger, &feed, position.clone()).await;
    assert_eq!((nothing.len(), &same), (0, &position));
    let update = json!({"Description": "changed"});
    bench.ledger.write(&write(&sales_orders(), Method::Put, Some(&id), &update)).await.unwrap();
    let (changed, _) = walk(&*bench.ledger, &feed, position).await;
    assert_eq!(changed.len(), 1);

    let unknown = json!({"Name": "x", "NoSuchField": 1});
    let refused = bench.ledger.write(&write(&accounts(), Method::Post, None, &unknown)).await.unwrap_err();
    assert!(
        matches!(&refused, CallError::Refused { status: 400, reason, .. } if reason.contains("NoSuchField")),
        "{refused}"
    );
    let incomplete = bench.ledger.write(&write(&sales_orders(), Method::Post, None, &json!({"YourRef": "2"}))).await;
    assert!(matches!(incomplete, Err(CallError::Refused { status: 500, .. })), "{incomplete:?}");
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_feed_begins_where_it_is_told_to() {
    let bench = Bench::start(options()).await;
    let early = account(&bench, "early").await;
    bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(60), "a test").await;
    let since = Some(bench.ledger.now());
    bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(60), "a test").await;
    let late = account(&bench, "late").await;
    let feed = Scan { since, ..scan(&accounts(), &["Name"]) };
    let (read, _) = walk(&*bench.ledger, &feed, Position::default()).await;
    let read = ids(&read, "ID");
    assert!(read.contains(&format!("\"{late}\"")) && !read.contains(&format!("\"{early}\"")), "{read:?}");
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn many_keys_are_found_in_few_calls_and_codes_are_padded() {
    let bench = Bench::start(options()).await;
    let codes: Vec<String> =
        bench.held("ledger/logistics/Items").await.iter().map(|i| i["Code"].as_str().unwrap().to_owned()).collect();
    let asked: Vec<&str> = codes.iter().map(String::as_str).chain(["A'B", "né & co"]).collect();
    let before = bench.ledger.calls();
    let found = bench.ledger.find(&find(&items(), &["Code"], Some(1), &asked)).await.unwrap().read;
    assert_eq!(found.len(), codes.len());
    let calls = bench.ledger.calls() - before;
    assert!(calls <= asked.len().div_ceil(35) as u64 + 1, "{calls} calls for {} codes", asked.len());

    let id = account(&bench, "padded").await;
    let row = bench.ledger.find(&find(&accounts(), &["Code"], Some(0), &[&id])).await.unwrap().read;
    let code = value(&row[0])["Code"].as_str().unwrap().trim().to_owned();
    let by_code = bench.ledger.find(&find(&accounts(), &["Code"], Some(2), &[&code])).await.unwrap().read;
    assert_eq!(value(&by_code[0])["ID"], id.as_str());
    let vat = entity("exact", "VATCode", "vat/VATCodes", None, vec![field("ID", Type::Guid), text("Code")]);
    let all = bench.ledger.find(&find(&vat, &["Code"], None, &[])).await.unwrap().read;
    assert_eq!(all.len(), bench.held("ledger/vat/VATCodes").await.len(), "three pages of 60 and the rest");
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_feed_of_times_is_followed() {
    let bench = Bench::start(options()).await;
    let warehouses = entity(
        "exact",
        "Unit",
        "logistics/Units",
        Some(("", 1)),
        vec![field("ID", Type::Guid), milliseconds("Modified")],
    );
    let scan = scan(&warehouses, &["ID"]);
    match bench.ledger.scan(&scan, &Position::default()).await {
        Ok(_) | Err(CallError::Refused { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let conditions = entity(
        "exact",
        "PaymentCondition",
        "cashflow/PaymentConditions",
        Some(("", 1)),
        vec![field("ID", Type::Guid), milliseconds("Modified")],
    );
    let of = Scan { entity: conditions, ..scan };
    let (all, position) = walk(&*bench.ledger, &of, Position::default()).await;
    assert_eq!(ids(&all, "ID").len(), bench.held("ledger/cashflow/PaymentConditions").await.len());
    assert!(position.0.starts_with("moment:"), "{position:?}");
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn the_limits_are_kept_without_being_hit() {
    let bench = Bench::start(Options { clock_rate: 15, ..options() }).await;
    let began = bench.ledger.now();
    let calls = (0..130).map(|n| {
        let ledger = Arc::clone(&bench.ledger);
        tokio::spawn(async move {
            let code = format!("X{n}");
            loop {
                match ledger.find(&find(&items(), &["Code"], Some(1), &[&code])).await {
                    Ok(_) => return,
                    Err(CallError::Later { until, .. }) => ledger.sleep_until(until, "a test").await,
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(bench.answered("ledger", 429).await, 0);
    assert_eq!(bench.answered("ledger", 200).await, 130);
    assert!(bench.ledger.now().duration_since(began).as_secs() >= 60);
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_login_lives_on_past_its_tokens_and_a_restart() {
    let bench = Bench::start(Options { clock_rate: 600, ..options() }).await;
    for _ in 0..3 {
        bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap();
        bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(580), "a test").await;
    }
    bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap();
    let Bench { sandbox, shop, ledger, store, folder } = bench;
    drop((shop, ledger, store));
    let store = reopen(&folder);
    let ledger = open(&sandbox, "ledger", &store).await;
    ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap();
    sandbox.stop().await;
}

fn fault(system: &str, method: &str, kind: Kind) -> Fault {
    Fault { method: Some(method.into()), seed: 1, ..Fault::of(system, kind) }
}

#[tokio::test]
async fn p09_a_create_whose_answer_is_lost_is_found_by_its_key() {
    let bench = Bench::start(options()).await;
    let lost = |kind: Kind| Fault {
        resource: Some("salesorder/SalesOrders".into()),
        ms: Some(500),
        ..fault("ledger", "POST", kind)
    };
    let kinds = [
        ("before", Kind::DropBefore, 0),
        ("after", Kind::DropAfter, 1),
        ("late", Kind::EffectLate, 1),
        ("garbage", Kind::Garbage, 1),
        ("cut", Kind::Truncate, 1),
    ];
    for (name, kind, there) in kinds {
        bench.faults(&[lost(kind)]).await;
        let error = order(&bench, name).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown { .. }), "{name}: {error}");
        bench.faults(&[]).await;
        // What comes late comes within half a second; what never comes is not waited for.
        let count = async || {
            let rows = bench.held("ledger/salesorder/SalesOrders").await;
            rows.iter().filter(|row| row["YourRef"] == name).count()
        };
        let came = async { while count().await != there {} };
        tokio::time::timeout(PATIENCE, came).await.unwrap_or_else(|_| panic!("{name}: not {there} of it"));
        let found = bench.ledger.find(&find(&sales_orders(), &["YourRef"], Some(2), &[name])).await.unwrap().read;
        assert_eq!(found.len(), there, "{name}");
    }
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn reads_get_through_what_goes_wrong() {
    let bench = Bench::start(options()).await;
    let every = |system: &str, kind: Kind, every: u64, status: Option<u16>| Fault {
        every: Some(every),
        status,
        ..fault(system, "GET", kind)
    };
    let mut faults = Vec::new();
    for system in ["shop", "ledger"] {
        faults.push(every(system, Kind::Status, 4, Some(503)));
        faults.push(every(system, Kind::DropAfter, 6, None));
        faults.push(every(system, Kind::Garbage, 7, None));
        faults.push(every(system, Kind::Truncate, 9, None));
    }
    faults.push(Fault { once: Some(json!(2)), ..fault("ledger", "GET", Kind::ExpireToken) });
    bench.faults(&faults).await;
    let (read, _) = walk(&*bench.shop, &scan(&woo_orders(), &["total"]), Position::default()).await;
    assert_eq!(ids(&read, "id"), ids(&bench.held("shop/orders").await, "id"));
    for _ in 0..8 {
        assert_eq!(bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap().read.len(), 1);
    }
    bench.faults(&[]).await;
    bench.sandbox.stop().await;
}

#[tokio::test]
async fn a_used_up_day_ends_the_pass_and_a_revoked_login_needs_a_person() {
    let bench = Bench::start(options()).await;
    // A day that ends meanwhile gives its calls back.
    let tomorrow = bench.ledger.now() + SignedDuration::from_hours(24);
    bench.order("clock", &json!(format!("{}T12:00:00Z", &tomorrow.to_string()[..10]))).await;
    bench.faults(&[Fault { once: Some(json!(true)), ..fault("ledger", "GET", Kind::LimitDay) }]).await;
    let error = bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap_err();
    assert!(matches!(&error, CallError::Later { reason, .. } if reason.contains("day")), "{error}");
    let calls = bench.ledger.calls();
    let again = bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap_err();
    assert!(matches!(again, CallError::Later { .. }), "{again}");
    assert_eq!(bench.ledger.calls(), calls, "what is known to be refused is not asked");
    bench.sandbox.stop().await;

    let bench = Bench::start(Options { clock_rate: 600, ..options() }).await;
    bench.faults(&[Fault { once: Some(json!(true)), ..fault("ledger", "GET", Kind::RevokeRefresh) }]).await;
    bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap();
    bench.ledger.sleep_until(bench.ledger.now() + SignedDuration::from_secs(700), "a test").await;
    let error = bench.ledger.find(&find(&items(), &["Code"], Some(1), &["SHIP"])).await.unwrap_err();
    assert!(matches!(&error, CallError::Login { reason, .. } if reason.contains("flowc login books")), "{error}");
    bench.sandbox.stop().await;
}

/// What a host makes of the shop, and which orders a pass then reads: all but those that cannot be shown, which are told.
#[tokio::test]
async fn the_shop_is_read_completely_whatever_its_host_does() {
    let bench = Bench::start(Options { orders: Some(130), ..options() }).await;
    let orders = woo_orders();
    let all = scan(&orders, &["total", "billing", "line_items"]);
    let held: Vec<String> = ids(&bench.held("shop/orders").await, "id").into_iter().collect();
    let some = |at: &[usize]| -> Vec<&str> { at.iter().map(|n| held[*n].as_str()).collect() };
    let cases: [(&str, Value, &[usize], &[usize]); 9] = [
        ("nothing", json!([]), &[], &[]),
        ("hide", json!({"ids": some(&[3, 129])}), &[3, 129], &[]),
        ("poison", json!({"ids": some(&[40])}), &[40], &[40]),
        ("poison", json!({"ids": some(&[0, 129])}), &[0, 129], &[0, 129]),
        ("poison_list", json!({"ids": some(&[77])}), &[], &[]),
        ("half_pair", json!({"ids": some(&[5])}), &[5], &[5]),
        ("bad_bytes", json!({"ids": some(&[6, 7])}), &[6, 7], &[6, 7]),
        ("cap_refused", json!({"rows": 20}), &[], &[]),
        ("cap_silent", json!({"rows": 30}), &[], &[]),
    ];
    for (kind, more, missing, told) in cases {
        let mut fault = json!({"system": "shop", "resource": "orders", "kind": kind});
        if let (Value::Object(fault), Value::Object(more)) = (&mut fault, more) {
            fault.extend(more);
        }
        let faults = if kind == "nothing" { json!([]) } else { json!([fault]) };
        bench.order("faults", &faults).await;
        // A process of its own: what the last one learnt is forgotten.
        let shop = open(&bench.sandbox, "shop", &bench.store).await;
        let (mut read, mut unreadable, mut from) = (BTreeSet::new(), BTreeSet::new(), Position::default());
        loop {
            let page = shop.scan(&all, &from).await.unwrap();
            read.extend(page.records.iter().map(|row| value(row)["id"].to_string()));
            unreadable.extend(page.unreadable.into_iter().filter_map(|row| row.key));
            from = page.next;
            if page.last {
                break;
            }
        }
        let expected: BTreeSet<String> =
            held.iter().enumerate().filter(|(n, _)| !missing.contains(n)).map(|(_, id)| id.clone()).collect();
        assert_eq!(read, expected, "{kind}");
        assert_eq!(unreadable, told.iter().map(|n| held[*n].clone()).collect(), "{kind}");
    }
    bench.sandbox.stop().await;
}

/// How a server is set up, what the connection says of it, and what a person is told.
type Way<'a> = (Value, &'a [(&'a str, &'a str)], Option<&'a str>);

/// How its server is set up, and what comes of it: the orders, or a cause.
#[tokio::test]
async fn the_shop_is_entered_however_its_server_is_set_up() {
    let cases: [Way<'_>; 8] = [
        (json!({"zone": "Asia/Kolkata"}), &[], None),
        (json!({"zone": "America/New_York", "orders": "posts"}), &[], None),
        (json!({"https": true, "authorization": false}), &[], None),
        (json!({"gate": "u:p"}), &[("front_user", "u"), ("front_password", "p")], None),
        (json!({"gate": "u:p"}), &[], Some("front_user")),
        (json!({"permalinks": "plain"}), &[], Some("permalinks")),
        (json!({"woocommerce": false}), &[], Some("switch WooCommerce on")),
        (json!({"moved": "https://www.shop.example/"}), &[], Some("https://www.shop.example")),
    ];
    for (server, more, cause) in cases {
        let bench = Bench::start(Options { orders: Some(30), ..options() }).await;
        let held = ids(&bench.held("shop/orders").await, "id");
        bench.order("shop/server", &server).await;
        let line = bench.sandbox.first_line();
        let text = |path: &str| line.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        let (url, key, secret) = (text("/shop/url"), text("/shop/key"), text("/shop/secret"));
        let clock = text("/control/url");
        let mut entries = vec![("url", &*url), ("key", &*key), ("secret", &*secret), ("clock", &*clock)];
        entries.extend(more);
        let shop = connect(&connection("shop", "woocommerce", &entries), &woocommerce(100), &bench.store).await;
        let all = scan(&woo_orders(), &["total"]);
        match cause {
            None => {
                let (read, position) = walk(&*shop, &all, Position::default()).await;
                assert_eq!(ids(&read, "id"), held, "{server}");
                let again = shop.resumed(&all, position, false);
                assert!(!walk(&*shop, &all, again).await.0.is_empty(), "{server}: what is known comes again");
            }
            Some(cause) => {
                let error = shop.scan(&all, &Position::default()).await.unwrap_err().to_string();
                assert!(error.contains(cause), "{server}: {error}");
            }
        }
        bench.sandbox.stop().await;
    }
}
