//! Whose a refusal is. A server, a firewall or a plugin that refuses one call answers as it would if the login were
//! lost. So a cheap call that must succeed is made: only if that is refused as well, the login is lost and the flow ends;
//! else the refusal is of this one call. Many refusals at once need one proof.

use super::CallError;
use super::clock::Clock;
use crate::limits;
use std::sync::Arc;

/// Why an answer is none.
#[derive(Debug)]
pub(super) enum Amiss {
    /// What it means is plain.
    Plain(CallError),
    /// A lost login would be answered like this, too.
    Doubtful(Doubt),
}

/// A refusal, and what it means in either case.
#[derive(Debug)]
pub(super) struct Doubt {
    /// If it is of this call alone.
    pub(super) refused: CallError,
    /// If the login is lost: what was said, and what to do.
    pub(super) lost: String,
}

impl From<CallError> for Amiss {
    fn from(error: CallError) -> Self {
        Self::Plain(error)
    }
}

/// Whether the login of a connection is good.
pub(super) struct Proof {
    system: Arc<str>,
    clock: Arc<Clock>,
    /// What was proved last, and when. Held while it is being proved: whoever is refused meanwhile waits for the result.
    made: tokio::sync::Mutex<Option<(i64, Standing)>>,
}

#[derive(Clone)]
enum Standing {
    Good,
    Lost(CallError),
    /// It could not be proved: the system answers nobody, or no call is left.
    Open(CallError),
}

impl Proof {
    pub(super) fn new(system: Arc<str>, clock: Arc<Clock>) -> Self {
        Self { system, clock, made: tokio::sync::Mutex::default() }
    }

    /// What a doubtful refusal means. `prove` makes the call that must succeed, if it was not made a moment ago.
    pub(super) async fn judge<T>(&self, doubt: Doubt, prove: impl Future<Output = Result<T, Amiss>>) -> CallError {
        match self.verdict(prove).await {
            Standing::Good => doubt.refused,
            Standing::Lost(error) | Standing::Open(error) => error,
        }
    }

    async fn verdict<T>(&self, prove: impl Future<Output = Result<T, Amiss>>) -> Standing {
        let mut made = self.made.lock().await;
        if let Some((at, verdict)) = made.as_ref()
            && self.still_holds(*at, verdict)
        {
            return verdict.clone();
        }
        let verdict = match prove.await {
            Ok(_) => Standing::Good,
            Err(Amiss::Doubtful(doubt)) => {
                Standing::Lost(CallError::Login { system: self.system.to_string(), reason: doubt.lost })
            }
            Err(Amiss::Plain(error)) => self.class(error),
        };
        *made = Some((self.clock.moment().ms, verdict.clone()));
        verdict
    }

    fn still_holds(&self, at: i64, verdict: &Standing) -> bool {
        let gone = self.clock.moment().ms.saturating_sub(at);
        let fresh = (0..limits::LOGIN_PROOF_SECONDS * 1_000).contains(&gone);
        match verdict {
            Standing::Good | Standing::Lost(_) => fresh,
            Standing::Open(CallError::Later { until, .. }) => fresh && *until > self.clock.now(),
            Standing::Open(_) => false,
        }
    }

    /// What the proving call's plain failure means.
    fn class(&self, error: CallError) -> Standing {
        match error {
            // It was read, and answered in the API's own words: it was let in.
            CallError::Refused { .. } => Standing::Good,
            CallError::Login { .. } => Standing::Lost(error),
            CallError::Later { .. } => Standing::Open(error),
            CallError::Unknown { system, reason } | CallError::Garbled { system, what: reason } => {
                let until = super::http::soon(self.clock.now());
                let reason =
                    format!("it refused a call, and then it could not be asked whether the login is good ({reason})");
                Standing::Open(CallError::Later { system, until, reason })
            }
        }
    }
}
