//! A disk that is full, which no test from outside can bring about.

use super::{Embedded, open};
use crate::store::seal::Key;
use crate::store::{Store, StoreError};
use redb::StorageBackend;
use redb::backends::FileBackend;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A file on a disk that can be full.
#[derive(Debug)]
struct Disk {
    file: FileBackend,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn room(&self) -> Result<(), Error> {
        if self.full.load(Ordering::SeqCst) { Err(Error::from(ErrorKind::StorageFull)) } else { Ok(()) }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.room()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.room()?;
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.room()?;
        self.file.write(offset, data)
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let key = Key::from_text(&"1".repeat(64));
    let (database, seal) = open::open(&path, &key).unwrap();
    drop(database);
    let full = Arc::new(AtomicBool::new(false));
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let disk = Disk { file: FileBackend::new(file).unwrap(), full: Arc::clone(&full) };
    let database = redb::Builder::new().create_with_backend(disk).unwrap();
    let store = Embedded::over(&path, database, seal).unwrap();

    store.advance("orders", "before").await.unwrap();
    full.store(true, Ordering::SeqCst);
    for position in ["at", "after"] {
        let error = store.advance("orders", position).await.unwrap_err();
        assert!(matches!(error, StoreError::Disk { .. }), "{error}");
        assert!(error.to_string().contains("make room"), "{error}");
    }
    drop(store);
    full.store(false, Ordering::SeqCst);
    let store = Embedded::open(&path, &key).unwrap();
    assert_eq!(store.position("orders").await.unwrap().as_deref(), Some("before"));
}
