//! The shop's server: what its owner or host sets up, which no call of the API changes.

use serde::{Deserialize, Serialize};

use super::Shop;
use super::call::Storage;
use super::zone::Zone;

/// How the server is set up; a member that is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The shop's zone: a name such as `Europe/Amsterdam`, or hours such as `UTC+5.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Where orders lie: `tables` of their own (HPOS), or `posts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<Storage>,
}

impl Setup {
    /// Reads the JSON of a setup.
    ///
    /// # Errors
    /// Which member is wrong, and what it may be.
    pub fn parse(text: &str) -> Result<Setup, String> {
        serde_json::from_str(text).map_err(|error| format!("the server's setup is not understood: {error}"))
    }
}

impl Shop {
    /// Sets up the server; what is not named stays.
    pub(crate) fn set_up(&self, setup: &Setup) {
        let Setup { zone, orders } = setup.clone();
        let mut state = self.state();
        if let Some(zone) = zone {
            state.set_zone(zone);
        }
        if let Some(orders) = orders {
            state.storage = orders;
            state.remembered = None;
        }
    }

    /// How the server is set up now.
    pub(crate) fn setup(&self) -> Setup {
        let state = self.state();
        Setup { zone: Some(state.zone.clone()), orders: Some(state.storage) }
    }
}
