//! Text to tokens: a small scanner that knows blanks, comments, words and texts, and puts every byte into one token.
//!
//! A text ends with its line, so whatever is wrong inside one is over at the next line.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Token {
    /// Blanks and tabs.
    Blank,
    /// One line end.
    LineEnd,
    /// `# …`
    Comment,
    /// `## …`
    Doc,
    /// Letters, digits and `_`, a letter first.
    Word,
    /// Digits and what follows them: `12`, `2026`, `12abc`.
    Number,
    /// `"` or `"""` that opens a text.
    TextOpen,
    /// Characters of a text.
    Piece,
    /// `\n`, `\{` in a text.
    Escape,
    /// `{` in a text.
    HoleOpen,
    /// `}` of a text's `{`.
    HoleClose,
    /// `"` or `"""` that closes a text.
    TextClose,
    /// `(`, `[`, `{`
    Open,
    /// `)`, `]`, `}`
    Close,
    /// Everything else: one or two characters.
    Sign,
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub kind: Token,
    /// First byte.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
}

impl Lexeme {
    /// A whole text that is not looked into.
    pub(crate) fn all(text: &str) -> Self {
        Self { kind: Token::Comment, start: 0, end: u32::try_from(text.len()).unwrap_or(u32::MAX) }
    }

    /// First byte.
    pub(crate) fn from(self) -> usize {
        self.start as usize
    }

    /// Behind its last byte.
    pub(crate) fn to(self) -> usize {
        self.end as usize
    }

    /// Whether it counts for nothing but layout.
    pub(crate) fn is_trivia(self) -> bool {
        matches!(self.kind, Token::Blank | Token::LineEnd | Token::Comment | Token::Doc)
    }
}

/// What the scanner itself sees to be wrong. Positions are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slip {
    /// A text without its closing quote: the opening one, and where the closing one is missed.
    UnclosedText { quote: usize, end: usize, triple: bool },
    /// A `{` in a text that nothing closes.
    LoneOpen(usize),
    /// A `}` in a text that nothing opened.
    LoneClose(usize),
    /// `\x` for an unknown x: the backslash.
    Escape(usize),
    /// `'…'` or `“…”`: the quotes, and where what is between them begins.
    ForeignQuotes { open: usize, inside: usize, close: usize },
    /// `;`
    Semicolon(usize),
    /// `&&`, `||`, `!` and their bytes.
    Operator(usize, usize),
    /// A character that the language does not use.
    Odd(usize),
}

/// The tokens of a text and what is wrong with them.
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Lexeme>,
    pub(crate) slips: Vec<Slip>,
}

/// Where the scanner is: in a text, or in a hole of one.
enum Mode {
    Text {
        quote: usize,
        triple: bool,
    },
    /// How many `{` are open in it besides its own.
    Hole {
        open: usize,
        braces: usize,
    },
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    end: usize,
    modes: Vec<Mode>,
    /// Texts of this line have no holes: one of them was found to be broken.
    plain_until: usize,
    /// No `"""` stands behind this place.
    no_triple_after: usize,
    out: Lexed,
}

