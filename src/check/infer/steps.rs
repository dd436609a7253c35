//! What a mapping or a part fills: its statements become steps, parts that it includes among them.

use crate::check::infer::call::Given;
use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::Infer;
use crate::check::infer::inlining::length;
use crate::check::infer::names::{Local, Names};
use crate::check::resolve::instances::InstanceId;
use crate::ir::{Access, Binary, Builder, EntityId, Expr, ExprKind, Field, FieldId, Step, StepKind, Type, Unary, When};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, ExprKind as A, Param, Path, Stmt, StmtKind};
use std::sync::Arc;

/// Steps in the making.
#[derive(Default)]
struct Steps {
    made: Vec<Step>,
    /// What has been filled.
    filled: Vec<Filled>,
    /// The `include` whose statements these are.
    include: Option<Span>,
}

/// A field that is filled: in which case, where, and by which `include`.
struct Filled {
    fields: Vec<FieldId>,
    case: Case,
    span: Span,
    include: Option<Span>,
}

/// In which case statements count.
#[derive(Clone, Debug)]
enum Case {
    Always,
    Create,
    Update(Option<Box<Expr>>),
}

impl Infer<'_, '_> {
    /// The steps that fill an entity; statements of other kinds go to `others`.
    pub(crate) fn build_steps(
        &mut self,
        entity: EntityId,
        body: &[Stmt],
        others: &mut dyn FnMut(&mut Self, &Stmt),
    ) -> Vec<Step> {
        self.cx.read_entity(entity);
        let outer = self.target.replace(entity);
        let mut steps = Steps::default();
        self.statements(entity, body, &Case::Always, others, &mut steps);
        let ordered = self.in_order(steps.made);
        self.target = outer;
        ordered
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
                StmtKind::Assign(path, value) => self.assign(entity, path, value, case, stmt.span, out),
                StmtKind::Let(name, value) => {
                    let value = self.scoped(|b| b.expr(value, None));
                    let local = self.bind(name, value.ty.clone());
                    self.lets.extend(self.names.last().cloned());
                    out.made.push(Step { kind: StepKind::Let(local, value), span: stmt.span, displaced: None });
                }
                StmtKind::Check(cond, otherwise) => self.check_step(cond, otherwise, case, stmt.span, out),
                StmtKind::Include(call) => self.include_step(entity, call, case, stmt.span, out),
                StmtKind::OnCreate(inner) => self.statements(entity, inner, &Case::Create, &mut Self::no_header, out),
                StmtKind::OnUpdate(cond, inner) => {
                    let cond = cond.as_ref().map(|c| {
                        let lowered = self.scoped(|b| b.expr(c, Some(&Type::Bool)));
                        Box::new(self.coerce(lowered, &Type::Bool, "the condition of `on update`"))
                    });
                    self.statements(entity, inner, &Case::Update(cond), &mut Self::no_header, out);
                }
                StmtKind::Set(..) | StmtKind::Add(..) | StmtKind::Remove(..) => {
                    self.cx.say(
                        &codes::MISPLACED,
                        stmt.span,
                        "`set`, `add` and `remove` change what comes from elsewhere",
                        "here a field is filled with `Field = value`",
                    );
                }
                _ => others(self, stmt),
            }
        }
    }

    /// A statement of a header where there is no mapping.
    pub(crate) fn no_header(&mut self, stmt: &Stmt) {
        self.cx.say(
            &codes::MISPLACED,
            stmt.span,
            "this says how a mapping writes; here is only a part of one",
            "move it to the mapping itself",
        );
    }

    /// A statement that must hold.
    fn check_step(&mut self, cond: &ast::Expr, otherwise: &ast::Expr, case: &Case, span: Span, out: &mut Steps) {
        let (cond, other, alert) = self.check_parts(cond, otherwise);
        let cond = self.in_case(cond, case);
        let kind = if alert { StepKind::Alert(cond, other) } else { StepKind::Check(cond, other) };
        out.made.push(Step { kind, span, displaced: None });
    }

    /// A condition that counts in one case only: in the other it holds.
    fn in_case(&self, cond: Expr, case: &Case) -> Expr {
        let Some((target, true)) = self.was else { return cond };
        let span = cond.span;
        let truth = |kind| Self::make(kind, Type::Bool, span);
        let was = Self::make(ExprKind::Was, Type::Record(target).optional(), span);
        let there = truth(ExprKind::IsSome(Box::new(was), None));
        let not = |e| truth(ExprKind::Unary(Unary::Not, Box::new(e)));
        let or = |a, b| truth(ExprKind::Binary(Binary::Or, Box::new(a), Box::new(b)));
        match case {
            Case::Always => cond,
            Case::Create => or(there, cond),
            Case::Update(None) => or(not(there), cond),
            Case::Update(Some(when)) => or(not(there), or(not((**when).clone()), cond)),
        }
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
            out.made.push(Step { kind: StepKind::Let(local.id, value), span, displaced: None });
        }
        let (was, target) = (self.was, self.target);
        let keys = std::mem::take(&mut self.keys_at_run);
        // Of a part within a part it is the outer one that stands in the mapping.
        let outer = out.include;
        out.include = outer.or(Some(span));
        self.apart(instance, part.name.span, names, |inner| {
            (inner.was, inner.target, inner.keeps) = (was, target, true);
            inner.keys_at_run = keys;
            inner.statements(entity, &part.body, case, &mut Self::no_header, out);
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
        let Field { name, ty, access, span: declared, price_by, form, meta, .. } = e.get(last).clone();
        if access == Access::ReadOnly {
            self.cx.report(
                Diagnostic::new(
                    &codes::READ_ONLY_FILLED,
                    path.span,
                    format!("`{name}` of {full} is computed by the system; it can't be filled"),
                )
                .label("read-only")
                .related(declared, "declared here")
                .help("delete this line; the system fills the field by itself"),
            );
        }
        if access == Access::CreateOnly && matches!(case, Case::Update(_)) {
            self.cx.report(
                Diagnostic::new(
                    &codes::CREATE_ONLY_UPDATED,
                    path.span,
                    format!("`{name}` of {full} can't change once it is there"),
                )
                .label("create only")
                .related(declared, "declared here")
                .help("fill it in `on create { … }`"),
            );
        }
        if meta.is_some() && !self.cx.program.entity(owner).stands_alone() {
            let message = format!("`{name}` is an entry of `meta_data` of a part, and is not sent by itself");
            let help = "fill the list: `meta_data = [{ key = \"…\", value = … }]`";
            self.cx.say(&codes::NOT_CARRIED_OUT, path.span, message, help);
        }
        self.filled_once(&fields, case, path, &name, out);
        let place = Wanted {
            what: format!("`{name}` of {full}"),
            declared: Some(declared),
            length_at_run: self.part_alone || self.keys_at_run.iter().any(|k| **k == *name),
        };
        let outer = std::mem::replace(&mut self.utf16, form.utf16);
        let lowered = self.scoped(|b| b.with_keep(|b| b.expr_for(&place.what, value, &ty)));
        self.utf16 = outer;
        self.must_round(&lowered, owner, last, &place);
        let made = self.coerce_at(lowered, &ty, &place);
        let rewrites = self.rewrites;
        self.rewrites &= !matches!(case, Case::Create);
        let made = self.final_form(made, (owner, last), &ty, price_by);
        self.rewrites = rewrites;
        let when = match case {
            Case::Always => When::Always,
            Case::Create => When::Create,
            Case::Update(cond) => When::Update(cond.clone()),
        };
        out.made.push(Step { kind: StepKind::Assign { path: fields, value: made, when }, span, displaced: None });
    }

    fn with_keep<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let keeps = std::mem::replace(&mut self.keeps, true);
        let out = inner(self);
        self.keeps = keeps;
        out
    }

    fn filled_once(&mut self, fields: &[FieldId], case: &Case, path: &Path, name: &str, out: &mut Steps) {
        let wire = |fields: &[FieldId]| match (fields, self.target) {
            ([field], Some(target)) => self.cx.program.entity(target).get(*field).wire_name(),
            _ => None,
        };
        let clash = out.filled.iter().find(|other| {
            let same = other.fields.starts_with(fields) || fields.starts_with(&other.fields);
            // Two fields that are one member of what is sent.
            let one = || wire(fields).is_some_and(|name| wire(&other.fields) == Some(name));
            (same || one())
                && !matches!(
                    (case, &other.case),
                    (Case::Create, Case::Update(_))
                        | (Case::Update(_), Case::Create)
                        | (Case::Update(Some(_)), Case::Update(Some(_)))
                )
        });
        let Some(before) = clash else {
            let include = out.include;
            out.filled.push(Filled { fields: fields.to_vec(), case: case.clone(), span: path.span, include });
            return;
        };
        let (here, there) = (out.include.unwrap_or(path.span), before.include.unwrap_or(before.span));
        let mut d = Diagnostic::new(&codes::FILLED_TWICE, here, format!("`{name}` is filled twice"))
            .label("again here")
            .related(there, "filled here first");
        d = match out.include.or(before.include) {
            Some(include) if out.include != before.include => {
                let call = self.cx.modules.sources.text(include).to_owned();
                // One that is still being read has not filled all of its fields yet.
                let others =
                    if before.include.is_some() { self.others_of(include, fields, out) } else { String::new() };
                let others = if others.is_empty() { "the lines that you want of it".to_owned() } else { others };
                d.help(format!("what an `include` fills can't be filled otherwise: write, for `{call}`, {others}"))
            }
            _ => d.help("keep one of the two"),
        };
        self.cx.report(d);
    }

    /// The fields that an `include` has filled so far, but for one.
    fn others_of(&self, include: Span, fields: &[FieldId], out: &Steps) -> String {
        let Some(target) = self.target else { return String::new() };
        let of_include = out.filled.iter().filter(|f| f.include == Some(include) && f.fields != fields);
        let first = of_include.filter_map(|f| f.fields.first());
        let names: Vec<String> =
            first.map(|field| format!("`{} = …`", self.cx.program.entity(target).get(*field).name)).collect();
        names.join(", ")
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
        let outer = self.target.replace(entity);
        let mut steps = Steps::default();
        for (path, value) in fields {
            self.assign(entity, path, value, &Case::Always, path.span, &mut steps);
        }
        let steps = self.in_order(steps.made);
        self.target = outer;
        self.required(entity, &steps, span, "this record");
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
        let steps = self.apart(instance, part.name.span, names, |inner| {
            inner.build_steps(entity, &part.body, &mut Self::no_header)
        });
        self.required(entity, &steps, span, &format!("`{}`", part.name.text));
        let builder = Builder { entity, steps, name: Arc::clone(&part.name.text) };
        let made = Self::make(ExprKind::Build(Box::new(builder)), Type::Record(entity), span);
        let made = lets.into_iter().rev().fold(made, |body, (local, value)| Self::let_in(&local, value, body));
        Expr { span, ..made }
    }

    /// `include part(args)`: its statements become part of what is made here.
    pub(crate) fn include(&mut self, call: &ast::Expr, entity: EntityId) -> Option<Included> {
        let A::Call(callee, args) = &call.kind else {
            self.cx.say(
                &codes::MISPLACED,
                call.span,
                "`include` takes a part over: it needs a call",
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
}

/// A part that is taken over: the values let around it, where its names are seen from, its parameters, and itself.
pub(crate) type Included = (Vec<(Local, Expr)>, InstanceId, Names, Arc<ast::Decl>);
