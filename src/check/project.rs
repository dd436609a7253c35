//! The passes over a project in their order: its connections, what it uses and answers, its declarations; and single files.

use crate::check::declare::given::Override;
use crate::check::declare::testing::Tests;
use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::{Checker, TypeItem, Unread};
use crate::check::resolve::facts::{Facts, Runs};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::{ModuleId, Origin};
use crate::ir::EntityId;
use crate::limits;
use crate::source::{Diagnostic, FileId, Span, codes};
use crate::syntax::ast::{self, DeclKind};
use std::sync::Arc;

/// The editions of the language that this flowc knows.
const EDITIONS: [&str; 1] = ["2026"];

impl Checker<'_> {
    /// Checks a project: the modules of its files, `project` first.
    pub(crate) fn project(&mut self, overrides: &[Override], tests: Option<&Tests>) {
        let ids = &self.modules.of_project();
        let root = ids.iter().copied().find(|id| &*self.modules.get(*id).name == "project");
        let Some(root) = root else {
            let file = self.modules.sources.iter().next().map_or(FileId(0), |(id, _)| id);
            if self.modules.sources.iter().next().is_none() {
                self.modules.sources.add("project.flow", "");
            }
            // A `project.flow` that can't be read has been told.
            let unread = self.modules.diagnostics.iter().any(|d| d.code == &codes::UNREADABLE);
            if unread {
                return;
            }
            self.say(
                &codes::PROJECT_SHAPE,
                Span::new(file, 0, 0),
                "there is no `project.flow` here",
                "`flowc new` writes a project; commands take `--project DIR`",
            );
            return;
        };
        self.said_before_all(root, overrides, tests);
        let read: Vec<ModuleId> = ids.iter().copied().filter(|id| self.roots.hold(*id)).collect();
        for id in &read {
            let instance = self.shared_instance(*id);
            self.whole_module(instance);
        }
        self.read_running(root);
        let parts = self.parts_to_read(ids);
        if self.roots.complete() {
            self.of_whole(|cx| {
                cx.read_parts(&parts);
                cx.running_lack();
                cx.read_adapted();
            });
        } else {
            self.read_parts(&parts);
        }
        // What tests name has been read by then, and told.
        for id in read {
            let instance = self.shared_instance(id);
            self.tests(instance, tests);
        }
        self.read_named();
        self.facts.has_flow |= !self.program.flows.is_empty();
        if self.roots.complete() {
            self.of_whole(|cx| cx.whole_is_told(ids));
        }
        self.facts.is_closed = true;
    }

    /// What is said of the project before any declaration is read: which modules are used how, what answers their settings,
    /// what their systems are.
    fn said_before_all(&mut self, root: ModuleId, overrides: &[Override], tests: Option<&Tests>) {
        let ids = &self.modules.of_project();
        self.libraries();
        self.headings(root);
        self.said_of_others(ids);
        self.overrides(overrides);
        if let Some(answered) = tests.and_then(|tests| tests.answered.as_ref()) {
            for id in
                ids.iter().filter(|id| self.modules.get(**id).name == answered.module).copied().collect::<Vec<_>>()
            {
                let instance = self.shared_instance(id);
                self.answers_of_test(instance, answered);
            }
        }
        self.extensions_of_library();
        self.read_settings();
        self.connection_values(root);
        self.modules.known_before = self.modules.sources.own();
    }

    /// Checks files by themselves: every declaration, nothing answered.
    pub(crate) fn single_files(&mut self, ids: &[ModuleId]) {
        self.libraries();
        let root = ids.iter().copied().find(|id| &*self.modules.get(*id).name == "project");
        root.into_iter().for_each(|id| self.headings(id));
        self.said_of_others(ids);
        self.extensions_of_library();
        self.read_settings();
        root.into_iter().for_each(|id| self.connection_values(id));
        for id in ids {
            let instance = self.shared_instance(*id);
            self.whole_module(instance);
        }
        self.read_parts(ids);
        self.read_adapted();
        for id in ids {
            let instance = self.shared_instance(*id);
            self.tests(instance, None);
        }
    }

    /// What modules say of others: which instances they make of them, and then how they answer, extend and adapt those.
    fn said_of_others(&mut self, ids: &[ModuleId]) {
        for id in ids {
            self.instances_of_uses(*id);
        }
        for id in ids {
            self.answers(*id);
            self.extensions(*id);
            self.adaptations(*id);
        }
        self.adaptations_agree();
    }

    /// The habits of the APIs in use.
    fn libraries(&mut self) {
        let ids: Vec<ModuleId> = (0..self.modules.all.len()).map(ModuleId).collect();
        for id in ids {
            for decl in self.modules.with_keyword(id, "connector") {
                if let DeclKind::Connector(c) = &decl.kind {
                    self.read_connector(c);
                }
            }
        }
    }

    /// Edition, zone, connections.
    fn headings(&mut self, root: ModuleId) {
        let decls: Vec<Arc<ast::Decl>> =
            (0..self.modules.get(root).items.len()).filter_map(|n| self.modules.decl(root, n)).collect();
        let start = decls.first().map_or(Span::new(FileId(0), 0, 0), |d| d.span.at_start());
        for decl in &decls {
            match &decl.kind {
                DeclKind::Edition(text) => {
                    if !EDITIONS.contains(&&*text.value) {
                        let known = EDITIONS.join(" and ");
                        self.say(
                            &codes::PROJECT_SHAPE,
                            text.span,
                            format!("there is no edition {}", text.value),
                            format!("this flowc knows the edition {known}; what is written for a later one wants a newer flowc"),
                        );
                    }
                    self.program.edition = Some(Arc::clone(&text.value));
                }
                DeclKind::Zone(text) => {
                    if jiff::tz::TimeZone::get(&text.value).is_err() {
                        self.say(
                            &codes::PROJECT_SHAPE,
                            text.span,
                            format!("`{}` is not a time zone", text.value),
                            "zones are named as in \"Europe/Amsterdam\"",
                        );
                    }
                    self.program.zone = Some(Arc::clone(&text.value));
                }
                DeclKind::Connect(c) => self.connect(c),
                _ => {}
            }
        }
        let mut missing: Vec<(&str, &str)> = Vec::new();
        if self.program.edition.is_none() {
            missing.push(("in which edition of the language it is written", "edition 2026"));
        }
        if self.program.zone.is_none() {
            missing.push(("in which time zone it keeps its books", "zone \"Europe/Amsterdam\""));
        }
        if !missing.is_empty() {
            let says: Vec<&str> = missing.iter().map(|(says, _)| *says).collect();
            let lines: Vec<&str> = missing.iter().map(|(_, line)| *line).collect();
            let message = format!("a project says {}", says.join(" and "));
            self.report(
                Diagnostic::new(&codes::PROJECT_SHAPE, start, message)
                    .label("not said here")
                    .help(format!("begin with `{}`", lines.join("` and `")))
                    .fix("begin with it", start, format!("{}\n", lines.join("\n"))),
            );
        }
    }

    /// The instances that a module's `use` lines make: those with a `with`, and further uses of one module. What a file
    /// uses once and as it is, everybody shares: one set of answers, one table to edit.
    fn instances_of_uses(&mut self, id: ModuleId) {
        let owner = self.shared_instance(id);
        let uses = self.modules.get(id).uses.clone();
        for (n, (alias, module, used)) in uses.iter().cloned().enumerate() {
            let again = uses[..n].iter().any(|(_, before, used)| *before == module && used.with.is_empty());
            let library = self.modules.get(module).origin == Origin::Library;
            if used.with.is_empty() && (!again || library) {
                continue;
            }
            let made = self.add_instance(module, Arc::clone(&alias));
            for (inner, outer) in &used.with {
                self.rebound(owner, made, inner, outer);
            }
            self.let_mean(owner, &alias, made);
        }
    }

    /// `settings for orders { … }`
    fn answers(&mut self, id: ModuleId) {
        let inside = self.shared_instance(id);
        for decl in self.modules.with_keyword(id, "answers") {
            let DeclKind::Answers(a) = &decl.kind else { continue };
            let name = a.module.text();
            match self.used_instance(inside, &name) {
                Some(instance) => {
                    for entry in &a.entries {
                        let answers = &mut self.instances[instance.0].answers;
                        if let Some(before) = answers.insert(entry.name.text.to_string(), entry.clone()) {
                            self.report(
                                Diagnostic::new(
                                    &codes::FILLED_TWICE,
                                    entry.name.span,
                                    format!("`{}` is answered twice", entry.name.text),
                                )
                                .label("again here")
                                .related(before.name.span, "answered here first")
                                .help("keep one of the two"),
                            );
                        }
                    }
                }
                None => {
                    if let Some(alias) = a.module.parts.first() {
                        self.unknown_alias(inside, alias);
                    }
                }
            }
        }
    }

    /// `extend woo.Order { … }`
    fn extensions(&mut self, id: ModuleId) {
        let inside = self.shared_instance(id);
        for decl in self.modules.with_keyword(id, "extend") {
            let DeclKind::Extend(e) = &decl.kind else { continue };
            if let Some(TypeItem::Entity(entity)) = self.named_type(inside, &e.entity) {
                let of = self.entity_states[entity.0 as usize].1;
                let name = self.program.entity(entity).name.to_string();
                if !self.extensions.iter().any(|(_, _, by, other)| *by == inside && other.entity.span == e.entity.span)
                {
                    self.extensions.push((of, name, inside, e.clone()));
                }
            }
        }
    }

    /// What the default flows that are used add to entities.
    fn extensions_of_library(&mut self) {
        for n in 0..self.modules.all.len() {
            if self.modules.all[n].origin != Origin::Library {
                self.extensions(ModuleId(n));
            }
        }
    }

    /// Every declaration of a module, whether something uses it or not.
    fn whole_module(&mut self, instance: InstanceId) {
        let module = self.module_of(instance);
        // Reading a declaration because it is there does not make it used; what the rows of a table name is.
        for name in sorted(self.modules.names(module, Space::Lookup)) {
            let itself = (instance, "lookup", name.clone());
            let was_used = self.facts.is_used(&itself);
            self.lookup_head(instance, &name);
            self.read_bodies();
            if !was_used {
                self.facts.does_not_use(&itself);
            }
        }
        self.only_looking(|cx| {
            for name in sorted(cx.modules.names(module, Space::Type)) {
                if let Some(TypeItem::Entity(id)) = cx.type_item(module, &name) {
                    cx.read_entity(id);
                }
            }
        });
        for decl in self.modules.with_keyword(module, "extend") {
            let DeclKind::Extend(e) = &decl.kind else { continue };
            if let Some(TypeItem::Entity(id)) = self.named_type(instance, &e.entity) {
                self.read_entity(id);
            }
        }
        for keyword in ["fn", "extern", "mapping"] {
            for decl in self.modules.with_keyword(module, keyword) {
                self.declaration(instance, &decl);
            }
        }
        for name in sorted(self.modules.names(module, Space::Flow)) {
            self.read_flow(instance, &name, false);
        }
        self.read_named();
        self.declared_once(instance);
    }

    /// Reads the parts that no mapping has taken over.
    fn read_parts(&mut self, ids: &[ModuleId]) {
        let at = std::mem::replace(&mut self.facts.at, 0);
        self.facts.alone = true;
        for id in ids {
            let instance = self.shared_instance(*id);
            for decl in self.modules.with_keyword(*id, "fields") {
                self.declaration(instance, &decl);
            }
        }
        self.read_named();
        (self.facts.at, self.facts.alone) = (at, false);
    }

    /// Reads what is adapted and that nothing uses.
    fn read_adapted(&mut self) {
        self.adapted_in_vain();
        for (instance, decl) in self.adapted_unread() {
            match &decl.kind {
                DeclKind::Flow(f) => self.read_flow(instance, &f.name.text, false),
                _ => self.declaration(instance, &decl),
            }
        }
        self.read_bodies();
    }

    /// Reads the bodies of mappings and lookups that have been named, and of what these name.
    fn read_bodies(&mut self) {
        while let Some(unread) = self.unread.pop_front() {
            if self.cancel.is_cancelled() {
                return;
            }
            match unread {
                Unread::Mapping(id, instance, decl) => {
                    if let DeclKind::Mapping(m) = &decl.kind {
                        self.read_mapping(instance, id, m);
                    }
                }
                Unread::Lookup(id, instance, decl) => {
                    if let DeclKind::Lookup(l) = &decl.kind {
                        self.read_lookup(instance, id, l);
                    }
                }
            }
        }
    }

    /// Reads the bodies, and what the entities that have been read say by expressions.
    fn read_named(&mut self) {
        self.read_bodies();
        self.read_conditions();
        self.read_bodies();
    }

    fn declaration(&mut self, instance: InstanceId, decl: &ast::Decl) {
        if self.cancel.is_cancelled() {
            return;
        }
        match &decl.kind {
            DeclKind::Fn(f) => {
                if let Some(e) = &f.body {
                    Infer::new(self, instance).typed(instance, f, e);
                }
            }
            DeclKind::Extern(f) => self.external(instance, f),
            DeclKind::Fields(part) => {
                let mut body = Infer::new(self, instance);
                let names = body.parameters(&part.params);
                body.around.push(part.name.span);
                for target in body.part_targets(instance, part) {
                    // Where it has been taken over, it has been read.
                    let declared = body.cx.program.entity(target).span;
                    if body.cx.facts.is_taken_over(instance, part.name.span, declared) {
                        continue;
                    }
                    body.names.clone_from(&names);
                    (body.keeps, body.part_alone, body.was) = (true, true, Some((target, true)));
                    let adapted = body.cx.adapted(instance, Space::Call, &part.name.text);
                    body.build_steps(target, &part.body, &adapted, &mut Infer::no_header);
                    body.unused_lets();
                }
            }
            DeclKind::Mapping(m) => {
                self.mapping_head(instance, &m.name.text);
                self.read_bodies();
            }
            _ => {}
        }
    }

    fn declared_once(&mut self, instance: InstanceId) {
        let module = self.module_of(instance);
        for space in [Space::Type, Space::Lookup, Space::Flow, Space::Call] {
            for name in sorted(self.modules.names(module, space)) {
                let decls = self.modules.named(module, space, &name);
                for (n, decl) in decls.iter().enumerate() {
                    if let Some(first) = decls[..n].iter().find(|d| self.same_heading(instance, d, decl)) {
                        self.twice(&name, first.span.at_start(), decl.span.at_start());
                    }
                }
            }
        }
        let settings = self.modules.with_keyword(module, "settings");
        for decl in &settings {
            let DeclKind::Settings(list) = &decl.kind else { continue };
            for s in list {
                let first = self.asked(module)[&s.name.text].name.span;
                if first != s.name.span {
                    self.twice(&s.name.text, first, s.name.span);
                }
            }
        }
    }

    fn twice(&mut self, name: &str, first: Span, again: Span) {
        self.report(
            Diagnostic::new(&codes::DECLARED_TWICE, again, format!("`{name}` is declared twice"))
                .label("again here")
                .related(first, "declared here first")
                .help("give one of the two another name"),
        );
    }

    /// Functions may share a name when their first parameters differ.
    fn same_heading(&mut self, instance: InstanceId, a: &ast::Decl, b: &ast::Decl) -> bool {
        let (DeclKind::Fn(a), DeclKind::Fn(b)) = (&a.kind, &b.kind) else { return true };
        match (a.params.first(), b.params.first()) {
            (Some(a), Some(b)) => self.type_of(instance, &a.ty) == self.type_of(instance, &b.ty),
            _ => true,
        }
    }

    /// `run orders.orders, …`: reads the flows that are on.
    fn read_running(&mut self, root: ModuleId) {
        let inside = self.shared_instance(root);
        let decls = self.modules.with_keyword(root, "run");
        let paths =
            decls.iter().filter_map(|decl| if let DeclKind::Run(paths) = &decl.kind { Some(paths) } else { None });
        for (n, path) in paths.flatten().enumerate() {
            self.facts.at = n + 1;
            // Where there is no such flow it is the project's own mistake.
            let module = self.module_of_flow(inside, path).unwrap_or(root);
            if self.roots.hold(module) {
                self.read_run(inside, path);
            }
        }
        self.facts.at = Facts::BEHIND;
    }

    fn read_run(&mut self, inside: InstanceId, path: &ast::Path) {
        let Some((instance, name)) = self.flow_at(inside, path) else { return };
        self.read_flow(instance, &name.text, true);
        self.read_named();
        let flow = format!("{}.{}", self.instance(instance).name, name.text).into();
        let read = self.program.flows.iter_mut().find(|f| f.name == flow);
        let is_read = read.map(|f| f.on = true).is_some();
        let (number, open) = (self.facts.at, self.open_settings(&flow));
        self.facts.running.push(Runs { number, instance, flow, at: path.span, is_read, open, claims: None });
    }

    /// The module in which a flow of that name stands.
    fn module_of_flow(&mut self, inside: InstanceId, path: &ast::Path) -> Option<ModuleId> {
        let (instances, name) = match path.parts.as_slice() {
            [alias, name] => (self.used_instance(inside, &alias.text).into_iter().collect(), name),
            [name] => (self.visible(inside), name),
            _ => return None,
        };
        let modules: Vec<ModuleId> = instances.into_iter().map(|instance| self.module_of(instance)).collect();
        modules.into_iter().find(|module| self.modules.has(*module, Space::Flow, &name.text))
    }

    /// Reads what was named and not read yet. Entities that are only named get their fields too: the program refers to
    /// them.
    pub(crate) fn read_rest(&mut self) {
        let mut n = 0;
        while n < self.program.entities.len() && n < limits::FILES_MAX * 10 {
            self.read_entity(EntityId::from(n));
            self.read_conditions();
            self.read_bodies();
            n += 1;
        }
        self.read_bodies();
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
