//! A sound project, compiled: its texts, its program, its version, its runner.

use super::defaults::Defaults;
use super::error::WorkspaceError;
use super::texts::Texts;
use super::version::version;
use crate::check::{self, Changed, Checked, Override, Tests};
use crate::connector::{self, Connector, Secrets};
use crate::engine::{Engine, Project};
use crate::eval::Compiled;
use crate::ir::Program;
use crate::limits;
use crate::source::library::LIBRARY;
use crate::source::{Disk, Files, Memory, Shipping, Sources, Span};
use crate::store::{Place, PlanSource, Store, StoreError};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A sound project, compiled.
pub struct Workspace {
    root: PathBuf,
    sources: Arc<Sources>,
    compiled: Arc<Compiled>,
    program: Arc<Program>,
    version: String,
    scripts: BTreeMap<Arc<str>, String>,
    changes: Vec<Changed>,
}

/// Connections by name, open.
pub type Connections = Vec<(String, Arc<dyn Connector>)>;

impl Workspace {
    /// Checks and compiles the project in a folder, with these answers to its settings.
    ///
    /// # Errors
    /// What was found, where that makes the project unsound.
    pub fn open(root: PathBuf, answers: &[(String, String)]) -> Result<Self, Box<Checked>> {
        let checked = check::check_project(&Disk, &root, answers);
        if !checked.is_sound() {
            return Err(Box::new(checked));
        }
        Ok(Self::of(root, checked))
    }

    /// The same for whoever asks the systems what they have of their own: with the schemas of that.
    ///
    /// # Errors
    /// What was found, where that makes the project unsound.
    pub fn open_live(root: PathBuf, answers: &[(String, String)]) -> Result<Self, Box<Checked>> {
        let checked = check::check_live(&Disk, &root, answers);
        if !checked.is_sound() {
            return Err(Box::new(checked));
        }
        Ok(Self::of(root, checked))
    }

    /// The same for whoever pulls what the systems have of their own: what was pulled before may be the only thing wrong.
    ///
    /// # Errors
    /// What was found beside that, where it makes the project unsound.
    pub fn open_to_pull(root: PathBuf) -> Result<Self, Box<Checked>> {
        let mut checked = check::check_live(&Disk, &root, &[]);
        checked.diagnostics.retain(|d| !check::is_of_pulled(d));
        if !checked.is_sound() {
            return Err(Box::new(checked));
        }
        Ok(Self::of(root, checked))
    }

    /// The same with its tests, for one of which it may be checked alone; with `counts` what evaluations come to is counted.
    ///
    /// # Errors
    /// What was found, where that makes the project unsound.
    pub fn with_tests(
        files: &dyn Files,
        root: PathBuf,
        answers: &[Override],
        tests: &Tests,
        counts: bool,
    ) -> Result<Self, Box<Checked>> {
        let checked = check::check_tests(files, &root, answers, tests);
        if !checked.is_sound() {
            return Err(Box::new(checked));
        }
        let compile = if counts { Compiled::counting } else { Compiled::with_scripts };
        Ok(Self::compiled_by(compile, root, checked))
    }

    fn of(root: PathBuf, checked: Checked) -> Self {
        Self::compiled_by(Compiled::with_scripts, root, checked)
    }

    fn compiled_by(
        compile: fn(Arc<Program>, BTreeMap<Arc<str>, String>) -> Compiled,
        root: PathBuf,
        checked: Checked,
    ) -> Self {
        let Checked { sources, program, changes, scripts, .. } = checked;
        let version = version(&sources, &scripts);
        let program = Arc::new(program);
        let compiled = Arc::new(compile(Arc::clone(&program), scripts.clone()));
        Self { root, sources: Arc::new(sources), compiled, program, version, scripts, changes }
    }

    /// What the project changes of what comes from elsewhere, in the order of its files.
    pub fn changes(&self) -> &[Changed] {
        &self.changes
    }

    /// The defaults of this edition that the project uses.
    pub fn defaults(&self) -> Defaults {
        Defaults::of(&self.sources, &self.changes)
    }

    /// The texts of all that ships, as the project was checked with them.
    pub fn texts(&self) -> Texts {
        Texts::of(&self.sources)
    }

    /// The project as it was in that version, from the texts that the store keeps; none where it keeps none, or this
    /// edition does not understand them any more. Its defaults are those of then.
    ///
    /// # Errors
    /// The store.
    pub async fn as_of(&self, version: &str, store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let Some(texts) = store.plan_sources(version).await? else { return Ok(None) };
        let ships = |name: &str| LIBRARY.iter().any(|(_, path, _)| *path == name);
        let (shipped, own): (Vec<PlanSource>, Vec<PlanSource>) =
            texts.into_iter().partition(|source| ships(&source.name));
        let files = Memory(own.into_iter().map(|source| (self.root.join(source.name), source.text)).collect());
        let shipped: Texts = shipped.into_iter().map(|source| (source.name, source.text)).collect();
        let files = Shipping { files: &files, texts: shipped.instead() };
        let checked = check::check_project(&files, &self.root, &[]);
        Ok(checked.is_sound().then(|| Self::of(self.root.clone(), checked)))
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Its texts.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What its records mean.
    pub fn compiled(&self) -> &Arc<Compiled> {
        &self.compiled
    }

    /// The hash of everything that a record's outcome depends on.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// A span as people find it.
    pub fn place(&self, span: Span) -> Option<Place> {
        place(&self.sources, span)
    }

    /// The runner over this store, with these connections; without any the store answers alone.
    pub fn engine(&self, store: Arc<dyn Store>, connections: Connections) -> Engine {
        let sources = Arc::clone(&self.sources);
        let mut texts: Vec<PlanSource> = self
            .sources
            .iter()
            .map(|(_, source)| PlanSource { name: source.path.display().to_string(), text: source.text.to_string() })
            .collect();
        texts.extend(self.scripts.iter().map(|(name, text)| PlanSource { name: name.to_string(), text: text.clone() }));
        let project = Project {
            program: Arc::clone(&self.program),
            evaluator: Arc::clone(&self.compiled) as Arc<_>,
            plan_hash: self.version.clone(),
            sources: texts,
            place: Arc::new(move |span| place(&sources, span)),
            log_days: limits::LOG_DAYS,
        };
        Engine::new(project, connections, store)
    }

    /// The project's connections, open.
    ///
    /// # Errors
    /// Why one of them cannot be opened.
    pub async fn connections(
        &self,
        secrets: &dyn Secrets,
        store: &Arc<dyn Store>,
    ) -> Result<Connections, WorkspaceError> {
        let mut opened = Vec::new();
        for connection in &self.program.connections {
            let habits = self.program.connector(&connection.connector).ok_or_else(|| {
                WorkspaceError::Asked(format!("the connector `{}` says nothing of its habits", connection.connector))
            })?;
            let connector = connector::open(connection, habits, secrets, Arc::clone(store)).await?;
            opened.push((connection.name.to_string(), connector));
        }
        Ok(opened)
    }
}

fn place(sources: &Sources, span: Span) -> Option<Place> {
    sources.find(span.file)?;
    let at = sources.position(span);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(Place { file: sources.get(span.file).called(), line: number(at.line), column: number(at.column) })
}
