//! Answers of settings: each is a value that is known before anything runs, so they are read before all else.

use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::{Infer, constant_of};
use crate::check::resolve::checker::Checker;
use crate::check::resolve::facts::Runs;
use crate::check::resolve::instances::InstanceId;
use crate::ir::{Const, Expr, ExprKind, LookupId, Setting, Type, each, mappings_of, of_flow, of_mapping};
use crate::limits;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, ExprKind as A};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Checker<'_> {
    /// Reads the answers to all settings of all modules in use, those first that others name.
    pub(crate) fn read_settings(&mut self) {
        let mut n = 0;
        while n < self.instances.len() {
            // Each use of a module is an instance from here on.
            self.visible(InstanceId(n));
            n += 1;
        }
        for n in 0..self.instances.len() {
            let instance = InstanceId(n);
            let module = self.module_of(instance);
            let mut asked: Vec<ast::Setting> = self.asked(module).values().cloned().collect();
            asked.sort_by_key(|s| s.name.span);
            for setting in &asked {
                self.setting_read(instance, setting);
            }
        }
    }

    /// Reads a setting, behind those that its answer names.
    fn setting_read(&mut self, instance: InstanceId, s: &ast::Setting) {
        let key = (instance, s.name.text.to_string());
        if self.settings.contains_key(&key) {
            return;
        }
        self.answering.push(key.clone());
        let answer = self.instance(instance).answers.get(&*s.name.text).cloned();
        let given = answer.map(|a| a.value).or(s.default.clone());
        let named = given.map(|e| self.named_in(instance, &e)).unwrap_or_default();
        for (of, name, span) in named {
            let module = self.module_of(of);
            let Some(other) = self.asked(module).get(&*name).cloned() else { continue };
            if self.answering.contains(&(of, name.to_string())) {
                self.needs_itself(&format!("the setting `{name}`"), span, other.name.span);
            } else if self.answering.len() < limits::INLINE_DEPTH_MAX {
                self.setting_read(of, &other);
            } else {
                self.chain_too_long(&name, span);
            }
        }
        let number = self.read_setting(instance, s);
        self.settings.insert(key, number);
        self.answering.pop();
    }

    /// The settings that an answer names, where it is the value of one or a list of such.
    fn named_in(&mut self, instance: InstanceId, e: &ast::Expr) -> Vec<(InstanceId, Arc<str>, Span)> {
        match &e.kind {
            A::Field(of, name, _) => match &of.kind {
                A::Name(settings) if &*settings.text == "settings" => vec![(instance, Arc::clone(&name.text), e.span)],
                A::Field(alias, settings, _) if &*settings.text == "settings" => match &alias.kind {
                    A::Name(alias) => {
                        let other = self.used_instance(instance, &alias.text);
                        other.map(|other| (other, Arc::clone(&name.text), e.span)).into_iter().collect()
                    }
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            },
            A::Unary(_, inner) => self.named_in(instance, inner),
            A::List(elements) => elements
                .iter()
                .filter_map(|element| if let ast::Element::One(e) = element { Some(e) } else { None })
                .flat_map(|e| self.named_in(instance, e))
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Checker<'_> {
    pub(crate) fn read_setting(&mut self, instance: InstanceId, s: &ast::Setting) -> usize {
        let ty = self.type_of(instance, &s.ty);
        let answer = self.instance(instance).answers.get(&*s.name.text).cloned();
        let given = answer.as_ref().map(|a| &a.value).or(s.default.as_ref());
        let value = match given {
            Some(e) => self.answer(instance, e, &ty, &s.name.text),
            None if ty.is_optional() => Some(Const::Absent),
            None => None,
        };
        if value.is_none() && given.is_some() {
            self.wrong_answers.insert(self.program.settings.len());
        }
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

    pub(crate) fn answer(&mut self, instance: InstanceId, e: &ast::Expr, ty: &Type, name: &str) -> Option<Const> {
        let mut body = Infer::new(self, instance);
        let place =
            Wanted { what: format!("the setting `{name}`"), declared: None, length_at_run: false, ..Wanted::default() };
        let lowered = body.expr_for(&place.what, e, ty);
        let value = body.coerce_at(lowered, ty, &place);
        let constant = constant_of(&value);
        if constant.is_none() && value.ty != Type::Unknown {
            self.say(
                &codes::TYPE_MISMATCH,
                e.span,
                format!("the setting `{name}` needs a value that is known before anything runs"),
                "write a literal",
            );
        }
        if let (Some(Const::List(list)), Type::List(inner)) = (&constant, ty.present()) {
            self.answer_list(list, e, inner);
        }
        constant
    }

    /// The texts of a list are checked one by one against the element's type.
    pub(crate) fn answer_list(&mut self, list: &[Const], e: &ast::Expr, inner: &Type) {
        let ast::ExprKind::List(elements) = &e.kind else { return };
        for (c, element) in list.iter().zip(elements) {
            if let (Const::Text(text), ast::Element::One(one)) = (c, element) {
                let place = Wanted { what: "this setting".into(), ..Wanted::default() };
                Infer::new(self, InstanceId(0)).literal_text(text, inner, one.span, &place);
            }
        }
    }

    /// Answers that nobody asked for.
    pub(crate) fn check_answers(&mut self, instance: InstanceId) {
        let names: Vec<(String, Span)> =
            self.instance(instance).answers.iter().map(|(n, e)| (n.clone(), e.name.span)).collect();
        for (name, span) in names {
            let module = self.module_of(instance);
            if !self.asked(module).contains_key(&*name) {
                self.unknown_setting(instance, &name, span, true);
            }
        }
    }

    /// Settings that a running flow needs and nobody has answered: of its own module, and of those whose mappings it
    /// comes through.
    pub(crate) fn unanswered(&mut self, flow: &Runs) {
        let own = Arc::clone(&self.instance(flow.instance).name);
        let mut open: BTreeMap<Arc<str>, Vec<(Arc<str>, Span)>> = BTreeMap::new();
        for s in self.program.settings.iter().filter(|s| s.value.is_none() && s.answered.is_none()) {
            let setting = (flow.instance, "setting", s.name.to_string());
            let is_used = s.module == own && self.facts.is_used_by(&setting, flow.number);
            if is_used || flow.open.contains(&*format!("{}.{}", s.module, s.name)) {
                open.entry(Arc::clone(&s.module)).or_default().push((Arc::clone(&s.name), s.span));
            }
        }
        for (of, settings) in open {
            let names: Vec<String> = settings.iter().map(|(name, _)| format!("`{name}`")).collect();
            let answers: Vec<String> = settings.iter().map(|(name, _)| format!("{name} = …")).collect();
            let runs =
                if of == own { format!("`{of}` runs") } else { format!("`{}` writes what `{of}` maps", flow.flow) };
            let plural = if names.len() == 1 { "" } else { "s" };
            let message = format!("{runs}, and nobody has answered its setting{plural} {}", names.join(" and "));
            let mut d = Diagnostic::new(&codes::UNANSWERED, flow.at, message);
            for (_, asked) in &settings {
                d = d.related(*asked, "it is asked here");
            }
            // Two modules of one flow are two reports, though they stand at one place.
            self.diagnostics.push(d.help(format!("add `settings for {of} {{ {} }}`", answers.join(", "))));
        }
    }

    /// The unanswered settings that a flow asks, with all that it comes through, by their full names.
    pub(crate) fn open_settings(&self, flow: &str) -> FxHashSet<Arc<str>> {
        let mut open = FxHashSet::default();
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
}

/// The unanswered settings and the tables that an expression asks.
pub(crate) fn asked_in(outer: &Expr, open: &mut FxHashSet<Arc<str>>, tables: &mut Vec<LookupId>) {
    each(outer, &mut |e| match &e.kind {
        ExprKind::Unanswered(name) => drop(open.insert(Arc::clone(name))),
        ExprKind::Lookup { lookup, .. } if !tables.contains(lookup) => tables.push(*lookup),
        _ => {}
    });
}
