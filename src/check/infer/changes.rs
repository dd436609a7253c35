//! Changes of an `adapt` while the mapping or the part that it changes is read: what they are for, what they displace.

use crate::check::infer::frame::Infer;
use crate::check::infer::names::Names;
use crate::check::resolve::checker::{Adapted, Changed};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::suggest;
use crate::ir::{Access, Arm, Builder, EntityId, Expr, ExprKind, FieldId, Step, StepKind, Type, When};
use crate::source::{Diagnostic, Severity, Span, codes};
use crate::syntax::CHECK_STAYS;
use crate::syntax::ast::{self, Path, Stmt, StmtKind};
use std::rc::Rc;
use std::sync::Arc;

/// Steps in the making.
#[derive(Default)]
pub(crate) struct Steps {
    pub(crate) made: Vec<Step>,
    /// What has been filled.
    pub(crate) filled: Vec<Filled>,
    /// The `include` whose statements these are.
    pub(crate) include: Option<Span>,
    /// Whether the line that is read is sealed.
    pub(crate) sealed: bool,
    /// Whether it is the `add` of an adaptation.
    pub(crate) adding: bool,
    /// Declarations that are being read and that are adapted, the innermost last.
    pub(crate) levels: Vec<Level>,
    /// Whether changes were carried out: a line that takes another's place may come before what it needs.
    pub(crate) changed: bool,
}

impl Steps {
    /// Begins a declaration that is changed.
    pub(crate) fn enter(&mut self, level: Level) {
        self.changed = true;
        self.levels.push(level);
    }
}

/// A field that is filled: in which case, where, and by which `include`.
pub(crate) struct Filled {
    pub(crate) fields: Vec<FieldId>,
    pub(crate) case: Case,
    pub(crate) span: Span,
    pub(crate) include: Option<Span>,
    /// By the `add` of an adaptation.
    pub(crate) added: bool,
}

/// In which case statements count.
#[derive(Clone, Debug)]
pub(crate) enum Case {
    Always,
    Create,
    Update(Option<Box<Expr>>),
}

impl Case {
    /// When a step counts.
    pub(crate) fn when(&self) -> When {
        match self {
            Self::Always => When::Always,
            Self::Create => When::Create,
            Self::Update(cond) => When::Update(cond.clone()),
        }
    }
}

/// An adapted declaration while it is read.
#[derive(Default)]
pub(crate) struct Level {
    pub(crate) changes: Vec<Rc<Change>>,
    /// By adaptation: from where its names are seen, and the values that it sees, parameters and its own `let`s.
    pub(crate) scopes: Vec<Rc<(InstanceId, Names)>>,
    /// Fields that were filled before, by declarations around.
    pub(crate) before: usize,
}

/// The kinds of changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Set,
    Add,
    Remove,
}

/// A change of a field.
pub(crate) struct Change {
    pub(crate) verb: Verb,
    pub(crate) path: Path,
    pub(crate) value: Option<ast::Expr>,
    /// `on create { … }`, `on update { … }` around it; none changes the field in whichever case it is filled.
    pub(crate) on_create: Option<bool>,
    pub(crate) scope: Rc<(InstanceId, Names)>,
    /// What is adapted, and its kind; none where a declaration changes what it includes itself.
    pub(crate) of: Option<(Arc<str>, &'static str)>,
    /// Which change of which declaration: one `adapt` may name several.
    pub(crate) id: (Span, Span),
    pub(crate) span: Span,
}

impl Change {
    fn is_for(&self, case: &Case) -> bool {
        match self.on_create {
            None => true,
            Some(create) => matches!(case, Case::Create) == create && !matches!(case, Case::Always),
        }
    }

