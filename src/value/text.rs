//! Texts: how long they are in an API's own unit, where they may be cut, how a ledger compares them as keys, and what
//! is left of them without HTML.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// What an API counts a text's length in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Unicode code points.
    CodePoints,
    /// UTF-16 units: a character beyond the basic plane counts twice.
    Utf16,
}

/// The length of a text.
pub fn length(text: &str, unit: Unit) -> usize {
    match unit {
        Unit::CodePoints => text.chars().count(),
        Unit::Utf16 => text.chars().map(char::len_utf16).sum(),
    }
}

/// The longest beginning of the text that is at most `max` units long. No character is divided.
pub fn cut(text: &str, max: usize, unit: Unit) -> &str {
    // No text has more units than bytes.
    if text.len() <= max {
        return text;
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += match unit {
            Unit::CodePoints => 1,
            Unit::Utf16 => c.len_utf16(),
        };
        if units > max {
            return &text[..at];
        }
    }
    text
}

/// As [`cut`], but at the last blank within, if there is one in the second half: half a word says little, half a text
/// says less.
pub fn cut_at_word(text: &str, max: usize, unit: Unit) -> &str {
    let short = cut(text, max, unit);
    if short.len() == text.len() || text[short.len()..].starts_with(char::is_whitespace) {
        return short.trim_end();
    }
    match short.rfind(char::is_whitespace) {
        Some(at) if at >= short.len() / 2 => short[..at].trim_end(),
        _ => short,
    }
}

/// Characters of the mark by which two long texts are told apart.
const MARK: usize = 6;
/// Least length of a field in which a mark leaves something of the text.
pub const MARKED_MIN: usize = 2 * MARK;

/// As [`cut`], with a mark of the whole text behind it where something is cut off (`Stichting Voorbeeld…~3fa9c1`): two
/// texts that only differ behind their end stay two. Where there is no room for a mark the text is only cut.
pub fn cut_with_mark(text: &str, max: usize, unit: Unit) -> Cow<'_, str> {
    use sha2::{Digest as _, Sha256};
    if length(text, unit) <= max || max <= MARK + 1 {
        return Cow::Borrowed(cut(text, max, unit));
    }
    let mut marked = cut(text, max - MARK - 1, unit).trim_end().to_owned();
    marked.push('~');
    marked.push_str(&hex(&Sha256::digest(text)[..MARK / 2]));
    Cow::Owned(marked)
}

/// Bytes as hexadecimal digits, two a byte, in small letters.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Personal data as a message shows it: enough to know it again beside its record, too little to know it by itself.
/// `j…@e… (15 characters)`
pub fn masked(text: &str) -> String {
    let length = text.chars().count();
    // So short, its first character would be half of it.
    let first = |part: &str| part.chars().next().filter(|_| length > 3).map(String::from).unwrap_or_default();
    let shown = match text.split_once('@') {
        Some((name, domain)) => format!("{}…@{}…", first(name), first(domain)),
        None => format!("{}…", first(text)),
    };
    format!("{shown} ({length} character{})", if length == 1 { "" } else { "s" })
}

/// How keys are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyForm {
    /// Case does not matter.
    pub caseless: bool,
}

/// A key as it is compared: blanks at both ends gone (padding is blanks on the left), case too where it does not matter.
pub fn key_form(text: &str, form: KeyForm) -> Cow<'_, str> {
    let trimmed = text.trim();
    if form.caseless && trimmed.chars().any(|c| !c.is_lowercase() && c.is_alphabetic()) {
        Cow::Owned(trimmed.to_lowercase())
    } else {
        Cow::Borrowed(trimmed)
    }
}

/// A name or key as it is compared and written: in Unicode's composed form (NFC), without characters that nobody sees
/// (control and format characters, Unicode category Cf), single blanks within and none at the ends.
pub fn tidy(text: &str) -> Cow<'_, str> {
    let mut before = b' ';
    let single = text.bytes().all(|b| {
        let follows = b.is_ascii_graphic() || b == b' ' && before != b' ';
        before = b;
        follows
    });
    if single && before != b' ' || text.is_empty() || !text.is_ascii() && is_tidy(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(tidied(text))
}

fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfc().filter(|c| c.is_whitespace() || !(c.is_control() || is_unseen(*c))) {
        if c.is_whitespace() {
            push_blank(&mut out);
        } else {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Whether a text with letters beyond ASCII is tidy as it stands: names with accents mostly are.
fn is_tidy(text: &str) -> bool {
    let mut before = ' ';
    let single = text.chars().all(|c| {
        let follows = if c == ' ' { before != ' ' } else { !(c.is_whitespace() || c.is_control() || is_unseen(c)) };
        before = c;
        follows
    });
    single && before != ' ' && is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Format characters, and fillers that show nothing.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text without HTML: tags gone (a line's or paragraph's end leaves a blank), entities resolved, white space folded.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        push_folded(&mut out, &rest[..at]);
        let tail = &rest[at..];
        let taken = if tail.starts_with('<') { tag(tail, &mut out) } else { entity(tail, &mut out) };
        if taken == 0 {
            out.push_str(&tail[..1]);
            rest = &tail[1..];
        } else {
            rest = &tail[taken..];
        }
    }
    push_folded(&mut out, rest);
    out.truncate(out.trim_end().len());
    out
}

fn push_folded(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() {
            push_blank(out);
        } else {
            out.push(c);
        }
    }
}

