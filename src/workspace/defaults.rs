//! The defaults that a project was made with: `defaults.lock` holds digests of them, so that another edition of what ships
//! changes no books in silence.

use crate::check::Changed;
use crate::source::{Sources, library};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The file, beside `project.flow`.
pub const LOCK_FILE: &str = "defaults.lock";

/// Digests of what ships, as far as a project uses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The edition of flowc.
    pub flowc: String,
    /// By path: `flows/orders.flow`.
    files: BTreeMap<String, String>,
    /// Lines that the project displaces, by what it changes: `fields orders.header Description`.
    displaced: BTreeMap<String, String>,
}

/// What has moved between two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Files whose text is another.
    pub changed: Vec<String>,
    /// Files that the project has come to use.
    pub added: Vec<String>,
    /// Files that no longer ship, or are used no more.
    pub gone: Vec<String>,
    /// Changes of the project under which there is another default: `fields orders.header Description`.
    pub underneath: Vec<String>,
}

impl Moved {
    /// Whether what ships is what it was.
    pub fn is_nothing(&self) -> bool {
        self.changed.is_empty() && self.gone.is_empty() && self.underneath.is_empty()
    }
}

/// What a change is called in the lock.
pub fn name_of(change: &Changed) -> String {
    format!("{} {} {}", change.kind, change.of, change.what)
}

impl Defaults {
    /// Those of this edition that a project uses, and what it displaces of them.
    pub fn of(sources: &Sources, changes: &[Changed]) -> Self {
        // A table that ships is named so; one of the project has a path of its own.
        let table = |path: &str| path.strip_prefix("flows/data/").is_some_and(|name| library::data(name).is_some());
        let ships = |path: &str| library::LIBRARY.iter().any(|(_, shipped, _)| *shipped == path) || table(path);
        let texts = sources.iter().map(|(_, source)| (source.path.display().to_string(), &*source.text));
        let files = texts.filter(|(path, _)| ships(path)).map(|(path, text)| (path, digest(text))).collect();
        // One name may stand for several lines: what is filled on create, and on update.
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for change in changes {
            if let Some(span) = change.displaced {
                texts.entry(name_of(change)).or_default().push_str(sources.text(span));
            }
        }
        let displaced = texts.into_iter().map(|(name, text)| (name, digest(&text))).collect();
        Self { flowc: env!("CARGO_PKG_VERSION").to_owned(), files, displaced }
    }

    /// Those that a project's lock holds; none where it has no lock.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn locked(root: &Path) -> Result<Option<Self>, String> {
        let path = root.join(LOCK_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("{} can't be read: {e}", path.display())),
        };
        let mut read = Self::default();
        for (n, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        {
            let wrong = || {
                format!(
                    "line {} of {LOCK_FILE} is none that `flowc update` writes: restore it, or delete the file and run `flowc update`",
                    n + 1
                )
            };
            let (word, rest) = line.split_once(' ').ok_or_else(wrong)?;
            match (word, rest.rsplit_once(' ')) {
                ("flowc", _) => rest.clone_into(&mut read.flowc),
                ("file", Some((path, digest))) => drop(read.files.insert(path.to_owned(), digest.to_owned())),
                ("under", Some((name, digest))) => drop(read.displaced.insert(name.to_owned(), digest.to_owned())),
                _ => return Err(wrong()),
            }
        }
        Ok(Some(read))
    }

    /// Writes the lock.
    ///
    /// # Errors
    /// The disk.
    pub fn lock(&self, root: &Path) -> std::io::Result<()> {
        let mut text =
            "# The defaults that this project was made with. Written by `flowc update`; keep it in git.\n".to_owned();
        let _ = writeln!(text, "flowc {}", self.flowc);
        for (path, digest) in &self.files {
            let _ = writeln!(text, "file {path} {digest}");
        }
        for (name, digest) in &self.displaced {
            let _ = writeln!(text, "under {name} {digest}");
        }
        let path = root.join(LOCK_FILE);
        let beside = root.join(format!(".{LOCK_FILE}.new"));
        std::fs::write(&beside, text)?;
        std::fs::rename(beside, path)
    }

    /// What has moved since `before`. A file or a line that the project did not use then is new, and not moved.
    pub fn since(&self, before: &Self) -> Moved {
        let mut moved = Moved::default();
        for (path, digest) in &self.files {
            match before.files.get(path) {
                Some(was) if was == digest => {}
                Some(_) => moved.changed.push(path.clone()),
                None => moved.added.push(path.clone()),
            }
        }
        moved.gone.extend(before.files.keys().filter(|path| !self.files.contains_key(*path)).cloned());
        let other = |(name, digest): (&String, &String)| {
            before.displaced.get(name).is_some_and(|was| was != digest).then(|| name.clone())
        };
        moved.underneath.extend(self.displaced.iter().filter_map(other));
        moved
    }
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    /// What is filled on create and on update is changed under one name: each line of the default counts.
    #[test]
    fn a_name_stands_for_each_line_under_it() {
        let locked = |second: &str| {
            let mut sources = Sources::new();
            let file = sources.add("flows/orders.flow", format!("A = 1\n{second}\n"));
            let change = |from, to| Changed {
                of: "orders.order".into(),
                kind: "mapping",
                what: "A".to_owned(),
                at: Span::new(file, 0, 0),
                displaced: Some(Span::new(file, from, to)),
                removed: false,
            };
            Defaults::of(&sources, &[change(0, 5), change(6, 11)])
        };
        assert!(locked("A = 2").since(&locked("A = 2")).is_nothing());
        assert_eq!(locked("A = 3").since(&locked("A = 2")).underneath, ["mapping orders.order A"]);
    }
}
