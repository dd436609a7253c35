//! Orders as the shop's interface gives them, reckoned as the shop reckons: by its own arithmetic, which knows nothing of ours.
//!
//! Sums are those that held over all recorded orders: per line (each net and each tax rounded by itself), or at the subtotal
//! (nothing rounded but the end); catalogue prices with tax or without.

use crate::chance::Chance;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Decimals that the shop keeps of what it reckons.
const KEPT: u32 = 6;
const CURRENCIES: [&str; 8] = ["EUR", "EUR", "EUR", "EUR", "USD", "GBP", "JPY", "SEK"];
/// The seller's own rates: what catalogue prices with tax are made of.
const HOME: [(&str, i64); 2] = [("", 210), ("reduced-rate", 90)];
/// Countries, and the rates that the shop's tax table has there, in thousandths: standard and reduced.
const PLACES: [(&str, [i64; 2]); 6] = [
    ("NL", [210, 90]),
    ("BE", [210, 60]),
    ("DE", [190, 70]),
    ("FR", [200, 55]),
    ("FI", [255, 140]),
    ("IE", [230, 135]),
];
/// The items of the ledger, and whether they are sold in fractions.
pub(crate) const ITEMS: [(&str, bool); 5] =
    [("LAMP", false), ("TEA", false), ("BOOK", false), ("BOX", false), ("ROPE", true)];

/// Half up, away from zero.
pub(crate) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn kept(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(KEPT, RoundingStrategy::MidpointAwayFromZero)
}

fn text(amount: Decimal) -> String {
    format!("{amount:.6}")
}

/// How the shop is set, and where the order goes.
pub(crate) struct Manner {
    /// Catalogue prices include the tax.
    including: bool,
    /// Nothing is rounded but the end.
    at_subtotal: bool,
    country: &'static str,
    /// Standard and reduced; none where no tax is asked.
    rates: Option<[i64; 2]>,
    /// No tax, since a company owes it.
    reversed: bool,
}

impl Manner {
    fn of(chance: &mut Chance) -> Self {
        let (country, rates) = if chance.percent(60) { PLACES[0] } else { chance.pick(&PLACES) };
        let (country, rates, reversed) = match chance.below(20) {
            0 => ("US", None, false),
            1 => ("CH", None, false),
            2 => ("DE", None, true),
            _ => (country, Some(rates), false),
        };
        Self { including: chance.percent(60), at_subtotal: chance.percent(35), country, rates, reversed }
    }

    fn tax_cents(&self, tax: Decimal) -> Decimal {
        // With prices that include it a half cent goes to the net.
        let half =
            if self.including { RoundingStrategy::MidpointTowardZero } else { RoundingStrategy::MidpointAwayFromZero };
        tax.round_dp_with_strategy(2, half)
    }

    /// What of a catalogue price is net, to six decimals.
    fn net(&self, catalogue: Decimal, class: usize) -> Decimal {
        if self.including { kept(catalogue / (Decimal::ONE + rate(HOME[class].1))) } else { kept(catalogue) }
    }

    fn taxes(&self, net: Decimal, class: usize) -> Vec<(usize, Decimal)> {
        self.rates.map(|rates| (class, kept(net * rate(rates[class])))).into_iter().collect()
    }

    /// The tax of goods: of a price that includes this very tax it is the rest.
    fn goods_taxes(&self, catalogue: Decimal, class: usize) -> Vec<(usize, Decimal)> {
        let net = self.net(catalogue, class);
        let at_home = self.rates.is_some_and(|rates| rates[class] == HOME[class].1);
        if self.including && at_home { vec![(class, catalogue - net)] } else { self.taxes(net, class) }
    }
}

pub(crate) fn rate(thousandths: i64) -> Decimal {
    Decimal::new(thousandths, 3)
}

/// A part of an order: goods, shipping, a fee.
pub(crate) struct Part {
    /// What the interface says of it beside amounts.
    said: Value,
    class: usize,
    before: (Decimal, Vec<(usize, Decimal)>),
    net: Decimal,
    taxes: Vec<(usize, Decimal)>,
}

