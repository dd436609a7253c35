//! The tests of a project, each run by itself.

use super::judge::{Outcome, judge};
use super::snapshot::Snapshots;
use crate::check::{Checked, Override, Tests};
use crate::eval::World;
use crate::source::Files;
use crate::store::Place;
use crate::workspace::Workspace;
use bumpalo::Bump;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;

/// What all tests take for now: noon of 15 June 2026, UTC.
const NOW: Timestamp = Timestamp::constant(1_781_524_800, 0);

/// The tests of a project.
pub struct Suite<'f> {
    files: &'f dyn Files,
    root: PathBuf,
    answers: Vec<Override>,
    workspace: Workspace,
}

/// A test that was run.
#[derive(Debug)]
pub struct Tested {
    /// The module that holds it.
    pub module: Arc<str>,
    /// What it shows.
    pub title: Arc<str>,
    /// Where it is declared.
    pub place: Option<Place>,
    /// What came of it.
    pub outcome: Outcome,
}

impl<'f> Suite<'f> {
    /// The tests of the project in a folder, with these answers to its settings.
    ///
    /// # Errors
    /// What was found, where that makes the project unsound.
    pub fn open(files: &'f dyn Files, root: PathBuf, answers: &[Override]) -> Result<Self, Box<Checked>> {
        let workspace = Workspace::with_tests(files, root.clone(), answers, &Tests::default())?;
        Ok(Self { files, root, answers: answers.to_vec(), workspace })
    }

    /// The numbers of the tests that are meant: by the name of their module, or by words of their titles; of all, where
    /// nothing is named. A name that means none is given back.
    ///
    /// # Errors
    /// The name that means no test.
    pub fn named(&self, names: &[String]) -> Result<Vec<usize>, String> {
        let tests = &self.workspace.program().tests;
        let means = |n: usize, name: &str| {
            *tests[n].module == *name || tests[n].title.to_lowercase().contains(&name.to_lowercase())
        };
        if let Some(name) = names.iter().find(|name| !(0..tests.len()).any(|n| means(n, name))) {
            return Err(name.clone());
        }
        Ok((0..tests.len()).filter(|n| names.is_empty() || names.iter().any(|name| means(*n, name))).collect())
    }

    /// Runs a test.
    pub fn run(&self, number: usize, snapshots: &mut Snapshots) -> Tested {
        let test = &self.workspace.program().tests[number];
        let outcome = if test.answers {
            let tests = Tests { answered: Some((Arc::clone(&test.module), Arc::clone(&test.title))) };
            match Workspace::with_tests(self.files, self.root.clone(), &self.answers, &tests) {
                Ok(workspace) => run(&workspace, number, snapshots),
                Err(checked) => Outcome::unsound(&checked),
            }
        } else {
            run(&self.workspace, number, snapshots)
        };
        Tested {
            module: Arc::clone(&test.module),
            title: Arc::clone(&test.title),
            place: self.workspace.place(test.span),
            outcome,
        }
    }
}

fn run(workspace: &Workspace, number: usize, snapshots: &mut Snapshots) -> Outcome {
    let (arena, world) = (Bump::new(), World::new(NOW));
    judge(workspace, number, &world, &arena, snapshots)
}
