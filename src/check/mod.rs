//! Names, types, rules: a project's files become a program, and everything wrong with them is told at once.
//!
//! In: files through [`Files`]. Out: [`Checked`]: the program as far as it was understood, and the diagnostics in the
//! order of their places. It never fails; with an error among the diagnostics, the program must not run.

mod declare;
mod held;
mod infer;
mod project;
mod pulled;
mod resolve;
mod rest;
mod types;
mod whole;

use crate::ir::Program;
use crate::lints::Claim;
use crate::source::{Code, Diagnostic, FileId, Files, Severity, Sources, codes, library};
use resolve::checker::Checker;
use resolve::items::FileItems;
use resolve::modules::Modules;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use crate::value::cancel::Cancel;
pub use declare::given::Override;
pub use declare::testing::{Answered, Tests};
pub use held::{Held, Reading};
pub use pulled::{is_of_pulled, near};
pub use resolve::checker::Changed;
pub use resolve::index::Index;
pub use resolve::suggest::nearest;

/// What came of a check.
#[derive(Debug)]
pub struct Checked {
    /// All texts that were read.
    pub sources: Sources,
    /// The program.
    pub program: Program,
    /// What the project changes of what comes from elsewhere, in the order of its files.
    pub changes: Vec<Changed>,
    /// The files of functions in rhai that it names, by the names that it has for them.
    pub scripts: BTreeMap<Arc<str>, String>,
    /// What is wrong, in the order of its places.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether it may run.
    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Checks the project in a folder: `project.flow`, the files beside it, and what they use.
pub fn check_project(files: &dyn Files, root: &Path, answers: &[Override]) -> Checked {
    check_with(files, root, answers, None)
}

/// The same with the schemas of all that is a system's own, whether or not a flow names it: for whoever asks the systems.
pub fn check_live(files: &dyn Files, root: &Path, answers: &[Override]) -> Checked {
    let mut cx = Checker::new(modules_of(files, root, FxHashMap::default()));
    cx.project(answers, None);
    cx.read_own_schemas();
    finish(cx)
}

/// The same with its tests as a part of the program; one of them may answer settings for the whole of it.
pub fn check_tests(files: &dyn Files, root: &Path, answers: &[Override], tests: &Tests) -> Checked {
    check_with(files, root, answers, Some(tests))
}

fn check_with(files: &dyn Files, root: &Path, answers: &[Override], tests: Option<&Tests>) -> Checked {
    let mut cx = Checker::new(modules_of(files, root, FxHashMap::default()));
    cx.project(answers, tests);
    finish(cx)
}

/// The modules of a project: those of its files, and what they use.
fn modules_of<'f>(files: &'f dyn Files, root: &Path, held: FxHashMap<FileId, FileItems>) -> Modules<'f> {
    let mut modules = Modules::new(files, held);
    modules.set_root(root);
    let found = match files.flow_files(root) {
        Ok(found) => found,
        Err(e) => {
            modules.no_folder(root, &e);
            Vec::new()
        }
    };
    let mut own = Vec::new();
    for path in found {
        let shown = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        let name = name_of(&shown);
        match library::shipped(&name) {
            Some(module) => modules.is_shipped(&shown, module),
            None => own.push((path, shown, name)),
        }
    }
    modules.add_files(&own);
    modules.of_project().into_iter().for_each(|id| modules.follow_uses(id));
    modules
}

/// The name of the module that a file of a project is.
fn name_of(shown: &Path) -> String {
    let way = shown.with_extension("");
    way.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join(".")
}

/// Checks single files, and what they use.
pub fn check_files(files: &dyn Files, paths: &[PathBuf]) -> Checked {
    let mut modules = Modules::new(files, FxHashMap::default());
    let names: Vec<String> = paths.iter().map(|path| modules.name_of_file(path)).collect();
    let mut ids = Vec::new();
    for (path, name) in paths.iter().zip(&names) {
        match modules.by_name(name) {
            Some(id) => ids.push(id),
            None => ids.extend(modules.add_file(path, path, name)),
        }
    }
    ids.iter().for_each(|id| modules.follow_uses(*id));
    let mut cx = Checker::new(modules);
    cx.single_files(&ids);
    finish(cx)
}

/// What came of it.
fn finish(mut cx: Checker<'_>) -> Checked {
    let diagnostics = told(&mut cx);
    let diagnostics = sorted(diagnostics, &mut cx);
    cx.changes.sort_by_key(|change| change.at);
    let sources = std::mem::take(&mut cx.modules.sources);
    let scripts = std::mem::take(&mut cx.script_texts);
    Checked { sources, program: cx.program, changes: cx.changes, scripts, diagnostics }
}

/// What is wrong with the declarations that were read, once all that they name has been read too.
fn told(cx: &mut Checker<'_>) -> Vec<Diagnostic> {
    cx.read_rest();
    cx.tell_circles();
    crate::lints::lint(&cx.program, &cx.partly).into_iter().for_each(|lint| cx.lint(lint));
    for runs in cx.facts.running.iter_mut().filter(|runs| runs.claims.is_none()) {
        runs.claims = Some(crate::lints::claims(&cx.program, &runs.flow, runs.at));
    }
    if cx.roots.complete() {
        let claims: Vec<&Claim> = cx.facts.running.iter().flat_map(|runs| &runs.claims).flatten().collect();
        let twins = crate::lints::twins(&claims);
        cx.of_whole(|cx| twins.into_iter().for_each(|lint| cx.lint(lint)));
    }
    let mut diagnostics = std::mem::take(&mut cx.diagnostics);
    let broken = cx.modules.broken();
    diagnostics.retain(|d| !follows(&broken, &cx.modules.sources, d));
    diagnostics
}

/// All that is wrong, what the syntax has told among it, in the order of its places.
fn sorted(mut diagnostics: Vec<Diagnostic>, cx: &mut Checker<'_>) -> Vec<Diagnostic> {
    diagnostics.append(&mut cx.modules.diagnostics);
    diagnostics.sort_by_key(|d| (d.span, d.code.id));
    diagnostics
}

/// Whether a report only repeats what the syntax has told: it is about the line that could not be read, or about
/// something missing from a declaration that was read in part.
fn follows(broken: &resolve::modules::Broken, sources: &Sources, d: &Diagnostic) -> bool {
    let missing: [&Code; 11] = [
        &codes::REQUIRED_NOT_FILLED,
        &codes::KEY_NOT_WRITTEN,
        &codes::KEY_CONSTANT,
        &codes::MATCH_NOT_COVERED,
        &codes::LOOKUP_NOT_COVERED,
        &codes::UNUSED,
        &codes::NO_HEADER,
        &codes::FLOW_SHAPE,
        &codes::NEEDLESS,
        &codes::AMOUNT_UNUSED,
        &codes::AMOUNT_TWICE,
    ];
    let at = (d.span.file, d.span.start);
    let before = broken.within.range(..=at).next_back();
    let inside = before.is_some_and(|((file, _), end)| *file == d.span.file && d.span.start < *end);
    broken.lines.contains(&(d.span.file, sources.position(d.span).line)) || inside && missing.contains(&d.code)
}
