//! Whether all money of a record reaches the document that is made of it, and each amount once.

use super::algebra::{Amount, Node, NodeId, Product};
use super::describe::Words;
use super::follow::Follow;
use super::schema::Share;
use super::value::Value;
use crate::ir::{Const, EntityId, FieldId, Kind, Mapping, Program, Type};
use crate::source::Span;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Most products of a line of which pairs are tried as what is too much. Of more only single ones are.
const PAIRS_MAX: usize = 16;

/// What is known of the money of a mapping.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The mapping, and what it makes.
    pub mapping: Arc<str>,
    /// What it makes.
    pub target: EntityId,
    /// The field that tells its total.
    pub total: FieldId,
    /// What that must come to: where it is said, and in words.
    pub to: (Span, String),
    /// The amounts that make up what it must come to.
    pub amounts: Vec<Amounts>,
    /// The lines of the flow that put something into the total.
    pub places: Vec<Place>,
    /// What came of it.
    pub verdict: Verdict,
    /// What is in the total already and is added or taken off again: where, and in words.
    pub surplus: Option<(Span, String)>,
    /// What must hold before anything is written: where, and what happens else.
    pub checks: Vec<(Span, Span)>,
    /// Settings that have chosen a way, and their answers.
    pub settings: BTreeMap<Arc<str>, Const>,
    /// Where amounts are rounded.
    pub rounded: Vec<Span>,
}

/// An amount of the source, and how often it reaches the total.
#[derive(Clone, Debug)]
pub struct Amounts {
    /// As people say it: `order.line_items.total`.
    pub name: String,
    /// What it is called beside the other parts: `line_items`, or the field itself.
    pub part: Arc<str>,
    /// Whose it is, and where that is declared.
    pub source: EntityId,
    /// Where that is declared.
    pub declared: Span,
    /// It is of a list that a record may lack altogether.
    pub is_optional: bool,
    /// It is a tax.
    pub is_tax: bool,
    /// It is taken off the total.
    pub less: bool,
    /// How often.
    pub reaches: Reaches,
    /// The lines of the flow by which.
    pub by: Vec<Span>,
}

/// How often an amount reaches the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaches {
    /// Once.
    Once,
    /// Never.
    Never,
    /// More often.
    Times(Decimal),
    /// Only under conditions, in words.
    When(Vec<String>),
    /// It is in the total, within what can't be followed.
    Within,
}

/// A line of the flow that puts something into the total.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it is written.
    pub span: Span,
    /// What it puts in, in words.
    pub amount: String,
    /// The fields of the line that is made, and the lines of the flow that fill them.
    pub fields: Vec<(EntityId, FieldId, Span)>,
}

/// What came of a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Each amount reaches the total once, and nothing else does.
    Proved,
    /// The system of the target adds up by itself: its answer is compared.
    Answered,
    /// It is not proved; the amounts say why, or what is left over, in words.
    Open(Vec<String>),
}

/// The proof of a mapping; none for one that makes no document of another one.
pub fn proof<'p>(program: &'p Program, mapping: &'p Mapping) -> Option<Proof> {
    let (mut follow, made) = Follow::mapping(program, mapping);
    let made = Value::Record(Rc::new(made));
    let (shares, alone) = follow.comes_to(mapping, &made)?;
    if shares.is_empty() || follow.is_unknown {
        return None;
    }
    let sum = shares.iter().fold(Amount::default(), |sum, share| sum.plus(&share.amount));
    let sum = follow.plain(&sum);
    let goal = Goal::of(&mut follow, mapping, &sum)?;
    let rest = follow.left(&sum, &goal.amount);
    let surplus = if rest.is_zero() || alone { None } else { follow.surplus(&shares, &sum, &goal.amount) };
    let amounts = follow.amounts(mapping, &goal, (&sum, &rest), &shares);
    let words = Words { program, mapping, algebra: &follow.algebra };
    let verdict = match () {
        () if alone => Verdict::Answered,
        () if rest.is_zero() => Verdict::Proved,
        () => Verdict::Open(words.products(&rest)),
    };
    let places = places(&words, &shares);
    let total = mapping.balance.as_ref().map(|balance| balance.field).or(program.entity(mapping.target).total)?;
    let to = (goal.span, words.amount(&goal.raw));
    let surplus = surplus.map(|(span, amount)| (span, words.amount(&amount)));
    let checks = follow.checks.iter().map(|(_, cond, otherwise)| (*cond, *otherwise)).collect();
    let (settings, rounded) = (follow.settings, follow.rounded);
    let mapping = Arc::clone(&mapping.name);
    Some(Proof {
        mapping,
        target: made_of(&made)?,
        total,
        to,
        amounts,
        places,
        verdict,
        surplus,
        checks,
        settings,
        rounded,
    })
}

fn made_of(made: &Value) -> Option<EntityId> {
    if let Value::Record(made) = made { Some(made.entity) } else { None }
}

/// What a document must come to.
struct Goal {
    /// As it is said.
    raw: Amount,
    /// By what it is the sum of.
    amount: Amount,
    span: Span,
}

