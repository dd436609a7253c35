//! Mappings: when they create and update, by which key, and what follows.

use super::body::{Body, Local};
use super::cx::{Cx, InstanceId, State, TypeItem};
use super::fits::Place;
use super::load::Space;
use crate::ir::{
    Access, Balance, Const, EntityId, Expr, ExprKind, FieldId, Header, Key, KeyField, Mapping, MappingId, Method,
    Native, OnChange, Overwrite, Rest, Step, StepKind, Type, Verb, When,
};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, ExprKind as A, Stmt, StmtKind};
use std::sync::Arc;

/// What a mapping's header statements have said so far.
#[derive(Default)]
pub(crate) struct HeaderParts {
    verb: Option<(Verb, Span)>,
    keys: Vec<Key>,
    prefer: Vec<(FieldId, Expr)>,
    newest: Option<FieldId>,
    overwrite: Option<Overwrite>,
    overwrite_fields: Option<Vec<Arc<str>>>,
    on_change: Option<OnChange>,
    otherwise: Option<Expr>,
    balance: Option<Balance>,
    then: Vec<Expr>,
}

impl Cx<'_> {
    /// The mapping of that name of an instance, read.
    pub(crate) fn mapping_named(&mut self, instance: InstanceId, name: &str, from: Span) -> Option<MappingId> {
        if let Some(id) = self.mappings.get(&(instance, name.to_owned())).copied() {
            if self.mapping_states[id.0 as usize] == State::Reading {
                let declared = self.program.mapping(id).span;
                self.report(
                    Diagnostic::new(&codes::CYCLE, from, format!("`{name}` needs itself: making it would never end"))
                        .related(declared, "declared here")
                        .help("a record that must be there first can't wait for this one: take one of the two out of the circle"),
                );
            }
            return Some(id);
        }
        let module = self.module_of(instance);
        let decl = self
            .modules
            .named(module, Space::Call, name)
            .into_iter()
            .find(|d| matches!(d.kind, DeclKind::Mapping(_)))?;
        let DeclKind::Mapping(m) = &decl.kind else { return None };
        let Some(TypeItem::Entity(target)) = self.named_type(instance, &m.target) else { return None };
        self.read_entity(target);
        let id = MappingId(u32::try_from(self.program.mappings.len()).unwrap_or(u32::MAX));
        let connector = Arc::clone(&self.program.entity(target).connector);
        let connection = self.connection(instance, &connector);
        self.program.mappings.push(Mapping {
            name: format!("{}.{name}", self.instance(instance).name).into(),
            target,
            connection,
            params: Vec::new(),
            locals: 0,
            header: blank_header(m.name.span),
            steps: Vec::new(),
            balance: None,
            then: Vec::new(),
            span: m.name.span,
        });
        self.mappings.insert((instance, name.to_owned()), id);
        self.mapping_states.push(State::Reading);
        self.read_mapping(instance, id, target, m);
        self.mapping_states[id.0 as usize] = State::Read;
        Some(id)
    }

    fn read_mapping(&mut self, instance: InstanceId, id: MappingId, target: EntityId, m: &ast::Mapping) {
        let mut body = Body::new(self, instance);
        let mut params = Vec::new();
        for param in &m.params {
            let ty = body.cx.type_of(instance, &param.ty);
            let local = body.bind(&param.name, ty.clone());
            params.push((Arc::clone(&param.name.text), ty, local));
        }
        body.cx.program.mappings[id.0 as usize].params.clone_from(&params);
        let updates = m.body.iter().any(|s| matches!(&s.kind, StmtKind::Header(h) if h.verb == ast::Verb::Update));
        body.target = Some(target);
        body.was = Some((target, !updates));
        body.keys_at_run = key_names(&m.body);
        let steps = body.build_steps(target, &m.body, true);
        body.target = Some(target);
        let parts = std::mem::take(&mut body.header);
        let header = body.finish_header(parts, target, &steps, m);
        body.unused_lets();
        let locals = body.next;
        let mapping = &mut self.program.mappings[id.0 as usize];
        mapping.locals = locals;
        mapping.steps = steps;
        (mapping.header, mapping.balance, mapping.then) = header;
    }
}

