//! Rows for the tables that differ by administration: VAT codes, payment conditions, shipping methods.

use super::held::{Held, Rate, VatCode};
use crate::source::library;
use crate::value::code;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The shop's own ways to pay that the default table has rows for.
const PAID_BY_DEFAULT: &[&str] = &["bacs", "cod", "cheque"];

/// Rows of `tables.vat_code`: each rate of the shop's tax table, matched to the ledger's codes by country and percentage.
pub(super) fn vat(held: &Held) -> Vec<String> {
    let mut rows = Vec::new();
    for (country, percent) in rates(held) {
        let rate = format!("{percent}%,");
        let start = format!("\"{country}\", {rate:7} \"taxed\"");
        let with = code_for(held, &country, percent, true);
        let without = code_for(held, &country, percent, false);
        match (with, without) {
            (Some(with), Some(without)) => {
                rows.push(format!("{start}, \"price\", _ => \"{}\"", with.code));
                rows.push(format!("{start}, \"net\",   _ => \"{}\"", without.code));
            }
            (Some(one), None) | (None, Some(one)) => {
                rows.push(format!("{start}, \"price\", _ => \"{}\"", one.code));
                rows.push(format!("{start}, \"net\",   _ => \"{}\"", one.code));
            }
            (None, None) => {
                let why = format!("fail \"the ledger has no VAT code of {percent} % for {country}\"");
                rows.push(format!("{start}, _, _ => {why}"));
            }
        }
    }
    rows
}

/// Country of taxation and percentage, each once; a rate for all countries is the seller's own. Where rates are stacked, what they make together is a rate of the ledger's.
fn rates(held: &Held) -> BTreeSet<(String, Decimal)> {
    let usable = |rate: &&Rate| !rate.percent.is_zero() && (rate.country.is_empty() || code::is_country(&rate.country));
    let area = |rate: &Rate| if rate.country.is_empty() { held.home.clone() } else { rate.country.clone() };
    let mut rates: BTreeSet<(String, Decimal)> =
        held.rates.iter().filter(usable).map(|rate| (area(rate), rate.percent)).collect();
    for stacked in held.rates.iter().filter(usable).filter(|rate| rate.stacked) {
        let together = held.vat_codes.iter().filter(|code| code.country.as_deref() == Some(&*stacked.country));
        rates.extend(together.map(|code| (stacked.country.clone(), code.percent)));
    }
    rates
}

fn code_for<'a>(held: &'a Held, country: &str, percent: Decimal, including: bool) -> Option<&'a VatCode> {
    let abroad = country != held.home;
    held.vat_codes.iter().find(|code| {
        let place = if abroad { code.country.as_deref() == Some(country) } else { code.country.is_none() };
        place && code.percent == percent && code.including == including
    })
}

/// Rows of `tables.payment_condition`: gateways whose name a payment condition of the ledger has too.
pub(super) fn payment(held: &Held) -> Vec<String> {
    let plain =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let mut rows = Vec::new();
    for (id, title) in held.gateways.iter().filter(|(id, _)| !PAID_BY_DEFAULT.contains(&&**id)) {
        let (id_plain, title) = (plain(id), plain(title));
        let found = held.codes_of("PaymentCondition").iter().find(|(_, description)| {
            let description = plain(description);
            description.len() > 3 && (title.contains(&description) || id_plain.contains(&description))
        });
        if let Some((code, _)) = found {
            rows.push(format!("\"{id}\" => \"{code}\""));
        }
    }
    rows
}

/// The table of shipping methods: a row for each method of the shop's zones, one for each method without its instance,
/// and one for all others.
pub(super) fn shipping(held: &Held) -> String {
    let known = held.codes_of("ShippingMethod");
    let default = library::data("shipping_methods.csv").unwrap_or_default();
    let usual: Vec<(&str, &str)> = default.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
    let code_of = |method: &str| {
        let usual = usual.iter().find(|(id, _)| id.split(':').next() == Some(method)).map(|(_, code)| code.trim());
        usual.filter(|code| known.iter().any(|(known, _)| known == code)).or_else(|| other(known))
    };
    let mut keys: BTreeSet<(String, String)> = held.methods.iter().cloned().collect();
    for method in ["flat_rate", "free_shipping", "local_pickup", "pickup_location"]
        .into_iter()
        .chain(held.methods.iter().map(|(id, _)| &**id))
    {
        keys.insert((method.to_owned(), "*".to_owned()));
    }
    let mut text = "method,code\n".to_owned();
    for (method, instance) in keys {
        if let Some(code) = code_of(&method) {
            let _ = writeln!(text, "{method}:{instance},{code}");
        }
    }
    if let Some(code) = other(known) {
        let _ = writeln!(text, "_,{code}");
    }
    text
}

/// The code for methods that nothing else names: the ledger's standard one, else its last.
fn other(known: &[(String, String)]) -> Option<&str> {
    let standard = known.iter().find(|(code, name)| code == "STD" || name.to_lowercase().starts_with("standa"));
    standard.or(known.last()).map(|(code, _)| &**code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held {
        let rate = |country: &str, percent: &str, stacked| Rate {
            country: country.into(),
            percent: percent.parse().expect("a number"),
            stacked,
        };
        let code = |code: &str, percent: &str, country: Option<&str>, including| VatCode {
            code: code.into(),
            percent: percent.parse().expect("a number"),
            country: country.map(str::to_owned),
            including,
        };
        Held {
            home: "NL".into(),
            rates: vec![
                rate("NL", "21", false),
                rate("NL", "21", false),
                rate("DE", "19", false),
                rate("DE", "0", false),
                rate("FR", "20", false),
                rate("CA", "5", false),
                rate("CA", "9.975", true),
            ],
            vat_codes: vec![
                code("4", "21", None, false),
                code("5", "21", None, true),
                code("D19", "19", Some("DE"), true),
                code("CA7", "14.975", Some("CA"), true),
            ],
            gateways: vec![("mollie_wc_gateway_ideal".into(), "iDEAL".into()), ("bacs".into(), "Transfer".into())],
            methods: vec![("flat_rate".into(), "3".into())],
            codes: vec![
                ("PaymentCondition", vec![("ID".into(), "iDEAL".into())]),
                ("ShippingMethod", vec![("STD".into(), "Standard".into())]),
            ],
        }
    }

    #[test]
    fn each_rate_has_its_rows_and_says_when_the_ledger_has_no_code() {
        let rows = vat(&held()).join("\n");
        assert!(
            rows.contains(
                "\"NL\", 21%,    \"taxed\", \"price\", _ => \"5\"\n\"NL\", 21%,    \"taxed\", \"net\",   _ => \"4\""
            ),
            "{rows}"
        );
        assert!(rows.contains("\"DE\", 19%,    \"taxed\", \"net\",   _ => \"D19\""), "{rows}");
        assert!(rows.contains("\"FR\", 20%,    \"taxed\", _, _ => fail"), "{rows}");
        assert!(
            rows.contains("\"CA\", 14.975%, \"taxed\", \"price\", _ => \"CA7\""),
            "what stacked rates make together: {rows}"
        );
        assert_eq!(rows.matches("\"NL\", 21%").count(), 2);
        assert!(!rows.contains(" 0%"));
    }

    #[test]
    fn gateways_and_methods_find_their_codes() {
        assert_eq!(payment(&held()), ["\"mollie_wc_gateway_ideal\" => \"ID\""]);
        let shipping = shipping(&held());
        assert!(shipping.contains("flat_rate:3,STD\n") && shipping.contains("local_pickup:*,STD\n"), "{shipping}");
    }
}
