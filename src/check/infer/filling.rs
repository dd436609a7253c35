//! How a field is filled: the way to it, once, rounded, and in the form that its system wants.

use crate::check::infer::changes::{Case, Displacing, Filled, Steps};
use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::{Infer, Removed};
use crate::ir::{
    Access, Binary, Entity, EntityId, Expr, ExprKind, Field, FieldId, PriceBy, Required, Step, StepKind, Type, Unary,
    When,
};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::Path;
use crate::syntax::ast::Stmt;
use std::sync::Arc;
impl Infer<'_, '_> {
    /// Codes are confirmed by the ledger; a price is net or gross as its schema says.
    pub(crate) fn final_form(
        &mut self,
        value: Expr,
        at: (EntityId, FieldId),
        ty: &Type,
        price_by: Option<PriceBy>,
    ) -> Expr {
        if matches!(value.ty, Type::Unknown | Type::Never | Type::Nothing) {
            return value;
        }
        match (ty.present(), price_by) {
            (Type::Code(of), _) => {
                let of = *of;
                self.map_present(value, |body, there| body.verified(of, there))
            }
            (Type::Price, Some(by)) => self.map_present(value, |body, there| body.price_written(there, at.0, &by)),
            _ => self.passed_on(value, ty, at),
        }
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

    /// Whether every field that a create needs is filled. `part`: where what fills it is declared, if that is elsewhere.
    pub(crate) fn required(
        &mut self,
        entity: EntityId,
        steps: &[Step],
        span: Span,
        (what, part): (&str, Option<Span>),
    ) {
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
        let missing: Vec<(FieldId, Arc<str>, Span)> = e
            .fields
            .iter()
            .filter_map(|f| Some((e.field(&f.name)?, f)))
            .filter(|(id, f)| is_demanded(e, f) && !filled.contains(id))
            .map(|(id, f)| (id, Arc::clone(&f.name), f.span))
            .collect();
        let full = e.full_name();
        let (removed, missing): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|(id, ..)| self.removal_of((entity, *id)).is_some());
        for (id, name, declared) in removed {
            let message = format!("`{name}` of {full} is required, and {what} never fills it without this line");
            let d = Diagnostic::new(&codes::REQUIRED_NOT_FILLED, span, message).related(declared, "required here");
            let d = d.help(format!("fill it in another way: `set {name} = …`"));
            self.cx.report(self.at_removal(d, (entity, id)));
        }
        if let Some((.., declared)) = missing.first() {
            let names: Vec<String> = missing.iter().map(|(_, n, _)| format!("`{n}`")).collect();
            let (is, it) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
            let mut d = Diagnostic::new(
                &codes::REQUIRED_NOT_FILLED,
                span,
                format!("{} of {full} {is} required and {what} never fills {it}", names.join(", ")),
            )
            .label("a required field is missing")
            .related(*declared, "required here")
            .help(format!("add a line for {it}"));
            if let Some(part) = part {
                d = d.related(part, "not filled here");
            }
            self.cx.report(d);
        }
    }

    /// A part of a value without which its record is none.
    pub(crate) fn needed_where_removed(&mut self, (entity, field): (EntityId, FieldId), change: &Displacing<'_>) {
        let e = self.cx.program.entity(entity);
        let f = e.get(field);
        if !is_demanded(e, f) {
            return;
        }
        let message = format!("`{}` of {} is required, and nothing else fills it", f.name, e.full_name());
        let d = Diagnostic::new(&codes::REQUIRED_NOT_FILLED, change.change.span, message)
            .label("removed here")
            .related(change.displaced, "the line that this removes")
            .related(f.span, "required here")
            .help(format!(
                "fill it in another way: `set {} = …`",
                self.cx.modules.sources.text(change.change.path.span)
            ));
        self.cx.report(d);
    }

    fn removal_of(&self, field: (EntityId, FieldId)) -> Option<&Removed> {
        self.removed.iter().find(|removed| removed.field == field)
    }

