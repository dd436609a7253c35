//! What is asked of the API, and who is let in.

use base64::Engine;

use super::*;

#[test]
fn every_entity_answers_its_list() {
    let bench = Bench::new();
    let item = "guid'00000000-0000-4000-8000-000000000000'";
    for entity in schema::schema().entities().iter().filter(|entity| entity.methods.get) {
        let path = if entity.path == "current/Me" {
            continue;
        } else {
            entity.path
        };
        let key = entity.property(entity.key).name;
        let mut query = format!("$select={key}");
        if entity.filter == schema::FilterRule::Mandatory {
            query = format!("{query}&$filter={key} eq {item}");
        }
        query = format!("{query}&itemId={item}&accountId={item}&modified=datetime'2026-01-01'");
        let reply = bench.get(&format!("{path}?{query}"));
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text);
        assert!(bench.ledger.rows(entity.path.rsplit_once('/').unwrap().0, entity.name).is_some());
    }
}

#[test]
fn me_is_answered_in_both_shapes() {
    let bench = Bench::new();
    let token = bench.ledger.credentials().access_token;
    for (query, bare) in [("?$select=CurrentDivision", false), ("?Select=CurrentDivision", false), ("?%24top=1", true)]
    {
        let request = Request::get(format!("/api/v1/current/Me{query}"))
            .header("accept", "application/json")
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
    let found =
        bench.get("crm/Accounts?$select=ID,Code,Email,Status&$filter=Email eq 'O''Brien@example.org'").results();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["Code"], "             10000");
    let addresses = bench.get(&format!("crm/Addresses?$filter=Account eq guid'{id}'&$select=Type,City,Main")).results();
    assert_eq!((addresses[0]["Type"].as_i64(), addresses[0]["City"].as_str()), (Some(1), Some("Edam")));
    let changed =
        bench.put(&format!("crm/Accounts(guid'{id}')"), &json!({"Phone": "+31 20 555 0102", "City": "Hoorn"}));
    assert_eq!((changed.status, changed.text.as_str()), (StatusCode::NO_CONTENT, ""));
    let addresses = bench.get(&format!("crm/Addresses?$filter=Account eq guid'{id}'&$select=City")).results();
    assert_eq!(addresses[0]["City"], "Hoorn");
    let twice = bench.put(&format!("crm/Accounts(guid'{id}')"), &json!({"Code": "10000"}));
    assert_eq!((twice.status.as_u16(), twice.refusal().as_str()), (500, "Gegeven bestaat reeds."));
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
        ("crm/Accounts?$select=ID,Name", 400, "This endpoint has mandatory filtering applied."),
        ("crm/Accounts?$select=ID,Nam&$filter=Name eq 'x'", 400, "Could not find a property named 'Nam'"),
        ("crm/Accounts?$select=ID&$filter=Remarks eq 'x'", 400, "Filtering on these fields is not supported: Remarks"),
        (
            "crm/Addresses?$filter=Account eq '7'",
            400,
            "Operator 'eq' incompatible with operand types 'System.Guid' and 'System.String'",
        ),
        ("logistics/SalesItemPrices", 400, "Please add a $select or a $top=1 statement to the query string."),
        ("vat/VATCodes?$filter=Code eq '4", 400, "Bad Request - Error in query syntax."),
        ("vat/VATCodes?$filter=like(Code,'4')", 400, "Expression of type 'System.Boolean' expected at position 0."),
        ("vat/VATCodes?$filter=hour(Created) eq 4", 501, "hour"),
        ("vat/VATCodes?$frob=1", 400, "Bad Request - Error in query syntax."),
        ("sync/CRM/Accounts?$filter=Code eq '1'&$select=Code", 400, "Filtering on these fields is not supported: Code"),
        ("nothing/Here", 404, "Resource not found"),
        ("salesinvoice/PrintedSalesInvoices", 405, ""),
    ];
    for (path, status, text) in cases {
        let reply = bench.get(path);
        assert_eq!(reply.status.as_u16(), status, "{path}: {}", reply.text);
        assert!(reply.refusal().contains(text), "{path}: {}", reply.text);
        assert!(reply.headers.get("x-ratelimit-limit").is_none());
    }
    let long = bench.get(&format!("vat/VATCodes?$filter=Code eq '{}'", "4".repeat(2100)));
    assert_eq!(long.status, StatusCode::NOT_FOUND);
}

