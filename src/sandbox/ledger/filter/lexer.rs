//! A condition cut into its words.

use super::super::cell::{self, Cell};
use super::super::refusal::Refusal;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Literal(Cell),
    Open,
    Close,
    Comma,
    Minus,
}

/// Cuts a condition into its words, each with the place where it begins.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let start = at;
        let token = match next {
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '\'' => {
                let (value, end) = quoted(text, at)?;
                at = end;
                found.push((Token::Literal(Cell::Text(value.into())), start));
                continue;
            }
            '-' if !text[at + 1..].starts_with(|c: char| c.is_ascii_digit()) => Token::Minus,
            '0'..='9' | '-' | '.' => {
                let length = text[at + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
                let end = length.map_or(text.len(), |length| at + 1 + length);
                found.push((Token::Literal(digits(&text[at..end])?), start));
                at = end;
                continue;
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = text[at..].find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '/' | '.'));
                let end = end.map_or(text.len(), |length| at + length);
                let word = &text[at..end];
                at = end;
                let token = if text[at..].starts_with('\'') {
                    let (value, end) = quoted(text, at)?;
                    at = end;
                    Token::Literal(prefixed(word, &value)?)
                } else {
                    Token::Word(word.to_owned())
                };
                found.push((token, start));
                continue;
            }
            _ => return Err(Refusal::syntax()),
        };
        at += 1;
        found.push((token, start));
    }
    Ok(found)
}

/// The text in quotes that begins at `start`, doubled quotes made one, and where it ends.
fn quoted(text: &str, start: usize) -> Result<(String, usize), Refusal> {
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        let length = text[at..].find('\'').ok_or_else(Refusal::syntax)?;
        value.push_str(&text[at..at + length]);
        at += length + 1;
        if !text[at..].starts_with('\'') {
            return Ok((value, at));
        }
        value.push('\'');
        at += 1;
    }
}

fn prefixed(word: &str, value: &str) -> Result<Cell, Refusal> {
    let cell = match word.to_ascii_lowercase().as_str() {
        "guid" => cell::guid(value).map(Cell::Guid),
        "datetime" => cell::time(value).map(Cell::Time),
        _ => None,
    };
    cell.ok_or_else(Refusal::syntax)
}

/// A number; the suffixes say its type, which makes no difference here.
fn digits(text: &str) -> Result<Cell, Refusal> {
    let plain = text.strip_suffix(['L', 'l', 'M', 'm', 'F', 'f', 'D', 'd']).unwrap_or(text);
    if let Ok(number) = plain.parse::<i64>() {
        return Ok(Cell::Int(number));
    }
    cell::number(plain).map(Cell::Number).ok_or_else(Refusal::syntax)
}
