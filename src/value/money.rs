//! Amounts: dividing one by weights so that no cent is lost.

use super::decimal::{DECIMALS_MAX, round};
use rust_decimal::Decimal;
use rust_decimal::prelude::RoundingStrategy;

/// `total` divided by `weights`, each share with at most `digits` decimals: cents that are left go to the shares that
/// lost most by rounding, the first of them first. What of the total lies below that is kept by the largest share.
/// Weights that come to zero count alike; of none there is no share. None: an amount too large to be computed exactly.
pub fn split(total: Decimal, weights: &[Decimal], digits: u32) -> Option<Vec<Decimal>> {
    if digits > DECIMALS_MAX {
        return None;
    }
    if weights.is_empty() {
        return Some(Vec::new());
    }
    let sum = weights.iter().try_fold(Decimal::ZERO, |sum, w| sum.checked_add(*w))?;
    let even = vec![Decimal::ONE; weights.len()];
    let (weights, sum) = if sum.is_zero() { (&even[..], Decimal::from(weights.len())) } else { (weights, sum) };
    let mut shares = Vec::with_capacity(weights.len());
    let mut lost = Vec::with_capacity(weights.len());
    for weight in weights {
        let exact = total.checked_mul(*weight)?.checked_div(sum)?;
        let share = exact.round_dp_with_strategy(digits, RoundingStrategy::ToZero);
        shares.push(share);
        lost.push(exact.checked_sub(share)?);
    }
    let given = shares.iter().try_fold(Decimal::ZERO, |sum, s| sum.checked_add(*s))?;
    let mut rest = total.checked_sub(given)?;
    let cent = Decimal::new(if rest.is_sign_negative() { -1 } else { 1 }, digits);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    // Of a rest below zero those lost most that lost most below zero.
    let sign = if rest.is_sign_negative() { -Decimal::ONE } else { Decimal::ONE };
    order.sort_by_key(|&n| std::cmp::Reverse((lost[n] * sign, std::cmp::Reverse(n))));
    // Mixed signs may leave more cents than shares, so the round goes on; each step takes one cent.
    let steps = rest.checked_div(cent)?;
    if steps >= Decimal::from(shares.len() * 4) {
        return None;
    }
    for n in order.iter().cycle() {
        if rest.abs() < cent.abs() {
            break;
        }
        shares[*n] = shares[*n].checked_add(cent)?;
        rest = rest.checked_sub(cent)?;
    }
    let largest = (0..shares.len()).max_by_key(|&n| (shares[n].abs(), std::cmp::Reverse(n)))?;
    shares[largest] = shares[largest].checked_add(rest)?;
    let sum = shares.iter().try_fold(Decimal::ZERO, |sum, s| sum.checked_add(*s))?;
    (sum == total).then_some(shares)
}

/// The tax on a net amount, not rounded.
pub fn tax_of(net: Decimal, percent: Decimal) -> Option<Decimal> {
    net.checked_mul(percent)?.checked_div(Decimal::ONE_HUNDRED)
}

/// A gross amount without its tax, not rounded.
pub fn net_of(gross: Decimal, percent: Decimal) -> Option<Decimal> {
    gross.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(Decimal::ONE_HUNDRED.checked_add(percent)?)
}

/// A net amount with its tax, the tax rounded.
pub fn with_tax(net: Decimal, percent: Decimal, digits: u32) -> Option<Decimal> {
    net.checked_add(round(tax_of(net, percent)?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cents(n: i64) -> Decimal {
        Decimal::new(n, 2)
    }

    #[test]
    fn the_cent_goes_to_who_lost_most() {
        assert_eq!(split(cents(100), &[Decimal::ONE; 3], 2).unwrap(), [cents(34), cents(33), cents(33)]);
        assert_eq!(split(cents(-100), &[Decimal::ONE; 3], 2).unwrap(), [cents(-34), cents(-33), cents(-33)]);
        assert_eq!(split(cents(5), &[Decimal::ZERO; 2], 2).unwrap(), [cents(3), cents(2)]);
        assert_eq!(split(Decimal::new(10005, 4), &[Decimal::ONE; 2], 2).unwrap(), [Decimal::new(5005, 4), cents(50)]);
        assert_eq!(split(cents(5), &[], 2).unwrap(), []);
    }

    #[test]
    fn tax_both_ways() {
        assert_eq!(tax_of(cents(1000), Decimal::from(21)), Some(Decimal::new(21, 1)));
        assert_eq!(net_of(cents(1210), Decimal::from(21)), Some(cents(1000)));
    }

    #[test]
    fn what_is_too_much_is_none() {
        assert_eq!(split(cents(100), &[Decimal::ONE; 3], 29), None);
        assert_eq!(split(Decimal::MAX, &[Decimal::MAX, Decimal::ONE], 2), None);
    }

    proptest! {
        #[test]
        fn no_division_panics(total: i128, scale in 0_u32..29, weights in proptest::collection::vec((any::<i128>(), 0_u32..29), 0..6), digits in 0_u32..40) {
            let of = |n: i128, scale| Decimal::from_i128_with_scale(n >> 32, scale);
            let weights: Vec<Decimal> = weights.into_iter().map(|(n, scale)| of(n, scale)).collect();
            if let Some(shares) = split(of(total, scale), &weights, digits) && !shares.is_empty() {
                prop_assert_eq!(shares.iter().sum::<Decimal>(), of(total, scale));
            }
        }

        #[test]
        fn shares_add_up(total in -1_000_000_000_i64..1_000_000_000, scale in 0_u32..5,
            weights in proptest::collection::vec(0_i64..1_000_000, 1..40)) {
            let total = Decimal::new(total, scale);
            let weights: Vec<Decimal> = weights.into_iter().map(|w| Decimal::new(w, 2)).collect();
            let shares = split(total, &weights, 2).unwrap();
            prop_assert_eq!(shares.iter().sum::<Decimal>(), total);
        }
    }
}
