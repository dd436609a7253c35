//! Keys that tell records apart: their fields depend on the record that they are made from.

use crate::ir::{Expr, ExprKind, Key, LocalId, Mapping, Program, Step, StepKind, Type, When, children};
use crate::source::{Diagnostic, codes};
use std::collections::BTreeSet;

/// A key of a mapping with parameters says which of its records is meant: with the same key for all of them, every
/// record would become the one that was first. A mapping without parameters makes one record on purpose.
pub(super) fn differ(program: &Program, mapping: &Mapping, told: &mut Vec<Diagnostic>) {
    let steps = &mapping.steps;
    if mapping.params.is_empty() {
        return;
    }
    let mut from_source: BTreeSet<LocalId> = mapping.params.iter().map(|(_, _, local)| *local).collect();
    for step in steps {
        if let StepKind::Let(local, value) = &step.kind
            && depends(value, &mut from_source, steps)
        {
            from_source.insert(*local);
        }
    }
    for key in &mapping.header.keys {
        let Key::By(fields) = key else { continue };
        let values: Vec<(&Step, &Expr)> = fields.iter().filter_map(|k| value_of(steps, k.field)).collect();
        // What is not filled is told elsewhere.
        if values.len() != fields.len() || values.iter().any(|(_, v)| depends(v, &mut from_source, steps)) {
            continue;
        }
        let target = program.entity(mapping.target);
        let names: Vec<String> = fields.iter().map(|k| format!("`{}`", target.get(k.field).name)).collect();
        let at = values.first().map_or(mapping.span, |(step, _)| step.span);
        let message =
            format!("the key {} is the same for every record: all of them would become one", names.join(", "));
        told.push(
            Diagnostic::new(&codes::KEY_CONSTANT, at, message)
                .label("nothing of the source in it")
                .help("put something of the source into it that no other record has, such as its number; a mapping that makes one record for all has no parameters"),
        );
    }
}

/// What fills a field when the record is created.
fn value_of(steps: &[Step], field: crate::ir::FieldId) -> Option<(&Step, &Expr)> {
    steps.iter().find_map(|step| match &step.kind {
        StepKind::Assign { path, value, when: When::Always | When::Create } if path.as_slice() == [field] => {
            Some((step, value))
        }
        _ => None,
    })
}

/// Whether a value differs with the source, as far as can be seen.
fn depends(value: &Expr, from_source: &mut BTreeSet<LocalId>, steps: &[Step]) -> bool {
    match &value.kind {
        ExprKind::Local(local) => from_source.contains(local),
        ExprKind::It(field) => {
            // A field that fills itself is a mistake of its own.
            value_of(steps, *field)
                .is_some_and(|(_, v)| !matches!(v.kind, ExprKind::It(_)) && depends(v, from_source, steps))
        }
        ExprKind::ItSelf | ExprKind::Was | ExprKind::Keep => true,
        ExprKind::Let(local, inner, body) => {
            if depends(inner, from_source, steps) {
                from_source.insert(*local);
            }
            depends(body, from_source, steps)
        }
        _ => {
            // What was not understood may well differ, and a key that is absent is not tried.
            let mut found = matches!(value.ty, Type::Unknown | Type::Nothing);
            children(value, &mut |child| found = found || depends(child, from_source, steps));
            found
        }
    }
}
