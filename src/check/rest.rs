//! What holds of a project as long as one of its files changes in itself alone: all that its other files say. It is put
//! together with a run over that one file.

use super::declare::given::Override;
use super::resolve::checker::Checker;
use super::resolve::facts::{Facts, Roots};
use super::resolve::index::Noted;
use super::resolve::modules::{ModuleId, Modules};
use crate::source::{Code, Diagnostic, FileId, Files, ReadError, Span, codes};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that was taken in: its number, what it is called, and its text.
pub(crate) type Text = (FileId, PathBuf, Arc<str>);

/// The texts of all files that were taken in, in their order.
pub(crate) fn texts(modules: &Modules<'_>) -> Vec<Text> {
    modules.sources.iter().map(|(file, source)| (file, source.path.clone(), Arc::clone(&source.text))).collect()
}

/// A declaration of the one file that the others have asked for: where it stands, on which line, and its text.
type Asked = (Span, usize, String);

/// All that is known of a project without the declarations of one of its files that nothing else asks for.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) module: ModuleId,
    pub(crate) file: FileId,
    texts: Vec<Text>,
    answers: Vec<Override>,
    /// The headings of the one file.
    headings: Vec<(String, String)>,
    /// Which of its declarations the others have asked for, by their numbers.
    asked: Vec<(usize, Asked)>,
    /// What was read beside flow files.
    read: Reads,
    /// How many files there were before any declaration was read.
    known_before: usize,
    /// Whether it can be put together with a run over the one file.
    pub(crate) fits: bool,
    facts: Facts,
    noted: Arc<Noted>,
    diagnostics: Vec<Diagnostic>,
}

impl Rest {
    /// Reads all of a project but what one of its files declares and nothing else asks for.
    pub(crate) fn of(
        cx: &mut Checker<'_>,
        one: (ModuleId, FileId),
        answers: &[Override],
        files: &Recorded<'_>,
    ) -> Self {
        let (module, file) = one;
        let texts = texts(&cx.modules);
        cx.roots = Roots::AllBut(module);
        cx.modules.watched = Some((module, BTreeSet::default()));
        files.forget();
        cx.project(answers, None);
        let diagnostics = super::told(cx);
        let known_before = cx.modules.known_before;
        let items = &cx.modules.get(module).items;
        // What changes other declarations speaks of them, and is read with them.
        let fits = !items.iter().any(|item| item.keyword == "adapt") && all_apart(&diagnostics, known_before);
        let uses =
            items.iter().enumerate().filter(|(_, item)| item.keyword == "use").map(|(n, _)| n).collect::<Vec<_>>();
        let mut numbers = cx.modules.watched.take().map(|(_, numbers)| numbers).unwrap_or_default();
        numbers.extend(uses);
        Self {
            module,
            file,
            texts,
            answers: answers.to_vec(),
            headings: headings(&cx.modules, module),
            asked: numbers.into_iter().filter_map(|n| Some((n, asked(&cx.modules, module, n)?))).collect(),
            read: files.forget(),
            known_before,
            fits,
            facts: std::mem::take(&mut cx.facts),
            noted: noted(cx),
            diagnostics,
        }
    }

    /// Whether it still holds: the others are the same, and so is what they ask of the one.
    pub(crate) fn holds(&self, modules: &Modules<'_>, texts: &[Text], answers: &[Override]) -> bool {
        let same = |(a, b): (&Text, &Text)| a == b || a.0 == self.file && (&a.0, &a.1) == (&b.0, &b.1);
        self.texts.len() == texts.len()
            && self.texts.iter().zip(texts).all(same)
            && self.answers == answers
            && self.headings == headings(modules, self.module)
            && self.asked.iter().all(|(n, before)| asked(modules, self.module, *n).as_ref() == Some(before))
            && self.read.are_same(modules.files)
    }

    /// Reads the one file, and puts what it says together with the rest; none where the two do not go together.
    pub(crate) fn with_the_one(
        &self,
        cx: &mut Checker<'_>,
        answers: &[Override],
    ) -> Option<(Vec<Diagnostic>, Vec<Arc<Noted>>)> {
        cx.roots = Roots::Only(self.module);
        cx.facts = self.facts.to_go_on();
        cx.project(answers, None);
        let told = super::told(cx);
        if cx.modules.known_before != self.known_before || !all_apart(&told, self.known_before) {
            return None;
        }
        let diagnostics = self.joined(told, cx)?;
        Some((diagnostics, vec![Arc::clone(&self.noted), noted(cx)]))
    }

