//! Calls: functions and parts are inlined, mappings ensured or written, entities found.

use crate::check::infer::callables::{Callable, changed_places, params_of};
use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::Infer;
use crate::check::infer::inlining::widen;
use crate::check::infer::names::{Local, Names};
use crate::check::resolve::checker::Changed;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::typed::{Height, Typed};
use crate::ir::{EntityId, Expr, ExprKind, Find, LocalId, Native, Type, relocate};
use crate::source::{Diagnostic, Edit, Fix, Span, codes};
use crate::syntax::ast::{self, Arg, DeclKind, ExprKind as A, Name, Param};
use std::sync::Arc;

/// An argument: as written, or worked out already (what stands before the dot).
pub(crate) enum Given<'a> {
    Ready(Expr),
    Written(&'a ast::Expr),
}

impl Infer<'_, '_> {
    pub(crate) fn call(&mut self, callee: &ast::Expr, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        match &callee.kind {
            A::Name(name) => self.call_bare(name, args, want, span),
            A::Field(of, name, optional) => self.call_on(of, name, *optional, args, want, span),
            _ => {
                self.cx.say(
                    &codes::UNKNOWN_FUNCTION,
                    callee.span,
                    "this can't be called",
                    "a call is `f(x)`, `x.f()` or `module.f(x)`",
                );
                Self::unknown(span)
            }
        }
    }

    fn call_bare(&mut self, name: &Name, args: &[Arg], want: Option<&Type>, span: Span) -> Expr {
        let visible = self.cx.visible(self.inside);
        let found = self.callables(&visible, &name.text);
        if !found.is_empty() {
            let given = args.iter().map(|a| Given::Written(&a.value)).collect();
            return self.apply(found, name, given, args, want, span);
        }
        if let Some(native) = Native::by_name(&name.text) {
            let Some((first, rest)) = args.split_first() else {
                return self.native(native, None, args, want, span);
            };
            let hint = if native == Native::Fit { want } else { None };
            let first = self.expr(&first.value, hint);
            return self.native(native, Some(first), rest, want, span);
        }
        if let Some(entity) = self.entity_in(&visible, &name.text) {
            return self.find(entity, args, span);
        }
        self.unknown_function(name, &visible, span);
        self.all_the_same(args.iter().map(|a| &a.value));
        Self::unknown(span)
    }

