//! The declarations of a file, by word and name; those of what ships are taken out when they are first looked at.

use crate::shipped;
use crate::source::{Diagnostic, FileId};
use crate::syntax::{self, ast};
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
    unread: Option<&'static [u8]>,
    pub(crate) decl: Option<Arc<ast::Decl>>,
}

impl Item {
    /// Its declaration; none where the text could not be read.
    pub(crate) fn decl(&mut self) -> Option<Arc<ast::Decl>> {
        if let Some(bytes) = self.unread.take() {
            self.decl = Some(Arc::new(shipped::declaration(bytes)));
        }
        self.decl.clone()
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
    /// The declarations of a text.
    pub(crate) fn of(file: FileId, text: Arc<str>) -> Self {
        let parsed = syntax::parse(file, &text);
        let items = parsed.ast.decls.into_iter().map(|decl| {
            let (keyword, name) = decl.heading();
            Item { file, keyword: keyword.to_owned(), name, unread: None, decl: Some(Arc::new(decl)) }
        });
        Self { items: items.collect(), diagnostics: parsed.diagnostics, text }
    }

    /// The declarations of a file that ships, none of which has been read yet.
    pub(crate) fn shipped(file: FileId, text: Arc<str>) -> Self {
        let items = shipped::outline(file).iter().map(|form| Item {
            file,
            keyword: form.keyword.to_owned(),
            name: form.name.to_owned(),
            unread: Some(form.decl),
            decl: None,
        });
        Self { items: items.collect(), diagnostics: Vec::new(), text }
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