fn blank_header(span: Span) -> Header {
    Header {
        verb: Verb::CreateOnce,
        keys: Vec::new(),
        prefer: Vec::new(),
        prefer_newest: None,
        overwrite: Overwrite::Changed,
        overwrite_fields: None,
        on_change: OnChange::Alert,
        otherwise: None,
        span,
    }
}

fn key_names(body: &[Stmt]) -> Vec<Arc<str>> {
    body.iter()
        .filter_map(|s| match &s.kind {
            StmtKind::Header(h) => Some(&h.keys),
            _ => None,
        })
        .flatten()
        .filter_map(|k| match k {
            ast::Key::By(fields) => Some(fields.iter().map(|f| Arc::clone(&f.name.text))),
            _ => None,
        })
        .flatten()
        .collect()
}

impl Body<'_, '_> {
    /// A statement of a mapping that fills nothing.
    pub(crate) fn header_statement(&mut self, stmt: &Stmt) {
        let Some(target) = self.target else { return };
        match &stmt.kind {
            StmtKind::Header(h) => {
                let verb = match h.verb {
                    ast::Verb::CreateOnce => Verb::CreateOnce,
                    ast::Verb::Upsert => Verb::Upsert,
                    ast::Verb::Update => Verb::Update,
                };
                self.set_verb(verb, stmt.span);
                let keys = h.keys.iter().filter_map(|k| self.key(target, k)).collect();
                self.header.keys = keys;
                self.header.otherwise = h.otherwise.as_ref().map(|o| self.expr(o, None));
            }
            StmtKind::CreateUnless(cond) => {
                let lowered = self.expr(cond, Some(&Type::Bool));
                let cond = self.accept(lowered, &Type::Bool, "`create unless`");
                self.set_verb(Verb::CreateUnless(Box::new(cond)), stmt.span);
            }
            StmtKind::Delete { key, cond, otherwise } => {
                let key = self.key(target, key);
                let cond = cond.as_ref().map(|c| {
                    let was = self.was.replace((target, false));
                    let lowered = self.expr(c, Some(&Type::Bool));
                    let cond = self.accept(lowered, &Type::Bool, "the condition of `delete`");
                    self.was = was;
                    Box::new(cond)
                });
                self.set_verb(Verb::Delete(cond), stmt.span);
                self.header.keys.extend(key);
                self.header.otherwise = otherwise.as_ref().map(|o| match &o.kind {
                    A::Alert(Some(message)) => self.expr(message, None),
                    _ => self.expr(o, None),
                });
            }
            StmtKind::Prefer(name, value) => {
                if let Some(field) = self.cx.field_named(target, &name.text, name.span) {
                    let ty = self.cx.program.entity(target).get(field).ty.clone().optional();
                    let lowered = self.expr(value, Some(&ty));
                    let place = Place { what: format!("`{}`", name.text), declared: None, length_at_run: true };
                    let value = self.accept_at(lowered, &ty, &place);
                    self.header.prefer.push((field, value));
                }
            }
            StmtKind::PreferNewest(name) => self.header.newest = self.cx.field_named(target, &name.text, name.span),
            StmtKind::Overwrite { mode, fields } => self.overwrite(mode, fields.as_ref()),
            StmtKind::OnChange(change) => self.on_change(target, change),
            StmtKind::Balance(balance) => self.balance(target, balance, stmt.span),
            StmtKind::Then(write) => {
                let writes = std::mem::replace(&mut self.writes, true);
                let lowered = self.scoped(|b| b.expr(write, None));
                self.writes = writes;
                self.header.then.push(lowered);
            }
            _ => {}
        }
    }

