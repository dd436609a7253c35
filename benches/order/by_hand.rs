//! The same task as an expert writes it for this one mapping: serde with typed, borrowed structs, exact decimals,
//! written straight to the buffer.

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write as _;

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    number: Cow<'a, str>,
    #[serde(borrow)]
    currency: Cow<'a, str>,
    #[serde(borrow)]
    date_created_gmt: Cow<'a, str>,
    #[serde(borrow)]
    total: Cow<'a, str>,
    #[serde(borrow)]
    customer_note: Text<'a>,
    #[serde(borrow)]
    billing: Address<'a>,
    #[serde(borrow)]
    shipping: Address<'a>,
    #[serde(borrow)]
    payment_method: Cow<'a, str>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
    #[serde(borrow)]
    meta_data: Vec<Meta<'a>>,
    #[serde(borrow)]
    line_items: Vec<Line<'a>>,
    #[serde(borrow)]
    tax_lines: Vec<TaxLine<'a>>,
    #[serde(borrow)]
    shipping_lines: Vec<Charge<'a>>,
    #[serde(borrow)]
    fee_lines: Vec<Charge<'a>>,
    #[serde(borrow)]
    coupon_lines: Vec<Coupon<'a>>,
}

#[derive(Deserialize)]
struct Address<'a> {
    #[serde(borrow)]
    first_name: Text<'a>,
    #[serde(borrow)]
    last_name: Text<'a>,
    #[serde(borrow)]
    company: Text<'a>,
    #[serde(borrow)]
    address_1: Text<'a>,
    #[serde(borrow)]
    address_2: Text<'a>,
    #[serde(borrow)]
    city: Text<'a>,
    #[serde(borrow)]
    state: Text<'a>,
    #[serde(borrow)]
    postcode: Text<'a>,
    #[serde(borrow)]
    country: Text<'a>,
    #[serde(borrow)]
    email: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a serde_json::value::RawValue,
    #[serde(borrow, default)]
    display_key: Text<'a>,
    #[serde(borrow, default)]
    display_value: Option<&'a serde_json::value::RawValue>,
}

#[derive(Deserialize)]
struct Line<'a> {
    id: u64,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    sku: Text<'a>,
    #[serde(borrow)]
    quantity: &'a serde_json::value::RawValue,
    #[serde(borrow)]
    subtotal: Cow<'a, str>,
    #[serde(borrow)]
    total: Cow<'a, str>,
    #[serde(borrow)]
    total_tax: Cow<'a, str>,
    #[serde(borrow)]
    taxes: Vec<Tax<'a>>,
    #[serde(borrow)]
    meta_data: Vec<Meta<'a>>,
}

#[derive(Deserialize)]
struct Tax<'a> {
    id: u64,
    #[serde(borrow)]
    total: Cow<'a, str>,
}

#[derive(Deserialize)]
struct TaxLine<'a> {
    rate_id: u64,
    #[serde(borrow)]
    rate_percent: &'a serde_json::value::RawValue,
}

#[derive(Deserialize)]
struct Charge<'a> {
    #[serde(borrow, default)]
    method_title: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    method_id: Text<'a>,
    #[serde(borrow)]
    total: Cow<'a, str>,
    #[serde(borrow)]
    total_tax: Cow<'a, str>,
    #[serde(borrow)]
    taxes: Vec<Tax<'a>>,
}

#[derive(Deserialize)]
struct Coupon<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

struct Failed(&'static str, String);

/// Appends the document of an order, or its error.
pub(crate) fn map(line: &str, out: &mut Vec<u8>) {
    let order: Order<'_> = serde_json::from_str(line).expect("it is an order");
    let start = out.len();
    if let Err(Failed(code, value)) = document(&order, out) {
        out.truncate(start);
        write!(out, "{{\"error\":{{\"YourRef\":").expect("memory takes it");
        text(&order.number, out);
        write!(out, ",\"code\":\"{code}\",\"value\":").expect("memory takes it");
        text(&value, out);
        out.extend_from_slice(b"}}");
    }
}

fn text(t: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, t).expect("memory takes it");
}

fn member(name: &str, value: &str, out: &mut Vec<u8>) {
    if !value.is_empty() {
        out.extend_from_slice(name.as_bytes());
        text(value, out);
    }
}

fn trimmed<'t>(t: &'t Text<'_>) -> &'t str {
    t.as_deref().unwrap_or("").trim()
}

fn amount(t: &str) -> Decimal {
    Decimal::from_str_exact(t).expect("it is an amount")
}

fn number(name: &str, n: Decimal, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    write!(out, "{}", n.normalize()).expect("memory takes it");
}

fn rounded(a: Decimal, b: Decimal) -> Decimal {
    (a / b).round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero)
}

fn full(a: &Address<'_>) -> String {
    let name = format!("{} {}", a.first_name.as_deref().unwrap_or(""), a.last_name.as_deref().unwrap_or(""));
    name.trim().to_owned()
}

