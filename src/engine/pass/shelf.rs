//! Files that were read in a pass and may be sent in it: held in memory, as far as there is room.

use crate::connector::File;
use crate::limits;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Files that were read in a pass, by their hashes.
#[derive(Default)]
pub(crate) struct Held(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    files: HashMap<String, File>,
    bytes: usize,
}

impl Held {
    pub(crate) fn put(&self, file: &File) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = shelf.bytes + file.bytes.len();
        if bytes <= limits::FILES_HELD_BYTES_MAX && shelf.files.insert(file.hash.clone(), file.clone()).is_none() {
            shelf.bytes = bytes;
        }
    }

    /// Takes a file out: what is made of it is made once.
    pub(crate) fn take(&self, hash: &str) -> Option<File> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = shelf.files.remove(hash)?;
        shelf.bytes -= file.bytes.len();
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_as_far_as_there_is_room_and_taken_once() {
        let held = Held::default();
        let (small, large) = (File::new(vec![1], None), File::new(vec![0; limits::FILES_HELD_BYTES_MAX], None));
        held.put(&small);
        held.put(&large);
        assert_eq!(held.take(&large.hash), None, "there is no room for it");
        assert_eq!(held.take(&small.hash).as_ref(), Some(&small));
        assert_eq!(held.take(&small.hash), None);
        held.put(&large);
        assert!(held.take(&large.hash).is_some(), "there is room again");
    }
}