    /// What is wrong in the arguments of something unknown is told all the same.
    pub(crate) fn all_the_same<'a>(&mut self, args: impl Iterator<Item = &'a ast::Expr>) {
        for arg in args {
            match &arg.kind {
                A::Lambda(names, body) => self.scoped(|inner| {
                    for name in names {
                        inner.bind(name, Type::Unknown);
                    }
                    inner.expr(body, Some(&Type::Unknown));
                }),
                _ => drop(self.expr(arg, Some(&Type::Unknown))),
            }
        }
    }

    fn call_on(
        &mut self,
        of: &ast::Expr,
        name: &Name,
        optional: bool,
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        if let A::Name(alias) = &of.kind
            && self.value_named(&alias.text).is_none()
            && let Some(instance) = self.cx.used_instance(self.inside, &alias.text)
        {
            let found = self.callables(&[instance], &name.text);
            if !found.is_empty() {
                let given = args.iter().map(|a| Given::Written(&a.value)).collect();
                return self.apply(found, name, given, args, want, span);
            }
            if let Some(entity) = self.entity_in(&[instance], &name.text) {
                return self.find(entity, args, span);
            }
            self.unknown_function(name, &[instance], span);
            self.all_the_same(args.iter().map(|a| &a.value));
            return Self::unknown(span);
        }
        if let A::Field(alias, entity, false) = &of.kind
            && let A::Name(alias) = &alias.kind
            && self.value_named(&alias.text).is_none()
            && let Some(instance) = self.cx.used_instance(self.inside, &alias.text)
            && let Some(entity) = self.entity_in(&[instance], &entity.text)
        {
            return self.entity_function(entity, name, args, span);
        }
        let hint = if &*name.text == "fit" { want } else { None };
        let receiver = self.expr(of, hint);
        self.method(receiver, name, optional, args, want, span)
    }

    /// `exact.Item(code)`, `exact.SalesOrder(OrderNumber: n)`
    fn find(&mut self, entity: EntityId, args: &[Arg], span: Span) -> Expr {
        match self.search(entity, args, span) {
            Some(find) => Self::make(ExprKind::Find(Box::new(find)), Type::Record(entity), span),
            None => Self::unknown(span),
        }
    }

    fn search(&mut self, entity: EntityId, args: &[Arg], span: Span) -> Option<Find> {
        let Some(keys) = self.key_fields(entity, args, span) else {
            self.all_the_same(args.iter().map(|arg| &arg.value));
            return None;
        };
        let values = keys.iter().zip(args).map(|(key, arg)| self.expr(&arg.value, Some(&key.hint))).collect();
        Some(self.found_by(entity, keys, values, span))
    }

    /// `exact.Item.all(SearchCode: c)`, `exact.SalesInvoice.linked(x)`
    fn entity_function(&mut self, entity: EntityId, name: &Name, args: &[Arg], span: Span) -> Expr {
        match (&*name.text, args) {
            ("all", [Arg { name: Some(since), value }]) if &*since.text == "since" => {
                let since = self.expr(value, Some(&Type::Instant));
                self.changed_since(entity, since, span)
            }
            ("all", _) => {
                let find = if args.is_empty() { self.whole(entity, span) } else { self.search(entity, args, span) };
                let ty = Type::List(Arc::new(Type::Record(entity)));
                match find {
                    Some(find) => Self::make(ExprKind::FindAll(Box::new(Find { must: false, ..find })), ty, span),
                    // A list it is all the same, and what is done with it is looked at.
                    None => Expr { ty, ..Self::unknown(span) },
                }
            }
            ("linked", [of]) => {
                let of = self.expr(&of.value, None);
                self.record_of_ours(&of);
                Self::make(ExprKind::LinkedTo(entity, Box::new(of)), Type::Record(entity).optional(), span)
            }
            _ => {
                let message = format!("an entity has no function `{}`", name.text);
                let help = "there are `E(key)`, `E.all(Field: value)` and `E.linked(record)`";
                self.cx.say(&codes::UNKNOWN_FUNCTION, name.span, message, help);
                Self::unknown(span)
            }
        }
    }

    fn method(
        &mut self,
        receiver: Expr,
        name: &Name,
        optional: bool,
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        if matches!(receiver.ty, Type::Unknown | Type::Never) {
            self.all_the_same(args.iter().map(|arg| &arg.value));
            return Self::unknown(span);
        }
        if receiver.ty.is_optional() && optional {
            let made = self.map_present(receiver, |body, there| body.method(there, name, false, args, want, span));
            return Expr { span, ..made };
        }
        let visible = self.cx.visible(self.inside);
        let found = self.callables(&visible, &name.text);
        let found: Vec<Callable> = found.into_iter().filter(|(i, d)| self.takes_first(*i, d, &receiver.ty)).collect();
        if !found.is_empty() {
            let mut given = vec![Given::Ready(receiver)];
            given.extend(args.iter().map(|a| Given::Written(&a.value)));
            return self.apply(found, name, given, args, want, span);
        }
        if let Some(native) = Native::by_name(&name.text) {
            return self.native(native, Some(receiver), args, want, span);
        }
        self.unknown_function(name, &visible, span);
        self.all_the_same(args.iter().map(|a| &a.value));
        Self::unknown(span)
    }

    /// Calls what was found: with several of one name, the one whose first parameter takes the first argument.
    fn apply(
        &mut self,
        mut found: Vec<Callable>,
        name: &Name,
        mut given: Vec<Given>,
        args: &[Arg],
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        if found.len() > 1
            && let Some(first) = given.first_mut()
        {
            if let Given::Written(e) = first {
                *first = Given::Ready(self.expr(e, None));
            }
            if let Given::Ready(e) = first {
                let ty = e.ty.clone();
                let fitting: Vec<Callable> =
                    found.iter().filter(|(i, d)| self.takes_first(*i, d, &ty)).cloned().collect();
                if !fitting.is_empty() {
                    found = fitting;
                }
            }
        }
        if found.len() > 1 && found.iter().any(|(i, _)| *i != found[0].0) {
            let places: Vec<String> = found.iter().map(|(_, d)| self.cx.place(d.span)).collect();
            let message = format!("`{}` could be any of {}", name.text, places.join(", "));
            self.cx.say(&codes::AMBIGUOUS, name.span, message, "say which: `module.name(…)`");
        }
        let (instance, decl) = found.swap_remove(0);
        self.cx.means(name.span, decl.name_span());
        if let Some(named) = args.iter().find_map(|a| a.name.as_ref()) {
            self.cx.say(
                &codes::ARGUMENTS,
                named.span,
                format!("`{}` takes its arguments by place", name.text),
                "leave out the name of the argument",
            );
        }
        let params = params_of(&decl).to_vec();
        if params.len() != given.len() {
            let wanted: Vec<&str> = params.iter().map(|p| &*p.name.text).collect();
            let message = format!(
                "`{}` takes {} arguments ({}); here are {}",
                name.text,
                params.len(),
                wanted.join(", "),
                given.len()
            );
            self.cx.report(
                Diagnostic::new(&codes::ARGUMENTS, span, message)
                    .label("more or fewer than it asks for")
                    .related(decl.span, "declared here")
                    .help(format!("it is called as `{}({})`", name.text, wanted.join(", "))),
            );
            self.all_the_same(args.iter().map(|arg| &arg.value));
            return Self::unknown(span);
        }
        match &decl.kind {
            DeclKind::Mapping(_) => {
                let values = self.arguments(instance, &params, given, &name.text);
                self.call_mapping(instance, &name.text, values, span)
            }
            DeclKind::Fields(part) => self.part_value(instance, part, &params, given, want, span),
            DeclKind::Fn(f) if f.body.is_some() => self.inline(instance, f, given, span),
            DeclKind::Extern(f) => {
                let values = self.arguments(instance, &params, given, &name.text);
                let result = self.cx.type_of(instance, &f.result);
                Self::make(ExprKind::Extern(Arc::clone(&f.file.value), Arc::clone(&f.name.text), values), result, span)
            }
            _ => Self::unknown(span),
        }
    }

    /// Arguments, each made to fit its parameter.
    pub(crate) fn arguments(
        &mut self,
        instance: InstanceId,
        params: &[Param],
        given: Vec<Given>,
        callee: &str,
    ) -> Vec<Expr> {
        let types: Vec<Type> = params.iter().map(|p| self.cx.type_of(instance, &p.ty)).collect();
        let values: Vec<Expr> = given
            .into_iter()
            .zip(types.iter().zip(params))
            .map(|(given, (ty, param))| match given {
                Given::Ready(e) => e,
                Given::Written(e) => {
                    let what = format!("`{}` of `{callee}`", param.name.text);
                    self.without_writes(|b| b.expr_for(&what, e, ty))
                }
            })
            .collect();
        if let Some((a, b)) = changed_places(&values, &types) {
            let (first, second) = (&params[a].name, &params[b].name);
            let texts = [a, b].map(|n| self.cx.modules.sources.text(values[n].span).to_owned());
            let message = format!("`{}` and `{}` of `{callee}` have changed places", first.text, second.text);
            let mut d = Diagnostic::new(&codes::TYPE_MISMATCH, values[a].span, message)
                .label(self.cx.show(&values[a].ty))
                .related(first.span, "declared here");
            let edits =
                [(a, b), (b, a)].map(|(n, m)| Edit { span: values[n].span, text: texts[usize::from(m == b)].clone() });
            d.help = Some("arguments stand in the order of the declaration".to_owned());
            d.fix = Some(Fix { title: "change them back".to_owned(), edits: edits.into() });
            self.cx.report(d);
            return values.into_iter().map(|v| Self::unknown(v.span)).collect();
        }
        params
            .iter()
            .zip(types)
            .zip(values)
            .map(|((param, ty), value)| {
                let place = Wanted {
                    what: format!("`{}` of `{callee}`", param.name.text),
                    declared: Some(param.name.span),
                    length_at_run: false,
                    ..Default::default()
                };
                self.coerce_at(value, &ty, &place)
            })
            .collect()
    }

    /// Binds arguments to the parameters of what is inlined: its names, and the values that are let around it.
    pub(crate) fn enter(
        &mut self,
        instance: InstanceId,
        params: &[Param],
        given: Vec<Given>,
        callee: &str,
    ) -> (Names, Vec<(Local, Expr)>) {
        let values = self.arguments(instance, params, given, callee);
        let mut names = Names::default();
        let mut lets = Vec::new();
        for (param, value) in params.iter().zip(values) {
            let ty = self.cx.type_of(instance, &param.ty);
            let local = Local { name: Arc::clone(&param.name.text), id: self.local(), ty, span: param.name.span };
            names.push(local.clone());
            lets.push((local, value));
        }
        (names, lets)
    }

    pub(crate) fn ensure(&mut self, call: &ast::Expr, span: Span) -> Expr {
        // Within a test, too, it is a mapping's call.
        let (writes, drafts) = (self.writes, self.drafts);
        (self.writes, self.drafts) = (true, false);
        let made = self.expr(call, None);
        (self.writes, self.drafts) = (writes, drafts);
        match made.kind {
            ExprKind::Write(mapping, args) => {
                let target = self.cx.program.mapping(mapping).target;
                Self::make(ExprKind::Ensure(mapping, args), Type::Record(target), span)
            }
            _ if made.ty == Type::Unknown => made,
            _ => {
                self.cx.say(
                    &codes::MISPLACED,
                    span,
                    "`ensure` needs a mapping",
                    "write `ensure name(arguments)` with the name of a mapping",
                );
                Self::unknown(span)
            }
        }
    }

    fn call_mapping(&mut self, instance: InstanceId, name: &str, args: Vec<Expr>, span: Span) -> Expr {
        if !self.writes {
            let message = format!("`{name}` is a mapping: it writes");
            self.cx.report(
                Diagnostic::new(&codes::MISPLACED, span, message)
                    .label("neither ensured nor written")
                    .help(format!(
                        "say `ensure {name}(…)` for the record that it makes, or `write {name}(…)` in a flow"
                    ))
                    .fix("ensure the record", span.at_start(), "ensure "),
            );
            return Self::unknown(span);
        }
        match self.cx.mapping_head(instance, name) {
            Some(mapping) if self.drafts => {
                let target = self.cx.program.mapping(mapping).target;
                Self::make(ExprKind::Ensure(mapping, args), Type::Record(target), span)
            }
            Some(mapping) => Self::make(ExprKind::Write(mapping, args), Type::Nothing, span),
            None => Self::unknown(span),
        }
    }
}

