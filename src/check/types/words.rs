//! Words of clauses and marks, as texts.

use crate::syntax::ast::{ExprKind, TextPart, Word};

/// A word of a clause as text: names and numbers as written, texts without quotes.
pub(crate) fn word_text(word: &Word) -> String {
    match word {
        Word::Name(path) => path.text(),
        Word::Sign(sign, _) => sign.to_string(),
        Word::Value(e) => match &e.kind {
            ExprKind::Number(n)
            | ExprKind::Percent(n)
            | ExprKind::Date(n)
            | ExprKind::Instant(n)
            | ExprKind::Duration(n, _) => n.to_string(),
            // `{country}` in an address is a blank to be filled by the connector, not an expression of ours.
            ExprKind::Text(parts) => parts
                .iter()
                .map(|part| match part {
                    TextPart::Plain(text) => text.to_string(),
                    TextPart::Value(e) => match &e.kind {
                        ExprKind::Name(name) => format!("{{{}}}", name.text),
                        _ => String::new(),
                    },
                })
                .collect(),
            ExprKind::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
            ExprKind::Name(name) => name.text.to_string(),
            _ => String::new(),
        },
    }
}
