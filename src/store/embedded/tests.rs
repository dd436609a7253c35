//! Disks that are full, and power cuts between any two writes: what no test from outside can bring about in order.

use super::Embedded;
use crate::store::key::Key;
use crate::store::{RecordFilter, State, Store, StoreError};
use redb::StorageBackend;
use redb::backends::{FileBackend, InMemoryBackend};
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
    drop(Embedded::open(&path, &key).unwrap());
    let full = Arc::new(AtomicBool::new(false));
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let disk = Disk { file: FileBackend::new(file).unwrap(), full: Arc::clone(&full) };
    let store = Embedded::over_bytes(disk, "store.redb", &key).unwrap();

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

/// Bytes whose power is cut behind so many writes: what was written stays, nothing more comes.
#[derive(Debug)]
struct Cut {
    bytes: Arc<InMemoryBackend>,
    left: Arc<AtomicUsize>,
}

impl Cut {
    fn power(&self) -> Result<(), Error> {
        let spent = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        spent.map(|_| ()).map_err(|_| Error::other("the power is cut"))
    }
}

impl StorageBackend for Cut {
    fn len(&self) -> Result<u64, Error> {
        self.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.power()?;
        self.bytes.set_len(len)
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.power()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.power()?;
        self.bytes.write(offset, data)
    }
}

/// A store that flowc 0.1 wrote in format 1, and its key: three orders written, three that wait for two writes
/// without an answer, one left out by a person, one parked.
fn format_1() -> (Vec<u8>, Key) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/format1");
    let packed = std::fs::File::open(folder.join("store.redb.gz")).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut bytes).unwrap();
    (bytes, Key::from_text(&std::fs::read_to_string(folder.join("key")).unwrap()))
}

#[tokio::test]
async fn an_upgrade_that_is_cut_anywhere_loses_nothing_and_is_done_by_the_next_opening() {
    let (format_1, key) = format_1();
    let mut cuts = 0;
    loop {
        let bytes = Arc::new(InMemoryBackend::new());
        bytes.set_len(format_1.len() as u64).unwrap();
        bytes.write(0, &format_1).unwrap();
        let over = |left: usize| Cut { bytes: Arc::clone(&bytes), left: Arc::new(AtomicUsize::new(left)) };
        let first = Embedded::over_bytes(over(cuts), "store.redb", &key);
        let whole = first.is_ok();
        drop(first);
        let store = Embedded::over_bytes(over(usize::MAX), "store.redb", &key).unwrap();
        let rows = store.records(&RecordFilter::default()).await.unwrap().rows;
        let states: Vec<(&str, State)> = rows.iter().map(|row| (row.key.as_str(), row.state)).collect();
        let expected = [
            ("10001", State::Written),
            ("10002", State::Waiting),
            ("10003", State::Waiting),
            ("10004", State::Skipped),
            ("10005", State::Written),
            ("10006", State::Written),
            ("10007", State::Parked),
            ("10008", State::Waiting),
        ];
        assert_eq!(states, expected, "cut behind {cuts} writes");
        assert_eq!(store.open_intents(None).await.unwrap().len(), 2, "cut behind {cuts} writes");
        if whole {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 5, "it was cut {cuts} times");
}
