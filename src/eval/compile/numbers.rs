//! Values by number: expressions of a frame that come to the same have one number, wherever they stand and whatever their
//! locals are called. What looks at more than its parts has none.

use crate::ir::{
    Builder, Const, Element, Expr, ExprKind, Find, LocalId, Native, Pattern, StepKind, Type, When, accepts, children,
    known,
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
    /// An element of that list, where so many loops are open.
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

/// What is known of a value.
#[derive(Clone, Copy, Default)]
struct Known {
    /// The loops on whose elements it depends, the outermost in the lowest bit.
    loops: u64,
    /// It gives a local its value, which is looked at beside it.
    binds: bool,
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
    known: Vec<Known>,
    /// What locals hold.
    locals: FxHashMap<LocalId, Number>,
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

    /// A local holds a value, as long as the loops stand where they do.
    pub(crate) fn hold(&mut self, local: LocalId, number: Option<Number>) {
        let own = Known { loops: (1 << self.open.len()) - 1, binds: false };
        let number = number.unwrap_or_else(|| self.add(Key::Own(self.known.len()), own));
        self.locals.insert(local, number);
    }

    /// Numbers an expression, and all that it is made of.
    pub(crate) fn of(&mut self, expr: &Expr) -> Option<Number> {
        if self.open.len() > LOOPS_MAX {
            return None;
        }
        let before = take(&mut self.cost);
        let number = match known(expr) {
            Some(constant) => Some(self.add(Key::Const(constant), Known::default())),
            None => self.made(expr),
        };
        let cost = self.cost;
        self.cost = cost.saturating_add(before);
        let number = number?;
        let Known { loops, binds } = self.known[number as usize];
        let within = (u64::BITS - loops.leading_zeros()) as usize;
        let element = within.checked_sub(1).and_then(|n| self.open.get(n)).copied();
        let standing = Standing { number, cost, open: self.open.len(), within, element, binds };
        self.standing.insert(address(expr), standing);
        Some(number)
    }

    fn add(&mut self, key: Key, known: Known) -> Number {
        let next = Number::try_from(self.known.len()).unwrap_or(Number::MAX);
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.known.push(known);
        }
        number
    }

    fn made(&mut self, expr: &Expr) -> Option<Number> {
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
                self.each(*locals.first()?, list);
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
        let parts = parts.into_iter().collect::<Option<Vec<Number>>>().filter(|_| is_pure(&expr.kind))?;
        binds |= match expr.kind {
            // What the condition binds is looked at within.
            ExprKind::If(..) => parts[1..].iter().any(|part| self.known[*part as usize].binds),
            ExprKind::List(_) | ExprKind::Build(_) => false,
            _ => parts.iter().any(|part| self.known[*part as usize].binds),
        };
        let loops = parts.iter().fold(0, |loops, part| loops | self.known[*part as usize].loops);
        let loops = loops & ((1 << open) - 1);
        Some(self.add(Key::Made(discriminant(&expr.kind), facts, parts), Known { loops, binds }))
    }

    /// A loop opens over a list.
    fn each(&mut self, local: LocalId, list: Option<Number>) {
        self.open.push(local);
        let depth = self.open.len();
        let own = Key::Own(self.known.len());
        let element = list.map_or(own, |list| Key::Element(list, depth));
        let element = self.add(element, Known { loops: 1 << (depth - 1), binds: false });
        self.locals.insert(local, element);
    }

    fn element(&mut self, element: &Element, facts: &mut Vec<Fact>, parts: &mut Vec<Option<Number>>) {
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
                for clause in clauses {
                    facts.push(Fact::Id(if clause.cond.is_some() { 2 } else { 3 }));
                    let list = self.of(&clause.list);
                    self.each(clause.local, list);
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
    fn steps(&mut self, builder: &Builder, facts: &mut Vec<Fact>, parts: &mut Vec<Option<Number>>) {
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
        ExprKind::Find(_) | ExprKind::FindAll(_) | ExprKind::Verified(_) | ExprKind::LinkedTo(..) => 16,
        _ => 1,
    }
}

/// What an expression is known by, as long as its program lies where it does.
pub(crate) fn address(expr: &Expr) -> usize {
    std::ptr::from_ref(expr) as usize
}
