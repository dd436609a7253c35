//! Hashes of content and payloads, as text.

use crate::value::text::hex;
use sha2::{Digest as _, Sha256};

/// SHA-256, in hexadecimal digits.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
