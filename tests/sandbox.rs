//! The sandbox misbehaves as it is told: `tests/sandbox/cases` holds what is set up, asked and answered. See its README.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use flowc::sandbox::{Limits, Options, Setup, start};
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox").join(name)
}

/// An answer as a case looks at it.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The ids of its rows, or of the one record.
    fn ids(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        let inner = value.get("d").unwrap_or(&value);
        let rows = inner.get("results").unwrap_or(inner);
        let id = |row: &Value| {
            let id = row.get("id").or_else(|| row.get("ID")).unwrap_or(&Value::Null);
            id.as_str().map_or_else(
                || id.to_string(),
                |text| text.trim_start_matches("00000000-0000-4000-8000-").trim_start_matches('0').to_owned(),
            )
        };
        match rows {
            Value::Array(rows) => rows.iter().map(id).collect::<Vec<_>>().join(" "),
            one => id(one),
        }
    }
}

/// The sandbox of one case.
struct Bench {
    http: reqwest::Client,
    line: Value,
    login: String,
    /// The content type of a body.
    kind: String,
}

impl Bench {
    fn new(line: Value) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Bench { http, line, login: "query".to_owned(), kind: "application/json".to_owned() }
    }

    fn text(&self, system: &str, name: &str) -> &str {
        self.line[system][name].as_str().unwrap()
    }

    async fn order(&self, method: reqwest::Method, path: &str, body: &str) {
        let address = format!("{}{path}", self.text("control", "url"));
        let answer = self.http.request(method, address).body(body.to_owned()).send().await.unwrap();
        assert!(answer.status().is_success(), "{body}: {}", answer.text().await.unwrap());
    }

    async fn ask(&self, request: &str) -> Answer {
        let (method, rest) = request.split_once(' ').unwrap();
        let (address, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let method: reqwest::Method = method.parse().unwrap();
        let mut call = if let Some(path) = address.strip_prefix("ledger/") {
            let address = format!("{}/api/v1/{}/{path}", self.text("ledger", "url"), self.line["ledger"]["division"]);
            self.http
                .request(method, address)
                .bearer_auth(self.text("ledger", "access_token"))
                .header("Accept", "application/json")
        } else {
            let path = if address.starts_with('/') { address.to_owned() } else { format!("/wp-json/wc/v3/{address}") };
            self.logged_in(method, &format!("{}{path}", self.text("shop", "url")))
        };
        if !body.is_empty() {
            call = call.header("Content-Type", &self.kind).body(body.to_owned());
        }
        let answer = call.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    fn logged_in(&self, method: reqwest::Method, address: &str) -> reqwest::RequestBuilder {
        let (key, secret) = (self.text("shop", "key"), self.text("shop", "secret"));
        let mut call = self.http.request(method, address);
        for way in self.login.split_whitespace() {
            call = match way {
                "query" => call.query(&[("consumer_key", key), ("consumer_secret", secret)]),
                "wrong-secret" => call.query(&[("consumer_key", key), ("consumer_secret", "cs_wrong")]),
                "basic" => call.basic_auth(key, Some(secret)),
                "staging" => call.basic_auth("staging", Some("door")),
                "nobody" => call,
                other => panic!("`as {other}` is no way in"),
            };
        }
        call
    }
}

/// Whether an answer is as a line says.
fn holds(expected: &str, answer: &Answer) -> bool {
    let (word, rest) = expected.split_once(' ').unwrap_or((expected, ""));
    match word {
        "status" => answer.status.to_string() == rest,
        "ids" => answer.ids() == rest,
        "says" => answer.text().contains(rest),
        "begins" => answer.text().starts_with(rest),
        "ends" => answer.text().ends_with(rest),
        "no" if rest == "json" => serde_json::from_slice::<Value>(&answer.body).is_err(),
        "no" if rest == "utf-8" => std::str::from_utf8(&answer.body).is_err(),
        "no" => !answer.headers.contains_key(rest),
        header if header.ends_with(':') => {
            answer.headers.get(header.trim_end_matches(':')).and_then(|value| value.to_str().ok()) == Some(rest)
        }
        _ => panic!("`{expected}` says nothing of an answer"),
    }
}

fn options() -> Options {
    Options {
        shop_data: Some(folder("shop")),
        ledger_data: Some(folder("ledger")),
        limits: Limits::Off,
        server: Setup { https: Some(true), ..Setup::default() },
        ..Options::default()
    }
}

/// Runs one case: its lines in their order, each answer against the lines beneath its request.
async fn run(case: &Path) -> Vec<String> {
    let running = start(options()).await.unwrap();
    let mut bench = Bench::new(running.first_line());
    let mut faults: Vec<Value> = Vec::new();
    let mut last: Option<Answer> = None;
    let mut wrong = Vec::new();
    let name = case.file_name().unwrap().to_string_lossy().into_owned();
    for (at, line) in std::fs::read_to_string(case).unwrap().lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" if !rest.is_empty() => {
                let answer = last.as_ref().expect("an expectation stands beneath a request");
                if !holds(rest.trim(), answer) {
                    let (status, text) = (answer.status, answer.text());
                    let told: String = text.chars().take(400).collect();
                    wrong.push(format!(
                        "{name}:{}: {}\n    {status} {:?}\n    {told}",
                        at + 1,
                        rest.trim(),
                        answer.headers
                    ));
                }
            }
            "" | "#" => {}
            "server" => bench.order(reqwest::Method::POST, "/shop/server", rest).await,
            "fault" => {
                faults.push(serde_json::from_str(rest).unwrap());
                bench.order(reqwest::Method::PUT, "/faults", &json!(faults).to_string()).await;
            }
            "calm" => {
                faults.clear();
                bench.order(reqwest::Method::PUT, "/faults", "[]").await;
            }
            "as" => rest.clone_into(&mut bench.login),
            "kind" => rest.clone_into(&mut bench.kind),
            _ => last = Some(bench.ask(line).await),
        }
    }
    running.stop().await;
    wrong
}

