//! Brackets and their partners, found with the help of indentation: whoever forgets one has still indented the lines.
//!
//! A closer that begins a line closes the opener whose line is indented like it; what was opened in between and not
//! closed is reported at its opener, once, and gets a closer where its lines end. A closer with no opener is reported
//! too, at the line that should have had it if there is one.

use super::soften::GOES_ON;
use super::token::{Lexeme, Token};
use crate::limits::NESTING_MAX;
use crate::source::{Diagnostic, FileId, Span, codes};

/// Most operators, dots, calls and words such as `if` that are open at one place of a declaration. Each may be a level of the
/// typed view, which is walked on the native stack. More is reported as brackets nested too deep are.
const OPERATORS_MAX: usize = 600;

/// A change to the text that the grammar reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mend {
    pub(crate) at: usize,
    pub(crate) remove: usize,
    pub(crate) insert: &'static str,
}

/// What came of matching.
#[derive(Default)]
pub(crate) struct Matched {
    pub(crate) mends: Vec<Mend>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) too_deep: bool,
}

struct Opener {
    /// `(`, `[`, `{`
    kind: u8,
    at: usize,
    line: usize,
    indent: usize,
    /// A `{` of a text: what is in it stays in it.
    hole: bool,
    operators: usize,
}

/// A line: how far it is indented, where its code ends, what it begins and ends with.
#[derive(Clone, Copy, Default)]
struct Line {
    start: usize,
    indent: usize,
    code_end: usize,
    first: Option<Lexeme>,
    last: Option<Lexeme>,
    /// Its text lacks a quote; what else is wrong on it comes from that.
    broken: bool,
}

struct Matcher<'a> {
    file: FileId,
    text: &'a str,
    tokens: &'a [Lexeme],
    lines: Vec<Line>,
    stack: Vec<Opener>,
    operators: usize,
    out: Matched,
}

/// Matches the brackets of one declaration. `broken` are the places of broken texts, in order.
pub(crate) fn match_brackets(file: FileId, text: &str, tokens: &[Lexeme], broken: &[usize]) -> Matched {
    let lines = lines_of(text, tokens, broken);
    let mut matcher = Matcher { file, text, tokens, lines, stack: Vec::new(), operators: 0, out: Matched::default() };
    matcher.walk();
    matcher.out
}

fn lines_of(text: &str, tokens: &[Lexeme], broken: &[usize]) -> Vec<Line> {
    let any_within =
        |from: usize, to: usize| broken.get(broken.partition_point(|at| *at < from)).is_some_and(|at| *at < to);
    let mut lines = Vec::new();
    let start = tokens.first().map_or(0, |token| token.from());
    let mut line = Line { start, code_end: start, ..Line::default() };
    for token in tokens {
        match token.kind {
            Token::LineEnd => {
                line.broken = any_within(line.start, token.to());
                lines.push(line);
                line = Line { start: token.to(), code_end: token.to(), ..Line::default() };
            }
            Token::Blank if line.first.is_none() => line.indent = width(&text[token.from()..token.to()]),
            Token::Blank | Token::Comment | Token::Doc => {}
            _ => {
                line.first = line.first.or(Some(*token));
                line.last = Some(*token);
                line.code_end = token.to();
            }
        }
    }
    line.broken = any_within(line.start, usize::MAX);
    lines.push(line);
    lines
}

fn width(blanks: &str) -> usize {
    blanks.bytes().map(|b| if b == b'\t' { 4 } else { usize::from(b == b' ') }).sum()
}

fn closer_of(kind: u8) -> &'static str {
    match kind {
        b'(' => ")",
        b'[' => "]",
        _ => "}",
    }
}

fn opener_of(closer: u8) -> (u8, &'static str) {
    match closer {
        b')' => (b'(', "("),
        b']' => (b'[', "["),
        _ => (b'{', " {"),
    }
}

