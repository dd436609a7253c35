//! Taxes and totals of an order, as WooCommerce computes them from its lines, its place and the tax table.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Number, Value, json};

use super::rates::{Place, Rate, Rates, Tax, on_top};
use super::state::amount;
use super::table::{id, text};

/// The amount members of an order that `dp` formats.
const HEAD_AMOUNTS: [&str; 7] =
    ["discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total", "total_tax"];
/// The lists of an order that carry tax.
const TAXED_LISTS: [&str; 3] = ["line_items", "fee_lines", "shipping_lines"];

/// An amount as it is stored: six decimals.
pub(crate) fn stored(amount: Decimal) -> Value {
    Value::String(formatted(amount, 6))
}

fn formatted(amount: Decimal, decimals: u32) -> String {
    let rounded = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    let rounded = if rounded.is_zero() { Decimal::ZERO } else { rounded };
    format!("{rounded:.0$}", usize::try_from(decimals).unwrap_or(6))
}

/// A decimal as a JSON number without needless zeros.
pub(crate) fn bare(amount: Decimal) -> Value {
    let text = amount.normalize().to_string();
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}

/// Total ÷ quantity, with about the digits that PHP's floating point shows.
pub(crate) fn unit_price(total: Decimal, quantity: Decimal) -> Value {
    let price = total.checked_div(quantity).unwrap_or_default();
    bare(price.round_sf_with_strategy(16, RoundingStrategy::MidpointAwayFromZero).unwrap_or(price))
}

/// Computes all taxes and totals of an order anew. New tax lines take their ids from `new_item`.
pub(crate) fn recalculate(order: &mut Value, rates: &Rates, new_item: &mut dyn FnMut() -> u64) {
    let picked_up = list(order, "shipping_lines").iter().any(|line| text(line, "method_id") == "local_pickup");
    // Who picks the goods up is taxed where the shop is.
    let place = if picked_up { rates.home() } else { rates.place(&order["billing"], &order["shipping"]) };
    let exempt = order["meta_data"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|entry| text(entry, "key") == "is_vat_exempt" && text(entry, "value") == "yes");
    tax_lines_of_goods(order, rates, &place, exempt);
    tax_fees(order, rates, &place, exempt);
    tax_shipping(order, rates, &place, exempt);
    sum_up(order, rates, new_item);
}

fn list<'a>(order: &'a Value, name: &str) -> &'a [Value] {
    order.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn list_mut<'a>(order: &'a mut Value, name: &str) -> &'a mut [Value] {
    order.get_mut(name).and_then(Value::as_array_mut).map(Vec::as_mut_slice).unwrap_or_default()
}

fn tax_lines_of_goods(order: &mut Value, rates: &Rates, place: &Place, exempt: bool) {
    for line in list_mut(order, "line_items") {
        let taxable = !exempt && text(line, "_tax_status") != "none" && text(line, "_tax_status") != "shipping";
        let found = if taxable { rates.at(place, text(line, "tax_class")) } else { Vec::new() };
        let before = on_top(amount(line, "subtotal"), &found);
        let after = on_top(amount(line, "total"), &found);
        line["subtotal_tax"] = stored(rounded_sum(&before, rates));
        line["total_tax"] = stored(rounded_sum(&after, rates));
        line["taxes"] = after
            .iter()
            .zip(&before)
            .map(|((rate, total), (_, subtotal))| json!({"id": rate, "total": stored(*total), "subtotal": stored(*subtotal)}))
            .collect();
        let price = unit_price(amount(line, "total"), amount(line, "quantity"));
        line["price"] = price;
    }
}

fn rounded_sum(taxes: &[Tax], rates: &Rates) -> Decimal {
    if rates.round_at_subtotal {
        return rates.round_tax(taxes.iter().map(|(_, tax)| *tax).sum());
    }
    taxes.iter().map(|(_, tax)| rates.round_tax(*tax)).sum()
}

