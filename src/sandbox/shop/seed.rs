//! A made-up shop: the same for the same seed, with totals as WooCommerce would compute them.

mod goods;
mod names;
mod people;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::call::Call;
use super::rates::Rates;
use super::state::State;
use super::table::{id, text};
use super::totals::{self, stored};
use super::{Shop, blank, dates, discounts, refunds};
use goods::Article;
use people::Person;

/// Days that the orders are spread over, up to now.
const DAYS: i64 = 90;
/// People for each ten orders.
const PEOPLE_PER_TEN_ORDERS: u64 = 3;
/// First id of an order, away from those of recorded shops.
const FIRST_ORDER: u64 = 10_001;

/// SplitMix64: a step of the row of numbers that everything here is made from.
pub(crate) fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A row of pseudo-random numbers.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        mix(&mut self.0) % end.max(1)
    }

    /// Some seconds below a bound.
    fn seconds(&mut self, end: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(end).unwrap_or(1))).unwrap_or(0)
    }

    fn percent(&mut self, of_hundred: u64) -> bool {
        self.below(100) < of_hundred
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let count = u64::try_from(from.len()).unwrap_or(1);
        let at = usize::try_from(self.below(count)).unwrap_or(0);
        &from[at.min(from.len() - 1)]
    }

    /// One of several by weight.
    fn weighted<'a, T>(&mut self, from: &'a [(u64, T)]) -> &'a T {
        let mut rest = self.below(from.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in from {
            if rest < *weight {
                return value;
            }
            rest -= weight;
        }
        &from[0].1
    }
}

impl Shop {
    /// Fills the shop with `orders` made-up orders, their people and goods.
    pub(crate) fn generate(&self, seed: u64, orders: u64) {
        let now = self.now();
        let mut state = self.state();
        let mut chance = Chance(seed);
        install_gateways(&mut state);
        let articles = goods::articles(&mut state, &mut chance, now);
        let people = people::people(&mut state, &mut chance, (orders * PEOPLE_PER_TEN_ORDERS / 10).max(1), now);
        let coupons: Vec<Value> = ["welkom10", "vijfeuro"]
            .iter()
            .filter_map(|code| state.coupons.with_key(code).first().and_then(|id| state.coupons.get(*id)))
            .collect();
        let including = Rates { prices_include_tax: true, ..state.rates() };
        let excluding = Rates { prices_include_tax: false, ..state.rates() };
        let mut next_id = FIRST_ORDER;
        for at in 0..orders {
            let rates = if chance.percent(70) { &including } else { &excluding };
            let created = created_at(now, at, orders, &mut chance);
            let person = chance.pick(&people);
            let mut maker =
                Maker { state: &mut state, chance: &mut chance, rates, articles: &articles, coupons: &coupons, now };
            let order = maker.order(next_id, person, created);
            state.orders.put(next_id, &order);
            if text(&order, "status") == "completed" && chance.percent(3) {
                give_back_one(&mut state, &order);
            }
            // A refund takes the number after its order's.
            next_id = next_id.max(state.refunds.last_id()) + 1;
        }
    }
}

/// Refunds one piece of an order's first line, with its tax, at the time of the order's last change.
fn give_back_one(state: &mut State, order: &Value) {
    let line = &order["line_items"][0];
    let piece = |amount: Decimal| {
        let quantity = super::state::amount(line, "quantity");
        totals::bare((amount / quantity.max(Decimal::ONE)).round_dp(2))
    };
    let taxes: Vec<Value> = line["taxes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|tax| json!({"id": tax["id"], "refund_total": piece(super::state::amount(tax, "total"))}))
        .collect();
    let row = json!({"id": line["id"], "quantity": 1, "refund_total": piece(super::state::amount(line, "total")), "refund_tax": taxes});
    let wanted = json!({"reason": "Beschadigd", "line_items": [row], "api_refund": false, "api_restock": false});
    let at = dates::instant(text(order, "date_modified_gmt"), &state.zone.rules, true).unwrap_or_default();
    let parameters = wanted.as_object().cloned().unwrap_or_default();
    let mut call = Call::inside("", at, parameters);
    // With a discount, an order may be worth less than its first piece: then nothing is given back.
    let _ = refunds::create(state, &mut call, id(order, "id"));
}

/// The gateways of the made-up orders are installed, besides the shop's own.
fn install_gateways(state: &mut State) {
    for (_, (method, title)) in PAYMENTS {
        if !state.gateways.iter().any(|gateway| text(gateway, "id") == method) {
            state.gateways.push(json!({
                "id": method, "title": title, "description": "", "order": "", "enabled": true, "method_title": title,
                "method_description": "", "method_supports": ["products", "refunds"], "settings": {}, "needs_setup": false,
                "post_install_scripts": [], "settings_url": "", "connection_url": null, "setup_help_text": null, "required_settings_keys": []
            }));
        }
    }
}

/// Orders come one after the other over the days, the last some minutes ago.
fn created_at(now: Timestamp, at: u64, orders: u64, chance: &mut Chance) -> Timestamp {
    let span = DAYS * 86_400 - 600;
    let orders = i64::try_from(orders.max(1)).unwrap_or(i64::MAX);
    let passed = span.saturating_mul(i64::try_from(at).unwrap_or(0)) / orders;
    let jitter = chance.seconds((span / orders).max(1));
    let before = span - passed - jitter;
    now.saturating_sub(SignedDuration::from_secs(before.max(0) + 600)).unwrap_or(now)
}

/// Makes one order.
struct Maker<'a> {
    state: &'a mut State,
    chance: &'a mut Chance,
    rates: &'a Rates,
    articles: &'a [Article],
    coupons: &'a [Value],
    now: Timestamp,
}