#[test]
fn filters_follow_the_dialect() {
    let bench = Bench::new();
    let count = |filter: &str| bench.get(&format!("vat/VATCodes?$select=Code&$filter={filter}")).results().len();
    assert_eq!(count("Code eq '4' or Code eq '5' and Type eq 'E'"), 1);
    assert_eq!(count("(Code eq '4' or Code eq '5') and Type eq 'E'"), 1);
    assert_eq!(count("Percentage eq 0.21 and VATTransactionType eq 'B' and not (Type eq 'I')"), 1);
    assert_eq!(count("trim(Code) eq '4  '"), 1);
    assert_eq!(count("startswith(Description,'btw hoog')"), 2);
    assert_eq!(
        count("substringof('HOOG',Description) eq true and IsBlocked eq false and VATTransactionType ne 'P'"),
        2
    );
    assert_eq!(count("Percentage mul 100 eq 9 and OssCountry eq null and VATTransactionType eq 'B'"), 2);
    assert_eq!(count("-1 lt 0 and Code eq '4'"), 1);
    assert_eq!(count("Created ge datetime'2026-01-01T00:00:00' and Code eq '4'"), 1);
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
        codes.extend(page.iter().map(|row| row["Code"].as_str().unwrap().to_owned()));
        let Some(next) = reply.json()["d"]["__next"].as_str().map(str::to_owned) else {
            break;
        };
        path = next.strip_prefix("http://127.0.0.1:9/api/v1/1234567/").unwrap().to_owned();
        assert!(path.contains("$skiptoken=guid'"));
    }
    assert_eq!((codes.len(), codes[0].as_str(), codes[129].as_str()), (130, "SKU-000", "SKU-129"));
    let top = bench.get("logistics/Items?$select=Code&$filter=Code eq 'SKU-001'&$top=1").json();
    assert_eq!(top["d"][0]["Code"], "SKU-001");
    let counted = bench.get("logistics/Items?$select=*&$filter=Code eq 'SKU-001'&$top=2&$inlinecount=allpages").json();
    assert_eq!(counted["d"]["__count"], "1");
    assert_eq!(bench.get("logistics/Items/$count?$filter=startswith(Code,'SKU')").text, "130");
    let sorted = bench.get("logistics/Items?$select=Code&$filter=startswith(Code,'SKU')&$orderby=Code desc").json();
    assert_eq!(sorted["d"]["results"][0]["Code"], "SKU-129");
}

#[test]
fn the_limit_answers_429_with_its_own_headers() {
    let bench = Bench::with(Limits::Custom { minute: 2, day: 100 });
    let first = bench.get("vat/VATCodes?$select=Code&$top=1");
    for name in ["limit", "remaining", "reset", "minutely-limit", "minutely-remaining", "minutely-reset"] {
        assert!(first.headers.contains_key(format!("x-ratelimit-{name}")), "{name}");
    }
    bench.get("vat/VATCodes?$select=Code&$top=1");
    let third = bench.get("vat/VATCodes?$select=Code&$top=1");
    assert_eq!((third.status.as_u16(), third.text.as_str()), (429, ""));
    assert!(
        third.headers.contains_key("x-ratelimit-minutely-reset") && !third.headers.contains_key("x-ratelimit-limit")
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
    assert_eq!((early.status.as_u16(), early.json()["error"].as_str()), (400, Some("access_denied")));
    assert!(early.headers["reason"].to_str().unwrap().starts_with("TooEarlyToRefreshTokens"));
    assert_eq!(send(refresh.clone(), Some("Bearer x")).status, 401);
    bench.clock.advance(jiff::SignedDuration::from_secs(601));
    assert_eq!(bench.get("vat/VATCodes?$select=Code").status, 401);
    assert_eq!(send(refresh, None).json()["expires_in"], "600");
    let address = format!(
        "/api/oauth2/auth?client_id={}&redirect_uri=http%3A%2F%2Flocalhost%2Fback&response_type=code&state=s",
        known.client_id
    );
    let back = bench.raw(Request::get(address).body(Body::empty()).unwrap());
    assert_eq!(back.status, 302);
    let location = url::Url::parse(back.headers["location"].to_str().unwrap()).unwrap();
    let code = location.query_pairs().find(|pair| pair.0 == "code").unwrap().1.into_owned();
    let basic =
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", known.client_id, known.client_secret));
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri=http%3A%2F%2Flocalhost%2Fback",
        code.replace('!', "%21")
    );
    assert_eq!(send(form.clone(), Some(&format!("Basic {basic}"))).status, 200);
    assert_eq!(send(form, Some(&format!("Basic {basic}"))).status, 400);
}

#[test]
fn subscribers_are_told() {
    let bench = Bench::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    bench.ledger.on_change(move |event| ears.lock().unwrap().push(event.clone()));
    let body = json!({"CallbackURL": "http://127.0.0.1:7/hook", "Topic": "Accounts"});
    bench.post("webhooks/WebhookSubscriptions", &body).created();
    assert!(matches!(&heard.lock().unwrap()[0], Event::Subscribed { url, .. } if url.ends_with("/hook")));
    assert_eq!(bench.post("webhooks/WebhookSubscriptions", &body).refusal(), "Gegeven bestaat reeds.");
    bench.customer();
    let change = heard.lock().unwrap().iter().find_map(|event| match event {
        Event::Changed(change) => Some(*change),
        Event::Subscribed { .. } => None,
    });
    let sent = bench.ledger.deliveries(&change.unwrap());
    let value: Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!((&value["Content"]["Topic"], &value["Content"]["Action"]), (&json!("Accounts"), &json!("Create")));
    let client = format!("{{{}}}", bench.ledger.credentials().client_id);
    assert_eq!(value["Content"]["ClientId"], client, "of all guids this one stands in braces");
    assert!(!value["Content"]["Key"].as_str().unwrap().contains('{'));
}

