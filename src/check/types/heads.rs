//! Heads of mappings and lookups: what others need to know of them. Their bodies are read when all that is named has a
//! head, so that no declaration waits for another.

use crate::check::resolve::checker::{Checker, TypeItem, Unread};
use crate::check::resolve::instances::InstanceId;
use crate::check::resolve::items::Space;
use crate::check::resolve::modules::Origin;
use crate::ir::{Grows, Header, Lookup, LookupId, Mapping, MappingId, OnChange, Overwrite, Type, Verb};
use crate::source::Span;
use crate::syntax::ast::DeclKind;
use std::sync::Arc;

impl Checker<'_> {
    /// The mapping of that name of an instance.
    pub(crate) fn mapping_head(&mut self, instance: InstanceId, name: &str) -> Option<MappingId> {
        if let Some(id) = self.mappings.get(&(instance, name.to_owned())) {
            return Some(*id);
        }
        let module = self.module_of(instance);
        let mut named = self.modules.named(module, Space::Call, name).into_iter();
        let decl = named.find(|d| matches!(d.kind, DeclKind::Mapping(_)))?;
        let DeclKind::Mapping(m) = &decl.kind else { return None };
        let Some(TypeItem::Entity(target)) = self.named_type(instance, &m.target) else { return None };
        self.read_entity(target);
        let connector = Arc::clone(&self.program.entity(target).connector);
        let id = MappingId(u32::try_from(self.program.mappings.len()).unwrap_or(u32::MAX));
        let mapping = Mapping {
            name: format!("{}.{name}", self.instance(instance).name).into(),
            target,
            connection: self.connection(instance, &connector),
            params: Vec::new(),
            locals: 0,
            header: blank_header(m.name.span),
            steps: Vec::new(),
            balance: None,
            then: Vec::new(),
            span: m.name.span,
        };
        self.program.mappings.push(mapping);
        self.mappings.insert((instance, name.to_owned()), id);
        self.unread.push_back(Unread::Mapping(id, instance, Arc::clone(&decl)));
        Some(id)
    }

    /// The lookup of that name of an instance.
    pub(crate) fn lookup_head(&mut self, instance: InstanceId, name: &str) -> Option<LookupId> {
        self.mark_used(instance, "lookup", name);
        self.facts.reads_lookup(instance, name);
        if let Some(id) = self.lookups.get(&(instance, name.to_owned())) {
            return Some(*id);
        }
        let module = self.module_of(instance);
        let decl = self.modules.named(module, Space::Lookup, name).into_iter().next()?;
        let DeclKind::Lookup(lookup) = &decl.kind else { return None };
        let keys: Vec<(Arc<str>, Type)> =
            lookup.keys.iter().map(|k| (Arc::clone(&k.name.text), self.type_of(instance, &k.ty))).collect();
        let result = self.type_of(instance, &lookup.result);
        let id = LookupId(u32::try_from(self.program.lookups.len()).unwrap_or(u32::MAX));
        let own = self.modules.get(module).origin == Origin::Project;
        self.program.lookups.push(Lookup {
            name: format!("{}.{name}", self.instance(instance).name).into(),
            keys,
            result,
            rows: Vec::new(),
            grows: if own { Grows::Here } else { Grows::Adapted },
            span: lookup.name.span,
        });
        self.lookups.insert((instance, name.to_owned()), id);
        self.unread.push_back(Unread::Lookup(id, instance, Arc::clone(&decl)));
        Some(id)
    }
}

/// The header of a mapping that has said nothing yet.
pub(crate) fn blank_header(span: Span) -> Header {
    Header {
        verb: Verb::CreateOnce,
        keys: Vec::new(),
        accept: None,
        prefer: Vec::new(),
        prefer_newest: None,
        overwrite: Overwrite::Changed,
        overwrite_fields: None,
        on_change: OnChange::Alert,
        otherwise: None,
        span,
    }
}
