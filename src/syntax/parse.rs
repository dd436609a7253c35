//! The door: text to tree, typed view and diagnostics.

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

/// What became of a text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// Every byte of it.
    pub tree: Tree,
    /// What was understood.
    pub ast: ast::File,
    /// What was not, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a file. It never fails: what can't be read has a diagnostic, and the rest is read all the same.
pub fn parse(file: FileId, text: &str) -> Parsed {
    if text.len() > limits::FILE_BYTES_MAX {
        return too_long(file, text);
    }
    let lexed = lex(text, 0, text.len());
    let begins = cut(text, &lexed.tokens);
    let mut builder = Builder::new(0..text.len());
    let mut out = Output { file, text, decls: Vec::new(), diagnostics: Vec::new() };
    let mut slips = lexed.slips.as_slice();
    for (n, first) in begins.iter().enumerate() {
        let tokens = &lexed.tokens[*first..begins.get(n + 1).copied().unwrap_or(lexed.tokens.len())];
        let end = tokens.last().map_or(0, |token| token.to());
        let (own, rest) = slips.split_at(slips.partition_point(|slip| slip.at() < end));
        slips = rest;
        out.chunk(&mut builder, tokens, own);
    }
    out.directions(&lexed.tokens);
    out.finish(builder.finish(text, 0))
}

/// Whether a character changes the direction of those around it, and so their order on a screen.
pub(super) fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn too_long(file: FileId, text: &str) -> Parsed {
    let mut out = Output { file, text, decls: Vec::new(), diagnostics: Vec::new() };
    let megabytes = limits::FILE_BYTES_MAX >> 20;
    out.diagnostics.push(
        Diagnostic::new(&codes::UNREADABLE, Span::new(file, 0, 0), format!("this file is larger than {megabytes} MB"))
            .label("not read")
            .help("divide it into several files, and keep data out of it: a table may come `from csv \"file\"`"),
    );
    let mut builder = Builder::new(0..text.len());
    builder.declaration(&[Lexeme::all(text)], &[]);
    out.finish(builder.finish(text, 0))
}

struct Output<'a> {
    file: FileId,
    text: &'a str,
    decls: Vec<ast::Decl>,
    diagnostics: Vec<Diagnostic>,
}

impl Output<'_> {
    fn chunk(&mut self, builder: &mut Builder, tokens: &[Lexeme], slips: &[Slip]) {
        if tokens.iter().all(|token| token.is_trivia()) {
            builder.declaration(tokens, &[]);
            return;
        }
        let mended = mend(self.file, self.text, tokens, slips);
        if mended.too_deep {
            builder.declaration(tokens, &[]);
            self.diagnostics.extend(mended.diagnostics);
            return;
        }
        let groups = self.read(&mended, tokens);
        builder.declaration(tokens, &groups);
    }

    /// Reads a mended declaration: its typed view, its diagnostics, and the groups of its tree.
    fn read(&mut self, mended: &Mended, tokens: &[Lexeme]) -> Vec<Group> {
        let mut lower =
            Lower { file: self.file, text: self.text, tokens, mended, diagnostics: Vec::new(), adapting: false };
        let mut groups = Vec::new();
        match Grammar::parse(Rule::unit_of_file, &mended.text) {
            Ok(pairs) => {
                for pair in pairs.clone().flatten().filter(|pair| pair.as_rule() != Rule::unit_of_file) {
                    let span = pair.as_span();
                    let (start, end) = (mended.real(span.start()), mended.real_end(span.end()));
                    groups.push(Group { rule: pair.as_rule(), start, end });
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

    fn finish(self, tree: Tree) -> Parsed {
        Parsed { tree, ast: ast::File { file: self.file, decls: self.decls }, diagnostics: self.diagnostics }
    }
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
