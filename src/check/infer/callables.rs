//! What can be called: functions, parts and mappings of a name, told apart by what they take first.

use crate::check::infer::frame::Infer;
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::ModuleId;
use crate::check::resolve::suggest;
use crate::ir::{EntityId, Expr, Native, Type};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, DeclKind, ExprKind as A, Name, Param};
use std::sync::Arc;
/// Something that can be called: where it is, and its declaration.
pub(crate) type Callable = (InstanceId, Arc<ast::Decl>);

impl Infer<'_, '_> {
    /// All functions, parts and mappings of that name in these instances: the first instance that has any.
    pub(crate) fn callables(&mut self, instances: &[InstanceId], name: &str) -> Vec<Callable> {
        let mut all = Vec::new();
        for instance in instances {
            let module = self.cx.module_of(*instance);
            let found = self.cx.modules.named(module, Space::Call, name);
            if !found.is_empty() {
                self.cx.mark_used(*instance, "call", name);
            }
            all.extend(found.into_iter().map(|d| (*instance, d)));
            if *instance == self.inside && !all.is_empty() {
                break;
            }
        }
        all
    }

    pub(crate) fn entity_in(&mut self, instances: &[InstanceId], name: &str) -> Option<EntityId> {
        instances.iter().find_map(|i| {
            let module = self.cx.module_of(*i);
            match self.cx.type_item(module, name) {
                Some(crate::check::resolve::checker::TypeItem::Entity(id)) => Some(id),
                _ => None,
            }
        })
    }

    /// Whether the first parameter of a callable takes a value of that type.
    pub(crate) fn takes_first(&mut self, instance: InstanceId, decl: &ast::Decl, ty: &Type) -> bool {
        let Some(first) = params_of(decl).first() else { return false };
        let want = self.cx.type_of(instance, &first.ty);
        match (want.present(), ty.present()) {
            (Type::Unknown, _) => true,
            (Type::Record(a), Type::Record(b)) => {
                a == b || {
                    let (a, b) = (*a, *b);
                    self.cx.read_entity(a);
                    self.cx.read_entity(b);
                    crate::check::types::entity::is_view_of(self.cx.program.entity(a), self.cx.program.entity(b))
                }
            }
            (Type::Record(a), Type::Code(b)) => a == b,
            (want, ty) => crate::check::types::relations::comparable(want, ty),
        }
    }

    pub(crate) fn unknown_function(&mut self, name: &Name, visible: &[InstanceId], call: Span) {
        if visible.first() == Some(&self.inside) && self.cx.lacks(self.inside, None) {
            return;
        }
        let mut names: Vec<String> = Native::ALL.iter().map(|n| n.name().to_owned()).collect();
        for instance in visible {
            let module = self.cx.module_of(*instance);
            names.extend(self.cx.modules.names(module, Space::Call));
            names.extend(self.cx.modules.names(module, Space::Type));
        }
        let mut d = Diagnostic::new(
            &codes::UNKNOWN_FUNCTION,
            name.span,
            format!("there is no function `{}` for this", name.text),
        )
        .label("not found");
        let lookup = visible.iter().any(|i| {
            let module = self.cx.module_of(*i);
            self.cx.modules.names(module, Space::Lookup).iter().any(|n| **n == *name.text)
        });
        if lookup {
            d = self.asked_with_brackets(d, &name.text, name.span, call);
            self.cx.report(d);
            return;
        }
        let meant = crate::check::infer::fixes::function_meant(&name.text);
        d = match suggest::hint(&name.text, names) {
            Some(near) if near != *name.text && meant.is_none() => {
                d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), name.span, near)
            }
            Some(near) if near == *name.text => d.help("there is one of that name, but for another type of value"),
            _ if meant.is_some() => d.help(format!("here it is called `{}`", meant.unwrap_or_default())),
            _ => d.help("declare it with `fn`, or `use` the file that does; a field has no brackets"),
        };
        self.cx.report(d);
    }

    /// The entities that a part is for.
    pub(crate) fn part_targets(&mut self, instance: InstanceId, part: &ast::Fields) -> Vec<EntityId> {
        part.targets
            .iter()
            .filter_map(|path| match self.cx.named_type(instance, path) {
                Some(crate::check::resolve::checker::TypeItem::Entity(id)) => Some(id),
                _ => None,
            })
            .collect()
    }

    /// The part that an `include` takes over, where it is seen from, and what it is given.
    pub(crate) fn part_called<'e>(&mut self, call: &'e ast::Expr) -> Option<(Callable, &'e [ast::Arg])> {
        let A::Call(callee, args) = &call.kind else {
            self.cx.say(
                &codes::MISPLACED,
                call.span,
                "`include` takes a part over: it needs a call",
                "write `include name(arguments)`",
            );
            return None;
        };
        let (instances, name) = match &callee.kind {
            A::Name(name) => (self.cx.visible(self.inside), name),
            A::Field(of, name, _) => match &of.kind {
                A::Name(alias) => match self.cx.used_instance(self.inside, &alias.text) {
                    Some(instance) => (vec![instance], name),
                    None => {
                        self.cx.unknown_alias(self.inside, alias);
                        return None;
                    }
                },
                _ => return None,
            },
            _ => return None,
        };
        let mut found = self.callables(&instances, &name.text).into_iter();
        let found = found.find(|(_, d)| matches!(d.kind, DeclKind::Fields(_)));
        if found.is_none() {
            self.unknown_function(name, &instances, call.span);
        }
        Some((found?, args))
    }

    pub(crate) fn fits_part(&mut self, instance: InstanceId, part: &ast::Fields, entity: EntityId, span: Span) {
        let targets = self.part_targets(instance, part);
        if targets.len() == part.targets.len() && !targets.contains(&entity) {
            let names: Vec<String> = targets.iter().map(|t| self.cx.program.entity(*t).full_name()).collect();
            let message = format!(
                "`{}` is a part of {}, not of {}",
                part.name.text,
                names.join(", "),
                self.cx.program.entity(entity).full_name()
            );
            self.cx.report(
                Diagnostic::new(&codes::WRONG_ENTITY, span, message)
                    .related(part.name.span, "declared here")
                    .help("add the entity after `for`, or use another part"),
            );
        }
    }
}

