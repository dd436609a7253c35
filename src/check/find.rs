//! Records of a system that an expression asks for: by a key, all that have a value, all of a small table, or what one of
//! ours became.

use super::body::Body;
use super::fits::Place;
use crate::ir::{Const, Entity, EntityId, Expr, ExprKind, FieldId, Find, Method, Search, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{Arg, Name};
use std::sync::Arc;

impl Body<'_, '_> {
    /// `exact.Item(code)`, `exact.SalesOrder(OrderNumber: n)`
    pub(super) fn find(&mut self, entity: EntityId, args: &[Arg], span: Span) -> Expr {
        match self.keys(entity, args, span) {
            Some(find) => Self::make(ExprKind::Find(Box::new(find)), Type::Record(entity), span),
            None => Self::make(ExprKind::Const(Const::Absent), Type::Unknown, span),
        }
    }

    /// `exact.Item.all(SearchCode: c)`, `exact.SalesInvoice.linked(x)`
    pub(super) fn entity_function(&mut self, entity: EntityId, name: &Name, args: &[Arg], span: Span) -> Expr {
        match (&*name.text, args) {
            ("all", _) => {
                let find = if args.is_empty() { self.whole(entity, span) } else { self.keys(entity, args, span) };
                match find {
                    Some(find) => Self::make(
                        ExprKind::FindAll(Box::new(Find { must: false, ..find })),
                        Type::List(Arc::new(Type::Record(entity))),
                        span,
                    ),
                    // A list it is all the same, and what is done with it is looked at.
                    None => {
                        let ty = Type::List(Arc::new(Type::Record(entity)));
                        Expr { ty, ..Self::unknown(span) }
                    }
                }
            }
            ("linked", [of]) => {
                let of = self.expr(&of.value, None);
                self.record_of_ours(&of);
                Self::make(ExprKind::LinkedTo(entity, Box::new(of)), Type::Record(entity).optional(), span)
            }
            _ => {
                let message = format!("an entity has no function `{}`", name.text);
                self.cx.say(
                    &codes::UNKNOWN_FUNCTION,
                    name.span,
                    message,
                    "there are `E(key)`, `E.all(Field: value)` and `E.linked(record)`",
                );
                Self::unknown(span)
            }
        }
    }

    /// `exact.VATCode.all()`: all rows of a small table.
    fn whole(&mut self, entity: EntityId, span: Span) -> Option<Find> {
        self.cx.read_entity(entity);
        if !self.can_be_asked(entity, span) {
            return None;
        }
        let e = self.cx.program.entity(entity);
        if e.read_whole() {
            let connection = self.connection_of(entity);
            return Some(Find { connection, entity, by: Vec::new(), values: Vec::new(), must: false });
        }
        let (full, declared, can) = (e.full_name(), e.span, search_fields(e));
        let help = match can.first() {
            Some(first) => format!(
                "say which rows are wanted: `{full}.all({first}: value)`; it can be searched by {}",
                can.join(", ")
            ),
            None => "read it by a flow of its own, `from` it".to_owned(),
        };
        self.cx.report(
            Diagnostic::new(
                &codes::LARGE_TABLE,
                span,
                format!("{full} may have any number of rows, and all are wanted"),
            )
            .label("all of a large table, again and again")
            .related(declared, "declared here, and not as `small`")
            .help(help),
        );
        None
    }

    /// Whether there is an address at which records of an entity can be asked for.
    fn can_be_asked(&mut self, entity: EntityId, span: Span) -> bool {
        let e = self.cx.program.entity(entity);
        let (full, declared) = (e.full_name(), e.span);
        let told = match &e.route {
            None => Diagnostic::new(
                &codes::KEY_NOT_SEARCHABLE,
                span,
                format!("{full} is a part of other records: it can't be asked for by itself"),
            )
            .help("take it from the record that it is a part of"),
            Some(_) if !e.methods.contains(&Method::Get) => {
                Diagnostic::new(&codes::KEY_NOT_SEARCHABLE, span, format!("{full} can be written and not be read"))
                    .help("the API gives none of them away; link records of it: `create once by linked(record)`")
            }
            Some(route) if e.is_below_another() => Diagnostic::new(
                &codes::NOT_CARRIED_OUT,
                span,
                format!("{full} stands below another record (`{route}`), and this edition can't search there"),
            )
            .help("take what the record above it holds, or link records of it: `create once by linked(record)`"),
            Some(_) => return true,
        };
        self.cx.report(told.label("can't be asked for").related(declared, "declared here"));
        false
    }

    /// Links are between records.
    pub(crate) fn record_of_ours(&mut self, of: &Expr) {
        if !matches!(of.ty.present(), Type::Record(_) | Type::Unknown | Type::Nothing | Type::Never) {
            let message = format!("links are between records; this is {}", self.cx.show(&of.ty));
            self.cx.say(&codes::TYPE_MISMATCH, of.span, message, "name the record that it was made from");
        }
    }

    fn keys(&mut self, entity: EntityId, args: &[Arg], span: Span) -> Option<Find> {
        self.cx.read_entity(entity);
        if args.is_empty() && self.cx.program.entity(entity).key.is_some() {
            let full = self.cx.program.entity(entity).full_name();
            let message = format!("which {full} is meant is not said");
            self.cx.say(
                &codes::ARGUMENTS,
                span,
                message,
                format!("give it a key, `{full}(key)`, or take a list, `{full}.all()`"),
            );
            return None;
        }
        let mut by: Vec<FieldId> = Vec::new();
        let mut values = Vec::new();
        for arg in args {
            let field = match &arg.name {
                Some(name) => self.cx.field_named(entity, &name.text, name.span)?,
                None => match self.cx.program.entity(entity).code {
                    Some(code) if args.len() == 1 => code,
                    _ => {
                        let message = format!(
                            "{} has no single key that people know it by",
                            self.cx.program.entity(entity).full_name()
                        );
                        self.cx.say(&codes::ARGUMENTS, arg.value.span, message, "name the field: `E(Field: value)`");
                        return None;
                    }
                },
            };
            let (ty, what, declared) = {
                let e = self.cx.program.entity(entity);
                let f = e.get(field);
                (f.ty.present().clone(), format!("`{}` of {}", f.name, e.full_name()), f.span)
            };
            let want = if arg.name.is_none() { Type::Code(entity) } else { ty.clone() };
            let value = self.expr(&arg.value, Some(&want));
            let value = if value.ty == Type::Code(entity) || value.ty == Type::Record(entity) && arg.name.is_none() {
                self.accept(value, &Type::Code(entity), &what)
            } else {
                self.accept_at(value, &ty, &Place { what, declared: Some(declared), length_at_run: true })
            };
            by.push(field);
            values.push(value);
        }
        self.searchable(entity, &by, span);
        let connection = self.connection_of(entity);
        Some(Find { connection, entity, by, values, must: true })
    }

    /// A search needs one field that the API can be asked by.
    pub(crate) fn searchable(&mut self, entity: EntityId, by: &[FieldId], span: Span) -> bool {
        if !self.can_be_asked(entity, span) {
            return false;
        }
        let e = self.cx.program.entity(entity);
        if e.read_whole() || by.iter().any(|f| e.asked_by(*f)) {
            return true;
        }
        let names: Vec<&str> = by.iter().map(|f| &*e.get(*f).name).collect();
        let can = search_fields(e);
        let message = format!("{} can't be searched by {}", e.full_name(), names.join(", "));
        let help = if can.is_empty() {
            "the API offers no search of it at all".to_owned()
        } else {
            format!("it can be searched by {}", can.join(", "))
        };
        let declared = by.first().map_or(e.span, |f| e.get(*f).span);
        self.cx.report(
            Diagnostic::new(&codes::KEY_NOT_SEARCHABLE, span, message)
                .label("not searchable")
                .related(declared, "declared here")
                .help(help),
        );
        false
    }
}

/// Fields that an entity can be searched by: numbers and references of people first, then what only machines know.
fn search_fields(e: &Entity) -> Vec<&str> {
    let mut can: Vec<(bool, &str)> = e
        .fields
        .iter()
        .filter(|f| f.search != Search::No)
        .map(|f| (!matches!(f.ty.present(), Type::Text(_) | Type::Int | Type::Email), &*f.name))
        .collect();
    can.sort_by_key(|(last, _)| *last);
    can.into_iter().take(12).map(|(_, name)| name).collect()
}
