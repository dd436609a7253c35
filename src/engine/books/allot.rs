//! A document's two totals divided over the codes of its tax: pure sums, in which no cent is lost.

use crate::eval::Share;
use crate::value::decimal;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What rounding may take or give of a line.
const CENT: Decimal = Decimal::from_parts(1, 0, 0, false, 2);
/// Decimals of amounts in books.
const DECIMALS: u32 = 2;

/// A line of a document, as its system has it: its code, and its amount with tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) code: Arc<str>,
    pub(super) amount: Decimal,
}

/// What stands under a code on either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) shop: Decimal,
    pub(super) ledger: Decimal,
    /// Cents that rounding may have moved: one for each line.
    room: Decimal,
}

/// The sides of a document by code. Those of the shop come to `shop`, those of the ledger to `ledger`, whatever the shares and
/// the lines come to: what they leave is allotted as well.
///
/// `shares` is what the flow gives each code now; without them the ledger's own codes stand. A line that evens out cents counts
/// with the code that has most, on both sides. Cents are allotted to the codes as the ledger rounds them, at most one for each
/// line, and only where both sides agree as a whole.
pub(super) fn allot(
    shop: Decimal,
    shares: Option<&[Share]>,
    ledger: Decimal,
    lines: &[Line],
) -> BTreeMap<Arc<str>, Sides> {
    let mut sums: BTreeMap<Arc<str>, Sides> = BTreeMap::new();
    for line in lines {
        let sides = sums.entry(Arc::clone(&line.code)).or_default();
        sides.ledger += line.amount;
        sides.room += CENT;
    }
    match shares.filter(|shares| !shares.is_empty()) {
        Some(shares) => ask(&mut sums, shop, shares, lines),
        None => in_proportion(&mut sums, shop),
    }
    let left = ledger - sums.values().map(|sides| sides.ledger).sum::<Decimal>();
    even_out(&mut sums, left);
    if shop == ledger && sums.values().all(|sides| (sides.shop - sides.ledger).abs() <= sides.room) {
        sums.values_mut().for_each(|sides| sides.shop = sides.ledger);
    }
    sums.retain(|_, sides| !sides.shop.is_zero() || !sides.ledger.is_zero());
    sums
}

/// The shop's side, as the flow divides it.
fn ask(sums: &mut BTreeMap<Arc<str>, Sides>, shop: Decimal, shares: &[Share], lines: &[Line]) {
    if shop.is_zero() && !shares.iter().map(|share| share.amount).sum::<Decimal>().is_zero() {
        // It is void: no code has anything.
        return;
    }
    let sold = || shares.iter().filter(|share| !share.evens_out);
    let most = sold().max_by_key(|share| share.amount.abs()).or(shares.first());
    let Some(most) = most.map(|share| Arc::clone(&share.code)) else { return };
    for share in shares {
        let code = if share.evens_out { &most } else { &share.code };
        sums.entry(Arc::clone(code)).or_default().shop += share.amount;
        let evens = |line: &&Line| share.evens_out && line.code == share.code && line.amount == share.amount;
        if lines.iter().any(|line| evens(&line)) {
            move_line(sums, share, &most);
        }
    }
    let rest = shop - sums.values().map(|sides| sides.shop).sum::<Decimal>();
    let sides = sums.entry(most).or_default();
    sides.shop += rest;
    sides.room = sides.room.max(CENT);
}

/// The ledger's line that evens out cents counts with the code that it rounds.
fn move_line(sums: &mut BTreeMap<Arc<str>, Sides>, line: &Share, to: &Arc<str>) {
    let from = sums.entry(Arc::clone(&line.code)).or_default();
    from.ledger -= line.amount;
    from.room -= CENT;
    let to = sums.entry(Arc::clone(to)).or_default();
    to.ledger += line.amount;
    to.room += CENT;
}

/// The shop's side where nobody says how it is divided: as the ledger's is. The code that has most takes what rounding leaves.
fn in_proportion(sums: &mut BTreeMap<Arc<str>, Sides>, shop: Decimal) {
    let whole: Decimal = sums.values().map(|sides| sides.ledger).sum();
    for sides in sums.values_mut() {
        let part = sides.ledger.checked_mul(shop).and_then(|product| product.checked_div(whole));
        sides.shop = part.map_or(Decimal::ZERO, |part| decimal::round(part, DECIMALS));
    }
    let rest = shop - sums.values().map(|sides| sides.shop).sum::<Decimal>();
    sums.entry(most_of(sums)).or_default().shop += rest;
}

/// What the ledger's total has beyond its lines: cents go where the shop has more or less, one for each line; all else, such as
/// a discount on the whole, goes to the code that has most.
fn even_out(sums: &mut BTreeMap<Arc<str>, Sides>, mut left: Decimal) {
    for sides in sums.values_mut() {
        let wanted = sides.shop - sides.ledger;
        if !left.is_zero() && !wanted.is_zero() && wanted.is_sign_negative() == left.is_sign_negative() {
            let given = left.abs().min(wanted.abs()).min(sides.room);
            let given = if left.is_sign_negative() { -given } else { given };
            sides.ledger += given;
            left -= given;
        }
    }
    if !left.is_zero() {
        sums.entry(most_of(sums)).or_default().ledger += left;
    }
}

