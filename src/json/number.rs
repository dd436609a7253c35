//! Numbers as most records have them, short and without exponent: read a word at a time.

use super::scan::Scanner;
use crate::value::decimal;
use rust_decimal::Decimal;

/// A short number, or none: small enough to be handed over in registers.
#[derive(Clone, Copy)]
pub(crate) struct Short {
    mantissa: i64,
    scale: u32,
}

impl Short {
    const NONE: Self = Self { mantissa: 0, scale: u32::MAX };

    #[inline]
    pub(crate) fn number(self) -> Option<Decimal> {
        (self.scale != u32::MAX).then(|| decimal::small(self.mantissa, self.scale))
    }
}

impl Scanner<'_> {
    /// A number of at most 18 digits without exponent, in quotes or bare; anything else is left to the longer way.
    #[inline]
    pub(crate) fn short_number(&mut self) -> Short {
        let quoted = self.peek() == b'"';
        let start = self.at + usize::from(quoted);
        // Most are shorter still.
        if let Some(few) = self.bytes.get(start..).and_then(few_digits)
            && few.ends(quoted)
        {
            self.at = start + few.length + usize::from(quoted);
            return Short { mantissa: i64::from(few.mantissa), scale: few.scale };
        }
        self.longer_number()
    }

    #[inline(never)]
    fn longer_number(&mut self) -> Short {
        let all = self.bytes.get(self.at..).unwrap_or_default();
        let (quoted, rest) = if let [b'"', rest @ ..] = all { (true, rest) } else { (false, all) };
        let (negative, rest) = if let [b'-', rest @ ..] = rest { (true, rest) } else { (false, rest) };
        let (mut mantissa, whole, mut behind) = digits(0, rest);
        let mut decimals = 0;
        if let [b'.', fraction @ ..] = behind {
            (mantissa, decimals, behind) = digits(mantissa, fraction);
            // A point stands between digits.
            if decimals == 0 {
                return Short::NONE;
            }
        }
        let ends = match behind {
            [b'"', ..] => quoted,
            // JSON wants no zero before other digits.
            [b',' | b'}' | b']', ..] => !quoted && (whole == 1 || rest.first() != Some(&b'0')),
            _ => false,
        };
        if !ends || whole == 0 || whole + decimals > 18 {
            return Short::NONE;
        }
        self.at += all.len() - behind.len() + usize::from(quoted);
        // Eighteen digits fit.
        let (Ok(mantissa), Ok(scale)) = (i64::try_from(mantissa), u32::try_from(decimals)) else { return Short::NONE };
        Short { mantissa: if negative { -mantissa } else { mantissa }, scale }
    }
}

/// A number of at most seven characters.
struct Few {
    mantissa: u32,
    /// Digits behind the point.
    scale: u32,
    /// Its characters, and the one behind them.
    length: usize,
    behind: u8,
    /// A zero stands before other digits of the whole part.
    padded: bool,
}

impl Few {
    /// Whether nothing else of it stands behind what was read.
    #[inline]
    fn ends(&self, quoted: bool) -> bool {
        if quoted {
            return self.behind == b'"';
        }
        // JSON wants no zero before other digits.
        matches!(self.behind, b',' | b'}' | b']') && !self.padded
    }
}

/// The number at the start, if it is one of at most seven characters: all of them are looked at together, as bytes of one
/// word.
#[inline]
fn few_digits(bytes: &[u8]) -> Option<Few> {
    let text = u64::from_le_bytes(*bytes.first_chunk()?);
    let values = text ^ 0x3030_3030_3030_3030;
    // The highest bit of each byte that is no digit; above the first that is no ASCII they mean nothing.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    // Positions are counted in bits.
    let first = others.trailing_zeros() & !7;
    let byte_at = |at: u32| u8::try_from((text >> at) & 0xff).unwrap_or(0);
    if first == 0 || first == 64 {
        return None;
    }
    let (digits, count, end) = if byte_at(first) == b'.' {
        let end = (others & (others - 1)).trailing_zeros() & !7;
        // A point stands between digits.
        if end == 64 || end == first + 8 {
            return None;
        }
        let (before, behind) = (values & ((1 << first) - 1), (values >> (first + 8)) << first);
        (before | behind, end - 8, end)
    } else {
        (values, first, first)
    };
    // The last digit goes to the highest byte, and what is not ours falls out; then digits become pairs, pairs fours,
    // and fours the number.
    let digits = digits << (64 - count);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let number = fours.wrapping_mul(10_000).wrapping_add(fours >> 32);
    Some(Few {
        mantissa: u32::try_from(number & u64::from(u32::MAX)).unwrap_or(0),
        scale: (count - first) / 8,
        length: (end / 8) as usize,
        behind: byte_at(end),
        padded: first > 8 && byte_at(0) == b'0',
    })
}

/// The digits at the start behind those read so far: the number with them, how many they are, and what follows. Of more
/// than nineteen the number means nothing.
#[inline]
fn digits(before: u64, bytes: &[u8]) -> (u64, usize, &[u8]) {
    let (mut number, mut rest) = (before, bytes);
    while let [b, behind @ ..] = rest
        && b.is_ascii_digit()
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
        rest = behind;
    }
    (number, bytes.len() - rest.len(), rest)
}
