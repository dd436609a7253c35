//! The files of a corpus.

use std::path::{Path, PathBuf};

/// The `.flow` files in and below a folder.
pub(crate) fn flow_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the sources") {
        let path = entry.expect("the corpus can be read").path();
        if path.is_dir() {
            flow_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "flow") {
            found.push(path);
        }
    }
    found.sort();
}
