//! The doors: text to typed view and diagnostics, and text to tree.

use super::ast;
use super::grammar::{Grammar, Rule};
use super::lower::Lower;
use super::mend::{Mended, mend};
use super::outline::cut;
use super::token::{Lexeme, Slip, Token, lex};
use super::tree::{Builder, Group, Tree};
use crate::limits;
use crate::source::{Diagnostic, FileId, Span, codes};
use pest::Parser;
use pest::error::ErrorVariant;
use pest::iterators::Pairs;

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What was understood.
    pub ast: ast::File,
    /// What was not, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a file. It never fails: what can't be read has a diagnostic, and the rest is read all the same.
pub fn parse(file: FileId, text: &str) -> Parsed {
    read(file, text, None).0
}

/// The tree of a text: every byte of it. Nothing that checks or runs needs one.
pub fn tree(text: &str) -> Tree {
    let (_, builder) = read(FileId(0), text, Some(Builder::new(0..text.len())));
    builder.unwrap_or_else(|| Builder::new(0..text.len())).finish(text, 0)
}

fn read(file: FileId, text: &str, builder: Option<Builder>) -> (Parsed, Option<Builder>) {
    let mut out = Output { file, text, decls: Vec::new(), diagnostics: Vec::new(), builder };
    if text.len() > limits::FILE_BYTES_MAX {
        out.too_long();
        return out.finish();
    }
    let lexed = lex(text, 0, text.len());
    let begins = cut(text, &lexed.tokens);
    let mut slips = lexed.slips.as_slice();
    for (n, first) in begins.iter().enumerate() {
        let tokens = &lexed.tokens[*first..begins.get(n + 1).copied().unwrap_or(lexed.tokens.len())];
        let end = tokens.last().map_or(0, |token| token.to());
        let (own, rest) = slips.split_at(slips.partition_point(|slip| slip.at() < end));
        slips = rest;
        out.chunk(tokens, own);
    }
    out.directions(&lexed.tokens);
    out.finish()
}

/// Whether a character changes the direction of those around it, and so their order on a screen.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

struct Output<'a> {
    file: FileId,
    text: &'a str,
    decls: Vec<ast::Decl>,
    diagnostics: Vec<Diagnostic>,
    /// The tree in the making, where somebody asks for one.
    builder: Option<Builder>,
}