/// Payment methods: weight, id, title, the statuses' kind.
const PAYMENTS: [(u64, (&str, &str)); 6] = [
    (50, ("mollie_wc_gateway_ideal", "iDEAL")),
    (16, ("mollie_wc_gateway_creditcard", "Creditcard")),
    (12, ("ppcp-gateway", "PayPal")),
    (10, ("mollie_wc_gateway_bancontact", "Bancontact")),
    (8, ("bacs", "Bankoverschrijving")),
    (4, ("cod", "Betalen bij afhalen")),
];

/// Statuses by weight: about 88 of 100 are to be sent.
const STATUSES: [(u64, &str); 7] = [
    (52, "completed"),
    (36, "processing"),
    (4, "on-hold"),
    (3, "pending"),
    (3, "cancelled"),
    (1, "failed"),
    (1, "refunded"),
];

impl Maker<'_> {
    fn order(&mut self, order_id: u64, person: &Person, created: Timestamp) -> Value {
        let (method, title) = *self.chance.weighted(&PAYMENTS);
        let status = *self.chance.weighted(&STATUSES);
        let paid = ["completed", "processing", "refunded"].contains(&status);
        let country = text(&person.billing, "country");
        let reverse = person.vat_number.is_some() && country != self.rates.base;
        let mut billing = person.billing.clone();
        if person.customer == 0 && self.chance.percent(20) {
            // Guests write their address as they please.
            billing["email"] = json!(text(&billing, "email").to_uppercase());
        }
        let modified = created
            .saturating_add(SignedDuration::from_secs(i64::try_from(self.chance.below(2 * 86_400)).unwrap_or(0)))
            .unwrap_or(created)
            .min(self.now);
        let transaction = if paid && method != "cod" && method != "bacs" {
            format!("tr_{:012x}", mix(&mut self.chance.0) >> 16)
        } else {
            String::new()
        };
        let note = if self.chance.percent(6) { *self.chance.pick(&names::NOTES) } else { "" };
        let mut order = blank::order();
        let origin = *self.chance.weighted(&[(70, "store-api"), (25, "checkout"), (5, "admin")]);
        let set = json!({
            "id": order_id, "number": order_id.to_string(), "status": status, "prices_include_tax": self.rates.prices_include_tax,
            "customer_id": person.customer, "order_key": format!("wc_order_{:013x}", mix(&mut self.chance.0) >> 12),
            "payment_method": method, "payment_method_title": title, "transaction_id": transaction, "created_via": origin,
            "customer_note": note, "needs_processing": true
        });
        for (name, value) in set.as_object().into_iter().flatten() {
            order[name.as_str()] = value.clone();
        }
        order["billing"] = billing;
        order["shipping"] = person.shipping.clone();
        order["meta_data"] = self.meta(person, reverse);
        order["line_items"] = self.lines();
        self.dates(&mut order, created, modified, paid && method != "cod", status);
        self.coupon(&mut order);
        self.fee(&mut order);
        self.shipping(&mut order, country);
        let state = &mut *self.state;
        totals::recalculate(&mut order, self.rates, &mut || state.new_item());
        if status == "refunded" {
            self.refund(&mut order, modified);
        }
        order
    }

    fn dates(&self, order: &mut Value, created: Timestamp, modified: Timestamp, paid: bool, status: &str) {
        let mut set = |name: &str, instant: Timestamp| {
            let (local, gmt) = dates::pair(instant, &self.state.zone.rules);
            order[name] = json!(local);
            order[format!("{name}_gmt")] = json!(gmt);
        };
        set("date_created", created);
        set("date_modified", modified);
        if paid {
            set("date_paid", created.saturating_add(SignedDuration::from_secs(40)).unwrap_or(created).min(modified));
        }
        if status == "completed" {
            set("date_completed", modified);
        }
    }

    fn meta(&mut self, person: &Person, reverse: bool) -> Value {
        let mut entries = Vec::new();
        if let Some(number) = &person.vat_number {
            entries.push(json!({"id": self.state.new_meta(), "key": "_billing_vat_number", "value": number}));
        }
        let exempt = if reverse { "yes" } else { "no" };
        entries.push(json!({"id": self.state.new_meta(), "key": "is_vat_exempt", "value": exempt}));
        Value::Array(entries)
    }

    fn lines(&mut self) -> Value {
        let count = *self.chance.weighted(&[(45, 1_u64), (30, 2), (15, 3), (10, 5)]);
        let mut lines = Vec::new();
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..count {
            let article = self.chance.pick(self.articles);
            if chosen.contains(&article.sku.as_str()) {
                continue;
            }
            chosen.push(&article.sku);
            let quantity = *self.chance.weighted(&[(70, 1_i64), (20, 2), (7, 3), (3, 7)]);
            let net = self.rates.net_price(article.price * Decimal::from(quantity), article.class, true);
            let item = self.state.new_item();
            lines.push(json!({
                "id": item, "name": article.name, "product_id": article.product, "variation_id": article.variation, "quantity": quantity,
                "tax_class": article.class, "subtotal": stored(net), "subtotal_tax": "0", "total": stored(net), "total_tax": "0", "taxes": [],
                "meta_data": article.meta, "sku": article.sku, "global_unique_id": "", "price": 0, "image": {"id": "", "src": ""},
                "parent_name": article.parent_name
            }));
        }
        Value::Array(lines)
    }

    fn coupon(&mut self, order: &mut Value) {
        if self.coupons.is_empty() || !self.chance.percent(12) {
            return;
        }
        let coupon = self.chance.pick(self.coupons);
        let (item, entry) = (self.state.new_item(), self.state.new_meta());
        let line = discounts::take_off(order, coupon, self.rates, item, entry);
        order["coupon_lines"] = json!([line]);
    }

    fn fee(&mut self, order: &mut Value) {
        if !self.chance.percent(6) {
            return;
        }
        let (name, total) = if self.chance.percent(15) {
            ("Korting klantenkaart", Decimal::new(-100, 2))
        } else {
            ("Betaalkosten", Decimal::new(29, 2))
        };
        order["fee_lines"] = json!([{
            "id": self.state.new_item(), "name": name, "tax_class": "", "tax_status": "taxable", "amount": "", "total": stored(total),
            "total_tax": "0", "taxes": [], "meta_data": []
        }]);
    }

    fn shipping(&mut self, order: &mut Value, country: &str) {
        let goods: Decimal =
            order["line_items"].as_array().into_iter().flatten().map(|line| super::state::amount(line, "total")).sum();
        let home = country == self.rates.base;
        let (method, instance, title, gross) = match (home, goods > Decimal::from(75), self.chance.percent(8)) {
            (true, _, true) => ("local_pickup", "3", "Afhalen in winkel", Decimal::ZERO),
            (true, true, _) => ("free_shipping", "2", "Gratis verzending", Decimal::ZERO),
            (true, false, _) => ("flat_rate", "1", "Pakketpost", Decimal::new(495, 2)),
            (false, _, _) => ("flat_rate", "5", "Parcel", Decimal::new(1250, 2)),
        };
        order["shipping_lines"] = json!([{
            "id": self.state.new_item(), "method_title": title, "method_id": method, "instance_id": instance, "total": stored(gross),
            "total_tax": "0", "taxes": [], "tax_status": "taxable", "meta_data": []
        }]);
    }

    /// The whole order is given back, without lines, as setting the status does.
    fn refund(&mut self, order: &mut Value, at: Timestamp) {
        let total = super::state::amount(order, "total");
        let refund_id = id(order, "id") + 1;
        let (local, gmt) = dates::pair(at, &self.state.zone.rules);
        let reason = "Order fully refunded.";
        let entry = self.state.new_meta();
        let refund = json!({
            "id": refund_id, "parent_id": order["id"], "date_created": local, "date_created_gmt": gmt, "amount": stored(total), "reason": reason,
            "refunded_by": 1, "refunded_payment": false, "meta_data": [{"id": entry, "key": "_refund_type", "value": "full"}],
            "line_items": [], "shipping_lines": [], "tax_lines": [], "fee_lines": []
        });
        self.state.refunds.put(refund_id, &refund);
        order["refunds"] =
            json!([{"id": refund_id, "reason": reason, "total": stored(-total), "total_tax": stored(Decimal::ZERO)}]);
    }
}
