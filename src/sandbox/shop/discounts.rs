//! Coupons on an order: what each takes off each line, in whole cents, the remainder on the first lines.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::answer::Refusal;
use super::rates::{Rates, inner, inside};
use super::state::{State, amount};
use super::table::text;
use super::totals::{bare, stored};

/// Sets the coupons of an order to those sent and computes its lines anew from their subtotals.
///
/// # Errors
/// `woocommerce_rest_invalid_coupon` for a code that no coupon has.
pub(crate) fn apply(state: &mut State, order: &mut Value, sent: &Value, rates: &Rates) -> Result<(), Refusal> {
    let codes = sent
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| text(row, "code").to_lowercase())
        .filter(|code| !code.is_empty());
    let mut coupons = Vec::new();
    for code in codes {
        let coupon = state.coupons.with_key(&code).first().and_then(|id| state.coupons.get(*id));
        let Some(coupon) = coupon else {
            let message = format!("Coupon &quot;{code}&quot; cannot be applied because it does not exist.");
            return Err(Refusal::new(400, "woocommerce_rest_invalid_coupon", message));
        };
        coupons.push(coupon);
    }
    for line in order["line_items"].as_array_mut().into_iter().flatten() {
        line["total"] = line["subtotal"].clone();
    }
    let mut lines = Vec::new();
    for coupon in &coupons {
        let (item, entry) = (state.new_item(), state.new_meta());
        lines.push(take_off(order, coupon, rates, item, entry));
    }
    order["coupon_lines"] = Value::Array(lines);
    Ok(())
}

/// Takes one coupon off the lines of an order; its coupon line.
pub(crate) fn take_off(order: &mut Value, coupon: &Value, rates: &Rates, item: u64, entry: u64) -> Value {
    let value = amount(coupon, "amount");
    let kind = text(coupon, "discount_type").to_owned();
    let lines = order["line_items"].as_array().cloned().unwrap_or_default();
    let prices: Vec<Decimal> = lines.iter().map(|line| open_price(line, rates)).collect();
    let quantities: Vec<Decimal> = lines.iter().map(|line| amount(line, "quantity")).collect();
    let shares = shares(&kind, value, &prices, &quantities, rates.decimals);
    let (mut net, mut tax) = (Decimal::ZERO, Decimal::ZERO);
    for (line, share) in order["line_items"].as_array_mut().into_iter().flatten().zip(&shares) {
        let found = rates.at_base(text(line, "tax_class"));
        let (mut off, mut off_tax) = (*share, Decimal::ZERO);
        if rates.prices_include_tax {
            off_tax = inside(*share, &found).iter().map(|(_, tax)| *tax).sum();
            off = inner(off - off_tax);
        } else {
            off_tax +=
                super::rates::on_top(*share, &found).iter().map(|(_, tax)| rates.round_tax(*tax)).sum::<Decimal>();
        }
        line["total"] = stored((amount(line, "total") - off).max(Decimal::ZERO));
        net += off;
        tax += off_tax;
    }
    let info = format!("[{},{},{},{}]", coupon["id"], coupon["code"], coupon["discount_type"], bare(value));
    json!({
        "id": item,
        "code": text(coupon, "code"),
        "discount": bare(inner(net)).to_string(),
        "discount_tax": bare(inner(tax)).to_string(),
        "meta_data": [{"id": entry, "key": "coupon_info", "value": info, "display_key": "coupon_info", "display_value": info}],
        "discount_type": kind,
        "nominal_amount": bare(value),
        "free_shipping": coupon.get("free_shipping").and_then(Value::as_bool).unwrap_or(false)
    })
}

/// What is left of a line to discount, as the catalogue shows prices.
fn open_price(line: &Value, rates: &Rates) -> Decimal {
    let net = amount(line, "total");
    if !rates.prices_include_tax {
        return rates.round(net);
    }
    let tax: Decimal =
        super::rates::on_top(net, &rates.at_base(text(line, "tax_class"))).iter().map(|(_, tax)| *tax).sum();
    rates.round(net + tax)
}

/// The discount of each line at the decimals of prices; together exactly what the coupon is worth.
fn shares(kind: &str, value: Decimal, prices: &[Decimal], quantities: &[Decimal], decimals: u32) -> Vec<Decimal> {
    let cents = Decimal::from(10_u64.pow(decimals.min(6)));
    let down = |amount: Decimal| (amount * cents).floor() / cents;
    let whole: Decimal = prices.iter().copied().filter(|price| *price > Decimal::ZERO).sum();
    let pieces: Decimal = quantities.iter().sum();
    let (mut shares, worth): (Vec<Decimal>, Decimal) = match kind {
        "percent" => {
            let part = value / Decimal::ONE_HUNDRED;
            let worth = (whole * part).round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
            (prices.iter().map(|price| down(*price * part)).collect(), worth)
        }
        "fixed_product" => {
            let each: Vec<Decimal> =
                prices.iter().zip(quantities).map(|(price, quantity)| (value * quantity).min(*price)).collect();
            let worth = each.iter().sum();
            (each, worth)
        }
        _ => {
            let worth = value.min(whole);
            let each = |price: &Decimal, quantity: &Decimal| {
                let share = if pieces.is_zero() { Decimal::ZERO } else { down(worth / pieces) * quantity };
                share.min(*price)
            };
            (prices.iter().zip(quantities).map(|(price, quantity)| each(price, quantity)).collect(), worth)
        }
    };
    let mut rest = worth - shares.iter().sum::<Decimal>();
    let cent = Decimal::ONE / cents;
    while rest >= cent {
        let mut moved = false;
        for (share, price) in shares.iter_mut().zip(prices) {
            if rest >= cent && *share + cent <= *price {
                *share += cent;
                rest -= cent;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_remainder_falls_on_the_first_line() {
        // Recorded: 10 % of 30.00 and 4.36 took off 3.01 and 0.43.
        let taken = shares("percent", d("10"), &[d("30.00"), d("4.36")], &[d("3"), d("1")], 2);
        assert_eq!(taken, [d("3.01"), d("0.43")]);
        let fixed = shares("fixed_cart", d("5"), &[d("10"), d("2")], &[d("2"), d("1")], 2);
        assert_eq!(fixed.iter().sum::<Decimal>(), d("5"));
    }
}
