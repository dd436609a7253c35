//! Flows without a source: one record each time that they are due, by the clock of the system that they write into.

use super::page::process;
use super::rows::Mode;
use crate::connector::Raw;
use crate::engine::error::PassError;
use crate::engine::event::Reporter;
use crate::engine::pass::context::Pass;
use crate::ir::Schedule;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use std::sync::Arc;

/// Acts on the turn that is due by now; one that was acted on before is as it was.
pub(crate) async fn turn(pass: &Arc<Pass>, mode: Mode, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    pass.go_on()?;
    let raw = Raw(serde_json::json!({ "at": due(pass)? }).to_string().into());
    process(pass, (vec![raw], Vec::new()), mode, telling).await.map(drop)
}

/// The name of the turn that is due by now.
pub(crate) fn due(pass: &Pass) -> Result<String, PassError> {
    let zone = pass.program().zone.as_deref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or(TimeZone::UTC);
    Ok(name(&pass.flow().schedule, pass.source()?.now(), &zone))
}

/// A turn by the time since which it has been due: by its day where there is one each day.
fn name(schedule: &Schedule, now: Timestamp, zone: &TimeZone) -> String {
    if let Some(every) = schedule.every {
        let seconds = every.as_secs().max(1);
        let since = now.as_second().div_euclid(seconds) * seconds;
        let since = Timestamp::from_second(since).unwrap_or(now);
        return since.strftime("%Y-%m-%dT%H%M%SZ").to_string();
    }
    let local = zone.to_datetime(now);
    let at: civil::Time = schedule.daily.as_deref().and_then(|at| at.parse().ok()).unwrap_or_default();
    let day = if local.time() < at { local.date().yesterday().unwrap_or(local.date()) } else { local.date() };
    day.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn a_turn_is_due_since_its_time() {
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        let of = |schedule: &Schedule, now: &str| name(schedule, now.parse().unwrap(), &zone);
        let daily = Schedule { daily: Some("02:00".into()), ..Schedule::default() };
        assert_eq!(of(&daily, "2026-01-31T01:00:00Z"), "2026-01-31");
        assert_eq!(of(&daily, "2026-01-31T00:59:59Z"), "2026-01-30");
        assert_eq!(of(&daily, "2026-07-31T00:00:00Z"), "2026-07-31");
        let every = Schedule { every: Some(SignedDuration::from_mins(10)), ..Schedule::default() };
        assert_eq!(of(&every, "2026-01-31T01:19:59Z"), "2026-01-31T011000Z");
        assert_eq!(of(&every, "2026-01-31T01:20:00Z"), "2026-01-31T012000Z");
    }
}
