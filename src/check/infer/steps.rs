//! What a mapping or a part fills: its statements become steps, parts that it includes among them.

use crate::check::infer::call::Given;
use crate::check::infer::changes::Verb;
use crate::check::infer::changes::Written;
use crate::check::infer::changes::{Case, Change, Displacing, Level, Steps, changes_in, statements_of};
use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::{Infer, Removed};
use crate::check::infer::inlining::length;
use crate::check::infer::names::{Local, Names};
use crate::check::resolve::checker::Adapted;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::ir::{Builder, EntityId, Expr, ExprKind, Field, FieldId, Step, StepKind, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, ExprKind as A, Param, Path, Stmt, StmtKind};
use std::rc::Rc;
use std::sync::Arc;

impl Infer<'_, '_> {
    /// The steps that fill an entity, with what is adapted of them; statements of other kinds go to `others`.
    pub(crate) fn build_steps(
        &mut self,
        entity: EntityId,
        body: &[Stmt],
        adapted: &[Adapted],
        others: &mut dyn FnMut(&mut Self, &Stmt),
    ) -> Vec<Step> {
        self.cx.read_entity(entity);
        let (outer, before) = (self.target.replace(entity), self.reads_it.len());
        let mut steps = Steps::default();
        self.declared(entity, body, adapted, &Case::Always, others, &mut steps);
        let ordered = self.in_order(entity, steps, before);
        self.target = outer;
        ordered
    }

    /// The statements of a declaration, and what adapts them.
    fn declared(
        &mut self,
        entity: EntityId,
        body: &[Stmt],
        adapted: &[Adapted],
        case: &Case,
        others: &mut dyn FnMut(&mut Self, &Stmt),
        out: &mut Steps,
    ) {
        if adapted.is_empty() {
            return self.statements(entity, body, case, others, out);
        }
        let mut level = Level { before: out.filled.len(), ..Level::default() };
        for adaptation in adapted {
            let scope = self.scope_of(adaptation, out);
            level.changes.extend(changes_in(statements_of(adaptation), &scope, Some(adaptation), None));
            level.scopes.push(scope);
        }
        out.enter(level);
        let depth = self.cx.changing.depth();
        // A mapping's own change, of its header, is on the way already.
        if !adapted.iter().any(|adaptation| self.cx.changing.is_in(adaptation.decl.span)) {
            self.cx.changing.enter(adapted[0].at, None);
        }
        self.statements(entity, body, case, others, out);
        self.cx.changing.leave(depth);
        let level = out.levels.pop().unwrap_or_default();
        self.changes_without_effect(entity, &level, out);
        for (adaptation, scope) in adapted.iter().zip(&level.scopes) {
            self.in_scope(scope, adaptation.at, |inner| {
                inner.note_added(adaptation, statements_of(adaptation));
                inner.added(entity, adaptation.at, statements_of(adaptation), case, others, out);
            });
        }
    }

    /// What an adaptation sees: the parameters of what it adapts, and the values that it names itself.
    fn scope_of(&mut self, adaptation: &Adapted, out: &mut Steps) -> Rc<(InstanceId, Names)> {
        let scope = Rc::new((adaptation.by, self.names.clone()));
        let lets = statements_of(adaptation).iter().filter(|stmt| matches!(stmt.kind, StmtKind::Let(..)));
        let names = self.in_scope(&scope, adaptation.at, |inner| {
            for stmt in lets {
                inner.let_step(stmt, out);
            }
            inner.names.clone()
        });
        Rc::new((adaptation.by, names))
    }

    /// Works where an adaptation stands, on the record that is being made.
    fn in_scope<T>(&mut self, scope: &(InstanceId, Names), at: Span, inner: impl FnOnce(&mut Self) -> T) -> T {
        let (was, target, keeps) = (self.was, self.target, self.keeps);
        self.apart(scope.0, at, scope.1.clone(), |body| {
            (body.was, body.target, body.keeps) = (was, target, keeps);
            inner(body)
        })
    }

