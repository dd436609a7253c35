//! Values by number: expressions of a frame that come to the same have one number, wherever they stand and whatever their
//! locals are called. What looks at more than its parts has none.

use crate::ir::{
    Builder, Const, Element, Expr, ExprKind, Find, ForClause, LocalId, Native, Pattern, StepKind, Type, When, accepts,
    children, known,
};
use rustc_hash::FxHashMap;
use std::mem::{Discriminant, discriminant, take};
use std::sync::Arc;

/// The number of a value.
pub(crate) type Number = u32;

/// Most loops within one another; what is deeper has no number.
const LOOPS_MAX: usize = 60;

/// What makes a value: what is done, what decides it, and the values that it is done with.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Const(Const),
    /// A value of its own, the n-th.
    Own(usize),
    /// An element of that list, in a loop within whose body so many stand in one another: outer loops have more than those
    /// within them, and the same loop has as many wherever it stands.
    Element(Number, usize),
    Made(Discriminant<ExprKind>, Vec<Fact>, Vec<Number>),
}

/// What decides a value beside those that it is made of.
#[derive(PartialEq, Eq, Hash)]
enum Fact {
    Id(u32),
    Type(Type),
    Text(Arc<str>),
    Native(Native),
    Pattern(Pattern),
}

/// A value where it stands.
#[derive(Clone, Copy)]
struct Here {
    number: Number,
    /// The loops that are open there on whose elements it depends, the outermost in the lowest bit.
    loops: u64,
}

/// An expression where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) number: Number,
    /// About how many steps it takes there.
    pub(crate) cost: u32,
    /// How many loops are open there.
    pub(crate) open: usize,
    /// The innermost loop on whose element it depends, counted from one; zero: it is the same in the whole frame.
    pub(crate) within: usize,
    /// The local of that element.
    pub(crate) element: Option<LocalId>,
    /// It gives a local its value, which is looked at beside it.
    pub(crate) binds: bool,
}

/// The values of a frame.
#[derive(Default)]
pub(crate) struct Numbers {
    numbers: FxHashMap<Key, Number>,
    /// Of each value, whether it gives a local its value, which is looked at beside it.
    binds: Vec<bool>,
    /// What locals hold.
    locals: FxHashMap<LocalId, Here>,
    /// Locals of the loops that are open, the outermost first.
    open: Vec<LocalId>,
    /// What was counted of the expression whose parts are looked at.
    cost: u32,
    /// By where the expression lies.
    standing: FxHashMap<usize, Standing>,
}

impl Numbers {
    /// An expression that has a number, where it stands.
    pub(crate) fn standing(&self, expr: &Expr) -> Option<Standing> {
        self.standing.get(&address(expr)).copied()
    }

    /// A local holds a value of its own.
    pub(crate) fn hold_own(&mut self, local: LocalId) {
        self.hold(local, None);
    }

    /// A local of the frame holds what an expression comes to.
    pub(crate) fn hold_of(&mut self, local: LocalId, expr: &Expr) {
        let here = self.of(expr);
        self.hold(local, here);
    }

    /// A local holds a value, as long as the loops stand where they do.
    fn hold(&mut self, local: LocalId, here: Option<Here>) {
        let here = here.unwrap_or_else(|| {
            let number = self.add(Key::Own(self.binds.len()), false);
            Here { number, loops: (1 << self.open.len()) - 1 }
        });
        self.locals.insert(local, here);
    }

    /// Numbers an expression, and all that it is made of.
    pub(crate) fn number(&mut self, expr: &Expr) {
        self.of(expr);
    }

    fn of(&mut self, expr: &Expr) -> Option<Here> {
        if self.open.len() > LOOPS_MAX {
            return None;
        }
        let before = take(&mut self.cost);
        let here = match known(expr) {
            Some(constant) => Some(Here { number: self.add(Key::Const(constant), false), loops: 0 }),
            None => self.made(expr),
        };
        let cost = self.cost;
        self.cost = cost.saturating_add(before);
        let Here { number, loops } = here?;
        let binds = self.binds[number as usize];
        let within = (u64::BITS - loops.leading_zeros()) as usize;
        let element = within.checked_sub(1).and_then(|n| self.open.get(n)).copied();
        let standing = Standing { number, cost, open: self.open.len(), within, element, binds };
        self.standing.insert(address(expr), standing);
        here
    }

