//! The texts of a project, by number, with an index of their lines.

use super::library;
use super::span::{FileId, Span};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// One file: what it is called and what it holds.
#[derive(Clone, Debug)]
pub struct Source {
    /// As people name it: relative to where they stand, or `std/money.flow` for what ships inside the binary.
    pub path: PathBuf,
    /// The whole text.
    pub text: Arc<str>,
    /// Byte at which each line begins, once somebody asks for a line.
    lines: OnceLock<Vec<u32>>,
}

/// Line and column as people count: from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// All files of a compilation.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    /// Those that ship and are used.
    shipped: BTreeSet<FileId>,
    /// Those among the files that are defaults too.
    defaults: BTreeSet<FileId>,
}

/// The files that ship, each made when it is first looked at.
static SHIPPED: [OnceLock<Source>; library::LIBRARY.len()] = [const { OnceLock::new() }; library::LIBRARY.len()];

impl Sources {
    /// No files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a file in and numbers it.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).expect("files are fewer than FILES_MAX"));
        self.files.push(Source::of(path.into(), text.into()));
        id
    }

    /// Takes in a file that ships.
    pub fn ship(&mut self, file: FileId) -> FileId {
        self.shipped.insert(file);
        file
    }

    /// Takes in a default that has no number of its own: a table, or another text than that which ships.
    pub fn add_default(&mut self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> FileId {
        let id = self.add(path, text);
        self.defaults.insert(id);
        id
    }

    /// Whether a file is a default, and none of the project's own.
    pub fn is_default(&self, file: FileId) -> bool {
        file.ships() || self.defaults.contains(&file)
    }

    /// How many files there are beside those that ship.
    pub fn own(&self) -> usize {
        self.files.len()
    }

    /// The file of that number.
    pub fn get(&self, id: FileId) -> &Source {
        let Some((cell, (_, path, text))) = id.place().map(|place| (&SHIPPED[place], library::LIBRARY[place])) else {
            return &self.files[id.0 as usize];
        };
        cell.get_or_init(|| Source::of(path.into(), text.into()))
    }

    /// The same, where there is one of that number.
    pub fn find(&self, id: FileId) -> Option<&Source> {
        let there = self.shipped.contains(&id) || self.files.get(id.0 as usize).is_some();
        there.then(|| self.get(id))
    }

    /// The file with that path.
    pub fn by_path(&self, path: &Path) -> Option<FileId> {
        self.iter().find(|(_, source)| source.path == path).map(|(id, _)| id)
    }

    /// All files in the order in which they came; behind them those that ship and are used.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        let own = self.files.iter().enumerate();
        let own = own.map(|(n, source)| (FileId(u32::try_from(n).unwrap_or(u32::MAX)), source));
        own.chain(self.shipped.iter().map(|file| (*file, self.get(*file))))
    }

    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        self.get(span.file).text.get(span.range()).unwrap_or("")
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        self.get(span.file).position(span.start as usize)
    }

    /// `path:line` of where a span begins, as messages name a place.
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.get(span.file).called(), self.position(span).line)
    }
}

impl Source {
    fn of(path: PathBuf, text: Arc<str>) -> Self {
        Self { path, text, lines: OnceLock::new() }
    }

    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text.as_bytes());
            std::iter::once(0).chain(ends.map(|at| Span::new(FileId(0), 0, at + 1).end)).collect()
        })
    }

    /// What messages call it: a file that ships is in no folder where a person could look for it.
    pub fn called(&self) -> String {
        let path = self.path.display();
        if library::ships(&self.path, &self.text) { format!("flowc's {path}") } else { path.to_string() }
    }

    /// Line and column of a byte. A byte inside a character counts as that character.
    pub fn position(&self, at: usize) -> Position {
        let at = at.min(self.text.len());
        let line = self.lines().partition_point(|start| *start as usize <= at);
        let start = self.lines()[line - 1] as usize;
        let column = self.text.as_bytes()[start..at].iter().filter(|b| (**b & 0xC0) != 0x80).count();
        Position { line, column: column + 1 }
    }
}
