//! Modules: which files belong to which, and what each declares, read when it is first looked at.

use crate::check::resolve::items::{FileItems, Item, Space, space_of};
use crate::check::resolve::parallel::parse_all;
use crate::limits;
use crate::source::{Diagnostic, FileId, Files, ReadError, Sources, Span, codes, library};
use crate::syntax::ast;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A module among the loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ModuleId(pub(crate) usize);

/// Where a module comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The standard library.
    Library,
    /// The default flows.
    Default,
    /// The project, or the files named.
    Project,
}

/// The declarations of a module's files.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) items: Vec<Item>,
    /// Which items have a name, of each kind.
    names: FxHashMap<Space, FxHashMap<String, Vec<usize>>>,
    /// Alias, module, the `use`.
    pub(crate) uses: Vec<(Arc<str>, ModuleId, ast::Use)>,
    /// Names under which it uses what is not there.
    pub(crate) missing: Vec<Arc<str>>,
    /// Whether its `use` lines have been followed.
    followed: bool,
}

impl Module {
    /// The items of that name.
    fn named(&self, space: Space, name: &str) -> &[usize] {
        self.names.get(&space).and_then(|names| names.get(name)).map_or(&[], Vec::as_slice)
    }

    /// By what its flows, mappings and settings are known: its path. Where the defaults stand is no part of their names.
    pub(crate) fn own_name(&self) -> Arc<str> {
        self.name.strip_prefix("flows.").map_or_else(|| Arc::clone(&self.name), Into::into)
    }
}

/// What the syntax could not read: the lines, and the declarations that lost them, by where they begin.
#[derive(Debug, Default)]
pub(crate) struct Broken {
    pub(crate) lines: FxHashSet<(FileId, usize)>,
    pub(crate) within: BTreeMap<(FileId, u32), u32>,
}

/// All modules of a check, and the diagnostics of reading them.
pub(crate) struct Modules<'f> {
    pub(crate) sources: Sources,
    pub(crate) all: Vec<Module>,
    by_name: FxHashMap<String, ModuleId>,
    pub(crate) files: &'f dyn Files,
    pub(crate) root: Option<PathBuf>,
    /// Folder of the default flows on disk, when files of it are what is checked.
    flows_folder: Option<PathBuf>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Files that were read in an earlier check.
    held: FxHashMap<FileId, FileItems>,
    /// Files that have been read, with what their texts have wrong.
    read: Vec<(FileId, Arc<str>, Vec<Diagnostic>)>,
    /// Modules whose `use` lines are being followed: one that comes again is a circle.
    loading: Vec<ModuleId>,
    /// The module of which it is noted which declarations are asked for, and these, by their numbers.
    pub(crate) watched: Option<(ModuleId, BTreeSet<usize>)>,
    /// How many files there are before any declaration is read. Tables that declarations name come behind them.
    pub(crate) known_before: usize,
}

impl<'f> Modules<'f> {
    pub(crate) fn new(files: &'f dyn Files, held: FxHashMap<FileId, FileItems>) -> Self {
        Self {
            sources: Sources::new(),
            all: Vec::new(),
            by_name: FxHashMap::default(),
            files,
            root: None,
            flows_folder: None,
            diagnostics: Vec::new(),
            held,
            read: Vec::new(),
            loading: Vec::new(),
            watched: None,
            known_before: 0,
        }
    }

