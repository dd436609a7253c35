//! The shop's tax table: which rates hold for a place and a class, and what they make of an amount.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

use super::table::text;

/// Decimals that WooCommerce keeps inside its sums.
const INNER_DECIMALS: u32 = 6;

/// One row of `GET /taxes`.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    pub(crate) id: u64,
    pub(crate) country: String,
    pub(crate) state: String,
    pub(crate) postcodes: Vec<String>,
    pub(crate) percent: Decimal,
    pub(crate) name: String,
    pub(crate) priority: u64,
    pub(crate) compound: bool,
    pub(crate) shipping: bool,
    /// `""` is the standard class, as in lines.
    pub(crate) class: String,
}

impl Rate {
    /// Reads a row of the tax table.
    pub(crate) fn read(row: &Value) -> Self {
        let class = text(row, "class");
        let mut postcodes: Vec<String> = row
            .get("postcodes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(squeeze)
            .collect();
        if postcodes.is_empty() {
            postcodes.extend(text(row, "postcode").split(';').filter(|code| !code.trim().is_empty()).map(squeeze));
        }
        Rate {
            id: super::table::id(row, "id"),
            country: text(row, "country").to_owned(),
            state: text(row, "state").to_owned(),
            postcodes,
            percent: super::state::amount(row, "rate"),
            name: text(row, "name").to_owned(),
            priority: row.get("priority").and_then(Value::as_u64).unwrap_or(1),
            compound: row.get("compound").and_then(Value::as_bool).unwrap_or(false),
            shipping: row.get("shipping").and_then(Value::as_bool).unwrap_or(true),
            class: if class == "standard" { String::new() } else { class.to_owned() },
        }
    }

    /// `NL-BTW 21%-1`: what a tax line calls the rate.
    pub(crate) fn code(&self) -> String {
        let name = self.name.to_uppercase();
        let priority = self.priority.to_string();
        let parts = [self.country.as_str(), &self.state, &name, &priority];
        parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("-")
    }

    fn covers(&self, place: &Place, postcode: &str) -> bool {
        let fits = |mine: &str, theirs: &str| mine.is_empty() || mine == theirs;
        fits(&self.country, &place.country)
            && fits(&self.state, &place.state)
            && (self.postcodes.is_empty() || self.postcodes.iter().any(|pattern| postcode_fits(pattern, postcode)))
    }
}

fn squeeze(postcode: &str) -> String {
    postcode.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
}

fn postcode_fits(pattern: &str, postcode: &str) -> bool {
    if let Some((low, high)) = pattern.split_once("...") {
        return low <= postcode && postcode <= high;
    }
    match pattern.split_once('*') {
        Some((start, _)) => postcode.starts_with(start),
        None => pattern == postcode,
    }
}

/// Where an order is taxed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) country: String,
    pub(crate) state: String,
    pub(crate) postcode: String,
}

impl Place {
    /// The place of an address.
    pub(crate) fn of(address: &Value) -> Self {
        Place {
            country: text(address, "country").into(),
            state: text(address, "state").into(),
            postcode: text(address, "postcode").into(),
        }
    }
}

/// A tax on one amount, unrounded but for the sixth decimal.
pub(crate) type Tax = (u64, Decimal);

/// The tax table with the settings that taxes depend on.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    pub(crate) rows: Vec<Rate>,
    /// Slugs of the classes, `standard` first.
    pub(crate) classes: Vec<String>,
    /// The shop's own country.
    pub(crate) base: String,
    /// `shipping`, `billing` or `base`.
    pub(crate) based_on: String,
    /// `inherit`, or a class.
    pub(crate) shipping_class: String,
    pub(crate) prices_include_tax: bool,
    pub(crate) round_at_subtotal: bool,
    /// Decimals of prices.
    pub(crate) decimals: u32,
}