impl Matcher<'_> {
    fn walk(&mut self) {
        let mut line = 0;
        for n in 0..self.tokens.len() {
            let token = self.tokens[n];
            if self.lines[line].first == Some(token) {
                self.begin_line(n, line);
            }
            match token.kind {
                Token::LineEnd => line += 1,
                Token::Open | Token::HoleOpen => {
                    // A call and an index are a step of the value before them, once they are closed too.
                    if self.byte(token) != b'{' && self.behind_value(n) {
                        self.step(token);
                    }
                    self.open(token, line);
                }
                Token::Close => self.close(token, line),
                Token::HoleClose => self.close_hole(line),
                Token::Word | Token::Sign => self.count(token),
                _ => {}
            }
            if self.out.too_deep {
                return;
            }
        }
        let end = self.tokens.last().map_or(0, |token| token.to());
        while let Some(top) = self.stack.pop() {
            self.unclosed(&top, line, end);
        }
    }

    fn begin_line(&mut self, n: usize, line: usize) {
        let token = self.tokens[n];
        if self.begins_statement(n) {
            self.end_of_statement(line, token.from());
        }
        let goes_on = GOES_ON.contains(&&self.text[token.from()..token.to()]);
        if !goes_on && self.stack.last().is_none_or(|top| top.kind == b'{') {
            self.reset();
        }
    }

    /// Whether a line's first token begins a statement, as nothing in `( )` or `[ ]` can: `Field =`, `let x`.
    fn begins_statement(&self, n: usize) -> bool {
        if self.stack.last().is_none_or(|top| top.kind == b'{') || self.tokens[n].kind != Token::Word {
            return false;
        }
        let word = |n: usize| self.tokens.get(n).map_or("", |t| &self.text[t.from()..t.to()]);
        let mut next = n + 1;
        while word(next) == "." {
            next += 2;
        }
        let spaced = self.tokens.get(next).is_some_and(|t| t.kind == Token::Blank);
        let behind = word(next + usize::from(spaced));
        let two_words = spaced && self.tokens.get(next + 1).is_some_and(|t| t.kind == Token::Word);
        let opens = ["let", "include", "balance", "write", "given", "expect", "from"].contains(&word(n));
        behind == "=" || two_words && (opens || word(n) == "then" && behind == "write")
    }

    /// What the statement above has opened and not closed.
    fn end_of_statement(&mut self, line: usize, seen: usize) {
        while self.stack.last().is_some_and(|top| top.kind != b'{' && !top.hole) {
            if let Some(open) = self.pop() {
                self.unclosed(&open, line, seen);
            }
        }
    }

    fn open(&mut self, token: Lexeme, line: usize) {
        let hole = token.kind == Token::HoleOpen;
        let first_block = self.stack.is_empty() && self.byte(token) == b'{' && !hole;
        // The header of a declaration may go on over several lines; its block belongs to the first.
        let indent = if first_block { self.first_indent() } else { self.lines[line].indent };
        self.stack.push(Opener { kind: self.byte(token), at: token.from(), line, indent, hole, operators: 0 });
        if self.stack.len() > NESTING_MAX {
            self.too_deep(token.from());
        }
    }

    fn first_indent(&self) -> usize {
        self.lines.iter().find(|line| line.first.is_some()).map_or(0, |line| line.indent)
    }

    /// Operators and the like that are open at this place; a comma or a line's end closes them.
    fn count(&mut self, token: Lexeme) {
        let text = &self.text[token.from()..token.to()];
        match text {
            "," => self.reset(),
            "+" | "-" | "*" | "/" | "??" | "." | "?." | "<" | "=>" | "->" | "|" | "==" | "=" | "and" | "or" | "not"
            | "if" | "is" | "match" | "ensure" | "fail" | "skip" | "wait" | "in" | "!" | "&&" | "||" | "!=" | ">"
            | "<=" | ">=" | "for" => {
                self.step(token);
            }
            _ => {}
        }
    }

    fn step(&mut self, token: Lexeme) {
        self.operators += 1;
        if let Some(top) = self.stack.last_mut() {
            top.operators += 1;
        }
        if self.operators > OPERATORS_MAX {
            self.too_deep(token.from());
        }
    }

    /// Whether a value ends right before a token.
    fn behind_value(&self, n: usize) -> bool {
        let before = self.tokens[..n].iter().rev().find(|token| token.kind != Token::Blank);
        before.is_some_and(|token| matches!(token.kind, Token::Word | Token::Number | Token::TextClose | Token::Close))
    }

    fn reset(&mut self) {
        match self.stack.last_mut() {
            Some(top) => self.operators -= std::mem::take(&mut top.operators),
            None => self.operators = 0,
        }
    }

    fn pop(&mut self) -> Option<Opener> {
        let top = self.stack.pop()?;
        self.operators -= top.operators;
        Some(top)
    }

    fn close(&mut self, token: Lexeme, line: usize) {
        let (kind, _) = opener_of(self.byte(token));
        let floor = self.stack.iter().rposition(|open| open.hole).map_or(0, |n| n + 1);
        let begins = self.lines[line].first == Some(token);
        let found = if begins { self.by_indent(kind, floor, line) } else { None };
        let found = match found {
            Some(n) => Some(n),
            None if begins && self.missing_opener(token, line) => return,
            None => self.stack[floor..].iter().rposition(|open| open.kind == kind).map(|n| n + floor),
        };
        // On a line with a broken text a brace may well be part of it.
        let doubtful = kind == b'{' && !begins && self.lines[line].broken;
        let found = found.filter(|n| !doubtful || self.stack[*n].line == line);
        let Some(found) = found else {
            self.stray(token, line);
            return;
        };
        while self.stack.len() > found + 1 {
            let Some(open) = self.pop() else { break };
            self.unclosed(&open, line, token.from());
        }
        self.pop();
    }

    fn by_indent(&self, kind: u8, floor: usize, line: usize) -> Option<usize> {
        let indent = self.lines[line].indent;
        let stack = &self.stack[floor..];
        stack.iter().rposition(|open| open.kind == kind && open.indent == indent && open.line < line).map(|n| n + floor)
    }

    fn close_hole(&mut self, line: usize) {
        while let Some(open) = self.pop() {
            if open.hole {
                break;
            }
            self.unclosed(&open, line, open.at + 1);
        }
    }

    /// A closer that begins its line, lines that are indented deeper above it, and above them a line that is indented
    /// like it and opens nothing: there the opener is missing.
    fn missing_opener(&mut self, token: Lexeme, line: usize) -> bool {
        let indent = self.lines[line].indent;
        let above = (0..line).rev().find(|n| self.lines[*n].first.is_some() && self.lines[*n].indent <= indent);
        let Some(mut head) = above.filter(|n| self.lines[*n].indent == indent) else {
            return false;
        };
        let inner = self.lines[head + 1..line].iter().filter(|l| l.first.is_some()).map(|l| l.indent).min();
        let opens = |l: &Line| l.last.is_some_and(|t| t.kind == Token::Open);
        let closes = |l: &Line| l.first.is_some_and(|t| t.kind == Token::Close);
        let Some(inner) = inner else { return false };
        // The header's own further lines are indented deeper than what is in its block.
        while head + 1 < line && self.lines[head + 1].first.is_some() && self.lines[head + 1].indent > inner {
            head += 1;
        }
        if opens(&self.lines[head])
            || closes(&self.lines[head])
            || self.stack.last().is_some_and(|top| top.line >= head)
        {
            return false;
        }
        let (_, insert) = opener_of(self.byte(token));
        let at = self.lines[head].code_end;
        self.out.mends.push(Mend { at, remove: 0, insert });
        let bracket = insert.trim_start();
        let first = self.lines[head].first.map_or(at, Lexeme::from);
        if !self.lines[head].broken {
            let message = format!("`{bracket}` is missing at the end of this line");
            self.out.diagnostics.push(
                Diagnostic::new(&codes::SYNTAX, self.span(first, at), message)
                    .label("no bracket is opened here")
                    .help(format!(
                        "write `{bracket}` after it: the lines below are indented, and a bracket closes them"
                    ))
                    .related(self.span(token.from(), token.to()), "closed here")
                    .fix(format!("add `{bracket}`"), self.span(at, at), insert),
            );
        }
        true
    }

    fn stray(&mut self, token: Lexeme, line: usize) {
        self.out.mends.push(Mend { at: token.from(), remove: 1, insert: " " });
        if self.lines[line].broken {
            return;
        }
        let closer = char::from(self.byte(token));
        let span = self.span(token.from(), token.to());
        let message = format!("`{closer}` closes nothing: no bracket is open that fits it");
        self.out.diagnostics.push(
            Diagnostic::new(&codes::STRAY_CLOSER, span, message)
                .label("nothing to close")
                .help(format!(
                    "remove it, or write the bracket that it should close (`{}`)",
                    opener_of(self.byte(token)).1.trim()
                ))
                .fix(format!("remove `{closer}`"), span, ""),
        );
    }

    /// Reports an opener that nothing closes, and closes it where its lines end. It was noticed at the byte `seen` of
    /// `line`.
    fn unclosed(&mut self, open: &Opener, line: usize, seen: usize) {
        let closer = closer_of(open.kind);
        let at = self.place_for(open, line, seen);
        self.out.mends.push(Mend { at, remove: 0, insert: closer });
        if self.lines[open.line].broken {
            return;
        }
        let own_line = self.ends_line(open);
        let (place, fix) = if own_line && closer == "}" {
            let indent = " ".repeat(open.indent);
            ("below the lines that belong to it", format!("\n{indent}{closer}"))
        } else {
            ("where it ends", closer.to_owned())
        };
        let kind = char::from(open.kind);
        self.out.diagnostics.push(
            Diagnostic::new(
                &codes::UNCLOSED,
                self.span(open.at, open.at + 1),
                format!("`{kind}` is opened and never closed"),
            )
            .label("opened here")
            .help(format!("write `{closer}` {place}"))
            .fix(format!("add `{closer}`"), self.span(at, at), fix),
        );
    }

    /// `f( == g`: what stands behind the bracket can't begin a value.
    fn stands_before_operator(&self, open: &Opener) -> bool {
        let n = self.tokens.partition_point(|token| token.from() <= open.at);
        let next = self.tokens[n..].iter().find(|token| token.kind != Token::Blank);
        next.is_some_and(|next| {
            let text = &self.text[next.from()..next.to()];
            let sign = matches!(next.kind, Token::Sign | Token::Word);
            sign && ["==", "!=", "<", "<=", ">", ">=", "??", "+", "*", "/", "then", "else", "and", "or"].contains(&text)
        })
    }

    fn ends_line(&self, open: &Opener) -> bool {
        self.lines[open.line].last.is_some_and(|last| last.from() == open.at)
    }

    fn place_for(&self, open: &Opener, line: usize, seen: usize) -> usize {
        let own = &self.lines[open.line];
        if open.kind != b'{' && !self.ends_line(open) {
            // `mapping m(a: T -> E {`: before what the header says next.
            let code = &self.text[open.at..own.code_end.max(open.at)];
            let block = own.last.filter(|last| last.kind == Token::Open && last.from() > open.at);
            let next =
                code.find(" ->").or_else(|| block.and_then(|last| code.find(" for ").or(Some(last.from() - open.at))));
            if let Some(next) = next.filter(|n| open.at + n <= seen) {
                return open.at + self.text[open.at..open.at + next].trim_end().len();
            }
        }
        if self.stands_before_operator(open) {
            return open.at + 1;
        }
        if line == open.line && self.tokens.last().is_none_or(|last| last.to() != seen) {
            let rest = &self.text[open.at + 1..seen];
            return open.at + 1 + rest.trim_end().len();
        }
        let begins = |l: &Line| l.first.map_or("", |t| &self.text[t.from()..t.to()]);
        // A line that goes on with the statement around it stands behind the bracket.
        let next = self.lines[open.line + 1..=line].iter().find(|l| l.first.is_some()).map_or("", begins);
        let around = matches!(next, "." | "?.")
            || !self.ends_line(open) && ["else", "then", "??", "and", "or", "for", "->", "."].contains(&next);
        let indent = open.indent;
        let deeper = self.lines[open.line + 1..=line]
            .iter()
            .take_while(|l| l.first.is_none() || (l.indent > indent && l.start < seen && !around))
            .filter(|l| l.first.is_some())
            .last();
        let colon = !self.ends_line(open) && own.last.is_some_and(|last| self.byte(last) == b':');
        if let Some(last) = deeper.filter(|l| l.code_end <= seen && !colon) {
            return last.code_end;
        }
        let code = &self.text[open.at + 1..own.code_end.max(open.at + 1)];
        // A comma goes on with the next element: it is no part of this one.
        let trimmed = code.strip_suffix([',', ':']).unwrap_or(code);
        open.at + 1 + trimmed.trim_end().len()
    }

    fn too_deep(&mut self, at: usize) {
        self.out.too_deep = true;
        self.out.mends.clear();
        self.out.diagnostics.clear();
        self.out.diagnostics.push(
            Diagnostic::new(
                &codes::TOO_DEEP,
                self.span(at, at + 1),
                format!("brackets or operators are nested too deep here: more than {NESTING_MAX} brackets are open, or one value is very long"),
            )
            .label("this goes too deep")
            .help("give a part of it a name (`let`, or a `fn` of its own) and use the name here"),
        );
    }

    fn byte(&self, token: Lexeme) -> u8 {
        // The end of a mended text is empty and may be the end of all.
        self.text.as_bytes().get(token.from()).copied().unwrap_or(0)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }
}
