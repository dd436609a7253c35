//! Values that stand in a frame more than once, and those within a loop that are the same for many of its elements: each
//! has a place in the frame, and is computed when it is first looked at. The functions of a flow are copied into each
//! call, so that most of what a document is made of stands there for every field of every line.

use super::numbers::{Number, Numbers, Standing, address};
use crate::ir::{
    Balance, Expr, ExprKind, Flow, LocalId, Mapping, Native, Rest, Step, StepKind, When, children, each, known,
};
use rustc_hash::FxHashMap;

/// Steps that a value takes at least: what takes less is computed again as fast as it is looked up.
const COST_LEAST: u32 = 4;

/// The places of a frame's shared values.
#[derive(Default)]
pub(crate) struct Shared {
    /// By where the expression lies.
    places: FxHashMap<usize, u32>,
    /// Places of what depends on an element, by its local.
    of_element: FxHashMap<LocalId, Vec<u32>>,
    /// How many there are: they are the first of the frame.
    pub(crate) count: u32,
}

impl Shared {
    /// Those of a mapping: its steps, its balance and what follows. A header is looked at before the steps are done.
    pub(crate) fn of_mapping(mapping: &Mapping) -> Self {
        let mut roots = Roots::default();
        mapping.params.iter().for_each(|(_, _, local)| roots.numbers.hold_own(*local));
        roots.steps(&mapping.steps);
        if let Some(Balance { formula, to, within, otherwise, rest, .. }) = &mapping.balance {
            formula.iter().chain([to]).chain(within).chain(otherwise).for_each(|expr| roots.add(expr));
            if let Some(Rest::Line(_, line)) = rest {
                roots.add(line);
            }
        }
        mapping.then.iter().for_each(|expr| roots.add(expr));
        Self::new(&roots)
    }

    /// Those of a flow.
    pub(crate) fn of_flow(flow: &Flow) -> Self {
        let mut roots = Roots::default();
        roots.numbers.hold_own(flow.record);
        flow.filter.iter().for_each(|filter| roots.add(filter));
        roots.steps(&flow.steps);
        roots.add(&flow.write);
        Self::new(&roots)
    }

    /// The place of an expression's value.
    pub(crate) fn place(&self, expr: &Expr) -> Option<u32> {
        self.places.get(&address(expr)).copied()
    }

    /// The places of what depends on the element in a local.
    pub(crate) fn of_element(&self, local: LocalId) -> Box<[u32]> {
        self.of_element.get(&local).map_or_else(Box::default, |places| places.as_slice().into())
    }

    fn new(roots: &Roots<'_>) -> Self {
        let mut counts = FxHashMap::default();
        roots.exprs.iter().for_each(|expr| count(&roots.numbers, expr, None, &mut counts));
        let mut placing =
            Placing { numbers: &roots.numbers, counts, by_number: FxHashMap::default(), shared: Self::default() };
        roots.exprs.iter().for_each(|expr| placing.place(expr, None, None));
        placing.shared
    }
}

/// The outermost expressions of a frame, numbered.
#[derive(Default)]
struct Roots<'e> {
    numbers: Numbers,
    exprs: Vec<&'e Expr>,
}

impl<'e> Roots<'e> {
    fn add(&mut self, expr: &'e Expr) {
        self.numbers.number(expr);
        self.exprs.push(expr);
    }

    fn steps(&mut self, steps: &'e [Step]) {
        for step in steps {
            match &step.kind {
                StepKind::Let(local, value) => {
                    self.numbers.hold_of(*local, value);
                    self.exprs.push(value);
                }
                StepKind::Assign { value, when, .. } => {
                    if let When::Update(Some(cond)) = when {
                        self.add(cond);
                    }
                    self.add(value);
                }
                StepKind::Check(cond, text) | StepKind::Alert(cond, text) => {
                    self.add(cond);
                    self.add(text);
                }
            }
        }
    }
}

/// An expression that may have a place, where it stands. A local has one of its own, and so has what an outer expression
/// comes to as a whole.
fn may_share(numbers: &Numbers, expr: &Expr, outer: Option<Number>) -> Option<Standing> {
    let standing = numbers.standing(expr)?;
    let own = !matches!(expr.kind, ExprKind::Local(_)) && outer != Some(standing.number);
    (own && !standing.binds && standing.cost >= COST_LEAST).then_some(standing)
}

/// Whether it asks each element of a list that is known, and nothing beside that takes long: it is compiled for each, and
/// holds no places.
fn asks_constants(numbers: &Numbers, expr: &Expr) -> bool {
    let ExprKind::Native(Native::Any | Native::All, args) = &expr.kind else { return false };
    let [list, Expr { kind: ExprKind::Lambda(_, body), .. }] = &**args else { return false };
    let Some(own) = numbers.standing(body).filter(|_| known(list).is_some()) else { return false };
    let mut quick = true;
    each(body, &mut |e| {
        quick &= numbers.standing(e).is_some_and(|s| s.within == own.open || s.cost < COST_LEAST);
    });
    quick
}

/// Counts where values stand; what a value that has been counted is made of is not computed again.
fn count(numbers: &Numbers, expr: &Expr, outer: Option<Number>, counts: &mut FxHashMap<Number, u32>) {
    let standing = may_share(numbers, expr, outer);
    if let Some(Standing { number, .. }) = standing {
        let count = counts.entry(number).or_default();
        *count += 1;
        if *count > 1 {
            return;
        }
    }
    let outer = standing.map(|standing| standing.number).or(outer);
    if !asks_constants(numbers, expr) {
        children(expr, &mut |child| count(numbers, child, outer, counts));
    }
}

/// Places in the making.
struct Placing<'n> {
    numbers: &'n Numbers,
    counts: FxHashMap<Number, u32>,
    by_number: FxHashMap<Number, u32>,
    shared: Shared,
}

impl Placing<'_> {
    /// Places within an expression; `around` is the value with a place that it is a part of.
    fn place(&mut self, expr: &Expr, outer: Option<Number>, around: Option<Standing>) {
        let standing = may_share(self.numbers, expr, outer);
        let mut around = around;
        if let Some(own) = standing {
            // A loop between may ask for it again.
            let again = match around {
                None => own.open > own.within,
                Some(around) => around.within > own.within || own.open > around.open.max(own.within),
            };
            if again || self.counts.get(&own.number).is_some_and(|count| *count > 1) {
                if !self.give(expr, own) {
                    return;
                }
                around = standing;
            }
        }
        let outer = standing.map(|standing| standing.number).or(outer);
        if !asks_constants(self.numbers, expr) {
            children(expr, &mut |child| self.place(child, outer, around));
        }
    }

    /// Gives an expression the place of its value; whether it is the first.
    fn give(&mut self, expr: &Expr, standing: Standing) -> bool {
        let next = self.shared.count;
        let place = *self.by_number.entry(standing.number).or_insert(next);
        self.shared.count += u32::from(place == next);
        self.shared.places.insert(address(expr), place);
        if let Some(local) = standing.element {
            let places = self.shared.of_element.entry(local).or_default();
            if !places.contains(&place) {
                places.push(place);
            }
        }
        place == next
    }
}
