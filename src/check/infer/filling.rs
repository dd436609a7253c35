//! How a field is filled: the way to it, once, rounded, and in the form that its system wants.

use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::Infer;
use crate::ir::{Binary, EntityId, Expr, ExprKind, FieldId, Find, Required, Step, StepKind, Type, When};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::Path;
impl Infer<'_, '_> {
    /// Codes are confirmed by the ledger; a price is net or gross as the code beside it says.
    pub(crate) fn final_form(
        &mut self,
        value: Expr,
        at: (EntityId, FieldId),
        ty: &Type,
        price_by: Option<FieldId>,
    ) -> Expr {
        if matches!(value.ty, Type::Unknown | Type::Never | Type::Nothing) {
            return value;
        }
        match (ty.present(), price_by) {
            (Type::Code(of), _) => {
                let of = *of;
                self.map_present(value, |body, there| body.verified(of, there))
            }
            (Type::Price, Some(by)) => self.map_present(value, |body, there| body.price_by(there, at.0, by)),
            _ => self.passed_on(value, ty, at),
        }
    }

    pub(crate) fn price_by(&mut self, price: Expr, owner: EntityId, by: FieldId) -> Expr {
        let span = price.span;
        let ty = self.cx.program.entity(owner).get(by).ty.clone();
        let Type::Code(code_of) = *ty.present() else { return price };
        self.cx.read_entity(code_of);
        let Some(code) = self.cx.program.entity(code_of).code else { return price };
        let connection = self.connection_of(code_of);
        let beside = Self::make(ExprKind::It(by), ty, span);
        let find = Find { connection, entity: code_of, by: vec![code], values: vec![beside], must: false };
        let row = Self::make(ExprKind::Find(Box::new(find)), Type::Record(code_of).optional(), span);
        Self::make(ExprKind::PriceBy(Box::new(price), Box::new(row)), Type::Price, span)
    }

    pub(crate) fn must_round(&mut self, value: &Expr, owner: EntityId, field: FieldId, place: &Wanted) {
        let scale = self.cx.program.entity(owner).get(field).form.scale;
        let mut unrounded = Vec::new();
        if scale != 255 {
            unrounded_in(value, &mut unrounded);
        }
        for at in unrounded {
            self.cx.report(
                Diagnostic::new(
                    &codes::MUST_ROUND,
                    at,
                    format!("{} keeps {scale} decimals; this has as many as it takes", place.what),
                )
                .label("not rounded")
                .help(format!("put it in brackets and say `.round({scale})`")),
            );
        }
    }

    /// The way to a field: through nested parts only. Also the entity that the last one belongs to.
    pub(crate) fn path_of(&mut self, entity: EntityId, path: &Path) -> Option<(EntityId, Vec<FieldId>)> {
        let mut owner = entity;
        let mut fields = Vec::new();
        for (n, name) in path.parts.iter().enumerate() {
            let field = self.cx.field_named(owner, &name.text, name.span)?;
            fields.push(field);
            if n + 1 == path.parts.len() {
                break;
            }
            let ty = self.cx.program.entity(owner).get(field).ty.clone();
            match ty.present() {
                Type::Record(inner) => {
                    self.cx.read_entity(*inner);
                    if crate::check::types::entity::is_reference(self.cx.program.entity(*inner)) {
                        let message = format!("`{}` is another record, not a part of this one", name.text);
                        self.cx.say(
                            &codes::UNKNOWN_FIELD,
                            name.span,
                            message,
                            "its fields are filled by a mapping of its own",
                        );
                        return None;
                    }
                    owner = *inner;
                }
                other => {
                    let message = format!("`{}` is {}; it has no fields", name.text, self.cx.show(other));
                    self.cx.say(&codes::UNKNOWN_FIELD, name.span, message, "fill it as a whole");
                    return None;
                }
            }
        }
        Some((owner, fields))
    }

    /// Whether every field that a create needs is filled.
    pub(crate) fn required(&mut self, entity: EntityId, steps: &[Step], span: Span, what: &str) {
        if self.half_filled.contains(&entity) {
            return;
        }
        let filled: Vec<FieldId> = steps
            .iter()
            .filter_map(|s| match &s.kind {
                StepKind::Assign { path, when: When::Always | When::Create, .. } => path.first().copied(),
                _ => None,
            })
            .collect();
        let e = self.cx.program.entity(entity);
        let missing: Vec<(String, Span)> = e
            .fields
            .iter()
            .enumerate()
            .filter(|(n, f)| matches!(f.required, Required::Yes) && !filled.iter().any(|id| id.0 as usize == *n))
            .map(|(_, f)| (f.name.to_string(), f.span))
            .collect();
        let full = e.full_name();
        if let Some((_, declared)) = missing.first() {
            let names: Vec<String> = missing.iter().map(|(n, _)| format!("`{n}`")).collect();
            let (is, it) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
            let d = Diagnostic::new(
                &codes::REQUIRED_NOT_FILLED,
                span,
                format!("{} of {full} {is} required and {what} never fills {it}", names.join(", ")),
            )
            .label("a required field is missing")
            .related(*declared, "required here")
            .help(format!("add a line for {it}"));
            self.cx.report(d);
        }
    }
}

/// Where a value has as many decimals as a division or a product of fractions gives it.
pub(crate) fn unrounded_in(value: &Expr, found: &mut Vec<Span>) {
    match &value.kind {
        ExprKind::Binary(Binary::Div, ..) => found.push(value.span),
        ExprKind::Binary(Binary::Mul, a, b) if a.ty != Type::Int && b.ty != Type::Int => found.push(value.span),
        ExprKind::If(_, then, other) => [then, other].into_iter().for_each(|e| unrounded_in(e, found)),
        ExprKind::Match(_, arms) => arms.iter().for_each(|arm| unrounded_in(&arm.value, found)),
        ExprKind::OrElse(left, right) => [left, right].into_iter().for_each(|e| unrounded_in(e, found)),
        ExprKind::Unary(_, inner) => unrounded_in(inner, found),
        _ => {}
    }
}
