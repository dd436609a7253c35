//! The text of a declaration as the grammar gets it: slips of the pen written right, brackets and quotes completed.
//! What was changed has its diagnostic; places in the mended text are carried back to the real one.

use super::brackets::{Mend, match_brackets};
use super::grammar::{Grammar, Rule};
use super::parse::turns;
use super::soften::soften;
use super::token::{Lexeme, Slip, Token};
use crate::source::{Diagnostic, Edit, FileId, Fix, Span, codes};
use pest::Parser as _;
use std::cell::Cell;

/// A declaration made readable.
pub(crate) struct Mended {
    /// The text without what says nothing, and a line end; where a line end is a blank, it is written as one.
    pub(crate) text: String,
    /// The pieces of the mended text, rising: its first byte, the real byte there, and whether it was put there for
    /// what really stands there.
    map: Vec<(usize, usize, bool)>,
    /// The piece that was asked for last: places are asked for in their order, or nearly.
    last: Cell<usize>,
    /// Behind the declaration's last byte.
    end: usize,
    /// What was wrong.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// It is nested too deep to be read.
    pub(crate) too_deep: bool,
}

/// Mends a declaration: its tokens, and what the scanner found wrong with them.
pub(crate) fn mend(file: FileId, text: &str, tokens: &[Lexeme], slips: &[Slip]) -> Mended {
    let broken: Vec<usize> = slips
        .iter()
        .filter_map(|slip| match slip {
            Slip::UnclosedText { quote, .. } => Some(*quote),
            Slip::LoneOpen(at) | Slip::LoneClose(at) => Some(*at),
            _ => None,
        })
        .collect();
    let matched = match_brackets(file, text, tokens, &broken);
    let mut mends = Vec::new();
    let mut diagnostics = Vec::new();
    for slip in slips {
        let wrong = write_right(file, text, *slip, &mut mends);
        let is_read = matches!(slip, Slip::Escape(_) | Slip::Semicolon(_) | Slip::Operator(..));
        diagnostics.push(if is_read { wrong.read() } else { wrong });
    }
    one_a_line(text, &mut diagnostics);
    mends.extend(matched.mends);
    mends.extend(unread(tokens));
    mends.sort_by_key(|mend| mend.at);
    diagnostics.extend(matched.diagnostics);
    let start = tokens.first().map_or(0, |token| token.from());
    let end = tokens.last().map_or(0, |token| token.to());
    let (mended, map) = apply(&text[start..end], start, &mends);
    Mended { text: soften(mended), map, last: Cell::new(0), end, diagnostics, too_deep: matched.too_deep }
}

/// A line with a broken text is told once: what else seems wrong on it is likely to be text.
fn one_a_line(text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let of_text = |d: &Diagnostic| d.code == &codes::BAD_TEXT || d.code == &codes::UNCLOSED;
    let line = |d: &Diagnostic| memchr::memrchr(b'\n', &text.as_bytes()[..d.span.start as usize]).map_or(0, |n| n + 1);
    let mut broken = rustc_hash::FxHashMap::default();
    for (n, diagnostic) in diagnostics.iter().enumerate().filter(|(_, d)| of_text(d)) {
        let first = broken.entry(line(diagnostic)).or_insert(n);
        // A quote explains more than a brace.
        if diagnostics[*first].code != &codes::UNCLOSED && diagnostic.code == &codes::UNCLOSED {
            *first = n;
        }
    }
    let mut n = 0;
    diagnostics.retain(|diagnostic| {
        n += 1;
        broken.get(&line(diagnostic)).is_none_or(|only| *only == n - 1)
    });
}