    fn set_verb(&mut self, verb: Verb, span: Span) {
        if let Some((_, before)) = self.header.verb {
            self.cx.report(
                Diagnostic::new(&codes::FILLED_TWICE, span, "a mapping says once when it creates and updates")
                    .related(before, "said here already")
                    .help("keep one of the two"),
            );
        }
        self.header.verb = Some((verb, span));
    }

    fn key(&mut self, target: EntityId, key: &ast::Key) -> Option<Key> {
        match key {
            ast::Key::Itself(_) => Some(Key::Itself),
            ast::Key::Linked(of) => {
                let of = self.expr(of, None);
                if !matches!(of.ty.present(), Type::Record(_) | Type::Unknown | Type::Nothing) {
                    let message = format!("links are between records; this is {}", self.cx.show(&of.ty));
                    self.cx.say(&codes::TYPE_MISMATCH, of.span, message, "name the record that it was made from");
                }
                Some(Key::Linked(of))
            }
            ast::Key::By(fields) => {
                let by: Vec<KeyField> = fields
                    .iter()
                    .filter_map(|f| {
                        Some(KeyField {
                            field: self.cx.field_named(target, &f.name.text, f.name.span)?,
                            optional: f.optional,
                        })
                    })
                    .collect();
                if by.len() == fields.len()
                    && let (Some(first), Some(last)) = (fields.first(), fields.last())
                {
                    let ids: Vec<FieldId> = by.iter().map(|k| k.field).collect();
                    self.searchable(target, &ids, first.name.span.to(last.name.span));
                }
                (!by.is_empty()).then_some(Key::By(by))
            }
        }
    }

    fn overwrite(&mut self, mode: &ast::Expr, fields: Option<&ast::Expr>) {
        self.header.overwrite = match self.constant(mode) {
            Some(Const::Text(t)) => match &*t {
                "nothing" => Some(Overwrite::Nothing),
                "empty" => Some(Overwrite::Empty),
                "changed" => Some(Overwrite::Changed),
                "all" => Some(Overwrite::All),
                other => {
                    let message = format!("`{other}` is no way to overwrite");
                    self.cx.say(
                        &codes::UNKNOWN_VALUE,
                        mode.span,
                        message,
                        "one of \"nothing\", \"empty\", \"changed\", \"all\"",
                    );
                    None
                }
            },
            _ => None,
        };
        if let Some(fields) = fields {
            self.header.overwrite_fields = match self.constant(fields) {
                Some(Const::List(list)) => {
                    Some(list.into_iter().filter_map(|c| if let Const::Text(t) = c { Some(t) } else { None }).collect())
                }
                _ => None,
            };
        }
    }

    fn on_change(&mut self, target: EntityId, change: &ast::OnChange) {
        self.header.on_change = Some(match change {
            ast::OnChange::Alert => OnChange::Alert,
            ast::OnChange::Ignore => OnChange::Ignore,
            ast::OnChange::Update { cond, alert } => {
                let was = self.was.replace((target, false));
                let cond = cond.as_ref().map(|c| {
                    let lowered = self.expr(c, Some(&Type::Bool));
                    Box::new(self.accept(lowered, &Type::Bool, "the condition of `on change`"))
                });
                self.was = was;
                OnChange::Update { cond, alert: *alert }
            }
            ast::OnChange::Write(write) => {
                let writes = std::mem::replace(&mut self.writes, true);
                let lowered = self.expr(write, None);
                self.writes = writes;
                OnChange::Write(Box::new(lowered))
            }
        });
    }

