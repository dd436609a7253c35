//! Days of the books, and what is to be read for them.

use crate::engine::error::PassError;
use crate::limits;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Days of the books, both of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl Days {
    /// Whether a day is one of them.
    pub(super) fn hold(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }

    /// From which change on the source is read: a document is dated by its record's creation or payment, each of which is a
    /// change; a day earlier, since zones differ.
    pub(super) fn read_from(self, zone: &TimeZone) -> Result<Timestamp, PassError> {
        begins(self.from, 1, zone)
    }

    /// When a document may have been made that is dated in these days, though its record has not changed since.
    pub(super) fn made_from(self, zone: &TimeZone) -> Result<Timestamp, PassError> {
        begins(self.from, limits::BOOKS_BEFORE_DAYS, zone)
    }
}

/// When the day begins that lies so many days before this one.
fn begins(day: Date, before: i64, zone: &TimeZone) -> Result<Timestamp, PassError> {
    let begins = day.checked_sub(Span::new().days(before)).and_then(|day| zone.to_timestamp(day.at(0, 0, 0, 0)));
    begins.map_err(|_| PassError::Project(format!("{day} is no day that books can be of")))
}
