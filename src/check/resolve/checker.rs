//! What all passes of the checker share: the modules, their instances, the program in the making, and the reports.

use crate::check::resolve::changing::Changing;
use crate::check::resolve::facts::{Facts, Roots};
use crate::check::resolve::index::Noted;
use crate::check::resolve::instances::{Instance, InstanceId};
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::{ModuleId, Modules};
use crate::check::resolve::suggest::nearest;
use crate::check::resolve::typed::{Height, Key, Typed};
use crate::ir::{EntityId, EnumType, FieldId, LookupId, MappingId, Program};
use crate::limits;
use crate::source::{Code, Diagnostic, FileId, Span, codes};
use crate::syntax::ast;
use crate::value::cancel::Cancel;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

/// How far a declaration with a number of its own has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Named,
    Reading,
    Read,
}

/// Rows, and the instance that adds them: their names are seen from there.
pub(crate) type RowsBy = (InstanceId, Vec<ast::Row>);

/// What a type's name stands for.
#[derive(Clone, Debug)]
pub(crate) enum TypeItem {
    Entity(EntityId),
    Enum(Arc<EnumType>),
}

/// A declaration that has its head, and whose body is to be read.
pub(crate) enum Unread {
    Mapping(MappingId, InstanceId, Arc<ast::Decl>),
    Lookup(LookupId, InstanceId, Arc<ast::Decl>),
}

/// A field that says something by expressions, which are to be read.
pub(crate) struct Condition {
    pub(crate) entity: EntityId,
    pub(crate) field: FieldId,
    pub(crate) inside: InstanceId,
    pub(crate) decl: ast::FieldDecl,
}

/// What is known of the files of functions: by the file that names them and their path, their functions with the number of
/// parameters.
pub(crate) type Scripts = FxHashMap<(FileId, PathBuf), Option<Vec<(String, usize)>>>;

/// A change that a project makes of a declaration, as it was carried out.
#[derive(Clone, Debug)]
pub struct Changed {
    /// What is changed: `orders.header`.
    pub of: Arc<str>,
    /// Its kind, as the word that declares it: `fields`, `lookup`.
    pub kind: &'static str,
    /// What of it: a field, a row, `where`; the text in the project is at `at`.
    pub what: String,
    /// The line of the project.
    pub at: Span,
    /// The line that it displaces; absent where it adds.
    pub displaced: Option<Span>,
    /// Nothing stands in the place of what was there.
    pub removed: bool,
}

/// An `adapt`, and by which instance.
#[derive(Clone)]
pub(crate) struct Adapted {
    pub(crate) by: InstanceId,
    /// What it adapts: `orders.header`.
    pub(crate) of: Arc<str>,
    /// The word behind `adapt`.
    pub(crate) kind: &'static str,
    pub(crate) decl: Arc<ast::Decl>,
    /// Where it names what it adapts.
    pub(crate) at: Span,
    /// Where that is declared.
    pub(crate) declared: Span,
}

