//! The mapping written by hand for this one task: typed and borrowed with serde, amounts as whole millionths, straight
//! into the buffer. It is what ours is measured against, and what says which output is right.

use super::amount::{self, Amount};
use super::street;
use super::write::{self, Fields};
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A text of the order; `null` and nothing are empty.
#[derive(Deserialize, Default)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn trimmed(&self) -> &str {
        self.0.trim()
    }
}

#[derive(Deserialize)]
struct Order<'a> {
    #[serde(borrow)]
    number: Text<'a>,
    #[serde(borrow)]
    currency: Text<'a>,
    total: Amount,
    #[serde(borrow)]
    date_created_gmt: Text<'a>,
    #[serde(borrow)]
    billing: Address<'a>,
    #[serde(borrow)]
    shipping: Address<'a>,
    #[serde(borrow)]
    payment_method: Text<'a>,
    #[serde(borrow)]
    transaction_id: Text<'a>,
    #[serde(borrow)]
    customer_note: Text<'a>,
    #[serde(borrow)]
    meta_data: Vec<Meta<'a>>,
    #[serde(borrow)]
    line_items: Vec<Item<'a>>,
    tax_lines: Vec<TaxLine>,
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
    #[serde(borrow, default)]
    email: Text<'a>,
    #[serde(borrow, default)]
    phone: Text<'a>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    /// Of any type; looked at when the key is asked for.
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: u64,
    #[serde(borrow)]
    name: Text<'a>,
    quantity: amount::Number,
    subtotal: Amount,
    total: Amount,
    total_tax: Amount,
    #[serde(borrow)]
    taxes: Vec<Tax<'a>>,
    #[serde(borrow)]
    meta_data: Vec<Shown<'a>>,
    #[serde(borrow)]
    sku: Option<Text<'a>>,
}

/// An entry of a line, as the shop shows it.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    display_key: Text<'a>,
    #[serde(borrow)]
    display_value: &'a RawValue,
}

#[derive(Deserialize)]
struct Tax<'a> {
    id: u64,
    #[serde(borrow)]
    total: Text<'a>,
}

#[derive(Deserialize)]
struct TaxLine {
    rate_id: u64,
    rate_percent: amount::Number,
}

/// A shipping or a fee line.
#[derive(Deserialize)]
struct Charge<'a> {
    #[serde(borrow, default)]
    method_title: Text<'a>,
    #[serde(borrow, default)]
    method_id: Text<'a>,
    #[serde(borrow, default)]
    name: Text<'a>,
    total: Amount,
    total_tax: Amount,
    #[serde(borrow)]
    taxes: Vec<Tax<'a>>,
}

#[derive(Deserialize)]
struct Coupon<'a> {
    #[serde(borrow)]
    code: Text<'a>,
}

/// Why an order has no document: a code and a value, as the task words them.
struct Refusal {
    code: &'static str,
    value: String,
}

impl Refusal {
    fn new(code: &'static str, value: impl fmt::Display) -> Self {
        Self { code, value: value.to_string() }
    }
}

/// The mapping, with what is kept from one order to the next.
pub struct Baseline {
    zone: TimeZone,
    scratch: String,
}

impl Baseline {
    /// A mapping that has seen no order.
    pub fn new() -> Result<Self, String> {
        Ok(Self { zone: TimeZone::get("Europe/Amsterdam").map_err(|e| e.to_string())?, scratch: String::new() })
    }

    /// Appends the document of an order, or its error record (`false`).
    ///
    /// # Errors
    /// The line is no order.
    pub fn map(&mut self, line: &str, out: &mut Vec<u8>) -> Result<bool, String> {
        let order: Order<'_> = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let start = out.len();
        match self.document(&order, out) {
            Ok(()) => Ok(true),
            Err(refusal) => {
                out.truncate(start);
                out.extend_from_slice(b"{\"error\":{\"YourRef\":");
                write::text(&order.number.0, out);
                out.extend_from_slice(b",\"code\":");
                write::text(refusal.code, out);
                out.extend_from_slice(b",\"value\":");
                write::text(&refusal.value, out);
                out.extend_from_slice(b"}}");
                Ok(false)
            }
        }
    }

