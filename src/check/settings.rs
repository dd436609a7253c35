//! Settings: the questions that a flow asks, and a project's answers.

use super::body::{Body, constant_of};
use super::cx::{Cx, InstanceId};
use super::fits::Place;
use super::load::ModuleId;
use super::suggest;
use crate::ir::{Const, Expr, ExprKind, LookupId, Setting, Type, each, mappings_of, of_flow, of_mapping};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, Name};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

impl Cx<'_> {
    /// The setting of that name, its answer read once.
    pub(crate) fn setting_named(&mut self, instance: InstanceId, name: &str) -> Option<usize> {
        self.mark_used(instance, "setting", name);
        let key = (instance, name.to_owned());
        if let Some(found) = self.settings.get(&key) {
            return *found;
        }
        let module = self.module_of(instance);
        let found = self.asked(module).get(name).cloned();
        let number = found.map(|s| {
            self.answering.insert(key.clone(), s.name.span);
            let number = self.read_setting(instance, &s);
            self.answering.remove(&key);
            number
        });
        self.settings.insert(key, number);
        number
    }

    /// The settings of a module by name; of two of one name, the first.
    pub(crate) fn asked(&mut self, module: ModuleId) -> &HashMap<Arc<str>, ast::Setting> {
        if !self.asked.contains_key(&module) {
            let mut asked = HashMap::new();
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

    fn read_setting(&mut self, instance: InstanceId, s: &ast::Setting) -> usize {
        let ty = self.type_of(instance, &s.ty);
        let answer = self.instance(instance).answers.get(&*s.name.text).cloned();
        let given = answer.as_ref().map(|a| &a.value).or(s.default.as_ref());
        let value = match given {
            Some(e) => self.answer(instance, e, &ty, &s.name.text),
            None if ty.is_optional() => Some(Const::Absent),
            None => None,
        };
        self.program.settings.push(Setting {
            module: Arc::clone(&self.instance(instance).name),
            name: Arc::clone(&s.name.text),
            ty,
            value,
            doc: s.doc.as_deref().map(Into::into),
            span: s.name.span,
            answered: answer.map(|a| a.name.span),
        });
        self.program.settings.len() - 1
    }

    fn answer(&mut self, instance: InstanceId, e: &ast::Expr, ty: &Type, name: &str) -> Option<Const> {
        let mut body = Body::new(self, instance);
        let place = Place { what: format!("the setting `{name}`"), declared: None, length_at_run: false };
        let lowered = body.expr_for(&place.what, e, ty);
        let value = body.accept_at(lowered, ty, &place);
        let constant = constant_of(&value);
        if constant.is_none() && value.ty != Type::Unknown {
            self.say(
                &codes::TYPE_MISMATCH,
                e.span,
                format!("the setting `{name}` wants a value that is known before anything runs"),
                "write a literal",
            );
        }
        if let (Some(Const::List(list)), Type::List(inner)) = (&constant, ty.present()) {
            self.answer_list(list, e, inner);
        }
        constant
    }

    /// The texts of a list are checked one by one against the element's type.
    fn answer_list(&mut self, list: &[Const], e: &ast::Expr, inner: &Type) {
        let ast::ExprKind::List(elements) = &e.kind else { return };
        for (c, element) in list.iter().zip(elements) {
            if let (Const::Text(text), ast::Element::One(one)) = (c, element) {
                let place = Place { what: "this setting".into(), ..Place::default() };
                Body::new(self, InstanceId(0)).literal_text(text, inner, one.span, &place);
            }
        }
    }

    /// Answers that nobody asked for.
    pub(crate) fn check_answers(&mut self, instance: InstanceId) {
        let names: Vec<(String, Span)> =
            self.instance(instance).answers.iter().map(|(n, e)| (n.clone(), e.name.span)).collect();
        for (name, span) in names {
            if self.setting_named(instance, &name).is_none() {
                self.unknown_setting(instance, &name, span);
            }
        }
    }

    /// Settings that a running flow needs and nobody has answered: of its own module, and of those whose mappings it
    /// comes through.
    pub(super) fn unanswered(&mut self, instance: InstanceId, flow: &str, at: Span) {
        let own = Arc::clone(&self.instance(instance).name);
        let reached = self.open_settings(flow);
        let mut open: BTreeMap<Arc<str>, Vec<(Arc<str>, Span)>> = BTreeMap::new();
        for s in self.program.settings.iter().filter(|s| s.value.is_none() && s.answered.is_none()) {
            let is_used = s.module == own && self.used.contains(&(instance, "setting", s.name.to_string()));
            if is_used || reached.contains(&*format!("{}.{}", s.module, s.name)) {
                open.entry(Arc::clone(&s.module)).or_default().push((Arc::clone(&s.name), s.span));
            }
        }
        for (of, settings) in open {
            let names: Vec<String> = settings.iter().map(|(name, _)| format!("`{name}`")).collect();
            let answers: Vec<String> = settings.iter().map(|(name, _)| format!("{name} = …")).collect();
            let runs = if of == own { format!("`{of}` runs") } else { format!("`{flow}` writes what `{of}` maps") };
            let plural = if names.len() == 1 { "" } else { "s" };
            let message = format!("{runs}, and nobody has answered its setting{plural} {}", names.join(" and "));
            let mut d = Diagnostic::new(&codes::UNANSWERED, at, message);
            for (_, asked) in &settings {
                d = d.related(*asked, "it is asked here");
            }
            // Two modules of one flow are two reports, though they stand at one place.
            self.diagnostics.push(d.help(format!("add `settings for {of} {{ {} }}`", answers.join(", "))));
        }
    }

    /// The unanswered settings that a flow asks, with all that it comes through, by their full names.
    fn open_settings(&self, flow: &str) -> HashSet<Arc<str>> {
        let mut open = HashSet::new();
        let Some(flow) = self.program.flows.iter().find(|f| *f.name == *flow) else { return open };
        let mut tables: Vec<LookupId> = Vec::new();
        of_flow(flow, &mut |e| asked_in(e, &mut open, &mut tables));
        for mapping in mappings_of(&self.program, flow) {
            of_mapping(self.program.mapping(mapping), &mut |e| asked_in(e, &mut open, &mut tables));
        }
        // The rows of tables ask too, and may look into further ones.
        let mut seen = 0;
        while let Some(table) = tables.get(seen).copied() {
            seen += 1;
            for row in &self.program.lookups[table.0 as usize].rows {
                asked_in(&row.value, &mut open, &mut tables);
            }
        }
        open
    }

    /// The module of the project that has a setting of that name.
    fn who_asks(&mut self, name: &str) -> Option<String> {
        let known: Vec<_> =
            self.instances.iter().map(|instance| (instance.module, instance.name.to_string())).collect();
        known.into_iter().find(|(module, _)| self.asked(*module).contains_key(name)).map(|(_, instance)| instance)
    }

    fn unknown_setting(&mut self, instance: InstanceId, name: &str, span: Span) {
        let module = self.module_of(instance);
        let mut asked: Vec<&Name> = self.asked(module).values().map(|s| &s.name).collect();
        asked.sort_by_key(|name| name.span);
        let names: Vec<String> = asked.iter().map(|name| name.text.to_string()).collect();
        let of = self.instance(instance).name.to_string();
        let mut d = Diagnostic::new(&codes::UNKNOWN_SETTING, span, format!("`{of}` has no setting `{name}`"))
            .label("not asked");
        d = match suggest::hint(name, names.clone()) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), span, near),
            None if let Some(asks) = self.who_asks(name) => {
                d.help(format!("`{asks}` asks it: say it in `settings for {asks} {{ … }}`"))
            }
            None if names.is_empty() => d.help("it asks no questions at all"),
            None => d.help(format!("its settings: {}", suggest::listed(&names))),
        };
        self.report(d);
    }
}

