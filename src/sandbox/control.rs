//! The control API: what tests and people ask of the sandbox itself.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::calls::Calls;
use super::clock::Clock;
use super::faults::{Fault, Faults};
use super::ledger::Ledger;
use super::shop::{Setup, Shop};

/// Largest body of a request, bytes.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What the control API steers.
#[derive(Clone)]
pub(crate) struct Control {
    pub(crate) shop: Shop,
    pub(crate) ledger: Ledger,
    pub(crate) clock: Clock,
    pub(crate) clock_rate: u32,
    pub(crate) calls: Arc<Calls>,
    pub(crate) faults: Arc<Faults>,
}

/// JSON bytes, or a status with a sentence.
type Answered = Result<Vec<u8>, (StatusCode, String)>;

impl Control {
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(move |request: Request<Body>| {
            let control = self.clone();
            async move { control.handle(request).await }
        })
    }

    async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = percent_encoding::percent_decode_str(parts.uri.path()).decode_utf8_lossy().into_owned();
        let dp = parts
            .uri
            .query()
            .and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("dp=")))
            .map(str::to_owned);
        let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
            return respond(Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large".to_owned())));
        };
        let control = self.clone();
        let method = parts.method.as_str().to_owned();
        // A hundred thousand orders take seconds to write out: not on a thread that also serves the systems.
        let answered = tokio::task::spawn_blocking(move || control.answer(&method, &path, dp.as_deref(), &body)).await;
        respond(answered.unwrap_or_else(|_| {
            Err((StatusCode::INTERNAL_SERVER_ERROR, "the sandbox failed at this; see its own messages".to_owned()))
        }))
    }

    fn answer(&self, method: &str, path: &str, dp: Option<&str>, body: &[u8]) -> Answered {
        let (first, rest) = path.trim_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
        match (method, first, rest) {
            ("GET", "calls", "") => Ok(self.calls.list().to_string().into_bytes()),
            ("DELETE", "calls", "") => {
                self.calls.clear();
                Ok(b"[]".to_vec())
            }
            ("GET", "clock", "") => Ok(self.time()),
            ("POST", "clock", "") => self.move_clock(&parsed(body)?),
            ("GET", "faults", "") => Ok(json!(self.faults.all()).to_string().into_bytes()),
            ("PUT", "faults", "") => {
                let text = std::str::from_utf8(body).map_err(|_| bad("the list of faults is no text"))?;
                self.faults.set(Fault::parse(text).map_err(bad)?);
                Ok(json!(self.faults.all()).to_string().into_bytes())
            }
            ("GET", "shop", "server") => Ok(json!(self.shop.setup()).to_string().into_bytes()),
            ("POST", "shop", "server") => {
                let text = std::str::from_utf8(body).map_err(|_| bad("the server's setup is no text"))?;
                self.shop.set_up(&Setup::parse(text).map_err(bad)?);
                Ok(json!(self.shop.setup()).to_string().into_bytes())
            }
            ("GET", "shop", resource) => {
                let all = self.shop.everything(resource, dp);
                all.ok_or_else(|| missing(format!("the shop has no `{resource}`; it has orders, products, variations, customers, coupons, refunds, notes, taxes, webhooks …")))
            }
            ("POST", "shop", resource) => {
                let record = self.shop.set(resource, parsed(body)?).map_err(bad)?;
                Ok(record.to_string().into_bytes())
            }
            ("DELETE", "shop", record) => {
                let (resource, id) =
                    record.rsplit_once('/').ok_or_else(|| missing(format!("`{record}` names no record")))?;
                Ok(self.shop.remove(resource, id).map_err(bad)?.to_string().into_bytes())
            }
            ("GET", "ledger", resource) => self.ledger_rows(resource),
            ("POST", "ledger", resource) => {
                let (service, entity) = entity_of(resource)?;
                let row = parsed(body)?;
                let key = self.ledger.set_row(service, entity, &row).map_err(bad)?;
                Ok(json!({"key": key}).to_string().into_bytes())
            }
            ("DELETE", "ledger", row) => {
                let (resource, key) =
                    row.rsplit_once('/').ok_or_else(|| missing(format!("`{row}` names no record")))?;
                let (service, entity) = entity_of(resource)?;
                self.ledger.remove_row(service, entity, key).map_err(bad)?;
                Ok(b"{}".to_vec())
            }
            _ => Err(missing(format!(
                "the control API has no {method} /{first}; it has calls, clock, faults, shop/RESOURCE, ledger/SERVICE/ENTITY"
            ))),
        }
    }

    fn ledger_rows(&self, resource: &str) -> Answered {
        let (service, entity) = entity_of(resource)?;
        let rows = self.ledger.rows(service, entity).ok_or_else(|| {
            missing(format!("the ledger has no `{resource}`: write SERVICE/ENTITY, such as salesorder/SalesOrders"))
        })?;
        Ok(Value::Array(rows).to_string().into_bytes())
    }

    fn time(&self) -> Vec<u8> {
        json!({"now": self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "rate": self.clock_rate})
            .to_string()
            .into_bytes()
    }

    fn move_clock(&self, to: &Value) -> Answered {
        let text = to.as_str().ok_or_else(|| bad("the clock takes a JSON text: a time, or a step such as \"+1h\""))?;
        let not_read = || bad(format!("`{text}` is no time and no step: write \"2026-11-24T12:00:00Z\" or \"+1h30m\""));
        if let Some(step) = text.strip_prefix('+') {
            self.clock.advance(duration(step).ok_or_else(not_read)?);
        } else {
            let instant: Timestamp = text.parse().map_err(|_| not_read())?;
            self.clock.set(instant);
        }
        Ok(self.time())
    }
}

/// `1h30m`, `10m`, `2d`, `45s`.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut seconds: i64 = 0;
    let mut digits = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c {
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.trim().is_empty()).then(|| SignedDuration::from_secs(seconds))
}

/// `salesorder/SalesOrders`; a service may have slashes of its own.
fn entity_of(resource: &str) -> Result<(&str, &str), (StatusCode, String)> {
    resource
        .rsplit_once('/')
        .ok_or_else(|| missing(format!("the ledger has no `{resource}`: write SERVICE/ENTITY, such as crm/Accounts")))
}

fn parsed(body: &[u8]) -> Result<Value, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| bad(format!("the body is no JSON: {error}")))
}

fn bad(message: impl Into<String>) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, message.into())
}

fn missing(message: String) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, message)
}

fn respond(answered: Answered) -> Response<Body> {
    let (status, bytes) = match answered {
        Ok(bytes) => (StatusCode::OK, bytes),
        Err((status, message)) => (status, json!({"error": message}).to_string().into_bytes()),
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_clock() {
        assert_eq!(duration("1h30m"), Some(SignedDuration::from_secs(5400)));
        assert_eq!(duration("2d"), Some(SignedDuration::from_secs(172_800)));
        assert_eq!(duration("10"), None);
        assert_eq!(duration("x"), None);
    }
}
