//! Amounts as whole millionths, which hold what a shop writes exactly.

use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::fmt;

const ONE: i64 = 1_000_000;

/// An amount that the shop writes as a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Amount(i64);

/// A number that the shop writes as a number.
#[derive(Clone, Copy)]
pub struct Number(pub Amount);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(ONE);
    /// A hundredth.
    pub const CENT: Self = Self(ONE / 100);

    /// How many millionths it is.
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// The sum; beyond nine billions it stays there.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether it is further from zero than `limit`.
    pub fn beyond(self, limit: Self) -> bool {
        self.0.unsigned_abs() > limit.0.unsigned_abs()
    }

    /// The quotient with four decimals, half away from zero; nothing when it is divided by nothing.
    pub fn per(self, divisor: Self) -> Self {
        if divisor.0 == 0 {
            return Self::ZERO;
        }
        if let Some(n) = self.0.checked_mul(20_000) {
            // Twice the quotient, moved by one away from zero, halves to the rounded one.
            let (n, d) = (n.unsigned_abs(), divisor.0.unsigned_abs());
            let rounded = i64::try_from((n / d).midpoint(1)).unwrap_or(i64::MAX);
            let rounded = rounded.saturating_mul(100);
            return Self(if (self.0 < 0) == (divisor.0 < 0) { rounded } else { -rounded });
        }
        let (n, d) = (i128::from(self.0) * 20_000, i128::from(divisor.0));
        let half = if (n < 0) == (d < 0) { 1 } else { -1 };
        Self(i64::try_from((n / d + half) / 2 * 100).unwrap_or(i64::MAX))
    }

    /// With two decimals, as text.
    pub fn cents(self) -> String {
        let cents = (self.0.unsigned_abs() + 5_000) / 10_000;
        format!("{}{}.{:02}", if self.0 < 0 { "-" } else { "" }, cents / 100, cents % 100)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        // Twelve digits before the point and six behind it fit.
        if digits.is_empty() || digits.len() > 18 {
            return None;
        }
        let (mut value, mut decimals, mut point) = (0_i64, 0_usize, false);
        for &b in digits {
            match b {
                b'0'..=b'9' => {
                    value = value * 10 + i64::from(b - b'0');
                    decimals += usize::from(point);
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        const TENS: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
        let value = value.checked_mul(*TENS.get(decimals)?)?;
        Some(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        super::write::amount(*self, &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount in a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        Amount::parse(text.as_bytes()).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format_args!("{} is no number with at most six decimals", raw.get()));
        Amount::parse(raw.get().as_bytes()).map(Self).ok_or_else(wrong)
    }
}
