//! Times as people read them: in the project's zone, as precise as they need.

use crate::ir::Program;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The zone in which people are told times.
#[derive(Clone, Debug)]
pub(crate) struct Moments(TimeZone);

impl Moments {
    /// The project's zone; UTC where it has none.
    pub(crate) fn of(program: &Program) -> Self {
        let zone = program.zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Self(zone.unwrap_or(TimeZone::UTC))
    }

    /// `2026-03-01 13:00`, for lists.
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        self.0.to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `2026-03-01 13:00:05+01:00`.
    pub(crate) fn second(&self, at: Timestamp) -> String {
        let (second, offset) = (self.0.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S"), self.0.to_offset(at).seconds());
        let sign = if offset < 0 { '-' } else { '+' };
        format!("{second}{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_zone_of_the_project() {
        let program = Program { zone: Some("Europe/Amsterdam".into()), ..Program::default() };
        let at: Timestamp = "2026-03-01T12:00:05.123456789Z".parse().unwrap();
        assert_eq!(Moments::of(&program).minute(at), "2026-03-01 13:00");
        assert_eq!(Moments::of(&program).second(at), "2026-03-01 13:00:05+01:00");
    }
}
