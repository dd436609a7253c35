//! What generated orders are made of.

/// Country, standard and reduced rate.
pub const RATES: &[(&str, &str, &str)] = &[
    ("NL", "21", "9"),
    ("BE", "21", "6"),
    ("DE", "19", "7"),
    ("FR", "20", "5.5"),
    ("AT", "20", "10"),
    ("IT", "22", "10"),
    ("ES", "21", "10"),
    ("LU", "17", "8"),
    ("PL", "23", "8"),
    ("SE", "25", "12"),
    ("FI", "25.5", "14"),
    ("IE", "23", "13.5"),
];

pub const FIRST_NAMES: &[&str] =
    &["Sanne", "Daan", "Zoë", "Jürgen", "Chloé", "Łukasz", "Noor", "Bjørn", "Ana María", "Jan-Willem", "Pieter"];
pub const LAST_NAMES: &[&str] = &[
    "de Vries",
    "van den Berg",
    "Müller",
    "Lefèvre",
    "Żółkiewski",
    "O'Connor",
    "Großmann",
    "D'Hondt",
    "Smit",
    "Visser",
];
pub const MAILBOXES: &[&str] = &["Sanne.deVries", "jurgen.muller", "Zoe", "info", "Lukasz.Zolkiewski"];
pub const COMPANIES: &[&str] = &[
    "Bakkerij 't Hoekje B.V.",
    "Schröder & Söhne GmbH",
    "Boulangerie Lefèvre SARL",
    "Café \"De Zwaan\"",
    "Groothandel Van Dam / Zonen",
    "ACME Tools NV",
];
pub const CITIES: &[&str] =
    &["Utrecht", "'s-Hertogenbosch", "Den Haag", "Liège", "Köln", "München", "Besançon", "Łódź", "Málaga", "Wien"];

/// Address lines by country; `{n}` is the house number.
pub const STREETS: &[(&str, &[&str])] = &[
    (
        "NL",
        &[
            "Kerkstraat {n}",
            "Kerkstraat {n}-bis",
            "2e Jan Steenstraat {n} II",
            "Laan van 1940 {n}",
            "Plein 1944 nr {n}",
            "Dorpsweg {n}a",
            "Van 't Hoffstraat {n} A",
        ],
    ),
    ("BE", &["Rue de la Loi {n}", "Meir {n} bus 4", "Grote Markt {n}/3", "Sint-Jansstraat {n}"]),
    ("DE", &["Hauptstraße {n}", "Straße des 17. Juni {n}b", "Königsallee {n}", "Am Mühlbach {n} c"]),
    ("FR", &["{n} rue de la Paix", "{n}b, avenue Victor Hugo", "{n} B boulevard Saint-Michel", "Château de la Tour"]),
];
pub const OTHER_STREETS: &[&str] =
    &["Via Roma {n}", "Calle Mayor {n}", "ulica Długa {n}/7", "{n} Main Street", "The Old Mill"];

pub const ADJECTIVES: &[&str] =
    &["Biologische", "Handgemaakte", "Premium", "Kinder", "Extra grote", "Très chic", "Vegan"];
/// The first three letters are the item's.
pub const NOUNS: &[&str] = &[
    "T-shirt",
    "Hoodie",
    "Koffiemok 300 ml",
    "Fietsbel",
    "Notitieboek A5",
    "Rugzak 20\" laptop",
    "Theedoek (3 stuks)",
    "Leesboek – editie 2026",
    "Kaarsen 6×",
    "Dopper® fles",
];
/// Code and name.
pub const COLORS: &[(&str, &str)] =
    &[("blauw", "Blauw"), ("rood", "Rood"), ("groen", "Groen"), ("creme", "Crème"), ("zwart", "Zwart/Wit")];
pub const SIZES: &[&str] = &["XS", "S", "M", "L", "XL"];

pub const METHODS: &[&str] = &[
    "mollie_wc_gateway_ideal",
    "mollie_wc_gateway_ideal",
    "bacs",
    "ppcp-gateway",
    "stripe",
    "cod",
    "cheque",
    "klarna_payments",
    "mollie_wc_gateway_bancontact",
];
/// Method and title.
pub const SHIPPING: &[(&str, &str)] = &[
    ("flat_rate", "PostNL – standaard"),
    ("free_shipping", "Gratis verzending"),
    ("local_pickup", "Afhalen in de winkel"),
    ("dhlpwc-parcel", "DHL Parcel"),
    ("table_rate", "Verzendkosten België/Duitsland"),
];
/// Name and cents.
pub const FEES: &[(&str, i64)] =
    &[("Cadeauverpakking", 250), ("Betaalkosten", 95), ("Korting vaste klant", -500), ("Statiegeld", 120)];
pub const NOTES: &[&str] = &[
    "Graag bij de buren afgeven 🙂",
    "Bitte klingeln!\nDanke",
    "Lever na 18:00u aub",
    "请小心轻放",
    "Ring \"B\" at the back / side door",
];
pub const AGENT: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
/// What WooCommerce notes of where a customer came from.
pub const ATTRIBUTION: &[(&str, &str)] = &[
    ("_wc_order_attribution_device_type", "Desktop"),
    ("_wc_order_attribution_session_count", "1"),
    ("_wc_order_attribution_session_entry", "https://winkel.example/?utm_source=nieuwsbrief"),
    ("_wc_order_attribution_session_pages", "7"),
    ("_wc_order_attribution_session_start_time", "2026-03-01 10:00:00"),
    ("_wc_order_attribution_source_type", "typein"),
    ("_wc_order_attribution_user_agent", AGENT),
    ("_wc_order_attribution_utm_source", "(direct)"),
    ("is_vat_exempt", "no"),
];
