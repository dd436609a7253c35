//! Reads that are tried again. Writes never are: that is the engine's decision.

use super::CallError;
use super::clock::Clock;
use super::http::{Timing, later, soon};
use crate::limits;
use jiff::SignedDuration;

/// The tries of one read.
pub(super) struct Tries<'a> {
    clock: &'a Clock,
    timing: &'a Timing,
    tried: u32,
}

impl<'a> Tries<'a> {
    pub(super) fn new(clock: &'a Clock, timing: &'a Timing) -> Self {
        Self { clock, timing, tried: 0 }
    }

    /// How often it has failed.
    pub(super) fn tried(&self) -> u32 {
        self.tried
    }

    /// Whether one more that fails is the last.
    pub(super) fn are_over(&self) -> bool {
        self.tried + 1 >= limits::ATTEMPTS_MAX
    }

    /// After a try that failed: waits until the next one, or says that there is none.
    pub(super) async fn pause(&mut self, error: CallError) -> Result<(), CallError> {
        self.tried += 1;
        let wished = match &error {
            CallError::Later { until, .. } => Some(*until),
            CallError::Garbled { .. } => None,
            CallError::Refused { .. } | CallError::Unknown { .. } | CallError::Login { .. } => return Err(error),
        };
        let now = self.clock.now();
        let pause = now.checked_add(pause(self.timing, self.tried)).unwrap_or(now);
        let then = wished.map_or(pause, |wished| wished.max(pause));
        if self.tried >= limits::ATTEMPTS_MAX || then > later(now, limits::TURN_SECONDS_MAX) {
            return Err(given_up(error, soon(now)));
        }
        self.clock.sleep_until(then, &error.to_string()).await;
        Ok(())
    }
}

/// An outage has no time of its own; whoever comes back later should not come back at once.
fn given_up(error: CallError, soon: jiff::Timestamp) -> CallError {
    match error {
        CallError::Later { system, until, reason } => CallError::Later { system, until: until.max(soon), reason },
        other @ (CallError::Garbled { .. }
        | CallError::Refused { .. }
        | CallError::Unknown { .. }
        | CallError::Login { .. }) => other,
    }
}

/// Doubling from the first pause, and a random part, so that several callers do not come back together.
fn pause(timing: &Timing, tried: u32) -> SignedDuration {
    let base = timing.pause.as_millis().clamp(1, 60_000);
    let base = i64::try_from(base).unwrap_or(60_000) << (tried - 1).min(6);
    let part = i64::from(rand::random::<u16>()) * base / (2 * i64::from(u16::MAX));
    SignedDuration::from_millis(base / 2 + base / 4 + part)
}
