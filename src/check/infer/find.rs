//! Records of a system that an expression asks for: by a key, all that have a value, all of a small table, or what one of
//! ours became.

use crate::check::infer::callables::params_of;
use crate::check::infer::coerce::Wanted;
use crate::check::infer::frame::Infer;
use crate::ir::{ChangedRows, Const, Entity, EntityId, Expr, ExprKind, FieldId, Find, Method, Native, Search, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, Arg, DeclKind, ExprKind as A};
use std::sync::Arc;

/// A field that is searched by, and what its value has to be.
pub(crate) struct KeyWanted {
    field: FieldId,
    ty: Type,
    /// What a text in quotes is taken for.
    pub(super) hint: Type,
    /// Whether it is the key that people know the record by, and so needs no name.
    by_code: bool,
    wanted: Wanted,
}

impl Infer<'_, '_> {
    /// `exact.VATCode.all()`: all rows of a small table.
    pub(crate) fn whole(&mut self, entity: EntityId, span: Span) -> Option<Find> {
        self.cx.read_entity(entity);
        if !self.can_be_asked(entity, &[], span) {
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

    /// `woo.Order.all(since: now() - 60 days)`: all that has changed, where it is read once.
    pub(crate) fn changed_since(&mut self, entity: EntityId, since: Expr, span: Span) -> Expr {
        let ty = Type::List(Arc::new(Type::Record(entity)));
        self.cx.read_entity(entity);
        let since = self.coerce(since, &Type::Instant, "`since`");
        let e = self.cx.program.entity(entity);
        let (full, declared) = (e.full_name(), e.span);
        if e.feed.is_none() {
            self.cx.report(
                Diagnostic::new(&codes::FLOW_SHAPE, span, format!("{full} has no feed: nobody tells what has changed"))
                    .related(declared, "the schema has no `feed`")
                    .help("search it by a field instead"),
            );
            return Expr { ty, ..Self::unknown(span) };
        }
        if !self.reads_once {
            let message = format!("all of {full} that has changed is read once, and not for each record");
            let help = format!("say it in the flow, and hand it to the mapping: `once changed = {full}.all(since: …)`");
            self.cx.say(&codes::LARGE_TABLE, span, message, &help);
        }
        let connection = self.connection_of(entity);
        Self::make(ExprKind::ChangedSince(Box::new(ChangedRows { connection, entity, since })), ty, span)
    }

    /// Whether there is an address at which records of an entity can be asked for, where these fields are known.
    fn can_be_asked(&mut self, entity: EntityId, given: &[FieldId], span: Span) -> bool {
        let e = self.cx.program.entity(entity);
        let (full, declared) = (e.full_name(), e.span);
        let told = match &e.route {
            _ if e.is_of_no_system() && !e.is_part() => Diagnostic::new(
                &codes::KEY_NOT_SEARCHABLE,
                span,
                format!("{full} is declared in this project, and no system has it"),
            )
            .help("ask for a record of a system: `woo.Order(number: …)`"),
            None if e.has_files() => return true,
            None if !e.is_part() => Diagnostic::new(
                &codes::KEY_NOT_SEARCHABLE,
                span,
                format!("{full} is told by a feed of changes alone: its system can't be asked for one"),
            )
            .help(format!("read it by a flow, `from {full} as record`")),
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
            Some(route)
                if e.path_fields().filter(|field| given.contains(field)).count() < route.matches('{').count() =>
            {
                Diagnostic::new(
                    &codes::NOT_CARRIED_OUT,
                    span,
                    format!("{full} stands below another record (`{route}`), and this edition can't search there"),
                )
                .help(format!(
                    "{}take what the record above it holds, or link records of it: `create once by linked(record)`",
                    e.path_fields().next().map_or_else(String::new, |above| {
                        let above = &e.get(above).name;
                        format!("ask for those of one record, `{full}.all({above}: …)`, ")
                    })
                ))
            }
            Some(_) => return true,
        };
        self.cx.report(told.label("can't be asked for").related(declared, "declared here"));
        false
    }

    /// The fields that a search names, each with what it takes; none where it can't be made.
    pub(crate) fn key_fields(&mut self, entity: EntityId, args: &[Arg], span: Span) -> Option<Vec<KeyWanted>> {
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
        args.iter().map(|arg| self.key_field(entity, arg, args.len() == 1)).collect()
    }

    fn key_field(&mut self, entity: EntityId, arg: &Arg, only: bool) -> Option<KeyWanted> {
        let field = match &arg.name {
            Some(name) => self.cx.field_named(entity, &name.text, name.span)?,
            None => match self.cx.program.entity(entity).code {
                Some(code) if only => code,
                _ => {
                    let full = self.cx.program.entity(entity).full_name();
                    let message = format!("{full} has no single key that people know it by");
                    self.cx.say(&codes::ARGUMENTS, arg.value.span, message, "name the field: `E(Field: value)`");
                    return None;
                }
            },
        };
        let e = self.cx.program.entity(entity);
        let f = e.get(field);
        let wanted = Wanted {
            what: format!("`{}` of {}", f.name, e.full_name()),
            declared: Some(f.span),
            length_at_run: true,
            ..Wanted::default()
        };
        let ty = f.ty.present().clone();
        let hint = if arg.name.is_none() { Type::Code(entity) } else { ty.clone() };
        Some(KeyWanted { field, ty, hint, by_code: arg.name.is_none(), wanted })
    }

    /// The search by these values, one for each of the fields.
    pub(crate) fn found_by(&mut self, entity: EntityId, keys: Vec<KeyWanted>, values: Vec<Expr>, span: Span) -> Find {
        let by: Vec<FieldId> = keys.iter().map(|key| key.field).collect();
        let values = keys
            .into_iter()
            .zip(values)
            .map(|(key, value)| {
                if value.ty == Type::Code(entity) || value.ty == Type::Record(entity) && key.by_code {
                    self.coerce(value, &Type::Code(entity), &key.wanted.what)
                } else {
                    self.coerce_at(value, &key.ty, &key.wanted)
                }
            })
            .collect();
        self.searchable(entity, (&by, &by), span);
        let connection = self.connection_of(entity);
        Find { connection, entity, by, values, must: true }
    }

    /// A search needs one field that the API can be asked by. What stands below another record is asked for where that one is
    /// `given`.
    pub(crate) fn searchable(&mut self, entity: EntityId, (by, given): (&[FieldId], &[FieldId]), span: Span) -> bool {
        if !self.can_be_asked(entity, given, span) {
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

impl Infer<'_, '_> {
    /// Links are between records.
    pub(crate) fn record_of_ours(&mut self, of: &Expr) {
        if !matches!(of.ty.present(), Type::Record(_) | Type::Unknown | Type::Nothing | Type::Never) {
            let message = format!("links are between records; this is {}", self.cx.show(&of.ty));
            self.cx.say(&codes::TYPE_MISMATCH, of.span, message, "name the record that it was made from");
        }
    }

    /// `linked(record, as: mapping)`: whether that mapping made the one of the other, from either end.
    pub(crate) fn linked_as(&mut self, record: Expr, args: &[Arg], span: Span) -> Expr {
        self.record_of_ours(&record);
        let [Arg { name: Some(word), value }] = args else {
            let help = "write `linked(record)`, or `linked(record, as: mapping)` for what one mapping made of it";
            self.cx.say(&codes::ARGUMENTS, span, "`linked` takes a record, and which mapping is meant", help);
            return Self::unknown(span);
        };
        if &*word.text != "as" {
            let message = format!("`linked` knows nothing by the name of `{}`", word.text);
            self.cx.say(&codes::ARGUMENTS, word.span, message, "the mapping that is meant stands behind `as:`");
            return Self::unknown(span);
        }
        let Some((mapping, ends)) = self.mapping_named(value) else { return Self::unknown(span) };
        if let Type::Record(entity) = record.ty.present()
            && !self.is_end(*entity, (&mapping, &ends), record.span)
        {
            return Self::unknown(span);
        }
        let name = Self::make(ExprKind::Const(Const::Text(mapping)), Type::Text(None), value.span);
        Self::make(ExprKind::Native(Native::Linked, vec![record, name]), Type::Bool, span)
    }

    /// The mapping that linked a record of a test to another one.
    pub(crate) fn linked_by(&mut self, by: &ast::Expr, given: EntityId, to: Option<&Expr>) -> Option<Arc<str>> {
        let (mapping, ends) = self.mapping_named(by)?;
        let to = to.and_then(|to| match to.ty.present() {
            Type::Record(entity) => Some((*entity, to.span)),
            _ => None,
        });
        let fits = [Some((given, by.span)), to].into_iter().flatten();
        fits.fold(true, |fits, (end, span)| self.is_end(end, (&mapping, &ends), span) && fits).then_some(mapping)
    }

    /// Whether a mapping may link records of that entity; it is told where not.
    fn is_end(&mut self, entity: EntityId, (mapping, ends): (&str, &[EntityId]), span: Span) -> bool {
        if ends.contains(&entity) {
            return true;
        }
        let names: Vec<String> = ends.iter().map(|end| self.cx.program.entity(*end).full_name()).collect();
        let message = format!("`{mapping}` links no {}", self.cx.program.entity(entity).full_name());
        let d = Diagnostic::new(&codes::WRONG_ENTITY, span, message).label("never linked by it");
        self.cx.report(d.help(format!("it links {}", names.join(" and "))));
        false
    }

    /// The mapping that a name means, by its full name, with the entities of the records that it may link: what it makes, and
    /// what it is given.
    pub(crate) fn mapping_named(&mut self, said: &ast::Expr) -> Option<(Arc<str>, Vec<EntityId>)> {
        let (instances, name) = match &said.kind {
            A::Name(name) => (self.cx.visible(self.inside), name),
            A::Field(of, name, false) => match &of.kind {
                A::Name(alias) => (self.cx.used_instance(self.inside, &alias.text).into_iter().collect(), name),
                _ => (Vec::new(), name),
            },
            _ => {
                let help = "write its name: `as: sales_order`, `as: orders.sales_order`";
                self.cx.say(&codes::TYPE_MISMATCH, said.span, "the name of a mapping is wanted here", help);
                return None;
            }
        };
        let found = self.callables(&instances, &name.text);
        let mapping = found.into_iter().find_map(|(instance, decl)| match &decl.kind {
            DeclKind::Mapping(_) => Some((self.cx.mapping_head(instance, &name.text)?, instance, decl)),
            _ => None,
        });
        let Some((mapping, instance, decl)) = mapping else {
            let message = format!("there is no mapping `{}` here", self.cx.modules.sources.text(said.span));
            let d = Diagnostic::new(&codes::UNKNOWN_FUNCTION, said.span, message).label("no mapping");
            self.cx.report(
                d.help("links are made by mappings: name one of this file, or `module.name` of one that is used"),
            );
            return None;
        };
        self.cx.means(name.span, decl.name_span());
        let mut ends = vec![self.cx.program.mapping(mapping).target];
        for param in params_of(&decl) {
            if let Type::Record(entity) = self.cx.type_of(instance, &param.ty).present()
                && self.cx.program.entity(*entity).stands_alone()
            {
                ends.push(*entity);
            }
        }
        Some((Arc::clone(&self.cx.program.mapping(mapping).name), ends))
    }
}