impl Rates {
    /// The rates of a class at a place, one for each priority, the most particular first.
    pub(crate) fn at(&self, place: &Place, class: &str) -> Vec<&Rate> {
        let postcode = squeeze(&place.postcode);
        let class = if class == "standard" { "" } else { class };
        let mut found: Vec<&Rate> =
            self.rows.iter().filter(|rate| rate.class == class && rate.covers(place, &postcode)).collect();
        let particular = |rate: &Rate| (rate.postcodes.is_empty(), rate.state.is_empty(), rate.country.is_empty());
        found.sort_by_key(|rate| (rate.priority, particular(rate), rate.id));
        found.dedup_by_key(|rate| rate.priority);
        found
    }

    /// The rates of a class at the shop's own address.
    pub(crate) fn at_base(&self, class: &str) -> Vec<&Rate> {
        self.at(&self.home(), class)
    }

    /// The shop's own address, as far as taxes go.
    pub(crate) fn home(&self) -> Place {
        Place { country: self.base.clone(), ..Place::default() }
    }

    /// Where an order with these addresses is taxed.
    pub(crate) fn place(&self, billing: &Value, shipping: &Value) -> Place {
        let wanted = match self.based_on.as_str() {
            "base" => return self.home(),
            "shipping" if !text(shipping, "country").is_empty() => Place::of(shipping),
            _ => Place::of(billing),
        };
        if wanted.country.is_empty() { self.home() } else { wanted }
    }

    /// A tax as the shop rounds it: half down when prices are entered with tax, half up otherwise.
    ///
    /// Source: the reference's section on totals; read there from the plugin's source.
    pub(crate) fn round_tax(&self, tax: Decimal) -> Decimal {
        let strategy = if self.prices_include_tax {
            RoundingStrategy::MidpointTowardZero
        } else {
            RoundingStrategy::MidpointAwayFromZero
        };
        tax.round_dp_with_strategy(self.decimals, strategy)
    }

    /// An amount at the decimals of prices.
    pub(crate) fn round(&self, amount: Decimal) -> Decimal {
        amount.round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero)
    }

    /// A catalogue price without tax: as entered, or with the home country's tax taken out.
    pub(crate) fn net_price(&self, price: Decimal, class: &str, taxable: bool) -> Decimal {
        if !self.prices_include_tax || !taxable {
            return price;
        }
        let taxes: Decimal = inside(price, &self.at_base(class)).iter().map(|(_, tax)| *tax).sum();
        price - taxes
    }
}

/// Rounds to the decimals that sums are kept in.
pub(crate) fn inner(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(INNER_DECIMALS, RoundingStrategy::MidpointAwayFromZero)
}

/// Taxes on top of a net amount; compound rates come on top of the others.
pub(crate) fn on_top(net: Decimal, rates: &[&Rate]) -> Vec<Tax> {
    let mut taxes: Vec<Tax> = Vec::with_capacity(rates.len());
    for rate in rates.iter().filter(|rate| !rate.compound) {
        taxes.push((rate.id, net * rate.percent / Decimal::ONE_HUNDRED));
    }
    let mut below: Decimal = taxes.iter().map(|(_, tax)| *tax).sum();
    for rate in rates.iter().filter(|rate| rate.compound) {
        let tax = (net + below) * rate.percent / Decimal::ONE_HUNDRED;
        taxes.push((rate.id, tax));
        below += tax;
    }
    taxes.into_iter().map(|(id, tax)| (id, inner(tax))).collect()
}

/// Taxes contained in a gross amount.
pub(crate) fn inside(gross: Decimal, rates: &[&Rate]) -> Vec<Tax> {
    let mut taxes = Vec::with_capacity(rates.len());
    let mut rest = gross;
    for rate in rates.iter().filter(|rate| rate.compound) {
        let without = rest / (Decimal::ONE + rate.percent / Decimal::ONE_HUNDRED);
        taxes.push((rate.id, inner(rest - without)));
        rest = without;
    }
    let together: Decimal = rates.iter().filter(|rate| !rate.compound).map(|rate| rate.percent).sum();
    let net = rest / (Decimal::ONE + together / Decimal::ONE_HUNDRED);
    for rate in rates.iter().filter(|rate| !rate.compound) {
        taxes.push((rate.id, inner(net * rate.percent / Decimal::ONE_HUNDRED)));
    }
    taxes
}
