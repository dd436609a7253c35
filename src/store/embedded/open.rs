//! Opening the file: ours alone, sealed with this key, of a format that we know or can bring up to ours.

use super::claim::Claim;
use super::tables::{META, REFRESHES, Trouble, create_all, decode, encode, meta};
use super::upgrade::{self, FORMAT};
use super::{File, writer::Refresher};
use crate::store::disk::{clear_drafts, draft_of, folder_of, keep_names};
use crate::store::key::Key;
use crate::store::seal::Seal;
use crate::store::{StoreError, Upgraded};
use redb::{Builder, Database, ReadableTable as _, StorageBackend};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Bytes of the file that stay in memory.
const CACHE_BYTES: usize = 16 << 20;
/// What is sealed to know the key again.
const CHECK: &[u8] = b"flowc store";
/// What a panic deep inside the file means.
pub(super) const TORN: &str = "its pages do not fit together";

/// Opens the store, or makes it; tells what it was before, where it was of an older format.
pub(super) fn open(path: &Path, key: &Key, command: &str) -> Result<(File, Option<Upgraded>), StoreError> {
    let name = path.display().to_string();
    let claim = Claim::take(path, command)?;
    let (database, seal, upgraded) = guarded(&name, || open_or_make(path, key))?;
    Ok((File::new(&name, database, seal, Some(claim)), upgraded))
}

/// Opens the store that is in these bytes, or makes it in them. `name` is what messages call it.
pub(super) fn over(bytes: impl StorageBackend, name: &str, key: &Key) -> Result<File, StoreError> {
    guarded(name, || {
        let is_new = bytes.len().map_err(Trouble::io)? == 0;
        let database = builder().create_with_backend(bytes)?;
        if is_new {
            fill(&database, key)?;
        }
        let (format, seal) = admitted(&database, name, key)?;
        upgrade::perform(&database, &seal, format)?;
        release_refreshes(&database)?;
        Ok(File::new(name, database, seal, None))
    })
}

/// The file's format is checked deep inside; what it does with a file that somebody has cut or overwritten may be a
/// panic, and that is no bug of ours but a damaged file.
fn guarded<T>(name: &str, opens: impl FnOnce() -> Result<T, Trouble>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(opens)) {
        Ok(opened) => opened.map_err(|trouble| trouble.at(name)),
        Err(_) => Err(StoreError::Damaged { path: name.to_owned(), what: TORN.to_owned() }),
    }
}

fn open_or_make(path: &Path, key: &Key) -> Result<(Database, Seal, Option<Upgraded>), Trouble> {
    clear_drafts(path);
    if !path.try_exists().map_err(Trouble::io)? {
        make(path, key)?;
    }
    let database = builder().open(path)?;
    let (format, seal) = admitted(&database, &path.display().to_string(), key)?;
    let (database, upgraded) = upgrade::of_file(database, path, &seal, format)?;
    release_refreshes(&database)?;
    Ok((database, seal, upgraded))
}

/// The format of a store that is not too new, and the seal that opens it.
fn admitted(database: &Database, name: &str, key: &Key) -> Result<(u32, Seal), Trouble> {
    let format = format_of(database)?;
    if format > FORMAT {
        return Err(StoreError::Newer { path: name.to_owned(), found: format, known: FORMAT }.into());
    }
    let salt = meta(database, "salt")?.ok_or(Trouble::Value("meta"))?;
    let seal = key.open(&salt.try_into().map_err(|_| Trouble::Value("meta"))?);
    let check = meta(database, "check")?.ok_or(Trouble::Value("meta"))?;
    if seal.open("meta", &check).is_none_or(|check| check.as_slice() != CHECK) {
        return Err(StoreError::WrongKey { path: name.to_owned(), key: key.whence().to_owned() }.into());
    }
    Ok((format, seal))
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// The format that the file says it has.
pub(super) fn format_of(database: &Database) -> Result<u32, Trouble> {
    let format = meta(database, "format")?.ok_or(Trouble::Value("meta"))?;
    Ok(u32::from_be_bytes(format.try_into().map_err(|_| Trouble::Value("meta"))?))
}

/// Makes the file under another name first: a process that dies half-way leaves no half store behind.
fn make(path: &Path, key: &Key) -> Result<(), Trouble> {
    if let Some(folder) = folder_of(path) {
        std::fs::create_dir_all(folder).map_err(Trouble::io)?;
    }
    let draft = draft_of(path);
    let made = make_file(&draft, key).and_then(|()| {
        // A link fails when somebody else was faster; a rename would replace his store.
        match std::fs::hard_link(&draft, path) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(_) => std::fs::rename(&draft, path).map_err(Trouble::io),
        }
    });
    // It is only a name by now, or worth nothing; a left-over is cleared away by whoever opens the store next.
    let _ = std::fs::remove_file(&draft);
    made?;
    keep_names(path).map_err(Trouble::io)
}

fn make_file(draft: &Path, key: &Key) -> Result<(), Trouble> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(draft).map_err(Trouble::io)?;
    let backend = redb::backends::FileBackend::new(file)?;
    fill(&builder().create_with_backend(backend)?, key)
}

fn fill(database: &Database, key: &Key) -> Result<(), Trouble> {
    let transaction = database.begin_write()?;
    create_all(&transaction)?;
    {
        let salt = rand::random::<[u8; 16]>();
        let mut table = transaction.open_table(META)?;
        table.insert("format", FORMAT.to_be_bytes().as_slice())?;
        table.insert("salt", salt.as_slice())?;
        table.insert("check", key.open(&salt).close("meta", CHECK).as_slice())?;
    }
    transaction.commit()?;
    Ok(())
}

/// The file has one owner, so whoever held a right to refresh is dead; that he had begun stays known.
fn release_refreshes(database: &Database) -> Result<(), Trouble> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(REFRESHES)?;
        let held: Vec<(String, Refresher)> = table
            .iter()?
            .map(|row| {
                let (connection, value) = row?;
                Ok((connection.value().to_owned(), decode("refreshes", value.value())?))
            })
            .collect::<Result<_, Trouble>>()?;
        for (connection, refresher) in held {
            let released = Refresher { holder: String::new(), until: refresher.since, ..refresher };
            table.insert(connection.as_str(), encode(&released).as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}