fn document(o: &Order<'_>, out: &mut Vec<u8>) -> Result<(), Failed> {
    let b = &o.billing;
    let email = trimmed(&b.email).to_lowercase();
    if email.is_empty() {
        return Err(Failed("email", String::new()));
    }
    let company = trimmed(&b.company);
    let name = if company.is_empty() { full(b) } else { company.to_owned() };
    out.extend_from_slice(b"{\"OrderedBy\":{\"Key\":");
    text(&email, out);
    out.extend_from_slice(if company.is_empty() { b",\"Type\":\"person\"" } else { b",\"Type\":\"company\"" });
    member(",\"Name\":", &name, out);
    const KEYS: [&str; 3] = ["_billing_vat_number", "_vat_number", "_billing_eu_vat_number"];
    if let Some(meta) = o.meta_data.iter().find(|m| KEYS.contains(&&*m.key)) {
        let vat: String = serde_json::from_str(meta.value.get()).unwrap_or_default();
        member(",\"VATNumber\":", &vat.to_uppercase().replace([' ', '.'], ""), out);
    }
    member(",\"Phone\":", trimmed(&b.phone), out);
    out.extend_from_slice(b",\"Address\":");
    address(b, "", out);
    out.extend_from_slice(b"},\"PaymentCondition\":");
    text(payment_condition(&o.payment_method)?, out);
    let a = if o.shipping.address_1.as_deref().unwrap_or("").is_empty() { b } else { &o.shipping };
    let named = if trimmed(&a.company).is_empty() { full(a) } else { trimmed(&a.company).to_owned() };
    out.extend_from_slice(b",\"DeliveryAddress\":");
    address(a, &named, out);
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").expect("the zone is known");
    let created: jiff::civil::DateTime = o.date_created_gmt.parse().expect("it is a date");
    let moment = jiff::tz::Offset::UTC.to_timestamp(created).expect("it is a moment");
    write!(out, ",\"OrderDate\":\"{}\"", zone.to_datetime(moment).date()).expect("memory takes it");
    member(",\"YourRef\":", &o.number, out);
    let mut description = String::new();
    write!(description, "WooCommerce order {} - {name}", o.number).expect("memory takes it");
    member(",\"Description\":", taken(&description, 60), out);
    member(",\"Currency\":", &o.currency, out);
    member(",\"PaymentReference\":", o.transaction_id.as_deref().unwrap_or(""), out);
    if let Some(first) = o.shipping_lines.first() {
        member(",\"ShippingMethod\":", shipping_method(first.method_id.as_deref().unwrap_or("")), out);
    }
    let mut remarks = trimmed(&o.customer_note).to_owned();
    if !o.coupon_lines.is_empty() {
        let codes: Vec<String> = o.coupon_lines.iter().map(|c| c.code.to_uppercase()).collect();
        let sep = if remarks.is_empty() { "" } else { " | " };
        write!(remarks, "{sep}Coupons: {}", codes.join(", ")).expect("memory takes it");
    }
    member(",\"Remarks\":", &remarks, out);
    lines(o, out)?;
    let all = || o.shipping_lines.iter().chain(&o.fee_lines);
    let net: Decimal = o.line_items.iter().map(|l| amount(&l.total)).chain(all().map(|l| amount(&l.total))).sum();
    let tax: Decimal =
        o.line_items.iter().map(|l| amount(&l.total_tax)).chain(all().map(|l| amount(&l.total_tax))).sum();
    if (net + tax - amount(&o.total)).abs() > Decimal::new(1, 2) {
        let sum = (net + tax).round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
        return Err(Failed("total", format!("{sum:.2}")));
    }
    number(",\"AmountDC\":", net, out);
    number(",\"VATAmount\":", tax, out);
    out.push(b'}');
    Ok(())
}