/// What the grammar need not read: comments, indentation, blanks before a line's end and all but one of several, and line
/// ends behind one another.
fn unread(tokens: &[Lexeme]) -> Vec<Mend> {
    let mut cuts = Vec::new();
    let mut begins = true;
    for (n, token) in tokens.iter().enumerate() {
        let ends =
            tokens.get(n + 1).is_none_or(|next| matches!(next.kind, Token::LineEnd | Token::Comment | Token::Doc));
        let keep = match token.kind {
            Token::Comment | Token::Doc => 0,
            Token::Blank => usize::from(!begins && !ends),
            Token::LineEnd => usize::from(!begins),
            _ => {
                begins = false;
                continue;
            }
        };
        begins |= token.kind == Token::LineEnd;
        let (at, remove) = (token.from() + keep, (token.to() - token.from()).saturating_sub(keep));
        if remove > 0 && (keep == 0 || token.kind == Token::Blank) {
            cuts.push(Mend { at, remove, insert: "" });
        }
    }
    cuts
}

fn apply(text: &str, start: usize, mends: &[Mend]) -> (String, Vec<(usize, usize, bool)>) {
    let mut out = String::with_capacity(text.len() + mends.len() * 2 + 2);
    let mut map = vec![(0, start, false)];
    let mut at = start;
    for mend in mends {
        // Two changes of one place can't both be made; the first one stands.
        if mend.at < at || mend.at + mend.remove > start + text.len() {
            continue;
        }
        out.push_str(&text[at - start..mend.at - start]);
        map.push((out.len(), mend.at, true));
        out.push_str(mend.insert);
        at = mend.at + mend.remove;
        map.push((out.len(), at, false));
    }
    out.push_str(&text[at - start..]);
    out.push('\n');
    (out, map)
}

impl Mended {
    /// The real byte at which something begins that begins at a byte of the mended text.
    pub(crate) fn real(&self, at: usize) -> usize {
        let (mended, real, put) = self.piece(at).0;
        // The line end behind the last declaration is ours.
        if put { real } else { (real + (at - mended)).min(self.end) }
    }

    /// The real byte behind something that ends at a byte of the mended text: behind its own last byte, whatever has been
    /// left out there.
    pub(crate) fn real_end(&self, at: usize) -> usize {
        let Some(last) = at.checked_sub(1) else { return self.real(at) };
        match self.piece(last) {
            ((_, _, true), Some(next)) => next,
            _ => (self.real(last) + 1).min(self.end),
        }
    }

    /// The piece of the text in which a byte lies, and where the next piece begins in the real text.
    fn piece(&self, at: usize) -> ((usize, usize, bool), Option<usize>) {
        let last = self.last.get();
        let holds = |n: usize| self.map[n].0 <= at && self.map.get(n + 1).is_none_or(|next| at < next.0);
        let n = match holds(last) {
            true => last,
            false if last + 1 < self.map.len() && holds(last + 1) => last + 1,
            false => self.map.partition_point(|piece| piece.0 <= at).saturating_sub(1),
        };
        self.last.set(n);
        (self.map[n], self.map.get(n + 1).map(|next| next.1))
    }
}

