//! A disk that can crash: what was synced stays, of what was written since then a part may be there, in any order, some
//! of it torn.

use super::chance::mix;
use redb::StorageBackend;
use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that a disk writes as one.
const SECTOR: usize = 512;

/// A disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    /// Since the last sync, the oldest first.
    unsynced: Vec<Written>,
    /// Whose writes count: a process that has died writes no more.
    process: u64,
    /// The power goes when so many more writes and syncs have begun.
    power: Option<u32>,
    /// It says that it has synced, and has not.
    lies: bool,
}

#[derive(Debug)]
struct Written {
    at: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// The disk, as one process has it open.
#[derive(Debug)]
pub(crate) struct Handle {
    disk: Disk,
    process: u64,
}

impl Disk {
    /// A disk with these bytes, all of them synced.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter { bytes, ..Platter::default() })))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.platter().bytes.clone()
    }

    /// As the next process opens it.
    pub(crate) fn open(&self) -> Handle {
        let mut platter = self.platter();
        platter.process += 1;
        Handle { disk: self.clone(), process: platter.process }
    }

    /// The power will go at that write or sync, counted from now.
    pub(crate) fn power_goes_in(&self, writes: u32) {
        // What is to go, or has gone, comes back by nothing.
        self.platter().power.get_or_insert(writes);
    }

    /// It does not go after all.
    pub(crate) fn power_stays(&self) {
        self.platter().power = None;
    }

    /// A disk that lies.
    pub(crate) fn lies(&self) {
        self.platter().lies = true;
    }

    /// Whether it has gone.
    pub(crate) fn power_is_gone(&self) -> bool {
        self.platter().power == Some(0)
    }

    /// The process dies, and so does the machine: of what was not synced, a part that this number chooses stays.
    pub(crate) fn crash(&self, choice: u64) {
        let mut platter = self.platter();
        platter.process += 1;
        platter.power = None;
        let unsynced = std::mem::take(&mut platter.unsynced);
        for written in unsynced.iter().rev() {
            platter.put(written.at, &written.before);
        }
        if choice == 0 {
            return;
        }
        for (n, written) in unsynced.iter().enumerate() {
            for (s, sector) in written.after.chunks(SECTOR).enumerate() {
                let kept = mix(choice ^ mix((n as u64) << 20 | if choice.is_multiple_of(2) { s as u64 } else { 0 }));
                if kept.is_multiple_of(2) {
                    platter.put(written.at + s * SECTOR, sector);
                }
            }
        }
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }
}

impl Platter {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }

    /// One write or sync more.
    fn step(&mut self) -> Result<(), Error> {
        match &mut self.power {
            None => Ok(()),
            Some(left) => {
                *left = left.saturating_sub(1);
                if *left == 0 { Err(Error::other("the power is gone")) } else { Ok(()) }
            }
        }
    }
}

impl Handle {
    fn platter(&self) -> Result<MutexGuard<'_, Platter>, Error> {
        let platter = self.disk.platter();
        let dead = platter.process != self.process || platter.power == Some(0);
        if dead { Err(Error::other("this process is dead")) } else { Ok(platter) }
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

impl StorageBackend for Handle {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.platter()?.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let platter = self.platter()?;
        let at = position(offset);
        let bytes = platter.bytes.get(at..at + out.len()).ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        // Room that was made and never written does no harm, so a crash leaves it.
        let mut platter = self.platter()?;
        platter.bytes.resize(position(len), 0);
        let end = platter.bytes.len();
        platter.unsynced.retain(|written| written.at + written.before.len() <= end);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut platter = self.platter()?;
        platter.step()?;
        if !platter.lies {
            platter.unsynced.clear();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut platter = self.platter()?;
        platter.step()?;
        let at = position(offset);
        let before = platter.bytes.get(at..at + data.len()).ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        let before = before.to_vec();
        platter.unsynced.push(Written { at, before, after: data.to_vec() });
        platter.put(at, data);
        Ok(())
    }
}
