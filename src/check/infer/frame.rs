//! The inside of a declaration: names in scope, and the frame of values that it fills.

use crate::check::infer::names::{Local, Names};
use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::suggest;
use crate::ir::{Binary, Const, EntityId, Expr, ExprKind, FieldId, LocalId, Type, children};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;
use std::sync::Arc;

/// A field that a change removed: whose, by which line, and the line that filled it.
pub(crate) struct Removed {
    pub(crate) field: (EntityId, FieldId),
    pub(crate) at: Span,
    pub(crate) displaced: Span,
}

/// The inside of a mapping, a flow or a schema's condition.
#[expect(clippy::struct_excessive_bools, reason = "each says whether a word has its place here")]
pub(crate) struct Infer<'c, 'f> {
    pub(crate) cx: &'c mut Checker<'f>,
    pub(crate) inside: InstanceId,
    pub(crate) names: Names,
    pub(crate) next: u32,
    /// For what values are at present: a text in quotes is told what it had to be.
    pub(crate) place: Arc<str>,
    /// What `it` is.
    pub(crate) target: Option<EntityId>,
    /// What `was` is, and whether it may be absent.
    pub(crate) was: Option<(EntityId, bool)>,
    /// What `base` is.
    pub(crate) base: Option<Expr>,
    /// Bare names are fields of this entity: a schema's condition.
    pub(crate) fields_of: Option<EntityId>,
    /// The record that is read is also the one that is written: `update itself`.
    pub(crate) itself: bool,
    /// What is filled here is written again when its record is there.
    pub(crate) rewrites: bool,
    /// The parameters of the mapping.
    pub(crate) given: Vec<LocalId>,
    /// Texts are counted in UTF-16 units here: those of the field that is filled.
    pub(crate) utf16: bool,
    /// A call of a mapping is a write here.
    pub(crate) writes: bool,
    /// A call of a mapping is the record that it would make: a test.
    pub(crate) drafts: bool,
    /// `keep` has a place here.
    pub(crate) keeps: bool,
    /// Functions and parts inlined around here, by where they are named.
    pub(crate) around: Vec<Span>,
    /// Functions and parts inlined so far.
    pub(crate) inlined: usize,
    /// How much text they are, bytes.
    pub(crate) inlined_bytes: usize,
    /// Fields whose length is checked when it runs, being keys.
    pub(crate) keys_at_run: Vec<Arc<str>>,
    /// A part is checked by itself: whether its fields are keys is not known.
    pub(crate) part_alone: bool,
    /// Values that were read.
    used: std::cell::RefCell<rustc_hash::FxHashSet<LocalId>>,
    /// Names of texts whose case says nothing.
    pub(crate) caseless: rustc_hash::FxHashSet<LocalId>,
    /// What `let` named.
    pub(crate) lets: Vec<Local>,
    /// Fields of the record in the making that were read, and where.
    pub(crate) its: Vec<(EntityId, crate::ir::FieldId, Span)>,
    /// Entities of which a step reads what another one fills, as often as it does.
    pub(crate) reads_it: Vec<EntityId>,
    /// Whether the whole record in the making was named.
    pub(crate) names_it: bool,
    /// Fields that changes removed.
    pub(crate) removed: Vec<Removed>,
    /// Entities of which something was to be filled that failed: what is missing of them is no second mistake.
    pub(crate) half_filled: Vec<EntityId>,
}

impl<'c, 'f> Infer<'c, 'f> {
    pub(crate) fn new(cx: &'c mut Checker<'f>, inside: InstanceId) -> Self {
        Self {
            cx,
            inside,
            names: Names::default(),
            next: 0,
            place: "this place".into(),
            target: None,
            was: None,
            base: None,
            fields_of: None,
            itself: false,
            rewrites: false,
            given: Vec::new(),
            utf16: false,
            writes: false,
            drafts: false,
            keeps: false,
            around: Vec::new(),
            inlined: 0,
            inlined_bytes: 0,
            keys_at_run: Vec::new(),
            part_alone: false,
            used: std::cell::RefCell::default(),
            caseless: rustc_hash::FxHashSet::default(),
            lets: Vec::new(),
            its: Vec::new(),
            reads_it: Vec::new(),
            names_it: false,
            removed: Vec::new(),
            half_filled: Vec::new(),
        }
    }

