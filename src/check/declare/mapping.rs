//! Mappings: when they create and update, by which key, and what follows.

use crate::check::declare::adapting::{Whole, called, said_by};
use crate::check::declare::header::HeaderParts;
use crate::check::infer::changes::statements_of;
use crate::check::infer::frame::Infer;
use crate::check::resolve::checker::Changed;
use crate::check::resolve::checker::{Adapted, Checker};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::types::heads::blank_header;
use crate::ir::{
    Access, Balance, Const, EntityId, Expr, ExprKind, FieldId, Header, Key, MappingId, Method, Native, OnChange,
    Overwrite, Required, Step, StepKind, Verb, When, each, of_steps,
};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, Stmt, StmtKind};
use std::sync::Arc;

impl Checker<'_> {
    /// Reads what a mapping says behind its head.
    pub(crate) fn read_mapping(&mut self, instance: InstanceId, id: MappingId, m: &ast::Mapping) {
        self.read_conditions();
        let adapted = self.adapted(instance, Space::Call, &m.name.text);
        let said = said_of_whole(m, &adapted);
        for own in m.body.iter().filter(|stmt| stmt.sealed && said_by(stmt).is_some()) {
            let same = |stmt: &&Stmt| said_by(stmt) == said_by(own);
            if let Some(change) = adapted.iter().flat_map(statements_of).find(same) {
                self.is_sealed(change.span, own.span, "this line of the header");
            }
        }
        let target = self.program.mapping(id).target;
        let depth = self.changing.depth();
        if let Some(at) = header_changed(&adapted) {
            self.changing.enter(at, None);
        }
        for adaptation in &adapted {
            for stmt in statements_of(adaptation) {
                let Some(says) = said_by(stmt) else { continue };
                let displaced = m.body.iter().find(|own| said_by(own) == Some(says)).map(|own| own.span);
                self.says_the_same(stmt.span, displaced.filter(|_| says != Whole::Prefer));
                let (of, kind, what) = (Arc::clone(&adaptation.of), adaptation.kind, called(says).to_owned());
                self.note_change(Changed { of, kind, what, at: stmt.span, displaced, removed: false });
            }
        }
        let mut body = Infer::new(self, instance);
        let mut params = Vec::new();
        for param in &m.params {
            let ty = body.cx.type_of(instance, &param.ty);
            let local = body.bind(&param.name, ty.clone());
            body.given.push(local);
            params.push((Arc::clone(&param.name.text), ty, local));
        }
        body.cx.program.mappings[id.0 as usize].params.clone_from(&params);
        let updates = said.iter().any(|s| matches!(&s.kind, StmtKind::Header(h) if h.verb == ast::Verb::Update));
        body.target = Some(target);
        body.was = Some((target, !updates));
        body.itself = keys(&said).any(|key| matches!(key, ast::Key::Itself(_)));
        body.rewrites = said.iter().any(|s| match &s.kind {
            StmtKind::Header(h) => matches!(h.verb, ast::Verb::Upsert | ast::Verb::Update),
            StmtKind::OnChange(change) => matches!(change, ast::OnChange::Update { .. }),
            _ => false,
        });
        body.keys_at_run = key_names(&said);
        let mut parts = HeaderParts::default();
        let steps = body.build_steps(target, &m.body, &adapted, &mut |body, stmt| {
            // Another line stands in its place.
            let displaced = said_by(stmt).is_some() && !said.iter().any(|s| s.span == stmt.span);
            if !displaced {
                body.header_statement(&mut parts, stmt);
            }
        });
        body.target = Some(target);
        let header = body.finish_header(parts, target, &steps, m);
        body.change_is_asked(&header.0, &said);
        body.unused_lets();
        let (locals, partly) = (body.next, body.half_filled.contains(&target));
        self.changing.leave(depth);
        if partly {
            self.partly.insert(id);
        }
        let mapping = &mut self.program.mappings[id.0 as usize];
        mapping.locals = locals;
        mapping.steps = steps;
        (mapping.header, mapping.balance, mapping.then) = header;
    }
}

/// Where a value is cut, be it in a field that it is taken from.
fn cut_in(value: &Expr, steps: &[Step], depth: usize) -> Option<Span> {
    let mut cut = None;
    each(value, &mut |e| match &e.kind {
        ExprKind::Native(Native::Fit, args) if !matches!(args.get(2).map(|at| &at.kind), Some(ExprKind::Const(Const::Text(at))) if &**at == "mark") =>
        {
            cut = Some(e.span);
        }
        ExprKind::It(field) if depth < steps.len() => {
            let mut of = steps.iter().filter_map(|step| match &step.kind {
                StepKind::Assign { path, value, .. } if path.as_slice() == [*field] => Some(value),
                _ => None,
            });
            cut = cut.or_else(|| of.find_map(|value| cut_in(value, steps, depth + 1)));
        }
        _ => {}
    });
    cut
}