impl Infer<'_, '_> {
    /// A call of a function: the arguments, let around a copy of its body.
    pub(crate) fn inline(&mut self, instance: InstanceId, f: &ast::Fn, given: Vec<Given>, span: Span) -> Expr {
        let Some(body) = &f.body else { return Self::unknown(span) };
        if self.too_deep(&f.name, body.span.range().len(), span) {
            return Self::unknown(span);
        }
        let values = self.arguments(instance, &f.params, given, &f.name.text);
        let typed = self.typed(instance, f, body);
        if self.too_much(f, &typed, span) {
            return Self::unknown(span);
        }
        let by = self.next;
        self.next += typed.frame;
        let mut made = typed.body.clone();
        relocate(&mut made, by);
        let places: Vec<LocalId> = (by..).zip(&f.params).map(|(n, _)| LocalId(n)).collect();
        for ((param, id), value) in f.params.iter().zip(places).zip(values).rev() {
            let ty = self.cx.type_of(instance, &param.ty);
            let local = Local { name: Arc::clone(&param.name.text), id, ty, span: param.name.span };
            made = Self::let_in(&local, value, made);
        }
        // What is wrong with the result is wrong where it is called.
        Expr { span, ..made }
    }

    /// The value of a function, with what is adapted of it.
    pub(crate) fn adapted_value(&mut self, instance: InstanceId, f: &ast::Fn, mut made: Expr, result: &Type) -> Expr {
        for adapted in self.cx.adapted(instance, Space::Call, &f.name.text) {
            let DeclKind::Adapt(ast::Adapt { body: ast::AdaptBody::Value(value), .. }) = &adapted.decl.kind else {
                continue;
            };
            let place = Wanted {
                what: format!("the result of `{}`", f.name.text),
                declared: Some(f.result.span),
                length_at_run: true,
                ..Default::default()
            };
            if let Some(before) = &f.body {
                self.changes_nothing(adapted.at, value, before.span);
            }
            let (of, kind, displaced) = (Arc::clone(&adapted.of), adapted.kind, f.body.as_ref().map(|body| body.span));
            let what = "its value".to_owned();
            self.cx.note_change(Changed { of, kind, what, at: value.span, displaced, removed: false });
            let names = self.names.clone();
            let depth = self.cx.changing.depth();
            self.cx.changing.enter(value.span, displaced);
            made = self.apart(adapted.by, adapted.at, names, |inner| {
                inner.base = Some(made);
                let lowered = inner.expr(value, Some(result));
                inner.coerce_at(lowered, result, &place)
            });
            self.cx.changing.leave(depth);
        }
        made
    }

