//! The key of an installation, and what is done with it: values are sealed at rest, and hashed so that only this
//! installation can compare them.

use base64::Engine as _;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Bytes of the random part in front of each sealed value.
const NONCE_BYTES: usize = 24;
/// Rounds that a passphrase is hashed: some tenths of a second once at the start, and for each guess.
const ROUNDS: u32 = 100_000;
/// Name of the file that holds a key which nobody chose.
const KEY_FILE: &str = "key";

type HmacSha256 = Hmac<Sha256>;

/// What seals a store.
pub struct Key(Source);

enum Source {
    Bytes(Zeroizing<[u8; 32]>),
    Passphrase(Zeroizing<String>),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key {path} cannot be {done}: {what}. Without it tokens and log cannot be kept: set FLOWC_KEY instead")]
    File {
        /// The file.
        path: String,
        /// What was tried.
        done: &'static str,
        /// What the system said.
        what: String,
    },
    /// The file holds something else.
    #[error("the file {path} does not hold a key of 32 bytes in base64 or hex: put back the one of this installation")]
    Content {
        /// The file.
        path: String,
    },
}

impl Key {
    /// The key of a project: `FLOWC_KEY`, else the file `key` in this folder, which is made when there is none.
    pub fn find(folder: &Path) -> Result<Self, KeyError> {
        match std::env::var("FLOWC_KEY") {
            Ok(text) if !text.trim().is_empty() => Ok(Self::from_text(&text)),
            Ok(_) | Err(_) => Self::from_file(&folder.join(KEY_FILE)),
        }
    }

    /// 32 bytes in base64 or hex; anything else is a passphrase.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        match decode(text) {
            Some(bytes) => Self(Source::Bytes(bytes)),
            None => Self(Source::Passphrase(Zeroizing::new(text.to_owned()))),
        }
    }

    /// The key in this file; it is made, readable by its owner alone, when there is none.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |done: &'static str| {
            let path = path.display().to_string();
            move |e: std::io::Error| KeyError::File { path, done, what: e.to_string() }
        };
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let bytes =
                    decode(text.trim()).ok_or_else(|| KeyError::Content { path: path.display().to_string() })?;
                Ok(Self(Source::Bytes(bytes)))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let bytes = Zeroizing::new(rand::random::<[u8; 32]>());
                write_key(path, &bytes).map_err(failed("made"))?;
                // Two processes may make it at once: what stands in the file counts.
                let text = Zeroizing::new(std::fs::read_to_string(path).map_err(failed("read"))?);
                let bytes =
                    decode(text.trim()).ok_or_else(|| KeyError::Content { path: path.display().to_string() })?;
                Ok(Self(Source::Bytes(bytes)))
            }
            Err(e) => Err(failed("read")(e)),
        }
    }

    /// The key as it is used in a store with this salt.
    pub(super) fn open(&self, salt: &[u8; 16]) -> Seal {
        let master = match &self.0 {
            Source::Bytes(bytes) => bytes.clone(),
            Source::Passphrase(text) => stretch(text.as_bytes(), salt),
        };
        Seal { sealing: derive(&master, b"flowc sealing 1"), hashing: derive(&master, b"flowc hashing 1") }
    }
}

fn write_key(path: &Path, bytes: &[u8; 32]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let text = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(bytes));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // It comes into being whole: who is killed halfway must not leave a key that opens nothing.
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let from_hex = || {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        (0..32).map(|n| u8::from_str_radix(text.get(2 * n..2 * n + 2)?, 16).ok()).collect::<Option<Vec<u8>>>()
    };
    let bytes = from_hex()
        .or_else(|| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .or_else(|| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok())?;
    let bytes = Zeroizing::new(bytes);
    Some(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?))
}

/// PBKDF2 with one block, which is all that 32 bytes need.
///
/// Source: RFC 8018, section 5.2.
fn stretch(passphrase: &[u8], salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    let keyed = mac(passphrase);
    let mut first = keyed.clone();
    first.update(salt);
    first.update(&1_u32.to_be_bytes());
    let mut round: [u8; 32] = first.finalize().into_bytes().into();
    let mut sum = Zeroizing::new(round);
    for _ in 1..ROUNDS {
        let mut next = keyed.clone();
        next.update(&round);
        round = next.finalize().into_bytes().into();
        for (s, r) in sum.iter_mut().zip(round) {
            *s ^= r;
        }
    }
    sum
}

fn derive(master: &[u8; 32], purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = mac(master);
    mac.update(purpose);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn mac(key: &[u8]) -> HmacSha256 {
    <HmacSha256 as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length")
}

/// Seals, opens and hashes.
pub(super) struct Seal {
    sealing: Zeroizing<[u8; 32]>,
    hashing: Zeroizing<[u8; 32]>,
}

impl Seal {
    /// Seals a value; `place` is the table it stands in, so that it opens nowhere else.
    pub(super) fn close(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let nonce = rand::random::<[u8; NONCE_BYTES]>();
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: place.as_bytes() })
            .expect("a value that fits in memory is shorter than the cipher's limit");
        let mut out = Vec::with_capacity(NONCE_BYTES + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens a value; none when it was sealed with another key, for another place, or has been changed.
    pub(super) fn open(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: place.as_bytes() };
        self.cipher().decrypt(&XNonce::from(*nonce), payload).ok().map(Zeroizing::new)
    }

    /// 32 hex digits that only this key makes of this text.
    pub(super) fn hash(&self, text: &str) -> String {
        let mut mac = mac(&*self.hashing);
        mac.update(text.as_bytes());
        let full = mac.finalize().into_bytes();
        full.iter().take(16).fold(String::with_capacity(32), |mut out, byte| {
            write!(out, "{byte:02x}").expect("writing to a text does not fail");
            out
        })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(&*self.sealing).expect("the key has the cipher's 32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_place_only() {
        let salt = [7; 16];
        let seal = Key::from_text("a passphrase").open(&salt);
        let sealed = seal.close("tokens", b"secret");
        assert_eq!(seal.open("tokens", &sealed).unwrap().as_slice(), b"secret");
        assert!(seal.open("log", &sealed).is_none());
        assert!(Key::from_text("another").open(&salt).open("tokens", &sealed).is_none());
        assert!(Key::from_text("a passphrase").open(&[8; 16]).open("tokens", &sealed).is_none());
        assert!(seal.open("tokens", &sealed[..10]).is_none());
        assert_ne!(seal.close("tokens", b"secret"), sealed);
    }

    #[test]
    fn a_key_may_be_given_in_hex_and_base64() {
        let hex = "00".repeat(31) + "01";
        let mut bytes = [0; 32];
        bytes[31] = 1;
        assert_eq!(*decode(&hex).unwrap(), bytes);
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert_eq!(*decode(&text).unwrap(), bytes);
        assert!(decode("not a key").is_none());
        let salt = [0; 16];
        assert_eq!(Key::from_text(&hex).open(&salt).hash("x"), Key::from_text(&text).open(&salt).hash("x"));
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/key");
        let first = Key::from_file(&path).unwrap().open(&[0; 16]).hash("x");
        assert_eq!(Key::from_file(&path).unwrap().open(&[0; 16]).hash("x"), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        std::fs::write(&path, "nonsense").unwrap();
        assert!(matches!(Key::from_file(&path), Err(KeyError::Content { .. })));
    }
}
