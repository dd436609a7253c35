//! Types: what is written becomes what is meant, how messages call it, and what fits where.

use crate::check::resolve::checker::{Checker, State, TypeItem};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::{ModuleId, Origin};
use crate::check::resolve::suggest;
use crate::ir::{Entity, EntityId, EnumType, EnumValue, Kind, Type};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, TypeKind};
use std::sync::Arc;

/// Types that need no declaration.
const BUILT_IN: [(&str, Type); 18] = [
    ("text", Type::Text(None)),
    ("int", Type::Int),
    ("decimal", Type::Decimal),
    ("net", Type::Money(Kind::Net)),
    ("gross", Type::Money(Kind::Gross)),
    ("tax", Type::Money(Kind::Tax)),
    ("price", Type::Price),
    ("percent", Type::Percent),
    ("bool", Type::Bool),
    ("date", Type::Date),
    ("instant", Type::Instant),
    ("duration", Type::Duration),
    ("guid", Type::Guid),
    ("country", Type::Country),
    ("currency", Type::Currency),
    ("email", Type::Email),
    ("json", Type::Json),
    ("file", Type::Json),
];

/// Types as other languages call them, and what they are here.
const CALLED_ELSEWHERE: [(&str, &str); 14] = [
    ("string", "text"),
    ("str", "text"),
    ("char", "text"),
    ("number", "decimal"),
    ("float", "decimal"),
    ("double", "decimal"),
    ("integer", "int"),
    ("long", "int"),
    ("boolean", "bool"),
    ("datetime", "instant"),
    ("timestamp", "instant"),
    ("uuid", "guid"),
    ("percentage", "percent"),
    ("array", "list<…>"),
];

/// What is said of a value that need not be there.
const MAY_BE_ABSENT: &str = "that may be absent";

impl Checker<'_> {
    /// The type that is written there, as seen inside an instance.
    pub(crate) fn type_of(&mut self, inside: InstanceId, ty: &ast::Type) -> Type {
        match &ty.kind {
            TypeKind::Error => Type::Unknown,
            TypeKind::List(inner) => Type::List(Arc::new(self.type_of(inside, inner))),
            TypeKind::Optional(inner) => self.type_of(inside, inner).optional(),
            TypeKind::OneOf(texts) => Type::Enum(Arc::new(EnumType {
                name: "".into(),
                open: false,
                values: texts
                    .iter()
                    .map(|t| EnumValue { code: Arc::clone(&t.value), wire: json_text(&t.value) })
                    .collect(),
            })),
            TypeKind::Enum(e) => Type::Enum(Arc::new(enum_type(e))),
            TypeKind::PriceBy(_) => Type::Price,
            TypeKind::Code(path) => match self.named_type(inside, path) {
                Some(TypeItem::Entity(id)) => Type::Code(id),
                _ => Type::Unknown,
            },
            TypeKind::FieldOf(path) => match self.named_type(inside, path) {
                Some(TypeItem::Entity(id)) => Type::FieldOf(id),
                _ => Type::Unknown,
            },
            TypeKind::Named(path, size) => self.plain_type(inside, path, size.as_ref().map(|(n, _)| *n)),
        }
    }

    fn plain_type(&mut self, inside: InstanceId, path: &ast::Path, size: Option<u32>) -> Type {
        if let [only] = path.parts.as_slice()
            && let Some((_, ty)) = BUILT_IN.iter().find(|(name, _)| *name == &*only.text)
        {
            return if let Type::Text(_) = ty { Type::Text(size) } else { ty.clone() };
        }
        match self.named_type(inside, path) {
            Some(TypeItem::Entity(id)) => Type::Record(id),
            Some(TypeItem::Enum(e)) => Type::Enum(e),
            None => Type::Unknown,
        }
    }

    /// The entity or enumeration of that name; a report where there is none.
    pub(crate) fn named_type(&mut self, inside: InstanceId, path: &ast::Path) -> Option<TypeItem> {
        let (modules, name) = match path.parts.as_slice() {
            [name] => (self.visible(inside).into_iter().map(|i| self.module_of(i)).collect::<Vec<_>>(), name),
            [alias, name] => match self.used_instance(inside, &alias.text) {
                Some(id) => (vec![self.module_of(id)], name),
                None => {
                    self.unknown_alias(inside, alias);
                    return None;
                }
            },
            _ => (Vec::new(), path.parts.last()?),
        };
        let own = self.module_of(inside);
        let found: Vec<ModuleId> =
            modules.iter().copied().filter(|m| self.type_item(*m, &name.text).is_some()).collect();
        if let Some(first) = found.first() {
            if *first != own && found.iter().any(|m| m != first) {
                self.several(name, &found);
            }
            if let Some(decl) = self.modules.named(*first, Space::Type, &name.text).first() {
                self.means(name.span, decl.name_span());
            }
            return self.type_item(*first, &name.text);
        }
        let mut names: Vec<String> = modules.iter().flat_map(|m| self.modules.names(*m, Space::Type)).collect();
        if path.parts.len() == 1 && self.lacks(inside, None) {
            return None;
        }
        if path.parts.len() == 1 {
            names.extend(BUILT_IN.iter().map(|(name, _)| (*name).to_owned()));
        }
        let mut d =
            Diagnostic::new(&codes::UNKNOWN_TYPE, name.span, format!("there is no type or entity `{}`", name.text))
                .label("not found")
                .help(
                    "types are `text`, `decimal`, `net`, `date` …, or entities and enumerations of what the file uses",
                );
        let meant = CALLED_ELSEWHERE.iter().find(|(theirs, _)| name.text.eq_ignore_ascii_case(theirs));
        if let (Some((_, ours)), 1) = (meant, path.parts.len()) {
            d = d.help(format!("here it is called `{ours}`"));
            if !ours.contains('…') {
                d = d.fix(format!("use `{ours}`"), name.span, *ours);
            }
        } else if let Some(near) = suggest::hint(&name.text, names) {
            d = d.fix(format!("use `{near}`"), name.span, near);
        }
        self.report(d);
        None
    }

    /// The entity or enumeration that a module declares under a name.
    pub(crate) fn type_item(&mut self, module: ModuleId, name: &str) -> Option<TypeItem> {
        if let Some(item) = self.types.get(&module).and_then(|types| types.get(name)) {
            return Some(item.clone());
        }
        let decl = self.modules.named(module, Space::Type, name).into_iter().next()?;
        let item = match &decl.kind {
            ast::DeclKind::Enum(e) => TypeItem::Enum(Arc::new(enum_type(e))),
            ast::DeclKind::Entity(_) => TypeItem::Entity(self.add_entity(module, &decl)),
            _ => return None,
        };
        self.types.entry(module).or_default().insert(name.to_owned(), item.clone());
        Some(item)
    }

    /// How messages call a type.
    pub(crate) fn show(&self, ty: &Type) -> String {
        match ty {
            Type::Unknown | Type::Never => "anything".into(),
            Type::Nothing => "`none`".into(),
            Type::Bool => "yes or no".into(),
            Type::Int => "a whole number".into(),
            Type::Decimal => "a decimal".into(),
            Type::Literal => "a number".into(),
            Type::Fraction => "a number with decimals".into(),
            Type::Percent => "a rate in percent".into(),
            Type::Money(Kind::Net) => "a net amount".into(),
            Type::Money(Kind::Gross) => "a gross amount".into(),
            Type::Money(Kind::Tax) => "an amount of tax".into(),
            Type::Price => "a price (net and gross)".into(),
            Type::Entered(entity, field) => {
                let entity = self.program.entity(*entity);
                format!("an amount that is net or gross as `{}.{}` says", entity.name, entity.get(*field).name)
            }
            Type::Text(None) => "text".into(),
            Type::Text(Some(n)) => format!("text of at most {n} characters"),
            Type::Date => "a date".into(),
            Type::Instant => "an instant".into(),
            Type::Duration => "a duration".into(),
            Type::Guid => "a guid".into(),
            Type::Country => "a country".into(),
            Type::Currency => "a currency".into(),
            Type::Email => "an e-mail address".into(),
            Type::Json => "json".into(),
            Type::Enum(e) if e.name.is_empty() => {
                let values: Vec<String> = e.values.iter().map(|v| format!("\"{}\"", v.code)).collect();
                values.join(" | ")
            }
            Type::Enum(e) => format!("one of {}", e.name),
            Type::List(inner) => match &**inner {
                Type::Enum(e) if !e.name.is_empty() => format!("a list of {}", e.name),
                inner => format!("a list of {}", plural(&self.show(inner))),
            },
            Type::Record(id) => self.program.entity(*id).full_name(),
            Type::Code(id) => format!("the code of {}", self.program.entity(*id).full_name()),
            Type::FieldOf(id) => format!("the name of a field of {}", self.program.entity(*id).full_name()),
            // Of a list, the other words are about its elements.
            Type::Optional(inner) => match self.show(inner) {
                shown if shown.ends_with(MAY_BE_ABSENT) => format!("{shown}, and may itself be absent"),
                shown => format!("{shown} {MAY_BE_ABSENT}"),
            },
        }
    }
}

