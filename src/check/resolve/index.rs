//! What the names and values of a project's texts are, as the checker found them: for an editor's questions.

use crate::ir::{Program, Type};
use crate::source::{FileId, Span};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// Names with what they mean, and values with their types, as one run over a project came upon them.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// A name, and the name in the declaration that it means.
    names: Vec<(Span, Span)>,
    /// A value and its type.
    types: Vec<(Span, Type)>,
    /// The program that the types speak of.
    pub(crate) program: Program,
}

impl Noted {
    /// A name, and the name in the declaration that it means.
    pub(crate) fn name(&mut self, said: Span, declared: Span) {
        self.names.push((said, declared));
    }

    /// The type of a value.
    pub(crate) fn typed(&mut self, value: Span, ty: &Type) {
        if *ty != Type::Unknown {
            self.types.push((value, ty.clone()));
        }
    }
}

/// Names with what they mean, and values with their types. A check only notes them: it is made after each key that is
/// pressed, and asked far more seldom.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// What the runs noted of which the check consists.
    runs: Vec<Arc<Noted>>,
    places: OnceLock<Places>,
}

/// The same by where it stands.
#[derive(Clone, Debug, Default)]
struct Places {
    /// A name's first byte: the name, and the name where it is declared.
    names: BTreeMap<(FileId, u32), (Span, Span)>,
    /// The same the other way: what is declared, and who says it.
    said: BTreeMap<Span, BTreeSet<Span>>,
    /// Values by their files; the numbers are those of the run and of their type in it.
    types: FxHashMap<FileId, BTreeMap<Span, (usize, usize)>>,
}

impl Index {
    pub(crate) fn of(runs: Vec<Arc<Noted>>) -> Self {
        Self { runs, places: OnceLock::new() }
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

    /// The type of the innermost value at a byte of a file, the value, and the program whose entities the type names.
    pub fn type_at(&self, file: FileId, at: u32) -> Option<(Span, &Type, &Program)> {
        let holds = |span: &Span| span.start <= at && at <= span.end;
        let found = self.places().types.get(&file)?.iter().filter(|(span, _)| holds(span));
        let (span, place) = found.min_by_key(|(span, _)| (span.end - span.start, span.start))?;
        let (ty, program) = self.typed(*place)?;
        Some((*span, ty, program))
    }

    fn typed(&self, (run, n): (usize, usize)) -> Option<(&Type, &Program)> {
        let run = self.runs.get(run)?;
        Some((&run.types.get(n)?.1, &run.program))
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| {
            let mut places = Places::default();
            for (run, noted) in self.runs.iter().enumerate() {
                for (said, declared) in &noted.names {
                    let found = (*said, *declared);
                    // What is named again for another place may mean another thing there: one of the two, whichever was first.
                    let kept = places.names.entry((said.file, said.start)).or_insert(found);
                    *kept = found.max(*kept);
                    places.said.entry(*declared).or_default().insert(*said);
                }
                for (n, (value, _)) in noted.types.iter().enumerate() {
                    let kept = places.types.entry(value.file).or_default().entry(*value).or_insert((run, n));
                    if self.goes_before((run, n), *kept) {
                        *kept = (run, n);
                    }
                }
            }
            places
        })
    }

    /// Whether of two types of one value, which is typed for several places, the first is the one to tell: whichever of
    /// them was found first.
    fn goes_before(&self, one: (usize, usize), other: (usize, usize)) -> bool {
        let (Some((a, of_a)), Some((b, of_b))) = (self.typed(one), self.typed(other)) else { return false };
        let same = one == other || a == b && one.0 == other.0;
        !same && shown(a, of_a) < shown(b, of_b)
    }
}

/// A type by the names of its entities.
fn shown(ty: &Type, program: &Program) -> String {
    let named = |word: &str, id| format!("{word} {}", program.entity(id).full_name());
    match ty {
        Type::Record(id) => named("record", *id),
        Type::Code(id) => named("code", *id),
        Type::FieldOf(id) => named("field", *id),
        Type::List(of) => format!("list of {}", shown(of, program)),
        Type::Optional(of) => format!("optional {}", shown(of, program)),
        other => format!("{other:?}"),
    }
}
