//! A place in a text: a file and a range of bytes.

use serde::{Deserialize, Serialize};

/// A file among [`super::Sources`]. Those that ship have numbers of their own, the same in each check.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// The number of the first file that ships: no project has as many of its own.
const SHIPS: u32 = 1 << 24;

impl FileId {
    /// The file with that place in [`super::library::LIBRARY`].
    pub fn shipped(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX).saturating_add(SHIPS))
    }

    /// Whether it ships.
    pub fn ships(self) -> bool {
        self.0 >= SHIPS
    }

    /// Its place in [`super::library::LIBRARY`], where it ships.
    pub fn place(self) -> Option<usize> {
        self.0.checked_sub(SHIPS).map(|place| place as usize)
    }
}

/// Bytes `start..end` of a file. Lines and columns are made from it only when somebody looks.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `file`. Files are shorter than 4 GiB by [`crate::limits::FILE_BYTES_MAX`].
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clip(start), end: clip(end) }
    }

    /// From the beginning of this span to the end of `other`, which lies in the same file.
    pub fn to(self, other: Self) -> Self {
        Self { end: other.end.max(self.end), ..self }
    }

    /// The empty span at this one's start.
    pub fn at_start(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The empty span at this one's end.
    pub fn at_end(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// Whether another place lies within this one.
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The bytes as a range of the file's text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}
