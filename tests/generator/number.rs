//! Exact decimals for the oracle: a whole number and how many of its digits stand behind the point.

use std::cmp::Ordering;

/// An exact decimal, without zeros at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    digits: i128,
    behind: u32,
}

/// What no program here should come to: beyond it the product under test may give up.
const MOST: i128 = 10_i128.pow(26);

impl Number {
    pub(crate) const ZERO: Self = Self { digits: 0, behind: 0 };

    /// So many hundredths, thousandths, …; none where it has more digits than we look at.
    pub(crate) fn new(digits: i128, behind: u32) -> Option<Self> {
        let (mut digits, mut behind) = (digits, behind);
        while behind > 0 && digits % 10 == 0 {
            digits /= 10;
            behind -= 1;
        }
        (digits.abs() < MOST && behind < 26).then_some(Self { digits, behind })
    }

    pub(crate) fn whole(n: i64) -> Self {
        Self { digits: n.into(), behind: 0 }
    }

    /// The number that a text spells.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        Self::new(digits, u32::try_from(fraction.len()).ok()?)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.digits == 0
    }

    pub(crate) fn is_whole(self) -> bool {
        self.behind == 0
    }

    pub(crate) fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Both in the smaller of their units.
    fn aligned(self, other: Self) -> Option<(i128, i128, u32)> {
        let behind = self.behind.max(other.behind);
        let scale = |n: Self| n.digits.checked_mul(10_i128.checked_pow(behind - n.behind)?);
        Some((scale(self)?, scale(other)?, behind))
    }

    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        let (a, b, behind) = self.aligned(other)?;
        Self::new(a.checked_add(b)?, behind)
    }

    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negative())
    }

    pub(crate) fn times(self, other: Self) -> Option<Self> {
        Self::new(self.digits.checked_mul(other.digits)?, self.behind + other.behind)
    }

    pub(crate) fn negative(self) -> Self {
        Self { digits: -self.digits, ..self }
    }

    pub(crate) fn absolute(self) -> Self {
        Self { digits: self.digits.abs(), ..self }
    }

    pub(crate) fn order(self, other: Self) -> Option<Ordering> {
        let (a, b, _) = self.aligned(other)?;
        Some(a.cmp(&b))
    }

    /// A quotient, rounded once to so many decimals, half away from zero; `by` is not 0.
    pub(crate) fn divided(self, by: Self, decimals: u32) -> Option<Self> {
        let above = self.digits.checked_mul(10_i128.checked_pow(by.behind + decimals)?)?;
        let below = by.digits.checked_mul(10_i128.checked_pow(self.behind)?)?;
        let (whole, rest) = (above / below, above % below);
        let away = rest.abs().checked_mul(2)? >= below.abs();
        let sign = if (above < 0) == (below < 0) { 1 } else { -1 };
        Self::new(if away { whole + sign } else { whole }, decimals)
    }

    pub(crate) fn rounded(self, decimals: u32) -> Option<Self> {
        if self.behind <= decimals { Some(self) } else { self.divided(Self::whole(1), decimals) }
    }

    /// Down to a whole number.
    pub(crate) fn floor(self) -> Self {
        let unit = 10_i128.pow(self.behind);
        Self { digits: self.digits.div_euclid(unit), behind: 0 }
    }

    /// As a count, where it is one.
    pub(crate) fn count(self) -> Option<usize> {
        self.is_whole().then(|| usize::try_from(self.digits).ok()).flatten()
    }

    /// With at least so many decimals.
    pub(crate) fn shown(self, decimals: u32) -> String {
        let behind = self.behind.max(decimals);
        let digits = self.digits.abs() * 10_i128.pow(behind - self.behind);
        let sign = if self.digits < 0 { "-" } else { "" };
        let unit = 10_i128.pow(behind);
        if behind == 0 {
            return format!("{sign}{digits}");
        }
        format!("{sign}{}.{:0width$}", digits / unit, digits % unit, width = behind as usize)
    }
}