    fn balance(&mut self, target: EntityId, balance: &ast::Balance, span: Span) {
        let Some(field) = self.cx.field_named(target, &balance.field.text, balance.field.span) else { return };
        let (ty, formula, full, declared) = {
            let e = self.cx.program.entity(target);
            let f = e.get(field);
            (f.ty.present().clone(), f.computed.clone(), e.full_name(), f.span)
        };
        let Some(formula) = formula else {
            let d = Diagnostic::new(
                &codes::BALANCE_FIELD,
                balance.field.span,
                format!("the schema has no formula for `{}` of {full}", balance.field.text),
            )
            .label("no formula")
            .related(declared, "declared here")
            .help("balance the field that the system computes from the lines, such as `AmountFC`");
            self.cx.report(d);
            return;
        };
        let lines = match &formula.kind {
            ExprKind::Native(Native::DocumentTotal, args) => match args.first().map(|a| &a.kind) {
                Some(ExprKind::It(lines)) => *lines,
                _ => return,
            },
            _ => return,
        };
        let place = Place { what: format!("`balance` of `{}`", balance.field.text), ..Place::default() };
        let lowered = self.scoped(|b| b.expr(&balance.to, Some(&ty)));
        let to = self.accept_at(lowered, &ty, &place);
        let within = balance.within.as_ref().map(|w| {
            let lowered = self.expr(w, Some(&ty));
            self.accept(lowered, &Type::Decimal, "`within`")
        });
        let element =
            self.cx.program.entity(target).get(lines).ty.present().element().cloned().unwrap_or(Type::Unknown);
        let rest = balance.rest.as_ref().and_then(|rest| self.rest(rest, &ty, &element, span));
        let (sum, otherwise) = self.scoped(|b| {
            let sum = b.local();
            b.names.push(Local { name: "sum".into(), id: sum, ty: ty.clone(), span });
            (sum, balance.otherwise.as_ref().map(|o| b.expr(o, None)))
        });
        self.header.balance = Some(Balance { field, formula, to, within, lines, rest, sum, otherwise, span });
    }

    fn rest(&mut self, rest: &ast::Rest, ty: &Type, element: &Type, span: Span) -> Option<Rest> {
        match rest {
            ast::Rest::In(name) => {
                let Type::Record(line) = element else { return None };
                self.cx.field_named(*line, &name.text, name.span).map(Rest::Field)
            }
            ast::Rest::As(line) => Some(self.scoped(|b| {
                let local = b.local();
                b.names.push(Local { name: "rest".into(), id: local, ty: ty.clone(), span });
                let lowered = b.expr(line, Some(element));
                Rest::Line(local, b.accept(lowered, element, "the line for the rest"))
            })),
        }
    }

