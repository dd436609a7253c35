//! Settings: the questions that a flow asks, and a project's answers.

use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::modules::ModuleId;
use crate::check::resolve::suggest;
use crate::ir::{Expr, ExprKind};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, Name};
use rustc_hash::FxHashMap;
use std::sync::Arc;

impl Checker<'_> {
    /// The settings of a module by name; of two of one name, the first.
    pub(crate) fn asked(&mut self, module: ModuleId) -> &FxHashMap<Arc<str>, ast::Setting> {
        if !self.asked.contains_key(&module) {
            let mut asked = FxHashMap::default();
            for decl in self.modules.with_keyword(module, "settings") {
                let DeclKind::Settings(list) = &decl.kind else { continue };
                for s in list {
                    asked.entry(Arc::clone(&s.name.text)).or_insert_with(|| s.clone());
                }
            }
            self.asked.insert(module, asked);
        }
        &self.asked[&module]
    }

    /// The module of the project that has a setting of that name.
    fn who_asks(&mut self, name: &str) -> Option<String> {
        let known: Vec<_> =
            self.instances.iter().map(|instance| (instance.module, instance.name.to_string())).collect();
        known.into_iter().find(|(module, _)| self.asked(*module).contains_key(name)).map(|(_, instance)| instance)
    }

    pub(crate) fn unknown_setting(&mut self, instance: InstanceId, name: &str, span: Span, answered: bool) {
        let module = self.module_of(instance);
        let mut asked: Vec<&Name> = self.asked(module).values().map(|s| &s.name).collect();
        asked.sort_by_key(|name| name.span);
        let names: Vec<String> = asked.iter().map(|name| name.text.to_string()).collect();
        let of = self.instance(instance).name.to_string();
        let mut d = Diagnostic::new(&codes::UNKNOWN_SETTING, span, format!("`{of}` has no setting `{name}`"))
            .label("not asked");
        d = match suggest::hint(name, names.clone()) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), span, near),
            None if let Some(asks) = self.who_asks(name) => d.help(if answered {
                format!("`{asks}` asks it: answer it in `settings for {asks} {{ … }}`")
            } else {
                format!("`{asks}` asks it: write `{asks}.settings.{name}`")
            }),
            None if names.is_empty() => d.help("it asks no questions at all"),
            None => d.help(format!("its settings: {}", suggest::listed(&names))),
        };
        self.report(d);
    }
}

impl Infer<'_, '_> {
    /// `settings.name`: the answer, or what stops when nobody has given one.
    pub(crate) fn setting(&mut self, instance: InstanceId, name: &Name, span: Span) -> Expr {
        self.cx.mark_used(instance, "setting", &name.text);
        let module = self.cx.module_of(instance);
        if let Some(asked) = self.cx.asked(module).get(&name.text).map(|asked| asked.name.span) {
            self.cx.means(name.span, asked);
        }
        let key = (instance, name.text.to_string());
        let Some(n) = self.cx.settings.get(&key).copied() else { return self.not_answered_yet(key, name, span) };
        if self.cx.wrong_answers.contains(&n) {
            return Self::unknown(span);
        }
        let s = &self.cx.program.settings[n];
        let ty = s.ty.clone();
        let full: Arc<str> = format!("{}.{}", s.module, s.name).into();
        let kind = match &s.value {
            Some(value) => ExprKind::Setting(full, value.clone()),
            None => ExprKind::Unanswered(full),
        };
        Self::make(kind, ty, span)
    }

    /// A setting that the answer of another one, or its own, comes to by a way that leads through more than names.
    fn not_answered_yet(&mut self, key: (InstanceId, String), name: &Name, span: Span) -> Expr {
        let module = self.cx.module_of(key.0);
        let Some(asked) = self.cx.asked(module).get(&name.text).cloned() else {
            self.cx.unknown_setting(key.0, &name.text, name.span, false);
            return Self::unknown(span);
        };
        if self.cx.answering.contains(&key) {
            self.cx.needs_itself(&format!("the setting `{}`", name.text), span, asked.name.span);
            return Self::unknown(span);
        }
        if self.cx.answering.len() >= limits::INLINE_DEPTH_MAX {
            return Self::unknown(span);
        }
        let ty = self.cx.type_of(key.0, &asked.ty);
        Self::make(ExprKind::Unanswered(Arc::clone(&name.text)), ty, span)
    }
}
