//! One request as the shop's handlers see it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::arguments;
use super::query::Parameters;

/// Something that fires webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `order`, `customer`, `product` or `coupon`; `action` for a hook's own topic.
    pub(crate) resource: &'static str,
    /// `created`, `updated`, `deleted` or `restored`; the hook's name for an action.
    pub(crate) what: String,
    pub(crate) id: u64,
}

/// A request with its parameters read, and what it caused.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// What stood in the URL.
    pub(crate) query: Parameters,
    /// What stood in the URL and the body; the body wins.
    pub(crate) parameters: Parameters,
    /// `http://host:port`, as the client wrote it.
    pub(crate) base: String,
    /// The simulated time.
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Rows of a batch are not checked against the argument lists.
    pub(crate) unchecked: bool,
}

impl Call {
    /// A call made by nobody over HTTP: the control API, a webhook's body.
    pub(crate) fn inside(base: &str, now: Timestamp, parameters: Parameters) -> Self {
        Call {
            method: "POST".to_owned(),
            query: Parameters::new(),
            parameters,
            base: base.to_owned(),
            now,
            events: Vec::new(),
            unchecked: true,
        }
    }

    /// The same call with other parameters: a row of a batch.
    pub(crate) fn row(&self, parameters: Parameters) -> Self {
        Call {
            query: Parameters::new(),
            parameters,
            method: self.method.clone(),
            base: self.base.clone(),
            now: self.now,
            events: Vec::new(),
            unchecked: true,
        }
    }

    /// Notes an event.
    pub(crate) fn fire(&mut self, resource: &'static str, event: &str, id: u64) {
        let event = Event { resource, what: event.to_owned(), id };
        if !self.events.contains(&event) {
            self.events.push(event);
        }
    }

    /// The address of a route.
    pub(crate) fn address(&self, route: &str) -> String {
        format!("{}/wp-json/wc/v3/{route}", self.base)
    }

    /// A parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    /// A parameter's whole number.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.parameters.get(name).and_then(arguments::integer)
    }

    /// A parameter that is true.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.parameters.get(name).and_then(arguments::flag).unwrap_or(false)
    }

    /// Refuses parameters that the endpoint does not allow.
    pub(crate) fn check(&self, endpoint: &str) -> Result<(), super::answer::Refusal> {
        if self.unchecked { Ok(()) } else { arguments::check(endpoint, &self.parameters) }
    }

    /// Seconds since 1970 of a date parameter, in the shop's zone unless it says otherwise.
    pub(crate) fn seconds(&self, name: &str, zone: &TimeZone) -> Option<i64> {
        let gmt = self.is_set("dates_are_gmt");
        self.text(name).and_then(|text| super::dates::instant(text, zone, gmt)).map(Timestamp::as_second)
    }

    /// The `_links` of a record.
    pub(crate) fn links(&self, collection: &str, id: &Value, allow: &[&str]) -> Value {
        let collection = self.address(collection);
        let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        json!({
            "self": [{"href": format!("{collection}/{id}"), "targetHints": {"allow": allow}}],
            "collection": [{"href": collection}]
        })
    }
}

/// The methods of most single resources.
pub(crate) const ALL_METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
