//! What the names and values of a project's texts are, as the checker found them: for an editor's questions.

use crate::ir::Type;
use crate::source::{FileId, Span};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Names with what they mean, and values with their types, by where they stand.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// A name's first byte: the name, and the name where it is declared.
    names: BTreeMap<(FileId, u32), (Span, Span)>,
    /// The same the other way: what is declared, and who says it.
    said: BTreeMap<Span, BTreeSet<Span>>,
    types: FxHashMap<Span, Type>,
}

impl Index {
    /// A name, and the name in the declaration that it means.
    pub(crate) fn name(&mut self, said: Span, declared: Span) {
        self.names.insert((said.file, said.start), (said, declared));
        self.said.entry(declared).or_default().insert(said);
    }

    /// The type of a value. What is typed again for another place keeps the type that it had first.
    pub(crate) fn typed(&mut self, value: Span, ty: &Type) {
        if *ty != Type::Unknown {
            self.types.entry(value).or_insert_with(|| ty.clone());
        }
    }

    /// The name in the declaration of what is named at a byte of a file; of a declaration's own name itself.
    pub fn definition(&self, file: FileId, at: u32) -> Option<Span> {
        let holds = |span: &Span| span.file == file && span.start <= at && at <= span.end;
        let said = self.names.range(..=(file, at)).next_back().map(|(_, found)| found);
        if let Some((_, declared)) = said.filter(|(said, _)| holds(said)) {
            return Some(*declared);
        }
        let from = Span { file, start: at, end: u32::MAX };
        self.said.range(..=from).next_back().map(|(declared, _)| *declared).filter(|declared| holds(declared))
    }

    /// Where what is declared there is named, in the order of files and places.
    pub fn references(&self, declared: Span) -> impl Iterator<Item = Span> + '_ {
        self.said.get(&declared).into_iter().flatten().copied()
    }

    /// The type of the innermost value at a byte of a file, and the value.
    pub fn type_at(&self, file: FileId, at: u32) -> Option<(Span, &Type)> {
        let holds = |span: &Span| span.file == file && span.start <= at && at <= span.end;
        let found = self.types.iter().filter(|(span, _)| holds(span));
        found.min_by_key(|(span, _)| (span.end - span.start, span.start)).map(|(span, ty)| (*span, ty))
    }
}
