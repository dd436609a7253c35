//! Money is conserved: orders, and refunds of them, of any mix of rates, coupons, fees, currencies, gift cards and bundles, reckoned in each of the
//! shop's ways, go through the flows as they ship. What an order's document comes to by the test's own arithmetic is what
//! the shop says, to the cent, or the order stops with a reason; of those that a shop can make hardly any may.
//!
//! `FLOWC_CASES=10000 cargo test --test conserved -- --nocapture` makes as many as wanted, `FLOWC_SEED=17` others.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a surprise fails the test, and its figures are wanted")]

#[path = "../simulate/chance.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod chance;
mod ledger;
mod refund;
mod shop;

use chance::{Chance, mix};
use ledger::{Came, KINDS, Ledger};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Cases where nobody says how many.
const CASES: u64 = 300;
/// Of a hundred orders that a shop can make so many may stop.
const PARKED_AT_MOST: u64 = 1;

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A reason without what differs from record to record.
fn sort_of(reason: &str) -> String {
    reason
        .chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect::<String>()
        .replace("##", "#")
        .replace("##", "#")
}

/// What came of all records of a sort.
#[derive(Default)]
struct Tally {
    made: u64,
    parked: BTreeMap<String, (u64, String)>,
    wrong: Vec<String>,
}

impl Tally {
    /// What is told of a record begins with `of`; it is to come to `wanted`.
    fn count(&mut self, of: &str, came: Came, wanted: Decimal, record: &Value) {
        self.made += 1;
        match came {
            Came::Booked(document, total) if total != wanted => {
                self.wrong.push(format!("{of}: {total} is booked for {wanted}\n{document}\n{record}"));
            }
            Came::Booked(..) => {}
            Came::Parked(reason) => {
                let told = format!("{of}: {reason}\n{record}");
                self.parked.entry(sort_of(&reason)).or_insert((0, told)).0 += 1;
            }
        }
    }

    fn told(&self, what: &str) {
        let stopped: u64 = self.parked.values().map(|(count, _)| count).sum();
        println!("{} {what}, {stopped} parked, {} wrong", self.made, self.wrong.len());
        for (sort, (count, told)) in &self.parked {
            println!("{count} parked: {sort}\n  such as {told}");
        }
        assert!(self.wrong.is_empty(), "{} {what} wrong, the first: {}", self.wrong.len(), self.wrong[0]);
        assert!(stopped * 100 <= self.made * PARKED_AT_MOST, "{stopped} of {} {what} are parked", self.made);
    }
}

#[test]
fn what_is_booked_is_what_the_shop_says_to_the_cent() {
    let (cases, seed) = (setting("FLOWC_CASES", CASES), setting("FLOWC_SEED", 1));
    println!("{cases} cases of seed {seed}");
    let ledgers = KINDS.map(Ledger::new);
    let held: Vec<_> = ledgers.iter().map(Ledger::held).collect();
    let (mut orders, mut refunds) = (Tally::default(), Tally::default());
    for case in 0..cases {
        let mut chance = Chance::new(mix(seed) ^ mix(case));
        let order = shop::order(&mut chance, case + 1);
        let n = usize::try_from(case).unwrap() % ledgers.len();
        let ledger = &ledgers[n];
        let of = format!("case {case} of seed {seed}, {:?}, {}", ledger.kind, order.manner);
        orders.count(&of, ledger.book("orders", &order.json, &held[n]), order.total, &order.json);
        if let Some(refund) = refund::refund(&mut chance, &order) {
            let came = ledger.book("refunds", &refund.json, &ledger.held_with(&order.json));
            let both = json!({"refund": refund.json, "order": order.json});
            refunds.count(&of, came, ledger.credit_of(refund.amount), &both);
        }
    }
    assert!(refunds.made * 3 > orders.made, "{} refunds: hardly any is made", refunds.made);
    orders.told("orders");
    refunds.told("refunds");
}
