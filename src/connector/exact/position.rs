//! How far a list has been read: by a row version, by a moment, or page by page where neither leads on.

use crate::connector::Position;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

/// How far a list has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Start,
    /// All up to this row version.
    Version(i64),
    /// All before this moment of the wall clock, milliseconds, and maybe some of it.
    Moment(i64),
    /// A page further on.
    Page(Walk),
}

/// A walk from page to page. It ends with its pass: a page's address does not live for ever, so the next pass begins where
/// the walk did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The page that comes next, by its address on our host.
    pub(super) address: String,
    /// The moment at which the walk began; none: at the start of all.
    #[serde(default)]
    pub(super) began: Option<i64>,
    /// The latest moment that it has seen.
    #[serde(default)]
    pub(super) reached: Option<i64>,
    /// Its rows do not come in the order of their moments: all of them are read before the position moves.
    #[serde(default)]
    pub(super) unsorted: bool,
    /// It has been begun again: the address of a page was refused.
    #[serde(default)]
    pub(super) again: bool,
    /// Pages so far, and one of them by the hash of its address: whoever comes back to it walks in a circle.
    #[serde(default)]
    hops: u32,
    #[serde(default)]
    anchor: String,
}

impl At {
    pub(super) fn read(position: &Position) -> Self {
        let Some((kind, rest)) = position.0.split_once(':') else { return Self::Start };
        match kind {
            "version" => rest.parse().map_or(Self::Start, Self::Version),
            "moment" => rest.parse().map_or(Self::Start, Self::Moment),
            "page" => serde_json::from_str(rest).map_or(Self::Start, Self::Page),
            _ => Self::Start,
        }
    }

    pub(super) fn write(&self) -> Position {
        Position(match self {
            Self::Start => String::new(),
            Self::Version(version) => format!("version:{version}"),
            Self::Moment(moment) => format!("moment:{moment}"),
            Self::Page(walk) => {
                let walk = serde_json::to_string(walk).expect("texts, numbers and flags make JSON");
                format!("page:{walk}")
            }
        })
    }

    /// From this moment on; none: from the start.
    pub(super) fn moment(moment: Option<i64>) -> Self {
        moment.map_or(Self::Start, Self::Moment)
    }
}

impl Walk {
    /// A walk that begins behind the page of this address, for the first time or again.
    pub(super) fn begin(page: &Url, began: Option<i64>, again: bool) -> Self {
        let address = on_our_host(page);
        let anchor = hash(&address);
        Self { address, began, reached: began, unsorted: false, again, hops: 0, anchor }
    }

    /// The next step; none: it has come back to where it was.
    pub(super) fn step(mut self, next: &Url) -> Option<Self> {
        self.address = on_our_host(next);
        self.hops = self.hops.saturating_add(1);
        let here = hash(&self.address);
        if here == self.anchor {
            return None;
        }
        // Brent's: a circle of any length is seen once the anchor stands in it and as many pages have passed.
        if self.hops.is_power_of_two() {
            self.anchor = here;
        }
        Some(self)
    }
}

/// The position just before a row version.
pub(super) fn before(version: &str) -> Option<Position> {
    let version: i64 = version.trim().parse().ok()?;
    Some(At::Version(version.checked_sub(1)?).write())
}

/// Path and query: the host is the connection's, also when it has moved.
fn on_our_host(address: &Url) -> String {
    match address.query() {
        Some(query) => format!("{}?{query}", address.path()),
        None => address.path().to_owned(),
    }
}

fn hash(address: &str) -> String {
    crate::value::text::hex(&Sha256::digest(address.as_bytes())[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(n: u32) -> Url {
        Url::parse(&format!("https://books.example/api/v1/1/crm/Accounts?$skiptoken={n}")).unwrap()
    }

    #[test]
    fn positions_come_back_as_they_were_written() {
        let walk = Walk::begin(&page(0), Some(7), true).step(&page(1)).unwrap();
        assert_eq!(walk.address, "/api/v1/1/crm/Accounts?$skiptoken=1");
        for at in [At::Start, At::Version(1_234_500), At::Moment(1_767_312_000_000), At::Page(walk)] {
            assert_eq!(At::read(&at.write()), at);
        }
        for other in ["2026-03-01T12:00:00", "page:/api/v1/1/crm/Accounts", "version:x"] {
            assert_eq!(At::read(&Position(other.to_owned())), At::Start);
        }
    }

    #[test]
    fn a_circle_is_seen_wherever_it_begins() {
        for (before, circle) in [(0, 1), (0, 2), (3, 1), (5, 7), (40, 13)] {
            let address = |hop: u32| if hop < before { hop } else { before + (hop - before) % circle };
            let mut walk = Some(Walk::begin(&page(0), None, false));
            let mut hops = 0;
            while let Some(on) = walk {
                hops += 1;
                walk = on.step(&page(address(hops)));
                assert!(hops < 400, "{before} pages and then a circle of {circle}");
            }
        }
        let mut walk = Walk::begin(&page(0), None, false);
        for hop in 1..500 {
            walk = walk.step(&page(hop)).expect("no page comes twice");
        }
    }
}