    /// What an adaptation adds behind the statements of what it adapts.
    fn added(
        &mut self,
        entity: EntityId,
        at: Span,
        stmts: &[Stmt],
        case: &Case,
        others: &mut dyn FnMut(&mut Self, &Stmt),
        out: &mut Steps,
    ) {
        for stmt in stmts {
            match &stmt.kind {
                // They have had their place.
                StmtKind::Let(..) | StmtKind::Set(..) | StmtKind::Remove(..) => {}
                StmtKind::Add(path, value) if !self.cx.met.contains(&(at, stmt.span)) => {
                    if !self.is_there(entity, path, case, out) {
                        out.adding = true;
                        self.assign(entity, path, value, case, stmt.span, out);
                        out.adding = false;
                    }
                }
                StmtKind::Add(..) => {}
                StmtKind::OnCreate(inner) => self.added(entity, at, inner, &Case::Create, others, out),
                StmtKind::OnUpdate(cond, inner) => {
                    let cond = self.update_condition(cond.as_ref());
                    self.added(entity, at, inner, &Case::Update(cond), others, out);
                }
                StmtKind::Assign(path, _) => self.set_or_add(path, stmt.span),
                _ => self.statements(entity, std::slice::from_ref(stmt), case, others, out),
            }
        }
    }

    fn statements(
        &mut self,
        entity: EntityId,
        body: &[Stmt],
        case: &Case,
        others: &mut dyn FnMut(&mut Self, &Stmt),
        out: &mut Steps,
    ) {
        for stmt in body {
            match &stmt.kind {
                StmtKind::Assign(path, value) => {
                    let outer = out.sealed;
                    out.sealed |= stmt.sealed;
                    self.assign(entity, path, value, case, stmt.span, out);
                    out.sealed = outer;
                }
                StmtKind::Let(..) => self.let_step(stmt, out),
                StmtKind::Check(cond, otherwise) => self.check_step(cond, otherwise, case, stmt.span, out),
                StmtKind::Include(call) => {
                    // What the declaration itself changes of what it includes.
                    let scope = Rc::new((self.inside, self.names.clone()));
                    let changes = changes_in(body, &scope, None, None);
                    out.enter(Level { changes, scopes: Vec::new(), before: out.filled.len() });
                    let outer = out.sealed;
                    out.sealed |= stmt.sealed;
                    self.include_step(entity, call, case, stmt.span, out);
                    out.sealed = outer;
                    out.levels.pop();
                }
                StmtKind::OnCreate(inner) => self.statements(entity, inner, &Case::Create, &mut Self::no_header, out),
                StmtKind::OnUpdate(cond, inner) => {
                    let cond = self.update_condition(cond.as_ref());
                    self.statements(entity, inner, &Case::Update(cond), &mut Self::no_header, out);
                }
                StmtKind::Set(path, _) | StmtKind::Remove(path) if !self.cx.met.contains(&(stmt.span, stmt.span)) => {
                    self.not_included(path);
                }
                StmtKind::Set(..) | StmtKind::Add(..) | StmtKind::Remove(..) => {}
                _ => others(self, stmt),
            }
        }
    }

    fn let_step(&mut self, stmt: &Stmt, out: &mut Steps) {
        let StmtKind::Let(name, value) = &stmt.kind else { return };
        let value = self.scoped(|b| b.expr(value, None));
        let local = self.bind(name, value.ty.clone());
        self.names_caseless(local, &value);
        self.lets.extend(self.names.last().cloned());
        out.made.push(Step { kind: StepKind::Let(local, value), span: stmt.span, displaced: Vec::new() });
    }

    fn update_condition(&mut self, cond: Option<&ast::Expr>) -> Option<Box<Expr>> {
        let lowered = self.scoped(|b| Some(b.expr(cond?, Some(&Type::Bool))))?;
        Some(Box::new(self.coerce(lowered, &Type::Bool, "the condition of `on update`")))
    }