/// A positive fee is taxed by its class; a negative one lowers the taxes of all that costs something, in its proportion, whatever
/// the fee's own status.
fn tax_fees(order: &mut Value, rates: &Rates, place: &Place, exempt: bool) {
    let mut by_class: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut untaxed = Decimal::ZERO;
    let first = list(order, "line_items").first().map_or("", |line| text(line, "tax_class")).to_owned();
    for name in TAXED_LISTS {
        for row in list(order, name).iter().filter(|row| amount(row, "total") > Decimal::ZERO) {
            let taxable = text(row, "_tax_status") != "none" && text(row, "tax_status") != "none";
            // Shipping inherits the class of the first goods.
            let class = if name == "shipping_lines" { first.as_str() } else { text(row, "tax_class") };
            if taxable {
                *by_class.entry(class.to_owned()).or_default() += amount(row, "total");
            } else {
                untaxed += amount(row, "total");
            }
        }
    }
    let goods = by_class.values().sum::<Decimal>() + untaxed;
    for fee in list_mut(order, "fee_lines") {
        let total = amount(fee, "total");
        let taxes = if exempt {
            Vec::new()
        } else if total < Decimal::ZERO && !goods.is_zero() {
            spread(total, &by_class, goods, rates, place)
        } else if text(fee, "tax_status") == "none" {
            Vec::new()
        } else {
            on_top(total, &rates.at(place, text(fee, "tax_class")))
        };
        set_taxes(fee, &taxes, rates);
    }
}

fn spread(
    total: Decimal,
    by_class: &BTreeMap<String, Decimal>,
    goods: Decimal,
    rates: &Rates,
    place: &Place,
) -> Vec<Tax> {
    let mut taxes: Vec<Tax> = Vec::new();
    for (class, cost) in by_class {
        for (rate, tax) in on_top(total * cost / goods, &rates.at(place, class)) {
            match taxes.iter_mut().find(|(known, _)| *known == rate) {
                Some((_, sum)) => *sum += tax,
                None => taxes.push((rate, tax)),
            }
        }
    }
    taxes
}

/// Shipping is taxed by its own class, or by the first class, in the shop's order, that the goods have.
fn tax_shipping(order: &mut Value, rates: &Rates, place: &Place, exempt: bool) {
    let class = if rates.shipping_class == "inherit" {
        let lines = list(order, "line_items");
        let has = |class: &str| {
            lines.iter().any(|line| text(line, "tax_class") == class && text(line, "_tax_status") != "none")
        };
        let slugs = rates.classes.iter().map(|slug| if slug == "standard" { "" } else { slug.as_str() });
        slugs.into_iter().find(|class| has(class)).map(str::to_owned)
    } else {
        Some(rates.shipping_class.clone())
    };
    let found: Vec<&Rate> = class.map(|class| rates.at(place, &class)).unwrap_or_default();
    let found: Vec<&Rate> = found.into_iter().filter(|rate| rate.shipping).collect();
    for line in list_mut(order, "shipping_lines") {
        let taxed = !exempt && text(line, "tax_status") != "none";
        let picked_up = text(line, "method_id") == "local_pickup" && amount(line, "total").is_zero();
        let shares = if taxed && !picked_up { on_top(amount(line, "total"), &found) } else { Vec::new() };
        set_taxes(line, &shares, rates);
    }
}

fn set_taxes(line: &mut Value, taxes: &[Tax], rates: &Rates) {
    line["total_tax"] = stored(rounded_sum(taxes, rates));
    line["taxes"] =
        taxes.iter().map(|(rate, tax)| json!({"id": rate, "total": stored(*tax), "subtotal": ""})).collect();
}

