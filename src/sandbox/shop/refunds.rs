//! Refunds of orders. Their endpoint has error habits of its own: status 500 and a bare number as `data`.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Outcome, Refusal};
use super::arguments::integer;
use super::call::Call;
use super::items::entered;
use super::list::{self, Defaults, Page};
use super::state::{State, amount};
use super::table::{id, text};
use super::totals::{self, bare, stored};
use super::{meta, stock};

/// `GET /orders/{id}/refunds`; an unknown order has none.
pub(crate) fn list_of(state: &State, call: &Call, order_id: u64) -> Outcome {
    call.check("GET orders/{id}/refunds")?;
    let bounds = call.bounds(state.storage, &state.zone.rules);
    let mine = |row: &super::table::Row| row.columns.owner == order_id && bounds.take(&row.columns);
    let mut ids: Vec<u64> = state.refunds.rows().filter(|(_, row)| mine(row)).map(|(id, _)| id).collect();
    ids.reverse();
    let page = Page::of(call);
    let rows =
        page.cut(&ids).iter().filter_map(|id| state.refunds.get(*id)).map(|refund| show(state, refund, call)).collect();
    let address = call.address(&format!("orders/{order_id}/refunds"));
    list::answer(call, rows, ids.len(), page, &address, Defaults::Refunds(state.storage))
}

/// `GET /refunds`: those of all orders together.
pub(crate) fn list_all(state: &State, call: &Call) -> Outcome {
    call.check("GET refunds")?;
    let bounds = call.bounds(state.storage, &state.zone.rules);
    let include = super::arguments::ids_of(&call.parameters, "include");
    let exclude = super::arguments::ids_of(&call.parameters, "exclude");
    let mut found: Vec<(i64, u64)> = state
        .refunds
        .rows()
        .filter(|(id, row)| {
            bounds.take(&row.columns) && (include.is_empty() || include.contains(id)) && !exclude.contains(id)
        })
        .map(|(id, row)| (state.storage.rank(row.columns.created), id))
        .collect();
    found.sort_unstable();
    if call.text("order") != Some("asc") {
        found.reverse();
    }
    let page = Page::of(call);
    let rows = page
        .cut(&found)
        .iter()
        .filter_map(|(_, id)| state.refunds.get(*id))
        .map(|refund| with_parent(state, refund, call))
        .collect();
    list::answer(call, rows, found.len(), page, &call.address("refunds"), Defaults::Refunds(state.storage))
}

fn with_parent(state: &State, refund: Value, call: &Call) -> Value {
    let parent = id(&refund, "parent_id");
    let mut ordered = Map::new();
    if let Value::Object(members) = show(state, refund, call) {
        for (name, value) in members {
            let first = name == "id";
            ordered.insert(name, value);
            if first {
                ordered.insert("parent_id".to_owned(), json!(parent));
            }
        }
    }
    Value::Object(ordered)
}

/// `GET /orders/{id}/refunds/{id}`.
pub(crate) fn get(state: &State, call: &Call, order_id: u64, refund_id: u64) -> Outcome {
    let refund = owned(state, order_id, refund_id)?;
    Ok(Answer::ok(list::project_one(show(state, refund, call), &call.query)))
}

fn owned(state: &State, order_id: u64, refund_id: u64) -> Result<Value, Refusal> {
    if !state.orders.contains(order_id) {
        return Err(Refusal::new(404, "woocommerce_rest_invalid_order_id", "Invalid order ID."));
    }
    let refund = state.refunds.get(refund_id).filter(|refund| id(refund, "parent_id") == order_id);
    refund.ok_or_else(|| odd("woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.", 404))
}

/// An error of this endpoint: HTTP 500 whatever is wrong, and `data` a bare number.
fn odd(code: &str, message: &str, data: u16) -> Refusal {
    Refusal { data: Box::new(json!(data)), ..Refusal::new(500, code, message) }
}

/// A refund as an answer shows it.
pub(crate) fn show(state: &State, mut refund: Value, call: &Call) -> Value {
    let decimals = call.integer("dp").and_then(|dp| u32::try_from(dp).ok()).unwrap_or_else(|| state.price_decimals());
    totals::format_amounts(&mut refund, decimals.min(20));
    let (order_id, refund_id) = (id(&refund, "parent_id"), refund["id"].clone());
    let mut links = call.links(&format!("orders/{order_id}/refunds"), &refund_id, &["GET", "DELETE"]);
    links["up"] = json!([{"href": call.address(&format!("orders/{order_id}"))}]);
    if let Value::Object(members) = &mut refund {
        for name in ["parent_id", "total", "total_tax", "_links"] {
            members.shift_remove(name);
        }
        members.insert("_links".to_owned(), links);
    }
    refund
}