impl Output<'_> {
    fn too_long(&mut self) {
        let megabytes = limits::FILE_BYTES_MAX >> 20;
        let start = Span::new(self.file, 0, 0);
        self.diagnostics.push(
            Diagnostic::new(&codes::UNREADABLE, start, format!("this file is larger than {megabytes} MB"))
                .label("not read")
                .help("divide it into several files, and keep data out of it: a table may come `from csv \"file\"`"),
        );
        let all = Lexeme::all(self.text);
        self.node(&[all], &[]);
    }

    fn node(&mut self, tokens: &[Lexeme], groups: &[Group]) {
        self.builder.iter_mut().for_each(|builder| builder.declaration(tokens, groups));
    }

    fn chunk(&mut self, tokens: &[Lexeme], slips: &[Slip]) {
        if tokens.iter().all(|token| token.is_trivia()) {
            return self.node(tokens, &[]);
        }
        let mended = mend(self.file, self.text, tokens, slips);
        if mended.too_deep {
            self.diagnostics.extend(mended.diagnostics);
            return self.node(tokens, &[]);
        }
        let groups = self.declaration(&mended, tokens);
        self.node(tokens, &groups);
    }

    /// Reads a mended declaration: its typed view, its diagnostics, and the groups of its tree.
    fn declaration(&mut self, mended: &Mended, tokens: &[Lexeme]) -> Vec<Group> {
        let mut lower =
            Lower { file: self.file, text: self.text, tokens, mended, diagnostics: Vec::new(), adapting: false };
        let mut groups = Vec::new();
        match Grammar::parse(Rule::unit_of_file, &mended.text) {
            Ok(pairs) => {
                if self.builder.is_some() {
                    groups.extend(groups_of(&pairs, mended));
                }
                for unit in pairs {
                    self.decls.extend(lower.declaration(unit));
                }
            }
            Err(error) => lower.diagnostics.push(unread(self.file, tokens, &error.variant)),
        }
        let found = lower.diagnostics;
        let told = told_once(self.text, &mended.diagnostics, found);
        let from = self.diagnostics.len();
        self.diagnostics.extend(mended.diagnostics.iter().cloned());
        self.diagnostics.extend(told);
        self.diagnostics[from..].sort_by_key(|diagnostic| diagnostic.span);
        groups
    }

    /// What people see of a text or a comment with such a character is not what is read: in code it is refused anyway.
    fn directions(&mut self, tokens: &[Lexeme]) {
        let written = |token: &&Lexeme| matches!(token.kind, Token::Piece | Token::Comment | Token::Doc);
        for token in tokens.iter().filter(written) {
            for (n, c) in self.text[token.from()..token.to()].char_indices().filter(|(_, c)| turns(*c)) {
                let at = token.from() + n;
                let span = Span::new(self.file, at, at + c.len_utf8());
                let message = format!(
                    "the character U+{:04X} changes the direction of what follows: it is not read as it is shown",
                    u32::from(c)
                );
                self.diagnostics.push(
                    Diagnostic::new(&codes::BAD_TEXT, span, message)
                        .label("an unseen character")
                        .help("remove it: letters of any language stand in the right direction without it")
                        .fix("remove it", span, ""),
                );
            }
        }
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    }

    fn finish(self) -> (Parsed, Option<Builder>) {
        let ast = ast::File { file: self.file, decls: self.decls };
        (Parsed { ast, diagnostics: self.diagnostics }, self.builder)
    }
}

/// What the rules of the grammar matched, at its place in the real text.
fn groups_of(pairs: &Pairs<'_, Rule>, mended: &Mended) -> impl Iterator<Item = Group> {
    let of_rules = pairs.clone().flatten().filter(|pair| pair.as_rule() != Rule::unit_of_file);
    of_rules.map(|pair| {
        let span = pair.as_span();
        Group { rule: pair.as_rule(), start: mended.real(span.start()), end: mended.real_end(span.end()) }
    })
}

/// A declaration that the grammar can't take at all: its catch-alls leave none but those too deep for the stack.
fn unread(file: FileId, tokens: &[Lexeme], why: &ErrorVariant<Rule>) -> Diagnostic {
    let first = tokens.iter().find(|token| !token.is_trivia());
    let (start, end) = first.map_or((0, 0), |token| (token.from(), token.to()));
    if let ErrorVariant::CustomError { .. } = why {
        return Diagnostic::new(
            &codes::TOO_DEEP,
            Span::new(file, start, end),
            "values are nested too deep in this declaration",
        )
        .label("begins here")
        .help("give a part of it a name (`let`, or a `fn` of its own), or write a table instead of many `if`s");
    }
    Diagnostic::new(&codes::SYNTAX, Span::new(file, start, end), "this declaration can't be read")
        .label("begins here")
        .help("compare it with the form that `flowc explain F0001` shows")
}

/// One message a line: what a missing bracket or quote makes of the rest of its line is not told as well.
fn told_once(text: &str, mending: &[Diagnostic], found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if found.is_empty() {
        return found;
    }
    let line_of = |at: u32| memchr::memrchr(b'\n', &text.as_bytes()[..at as usize]).map_or(0, |n| n + 1);
    let mut lines: Vec<usize> = mending.iter().map(|diagnostic| line_of(diagnostic.span.start)).collect();
    lines.sort_unstable();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(found.len());
    let mut seen = rustc_hash::FxHashSet::default();
    for diagnostic in found {
        let (first, last) = (line_of(diagnostic.span.start), line_of(diagnostic.span.end));
        let mended = lines.partition_point(|line| *line < first);
        if lines.get(mended).is_none_or(|line| *line > last) && seen.insert(first) {
            kept.push(diagnostic);
        }
    }
    kept
}