/// The code that has most; one without a name where there is none.
fn most_of(sums: &BTreeMap<Arc<str>, Sides>) -> Arc<str> {
    let most = sums.iter().max_by_key(|(_, sides)| sides.ledger.abs().max(sides.shop.abs()));
    most.map_or_else(|| Arc::from(""), |(code, _)| Arc::clone(code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(n: i64) -> Decimal {
        Decimal::new(n, 2)
    }

    fn line(code: &str, amount: i64) -> Line {
        Line { code: code.into(), amount: cents(amount) }
    }

    fn share(code: &str, amount: i64) -> Share {
        Share { code: code.into(), amount: cents(amount), evens_out: false }
    }

    fn shown(sums: &BTreeMap<Arc<str>, Sides>) -> Vec<(String, i64, i64)> {
        let number =
            |amount: Decimal| i64::try_from(amount.mantissa()).unwrap() * 10_i64.pow(2 - amount.scale().min(2));
        sums.iter().map(|(code, sides)| (code.to_string(), number(sides.shop), number(sides.ledger))).collect()
    }

    /// Shop and shares, ledger and lines, and what comes of it: code, shop, ledger.
    #[test]
    fn sums_of_a_document() {
        let rest = Share { evens_out: true, ..share("0", 1) };
        let agree =
            allot(cents(1211), Some(&[share("5", 1210), rest.clone()]), cents(1211), &[line("5", 1210), line("0", 1)]);
        assert_eq!(shown(&agree), [("5".into(), 1211, 1211)], "a rounding line counts with its code");
        let gone = allot(cents(1211), Some(&[share("5", 1210), rest]), cents(1210), &[line("5", 1210)]);
        assert_eq!(shown(&gone), [("5".into(), 1211, 1210)]);
        let between = allot(
            cents(3000),
            Some(&[share("5", 2000), share("6", 1000)]),
            cents(3000),
            &[line("5", 2001), line("6", 999)],
        );
        assert_eq!(
            shown(&between),
            [("5".into(), 2001, 2001), ("6".into(), 999, 999)],
            "cents between codes are rounding"
        );
        let other = allot(cents(3000), Some(&[share("5", 3000)]), cents(3000), &[line("6", 3000)]);
        assert_eq!(shown(&other), [("5".into(), 3000, 0), ("6".into(), 0, 3000)], "another code differs");
        let changed = allot(
            cents(3000),
            Some(&[share("5", 2000), share("6", 1000)]),
            cents(4210),
            &[line("5", 3210), line("6", 1000)],
        );
        assert_eq!(shown(&changed), [("5".into(), 2000, 3210), ("6".into(), 1000, 1000)]);
        let lines_short = allot(
            cents(3000),
            Some(&[share("5", 2000), share("6", 1000)]),
            cents(3000),
            &[line("5", 2000), line("6", 999)],
        );
        assert_eq!(
            shown(&lines_short),
            [("5".into(), 2000, 2000), ("6".into(), 1000, 1000)],
            "the total has more than its lines"
        );
        let fault = allot(
            cents(3500),
            Some(&[share("5", 2000), share("6", 1000)]),
            cents(3000),
            &[line("5", 2000), line("6", 1000)],
        );
        assert_eq!(
            shown(&fault),
            [("5".into(), 2500, 2000), ("6".into(), 1000, 1000)],
            "what the mapping leaves out shows"
        );
    }

    #[test]
    fn without_shares_the_ledgers_codes_stand() {
        let lines = [line("5", 2000), line("6", 1000)];
        assert_eq!(
            shown(&allot(cents(3000), None, cents(3000), &lines)),
            [("5".into(), 2000, 2000), ("6".into(), 1000, 1000)]
        );
        assert_eq!(
            shown(&allot(cents(1500), None, cents(3000), &lines)),
            [("5".into(), 1000, 2000), ("6".into(), 500, 1000)]
        );
        assert_eq!(shown(&allot(cents(0), None, cents(3000), &lines)), [("5".into(), 0, 2000), ("6".into(), 0, 1000)]);
        let shares = [share("5", 2000), share("6", 1000)];
        assert_eq!(
            shown(&allot(cents(0), Some(&shares), cents(3000), &lines)),
            [("5".into(), 0, 2000), ("6".into(), 0, 1000)]
        );
        assert_eq!(shown(&allot(cents(100), None, cents(0), &[])), [(String::new(), 100, 0)]);
    }

    proptest! {
        /// Whatever is said of a document, its rows come to its two totals.
        #[test]
        fn no_cent_is_lost(
            shop in -100_000_i64..100_000,
            ledger in -100_000_i64..100_000,
            shares in proptest::option::of(proptest::collection::vec((0_u8..4, -10_000_i64..10_000, any::<bool>()), 0..5)),
            lines in proptest::collection::vec((0_u8..4, -10_000_i64..10_000), 0..6),
        ) {
            let shares: Option<Vec<Share>> = shares.map(|shares| {
                shares.into_iter().map(|(code, n, evens_out)| Share { evens_out, ..share(&code.to_string(), n) }).collect()
            });
            let lines: Vec<Line> = lines.into_iter().map(|(code, n)| line(&code.to_string(), n)).collect();
            let sums = allot(cents(shop), shares.as_deref(), cents(ledger), &lines);
            let void = shop == 0;
            prop_assert!(void || sums.values().map(|s| s.shop).sum::<Decimal>() == cents(shop));
            prop_assert!(!void || sums.values().map(|s| s.shop).sum::<Decimal>().is_zero());
            prop_assert_eq!(sums.values().map(|s| s.ledger).sum::<Decimal>(), cents(ledger));
        }
    }
}
