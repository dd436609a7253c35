//! The declarations of a file, by word and name; those of the library are read when they are first looked at.

use crate::source::{Diagnostic, FileId};
use crate::syntax::{self, Chunk, ast};
use std::sync::Arc;

/// What a name can name: each kind has names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Space {
    /// Entities and enumerations.
    Type,
    /// Functions, parts and mappings: what is called.
    Call,
    /// Lookups.
    Lookup,
    /// Flows.
    Flow,
}

/// A declaration, read or not.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) file: FileId,
    pub(crate) keyword: String,
    pub(crate) name: String,
    chunk: Option<Chunk>,
    pub(crate) decl: Option<Arc<ast::Decl>>,
}

impl Item {
    /// Whether it has still to be read.
    pub(crate) fn is_unread(&self) -> bool {
        self.chunk.is_some()
    }

    /// Reads it in the text of its file; what is wrong with it.
    pub(crate) fn read(&mut self, text: &str) -> Vec<Diagnostic> {
        let Some(chunk) = self.chunk.take() else { return Vec::new() };
        let parsed = syntax::parse_chunk(self.file, text, &chunk);
        self.decl = parsed.ast.decls.into_iter().next().map(Arc::new);
        parsed.diagnostics
    }
}

/// A file cut into its declarations, with what its text has wrong.
#[derive(Clone, Debug)]
pub(crate) struct FileItems {
    pub(crate) text: Arc<str>,
    pub(crate) items: Vec<Item>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl FileItems {
    /// The library is read declaration by declaration; what a person writes is read whole, so that all its mistakes show.
    pub(crate) fn of(file: FileId, text: Arc<str>, library: bool) -> Self {
        if library {
            let items = syntax::outline(file, &text).into_iter().map(|chunk| Item {
                file,
                keyword: chunk.keyword.clone(),
                name: chunk.name.clone(),
                chunk: Some(chunk),
                decl: None,
            });
            return Self { items: items.collect(), diagnostics: Vec::new(), text };
        }
        let parsed = syntax::parse(file, &text);
        let items = parsed.ast.decls.into_iter().map(|decl| {
            let (keyword, name) = heading(&decl.kind);
            Item { file, keyword, name, chunk: None, decl: Some(Arc::new(decl)) }
        });
        Self { items: items.collect(), diagnostics: parsed.diagnostics, text }
    }
}

/// What the name of a declaration with that word names.
pub(crate) fn space_of(keyword: &str) -> Option<Space> {
    match keyword {
        "entity" | "enum" => Some(Space::Type),
        "fn" | "extern" | "mapping" | "fields" => Some(Space::Call),
        "lookup" => Some(Space::Lookup),
        "flow" => Some(Space::Flow),
        _ => None,
    }
}

/// The word and the name of a declaration.
fn heading(kind: &ast::DeclKind) -> (String, String) {
    use ast::DeclKind as D;
    let (word, name) = match kind {
        D::Edition(_) => ("edition", String::new()),
        D::Zone(_) => ("zone", String::new()),
        D::Run(_) => ("run", String::new()),
        D::Use(_) => ("use", String::new()),
        D::Connect(c) => ("connect", c.name.text.to_string()),
        D::Settings(_) => ("settings", String::new()),
        D::Answers(a) => ("answers", path_text(&a.module)),
        D::Lookup(l) => ("lookup", l.name.text.to_string()),
        D::Enum(e) => ("enum", e.name.text.to_string()),
        D::Entity(e) => ("entity", e.name.text.to_string()),
        D::Extend(e) => ("extend", path_text(&e.entity)),
        D::Connector(c) => ("connector", c.name.text.to_string()),
        D::Fn(f) => ("fn", f.name.text.to_string()),
        D::Extern(f) => ("extern", f.name.text.to_string()),
        D::Mapping(m) => ("mapping", m.name.text.to_string()),
        D::Fields(f) => ("fields", f.name.text.to_string()),
        D::Flow(f) => ("flow", f.name.text.to_string()),
        D::Adapt(_) => ("adapt", String::new()),
        D::Test(_) => ("test", String::new()),
    };
    (word.to_owned(), name)
}

/// A path as written.
pub(crate) fn path_text(path: &ast::Path) -> String {
    path.parts.iter().map(|p| &*p.text).collect::<Vec<_>>().join(".")
}