/// The statements that say something of the whole: the mapping's own, but for those in whose place an adaptation says
/// something.
fn said_of_whole(m: &ast::Mapping, adapted: &[Adapted]) -> Vec<Stmt> {
    let changed: Vec<&Stmt> = adapted.iter().flat_map(statements_of).filter(|stmt| said_by(stmt).is_some()).collect();
    let displaced = |stmt: &Stmt| changed.iter().any(|other| said_by(other) == said_by(stmt));
    let own = m.body.iter().filter(|stmt| said_by(stmt).is_some() && !displaced(stmt));
    own.chain(changed.iter().copied()).cloned().collect()
}

/// Where a message about the whole mapping stands: at what says anew when it creates and updates, else at another line of the
/// header, else at the first `adapt`.
fn header_changed(adapted: &[Adapted]) -> Option<Span> {
    let said = || adapted.iter().flat_map(statements_of).filter_map(|stmt| Some((said_by(stmt)?, stmt.span)));
    let verb = said().find(|(says, _)| *says == Whole::Verb);
    verb.or_else(|| said().next()).map(|(_, at)| at).or_else(|| adapted.first().map(|adapted| adapted.at))
}

fn keys(body: &[Stmt]) -> impl Iterator<Item = &ast::Key> {
    let headers = body.iter().filter_map(|s| match &s.kind {
        StmtKind::Header(h) => Some(&h.keys),
        _ => None,
    });
    headers.flatten()
}

fn key_names(body: &[Stmt]) -> Vec<Arc<str>> {
    keys(body)
        .filter_map(|k| match k {
            ast::Key::By(fields) => Some(fields.iter().map(|f| Arc::clone(&f.name.text))),
            _ => None,
        })
        .flatten()
        .collect()
}

