//! The order of steps: a field that another one reads of `it` is filled before it, wherever its line stands.

use super::body::Body;
use crate::ir::{Expr, ExprKind, FieldId, LocalId, Step, StepKind, When, children};
use crate::source::{Diagnostic, codes};

/// What a step reads of the record in the making, and of the values that other steps name.
#[derive(Default)]
struct Reads {
    fields: Vec<FieldId>,
    locals: Vec<LocalId>,
}

impl Reads {
    fn of(step: &Step) -> Self {
        let mut reads = Self::default();
        match &step.kind {
            StepKind::Let(_, value) => reads.expr(value),
            StepKind::Assign { value, when, .. } => {
                if let When::Update(Some(cond)) = when {
                    reads.expr(cond);
                }
                reads.expr(value);
            }
            StepKind::Check(a, b) | StepKind::Alert(a, b) => {
                reads.expr(a);
                reads.expr(b);
            }
        }
        reads
    }

    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::It(field) => self.fields.push(*field),
            ExprKind::Local(local) => self.locals.push(*local),
            // `it` is another record there.
            ExprKind::Build(builder) => builder.steps.iter().for_each(|step| self.locals.extend(Self::of(step).locals)),
            _ => {}
        }
        if !matches!(e.kind, ExprKind::Build(_)) {
            children(e, &mut |child| self.expr(child));
        }
    }

    /// Whether that step comes before the one that reads this.
    fn need(&self, step: &Step) -> bool {
        match &step.kind {
            StepKind::Let(local, _) => self.locals.contains(local),
            StepKind::Assign { path, .. } => path.first().is_some_and(|field| self.fields.contains(field)),
            StepKind::Check(..) | StepKind::Alert(..) => false,
        }
    }
}

impl Body<'_, '_> {
    /// The steps as they stand, but for those that wait for what a later one fills.
    pub(super) fn in_order(&mut self, steps: Vec<Step>) -> Vec<Step> {
        let reads: Vec<Reads> = steps.iter().map(Reads::of).collect();
        let mut left: Vec<(Step, Reads)> = steps.into_iter().zip(reads).collect();
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let ready = left.iter().position(|(_, reads)| !left.iter().any(|(other, _)| reads.need(other)));
            let next = ready.unwrap_or_else(|| {
                self.circle(&left);
                0
            });
            ordered.push(left.remove(next).0);
        }
        ordered
    }

    /// None of these can be first.
    fn circle(&mut self, left: &[(Step, Reads)]) {
        let Some((first, reads)) = left.first() else { return };
        let Some((other, _)) = left.iter().find(|(other, _)| reads.need(other)) else { return };
        let d = Diagnostic::new(&codes::CYCLE, first.span, "this needs a field of `it` that needs it in turn")
            .label("can't be computed before the other")
            .related(other.span, "the other");
        // What the two hold is not known, and no second mistake.
        self.half_filled.extend(self.target);
        self.cx.report(d.help("compute the value once, with `let`, and fill both fields from it"));
    }
}
