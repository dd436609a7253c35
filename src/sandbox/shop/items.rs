//! The rows of an order as a client writes them: lines, shipping, fees; each added, changed or taken away.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::answer::Refusal;
use super::arguments::integer;
use super::meta;
use super::rates::Rates;
use super::state::{State, amount};
use super::table::{id, text};
use super::totals::stored;

/// What a line sells.
struct Sold {
    product: Value,
    variation: Option<Value>,
}

/// Applies one of `line_items`, `shipping_lines`, `fee_lines` to an order; true where anything was sent.
///
/// # Errors
/// The recorded refusals: unknown row id, no product reference, and the fatal of a new line with quantity 0.
pub(crate) fn apply(
    state: &mut State,
    order: &mut Value,
    list: &'static str,
    sent: &Value,
    rates: &Rates,
) -> Result<bool, Refusal> {
    let Some(rows) = sent.as_array().filter(|rows| !rows.is_empty()) else {
        return Ok(false);
    };
    for row in rows {
        let row_id = row.get("id").and_then(integer).and_then(|id| u64::try_from(id).ok()).filter(|id| *id != 0);
        let Some(row_id) = row_id else {
            let made = match list {
                "line_items" => new_line(state, row, rates)?,
                "shipping_lines" => new_shipping(state, row)?,
                _ => new_fee(state, row)?,
            };
            if let Some(held) = order[list].as_array_mut() {
                held.push(made);
            }
            continue;
        };
        let held = order[list].as_array_mut();
        let Some((held, at)) =
            held.and_then(|held| held.iter().position(|one| id(one, "id") == row_id).map(|at| (held, at)))
        else {
            return Err(Refusal::new(
                400,
                "woocommerce_rest_invalid_item_id",
                "Order item ID provided is not associated with order.",
            ));
        };
        if taken_away(row, list) {
            held.remove(at);
        } else {
            change(state, &mut held[at], row, list);
        }
    }
    Ok(true)
}

/// A row goes by quantity 0, or by a null where its name or reference stands.
fn taken_away(row: &Value, list: &str) -> bool {
    let null = |name: &str| row.get(name).is_some_and(Value::is_null);
    match list {
        "line_items" => null("product_id") || row.get("quantity").and_then(integer) == Some(0),
        "shipping_lines" => null("method_id"),
        _ => null("name"),
    }
}

fn change(state: &mut State, held: &mut Value, row: &Value, list: &str) {
    if let Some(quantity) = row.get("quantity").filter(|_| list == "line_items") {
        held["quantity"] = whole(quantity);
    }
    for name in ["name", "tax_class", "method_title", "method_id", "instance_id", "tax_status"] {
        if let Some(value) = row.get(name).filter(|value| value.is_string() && held.get(name).is_some()) {
            held[name] = value.clone();
        }
    }
    for name in ["subtotal", "total"] {
        if let Some(sent) = row.get(name).and_then(entered).filter(|_| held.get(name).is_some()) {
            held[name] = stored(sent);
        }
    }
    if let Some(sent) = row.get("meta_data") {
        meta::merge_line(&mut held["meta_data"], sent, &mut || state.new_meta());
    }
}

/// An amount as the shop reads it: a comma is a decimal point, what is no number is nothing.
pub(crate) fn entered(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.replace(',', "."),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let kept: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.' || *c == '-').collect();
    kept.parse().ok()
}

/// A quantity as it is kept: whole pieces.
fn whole(value: &Value) -> Value {
    let number = super::arguments::number(value).unwrap_or(Decimal::ONE).trunc();
    super::totals::bare(number)
}

fn new_line(state: &mut State, row: &Value, rates: &Rates) -> Result<Value, Refusal> {
    let references = ["product_id", "variation_id", "sku"];
    let sent = |name: &str| row.get(name).is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
    if !references.iter().any(|name| sent(name)) {
        return Err(Refusal::new(400, "woocommerce_rest_required_product_reference", "Product ID or SKU is required."));
    }
    let asked =
        row.get("quantity").map_or(Decimal::ONE, |value| super::arguments::number(value).unwrap_or(Decimal::ONE));
    if asked.is_zero() {
        return Err(fatal());
    }
    let sold = sold(state, row);
    let (name, price, tax_class) = sold.as_ref().map_or_else(|| (String::new(), Decimal::ZERO, String::new()), offered);
    let taxable = sold.as_ref().is_none_or(|sold| text(&sold.product, "tax_status") != "none");
    // The pieces are counted before they are cut to whole ones: 1.5 in a batch is stored as 1 at the price of 1.5.
    let catalogue =
        if asked > Decimal::ZERO { rates.net_price(price * asked, &tax_class, taxable) } else { Decimal::ZERO };
    let subtotal = row.get("subtotal").and_then(entered).unwrap_or(catalogue);
    let total =
        row.get("total").and_then(entered).unwrap_or(if row.get("subtotal").is_some() { subtotal } else { catalogue });
    let product = sold.as_ref().map_or(0, |sold| id(&sold.product, "id"));
    let variation = sold.as_ref().and_then(|sold| sold.variation.as_ref());
    let article = variation.or(sold.as_ref().map(|sold| &sold.product));
    let known = |name: &str| article.map_or(Value::Null, |article| json!(text(article, name)));
    let mut line = json!({
        "id": state.new_item(),
        "name": row.get("name").and_then(Value::as_str).unwrap_or(&name),
        "product_id": product,
        "variation_id": variation.map_or(0, |variation| id(variation, "id")),
        "quantity": super::totals::bare(asked.trunc()),
        "tax_class": row.get("tax_class").and_then(Value::as_str).unwrap_or(&tax_class),
        "subtotal": stored(subtotal), "subtotal_tax": stored(Decimal::ZERO),
        "total": stored(total), "total_tax": stored(Decimal::ZERO),
        "taxes": [], "meta_data": [],
        "sku": known("sku"), "global_unique_id": known("global_unique_id"),
        "price": 0, "image": {"id": "", "src": ""},
        "parent_name": variation.and(sold.as_ref()).map_or(Value::Null, |sold| json!(text(&sold.product, "name")))
    });
    let attributes = variation.map(attributes).unwrap_or_default();
    meta::merge_line(&mut line["meta_data"], &attributes, &mut || state.new_meta());
    if let Some(variation) = variation {
        label(&mut line["meta_data"], variation);
    }
    if let Some(sent) = row.get("meta_data") {
        meta::merge_line(&mut line["meta_data"], sent, &mut || state.new_meta());
    }
    Ok(line)
}

