//! What is selected of an entity: what the flow reads, and what its updates compare.

use super::context::Pass;
use crate::engine::decide::owner;
use crate::ir::{EntityId, Mapping, OnChange, StepKind, Type, Verb};

impl Pass {
    /// What is selected of an entity: what the flow reads, and what its updates compare.
    pub(crate) fn fields(&self, entity: EntityId) -> Vec<String> {
        let mut names = self.reads.wire_names(self.program(), entity);
        for mapping in self.program().mappings.iter().filter(|m| m.target == entity) {
            let updates = match mapping.header.verb {
                Verb::Upsert | Verb::Update => true,
                Verb::CreateOnce => matches!(mapping.header.on_change, OnChange::Update { .. }),
                Verb::CreateUnless(_) | Verb::Delete(_) => false,
            };
            if updates {
                names.extend(self.assigned(mapping));
            }
        }
        names.extend(self.also.get(&entity).into_iter().flatten().cloned());
        let schema = self.program().entity(entity);
        if self.program().mappings.iter().any(|m| m.target == entity) {
            // By them it is told whose a copy is.
            names.extend(owner::identity(schema).map(|field| field.wire.to_string()));
        }
        names.extend(schema.key.into_iter().map(|key| schema.get(key).wire.to_string()));
        if entity == self.flow().source {
            names.extend(schema.feed.as_ref().map(|feed| schema.get(feed.by).wire.to_string()));
        }
        names.sort_unstable();
        names.dedup();
        // Who selects a field whole needs not select its parts.
        let whole = names.clone();
        names.retain(|name| !name.rmatch_indices('.').any(|(at, _)| whole.iter().any(|w| *w == name[..at])));
        names
    }

    /// Wire names of what a mapping fills; lists of what stands alone are another resource.
    fn assigned(&self, mapping: &Mapping) -> Vec<String> {
        let program = self.program();
        let mut names = Vec::new();
        for step in &mapping.steps {
            let StepKind::Assign { path, .. } = &step.kind else { continue };
            let mut entity = mapping.target;
            let mut wire = Vec::new();
            for field in path {
                let Some(field) = program.entity(entity).fields.get(field.0 as usize) else { break };
                if field.meta.is_some() {
                    wire.extend(program.entries_of(program.entity(entity)).map(|entries| entries.list.to_string()));
                    break;
                }
                let stands_alone = |ty: &Type| matches!(ty.element().map(Type::present), Some(Type::Record(e)) if program.entity(*e).route.is_some());
                if field.write_only || stands_alone(field.ty.present()) {
                    wire.clear();
                    break;
                }
                wire.push(field.wire.to_string());
                if let Type::Record(part) = field.ty.present() {
                    entity = *part;
                }
            }
            if !wire.is_empty() {
                names.push(wire.join("."));
            }
        }
        names
    }
}
