//! Writing orders: create, change, trash and delete.

use serde_json::{Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::call::{Call, Storage};
use super::state::State;
use super::table::{id, text};
use super::{blank, discounts, items, list, meta, notes, orders, refunds, stock, totals};

/// A new order with nothing in it.
fn fresh(state: &mut State, call: &Call) -> Value {
    let order_id = state.new_id();
    let mut order = blank::order();
    order["id"] = json!(order_id);
    order["number"] = json!(order_id.to_string());
    order["currency"] = json!(state.setting("general", "woocommerce_currency"));
    order["prices_include_tax"] = json!(state.setting("tax", "woocommerce_prices_include_tax") == "yes");
    order["order_key"] = json!(format!("wc_order_{:013x}", order_id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 12));
    state.stamp(&mut order, "date_created", call.now);
    state.stamp(&mut order, "date_modified", call.now);
    order
}

/// `POST /orders`.
pub(crate) fn create(state: &mut State, call: &mut Call) -> Outcome {
    call.check("POST orders")?;
    if call.integer("id").is_some() {
        return Err(Refusal::new(400, "woocommerce_rest_shop_order_exists", "Cannot create existing shop_order."));
    }
    let mut order = fresh(state, call);
    let order_id = id(&order, "id");
    if let Some(origin) = call.text("created_via") {
        order["created_via"] = json!(origin);
    }
    if let Err(refusal) = fill(state, call, &mut order, true) {
        if refusal.code == "woocommerce_rest_invalid_coupon" {
            // The real shop leaves the draft behind and names it.
            order["status"] = json!("checkout-draft");
            state.orders.put(order_id, &order);
            return Err(refusal.with("new_draft_order_id", json!(order_id)));
        }
        return Err(refusal);
    }
    enter_status(state, call, &mut order);
    state.orders.put(order_id, &order);
    call.fire("order", "created", order_id);
    call.fire("order", "updated", order_id);
    let location = call.address(&format!("orders/{order_id}"));
    Ok(Answer::created(list::project_one(orders::show(state, order, call), &call.query), location))
}

/// `PUT /orders/{id}`: what is sent changes, all else stays.
pub(crate) fn update(state: &mut State, call: &mut Call, order_id: u64) -> Outcome {
    call.check("POST orders/{id}")?;
    let unknown = || Refusal::new(400, "woocommerce_rest_shop_order_invalid_id", "ID is invalid.");
    let mut order = state.orders.get(order_id).ok_or_else(unknown)?;
    let told = |order: &Value| (order["status"].clone(), order["customer_note"].clone());
    let before = told(&order);
    fill(state, call, &mut order, false)?;
    enter_status(state, call, &mut order);
    // In posts the date moves with what the post itself holds; lines, addresses and meta lie beside it.
    if state.storage == Storage::Tables || told(&order) != before {
        state.stamp(&mut order, "date_modified", call.now);
    }
    state.orders.put(order_id, &order);
    call.fire("order", "updated", order_id);
    Ok(Answer::ok(list::project_one(orders::show(state, order, call), &call.query)))
}

/// `DELETE /orders/{id}`: into the trash, or for good with `force`. The answer shows the order as it was.
pub(crate) fn delete(state: &mut State, call: &mut Call, order_id: u64) -> Outcome {
    let order = state.orders.get(order_id).ok_or_else(orders::unknown)?;
    let shown = orders::show(state, order.clone(), call);
    if call.is_set("force") {
        state.orders.remove(order_id);
        for table in [&mut state.refunds, &mut state.notes] {
            let owned: Vec<u64> =
                table.rows().filter(|(_, row)| row.columns.owner == order_id).map(|(id, _)| id).collect();
            for id in owned {
                table.remove(id);
            }
        }
        return Ok(Answer::ok(shown));
    }
    if text(&order, "status") == "trash" {
        return Err(Refusal::new(410, "woocommerce_rest_already_trashed", "The shop_order has already been deleted."));
    }
    let mut order = order;
    order["status"] = json!("trash");
    state.stamp(&mut order, "date_modified", call.now);
    state.orders.put(order_id, &order);
    call.fire("order", "deleted", order_id);
    Ok(Answer::ok(shown))
}

/// Takes over what was sent, but for the status, and computes the totals where they depend on it.
fn fill(state: &mut State, call: &mut Call, order: &mut Value, new: bool) -> Result<(), Refusal> {
    let sent = call.parameters.clone();
    if let Some(customer) = call.integer("customer_id") {
        let known =
            u64::try_from(customer).ok().filter(|customer| *customer == 0 || state.customers.contains(*customer));
        let customer = known
            .ok_or_else(|| Refusal::new(400, "woocommerce_rest_invalid_customer_id", "Customer ID is invalid."))?;
        order["customer_id"] = json!(customer);
    }
    if let Some(parent) = call.integer("parent_id") {
        order["parent_id"] = json!(parent);
    }
    for name in ["currency", "customer_note", "payment_method", "payment_method_title", "transaction_id"] {
        if let Some(Value::String(value)) = sent.get(name) {
            order[name] = json!(value);
        }
    }
    let rates = state.rates();
    let before = rates.place(&order["billing"], &order["shipping"]);
    for address in ["billing", "shipping"] {
        for (name, value) in sent.get(address).and_then(Value::as_object).into_iter().flatten() {
            if value.is_string() && order[address].get(name).is_some() {
                order[address][name] = value.clone();
            }
        }
    }
    let moved = rates.place(&order["billing"], &order["shipping"]) != before;
    if let Some(entries) = sent.get("meta_data") {
        meta::merge(&mut order["meta_data"], entries, &mut || state.new_meta());
        if let Some(email) = meta::billing_email(entries) {
            order["billing"]["email"] = json!(email);
        }
    }
    let mut changed = new || moved;
    for rows in ["line_items", "shipping_lines", "fee_lines"] {
        if let Some(sent) = sent.get(rows) {
            changed |= items::apply(state, order, rows, sent, &rates)?;
        }
    }
    if let Some(coupons) = sent.get("coupon_lines") {
        discounts::apply(state, order, coupons, &rates)?;
        changed = true;
    }
    if changed {
        recalculate(state, order);
    }
    Ok(())
}

/// Computes taxes and totals anew, with the tax status of each product.
pub(crate) fn recalculate(state: &mut State, order: &mut Value) {
    let rates = state.rates();
    for line in order["line_items"].as_array_mut().into_iter().flatten() {
        let status = state.products.get(id(line, "product_id")).map(|product| text(&product, "tax_status").to_owned());
        line["_tax_status"] = json!(status.unwrap_or_else(|| "taxable".to_owned()));
    }
    totals::recalculate(order, &rates, &mut || state.new_item());
    let mut processing = false;
    for line in order["line_items"].as_array_mut().into_iter().flatten() {
        let product = state.products.get(id(line, "product_id"));
        processing |= product
            .is_some_and(|product| !(product["virtual"] == json!(true) && product["downloadable"] == json!(true)));
        if let Value::Object(members) = line {
            members.shift_remove("_tax_status");
        }
    }
    order["needs_processing"] = json!(processing);
}

/// Sets the status sent, or pays the order, with all that follows: dates, stock, notes, a refund of the rest.
fn enter_status(state: &mut State, call: &mut Call, order: &mut Value) {
    let before = text(order, "status").to_owned();
    let known = |status: &&str| *status != "trash" && *status != "any";
    let wanted = call.text("status").filter(known).filter(|status| is_status(status)).map(str::to_owned);
    let paid_status = if order["needs_processing"] == json!(true) { "processing" } else { "completed" };
    let pays = call.is_set("set_paid") && ["pending", "failed"].contains(&wanted.as_deref().unwrap_or(&before));
    let after = if pays { paid_status.to_owned() } else { wanted.unwrap_or_else(|| before.clone()) };
    if after == before {
        return;
    }
    order["status"] = json!(after);
    let unpaid = order["date_paid"].is_null();
    if unpaid && (pays || after == paid_status || after == "completed") {
        state.stamp(order, "date_paid", call.now);
    }
    if after == "completed" {
        state.stamp(order, "date_completed", call.now);
    }
    stock::follow(state, call, order, &before);
    let note = format!("Order status changed from {} to {}.", status_name(&before), status_name(&after));
    notes::add(state, call, id(order, "id"), &note);
    call.fire("action", &format!("woocommerce_order_status_{after}"), id(order, "id"));
    if after == "refunded" {
        refunds::rest(state, call, order);
    }
}

/// Whether the shop has this status; rows of a batch with another one are made pending without a word.
fn is_status(status: &str) -> bool {
    super::state::master()["orders/statuses"].as_array().into_iter().flatten().any(|row| text(row, "slug") == status)
}

fn status_name(status: &str) -> String {
    let rows = super::state::master()["orders/statuses"].as_array();
    let found =
        rows.into_iter().flatten().find(|row| text(row, "slug") == status).map(|row| text(row, "name").to_owned());
    found.unwrap_or_else(|| status.to_owned())
}