/// Tax lines and totals from the lines' taxes.
fn sum_up(order: &mut Value, rates: &Rates, new_item: &mut dyn FnMut() -> u64) {
    let mut per_rate: Vec<(u64, Decimal, Decimal)> = Vec::new();
    for name in TAXED_LISTS {
        for line in list(order, name) {
            for tax in list(line, "taxes") {
                let raw = amount(tax, "total");
                let share = if rates.round_at_subtotal { raw } else { rates.round_tax(raw) };
                let at = per_rate.iter().position(|(rate, _, _)| *rate == id(tax, "id")).unwrap_or_else(|| {
                    per_rate.push((id(tax, "id"), Decimal::ZERO, Decimal::ZERO));
                    per_rate.len() - 1
                });
                if name == "shipping_lines" {
                    per_rate[at].2 += share;
                } else {
                    per_rate[at].1 += share;
                }
            }
        }
    }
    let old = list(order, "tax_lines").to_vec();
    // Rates that were there keep their places.
    per_rate.sort_by_key(|(rate, _, _)| old.iter().position(|line| id(line, "rate_id") == *rate).unwrap_or(usize::MAX));
    let lines = per_rate.iter().map(|(rate, cart, shipping)| tax_line(*rate, *cart, *shipping, rates, &old, new_item));
    order["tax_lines"] = lines.collect();

    let sum = |name: &str, member: &str| -> Decimal { list(order, name).iter().map(|line| amount(line, member)).sum() };
    let nets = |name: &str| -> Decimal {
        let each = |line: &Value| {
            if rates.round_at_subtotal { amount(line, "total") } else { rates.round(amount(line, "total")) }
        };
        list(order, name).iter().map(each).sum()
    };
    let cart_tax: Decimal = per_rate.iter().map(|(_, cart, _)| *cart).sum();
    let shipping_tax: Decimal = per_rate.iter().map(|(_, _, shipping)| *shipping).sum();
    let discount = rates.round(sum("line_items", "subtotal") - sum("line_items", "total"));
    let discount_tax = rates.round_tax(sum("line_items", "subtotal_tax") - sum("line_items", "total_tax"));
    let shipping = sum("shipping_lines", "total");
    let shipping = if rates.round_at_subtotal { shipping } else { nets("shipping_lines") };
    let total = rates.round(nets("line_items") + nets("fee_lines") + shipping + cart_tax + shipping_tax);
    let sums =
        [discount, discount_tax, shipping, shipping_tax, cart_tax, total, rates.round_tax(cart_tax + shipping_tax)];
    for (name, sum) in HEAD_AMOUNTS.iter().zip(sums) {
        order[*name] = stored(sum);
    }
}

/// A tax line; a rate that the table does not have shows as `VAT` of 0 %.
pub(crate) fn tax_line(
    rate: u64,
    cart: Decimal,
    shipping: Decimal,
    rates: &Rates,
    old: &[Value],
    new_item: &mut dyn FnMut() -> u64,
) -> Value {
    let known = rates.rows.iter().find(|row| row.id == rate);
    let own_id = old.iter().find(|line| id(line, "rate_id") == rate).map_or_else(new_item, |line| id(line, "id"));
    json!({
        "id": own_id,
        "rate_code": known.map_or(String::new(), Rate::code),
        "rate_id": rate,
        "label": known.map_or("VAT", |row| row.name.as_str()),
        "compound": known.is_some_and(|row| row.compound),
        "tax_total": stored(cart),
        "shipping_tax_total": stored(shipping),
        "rate_percent": known.map_or_else(|| json!(0), |row| bare(row.percent)),
        "meta_data": []
    })
}

/// Formats the amounts of an order or refund with `decimals`; what the shop leaves as stored stays
/// (`price`, all of a coupon line).
pub(crate) fn format_amounts(order: &mut Value, decimals: u32) {
    let format = |value: &mut Value, name: &str| {
        let Some(Value::String(text)) = value.get_mut(name) else {
            return;
        };
        if let Ok(amount) = text.parse::<Decimal>() {
            *text = formatted(amount, decimals);
        }
    };
    for name in HEAD_AMOUNTS {
        format(order, name);
    }
    format(order, "amount");
    for name in TAXED_LISTS {
        for line in list_mut(order, name) {
            for member in ["subtotal", "subtotal_tax", "total", "total_tax"] {
                format(line, member);
            }
            for tax in list_mut(line, "taxes") {
                format(tax, "total");
                format(tax, "subtotal");
            }
        }
    }
    for line in list_mut(order, "tax_lines") {
        format(line, "tax_total");
        format(line, "shipping_tax_total");
    }
    for refund in list_mut(order, "refunds") {
        format(refund, "total");
        format(refund, "total_tax");
    }
}
