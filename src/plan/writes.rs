//! Who fills the fields of an entity: mappings and the lines of theirs that do.

use super::walk::each_of_mapping;
use crate::ir::{EntityId, ExprKind, FieldId, Program, Step, StepKind, Type};
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A line that fills a field, and the mapping that comes through it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Writer {
    /// `orders.sales_order`.
    pub mapping: Arc<str>,
    /// The line.
    pub span: Span,
}

/// The lines that fill each field of an entity, whether a mapping makes it or it is a part of what one makes.
pub fn writers(program: &Program, entity: EntityId) -> BTreeMap<FieldId, BTreeSet<Writer>> {
    let mut found: BTreeMap<FieldId, BTreeSet<Writer>> = BTreeMap::new();
    for mapping in &program.mappings {
        let mut fills = |of: EntityId, steps: &[Step]| {
            for (field, span) in filled(program, of, steps, entity) {
                found.entry(field).or_default().insert(Writer { mapping: Arc::clone(&mapping.name), span });
            }
        };
        fills(mapping.target, &mapping.steps);
        each_of_mapping(mapping, &mut |expr| {
            if let ExprKind::Build(builder) = &expr.kind {
                fills(builder.entity, &builder.steps);
            }
        });
    }
    found
}

/// The fields of `wanted` that these steps over `of` fill: by themselves, or on the way to a field of a part.
fn filled(program: &Program, of: EntityId, steps: &[Step], wanted: EntityId) -> Vec<(FieldId, Span)> {
    let mut found = Vec::new();
    for step in steps {
        let StepKind::Assign { path, .. } = &step.kind else { continue };
        let mut owner = Some(of);
        for field in path {
            let Some(entity) = owner else { break };
            if entity == wanted {
                found.push((*field, step.span));
            }
            owner = match program.entity(entity).get(*field).ty.present() {
                Type::Record(part) => Some(*part),
                _ => None,
            };
        }
    }
    found
}
