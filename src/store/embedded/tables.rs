//! The tables of the file, and how their values are written.
//!
//! A value is a version byte and JSON; what names people or secrets is sealed on top, what repeats itself is packed below.

use crate::store::StoreError;
use crate::store::disk::disk;
use crate::store::seal::Seal;
use flate2::Compression;
use redb::{ReadableDatabase, TableDefinition as Table, WriteTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{Read as _, Write as _};

/// Version of a value.
const VALUE: u8 = 1;

/// Format, salt, key check, counters.
pub(super) const META: Table<&str, &[u8]> = Table::new("meta");
/// Flow → position.
pub(super) const POSITIONS: Table<&str, &str> = Table::new("positions");
/// Flow, key → sealed row.
pub(super) const RECORDS: Table<(&str, &str), &[u8]> = Table::new("records");
/// State, flow, key: records that wait or are parked.
pub(super) const PENDING: Table<(u8, &str, &str), ()> = Table::new("pending");
/// What is waited for, flow, key.
pub(super) const WAITS: Table<(&str, &str, &str), ()> = Table::new("waits");
/// Flow, state → records.
pub(super) const COUNTS: Table<(&str, u8), u64> = Table::new("counts");
/// Intent → sealed row.
pub(super) const INTENTS: Table<&str, &[u8]> = Table::new("intents");
/// Connection, mapping, entity, key → link.
pub(super) const LINKS: Table<(&str, &str, &str, &str), &[u8]> = Table::new("links");
/// A link from its target's end: target, then source.
pub(super) const TARGETS: Table<TargetEnd, ()> = Table::new("targets");
/// Time, number → packed and sealed entry.
pub(super) const LOG: Table<(i64, u64), &[u8]> = Table::new("log");
/// Flow, key, time, number.
pub(super) const LOG_OF: Table<(&str, &str, i64, u64), ()> = Table::new("log_of");
/// End, time, number.
pub(super) const LOG_ENDS: Table<(i64, i64, u64), ()> = Table::new("log_ends");
/// Person, time, number.
pub(super) const PEOPLE: Table<(&str, i64, u64), ()> = Table::new("people");
/// Person, flow, key: records whose reason may name a person.
pub(super) const NAMED: Table<(&str, &str, &str), ()> = Table::new("named");
/// Hash of rows → their end, packed and sealed rows.
pub(super) const TABLES: Table<&str, (i64, &[u8])> = Table::new("tables");
/// Plan → packed sources.
pub(super) const PLANS: Table<&str, &[u8]> = Table::new("plans");
/// Connection → sealed tokens.
pub(super) const TOKENS: Table<&str, &[u8]> = Table::new("tokens");
/// Connection → who refreshes.
pub(super) const REFRESHES: Table<&str, &[u8]> = Table::new("refreshes");
/// Connection → budget.
pub(super) const BUDGETS: Table<&str, &[u8]> = Table::new("budgets");

/// Target connection, entity, id; source connection, mapping, entity, key.
pub(super) type TargetEnd =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// Why an operation inside the file did not succeed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The file or the disk.
    File(Box<redb::Error>),
    /// A value cannot be read: which table.
    Value(&'static str),
    /// The request itself; found out before anything was changed.
    Refused(StoreError),
}

impl From<redb::TableError> for Trouble {
    fn from(error: redb::TableError) -> Self {
        Self::File(Box::new(error.into()))
    }
}

impl From<redb::StorageError> for Trouble {
    fn from(error: redb::StorageError) -> Self {
        Self::File(Box::new(error.into()))
    }
}

impl From<redb::CommitError> for Trouble {
    fn from(error: redb::CommitError) -> Self {
        Self::File(Box::new(error.into()))
    }
}

impl From<redb::TransactionError> for Trouble {
    fn from(error: redb::TransactionError) -> Self {
        Self::File(Box::new(error.into()))
    }
}

impl From<redb::DatabaseError> for Trouble {
    fn from(error: redb::DatabaseError) -> Self {
        Self::File(Box::new(error.into()))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Trouble {
    /// What the disk said.
    pub(super) fn io(error: std::io::Error) -> Self {
        Self::File(Box::new(redb::Error::Io(error)))
    }

    /// In the caller's terms.
    pub(super) fn at(self, path: &str) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Value(table) => StoreError::Damaged { path, what: format!("an entry of its table `{table}`") },
            Self::File(error) => match *error {
                redb::Error::DatabaseAlreadyOpen => StoreError::InUse { path, owner: None },
                redb::Error::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                    StoreError::Damaged { path, what: e.to_string() }
                }
                redb::Error::Io(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                    StoreError::Damaged { path, what: "it ends too early".to_owned() }
                }
                redb::Error::Io(e) => disk(path, &e),
                redb::Error::PreviousIo => {
                    let what = "an earlier write has failed".to_owned();
                    StoreError::Disk { path, what, mend: "look after the disk" }
                }
                redb::Error::TableAlreadyOpen(..) => StoreError::Misused { what: error.to_string() },
                redb::Error::DatabaseClosed => StoreError::Closed,
                other => StoreError::Damaged { path, what: other.to_string() },
            },
        }
    }
}

/// A value as bytes.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = vec![VALUE];
    serde_json::to_writer(&mut out, value).expect("rows of the store hold texts, numbers and lists only");
    out
}

/// A value from its bytes.
pub(super) fn decode<T: DeserializeOwned>(table: &'static str, bytes: &[u8]) -> Result<T, Trouble> {
    let Some((&VALUE, json)) = bytes.split_first() else { return Err(Trouble::Value(table)) };
    serde_json::from_slice(json).map_err(|_| Trouble::Value(table))
}

/// A value as sealed bytes.
pub(super) fn seal_value<T: Serialize>(seal: &Seal, table: &'static str, value: &T) -> Vec<u8> {
    seal.close(table, &encode(value))
}

/// A value from its sealed bytes.
pub(super) fn open_value<T: DeserializeOwned>(seal: &Seal, table: &'static str, bytes: &[u8]) -> Result<T, Trouble> {
    decode(table, &seal.open(table, bytes).ok_or(Trouble::Value(table))?)
}

/// Bytes, packed.
pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// Bytes, unpacked.
pub(super) fn unpack(table: &'static str, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let mut out = Vec::new();
    flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut out).map_err(|_| Trouble::Value(table))?;
    Ok(out)
}

/// Makes every table, so that readers find them.
pub(super) fn create_all(transaction: &WriteTransaction) -> Result<(), Trouble> {
    transaction.open_table(META)?;
    transaction.open_table(POSITIONS)?;
    transaction.open_table(RECORDS)?;
    transaction.open_table(PENDING)?;
    transaction.open_table(WAITS)?;
    transaction.open_table(COUNTS)?;
    transaction.open_table(INTENTS)?;
    transaction.open_table(LINKS)?;
    transaction.open_table(TARGETS)?;
    transaction.open_table(LOG)?;
    transaction.open_table(LOG_OF)?;
    transaction.open_table(LOG_ENDS)?;
    transaction.open_table(PEOPLE)?;
    transaction.open_table(NAMED)?;
    transaction.open_table(TABLES)?;
    transaction.open_table(PLANS)?;
    transaction.open_table(TOKENS)?;
    transaction.open_table(REFRESHES)?;
    transaction.open_table(BUDGETS)?;
    Ok(())
}

/// A value of `META`.
pub(super) fn meta(database: &redb::Database, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let transaction = database.begin_read()?;
    let table = match transaction.open_table(META) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(table.get(name)?.map(|value| value.value().to_vec()))
}