    /// A statement that must hold.
    fn check_step(&mut self, cond: &ast::Expr, otherwise: &ast::Expr, case: &Case, span: Span, out: &mut Steps) {
        let (cond, other, alert) = self.check_parts(cond, otherwise);
        let cond = self.in_case(cond, case);
        let kind = if alert { StepKind::Alert(cond, other) } else { StepKind::Check(cond, other) };
        out.made.push(Step { kind, span, displaced: Vec::new() });
    }

    /// The condition, what stands behind `else`, and whether that is an alert only.
    pub(crate) fn check_parts(&mut self, cond: &ast::Expr, otherwise: &ast::Expr) -> (Expr, Expr, bool) {
        let lowered = self.scoped(|b| b.expr(cond, Some(&Type::Bool)));
        let cond = self.coerce(lowered, &Type::Bool, "a `check`");
        match &otherwise.kind {
            A::Alert(Some(message)) => {
                let lowered = self.expr(message, None);
                (cond, self.coerce(lowered, &Type::Text(None), "an alert"), true)
            }
            A::Stop(..) => (cond, self.expr(otherwise, None), false),
            A::Error => (cond, Self::unknown(otherwise.span), false),
            _ => {
                self.cx.say(
                    &codes::MISPLACED,
                    otherwise.span,
                    "after the `else` of a `check` stands what happens",
                    "write `else fail \"why\"`, `else skip \"why\"` or `else alert \"why\"`",
                );
                (cond, Self::unknown(otherwise.span), false)
            }
        }
    }

    fn include_step(&mut self, entity: EntityId, call: &ast::Expr, case: &Case, span: Span, out: &mut Steps) {
        let Some((lets, instance, names, decl)) = self.include(call, entity) else {
            self.half_filled.push(entity);
            return;
        };
        let ast::DeclKind::Fields(part) = &decl.kind else { return };
        for (local, value) in lets {
            out.made.push(Step { kind: StepKind::Let(local.id, value), span, displaced: Vec::new() });
        }
        self.cx.takes_over(instance, part, entity);
        let (was, target) = (self.was, self.target);
        let keys = std::mem::take(&mut self.keys_at_run);
        // Of a part within a part it is the outer one that stands in the mapping.
        let outer = out.include;
        out.include = outer.or(Some(span));
        out.sealed |= decl.sealed;
        self.apart(instance, part.name.span, names, |inner| {
            (inner.was, inner.target, inner.keeps) = (was, target, true);
            inner.keys_at_run = keys;
            let adapted = inner.cx.adapted(instance, Space::Call, &part.name.text);
            inner.declared(entity, &part.body, &adapted, case, &mut Self::no_header, out);
            std::mem::take(&mut inner.keys_at_run)
        })
        .clone_into(&mut self.keys_at_run);
        out.include = outer;
    }

    fn assign(&mut self, entity: EntityId, path: &Path, value: &ast::Expr, case: &Case, span: Span, out: &mut Steps) {
        let Some((owner, fields)) = self.path_of(entity, path) else {
            self.half_filled.push(entity);
            // What is wrong in the value is still told.
            self.scoped(|b| b.with_keep(|b| b.expr(value, Some(&Type::Unknown))));
            return;
        };
        let last = *fields.last().expect("a path has at least one field");
        let e = self.cx.program.entity(owner);
        let full = e.full_name();
        let Field { name, ty, span: declared, price_by, form, .. } = e.get(last).clone();
        self.may_be_filled(owner, last, case, path.span);
        let place = Wanted {
            what: format!("`{name}` of {full}"),
            declared: Some(declared),
            length_at_run: self.part_alone || self.keys_at_run.contains(&name),
            is_key: self.keys_at_run.contains(&name),
        };
        let outer = std::mem::replace(&mut self.utf16, form.utf16);
        let lowered = self.scoped(|b| b.with_keep(|b| b.expr_for(&place.what, value, &ty)));
        let (told, depth) = (self.cx.diagnostics.len(), self.cx.changing.depth());
        let (own, within) = out.changes_of(path, case);
        if out.sealed
            && let Some(change) = own.first().or(within.first())
        {
            self.cx.met.extend(own.iter().chain(&within).map(|change| change.id));
            self.cx.is_sealed(change.path.span, path.span, &format!("`{name}`"));
        }
        let written = Written { span, at: path.span, value: value.span, lowered };
        if let Some(Written { lowered, span: by, at, .. }) = self.changed(&own, written, (owner, last), &ty, &place) {
            self.filled_once(&fields, case, at, &name, out);
            self.must_round(&lowered, owner, last, &place);
            let made = self.coerce_at(lowered, &ty, &place);
            let rewrites = self.rewrites;
            self.rewrites &= !matches!(case, Case::Create);
            let made = self.final_form(made, (owner, last), &ty, price_by);
            let value = self.changed_within(made, &within, entity, fields.len(), span);
            self.rewrites = rewrites;
            if let Some(change) = own.iter().find(|change| change.span == by) {
                self.told_of_displaced(told, &Displacing { change, displaced: span });
            }
            // Not what displaces the others itself.
            let lines = std::iter::once(span).chain(own.iter().map(|change| change.span));
            let displaced = lines.take_while(|line| *line != by).collect();
            let kind = StepKind::Assign { path: fields, value, when: case.when() };
            out.made.push(Step { kind, span: by, displaced });
        }
        self.cx.changing.leave(depth);
        self.utf16 = outer;
    }

