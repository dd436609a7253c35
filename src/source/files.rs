//! Reading files: the disk, what ships inside the binary, or an editor's buffers. The only file access below the engine.

use super::library;
use crate::limits;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Why a file has no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is none.
    #[error("there is no such file")]
    Missing,
    /// It is longer than [`limits::FILE_BYTES_MAX`].
    #[error("it is larger than {} MB", limits::FILE_BYTES_MAX >> 20)]
    TooLarge,
    /// It isn't text. The first bad byte, and its line.
    #[error("it is not UTF-8 text: the byte {byte:#04x} on line {line}")]
    NotText {
        /// The byte.
        byte: u8,
        /// Its line, from 1.
        line: usize,
    },
    /// It holds the character NUL, as data does and no text.
    #[error("it holds the character NUL (U+0000) on line {line}, which is in no text")]
    Nul {
        /// Its line, from 1.
        line: usize,
    },
    /// The system says no.
    #[error("{0}")]
    Refused(String),
}

/// A place that holds files.
pub trait Files {
    /// The text of a file, without a byte-order mark.
    fn read(&self, path: &Path) -> Result<String, ReadError>;
    /// The `.flow` files in and below a folder, sorted; links are followed once, a loop is not an error.
    fn flow_files(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError>;
    /// The text that stands in the place of one that ships inside the binary, by the path of that.
    fn shipped(&self, _path: &str) -> Option<String> {
        None
    }
    /// Files of a module that ship no more, as paths and texts.
    fn shipped_once(&self, _module: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// Texts by path, for editors and tests.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<PathBuf, String>);

/// Files of a project that keeps to other texts than those that ship: by the paths of those.
pub struct Shipping<'f> {
    /// The project's own.
    pub files: &'f dyn Files,
    /// The texts.
    pub texts: BTreeMap<String, String>,
}

impl Files for Shipping<'_> {
    fn read(&self, path: &Path) -> Result<String, ReadError> {
        self.files.read(path)
    }

    fn flow_files(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        self.files.flow_files(folder)
    }

    fn shipped(&self, path: &str) -> Option<String> {
        self.texts.get(path).cloned()
    }

    fn shipped_once(&self, module: &str) -> Vec<(String, String)> {
        let texts = self.texts.iter().filter(|(path, _)| library::is_of(path, module));
        let gone = texts.filter(|(path, _)| library::module(module).all(|(_, ships, _)| ships != path));
        gone.map(|(path, text)| (path.clone(), text.clone())).collect()
    }
}

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<String, ReadError> {
        let meta = std::fs::metadata(path).map_err(|e| refused(&e))?;
        if meta.is_dir() {
            return Err(ReadError::Refused("it is a folder".into()));
        }
        // A device or a pipe may have no end, or keep whoever opens it waiting.
        if !meta.is_file() {
            return Err(ReadError::Refused("it is no file, but a device or a pipe".into()));
        }
        let most = limits::FILE_BYTES_MAX as u64;
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).map_err(|e| refused(&e))?;
        // The size that a file is said to have need not be its own: those of `/proc` say 0.
        file.take(most + 1).read_to_end(&mut bytes).map_err(|e| refused(&e))?;
        if bytes.len() as u64 > most { Err(ReadError::TooLarge) } else { decode(bytes) }
    }

    fn flow_files(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        walk(folder, 0, &mut seen, &mut found)?;
        found.sort();
        Ok(found)
    }
}

fn walk(folder: &Path, depth: usize, seen: &mut Vec<PathBuf>, found: &mut Vec<PathBuf>) -> Result<(), ReadError> {
    let real = folder.canonicalize().map_err(|e| refused(&e))?;
    if seen.contains(&real) || depth > limits::FOLDER_DEPTH_MAX || found.len() > limits::FILES_MAX {
        return Ok(());
    }
    seen.push(real);
    for entry in std::fs::read_dir(folder).map_err(|e| refused(&e))? {
        let path = entry.map_err(|e| refused(&e))?.path();
        let hidden = path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
        // A link that leads nowhere is nobody's flow file.
        let Ok(meta) = std::fs::metadata(&path) else {
            continue;
        };
        if meta.is_dir() && !hidden && path.file_name().is_none_or(|n| n != "target" && n != "node_modules") {
            walk(&path, depth + 1, seen, found)?;
        } else if meta.is_file() && path.extension().is_some_and(|e| e == "flow") {
            found.push(path);
        }
    }
    Ok(())
}

impl Files for Memory {
    fn read(&self, path: &Path) -> Result<String, ReadError> {
        self.0.get(path).cloned().ok_or(ReadError::Missing)
    }

    fn flow_files(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        Ok(self
            .0
            .keys()
            .filter(|p| p.starts_with(folder) && p.extension().is_some_and(|e| e == "flow"))
            .cloned()
            .collect())
    }
}

fn refused(error: &std::io::Error) -> ReadError {
    match error.kind() {
        std::io::ErrorKind::NotFound => ReadError::Missing,
        _ => ReadError::Refused(error.to_string()),
    }
}

/// Bytes to text: the mark goes, anything that is not UTF-8 is told with its line.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, ReadError> {
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let bytes = e.as_bytes();
        ReadError::NotText {
            byte: bytes.get(at).copied().unwrap_or(0),
            line: memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1,
        }
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
