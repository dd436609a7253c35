//! Files as the store needs them: names beside its own, drafts that become whole files, and the trouble that a disk makes.

use crate::store::StoreError;
use std::ffi::OsStr;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// The file beside this one whose name goes on: `store.redb.lock`.
pub(super) fn beside(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(more);
    PathBuf::from(name)
}

/// Where a file that is to come into being whole is made first. Its name says whose it is, and that it is worth nothing.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    beside(path, &format!("{}.new", std::process::id()))
}

/// Removes drafts that a process left behind which died over them. Only who has claimed the store may do so: then nobody
/// is at work on any.
pub(super) fn clear_drafts(path: &Path) {
    let (Some(folder), Some(name)) = (folder_of(path), path.file_name()) else { return };
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok).filter(|entry| is_draft(&entry.file_name(), name)) {
        // One that stays does no harm but take room.
        let _ = std::fs::remove_file(entry.path());
    }
}

/// `store.redb.4711.new` and `store.redb.format1.4711.new`.
fn is_draft(name: &OsStr, of: &OsStr) -> bool {
    let (name, of) = (name.to_string_lossy(), of.to_string_lossy());
    let Some(between) = name.strip_prefix(&*of).and_then(|rest| rest.strip_suffix(".new")) else { return false };
    let Some((_, process)) = between.rsplit_once('.') else { return false };
    !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit())
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
}

/// Makes names in this file's folder durable: without it a power cut may take a file that was written whole.
pub(super) fn keep_names(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    if let Some(folder) = folder_of(path) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// What the disk said of this file, as trouble of the store: with what may be done about it.
pub(super) fn trouble(path: &Path, error: &Error) -> StoreError {
    disk(path.display().to_string(), error)
}

/// See [`trouble`].
pub(super) fn disk(path: String, error: &Error) -> StoreError {
    let mend = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "make room on its disk",
        ErrorKind::PermissionDenied => "let this user read and write the file and its folder",
        ErrorKind::ReadOnlyFilesystem => {
            "its disk can only be read: make it writable, or name another store with --store"
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "its folder is not there: make it, attach its disk, or name another store with --store"
        }
        ErrorKind::IsADirectory => "a folder stands in its place: move it away, or name another store with --store",
        _ => "look after the disk",
    };
    StoreError::Disk { path, what: error.to_string(), mend }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn each_trouble_of_a_disk_has_its_mend() {
        // Numbers of Linux, as its system calls give them.
        let cases = [
            (28, "make room"),
            (122, "make room"),
            (27, "make room"),
            (13, "let this user read and write"),
            (1, "let this user read and write"),
            (30, "can only be read"),
            (2, "its folder is not there"),
            (20, "its folder is not there"),
            (21, "a folder stands in its place"),
            (5, "look after the disk"),
        ];
        for (number, mend) in cases {
            let error = Error::from_raw_os_error(number);
            let said = trouble(Path::new("store.redb"), &error).to_string();
            assert!(said.contains(mend) && said.contains(&error.to_string()), "{number}: {said}");
            assert!(said.contains("store.redb") && said.contains("Nothing that was done is lost"), "{said}");
        }
    }

    #[test]
    fn only_drafts_of_the_file_are_cleared_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let (drafts, others) = (
            ["store.redb.4711.new", "store.redb.format1.4711.new"],
            ["store.redb", "store.redb.new", "store.redb.lock", "store.redb.format1", "store.redb.mine.new", "a.1.new"],
        );
        for name in drafts.iter().chain(&others) {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        clear_drafts(&path);
        assert!(drafts.iter().all(|name| !folder.path().join(name).exists()), "drafts go");
        assert!(others.iter().all(|name| folder.path().join(name).exists()), "all else stays");
    }
}
