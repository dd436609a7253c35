//! The tests of a project, each run by itself, and each of their cases.

use super::coverage::{Counted, Coverage};
use super::judge::{Outcome, judge};
use super::snapshot::Snapshots;
use crate::check::{Answered, Checked, Override, Tests};
use crate::eval::World;
use crate::ir::Test;
use crate::source::Files;
use crate::store::Place;
use crate::workspace::Workspace;
use bumpalo::Bump;
use jiff::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// What all tests take for now that say nothing else: noon of 15 June 2026, UTC.
pub(super) const NOW: Timestamp = Timestamp::constant(1_781_524_800, 0);

/// The tests of a project.
pub struct Suite<'f> {
    files: &'f dyn Files,
    root: PathBuf,
    answers: Vec<Override>,
    workspace: Workspace,
    /// What the tests come to is counted.
    counts: bool,
    /// The project with the answers of tests, or what is wrong with it then.
    answered: RefCell<HashMap<Alike, Rc<Result<Workspace, Outcome>>>>,
}

/// Tests with the same answers: the module, the answers as they are written, and the case where it answers some.
type Alike = (Arc<str>, Arc<str>, Option<(Arc<str>, usize)>);

/// A test that was run, or one of its cases.
#[derive(Debug)]
pub struct Tested {
    /// The module that holds it.
    pub module: Arc<str>,
    /// What it shows.
    pub title: Arc<str>,
    /// The case.
    pub case: Option<Arc<str>>,
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
    pub fn open(files: &'f dyn Files, root: PathBuf, answers: &[Override], counts: bool) -> Result<Self, Box<Checked>> {
        let workspace = Workspace::with_tests(files, root.clone(), answers, &Tests::default(), counts)?;
        Ok(Self { files, root, answers: answers.to_vec(), workspace, counts, answered: RefCell::default() })
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

    /// Runs a test: once, or for each of its cases.
    pub fn run(&self, number: usize, snapshots: &mut Snapshots<'_>) -> Vec<Tested> {
        let test = &self.workspace.program().tests[number];
        let cases = test.cases.as_ref().map_or(1, |cases| cases.rows.len());
        (0..cases).map(|case| self.case(number, case, snapshots)).collect()
    }

    /// What the tests that were run came to of the texts that `wanted` picks.
    pub fn coverage(&self, wanted: impl Fn(&str, &str) -> bool) -> Coverage {
        let mut counted = Counted::default();
        counted.add(&self.workspace, &wanted);
        for workspace in self.answered.borrow().values() {
            if let Ok(workspace) = workspace.as_ref() {
                counted.add(workspace, &wanted);
            }
        }
        counted.coverage()
    }

    /// The project as it is without the answers of a test.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// A case of a test evaluated in the project as it is with the answers of the test.
    ///
    /// # Errors
    /// What is wrong with the project then.
    pub(super) fn within<T>(
        &self,
        number: usize,
        case: usize,
        evaluated: impl FnOnce(&Workspace, (usize, usize), &World) -> T,
    ) -> Result<T, Outcome> {
        let test = &self.workspace.program().tests[number];
        let world = World::new(NOW);
        match self.with_answers(test, case).as_deref() {
            None => Ok(evaluated(&self.workspace, (number, case), &world)),
            Some(Ok(workspace)) => Ok(evaluated(workspace, (same(workspace, test), case), &world)),
            Some(Err(outcome)) => Err(outcome.clone()),
        }
    }

    fn case(&self, number: usize, case: usize, snapshots: &mut Snapshots<'_>) -> Tested {
        let test = &self.workspace.program().tests[number];
        let judged = |workspace: &Workspace, of, world: &World| judge(workspace, of, world, &Bump::new(), snapshots);
        let outcome = self.within(number, case, judged).unwrap_or_else(|outcome| outcome);
        let row = test.cases.as_ref().and_then(|cases| cases.rows.get(case));
        Tested {
            module: Arc::clone(&test.module),
            title: Arc::clone(&test.title),
            case: row.map(|row| Arc::clone(&row.name)),
            place: self.workspace.place(row.map_or(test.span, |row| row.span)),
            outcome,
        }
    }

    /// The project with the answers of a test to settings; none where it has none.
    fn with_answers(&self, test: &Test, case: usize) -> Option<Rc<Result<Workspace, Outcome>>> {
        let answers = test.answers.as_ref()?;
        let (module, title) = (Arc::clone(&test.module), Arc::clone(&test.title));
        let by_case = answers.by_case.then(|| (Arc::clone(&title), case));
        let alike = (Arc::clone(&module), Arc::clone(&answers.text), by_case);
        if let Some(known) = self.answered.borrow().get(&alike) {
            return Some(Rc::clone(known));
        }
        let answers = Arc::clone(&answers.text);
        let tests = Tests { answered: Some(Answered { module, title, answers, case }) };
        let checked = Workspace::with_tests(self.files, self.root.clone(), &self.answers, &tests, self.counts);
        let made = Rc::new(checked.map_err(|checked| Outcome::unsound(&checked)));
        self.answered.borrow_mut().insert(alike, Rc::clone(&made));
        Some(made)
    }
}

/// The number of a test in the program that was checked for its answers.
fn same(workspace: &Workspace, test: &Test) -> usize {
    let tests = &workspace.program().tests;
    tests.iter().position(|other| other.span == test.span).unwrap_or(usize::MAX)
}