    /// The value that stands in the place of another one, each change in the place of the one before; none where it is
    /// removed.
    fn changed(
        &mut self,
        changes: &[Rc<Change>],
        mut now: Written,
        at: (EntityId, FieldId),
        ty: &Type,
        place: &Wanted,
    ) -> Option<Written> {
        for (n, change) in changes.iter().enumerate() {
            self.carried_out(change, Some(now.span));
            let Some(value) = &change.value else {
                self.removed.push(Removed { field: at, at: change.span, displaced: now.span });
                self.one_of_two(changes[..n].last(), change, false);
                return None;
            };
            self.changes_nothing(change.span, value, now.value);
            self.cx.changing.enter(value.span, Some(now.value));
            let lowered = self.value_of_change(change, value, Some(now.lowered), ty, &place.what);
            self.one_of_two(changes[..n].last(), change, self.cx.changing.has_base());
            now = Written { span: change.span, at: change.path.span, value: value.span, lowered };
        }
        Some(now)
    }

    fn value_of_change(
        &mut self,
        change: &Change,
        value: &ast::Expr,
        base: Option<Expr>,
        ty: &Type,
        what: &str,
    ) -> Expr {
        self.in_scope(&change.scope, change.span, |inner| {
            inner.base = base;
            inner.scoped(|b| b.with_keep(|b| b.expr_for(what, value, ty)))
        })
    }

    /// Parts of a value that are changed by the way to them.
    fn changed_within(
        &mut self,
        mut made: Expr,
        changes: &[Rc<Change>],
        entity: EntityId,
        depth: usize,
        span: Span,
    ) -> Expr {
        for change in changes {
            let Some((_, fields)) = self.path_of(entity, &change.path) else {
                self.cx.met.insert(change.id);
                continue;
            };
            let displacing = Displacing { change, displaced: span };
            if self.change_within(&mut made, &fields[depth..], &displacing, Self::changed_value) {
                let displaced = (change.verb != Verb::Add).then_some(span);
                self.carried_out(change, displaced);
            }
        }
        made
    }

