//! Pairs of the grammar to the typed view. Slips that the grammar lets through get their messages here.

mod declaration;
mod expression;
mod literal;
mod operators;
mod schema;
mod statement;
mod testing;

use super::ast::{Name, Path, Text};
use super::grammar::Rule;
use super::mend::{Mended, doc_above};
use super::messages;
use super::token::Lexeme;
use crate::source::{Diagnostic, FileId, Span, codes};

pub(crate) type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// One declaration on its way to the typed view.
pub(crate) struct Lower<'a> {
    pub(crate) file: FileId,
    /// The real text, and its tokens.
    pub(crate) text: &'a str,
    pub(crate) tokens: &'a [Lexeme],
    pub(crate) mended: &'a Mended,
    /// Of the grammar and of this room; the mending's are not among them.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// In an `adapt`, where `set`, `add` and `remove` have a meaning.
    pub(crate) adapting: bool,
}

impl Lower<'_> {
    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        Span::new(self.file, self.mended.real(span.start()), self.mended.real_end(span.end()))
    }

    fn name(&self, pair: &Pair<'_>) -> Name {
        Name { text: pair.as_str().into(), span: self.span(pair) }
    }

    fn path(&self, pair: Pair<'_>) -> Path {
        let span = self.span(&pair);
        Path { parts: pair.into_inner().map(|part| self.name(&part)).collect(), span }
    }

    fn paths(&self, pair: Pair<'_>) -> Vec<Path> {
        pair.into_inner().map(|path| self.path(path)).collect()
    }

    fn doc(&self, span: Span) -> Option<String> {
        doc_above(self.text, self.tokens, span.start as usize)
    }

    /// A text that names something: it holds no values.
    fn text(&mut self, pair: Pair<'_>) -> Text {
        let span = self.span(&pair);
        let mut value = String::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::plain | Rule::plain3 => value.push_str(part.as_str()),
                Rule::escape => value.push(literal::unescape(part.as_str())),
                _ => {
                    let span = self.span(&part);
                    self.report(
                        Diagnostic::new(
                            &codes::BAD_TEXT,
                            span,
                            "this text cannot hold values: it is read before anything runs",
                        )
                        .label("a value in a fixed text")
                        .help("write the text out, and braces in it as `\\{` and `\\}`"),
                    );
                }
            }
        }
        Text { value: value.into(), span }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// What nothing else wanted.
    fn junk(&mut self, pair: &Pair<'_>, place: super::forms::Place) {
        let diagnostic = messages::junk(self, pair, place);
        self.report(diagnostic);
    }

    /// A sign in the place of another, with the change that mends it.
    fn slip(&mut self, pair: &Pair<'_>, right: &str, why: &str) {
        let span = self.span(pair);
        let wrong = pair.as_str().trim();
        self.report(
            Diagnostic::new(&codes::SYNTAX, span, format!("`{right}` is meant here, not `{wrong}`: {why}"))
                .label(format!("write `{right}`"))
                .help(format!("write `{right}`"))
                .fix(format!("write `{right}`"), span, pair.as_str().replace(wrong, right)),
        );
    }
}
