//! The API's front door: who calls, how often, and which resource is meant.

use std::collections::HashMap;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::limits::Hit;
use super::query::{Query, decode};
use super::refusal::Refusal;
use super::{Ledger, atom, oauth, resource, resource_of};
use crate::sandbox::rows::{self, Denied, Listed, RowFaults};

/// Largest body that is read, bytes; attachments are sent as base64.
const BODY_BYTES_MAX: usize = 32 << 20;

/// One call, taken apart.
pub(super) struct Call<'a> {
    pub(super) method: &'a Method,
    /// The path behind `/api/v1/`, decoded.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// Scheme and host that the caller used.
    pub(super) base: String,
    /// What faults do to rows.
    pub(super) faults: RowFaults,
}

impl Call<'_> {
    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the caller wants what it wrote back in full.
    pub(super) fn wants_record(&self) -> bool {
        let prefer = self.headers.get("prefer").and_then(|value| value.to_str().ok());
        prefer.is_some_and(|value| value.to_ascii_lowercase().contains("return=representation"))
    }

    /// The body as JSON; clients that send none at all mean an empty object.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::stream("The request should be a valid top-level resource object."));
        }
        serde_json::from_slice(self.body).map_err(|error| Refusal::stream(&format!("The body is no JSON: {error}.")))
    }

    pub(super) fn parsed_query(&self) -> Result<Query, Refusal> {
        Query::parse(self.query)
    }
}

/// What a resource answers.
pub(super) enum Answer {
    Json(Value),
    /// Status 201 with the record and its address.
    Created(Value, String),
    Text(String),
    /// Status 204, no body at all.
    Done,
}

/// Serves one call.
pub(super) async fn serve(Shared(ledger): Shared<Ledger>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, String::new());
    };
    let path = percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
    let call = Call {
        method: &parts.method,
        path: &path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
        base: base(&parts.headers),
        faults: parts.extensions.get().cloned().unwrap_or_default(),
    };
    ledger.remember_base(&call.base);
    let answer = match path.trim_end_matches('/') {
        "/api/oauth2/token" => token(&ledger, &call),
        "/api/oauth2/auth" => consent(&ledger, &call),
        "/docs/SysImage.aspx" => picture(&ledger, &call),
        _ => api(&ledger, &call),
    };
    // Outside every lock: whoever listens may call the ledger.
    ledger.announce();
    answer
}

fn base(headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let scheme = text("x-forwarded-proto").unwrap_or_else(|| "http".to_owned());
    let host = text("host").unwrap_or_else(|| "localhost".to_owned());
    format!("{scheme}://{host}")
}

/// The picture of an item, for who is logged in; everybody else is led to the login.
fn picture(ledger: &Ledger, call: &Call<'_>) -> Response {
    let now = ledger.clock().now();
    if !ledger.logins().admits(call.header(header::AUTHORIZATION), now) {
        let mut response = plain(StatusCode::FOUND, String::new());
        response.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static("/docs/Login.aspx"));
        return response;
    }
    if let Err(hit) = ledger.meter().call("docs/SysImage.aspx", now) {
        return limited(ledger, hit);
    }
    let asked = form(call.query);
    let item = asked.get("ID").filter(|_| asked.get("Table").is_some_and(|table| table == "Items"));
    let Some(bytes) = item.and_then(|item| ledger.picture_of(item)) else {
        return plain(StatusCode::NOT_FOUND, String::new());
    };
    let kind = match bytes.as_slice() {
        [0x89, b'P', ..] => "image/png",
        [0xff, 0xd8, ..] => "image/jpeg",
        [b'G', b'I', b'F', ..] => "image/gif",
        _ => "application/octet-stream",
    };
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

fn token(ledger: &Ledger, call: &Call<'_>) -> Response {
    let resource = "oauth2/token";
    let now = ledger.clock().now();
    if *call.method != Method::POST {
        return refused(&Refusal::method());
    }
    if ledger.meter().token_call(resource, now).is_err() {
        return plain(StatusCode::TOO_MANY_REQUESTS, String::new());
    }
    let text = String::from_utf8_lossy(call.body);
    let answer = ledger.logins().answer(&form(&text), call.header(header::AUTHORIZATION), now);
    if answer.status >= 400 {
        ledger.meter().error(resource, now);
    }
    token_response(&answer)
}

fn token_response(answer: &oauth::TokenAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, &answer.body);
    if let Some(reason) = answer.reason {
        response.headers_mut().insert("reason", header::HeaderValue::from_static(reason));
    }
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn consent(ledger: &Ledger, call: &Call<'_>) -> Response {
    let now = ledger.clock().now();
    match ledger.logins().authorize(&form(call.query), now) {
        Ok(address) => {
            let mut response = plain(StatusCode::FOUND, String::new());
            if let Ok(value) = address.parse() {
                response.headers_mut().insert(header::LOCATION, value);
            }
            response
        }
        Err(answer) => token_response(&answer),
    }
}

