//! A part that is passed on whole: `shipping = order.billing`, `line_items = order.line_items`. It becomes a part that is
//! filled field by field, so that all that is sent is also read, and nothing is sent that the system fills by itself.

use super::body::Body;
use super::fits::Place;
use crate::ir::{
    Access, Arm, Builder, Element, EntityId, Expr, ExprKind, FieldId, ForClause, Step, StepKind, Type, When,
};

impl Body<'_, '_> {
    /// The value of a field, with each part that comes from elsewhere filled by name.
    pub(super) fn passed_on(&mut self, value: Expr, ty: &Type) -> Expr {
        let part = |ty: &Type| match ty.present() {
            Type::Record(entity) => Some(*entity),
            _ => None,
        };
        let element = ty.present().element().and_then(part);
        let Some(entity) = part(ty).or(element).filter(|e| !self.cx.entity(*e).stands_alone()) else { return value };
        if element.is_some() { self.whole_list(value, entity) } else { self.whole_part(value, entity) }
    }

    fn whole_part(&mut self, value: Expr, to: EntityId) -> Expr {
        let Expr { kind, ty, span } = value;
        let mut made = |e: Box<Expr>| Box::new(self.whole_part(*e, to));
        let kind = match kind {
            ExprKind::If(cond, then, other) => ExprKind::If(cond, made(then), made(other)),
            ExprKind::OrElse(a, b) => ExprKind::OrElse(made(a), made(b)),
            ExprKind::Let(local, bound, inner) => ExprKind::Let(local, bound, made(inner)),
            ExprKind::Match(on, arms) => {
                let arms =
                    arms.into_iter().map(|a| Arm { pattern: a.pattern, value: self.whole_part(a.value, to) }).collect();
                ExprKind::Match(on, arms)
            }
            kind @ (ExprKind::Build(_) | ExprKind::Stop(..) | ExprKind::Keep | ExprKind::Const(_)) => kind,
            kind => {
                let value = Expr { kind, ty, span };
                return self.map_present(value, |body, there| body.filled_from(there, to));
            }
        };
        Expr { kind, ty, span }
    }

    fn whole_list(&mut self, value: Expr, to: EntityId) -> Expr {
        let Expr { kind, ty, span } = value;
        let kind = match kind {
            ExprKind::List(elements) => {
                let elements = elements
                    .into_iter()
                    .map(|element| match element {
                        Element::One(e) => Element::One(self.whole_part(e, to)),
                        Element::For(clauses, e) => Element::For(clauses, self.whole_part(e, to)),
                        Element::All(e) => self.each_whole(e, to),
                    })
                    .collect();
                ExprKind::List(elements)
            }
            ExprKind::If(cond, then, other) => {
                let (then, other) = (self.whole_list(*then, to), self.whole_list(*other, to));
                ExprKind::If(cond, Box::new(then), Box::new(other))
            }
            kind @ (ExprKind::Stop(..) | ExprKind::Keep | ExprKind::Const(_)) => kind,
            kind => {
                let value = Expr { kind, ty, span };
                return self.map_present(value, |body, there| {
                    let (ty, span) = (there.ty.clone(), there.span);
                    Self::make(ExprKind::List(vec![body.each_whole(there, to)]), ty, span)
                });
            }
        };
        Expr { kind, ty, span }
    }

    /// `for part in list: { … }`
    fn each_whole(&mut self, list: Expr, to: EntityId) -> Element {
        let span = list.span;
        let of = list.ty.present().element().cloned().unwrap_or(Type::Unknown);
        let local = self.local();
        let part = self.whole_part(Self::make(ExprKind::Local(local), of, span), to);
        Element::For(vec![ForClause { local, list, cond: None }], part)
    }

    /// A part with the fields of another one that it may be given; its key, where it stays in its own record.
    fn filled_from(&mut self, from: Expr, to: EntityId) -> Expr {
        let Type::Record(of) = *from.ty.present() else { return from };
        self.cx.read_entity(of);
        let (local, span) = (self.local(), from.span);
        let there = Self::make(ExprKind::Local(local), from.ty.clone(), span);
        let mut steps = Vec::new();
        for (n, field) in self.cx.entity(to).fields.clone().iter().enumerate() {
            let id = FieldId(u32::try_from(n).unwrap_or(u32::MAX));
            let source = self.cx.entity(of).field(&field.name);
            let is_own_key = self.itself && of == to && self.cx.entity(to).key == Some(id);
            let Some(source) = source.filter(|_| field.meta.is_none()) else { continue };
            if field.access == Access::ReadOnly && !is_own_key {
                continue;
            }
            self.is_readable(of, source, span);
            let ty = self.cx.entity(of).get(source).ty.clone();
            let value = Self::make(ExprKind::Field(Box::new(there.clone()), of, source), ty, span);
            let what = format!("`{}` of {}", field.name, self.cx.entity(to).full_name());
            let value =
                self.accept_at(value, &field.ty, &Place { what, declared: Some(field.span), length_at_run: true });
            let value = self.passed_on(value, &field.ty);
            steps.push(Step {
                kind: StepKind::Assign { path: vec![id], value, when: When::Always },
                span,
                displaced: None,
            });
        }
        let builder = Builder { entity: to, steps, name: "".into() };
        let part = Self::make(ExprKind::Build(Box::new(builder)), Type::Record(to), span);
        Self::make(ExprKind::Let(local, Box::new(from), Box::new(part)), Type::Record(to), span)
    }
}
