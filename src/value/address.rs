//! Address lines: the postcode as its country writes it, and a line's street, number and addition.

use std::borrow::Cow;

/// A postcode as its country writes it: upper case, and a Dutch one as `1234 AB`. What does not look like one of its
/// country is only trimmed and put in upper case.
pub fn postcode<'a>(text: &'a str, country: &str) -> Cow<'a, str> {
    let trimmed = text.trim();
    if country == "NL" {
        if let [a, b, c, d, b' ', e, f] = trimmed.as_bytes()
            && [a, b, c, d, e, f].iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
        {
            return Cow::Borrowed(trimmed);
        }
        let packed: String = trimmed.chars().filter(|c| *c != ' ').flat_map(char::to_uppercase).collect();
        if packed.chars().count() == 6 {
            let at = packed.char_indices().nth(4).map_or(packed.len(), |(at, _)| at);
            let spaced = format!("{} {}", &packed[..at], &packed[at..]);
            return Cow::Owned(spaced);
        }
    }
    if trimmed.chars().any(char::is_lowercase) { Cow::Owned(trimmed.to_uppercase()) } else { Cow::Borrowed(trimmed) }
}

/// The parts of an address line; what is empty is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Street<'a> {
    /// The street; the whole line when nothing else is recognised.
    pub street: &'a str,
    /// The house number.
    pub number: Option<&'a str>,
    /// What stands behind it.
    pub addition: Option<&'a str>,
}

/// Divides an address line: the last number that stands behind a street, else a number at the start, else all is street.
pub fn street(line: &str) -> Street<'_> {
    let line = line.trim();
    number_last(line).or_else(|| number_first(line)).unwrap_or(Street { street: line, ..Street::default() })
}

/// `Kerkstraat 12-bis`: the last place where a street that ends in neither digit nor blank, blanks, and digits follow
/// one another.
fn number_last(line: &str) -> Option<Street<'_>> {
    let bytes = line.as_bytes();
    // From the right: the street is as long as it can be.
    for start in (2..bytes.len()).rev() {
        if !bytes[start].is_ascii_digit() || bytes[start - 1] != b' ' {
            continue;
        }
        let street = line[..start].trim_end_matches(' ');
        // A street has a last character that is no digit; blanks are gone already.
        if street.is_empty() || street.ends_with(|c: char| c.is_ascii_digit()) || street.contains('\n') {
            continue;
        }
        let end = start + digits(&bytes[start..]);
        let addition = line[end..].trim_start_matches([' ', '-', '/']);
        if addition.contains('\n') {
            continue;
        }
        return Some(Street {
            street,
            number: Some(&line[start..end]),
            addition: Some(addition).filter(|a| !a.is_empty()),
        });
    }
    None
}

/// `12b, avenue Victor Hugo`
fn number_first(line: &str) -> Option<Street<'_>> {
    let count = digits(line.as_bytes());
    if count == 0 || line.contains('\n') {
        return None;
    }
    let number = &line[..count];
    let behind = line[count..].trim_start_matches(' ');
    let separated = |text: &str| text.starts_with([' ', ',']);
    let letter = behind.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let (addition, rest) = if letter && separated(&behind[1..]) {
        (Some(&behind[..1]), &behind[1..])
    } else if separated(&line[count..]) {
        // The blank between belongs to the separator when no letter stands alone.
        (None, &line[count..])
    } else {
        return None;
    };
    Some(Street { street: rest.trim_start_matches([' ', ',']), number: Some(number), addition })
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    /// The rules as patterns, which the code above must agree with.
    fn by_patterns(line: &str) -> (String, String, String) {
        let line = line.trim();
        let last = Regex::new(r"^(.*[^0-9 ]) +([0-9]+)[ \-/]*(.*)$").unwrap();
        let first = Regex::new(r"^([0-9]+) *([A-Za-z]?)[ ,]+(.*)$").unwrap();
        if let Some(c) = last.captures(line) {
            return (c[1].into(), c[2].into(), c[3].into());
        }
        if let Some(c) = first.captures(line) {
            return (c[3].into(), c[1].into(), c[2].into());
        }
        (line.into(), String::new(), String::new())
    }

    fn ours(line: &str) -> (String, String, String) {
        let s = street(line);
        (s.street.into(), s.number.unwrap_or("").into(), s.addition.unwrap_or("").into())
    }

    #[test]
    fn streets_of_several_countries() {
        for line in [
            "Kerkstraat 12",
            "Kerkstraat 12-bis",
            "2e Jan Steenstraat 5 II",
            "Laan van 1940 7",
            "Plein 1944 nr 3",
            "Postbus 9",
            "Dorpsweg 8a",
            "Meir 3 bus 4",
            "Grote Markt 1/3",
            "Straße des 17. Juni 5b",
            "12 rue de la Paix",
            "12b, avenue Hugo",
            "7 B boulevard Saint-Michel",
            "Château de la Tour",
            "12",
            "12 ",
            "",
            "1 2",
            "5a",
            "ulica Długa 3/7",
            "3,",
            "3 a",
            "Plein 1944",
            "1944 Plein",
            "a 1 2",
            "a 1 b 2 3",
        ] {
            assert_eq!(ours(line), by_patterns(line), "{line}");
        }
    }

    #[test]
    fn postcodes() {
        assert_eq!(postcode("1234ab", "NL"), "1234 AB");
        assert_eq!(postcode(" 1234 AB ", "NL"), "1234 AB");
        assert_eq!(postcode("2000", "BE"), "2000");
        assert_eq!(postcode("sw1a 1aa", "GB"), "SW1A 1AA");
    }

    proptest! {
        #[test]
        fn agrees_with_the_rules(line in "[a-cA-C1-3 ,/\\-é]{0,16}") {
            prop_assert_eq!(ours(&line), by_patterns(&line));
        }
    }
}
