//! Numbers, dates, texts: what is written, checked as far as its form goes.

use super::{Lower, Pair};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{Expr, ExprKind, TextPart};
use crate::syntax::forms::Place;
use crate::syntax::grammar::Rule;
use rust_decimal::Decimal;

/// A text is the same however its file ends lines.
fn push_lines(text: &mut String, part: &str) {
    let mut lines = part.split("\r\n");
    text.push_str(lines.next().unwrap_or_default());
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
}

/// The character of an escape; an unknown one has been reported and lost its backslash.
pub(super) fn unescape(escape: &str) -> char {
    match escape.chars().nth(1) {
        Some('n') => '\n',
        Some('t') => '\t',
        Some(other) => other,
        None => '\\',
    }
}

impl Lower<'_> {
    /// A number, a rate, a date, an instant or a duration.
    pub(super) fn literal(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let written = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::percent => {
                self.check_number(written.trim_end_matches('%'), span);
                ExprKind::Percent(written.trim_end_matches('%').into())
            }
            Rule::date => {
                if written.parse::<jiff::civil::Date>().is_err() {
                    self.bad_literal(
                        span,
                        format!("there is no date {written}"),
                        "write year, month and day: `2026-01-31`",
                    );
                }
                ExprKind::Date(written.into())
            }
            Rule::instant => {
                if written.parse::<jiff::Timestamp>().is_err() {
                    self.bad_literal(
                        span,
                        format!("`{written}` is not an instant"),
                        "write a date, a time and its distance from UTC: `2026-01-31T10:00:00Z`, `2026-01-31T10:00:00+01:00`",
                    );
                }
                ExprKind::Instant(written.into())
            }
            Rule::duration => return self.duration(pair),
            Rule::bad_number => {
                self.bad_literal(
                    span,
                    format!("`{written}` is neither a number nor a name"),
                    "write digits alone, `1250`, `12.50`, `21%`, `5 minutes`, begin a name with a letter, and write a code as a text: `\"…\"`",
                );
                ExprKind::Error
            }
            _ => {
                self.check_number(written, span);
                ExprKind::Number(written.into())
            }
        };
        Expr { kind, span }
    }

    fn duration(&self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let kind = match (parts.next(), parts.next()) {
            (Some(number), Some(unit)) => ExprKind::Duration(number.as_str().into(), self.name(&unit)),
            _ => ExprKind::Error,
        };
        Expr { kind, span }
    }

    fn check_number(&mut self, digits: &str, span: Span) {
        if Decimal::from_str_exact(digits).is_err() {
            self.bad_literal(
                span,
                "this number has more digits than are calculated with".to_owned(),
                "write at most 28 digits, or a longer code as a text: `\"…\"`",
            );
        }
    }

    fn bad_literal(&mut self, span: Span, message: String, help: &str) {
        self.report(Diagnostic::new(&codes::BAD_LITERAL, span, message).label("malformed").help(help));
    }

    /// A text, its values included.
    pub(super) fn text_expr(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        let long = pair.as_str().starts_with("\"\"\"");
        let mut parts = Vec::new();
        let mut plain = String::new();
        for (n, part) in pair.into_inner().enumerate() {
            match part.as_rule() {
                Rule::plain3 if long && n == 0 => {
                    // The line end behind the opening quotes is layout.
                    let text = part.as_str();
                    let text = text.strip_prefix('\r').unwrap_or(text);
                    push_lines(&mut plain, text.strip_prefix('\n').unwrap_or(part.as_str()));
                }
                Rule::plain | Rule::plain3 => push_lines(&mut plain, part.as_str()),
                Rule::escape => plain.push(unescape(part.as_str())),
                _ => {
                    if !plain.is_empty() {
                        parts.push(TextPart::Plain(std::mem::take(&mut plain).into()));
                    }
                    let value = self.hole(part);
                    parts.push(TextPart::Value(value));
                }
            }
        }
        if !plain.is_empty() {
            parts.push(TextPart::Plain(plain.into()));
        }
        Expr { kind: ExprKind::Text(parts), span }
    }

    fn hole(&mut self, pair: Pair<'_>) -> Expr {
        let span = self.span(&pair);
        match pair.into_inner().next() {
            Some(inner) if inner.as_rule() == Rule::expr => self.expr(inner),
            Some(junk) => {
                self.junk(&junk, Place::Hole);
                Expr { kind: ExprKind::Error, span }
            }
            None => Expr { kind: ExprKind::Error, span },
        }
    }
}
