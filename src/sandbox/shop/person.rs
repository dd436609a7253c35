//! The shop as a person at its desk sees it: everything held, records that come and change without the API, and the bodies
//! of webhooks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Call, Event};
use super::query::Parameters;
use super::state::State;
use super::table::{Table, id, text};
use super::{Shop, customers, orders, products, refunds, routes, webhooks, wire};

/// Records shown before the shop may answer somebody else.
const CHUNK: usize = 500;
/// Where links lead that no request asked for.
const HOME: &str = "http://shop.example";

impl Shop {
    /// All records of a resource as a JSON list, past any paging; none where there is no such resource.
    ///
    /// `dp` asks for other decimals than those of the shop's prices.
    pub(crate) fn everything(&self, resource: &str, dp: Option<&str>) -> Option<Vec<u8>> {
        let resource = resource.trim_matches('/');
        let mut parameters = Parameters::new();
        if let Some(dp) = dp {
            parameters.insert("dp".to_owned(), json!(dp));
        }
        let call = Call::inside(HOME, self.now(), parameters);
        let ids: Option<Vec<u64>> =
            table(&self.state(), resource).map(|table| table.rows().map(|(id, _)| id).collect());
        let Some(ids) = ids else {
            return self.everything_small(resource);
        };
        let mut bytes = vec![b'['];
        for chunk in ids.chunks(CHUNK) {
            let state = self.state();
            for record in chunk.iter().filter_map(|id| show(&state, resource, *id, &call)) {
                if bytes.len() > 1 {
                    bytes.push(b',');
                }
                bytes.extend_from_slice(record.to_string().as_bytes());
            }
        }
        bytes.push(b']');
        Some(bytes)
    }

    /// What has no table of its own answers as the API does.
    fn everything_small(&self, resource: &str) -> Option<Vec<u8>> {
        if resource == "media" {
            return Some(self.state().media.everything().to_string().into_bytes());
        }
        let mut parameters = Parameters::new();
        parameters.insert("per_page".to_owned(), json!("100000"));
        let mut call = Call::inside(HOME, self.now(), parameters.clone());
        "GET".clone_into(&mut call.method);
        call.query = parameters;
        let mut segments = vec!["wc", "v3"];
        segments.extend(resource.split('/').filter(|part| !part.is_empty()));
        let answer = routes::dispatch(&mut self.state(), &mut call, &segments).ok()?;
        Some(answer.body.to_string().into_bytes())
    }

    /// Makes a record or changes the one with its id, as if a person had done it; webhooks fire.
    ///
    /// A whole order (with its total) stands as given; of anything less the shop computes the rest.
    ///
    /// # Errors
    /// Why the shop refuses it, in its own words.
    pub(crate) fn set(&self, resource: &str, record: Value) -> Result<Value, String> {
        let Value::Object(mut parameters) = record else {
            return Err("a record is a JSON object".to_owned());
        };
        let resource = resource.trim_matches('/').to_owned();
        let mut state = self.state();
        let record_id = parameters.get("id").and_then(Value::as_u64).unwrap_or(0);
        let known = record_id != 0 && table(&state, &resource).is_some_and(|table| table.contains(record_id));
        if !known && whole(&resource, &parameters) {
            return Ok(self.take_in(&mut state, &resource, parameters));
        }
        let trashed = parameters.get("status").and_then(Value::as_str) == Some("trash");
        let mut segments: Vec<String> = ["wc", "v3"].iter().map(|part| (*part).to_owned()).collect();
        segments.extend(resource.split('/').filter(|part| !part.is_empty()).map(str::to_owned));
        if known {
            segments = vec!["wc".into(), "v3".into(), resource.clone(), record_id.to_string()];
            if resource == "variations" {
                let parent = state.variations.get(record_id).map_or(0, |row| id(&row, "parent_id"));
                segments = ["wc", "v3", "products", &parent.to_string(), "variations", &record_id.to_string()]
                    .iter()
                    .map(|part| (*part).to_owned())
                    .collect();
            }
        } else {
            parameters.shift_remove("id");
        }
        if resource.ends_with("/refunds") {
            parameters.entry("api_refund").or_insert(json!(false));
        }
        let mut call = Call::inside(HOME, self.now(), parameters);
        if known && trashed {
            "DELETE".clone_into(&mut call.method);
            call.parameters = Map::new();
        }
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let outcome = routes::dispatch(&mut state, &mut call, &segments);
        let pings = self.send(&state, &call);
        self.post(pings);
        let answered = outcome
            .map(|answer| answer.body)
            .map_err(|refusal| format!("the shop refuses it: {} ({})", refusal.message, refusal.code))?;
        let now = if known { show(&state, &resource, record_id, &call) } else { None };
        Ok(now.unwrap_or(answered))
    }

    /// Deletes a record for good, as a person does who empties the bin.
    ///
    /// # Errors
    /// Why the shop refuses it, in its own words.
    pub(crate) fn remove(&self, resource: &str, id: &str) -> Result<Value, String> {
        let mut call = Call::inside(HOME, self.now(), Parameters::from_iter([("force".to_owned(), json!(true))]));
        "DELETE".clone_into(&mut call.method);
        let segments: Vec<&str> = ["wc", "v3"].into_iter().chain(resource.split('/')).chain([id]).collect();
        let mut state = self.state();
        let outcome = routes::dispatch(&mut state, &mut call, &segments);
        let pings = self.send(&state, &call);
        self.post(pings);
        outcome
            .map(|answer| answer.body)
            .map_err(|refusal| format!("the shop refuses it: {} ({})", refusal.message, refusal.code))
    }

