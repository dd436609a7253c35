//! Calls: functions and parts are inlined, mappings ensured or written, entities found.

use super::body::{Body, Local};
use super::cx::InstanceId;
use super::fits::Place;
use super::load::Space;
use super::names::Names;
use super::suggest;
use crate::ir::{Builder, EntityId, Expr, ExprKind, Native, Type};
use crate::limits;
use crate::source::{Diagnostic, Edit, Fix, Span, codes};
use crate::syntax::ast::{self, Arg, DeclKind, ExprKind as A, Name, Param};
use std::sync::Arc;

/// An argument: as written, or worked out already (what stands before the dot).
pub(crate) enum Given<'a> {
    Ready(Expr),
    Written(&'a ast::Expr),
}

/// A part that is taken over: the values let around it, where its names are seen from, its parameters, and itself.
pub(crate) type Included = (Vec<(Local, Expr)>, InstanceId, Names, Arc<ast::Decl>);

/// Something that can be called: where it is, and its declaration.
type Callable = (InstanceId, Arc<ast::Decl>);

impl Body<'_, '_> {
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
        for arg in args.filter(|a| !matches!(a.kind, A::Lambda(..))) {
            self.expr(arg, Some(&Type::Unknown));
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
            for arg in args {
                if !matches!(arg.value.kind, A::Lambda(..)) {
                    self.expr(&arg.value, None);
                }
            }
            return Self::unknown(span);
        }
        if receiver.ty.is_optional() && optional {
            return self.map_present(receiver, |body, there| body.method(there, name, false, args, want, span));
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

    /// All functions, parts and mappings of that name in these instances: the first instance that has any.
    fn callables(&mut self, instances: &[InstanceId], name: &str) -> Vec<Callable> {
        let mut all = Vec::new();
        for instance in instances {
            let module = self.cx.module_of(*instance);
            let found = self.cx.modules.named(module, Space::Call, name);
            if !found.is_empty() {
                self.cx.mark_used(*instance, "call", name);
            }
            all.extend(found.into_iter().map(|d| (*instance, d)));
            if *instance == self.inside && !all.is_empty() {
                break;
            }
        }
        all
    }

    fn entity_in(&mut self, instances: &[InstanceId], name: &str) -> Option<EntityId> {
        instances.iter().find_map(|i| {
            let module = self.cx.module_of(*i);
            match self.cx.type_item(module, name) {
                Some(super::cx::TypeItem::Entity(id)) => Some(id),
                _ => None,
            }
        })
    }

    /// Whether the first parameter of a callable takes a value of that type.
    fn takes_first(&mut self, instance: InstanceId, decl: &ast::Decl, ty: &Type) -> bool {
        let Some(first) = params_of(decl).first() else { return false };
        let want = self.cx.type_of(instance, &first.ty);
        match (want.present(), ty.present()) {
            (Type::Unknown, _) => true,
            (Type::Record(a), Type::Record(b)) => {
                a == b || {
                    let (a, b) = (*a, *b);
                    self.cx.read_entity(a);
                    self.cx.read_entity(b);
                    super::entity::is_view_of(self.cx.program.entity(a), self.cx.program.entity(b))
                }
            }
            (Type::Record(a), Type::Code(b)) => a == b,
            (want, ty) => super::expr::comparable(want, ty),
        }
    }

    fn unknown_function(&mut self, name: &Name, visible: &[InstanceId], call: Span) {
        if visible.first() == Some(&self.inside) && self.cx.lacks(self.inside, None) {
            return;
        }
        let mut names: Vec<String> = Native::ALL.iter().map(|n| n.name().to_owned()).collect();
        for instance in visible {
            let module = self.cx.module_of(*instance);
            names.extend(self.cx.modules.names(module, Space::Call));
            names.extend(self.cx.modules.names(module, Space::Type));
        }
        let mut d = Diagnostic::new(
            &codes::UNKNOWN_FUNCTION,
            name.span,
            format!("there is no function `{}` for this", name.text),
        )
        .label("not found");
        let lookup = visible.iter().any(|i| {
            let module = self.cx.module_of(*i);
            self.cx.modules.names(module, Space::Lookup).iter().any(|n| **n == *name.text)
        });
        if lookup {
            d = self.asked_with_brackets(d, &name.text, name.span, call);
            self.cx.report(d);
            return;
        }
        let meant = super::form::function_meant(&name.text);
        d = match suggest::hint(&name.text, names) {
            Some(near) if near != *name.text && meant.is_none() => {
                d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near)
            }
            Some(near) if near == *name.text => d.help("there is one of that name, but for another type of value"),
            _ if meant.is_some() => d.help(format!("here it is called `{}`", meant.unwrap_or_default())),
            _ => d.help("declare it with `fn`, or `use` the file that does; a field has no brackets"),
        };
        self.cx.report(d);
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
                let place = Place {
                    what: format!("`{}` of `{callee}`", param.name.text),
                    declared: Some(param.name.span),
                    length_at_run: false,
                };
                self.accept_at(value, &ty, &place)
            })
            .collect()
    }

    /// Binds arguments to the parameters of what is inlined: its names, and the values that are let around it.
    fn enter(
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

    /// Whether what leads to a declaration, each needing the next, is too long a chain.
    pub(crate) fn too_far(&mut self, name: &str, span: Span) -> bool {
        let far = self.cx.depth >= limits::INLINE_DEPTH_MAX;
        if far {
            self.cx.report(
                Diagnostic::new(&codes::CYCLE, span, format!("what leads to `{name}` is nested too deep"))
                    .label("too deep")
                    .help(format!("a chain of calls has at most {} links", limits::INLINE_DEPTH_MAX)),
            );
        }
        far
    }

    /// Whether there would be no end to what is inlined, or too late a one. `text` is as long as what is inlined.
    pub(crate) fn too_deep(&mut self, name: &Name, text: usize, span: Span) -> bool {
        self.inlined += 1;
        self.inlined_bytes += text;
        let d = if let Some(n) = self.around.iter().position(|a| *a == name.span) {
            if !self.cx.circles.insert(name.span) {
                return true;
            }
            self.cx.circles.extend(&self.around[n..]);
            Diagnostic::new(&codes::CYCLE, name.span, format!("`{}` needs itself, through what it calls", name.text))
                .label("a circle")
                .help("nothing may call itself: a list is gone through with `for`")
        } else if self.too_far(&name.text, span) {
            return true;
        } else if self.inlined > limits::INLINED_MAX || self.inlined_bytes > limits::INLINED_BYTES_MAX {
            self.copied_too_often(name, span);
            return true;
        } else {
            return false;
        };
        self.cx.report(d.related(span, "called here"));
        true
    }

    pub(crate) fn copied_too_often(&mut self, name: &Name, span: Span) {
        self.cx.report(
            Diagnostic::new(
                &codes::CYCLE,
                name.span,
                format!("`{}` and what calls it are copied too often", name.text),
            )
            .label("too many copies")
            .help("give a value that is needed several times a name with `let`, or pass it on as an argument")
            .related(span, "called here"),
        );
    }

    /// Works in another declaration's scope, in this frame.
    pub(crate) fn apart<T>(
        &mut self,
        instance: InstanceId,
        callee: Span,
        names: Names,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let names = std::mem::replace(&mut self.names, names);
        let inside = std::mem::replace(&mut self.inside, instance);
        let (target, was, base) = (self.target.take(), self.was.take(), self.base.take());
        let (writes, keeps) = (std::mem::replace(&mut self.writes, false), std::mem::replace(&mut self.keeps, false));
        self.around.push(callee);
        self.cx.depth += 1;
        self.cx.reaches_here();
        let out = inner(self);
        self.cx.depth -= 1;
        self.around.pop();
        (self.names, self.inside) = (names, inside);
        (self.target, self.was, self.base) = (target, was, base);
        (self.writes, self.keeps) = (writes, keeps);
        out
    }

    /// A part used as a value: the line or address that it makes.
    fn part_value(
        &mut self,
        instance: InstanceId,
        part: &ast::Fields,
        params: &[Param],
        given: Vec<Given>,
        want: Option<&Type>,
        span: Span,
    ) -> Expr {
        let entity = match want.map(Type::present) {
            Some(Type::Record(entity)) => Some(*entity),
            _ if part.targets.len() == 1 => self.part_targets(instance, part).first().copied(),
            _ => None,
        };
        let Some(entity) = entity else {
            let message = format!("what `{}` makes is not known here", part.name.text);
            self.cx.say(
                &codes::TYPE_MISMATCH,
                span,
                message,
                "a part stands where a field wants its entity, or behind `include`",
            );
            return Self::unknown(span);
        };
        if self.too_deep(&part.name, length(&part.body), span) {
            return Self::unknown(span);
        }
        self.fits_part(instance, part, entity, span);
        let (names, lets) = self.enter(instance, params, given, &part.name.text);
        let steps = self.apart(instance, part.name.span, names, |inner| inner.build_steps(entity, &part.body, false));
        self.required(entity, &steps, span, &format!("`{}`", part.name.text));
        let builder = Builder { entity, steps, name: Arc::clone(&part.name.text) };
        let made = Self::make(ExprKind::Build(Box::new(builder)), Type::Record(entity), span);
        let made = lets.into_iter().rev().fold(made, |body, (local, value)| Self::let_in(&local, value, body));
        Expr { span, ..made }
    }

    /// The entities that a part is for.
    pub(crate) fn part_targets(&mut self, instance: InstanceId, part: &ast::Fields) -> Vec<EntityId> {
        part.targets
            .iter()
            .filter_map(|path| match self.cx.named_type(instance, path) {
                Some(super::cx::TypeItem::Entity(id)) => Some(id),
                _ => None,
            })
            .collect()
    }

    fn fits_part(&mut self, instance: InstanceId, part: &ast::Fields, entity: EntityId, span: Span) {
        let targets = self.part_targets(instance, part);
        if targets.len() == part.targets.len() && !targets.contains(&entity) {
            let names: Vec<String> = targets.iter().map(|t| self.cx.program.entity(*t).full_name()).collect();
            let message = format!(
                "`{}` is a part of {}, not of {}",
                part.name.text,
                names.join(", "),
                self.cx.program.entity(entity).full_name()
            );
            self.cx.report(
                Diagnostic::new(&codes::WRONG_ENTITY, span, message)
                    .related(part.name.span, "declared here")
                    .help("add the entity behind `for`, or use another part"),
            );
        }
    }

    /// `include part(args)`: its statements become part of what is made here.
    pub(crate) fn include(&mut self, call: &ast::Expr, entity: EntityId) -> Option<Included> {
        let A::Call(callee, args) = &call.kind else {
            self.cx.say(
                &codes::MISPLACED,
                call.span,
                "`include` takes a part over: it wants a call",
                "write `include name(arguments)`",
            );
            return None;
        };
        let (instances, name) = match &callee.kind {
            A::Name(name) => (self.cx.visible(self.inside), name),
            A::Field(of, name, _) => match &of.kind {
                A::Name(alias) => match self.cx.used_instance(self.inside, &alias.text) {
                    Some(instance) => (vec![instance], name),
                    None => {
                        self.cx.unknown_alias(self.inside, alias);
                        return None;
                    }
                },
                _ => return None,
            },
            _ => return None,
        };
        let mut found = self.callables(&instances, &name.text).into_iter();
        let found = found.find(|(_, d)| matches!(d.kind, DeclKind::Fields(_)));
        let Some((instance, decl)) = found else {
            self.unknown_function(name, &instances, call.span);
            return None;
        };
        let DeclKind::Fields(part) = &decl.kind else { return None };
        if self.too_deep(&part.name, length(&part.body), call.span) {
            return None;
        }
        if part.params.len() != args.len() {
            let message = format!("`{}` takes {} arguments; here are {}", name.text, part.params.len(), args.len());
            self.cx.report(
                Diagnostic::new(&codes::ARGUMENTS, call.span, message)
                    .related(part.name.span, "declared here")
                    .help("give it what its declaration asks for"),
            );
            return None;
        }
        self.fits_part(instance, part, entity, call.span);
        let given = args.iter().map(|a| Given::Written(&a.value)).collect();
        let (names, lets) = self.enter(instance, &part.params, given, &part.name.text);
        Some((lets, instance, names, decl))
    }

    pub(crate) fn ensure(&mut self, call: &ast::Expr, span: Span) -> Expr {
        let writes = std::mem::replace(&mut self.writes, true);
        let made = self.expr(call, None);
        self.writes = writes;
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
                    "`ensure` wants a mapping",
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
        if self.too_far(name, span) {
            return Self::unknown(span);
        }
        match self.cx.deeper(|cx| cx.mapping_named(instance, name, span)) {
            Some(mapping) if self.drafts => {
                let target = self.cx.program.mapping(mapping).target;
                Self::make(ExprKind::Ensure(mapping, args), Type::Record(target), span)
            }
            Some(mapping) => Self::make(ExprKind::Write(mapping, args), Type::Nothing, span),
            None => Self::unknown(span),
        }
    }
}

