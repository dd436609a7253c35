//! Whose the file is: a lock that ends with its process, whatever ends that, and in the locked file who holds it.

use crate::store::disk::{beside, trouble};
use crate::store::{Owner, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::Path;

/// The right to the store's file, until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    lock: File,
}

/// An owner, as it stands in the locked file.
#[derive(Serialize, Deserialize)]
struct Row {
    process: u32,
    since: Timestamp,
    command: String,
}

impl Claim {
    /// Takes the file, or tells who has it. The lock's own file stays behind: whoever removed it could not know that
    /// nobody else is about to lock it.
    pub(super) fn take(path: &Path, command: &str) -> Result<Self, StoreError> {
        let at = beside(path, "lock");
        let failed = |e: &std::io::Error| trouble(&at, e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut lock = options.open(&at).map_err(|e| failed(&e))?;
        match lock.try_lock() {
            // A file system without locks: the database has one more of its own, and refuses a second owner by it.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: path.display().to_string(), owner: owner(&mut lock) });
            }
        }
        let row = Row { process: std::process::id(), since: Timestamp::now(), command: command.to_owned() };
        let row = serde_json::to_vec(&row).expect("numbers and a text have a form as JSON");
        lock.set_len(0).and_then(|()| lock.write_all(&row)).map_err(|e| failed(&e))?;
        Ok(Self { lock })
    }
}

impl Drop for Claim {
    /// Who has let go is no owner; a name that is left behind is one of a process that is not there any more.
    fn drop(&mut self) {
        let _ = self.lock.set_len(0);
    }
}

/// Who says that the file is his. None where nobody has said so yet, or where that is of a process that has died.
fn owner(lock: &mut File) -> Option<Owner> {
    let mut text = String::new();
    lock.read_to_string(&mut text).ok()?;
    let Row { process, since, command } = serde_json::from_str(&text).ok()?;
    is_alive(process).then_some(Owner { process, since, command })
}

/// Whether there is such a process, where the system tells; elsewhere the lock alone counts.
fn is_alive(process: u32) -> bool {
    !Path::new("/proc/self").exists() || Path::new("/proc").join(process.to_string()).exists()
}
