//! Calls of the whole API, through its router.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use super::*;

mod books;
mod door;
mod money;

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
        self.json()["error"]["message"]["value"].as_str().unwrap_or_default().to_owned()
    }

    fn created(&self) -> Value {
        assert_eq!(self.status, StatusCode::CREATED, "{}", self.text);
        self.json()["d"].clone()
    }

    fn results(&self) -> Vec<Value> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        self.json()["d"]["results"].as_array().cloned().unwrap_or_default()
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(Limits::Off)
    }

    fn with(limits: Limits) -> Self {
        let clock = Clock::new("2026-01-02T09:00:00Z".parse().unwrap(), 0);
        let ledger = Ledger::new(clock.clone(), Config { limits, ..Config::default() });
        Self { ledger, clock }
    }

    fn raw(&self, request: Request<Body>) -> Reply {
        let mut router = self.ledger.router();
        // Nothing here waits for anything: one poll is a whole call.
        let mut call = pin!(async move {
            let response = router.call(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let text = to_bytes(body, usize::MAX).await.unwrap();
            Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(text.to_vec()).unwrap() }
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
            .header("authorization", format!("Bearer {}", self.ledger.credentials().access_token))
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
        let row = rows.iter().find(|row| row["Code"].as_str().is_some_and(|known| known.trim() == code));
        row.unwrap_or_else(|| panic!("no {path} {code}"))["ID"].as_str().unwrap().to_owned()
    }

    fn customer(&self) -> String {
        let body = json!({"Name": "Molenaar Fietsen", "Status": "C", "Email": "o'brien@example.org", "Country": "NL",
            "AddressLine1": "Dijk 12", "Postcode": "1234 AB", "City": "Edam", "PaymentConditionSales": "30"});
        self.post("crm/Accounts", &body).created()["ID"].as_str().unwrap().to_owned()
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
