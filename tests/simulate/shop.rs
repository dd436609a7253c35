//! The shop: orders and customers, and what each was at any time.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Statuses that the flows send.
pub(crate) const SENT: [&str; 2] = ["processing", "completed"];

/// A shop.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) name: &'static str,
    pub(crate) orders: Vec<Order>,
    pub(crate) customers: Vec<Customer>,
    /// Counts changes: the feed's order, whatever the clock says.
    pub(crate) changes: u64,
}

/// An order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) number: u64,
    /// Which payment it was: it tells whose a document is.
    pub(crate) payment: String,
    pub(crate) now: Version,
    /// What it was before, the oldest first, and since when.
    pub(crate) before: Vec<(i64, Version)>,
    pub(crate) deleted: bool,
    pub(crate) meta: BTreeMap<String, String>,
    created: i64,
    modified: i64,
    pub(crate) change: u64,
    /// The moment of its last change by people, on a clock that nobody sets, milliseconds.
    pub(crate) edited: i64,
}

/// What people can change of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) status: &'static str,
    pub(crate) person: u8,
    pub(crate) note: String,
    pub(crate) lines: Vec<Line>,
}

/// A line of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) sku: &'static str,
    pub(crate) quantity: u64,
    /// Without tax, a multiple of 100: 21 % of it are whole.
    pub(crate) price: u64,
}

/// A customer.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub(crate) id: u64,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) change: u64,
    pub(crate) emails: Vec<String>,
    pub(crate) phones: Vec<String>,
}

impl Version {
    /// With tax.
    pub(crate) fn total(&self) -> u64 {
        self.lines.iter().map(|line| line.gross() * line.quantity).sum()
    }

    pub(crate) fn is_sent(&self) -> bool {
        SENT.contains(&self.status)
    }
}

impl Line {
    /// One of it, with tax.
    pub(crate) fn gross(&self) -> u64 {
        self.price / 100 * 121
    }
}

/// The name of a shopper, by number.
pub(crate) fn email(person: u8) -> String {
    format!("p{person}@x.example")
}

/// The goods.
const GOODS: [(&str, u64); 4] = [("A", 100), ("B", 200), ("C", 500), ("Z", 300)];

impl Order {
    /// Whether it is to be in the ledger now.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.deleted && self.now.is_sent()
    }

    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.before.iter().map(|(_, version)| version).chain([&self.now])
    }

    /// Since when those who look only at what is sent see it as it is now.
    pub(crate) fn seen_since(&self) -> i64 {
        let seen = self.before.iter().rev().filter(|(_, version)| version.is_sent());
        seen.take_while(|(_, version)| *version == self.now).last().map_or(self.edited, |(since, _)| *since)
    }

    /// As the API shows it.
    pub(crate) fn row(&self) -> Map<String, Value> {
        let Version { status, person, note, lines } = &self.now;
        let money = |amount: u64| format!("{amount}.00");
        let line = |line: &Line| {
            let (net, gross) = (line.price * line.quantity, line.gross() * line.quantity);
            let (net, tax) = (money(net), money(gross - net));
            json!({"id": line.id, "name": format!("Goods {}", line.sku), "sku": line.sku, "quantity": line.quantity,
                "product_id": line.price, "variation_id": 0, "tax_class": "", "subtotal": net, "subtotal_tax": tax,
                "total": net, "total_tax": tax, "taxes": [{"id": 1, "total": tax, "subtotal": tax}], "meta_data": []})
        };
        let total = self.now.total();
        let net: u64 = lines.iter().map(|line| line.price * line.quantity).sum();
        let address = json!({"first_name": "Kim", "last_name": format!("Person {person}"), "company": "",
            "address_1": format!("Street {person}"), "address_2": "", "city": "Town", "state": "", "postcode": "1234 AB",
            "country": "NL", "phone": format!("0{person}")});
        let mut billing = address.clone();
        billing["email"] = email(*person).into();
        let shipping = if person % 2 == 0 { address } else { empty_address() };
        let meta: Vec<Value> = self
            .meta
            .iter()
            .enumerate()
            .map(|(n, (key, value))| json!({"id": n + 1, "key": key, "value": value}))
            .collect();
        let row = json!({
            "id": self.id, "number": self.number.to_string(), "status": status, "currency": "EUR",
            "date_created_gmt": time(self.created), "date_modified_gmt": time(self.modified),
            "discount_total": "0.00", "discount_tax": "0.00", "shipping_total": "0.00", "shipping_tax": "0.00",
            "cart_tax": money(total - net), "total": money(total), "total_tax": money(total - net),
            "prices_include_tax": true, "customer_id": 0, "customer_note": note, "billing": billing,
            "shipping": shipping, "payment_method": "bacs", "payment_method_title": "Bank",
            "transaction_id": self.payment, "meta_data": meta,
            "line_items": lines.iter().map(line).collect::<Vec<_>>(),
            "tax_lines": [{"id": 900, "rate_code": "NL-BTW 21%-1", "rate_id": 1, "label": "BTW", "compound": false,
                "tax_total": money(total - net), "shipping_tax_total": "0.00", "rate_percent": 21, "meta_data": []}],
            "shipping_lines": [], "fee_lines": [], "coupon_lines": [], "refunds": [],
        });
        let Value::Object(row) = row else { unreachable!("it is written as one") };
        row
    }
}