/// The unanswered settings and the tables that an expression asks.
fn asked_in(outer: &Expr, open: &mut HashSet<Arc<str>>, tables: &mut Vec<LookupId>) {
    each(outer, &mut |e| match &e.kind {
        ExprKind::Unanswered(name) => drop(open.insert(Arc::clone(name))),
        ExprKind::Lookup { lookup, .. } if !tables.contains(lookup) => tables.push(*lookup),
        _ => {}
    });
}

impl Body<'_, '_> {
    /// `settings.name`: the answer, or what stops when nobody has given one.
    pub(crate) fn setting(&mut self, instance: InstanceId, name: &Name, span: Span) -> Expr {
        if let Some(declared) = self.cx.answering.get(&(instance, name.text.to_string())).copied() {
            self.cx.needs_itself(&format!("the setting `{}`", name.text), span, declared);
            return Self::unknown(span);
        }
        if self.too_far(&name.text, span) {
            return Self::unknown(span);
        }
        let Some(n) = self.cx.deeper(|cx| cx.setting_named(instance, &name.text)) else {
            self.cx.unknown_setting(instance, &name.text, name.span);
            return Self::unknown(span);
        };
        let s = &self.cx.program.settings[n];
        let ty = s.ty.clone();
        let full: Arc<str> = format!("{}.{}", s.module, s.name).into();
        let kind = match &s.value {
            Some(value) => ExprKind::Setting(full, value.clone()),
            None => ExprKind::Unanswered(full),
        };
        Self::make(kind, ty, span)
    }
}
