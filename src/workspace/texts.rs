//! The texts of the defaults that a project was made with, packed beside its lock: what they made of a record can be made again
//! under another flowc, and held against what that one makes of it.

use crate::limits;
use crate::source::{Sources, library};
use crate::value::text::hex;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// The file, beside `defaults.lock`.
pub const TEXTS_FILE: &str = "defaults.texts.gz";

/// The texts of all that ships with one flowc, whether a project uses it or not, by path: `flows/orders.flow`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(BTreeMap<String, String>);

impl FromIterator<(String, String)> for Texts {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(texts: T) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl Texts {
    /// Those that a project was checked with.
    pub fn of(sources: &Sources) -> Self {
        let ships = library::paths().filter_map(|path| library::by_path(&path).map(|text| (path, text.to_owned())));
        let mut texts: BTreeMap<String, String> = ships.collect();
        let used = sources.iter().filter(|(file, _)| sources.is_default(*file));
        texts.extend(used.map(|(_, source)| (source.path.display().to_string(), source.text.to_string())));
        // What is empty shipped with none of them.
        texts.retain(|_, text| !text.is_empty());
        Self(texts)
    }

    /// The digest of all of them.
    pub fn digest(&self) -> String {
        digest(&self.written())
    }

    /// Those texts for a check that is made with them: what ships now and did not then is empty.
    pub fn instead(&self) -> BTreeMap<String, String> {
        let flows = library::LIBRARY.iter().map(|(_, path, _)| ((*path).to_owned(), String::new()));
        let mut texts: BTreeMap<String, String> = flows.collect();
        texts.extend(self.0.clone());
        texts
    }

    /// The digest of one of them.
    pub fn digest_of(&self, path: &str) -> Option<String> {
        self.0.get(path).map(|text| digest(text))
    }

    /// Those beside the lock; none where there is no such file.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(root: &Path) -> Result<Option<Self>, String> {
        let packed = match std::fs::read(root.join(TEXTS_FILE)) {
            Ok(packed) => packed,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("{TEXTS_FILE} can't be read: {e}")),
        };
        let mut text = String::new();
        let most = limits::FILE_BYTES_MAX as u64;
        let read = GzDecoder::new(&*packed).take(most).read_to_string(&mut text);
        let texts = read.ok().and_then(|_| Self::parsed(&text));
        texts.map(Some).ok_or_else(|| format!("{TEXTS_FILE} is damaged"))
    }

    /// Writes them beside the lock; a file that holds them already stays as it is.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, root: &Path) -> std::io::Result<()> {
        if Self::read(root).is_ok_and(|there| there.as_ref() == Some(self)) {
            return Ok(());
        }
        let beside = root.join(format!(".{TEXTS_FILE}.new"));
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::best());
        packed.write_all(self.written().as_bytes())?;
        std::fs::write(&beside, packed.finish()?)?;
        std::fs::rename(beside, root.join(TEXTS_FILE))
    }

    /// One behind the other, each below a line with its path and length: `zcat` shows it.
    fn written(&self) -> String {
        let mut all = String::new();
        for (path, text) in &self.0 {
            let _ = writeln!(all, "file {path} {}", text.len());
            all.push_str(text);
            all.push('\n');
        }
        all
    }

    fn parsed(mut all: &str) -> Option<Self> {
        let mut texts = BTreeMap::new();
        while !all.is_empty() {
            let (head, rest) = all.split_once('\n')?;
            let (path, length) = head.strip_prefix("file ")?.rsplit_once(' ')?;
            let (text, behind) = rest.split_at_checked(length.parse().ok()?)?;
            texts.insert(path.to_owned(), text.to_owned());
            all = behind.strip_prefix('\n')?;
        }
        Some(Self(texts))
    }
}

/// The digest of a text, as the lock writes it.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_and_damage_is_told() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(Texts::read(root.path()), Ok(None));
        let mut sources = Sources::new();
        sources.add_default("flows/once.flow", "# é\nfile x 3\n");
        let texts = Texts::of(&sources);
        texts.write(root.path()).expect("a file");
        assert_eq!(Texts::read(root.path()), Ok(Some(texts.clone())));
        let path = root.path().join(TEXTS_FILE);
        let packed = std::fs::read(&path).expect("the file");
        texts.write(root.path()).expect("the same again");
        assert_eq!(std::fs::read(&path).expect("the file"), packed);
        for at in [0, packed.len() / 2, packed.len() - 5] {
            let mut bytes = packed.clone();
            bytes[at] ^= 0x55;
            std::fs::write(&path, &bytes).expect("the file");
            assert!(Texts::read(root.path()).is_err(), "byte {at}");
        }
        std::fs::write(&path, &packed[..packed.len() - 9]).expect("the file");
        assert!(Texts::read(root.path()).is_err(), "cut short");
        assert_eq!(texts.instead()["flows/once.flow"], "# é\nfile x 3\n");
    }
}