/// `POST /orders/{id}/refunds`.
pub(crate) fn create(state: &mut State, call: &mut Call, order_id: u64) -> Outcome {
    call.check("POST orders/{id}/refunds")?;
    let mut order = state
        .orders
        .get(order_id)
        .ok_or_else(|| Refusal::new(404, "woocommerce_rest_invalid_order_id", "Invalid order ID."))?;
    let given = call.parameters.get("amount").filter(|value| value.as_str() != Some("")).and_then(entered);
    if given.is_some_and(|amount| amount < Decimal::ZERO) {
        return Err(odd("woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.", 400));
    }
    let rows = call.parameters.get("line_items").and_then(Value::as_array).cloned().unwrap_or_default();
    let from_lines: Decimal = rows
        .iter()
        .map(|row| {
            row.get("refund_total").and_then(entered).unwrap_or_default()
                + taxes_sent(row).iter().map(|(_, tax)| *tax).sum::<Decimal>()
        })
        .sum();
    let sum = given.or(Some(from_lines).filter(|sum| !sum.is_zero()));
    let rest = open_rest(&order);
    if sum.is_some_and(|sum| sum > rest) {
        return Err(odd("woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 500));
    }
    through_gateway(state, call, &order)?;
    let mut refund = blank(state, call, order_id, sum);
    refund["reason"] = json!(call.text("reason").unwrap_or(""));
    let restock = call.parameters.get("api_restock").and_then(super::arguments::flag).unwrap_or(true);
    for row in &rows {
        refund_row(state, &order, &mut refund, row);
        if restock {
            stock::restock(state, call, &mut order, row);
        }
    }
    refund_taxes(state, &mut refund);
    if let Some(entries) = call.parameters.get("meta_data") {
        meta::merge(&mut refund["meta_data"], entries, &mut || state.new_meta());
    }
    settle(state, call, &mut order, &mut refund, sum, rest);
    state.stamp(&mut order, "date_modified", call.now);
    state.orders.put(order_id, &order);
    call.fire("order", "updated", order_id);
    let location = call.address(&format!("orders/{order_id}/refunds/{}", refund["id"]));
    Ok(Answer::created(list::project_one(show(state, refund, call), &call.query), location))
}

/// Without `api_refund: false` the shop asks the gateway, which the sandbox's gateways do not do.
fn through_gateway(state: &State, call: &Call, order: &Value) -> Result<(), Refusal> {
    let asked = call.parameters.get("api_refund").and_then(super::arguments::flag);
    if asked == Some(false) {
        return Ok(());
    }
    let method = text(order, "payment_method");
    let known = state.gateways.iter().any(|gateway| text(gateway, "id") == method);
    let message = if known {
        "The payment gateway for this order does not support automatic refunds."
    } else {
        "The payment gateway for this order does not exist."
    };
    Err(odd("woocommerce_rest_cannot_create_order_refund", message, 500))
}

/// Stores a refund and shows it in its order, which becomes `refunded` when nothing is left.
fn settle(
    state: &mut State,
    call: &mut Call,
    order: &mut Value,
    refund: &mut Value,
    sum: Option<Decimal>,
    rest: Decimal,
) {
    let full = sum.is_some_and(|sum| sum == rest);
    let kind = if full { "full" } else { "partial" };
    let entry = json!([{"key": "_refund_type", "value": kind}]);
    meta::merge(&mut refund["meta_data"], &entry, &mut || state.new_meta());
    let tax: Decimal = ["line_items", "shipping_lines", "fee_lines"]
        .iter()
        .flat_map(|name| refund[*name].as_array().into_iter().flatten())
        .map(|line| amount(line, "total_tax"))
        .sum();
    let refund_id = id(refund, "id");
    // A refund without money shows a lone minus sign: recorded.
    let total = sum.map_or(json!("-"), |sum| stored(-sum));
    let row = json!({"id": refund_id, "reason": refund["reason"], "total": total, "total_tax": stored(tax)});
    if let Some(refunds) = order["refunds"].as_array_mut() {
        refunds.insert(0, row);
    }
    state.refunds.put(refund_id, refund);
    call.fire("action", "woocommerce_refund_created", refund_id);
    if full && text(order, "status") != "refunded" {
        order["status"] = json!("refunded");
        super::notes::add(state, call, id(order, "id"), "Order status changed to Refunded.");
    }
}

/// The refund that setting the status `refunded` makes: the rest, without lines and without taxes.
pub(crate) fn rest(state: &mut State, call: &mut Call, order: &mut Value) {
    let rest = open_rest(order);
    if rest <= Decimal::ZERO {
        return;
    }
    let mut refund = blank(state, call, id(order, "id"), Some(rest));
    refund["reason"] = json!("Order fully refunded.");
    settle(state, call, order, &mut refund, Some(rest), rest);
}

/// What of an order's total is not refunded yet.
fn open_rest(order: &Value) -> Decimal {
    let refunded: Decimal =
        order["refunds"].as_array().into_iter().flatten().map(|refund| amount(refund, "total")).sum();
    amount(order, "total") + refunded
}

fn blank(state: &mut State, call: &Call, order_id: u64, sum: Option<Decimal>) -> Value {
    let mut refund = json!({
        "id": state.new_id(), "parent_id": order_id, "date_created": null, "date_created_gmt": null,
        "amount": sum.map_or(json!(""), stored), "reason": "", "refunded_by": 1, "refunded_payment": false,
        "meta_data": [], "line_items": [], "shipping_lines": [], "tax_lines": [], "fee_lines": []
    });
    state.stamp(&mut refund, "date_created", call.now);
    refund
}

fn taxes_sent(row: &Value) -> Vec<(u64, Decimal)> {
    let taxes = row["refund_tax"].as_array().into_iter().flatten();
    taxes.map(|tax| (id(tax, "id"), tax.get("refund_total").and_then(entered).unwrap_or_default())).collect()
}

/// Adds the refund of one row of the order; a row that the order does not have leaves no trace.
fn refund_row(state: &mut State, order: &Value, refund: &mut Value, row: &Value) {
    let wanted = row.get("id").and_then(integer).and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
    for name in ["line_items", "shipping_lines", "fee_lines"] {
        let Some(sold) = order[name].as_array().into_iter().flatten().find(|line| id(line, "id") == wanted) else {
            continue;
        };
        let mut line = sold.clone();
        let total = -row.get("refund_total").and_then(entered).unwrap_or_default();
        let taxes = taxes_sent(row);
        let tax: Decimal = -taxes.iter().map(|(_, tax)| *tax).sum::<Decimal>();
        line["id"] = json!(state.new_item());
        line["total"] = stored(total);
        line["total_tax"] = stored(tax);
        let shown = |subtotal: bool, tax: Decimal| if subtotal { stored(-tax) } else { json!("") };
        let goods = name == "line_items";
        line["taxes"] = taxes
            .iter()
            .map(|(rate, tax)| json!({"id": rate, "total": stored(-*tax), "subtotal": shown(goods, *tax)}))
            .collect();
        if goods {
            let quantity = -row.get("quantity").and_then(super::arguments::number).unwrap_or_default();
            line["quantity"] = bare(quantity);
            line["subtotal"] = stored(total);
            line["subtotal_tax"] = stored(tax);
            line["price"] = totals::unit_price(total, quantity);
        }
        line["meta_data"] = json!([]);
        let entry = json!([{"key": "_refunded_item_id", "value": wanted.to_string()}]);
        meta::merge_line(&mut line["meta_data"], &entry, &mut || state.new_meta());
        if let Some(lines) = refund[name].as_array_mut() {
            lines.push(line);
        }
        return;
    }
}

/// The tax lines of a refund: one for each rate that a row names, known or not.
fn refund_taxes(state: &mut State, refund: &mut Value) {
    let mut sums: Vec<(u64, Decimal, Decimal)> = Vec::new();
    for name in ["line_items", "fee_lines", "shipping_lines"] {
        for tax in refund[name]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|line| line["taxes"].as_array().into_iter().flatten())
        {
            let at = sums.iter().position(|(rate, _, _)| *rate == id(tax, "id")).unwrap_or_else(|| {
                sums.push((id(tax, "id"), Decimal::ZERO, Decimal::ZERO));
                sums.len() - 1
            });
            if name == "shipping_lines" {
                sums[at].2 += amount(tax, "total");
            } else {
                sums[at].1 += amount(tax, "total");
            }
        }
    }
    let rates = state.rates();
    let lines = sums
        .into_iter()
        .map(|(rate, goods, shipping)| totals::tax_line(rate, goods, shipping, &rates, &[], &mut || state.new_item()));
    refund["tax_lines"] = lines.collect::<Vec<_>>().into();
}

/// `DELETE /orders/{id}/refunds/{id}`: final, with or without `force`; the order does not count as modified.
pub(crate) fn delete(state: &mut State, call: &mut Call, order_id: u64, refund_id: u64) -> Outcome {
    let refund = owned(state, order_id, refund_id)?;
    state.refunds.remove(refund_id);
    if let Some(mut order) = state.orders.get(order_id) {
        if let Some(rows) = order["refunds"].as_array_mut() {
            rows.retain(|row| id(row, "id") != refund_id);
        }
        state.orders.put(order_id, &order);
    }
    Ok(Answer::ok(show(state, refund, call)))
}
