//! Hashes of content and payloads, as text.

use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// SHA-256, in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing into memory does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