    /// A message about a field that nothing fills, at the change that removed it, where there is one.
    pub(crate) fn at_removal(&self, d: Diagnostic, field: (EntityId, FieldId)) -> Diagnostic {
        let Some(removed) = self.removal_of(field) else { return d };
        let needed = d.span;
        Diagnostic { span: removed.at, ..d }
            .label("removed here")
            .related(removed.displaced, "the line that this removes")
            .related(needed, "needed here")
    }
}

/// Whether a record is none without it: an API fills in what it does not demand; where there is none, nobody does.
fn is_demanded(entity: &Entity, field: &Field) -> bool {
    let is_ours = entity.connector.is_empty() && entity.route.is_none() && field.access != Access::ReadOnly;
    matches!(field.required, Required::Yes) || is_ours && !field.ty.is_optional()
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

impl Infer<'_, '_> {
    /// A condition that counts in one case only: in the other it holds.
    pub(crate) fn in_case(&self, cond: Expr, case: &Case) -> Expr {
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

    pub(crate) fn filled_once(&mut self, fields: &[FieldId], case: &Case, at: Span, name: &str, out: &mut Steps) {
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
            let added = out.adding;
            out.filled.push(Filled { fields: fields.to_vec(), case: case.clone(), span: at, include, added });
            return;
        };
        if before.added && !out.adding {
            return self.cx.added_once_more(before.span, at, name);
        }
        let (here, there) = (out.include.unwrap_or(at), before.include.unwrap_or(before.span));
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
                d.help(format!(
                    "to change what `{call}` fills, write `set {name} = …`; or write, in its place, {others}"
                ))
            }
            _ => d.help("keep one of the two"),
        };
        self.cx.report(d);
    }

    /// The fields that an `include` has filled so far, but for one.
    pub(crate) fn others_of(&self, include: Span, fields: &[FieldId], out: &Steps) -> String {
        let Some(target) = self.target else { return String::new() };
        let of_include = out.filled.iter().filter(|f| f.include == Some(include) && f.fields != fields);
        let first = of_include.filter_map(|f| f.fields.first());
        let names: Vec<String> =
            first.map(|field| format!("`{} = …`", self.cx.program.entity(target).get(*field).name)).collect();
        names.join(", ")
    }
}

impl Infer<'_, '_> {
    /// Reports a field that is not a mapping's to fill, or not in this case.
    pub(crate) fn may_be_filled(&mut self, owner: EntityId, field: FieldId, case: &Case, at: Span) {
        let e = self.cx.program.entity(owner);
        let full = e.full_name();
        let Field { name, access, span: declared, meta, .. } = e.get(field).clone();
        if access == Access::ReadOnly {
            self.cx.report(
                Diagnostic::new(
                    &codes::READ_ONLY_FILLED,
                    at,
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
                    at,
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
            self.cx.say(&codes::NOT_CARRIED_OUT, at, message, help);
        }
    }
}

impl Infer<'_, '_> {
    /// A `set` or `remove` of what no `include` of the same declaration fills.
    pub(crate) fn not_included(&mut self, path: &Path) {
        let name = self.cx.modules.sources.text(path.span).to_owned();
        self.cx.report(
            Diagnostic::new(&codes::ADAPT_MISSES, path.span, format!("no `include` here fills `{name}`"))
                .label("nothing to change")
                .help(format!(
                    "fill it: `{name} = …`; `set` and `remove` change what an `include` of this declaration fills"
                )),
        );
    }

    /// A field that an adaptation fills without a word before it.
    pub(crate) fn set_or_add(&mut self, path: &Path, line: Span) {
        let name = self.cx.modules.sources.text(path.span).to_owned();
        let message = format!("whether `{name}` is changed or added is not said");
        let help = format!("`set {name} = …` where it is filled by now, `add {name} = …` where it is not");
        self.cx.say(&codes::MISPLACED, line, message, help);
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
}
