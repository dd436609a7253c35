//! Countries: their names, and the VAT rates of those a web shop sells to under the one-stop shop.

/// One line a country: code, name, then its OSS rates in percent, the standard rate first.
const TABLE: &str = include_str!("countries.txt");

/// A country to whose consumers is sold under the one-stop shop.
pub(super) struct OssCountry {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    /// Percentages as texts, the standard rate first.
    pub(super) rates: Vec<&'static str>,
}

fn lines() -> impl Iterator<Item = Vec<&'static str>> {
    TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// The Dutch name of a country, if it is one.
pub(super) fn country(code: &str) -> Option<&'static str> {
    let code = code.trim();
    lines().find(|words| words[0].eq_ignore_ascii_case(code)).map(|words| words[1])
}

/// The countries with rates of their own.
pub(super) fn oss_countries() -> impl Iterator<Item = OssCountry> {
    lines().filter(|words| words.len() > 2).map(|words| OssCountry {
        code: words[0],
        name: words[1],
        rates: words[2..].to_vec(),
    })
}
