//! What the shop answers: a value with its headers, or a refusal in WordPress's form.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::wire;
use crate::sandbox::rows::Denied;

/// A request's outcome inside the shop.
pub(crate) type Outcome = Result<Answer, Refusal>;

/// A successful answer, not yet on the wire.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub(crate) fn ok(body: Value) -> Self {
        Answer { status: 200, body, headers: Vec::new() }
    }

    /// 201 with the address of what was made.
    pub(crate) fn created(body: Value, location: String) -> Self {
        Answer { status: 201, body, headers: vec![("location", location)] }
    }
}

/// An error as WordPress words it: code, message, and `data` that is an object, or a bare number for refunds.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) data: Box<Value>,
    /// It is a page of HTML that somebody before WordPress wrote, or WordPress as it died.
    pub(crate) page: Option<&'static str>,
}

impl Refusal {
    /// The usual form, `data` holding the status alone.
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        let data = Box::new(json!({"status": status}));
        Refusal { status, code: code.to_owned(), message: message.into(), data, page: None }
    }

    /// What a record answers by order of a fault.
    pub(crate) fn denied(denied: Denied, doing: &str) -> Self {
        let forbidden = |status: u16| {
            let message = format!("Sorry, you cannot {doing} this resource.");
            Self::new(status, &format!("woocommerce_rest_cannot_{doing}"), message)
        };
        match denied {
            Denied::Hidden => forbidden(403),
            Denied::Unknown | Denied::Refused(404) => Self::new(404, "woocommerce_rest_invalid_id", "Invalid ID."),
            Denied::Refused(status @ (401 | 403)) => forbidden(status),
            Denied::Refused(status) => Self::new(status, "rest_refused", "Sorry, this is refused here."),
        }
    }

    /// PHP died while it showed a record: a page, and none of the API's headers.
    pub(crate) fn dead() -> Self {
        Refusal {
            page: Some(DEAD),
            ..Self::new(500, "internal_server_error", "There has been a critical error on this website.")
        }
    }

    /// The same with a further member of `data`.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        if let Value::Object(data) = &mut *self.data {
            data.insert(name.to_owned(), value);
        }
        self
    }

    /// Unknown route, wrong method and an id that is not digits look the same.
    pub(crate) fn no_route() -> Self {
        Self::new(404, "rest_no_route", "No route was found matching the URL and request method.")
    }

    /// Mandatory parameters that were not sent.
    pub(crate) fn missing(names: &[&str]) -> Self {
        Self::new(400, "rest_missing_callback_param", format!("Missing parameter(s): {}", names.join(", ")))
            .with("params", json!(names))
    }

    /// The body of the error answer.
    pub(crate) fn body(&self) -> Value {
        json!({"code": self.code, "message": self.message, "data": self.data})
    }

    /// The error as it stands in a row of a batch's answer.
    pub(crate) fn row(&self, id: &Value) -> Value {
        json!({"id": id, "error": self.body()})
    }
}

/// What WordPress shows when PHP died.
const DEAD: &str = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>WordPress &rsaquo; Error</title></head>\n<body id=\"error-page\"><div class=\"wp-die-message\"><p>There has been a critical error on this website.</p><p><a href=\"https://wordpress.org/documentation/article/faq-troubleshooting/\">Learn more about troubleshooting WordPress.</a></p></div></body></html>\n";

/// A page of HTML.
pub(crate) fn html(status: u16, page: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(page.into());
    *response.status_mut() = StatusCode::from_u16(status).expect("the shop uses registered statuses only");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    response
}

/// Puts an outcome on the wire with the headers that the recorded shop sends.
pub(crate) fn respond(
    outcome: Outcome,
    allow: Option<&'static str>,
    base: &str,
    head: bool,
    envelope: bool,
) -> Response<Body> {
    if let Err(Refusal { page: Some(page), status, .. }) = outcome {
        return html(status, page);
    }
    let (status, body, extra) = match outcome {
        Ok(answer) => (answer.status, answer.body, answer.headers),
        Err(refusal) => (refusal.status, refusal.body(), Vec::new()),
    };
    let (status, body) = if envelope { (200, wrap(status, &body, &extra, allow)) } else { (status, body) };
    let bytes = if head { Vec::new() } else { wire::encode(&body) };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::from_u16(status).expect("the shop uses registered statuses only");
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", "application/json; charset=UTF-8");
    set("x-robots-tag", "noindex");
    set("link", &format!("<{base}/wp-json/>; rel=\"https://api.w.org/\""));
    set("x-content-type-options", "nosniff");
    set("access-control-expose-headers", "X-WP-Total, X-WP-TotalPages, Link");
    set("access-control-allow-headers", "Authorization, X-WP-Nonce, Content-Disposition, Content-MD5, Content-Type");
    if let Some(allow) = allow {
        if !envelope {
            set("allow", allow);
        }
        set("expires", "Wed, 11 Jan 1984 05:00:00 GMT");
        set("cache-control", "no-cache, must-revalidate, max-age=0, no-store, private");
    }
    // With an envelope they are in it.
    for (name, value) in extra.iter().filter(|_| !envelope) {
        set(name, value);
    }
    response
}

/// `_envelope=1`: status and headers inside the body, for clients that cannot read headers.
fn wrap(status: u16, body: &Value, extra: &[(&'static str, String)], allow: Option<&'static str>) -> Value {
    let mut headers = Map::new();
    for (name, value) in extra {
        let shown = match *name {
            "x-wp-total" => "X-WP-Total",
            "x-wp-totalpages" => "X-WP-TotalPages",
            "link" => "Link",
            "location" => "Location",
            other => other,
        };
        let value = value.parse::<u64>().map_or_else(|_| json!(value), |number| json!(number));
        headers.insert(shown.to_owned(), value);
    }
    if let Some(allow) = allow {
        headers.insert("Allow".to_owned(), json!(allow));
    }
    json!({"body": body, "status": status, "headers": headers})
}
