//! E-mail addresses in a record's text: by their hashes a person can be forgotten.

use std::collections::BTreeSet;

/// The addresses in a JSON text, in small letters.
pub(crate) fn addresses(json: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%' | '@');
    let words = json.split(|c: char| !is_part(c));
    words.filter(|word| is_address(word)).map(str::to_lowercase).collect()
}

fn is_address(word: &str) -> bool {
    match word.split_once('@') {
        Some((name, host)) => !name.is_empty() && host.contains('.') && !host.contains('@') && !host.starts_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_addresses_between_quotes() {
        let found = super::addresses(r#"{"email": "Ann@Example.org", "note": "ask bob@x.example, not @home"}"#);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["ann@example.org", "bob@x.example"]);
    }
}
