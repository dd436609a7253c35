//! What an item costs whom: agreement, price list, normal price; and VAT codes as amounts see them.

use rust_decimal::Decimal;

use super::super::amounts::{Basis, Vat};
use super::super::cell::Cell;
use super::super::record::Record;
use super::super::state::State;

/// The unit price of an item for a customer; nought if none is kept.
///
/// The order is assumed: the customer's agreement, then its price list, then the normal price. Among
/// those of one kind the one with the highest minimum quantity that is reached counts.
pub(super) fn price(state: &State, item: &Cell, account: &Cell, currency: &Cell, quantity: Decimal) -> Decimal {
    let reached = |record: &Record| {
        let minimum = record.number("Quantity").unwrap_or(Decimal::ONE);
        minimum <= quantity.abs() || minimum <= Decimal::ONE
    };
    let best = |own: bool| {
        let prices = state.having("logistics/SalesItemPrices", "Item", item).filter(|price| {
            let party = if own { price.get("Account") == account } else { !price.has("Account") };
            party && price.get("Currency") == currency && state.is_current(price) && reached(price)
        });
        prices.max_by_key(|price| price.amount("Quantity")).and_then(|price| price.number("Price"))
    };
    best(true).or_else(|| listed(state, item, account, quantity)).or_else(|| best(false)).unwrap_or_default()
}

/// The price in the customer's price list.
fn listed(state: &State, item: &Cell, account: &Cell, quantity: Decimal) -> Option<Decimal> {
    let customer = state.record("crm/Accounts", account)?;
    let list = state.by_guid("sales/SalesPriceLists", customer.guid("PriceList"))?;
    let rows = state.having("sales/SalesPriceListVolumeDiscounts", "Item", item);
    let fitting = rows.filter(|row| {
        row.text("PriceListCode") == list.text("Code") && row.amount("Quantity") <= quantity.abs().max(Decimal::ONE)
    });
    fitting.max_by_key(|row| row.amount("Quantity")).and_then(|row| row.number("NewPrice"))
}

/// A VAT code as amounts see it; an unknown one taxes nothing.
pub(super) fn vat(state: &State, code: Option<&str>) -> Vat {
    let record = code.and_then(|code| state.by_code("vat/VATCodes", code));
    let basis = match record.as_ref().and_then(|record| record.text("Type")) {
        Some("E") => Basis::Net,
        Some("I") => Basis::Gross,
        _ => Basis::Untaxed,
    };
    let fraction = record.and_then(|record| record.number("Percentage")).unwrap_or_default();
    Vat { code: code.unwrap_or_default().trim().to_owned(), basis, fraction }
}

/// The share of tax of a code on a day, by its table with dates; without one, the code's own.
pub(super) fn percentage(state: &State, code: &Record, day: Option<i64>) -> Decimal {
    let held = |row: &Record| {
        let begun = row.time("StartDate").is_none_or(|start| day.is_none_or(|day| start <= day));
        let over = row.time("EndDate").is_some_and(|end| day.is_some_and(|day| day > end));
        begun && !over && row.int("Type").unwrap_or(0) == 0
    };
    let row = state.having("vat/VatPercentages", "VATCodeID", &code.key()).find(held);
    row.and_then(|row| row.number("Percentage")).unwrap_or_else(|| code.amount("Percentage"))
}

/// The company-currency value of one unit of a currency on a day.
pub(super) fn rate(state: &State, currency: &Cell, day: Option<i64>) -> Option<Decimal> {
    let Cell::Text(code) = currency else {
        return Some(Decimal::ONE);
    };
    if &**code == "EUR" {
        return Some(Decimal::ONE);
    }
    let rates = state.all("financial/ExchangeRates").filter(|rate| {
        rate.text("SourceCurrency") == Some(code)
            && day.is_none_or(|day| rate.time("StartDate").is_none_or(|start| start <= day))
    });
    rates.max_by_key(|rate| rate.time("StartDate")).and_then(|rate| rate.number("Rate"))
}