    fn add(&mut self, key: Key, binds: bool) -> Number {
        let next = Number::try_from(self.binds.len()).unwrap_or(Number::MAX);
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.binds.push(binds);
        }
        number
    }

    fn made(&mut self, expr: &Expr) -> Option<Here> {
        let open = self.open.len();
        let (mut facts, mut parts) = (facts(expr), Vec::new());
        let mut binds = matches!(expr.kind, ExprKind::IsSome(_, Some(_)));
        match &expr.kind {
            ExprKind::Local(local) => return self.locals.get(local).copied(),
            // Of a choice that is made already only what is chosen is computed.
            ExprKind::If(cond, then, other) if let Some(Const::Bool(yes)) = known(cond) => {
                return self.of(if yes { then } else { other });
            }
            ExprKind::Match(subject, arms) if let Some(subject) = known(subject) => {
                return self.of(&arms.iter().find(|arm| accepts(&arm.pattern, &subject))?.value);
            }
            ExprKind::Let(local, value, body) => {
                let value = self.of(value);
                self.hold(*local, value);
                parts.extend([value, self.of(body)]);
            }
            ExprKind::IsSome(value, Some(local)) => {
                let value = self.of(value);
                self.hold(*local, value);
                parts.push(value);
            }
            ExprKind::Native(_, args) if let [list, Expr { kind: ExprKind::Lambda(locals, body), .. }] = &**args => {
                let list = self.of(list);
                self.each(*locals.first()?, list, nesting(body));
                parts.extend([list, self.of(body)]);
            }
            ExprKind::List(elements) => {
                elements.iter().for_each(|element| self.element(element, &mut facts, &mut parts));
            }
            ExprKind::Build(builder) => self.steps(builder, &mut facts, &mut parts),
            _ => children(expr, &mut |child| parts.push(self.of(child))),
        }
        self.open.truncate(open);
        self.cost = self.cost.saturating_add(cost(&expr.kind));
        let parts = parts.into_iter().collect::<Option<Vec<Here>>>().filter(|_| is_pure(&expr.kind))?;
        let loops = parts.iter().fold(0, |loops, part| loops | part.loops) & ((1 << open) - 1);
        let parts: Vec<Number> = parts.into_iter().map(|part| part.number).collect();
        binds |= match expr.kind {
            // What the condition binds is looked at within.
            ExprKind::If(..) => parts[1..].iter().any(|part| self.binds[*part as usize]),
            ExprKind::List(_) | ExprKind::Build(_) => false,
            _ => parts.iter().any(|part| self.binds[*part as usize]),
        };
        Some(Here { number: self.add(Key::Made(discriminant(&expr.kind), facts, parts), binds), loops })
    }

    /// A loop opens over a list, with so many within one another in its body.
    fn each(&mut self, local: LocalId, list: Option<Here>, nesting: usize) {
        self.open.push(local);
        let own = Key::Own(self.binds.len());
        let element = list.map_or(own, |list| Key::Element(list.number, nesting));
        let here = Here { number: self.add(element, false), loops: 1 << (self.open.len() - 1) };
        self.locals.insert(local, here);
    }

    fn element(&mut self, element: &Element, facts: &mut Vec<Fact>, parts: &mut Vec<Option<Here>>) {
        match element {
            Element::One(one) => {
                facts.push(Fact::Id(0));
                parts.push(self.of(one));
            }
            Element::All(list) => {
                facts.push(Fact::Id(1));
                parts.push(self.of(list));
            }
            Element::For(clauses, body) => {
                let open = self.open.len();
                for (n, clause) in clauses.iter().enumerate() {
                    facts.push(Fact::Id(if clause.cond.is_some() { 2 } else { 3 }));
                    let list = self.of(&clause.list);
                    self.each(clause.local, list, nesting_of_clause(clause, &clauses[n + 1..], body));
                    parts.push(list);
                    parts.extend(clause.cond.iter().map(|cond| self.of(cond)));
                }
                facts.push(Fact::Id(4));
                parts.push(self.of(body));
                self.open.truncate(open);
            }
        }
    }

    /// The steps of a part. One that is done in one case only, or tells somebody, has no value.
    fn steps(&mut self, builder: &Builder, facts: &mut Vec<Fact>, parts: &mut Vec<Option<Here>>) {
        facts.push(Fact::Id(builder.entity.0));
        for step in &builder.steps {
            match &step.kind {
                StepKind::Let(local, value) => {
                    let value = self.of(value);
                    self.hold(*local, value);
                    facts.push(Fact::Id(0));
                    parts.push(value);
                }
                StepKind::Assign { path, value, when } => {
                    facts.push(Fact::Id(1));
                    facts.extend(path.iter().map(|field| Fact::Id(field.0)));
                    if let When::Update(Some(cond)) = when {
                        self.of(cond);
                    }
                    let value = self.of(value);
                    parts.push(value.filter(|_| matches!(when, When::Always)));
                }
                StepKind::Check(cond, text) => {
                    facts.push(Fact::Id(2));
                    parts.push(self.of(cond));
                    self.of(text);
                }
                StepKind::Alert(cond, text) => {
                    self.of(cond);
                    self.of(text);
                    parts.push(None);
                }
            }
        }
    }
}

