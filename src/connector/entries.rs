//! The entries of a `connect` block, as values that a connector can use.

use crate::ir::{Connection, ConnectionValue, Const};
use secrecy::SecretString;

/// Why a connection cannot be opened. All of it stands in the project or beside it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// An entry is missing.
    #[error("connection `{connection}` has no `{entry}`: add it to its `connect` block")]
    Missing {
        /// The connection.
        connection: String,
        /// The entry.
        entry: String,
    },
    /// A secret is not set.
    #[error(
        "connection `{connection}` needs the secret `{secret}`, which is not set: put it into the environment or into .flowc/secrets"
    )]
    NoSecret {
        /// The connection.
        connection: String,
        /// The secret.
        secret: String,
    },
    /// An entry is of no use.
    #[error("connection `{connection}`: its `{entry}` {reason}")]
    Entry {
        /// The connection.
        connection: String,
        /// The entry.
        entry: String,
        /// Why; without its value.
        reason: String,
    },
    /// The sandbox whose clock it lives by does not tell the time.
    #[error("connection `{connection}`: the sandbox of its `clock` {reason}")]
    NoClock {
        /// The connection.
        connection: String,
        /// Why.
        reason: String,
    },
    /// There is no such connector.
    #[error("connection `{connection}` uses the connector `{name}`, and this flowc cannot talk to such a system")]
    UnknownConnector {
        /// The connection.
        connection: String,
        /// The connector.
        name: String,
    },
}

/// Where `secret("NAME")` is looked up.
pub trait Secrets: Send + Sync {
    /// The secret of that name; none when nobody has set it.
    fn secret(&self, name: &str) -> Option<SecretString>;
}

/// The entries of a connection.
pub(super) struct Entries<'a> {
    connection: &'a Connection,
    secrets: &'a dyn Secrets,
}

impl<'a> Entries<'a> {
    pub(super) fn new(connection: &'a Connection, secrets: &'a dyn Secrets) -> Self {
        Self { connection, secrets }
    }

    fn value(&self, name: &str) -> Option<&'a ConnectionValue> {
        self.connection.entries.iter().find(|(entry, _)| &**entry == name).map(|(_, value)| value)
    }

    /// An entry whose value is used in the open. It may still have come from a secret, so that no message may hold it:
    /// messages name the entry.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, OpenError> {
        match self.value(name) {
            None | Some(ConnectionValue::Plain(Const::Absent)) => Ok(None),
            Some(ConnectionValue::Plain(value)) => Ok(Some(plain(value))),
            Some(ConnectionValue::Secret(secret)) => {
                let found = self.found(secret)?;
                Ok(Some(secrecy::ExposeSecret::expose_secret(&found).to_owned()))
            }
        }
    }

    /// An entry that must be there.
    pub(super) fn needed(&self, name: &str) -> Result<String, OpenError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// An entry that nobody may see.
    pub(super) fn secret(&self, name: &str) -> Result<Option<SecretString>, OpenError> {
        match self.value(name) {
            None | Some(ConnectionValue::Plain(Const::Absent)) => Ok(None),
            Some(ConnectionValue::Plain(value)) => Ok(Some(SecretString::from(plain(value)))),
            Some(ConnectionValue::Secret(secret)) => self.found(secret).map(Some),
        }
    }

    /// An entry that nobody may see and that must be there.
    pub(super) fn needed_secret(&self, name: &str) -> Result<SecretString, OpenError> {
        self.secret(name)?.ok_or_else(|| self.missing(name))
    }

    /// Certificates that the connection trusts besides this machine's: the entry holds their text.
    pub(super) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, OpenError> {
        let Some(text) = self.text("ca")? else { return Ok(Vec::new()) };
        let found = reqwest::Certificate::from_pem_bundle(text.as_bytes());
        found.ok().filter(|found| !found.is_empty()).ok_or_else(|| OpenError::Entry {
            connection: self.connection.name.to_string(),
            entry: "ca".to_owned(),
            reason: "holds no certificate".to_owned(),
        })
    }

    fn found(&self, secret: &str) -> Result<SecretString, OpenError> {
        self.secrets.secret(secret).ok_or_else(|| OpenError::NoSecret {
            connection: self.connection.name.to_string(),
            secret: secret.to_owned(),
        })
    }

    fn missing(&self, entry: &str) -> OpenError {
        OpenError::Missing { connection: self.connection.name.to_string(), entry: entry.to_owned() }
    }
}

fn plain(value: &Const) -> String {
    match value {
        Const::Absent => String::new(),
        Const::Bool(yes) => yes.to_string(),
        Const::Number(number) => number.normalize().to_string(),
        Const::Text(text) => text.trim().to_owned(),
        Const::Date(date) => date.to_string(),
        Const::Instant(instant) => instant.to_string(),
        Const::Duration(duration) => duration.as_secs().to_string(),
        Const::List(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
    }
}
