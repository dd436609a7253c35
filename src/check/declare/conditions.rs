//! What a schema says by expressions: when a field is required, what it is computed from, under which key it stands.

use crate::check::infer::frame::{Infer, constant_of};
use crate::check::resolve::checker::{Checker, Condition};
use crate::check::resolve::instances::InstanceId;
use crate::check::types::words::word_text;
use crate::ir::{Const, EntityId, Expr, ExprKind, FieldId, Meta, Native, Required, Type};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, ExprKind as A};
use std::sync::Arc;

impl Checker<'_> {
    /// Reads the conditions and formulas of all fields that were declared since, and what entities say of the books.
    pub(crate) fn read_conditions(&mut self) {
        self.read_books();
        self.read_deletions();
        while let Some(Condition { entity, field, inside, decl }) = self.conditions.pop() {
            if let Some(value) = &decl.value {
                let meta = self.meta_of(inside, value).filter(|_| self.entries_of(entity, value.span).is_some());
                self.field_mut(entity, field).meta = meta;
            }
            let or_absent = decl.marks.iter().any(|m| m.words.first().map(word_text).as_deref() == Some("else"));
            self.summands_are_there(entity, field);
            for mark in &decl.marks {
                let first = mark.words.first().map(word_text).unwrap_or_default();
                if let (Some(cond), "required") = (&mark.when, &*first) {
                    let cond = Box::new(Infer::new(self, inside).over_fields(entity, cond));
                    self.field_mut(entity, field).required = Required::When { cond, or_absent };
                }
                if let (Some(formula), "computed") = (&mark.value, &*first) {
                    let formula = Infer::new(self, inside).formula(entity, formula);
                    self.field_mut(entity, field).computed = formula;
                }
            }
        }
    }
}

impl Checker<'_> {
    /// Tells of an amount that a field is said to be a sum of and that is none.
    fn summands_are_there(&mut self, entity: EntityId, field: FieldId) {
        let (of, parts, span) = {
            let e = self.program.entity(entity);
            let f = e.get(field);
            (e.full_name(), f.sums.clone(), f.span)
        };
        for part in parts.iter().filter(|part| !part.above) {
            let mut at = Some(entity);
            let mut ty = Type::Unknown;
            for name in &part.way {
                let found = at.and_then(|at| Some((at, self.program.entity(at).field(name)?)));
                ty = found.map_or(Type::Unknown, |(at, f)| self.program.entity(at).get(f).ty.present().clone());
                at = ty.element().map_or(&ty, Type::present).record();
            }
            if !matches!(ty, Type::Money(_)) {
                let message = format!("`{}` is no amount of {of}", part.way.join("."));
                self.say(
                    &codes::UNKNOWN_FIELD,
                    span,
                    message,
                    "name an amount of the record, or of the elements of a list",
                );
            }
        }
    }
}

impl Infer<'_, '_> {
    /// `document_total(Lines, Quantity, Price, Code)`, a schema's formula.
    pub(crate) fn formula(self, entity: EntityId, formula: &ast::Expr) -> Option<Expr> {
        let A::Call(callee, args) = &formula.kind else { return None };
        let A::Name(name) = &callee.kind else { return None };
        if Native::by_name(&name.text) != Some(Native::DocumentTotal) {
            self.cx.say(
                &codes::UNKNOWN_FUNCTION,
                name.span,
                format!("`{}` is not a formula of a document", name.text),
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

impl Checker<'_> {
    /// `meta("key")`, `meta("a", "b")` or `meta(settings.keys)`.
    pub(crate) fn meta_of(&mut self, inside: InstanceId, value: &ast::Expr) -> Option<Meta> {
        let called = match &value.kind {
            A::Call(callee, args) => match &callee.kind {
                A::Name(name) => Some((name, args)),
                _ => None,
            },
            A::Error => return None,
            _ => None,
        };
        let Some((_, args)) = called.filter(|(name, _)| &*name.text == "meta") else {
            let at = called.map_or(value.span, |(name, _)| name.span);
            self.report(
                Diagnostic::new(&codes::UNKNOWN_FUNCTION, at, "the value of a field is an entry of `meta_data`")
                    .label("not `meta`")
                    .help("write `= meta(\"key\")`, or leave it out where the API has the field itself")
                    .fix("use `meta`", at, if called.is_some() { "meta" } else { "meta(\"key\")" }),
            );
            return None;
        };
        let mut keys = Vec::new();
        for arg in args {
            let lowered = Infer::new(self, inside).expr(&arg.value, None);
            if lowered.ty == Type::Unknown {
                continue;
            }
            match constant_of(&lowered) {
                Some(Const::Text(key)) => keys.push(key),
                Some(Const::List(list)) => keys.extend(list.into_iter().filter_map(|c| match c {
                    Const::Text(key) => Some(key),
                    _ => None,
                })),
                _ => self.say(
                    &codes::TYPE_MISMATCH,
                    arg.value.span,
                    "the key of a meta field must be known before anything runs",
                    "write the key as a text, or a setting that holds a list of keys",
                ),
            }
        }
        Some(Meta { keys })
    }
}
