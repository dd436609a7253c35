//! What is known when all of a project has been read: what its flows still need, and what nothing uses.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::facts::Roots;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::modules::ModuleId;
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, DeclKind};

impl Checker<'_> {
    /// The modules whose parts are known to be taken over by nobody once the roots have been read. What one module can
    /// come to is known with it, the others without it.
    pub(crate) fn parts_to_read(&self, ids: &[ModuleId]) -> Vec<ModuleId> {
        let (one, with_it) = match self.roots {
            Roots::All => return ids.to_vec(),
            Roots::AllBut(one) => (one, false),
            Roots::Only(one) => (one, true),
        };
        let come_to = self.comes_to(one);
        ids.iter().copied().filter(|id| come_to.contains(id) == with_it).collect()
    }

    /// The modules that a module's declarations can come to: those that it uses, those that change what it uses, and
    /// so on; itself too. What others add to entities is read with them.
    fn comes_to(&self, module: ModuleId) -> Vec<ModuleId> {
        let mut found = vec![module];
        let mut n = 0;
        while let Some(next) = found.get(n).copied() {
            let is_of = |instance: &InstanceId| self.module_of(*instance) == next;
            let used = self.modules.get(next).uses.iter().map(|(_, used, _)| *used);
            let adapting = self.adaptations.iter().filter(|(key, _)| is_of(&key.0));
            let adapting = adapting.flat_map(|(_, all)| all).map(|adapted| self.module_of(adapted.by));
            let adding = self.lookup_rows.iter().filter(|(key, _)| is_of(&key.0));
            let adding = adding.flat_map(|(_, all)| all).map(|(by, _)| self.module_of(*by));
            let all: Vec<ModuleId> = used.chain(adapting).chain(adding).collect();
            for id in all {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
            n += 1;
        }
        found
    }

    /// What the flows that are on need and do not have.
    pub(crate) fn running_lack(&mut self) {
        let mut running = std::mem::take(&mut self.facts.running);
        running.sort_by_key(|runs| runs.number);
        for runs in &running {
            self.unanswered(runs);
            self.decided(runs);
        }
        self.facts.running = running;
    }

    /// What only the whole of a project tells: what nothing uses, and codes that its systems were not seen to have.
    pub(crate) fn whole_is_told(&mut self, ids: &[ModuleId]) {
        self.unused_in(ids);
        self.held_against_pulled();
    }

    /// Answers that nobody asked for, and what modules declare and nothing uses.
    pub(crate) fn unused_in(&mut self, ids: &[ModuleId]) {
        self.only_looking(|cx| (0..cx.instances.len()).for_each(|n| cx.check_answers(InstanceId(n))));
        for id in ids {
            self.unused(*id);
        }
    }

    /// What a project's own files declare and nothing uses.
    fn unused(&mut self, module: ModuleId) {
        let instance = self.shared_instance(module);
        for (keyword, kind) in
            [("fn", "call"), ("extern", "call"), ("fields", "call"), ("mapping", "call"), ("lookup", "lookup")]
        {
            for decl in self.modules.with_keyword(module, keyword) {
                let name = match &decl.kind {
                    DeclKind::Fn(f) => &f.name,
                    DeclKind::Extern(f) => &f.name,
                    DeclKind::Fields(f) => &f.name,
                    DeclKind::Mapping(m) => &m.name,
                    DeclKind::Lookup(l) => &l.name,
                    _ => continue,
                };
                // A mapping without a flow is there for `flowc map`.
                if keyword == "mapping" && !self.facts.has_flow {
                    continue;
                }
                self.used_or_told(instance, kind, keyword, name);
            }
        }
        for decl in self.modules.with_keyword(module, "settings") {
            let DeclKind::Settings(list) = &decl.kind else { continue };
            for s in list {
                self.used_or_told(instance, "setting", "setting", &s.name);
            }
        }
    }

    fn used_or_told(&mut self, instance: InstanceId, kind: &'static str, word: &str, name: &ast::Name) {
        let used = self.facts.is_used(&(instance, kind, name.text.to_string()));
        if !used && !self.modules.is_named_in_what_is_broken(&name.text, name.span) {
            self.report(
                Diagnostic::new(&codes::UNUSED, name.span, format!("nothing uses the {word} `{}`", name.text))
                    .label("never used")
                    .help("delete it, or use it"),
            );
        }
    }
}
