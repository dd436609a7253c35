//! The version of a project: a hash of everything that a record's outcome depends on.

use crate::source::Sources;
use crate::value::text::hex;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The hash of all texts, the answers on the command line, and this edition.
pub(super) fn version(sources: &Sources, scripts: &BTreeMap<Arc<str>, String>) -> String {
    let mut texts: Vec<(String, &str)> =
        sources.iter().map(|(_, source)| (source.path.display().to_string(), &*source.text)).collect();
    texts.extend(scripts.iter().map(|(name, text)| (name.to_string(), text.as_str())));
    // The order of files is the disk's.
    texts.sort();
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for (name, text) in texts {
        for part in [name.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize()[..16])
}
