//! Codes that both systems share: countries by ISO 3166, currencies by ISO 4217, groups of countries, guids.

/// Whether the European Union has this member (ISO 3166 code; Greece also by the `EL` of its VAT numbers), as of 2026.
/// Northern Ireland, `XI` as its VAT numbers have it, counts as one for goods (Directive (EU) 2020/1756).
fn in_eu(country: &str) -> bool {
    is_one_of(&EU, country)
}

const EU: [bool; 26 * 26] =
    pairs_of("AT BE BG CY CZ DE DK EE EL ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI");

/// Whether a country belongs to the group of that name; a name that is none has no members.
pub fn in_group(country: &str, group: &str) -> bool {
    group == "eu" && in_eu(country)
}

/// Whether ISO 3166-1 has this two-letter code.
pub fn is_country(code: &str) -> bool {
    is_one_of(&KNOWN, code)
}

/// Which pairs of letters are countries.
const KNOWN: [bool; 26 * 26] = pairs_of(COUNTRIES);

/// Which pairs of letters stand in a text, with blanks between.
const fn pairs_of(text: &str) -> [bool; 26 * 26] {
    let (all, mut known, mut at) = (text.as_bytes(), [false; 26 * 26], 0);
    while at + 1 < all.len() {
        known[letter_pair(all[at], all[at + 1])] = true;
        at += 3;
    }
    known
}

fn is_one_of(pairs: &[bool; 26 * 26], code: &str) -> bool {
    let &[first, second] = code.as_bytes() else { return false };
    let letters = first.is_ascii_uppercase() && second.is_ascii_uppercase();
    letters && pairs[letter_pair(first, second)]
}

const fn letter_pair(first: u8, second: u8) -> usize {
    (first - b'A') as usize * 26 + (second - b'A') as usize
}

/// All codes, in order.
pub fn countries() -> impl Iterator<Item = &'static str> {
    COUNTRIES.split(' ')
}

/// Source: ISO 3166-1 alpha-2, officially assigned codes; `XK`, which shops use for Kosovo; and places that only taxes know:
/// `IC` and `EA` (reserved there for the Canaries, and Ceuta with Melilla), `XI` for Northern Ireland.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EA EC EE EG EH ER ES ET FI \
FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS \
IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO \
MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA \
RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT \
TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XI XK YE YT ZA ZM ZW";

/// Whether a text looks like a currency's code.
pub fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// Whether a text is a guid: five groups of hexadecimal digits.
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(n, b)| match n {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        assert!(
            in_group("NL", "eu")
                && in_group("HR", "eu")
                && in_group("XI", "eu")
                && !in_group("GB", "eu")
                && !in_group("NL", "efta")
        );
        assert!(is_country("NL") && !is_country("XX") && !is_country("nl") && !is_country(""));
        assert_eq!(countries().count(), 253);
        assert!(is_guid("6b8aeb3c-9d6d-4c6f-8a1b-0123456789ab") && !is_guid("6b8aeb3c"));
    }
}
