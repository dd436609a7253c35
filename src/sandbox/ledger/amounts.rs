//! Money: what a line is worth, its VAT, and the totals of a document.
//!
//! Every currency is kept with two decimals, the yen too: the reference says "the currency's decimals",
//! gives them for the euro only, and one rule for all is the one that can be checked.

use rust_decimal::{Decimal, RoundingStrategy};

/// In which order the VAT of a document is summed and rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// Once on the sum of each code's lines.
    #[default]
    PerCode,
    /// On each line, and the lines' taxes are added.
    PerLine,
}

/// Decimals of every amount.
const AMOUNT_DECIMALS: u32 = 2;

/// Half away from zero, as invoices are rounded.
pub(super) fn round(number: Decimal, decimals: u32) -> Decimal {
    number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// An amount of money at its two decimals.
pub(super) fn cents(number: Decimal) -> Decimal {
    round(number, AMOUNT_DECIMALS)
}

/// An amount in the company's currency.
pub(super) fn converted(amount: Decimal, rate: Decimal) -> Decimal {
    cents(amount.checked_mul(rate).unwrap_or(amount))
}

/// How a VAT code treats the price that is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Type `E`: the price is net.
    Net,
    /// Type `I`: the price is gross.
    Gross,
    /// Types `B` and `N`: there is no VAT to reckon.
    Untaxed,
}

/// A VAT code as amounts see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vat {
    pub(super) code: String,
    pub(super) basis: Basis,
    /// 0.21 is 21 %.
    pub(super) fraction: Decimal,
}

/// A line with its amounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Priced {
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
    pub(super) vat: Vat,
    /// The tax was given and not reckoned: it is not reckoned again for the total.
    pub(super) fixed: bool,
}

/// What a document comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
}

impl Totals {
    pub(super) fn gross(self) -> Decimal {
        self.net + self.tax
    }
}

/// A line of `quantity` at a unit price, which is net or gross as the code says.
pub(super) fn line(quantity: Decimal, price: Decimal, vat: &Vat, given: Option<Decimal>) -> Priced {
    let entered = cents(quantity.checked_mul(price).unwrap_or_default());
    priced(entered, vat, given)
}

/// A line whose amount is entered as the code's basis says.
pub(super) fn priced(entered: Decimal, vat: &Vat, given: Option<Decimal>) -> Priced {
    let tax = given.map_or_else(|| tax_on(entered, vat), cents);
    let net = if vat.basis == Basis::Gross { entered - tax } else { entered };
    Priced { net, tax, vat: vat.clone(), fixed: given.is_some() }
}

/// The tax on an amount, rounded: added to a net one, contained in a gross one.
fn tax_on(entered: Decimal, vat: &Vat) -> Decimal {
    cents(match vat.basis {
        Basis::Net => entered * vat.fraction,
        Basis::Gross => entered * vat.fraction / (Decimal::ONE + vat.fraction),
        Basis::Untaxed => Decimal::ZERO,
    })
}

/// The totals of a document.
///
/// By code, the amounts of a code are summed first and its tax is reckoned once on the sum, so that
/// the total may differ from the sum of the lines by cents; by line, the lines' own taxes are added.
pub(super) fn totals(lines: &[Priced], rounding: Rounding) -> Totals {
    let mut codes: Vec<(&Vat, Decimal)> = Vec::new();
    let mut total = Totals::default();
    for line in lines {
        if line.fixed || rounding == Rounding::PerLine {
            total.net += line.net;
            total.tax += line.tax;
            continue;
        }
        let entered = if line.vat.basis == Basis::Gross { line.net + line.tax } else { line.net };
        match codes.iter_mut().find(|code| code.0.code == line.vat.code && code.0.fraction == line.vat.fraction) {
            Some(code) => code.1 += entered,
            None => codes.push((&line.vat, entered)),
        }
    }
    for (vat, entered) in codes {
        let sum = priced(entered, vat, None);
        total.net += sum.net;
        total.tax += sum.tax;
    }
    total
}

