//! Types: what is written becomes what is meant, how messages call it, and what fits where.

use super::cx::{Cx, InstanceId, TypeItem};
use super::load::{ModuleId, Space};
use super::suggest;
use crate::ir::{EnumType, EnumValue, Kind, Type};
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

impl Cx<'_> {
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

    /// A bare name that several of the used modules declare.
    pub(crate) fn several(&mut self, name: &ast::Name, modules: &[ModuleId]) {
        let places: Vec<String> =
            modules.iter().map(|m| format!("`{}.{}`", self.modules.get(*m).name, name.text)).collect();
        let message = format!("`{}` could be any of {}", name.text, places.join(", "));
        self.report(
            Diagnostic::new(&codes::AMBIGUOUS, name.span, message)
                .label("several have that name")
                .help("say which, with the name under which this file uses it: `name.…`"),
        );
    }

    /// `alias.` that the file does not use.
    pub(crate) fn unknown_alias(&mut self, inside: InstanceId, alias: &ast::Name) {
        if self.lacks(inside, Some(&alias.text)) {
            return;
        }
        let names = self.aliases(inside);
        let d = Diagnostic::new(
            &codes::UNKNOWN_NAME,
            alias.span,
            format!("`{}` is neither a value here nor something that this file uses", alias.text),
        )
        .label("not found");
        if let Some(module) = self.modules.called(&alias.text) {
            self.report(self.offer_use(d, inside, &module));
            return;
        }
        let mut d = d.help(if names.is_empty() {
            "write a `use` line for it".to_owned()
        } else {
            format!("this file uses: {}", names.join(", "))
        });
        if let Some(near) = suggest::hint(&alias.text, names) {
            d = d.fix(format!("use `{near}`"), alias.span, near);
        }
        self.report(d);
    }

    /// The entity or enumeration that a module declares under a name.
    pub(crate) fn type_item(&mut self, module: ModuleId, name: &str) -> Option<TypeItem> {
        if let Some(item) = self.types.get(&(module, name.to_owned())) {
            return Some(item.clone());
        }
        let decl = self.modules.named(module, Space::Type, name).into_iter().next()?;
        let item = match &decl.kind {
            ast::DeclKind::Enum(e) => TypeItem::Enum(Arc::new(enum_type(e))),
            ast::DeclKind::Entity(_) => TypeItem::Entity(self.add_entity(module, &decl)),
            _ => return None,
        };
        self.types.insert((module, name.to_owned()), item.clone());
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
            Type::Percent => "a rate in percent".into(),
            Type::Money(Kind::Net) => "a net amount".into(),
            Type::Money(Kind::Gross) => "a gross amount".into(),
            Type::Money(Kind::Tax) => "an amount of tax".into(),
            Type::Price => "a price (net and gross)".into(),
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
            Type::Optional(inner) => format!("{} that may be absent", self.show(inner)),
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

/// The type that two branches have together; none where they have none.
pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
    use Type as T;
    Some(match (a, b) {
        (T::Unknown, _) | (_, T::Unknown) => T::Unknown,
        (T::Never, other) | (other, T::Never) => other.clone(),
        (T::Nothing, other) | (other, T::Nothing) => other.clone().optional(),
        (T::Optional(x), y) | (y, T::Optional(x)) => join(x, y.present())?.optional(),
        (x, y) if x == y => x.clone(),
        (T::Text(x), T::Text(y)) => T::Text(x.zip(*y).map(|(x, y)| x.max(y))),
        (T::Literal, number) | (number, T::Literal) if number.is_number() => number.clone(),
        (T::Int, T::Decimal) | (T::Decimal, T::Int) => T::Decimal,
        (T::List(x), T::List(y)) => T::List(Arc::new(join(x, y)?)),
        (T::Code(x), T::Record(y)) | (T::Record(y), T::Code(x)) if x == y => T::Record(*x),
        (T::Enum(x), T::Enum(y)) if y.values.iter().all(|v| x.values.iter().any(|w| w.code == v.code)) => a.clone(),
        (T::Enum(x), T::Enum(y)) if x.values.iter().all(|v| y.values.iter().any(|w| w.code == v.code)) => b.clone(),
        (x, y) if x.is_text() && y.is_text() => T::Text(longest(x).zip(longest(y)).map(|(x, y)| x.max(y))),
        _ => return None,
    })
}

/// The most characters that a value of a type has, where that is known.
pub(crate) fn longest(ty: &Type) -> Option<u32> {
    match ty {
        Type::Text(n) => *n,
        Type::Country => Some(2),
        Type::Currency => Some(3),
        Type::Guid => Some(36),
        Type::Date => Some(10),
        Type::Instant => Some(30),
        Type::Int => Some(20),
        Type::Bool => Some(3),
        Type::Enum(e) if !e.open => {
            e.values.iter().map(|v| u32::try_from(v.code.chars().count()).unwrap_or(u32::MAX)).max()
        }
        _ => None,
    }
}