fn form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn api(ledger: &Ledger, call: &Call<'_>) -> Response {
    let now = ledger.clock().now();
    if !ledger.logins().admits(call.header(header::AUTHORIZATION), now) {
        ledger.meter().error(&resource_of(call.path), now);
        let refusal = Refusal { status: 401, text: "Unauthorized".to_owned() };
        let mut response = refused(&refusal);
        let value = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        return response;
    }
    let name = resource_of(call.path);
    let counted = ledger.meter().call(&name, now);
    if let Err(hit) = counted {
        return limited(ledger, hit);
    }
    let records = super::records_of(call.path);
    let answered = match call.faults.denied(&records) {
        None if ledger.denies(&name) => Err(Refusal::forbidden()),
        Some(Denied::Hidden) => Err(Refusal::forbidden()),
        Some(Denied::Unknown) => Err(Refusal::not_found()),
        Some(Denied::Refused(status)) => Err(Refusal { status, text: reason(status).to_owned() }),
        None => resource::answer(ledger, call),
    };
    let answered = answered.map(|answer| strike(call, &records, answer));
    match answered {
        Ok(None) => {
            ledger.meter().error(&name, now);
            dead()
        }
        Ok(Some(answer)) => {
            let mut response = match answer {
                Answer::Json(value) => written(call, StatusCode::OK, &value),
                Answer::Created(value, address) => {
                    let mut response = written(call, StatusCode::CREATED, &value);
                    if let Ok(value) = address.parse() {
                        response.headers_mut().insert(header::LOCATION, value);
                    }
                    response
                }
                Answer::Text(text) => plain(StatusCode::OK, text),
                Answer::Done => empty(),
            };
            add_headers(&mut response, ledger.meter().headers(None, now));
            response
        }
        Err(refusal) => {
            ledger.meter().error(&name, now);
            refused(&refusal)
        }
    }
}

/// What faults leave of an answer; nothing where the server dies over it.
fn strike(call: &Call<'_>, records: &[String], answer: Answer) -> Option<Answer> {
    if call.faults.kills(records) {
        return None;
    }
    let Answer::Json(mut value) = answer else {
        return Some(answer);
    };
    let whole = value.get_mut("d")?;
    if whole.get("__metadata").is_some() {
        let id = key_of(whole);
        call.faults.blemish(&id, whole);
        return Some(Answer::Json(value));
    }
    let rows = if whole.is_array() { Some(whole) } else { whole.get_mut("results") };
    if let Some(Value::Array(rows)) = rows {
        match call.faults.list(std::mem::take(rows), key_of) {
            Listed::Rows(kept) => {
                *rows = kept
                    .into_iter()
                    .map(|(id, mut row)| {
                        call.faults.blemish(&id, &mut row);
                        row
                    })
                    .collect();
            }
            Listed::Empty => {
                if let Some(Value::Object(inner)) = value.get_mut("d") {
                    inner.shift_remove("__next");
                }
            }
            Listed::Dies => return None,
        }
    }
    Some(Answer::Json(value))
}

/// The key of a row, from its address.
fn key_of(row: &Value) -> String {
    let address = row["__metadata"]["uri"].as_str().unwrap_or_default();
    super::records_of(address).pop().unwrap_or_default()
}

/// The words of a status that a record answers for itself.
fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}

/// What the web server says when the program behind it is gone: no error body of the API.
fn dead() -> Response {
    let mut response =
        plain(StatusCode::INTERNAL_SERVER_ERROR, "<html><body><h2>Server Error</h2></body></html>".to_owned());
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

/// JSON for those who ask for it by name, Atom for all others.
fn written(call: &Call<'_>, status: StatusCode, value: &Value) -> Response {
    let wanted = call.header(header::ACCEPT).unwrap_or_default().to_ascii_lowercase();
    if wanted.contains("application/json") {
        return json(status, value);
    }
    let mut response = plain(status, atom::document(value));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(atom::CONTENT_TYPE));
    response
}

fn limited(ledger: &Ledger, hit: Hit) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = ledger.meter().headers(Some(hit), ledger.clock().now());
    add_headers(&mut response, headers);
    response
}

fn add_headers(response: &mut Response, headers: Vec<(&'static str, String)>) {
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
}

fn refused(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, &refusal.body())
}

fn json(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(rows::written(value.to_string())));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn empty() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
