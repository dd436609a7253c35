//! What a call without a usable answer means.

/// Why a call has no usable answer, by what may be done next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// This call was refused: it was not carried out, and the same call would be refused again. Not to be repeated; the
    /// ledger counts errors. A call that is refused as a lost login would be (401, 403, 404, 406, a redirect, a firewall's
    /// page) is one of these if the login has just been proved to be good. It says nothing of what is there: a refused
    /// question has no answer.
    #[error("{system} refused: {reason}")]
    Refused {
        /// The connection.
        system: String,
        /// What it said, and what to do.
        reason: String,
        /// The HTTP status; 0 when it was not even asked, since the schema shows that it would be refused.
        status: u16,
        /// Method and resource, for counting equal refusals.
        call: String,
    },
    /// Nothing happened; it may be tried again at that time: a limit, an outage of a read, a login that is being renewed,
    /// or a refusal of which it could not be proved whose it is.
    #[error("calls to {system} wait until {until:.0}: {reason}")]
    Later {
        /// The connection.
        system: String,
        /// When, by [`super::Connector::now`]. Never at once again where the system asked to wait, and never in more than a day.
        until: jiff::Timestamp,
        /// Why.
        reason: String,
    },
    /// It may have taken effect: search by key before any second attempt. So is a write that was answered as done, and by
    /// what cannot be read, without the key of the new record, or with another record's.
    #[error("{system} has not answered ({reason}); it may have taken effect")]
    Unknown {
        /// The connection.
        system: String,
        /// What was seen.
        reason: String,
    },
    /// The login is lost, or we are kept out altogether: a call that must succeed was refused, too, or the other side does
    /// not prove who it is. Nothing happened; only a person can help, and every other call would end like this.
    #[error("{system} can't be used as it is set up: {reason}")]
    Login {
        /// The connection.
        system: String,
        /// What it said, and what to do.
        reason: String,
    },
    /// The answer to a read makes no sense: HTML, truncated, too large, in a circle. It may be tried again. Of writes it is
    /// [`CallError::Unknown`].
    #[error("{system} answered {what}")]
    Garbled {
        /// The connection.
        system: String,
        /// What came.
        what: String,
    },
}

impl CallError {
    /// What the system did, without what follows for the call: the same each time that it does so.
    pub fn cause(&self) -> String {
        match self {
            Self::Refused { reason, .. }
            | Self::Later { reason, .. }
            | Self::Unknown { reason, .. }
            | Self::Login { reason, .. } => reason.clone(),
            Self::Garbled { what, .. } => format!("it answered {what}"),
        }
    }
}
