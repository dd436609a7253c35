//! A project made ready: checked, compiled, its store and its connections open.

use super::screen::Screen;
use super::secrets::ProjectSecrets;
use super::{Global, Trouble, project, render};
use crate::check::{self, Checked};
use crate::connector::{self, Connector, OpenError};
use crate::engine::{Engine, Project};
use crate::eval::Compiled;
use crate::ir::Program;
use crate::limits;
use crate::source::library::LIBRARY;
use crate::source::{Disk, Memory, Sources, Span};
use crate::store::{Place, PlanSource, Store};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What commands over a project take.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Answers {
    /// Answers a setting for this run only: `unknown_item=create`, or `orders.unknown_item=create`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// `NAME=VALUE`, as flags say it; the blanks of a value are its own.
pub(crate) fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// A sound project, compiled.
pub(crate) struct Ready {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Its texts.
    pub(crate) sources: Arc<Sources>,
    /// What it means.
    pub(crate) compiled: Arc<Compiled>,
    program: Arc<Program>,
    version: String,
    scripts: BTreeMap<Arc<str>, String>,
}

impl Ready {
    /// Checks and compiles the project. One with errors is told and goes no further.
    pub(crate) fn new(screen: &Screen, global: &Global, answers: &Answers) -> Result<Self, Trouble> {
        let root = project::folder(global)?;
        let checked = check::check_project(&Disk, &root, &answers.set);
        if !checked.is_sound() {
            Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
            return Err(Trouble::Unsound);
        }
        let scripts = scripts(&root);
        Ok(Self::of(root, checked, scripts))
    }

    fn of(root: PathBuf, checked: Checked, scripts: BTreeMap<Arc<str>, String>) -> Self {
        let Checked { sources, program, .. } = checked;
        let version = version(&sources, &scripts);
        let program = Arc::new(program);
        let compiled = Arc::new(Compiled::with_scripts(Arc::clone(&program), scripts.clone()));
        Self { root, sources: Arc::new(sources), compiled, program, version, scripts }
    }

    /// The project as it was in that version, from the texts that the store keeps; none where it keeps none, or this
    /// edition does not understand them any more. What ships is this edition's.
    pub(crate) async fn as_of(&self, version: &str, store: &dyn Store) -> Result<Option<Self>, Trouble> {
        let Some(texts) = store.plan_sources(version).await? else { return Ok(None) };
        let ships = |name: &str| LIBRARY.iter().any(|(_, path, _)| *path == name);
        let own: Vec<PlanSource> = texts.into_iter().filter(|source| !ships(&source.name)).collect();
        let scripts = own.iter().filter(|source| Path::new(&source.name).extension().is_some_and(|e| e == "rhai"));
        let scripts = scripts.map(|source| (Arc::from(source.name.as_str()), source.text.clone())).collect();
        let files = Memory(own.into_iter().map(|source| (self.root.join(source.name), source.text)).collect());
        let checked = check::check_project(&files, &self.root, &[]);
        Ok(checked.is_sound().then(|| Self::of(self.root.clone(), checked, scripts)))
    }

    /// The hash of everything that a record's outcome depends on.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The program.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// A span as people find it.
    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        place(&self.sources, span)
    }

    /// The runner over the project's store, with its connections open.
    pub(crate) async fn engine(&self, named: Option<&Path>, command: &str) -> Result<Engine, Trouble> {
        let store = self.store(named, command)?;
        let connections = self.connections(&store).await?;
        Ok(self.engine_over(store, connections))
    }

    /// The runner over this store, with these connections; without any the store answers alone.
    pub(crate) fn engine_over(&self, store: Arc<dyn Store>, connections: Opened) -> Engine {
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
    pub(crate) async fn connections(&self, store: &Arc<dyn Store>) -> Result<Opened, Trouble> {
        let secrets = ProjectSecrets::of(&self.root)?;
        let mut opened = Vec::new();
        for connection in &self.program.connections {
            let habits = self.program.connector(&connection.connector).ok_or_else(|| {
                Trouble::Misuse(format!("the connector `{}` says nothing of its habits", connection.connector))
            })?;
            let connector =
                connector::open(connection, habits, &secrets, Arc::clone(store)).await.map_err(|e| match e {
                    OpenError::NoClock { .. } => Trouble::Unreachable(e.to_string()),
                    OpenError::Missing { .. }
                    | OpenError::NoSecret { .. }
                    | OpenError::Entry { .. }
                    | OpenError::UnknownConnector { .. } => Trouble::Misuse(e.to_string()),
                })?;
            opened.push((connection.name.to_string(), connector));
        }
        Ok(opened)
    }
}

/// Connections by name.
pub(crate) type Opened = Vec<(String, Arc<dyn Connector>)>;

fn place(sources: &Sources, span: Span) -> Option<Place> {
    sources.iter().nth(span.file.0 as usize)?;
    let at = sources.position(span);
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Some(Place { file: sources.get(span.file).called(), line: number(at.line), column: number(at.column) })
}

/// The texts of the functions in rhai, by their paths from the project's folder.
fn scripts(root: &Path) -> BTreeMap<Arc<str>, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![(root.to_path_buf(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
            if path.is_dir() && !hidden && depth < limits::FOLDER_DEPTH_MAX {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|e| e == "rhai")
                && let (Ok(name), Ok(text)) = (path.strip_prefix(root), std::fs::read_to_string(&path))
            {
                found.insert(name.display().to_string().into(), text);
            }
        }
    }
    found
}

/// A hash of everything that a record's outcome depends on: all texts, the answers on the command line, this edition.
fn version(sources: &Sources, scripts: &BTreeMap<Arc<str>, String>) -> String {
    let mut texts: Vec<(String, &str)> =
        sources.iter().map(|(_, source)| (source.path.display().to_string(), &*source.text)).collect();
    texts.extend(scripts.iter().map(|(name, text)| (name.to_string(), text.as_str())));
    // The order of files is the disk's.
    texts.sort();
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for (name, text) in texts {
        for part in [name.as_bytes(), text.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
