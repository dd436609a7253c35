//! What is known when all of a project has been read: what its flows still need, and what nothing uses.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::modules::ModuleId;
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, DeclKind};

impl Checker<'_> {
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
