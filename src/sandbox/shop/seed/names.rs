//! The words that the made-up shop is made of.

/// A country of the European Union that the shop sells to.
pub(super) struct Country {
    pub(super) code: &'static str,
    pub(super) cities: &'static [&'static str],
    pub(super) dial: &'static str,
    pub(super) legal_form: &'static str,
    /// `9` stands for a digit, anything else for itself.
    postcode: &'static str,
    /// The same, behind the country's code.
    vat_number: &'static str,
}

impl Country {
    /// A postcode of the country's form.
    pub(super) fn postcode(&self, number: u64) -> String {
        patterned(self.postcode, number * 7919 + 1_000_003)
    }

    /// A VAT number of the country's form.
    pub(super) fn vat_number(&self, number: u64) -> String {
        format!("{}{}", self.code, patterned(self.vat_number, number * 31 + 11))
    }
}

/// Fills the nines of a pattern with the digits of a number; the first digit is never a zero.
fn patterned(pattern: &str, number: u64) -> String {
    let mut rest = number;
    let mut first = true;
    let digit = |c: char| {
        if c != '9' {
            return c;
        }
        let digit = if first { rest % 9 + 1 } else { rest % 10 };
        first = false;
        rest = rest / 10 + 7 * (rest % 10);
        u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('1')
    };
    pattern.chars().map(digit).collect()
}

/// The countries by weight.
pub(super) const COUNTRIES: [(u64, Country); 12] = [
    (
        52,
        Country {
            code: "NL",
            cities: &["Utrecht", "Amsterdam", "Zwolle", "Den Haag"],
            dial: "+31",
            legal_form: "B.V.",
            postcode: "9999 AB",
            vat_number: "999999999B99",
        },
    ),
    (
        13,
        Country {
            code: "BE",
            cities: &["Gent", "Antwerpen", "Namur"],
            dial: "+32",
            legal_form: "BV",
            postcode: "9999",
            vat_number: "0999999999",
        },
    ),
    (
        13,
        Country {
            code: "DE",
            cities: &["Köln", "Berlin", "Münster"],
            dial: "+49",
            legal_form: "GmbH",
            postcode: "99999",
            vat_number: "999999999",
        },
    ),
    (
        6,
        Country {
            code: "FR",
            cities: &["Lyon", "Bourg-en-Bresse", "Lille"],
            dial: "+33",
            legal_form: "SARL",
            postcode: "99999",
            vat_number: "99999999999",
        },
    ),
    (
        3,
        Country {
            code: "AT",
            cities: &["Wien", "Graz"],
            dial: "+43",
            legal_form: "GmbH",
            postcode: "9999",
            vat_number: "U99999999",
        },
    ),
    (
        3,
        Country {
            code: "ES",
            cities: &["Sevilla", "Gijón"],
            dial: "+34",
            legal_form: "S.L.",
            postcode: "19999",
            vat_number: "B99999999",
        },
    ),
    (
        2,
        Country {
            code: "IT",
            cities: &["Torino", "Bologna"],
            dial: "+39",
            legal_form: "S.r.l.",
            postcode: "99999",
            vat_number: "99999999999",
        },
    ),
    (
        2,
        Country {
            code: "PL",
            cities: &["Łódź", "Kraków"],
            dial: "+48",
            legal_form: "sp. z o.o.",
            postcode: "99-999",
            vat_number: "9999999999",
        },
    ),
    (
        2,
        Country {
            code: "SE",
            cities: &["Malmö", "Uppsala"],
            dial: "+46",
            legal_form: "AB",
            postcode: "999 99",
            vat_number: "999999999901",
        },
    ),
    (
        1,
        Country {
            code: "IE",
            cities: &["Cork", "Galway"],
            dial: "+353",
            legal_form: "Ltd",
            postcode: "T99 AX99",
            vat_number: "9999999WA",
        },
    ),
    (
        1,
        Country {
            code: "LU",
            cities: &["Luxembourg"],
            dial: "+352",
            legal_form: "S.à r.l.",
            postcode: "9999",
            vat_number: "99999999",
        },
    ),
    (
        2,
        Country {
            code: "FI",
            cities: &["Tampere", "Turku"],
            dial: "+358",
            legal_form: "Oy",
            postcode: "99999",
            vat_number: "99999999",
        },
    ),
];

pub(super) const FIRST_NAMES: [&str; 24] = [
    "Jan", "Sanne", "Pieter", "Femke", "Joost", "Anouk", "Søren", "Jürgen", "Élodie", "Marie", "Łukasz", "Ana", "José",
    "Giulia", "Aoife", "Åsa", "Mikko", "Noor", "Bram", "Lotte", "Hans", "Ingrid", "Thijs", "Fatima",
];

pub(super) const LAST_NAMES: [&str; 24] = [
    "de Vries",
    "Jansen",
    "van den Berg",
    "Bakker",
    "Visser",
    "Smit",
    "Meijer",
    "Müller",
    "Groß",
    "Dupont",
    "Lefèvre",
    "Peeters",
    "O'Brien",
    "García",
    "Rossi",
    "Nowak",
    "Öster",
    "Virtanen",
    "Mulder",
    "de Boer",
    "Bos",
    "Vos",
    "Hendriks",
    "El Amrani",
];

pub(super) const STREETS: [&str; 16] = [
    "Dorpsstraat",
    "Kerkstraat",
    "Stationsweg",
    "Molenlaan",
    "Prins Hendrikkade",
    "Lange Nieuwstraat",
    "Hauptstraße",
    "Bahnhofstraße",
    "Rue de l’Église",
    "Avenue Louise",
    "Calle Mayor",
    "Via Roma",
    "ul. Polna",
    "Storgatan",
    "Main Street",
    "Mannerheimintie",
];

pub(super) const GOODS: [&str; 24] = [
    "Mok",
    "Theepot",
    "Fietsbel",
    "Rugzak",
    "Trui",
    "Kaars",
    "Schaal",
    "Lamp",
    "Kussen",
    "Deken",
    "Vaas",
    "Klok",
    "Boek",
    "Thee",
    "Koffie",
    "Chocolade",
    "Snijplank",
    "Pan",
    "Mes",
    "Servet",
    "Spel",
    "Puzzel",
    "Zeep",
    "Plant",
];

pub(super) const KINDS: [&str; 5] = ["Delft", "Basic", "Groot", "Naturel", "Editie 2026"];

pub(super) const NOTES: [&str; 5] = [
    "Graag bij de buren afgeven.",
    "Bitte klingeln.",
    "Cadeau: geen factuur in de doos",
    "Bel 06-12345678 & laat staan",
    "Merci d’avance",
];

/// A name in the letters that an e-mail address may have.
pub(super) fn ascii(name: &str) -> String {
    let plain = |c: char| match c {
        'ø' | 'Ö' | 'ö' | 'ó' => "o",
        'ü' => "u",
        'é' | 'É' | 'è' => "e",
        'Ł' | 'ł' => "l",
        'á' | 'Å' | 'å' | 'ä' => "a",
        'í' => "i",
        'ß' => "ss",
        _ => "",
    };
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.push_str(plain(c));
        }
    }
    out
}