    fn document(&mut self, order: &Order<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let billing = &order.billing;
        let email = billing.email.trimmed();
        if email.is_empty() {
            return Err(Refusal::new("email", ""));
        }
        let condition = payment_condition(&order.payment_method.0)
            .ok_or_else(|| Refusal::new("payment_method", &order.payment_method.0))?;
        let name = name_of(billing);
        let mut fields = Fields::open(out);
        fields.member("OrderedBy", |out| party(order, email, &name, out));
        let delivery = if order.shipping.address_1.0.is_empty() { billing } else { &order.shipping };
        fields.member("DeliveryAddress", |out| address(delivery, Some(&name_of(delivery)), out));
        let date = self.date(&order.date_created_gmt.0)?;
        fields.member("OrderDate", |out| write::date(date, out));
        fields.text("YourRef", &order.number.0);
        self.scratch.clear();
        self.scratch.push_str("WooCommerce order ");
        self.scratch.push_str(&order.number.0);
        self.scratch.push_str(" - ");
        self.scratch.push_str(&name);
        fields.text("Description", take(&self.scratch, 60));
        fields.text("Currency", &order.currency.0);
        fields.text("PaymentCondition", condition);
        fields.text("PaymentReference", &order.transaction_id.0);
        if let Some(first) = order.shipping_lines.first() {
            fields.text("ShippingMethod", shipping_method(&first.method_id.0));
        }
        self.remarks(order);
        fields.text("Remarks", &self.scratch);
        fields.try_member("SalesOrderLines", |out| self.lines(order, out))?;
        let (net, tax) = totals(order);
        let sum = net.plus(tax);
        if sum.minus(order.total).beyond(Amount::CENT) {
            return Err(Refusal::new("total", sum.cents()));
        }
        fields.amount("AmountDC", net);
        fields.amount("VATAmount", tax);
        fields.close();
        Ok(())
    }

    /// The calendar date in Amsterdam of a moment in UTC.
    fn date(&self, text: &str) -> Result<jiff::civil::Date, Refusal> {
        let local: jiff::civil::DateTime = text.parse().map_err(|_| Refusal::new("date", text))?;
        let moment = Offset::UTC.to_timestamp(local).map_err(|_| Refusal::new("date", text))?;
        Ok(self.zone.to_datetime(moment).date())
    }

    fn remarks(&mut self, order: &Order<'_>) {
        self.scratch.clear();
        self.scratch.push_str(order.customer_note.trimmed());
        for (n, coupon) in order.coupon_lines.iter().enumerate() {
            match (n, self.scratch.is_empty()) {
                (0, true) => self.scratch.push_str("Coupons: "),
                (0, false) => self.scratch.push_str(" | Coupons: "),
                _ => self.scratch.push_str(", "),
            }
            self.scratch.extend(coupon.code.0.chars().flat_map(char::to_uppercase));
        }
    }

    fn lines(&mut self, order: &Order<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let shipping = &order.shipping.country.0;
        let country = if shipping.is_empty() { &order.billing.country.0 } else { shipping };
        out.push(b'[');
        let start = out.len();
        for item in &order.line_items {
            let sku = item.sku.as_ref().map_or("", Text::trimmed);
            if sku.is_empty() {
                return Err(Refusal::new("sku", item.id));
            }
            let code = vat_code(country, rate(order, &item.taxes)?)?;
            if out.len() > start {
                out.push(b',');
            }
            self.line(item, sku, code, out);
        }
        let shipping = order.shipping_lines.iter().filter(|line| line.total != Amount::ZERO);
        let shipping = shipping.map(|line| ("SHIP", &line.method_title, line));
        let fees = order.fee_lines.iter().map(|line| ("FEE", &line.name, line));
        for (item, name, line) in shipping.chain(fees) {
            let code = vat_code(country, rate(order, &line.taxes)?)?;
            if out.len() > start {
                out.push(b',');
            }
            charge(item, &name.0, line.total, code, out);
        }
        out.push(b']');
        Ok(())
    }

    fn line(&mut self, item: &Item<'_>, sku: &str, code: &str, out: &mut Vec<u8>) {
        let quantity = item.quantity.0;
        let discount = item.subtotal.minus(item.total);
        let mut fields = Fields::open(out);
        fields.text("Item", sku);
        fields.text("Description", take(&item.name.0, 100));
        fields.amount("Quantity", quantity);
        fields.amount("UnitPrice", item.subtotal.per(quantity));
        fields.amount("NetPrice", item.total.per(quantity));
        fields.amount("Discount", discount.per(item.subtotal));
        fields.text("VATCode", code);
        fields.text("CostCenter", "WEB");
        self.scratch.clear();
        for entry in item.meta_data.iter().filter(|entry| !entry.key.0.starts_with('_')) {
            if !self.scratch.is_empty() {
                self.scratch.push_str("; ");
            }
            self.scratch.push_str(&entry.display_key.0);
            self.scratch.push_str(": ");
            self.scratch.push_str(&text_of(entry.display_value));
        }
        fields.text("Notes", &self.scratch);
        fields.close();
    }
}

fn party(order: &Order<'_>, email: &str, name: &str, out: &mut Vec<u8>) {
    let billing = &order.billing;
    let mut fields = Fields::open(out);
    fields.text("Key", &lower(email));
    fields.text("Type", if billing.company.trimmed().is_empty() { "person" } else { "company" });
    fields.text("Name", name);
    fields.text("VATNumber", &vat_number(&order.meta_data));
    fields.text("Phone", billing.phone.trimmed());
    fields.member("Address", |out| address(billing, None, out));
    fields.close();
}

