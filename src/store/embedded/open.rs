//! Opening the file: ours alone, of a format that we know, sealed with this key.

use super::tables::{FORMAT, META, REFRESHES, Trouble, create_all, decode, encode, meta};
use crate::store::seal::{Key, Seal};
use crate::store::{StoreError, embedded::writer::Refresher};
use redb::{Builder, Database, ReadableTable as _, StorageBackend};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Bytes of the file that stay in memory.
const CACHE_BYTES: usize = 16 << 20;
/// What is sealed to know the key again.
const CHECK: &[u8] = b"flowc store";

/// Opens the store, or makes it.
pub(super) fn open(path: &Path, key: &Key) -> Result<(Database, Seal), StoreError> {
    let name = path.display().to_string();
    // The file's format is checked deep inside; what it does with a file that somebody has cut or overwritten may be
    // a panic, and that is no bug of ours but a damaged file.
    match catch_unwind(AssertUnwindSafe(|| open_or_make(path, key))) {
        Ok(result) => result.map_err(|trouble| trouble.at(&name)),
        Err(_) => Err(StoreError::Damaged { path: name, what: "its pages do not fit together".to_owned() }),
    }
}

fn open_or_make(path: &Path, key: &Key) -> Result<(Database, Seal), Trouble> {
    if !path.exists() {
        make(path, key)?;
    }
    ready(builder().open(path)?, &path.display().to_string(), key)
}

/// Opens the store that is in these bytes, or makes it in them. `name` is what messages call it.
pub(super) fn over(bytes: impl StorageBackend, name: &str, key: &Key) -> Result<(Database, Seal), StoreError> {
    let open_or_make = || {
        let is_new = bytes.len().map_err(|e| Trouble::File(Box::new(redb::Error::Io(e))))? == 0;
        let database = builder().create_with_backend(bytes)?;
        if is_new {
            fill(&database, key)?;
        }
        ready(database, name, key)
    };
    let done = catch_unwind(AssertUnwindSafe(open_or_make));
    done.unwrap_or(Err(Trouble::Value("meta"))).map_err(|trouble| trouble.at(name))
}

/// The database of a store, its format and its key found to be the right ones.
fn ready(database: Database, name: &str, key: &Key) -> Result<(Database, Seal), Trouble> {
    let format = meta(&database, "format")?.ok_or(Trouble::Value("meta"))?;
    let format = u32::from_be_bytes(format.try_into().map_err(|_| Trouble::Value("meta"))?);
    if format > FORMAT {
        return Err(StoreError::Newer { path: name.to_owned(), found: format, known: FORMAT }.into());
    }
    let salt = meta(&database, "salt")?.ok_or(Trouble::Value("meta"))?;
    let seal = key.open(&salt.try_into().map_err(|_| Trouble::Value("meta"))?);
    let check = meta(&database, "check")?.ok_or(Trouble::Value("meta"))?;
    if seal.open("meta", &check).is_none_or(|check| check.as_slice() != CHECK) {
        return Err(StoreError::WrongKey { path: name.to_owned() }.into());
    }
    release_refreshes(&database)?;
    Ok((database, seal))
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes the file under another name first: a process that dies half-way leaves no half store behind.
fn make(path: &Path, key: &Key) -> Result<(), Trouble> {
    let io = |e: std::io::Error| Trouble::File(Box::new(redb::Error::Io(e)));
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{}.new", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = make_file(&draft, key).and_then(|()| {
        // A link fails when somebody else was faster; a rename would replace his store.
        match std::fs::hard_link(&draft, path) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(_) => std::fs::rename(&draft, path).map_err(io),
        }
    });
    // It is only a name by now, or worth nothing; a left-over does no harm.
    let _ = std::fs::remove_file(&draft);
    made
}

fn make_file(draft: &Path, key: &Key) -> Result<(), Trouble> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(draft).map_err(|e| Trouble::File(Box::new(redb::Error::Io(e))))?;
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