/// A discount on a whole document, by the value that leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Discount {
    /// A fraction of both amounts: 0.1 is 10 %.
    Fraction(Decimal),
    /// An amount off the total with VAT.
    Gross(Decimal),
    /// An amount off the total without VAT.
    Net(Decimal),
}

/// What is left of the totals after a discount; the part that does not lead shrinks in proportion.
pub(super) fn discounted(before: Totals, discount: Discount) -> Totals {
    let share = |part: Decimal, whole: Decimal| part.checked_div(whole).unwrap_or_default();
    let kept = |amount: Decimal, off: Decimal| cents(amount - amount * off);
    match discount {
        Discount::Fraction(off) => Totals { net: kept(before.net, off), tax: kept(before.tax, off) },
        Discount::Net(off) => {
            let net = cents(before.net - off);
            Totals { net, tax: kept(before.tax, share(off, before.net)) }
        }
        Discount::Gross(off) => {
            let gross = cents(before.gross() - off);
            let net = kept(before.net, share(off, before.gross()));
            Totals { net, tax: gross - net }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn vat(code: &str, basis: Basis, fraction: &str) -> Vat {
        Vat { code: code.to_owned(), basis, fraction: d(fraction) }
    }

    #[test]
    fn a_net_price_gets_its_tax() {
        let line = line(d("2"), d("9"), &vat("4", Basis::Net, "0.21"), None);
        assert_eq!((line.net, line.tax), (d("18.00"), d("3.78")));
    }

    #[test]
    fn a_gross_price_holds_its_tax() {
        let line = line(d("2"), d("12.10"), &vat("5", Basis::Gross, "0.21"), None);
        assert_eq!((line.net, line.tax), (d("20.00"), d("4.20")));
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!(cents(d("1.005")), d("1.01"));
        assert_eq!(cents(d("-1.005")), d("-1.01"));
        let line = line(d("-1"), d("0.50"), &vat("2", Basis::Net, "0.09"), None);
        assert_eq!((line.net, line.tax), (d("-0.50"), d("-0.05")));
    }

    #[test]
    fn the_total_is_reckoned_by_code_or_by_line() {
        let code = vat("4", Basis::Net, "0.21");
        let lines: Vec<_> = (0..3).map(|_| line(d("1"), d("0.07"), &code, None)).collect();
        assert_eq!(totals(&lines, Rounding::PerCode), Totals { net: d("0.21"), tax: d("0.04") });
        assert_eq!(totals(&lines, Rounding::PerLine), Totals { net: d("0.21"), tax: d("0.03") });
    }

    #[test]
    fn gross_lines_keep_the_shoppers_cents() {
        let code = vat("5", Basis::Gross, "0.21");
        let lines: Vec<_> = (0..3).map(|_| line(d("1"), d("9.99"), &code, None)).collect();
        let total = totals(&lines, Rounding::PerCode);
        assert_eq!(total.gross(), d("29.97"));
        assert_eq!(total.tax, d("5.20"));
    }

    #[test]
    fn a_given_tax_stays() {
        let code = vat("4", Basis::Net, "0.21");
        let lines = [priced(d("100"), &code, Some(d("20.99"))), priced(d("10"), &code, None)];
        assert_eq!(totals(&lines, Rounding::PerCode), Totals { net: d("110"), tax: d("23.09") });
    }

    #[test]
    fn a_discount_leads_by_one_amount() {
        let before = Totals { net: d("100.00"), tax: d("21.00") };
        let tenth = Totals { net: d("90.00"), tax: d("18.90") };
        assert_eq!(discounted(before, Discount::Fraction(d("0.1"))), tenth);
        assert_eq!(discounted(before, Discount::Net(d("10"))), tenth);
        assert_eq!(discounted(before, Discount::Gross(d("12.10"))), tenth);
        let odd = discounted(before, Discount::Gross(d("1")));
        assert_eq!(odd.gross(), d("120.00"));
        assert_eq!(discounted(Totals::default(), Discount::Gross(d("1"))).gross(), d("-1.00"));
    }
}