    /// A new place in the frame.
    pub(crate) fn local(&mut self) -> LocalId {
        self.next += 1;
        LocalId(self.next - 1)
    }

    /// Gives a value a name; a name that hides another value is an error.
    pub(crate) fn bind(&mut self, name: &ast::Name, ty: Type) -> LocalId {
        if let Some(other) = self.names.named(&name.text).cloned() {
            self.cx.report(
                Diagnostic::new(
                    &codes::HIDDEN,
                    name.span,
                    format!("`{}` is the name of another value here", name.text),
                )
                .related(other.span, "the other value is named here")
                .help("a value hides no other value: choose another name"),
            );
        }
        let id = self.local();
        self.names.push(Local { name: Arc::clone(&name.text), id, ty, span: name.span });
        id
    }

    /// The value of that name.
    pub(crate) fn value_named(&self, name: &str) -> Option<Local> {
        let found = self.names.named(name).cloned();
        if let Some(local) = &found {
            self.used.borrow_mut().insert(local.id);
        }
        found
    }

    /// Values that got a name and were never read.
    pub(crate) fn unused_lets(&mut self) {
        for local in std::mem::take(&mut self.lets) {
            if !self.used.borrow().contains(&local.id) {
                self.cx.report(
                    Diagnostic::new(&codes::UNUSED, local.span, format!("`{}` is never used", local.name))
                        .label("never used")
                        .help("delete the line, or use the value"),
                );
            }
        }
    }

    /// An expression of a failed name: agrees with everything.
    pub(crate) fn unknown(span: Span) -> Expr {
        Expr { kind: ExprKind::Const(Const::Absent), ty: Type::Unknown, span }
    }

    pub(crate) fn make(kind: ExprKind, ty: Type, span: Span) -> Expr {
        Expr { kind, ty, span }
    }

    pub(crate) fn absent(span: Span) -> Expr {
        Self::make(ExprKind::Const(Const::Absent), Type::Nothing, span)
    }

    pub(crate) fn local_expr(local: &Local, span: Span) -> Expr {
        Self::make(ExprKind::Local(local.id), local.ty.clone(), span)
    }

    /// Parameters as values of this frame.
    pub(crate) fn parameters(&mut self, params: &[ast::Param]) -> Names {
        self.scoped(|body| {
            for p in params {
                let ty = body.cx.type_of(body.inside, &p.ty);
                body.bind(&p.name, ty);
            }
            body.names.clone()
        })
    }