    /// The names of the way to its field.
    fn way(&self) -> impl Iterator<Item = &str> {
        self.path.parts.iter().map(|part| &*part.text)
    }
}

/// The changes of fields in the statements of an adaptation.
pub(crate) fn changes_in(
    stmts: &[Stmt],
    scope: &Rc<(InstanceId, Names)>,
    of: Option<&Adapted>,
    on_create: Option<bool>,
) -> Vec<Rc<Change>> {
    let mut found = Vec::new();
    for stmt in stmts {
        let (verb, path, value) = match &stmt.kind {
            StmtKind::Set(path, value) => (Verb::Set, path, Some(value)),
            StmtKind::Add(path, value) => (Verb::Add, path, Some(value)),
            StmtKind::Remove(path) => (Verb::Remove, path, None),
            StmtKind::OnCreate(inner) => {
                found.extend(changes_in(inner, scope, of, Some(true)));
                continue;
            }
            StmtKind::OnUpdate(_, inner) => {
                found.extend(changes_in(inner, scope, of, Some(false)));
                continue;
            }
            _ => continue,
        };
        let (path, value, scope) = (path.clone(), value.cloned(), Rc::clone(scope));
        let id = (of.map_or(stmt.span, |of| of.at), stmt.span);
        let of = of.map(|of| (Arc::clone(&of.of), of.kind));
        found.push(Rc::new(Change { verb, path, value, on_create, scope, of, id, span: stmt.span }));
    }
    found
}

/// The statements of an adaptation of a mapping or a part.
pub(crate) fn statements_of(adapted: &Adapted) -> &[Stmt] {
    match &adapted.decl.kind {
        ast::DeclKind::Adapt(ast::Adapt { body: ast::AdaptBody::Stmts(stmts), .. }) => stmts,
        _ => &[],
    }
}

/// Where a value that is changed comes from, and what it becomes.
pub(crate) struct Displacing<'a> {
    pub(crate) change: &'a Change,
    /// The line that is displaced.
    pub(crate) displaced: Span,
}

/// A value as it stands in its line.
pub(crate) struct Written {
    /// The line.
    pub(crate) span: Span,
    /// The field's name in it.
    pub(crate) at: Span,
    /// The value in it.
    pub(crate) value: Span,
    pub(crate) lowered: Expr,
}

impl Steps {
    /// The changes of a field that is filled by this way, those of the innermost declaration first: of the field itself, and
    /// of parts of its value.
    pub(crate) fn changes_of(&self, path: &Path, case: &Case) -> (Vec<Rc<Change>>, Vec<Rc<Change>>) {
        let way: Vec<&str> = path.parts.iter().map(|part| &*part.text).collect();
        let mut found = (Vec::new(), Vec::new());
        for change in self.levels.iter().rev().flat_map(|level| &level.changes) {
            if !change.is_for(case) || !change.way().take(way.len()).eq(way.iter().copied()) {
                continue;
            }
            match change.path.parts.len() == way.len() {
                true if change.verb != Verb::Add => found.0.push(Rc::clone(change)),
                true => {}
                false => found.1.push(Rc::clone(change)),
            }
        }
        found
    }
}

