//! The defaults that a project was made with: `defaults.lock` holds digests of them, so that another edition of what ships
//! changes no books in silence.

use super::texts::{TEXTS_FILE, Texts, digest};
use crate::check::Changed;
use crate::source::{Sources, library};
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
    /// The digest of the texts of all that ships; none in a lock that was written before they were kept.
    texts: Option<String>,
}

/// What has moved between two of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Files whose text is another.
    pub changed: Vec<String>,
    /// Files that the project has come to use.
    pub added: Vec<String>,
    /// Files that no longer ship.
    pub gone: Vec<String>,
    /// Files that ship and that the project uses no more.
    pub unused: Vec<String>,
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
        let used = sources.iter().filter(|(file, source)| sources.is_default(*file) && !source.text.is_empty());
        let files = used.map(|(_, source)| (source.path.display().to_string(), digest(&source.text))).collect();
        // One name may stand for several lines: what is filled on create, and on update.
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for change in changes {
            if let Some(span) = change.displaced {
                texts.entry(name_of(change)).or_default().push_str(sources.text(span));
            }
        }
        let displaced = texts.into_iter().map(|(name, text)| (name, digest(&text))).collect();
        Self { flowc: env!("CARGO_PKG_VERSION").to_owned(), files, displaced, texts: None }
    }

    /// The same, with the texts of all that ships.
    #[must_use]
    pub fn with(self, texts: &Texts) -> Self {
        Self { texts: Some(texts.digest()), ..self }
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
                ("texts", _) => read.texts = Some(rest.to_owned()),
                ("file", Some((path, digest))) => drop(read.files.insert(path.to_owned(), digest.to_owned())),
                ("under", Some((name, digest))) => drop(read.displaced.insert(name.to_owned(), digest.to_owned())),
                _ => return Err(wrong()),
            }
        }
        Ok(Some(read))
    }

    /// The texts of the defaults that the lock holds, or why there are none.
    ///
    /// # Errors
    /// What is wrong with the file that should hold them, and what to do.
    pub fn texts(&self, root: &Path) -> Result<Result<Texts, String>, String> {
        let Some(digest) = &self.texts else {
            return Ok(Err(format!("{LOCK_FILE} was written by a flowc that did not keep the texts of its defaults")));
        };
        let mend = format!(
            "restore both files as they were written together, or delete {TEXTS_FILE} to go on without comparing payloads"
        );
        let Some(texts) = Texts::read(root).map_err(|wrong| format!("{wrong}: {mend}"))? else {
            return Ok(Err(format!(
                "{TEXTS_FILE}, which holds the texts of the defaults in {LOCK_FILE}, is not there"
            )));
        };
        let other = |(path, digest): &(&String, &String)| texts.digest_of(path).as_ref() != Some(*digest);
        let others: Vec<&str> = self.files.iter().filter(other).map(|(path, _)| path.as_str()).collect();
        let of = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
        match texts.digest() == *digest {
            true if others.is_empty() => Ok(Ok(texts)),
            true => Err(format!(
                "the digest of {} in {LOCK_FILE} is not that of its text in {TEXTS_FILE}, as if it was changed by hand: {mend}",
                others.join(", ")
            )),
            false => {
                Err(format!("{TEXTS_FILE} holds other texts than those whose digests {LOCK_FILE} holds{of}: {mend}"))
            }
        }
    }

    /// Whether the copy of the texts that the lock names is there.
    pub fn has_copy(&self, root: &Path) -> bool {
        self.texts.is_none() || root.join(TEXTS_FILE).exists()
    }

    /// What the lock says that `before` did not, where nothing has moved: for people, one thing a line.
    pub fn beside(&self, before: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.flowc != before.flowc {
            lines.push(format!("flowc {}, which was {}", self.flowc, before.flowc));
        }
        if self.texts != before.texts {
            let of = if before.texts.is_none() { "its digest" } else { "the texts of this flowc" };
            lines.push(format!("{TEXTS_FILE}: {of}"));
        }
        let fresh = self.displaced.keys().filter(|name| !before.displaced.contains_key(*name));
        lines.extend(fresh.map(|name| format!("under {name}: a change that the project has come to make")));
        let left = before.displaced.keys().filter(|name| !self.displaced.contains_key(*name));
        lines.extend(
            left.map(|name| format!("under {name}: no longer, the project does not make this change any more")),
        );
        lines
    }

    /// Writes the lock, and the texts that it names beside it.
    ///
    /// # Errors
    /// The disk.
    pub fn lock(&self, texts: &Texts, root: &Path) -> std::io::Result<()> {
        // First: a lock names only what is there.
        texts.write(root)?;
        let mut text =
            "# The defaults that this project was made with. Written by `flowc update`; keep it in git.\n".to_owned();
        let _ = writeln!(text, "flowc {}\ntexts {}", self.flowc, texts.digest());
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
        let left = before.files.keys().filter(|path| !self.files.contains_key(*path)).cloned();
        (moved.unused, moved.gone) = left.partition(|path| library::by_path(path).is_some());
        let other = |(name, digest): (&String, &String)| {
            before.displaced.get(name).is_some_and(|was| was != digest).then(|| name.clone())
        };
        moved.underneath.extend(self.displaced.iter().filter_map(other));
        moved
    }
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