impl Infer<'_, '_> {
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
            self.half_filled.push(target);
            return (header, parts.balance, parts.then);
        };
        let creates = matches!(verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_));
        if creates {
            self.required(target, steps, m.name.span, (&format!("`{}`", m.name.text), None));
            self.known_before_write(target, steps);
            self.whole_too_early(steps);
        }
        self.writable(&verb, target, span);
        self.keys_written(&parts.keys, steps, span, m);
        if !self.half_filled.contains(&target) {
            self.keys_whole(&parts.keys, target, steps);
        }
        let updates =
            matches!(verb, Verb::Upsert | Verb::Update) || matches!(parts.on_change, Some(OnChange::Update { .. }));
        if updates {
            self.no_change_of_fixed(target, steps);
        }
        header.verb = verb;
        header.keys = parts.keys;
        header.accept = parts.accept;
        header.prefer = parts.prefer;
        header.prefer_newest = parts.newest;
        header.overwrite = parts.overwrite.unwrap_or(Overwrite::Changed);
        header.overwrite_fields = parts.overwrite_fields;
        header.on_change = parts.on_change.unwrap_or(OnChange::Alert);
        header.otherwise = parts.otherwise;
        header.span = span;
        (header, parts.balance, parts.then)
    }

    /// `on change` is asked of what is created once; what updates does so whenever anything differs.
    fn change_is_asked(&mut self, header: &Header, said: &[Stmt]) {
        let change = said.iter().find(|stmt| matches!(stmt.kind, StmtKind::OnChange(_)));
        let verb = said.iter().find(|stmt| {
            matches!(stmt.kind, StmtKind::Header(_) | StmtKind::CreateUnless(_) | StmtKind::Delete { .. })
        });
        if let (Some(change), Some(verb)) = (change, verb)
            && !matches!(header.verb, Verb::CreateOnce)
        {
            self.cx.report(
                Diagnostic::new(
                    &codes::MISPLACED,
                    verb.span,
                    "`on change` belongs to `create once`, and would never be asked here",
                )
                .label("updates whenever anything differs")
                .related(change.span, "what becomes of a change is said here")
                .help("keep `create once by …`, or say when an update may be: `on update when … { … }`"),
            );
        }
    }

    /// Before the write `it` has only what the mapping fills. That a required field is missing has been said by then.
    fn known_before_write(&mut self, target: EntityId, steps: &[Step]) {
        if self.half_filled.contains(&target) {
            return;
        }
        for (entity, field, span) in std::mem::take(&mut self.its) {
            let fills = |s: &Step| matches!(&s.kind, StepKind::Assign { path, .. } if path.first() == Some(&field));
            if entity != target || steps.iter().any(fills) {
                continue;
            }
            let f = self.cx.program.entity(entity).get(field);
            if matches!(f.required, Required::Yes) {
                continue;
            }
            let (name, declared) = (f.name.clone(), f.span);
            let message =
                format!("`it.{name}` is not known before the record is written, and this mapping does not fill it");
            let d = Diagnostic::new(&codes::NO_PLACE_FOR_IT, span, message)
                .label("not known yet")
                .related(declared, "declared here")
                .help("fill the field, or use its value after `then write`, where the record is there");
            self.cx.report(self.at_removal(d, (entity, field)));
        }
    }

    /// The whole record is there only behind its write.
    fn whole_too_early(&mut self, steps: &[Step]) {
        if !self.names_it {
            return;
        }
        let mut found = Vec::new();
        of_steps(steps, &mut |outer| {
            each(outer, &mut |e| {
                if matches!(e.kind, ExprKind::ItSelf) {
                    found.push(e.span);
                }
            });
        });
        for span in found {
            let message = "the record that `it` is has not been made yet";
            let d = Diagnostic::new(&codes::NO_PLACE_FOR_IT, span, message).label("not there yet");
            self.cx.report(d.help("read its fields one by one, `it.Field`, or pass it on after `then write`"));
        }
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
        if self.target.is_some_and(|target| self.half_filled.contains(&target)) {
            return;
        }
        for key in keys {
            let Key::By(fields) = key else { continue };
            for k in fields {
                let filled = steps.iter().any(|s| matches!(&s.kind, StepKind::Assign { path, when: When::Always | When::Create, .. } if path.as_slice() == [k.field]));
                if !filled && let Some(target) = self.target {
                    let name = self.cx.program.entity(target).get(k.field).name.clone();
                    let message = format!(
                        "`{}` looks for earlier copies by `{name}`, but never fills it: every run would create again",
                        m.name.text
                    );
                    let d = Diagnostic::new(&codes::KEY_NOT_WRITTEN, span, message)
                        .label("a key that is never filled")
                        .help(format!("fill it: `{name} = …`"));
                    self.cx.report(self.at_removal(d, (target, k.field)));
                }
            }
        }
    }

    /// Whether no key is cut, and none is changed by an update.
    fn keys_whole(&mut self, keys: &[Key], target: EntityId, steps: &[Step]) {
        let fields: Vec<FieldId> = keys.iter().filter_map(Key::fields).flatten().map(|key| key.field).collect();
        for step in steps {
            let StepKind::Assign { path, value, when } = &step.kind else { continue };
            let [field] = path.as_slice() else { continue };
            if !fields.contains(field) {
                continue;
            }
            if matches!(when, When::Update(_)) {
                let name = self.cx.program.entity(target).get(*field).name.clone();
                let message = format!(
                    "`{name}` is a key, and an update writes another value into it: the next run would not find the record again"
                );
                let d = Diagnostic::new(&codes::FILLED_TWICE, step.span, message).label("a key that moves");
                self.cx.report(d.help("fill it once, in all cases, with what the record is found by"));
                continue;
            }
            let Some(at) = cut_in(value, steps, 0) else { continue };
            let name = self.cx.program.entity(target).get(*field).name.clone();
            let message = format!("`{name}` is a key, and is cut here: two long ones would become one");
            let d = Diagnostic::new(&codes::KEY_CUT, at, message).label("cut");
            self.cx.report(d.help("`.fit(at: \"mark\")` puts a mark of the whole text after what is left of it; without `.fit()` a text that is too long stops its record"));
        }
    }

    fn no_change_of_fixed(&mut self, target: EntityId, steps: &[Step]) {
        for step in steps {
            let StepKind::Assign { path, when: When::Always, .. } = &step.kind else { continue };
            let [only] = path.as_slice() else { continue };
            let f = self.cx.program.entity(target).get(*only);
            if f.access == Access::CreateOnly {
                let (name, declared) = (f.name.clone(), f.span);
                let moved = format!("on create {{ {} }}", self.cx.modules.sources.text(step.span));
                self.cx.report(
                    Diagnostic::new(
                        &codes::CREATE_ONLY_UPDATED,
                        step.span,
                        format!("`{name}` can't change once the record is there, and this mapping updates"),
                    )
                    .label("create only")
                    .related(declared, "declared here")
                    .help("move the line into `on create { … }`")
                    .fix("fill it on create only", step.span, moved),
                );
            }
        }
    }
}
