//! The whole examination: each system by itself, then what only both of them and the project tell.

use super::ailment::Ailment;
use super::sample::Sampled;
use super::{codes, periods, rights, sample};
use crate::connector::{CallError, Left};
use crate::engine::error::PassError;
use crate::engine::runner::Engine;
use crate::master::uses;
use crate::source::Diagnostic;
use crate::value::cancel::Cancel;
use jiff::SignedDuration;

/// By so much the calendar of a system may differ from ours: it signs and dates by its own.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// What is examined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Rights, clocks, limits and periods beside the codes.
    pub whole: bool,
    /// So many of the last records of each flow are tried.
    pub records: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Health {
    /// Each connection.
    pub systems: Vec<SystemHealth>,
    /// Codes that are missing, blocked, or other than the rows beside them say.
    pub codes: Vec<Diagnostic>,
    /// What else keeps the flows from working.
    pub ailments: Vec<Ailment>,
    /// What the last records come to.
    pub sampled: Sampled,
}

impl Health {
    /// Whether nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.is_reached() && self.codes.is_empty() && self.ailments.is_empty() && self.sampled.rows.is_empty()
    }

    /// Whether each system answers and takes the login.
    pub fn is_reached(&self) -> bool {
        self.systems.iter().all(|system| system.trouble.is_none())
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub struct SystemHealth {
    /// Its name.
    pub name: String,
    /// Why it cannot be asked: it is not reached, or refuses the login.
    pub trouble: Option<String>,
    /// By how much its calendar is ahead of ours; none where it does not tell.
    pub ahead: Option<SignedDuration>,
    /// What may still be called.
    pub left: Vec<Left>,
}

impl Engine {
    /// Asks all systems, or the one of this connection, who we are there: whether they answer and take the login.
    pub async fn greeted(&self, named: Option<&str>) -> Vec<SystemHealth> {
        let mut systems = Vec::new();
        for (name, connector) in self.shared.connections.iter().filter(|(name, _)| named.is_none_or(|n| n == *name)) {
            let trouble = connector.hello().await.err().and_then(|error| match error {
                // Who refuses this one question is there.
                CallError::Refused { .. } => None,
                other => Some(other.to_string()),
            });
            systems.push(SystemHealth { name: name.clone(), trouble, ahead: None, left: Vec::new() });
        }
        systems.sort_by(|a, b| a.name.cmp(&b.name));
        systems
    }

    /// Examines the systems and the project. What one system refuses is told and keeps nothing else from being looked at.
    ///
    /// # Errors
    /// The store, and a person who stops it.
    pub async fn examine(
        &self,
        examined: Examined,
        near: fn(&str, &[&str]) -> Option<String>,
        cancel: &Cancel,
    ) -> Result<Health, PassError> {
        let _turn = self.turn.lock().await;
        let mut health = Health { systems: self.greeted(None).await, ..Health::default() };
        let reached = |name: &str| health.systems.iter().any(|s| s.name == *name && s.trouble.is_none());
        let program = &self.shared.project.program;
        let named = uses(program);
        let mut ailments = Vec::new();
        if examined.whole {
            ailments.extend(rights::missing(&self.shared, &reached).await);
            ailments.extend(periods::closed(&self.shared, &named, &reached).await);
        }
        let (told, unread) = codes::wrong(&self.shared, &named, &reached, near).await;
        ailments.extend(unread);
        let mut sampled = Sampled::default();
        if examined.records > 0 && health.is_reached() {
            sampled = sample::tried(self, examined.records, cancel, &mut ailments).await?;
        }
        (health.codes, health.sampled) = (told, sampled);
        for system in &mut health.systems {
            let Some(connector) = self.shared.connections.get(&system.name) else { continue };
            let vitals = connector.vitals();
            (system.ahead, system.left) = (vitals.ahead, vitals.left);
            if let Some(ahead) = vitals.ahead.filter(|ahead| examined.whole && ahead.abs() > AHEAD_MAX) {
                ailments.push(clock(&system.name, ahead));
            }
        }
        health.ailments = ailments;
        Ok(health)
    }
}

fn clock(system: &str, ahead: SignedDuration) -> Ailment {
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    Ailment {
        kind: "clock",
        system: system.to_owned(),
        message: format!("its clock is {} minutes {way} this machine's", ahead.abs().as_mins()),
        help: "let both machines set their clocks by the network (NTP): logins are signed with the time, and changes are found \
               by it"
            .to_owned(),
        span: None,
    }
}