    /// What a change puts into a field of a part.
    fn changed_value(
        &mut self,
        change: &Displacing<'_>,
        (entity, field): (EntityId, FieldId),
        base: Option<Expr>,
    ) -> Option<Expr> {
        let Some(value) = &change.change.value else {
            self.needed_where_removed((entity, field), change);
            return None;
        };
        let e = self.cx.program.entity(entity);
        let Field { name, ty, span: declared, price_by, form, .. } = e.get(field).clone();
        let wanted = Wanted {
            what: format!("`{name}` of {}", e.full_name()),
            declared: Some(declared),
            length_at_run: self.part_alone,
            is_key: false,
        };
        let (told, depth) = (self.cx.diagnostics.len(), self.cx.changing.depth());
        self.cx.changing.enter(value.span, base.as_ref().map(|base| base.span));
        let (utf16, target) = (std::mem::replace(&mut self.utf16, form.utf16), self.target.replace(entity));
        let lowered = self.value_of_change(change.change, value, base, &ty, &wanted.what);
        self.must_round(&lowered, entity, field, &wanted);
        let made = self.coerce_at(lowered, &ty, &wanted);
        let made = self.final_form(made, (entity, field), &ty, price_by);
        (self.utf16, self.target) = (utf16, target);
        self.cx.changing.leave(depth);
        self.told_of_displaced(told, change);
        Some(made)
    }

    fn with_keep<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let keeps = std::mem::replace(&mut self.keeps, true);
        let out = inner(self);
        self.keeps = keeps;
        out
    }

    /// `{ field = value }` where a record is wanted.
    pub(crate) fn record(&mut self, fields: &[(Path, ast::Expr)], want: Option<&Type>, span: Span) -> Expr {
        let Some(Type::Record(entity)) = want.map(Type::present) else {
            for (_, value) in fields {
                self.expr(value, None);
            }
            if !matches!(want, Some(Type::Unknown)) {
                self.cx.say(
                    &codes::TYPE_MISMATCH,
                    span,
                    "a record can't stand here",
                    "a record stands where a field or a list needs its entity",
                );
            }
            return Self::unknown(span);
        };
        let entity = *entity;
        self.cx.read_entity(entity);
        let (outer, before) = (self.target.replace(entity), self.reads_it.len());
        let mut steps = Steps::default();
        for (path, value) in fields {
            self.assign(entity, path, value, &Case::Always, path.span, &mut steps);
        }
        let steps = self.in_order(entity, steps, before);
        self.target = outer;
        self.required(entity, &steps, span, ("this record", None));
        let builder = crate::ir::Builder { entity, steps, name: "".into() };
        Self::make(ExprKind::Build(Box::new(builder)), Type::Record(entity), span)
    }
}

impl Infer<'_, '_> {
    /// A part used as a value: the line or address that it makes.
    pub(crate) fn part_value(
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
                "a part stands where a field needs its entity, or after `include`",
            );
            return Self::unknown(span);
        };
        if self.too_deep(&part.name, length(&part.body), span) {
            return Self::unknown(span);
        }
        self.fits_part(instance, part, entity, span);
        let (names, lets) = self.enter(instance, params, given, &part.name.text);
        self.cx.takes_over(instance, part, entity);
        let steps = self.apart(instance, part.name.span, names, |inner| {
            let adapted = inner.cx.adapted(instance, Space::Call, &part.name.text);
            inner.build_steps(entity, &part.body, &adapted, &mut Self::no_header)
        });
        self.required(entity, &steps, span, (&format!("`{}`", part.name.text), Some(part.name.span)));
        let builder = Builder { entity, steps, name: Arc::clone(&part.name.text) };
        let made = Self::make(ExprKind::Build(Box::new(builder)), Type::Record(entity), span);
        let made = lets.into_iter().rev().fold(made, |body, (local, value)| Self::let_in(&local, value, body));
        Expr { span, ..made }
    }

    /// `include part(args)`: its statements become part of what is made here.
    pub(crate) fn include(&mut self, call: &ast::Expr, entity: EntityId) -> Option<Included> {
        let ((instance, decl), args) = self.part_called(call)?;
        let DeclKind::Fields(part) = &decl.kind else { return None };
        if self.too_deep(&part.name, length(&part.body), call.span) {
            return None;
        }
        if part.params.len() != args.len() {
            let message =
                format!("`{}` takes {} arguments; here are {}", part.name.text, part.params.len(), args.len());
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
}

/// A part that is taken over: the values let around it, where its names are seen from, its parameters, and itself.
pub(crate) type Included = (Vec<(Local, Expr)>, InstanceId, Names, Arc<ast::Decl>);
