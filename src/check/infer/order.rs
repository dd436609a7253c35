//! The order of steps: a field that another one reads of `it` is filled before it, wherever its line stands.

use crate::check::infer::changes::Steps;
use crate::check::infer::frame::Infer;
use crate::ir::{EntityId, Expr, ExprKind, FieldId, LocalId, Step, StepKind, When, children};
use crate::source::{Diagnostic, codes};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;

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
}

/// The steps that fill the fields and name the values.
#[derive(Default)]
struct Fillers {
    fields: FxHashMap<FieldId, Vec<usize>>,
    locals: FxHashMap<LocalId, usize>,
}

impl Fillers {
    fn of(steps: &[Step]) -> Self {
        let mut fillers = Self::default();
        for (n, step) in steps.iter().enumerate() {
            match &step.kind {
                StepKind::Let(local, _) => drop(fillers.locals.insert(*local, n)),
                StepKind::Assign { path, .. } => {
                    path.first().into_iter().for_each(|field| fillers.fields.entry(*field).or_default().push(n));
                }
                StepKind::Check(..) | StepKind::Alert(..) => {}
            }
        }
        fillers
    }

    /// The steps that come before the one that reads this.
    fn before(&self, reads: &Reads) -> BTreeSet<usize> {
        let fields = reads.fields.iter().filter_map(|field| self.fields.get(field)).flatten();
        fields.chain(reads.locals.iter().filter_map(|local| self.locals.get(local))).copied().collect()
    }
}

impl Infer<'_, '_> {
    /// The steps that fill an entity as they stand, but for those that wait for what a later one fills. `before`:
    /// how many fields in the making had been read before the first of them.
    pub(crate) fn in_order(&mut self, entity: EntityId, steps: Steps, before: usize) -> Vec<Step> {
        let reads_it = self.reads_it.iter().skip(before).any(|of| *of == entity);
        let (changed, steps) = (steps.changed, steps.made);
        if !reads_it && !changed {
            return steps;
        }
        let fillers = Fillers::of(&steps);
        let needs: Vec<BTreeSet<usize>> = steps.iter().map(|step| fillers.before(&Reads::of(step))).collect();
        if needs.iter().enumerate().all(|(n, before)| before.iter().all(|other| *other < n)) {
            return steps;
        }
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
        let mut open: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
        for (n, before) in needs.iter().enumerate() {
            before.iter().for_each(|other| followers[*other].push(n));
        }
        let mut ready: BTreeSet<usize> = (0..steps.len()).filter(|n| open[*n] == 0).collect();
        let mut order = Vec::with_capacity(steps.len());
        while let Some(n) = ready.pop_first() {
            order.push(n);
            for follower in &followers[n] {
                open[*follower] -= 1;
                if open[*follower] == 0 {
                    ready.insert(*follower);
                }
            }
        }
        if let Some(first) = (0..steps.len()).find(|n| open[*n] > 0) {
            let other = needs[first].iter().find(|other| open[**other] > 0).copied().unwrap_or(first);
            self.circle(&steps[first], &steps[other]);
            order.extend((0..steps.len()).filter(|n| open[*n] > 0));
        }
        let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        order.into_iter().filter_map(|n| steps[n].take()).collect()
    }

    /// Neither of these can be first.
    fn circle(&mut self, first: &Step, other: &Step) {
        let d = Diagnostic::new(&codes::CYCLE, first.span, "this needs a field of `it` that needs it in turn")
            .label("can't be computed before the other")
            .related(other.span, "the other");
        // What the two hold is not known, and no second mistake.
        self.half_filled.extend(self.target);
        self.cx.report(d.help("compute the value once, with `let`, and fill both fields from it"));
    }
}
