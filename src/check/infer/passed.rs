//! A part that is passed on whole: `shipping = order.billing`, `line_items = order.line_items`. It becomes a part that is
//! filled field by field, so that all that is sent is also read, and nothing is sent that the system fills by itself.

use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::Infer;
use crate::ir::{
    Access, Arm, Builder, Element, EntityId, Expr, ExprKind, FieldId, ForClause, Required, Step, StepKind, Type, When,
};
use crate::source::codes;

impl Infer<'_, '_> {
    /// The value of that field, with each part that comes from elsewhere filled by name.
    pub(crate) fn passed_on(&mut self, value: Expr, ty: &Type, at: (EntityId, FieldId)) -> Expr {
        let element = ty.present().element().and_then(Type::record);
        let Some(entity) = ty.record().or(element) else { return value };
        if self.cx.entity(entity).stands_alone() {
            self.made_with_its_document(&value, element.is_some(), entity, at);
            return value;
        }
        if element.is_some() {
            self.stays_in_its_record(&value, entity, at);
            self.whole_list(value, entity, at)
        } else {
            self.whole_part(value, entity, false)
        }
    }

    /// Lines that have a place of their own in the API are made with their document: of one that is there only its key
    /// would be sent.
    fn made_with_its_document(&mut self, value: &Expr, is_list: bool, of: EntityId, at: (EntityId, FieldId)) {
        let field = self.cx.program.entity(at.0).get(at.1);
        let is_part = is_list && !matches!(field.required, Required::No);
        let mut there = None;
        for_elements(value, &mut |e| {
            if matches!(e.kind, ExprKind::Field(..) | ExprKind::FindAll(_)) && e.ty != Type::Unknown {
                there.get_or_insert(e.span);
            }
        });
        let Some(span) = there.filter(|_| is_part) else { return };
        let message = format!(
            "`{}` is made here line by line, and this is a list of {} that are there",
            field.name,
            self.cx.program.entity(of).full_name()
        );
        self.cx.say(
            &codes::TYPE_MISMATCH,
            span,
            message,
            "make each anew: `for line in lines: { Item = line.Item, … }`",
        );
    }

    /// A list whose rows the API knows by their keys: what is made anew in an update stands there once more after each pass.
    fn stays_in_its_record(&mut self, value: &Expr, of: EntityId, at: (EntityId, FieldId)) {
        let rows = self.cx.program.entity(of);
        if !self.rewrites || rows.key.is_none() || rows.code.is_some() || self.is_own(value, at) {
            return;
        }
        let name = self.cx.program.entity(at.0).get(at.1).name.clone();
        let message = format!("`{name}` is filled with new rows in an update: each pass would add them once more");
        let help = "fill it in a mapping that creates; in `update itself` it may be passed on as it is";
        self.cx.say(&codes::CREATE_ONLY_UPDATED, value.span, message, help);
    }

    /// Whether a list is the very one that it goes into, of the record that is updated.
    fn is_own(&self, value: &Expr, (owner, field): (EntityId, FieldId)) -> bool {
        let ExprKind::Field(of, entity, source) = &value.kind else { return false };
        let given = matches!(of.kind, ExprKind::Local(local) if self.given.contains(&local));
        self.itself && given && (*entity, *source) == (owner, field)
    }

    fn whole_part(&mut self, value: Expr, to: EntityId, own: bool) -> Expr {
        let Expr { kind, ty, span } = value;
        let mut made = |e: Box<Expr>| Box::new(self.whole_part(*e, to, own));
        let kind = match kind {
            ExprKind::If(cond, then, other) => ExprKind::If(cond, made(then), made(other)),
            ExprKind::OrElse(a, b) => ExprKind::OrElse(made(a), made(b)),
            ExprKind::Let(local, bound, inner) => ExprKind::Let(local, bound, made(inner)),
            ExprKind::Match(on, arms) => {
                let arms = arms
                    .into_iter()
                    .map(|a| Arm { pattern: a.pattern, value: self.whole_part(a.value, to, own) })
                    .collect();
                ExprKind::Match(on, arms)
            }
            ExprKind::Build(part) => ExprKind::Build(Box::new(self.renamed(*part, to))),
            kind @ (ExprKind::Stop(..) | ExprKind::Keep | ExprKind::Const(_)) => kind,
            kind => {
                let value = Expr { kind, ty, span };
                return self.map_present(value, |body, there| body.filled_from(there, to, own));
            }
        };
        Expr { kind, ty, span }
    }

    /// A part that was made as another entity with the same fields.
    fn renamed(&mut self, part: Builder, to: EntityId) -> Builder {
        if part.entity == to {
            return part;
        }
        let mut steps = Vec::with_capacity(part.steps.len());
        for step in part.steps {
            let kind = match step.kind {
                StepKind::Assign { path, value, when } => {
                    let name = self.cx.program.entity(part.entity).get(path[0]).name.clone();
                    // What the other has not is not sent.
                    let Some(field) = self.cx.entity(to).field(&name) else { continue };
                    let path = std::iter::once(field).chain(path.into_iter().skip(1)).collect();
                    StepKind::Assign { path, value, when }
                }
                kind => kind,
            };
            steps.push(Step { kind, ..step });
        }
        Builder { entity: to, steps, name: part.name }
    }