    /// The reports of both, each once. What both have read both must have told in the same words; else which of them came
    /// first would matter.
    fn joined(&self, told: Vec<Diagnostic>, cx: &Checker<'_>) -> Option<Vec<Diagnostic>> {
        let place = |d: &Diagnostic| (d.code.id, d.span);
        let of_rest: FxHashMap<(&str, Span), &Diagnostic> = self.diagnostics.iter().map(|d| (place(d), d)).collect();
        let of_one: FxHashMap<(&str, Span), &Diagnostic> = told.iter().map(|d| (place(d), d)).collect();
        let in_the_one = self.diagnostics.iter().filter(|d| d.span.file == self.file);
        if !in_the_one.into_iter().all(|d| of_one.get(&place(d)).is_some_and(|own| same(own, d))) {
            return None;
        }
        let others = self.diagnostics.iter().filter(|d| d.span.file != self.file).cloned();
        let mut joined: Vec<Diagnostic> = others.collect();
        for d in told {
            match of_rest.get(&place(&d)) {
                _ if d.span.file == self.file => joined.push(d),
                Some(before) if same(before, &d) => {}
                None if cx.said_of_whole.contains(&place(&d)) => joined.push(d),
                _ => return None,
            }
        }
        Some(joined)
    }
}

fn same(a: &Diagnostic, b: &Diagnostic) -> bool {
    (a.severity, &a.message, &a.label, &a.help) == (b.severity, &b.message, &b.label, &b.help)
        && (&a.related, &a.fix, a.read) == (&b.related, &b.fix, b.read)
}

/// Whether no report depends on where a run began, or speaks of a file whose number does: of a circle, of a table.
fn all_apart(diagnostics: &[Diagnostic], known_before: usize) -> bool {
    let begins: [&Code; 2] = [&codes::CYCLE, &codes::TOO_DEEP];
    let known = |span: Span| span.file.ships() || (span.file.0 as usize) < known_before;
    diagnostics.iter().all(|d| {
        let fixed = d.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
        let mut places = d.related.iter().map(|related| related.span).chain(fixed).chain([d.span]);
        !begins.contains(&d.code) && places.all(known)
    })
}

fn headings(modules: &Modules<'_>, module: ModuleId) -> Vec<(String, String)> {
    modules.get(module).items.iter().map(|item| (item.keyword.clone(), item.name.clone())).collect()
}

fn asked(modules: &Modules<'_>, module: ModuleId, n: usize) -> Option<Asked> {
    let span = modules.get(module).items.get(n)?.decl.as_ref()?.span;
    Some((span, modules.sources.position(span).line, modules.sources.text(span).to_owned()))
}

/// What a run has noted, with its program.
pub(crate) fn noted(cx: &mut Checker<'_>) -> Arc<Noted> {
    let mut noted = cx.noted.take().unwrap_or_default();
    noted.program = std::mem::take(&mut cx.program);
    Arc::new(noted)
}

/// Files of which it is noted what was read.
pub(crate) struct Recorded<'f> {
    files: &'f dyn Files,
    reads: RefCell<Reads>,
}

/// What was read: files, and texts in the place of those that ship.
#[derive(Debug, Default)]
struct Reads {
    files: Vec<(PathBuf, Result<String, ReadError>)>,
    shipped: Vec<(String, Option<String>)>,
}

impl Reads {
    fn are_same(&self, files: &dyn Files) -> bool {
        self.files.iter().all(|(path, read)| files.read(path) == *read)
            && self.shipped.iter().all(|(path, text)| files.shipped(path) == *text)
    }
}

impl<'f> Recorded<'f> {
    pub(crate) fn new(files: &'f dyn Files) -> Self {
        Self { files, reads: RefCell::default() }
    }

    /// Begins anew; what was noted so far.
    fn forget(&self) -> Reads {
        self.reads.take()
    }
}

impl Files for Recorded<'_> {
    fn read(&self, path: &Path) -> Result<String, ReadError> {
        let read = self.files.read(path);
        self.reads.borrow_mut().files.push((path.to_path_buf(), read.clone()));
        read
    }

    fn flow_files(&self, folder: &Path) -> Result<Vec<PathBuf>, ReadError> {
        self.files.flow_files(folder)
    }

    fn shipped(&self, path: &str) -> Option<String> {
        let text = self.files.shipped(path);
        self.reads.borrow_mut().shipped.push((path.to_owned(), text.clone()));
        text
    }

    fn shipped_once(&self, module: &str) -> Vec<(String, String)> {
        self.files.shipped_once(module)
    }
}