/// What a variation chose, as the line's meta.
fn attributes(variation: &Value) -> Value {
    let chosen = variation["attributes"].as_array().into_iter().flatten();
    chosen.map(|one| json!({"key": text(one, "slug"), "value": text(one, "option").to_lowercase()})).collect()
}

/// What a variation chose is shown by its names, and kept by their slugs.
fn label(entries: &mut Value, variation: &Value) {
    for chosen in variation["attributes"].as_array().into_iter().flatten() {
        let entry =
            entries.as_array_mut().into_iter().flatten().find(|entry| text(entry, "key") == text(chosen, "slug"));
        if let Some(entry) = entry {
            entry["display_key"] = chosen["name"].clone();
            entry["display_value"] = chosen["option"].clone();
        }
    }
}

/// Name, catalogue price and tax class of what is sold.
fn offered(sold: &Sold) -> (String, Decimal, String) {
    let parent_class = text(&sold.product, "tax_class");
    let Some(variation) = &sold.variation else {
        return (text(&sold.product, "name").to_owned(), amount(&sold.product, "price"), parent_class.to_owned());
    };
    let name = format!("{} - {}", text(&sold.product, "name"), text(variation, "name"));
    let class = text(variation, "tax_class");
    let class = if class == "parent" { parent_class } else { class };
    (name, amount(variation, "price"), class.to_owned())
}

fn sold(state: &State, row: &Value) -> Option<Sold> {
    let number =
        |name: &str| row.get(name).and_then(integer).and_then(|id| u64::try_from(id).ok()).filter(|id| *id != 0);
    let sku = row.get("sku").and_then(Value::as_str).filter(|sku| !sku.is_empty()).map(str::to_lowercase);
    let variation = number("variation_id").or_else(|| number("product_id").filter(|id| state.variations.contains(*id)));
    let variation = variation.or_else(|| sku.as_ref().and_then(|sku| state.variations.with_key(sku).first().copied()));
    if let Some(variation) = variation.and_then(|id| state.variations.get(id)) {
        let product = state.products.get(id(&variation, "parent_id"))?;
        return Some(Sold { product, variation: Some(variation) });
    }
    let product =
        number("product_id").or_else(|| sku.and_then(|sku| state.products.with_key(&sku).first().copied()))?;
    Some(Sold { product: state.products.get(product)?, variation: None })
}

/// The answer of a script that died; the shop's real one, without its paths.
fn fatal() -> Refusal {
    let message = "<p>There has been a critical error on this website.</p><p><a href=\"https://wordpress.org/documentation/article/faq-troubleshooting/\">Learn more about troubleshooting WordPress.</a></p>";
    Refusal::new(500, "internal_server_error", message).with("error", json!({"type": 1, "message": "Uncaught TypeError: remove_item(): Argument #3 ($item_id) must be of type int, null given"}))
}

fn new_shipping(state: &mut State, row: &Value) -> Result<Value, Refusal> {
    if text(row, "method_id").is_empty() {
        return Err(Refusal::new(400, "woocommerce_rest_invalid_shipping_item", "Shipping method ID is required."));
    }
    let mut line = json!({
        "id": state.new_item(),
        "method_title": text(row, "method_title"),
        "method_id": text(row, "method_id"),
        "instance_id": row.get("instance_id").map_or(json!(""), |value| json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))),
        "total": stored(row.get("total").and_then(entered).unwrap_or_default()),
        "total_tax": stored(Decimal::ZERO),
        "taxes": [],
        "tax_status": "taxable",
        "meta_data": []
    });
    if let Some(sent) = row.get("meta_data") {
        meta::merge_line(&mut line["meta_data"], sent, &mut || state.new_meta());
    }
    Ok(line)
}

fn new_fee(state: &mut State, row: &Value) -> Result<Value, Refusal> {
    if text(row, "name").is_empty() {
        return Err(Refusal::new(400, "woocommerce_rest_invalid_fee_item", "Fee name is required."));
    }
    let mut line = json!({
        "id": state.new_item(),
        "name": text(row, "name"),
        "tax_class": text(row, "tax_class"),
        "tax_status": if text(row, "tax_status") == "none" { "none" } else { "taxable" },
        "amount": "",
        "total": stored(row.get("total").and_then(entered).unwrap_or_default()),
        "total_tax": stored(Decimal::ZERO),
        "taxes": [],
        "meta_data": []
    });
    if let Some(sent) = row.get("meta_data") {
        meta::merge_line(&mut line["meta_data"], sent, &mut || state.new_meta());
    }
    Ok(line)
}