/// Makes what stands in the place of a value, by the change, where it belongs, and the value that it displaces; none removes
/// the field.
pub(crate) type Make<'c, 'f> =
    fn(&mut Infer<'c, 'f>, &Displacing<'_>, (EntityId, FieldId), Option<Expr>) -> Option<Expr>;

impl<'c, 'f> Infer<'c, 'f> {
    /// Changes a field of the part that a value makes, whichever way it makes it. Whether there was something to change.
    pub(crate) fn change_within(
        &mut self,
        e: &mut Expr,
        fields: &[FieldId],
        change: &Displacing<'_>,
        make: Make<'c, 'f>,
    ) -> bool {
        match &mut e.kind {
            ExprKind::Let(_, _, body) => self.change_within(body, fields, change, make),
            ExprKind::If(_, a, b) | ExprKind::OrElse(a, b) => {
                self.change_branches([&mut **a, &mut **b].into_iter(), fields, change, make)
            }
            ExprKind::Match(_, arms) => {
                self.change_branches(arms.iter_mut().map(|Arm { value, .. }| value), fields, change, make)
            }
            ExprKind::Build(part) => self.change_part(part, fields, change, make),
            _ => false,
        }
    }

    /// The same of each branch. One that does not fill the field keeps what it makes, which is told.
    fn change_branches<'e>(
        &mut self,
        branches: impl Iterator<Item = &'e mut Expr>,
        fields: &[FieldId],
        change: &Displacing<'_>,
        make: Make<'c, 'f>,
    ) -> bool {
        let (mut met, mut passed) = (false, None);
        for branch in branches {
            let makes = !matches!(branch.ty, Type::Nothing | Type::Never | Type::Unknown);
            let (span, changed) = (branch.span, self.change_within(branch, fields, change, make));
            met |= changed;
            passed = passed.or_else(|| (makes && !changed).then_some(span));
        }
        if let Some(passed) = passed.filter(|_| met) {
            let name = self.cx.modules.sources.text(change.change.path.span).to_owned();
            let message = format!("`{name}` is not filled in every case, and this changes it where it is");
            let mut d = Diagnostic::new(&codes::ADAPT_MISSES, change.change.path.span, message)
                .label("changed in some cases only")
                .related(passed, "this case does not fill it")
                .help(format!("change the whole: `set {} = …`", &change.change.path.parts[0].text));
            d.severity = Severity::Warning;
            self.cx.report(d);
        }
        met
    }

    fn change_part(
        &mut self,
        part: &mut Builder,
        fields: &[FieldId],
        change: &Displacing<'_>,
        make: Make<'c, 'f>,
    ) -> bool {
        let [field, rest @ ..] = fields else { return false };
        let (entity, verb) = (part.entity, change.change.verb);
        let mut met = false;
        let mut n = 0;
        while n < part.steps.len() {
            let step = &mut part.steps[n];
            n += 1;
            let StepKind::Assign { path, value, .. } = &mut step.kind else { continue };
            if path.as_slice() == fields && verb == Verb::Add {
                met = true;
                let name = self.cx.modules.sources.text(change.change.path.span).to_owned();
                self.cx.added_once_more(change.change.path.span, step.span, &name);
            } else if path.as_slice() == fields {
                met = true;
                let from = step.span;
                let displaced = std::mem::replace(value, Self::unknown(from));
                let at = owner_of(&self.cx.program, entity, fields);
                match make(self, &Displacing { displaced: from, ..*change }, at, Some(displaced)) {
                    Some(new) => {
                        *value = new;
                        step.displaced.push(std::mem::replace(&mut step.span, change.change.span));
                    }
                    None => {
                        n -= 1;
                        part.steps.remove(n);
                    }
                }
            } else if path.as_slice() == [*field] && !rest.is_empty() {
                met |= self.change_within(value, rest, change, make);
            }
        }
        // A whole that is no part of ours holds nothing that could be added to.
        let whole = |step: &Step| matches!(&step.kind, StepKind::Assign { path, .. } if fields.starts_with(path));
        if !met && verb == Verb::Add && !part.steps.iter().any(whole) {
            met = true;
            if let Some(value) = make(self, change, owner_of(&self.cx.program, entity, fields), None) {
                let kind = StepKind::Assign { path: fields.to_vec(), value, when: When::Always };
                part.steps.push(Step { kind, span: change.change.span, displaced: Vec::new() });
            }
        }
        met
    }

    /// Notes that a change had something to change.
    pub(crate) fn carried_out(&mut self, change: &Change, displaced: Option<Span>) {
        self.cx.met.insert(change.id);
        if let Some((of, kind)) = &change.of {
            let what = self.cx.modules.sources.text(change.path.span).to_owned();
            let removed = change.verb == Verb::Remove;
            self.cx.note_change(Changed { of: Arc::clone(of), kind, what, at: change.span, displaced, removed });
        }
    }

    /// Notes what an adaptation adds: fields that nothing filled, and further lines.
    pub(crate) fn note_added(&mut self, adaptation: &Adapted, stmts: &[Stmt]) {
        for stmt in stmts {
            let what = match &stmt.kind {
                StmtKind::Add(path, _) => path.span,
                StmtKind::Check(..) | StmtKind::Include(_) | StmtKind::Then(_) => stmt.span,
                StmtKind::OnCreate(inner) | StmtKind::OnUpdate(_, inner) => {
                    self.note_added(adaptation, inner);
                    continue;
                }
                _ => continue,
            };
            let what = self.cx.modules.sources.text(what).lines().next().unwrap_or_default().trim().to_owned();
            let (of, kind) = (Arc::clone(&adaptation.of), adaptation.kind);
            self.cx.note_change(Changed { of, kind, what, at: stmt.span, displaced: None, removed: false });
        }
    }

    /// Of two changes of one field, of a part and of what includes it, one has no effect unless the other says `base`.
    pub(crate) fn one_of_two(&mut self, before: Option<&Rc<Change>>, change: &Change, has_base: bool) {
        let Some(before) = before.filter(|before| !has_base && before.of.is_some() && change.of.is_some()) else {
            return;
        };
        let name = self.cx.modules.sources.text(change.path.span);
        let d = Diagnostic::new(&codes::ADAPT_TWICE, change.path.span, format!("`{name}` is changed twice"))
            .label("again here, without `base`")
            .related(before.path.span, "changed here first")
            .help("say `base` for what the other change makes of it, or keep one of the two");
        self.cx.report(d);
    }

    /// A change that puts there what stands there.
    pub(crate) fn changes_nothing(&mut self, change: Span, value: &ast::Expr, before: Span) {
        let text = self.cx.modules.sources.text(value.span);
        // `settings` are those of the file that names them.
        let same = matches!(value.kind, ast::ExprKind::Base)
            || text == self.cx.modules.sources.text(before) && !text.contains("settings.");
        if same {
            self.cx.changes_nothing(change, before);
        }
    }

    /// Whether what is to be added is filled already, which is told.
    pub(crate) fn is_there(&mut self, entity: EntityId, path: &Path, case: &Case, out: &Steps) -> bool {
        let mut of = entity;
        let mut fields = Vec::new();
        for part in &path.parts {
            let e = self.cx.entity(of);
            let Some(field) = e.field(&part.text) else { return false };
            let ty = e.get(field).ty.clone();
            fields.push(field);
            match ty.record() {
                Some(inner) => of = inner,
                None => break,
            }
        }
        let apart =
            |other: &Case| matches!((case, other), (Case::Create, Case::Update(_)) | (Case::Update(_), Case::Create));
        let one = |filled: &Filled| filled.fields.starts_with(&fields) || fields.starts_with(&filled.fields);
        let Some(there) = out.filled.iter().find(|filled| one(filled) && !apart(&filled.case)) else {
            return false;
        };
        let name = way_text(&self.cx.program, entity, &there.fields);
        self.cx.added_once_more(path.span, there.span, &name);
        true
    }

    /// Tells of changes that met nothing.
    pub(crate) fn changes_without_effect(&mut self, entity: EntityId, level: &Level, out: &Steps) {
        for change in level.changes.iter().filter(|change| change.verb != Verb::Add) {
            let twice = |d: &Diagnostic| {
                let mut places = std::iter::once(d.span).chain(d.related.iter().map(|related| related.span));
                d.code == &codes::ADAPT_TWICE && places.any(|place| place == change.path.span)
            };
            if self.cx.met.contains(&change.id) || self.cx.diagnostics.iter().any(twice) {
                continue;
            }
            let word = if change.verb == Verb::Set { "set" } else { "remove" };
            let name = self.cx.modules.sources.text(change.path.span).to_owned();
            let of = self.cx.program.entity(entity);
            let mut filled: Vec<String> = out.filled[level.before.min(out.filled.len())..]
                .iter()
                .map(|filled| way_text(&self.cx.program, entity, &filled.fields))
                .collect();
            filled.dedup();
            let first = change.path.parts.first().map_or("", |first| &*first.text);
            let exists = of.field(first).is_some();
            let computed = of.field(first).is_some_and(|field| of.get(field).access == Access::ReadOnly);
            let called = of.fields.iter().find(|field| field.is_called(first)).map(|field| field.name.to_string());
            let full = of.full_name();
            let d = Diagnostic::new(
                &codes::ADAPT_MISSES,
                change.path.span,
                if exists {
                    format!("`{name}` is not filled there, so there is nothing to {word}")
                } else {
                    format!("{full} has no field `{name}`")
                },
            )
            .label("nothing to change");
            let near = called
                .filter(|_| !exists)
                .or_else(|| suggest::hint(&name, filled.clone()))
                .filter(|near| *near != name);
            let d = match near {
                _ if name == "check" => d.help(CHECK_STAYS),
                _ if computed => d.help("its system computes it: nobody fills it"),
                Some(near) => {
                    d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), change.path.span, near)
                }
                None if filled.contains(&name) => {
                    d.help("it is filled in another case: write the line outside of `on create` and `on update`")
                }
                None if exists && change.verb == Verb::Set => {
                    d.help(format!("`add {name} = …` fills what is not filled yet"))
                }
                None if exists => d.help("leave the line out"),
                None => d.help(format!("it fills: {}", suggest::listed(&filled))),
            };
            self.cx.report(d);
        }
    }

    /// What a message about an adapted value also shows: the line that it displaces.
    pub(crate) fn told_of_displaced(&mut self, since: usize, change: &Displacing<'_>) {
        let by = change.change.span.file;
        for d in self.cx.diagnostics.iter_mut().skip(since).filter(|d| d.span.file == by) {
            let told = d.related.iter().any(|related| change.displaced.contains(related.span));
            if !told {
                *d = d.clone().related(change.displaced, "the line that this displaces");
            }
        }
    }
}

/// The last field of a way, and the entity that it is of.
fn owner_of(program: &crate::ir::Program, entity: EntityId, fields: &[FieldId]) -> (EntityId, FieldId) {
    let owner = |of, field: &FieldId| program.entity(of).get(*field).ty.present().record().unwrap_or(of);
    let (last, before) = fields.split_last().expect("a way has at least one field");
    (before.iter().fold(entity, owner), *last)
}

/// `billing.phone`
fn way_text(program: &crate::ir::Program, entity: EntityId, fields: &[FieldId]) -> String {
    let mut of = entity;
    let mut names = Vec::new();
    for field in fields {
        let field = program.entity(of).get(*field);
        names.push(field.name.to_string());
        if let Some(inner) = field.ty.record() {
            of = inner;
        }
    }
    names.join(".")
}