/// An order while it is made.
struct Making<'c> {
    chance: &'c mut Chance,
    manner: Manner,
    next: u64,
    goods: Vec<Part>,
    shipping: Vec<Part>,
    fees: Vec<Part>,
}

/// An order, with what it says that it comes to.
pub(crate) struct Order {
    /// As the shop's interface gives it.
    pub(crate) json: Value,
    /// What is paid for it.
    pub(crate) total: Decimal,
    pub(crate) manner: &'static str,
}

/// An order of that number.
pub(crate) fn order(chance: &mut Chance, number: u64) -> Order {
    let manner = Manner::of(chance);
    let mut making = Making { chance, manner, next: 10, goods: Vec::new(), shipping: Vec::new(), fees: Vec::new() };
    making.fill();
    making.finished(number)
}

impl Making<'_> {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn price(&mut self) -> Decimal {
        let cents = match self.chance.below(4) {
            0 => self.chance.between(5, 99),
            1 => self.chance.between(1, 400) * 5,
            2 => self.chance.between(100, 9999),
            _ => self.chance.between(9_999, 250_000),
        };
        Decimal::new(i64::try_from(cents).unwrap(), 2)
    }

    fn fill(&mut self) {
        let lines = if self.chance.percent(8) { self.chance.between(6, 25) } else { self.chance.between(1, 5) };
        let off = if self.chance.percent(35) { self.chance.between(1, 60) } else { 0 };
        for _ in 0..lines {
            self.some_goods(off);
        }
        if self.chance.percent(10) {
            self.bundle();
        }
        if self.chance.percent(70) {
            let cost = Decimal::new(i64::try_from(self.chance.between(0, 2500)).unwrap(), 2);
            let class = self.goods[0].class;
            self.beside(cost, class, true);
        }
        if self.chance.percent(20) {
            let cost = Decimal::new(i64::try_from(self.chance.between(1, 900)).unwrap(), 2);
            let class = self.goods[0].class;
            self.beside(cost, class, false);
        }
        if self.chance.percent(10) {
            self.deduction();
        }
    }

    fn some_goods(&mut self, off: u64) {
        let class = usize::from(self.chance.percent(35));
        let (mut price, mut item) = (self.price(), self.chance.below(4));
        let mut quantity = Decimal::from(if self.chance.percent(40) { 1 } else { self.chance.between(1, 24) });
        match self.chance.below(24) {
            // Many, of a price of few cents or less.
            0 => {
                quantity = Decimal::from(self.chance.between(100, 3000));
                price = Decimal::new(i64::try_from(self.chance.between(1, 9000)).unwrap(), 4);
            }
            // By the metre.
            1 => {
                quantity = Decimal::new(i64::try_from(self.chance.between(1, 400)).unwrap(), 2);
                item = 4;
            }
            2 => price = Decimal::ZERO,
            _ => {}
        }
        let full = price * quantity;
        // A coupon of a percentage takes off cents, or less with the older checkout; one of an amount takes off cents.
        let hundredths = Decimal::new(i64::try_from(off).unwrap(), 2);
        let taken = if self.chance.percent(50) { cents(full * hundredths) } else { kept(full * hundredths) };
        let item = ITEMS[usize::try_from(item).unwrap()].0;
        self.line(item, class, quantity, full, full - taken);
    }

    fn line(&mut self, sku: &str, class: usize, quantity: Decimal, full: Decimal, paid: Decimal) {
        let net = self.manner.net(paid, class);
        let before = (self.manner.net(full, class), self.manner.goods_taxes(full, class));
        let taxes = self.manner.goods_taxes(paid, class);
        let pieces: Value = serde_json::from_str(&quantity.normalize().to_string()).unwrap();
        let said = json!({
            "id": self.id(), "name": format!("Goods {sku}"), "product_id": if sku.is_empty() { 0 } else { 31 }, "variation_id": 0,
            "quantity": pieces, "tax_class": HOME[class].0, "sku": sku, "meta_data": [], "price": 0,
        });
        self.goods.push(Part { said, class, before, net, taxes });
    }

    /// A bundle: the price is with its container or with what is in it.
    fn bundle(&mut self) {
        let (zero, one) = (Decimal::ZERO, Decimal::ONE);
        let price = self.price();
        if self.chance.percent(50) {
            self.line("", 0, one, zero, zero);
            self.line("TEA", 1, one, price, price);
            self.line("LAMP", 0, Decimal::TWO, price, price);
        } else {
            self.line("BOX", 0, one, price, price);
            self.line("TEA", 0, one, zero, zero);
            self.line("LAMP", 0, Decimal::TWO, zero, zero);
        }
    }

    fn beside(&mut self, cost: Decimal, class: usize, ships: bool) {
        let taxes = self.manner.taxes(cost, class);
        let id = self.id();
        let said = if ships {
            json!({"id": id, "method_title": "Post", "method_id": "flat_rate", "instance_id": "1", "meta_data": []})
        } else {
            json!({"id": id, "name": "Wrapping", "tax_class": HOME[class].0, "tax_status": "taxable", "meta_data": []})
        };
        let part = Part { said, class, before: (cost, Vec::new()), net: cost, taxes };
        if ships { self.shipping.push(part) } else { self.fees.push(part) }
    }

    /// A fee below nothing takes tax off the goods, in the proportion of their classes.
    fn deduction(&mut self) {
        let mut by_class: BTreeMap<usize, Decimal> = BTreeMap::new();
        for part in self.goods.iter().chain(&self.shipping) {
            *by_class.entry(part.class).or_default() += part.net;
        }
        let whole: Decimal = by_class.values().sum();
        let most = cents(whole / Decimal::TWO);
        if most <= Decimal::ONE {
            return;
        }
        let off = -cents(most * Decimal::new(i64::try_from(self.chance.between(1, 99)).unwrap(), 2));
        let shares = by_class.iter().filter(|(_, net)| !net.is_zero());
        let taxes = shares.flat_map(|(class, net)| self.manner.taxes(off * net / whole, *class)).collect();
        let said =
            json!({"id": self.id(), "name": "Deduction", "tax_class": "", "tax_status": "taxable", "meta_data": []});
        self.fees.push(Part { said, class: 0, before: (off, Vec::new()), net: off, taxes });
    }

    fn tax(&self, taxes: &[(usize, Decimal)]) -> Decimal {
        if self.manner.at_subtotal {
            self.manner.tax_cents(taxes.iter().map(|(_, tax)| tax).sum())
        } else {
            taxes.iter().map(|(_, tax)| self.manner.tax_cents(*tax)).sum()
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.goods.iter().chain(&self.shipping).chain(&self.fees)
    }

    /// What the order comes to, as the shop adds it.
    fn total(&self) -> Decimal {
        if self.manner.at_subtotal {
            cents(self.parts().map(|part| part.net + part.taxes.iter().map(|(_, tax)| tax).sum::<Decimal>()).sum())
        } else {
            self.parts().map(|part| cents(part.net) + self.tax(&part.taxes)).sum()
        }
    }

    fn part(&self, part: &Part, goods: bool) -> Value {
        let mut said = part.said.clone();
        said["total"] = json!(text(part.net));
        said["total_tax"] = json!(text(self.tax(&part.taxes)));
        let before = |class: usize| part.before.1.iter().find(|(other, _)| *other == class).map(|(_, tax)| text(*tax));
        let taxes = part.taxes.iter().map(|(class, tax)| {
            json!({"id": class + 1, "total": text(*tax), "subtotal": if goods { before(*class).unwrap_or_default() } else { String::new() }})
        });
        said["taxes"] = taxes.collect();
        if goods {
            said["subtotal"] = json!(text(part.before.0));
            said["subtotal_tax"] = json!(text(self.tax(&part.before.1)));
        }
        said
    }

    fn tax_lines(&self) -> Value {
        let Some(rates) = self.manner.rates else { return json!([]) };
        let sum = |parts: &mut dyn Iterator<Item = &Part>, class: usize| -> Decimal {
            let taxes = parts.flat_map(|part| &part.taxes).filter(|(other, _)| *other == class);
            taxes.map(|(_, tax)| if self.manner.at_subtotal { *tax } else { self.manner.tax_cents(*tax) }).sum()
        };
        let used = (0..2).filter(|class| self.parts().any(|part| part.taxes.iter().any(|(other, _)| other == class)));
        used.map(|class| {
            json!({
                "id": 500 + class, "rate_code": format!("{}-VAT-{}", self.manner.country, class + 1), "rate_id": class + 1, "label": "VAT",
                "compound": false, "tax_total": text(sum(&mut self.goods.iter().chain(&self.fees), class)),
                "shipping_tax_total": text(sum(&mut self.shipping.iter(), class)),
                "rate_percent": serde_json::from_str::<Value>(&(rate(rates[class]) * Decimal::ONE_HUNDRED).normalize().to_string()).unwrap(),
                "meta_data": [],
            })
        })
        .collect()
    }

    fn finished(self, number: u64) -> Order {
        let mut json: Value = serde_json::from_str(include_str!("../../flows/tests/data/order.json")).unwrap();
        let mut total = self.total();
        if self.chance.percent(8) && total > Decimal::ONE {
            let off = cents(total * Decimal::new(i64::try_from(self.chance.between(1, 100)).unwrap(), 2));
            total -= off;
            json["gift_cards"] = json!([{"id": 1, "code": "GIFT", "amount": text(off)}]);
        }
        json["id"] = json!(number);
        json["number"] = json!(number.to_string());
        json["currency"] = json!(self.chance.pick(&CURRENCIES));
        json["prices_include_tax"] = json!(self.manner.including);
        for part in ["billing", "shipping"] {
            json[part]["country"] = json!(self.manner.country);
        }
        if self.manner.reversed {
            json["billing"]["company"] = json!("Werk GmbH");
            json["meta_data"] = json!([
                {"id": 1, "key": "is_vat_exempt", "value": "yes"}, {"id": 2, "key": "_billing_vat_number", "value": "DE136695976"},
            ]);
        }
        let lines = |parts: &[Part], goods| parts.iter().map(|part| self.part(part, goods)).collect::<Value>();
        json["line_items"] = lines(&self.goods, true);
        json["shipping_lines"] = lines(&self.shipping, false);
        json["fee_lines"] = lines(&self.fees, false);
        json["tax_lines"] = self.tax_lines();
        self.sums(&mut json);
        json["total"] = json!(text(total));
        Order { json, total, manner: self.manner.name() }
    }

    fn sums(&self, json: &mut Value) {
        let net = |parts: &[Part]| parts.iter().map(|part| part.net).sum::<Decimal>();
        let taxes = |parts: &[Part]| parts.iter().map(|part| self.tax(&part.taxes)).sum::<Decimal>();
        let before: Decimal = self.goods.iter().map(|part| part.before.0).sum();
        json["discount_total"] = json!(text(before - net(&self.goods)));
        json["shipping_total"] = json!(text(net(&self.shipping)));
        json["shipping_tax"] = json!(text(taxes(&self.shipping)));
        json["cart_tax"] = json!(text(taxes(&self.goods) + taxes(&self.fees)));
        json["total_tax"] = json!(text(taxes(&self.goods) + taxes(&self.fees) + taxes(&self.shipping)));
    }
}

impl Manner {
    fn name(&self) -> &'static str {
        match (self.including, self.at_subtotal) {
            (true, true) => "with tax, at the subtotal",
            (true, false) => "with tax, by line",
            (false, true) => "without tax, at the subtotal",
            (false, false) => "without tax, by line",
        }
    }
}
