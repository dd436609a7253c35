//! Money is conserved: orders of any mix of rates, coupons, fees, currencies, gift cards and bundles, reckoned in each of the
//! shop's ways, go through the flows as they ship. What an order's document comes to by the test's own arithmetic is what
//! the shop says, to the cent, or the order stops with a reason; of those that a shop can make hardly any may.
//!
//! `FLOWC_CASES=10000 cargo test --test conserved -- --nocapture` makes as many as wanted, `FLOWC_SEED=17` others.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a surprise fails the test, and its figures are wanted")]

#[path = "../simulate/chance.rs"]
#[allow(dead_code, reason = "a part of it is used here")]
mod chance;
mod ledger;
mod shop;

use chance::{Chance, mix};
use ledger::{Came, KINDS, Ledger};
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

#[test]
fn what_is_booked_is_what_the_shop_says_to_the_cent() {
    let (cases, seed) = (setting("FLOWC_CASES", CASES), setting("FLOWC_SEED", 1));
    println!("{cases} cases of seed {seed}");
    let ledgers = KINDS.map(Ledger::new);
    let held: Vec<_> = ledgers.iter().map(Ledger::held).collect();
    let (mut parked, mut wrong) = (BTreeMap::<String, (u64, String)>::new(), Vec::new());
    for case in 0..cases {
        let mut chance = Chance::new(mix(seed) ^ mix(case));
        let order = shop::order(&mut chance, case + 1);
        let n = usize::try_from(case).unwrap() % ledgers.len();
        let ledger = &ledgers[n];
        match ledger.book("orders", &order.json, &held[n]) {
            Came::Booked(document, total) if total != order.total => wrong.push(format!(
                "case {case} of seed {seed}, {:?}, {}: {total} is booked for {}\n{document}\n{}",
                ledger.kind, order.manner, order.total, order.json
            )),
            Came::Booked(..) => {}
            Came::Parked(reason) => {
                let told = format!("case {case}, {:?}, {}: {reason}\n{}", ledger.kind, order.manner, order.json);
                parked.entry(sort_of(&reason)).or_insert((0, told)).0 += 1;
            }
        }
    }
    let stopped: u64 = parked.values().map(|(count, _)| count).sum();
    println!("{cases} orders, {stopped} parked, {} wrong", wrong.len());
    for (sort, (count, told)) in &parked {
        println!("{count} parked: {sort}\n  such as {told}");
    }
    assert!(wrong.is_empty(), "{} wrong, the first: {}", wrong.len(), wrong[0]);
    assert!(stopped * 100 <= cases * PARKED_AT_MOST, "{stopped} of {cases} are parked");
}
