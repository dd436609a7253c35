//! Asking the sandbox's control API: the one client of this room.

use super::Trouble;
use serde_json::Value;
use std::time::Duration;

/// Longest wait for an answer of a server on this machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A control API.
pub(crate) struct Control {
    client: reqwest::Client,
    url: String,
}

impl Control {
    /// The control API at this address.
    pub(crate) fn new(url: &str) -> Result<Self, Trouble> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()
            .map_err(|e| Trouble::Misuse(format!("this machine can't make calls: {e}")))?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    /// A list that a system holds: `shop/taxes`, `ledger/vat/VATCodes`.
    pub(crate) async fn list(&self, what: &str) -> Result<Vec<Value>, Trouble> {
        let address = format!("{}/{what}", self.url);
        let failed = |why: String| {
            Trouble::Unreachable(format!(
                "the sandbox at {address} does not answer: {why}. Is `flowc sandbox` running?"
            ))
        };
        let answer = self.client.get(&address).send().await.map_err(|e| failed(cause(&e)))?;
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        let answer = answer.error_for_status().map_err(|e| failed(cause(&e)))?;
        match answer.json().await.map_err(|e| failed(cause(&e)))? {
            Value::Array(list) => Ok(list),
            other => Ok(vec![other]),
        }
    }
}

/// The innermost reason: "connection refused" helps more than "error sending request".
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