    /// The header as a whole: what it needs, and whether the mapping keeps to it.
    fn finish_header(
        &mut self,
        parts: HeaderParts,
        target: EntityId,
        steps: &[Step],
        m: &ast::Mapping,
    ) -> (Header, Option<Balance>, Vec<Expr>) {
        let mut header = blank_header(m.name.span);
        let Some((verb, span)) = parts.verb else {
            self.cx.report(
                Diagnostic::new(&codes::NO_HEADER, m.name.span, format!("`{}` does not say when it creates or updates", m.name.text))
                    .label("no `create`, `upsert` or `update`")
                    .help("begin with `create once by FIELD`, `upsert by FIELD` or `update by FIELD`; a part without is `fields`"),
            );
            return (header, parts.balance, parts.then);
        };
        let creates = matches!(verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_));
        if creates {
            self.required(target, steps, m.name.span, &format!("`{}`", m.name.text));
        }
        self.writable(&verb, target, span);
        self.keys_written(&parts.keys, steps, span, m);
        let updates =
            matches!(verb, Verb::Upsert | Verb::Update) || matches!(parts.on_change, Some(OnChange::Update { .. }));
        if updates {
            self.no_change_of_fixed(target, steps);
        }
        header.verb = verb;
        header.keys = parts.keys;
        header.prefer = parts.prefer;
        header.prefer_newest = parts.newest;
        header.overwrite = parts.overwrite.unwrap_or(Overwrite::Changed);
        header.overwrite_fields = parts.overwrite_fields;
        header.on_change = parts.on_change.unwrap_or(OnChange::Alert);
        header.otherwise = parts.otherwise;
        header.span = span;
        (header, parts.balance, parts.then)
    }

    fn writable(&mut self, verb: &Verb, target: EntityId, span: Span) {
        let e = self.cx.program.entity(target);
        let needs: &[Method] = match verb {
            Verb::CreateOnce | Verb::CreateUnless(_) => &[Method::Post],
            Verb::Upsert => &[Method::Post, Method::Put],
            Verb::Update => &[Method::Put],
            Verb::Delete(_) => &[Method::Delete],
        };
        if e.route.is_some() && !e.methods.is_empty() && needs.iter().any(|n| !e.methods.contains(n)) {
            let message = format!("{} can't be written like this: the API doesn't offer it", e.full_name());
            let declared = e.span;
            self.cx.report(
                Diagnostic::new(&codes::NOT_WRITABLE, span, message)
                    .related(declared, "its route says what it offers")
                    .help("write another entity, or with another header"),
            );
        }
    }

    fn keys_written(&mut self, keys: &[Key], steps: &[Step], span: Span, m: &ast::Mapping) {
        for key in keys {
            let Key::By(fields) = key else { continue };
            for k in fields {
                let filled = steps.iter().any(|s| matches!(&s.kind, StepKind::Assign { path, when: When::Always | When::Create, .. } if path.as_slice() == [k.field]));
                if !filled && let Some(target) = self.target {
                    let name = self.cx.program.entity(target).get(k.field).name.clone();
                    self.cx.report(
                        Diagnostic::new(&codes::KEY_NOT_WRITTEN, span, format!("`{}` looks for earlier copies by `{name}`, but never fills it: every run would create again", m.name.text))
                            .label("a key that is never filled")
                            .help(format!("fill it: `{name} = …`")),
                    );
                }
            }
        }
    }

    fn no_change_of_fixed(&mut self, target: EntityId, steps: &[Step]) {
        for step in steps {
            let StepKind::Assign { path, when: When::Always, .. } = &step.kind else { continue };
            let [only] = path.as_slice() else { continue };
            let f = self.cx.program.entity(target).get(*only);
            if f.access == Access::CreateOnly {
                let (name, declared) = (f.name.clone(), f.span);
                self.cx.report(
                    Diagnostic::new(
                        &codes::CREATE_ONLY_UPDATED,
                        step.span,
                        format!("`{name}` can't change once the record is there, and this mapping updates"),
                    )
                    .label("create only")
                    .related(declared, "declared here")
                    .help("move the line into `on create { … }`"),
                );
            }
        }
    }

    /// `document_total(Lines, Quantity, Price, Code)`, a schema's formula.
    pub(crate) fn formula(self, entity: EntityId, formula: &ast::Expr) -> Option<Expr> {
        let A::Call(callee, args) = &formula.kind else { return None };
        let A::Name(name) = &callee.kind else { return None };
        if Native::by_name(&name.text) != Some(Native::DocumentTotal) {
            self.cx.say(
                &codes::UNKNOWN_FUNCTION,
                name.span,
                format!("`{}` is no formula of a document", name.text),
                "write `computed = document_total(Lines, Quantity, Price, Code)`",
            );
            return None;
        }
        let names: Vec<&ast::Name> =
            args.iter().filter_map(|a| if let A::Name(n) = &a.value.kind { Some(n) } else { None }).collect();
        let [lines, rest @ ..] = names.as_slice() else { return None };
        let field = self.cx.field_named(entity, &lines.text, lines.span)?;
        let ty = self.cx.program.entity(entity).get(field).ty.clone();
        if let Some(Type::Record(line)) = ty.present().element() {
            for name in rest {
                self.cx.field_named(*line, &name.text, name.span)?;
            }
        }
        let mut values = vec![Self::make(ExprKind::It(field), ty, formula.span)];
        values.extend(
            rest.iter()
                .map(|n| Self::make(ExprKind::Const(Const::Text(Arc::clone(&n.text))), Type::Text(None), n.span)),
        );
        Some(Self::make(
            ExprKind::Native(Native::DocumentTotal, values),
            Type::Money(crate::ir::Kind::Gross),
            formula.span,
        ))
    }
}
