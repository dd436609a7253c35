//! Stock: what orders take and give back, and what a product says about it.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::meta;
use super::state::{State, amount};
use super::table::{id, text};
use super::totals::bare;

/// Statuses that take the goods from stock.
const TAKING: [&str; 3] = ["on-hold", "processing", "completed"];

/// Takes or returns the goods of an order whose status was `before` and has changed.
pub(crate) fn follow(state: &mut State, call: &mut Call, order: &mut Value, before: &str) {
    let status = text(order, "status").to_owned();
    let takes = TAKING.contains(&status.as_str());
    if takes && TAKING.contains(&before) || !takes && status != "cancelled" {
        return;
    }
    let mut lines = order["line_items"].as_array().cloned().unwrap_or_default();
    for line in &mut lines {
        let held = reduced(line);
        if takes && held.is_none() {
            let quantity = amount(line, "quantity");
            if quantity > Decimal::ZERO && move_stock(state, call, line, -quantity) {
                set_meta(state, line, "_reduced_stock", Some(quantity));
            }
        } else if let Some(pieces) = held.filter(|_| !takes) {
            move_stock(state, call, line, pieces);
            set_meta(state, line, "_reduced_stock", None);
        }
    }
    order["line_items"] = Value::Array(lines);
}

/// Returns the goods of a refunded row, as `api_restock` asks by default. What came back so does not come back again when
/// the order is cancelled.
pub(crate) fn restock(state: &mut State, call: &mut Call, order: &mut Value, row: &Value) {
    let wanted = row.get("id").and_then(super::arguments::integer).and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
    let quantity = row.get("quantity").and_then(super::arguments::number).unwrap_or_default();
    let line = order["line_items"].as_array_mut().into_iter().flatten().find(|line| id(line, "id") == wanted);
    let Some(line) = line.filter(|_| quantity > Decimal::ZERO) else { return };
    let Some(held) = reduced(line) else { return };
    if !move_stock(state, call, line, quantity) {
        return;
    }
    let left = (held - quantity).max(Decimal::ZERO);
    set_meta(state, line, "_reduced_stock", Some(left).filter(|left| !left.is_zero()));
    let before = noted(line, "_restock_refunded_items").unwrap_or_default();
    set_meta(state, line, "_restock_refunded_items", Some(before + quantity));
}

/// Pieces that a line took from stock.
fn reduced(line: &Value) -> Option<Decimal> {
    noted(line, "_reduced_stock")
}

/// A number that stands in a line's meta.
fn noted(line: &Value, key: &str) -> Option<Decimal> {
    let entries = line["meta_data"].as_array()?;
    entries
        .iter()
        .find(|entry| text(entry, "key") == key)
        .and_then(|entry| entry.get("value"))
        .and_then(super::arguments::number)
}

fn set_meta(state: &mut State, line: &mut Value, key: &str, quantity: Option<Decimal>) {
    let value = quantity.map_or(Value::Null, |quantity| json!(quantity.normalize().to_string()));
    let entry = json!([{"key": key, "value": value}]);
    meta::merge_line(&mut line["meta_data"], &entry, &mut || state.new_meta());
}

/// Adds to the stock of what a line sold, where it is managed. The product counts as modified.
fn move_stock(state: &mut State, call: &mut Call, line: &Value, by: Decimal) -> bool {
    let (product_id, variation_id) = (id(line, "product_id"), id(line, "variation_id"));
    if let Some(mut variation) = state.variations.get(variation_id).filter(|row| row["manage_stock"] == json!(true)) {
        add(state, call, &mut variation, by);
        state.variations.put(variation_id, &variation);
        call.fire("product", "updated", variation_id);
        return true;
    }
    let Some(mut product) = state.products.get(product_id).filter(|row| row["manage_stock"] == json!(true)) else {
        return false;
    };
    add(state, call, &mut product, by);
    state.products.put(product_id, &product);
    call.fire("product", "updated", product_id);
    true
}

fn add(state: &State, call: &Call, article: &mut Value, by: Decimal) {
    article["stock_quantity"] = bare(amount(article, "stock_quantity") + by);
    derive(article);
    state.stamp(article, "date_modified", call.now);
}

/// Sets what follows from stock and backorders: status and flags.
pub(crate) fn derive(article: &mut Value) {
    let allowed = ["notify", "yes"].contains(&text(article, "backorders"));
    let managed = article["manage_stock"] == json!(true);
    if managed {
        let some = amount(article, "stock_quantity") > Decimal::ZERO;
        let status = if some {
            "instock"
        } else if allowed {
            "onbackorder"
        } else {
            "outofstock"
        };
        article["stock_status"] = json!(status);
    }
    article["backorders_allowed"] = json!(allowed);
    article["backordered"] = json!(text(article, "stock_status") == "onbackorder");
}
