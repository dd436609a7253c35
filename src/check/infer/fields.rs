//! Fields of records: of one that is there, that may be absent, or that is being made.

use crate::check::infer::frame::Infer;
use crate::ir::{EntityId, Expr, ExprKind, FieldId, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast;
use std::sync::Arc;
impl Infer<'_, '_> {
    /// `it.Field`: the field of the record that is being made.
    pub(crate) fn it_field(&mut self, name: &ast::Name, span: Span) -> Expr {
        let Some(target) = self.target else { return Self::unknown(span) };
        match self.cx.field_named(target, &name.text, name.span) {
            Some(field) => {
                self.its.push((target, field, span));
                self.reads_it.push(target);
                let ty = self.cx.program.entity(target).get(field).ty.clone();
                Self::make(ExprKind::It(field), ty, span)
            }
            None => Self::unknown(span),
        }
    }

    /// A field of a record, of a code's record, or of one that may be absent.
    pub(crate) fn field_of(&mut self, of: Expr, name: &ast::Name, optional: bool, span: Span) -> Expr {
        if matches!(of.ty, Type::Unknown | Type::Never) {
            return Self::unknown(span);
        }
        if of.ty.is_optional() {
            if !optional {
                let message = format!("this may be absent, so its field `{}` can't be read", name.text);
                let dot = Span { start: name.span.start.saturating_sub(1), ..name.span }.at_start();
                let told = Diagnostic::new(&codes::OPTIONAL_AS_PRESENT, of.span, message)
                    .label("may be absent")
                    .help(format!("`?.{}` is absent too when the record is", name.text));
                self.cx.report(self.ask_when_there(told, dot));
                return Self::unknown(span);
            }
            let made = self.map_present(of, |body, there| body.field_of(there, name, false, span));
            // Messages speak of the whole path.
            return Expr { span, ..made };
        }
        let of = match of.ty {
            Type::Code(entity) => self.found_by_code(entity, of),
            _ => of,
        };
        let Type::Record(entity) = of.ty else {
            let message = format!("{} has no fields, so no `{}`", self.cx.show(&of.ty), name.text);
            let d = Diagnostic::new(&codes::UNKNOWN_FIELD, name.span, message).label("no such field");
            let d = match self.entry_meant(&of, &name.text) {
                Some(entry) => {
                    d.help(format!("an entry is read by its key: `{entry}`")).fix("read it by its key", span, entry)
                }
                None if of.ty.element().is_some() => {
                    d.help("a list has none: take one element of it, `.first()`, or each, `.map(x => x.…)`")
                }
                None => d.help(format!("a function is called with brackets: `.{}()`", name.text)),
            };
            self.cx.report(d);
            return Self::unknown(span);
        };
        match self.cx.field_named(entity, &name.text, name.span) {
            Some(field) => {
                self.is_readable(entity, field, name.span);
                let schema = self.cx.program.entity(entity).get(field);
                let (ty, price_by) = (schema.ty.clone(), schema.price_by.clone());
                match price_by {
                    Some(by) if !self.expects() => self.price_read(of, (entity, field), &by, span),
                    by => {
                        // A test sees what stands in the record: one amount, whichever it is.
                        let ty = match by {
                            Some(_) if ty.is_optional() => Type::Decimal.optional(),
                            Some(_) => Type::Decimal,
                            None => ty,
                        };
                        Self::make(ExprKind::Field(Box::new(of), entity, field), ty, span)
                    }
                }
            }
            None => Self::unknown(span),
        }
    }

    /// Reports a field whose value nobody can know: the API never shows it.
    pub(crate) fn is_readable(&mut self, entity: EntityId, field: FieldId, span: Span) {
        let schema = self.cx.program.entity(entity).get(field);
        let (name, declared) = (Arc::clone(&schema.name), schema.span);
        if schema.write_only {
            let message = format!("`{name}` of {} is never shown", self.cx.show(&Type::Record(entity)));
            let d = Diagnostic::new(&codes::WRITE_ONLY_READ, span, message).label("write only");
            let d = d.related(declared, "declared here");
            self.cx.report(d.help("it can be filled by a mapping, and no answer of the API tells what stands in it"));
        }
    }
}

/// What to do with JSON, which has whatever form its sender gave it.
pub(crate) const JSON_COMPARED: &str =
    "`.text()` takes the text or the number that JSON is: `(x?.text() ?? \"\") == \"a\"`";

impl Infer<'_, '_> {
    pub(crate) fn no_place(&mut self, word: &str, help: &str, span: Span) -> Expr {
        self.cx.say(&codes::NO_PLACE_FOR_IT, span, format!("there is no `{word}` here"), help);
        Self::unknown(span)
    }
}