/// How many loops stand in one another within an expression.
fn nesting(expr: &Expr) -> usize {
    let mut most = 0;
    match &expr.kind {
        ExprKind::Native(_, args) if let [list, Expr { kind: ExprKind::Lambda(_, body), .. }] = &**args => {
            most = nesting(list).max(nesting(body) + 1);
        }
        ExprKind::List(elements) => {
            for element in elements {
                most = most.max(match element {
                    Element::One(one) | Element::All(one) => nesting(one),
                    Element::For(clauses, body) => nesting_of_clauses(clauses, body),
                });
            }
        }
        _ => children(expr, &mut |child| most = most.max(nesting(child))),
    }
    most
}

fn nesting_of_clauses(clauses: &[ForClause], body: &Expr) -> usize {
    match clauses.split_first() {
        Some((first, rest)) => nesting(&first.list).max(nesting_of_clause(first, rest, body) + 1),
        None => nesting(body),
    }
}

/// The same of what is done for each element of a clause, with the clauses behind it.
fn nesting_of_clause(clause: &ForClause, rest: &[ForClause], body: &Expr) -> usize {
    nesting_of_clauses(rest, body).max(clause.cond.as_ref().map_or(0, nesting))
}

/// What decides a value of this kind beside its parts.
fn facts(expr: &Expr) -> Vec<Fact> {
    let find = |find: &Find| {
        let ids = [find.entity.0, u32::from(find.must)].into_iter().chain(find.by.iter().map(|field| field.0));
        [Fact::Text(Arc::clone(&find.connection))].into_iter().chain(ids.map(Fact::Id)).collect()
    };
    match &expr.kind {
        ExprKind::Field(_, entity, field) => vec![Fact::Id(entity.0), Fact::Id(field.0)],
        ExprKind::Lookup { lookup, must, .. } => vec![Fact::Id(lookup.0), Fact::Id(u32::from(*must))],
        // A text that is empty is absent where it may be; JSON is made of a value as its type says.
        ExprKind::Native(native, args) => {
            let types = args.iter().map(|arg| Fact::Type(arg.ty.clone()));
            [Fact::Native(*native), Fact::Type(expr.ty.clone())].into_iter().chain(types).collect()
        }
        ExprKind::Binary(op, a, b) => vec![Fact::Id(*op as u32), Fact::Id(identity(a)), Fact::Id(identity(b))],
        ExprKind::Unary(op, _) => vec![Fact::Id(*op as u32)],
        ExprKind::In(a, b) => vec![Fact::Id(identity(a)), Fact::Id(identity(b))],
        ExprKind::IsSome(_, local) => vec![Fact::Id(u32::from(local.is_some()))],
        ExprKind::InGroup(_, group) => vec![Fact::Text(Arc::clone(group))],
        ExprKind::Match(_, arms) => arms.iter().map(|arm| Fact::Pattern(arm.pattern.clone())).collect(),
        // A part is shown as its type says.
        ExprKind::Concat(parts) => parts.iter().map(|part| Fact::Type(part.ty.present().clone())).collect(),
        ExprKind::Find(of) | ExprKind::FindAll(of) | ExprKind::Verified(of) => find(of),
        ExprKind::ChangedSince(of) => vec![Fact::Id(of.entity.0), Fact::Text(Arc::clone(&of.connection))],
        ExprKind::Once(n, _) => vec![Fact::Id(*n)],
        ExprKind::LinkedTo(entity, of) => vec![Fact::Id(entity.0), Fact::Id(identity(of))],
        ExprKind::Unanswered(name) => vec![Fact::Text(Arc::clone(name))],
        ExprKind::Stop(stop, _) => vec![Fact::Id(*stop as u32)],
        ExprKind::PriceBy(_, row) => vec![Fact::Id(identity(row))],
        _ => Vec::new(),
    }
}