fn write_right(file: FileId, text: &str, slip: Slip, mends: &mut Vec<Mend>) -> Diagnostic {
    let span = |start: usize, end: usize| Span::new(file, start, end);
    let mut mend = |at: usize, remove: usize, insert: &'static str| mends.push(Mend { at, remove, insert });
    match slip {
        Slip::UnclosedText { quote, end, triple } => {
            let quotes = if triple { "\"\"\"" } else { "\"" };
            // What is in it is nobody's text yet; empty, it can't break anything else.
            mend(quote + quotes.len(), end.saturating_sub(quote + quotes.len()), "");
            mend(end, 0, quotes);
            Diagnostic::new(&codes::UNCLOSED, span(quote, quote + quotes.len()), "a text is opened and never closed")
                .label("the text begins here")
                .help(
                    "write `\"` where the text ends, on the same line; a text of several lines stands between `\"\"\"`",
                )
                .fix("close the text", span(end, end), quotes)
        }
        Slip::LoneOpen(at) => {
            mend(at, 1, "(");
            let wrong = brace_in_text(span(at, at + 1), '{', "nothing closes it");
            let end = at + 1 + value_ahead(near(text, at + 1, VALUE_BYTES_MAX));
            if end > at + 1 { wrong.fix("close it after the value", span(end, end), "}") } else { wrong }
        }
        Slip::LoneClose(at) => {
            mend(at, 1, ")");
            let wrong = brace_in_text(span(at, at + 1), '}', "nothing opens it");
            let start = at - value_back(near_before(text, at, VALUE_BYTES_MAX));
            if start < at { wrong.fix("open it before the value", span(start, start), "{") } else { wrong }
        }
        Slip::Escape(at) => {
            mend(at, 1, "");
            let escape: String = text[at..].chars().take(2).collect();
            Diagnostic::new(
                &codes::BAD_TEXT,
                span(at, at + escape.len()),
                format!("`{}` has no meaning in a text", escape.trim_end()),
            )
            .label("unknown escape")
            .help("write one of `{` `}` `\"` `\\` `n` (a new line) `t` (a tab) after `\\`, or `\\\\` for a `\\` itself")
            .fix("write the `\\` itself", span(at, at + 1), "\\\\")
        }
        Slip::ForeignQuotes { open, inside, close } => {
            let end = close + text[close..].chars().next().map_or(1, char::len_utf8);
            mend(open, inside - open, "\"");
            // Braces between them were not looked at, and may not be pairs.
            let plain = !text[inside..close].contains(['{', '}', '\\']);
            if !plain {
                mend(inside, close - inside, "");
            }
            mend(close, end - close, "\"");
            let mut wrong =
                Diagnostic::new(&codes::SYNTAX, span(open, end), "a text stands between straight double quotes")
                    .label("other quotes")
                    .help("write `\"…\"`");
            let edits = [span(open, inside), span(close, end)].map(|span| Edit { span, text: "\"".into() });
            wrong.read = plain;
            if plain {
                wrong.fix = Some(Fix { title: "use straight double quotes".into(), edits: edits.into() });
            }
            wrong
        }
        // `IF(a; b; c)`, as spreadsheets of some languages separate arguments.
        Slip::Semicolon(at) if in_brackets(text, at) => {
            mend(at, 1, ",");
            Diagnostic::new(&codes::SYNTAX, span(at, at + 1), "arguments are separated by commas, not by `;`")
                .label("a comma is meant")
                .help("write `,`")
                .fix("write `,`", span(at, at + 1), ",")
        }
        Slip::Semicolon(at) => {
            mend(at, 1, "\n");
            Diagnostic::new(&codes::SYNTAX, span(at, at + 1), "statements end with their line, not with `;`")
                .label("not needed")
                .help("remove it; two statements stand on two lines")
                .fix("remove `;`", span(at, at + 1), "")
        }
        Slip::Operator(at, end) => {
            let (word, insert) = match &text[at..end] {
                "&&" => ("and", " and "),
                "||" => ("or", " or "),
                _ => ("not", " not "),
            };
            mend(at, end - at, insert);
            let message = format!("`{}` is written `{word}`", &text[at..end]);
            let fix = if word == "not" { "not " } else { word };
            Diagnostic::new(&codes::SYNTAX, span(at, end), message)
                .label(format!("write `{word}`"))
                .help(format!("write `{word}`: conditions are joined by the words `and`, `or` and `not`"))
                .fix(format!("write `{word}`"), span(at, end), fix)
        }
        Slip::Odd(at) => odd(file, text, at, &mut mend),
    }
}

fn brace_in_text(span: Span, brace: char, why: &str) -> Diagnostic {
    Diagnostic::new(&codes::BAD_TEXT, span, format!("`{brace}` stands alone in a text: {why}"))
        .label("half of a pair")
        .help(format!("write a value in a text between `{{` and `}}`, and the character itself as `\\{brace}`"))
}

/// Bytes of a text that are looked at for a value beside a brace: a line may be as long as its file.
const VALUE_BYTES_MAX: usize = 200;

/// At most so much of a text from a byte on.
fn near(text: &str, from: usize, most: usize) -> &str {
    let end = (from + most).min(text.len());
    &text[from..text.floor_char_boundary(end)]
}

