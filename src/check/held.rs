//! A project that is checked again and again, as an editor does: what has been read is kept, and a check can be given up.

use super::Checked;
use super::declare::given::Override;
use super::resolve::checker::Checker;
use super::resolve::index::Index;
use super::resolve::items::FileItems;
use crate::source::{FileId, Files};
use crate::value::cancel::Cancel;
use rustc_hash::FxHashMap;
use std::path::Path;

/// Files that have been read, by the number that they had. A file whose number and text are the same is not parsed again,
/// nor are the declarations of the library that were needed. Everything else is made anew in each check: what a declaration
/// means costs less than to find out whether it could have changed.
#[derive(Debug, Default)]
pub struct Held(pub(crate) FxHashMap<FileId, FileItems>);

impl Held {
    /// Checks the project in a folder as [`super::check_project`] does, with an index of its names and types; none when the
    /// check was given up.
    pub fn check(&mut self, files: &dyn Files, root: &Path, answers: &[Override], cancel: &Cancel) -> Option<Checked> {
        let mut cx = Checker::new(super::modules_of(files, root, std::mem::take(&mut self.0)));
        (cx.index, cx.cancel) = (Some(Index::default()), cancel.clone());
        cx.project(answers, None);
        let (checked, held) = super::finish(cx);
        self.0 = held;
        (!cancel.is_cancelled()).then_some(checked)
    }
}