fn empty_address() -> Value {
    json!({"first_name": "", "last_name": "", "company": "", "address_1": "", "address_2": "", "city": "", "state": "",
        "postcode": "", "country": "", "phone": ""})
}

impl Customer {
    pub(crate) fn row(&self) -> Map<String, Value> {
        let row = json!({
            "id": self.id, "email": self.email, "first_name": "Kim", "last_name": format!("Person {}", self.id),
            "role": "customer", "username": format!("kim{}", self.id), "date_created_gmt": time(0),
            "date_modified_gmt": time(0), "is_paying_customer": true, "meta_data": [], "shipping": empty_address(),
            "billing": {"first_name": "Kim", "last_name": format!("Person {}", self.id), "company": "",
                "address_1": "Street 1", "address_2": "", "city": "Town", "state": "", "postcode": "1234 AB",
                "country": "NL", "phone": self.phone, "email": self.email},
        });
        let Value::Object(row) = row else { unreachable!("it is written as one") };
        row
    }
}

/// As the shop writes a moment.
fn time(second: i64) -> String {
    jiff::Timestamp::from_second(second).unwrap().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

impl Shop {
    /// Somebody buys.
    pub(crate) fn order(&mut self, person: u8, lines: u8, now: i64) {
        self.changes += 1;
        let id = 11 + self.orders.len() as u64;
        let line = |n: u8| {
            let (sku, price) = GOODS[usize::from(if lines % 16 == 15 { 3 } else { (lines / 4 + n) % 3 })];
            Line { id: id * 100 + u64::from(n), sku, quantity: 1 + u64::from(lines % 3), price }
        };
        let now_it_is = Version {
            status: if lines % 7 == 6 { "pending" } else { "processing" },
            person,
            note: String::new(),
            lines: (0..=lines % 2).map(line).collect(),
        };
        self.orders.push(Order {
            id,
            number: 990 + id,
            payment: format!("pay-{}-{id}", self.name),
            now: now_it_is,
            before: Vec::new(),
            deleted: false,
            meta: BTreeMap::new(),
            created: now,
            modified: now,
            change: self.changes,
            edited: 0,
        });
    }

    /// Somebody changes an order; a version that is the same is none.
    pub(crate) fn edit(&mut self, pick: u8, now: i64, edited: i64, edit: impl FnOnce(&mut Version)) -> Option<String> {
        let there: Vec<usize> = (0..self.orders.len()).filter(|n| !self.orders[*n].deleted).collect();
        let n = *there.get(usize::from(pick) % there.len().max(1))?;
        let before = self.orders[n].now.clone();
        let order = &mut self.orders[n];
        edit(&mut order.now);
        if order.now != before {
            order.before.push((order.edited, before));
            order.edited = edited;
            self.touch(n, now);
        }
        Some(self.orders[n].payment.clone())
    }

    /// An order was saved.
    pub(crate) fn touch(&mut self, n: usize, now: i64) {
        self.changes += 1;
        self.orders[n].change = self.changes;
        self.orders[n].modified = now;
    }

    pub(crate) fn delete(&mut self, pick: u8) {
        if !self.orders.is_empty() {
            let n = usize::from(pick) % self.orders.len();
            self.orders[n].deleted = true;
        }
    }

    pub(crate) fn customer(&mut self) {
        self.changes += 1;
        let id = 1 + self.customers.len() as u64;
        let (email, phone) = (format!("c{id}@x.example"), format!("1{id}"));
        self.customers.push(Customer {
            id,
            emails: vec![email.clone()],
            phones: vec![phone.clone()],
            email,
            phone,
            change: self.changes,
        });
    }

    pub(crate) fn edit_customer(&mut self, pick: u8, edit: impl FnOnce(&mut Customer)) {
        if self.customers.is_empty() {
            return;
        }
        self.changes += 1;
        let n = usize::from(pick) % self.customers.len();
        let customer = &mut self.customers[n];
        edit(customer);
        customer.change = self.changes;
        customer.emails.push(customer.email.clone());
        customer.phones.push(customer.phone.clone());
    }
}