fn vat_number(entries: &[Meta<'_>]) -> String {
    let asked = |key: &str| matches!(key, "_billing_vat_number" | "_vat_number" | "_billing_eu_vat_number");
    let entry = entries.iter().find(|entry| asked(&entry.key.0));
    let text = entry.map_or(Cow::Borrowed(""), |entry| text_of(entry.value));
    text.chars().filter(|c| !matches!(c, ' ' | '.')).flat_map(char::to_uppercase).collect()
}

/// The text that a piece of JSON is; anything else is empty.
fn text_of(json: &RawValue) -> Cow<'_, str> {
    serde_json::from_str::<Text<'_>>(json.get()).map_or(Cow::Borrowed(""), |text| text.0)
}

fn name_of<'a>(a: &'a Address<'_>) -> Cow<'a, str> {
    let company = a.company.trimmed();
    if company.is_empty() {
        let name = format!("{} {}", a.first_name.0, a.last_name.0);
        let trimmed = name.trim();
        Cow::Owned(if trimmed.len() == name.len() { name } else { trimmed.to_owned() })
    } else {
        Cow::Borrowed(company)
    }
}

fn address(a: &Address<'_>, name: Option<&str>, out: &mut Vec<u8>) {
    let (street, number, suffix) = street::split(a.address_1.trimmed());
    let mut fields = Fields::open(out);
    fields.text("Name", name.unwrap_or(""));
    fields.text("Street", street);
    fields.text("Number", number);
    fields.text("NumberSuffix", suffix);
    fields.text("AddressLine2", a.address_2.trimmed());
    fields.text("Postcode", &street::postcode(a.postcode.trimmed(), &a.country.0));
    fields.text("City", a.city.trimmed());
    fields.text("State", &a.state.0);
    fields.text("Country", &a.country.0);
    fields.close();
}

fn charge(item: &str, name: &str, amount: Amount, code: &str, out: &mut Vec<u8>) {
    let mut fields = Fields::open(out);
    fields.text("Item", item);
    fields.text("Description", take(name, 100));
    fields.amount("Quantity", Amount::ONE);
    fields.amount("UnitPrice", amount);
    fields.amount("NetPrice", amount);
    fields.amount("Discount", Amount::ZERO);
    fields.text("VATCode", code);
    fields.text("CostCenter", "WEB");
    fields.close();
}

fn totals(order: &Order<'_>) -> (Amount, Amount) {
    let items = order.line_items.iter().map(|line| (line.total, line.total_tax));
    let charges = order.shipping_lines.iter().chain(&order.fee_lines).map(|line| (line.total, line.total_tax));
    items.chain(charges).fold((Amount::ZERO, Amount::ZERO), |(net, tax), (n, t)| (net.plus(n), tax.plus(t)))
}

/// The rate of the first tax that was levied.
fn rate(order: &Order<'_>, taxes: &[Tax<'_>]) -> Result<Amount, Refusal> {
    let Some(tax) = taxes.iter().find(|tax| !tax.total.0.is_empty()) else { return Ok(Amount::ZERO) };
    let line = order.tax_lines.iter().find(|line| line.rate_id == tax.id);
    line.map(|line| line.rate_percent.0).ok_or_else(|| Refusal::new("tax_line", tax.id))
}

fn vat_code(country: &str, rate: Amount) -> Result<&'static str, Refusal> {
    Ok(match (country, rate.millionths()) {
        (_, 0) => "0",
        ("NL", 21_000_000) => "4",
        ("NL", 9_000_000) => "2",
        ("BE", 21_000_000) => "B21",
        ("BE", 6_000_000) => "B6",
        ("DE", 19_000_000) => "D19",
        ("DE", 7_000_000) => "D7",
        ("FR", 20_000_000) => "F20",
        ("FR", 5_500_000) => "F55",
        ("AT", 20_000_000) => "A20",
        ("AT", 10_000_000) => "A10",
        ("IT", 22_000_000) => "I22",
        ("IT", 10_000_000) => "I10",
        ("ES", 21_000_000) => "E21",
        ("ES", 10_000_000) => "E10",
        ("LU", 17_000_000) => "L17",
        ("LU", 8_000_000) => "L8",
        ("PL", 23_000_000) => "P23",
        ("PL", 8_000_000) => "P8",
        ("SE", 25_000_000) => "S25",
        ("SE", 12_000_000) => "S12",
        ("FI", 25_500_000) => "FI255",
        ("FI", 14_000_000) => "FI14",
        ("IE", 23_000_000) => "IE23",
        ("IE", 13_500_000) => "IE135",
        _ => return Err(Refusal::new("vat_code", format_args!("{country} {rate}"))),
    })
}

fn payment_condition(method: &str) -> Option<&'static str> {
    Some(match method {
        "bacs" => "30",
        "cod" | "cheque" => "00",
        "mollie_wc_gateway_ideal" | "mollie_wc_gateway_bancontact" => "ID",
        "ppcp-gateway" => "PP",
        "stripe" => "CC",
        "klarna_payments" => "KL",
        _ => return None,
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

/// The first `n` code points.
fn take(text: &str, n: usize) -> &str {
    if text.len() <= n {
        return text;
    }
    text.char_indices().nth(n).map_or(text, |(at, _)| &text[..at])
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}