    /// The function as it is typed, now or before.
    pub(crate) fn typed(&mut self, instance: InstanceId, f: &ast::Fn, body: &ast::Expr) -> Arc<Typed> {
        let key = (instance, f.name.span, self.utf16, self.drafts);
        if let Some(typed) = self.cx.functions.get(&key) {
            return Arc::clone(typed);
        }
        let (around, utf16, drafts) = (self.around.clone(), self.utf16, self.drafts);
        let before = std::mem::take(&mut self.cx.highest);
        let from = Height { depth: self.cx.depth, levels: self.cx.levels };
        let result = self.cx.type_of(instance, &f.result);
        let mut inner = Infer::new(self.cx, instance);
        (inner.around, inner.utf16, inner.drafts) = (around, utf16, drafts);
        let names = inner.parameters(&f.params);
        let made = inner.apart(instance, f.name.span, names, |inner| {
            let lowered = inner.expr(body, Some(&result));
            let place = Wanted {
                what: format!("the result of `{}`", f.name.text),
                declared: Some(f.result.span),
                length_at_run: true,
                ..Default::default()
            };
            let made = inner.coerce_at(lowered, &result, &place);
            inner.adapted_value(instance, f, made, &result)
        });
        let ty = if matches!(made.ty, Type::Unknown) { result } else { widen(made.ty, &result) };
        let (frame, inlined, inlined_bytes) = (inner.next, inner.inlined, inner.inlined_bytes);
        let highest = self.cx.highest;
        let height = Height {
            depth: highest.depth.saturating_sub(from.depth),
            levels: highest.levels.saturating_sub(from.levels),
        };
        self.cx.highest = before;
        let body = Expr { kind: made.kind, ty, span: made.span };
        let typed = Arc::new(Typed { body, frame, inlined, inlined_bytes, height });
        self.cx.functions.insert(key, Arc::clone(&typed));
        typed
    }
}