/// The checker's state.
pub(crate) struct Checker<'f> {
    pub(crate) modules: Modules<'f>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) program: Program,
    pub(crate) diagnostics: Vec<Diagnostic>,
    reported: FxHashSet<(&'static str, Span)>,
    pub(crate) types: FxHashMap<ModuleId, FxHashMap<String, TypeItem>>,
    pub(crate) entity_states: Vec<(State, ModuleId, Option<Arc<ast::Decl>>)>,
    /// Fields that flows and projects add: to which entity, by which instance.
    pub(crate) extensions: Vec<(ModuleId, String, InstanceId, ast::Extend)>,
    pub(crate) mappings: FxHashMap<(InstanceId, String), MappingId>,
    pub(crate) lookups: FxHashMap<(InstanceId, String), LookupId>,
    /// Mappings and lookups whose bodies are to be read.
    pub(crate) unread: VecDeque<Unread>,
    /// Fields whose conditions are to be read.
    pub(crate) conditions: Vec<Condition>,
    /// Where systems tell of deletions, as entities say it: whose rows, the field of the key, a field and its value.
    pub(crate) deletions: Vec<(EntityId, [String; 4], Span)>,
    /// Clauses that speak of the books, which are to be read: their words.
    pub(crate) books: Vec<(EntityId, Vec<String>, Span)>,
    /// Functions, parts, mappings, lookups and settings that are being read within one another.
    pub(crate) depth: usize,
    /// Expressions that are being read within one another, of all of these.
    pub(crate) levels: usize,
    /// The most of both that was reached: what a function needs is known when it has been typed.
    pub(crate) highest: Height,
    /// Functions that have been typed.
    pub(crate) functions: FxHashMap<Key, Arc<Typed>>,
    /// The settings that modules ask, by name.
    pub(crate) asked: FxHashMap<ModuleId, FxHashMap<Arc<str>, ast::Setting>>,
    /// The settings that have been read, by their numbers in the program.
    pub(crate) settings: FxHashMap<(InstanceId, String), usize>,
    /// Settings whose answers are wrong, which has been told.
    pub(crate) wrong_answers: FxHashSet<usize>,
    /// Settings whose answers are being read, each for the one before it.
    pub(crate) answering: Vec<(InstanceId, String)>,
    /// Rows that a project adds to a lookup, by instance and name.
    pub(crate) lookup_rows: FxHashMap<(InstanceId, String), Vec<RowsBy>>,
    /// What is adapted, by instance, kind and name of the declaration.
    pub(crate) adaptations: FxHashMap<(InstanceId, Space, String), Vec<Adapted>>,
    /// Changes of an `adapt` that had something to change: what is adapted, and the change.
    pub(crate) met: FxHashSet<(Span, Span)>,
    /// Changes of declarations, as they were carried out.
    pub(crate) changes: Vec<Changed>,
    /// The changes that are being carried out.
    pub(crate) changing: Changing,
    pub(crate) scripts: Scripts,
    /// The texts of those, by the names that the project has for them.
    pub(crate) script_texts: BTreeMap<Arc<str>, String>,
    /// Functions and parts in circles that have been told.
    pub(crate) circles: FxHashSet<Span>,
    /// Mappings of which something failed.
    pub(crate) partly: std::collections::BTreeSet<MappingId>,
    /// What names and values are, where somebody asks for it.
    pub(crate) noted: Option<Noted>,
    /// Tells that nobody waits for the answer any more.
    pub(crate) cancel: Cancel,
    /// Of which modules all is read.
    pub(crate) roots: Roots,
    /// What is known of the whole.
    pub(crate) facts: Facts,
    /// The reports about the whole, by kind and place.
    pub(crate) said_of_whole: FxHashSet<(&'static str, Span)>,
    /// Whether what is read now uses nothing: it is read because it is there.
    only_looks: bool,
    /// The instances whose names are seen inside another, where somebody has asked.
    seen_inside: FxHashMap<InstanceId, Vec<InstanceId>>,
}

impl<'f> Checker<'f> {
    pub(crate) fn new(modules: Modules<'f>) -> Self {
        Self {
            modules,
            instances: Vec::new(),
            program: Program::default(),
            diagnostics: Vec::new(),
            reported: FxHashSet::default(),
            types: FxHashMap::default(),
            entity_states: Vec::new(),
            extensions: Vec::new(),
            mappings: FxHashMap::default(),
            unread: VecDeque::new(),
            conditions: Vec::new(),
            deletions: Vec::new(),
            books: Vec::new(),
            lookups: FxHashMap::default(),
            depth: 0,
            levels: 0,
            highest: Height::default(),
            functions: FxHashMap::default(),
            asked: FxHashMap::default(),
            settings: FxHashMap::default(),
            answering: Vec::new(),
            wrong_answers: FxHashSet::default(),
            lookup_rows: FxHashMap::default(),
            adaptations: FxHashMap::default(),
            met: FxHashSet::default(),
            changes: Vec::new(),
            changing: Changing::default(),
            scripts: FxHashMap::default(),
            script_texts: BTreeMap::new(),
            circles: FxHashSet::default(),
            partly: std::collections::BTreeSet::new(),
            noted: None,
            cancel: Cancel::default(),
            roots: Roots::default(),
            facts: Facts::default(),
            said_of_whole: FxHashSet::default(),
            only_looks: false,
            seen_inside: FxHashMap::default(),
        }
    }

    /// Takes a report in, once a place and kind: what is inlined in several places is wrong in one.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        let diagnostic = self.changing.at_change(diagnostic, |span: Span| span.file.ships());
        if self.reported.insert((diagnostic.code.id, diagnostic.span)) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Says something that is known when the whole has been read.
    pub(crate) fn of_whole(&mut self, say: impl FnOnce(&mut Self)) {
        let told = self.diagnostics.len();
        say(self);
        self.said_of_whole.extend(self.diagnostics[told..].iter().map(|d| (d.code.id, d.span)));
    }

    /// A report with a message only.
    pub(crate) fn say(&mut self, code: &'static Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.report(Diagnostic::new(code, span, message).help(help));
    }

    /// What a name means, for who asks later.
    pub(crate) fn means(&mut self, said: Span, declared: Span) {
        if let Some(noted) = &mut self.noted {
            noted.name(said, declared);
        }
    }

    /// A lookup or a setting that leads back to itself: what it gives would never be known.
    pub(crate) fn needs_itself(&mut self, what: &str, from: Span, declared: Span) {
        self.report(
            Diagnostic::new(&codes::CYCLE, from, format!("{what} needs itself: its value would never be known"))
                .label("a circle")
                .related(declared, "declared here")
                .help("write the value itself here, or what does not lead back"),
        );
    }

    /// What adapts a declaration that is being read.
    pub(crate) fn adapted(&mut self, instance: InstanceId, space: Space, name: &str) -> Vec<Adapted> {
        let key = (instance, space, name.to_owned());
        let found = self.adaptations.get(&key).cloned().unwrap_or_default();
        if !found.is_empty() {
            self.facts.reads_adapted(key);
        }
        found
    }

    /// Notes that a part is read where it is taken over.
    pub(crate) fn takes_over(&mut self, instance: InstanceId, part: &ast::Fields, entity: EntityId) {
        let declared = self.program.entity(entity).span;
        self.facts.takes_over(instance, part.name.span, declared);
    }

    /// Notes a change that was carried out; one of the same line is one, in however many places that counts.
    pub(crate) fn note_change(&mut self, changed: Changed) {
        let same =
            |other: &Changed| (other.at, &other.of, other.displaced) == (changed.at, &changed.of, changed.displaced);
        if !self.changes.iter().any(same) {
            self.changes.push(changed);
        }
    }

    /// Notes that this much more than what stands around is reached.
    pub(crate) fn reaches(&mut self, more: Height) {
        self.highest.depth = self.highest.depth.max(self.depth + more.depth);
        self.highest.levels = self.highest.levels.max(self.levels + more.levels);
    }

    pub(crate) fn reaches_here(&mut self) {
        self.reaches(Height::default());
    }

    /// What leads to a declaration, each needing the next, is too long a chain.
    pub(crate) fn chain_too_long(&mut self, name: &str, span: Span) {
        self.report(
            Diagnostic::new(&codes::CYCLE, span, format!("what leads to `{name}` is nested too deep"))
                .label("too deep")
                .help(format!("a chain of calls has at most {} links", limits::INLINE_DEPTH_MAX)),
        );
    }

    pub(crate) fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[id.0]
    }

    pub(crate) fn module_of(&self, id: InstanceId) -> ModuleId {
        self.instances[id.0].module
    }

    /// The instance of a module that everybody shares. By whichever name a file uses it: its flows, and what they have made,
    /// are known by the module's own.
    pub(crate) fn shared_instance(&mut self, module: ModuleId) -> InstanceId {
        if let Some(n) = self.instances.iter().position(|i| i.module == module && i.shared) {
            return InstanceId(n);
        }
        let made = self.add_instance(module, self.modules.get(module).own_name());
        self.instances[made.0].shared = true;
        made
    }

    pub(crate) fn add_instance(&mut self, module: ModuleId, name: Arc<str>) -> InstanceId {
        self.instances.push(Instance {
            module,
            name,
            shared: false,
            connections: FxHashMap::default(),
            modules: FxHashMap::default(),
            answers: FxHashMap::default(),
        });
        InstanceId(self.instances.len() - 1)
    }

    /// Lets an alias mean another instance.
    pub(crate) fn let_mean(&mut self, inside: InstanceId, alias: &str, other: InstanceId) {
        self.instances[inside.0].modules.insert(alias.to_owned(), other);
        self.seen_inside.remove(&inside);
    }

    /// The instance that an alias means inside another.
    pub(crate) fn used_instance(&mut self, inside: InstanceId, alias: &str) -> Option<InstanceId> {
        if let Some(id) = self.instance(inside).modules.get(alias) {
            return Some(*id);
        }
        let module =
            self.modules.get(self.module_of(inside)).uses.iter().find(|(a, _, _)| &**a == alias).map(|(_, m, _)| *m)?;
        Some(self.shared_instance(module))
    }

    /// Whether a module uses something that is not there (under this name): what it would have declared is no second
    /// mistake.
    pub(crate) fn lacks(&self, inside: InstanceId, alias: Option<&str>) -> bool {
        let missing = &self.modules.get(self.module_of(inside)).missing;
        // What is misspelt in the `use` is spelt right where it is used.
        alias.map_or(!missing.is_empty(), |a| nearest(a, missing.iter().map(|m| &**m)).is_some())
    }

    /// The names under which a module uses others.
    pub(crate) fn aliases(&self, inside: InstanceId) -> Vec<String> {
        self.modules.get(self.module_of(inside)).uses.iter().map(|(alias, _, _)| alias.to_string()).collect()
    }

    /// All instances whose names are seen bare inside an instance: itself first, then what it uses.
    pub(crate) fn visible(&mut self, inside: InstanceId) -> Vec<InstanceId> {
        if let Some(seen) = self.seen_inside.get(&inside) {
            return seen.clone();
        }
        let aliases: Vec<Arc<str>> =
            self.modules.get(self.module_of(inside)).uses.iter().map(|(alias, _, _)| Arc::clone(alias)).collect();
        let mut found = vec![inside];
        for alias in aliases {
            if let Some(id) = self.used_instance(inside, &alias)
                && !found.contains(&id)
            {
                found.push(id);
            }
        }
        self.seen_inside.insert(inside, found.clone());
        found
    }

    /// The connection of a connector's entities inside an instance; empty where the project has none, or several.
    pub(crate) fn connection(&mut self, inside: InstanceId, connector: &str) -> Arc<str> {
        let module = self.modules.get(self.module_of(inside));
        for (alias, used, _) in &module.uses {
            if &*self.modules.get(*used).name == connector
                && let Some(name) = self.instance(inside).connections.get(&**alias)
            {
                return Arc::clone(name);
            }
        }
        let mut of_kind = self.program.connections.iter().filter(|c| &*c.connector == connector);
        match (of_kind.next(), of_kind.next()) {
            (Some(one), None) => Arc::clone(&one.name),
            (None, _) => "".into(),
            // It matters for the flows that are on: what nobody runs needs no connection.
            _ => {
                self.facts.is_undecided(inside, connector);
                "".into()
            }
        }
    }

    /// Marks something as used.
    pub(crate) fn mark_used(&mut self, inside: InstanceId, kind: &'static str, name: &str) {
        if !self.only_looks {
            self.facts.uses((inside, kind, name.to_owned()));
        }
    }

    /// Reads what is there without using anything.
    pub(crate) fn only_looking<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.only_looks, true);
        let out = look(self);
        self.only_looks = before;
        out
    }

    /// The names of a kind that are seen bare inside an instance.
    pub(crate) fn names_in_sight(&mut self, inside: InstanceId, space: Space) -> Vec<String> {
        let visible = self.visible(inside);
        visible.into_iter().flat_map(|i| self.modules.names(self.module_of(i), space)).collect()
    }

    /// `a related place` for where an entity's field is declared.
    pub(crate) fn place(&self, span: Span) -> String {
        self.modules.sources.place(span)
    }
}
