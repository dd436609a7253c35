//! A walk through a JSON text: blanks, words, numbers, texts with their escapes, and values that are only passed.

use super::error::{DecodeError, Decoded};
use super::text::{HIGH, LOW, special};
use crate::limits::JSON_DEPTH_MAX;
use bumpalo::Bump;

/// Where a walk through a JSON text stands. It borrows from the text what it reads; texts with escapes go to the arena.
pub(crate) struct Scanner<'r> {
    pub(crate) text: &'r str,
    pub(crate) bytes: &'r [u8],
    /// The byte that comes next.
    pub(crate) at: usize,
    /// Objects and lists that are open.
    pub(crate) depth: usize,
    pub(crate) arena: &'r Bump,
}

impl<'r> Scanner<'r> {
    /// At the beginning of a text.
    pub(crate) fn new(text: &'r str, arena: &'r Bump) -> Self {
        Self { text, bytes: text.as_bytes(), at: 0, depth: 0, arena }
    }

    /// Past white space. An API writes none, so one comparison settles it.
    #[inline]
    pub(crate) fn blank(&mut self) {
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

    /// The next byte; zero behind the end.
    #[inline]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "results of the hot path stay small")]
    pub(crate) fn broken(&self, what: &str) -> Box<DecodeError> {
        DecodeError::broken(format!("is not JSON: {what} at byte {}", self.at))
    }

    #[inline]
    pub(crate) fn eat(&mut self, byte: u8, what: &str) -> Decoded<()> {
        if self.peek() == byte {
            self.at += 1;
            Ok(())
        } else {
            Err(self.broken(what))
        }
    }

    pub(crate) fn deeper(&mut self) -> Decoded<()> {
        self.depth += 1;
        if self.depth > JSON_DEPTH_MAX {
            return Err(DecodeError::broken(format!("is nested deeper than {JSON_DEPTH_MAX} levels")));
        }
        Ok(())
    }

    pub(crate) fn word(&mut self, word: &str) -> Decoded<()> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(self.broken("a value is expected"))
        }
    }

    /// A number as JSON allows it.
    pub(crate) fn number_text(&mut self) -> Decoded<&'r str> {
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

    /// The text here, unescaped.
    #[inline]
    pub(crate) fn string(&mut self) -> Decoded<&'r str> {
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
                let half =
                    |this: &Self| DecodeError::value("holds {}, which is half a character", &this.text[start..this.at]);
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
    pub(crate) fn skip(&mut self) -> Decoded<()> {
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
    pub(crate) fn skip_string(&mut self) -> Decoded<()> {
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

    /// The name of the next member of an object, behind that byte (the object's first brace, or a comma): its value comes
    /// then. None when the object ends, whose end is passed.
    pub(crate) fn name_behind(&mut self, before: u8) -> Decoded<Option<&'r str>> {
        if self.next_behind(before, b'}', "an object is expected", "a comma or a closing brace is expected")? {
            if self.peek() != b'"' {
                return Err(self.broken("a member's name is expected"));
            }
            let name = self.name()?;
            self.blank();
            self.eat(b':', "a colon is expected")?;
            self.blank();
            return Ok(Some(name));
        }
        Ok(None)
    }

    /// Whether the object here is a list whose elements bear numbers: `{"0": …, "3": …}`, as PHP writes one with a gap. It is
    /// not read: what stands here stands here still.
    #[cold]
    pub(crate) fn is_numbered(&mut self) -> Decoded<bool> {
        let (at, depth) = (self.at, self.depth);
        let (mut before, mut numbered) = (b'{', false);
        self.deeper()?;
        while let Some(name) = self.name_behind(before)? {
            before = b',';
            numbered = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
            if !numbered {
                break;
            }
            self.skip()?;
        }
        (self.at, self.depth) = (at, depth);
        Ok(numbered)
    }

    /// Whether another element comes, behind that byte (the list's first bracket, or a comma); else the list's end is
    /// passed.
    pub(crate) fn element_behind(&mut self, before: u8) -> Decoded<bool> {
        self.next_behind(before, b']', "a list is expected", "a comma or a closing bracket is expected")
    }

    fn next_behind(&mut self, before: u8, end: u8, no_start: &str, no_comma: &str) -> Decoded<bool> {
        self.blank();
        let first = before != b',';
        if !first && self.peek() == end {
            self.at += 1;
            return Ok(false);
        }
        self.eat(before, if first { no_start } else { no_comma })?;
        self.blank();
        if first && self.peek() == end {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Nothing stands behind `what` but blanks.
    pub(crate) fn end(&mut self, what: &str) -> Decoded<()> {
        self.blank();
        if self.at < self.bytes.len() {
            return Err(self.broken(&format!("something stands behind {what}")));
        }
        Ok(())
    }

    /// The name of a member. One with half a character in it is no field's.
    pub(crate) fn name(&mut self) -> Decoded<&'r str> {
        let start = self.at;
        self.string().or_else(|bad| {
            if bad.broken {
                return Err(bad);
            }
            self.at = start;
            self.skip().map(|()| "")
        })
    }
}
