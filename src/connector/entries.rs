//! The entries of a `connect` block, as values that a connector can use.

use super::OpenError;
use crate::ir::{Connection, ConnectionValue, Const};
use secrecy::SecretString;

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
