//! One request as the shop's handlers see it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arguments;
use super::query::Parameters;
use super::table::{Columns, Moment};
use crate::sandbox::rows::RowFaults;

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
    /// What stands before a route in its address.
    pub(crate) root: String,
    /// The simulated time.
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Rows of a batch are not checked against the argument lists.
    pub(crate) unchecked: bool,
    /// What faults do to rows.
    pub(crate) faults: RowFaults,
}

impl Call {
    /// A call made by nobody over HTTP: the control API, a webhook's body.
    pub(crate) fn inside(base: &str, now: Timestamp, parameters: Parameters) -> Self {
        Call {
            method: "POST".to_owned(),
            query: Parameters::new(),
            parameters,
            base: base.to_owned(),
            root: format!("{base}/wp-json"),
            now,
            events: Vec::new(),
            unchecked: true,
            faults: RowFaults::default(),
        }
    }

    /// The same call with other parameters: a row of a batch.
    pub(crate) fn row(&self, parameters: Parameters) -> Self {
        Call {
            query: Parameters::new(),
            parameters,
            method: self.method.clone(),
            base: self.base.clone(),
            root: self.root.clone(),
            now: self.now,
            events: Vec::new(),
            unchecked: true,
            faults: self.faults.clone(),
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
        format!("{}/wc/v3/{route}", self.root)
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
        if self.unchecked { Ok(()) } else { arguments::check(endpoint, &self.parameters, self.faults.cap_refused()) }
    }

    /// The bounds of a list by date, as the tables read them that hold its rows.
    pub(crate) fn bounds(&self, storage: Storage, zone: &TimeZone) -> Bounds {
        let gmt = self.is_set("dates_are_gmt");
        let read = |name: &str| {
            let sent = self.text(name).and_then(super::dates::parse)?;
            let own = storage == Storage::Tables && !gmt;
            Some(if own { sent.in_order_tables(zone) } else { sent.in_posts(zone) })
        };
        Bounds {
            local: storage == Storage::Posts && !gmt,
            created: (read("after"), read("before")),
            modified: (read("modified_after"), read("modified_before")),
        }
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

/// Which tables hold the rows of a list: they read dates in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Storage {
    /// The orders' own tables (HPOS): dates in UTC alone.
    Tables,
    /// WordPress's posts: dates twice, in UTC and in the zone that the shop had when the row was saved.
    Posts,
}

/// Exclusive bounds by date, to the second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// The bounds are digits of the shop's wall clock and are compared with those.
    local: bool,
    created: (Option<i64>, Option<i64>),
    modified: (Option<i64>, Option<i64>),
}

impl Bounds {
    /// Whether a row lies within. One without a date is in no list that asks for it.
    pub(crate) fn take(&self, columns: &Columns) -> bool {
        let within = |(after, before): (Option<i64>, Option<i64>), moment: Moment| {
            let at = if self.local { moment.local } else { moment.utc };
            after.is_none_or(|after| at.is_some_and(|at| at > after))
                && before.is_none_or(|before| at.is_some_and(|at| at < before))
        };
        within(self.created, columns.created) && within(self.modified, columns.modified)
    }
}

impl Storage {
    /// What a list by date is sorted by; a missing date comes before all.
    pub(crate) fn rank(self, moment: Moment) -> i64 {
        let at = if self == Storage::Posts { moment.local } else { moment.utc };
        at.unwrap_or(i64::MIN)
    }
}

/// The methods of most single resources.
pub(crate) const ALL_METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