/// `a date` becomes `dates`; what has no article stays as it is.
fn plural(shown: &str) -> String {
    let one = shown.strip_prefix("a ").or_else(|| shown.strip_prefix("an "));
    match one {
        Some(one) if one.ends_with('y') => format!("{}ies", &one[..one.len() - 1]),
        Some(one) if !one.contains(' ') => format!("{one}s"),
        Some(one) => one.to_owned(),
        None => shown.to_owned(),
    }
}

/// A text as it stands in JSON.
pub(crate) fn json_text(text: &str) -> Arc<str> {
    serde_json::Value::from(text).to_string().into()
}

/// The enumeration that is written there.
pub(crate) fn enum_type(e: &ast::Enum) -> EnumType {
    let values = e
        .values
        .iter()
        .map(|(code, wire)| EnumValue {
            code: Arc::clone(&code.value),
            wire: match wire.as_ref().map(|w| &w.kind) {
                Some(ast::ExprKind::Number(n)) => Arc::clone(n),
                Some(ast::ExprKind::Text(parts)) => match parts.as_slice() {
                    [ast::TextPart::Plain(text)] => json_text(text),
                    _ => json_text(""),
                },
                _ => json_text(&code.value),
            },
        })
        .collect();
    EnumType { name: Arc::clone(&e.name.text), open: e.open, values }
}

impl Checker<'_> {
    /// Gives an entity its number; its fields are read when somebody asks for them.
    pub(crate) fn add_entity(&mut self, module: ModuleId, decl: &Arc<ast::Decl>) -> EntityId {
        let id = EntityId::from(self.program.entities.len());
        let ast::DeclKind::Entity(e) = &decl.kind else { unreachable!("only entities are added here") };
        let library = self.modules.get(module).origin == Origin::Library;
        let connector = if library { Arc::clone(&self.modules.get(module).name) } else { "".into() };
        self.program.entities.push(Entity::new(connector, Arc::clone(&e.name.text), e.name.span));
        self.entity_states.push((State::Named, module, Some(Arc::clone(decl))));
        id
    }
}

/// The type without the mark that it may be absent.
pub(crate) fn present(ty: &ast::Type) -> &ast::Type {
    match &ty.kind {
        TypeKind::Optional(inner) => present(inner),
        _ => ty,
    }
}