/// The text of statements, bytes.
fn length(statements: &[ast::Stmt]) -> usize {
    let (first, last) = (statements.first(), statements.last());
    first.zip(last).map_or(0, |(first, last)| (last.span.end - first.span.start) as usize)
}

/// Two arguments that fit only each other's parameters.
fn changed_places(values: &[Expr], types: &[Type]) -> Option<(usize, usize)> {
    let fits = |value: usize, param: usize| {
        let (value, param) = (values[value].ty.present(), types[param].present());
        matches!(value, Type::Unknown | Type::Never | Type::Nothing)
            || super::types::join(value, param).is_some()
            || matches!((value, param), (Type::Record(_), Type::Record(_)))
    };
    let n = values.len().min(types.len());
    let wrong: Vec<usize> = (0..n).filter(|a| !fits(*a, *a)).collect();
    let pairs = wrong.iter().flat_map(|a| wrong.iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a < b).find(|(a, b)| fits(*a, *b) && fits(*b, *a))
}

/// The parameters of what can be called.
pub(crate) fn params_of(decl: &ast::Decl) -> &[Param] {
    match &decl.kind {
        DeclKind::Fn(f) => &f.params,
        DeclKind::Extern(f) => &f.params,
        DeclKind::Mapping(m) => &m.params,
        DeclKind::Fields(f) => &f.params,
        _ => &[],
    }
}
