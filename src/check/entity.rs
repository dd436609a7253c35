//! Schemas: the clauses and marks of an `entity` become what the checker, the planner and the connectors go by.

use super::body::Body;
use super::cx::{Cx, InstanceId, State};
use super::load::{ModuleId, Origin, path_text};
use crate::ir::{Access, Connector, Entity, EntityId, Feed, Field, FieldId, Forms, Meta, Method, Required, Search};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, Clause, ExprKind, FieldDecl, TextPart, TypeKind, Word};
use std::sync::Arc;

/// What a connector may say of its API, and whether it is a number. What no connector reads is no word: it would look as
/// if changing it changed something.
const HABITS: &[(&str, bool)] = &[
    ("base", false),
    ("entries", false),
    ("page", true),
    ("url_max", true),
    ("values_max", true),
    ("wall_clock", false),
    ("limits.minute", true),
    ("limits.day", true),
    ("limits.errors", true),
    ("login", false),
    ("login.refresh_after", true),
    ("login.authorize", false),
    ("login.token", false),
    ("cursor.overlap", true),
];

impl Cx<'_> {
    /// Gives an entity its number; its fields are read when somebody asks for them.
    pub(crate) fn add_entity(&mut self, module: ModuleId, decl: &Arc<ast::Decl>) -> EntityId {
        let id = EntityId::from(self.program.entities.len());
        let ast::DeclKind::Entity(e) = &decl.kind else { unreachable!("only entities are added here") };
        let library = self.modules.get(module).origin == Origin::Library;
        self.program.entities.push(Entity {
            name: Arc::clone(&e.name.text),
            connector: if library { Arc::clone(&self.modules.get(module).name) } else { "".into() },
            route: None,
            methods: Vec::new(),
            feed: None,
            key: None,
            code: None,
            total: None,
            small: false,
            webhook: false,
            rows: None,
            fields: Vec::new(),
            span: e.name.span,
        });
        self.entity_states.push((State::Named, module, Some(Arc::clone(decl))));
        id
    }

    /// Reads the clauses and fields of an entity, those that flows add included.
    pub(crate) fn read_entity(&mut self, id: EntityId) {
        let (state, module, decl) = &mut self.entity_states[id.0 as usize];
        if *state != State::Named {
            return;
        }
        *state = State::Reading;
        let module = *module;
        let Some(decl) = decl.take() else { return };
        let ast::DeclKind::Entity(e) = &decl.kind else { return };
        let inside = self.shared_instance(module);
        for field in &e.fields {
            self.read_field(id, inside, field);
        }
        for (of, name, by, extend) in self.extensions.clone() {
            if of == module && *name == *e.name.text {
                for field in &extend.fields {
                    self.read_field(id, by, field);
                }
            }
        }
        let mut said: Vec<String> = Vec::new();
        for clause in &e.clauses {
            let word = clause.words.first().map(word_text).unwrap_or_default();
            if said.contains(&word) {
                let message = format!("`{word}` is said of {} already", e.name.text);
                self.say(&codes::MISPLACED, clause.span, message, "leave out one of them: an entity has one of each");
                continue;
            }
            said.push(word);
            self.read_clause(id, clause);
        }
        self.entity_states[id.0 as usize].0 = State::Read;
        // What refers to other fields comes last: all fields have their numbers now.
        for field in &e.fields {
            self.read_relations(id, inside, field);
        }
    }

    fn read_field(&mut self, id: EntityId, inside: InstanceId, decl: &FieldDecl) {
        if self.program.entity(id).field(&decl.name.text).is_some() {
            let message = format!("{} has a field `{}` already", self.program.entity(id).full_name(), decl.name.text);
            self.say(&codes::DECLARED_TWICE, decl.name.span, message, "give it another name, or leave it out");
            return;
        }
        let ty = self.type_of(inside, &decl.ty);
        let mut field = Field {
            name: Arc::clone(&decl.name.text),
            wire: Arc::clone(&decl.name.text),
            form: Forms { scale: 255, ..Forms::default() },
            ty,
            access: Access::Free,
            required: Required::No,
            search: Search::No,
            currency: None,
            price_by: None,
            meta: decl.value.as_ref().and_then(|v| self.meta_of(inside, v)),
            computed: None,
            personal: false,
            write_only: false,
            assumed: false,
            doc: decl.doc.as_deref().map(Into::into),
            span: decl.name.span,
        };
        if let TypeKind::Named(_, Some((_, Some(unit)))) = &present(&decl.ty).kind {
            field.form.utf16 = &*unit.text == "utf16";
        }
        self.read_marks(&mut field, &decl.marks);
        self.program.entities[id.0 as usize].fields.push(field);
    }

    /// `meta("key")`, `meta("a", "b")` or `meta(settings.keys)`.
    fn meta_of(&mut self, inside: InstanceId, value: &ast::Expr) -> Option<Meta> {
        let called = match &value.kind {
            ExprKind::Call(callee, args) => match &callee.kind {
                ExprKind::Name(name) => Some((name, args)),
                _ => None,
            },
            ExprKind::Error => return None,
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
            let lowered = Body::new(self, inside).expr(&arg.value, None);
            if lowered.ty == crate::ir::Type::Unknown {
                continue;
            }
            match super::body::constant_of(&lowered) {
                Some(crate::ir::Const::Text(key)) => keys.push(key),
                Some(crate::ir::Const::List(list)) => keys.extend(list.into_iter().filter_map(|c| match c {
                    crate::ir::Const::Text(key) => Some(key),
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

    fn read_clause(&mut self, id: EntityId, clause: &Clause) {
        let words: Vec<String> = clause.words.iter().map(word_text).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| *w != ",").collect();
        let field = |cx: &mut Self, name: &str| -> Option<FieldId> {
            let found = cx.program.entity(id).field(name);
            if found.is_none() {
                cx.no_field(id, name, clause.span);
            }
            found
        };
        let entity = &mut self.program.entities[id.0 as usize];
        let is_said = match words.as_slice() {
            ["route", path, methods @ ..] if is_text(clause, 1) => {
                entity.route = Some((*path).into());
                entity.methods = methods.iter().filter_map(|m| method(m)).collect();
                entity.methods.len() == methods.len()
            }
            ["feed", path, "by", by] if is_text(clause, 1) => self.read_feed(id, Some(path), by, "", clause.span),
            ["feed", path, "by", by, "since", since] if is_text(clause, 1) => {
                self.read_feed(id, Some(path), by, since, clause.span)
            }
            ["feed", "by", by] => self.read_feed(id, None, by, "", clause.span),
            ["key", name] => {
                let key = field(self, name);
                self.program.entities[id.0 as usize].key = key;
                true
            }
            ["code", name] => {
                let code = field(self, name);
                self.program.entities[id.0 as usize].code = code;
                true
            }
            ["total", name] => {
                let total = field(self, name);
                self.program.entities[id.0 as usize].total = total;
                true
            }
            ["small"] => {
                entity.small = true;
                true
            }
            ["webhook", _] if is_text(clause, 1) => {
                entity.webhook = true;
                true
            }
            ["rows", key, value] => {
                entity.rows = Some(((*key).into(), (*value).into()));
                true
            }
            _ => false,
        };
        if !is_said || clause.when.is_some() || !clause.block.is_empty() {
            let message = format!("`{}` says nothing about an entity", words.join(" "));
            let help = "clauses are `route \"path\" get post put delete`, `feed \"path\" by FIELD`, `key FIELD`, \
                        `code FIELD`, `total FIELD`, `rows key value`, `webhook \"topic\"` and `small`";
            self.say(&codes::MISPLACED, clause.span, message, help);
        }
    }

    /// Where changes of an entity are read. Whether the clause means something.
    fn read_feed(&mut self, id: EntityId, path: Option<&str>, by: &str, since: &str, span: Span) -> bool {
        let entity = self.program.entity(id);
        let Some(path) = path.map(Arc::from).or_else(|| entity.route.clone()) else { return false };
        match entity.field(by) {
            Some(by) => self.program.entities[id.0 as usize].feed = Some(Feed { path, by, since: since.into() }),
            None => self.no_field(id, by, span),
        }
        true
    }

    fn no_field(&mut self, id: EntityId, name: &str, span: Span) {
        let message = format!("{} has no field `{name}`", self.program.entity(id).full_name());
        self.say(&codes::UNKNOWN_FIELD, span, message, "name one of its fields");
    }

    /// The habits of an API: `limits minute 60, day 5000` becomes `limits.minute` and `limits.day`.
    pub(crate) fn read_connector(&mut self, decl: &ast::Connector) {
        let mut connector = Connector {
            name: Arc::clone(&decl.name.text),
            page: 100,
            url_max: 2000,
            values_max: 100,
            ..Connector::default()
        };
        for clause in &decl.clauses {
            let words: Vec<String> = clause.words.iter().map(word_text).collect();
            let words: Vec<String> = words.into_iter().filter(|w| w != "=").collect();
            let Some((head, rest)) = words.split_first() else { continue };
            let said: Vec<(String, String)> = match rest {
                [] => vec![(head.clone(), String::new())],
                [value] => vec![(head.clone(), value.clone())],
                _ => rest
                    .split(|w| w == ",")
                    .map(|part| match part {
                        [only] => (head.clone(), only.clone()),
                        [name, values @ ..] => (format!("{head}.{name}"), values.join(" ")),
                        [] => (head.clone(), String::new()),
                    })
                    .collect(),
            };
            for (name, value) in &said {
                self.is_habit(clause.span, name, value);
            }
            connector.words.extend(said);
        }
        let number = |c: &Connector, name: &str| c.word(name).and_then(|v| v.parse().ok());
        connector.page = number(&connector, "page").unwrap_or(connector.page);
        connector.url_max = number(&connector, "url_max").unwrap_or(connector.url_max);
        connector.values_max = number(&connector, "values_max").unwrap_or(connector.values_max);
        connector.zone = connector.word("wall_clock").unwrap_or("UTC").into();
        self.program.connectors.push(connector);
    }

    /// Reports what nobody reads of a connector, or reads otherwise.
    fn is_habit(&mut self, span: Span, name: &str, value: &str) {
        match HABITS.iter().find(|(habit, _)| *habit == name) {
            None => {
                let message = format!("`{}` says nothing about a connector", name.replace('.', " "));
                let names: Vec<String> =
                    HABITS.iter().map(|(habit, _)| format!("`{}`", habit.replace('.', " "))).collect();
                self.say(&codes::MISPLACED, span, message, format!("it has {}", names.join(", ")));
            }
            Some((_, true)) if value.parse::<u32>().is_err() => {
                let message = format!("`{}` wants a whole number", name.replace('.', " "));
                self.say(&codes::MISPLACED, span, message, "write it in digits");
            }
            Some(_) => {}
        }
    }

    /// The field of an entity by name; a report with the nearest where there is none.
    pub(crate) fn field_named(&mut self, id: EntityId, name: &str, span: Span) -> Option<FieldId> {
        if let Some(field) = self.entity(id).field(name) {
            return Some(field);
        }
        let entity = self.program.entity(id);
        let names: Vec<String> = entity.fields.iter().map(|f| f.name.to_string()).collect();
        let called = entity.fields.iter().find(|f| f.is_called(name)).map(|f| f.name.to_string());
        let message = format!("{} has no field `{name}`", entity.full_name());
        let declared = entity.span;
        let mut d = Diagnostic::new(&codes::UNKNOWN_FIELD, span, message)
            .label("not in the schema")
            .related(declared, "the schema is here");
        d = match called.or_else(|| super::suggest::hint(name, names)) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), span, near),
            None => d.help("see the schema for its fields; a field of your own is declared with `extend`"),
        };
        self.report(d);
        None
    }
}

/// The type without the mark that it may be absent.
pub(super) fn present(ty: &ast::Type) -> &ast::Type {
    match &ty.kind {
        TypeKind::Optional(inner) => present(inner),
        _ => ty,
    }
}

/// Whether that word of a clause stands in quotes.
fn is_text(clause: &Clause, n: usize) -> bool {
    matches!(clause.words.get(n), Some(Word::Value(value)) if matches!(value.kind, ExprKind::Text(_)))
}

fn method(word: &str) -> Option<Method> {
    match word {
        "get" => Some(Method::Get),
        "post" => Some(Method::Post),
        "put" => Some(Method::Put),
        "delete" => Some(Method::Delete),
        _ => None,
    }
}

/// A word of a clause as text: names and numbers as written, texts without quotes.
pub(crate) fn word_text(word: &Word) -> String {
    match word {
        Word::Name(path) => path_text(path),
        Word::Sign(sign, _) => sign.to_string(),
        Word::Value(e) => match &e.kind {
            ExprKind::Number(n)
            | ExprKind::Percent(n)
            | ExprKind::Date(n)
            | ExprKind::Instant(n)
            | ExprKind::Duration(n, _) => n.to_string(),
            // `{country}` in an address is a blank to be filled by the connector, not an expression of ours.
            ExprKind::Text(parts) => parts
                .iter()
                .map(|part| match part {
                    TextPart::Plain(text) => text.to_string(),
                    TextPart::Value(e) => match &e.kind {
                        ExprKind::Name(name) => format!("{{{}}}", name.text),
                        _ => String::new(),
                    },
                })
                .collect(),
            ExprKind::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
            ExprKind::Name(name) => name.text.to_string(),
            _ => String::new(),
        },
    }
}

/// Whether an entity's fields are what another has too: it may stand in its place.
pub(crate) fn is_view_of(view: &Entity, other: &Entity) -> bool {
    !view.fields.is_empty()
        && view.fields.iter().all(|f| other.field(&f.name).is_some_and(|id| fits_view(&other.get(id).ty, &f.ty)))
}

/// What is absent there may be absent here.
fn fits_view(there: &crate::ir::Type, here: &crate::ir::Type) -> bool {
    there.present() == here.present() && (here.is_optional() || !there.is_optional())
}

/// A reference: the entity stands alone in its API.
pub(crate) fn is_reference(entity: &Entity) -> bool {
    entity.stands_alone()
}
