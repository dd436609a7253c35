//! A project that is checked again and again, as an editor does: what has been read is kept, and a check can be given up.

use super::declare::given::Override;
use super::resolve::checker::Checker;
use super::resolve::index::{Index, Noted};
use super::resolve::items::FileItems;
use super::resolve::modules::{ModuleId, Modules, Origin};
use super::rest::{Recorded, Rest, Text, noted, texts};
use crate::source::{Diagnostic, FileId, Files, Severity, Sources, codes};
use crate::value::cancel::Cancel;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of a project that is held. Who runs it checks it from nothing ([`super::check_project`]).
#[derive(Debug)]
pub struct Reading {
    /// The texts. Of the tables that flows name only those are among them that the check has read again.
    pub sources: Sources,
    /// What is wrong, in the order of its places.
    pub diagnostics: Vec<Diagnostic>,
    /// What names and values are.
    pub index: Index,
}

impl Reading {
    /// Whether it may run.
    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// A project as it was checked last. A file whose number and text are the same is not parsed again. Where one file changes
/// several times in a row, what the others say is kept from the second time on, and only that file is read, with what it
/// needs; as long as nothing of it changes that others ask for, and no file but it. All is read anew after a change of
/// `project.flow` or of a file that adapts, where something is wrong in a table or leads back to itself, and wherever which
/// file was read first could be seen in the answer.
#[derive(Debug, Default)]
pub struct Held {
    files: FxHashMap<FileId, FileItems>,
    root: PathBuf,
    texts: Vec<Text>,
    rest: Option<Rest>,
    quick: usize,
}

/// What a run tells, and what it has noted.
type Told = (Vec<Diagnostic>, Vec<Arc<Noted>>);

impl Held {
    /// Checks the project in a folder as [`super::check_project`] does, with an index of its names and types; none when the
    /// check was given up.
    pub fn check(&mut self, files: &dyn Files, root: &Path, answers: &[Override], cancel: &Cancel) -> Option<Reading> {
        let files = Recorded::new(files);
        if self.root != root {
            *self = Self { root: root.to_path_buf(), ..Self::default() };
        }
        let mut cx = self.checker(&files, cancel);
        let texts = texts(&cx.modules);
        let changed = self.changed(&cx.modules, &texts);
        self.texts = texts;
        if let Some(one) = changed {
            if self.rest.as_ref().is_none_or(|rest| rest.module != one.0) {
                self.rest = Some(Rest::of(&mut cx, one, answers, &files));
                cx = self.again(cx, &files, cancel);
            } else if self.rest.as_ref().is_some_and(|rest| !rest.holds(&cx.modules, &self.texts, answers)) {
                self.rest = None;
            }
            if let Some(rest) = self.rest.as_ref().filter(|rest| rest.fits) {
                if let Some(told) = rest.with_the_one(&mut cx, answers) {
                    self.quick += 1;
                    return self.reading(cx, told);
                }
                cx = self.again(cx, &files, cancel);
            }
        }
        cx.project(answers, None);
        let told = super::told(&mut cx);
        let noted = noted(&mut cx);
        self.reading(cx, (told, vec![noted]))
    }

    /// How many checks have read one file alone.
    pub fn quick(&self) -> usize {
        self.quick
    }

    fn checker<'f>(&mut self, files: &'f Recorded<'_>, cancel: &Cancel) -> Checker<'f> {
        let mut cx = Checker::new(super::modules_of(files, &self.root, std::mem::take(&mut self.files)));
        (cx.noted, cx.cancel) = (Some(Noted::default()), cancel.clone());
        cx
    }

    fn again<'f>(&mut self, cx: Checker<'_>, files: &'f Recorded<'_>, cancel: &Cancel) -> Checker<'f> {
        self.files = cx.modules.into_held();
        self.checker(files, cancel)
    }

    /// The one file that has changed since the last check, where it is one that can be read by itself; the one before where
    /// none has.
    fn changed(&self, modules: &Modules<'_>, texts: &[Text]) -> Option<(ModuleId, FileId)> {
        let same_files = self.texts.len() == texts.len()
            && self.texts.iter().zip(texts).all(|(before, now)| (&before.0, &before.1) == (&now.0, &now.1));
        if !same_files || modules.diagnostics.iter().any(|d| d.code == &codes::UNREADABLE) {
            return None;
        }
        let mut changed = self.texts.iter().zip(texts).filter(|(before, now)| before.2 != now.2).map(|(_, now)| now);
        let (file, shown) = match (changed.next(), changed.next()) {
            (None, _) => return self.rest.as_ref().map(|rest| (rest.module, rest.file)),
            (Some((file, shown, _)), None) => (*file, shown),
            _ => return None,
        };
        let id = modules.by_name(&super::name_of(shown))?;
        let module = modules.get(id);
        (module.origin == Origin::Project && &*module.name != "project").then_some((id, file))
    }

    fn reading(&mut self, mut cx: Checker<'_>, (told, noted): Told) -> Option<Reading> {
        let given_up = cx.cancel.is_cancelled();
        let diagnostics = super::sorted(told, &mut cx);
        let sources = std::mem::take(&mut cx.modules.sources);
        self.files = cx.modules.into_held();
        if given_up {
            self.rest = None;
            return None;
        }
        Some(Reading { sources, diagnostics, index: Index::of(noted) })
    }
}