impl Goal {
    /// What `balance` says, else the total of what the mapping is given, of the sign with which less is left over.
    fn of<'p>(follow: &mut Follow<'p>, mapping: &'p Mapping, sum: &Amount) -> Option<Self> {
        if let Some(balance) = &mapping.balance {
            let raw = follow.amount(&balance.to);
            let amount = follow.plain(&raw);
            return Some(Self { raw, amount, span: balance.to.span });
        }
        let (raw, ..) = follow.total_given(mapping)?;
        let amount = follow.plain(&raw);
        let less = amount.times(Decimal::NEGATIVE_ONE);
        let (one, other) = (follow.left(sum, &amount).0.len(), follow.left(sum, &less).0.len());
        let (raw, amount) = if one <= other { (raw, amount) } else { (raw.times(Decimal::NEGATIVE_ONE), less) };
        Some(Self { raw, amount, span: mapping.span })
    }
}

impl Follow<'_> {
    /// What is left of a sum without what it must come to, given what is checked.
    fn left(&mut self, sum: &Amount, goal: &Amount) -> Amount {
        let rest = sum.clone().minus(goal);
        let mut rest = self.algebra.reduced(&rest, None);
        for (holds, ..) in self.checks.clone() {
            if rest.is_zero() {
                break;
            }
            let holds = self.plain(&holds);
            let checked = self.algebra.times(&rest, &holds);
            let checked = self.algebra.reduced(&checked, None);
            // A check helps where something that is left over can't be there with it.
            if checked.0.len() < rest.0.len() && holds.single().is_some() {
                let gone = |product: &Product, me: &mut Self| {
                    let one = Amount::product(product.clone(), Decimal::ONE);
                    me.algebra.times(&one, &holds).is_zero()
                };
                let kept: Vec<(Product, Decimal)> = rest.0.iter().map(|(p, n)| (p.clone(), *n)).collect();
                rest = Amount::default();
                for (product, times) in kept {
                    if !gone(&product, self) {
                        rest.put(product, times);
                    }
                }
            }
        }
        rest
    }

    /// What must be taken out of the lines so that they come to what they must: a whole line, or products of one.
    fn surplus(&mut self, shares: &[Share], sum: &Amount, goal: &Amount) -> Option<(Span, Amount)> {
        let mut spans: Vec<Span> = shares.iter().map(|share| share.span).collect();
        spans.dedup();
        let by_line = |span: Span| {
            let of = shares.iter().filter(|share| share.span == span);
            of.fold(Amount::default(), |sum, share| sum.plus(&share.amount))
        };
        let is_it = |me: &mut Self, amount: &Amount| {
            let plain = me.plain(amount);
            let without = sum.clone().minus(&plain);
            // Amounts of the record alone: what is worked out may stand for something.
            let plainly = !plain.is_zero() && plain.0.keys().all(|product| me.leaf(product).is_some());
            plainly && me.left(&without, goal).is_zero()
        };
        for span in spans.iter().rev() {
            let amount = by_line(*span);
            if is_it(self, &amount) {
                return Some((*span, amount));
            }
        }
        for span in spans.iter().rev() {
            let products: Vec<Amount> =
                by_line(*span).0.into_iter().map(|(product, times)| Amount::product(product, times)).collect();
            let pairs = if products.len() > PAIRS_MAX { &[] } else { products.as_slice() };
            let pairs = pairs.iter().enumerate().flat_map(|(n, a)| pairs[n + 1..].iter().map(|b| a.clone().plus(b)));
            let tried: Vec<Amount> = products.iter().cloned().chain(pairs).collect();
            if let Some(amount) = tried.into_iter().find(|amount| is_it(self, amount)) {
                return Some((*span, amount));
            }
        }
        None
    }

    /// How often each amount of what must be reached is in the sum.
    fn amounts(&mut self, mapping: &Mapping, goal: &Goal, of: (&Amount, &Amount), shares: &[Share]) -> Vec<Amounts> {
        let (sum, rest) = of;
        let by_line: Vec<(Span, Amount)> = shares.iter().map(|share| (share.span, self.plain(&share.amount))).collect();
        let mut out = Vec::new();
        for (product, wanted) in &goal.amount.0 {
            let Some(leaf) = self.leaf(product) else { continue };
            let reaches = self.reaches(mapping, (product, leaf), *wanted, (sum, rest));
            let mut by: Vec<Span> = by_line
                .iter()
                .filter(|(_, amount)| amount.0.keys().any(|p| self.algebra.mentions(p, leaf)))
                .map(|(span, _)| *span)
                .collect();
            by.dedup();
            let words = Words { program: self.program, mapping, algebra: &self.algebra };
            let (source, part, declared) = words.part(product).unwrap_or_else(|| {
                let field = self.program.entity(leaf.0).get(leaf.1);
                (leaf.0, Arc::clone(&field.name), field.span)
            });
            let name = words.product(product);
            let list = self.list_of_product(product).unwrap_or(leaf);
            let is_optional = self.program.entity(list.0).get(list.1).ty.is_optional();
            let is_tax = *self.program.entity(leaf.0).get(leaf.1).ty.present() == Type::Money(Kind::Tax);
            out.push(Amounts {
                name,
                part,
                source,
                declared,
                is_optional,
                is_tax,
                less: wanted.is_sign_negative(),
                reaches,
                by,
            });
        }
        out
    }

    fn reaches(
        &self,
        mapping: &Mapping,
        (product, leaf): (&Product, (EntityId, FieldId)),
        wanted: Decimal,
        (sum, rest): (&Amount, &Amount),
    ) -> Reaches {
        if !rest.0.keys().any(|p| self.algebra.mentions(p, leaf)) {
            return Reaches::Once;
        }
        let with: Vec<(&Product, Decimal)> =
            sum.0.iter().filter(|(p, _)| self.algebra.mentions(p, leaf)).map(|(p, n)| (p, *n)).collect();
        if with.is_empty() {
            // A record that has some of it may be one that a check stops.
            let list = self.list_of_product(product).unwrap_or(leaf);
            let stopped = |holds: &Amount| holds.single().is_some() && self.algebra.speaks_of(holds, list);
            let is_stopped = self.checks.iter().any(|(holds, ..)| stopped(holds));
            return if is_stopped { Reaches::Within } else { Reaches::Never };
        }
        let times = sum.0.get(product).copied().unwrap_or_default();
        match with.as_slice() {
            [(only, _)] if *only == product => {
                let times = times.checked_div(wanted).unwrap_or_default().normalize();
                return if times == Decimal::ONE { Reaches::Within } else { Reaches::Times(times) };
            }
            _ => {}
        }
        let words = Words { program: self.program, mapping, algebra: &self.algebra };
        let mut under = Vec::new();
        for (p, n) in &with {
            match self.conditions(p, product) {
                Some(conds) if conds.is_empty() => {}
                Some(conds) => under.push(words.conditions(&conds, *n * wanted < Decimal::ZERO)),
                None => return Reaches::Within,
            }
        }
        Reaches::When(under)
    }

    /// The conditions that a product has beside another one; none where it has something else.
    fn conditions(&self, product: &Product, of: &Product) -> Option<Vec<NodeId>> {
        let more = |all: &Product, of: &Product| -> Option<Vec<NodeId>> {
            let rest: Vec<NodeId> = all.iter().filter(|factor| !of.contains(factor)).map(|(id, _)| *id).collect();
            let fits =
                of.iter().all(|factor| all.contains(factor)) && rest.iter().all(|id| self.algebra.is_condition(*id));
            fits.then_some(rest)
        };
        if let Some(conds) = more(product, of) {
            return Some(conds);
        }
        let ([(of, 1)], sums) = (of.as_slice(), product.iter().filter(|(id, _)| !self.algebra.is_condition(*id)))
        else {
            return None;
        };
        let sums: Vec<NodeId> = sums.map(|(id, _)| *id).collect();
        let ([one], Node::Sum(element, inner)) = (sums.as_slice(), self.algebra.get(*of)) else { return None };
        let Node::Sum(other, all) = self.algebra.get(*one) else { return None };
        let mut conds = if element == other { more(all, inner)? } else { return None };
        conds.extend(product.iter().map(|(id, _)| *id).filter(|id| self.algebra.is_condition(*id)));
        Some(conds)
    }

    /// The list whose elements a product sums up.
    fn list_of_product(&self, product: &Product) -> Option<(EntityId, FieldId)> {
        let [(id, 1)] = product.as_slice() else { return None };
        let Node::Sum(element, _) = self.algebra.get(*id) else { return None };
        let Node::Element(list, _) = self.algebra.get(*element) else { return None };
        if let Node::Field(_, entity, field) = self.algebra.get(*list) { Some((*entity, *field)) } else { None }
    }

    /// The field whose amount a product is.
    fn leaf(&self, product: &Product) -> Option<(EntityId, FieldId)> {
        let [(id, 1)] = product.as_slice() else { return None };
        match self.algebra.get(*id) {
            Node::Field(_, entity, field) => Some((*entity, *field)),
            Node::Sum(_, inner) => self.leaf(inner),
            _ => None,
        }
    }
}

/// What each line of the flow puts in.
fn places(words: &Words<'_>, shares: &[Share]) -> Vec<Place> {
    let mut out: Vec<(Place, Amount)> = Vec::new();
    for share in shares {
        let fields = match &share.line {
            Some(Value::Record(made)) => made.fields.iter().map(|(f, (_, at))| (made.entity, *f, *at)).collect(),
            _ => Vec::new(),
        };
        match out.iter_mut().find(|(place, _)| place.span == share.span) {
            Some((_, amount)) => *amount = std::mem::take(amount).plus(&share.amount),
            None => out.push((Place { span: share.span, amount: String::new(), fields }, share.amount.clone())),
        }
    }
    out.into_iter().map(|(place, amount)| Place { amount: words.amount(&amount), ..place }).collect()
}
