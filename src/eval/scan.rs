//! JSON as it is written: blanks, words, numbers, texts with their escapes, and values that are only passed.

use super::decode::{Bad, Decoded, Decoder};
use super::unreadable::{HIGH, LOW};
use crate::limits::JSON_DEPTH_MAX;
use crate::value::decimal;
use rust_decimal::Decimal;

/// A short number, or none: small enough to be handed over in registers.
#[derive(Clone, Copy)]
pub(super) struct Short {
    mantissa: i64,
    scale: u32,
}

impl Short {
    const NONE: Self = Self { mantissa: 0, scale: u32::MAX };

    #[inline]
    pub(super) fn number(self) -> Option<Decimal> {
        (self.scale != u32::MAX).then(|| decimal::small(self.mantissa, self.scale))
    }
}

impl<'r> Decoder<'r, '_> {
    /// Past white space. An API writes none, so one comparison settles it.
    #[inline]
    pub(super) fn blank(&mut self) {
        if self.peek() <= b' ' {
            self.blanks();
        }
    }

    #[cold]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "results of the hot path stay small")]
    pub(super) fn broken(&self, what: &str) -> Box<Bad> {
        Bad::broken(format!("is not JSON: {what} at byte {}", self.at))
    }

    #[inline]
    pub(super) fn eat(&mut self, byte: u8, what: &str) -> Decoded<()> {
        if self.peek() == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken(what))
        }
    }

    pub(super) fn deeper(&mut self) -> Decoded<()> {
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            return Err(Bad::broken(format!("is nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        Ok(())
    }

    pub(super) fn word(&mut self, word: &str) -> Decoded<()> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken("a value is expected"))
        }
    }

    /// A number as JSON allows it.
    pub(super) fn number_text(&mut self) -> Decoded<&'r str> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let digits = |this: &mut Self| {
            let start = this.at;
            while this.peek().is_ascii_digit() {
                this.at += 1;
            }
            this.at - start
        };
        let first = self.peek();
        let count = digits(self);
        if count == 0 || count > 1 && first == b'0' {
            return Err(self.broken("a number is expected"));
        }
        if self.peek() == b'.' {
            self.at += 1;
            if digits(self) == 0 {
                return Err(self.broken("a digit is expected"));
            }
        }
        if let b'e' | b'E' = self.peek() {
            self.at += 1;
            if let b'+' | b'-' = self.peek() {
                self.at += 1;
            }
            if digits(self) == 0 {
                return Err(self.broken("a digit is expected"));
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// A number of at most 18 digits without exponent, in quotes or bare; anything else is left to the longer way.
    #[inline]
    pub(super) fn short_number(&mut self) -> Short {
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

    /// The text here, unescaped.
    #[inline]
    pub(super) fn string(&mut self) -> Decoded<&'r str> {
        self.eat(b'"', "a text is expected")?;
        let start = self.at;
        let end = special(self.bytes, start);
        match self.bytes.get(end) {
            Some(b'"') => {
                self.at = end + 1;
                Ok(&self.text[start..end])
            }
            Some(b'\\') => self.escaped(start, end),
            _ => {
                self.at = end;
                Err(self.broken("a text is not closed"))
            }
        }
    }

    /// A text with escapes, of which the first stands at `at`.
    #[inline(never)]
    fn escaped(&mut self, start: usize, at: usize) -> Decoded<&'r str> {
        let mut out = bumpalo::collections::String::with_capacity_in(at - start + 32, self.arena);
        let mut from = start;
        let mut at = at;
        loop {
            out.push_str(&self.text[from..at]);
            self.at = at;
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(out.into_bump_str());
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    // See `without_nul`.
                    if c != '\0' {
                        out.push(c);
                    }
                    from = self.at;
                    at = special(self.bytes, from);
                }
                _ => return Err(self.broken("a text is not closed")),
            }
        }
    }

    fn escape(&mut self) -> Decoded<char> {
        let kind = self.bytes.get(self.at + 1).copied().unwrap_or(0);
        self.at += 2;
        Ok(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let start = self.at - 2;
                let unit = self.hex()?;
                let whole = if HIGH.contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
                    self.at += 2;
                    let low = self.hex()?;
                    LOW.contains(&low).then(|| 0x1_0000 + ((unit - HIGH.start) << 10) + (low - LOW.start))
                } else {
                    Some(unit)
                };
                // It is JSON, and no text: nobody knows which character was cut in two.
                let half = |this: &Self| Bad::value("holds {}, which is half a character", &this.text[start..this.at]);
                whole.and_then(char::from_u32).ok_or_else(|| half(self))?
            }
            _ => return Err(self.broken("an unknown escape stands")),
        })
    }

    fn hex(&mut self) -> Decoded<u32> {
        let digits = self.bytes.get(self.at..self.at + 4).ok_or_else(|| self.broken("a text is not closed"))?;
        let mut unit = 0;
        for &b in digits {
            let digit = char::from(b).to_digit(16).ok_or_else(|| self.broken("an unknown escape stands"))?;
            unit = unit * 16 + digit;
        }
        self.at += 4;
        Ok(unit)
    }

    /// Past the value here, whose shape is checked.
    pub(super) fn skip(&mut self) -> Decoded<()> {
        match self.peek() {
            b'"' => self.skip_string(),
            b'{' => self.members_skipped(),
            b'[' => self.elements_skipped(),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number_text().map(|_| ()),
        }
    }

    #[inline]
    pub(super) fn skip_string(&mut self) -> Decoded<()> {
        let mut at = special(self.bytes, self.at + 1);
        loop {
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(());
                }
                // A plain escape is two bytes; of what is spelt in digits only these are looked at, since whoever does not
                // read a text need not know that it is none.
                Some(b'\\') if self.bytes.get(at + 1).is_some_and(|b| br#""\/bfnrt"#.contains(b)) => {
                    at = special(self.bytes, at + 2);
                }
                Some(b'\\') if self.bytes.get(at + 1) == Some(&b'u') => {
                    self.at = at + 2;
                    self.hex()?;
                    at = special(self.bytes, self.at);
                }
                Some(b'\\') => {
                    self.at = at;
                    return Err(self.broken("an unknown escape stands"));
                }
                _ => {
                    self.at = at;
                    return Err(self.broken("a text is not closed"));
                }
            }
        }
    }

    fn members_skipped(&mut self) -> Decoded<()> {
        self.at += 1;
        self.deeper()?;
        self.blank();
        if self.peek() == b'}' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            if self.peek() != b'"' {
                return Err(self.broken("a member's name is expected"));
            }
            self.skip_string()?;
            self.blank();
            self.eat(b':', "a colon is expected")?;
            self.blank();
            self.skip()?;
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("a comma or a closing brace is expected")),
            }
        }
    }

    fn elements_skipped(&mut self) -> Decoded<()> {
        self.at += 1;
        self.deeper()?;
        self.blank();
        if self.peek() == b']' {
            self.at += 1;
            self.depth -= 1;
            return Ok(());
        }
        loop {
            self.blank();
            self.skip()?;
            self.blank();
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                _ => return Err(self.broken("a comma or a closing bracket is expected")),
            }
        }
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

/// Marks the quotes, backslashes and control characters among eight bytes in their highest bits: the lowest mark is exact,
/// those above it may be carries.
#[inline]
fn marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * 0x22);
    let slash = word ^ (ONES * 0x5c);
    ((quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(ONES * 0x20) & !word))
        & HIGH
}

/// Where the next quote, backslash or control character stands, or the end. Eight bytes at a time: most texts are short,
/// and a call into a longer search costs more than it saves.
#[inline]
pub(crate) fn special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let (chunks, _) = bytes.get(from..).unwrap_or_default().as_chunks::<8>();
    for chunk in chunks {
        let hit = marks(u64::from_le_bytes(*chunk));
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(b) = bytes.get(at) {
        if matches!(b, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

/// Whether [`special`] finds nothing in a text. Its last eight bytes are looked at together, some of them again.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (chunks, _) = bytes.as_chunks::<8>();
        let all = chunks.iter().fold(marks(u64::from_le_bytes(*last)), |all, c| all | marks(u64::from_le_bytes(*c)));
        return all == 0;
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            marks(u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)) << 32)) == 0
        }
        _ => special(bytes, 0) == bytes.len(),
    }
}