    fn whole_list(&mut self, value: Expr, to: EntityId, at: (EntityId, FieldId)) -> Expr {
        let Expr { kind, ty, span } = value;
        let kind = match kind {
            ExprKind::List(elements) => {
                let elements = elements
                    .into_iter()
                    .map(|element| match element {
                        Element::One(e) => Element::One(self.whole_part(e, to, false)),
                        Element::For(clauses, e) => Element::For(clauses, self.whole_part(e, to, false)),
                        Element::All(e) => self.each_whole(e, to, at),
                    })
                    .collect();
                ExprKind::List(elements)
            }
            ExprKind::If(cond, then, other) => {
                let (then, other) = (self.whole_list(*then, to, at), self.whole_list(*other, to, at));
                ExprKind::If(cond, Box::new(then), Box::new(other))
            }
            ExprKind::OrElse(a, b) => {
                let (a, b) = (self.whole_list(*a, to, at), self.whole_list(*b, to, at));
                ExprKind::OrElse(Box::new(a), Box::new(b))
            }
            ExprKind::Let(local, bound, inner) => {
                ExprKind::Let(local, bound, Box::new(self.whole_list(*inner, to, at)))
            }
            ExprKind::Match(on, arms) => {
                let arm = |a: Arm| Arm { pattern: a.pattern, value: self.whole_list(a.value, to, at) };
                ExprKind::Match(on, arms.into_iter().map(arm).collect())
            }
            kind @ (ExprKind::Stop(..) | ExprKind::Keep | ExprKind::Const(_)) => kind,
            kind => {
                let value = Expr { kind, ty, span };
                return self.map_present(value, |body, there| {
                    let (ty, span) = (there.ty.clone(), there.span);
                    Self::make(ExprKind::List(vec![body.each_whole(there, to, at)]), ty, span)
                });
            }
        };
        Expr { kind, ty, span }
    }

    /// `for part in list: { … }`
    fn each_whole(&mut self, list: Expr, to: EntityId, at: (EntityId, FieldId)) -> Element {
        let (span, own) = (list.span, self.is_own(&list, at));
        let of = list.ty.present().element().cloned().unwrap_or(Type::Unknown);
        let local = self.local();
        let part = self.whole_part(Self::make(ExprKind::Local(local), of, span), to, own);
        Element::For(vec![ForClause { local, list, cond: None }], part)
    }

    /// A part or a list within a part: it is its record's own as the part is.
    fn within(&mut self, value: Expr, ty: &Type, own: bool) -> Expr {
        match (ty.record(), ty.present().element().and_then(Type::record)) {
            (Some(entity), _) if !self.cx.entity(entity).stands_alone() => self.whole_part(value, entity, own),
            (_, Some(entity)) if !self.cx.entity(entity).stands_alone() => self.map_present(value, |body, there| {
                let (ty, span) = (there.ty.clone(), there.span);
                let (local, of) = (body.local(), ty.element().cloned().unwrap_or(Type::Unknown));
                let part = body.whole_part(Self::make(ExprKind::Local(local), of, span), entity, own);
                let each = Element::For(vec![ForClause { local, list: there, cond: None }], part);
                Self::make(ExprKind::List(vec![each]), ty, span)
            }),
            _ => value,
        }
    }

    /// A part with the fields of another one that it may be given; its key, where it stays in its own record.
    fn filled_from(&mut self, from: Expr, to: EntityId, own: bool) -> Expr {
        let Type::Record(of) = *from.ty.present() else { return from };
        self.cx.read_entity(of);
        let (local, span) = (self.local(), from.span);
        let there = Self::make(ExprKind::Local(local), from.ty.clone(), span);
        let mut steps = Vec::new();
        for (n, field) in self.cx.entity(to).fields.clone().iter().enumerate() {
            let id = FieldId(u32::try_from(n).unwrap_or(u32::MAX));
            let source = self.cx.entity(of).field(&field.name);
            let is_own_key = own && of == to && self.cx.entity(to).key == Some(id);
            let Some(source) = source.filter(|_| field.meta.is_none()) else { continue };
            if field.access == Access::ReadOnly && !is_own_key {
                continue;
            }
            self.is_readable(of, source, span);
            let ty = self.cx.entity(of).get(source).ty.clone();
            let value = Self::make(ExprKind::Field(Box::new(there.clone()), of, source), ty, span);
            let what = format!("`{}` of {}", field.name, self.cx.entity(to).full_name());
            let value = self.coerce_at(
                value,
                &field.ty,
                &Wanted { what, declared: Some(field.span), length_at_run: true, ..Wanted::default() },
            );
            let value = self.within(value, &field.ty, own);
            steps.push(Step {
                kind: StepKind::Assign { path: vec![id], value, when: When::Always },
                span,
                displaced: Vec::new(),
            });
        }
        let builder = Builder { entity: to, steps, name: "".into() };
        let part = Self::make(ExprKind::Build(Box::new(builder)), Type::Record(to), span);
        Self::make(ExprKind::Let(local, Box::new(from), Box::new(part)), Type::Record(to), span)
    }
}

/// Calls `see` for the elements of a list as far as they stand here, and for the list itself where they do not.
fn for_elements<'e>(list: &'e Expr, see: &mut dyn FnMut(&'e Expr)) {
    match &list.kind {
        ExprKind::List(elements) => {
            for element in elements {
                match element {
                    Element::One(e) | Element::For(_, e) => see(e),
                    Element::All(e) => for_elements(e, see),
                }
            }
        }
        ExprKind::If(_, then, other) => [then, other].into_iter().for_each(|e| for_elements(e, see)),
        ExprKind::Stop(..) | ExprKind::Keep | ExprKind::Const(_) => {}
        _ => see(list),
    }
}
