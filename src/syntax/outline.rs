//! A file cut into its declarations, before anything is parsed: a forgotten bracket ends with its declaration.

use super::token::{Lexeme, Token};

/// The words that open declarations. None of them opens a statement.
pub(crate) const DECLARATIONS: [&str; 18] = [
    "edition",
    "zone",
    "run",
    "use",
    "connect",
    "settings",
    "lookup",
    "enum",
    "entity",
    "extend",
    "connector",
    "fn",
    "extern",
    "mapping",
    "fields",
    "flow",
    "adapt",
    "test",
];

/// Declarations that `sealed` may stand before.
const SEALABLE: [&str; 5] = ["lookup", "fn", "mapping", "fields", "flow"];

/// The index of the first token of each declaration, the `##` lines above it included. Together they are all of the tokens.
pub(crate) fn cut(text: &str, tokens: &[Lexeme]) -> Vec<usize> {
    // Of each, its first token and the word that opens it.
    let mut heads: Vec<(usize, usize)> = Vec::new();
    let (mut depth, mut in_text) = (0usize, 0usize);
    // First token of the `##` lines right above the line that is looked at.
    let mut docs: Option<usize> = None;
    let mut n = 0;
    while n < tokens.len() {
        let line = n;
        let first = skip_blanks(tokens, n);
        if let Some(token) = tokens.get(first).filter(|_| in_text == 0) {
            match token.kind {
                Token::Doc => docs = docs.or(Some(line)),
                Token::Word
                    if opens(text, tokens, first) || depth == 0 && stands_for_one(text, tokens, first, &heads) =>
                {
                    heads.push((docs.take().unwrap_or(line), first));
                    depth = 0;
                }
                _ => docs = None,
            }
        }
        while n < tokens.len() {
            let kind = tokens[n].kind;
            n += 1;
            match kind {
                Token::LineEnd => break,
                Token::TextOpen => in_text += 1,
                Token::TextClose => in_text = in_text.saturating_sub(1),
                Token::Open if in_text == 0 => depth += 1,
                Token::Close if in_text == 0 => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
    let mut begins: Vec<usize> = heads.into_iter().map(|(first, _)| first).collect();
    if begins.first().is_some_and(|first| *first > 0) || begins.is_empty() && !tokens.is_empty() {
        begins.insert(0, 0);
    }
    begins
}

/// The word that declares: behind `sealed`, the next one.
fn behind_sealed(text: &str, tokens: &[Lexeme], n: usize) -> usize {
    let next = skip_blanks(tokens, n + 1);
    let word = |n: usize| tokens.get(n).map_or("", |token| &text[token.from()..token.to()]);
    if word(n) == "sealed" && SEALABLE.contains(&word(next)) { next } else { n }
}

fn skip_blanks(tokens: &[Lexeme], mut n: usize) -> usize {
    while tokens.get(n).is_some_and(|token| token.kind == Token::Blank) {
        n += 1;
    }
    n
}

/// Whether the word at `n`, the first of its line, stands in the place of a declaration, most likely a misspelt one: at
/// the margin, outside of all brackets, and behind something that is over.
fn stands_for_one(text: &str, tokens: &[Lexeme], n: usize, heads: &[(usize, usize)]) -> bool {
    let shown = |token: &Lexeme| &text[token.from()..token.to()];
    let at_margin = n == 0 || tokens[n - 1].kind == Token::LineEnd;
    let goes_on = ["and", "or", "then", "else", "for", "in", "from"].contains(&shown(&tokens[n]));
    let Some((_, head)) = heads.last().filter(|_| at_margin && !goes_on) else {
        return false;
    };
    let before = tokens[..n].iter().rev().find(|token| !token.is_trivia());
    if before.is_some_and(|token| matches!(shown(token), "=" | ",")) {
        return false;
    }
    // Of several such lines the first one is told, and each that opens a block.
    let line_end =
        tokens[n..].iter().position(|token| token.kind == Token::LineEnd).map_or(tokens.len(), |end| n + end);
    let block =
        tokens[n..line_end].iter().rev().find(|token| !token.is_trivia()).is_some_and(|last| shown(last) == "{");
    block || DECLARATIONS.contains(&shown(&tokens[*head]))
}

/// Whether the word at `n`, the first of its line, opens a declaration.
fn opens(text: &str, tokens: &[Lexeme], n: usize) -> bool {
    let declares = behind_sealed(text, tokens, n);
    if declares != n {
        return true;
    }
    let word = &text[tokens[n].from()..tokens[n].to()];
    let next = tokens.get(skip_blanks(tokens, n + 1));
    let at_margin = n == 0 || tokens[n - 1].kind == Token::LineEnd;
    if !DECLARATIONS.contains(&word) {
        return false;
    }
    let spaced = tokens.get(n + 1).is_some_and(|token| token.kind == Token::Blank);
    match next.map(|token| (token.kind, &text[token.from()..token.to()])) {
        Some((Token::Word | Token::TextOpen, _)) => spaced,
        Some((Token::Open, "{")) => spaced || at_margin,
        Some((Token::Number, _)) => word == "edition",
        Some((Token::Sign, "=" | ":" | "." | "==" | "?." | ":=")) => false,
        Some(_) | None => at_margin,
    }
}
