//! Reading orders: lists with their filters, single orders, and how an order is shown.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::{ids_of, list_of, texts_of};
use super::call::{ALL_METHODS, Bounds, Call, Storage};
use super::list::{self, Defaults, Page};
use super::state::{Remembered, State, amount};
use super::table::{Row, id, text};
use super::totals;

/// Statuses that `any` leaves out.
const HIDDEN: [&str; 3] = ["trash", "auto-draft", "checkout-draft"];

/// `GET /orders`.
pub(crate) fn list(state: &mut State, call: &Call) -> Outcome {
    call.check("GET orders")?;
    let ids = matching(state, call);
    let page = Page::of(call);
    let rows =
        page.cut(&ids).iter().filter_map(|id| state.orders.get(*id)).map(|order| show(state, order, call)).collect();
    list::answer(call, rows, ids.len(), page, &call.address("orders"), Defaults::Orders(state.storage))
}

/// `GET /orders/{id}`.
pub(crate) fn get(state: &State, call: &Call, order_id: u64) -> Outcome {
    call.check("GET orders/{id}")?;
    let order = state.orders.get(order_id).ok_or_else(unknown)?;
    Ok(Answer::ok(list::project_one(show(state, order, call), &call.query)))
}

/// The refusal of an id that no order has.
pub(crate) fn unknown() -> Refusal {
    Refusal::new(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
}

/// The ids that a list asks for, in its order.
fn matching(state: &mut State, call: &Call) -> Arc<Vec<u64>> {
    let mut question = call.query.clone();
    for paging in ["page", "per_page", "offset", "_fields", "dp"] {
        question.shift_remove(paging);
    }
    question.retain(|name, _| !name.starts_with("oauth_"));
    let question = Value::Object(question).to_string();
    let generation = state.orders.generation;
    if let Some(remembered) =
        state.remembered.as_ref().filter(|old| old.generation == generation && old.question == question)
    {
        return Arc::clone(&remembered.ids);
    }
    let filter = Filter::of(state, call);
    let mut found: Vec<(i64, u64)> = state
        .orders
        .rows()
        .filter(|(id, row)| filter.takes(*id, row))
        .map(|(id, row)| (filter.rank(id, row), id))
        .collect();
    if filter.descending {
        found.sort_unstable_by(|a, b| b.cmp(a));
    } else {
        found.sort_unstable();
    }
    let ids = Arc::new(found.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
    state.remembered = Some(Remembered { question, generation, ids: Arc::clone(&ids) });
    ids
}

/// The filters of a list, read once.
struct Filter {
    statuses: Option<HashSet<String>>,
    include: Vec<u64>,
    exclude: HashSet<u64>,
    parents: Vec<u64>,
    no_parents: Vec<u64>,
    customer: Option<u64>,
    product: Option<String>,
    origins: Vec<String>,
    search: Option<String>,
    bounds: Bounds,
    storage: Storage,
    by: String,
    descending: bool,
}

impl Filter {
    fn of(state: &State, call: &Call) -> Self {
        let statuses: HashSet<String> = texts_of(&call.parameters, "status").into_iter().collect();
        let any = statuses.is_empty() || statuses.contains("any");
        let whole = |name: &str| call.integer(name).and_then(|number| u64::try_from(number).ok());
        Filter {
            statuses: if any { None } else { Some(statuses) },
            include: ids_of(&call.parameters, "include"),
            exclude: ids_of(&call.parameters, "exclude").into_iter().collect(),
            parents: ids_of(&call.parameters, "parent"),
            no_parents: ids_of(&call.parameters, "parent_exclude"),
            customer: whole("customer"),
            product: whole("product").map(|product| format!("\"product_id\":{product},")),
            origins: texts_of(&call.parameters, "created_via"),
            search: call.text("search").filter(|text| !text.trim().is_empty()).map(str::to_lowercase),
            bounds: call.bounds(state.storage, &state.zone.rules),
            storage: state.storage,
            by: call.text("orderby").unwrap_or("date").to_owned(),
            descending: call.text("order") != Some("asc") && call.text("orderby") != Some("include"),
        }
    }

    fn takes(&self, id: u64, row: &Row) -> bool {
        let columns = &row.columns;
        let status = match &self.statuses {
            None => !HIDDEN.contains(&&*columns.status),
            Some(wanted) => wanted.contains(&*columns.status),
        };
        status
            && self.bounds.take(columns)
            && (self.include.is_empty() || self.include.contains(&id))
            && !self.exclude.contains(&id)
            && self.customer.is_none_or(|customer| columns.owner == customer)
            && (self.origins.is_empty() || self.origins.iter().any(|origin| **origin == *columns.key))
            && self.product.as_ref().is_none_or(|product| row.text().contains(product.as_str()))
            && self.parent_fits(row)
            && self.search.as_ref().is_none_or(|needle| found_in(self.storage, id, row, needle))
    }

    fn parent_fits(&self, row: &Row) -> bool {
        if self.parents.is_empty() && self.no_parents.is_empty() {
            return true;
        }
        let parent = id(&row.value(), "parent_id");
        (self.parents.is_empty() || self.parents.contains(&parent)) && !self.no_parents.contains(&parent)
    }

    fn rank(&self, id: u64, row: &Row) -> i64 {
        match self.by.as_str() {
            "date" => self.storage.rank(row.columns.created),
            "modified" => self.storage.rank(row.columns.modified),
            "include" => {
                self.include.iter().position(|wanted| *wanted == id).and_then(|at| i64::try_from(at).ok()).unwrap_or(0)
            }
            _ => 0,
        }
    }
}

/// Whether a search finds an order: parts of the id, the transaction id, the addresses, names of lines; never the number or meta.
fn found_in(storage: Storage, order_id: u64, row: &Row, needle: &str) -> bool {
    if order_id.to_string().contains(needle) {
        return true;
    }
    let first = needle.split_whitespace().next().unwrap_or(needle);
    let escaped = json!(first).to_string();
    if !row.text().to_lowercase().contains(escaped.trim_matches('"')) {
        return false;
    }
    let order = row.value();
    let joined = |address: &Value| {
        let parts: Vec<&str> =
            address.as_object().into_iter().flatten().filter_map(|(_, part)| part.as_str()).collect();
        parts.join(" ").to_lowercase()
    };
    // Posts do not look at the transaction id.
    storage == Storage::Tables && text(&order, "transaction_id").to_lowercase().contains(needle)
        || joined(&order["billing"]).contains(needle)
        || joined(&order["shipping"]).contains(needle)
        || order["line_items"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|line| text(line, "name").to_lowercase().contains(needle))
}

/// An order as an answer shows it.
pub(crate) fn show(state: &State, mut order: Value, call: &Call) -> Value {
    let decimals = call.integer("dp").and_then(|dp| u32::try_from(dp).ok()).unwrap_or_else(|| state.price_decimals());
    let needs_payment = ["pending", "failed", "checkout-draft"].contains(&text(&order, "status"))
        && !amount(&order, "total").is_zero()
        && !text(&order, "total").starts_with('-');
    totals::format_amounts(&mut order, decimals.min(20));
    follow_products(state, &mut order);
    choose_meta(&mut order, call);
    let order_id = id(&order, "id");
    let status = text(&order, "status").to_owned();
    let key = text(&order, "order_key").to_owned();
    let currency = text(&order, "currency").to_owned();
    if let Value::Object(members) = &mut order {
        let processing = members.shift_remove("needs_processing").unwrap_or(json!(true));
        let mut dates = Vec::new();
        for name in ["date_created_gmt", "date_modified_gmt", "date_completed_gmt", "date_paid_gmt"] {
            dates.push((name, members.shift_remove(name).unwrap_or(Value::Null)));
        }
        for name in ["payment_url", "is_editable", "needs_payment", "currency_symbol", "_links"] {
            members.shift_remove(name);
        }
        let url = format!("{}/checkout/order-pay/{order_id}/?pay_for_order=true&key={key}", call.base);
        members.insert("payment_url".into(), json!(url));
        members.insert("is_editable".into(), json!(["pending", "on-hold", "auto-draft"].contains(&status.as_str())));
        members.insert("needs_payment".into(), json!(needs_payment));
        members.insert("needs_processing".into(), processing);
        members.extend(dates.into_iter().map(|(name, date)| (name.to_owned(), date)));
        members.insert("currency_symbol".into(), json!(symbol(&currency)));
        let mut links = call.links("orders", &json!(order_id), &ALL_METHODS);
        let templates = format!("{}/actions/email_templates", call.address(&format!("orders/{order_id}")));
        links["email_templates"] = json!([{"embeddable": true, "href": templates}]);
        members.insert("_links".into(), links);
    }
    order
}

/// SKU and reference of a line are the product's of today, not of the day of sale.
fn follow_products(state: &State, order: &mut Value) {
    if state.renamed.is_empty() && state.deleted.is_empty() {
        return;
    }
    for line in order["line_items"].as_array_mut().into_iter().flatten() {
        let (product, variation) = (id(line, "product_id"), id(line, "variation_id"));
        if variation != 0 && state.deleted.contains(&variation) {
            line["variation_id"] = json!(0);
            let parent = state.products.get(product).unwrap_or_default();
            line["sku"] = json!(text(&parent, "sku"));
        }
        if state.deleted.contains(&product) {
            line["product_id"] = json!(0);
            line["sku"] = Value::Null;
            line["global_unique_id"] = Value::Null;
        }
        let sold = if id(line, "variation_id") != 0 { variation } else { product };
        if let Some((sku, unique)) = state.renamed.get(&sold).filter(|_| !state.deleted.contains(&sold)) {
            line["sku"] = json!(sku);
            line["global_unique_id"] = json!(unique);
        }
    }
}

fn choose_meta(order: &mut Value, call: &Call) {
    let wanted = call.parameters.get("include_meta").map(list_of).unwrap_or_default();
    let unwanted = call.parameters.get("exclude_meta").map(list_of).unwrap_or_default();
    if let Some(entries) = order["meta_data"].as_array_mut() {
        entries.retain(|entry| {
            let key = &entry["key"];
            (wanted.is_empty() || wanted.contains(key)) && !unwanted.contains(key)
        });
    }
}

/// The sign of a currency as the shop shows it; its code where it has none here.
pub(crate) fn symbol(currency: &str) -> &str {
    match currency {
        "EUR" => "€",
        "USD" | "CAD" | "AUD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "PLN" => "zł",
        "SEK" | "DKK" | "NOK" => "kr",
        other => other,
    }
}