/// Tokens of `text[start..end]`; their positions are those of `text`.
pub(crate) fn lex(text: &str, start: usize, end: usize) -> Lexed {
    let mut lexer = Lexer {
        text,
        bytes: text.as_bytes(),
        at: start,
        end,
        modes: Vec::new(),
        plain_until: 0,
        no_triple_after: usize::MAX,
        out: Lexed { tokens: Vec::with_capacity((end - start) / 4), slips: Vec::new() },
    };
    while lexer.at < lexer.end {
        match lexer.modes.last() {
            Some(Mode::Text { triple, .. }) => lexer.in_text(*triple),
            Some(Mode::Hole { .. }) | None => lexer.in_code(),
        }
    }
    lexer.finish();
    lexer.out
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.bytes[at] } else { 0 }
    }

    fn push(&mut self, kind: Token, to: usize) {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.out.tokens.push(Lexeme { kind, start: clip(self.at), end: clip(to) });
        self.at = to;
    }

    /// The end of the run of bytes that `keep` accepts.
    fn run(&self, keep: impl Fn(u8) -> bool) -> usize {
        let rest = &self.bytes[self.at..self.end];
        self.at + rest.iter().position(|b| !keep(*b)).unwrap_or(rest.len())
    }

    fn line_end(&self, from: usize) -> usize {
        memchr::memchr(b'\n', &self.bytes[from..self.end]).map_or(self.end, |n| from + n)
    }

    fn in_code(&mut self) {
        let first = self.bytes[self.at];
        let in_hole = !self.modes.is_empty();
        match first {
            b'\n' => {
                if self.breaks_text() {
                    self.mend_text();
                } else {
                    self.push(Token::LineEnd, self.at + 1);
                }
            }
            b' ' | b'\t' | b'\r' => self.push(Token::Blank, self.run(|b| matches!(b, b' ' | b'\t' | b'\r'))),
            b'#' if !in_hole => {
                let doc = self.peek(1) == b'#' && self.peek(2) != b'#';
                self.push(if doc { Token::Doc } else { Token::Comment }, self.line_end(self.at));
            }
            b'"' => self.open_text(),
            b'(' | b'[' => self.push(Token::Open, self.at + 1),
            b')' | b']' => self.push(Token::Close, self.at + 1),
            b'{' => {
                if let Some(Mode::Hole { braces, .. }) = self.modes.last_mut() {
                    *braces += 1;
                }
                self.push(Token::Open, self.at + 1);
            }
            b'}' => self.close_brace(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.push(Token::Word, self.run(is_word)),
            b'0'..=b'9' => self.push(Token::Number, self.run(is_word)),
            b'\'' => self.foreign_quotes('\''),
            _ if self.text[self.at..].starts_with('“') => self.foreign_quotes('“'),
            _ => self.sign(first),
        }
    }

    fn close_brace(&mut self) {
        match self.modes.last_mut() {
            Some(Mode::Hole { braces: 0, .. }) => {
                self.modes.pop();
                self.push(Token::HoleClose, self.at + 1);
            }
            Some(Mode::Hole { braces, .. }) => {
                *braces -= 1;
                self.push(Token::Close, self.at + 1);
            }
            Some(Mode::Text { .. }) | None => self.push(Token::Close, self.at + 1),
        }
    }

    fn sign(&mut self, first: u8) {
        let two = [first, self.peek(1)];
        match &two {
            b"==" | b"!=" | b"<=" | b">=" | b"=>" | b"->" | b"??" | b"?." | b":=" => {
                self.push(Token::Sign, self.at + 2);
            }
            b"&&" | b"||" => {
                self.out.slips.push(Slip::Operator(self.at, self.at + 2));
                self.push(Token::Sign, self.at + 2);
            }
            _ => {
                match first {
                    b'!' => self.out.slips.push(Slip::Operator(self.at, self.at + 1)),
                    b';' => self.out.slips.push(Slip::Semicolon(self.at)),
                    b'.' | b',' | b':' | b'=' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'|' | b'?' | b'%' => {}
                    _ => self.out.slips.push(Slip::Odd(self.at)),
                }
                let size = self.text[self.at..].chars().next().map_or(1, char::len_utf8);
                self.push(Token::Sign, self.at + size);
            }
        }
    }

    /// `'word'` and `“word”` in code are meant as texts; a single one of these is just odd.
    fn foreign_quotes(&mut self, odd: char) {
        let end = self.line_end(self.at);
        let close = if odd == '“' { '”' } else { odd };
        let rest = &self.text[self.at + odd.len_utf8()..end];
        let found = rest.find([close, '"']).filter(|n| rest[*n..].starts_with(close) && self.modes.is_empty());
        let Some(inner) = found else {
            self.out.slips.push(Slip::Odd(self.at));
            self.push(Token::Sign, self.at + odd.len_utf8());
            return;
        };
        let inside = self.at + odd.len_utf8();
        self.out.slips.push(Slip::ForeignQuotes { open: self.at, inside, close: inside + inner });
        self.push(Token::TextOpen, inside);
        if inner > 0 {
            self.push(Token::Piece, inside + inner);
        }
        self.push(Token::TextClose, self.at + close.len_utf8());
    }

    fn open_text(&mut self) {
        let quote = self.at;
        if self.peek(1) == b'"' && self.peek(2) == b'"' && !self.breaks_text() && self.has_triple_close(quote + 3) {
            self.modes.push(Mode::Text { quote, triple: true });
            self.push(Token::TextOpen, quote + 3);
        } else {
            self.modes.push(Mode::Text { quote, triple: false });
            self.push(Token::TextOpen, quote + 1);
        }
    }

    /// Without its end a `"""` would take the rest of the file; it is then read as if it were short.
    fn has_triple_close(&mut self, from: usize) -> bool {
        if from >= self.no_triple_after {
            return false;
        }
        let found = memchr::memmem::find(&self.bytes[from..self.end], b"\"\"\"").is_some();
        if !found {
            self.no_triple_after = self.no_triple_after.min(from);
        }
        found
    }

    fn in_text(&mut self, triple: bool) {
        let holes = triple || self.at >= self.plain_until;
        match self.bytes[self.at] {
            b'"' if !triple => self.close_text(1),
            b'"' if self.peek(1) == b'"' && self.peek(2) == b'"' => self.close_text(3),
            b'\n' if !triple => self.mend_text(),
            b'\\' => self.escape(),
            b'{' if holes => {
                self.modes.push(Mode::Hole { open: self.at, braces: 0 });
                self.push(Token::HoleOpen, self.at + 1);
            }
            b'{' => {
                self.out.slips.push(Slip::LoneOpen(self.at));
                self.push(Token::Piece, self.at + 1);
            }
            b'}' => {
                self.out.slips.push(Slip::LoneClose(self.at));
                self.push(Token::Piece, self.at + 1);
            }
            _ => {
                let rest = self.run(|b| !matches!(b, b'"' | b'\\' | b'{' | b'}') && (triple || b != b'\n'));
                // A quote alone in a `"""` is a character like others.
                self.push(Token::Piece, rest.max(self.at + 1));
            }
        }
    }

    fn close_text(&mut self, quotes: usize) {
        self.modes.pop();
        self.push(Token::TextClose, self.at + quotes);
    }

    fn escape(&mut self) {
        let size = self.text[self.at + 1..self.end].chars().next().map_or(0, char::len_utf8);
        if !matches!(self.peek(1), b'{' | b'}' | b'"' | b'\\' | b'n' | b't') {
            self.out.slips.push(Slip::Escape(self.at));
        }
        let size = if self.peek(1) == b'\n' { 0 } else { size };
        self.push(Token::Escape, self.at + 1 + size);
    }

    /// Whether a line end here falls into a text of one line.
    fn breaks_text(&self) -> bool {
        self.modes.iter().any(|mode| matches!(mode, Mode::Text { triple: false, .. }))
    }

    /// The line or the file is over and a text of one line is not: back to its quote, and a second, simpler look.
    fn mend_text(&mut self) {
        let Some(depth) = self.modes.iter().position(|mode| matches!(mode, Mode::Text { triple: false, .. })) else {
            return;
        };
        let Mode::Text { quote, .. } = self.modes[depth] else {
            return;
        };
        let hole = self.modes.get(depth + 1).map(|mode| match mode {
            Mode::Hole { open, .. } => *open,
            Mode::Text { quote, .. } => *quote,
        });
        let line_end = self.at;
        self.modes.truncate(depth);
        self.rewind(quote);
        let rest = &self.text[quote + 1..line_end];
        let closed = hole.filter(|_| self.at >= self.plain_until).and_then(|_| rest.find('"')).is_some();
        self.plain_until = line_end;
        self.modes.push(Mode::Text { quote, triple: false });
        self.push(Token::TextOpen, quote + 1);
        if closed {
            return;
        }
        // The quote is what is missing: it is put where the code seems to go on.
        let end = quote + 1 + text_guess(rest);
        self.out.slips.push(Slip::UnclosedText { quote, end, triple: false });
        if end > self.at {
            self.push(Token::Piece, end);
        }
        // Empty, so that every text has both its tokens.
        self.push(Token::TextClose, end);
        self.modes.pop();
    }

    fn rewind(&mut self, to: usize) {
        while self.out.tokens.last().is_some_and(|token| token.from() >= to) {
            self.out.tokens.pop();
        }
        self.out.slips.retain(|slip| slip.at() < to);
        self.at = to;
    }

    fn finish(&mut self) {
        while self.breaks_text() {
            self.mend_text();
            while self.at < self.end {
                match self.modes.last() {
                    Some(Mode::Text { triple, .. }) => self.in_text(*triple),
                    Some(Mode::Hole { .. }) | None => self.in_code(),
                }
            }
        }
        // Only a `"""` whose end stands in one of its own holes is left open here.
        if let Some(Mode::Text { quote, .. }) = self.modes.first() {
            self.out.slips.push(Slip::UnclosedText { quote: *quote, end: self.end, triple: true });
        }
    }
}

impl Slip {
    /// Where it begins.
    pub(crate) fn at(self) -> usize {
        match self {
            Self::UnclosedText { quote: at, .. }
            | Self::LoneOpen(at)
            | Self::LoneClose(at)
            | Self::Escape(at)
            | Self::ForeignQuotes { open: at, .. }
            | Self::Semicolon(at)
            | Self::Operator(at, _)
            | Self::Odd(at) => at,
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How much of the rest of a line belongs to a text whose closing quote is missing: what closes the brackets around
/// the text does not.
fn text_guess(rest: &str) -> usize {
    let code = rest.find(" #").map_or(rest, |n| &rest[..n]);
    let until = code.find(" =>").or_else(|| code.trim_end().strip_suffix('{').map(str::len)).unwrap_or(code.len());
    let mut text = code[..until].trim_end_matches([' ', '\t', '\r', ',', '|']);
    while let Some(closer) = text.chars().next_back().filter(|c| matches!(c, ')' | ']' | '}')) {
        let opener = match closer {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        if text.matches(opener).count() >= text.matches(closer).count() {
            break;
        }
        text = text[..text.len() - 1].trim_end_matches([' ', '\t', ',']);
    }
    text.len()
}
