//! Files of a system: their bytes, their hash and their kind. What is logged and kept is the hash, never the bytes.

use super::CallError;
use crate::limits;
use crate::value::text::hex;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// A file as its system gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Its bytes, at most [`limits::MOVED_BYTES_MAX`].
    pub bytes: Arc<[u8]>,
    /// Its SHA-256, in hexadecimal digits.
    pub hash: String,
    /// What it is (`image/png`): as its first bytes say, else as its system does.
    pub kind: String,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} bytes ({})", self.kind, self.bytes.len(), self.hash)
    }
}

/// How files of some kinds begin, what they are called, and how their names end.
const KINDS: [(&[u8], &str, &str); 6] = [
    (b"\x89PNG", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF8", "image/gif", "gif"),
    (b"RIFF", "image/webp", "webp"),
    (b"BM", "image/bmp", "bmp"),
    (b"%PDF", "application/pdf", "pdf"),
];

impl File {
    /// A file of these bytes, of which its system says what it is.
    pub fn new(bytes: Vec<u8>, said: Option<&str>) -> Self {
        let known = KINDS.iter().find(|(begins, ..)| bytes.starts_with(begins)).map(|(_, kind, _)| *kind);
        let said = said.and_then(|said| said.split(';').next()).map(str::trim).filter(|said| !said.is_empty());
        let kind = known.or(said).unwrap_or("application/octet-stream").to_owned();
        Self { hash: hex(&Sha256::digest(&bytes)), kind, bytes: bytes.into() }
    }

    /// How the name of such a file ends.
    pub fn ending(&self) -> &'static str {
        KINDS.iter().find(|(_, kind, _)| *kind == self.kind).map_or("bin", |(.., ending)| ending)
    }
}

/// Why a system's files are not given, or take none.
pub(super) fn no_files(system: &str, call: &str) -> CallError {
    CallError::Refused {
        system: system.to_owned(),
        reason: "it has no files that can be moved".to_owned(),
        status: 0,
        call: call.to_owned(),
    }
}

/// What is said of a file that is too large.
pub(super) fn too_large() -> String {
    format!("the file has more than {} MB", limits::MOVED_BYTES_MAX >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        let of = |bytes: &[u8], said: Option<&str>| {
            let file = File::new(bytes.to_vec(), said);
            (file.kind.clone(), file.ending())
        };
        assert_eq!(of(b"\x89PNG\r\n", Some("text/html")), ("image/png".to_owned(), "png"));
        assert_eq!(of(b"plain", Some("text/plain; charset=utf-8")), ("text/plain".to_owned(), "bin"));
        assert_eq!(of(b"", None), ("application/octet-stream".to_owned(), "bin"));
        let file = File::new(b"abc".to_vec(), None);
        assert!(file.hash.starts_with("ba7816bf") && file.hash.len() == 64);
        assert!(!format!("{file:?}").contains("abc"), "bytes are never told");
    }
}
