//! Calls of the whole API, through its router.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use super::*;

/// A ledger and the way to call it.
struct Bench {
    ledger: Ledger,
    clock: Clock,
}

/// What came back.
struct Reply {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The text of the error body.
    fn refusal(&self) -> String {
        self.json()["error"]["message"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn created(&self) -> Value {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.text);
        self.json()["d"].clone()
    }

    fn results(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()["d"]["results"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(Limits::Off)
    }

    fn with(limits: Limits) -> Self {
        let clock = Clock::new("2026-01-02T09:00:00Z".parse().unwrap(), 0);
        let ledger = Ledger::new(
            clock.clone(),
            Config {
                limits,
                ..Config::default()
            },
        );
        Self { ledger, clock }
    }

    fn raw(&self, request: Request<Body>) -> Reply {
        let mut router = self.ledger.router();
        // Nothing here waits for anything: one poll is a whole call.
        let mut call = pin!(async move {
            let response = router.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let text = to_bytes(body, usize::MAX).await.unwrap();
            Reply {
                status: parts.status,
                headers: parts.headers,
                text: String::from_utf8(text.to_vec()).unwrap(),
            }
        });
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(reply) => reply,
            Poll::Pending => panic!("a call that waits"),
        }
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let path = path.replace(' ', "%20");
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/1234567/{path}"))
            .header("host", "127.0.0.1:9")
            .header("accept", "application/json")
            .header("prefer", "return=representation")
            .header(
                "authorization",
                format!("Bearer {}", self.ledger.credentials().access_token),
            )
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        self.raw(request.unwrap())
    }

    fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None)
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::POST, path, Some(body))
    }

    fn put(&self, path: &str, body: &Value) -> Reply {
        self.call(Method::PUT, path, Some(body))
    }

    /// The key of a record by its code.
    fn key(&self, path: &str, code: &str) -> String {
        let (service, entity) = path.rsplit_once('/').unwrap();
        let rows = self.ledger.rows(service, entity).unwrap();
        let row = rows.iter().find(|row| {
            row["Code"]
                .as_str()
                .is_some_and(|known| known.trim() == code)
        });
        row.unwrap_or_else(|| panic!("no {path} {code}"))["ID"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn customer(&self) -> String {
        let body = json!({"Name": "Molenaar Fietsen", "Status": "C", "Email": "o'brien@example.org", "Country": "NL",
            "AddressLine1": "Dijk 12", "Postcode": "1234 AB", "City": "Edam", "PaymentConditionSales": "30"});
        self.post("crm/Accounts", &body).created()["ID"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn item(&self, code: &str) -> String {
        self.ledger.ensure_item(code, "Fietsbel");
        self.key("logistics/Items", code)
    }

    fn order(&self, lines: &Value) -> Reply {
        let customer = self.customer();
        self.post(
            "salesorder/SalesOrders",
            &json!({"OrderedBy": customer, "YourRef": "1001", "SalesOrderLines": lines}),
        )
    }
}

#[test]
fn every_entity_answers_its_list() {
    let bench = Bench::new();
    for entity in schema::schema()
        .entities()
        .iter()
        .filter(|entity| entity.methods.get)
    {
        let path = if entity.path == "current/Me" {
            continue;
        } else {
            entity.path
        };
        let key = entity.property(entity.key).name;
        let mut query = format!("$select={key}");
        if entity.filter == schema::FilterRule::Mandatory {
            query.push_str(&format!(
                "&$filter={key} eq guid'00000000-0000-4000-8000-000000000000'"
            ));
        }
        let item = "guid'00000000-0000-4000-8000-000000000000'";
        query.push_str(&format!(
            "&itemId={item}&accountId={item}&modified=datetime'2026-01-01'"
        ));
        let reply = bench.get(&format!("{path}?{query}"));
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        assert!(
            bench
                .ledger
                .rows(entity.path.rsplit_once('/').unwrap().0, entity.name)
                .is_some()
        );
    }
}

#[test]
fn me_is_answered_in_both_shapes() {
    let bench = Bench::new();
    let token = bench.ledger.credentials().access_token;
    for (query, bare) in [
        ("?$select=CurrentDivision", false),
        ("?Select=CurrentDivision", false),
        ("?%24top=1", true),
    ] {
        let request = Request::get(format!("/api/v1/current/Me{query}"))
            .header("authorization", format!("Bearer {token}"));
        let d = bench.raw(request.body(Body::empty()).unwrap()).json()["d"].clone();
        let first = if bare { &d[0] } else { &d["results"][0] };
        assert_eq!(first["CurrentDivision"], 1_234_567, "{query}");
    }
}

#[test]
fn an_account_is_made_found_and_changed() {
    let bench = Bench::new();
    let id = bench.customer();
    let found = bench
        .get("crm/Accounts?$select=ID,Code,Email,Status&$filter=Email eq 'O''Brien@example.org'")
        .results();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["Code"], "             10000");
    let addresses = bench
        .get(&format!(
            "crm/Addresses?$filter=Account eq guid'{id}'&$select=Type,City,Main"
        ))
        .results();
    assert_eq!(
        (addresses[0]["Type"].as_i64(), addresses[0]["City"].as_str()),
        (Some(1), Some("Edam"))
    );
    let changed = bench.put(
        &format!("crm/Accounts(guid'{id}')"),
        &json!({"Phone": "+31 20 555 0102", "City": "Hoorn"}),
    );
    assert_eq!(
        (changed.status, changed.text.as_str()),
        (StatusCode::NO_CONTENT, "")
    );
    let addresses = bench
        .get(&format!(
            "crm/Addresses?$filter=Account eq guid'{id}'&$select=City"
        ))
        .results();
    assert_eq!(addresses[0]["City"], "Hoorn");
    let twice = bench.put(
        &format!("crm/Accounts(guid'{id}')"),
        &json!({"Code": "10000"}),
    );
    assert_eq!(
        (twice.status.as_u16(), twice.refusal().as_str()),
        (500, "Gegeven bestaat reeds.")
    );
    let whole = bench.get(&format!("crm/Accounts(guid'{id}')")).json()["d"].clone();
    assert_eq!(whole.as_object().unwrap().len(), 165);
    assert_eq!(
        (&whole["Blocked"], &whole["IsSales"], &whole["IsMember"]),
        (&json!(false), &json!(true), &json!(false))
    );
    assert!(
        whole["BankAccounts"]["__deferred"]["uri"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:9/api/v1/1234567/crm/Accounts(guid'")
    );
}

#[test]
fn queries_are_strict() {
    let bench = Bench::new();
    let cases = [
        (
            "crm/Accounts?$select=ID,Name",
            400,
            "This endpoint has mandatory filtering applied.",
        ),
        (
            "crm/Accounts?$select=ID,Nam&$filter=Name eq 'x'",
            400,
            "Could not find a property named 'Nam'",
        ),
        (
            "crm/Accounts?$select=ID&$filter=Remarks eq 'x'",
            400,
            "Filtering on these fields is not supported: Remarks",
        ),
        (
            "crm/Addresses?$filter=Account eq '7'",
            400,
            "Operator 'eq' incompatible with operand types 'System.Guid' and 'System.String'",
        ),
        (
            "logistics/SalesItemPrices",
            400,
            "Please add a $select or a $top=1 statement to the query string.",
        ),
        (
            "vat/VATCodes?$filter=Code eq '4",
            400,
            "Bad Request - Error in query syntax.",
        ),
        (
            "vat/VATCodes?$filter=like(Code,'4')",
            400,
            "Expression of type 'System.Boolean' expected at position 0.",
        ),
        ("vat/VATCodes?$filter=hour(Created) eq 4", 501, "hour"),
        (
            "vat/VATCodes?$frob=1",
            400,
            "Bad Request - Error in query syntax.",
        ),
        (
            "sync/CRM/Accounts?$filter=Code eq '1'&$select=Code",
            400,
            "Filtering on these fields is not supported: Code",
        ),
        ("nothing/Here", 404, "Resource not found"),
        ("salesinvoice/PrintedSalesInvoices", 405, ""),
    ];
    for (path, status, text) in cases {
        let reply = bench.get(path);
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
        assert!(reply.refusal().contains(text), "{path}: {}", reply.text);
        assert!(reply.headers.get("x-ratelimit-limit").is_none());
    }
    let long = bench.get(&format!(
        "vat/VATCodes?$filter=Code eq '{}'",
        "4".repeat(2100)
    ));
    assert_eq!(long.status, StatusCode::NOT_FOUND);
}

#[test]
fn filters_follow_the_dialect() {
    let bench = Bench::new();
    let count = |filter: &str| {
        bench
            .get(&format!("vat/VATCodes?$select=Code&$filter={filter}"))
            .results()
            .len()
    };
    assert_eq!(count("Code eq '4' or Code eq '5' and Type eq 'E'"), 1);
    assert_eq!(count("(Code eq '4' or Code eq '5') and Type eq 'E'"), 1);
    assert_eq!(
        count("Percentage eq 0.21 and VATTransactionType eq 'B' and not (Type eq 'I')"),
        1
    );
    assert_eq!(count("trim(Code) eq '4  '"), 1);
    assert_eq!(count("startswith(Description,'btw hoog')"), 2);
    assert_eq!(
        count(
            "substringof('HOOG',Description) eq true and IsBlocked eq false and VATTransactionType ne 'P'"
        ),
        2
    );
    assert_eq!(
        count("Percentage mul 100 eq 9 and OssCountry eq null and VATTransactionType eq 'B'"),
        2
    );
    assert_eq!(count("-1 lt 0 and Code eq '4'"), 1);
    assert_eq!(
        count("Created ge datetime'2026-01-01T00:00:00' and Code eq '4'"),
        1
    );
}

#[test]
fn pages_follow_next() {
    let bench = Bench::new();
    for number in 0..130 {
        bench.item(&format!("SKU-{number:03}"));
    }
    let mut path = "logistics/Items?$select=Code&$filter=startswith(Code,'SKU') eq true".to_owned();
    let mut codes = Vec::new();
    loop {
        let reply = bench.get(&path);
        let page = reply.results();
        assert!(page.len() <= 60);
        codes.extend(
            page.iter()
                .map(|row| row["Code"].as_str().unwrap().to_owned()),
        );
        let Some(next) = reply.json()["d"]["__next"].as_str().map(str::to_owned) else {
            break;
        };
        path = next
            .strip_prefix("http://127.0.0.1:9/api/v1/1234567/")
            .unwrap()
            .to_owned();
        assert!(path.contains("$skiptoken=guid'"));
    }
    assert_eq!(
        (codes.len(), codes[0].as_str(), codes[129].as_str()),
        (130, "SKU-000", "SKU-129")
    );
    let top = bench
        .get("logistics/Items?$select=Code&$filter=Code eq 'SKU-001'&$top=1")
        .json();
    assert_eq!(top["d"][0]["Code"], "SKU-001");
    let counted = bench
        .get("logistics/Items?$select=*&$filter=Code eq 'SKU-001'&$top=2&$inlinecount=allpages")
        .json();
    assert_eq!(counted["d"]["__count"], "1");
    assert_eq!(
        bench
            .get("logistics/Items/$count?$filter=startswith(Code,'SKU')")
            .text,
        "130"
    );
    let sorted = bench
        .get("logistics/Items?$select=Code&$filter=startswith(Code,'SKU')&$orderby=Code desc")
        .json();
    assert_eq!(sorted["d"]["results"][0]["Code"], "SKU-129");
}

#[test]
fn an_order_is_reckoned_and_guarded() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let lines = json!([
        {"Item": item, "Quantity": 2, "NetPrice": 12.10, "VATCode": "5"},
        {"Item": item, "Quantity": "1", "NetPrice": "24.20", "VATCode": "5  ", "LineNumber": 7},
    ]);
    let order = bench.order(&lines).created();
    assert_eq!(
        (
            &order["AmountFC"],
            &order["AmountFCExclVat"],
            &order["Status"]
        ),
        (&json!(48.4), &json!(40), &json!(12))
    );
    assert_eq!(order["OrderNumber"], 20_260_001);
    assert_eq!(order["OrderedByName"], "Molenaar Fietsen");
    assert!(
        order["DeliveryAddress"].is_string()
            && order["SalesOrderLines"]["__deferred"]["uri"].is_string()
    );
    let id = order["OrderID"].as_str().unwrap();
    let beneath = bench
        .get(&format!(
            "salesorder/SalesOrders(guid'{id}')/SalesOrderLines"
        ))
        .results();
    assert_eq!(
        (
            beneath.len(),
            &beneath[1]["AmountFC"],
            &beneath[1]["VATAmount"]
        ),
        (2, &json!(20), &json!(4.2))
    );
    assert_eq!(beneath[0]["ItemCode"], "BEL-001");
    let stock = bench.get("inventory/ItemWarehouses?$select=CurrentStock,PlannedStockOut,ProjectedStock&$filter=ItemCode eq 'BEL-001'").results();
    assert_eq!(
        (&stock[0]["CurrentStock"], &stock[0]["PlannedStockOut"]),
        (&json!(100), &json!(3))
    );
    let twice = json!({"OrderedBy": order["OrderedBy"], "OrderNumber": 20_260_001, "SalesOrderLines": lines});
    assert_eq!(
        bench.post("salesorder/SalesOrders", &twice).refusal(),
        "Verkoopordernummer: Bestaat reeds"
    );
    let row = &bench.ledger.rows("salesorder", "SalesOrders").unwrap()[0];
    assert_eq!(
        (
            row["OrderDate"].as_str(),
            row["SalesOrderLines"].as_array().unwrap().len()
        ),
        (Some("2026-01-02T00:00:00"), 2)
    );
    let line = beneath[0]["ID"].as_str().unwrap();
    assert_eq!(
        bench
            .put(
                &format!("salesorder/SalesOrderLines(guid'{line}')"),
                &json!({"Quantity": 1})
            )
            .status,
        204
    );
    let again = bench
        .get(&format!(
            "salesorder/SalesOrders(guid'{id}')?$select=AmountFC"
        ))
        .json();
    assert_eq!(again["d"]["AmountFC"], json!(36.3));
    assert_eq!(
        bench
            .call(
                Method::DELETE,
                &format!("salesorder/SalesOrders(guid'{id}')"),
                None
            )
            .status,
        204
    );
    let gone = bench.get("sync/Deleted?$select=EntityKey,EntityType&$filter=Timestamp gt 1L and EntityType eq 32").results();
    assert_eq!(gone[0]["EntityKey"], id);
}

#[test]
fn orders_are_refused_with_reasons() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let missing = bench.post(
        "salesorder/SalesOrders",
        &json!({"SalesOrderLines": [{"Item": item}]}),
    );
    assert_eq!(
        missing.refusal(),
        "Verplicht: Factuur voor\r\nVerplicht: Besteld door"
    );
    let line = |extra: Value| {
        let mut line = json!({"Item": item, "NetPrice": 1, "VATCode": "4"});
        line.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        json!([line])
    };
    let cases = [
        (line(json!({"VATCode": "P21"})), 500, "Ongeldig: BTW-code"),
        (line(json!({"VATCode": "X19"})), 500, "Ongeldig: BTW-code"),
        (
            line(json!({"VATCode": "zz"})),
            500,
            "Ongeldige referentie: BTW-code",
        ),
        (
            line(json!({"VATPercentage": 0.19})),
            500,
            "BTW percentage is niet toegestaan",
        ),
        (line(json!({"Quantity": 1.5})), 500, "Ongeldig: Aantal"),
        (
            line(json!({"Item": "7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a2001"})),
            500,
            "Ongeldige referentie: Artikel",
        ),
        (
            line(json!({"SalesVatCode": "4"})),
            400,
            "The property name 'SalesVatCode' specified for type 'Exact.Web.Api.Models.SalesOrderLine' is not valid.",
        ),
        (json!([]), 500, "Verplicht: Verkooporderregels"),
        (
            json!({"Item": item}),
            400,
            "The request should be a valid top-level resource object.",
        ),
    ];
    for (lines, status, text) in cases {
        let reply = bench.order(&lines);
        assert_eq!(reply.status.as_u16(), status, "{lines}: {}", reply.text);
        assert!(reply.refusal().contains(text), "{lines}: {}", reply.text);
    }
    assert!(
        bench
            .ledger
            .rows("salesorder", "SalesOrders")
            .unwrap()
            .is_empty()
    );
    let prospect = bench
        .post("crm/Accounts", &json!({"Name": "P", "Status": "P"}))
        .created()["ID"]
        .clone();
    let reply = bench.post(
        "salesorder/SalesOrders",
        &json!({"OrderedBy": prospect, "SalesOrderLines": line(json!({}))}),
    );
    assert_eq!(reply.refusal(), "Ongeldig: Klant (Type)");
    let long = bench.post("crm/Accounts", &json!({"Name": "x".repeat(51)}));
    assert!(
        long.refusal().starts_with("Ongeldig: Naam"),
        "{}",
        long.text
    );
}

#[test]
fn an_invoice_is_printed_booked_and_closed() {
    let bench = Bench::new();
    let (customer, item) = (bench.customer(), bench.item("BEL-001"));
    let body = json!({"Journal": "70", "OrderedBy": customer, "YourRef": "WC-10045", "SalesInvoiceLines": [
        {"Item": item, "Quantity": 2, "UnitPrice": 10.00, "Discount": 0.1, "VATCode": "4"}]});
    let invoice = bench.post("salesinvoice/SalesInvoices", &body).created();
    assert_eq!(
        (
            &invoice["AmountFCExclVat"],
            &invoice["VATAmountFC"],
            &invoice["AmountFC"]
        ),
        (&json!(18), &json!(3.78), &json!(21.78))
    );
    assert_eq!(
        (&invoice["Status"], &invoice["InvoiceNumber"]),
        (&json!(20), &Value::Null)
    );
    let id = invoice["InvoiceID"].as_str().unwrap();
    let printed = bench
        .post(
            "salesinvoice/PrintedSalesInvoices",
            &json!({"InvoiceID": id}),
        )
        .created();
    assert_eq!(printed["DocumentCreationSuccess"], "Document created");
    let after = bench
        .get(&format!("salesinvoice/SalesInvoices(guid'{id}')"))
        .json()["d"]
        .clone();
    assert_eq!(
        (&after["Status"], &after["InvoiceNumber"]),
        (&json!(50), &json!(26_700_001))
    );
    let refused = bench.put(
        &format!("salesinvoice/SalesInvoices(guid'{id}')"),
        &json!({"Remarks": "x"}),
    );
    assert_eq!(refused.refusal(), "Reeds verwerkt");
    let due = bench.get("cashflow/Receivables?$select=AmountFC,IsFullyPaid,YourRef&$filter=YourRef eq 'WC-10045'").results();
    assert_eq!(
        (&due[0]["AmountFC"], &due[0]["IsFullyPaid"]),
        (&json!(21.78), &json!(false))
    );
    let booked: rust_decimal::Decimal = bench
        .ledger
        .rows("financialtransaction", "TransactionLines")
        .unwrap()
        .iter()
        .map(|line| {
            line["AmountFC"]
                .to_string()
                .parse::<rust_decimal::Decimal>()
                .unwrap()
        })
        .sum();
    assert!(booked.is_zero());
    let bank = json!({"JournalCode": "20", "BankEntryLines": [{"AmountFC": 21.78, "Account": customer,
        "GLAccount": bench.key("financial/GLAccounts", "1300"), "Description": "26700001"}]});
    assert_eq!(
        bench
            .post("financialtransaction/BankEntries", &bank)
            .created()["ClosingBalanceFC"],
        json!(21.78)
    );
    assert_eq!(
        bench.ledger.rows("cashflow", "Receivables").unwrap()[0]["IsFullyPaid"],
        true
    );
    let direct = json!({"Journal": "70", "Type": 8023, "OrderedBy": customer, "SalesInvoiceLines": [{"Item": item}]});
    assert_eq!(
        bench.post("salesinvoice/SalesInvoices", &direct).refusal(),
        "Verplicht: Magazijn"
    );
    let journal = json!({"Journal": "20", "OrderedBy": customer, "SalesInvoiceLines": [{"Item": item, "NetPrice": 1}]});
    assert_eq!(
        bench.post("salesinvoice/SalesInvoices", &journal).refusal(),
        "Ongeldig: Dagboek"
    );
}

#[test]
fn an_entry_is_booked_and_its_tax_may_be_given() {
    let bench = Bench::new();
    let (customer, account) = (bench.customer(), bench.key("financial/GLAccounts", "8000"));
    let body = |line: Value| json!({"Customer": customer, "Journal": "70", "EntryDate": "2026-01-02", "SalesEntryLines": [line]});
    let entry = bench
        .post(
            "salesentry/SalesEntries",
            &body(json!({"GLAccount": account, "AmountFC": 40.00, "VATCode": "4"})),
        )
        .created();
    assert_eq!(
        (&entry["AmountFC"], &entry["VATAmountFC"], &entry["Type"]),
        (&json!(48.4), &json!(8.4), &json!(20))
    );
    assert_eq!(
        (&entry["ReportingPeriod"], &entry["DueDate"]),
        (&json!(1), &json!("/Date(1769904000000)/"))
    );
    let given =
        body(json!({"GLAccount": account, "AmountFC": -40, "VATCode": "4", "VATAmountFC": -8.41}));
    let credit = bench.post("salesentry/SalesEntries", &given).created();
    assert_eq!(
        (&credit["AmountFC"], &credit["Type"]),
        (&json!(-48.41), &json!(21))
    );
    let wrong =
        body(json!({"GLAccount": bench.key("financial/GLAccounts", "1300"), "AmountFC": 1}));
    assert_eq!(
        bench.post("salesentry/SalesEntries", &wrong).refusal(),
        "Ongeldig: Grootboekrekeningtype"
    );
    let mut closed = body(json!({"GLAccount": account, "AmountFC": 1}));
    closed["EntryDate"] = json!("2024-03-05");
    assert_eq!(
        bench.post("salesentry/SalesEntries", &closed).refusal(),
        "Periode is afgesloten: 2024 - 3"
    );
    let costs = body(
        json!({"GLAccount": bench.key("financial/GLAccounts", "8090"), "AmountFC": 1, "VATCode": "4"}),
    );
    assert_eq!(
        bench.post("salesentry/SalesEntries", &costs).refusal(),
        "Verplicht: Kostenplaats"
    );
    let id = entry["EntryID"].as_str().unwrap();
    let line = bench
        .get(&format!(
            "salesentry/SalesEntries(guid'{id}')/SalesEntryLines"
        ))
        .results()[0]["ID"]
        .clone();
    let line = line.as_str().unwrap();
    assert_eq!(
        bench
            .call(
                Method::DELETE,
                &format!("salesentry/SalesEntryLines(guid'{line}')"),
                None
            )
            .status,
        204
    );
    assert_eq!(
        bench
            .get(&format!("salesentry/SalesEntries(guid'{id}')"))
            .status,
        404
    );
}

#[test]
fn goods_are_delivered_and_invoiced() {
    let bench = Bench::new();
    let item = bench.item("BEL-001");
    let order = bench
        .order(&json!([{"Item": item, "Quantity": 3, "NetPrice": 10, "VATCode": "4"}]))
        .created();
    let id = order["OrderID"].as_str().unwrap();
    let line = bench
        .get(&format!(
            "salesorder/SalesOrders(guid'{id}')/SalesOrderLines"
        ))
        .results()[0]["ID"]
        .clone();
    let deliver = |quantity: i64| {
        let lines = json!([{"SalesOrderLineID": line, "QuantityDelivered": quantity}]);
        bench.post("salesorder/GoodsDeliveries", &json!({"DeliveryDate": "2026-01-03", "TrackingNumber": "3S1", "GoodsDeliveryLines": lines}))
    };
    deliver(1).created();
    assert_eq!(deliver(3).refusal(), "Ongeldig: Aantal");
    let status = || {
        bench
            .get(&format!("salesorder/SalesOrders(guid'{id}')"))
            .json()["d"]
            .clone()
    };
    assert_eq!(
        (&status()["DeliveryStatus"], &status()["Status"]),
        (&json!(20), &json!(20))
    );
    deliver(2).created();
    assert_eq!(
        (&status()["DeliveryStatus"], &status()["InvoiceStatus"]),
        (&json!(21), &json!(12))
    );
    let made = json!({"JournalCode": "70", "CreateMode": 1, "InvoiceMode": 1, "SalesOrderIDs": [{"ID": id}]});
    assert_eq!(
        bench
            .post("salesinvoice/InvoiceSalesOrders", &made)
            .created()["NumberOfCreatedInvoices"],
        1
    );
    assert_eq!(status()["Status"], 21);
    assert_eq!(
        bench
            .put(
                &format!("salesorder/SalesOrders(guid'{id}')"),
                &json!({"Remarks": "x"})
            )
            .refusal(),
        "Reeds verwerkt"
    );
    let stock = bench.get("sync/Inventory/StockPositions?$select=Timestamp,ItemCode,CurrentStock,PlanningOut&$filter=Timestamp gt 1").results();
    let stock = stock
        .iter()
        .find(|row| row["ItemCode"] == "BEL-001")
        .unwrap();
    assert_eq!(
        (&stock["CurrentStock"], &stock["PlanningOut"]),
        (&json!(97), &json!(0))
    );
    assert!(stock["Timestamp"].is_string());
    let mixed = bench.get("sync/SalesInvoice/SalesInvoices?$select=Timestamp,LineNumber,InvoiceID,ItemCode&$filter=Timestamp gt 1L").results();
    assert_eq!(
        (mixed.len(), &mixed[0]["LineNumber"].as_i64().is_some()),
        (2, &true)
    );
}

#[test]
fn the_limit_answers_429_with_its_own_headers() {
    let bench = Bench::with(Limits::Custom {
        minute: 2,
        day: 100,
    });
    let first = bench.get("vat/VATCodes?$select=Code&$top=1");
    for name in [
        "limit",
        "remaining",
        "reset",
        "minutely-limit",
        "minutely-remaining",
        "minutely-reset",
    ] {
        assert!(
            first.headers.contains_key(format!("x-ratelimit-{name}")),
            "{name}"
        );
    }
    bench.get("vat/VATCodes?$select=Code&$top=1");
    let third = bench.get("vat/VATCodes?$select=Code&$top=1");
    assert_eq!((third.status.as_u16(), third.text.as_str()), (429, ""));
    assert!(
        third.headers.contains_key("x-ratelimit-minutely-reset")
            && !third.headers.contains_key("x-ratelimit-limit")
    );
    bench.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(bench.get("vat/VATCodes?$select=Code&$top=1").status, 200);
    bench.ledger.exhaust_day();
    assert_eq!(bench.get("vat/VATCodes?$select=Code&$top=1").status, 429);
}

#[test]
fn callers_log_in() {
    let bench = Bench::new();
    let known = bench.ledger.credentials();
    let send = |body: String, header: Option<&str>| {
        let mut request = Request::post("/api/oauth2/token");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        bench.raw(request.body(Body::from(body)).unwrap())
    };
    let refresh = format!(
        "grant_type=refresh_token&refresh_token={}&client_id={}&client_secret={}",
        known.refresh_token.replace('!', "%21"),
        known.client_id,
        known.client_secret,
    );
    let early = send(refresh.clone(), None);
    assert_eq!(
        (early.status.as_u16(), early.json()["error"].as_str()),
        (400, Some("access_denied"))
    );
    assert!(
        early.headers["reason"]
            .to_str()
            .unwrap()
            .starts_with("TooEarlyToRefreshTokens")
    );
    assert_eq!(send(refresh.clone(), Some("Bearer x")).status, 401);
    bench.clock.advance(jiff::SignedDuration::from_secs(601));
    assert_eq!(bench.get("vat/VATCodes?$select=Code").status, 401);
    assert_eq!(send(refresh, None).json()["expires_in"], "600");
    let address = format!(
        "/api/oauth2/auth?client_id={}&redirect_uri=http%3A%2F%2Flocalhost%2Fback&response_type=code&state=s",
        known.client_id
    );
    let sent = bench.raw(Request::get(address).body(Body::empty()).unwrap());
    assert_eq!(sent.status, 302);
    let location = url::Url::parse(sent.headers["location"].to_str().unwrap()).unwrap();
    let code = location
        .query_pairs()
        .find(|pair| pair.0 == "code")
        .unwrap()
        .1
        .into_owned();
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD
        .encode(format!("{}:{}", known.client_id, known.client_secret));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri=http%3A%2F%2Flocalhost%2Fback",
        code.replace('!', "%21")
    );
    assert_eq!(
        send(form.clone(), Some(&format!("Basic {basic}"))).status,
        200
    );
    assert_eq!(send(form, Some(&format!("Basic {basic}"))).status, 400);
}

#[test]
fn subscribers_are_told() {
    let bench = Bench::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    bench
        .ledger
        .on_change(move |event| ears.lock().unwrap().push(event.clone()));
    let body = json!({"CallbackURL": "http://127.0.0.1:7/hook", "Topic": "Accounts"});
    bench.post("webhooks/WebhookSubscriptions", &body).created();
    assert!(
        matches!(&heard.lock().unwrap()[0], Event::Subscribed { url, .. } if url.ends_with("/hook"))
    );
    assert_eq!(
        bench.post("webhooks/WebhookSubscriptions", &body).refusal(),
        "Gegeven bestaat reeds."
    );
    bench.customer();
    let change = heard.lock().unwrap().iter().find_map(|event| match event {
        Event::Changed(change) => Some(*change),
        Event::Subscribed { .. } => None,
    });
    let sent = bench.ledger.deliveries(&change.unwrap());
    let value: Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!(
        (&value["Content"]["Topic"], &value["Content"]["Action"]),
        (&json!("Accounts"), &json!("Create"))
    );
}

#[test]
fn people_write_what_programs_may_not() {
    let bench = Bench::new();
    let item =
        json!({"Code": "NEW-1", "Description": "Nieuw", "SalesVatCode": "5", "ItemGroup": "WEB"});
    let key = bench.ledger.set_row("logistics", "Items", &item).unwrap();
    let again = bench
        .ledger
        .set_row(
            "logistics",
            "Items",
            &json!({"Code": "new-1", "Description": "Nieuwer"}),
        )
        .unwrap();
    assert_eq!(key, again);
    let stock = json!({"Item": "NEW-1", "Warehouse": "2", "CurrentStock": 7});
    bench
        .ledger
        .set_row("inventory", "ItemWarehouses", &stock)
        .unwrap();
    let seen = bench.get("logistics/Items?$select=Description,Stock,GLRevenue,ItemGroupCode&$filter=Code eq 'NEW-1'").results();
    assert_eq!(
        (
            &seen[0]["Description"],
            &seen[0]["Stock"],
            &seen[0]["ItemGroupCode"]
        ),
        (&json!("Nieuwer"), &json!(7), &json!("WEB"))
    );
    let order = json!({"OrderedBy": "9999", "YourRef": "2001", "SalesOrderLines": [{"Item": "NEW-1", "Quantity": 1, "NetPrice": 5}]});
    let id = bench
        .ledger
        .set_row("salesorder", "SalesOrders", &order)
        .unwrap();
    bench
        .ledger
        .set_row(
            "salesorder",
            "SalesOrders",
            &json!({"OrderID": id, "DeliveryStatus": 21}),
        )
        .unwrap();
    let rows = bench.ledger.rows("salesorder", "SalesOrders").unwrap();
    assert_eq!(
        (&rows[0]["DeliveryStatus"], &rows[0]["Status"]),
        (&json!(21), &json!(20))
    );
    assert!(
        bench
            .ledger
            .set_row("crm", "Accounts", &json!({"Nme": "x"}))
            .is_err()
    );
}

#[test]
fn paths_name_their_resource() {
    for (path, resource) in [
        (
            "/api/v1/1234567/salesorder/SalesOrders(guid'x')",
            "salesorder/SalesOrders",
        ),
        ("/api/v1/1/crm/Accounts/$count", "crm/Accounts"),
        ("/api/v1/current/Me", "current/Me"),
        ("/api/oauth2/token", "oauth2/token"),
    ] {
        assert_eq!(resource_of(path), resource);
    }
}
