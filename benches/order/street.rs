//! Address lines by hand: what the task's two patterns match, without a pattern.

use std::borrow::Cow;

/// Street, number and suffix of a trimmed address line.
pub fn split(line: &str) -> (&str, &str, &str) {
    number_behind(line).or_else(|| number_before(line)).unwrap_or((line, "", ""))
}

/// `^(.*[^0-9 ]) +([0-9]+)[ \-/]*(.*)$`
fn number_behind(line: &str) -> Option<(&str, &str, &str)> {
    let bytes = line.as_bytes();
    let mut at = bytes.len();
    while at > 1 {
        at -= 1;
        if !bytes[at].is_ascii_digit() || bytes[at - 1] != b' ' {
            continue;
        }
        let street = line[..at].trim_end_matches(' ');
        let Some(last) = street.chars().next_back() else { return None };
        if last.is_ascii_digit() {
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let suffix = line[end..].trim_start_matches([' ', '-', '/']);
        // A dot matches no line break.
        if suffix.contains('\n') || street[..street.len() - last.len_utf8()].contains('\n') {
            return None;
        }
        return Some((street, &line[at..end], suffix));
    }
    None
}

/// `^([0-9]+) *([A-Za-z]?)[ ,]+(.*)$`
fn number_before(line: &str) -> Option<(&str, &str, &str)> {
    let end = line.bytes().take_while(u8::is_ascii_digit).count();
    let (number, behind) = line.split_at(end);
    if number.is_empty() {
        return None;
    }
    let separator = [' ', ','];
    let word = behind.trim_start_matches(' ');
    let (suffix, rest) = match word.bytes().next() {
        Some(b) if b.is_ascii_alphabetic() && word[1..].starts_with(separator) => word.split_at(1),
        _ if behind.starts_with(separator) => ("", behind),
        _ => return None,
    };
    let street = rest.trim_start_matches(separator);
    if street.contains('\n') { None } else { Some((street, number, suffix)) }
}

/// The postcode as its country writes it.
pub fn postcode<'a>(trimmed: &'a str, country: &str) -> Cow<'a, str> {
    if country == "NL" && trimmed.chars().filter(|c| *c != ' ').count() == 6 {
        let mut code = String::with_capacity(8);
        for c in trimmed.chars().filter(|c| *c != ' ') {
            if code.chars().count() == 4 {
                code.push(' ');
            }
            code.extend(c.to_uppercase());
        }
        return Cow::Owned(code);
    }
    if trimmed.chars().any(char::is_lowercase) { Cow::Owned(trimmed.to_uppercase()) } else { Cow::Borrowed(trimmed) }
}