fn lines(o: &Order<'_>, out: &mut Vec<u8>) -> Result<(), Failed> {
    let country = match o.shipping.country.as_deref() {
        None | Some("") => o.billing.country.as_deref().unwrap_or(""),
        Some(country) => country,
    };
    out.extend_from_slice(b",\"SalesOrderLines\":[");
    let mut first = true;
    for l in &o.line_items {
        out.extend_from_slice(if first { b"{\"Item\":" } else { b",{\"Item\":" });
        first = false;
        let sku = trimmed(&l.sku);
        if sku.is_empty() {
            return Err(Failed("sku", l.id.to_string()));
        }
        text(sku, out);
        member(",\"Description\":", taken(&l.name, 100), out);
        let (quantity, subtotal, total) = (amount(l.quantity.get()), amount(&l.subtotal), amount(&l.total));
        number(",\"Quantity\":", quantity, out);
        number(",\"UnitPrice\":", rounded(subtotal, quantity), out);
        number(",\"NetPrice\":", rounded(total, quantity), out);
        let discount = if subtotal.is_zero() { Decimal::ZERO } else { rounded(subtotal - total, subtotal) };
        number(",\"Discount\":", discount, out);
        member(",\"VATCode\":", vat_code(o, country, &l.taxes)?, out);
        out.extend_from_slice(b",\"CostCenter\":\"WEB\"");
        let mut notes = String::new();
        for m in l.meta_data.iter().filter(|m| !m.key.starts_with('_')) {
            let value: Cow<'_, str> =
                m.display_value.map_or(Cow::Borrowed(""), |v| serde_json::from_str(v.get()).unwrap_or_default());
            let sep = if notes.is_empty() { "" } else { "; " };
            write!(notes, "{sep}{}: {value}", m.display_key.as_deref().unwrap_or("")).expect("memory takes it");
        }
        member(",\"Notes\":", &notes, out);
        out.push(b'}');
    }
    let zero = |l: &&Charge<'_>| !amount(&l.total).is_zero();
    let shipping = o.shipping_lines.iter().filter(zero).map(|l| ("SHIP", &l.method_title, l));
    for (item, name, l) in shipping.chain(o.fee_lines.iter().map(|l| ("FEE", &l.name, l))) {
        out.extend_from_slice(if first { b"{\"Item\":" } else { b",{\"Item\":" });
        first = false;
        text(item, out);
        member(",\"Description\":", taken(name.as_deref().unwrap_or(""), 100), out);
        out.extend_from_slice(b",\"Quantity\":1");
        let total = amount(&l.total);
        number(",\"UnitPrice\":", total, out);
        number(",\"NetPrice\":", total, out);
        out.extend_from_slice(b",\"Discount\":0");
        member(",\"VATCode\":", vat_code(o, country, &l.taxes)?, out);
        out.extend_from_slice(b",\"CostCenter\":\"WEB\"}");
    }
    out.push(b']');
    Ok(())
}

fn taken(t: &str, n: usize) -> &str {
    t.char_indices().nth(n).map_or(t, |(at, _)| &t[..at])
}

fn address(a: &Address<'_>, name: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    let start = out.len();
    let put = |name: &str, value: &str, out: &mut Vec<u8>| {
        if !value.is_empty() {
            if out.len() > start {
                out.push(b',');
            }
            out.extend_from_slice(name.as_bytes());
            text(value, out);
        }
    };
    let parts = flowc::value::address::street(trimmed(&a.address_1));
    put("\"Name\":", name, out);
    put("\"Street\":", parts.street, out);
    put("\"Number\":", parts.number.unwrap_or(""), out);
    put("\"NumberSuffix\":", parts.addition.unwrap_or(""), out);
    put("\"AddressLine2\":", trimmed(&a.address_2), out);
    let country = a.country.as_deref().unwrap_or("");
    put("\"Postcode\":", &flowc::value::address::postcode(trimmed(&a.postcode), country), out);
    put("\"City\":", trimmed(&a.city), out);
    put("\"State\":", a.state.as_deref().unwrap_or(""), out);
    put("\"Country\":", country, out);
    out.push(b'}');
}

fn payment_condition(method: &str) -> Result<&'static str, Failed> {
    Ok(match method {
        "bacs" => "30",
        "cod" | "cheque" => "00",
        "mollie_wc_gateway_ideal" | "mollie_wc_gateway_bancontact" => "ID",
        "ppcp-gateway" => "PP",
        "stripe" => "CC",
        "klarna_payments" => "KL",
        other => return Err(Failed("payment_method", other.to_owned())),
    })
}

fn shipping_method(method: &str) -> &'static str {
    match method {
        "flat_rate" | "free_shipping" => "PNL",
        "local_pickup" => "AFH",
        "dhlpwc-parcel" => "DHL",
        _ => "STD",
    }
}

fn vat_code(o: &Order<'_>, country: &str, taxes: &[Tax<'_>]) -> Result<&'static str, Failed> {
    let rate = match taxes.iter().find(|t| !t.total.is_empty()) {
        None => "0",
        Some(tax) => match o.tax_lines.iter().find(|l| l.rate_id == tax.id) {
            Some(line) => line.rate_percent.get(),
            None => return Err(Failed("tax_line", tax.id.to_string())),
        },
    };
    Ok(match (country, rate) {
        (_, "0") => "0",
        ("NL", "21") => "4",
        ("NL", "9") => "2",
        ("BE", "21") => "B21",
        ("BE", "6") => "B6",
        ("DE", "19") => "D19",
        ("DE", "7") => "D7",
        ("FR", "20") => "F20",
        ("FR", "5.5") => "F55",
        ("AT", "20") => "A20",
        ("AT", "10") => "A10",
        ("IT", "22") => "I22",
        ("IT", "10") => "I10",
        ("ES", "21") => "E21",
        ("ES", "10") => "E10",
        ("LU", "17") => "L17",
        ("LU", "8") => "L8",
        ("PL", "23") => "P23",
        ("PL", "8") => "P8",
        ("SE", "25") => "S25",
        ("SE", "12") => "S12",
        ("FI", "25.5") => "FI255",
        ("FI", "14") => "FI14",
        ("IE", "23") => "IE23",
        ("IE", "13.5") => "IE135",
        _ => return Err(Failed("vat_code", format!("{country} {rate}"))),
    })
}
