//! Amounts without their currency: the other side would take its own.

use crate::ir::{Access, Currency, ExprKind, FieldId, Mapping, Program, Step, StepKind, When, each, of_steps};
use crate::source::{Diagnostic, codes};

/// An amount whose currency nobody fills is taken for one in the currency of the system.
pub(super) fn filled(program: &Program, mapping: &Mapping, told: &mut Vec<Diagnostic>) {
    let (target, steps) = (mapping.target, &mapping.steps);
    let assigned = |steps: &[Step]| -> Vec<FieldId> {
        let first = |step: &Step| match &step.kind {
            StepKind::Assign { path, when: When::Always | When::Create, .. } => path.first().copied(),
            _ => None,
        };
        steps.iter().filter_map(first).collect()
    };
    let filled = assigned(steps);
    let entity = program.entity(target);
    let currency = |field: FieldId| entity.get(field).currency.clone();
    let mut of = filled.iter().find_map(|field| match currency(*field) {
        Some(Currency::Here(currency)) => Some((currency, entity.get(*field).name.clone())),
        _ => None,
    });
    of_steps(steps, &mut |outer| {
        each(outer, &mut |e| {
            let ExprKind::Build(part) = &e.kind else { return };
            let lines = program.entity(part.entity);
            for field in assigned(&part.steps) {
                if let Some(Currency::Above(name)) = &lines.get(field).currency
                    && let Some(currency) = entity.field(name)
                {
                    of.get_or_insert((currency, lines.get(field).name.clone()));
                }
            }
        });
    });
    let Some((currency, amount)) = of.filter(|(currency, _)| !filled.contains(currency)) else { return };
    let field = entity.get(currency);
    if field.access == Access::ReadOnly {
        return;
    }
    let (name, declared) = (field.name.clone(), field.span);
    let message = format!("`{amount}` is filled, and `{name}`, its currency, is not: the system would take its own");
    told.push(
        Diagnostic::new(&codes::CURRENCY_NOT_FILLED, mapping.span, message)
            .label("amounts without their currency")
            .related(declared, "declared here")
            .help(format!("fill it: `{name} = order.currency`")),
    );
}
