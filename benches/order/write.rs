//! JSON straight into a buffer.

use super::amount::Amount;

/// An object in the making; members that are empty are left out.
pub struct Fields<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Fields<'o> {
    /// An object begins.
    pub fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// A text.
    pub fn text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.name(name);
            text(value, self.out);
        }
    }

    /// An amount.
    pub fn amount(&mut self, name: &str, value: Amount) {
        self.name(name);
        amount(value, self.out);
    }

    /// Anything else.
    pub fn member(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.name(name);
        write(self.out);
    }

    /// Anything that may fail.
    pub fn try_member<E>(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        self.name(name);
        write(self.out)
    }

    /// The object ends.
    pub fn close(self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// A text with what JSON wants escaped.
pub fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &b) in bytes.iter().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let digit = |n: u8| HEX[usize::from(n & 15)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(b >> 4), digit(b)]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// A number without zeros at its end.
pub fn amount(value: Amount, out: &mut Vec<u8>) {
    let millionths = value.millionths();
    if millionths < 0 {
        out.push(b'-');
    }
    let (whole, rest) = (millionths.unsigned_abs() / 1_000_000, millionths.unsigned_abs() % 1_000_000);
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut left = whole;
    while left > 0 || at == digits.len() {
        at -= 1;
        digits[at] = digit(left);
        left /= 10;
    }
    out.extend_from_slice(&digits[at..]);
    if rest > 0 {
        let mut decimals = [b'.', 0, 0, 0, 0, 0, 0];
        let (mut left, mut end) = (rest, 1);
        for n in (1..7).rev() {
            decimals[n] = digit(left);
            if decimals[n] != b'0' {
                end = end.max(n + 1);
            }
            left /= 10;
        }
        out.extend_from_slice(&decimals[..end]);
    }
}

/// `"2026-03-01"`
pub fn date(date: jiff::civil::Date, out: &mut Vec<u8>) {
    let year = u64::from(date.year().unsigned_abs());
    let (month, day) = (u64::from(date.month().unsigned_abs()), u64::from(date.day().unsigned_abs()));
    let mut text = *b"\"0000-00-00\"";
    for (at, n) in [(1, year / 1000), (2, year / 100), (3, year / 10), (4, year)] {
        text[at] = digit(n);
    }
    for (at, n) in [(6, month / 10), (7, month), (9, day / 10), (10, day)] {
        text[at] = digit(n);
    }
    out.extend_from_slice(&text);
}

fn digit(n: u64) -> u8 {
    b"0123456789"[usize::try_from(n % 10).unwrap_or(0)]
}