    /// Runs `inner` and forgets the names that it bound.
    pub(crate) fn scoped<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.names.len();
        let out = inner(self);
        self.names.truncate(mark);
        out
    }

    /// A value that nothing is written for, nor kept: a condition, an argument.
    pub(crate) fn without_writes<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> T {
        let (writes, keeps) = (std::mem::replace(&mut self.writes, false), std::mem::replace(&mut self.keeps, false));
        let out = inner(self);
        (self.writes, self.keeps) = (writes, keeps);
        out
    }

    /// If it is there, what `f` makes of it; else absent.
    pub(crate) fn map_present(&mut self, e: Expr, f: impl FnOnce(&mut Self, Expr) -> Expr) -> Expr {
        if !e.ty.is_optional() {
            return f(self, e);
        }
        let (span, inner) = (e.span, e.ty.present().clone());
        let local = self.local();
        let there = Self::make(ExprKind::Local(local), inner, span);
        let then = f(self, there);
        let ty = then.ty.clone().optional();
        let cond = Self::make(ExprKind::IsSome(Box::new(e), Some(local)), Type::Bool, span);
        Self::make(ExprKind::If(Box::new(cond), Box::new(then), Box::new(Self::absent(span))), ty, span)
    }

    /// The connection of an entity's system here.
    pub(crate) fn connection_of(&mut self, entity: EntityId) -> Arc<str> {
        let connector = Arc::clone(&self.cx.program.entity(entity).connector);
        self.cx.connection(self.inside, &connector)
    }

    /// What stands in a test itself.
    pub(crate) fn expects(&self) -> bool {
        self.drafts && self.around.is_empty()
    }

    /// `name` is nothing here.
    pub(crate) fn unknown_name(&mut self, name: &ast::Name) -> Expr {
        if self.cx.lacks(self.inside, Some(&name.text)) {
            return Self::unknown(name.span);
        }
        let names: Vec<String> = self.names.iter().map(|l| l.name.to_string()).collect();
        let mut d = Diagnostic::new(&codes::UNKNOWN_NAME, name.span, format!("nothing here is called `{}`", name.text))
            .label("not found");
        let mut known = names.clone();
        known.extend(self.cx.aliases(self.inside));
        known.push("settings".to_owned());
        d = match suggest::hint(&name.text, known) {
            Some(near) => {
                // It was meant, so it is not unused.
                self.value_named(&near);
                d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near)
            }
            None if self.cx.modules.called(&name.text).is_some() => {
                let module = self.cx.modules.called(&name.text).unwrap_or_default();
                self.cx.offer_use(d, self.inside, &module)
            }
            None if names.is_empty() => d.help("a text stands in quotes; a setting is `settings.name`"),
            None => d.help(format!(
                "values here: {}; a text stands in quotes, a setting is `settings.name`",
                suggest::listed(&names)
            )),
        };
        self.cx.report(d);
        Self::unknown(name.span)
    }
}

/// The constant that an expression is, behind a setting's name too.
pub(crate) fn constant_of(e: &Expr) -> Option<Const> {
    match &e.kind {
        ExprKind::Const(c) | ExprKind::Setting(_, c) => Some(c.clone()),
        ExprKind::List(elements) => elements
            .iter()
            .map(|element| match element {
                crate::ir::Element::One(e) => constant_of(e),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(Const::List),
        ExprKind::Unary(crate::ir::Unary::Neg, inner) => match constant_of(inner)? {
            Const::Number(n) => Some(Const::Number(-n)),
            _ => None,
        },
        _ => None,
    }
}

/// Makes a miss of what is asked here absent instead of a stop; false where nothing can miss.
pub(crate) fn recoverable(e: &mut Expr) -> bool {
    let missed = match &mut e.kind {
        ExprKind::Find(find) => {
            find.must = false;
            true
        }
        ExprKind::Lookup { must, .. } => {
            *must = false;
            true
        }
        ExprKind::Let(_, _, body) => recoverable(body),
        ExprKind::Native(n, _) => n.may_stop(),
        // What rhai stops for is absent, too.
        ExprKind::Extern(..) => true,
        _ => false,
    };
    if missed && !e.ty.is_optional() {
        e.ty = e.ty.clone().optional();
    }
    missed
}

/// Whether something in it may stop the record for want of a value: `??` recovers that too, however deep it stands.
pub(crate) fn may_miss(e: &Expr) -> bool {
    let here = match &e.kind {
        // What the left side lacks the right one gives.
        ExprKind::OrElse(_, other) => return may_miss(other),
        ExprKind::Binary(Binary::Div, ..) | ExprKind::Extern(..) => true,
        ExprKind::Native(n, _) => n.may_stop(),
        _ => false,
    };
    let mut within = false;
    children(e, &mut |inner| within = within || may_miss(inner));
    here || within
}

impl Infer<'_, '_> {
    /// `name = e` as seen by the rest: used by inlining.
    pub(crate) fn let_in(local: &Local, value: Expr, body: Expr) -> Expr {
        let (ty, span) = (body.ty.clone(), body.span);
        Self::make(ExprKind::Let(local.id, Box::new(value), Box::new(body)), ty, span)
    }
}