    /// Stores a whole record as it is; it counts as changed now.
    fn take_in(&self, state: &mut State, resource: &str, mut record: Map<String, Value>) -> Value {
        let mut call = Call::inside(HOME, self.now(), Parameters::new());
        record.shift_remove("_links");
        let mut record = Value::Object(record);
        let record_id = match (id(&record, "id"), resource) {
            (0, "customers") => state.new_user(),
            (0, _) => state.new_id(),
            (given, _) => given,
        };
        record["id"] = json!(record_id);
        if text(&record, "date_created_gmt").is_empty() {
            state.stamp(&mut record, "date_created", call.now);
        }
        // An order whose time of change is nothing exists too: damage of a database, or of an import.
        if record.get("date_modified_gmt") != Some(&Value::Null) {
            state.stamp(&mut record, "date_modified", call.now);
        }
        let kind = match resource {
            "orders" => {
                super::load::reserve(state, &record);
                state.orders.put(record_id, &record);
                "order"
            }
            "customers" => {
                state.customers.put(record_id, &record);
                "customer"
            }
            _ => {
                state.products.put(record_id, &record);
                "product"
            }
        };
        call.fire(kind, "created", record_id);
        call.fire(kind, "updated", record_id);
        let pings = self.send(state, &call);
        self.post(pings);
        record
    }

    /// SKU and name of everything that the shop sells or has sold.
    pub(crate) fn skus(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let mut skus = BTreeMap::new();
        for (_, row) in state.products.rows().chain(state.variations.rows()) {
            let article = row.value();
            note(&mut skus, &article);
        }
        drop(state);
        for chunk in self.order_ids().chunks(CHUNK) {
            let state = self.state();
            for order in chunk.iter().filter_map(|id| state.orders.get(*id)) {
                order["line_items"].as_array().into_iter().flatten().for_each(|line| note(&mut skus, line));
            }
        }
        skus
    }

    fn order_ids(&self) -> Vec<u64> {
        self.state().orders.rows().map(|(id, _)| id).collect()
    }

    /// The newest change of any order, seconds since 1970.
    pub(crate) fn newest(&self) -> i64 {
        self.state()
            .orders
            .rows()
            .map(|(_, row)| row.columns.modified.utc.max(row.columns.created.utc))
            .max()
            .flatten()
            .unwrap_or(0)
    }

    /// The body of a delivery, made when it is sent: the record as it is by then.
    pub(crate) fn webhook_body(&self, delivery: &super::Delivery, base: &str) -> Vec<u8> {
        let state = self.state();
        let mut parameters = Parameters::new();
        parameters.insert("dp".to_owned(), json!("2"));
        let call = Call::inside(base, self.now(), parameters);
        let Event { resource, what: event, id: record_id } = &delivery.event;
        let body = match (*resource, event.as_str()) {
            ("action", hook) => json!({"action": hook, "arg": record_id}),
            (_, "deleted") => json!({"id": record_id}),
            ("order", _) => show(&state, "orders", *record_id, &call).unwrap_or_else(|| orders::unknown().body()),
            ("customer", _) => show(&state, "customers", *record_id, &call).unwrap_or_else(|| json!({"id": record_id})),
            ("product", _) => {
                let article = show(&state, "variations", *record_id, &call)
                    .or_else(|| show(&state, "products", *record_id, &call));
                article.unwrap_or_else(|| products::unknown().body())
            }
            _ => show(&state, "coupons", *record_id, &call).unwrap_or_else(|| json!({"id": record_id})),
        };
        wire::encode(&body)
    }

    /// Notes how a delivery went.
    pub(crate) fn delivered(&self, webhook: u64, well: bool) {
        let call = Call::inside(HOME, self.now(), Parameters::new());
        webhooks::settle(&mut self.state(), &call, webhook, well);
    }

    /// Notes that a webhook's ping was answered.
    pub(crate) fn ping_answered(&self, webhook: u64) {
        webhooks::answered(&mut self.state(), webhook);
    }
}

fn note(skus: &mut BTreeMap<String, String>, article: &Value) {
    let sku = text(article, "sku");
    if !sku.is_empty() && !skus.contains_key(sku) {
        skus.insert(sku.to_owned(), text(article, "name").to_owned());
    }
}

/// Whether a record is complete enough to stand as it is.
fn whole(resource: &str, record: &Map<String, Value>) -> bool {
    let has = |names: &[&str]| names.iter().all(|name| record.contains_key(*name));
    match resource {
        "orders" => has(&["total", "total_tax", "line_items", "billing", "status"]),
        "customers" => has(&["id", "email", "billing", "role"]),
        "products" => has(&["id", "name", "type", "status", "price"]),
        _ => false,
    }
}

fn table<'a>(state: &'a State, resource: &str) -> Option<&'a Table> {
    Some(match resource {
        "orders" => &state.orders,
        "products" => &state.products,
        "variations" => &state.variations,
        "customers" => &state.customers,
        "coupons" => &state.coupons,
        "refunds" => &state.refunds,
        "notes" | "order_notes" => &state.notes,
        "taxes" => &state.taxes,
        "webhooks" => &state.webhooks,
        other => state.terms.get(other)?,
    })
}

/// One record as the control API and webhooks show it.
fn show(state: &State, resource: &str, record_id: u64, call: &Call) -> Option<Value> {
    let record = table(state, resource)?.get(record_id)?;
    Some(match resource {
        "orders" => orders::show(state, record, call),
        "products" => products::show(state, record, call),
        "variations" => products::show_variation(state, record, call),
        "customers" => customers::show(record, call),
        "refunds" => {
            let parent = record["parent_id"].clone();
            let mut shown = refunds::show(state, record, call);
            shown["parent_id"] = parent;
            shown
        }
        _ => record,
    })
}