/// Of which entity it is a record, by whatever it is known.
fn identity(expr: &Expr) -> u32 {
    match expr.ty.present() {
        Type::Record(entity) | Type::Code(entity) => entity.0,
        _ => u32::MAX,
    }
}

/// Whether it comes to the same whenever its parts do: it makes no document, looks at none in the making, and runs no
/// script. What stops, stops wherever it stands.
fn is_pure(kind: &ExprKind) -> bool {
    !matches!(
        kind,
        ExprKind::Ensure(..)
            | ExprKind::Write(..)
            | ExprKind::It(_)
            | ExprKind::ItSelf
            | ExprKind::Was
            | ExprKind::Extern(..)
            | ExprKind::Lambda(..)
    )
}

/// About how many steps it takes beside its parts.
fn cost(kind: &ExprKind) -> u32 {
    match kind {
        ExprKind::Const(_) | ExprKind::Setting(..) | ExprKind::Local(_) | ExprKind::Keep => 0,
        ExprKind::Native(..) | ExprKind::Concat(_) | ExprKind::List(_) | ExprKind::Build(_) => 4,
        ExprKind::Lookup { .. } => 8,
        ExprKind::Find(_)
        | ExprKind::FindAll(_)
        | ExprKind::ChangedSince(_)
        | ExprKind::Once(..)
        | ExprKind::Verified(_)
        | ExprKind::LinkedTo(..) => 16,
        _ => 1,
    }
}

/// What an expression is known by, as long as its program lies where it does.
pub(crate) fn address(expr: &Expr) -> usize {
    std::ptr::from_ref(expr) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Binary, EntityId, FieldId};
    use crate::source::{FileId, Span};

    fn expr(kind: ExprKind) -> Expr {
        Expr { kind, ty: Type::Unknown, span: Span::new(FileId(0), 0, 0) }
    }

    fn field(of: LocalId, n: u32) -> Expr {
        expr(ExprKind::Field(Box::new(expr(ExprKind::Local(of))), EntityId(0), FieldId(n)))
    }

    /// `order.list.any(x => x.…)`, of the n-th list of the record in local 0.
    fn asked(n: u32, local: LocalId) -> Expr {
        let body = expr(ExprKind::Lambda(vec![local], Box::new(field(local, 7))));
        expr(ExprKind::Native(Native::Any, vec![field(LocalId(0), n), body]))
    }

    #[test]
    fn a_loop_has_one_number_wherever_it_stands() {
        let clause = |n: u32, local: LocalId| ForClause { local, list: field(LocalId(0), n), cond: None };
        let within = vec![clause(1, LocalId(1)), clause(2, LocalId(2))];
        let outside = asked(1, LocalId(3));
        let list = expr(ExprKind::List(vec![Element::For(within, asked(1, LocalId(4)))]));
        let mut numbers = Numbers::default();
        numbers.hold_own(LocalId(0));
        numbers.number(&outside);
        numbers.number(&list);
        let ExprKind::List(elements) = &list.kind else { unreachable!() };
        let Element::For(_, inside) = &elements[0] else { unreachable!() };
        let (outside, inside) = (numbers.standing(&outside).unwrap(), numbers.standing(inside).unwrap());
        assert_eq!((outside.number, outside.within, outside.open), (inside.number, 0, 0));
        // It depends on neither of the loops around it.
        assert_eq!((inside.within, inside.open), (0, 2));
    }

    #[test]
    fn elements_of_loops_in_one_another_differ() {
        // Each element of a list is asked for each of the same list.
        let (outer, inner) = (LocalId(1), LocalId(2));
        let pair = |a, b| expr(ExprKind::Binary(Binary::Eq, Box::new(field(a, 7)), Box::new(field(b, 7))));
        let over = |local: LocalId, body: Expr| {
            let body = expr(ExprKind::Lambda(vec![local], Box::new(body)));
            expr(ExprKind::Native(Native::Any, vec![field(LocalId(0), 1), body]))
        };
        let (crossed, straight) =
            (over(outer, over(inner, pair(outer, inner))), over(outer, over(inner, pair(inner, inner))));
        let mut numbers = Numbers::default();
        numbers.hold_own(LocalId(0));
        numbers.number(&crossed);
        numbers.number(&straight);
        assert_ne!(numbers.standing(&crossed).unwrap().number, numbers.standing(&straight).unwrap().number);
    }
}