/// At most so much of a text before a byte.
pub(crate) fn near_before(text: &str, to: usize, most: usize) -> &str {
    &text[text.ceil_char_boundary(to.saturating_sub(most))..to]
}

/// The bytes of the value, a name in dots, that a text begins with. Escaping the brace before it would silently make
/// the value a constant, so nobody is offered that.
fn value_ahead(text: &str) -> usize {
    let mut end = 0;
    let mut rest = text.trim_start_matches(' ');
    // Only the first word is read: what fails costs as much as the text is long.
    let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    if Grammar::parse(Rule::name, &rest[..word]).is_err() {
        return 0;
    }
    while rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let call = if rest[name..].starts_with("()") { 2 } else { 0 };
        end = text.len() - rest.len() + name + call;
        rest = &text[end..];
        let Some(next) = rest.strip_prefix("?.").or_else(|| rest.strip_prefix('.')) else { break };
        rest = next;
    }
    end
}

/// The bytes of the value, a name in dots, that a text ends with.
fn value_back(text: &str) -> usize {
    let of_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '?' | '(' | ')');
    let last = &text[text.trim_end_matches(of_value).len()..];
    if value_ahead(last) == last.len() { last.len() } else { 0 }
}

/// A character that the language does not use; those that look like one of ours are read as it.
fn odd(file: FileId, text: &str, at: usize, mend: &mut impl FnMut(usize, usize, &'static str)) -> Diagnostic {
    let odd = text[at..].chars().next().unwrap_or(' ');
    let span = Span::new(file, at, at + odd.len_utf8());
    let meant = match odd {
        '“' | '”' | '„' | '‘' | '’' | '\'' => "\"",
        '–' | '—' | '−' => "-",
        '≠' => "!=",
        '≤' => "<=",
        '≥' => ">=",
        '→' => "->",
        '⇒' => "=>",
        '×' => "*",
        _ => " ",
    };
    // A quote would have to be scanned again; as a blank it leaves the rest of its line to be read.
    mend(at, odd.len_utf8(), if meant == "\"" { " " } else { meant });
    let shown = if odd.is_control() || odd.is_whitespace() || turns(odd) {
        format!("U+{:04X}", u32::from(odd))
    } else {
        odd.to_string()
    };
    let wrong = Diagnostic::new(&codes::SYNTAX, span, format!("the character `{shown}` has no meaning here"))
        .label("unknown character");
    if odd.is_whitespace() {
        wrong.help("write a plain space: this one only looks like it").fix("write a space", span, " ").read()
    } else if odd == '&' {
        wrong.help("join texts inside one text, `\"{a} {b}\"`, and two conditions with `and`")
    } else if meant == " " {
        wrong.help("remove it, or put it into a text: `\"…\"`")
    } else {
        let wrong = wrong.help(format!("write `{meant}`"));
        if meant == "\"" { wrong } else { wrong.fix(format!("write `{meant}`"), span, meant).read() }
    }
}

/// The `##` lines right above the line of the byte `at`, joined by line ends.
pub(crate) fn doc_above(text: &str, tokens: &[Lexeme], at: usize) -> Option<String> {
    let mut n = tokens.partition_point(|token| token.from() < at);
    let mut lines = Vec::new();
    // Back over the indentation, then a line at a time.
    loop {
        while n > 0 && tokens[n - 1].kind == Token::Blank {
            n -= 1;
        }
        if n < 2 || tokens[n - 1].kind != Token::LineEnd || tokens[n - 2].kind != Token::Doc {
            break;
        }
        let doc = tokens[n - 2];
        let line = text[doc.from()..doc.to()].trim_start_matches('#').trim_end();
        lines.push(line.strip_prefix(' ').unwrap_or(line));
        n -= 2;
    }
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// Whether a bracket that is opened on the line before a place is still open there.
fn in_brackets(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let depth = text[start..at].bytes().fold(0i32, |depth, byte| match byte {
        b'(' | b'[' => depth + 1,
        b')' | b']' => depth - 1,
        _ => depth,
    });
    depth > 0
}
