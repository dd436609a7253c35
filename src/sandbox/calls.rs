//! How often each resource was called, and how that ended.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// The status of a call that got no answer.
pub(crate) const UNANSWERED: u16 = 0;

/// System, method, resource, status.
type Kind = (&'static str, String, String, u16);

/// The calls since the start, or since they were last cleared.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    counts: Mutex<BTreeMap<Kind, u64>>,
}

impl Calls {
    pub(crate) fn count(&self, system: &'static str, method: &str, resource: &str, status: u16) {
        let kind = (system, method.to_owned(), resource.to_owned(), status);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default() += 1;
    }

    pub(crate) fn clear(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `[{system, method, resource, status, count}]`.
    pub(crate) fn list(&self) -> Value {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |((system, method, resource, status), count): (&Kind, &u64)| json!({"system": system, "method": method, "resource": resource, "status": status, "count": count});
        counts.iter().map(row).collect()
    }
}