fn push_blank(out: &mut String) {
    if !out.is_empty() && !out.ends_with(' ') {
        out.push(' ');
    }
}

/// Bytes of the tag at the start; none when a bare `<` stands there.
fn tag(text: &str, out: &mut String) -> usize {
    let second = text[1..].chars().next();
    if !second.is_some_and(|c| c.is_ascii_alphabetic() || c == '/' || c == '!') {
        return 0;
    }
    if text.starts_with("<!--") {
        return text.find("-->").map_or(text.len(), |end| end + 3);
    }
    let Some(end) = text.find('>') else { return 0 };
    let name: String =
        text[1..end].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    if matches!(name.to_ascii_lowercase().as_str(), "br" | "p" | "div" | "li" | "tr" | "td" | "h1" | "h2" | "h3" | "ul")
    {
        push_blank(out);
    }
    end + 1
}

/// Bytes of the entity at the start, which is resolved; none when it is none.
fn entity(text: &str, out: &mut String) -> usize {
    let Some(end) = text.bytes().take(12).position(|b| b == b';') else { return 0 };
    let name = &text[1..end];
    let resolved = if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        };
        code.and_then(char::from_u32).filter(|c| !c.is_control())
    } else {
        ENTITIES.iter().find(|(n, _)| *n == name).map(|(_, c)| *c)
    };
    let Some(c) = resolved else { return 0 };
    if c.is_whitespace() {
        push_blank(out);
    } else {
        out.push(c);
    }
    end + 1
}

/// Entities that shops write. Source: HTML 4.01, section 24; letters with accents as far as Latin 1 has them.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("euro", '€'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("times", '×'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("micro", 'µ'),
    ("Oslash", 'Ø'),
    ("oslash", 'ø'),
    ("szlig", 'ß'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("auml", 'ä'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("ccedil", 'ç'),
    ("egrave", 'è'),
    ("eacute", 'é'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("ntilde", 'ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("ouml", 'ö'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("uuml", 'ü'),
    ("yacute", 'ý'),
    ("yuml", 'ÿ'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Auml", 'Ä'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("Ccedil", 'Ç'),
    ("Egrave", 'È'),
    ("Eacute", 'É'),
    ("Ecirc", 'Ê'),
    ("Euml", 'Ë'),
    ("Iacute", 'Í'),
    ("Ntilde", 'Ñ'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Ouml", 'Ö'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("Uuml", 'Ü'),
    ("shy", '\u{ad}'),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_tidy_stays_as_it_is(text in "[a \u{e9}e\u{301}\u{a0}\u{200b}\u{212b}]{0,6}|\\PC{0,12}") {
            prop_assert_eq!(tidy(&text), tidied(&text));
        }
    }

    #[test]
    fn a_tidy_name_shows_all_that_it_holds() {
        for (text, tidy) in [
            ("Jan de Boer", "Jan de Boer"),
            (" Jan \u{a0} de\tBoer\n", "Jan de Boer"),
            ("Zoe\u{308}", "Zo\u{eb}"),
            ("zero\u{200b}@example.org", "zero@example.org"),
            ("\u{a0}\u{200b} \u{feff}", ""),
            ("", ""),
        ] {
            assert_eq!(super::tidy(text), tidy, "{text:?}");
        }
    }

    #[test]
    fn a_character_beyond_the_plane_counts_twice_in_utf16() {
        assert_eq!(length("a€😀", Unit::CodePoints), 3);
        assert_eq!(length("a€😀", Unit::Utf16), 4);
        assert_eq!(cut("a€😀b", 3, Unit::Utf16), "a€");
        assert_eq!(cut("a€😀b", 3, Unit::CodePoints), "a€😀");
    }

    #[test]
    fn cut_at_a_blank_where_one_is_near() {
        assert_eq!(cut_at_word("Biologische T-shirt rood", 18, Unit::CodePoints), "Biologische");
        assert_eq!(cut_at_word("Donaudampfschifffahrt", 10, Unit::CodePoints), "Donaudampf");
        assert_eq!(cut_at_word("een twee", 3, Unit::CodePoints), "een");
        assert_eq!(cut_at_word("kort", 10, Unit::CodePoints), "kort");
    }

    #[test]
    fn keys_are_compared_as_they_are_stored() {
        assert_eq!(key_form("   7 ", KeyForm::default()), "7");
        assert_eq!(key_form(" Info@Example.com", KeyForm { caseless: true }), "info@example.com");
    }

    #[test]
    fn personal_data_is_known_again_and_not_told() {
        assert_eq!(masked("jan@example.com"), "j…@e… (15 characters)");
        assert_eq!(masked("Müller"), "M… (6 characters)");
        assert_eq!(masked("Li"), "… (2 characters)");
    }

    #[test]
    fn html_goes() {
        assert_eq!(
            plain("Bakker &amp; <b>Zoon</b><br>\n Nu&nbsp;open &#8211; 5 < 6 &unknown; &euro;3"),
            "Bakker & Zoon Nu open – 5 < 6 &unknown; €3"
        );
        assert_eq!(plain("a &"), "a &");
        assert_eq!(plain("x<"), "x<");
    }

    proptest! {
        #[test]
        fn cut_fits_and_never_divides(text in "\\PC*", max in 0_usize..20) {
            for unit in [Unit::CodePoints, Unit::Utf16] {
                prop_assert!(length(cut(&text, max, unit), unit) <= max);
                prop_assert!(length(cut_at_word(&text, max, unit), unit) <= max);
            }
            let _ = plain(&text);
        }
    }
}
