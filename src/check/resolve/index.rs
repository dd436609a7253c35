//! What the names and values of a project's texts are, as the checker found them: for an editor's questions.

use crate::ir::Type;
use crate::source::{FileId, Span};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

/// Names with what they mean, and values with their types. A check only notes them: it is made after each key that is
/// pressed, and asked far more seldom.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// A name, and the name in the declaration that it means.
    names: Vec<(Span, Span)>,
    /// A value and its type.
    types: Vec<(Span, Type)>,
    places: OnceLock<Places>,
}

/// The same by where it stands.
#[derive(Clone, Debug, Default)]
struct Places {
    /// A name's first byte: the name, and the name where it is declared.
    names: BTreeMap<(FileId, u32), (Span, Span)>,
    /// The same the other way: what is declared, and who says it.
    said: BTreeMap<Span, BTreeSet<Span>>,
    /// Values by their files; the number is that of their type.
    types: FxHashMap<FileId, BTreeMap<Span, usize>>,
}

impl Index {
    /// A name, and the name in the declaration that it means.
    pub(crate) fn name(&mut self, said: Span, declared: Span) {
        self.names.push((said, declared));
    }

    /// The type of a value. What is typed again for another place keeps the type that it had first.
    pub(crate) fn typed(&mut self, value: Span, ty: &Type) {
        if *ty != Type::Unknown {
            self.types.push((value, ty.clone()));
        }
    }

    /// The name in the declaration of what is named at a byte of a file; of a declaration's own name itself.
    pub fn definition(&self, file: FileId, at: u32) -> Option<Span> {
        let holds = |span: &Span| span.file == file && span.start <= at && at <= span.end;
        let places = self.places();
        let said = places.names.range(..=(file, at)).next_back().map(|(_, found)| found);
        if let Some((_, declared)) = said.filter(|(said, _)| holds(said)) {
            return Some(*declared);
        }
        let from = Span { file, start: at, end: u32::MAX };
        places.said.range(..=from).next_back().map(|(declared, _)| *declared).filter(|declared| holds(declared))
    }

    /// Where what is declared there is named, in the order of files and places.
    pub fn references(&self, declared: Span) -> impl Iterator<Item = Span> + '_ {
        self.places().said.get(&declared).into_iter().flatten().copied()
    }

    /// The type of the innermost value at a byte of a file, and the value.
    pub fn type_at(&self, file: FileId, at: u32) -> Option<(Span, &Type)> {
        let holds = |span: &Span| span.start <= at && at <= span.end;
        let found = self.places().types.get(&file)?.iter().filter(|(span, _)| holds(span));
        let (span, n) = found.min_by_key(|(span, _)| (span.end - span.start, span.start))?;
        Some((*span, &self.types.get(*n)?.1))
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| {
            let mut places = Places::default();
            for (said, declared) in &self.names {
                places.names.insert((said.file, said.start), (*said, *declared));
                places.said.entry(*declared).or_default().insert(*said);
            }
            for (n, (value, _)) in self.types.iter().enumerate() {
                places.types.entry(value.file).or_default().entry(*value).or_insert(n);
            }
            places
        })
    }
}
