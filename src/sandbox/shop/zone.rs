//! Where the shop's clock hangs: a zone with its changes, or hours from Greenwich that never change.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The zone that a shop is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    written: Written,
    pub(crate) rules: TimeZone,
}

/// What the setting holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    /// `Europe/Amsterdam`
    Name(String),
    /// Hours from Greenwich, such as 5.5
    Hours(Decimal),
}

impl Zone {
    /// Reads a zone's name, or hours from Greenwich as WordPress writes them, `UTC+5.5`.
    ///
    /// # Errors
    /// How a zone is written.
    pub fn parse(text: &str) -> Result<Zone, String> {
        let unknown = || {
            format!(
                "`{text}` is no zone: write its name, such as `Europe/Amsterdam`, or hours from Greenwich, such as `UTC+5.5`"
            )
        };
        let text = text.trim();
        let hours = text.strip_prefix("UTC").filter(|hours| !hours.is_empty());
        if let Some(hours) = hours {
            let hours: Decimal = hours.trim_start_matches('+').parse().map_err(|_| unknown())?;
            let seconds = (hours * Decimal::from(3600)).to_i32().filter(|seconds| seconds.abs() <= 14 * 3600);
            let offset = seconds.and_then(|seconds| Offset::from_seconds(seconds).ok()).ok_or_else(unknown)?;
            return Ok(Zone { written: Written::Hours(hours.normalize()), rules: TimeZone::fixed(offset) });
        }
        let rules = TimeZone::get(text).map_err(|_| unknown())?;
        let name = rules.iana_name().unwrap_or(text).to_owned();
        Ok(Zone { written: Written::Name(name), rules })
    }

    /// How it is written.
    pub(crate) fn text(&self) -> String {
        match &self.written {
            Written::Name(name) => name.clone(),
            Written::Hours(hours) if hours.is_sign_negative() => format!("UTC{hours}"),
            Written::Hours(hours) => format!("UTC+{hours}"),
        }
    }

    /// The members that the API's first page shows. A fixed offset has no name, and its hours are a text.
    pub(crate) fn shown(&self, now: Timestamp) -> (Value, Value) {
        match &self.written {
            Written::Name(name) => {
                let hours = Decimal::from(self.rules.to_offset(now).seconds()) / Decimal::from(3600);
                (super::totals::bare(hours.round_dp(2).normalize()), json!(name))
            }
            Written::Hours(hours) => (json!(hours.to_string()), json!("")),
        }
    }
}

impl TryFrom<String> for Zone {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Zone::parse(&text)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.text()
    }
}

impl Default for Zone {
    /// The zone of the recorded shop.
    fn default() -> Self {
        Zone::parse("Europe/Amsterdam").expect("the zone database is bundled")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_shown_as_recorded() {
        let now: Timestamp = "2026-07-01T12:00:00Z".parse().unwrap();
        let shown = |text: &str| Zone::parse(text).unwrap().shown(now);
        assert_eq!(shown("Asia/Kolkata"), (json!(5.5), json!("Asia/Kolkata")));
        assert_eq!(shown("Europe/Amsterdam"), (json!(2), json!("Europe/Amsterdam")));
        assert_eq!(shown("UTC5.5"), (json!("5.5"), json!("")));
        assert_eq!(shown("UTC-5"), (json!("-5"), json!("")));
        assert_eq!(Zone::parse("UTC").unwrap().text(), "UTC");
        assert!(Zone::parse("Mars/Olympus").unwrap_err().contains("Europe/Amsterdam"));
        assert!(Zone::parse("UTC+99").is_err());
    }
}
