//! The key of an installation: where it comes from, and why there is none.
//!
//! A key is made once, with the first store. From then on one that is not there is lost, and said to be: another one in
//! its place would open nothing, and hide what has happened.

use super::disk::{clear_drafts, draft_of, keep_names};
use super::seal::Seal;
use base64::Engine as _;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Name of the file that holds a key which nobody chose.
const KEY_FILE: &str = "key";
/// Name of the variable that holds one instead.
const KEY_VARIABLE: &str = "FLOWC_KEY";

/// What seals a store.
pub struct Key {
    source: Source,
    whence: String,
}

enum Source {
    Bytes(Zeroizing<[u8; 32]>),
    Passphrase(Zeroizing<String>),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A store was sealed with one, and it is not there.
    #[error(
        "the key of the store {store} is not there: put the file {path} back from a backup, or set FLOWC_KEY to what it held. Nothing in the store can be read without it; if it is lost for good, move the store away: the next run begins a new one, and looks for what it wrote before it writes anything"
    )]
    Lost {
        /// Where it should be.
        path: String,
        /// What cannot be opened.
        store: String,
    },
    /// The file cannot be read or made.
    #[error("the key {path} cannot be {done}: {what}. Let this user read and write it, or set FLOWC_KEY instead")]
    File {
        /// The file.
        path: String,
        /// What was tried.
        done: &'static str,
        /// What the system said.
        what: String,
    },
    /// The file holds something else.
    #[error(
        "the file {path} {holds}, and a key is 32 bytes in base64 or hex, 44 or 64 characters: put back the file of this installation, or set FLOWC_KEY to what it held"
    )]
    Content {
        /// The file.
        path: String,
        /// What it holds; nothing of it is told.
        holds: String,
    },
    /// The variable is no text.
    #[error("FLOWC_KEY is set and is no text: write the key in base64 or hex, or unset it")]
    Variable,
}

impl Key {
    /// The key of a project: `FLOWC_KEY`, else the file `key` in this folder. It is made when it is not there, unless one
    /// of these stores is: that one was sealed with the key that is missing.
    pub fn find(folder: &Path, stores: &[&Path]) -> Result<Self, KeyError> {
        match std::env::var(KEY_VARIABLE) {
            Ok(text) if !text.trim().is_empty() => return Ok(Self::from_text(&text)),
            Ok(_) | Err(std::env::VarError::NotPresent) => {}
            Err(std::env::VarError::NotUnicode(_)) => return Err(KeyError::Variable),
        }
        let path = folder.join(KEY_FILE);
        if let Some(key) = Self::from_file(&path)? {
            // Drafts of processes that died over them; who is at work on one finds the key in its place.
            clear_drafts(&path);
            return Ok(key);
        }
        // What cannot be looked at is no proof that there is none.
        if let Some(store) = stores.iter().find(|store| store.try_exists().unwrap_or(true)) {
            return Err(KeyError::Lost { path: path.display().to_string(), store: store.display().to_string() });
        }
        Self::make(&path)
    }

    /// 32 bytes in base64 or hex; anything else is a passphrase.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        match decode(text) {
            Some(bytes) => Self { source: Source::Bytes(bytes), whence: KEY_VARIABLE.to_owned() },
            None => Self {
                source: Source::Passphrase(Zeroizing::new(text.to_owned())),
                whence: format!("{KEY_VARIABLE}, a passphrase since it is not 32 bytes in base64 or hex"),
            },
        }
    }

    /// The key in this file; none where the file is not there.
    fn from_file(path: &Path) -> Result<Option<Self>, KeyError> {
        let whence = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(KeyError::File { path: whence, done: "read", what: e.to_string() }),
        };
        let text = std::str::from_utf8(&bytes).map(str::trim);
        match text.map(decode) {
            Ok(Some(bytes)) => Ok(Some(Self { source: Source::Bytes(bytes), whence })),
            Ok(None) | Err(_) => Err(KeyError::Content { path: whence, holds: held(text.ok()) }),
        }
    }

    /// Makes a key in this file, readable by its owner alone.
    fn make(path: &Path) -> Result<Self, KeyError> {
        let failed = |what: String| KeyError::File { path: path.display().to_string(), done: "made", what };
        write_key(path, &Zeroizing::new(rand::random::<[u8; 32]>())).map_err(|e| failed(e.to_string()))?;
        // Two processes may make it at once: what stands in the file counts.
        Self::from_file(path)?.ok_or_else(|| failed("it is gone again".to_owned()))
    }

    /// Where it comes from, in words for people.
    pub(super) fn whence(&self) -> &str {
        &self.whence
    }

    /// The key as it is used in a store with this salt.
    pub(super) fn open(&self, salt: &[u8; 16]) -> Seal {
        match &self.source {
            Source::Bytes(bytes) => Seal::of(bytes),
            Source::Passphrase(text) => Seal::of_passphrase(text, salt),
        }
    }
}

/// What a file holds that holds no key.
fn held(text: Option<&str>) -> String {
    match text {
        None => "holds bytes that are no text".to_owned(),
        Some("") => "is empty".to_owned(),
        Some(text) => format!("holds {} characters that are none", text.chars().count()),
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
    let draft = draft_of(path);
    let mut file = options.open(&draft)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    // Whoever has made the key may have cleared it away.
    let _ = std::fs::remove_file(&draft);
    match linked {
        Err(_) if path.exists() => {}
        linked => linked?,
    }
    // A store that outlives a power cut must find its key.
    keep_names(path)
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let deep = folder.path().join("deep");
        let store = deep.join("store.redb");
        let find = || Key::find(&deep, &[&store]);
        let first = find().unwrap().open(&[0; 16]).hash("x");
        assert_eq!(find().unwrap().open(&[0; 16]).hash("x"), first);
        let left: Vec<_> = std::fs::read_dir(&deep).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["key"], "no draft stays");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(deep.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_is_never_made_over_a_store_that_was_sealed_with_another() {
        let folder = tempfile::tempdir().unwrap();
        let (key, store) = (folder.path().join("key"), folder.path().join("store.redb"));
        let other = folder.path().join("other.redb");
        std::fs::write(&store, "sealed").unwrap();
        for stores in [&[store.as_path()][..], &[other.as_path(), store.as_path()]] {
            let lost = Key::find(folder.path(), stores).err().unwrap();
            assert!(matches!(lost, KeyError::Lost { .. }), "{lost}");
            assert!(lost.to_string().contains(&key.display().to_string()), "{lost}");
            assert!(!key.exists(), "none is made");
        }
    }

    #[test]
    fn what_a_key_file_holds_instead_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        let whole = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        let cases: [(&[u8], &str); 5] = [
            (b"", "is empty"),
            (b"\n", "is empty"),
            (&whole.as_bytes()[..22], "holds 22 characters that are none"),
            (b"nonsense", "holds 8 characters that are none"),
            (&[0xff, 0xfe, 0], "holds bytes that are no text"),
        ];
        for (bytes, said) in cases {
            std::fs::write(&key, bytes).unwrap();
            let error = Key::find(folder.path(), &[]).err().unwrap();
            assert!(matches!(error, KeyError::Content { .. }), "{error}");
            assert!(error.to_string().contains(said), "{error}");
            assert_eq!(std::fs::read(&key).unwrap(), bytes, "it is left as it is");
        }
        std::fs::remove_file(&key).unwrap();
        std::fs::create_dir(&key).unwrap();
        let error = Key::find(folder.path(), &[]).err().unwrap();
        assert!(matches!(error, KeyError::File { done: "read", .. }), "{error}");
    }
}
