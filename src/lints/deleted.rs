//! What is read of a record that is no longer there: its key, and what it became.

use crate::ir::{Expr, ExprKind, Flow, LocalId, MappingId, Program, Step, StepKind, each, of_flow, of_mapping};
use crate::source::{Diagnostic, codes};
use rustc_hash::FxHashSet;

/// Fields other than its key that a flow reads of what was deleted, through the mappings that it hands it to.
pub(super) fn read(program: &Program, flow: &Flow, told: &mut Vec<Diagnostic>) {
    let mut walk = Walk { program, flow, told, seen: FxHashSet::default(), todo: Vec::new() };
    let mut gone = FxHashSet::from_iter([flow.record]);
    named(&flow.steps, &mut gone);
    of_flow(flow, &mut |outer| walk.look(outer, &mut gone));
    while let Some((mapping, place)) = walk.todo.pop() {
        let mapping = program.mapping(mapping);
        let Some((.., local)) = mapping.params.get(place) else { continue };
        let mut gone = FxHashSet::from_iter([*local]);
        named(&mapping.steps, &mut gone);
        of_mapping(mapping, &mut |outer| walk.look(outer, &mut gone));
    }
}

struct Walk<'w> {
    program: &'w Program,
    flow: &'w Flow,
    told: &'w mut Vec<Diagnostic>,
    seen: FxHashSet<(MappingId, usize)>,
    /// Parameters of mappings that what is gone is handed to.
    todo: Vec<(MappingId, usize)>,
}

impl Walk<'_> {
    /// Further names of what is gone.
    fn names(&self, outer: &Expr, gone: &mut FxHashSet<LocalId>) {
        each(outer, &mut |e| {
            if let ExprKind::Let(local, value, _) = &e.kind
                && is_gone(value, gone)
            {
                gone.insert(*local);
            }
        });
    }

    fn look(&mut self, outer: &Expr, gone: &mut FxHashSet<LocalId>) {
        self.names(outer, gone);
        each(outer, &mut |e| match &e.kind {
            ExprKind::Field(of, entity, field)
                if is_gone(of, gone) && self.program.entity(*entity).key != Some(*field) =>
            {
                let entity = self.program.entity(*entity);
                let (field, full) = (&entity.get(*field).name, entity.full_name());
                let key = entity.key.map(|key| entity.get(key).name.to_string()).unwrap_or_default();
                self.told.push(
                    Diagnostic::new(
                        &codes::FLOW_SHAPE,
                        e.span,
                        format!("a {full} that was deleted has no `{field}` any more: its key alone is known"),
                    )
                    .related(self.flow.span, "this flow reads what was deleted")
                    .help(format!("name it by `{key}`, or by what it became: `was`, `E.linked(record)`")),
                );
            }
            ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
                for (place, _) in args.iter().enumerate().filter(|(_, arg)| is_gone(arg, gone)) {
                    if self.seen.insert((*mapping, place)) {
                        self.todo.push((*mapping, place));
                    }
                }
            }
            _ => {}
        });
    }
}

/// Names that steps give to what is gone.
fn named(steps: &[Step], gone: &mut FxHashSet<LocalId>) {
    for step in steps {
        if let StepKind::Let(local, value) = &step.kind
            && is_gone(value, gone)
        {
            gone.insert(*local);
        }
    }
}

fn is_gone(e: &Expr, gone: &FxHashSet<LocalId>) -> bool {
    matches!(&e.kind, ExprKind::Local(local) if gone.contains(local))
}