    pub(crate) fn get(&self, id: ModuleId) -> &Module {
        &self.all[id.0]
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<ModuleId> {
        self.by_name.get(name).copied()
    }

    /// The modules of the project's own files, in their order.
    pub(crate) fn of_project(&self) -> Vec<ModuleId> {
        let all = self.all.iter().enumerate();
        all.filter(|(_, module)| module.origin == Origin::Project).map(|(n, _)| ModuleId(n)).collect()
    }

    /// Reads a file of the project as a module of that name.
    pub(crate) fn add_file(&mut self, path: &Path, shown: &Path, name: &str) -> Option<ModuleId> {
        if self.all.len() >= limits::FILES_MAX {
            self.too_many(shown);
            return None;
        }
        let file = self.read_file(path, shown)?;
        Some(self.add_module(name, Origin::Project, &[file]))
    }

    /// Reads the files of a project: path, path as people name it, name of the module. Their texts are parsed side by side.
    pub(crate) fn add_files(&mut self, files: &[(PathBuf, PathBuf, String)]) {
        let mut read = Vec::new();
        for (path, shown, name) in files {
            if self.all.len() + read.len() >= limits::FILES_MAX {
                self.too_many(shown);
                break;
            }
            read.extend(self.read_file(path, shown).map(|file| (file, name)));
        }
        let text = |file| Arc::clone(&self.sources.get(file).text);
        let texts = read.iter().map(|(file, _)| (*file, text(*file)));
        let new = texts.filter(|(file, text)| self.held.get(file).is_none_or(|held| *held.text != **text)).collect();
        self.held.extend(parse_all(new));
        for (file, name) in read {
            self.add_module(name, Origin::Project, &[file]);
        }
    }

    /// Takes in the text of a file; none where it can't be read, which is told.
    fn read_file(&mut self, path: &Path, shown: &Path) -> Option<FileId> {
        let read = self.files.read(path).and_then(|text| match text.find('\0') {
            // It happens to be UTF-8, but nobody wrote it.
            Some(at) => Err(ReadError::Nul { line: text[..at].matches('\n').count() + 1 }),
            None => Ok(text),
        });
        match read {
            Ok(text) => Some(self.sources.add(shown, text)),
            Err(e) => {
                let file = self.sources.add(shown, "");
                self.diagnostics.push(
                    Diagnostic::new(
                        &codes::UNREADABLE,
                        Span::new(file, 0, 0),
                        format!("{} can't be read: {e}", shown.display()),
                    )
                    .help("flow files are UTF-8 text; check the path, the file's encoding and its permissions"),
                );
                None
            }
        }
    }

    /// More files than are taken in.
    fn too_many(&mut self, shown: &Path) {
        let file = self.sources.add(shown, "");
        let message = format!("there are more than {} files here", limits::FILES_MAX);
        self.diagnostics.push(
            Diagnostic::new(&codes::UNREADABLE, Span::new(file, 0, 0), message)
                .label("not read, nor what follows")
                .help("check the project's own folder, not one that holds many"),
        );
    }

    /// A file of the project has the name of a module that ships. Which of the two is meant by it nobody could tell.
    pub(crate) fn is_shipped(&mut self, shown: &Path, module: &str) {
        let file = self.sources.add(shown, "");
        let message = format!("`{module}` ships with flowc, and {} has its name", shown.display());
        let short = module.rsplit('.').next().unwrap_or(module);
        let help = if module.starts_with("flows.") {
            format!(
                "a default is changed in `project.flow`: `settings for {short} {{ … }}` answers it, `adapt lookup tables.NAME {{ … }}` adds rows to its tables; a flow of your own stands in a file of another name"
            )
        } else {
            "give the file another name; a field of your own is added to an entity with `extend`".to_owned()
        };
        self.diagnostics.push(Diagnostic::new(&codes::DECLARED_TWICE, Span::new(file, 0, 0), message).help(help));
    }

    /// The project's folder can't be read.
    pub(crate) fn no_folder(&mut self, root: &Path, error: &ReadError) {
        let file = self.sources.add(root, "");
        let message = format!("the folder {} can't be read: {error}", root.display());
        self.diagnostics.push(
            Diagnostic::new(&codes::UNREADABLE, Span::new(file, 0, 0), message)
                .help("commands take the project's folder as `--project DIR`"),
        );
    }

    /// Files named on the command line: those in a folder `flows` are default flows, which see one another on disk.
    pub(crate) fn name_of_file(&mut self, path: &Path) -> String {
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if real.file_name().is_some_and(|n| n == "flows") {
            self.flows_folder = Some(folder);
            format!("flows.{stem}")
        } else {
            stem
        }
    }

    /// The module of that name: the project's, a default flow on disk, or one that ships.
    pub(crate) fn find_or_load(&mut self, name: &str) -> Option<ModuleId> {
        if let Some(id) = self.by_name(name) {
            return Some(id);
        }
        if let (Some(folder), Some(stem)) = (self.flows_folder.clone(), name.strip_prefix("flows.")) {
            let path = folder.join(format!("{stem}.flow"));
            if self.files.read(&path).is_ok() {
                let id = self.add_file(&path, &path, name)?;
                self.follow_uses(id);
                return Some(id);
            }
        }
        let mut files: Vec<FileId> = library::files(name).map(|file| self.ship(file)).collect();
        let gone = self.files.shipped_once(name);
        files.extend(gone.into_iter().map(|(path, text)| self.sources.add_default(path, text)));
        let origin = if name.starts_with("flows.") { Origin::Default } else { Origin::Library };
        if files.is_empty() {
            return None;
        }
        let id = self.add_module(name, origin, &files);
        self.follow_uses(id);
        Some(id)
    }

    /// Takes in a file that ships; another text of it, where the files hold one: what shipped once.
    fn ship(&mut self, file: FileId) -> FileId {
        let (path, text) = library::text(file);
        match self.files.shipped(path).filter(|own| own != text) {
            Some(own) => self.sources.add_default(path, own),
            None => self.sources.ship(file),
        }
    }

    fn add_module(&mut self, name: &str, origin: Origin, files: &[FileId]) -> ModuleId {
        let id = ModuleId(self.all.len());
        let mut module = Module {
            name: name.into(),
            origin,
            items: Vec::new(),
            names: FxHashMap::default(),
            uses: Vec::new(),
            missing: Vec::new(),
            followed: false,
        };
        for file in files {
            self.read_items(&mut module, *file);
        }
        for (n, item) in module.items.iter().enumerate() {
            if let Some(space) = space_of(&item.keyword) {
                module.names.entry(space).or_default().entry(item.name.clone()).or_default().push(n);
            }
        }
        self.all.push(module);
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// The declarations of a file, from before where its text is the same.
    fn read_items(&mut self, module: &mut Module, file: FileId) {
        let text = Arc::clone(&self.sources.get(file).text);
        let held = self.held.remove(&file).filter(|held| *held.text == *text);
        let read = held
            .unwrap_or_else(|| if file.ships() { FileItems::shipped(file, text) } else { FileItems::of(file, text) });
        self.diagnostics.extend(read.diagnostics.iter().cloned());
        module.items.extend(read.items);
        self.read.push((file, read.text, read.diagnostics));
    }

    /// What has been read, to be kept for the next time.
    pub(crate) fn into_held(self) -> FxHashMap<FileId, FileItems> {
        let empty = |(file, text, diagnostics)| (file, FileItems { text, items: Vec::new(), diagnostics });
        let mut held: FxHashMap<FileId, FileItems> = self.read.into_iter().map(empty).collect();
        for item in self.all.into_iter().flat_map(|module| module.items) {
            if let Some(file) = held.get_mut(&item.file) {
                file.items.push(item);
            }
        }
        held
    }

    /// Loads what a module uses. All files of a project are known by then, so their order is of no matter.
    pub(crate) fn follow_uses(&mut self, id: ModuleId) {
        if std::mem::replace(&mut self.all[id.0].followed, true) {
            return;
        }
        self.loading.push(id);
        for n in 0..self.get(id).items.len() {
            if self.get(id).items[n].keyword != "use" {
                continue;
            }
            let Some(decl) = self.decl(id, n) else { continue };
            let ast::DeclKind::Use(used) = &decl.kind else { continue };
            let name = used.module.text();
            let last = used.module.parts.last().map_or("", |p| &*p.text);
            let alias: Arc<str> = used.alias.as_ref().map_or_else(|| last.into(), |a| Arc::clone(&a.text));
            let Some(module) = self.find_or_load(&name) else {
                self.all[id.0].missing.push(alias);
                self.unknown_module(&name, used.module.span);
                continue;
            };
            if self.loading.contains(&module) {
                let message = format!("`{name}` and `{}` use each other", self.get(id).name);
                self.diagnostics.push(
                    Diagnostic::new(&codes::CYCLE, used.module.span, message)
                        .label("a circle of `use`")
                        .help("move what both need into a third file, and use that"),
                );
                continue;
            }
            self.follow_uses(module);
            self.all[id.0].uses.push((alias, module, used.clone()));
        }
        self.loading.pop();
    }

    fn unknown_module(&mut self, name: &str, span: Span) {
        let mut names: Vec<String> = library::modules().into_iter().map(str::to_owned).collect();
        names.extend(self.by_name.keys().cloned());
        let mut d = Diagnostic::new(&codes::UNKNOWN_MODULE, span, format!("there is no module `{name}`"))
            .label("not found")
            .help("a module is a connector (`exact`), a part of the standard library (`std.address`), a default flow (`flows.orders`) or a file of the project");
        let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        names.retain(|n| crate::check::resolve::suggest::nearest(&last(name), [&*last(n)]).is_some());
        if let Some(near) = crate::check::resolve::suggest::hint(name, names) {
            d = d.fix(format!("use `{near}`"), span, near);
        }
        self.diagnostics.push(d);
    }

    /// The module that is there under a name and is not used: a file of the project, or one that ships.
    pub(crate) fn called(&self, alias: &str) -> Option<String> {
        let own = self.all.iter().map(|m| &*m.name).filter(|name| *name != "project");
        own.chain(library::modules()).find(|name| name.rsplit('.').next() == Some(alias)).map(str::to_owned)
    }

    /// The file of the project that declares a flow of that name.
    pub(crate) fn with_flow(&self, name: &str) -> Option<ModuleId> {
        let has = |m: &Module| m.origin == Origin::Project && !m.named(Space::Flow, name).is_empty();
        self.all.iter().position(has).map(ModuleId)
    }

    /// Where a module's `use` lines begin.
    pub(crate) fn first_use(&self, module: ModuleId) -> Option<Span> {
        let first = self.get(module).items.iter().find(|item| item.keyword == "use");
        first.and_then(|item| item.decl.as_ref()).map(|decl| decl.span.at_start())
    }

    /// The declarations of an item: one, unless it could not be read. This is the one way to a declaration.
    pub(crate) fn decl(&mut self, module: ModuleId, n: usize) -> Option<Arc<ast::Decl>> {
        if let Some((watched, asked)) = &mut self.watched
            && *watched == module
        {
            asked.insert(n);
        }
        self.all[module.0].items[n].decl()
    }

    /// Whether a module declares something of that name.
    pub(crate) fn has(&self, module: ModuleId, space: Space, name: &str) -> bool {
        !self.get(module).named(space, name).is_empty()
    }

    /// The declarations of that name in a module; functions may have several, told apart by their first parameter.
    pub(crate) fn named(&mut self, module: ModuleId, space: Space, name: &str) -> Vec<Arc<ast::Decl>> {
        let found = self.get(module).named(space, name).to_vec();
        found.into_iter().filter_map(|n| self.decl(module, n)).collect()
    }

    /// What the syntax could not read.
    pub(crate) fn broken(&self) -> Broken {
        let decls = self.all.iter().flat_map(|m| &m.items).filter_map(|i| i.decl.as_ref().map(|d| d.span));
        let decls: BTreeMap<(FileId, u32), Span> = decls.map(|d| ((d.file, d.start), d)).collect();
        let mut broken = Broken::default();
        for d in self.diagnostics.iter().filter(|d| d.code.id < "F0100" && !d.read) {
            let at = d.span;
            let before = decls.range(..=(at.file, at.start)).next_back().map(|(_, span)| *span);
            let within = before.filter(|d| d.file == at.file && at.start <= d.end).unwrap_or(at);
            broken.lines.insert((at.file, self.sources.position(at).line));
            broken.within.insert((within.file, within.start), within.end);
        }
        broken
    }

    /// Whether something is named in a declaration that could not be read whole: it may well be used there.
    pub(crate) fn is_named_in_what_is_broken(&self, name: &str, declared: Span) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.broken().within.iter().any(|((file, start), end)| {
            let within = Span { file: *file, start: *start, end: *end };
            let own = *file == declared.file && (*start..*end).contains(&declared.start);
            !own && self.sources.text(within).split(|c| !is_word(c)).any(|word| word == name)
        })
    }

    /// The names of that kind in a module.
    pub(crate) fn names(&self, module: ModuleId, space: Space) -> Vec<String> {
        self.get(module).names.get(&space).into_iter().flat_map(|names| names.keys().cloned()).collect()
    }

    /// The declarations with that word in a module, in order.
    pub(crate) fn with_keyword(&mut self, module: ModuleId, keyword: &str) -> Vec<Arc<ast::Decl>> {
        let found: Vec<usize> = self
            .get(module)
            .items
            .iter()
            .enumerate()
            .filter(|(_, item)| item.keyword == keyword)
            .map(|(n, _)| n)
            .collect();
        found.into_iter().filter_map(|n| self.decl(module, n)).collect()
    }
}