#[tokio::test]
async fn a_webhook_is_pinged_within_the_call_that_makes_it() {
    let heard: Arc<Mutex<Vec<(HeaderMap, String)>>> = Arc::default();
    let ears = Arc::clone(&heard);
    let router = axum::Router::new().fallback(move |headers: HeaderMap, body: String| {
        let ears = Arc::clone(&ears);
        async move { ears.lock().unwrap().push((headers, body)) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let listening = tokio::spawn(async move { axum::serve(listener, router).await });
    let running = start(options()).await.unwrap();
    let bench = Bench::new(running.first_line());
    let hook = json!({"topic": "order.updated", "delivery_url": format!("{address}/a"), "secret": "s"});
    let made = bench.ask(&format!("POST webhooks {hook}")).await;
    assert_eq!(made.status, 201);
    {
        let heard = heard.lock().unwrap();
        let (headers, body) = &heard[0];
        assert_eq!((heard.len(), body.as_str()), (1, "webhook_id=1"));
        assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
        assert!(headers.keys().all(|name| !name.as_str().starts_with("x-wc-")), "{headers:?}");
    }
    let moved = json!({"delivery_url": format!("{address}/b")});
    assert_eq!(bench.ask(&format!("PUT webhooks/1 {moved}")).await.status, 200);
    assert_eq!(heard.lock().unwrap().len(), 2, "a new address is pinged too");
    assert_eq!(bench.ask(r#"PUT webhooks/1 {"name":"n"}"#).await.status, 200);
    assert_eq!(heard.lock().unwrap().len(), 2, "and nothing else is");
    // Nobody listens there: the webhook is made all the same.
    listening.abort();
    let hook = json!({"topic": "order.updated", "delivery_url": "http://127.0.0.1:9/"});
    let made = bench.ask(&format!("POST webhooks {hook}")).await;
    assert!(made.status == 201 && made.text().contains(r#""status":"active""#), "{}", made.text());
    running.stop().await;
}

#[tokio::test]
async fn every_case_is_answered_as_it_says() {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder("cases")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 5, "the cases are there");
    let mut wrong = Vec::new();
    for case in &cases {
        wrong.extend(run(case).await);
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}