#[test]
fn a_sorted_page_goes_on_behind_a_row_that_has_gone() {
    let bench = Bench::new();
    for number in 0..70 {
        bench.item(&format!("SKU-{number:03}"));
    }
    let sorted = "logistics/Items?$select=ID,Code&$filter=startswith(Code,'SKU') eq true&$orderby=Code desc";
    let first = bench.get(sorted);
    let last = first.results()[59].clone();
    let id = last["ID"].as_str().unwrap();
    assert_eq!(bench.call(Method::DELETE, &format!("logistics/Items(guid'{id}')"), None).status, 204);
    let next = first.json()["d"]["__next"].as_str().unwrap().to_owned();
    let rest = bench.get(next.strip_prefix("http://127.0.0.1:9/api/v1/1234567/").unwrap()).results();
    assert_eq!((rest.len(), &rest[0]["Code"]), (10, &json!("SKU-009")));
}

#[test]
fn a_token_that_is_none_never_begins_anew() {
    let bench = Bench::new();
    bench.item("SKU");
    for path in [
        "sync/Logistics/Items?$select=ID,Timestamp&$filter=Timestamp gt 1L&$skiptoken=x",
        "logistics/Items?$select=ID&$filter=Code eq 'SKU'&$skiptoken=x",
        "logistics/Items?$select=ID&$filter=Code eq 'SKU'&$skiptoken=guid'00000000-0000-4000-8000-000000000000'",
    ] {
        assert_eq!(
            (bench.get(path).status.as_u16(), bench.get(path).refusal().as_str()),
            (400, "Bad Request - Error in query syntax.")
        );
    }
}

#[test]
fn a_login_that_is_refused_counts_as_an_error() {
    let bench = Bench::with(Limits::Real);
    let bad = || {
        let request = Request::get("/api/v1/1234567/crm/Contacts?$select=ID").header("authorization", "Bearer no");
        bench.raw(request.body(Body::empty()).unwrap()).status
    };
    for _ in 0..11 {
        assert_eq!(bad(), 401);
    }
    assert_eq!(bench.get("crm/Contacts?$select=ID").status, 429);
    assert_eq!(bench.get("vat/VATCodes?$select=Code&$top=1").status, 200);
}

#[test]
fn paths_name_their_resource() {
    for (path, resource) in [
        ("/api/v1/1234567/salesorder/SalesOrders(guid'x')", "salesorder/SalesOrders"),
        ("/api/v1/1/crm/Accounts/$count", "crm/Accounts"),
        ("/api/v1/current/Me", "current/Me"),
        ("/api/oauth2/token", "oauth2/token"),
    ] {
        assert_eq!(resource_of(path), resource);
    }
}

#[test]
fn vat_codes_are_short_and_each_is_one() {
    let bench = Bench::new();
    let rows = bench.ledger.rows("vat", "VATCodes").unwrap();
    let mut codes: Vec<_> = rows.iter().map(|row| row["Code"].as_str().unwrap().to_owned()).collect();
    assert!(codes.iter().all(|code| code.len() <= 3));
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), rows.len());
    let one = |country: &str, fraction: &str, kind: &str| {
        let found = rows.iter().filter(|row| {
            let rate = row["Percentage"] == serde_json::from_str::<Value>(fraction).unwrap();
            rate && row["OssCountry"] == country && row["Type"] == kind
        });
        assert_eq!(found.count(), 1, "{country} {fraction} {kind}");
    };
    for kind in ["I", "E"] {
        for (country, fraction) in [("DE", "0.19"), ("FI", "0.255"), ("FR", "0.055"), ("ES", "0.04"), ("XI", "0.2")] {
            one(country, fraction, kind);
        }
    }
}

#[test]
fn who_does_not_ask_for_json_gets_atom() {
    let bench = Bench::new();
    for (accept, json) in [(None, false), (Some("*/*"), false), (Some("application/json;odata=verbose"), true)] {
        let mut request = Request::builder()
            .uri("/api/v1/1234567/logistics/Units?$select=Code&$top=1")
            .header("authorization", format!("Bearer {}", bench.ledger.credentials().access_token));
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let reply = bench.raw(request.body(Body::empty()).unwrap());
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.text.starts_with('{'), json, "{accept:?}: {}", reply.text);
        assert_eq!(reply.headers["content-type"].to_str().unwrap().contains("atom"), !json);
    }
}

#[test]
fn only_deliveries_are_notified_at_once() {
    let bench = Bench::new();
    let asked = |topic: &str| {
        let body = json!({"CallbackURL": "https://example.org/hook", "Topic": topic, "IsInstant": true});
        bench.post("webhooks/WebhookSubscriptions", &body).status
    };
    assert_eq!(asked("Items"), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(asked("GoodsDeliveries"), StatusCode::CREATED);
}