/// Two arguments that fit only each other's parameters.
pub(crate) fn changed_places(values: &[Expr], types: &[Type]) -> Option<(usize, usize)> {
    let fits = |value: usize, param: usize| {
        let (value, param) = (values[value].ty.present(), types[param].present());
        matches!(value, Type::Unknown | Type::Never | Type::Nothing)
            || crate::check::types::relations::join(value, param).is_some()
            || matches!((value, param), (Type::Record(_), Type::Record(_)))
    };
    let n = values.len().min(types.len());
    let wrong: Vec<usize> = (0..n).filter(|a| !fits(*a, *a)).collect();
    let pairs = wrong.iter().flat_map(|a| wrong.iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a < b).find(|(a, b)| fits(*a, *b) && fits(*b, *a))
}

/// The parameters of what can be called.
pub(crate) fn params_of(decl: &ast::Decl) -> &[Param] {
    match &decl.kind {
        DeclKind::Fn(f) => &f.params,
        DeclKind::Extern(f) => &f.params,
        DeclKind::Mapping(m) => &m.params,
        DeclKind::Fields(f) => &f.params,
        _ => &[],
    }
}

/// A lookup that is asked: where it is, if it is anywhere, and its name.
pub(crate) type Asked<'a> = Option<(Option<InstanceId>, &'a Name)>;

impl Infer<'_, '_> {
    /// The lookup that is meant by what stands before `[`; none where that is a value. `Err`: a name that means nothing.
    pub(crate) fn lookup_meant<'a>(&mut self, of: &'a ast::Expr) -> Result<Asked<'a>, &'a Name> {
        Ok(match &of.kind {
            A::Name(name) if self.value_named(&name.text).is_none() => {
                let visible = self.cx.visible(self.inside);
                let mut with = visible.into_iter().filter(|i| {
                    let module = self.cx.module_of(*i);
                    !self.cx.modules.named(module, Space::Lookup, &name.text).is_empty()
                });
                let (first, others): (Option<InstanceId>, Vec<InstanceId>) = (with.next(), with.collect());
                if let Some(first) = first.filter(|first| *first != self.inside && !others.is_empty()) {
                    let modules: Vec<ModuleId> =
                        std::iter::once(&first).chain(&others).map(|i| self.cx.module_of(*i)).collect();
                    self.cx.several(name, &modules);
                }
                Some((first, name))
            }
            A::Field(alias, name, false) => match &alias.kind {
                A::Name(alias) if self.value_named(&alias.text).is_none() && &*alias.text != "settings" => {
                    match self.cx.used_instance(self.inside, &alias.text) {
                        Some(instance) => Some((Some(instance), name)),
                        None => return Err(alias),
                    }
                }
                _ => None,
            },
            _ => None,
        })
    }
}
