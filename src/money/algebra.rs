//! Amounts as sums of products: of what a record holds, of sums over its lists, and of conditions, which count 1 where they
//! hold and 0 where they do not. Two amounts that are always the same become the same sum of products, in most cases.

use crate::ir::{EntityId, FieldId, LocalId};
use crate::limits;
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// A value that is known by its number: the same number, the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(pub(super) u32);

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    /// A record that a mapping is given.
    Root(LocalId),
    /// A field of a record.
    Field(NodeId, EntityId, FieldId),
    /// An element of a list, whichever; the number tells apart those of loops within one another.
    Element(NodeId, u32),
    /// The sum of a product over all elements of the list of this one.
    Sum(NodeId, Product),
    /// An amount that is worked with as a whole.
    Whole(Amount),
    /// 1 where the amount is 0.
    Zero(Amount),
    /// 1 where the amount is below 0.
    Below(Amount),
    /// 1 where the value is there.
    There(NodeId),
    /// 1 where a truth of which nothing else is known is yes.
    Holds(NodeId),
    /// Something else that is made of values.
    Of(String, Vec<NodeId>),
}

/// Values and how often each is a factor, in the order of their numbers; below 0 it divides.
pub(super) type Product = Vec<(NodeId, i32)>;

/// How the tag of what is made elsewhere begins.
pub(super) const ELSEWHERE: &str = "elsewhere";

/// The tag of a list that is made: the elements that it goes through, what holds of each, and what it has of them.
pub(super) const LIST: &str = "list";

/// Products and their coefficients, none of which is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Amount(pub(super) BTreeMap<Product, Decimal>);

impl Amount {
    /// A number.
    pub(super) fn number(n: Decimal) -> Self {
        Self::product(Vec::new(), n)
    }

    /// 1.
    pub(super) fn one() -> Self {
        Self::number(Decimal::ONE)
    }

    /// A product so many times.
    pub(super) fn product(product: Product, times: Decimal) -> Self {
        let mut amount = Self::default();
        amount.put(product, times);
        amount
    }

    /// A value.
    pub(super) fn node(node: NodeId) -> Self {
        Self::product(vec![(node, 1)], Decimal::ONE)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// The number that it is, whatever the record holds.
    pub(super) fn known(&self) -> Option<Decimal> {
        match self.0.len() {
            0 => Some(Decimal::ZERO),
            1 => self.0.get(&Vec::new()).copied(),
            _ => None,
        }
    }

    /// Its only product, with the coefficient.
    pub(super) fn single(&self) -> Option<(&Product, Decimal)> {
        self.0.iter().next().filter(|_| self.0.len() == 1).map(|(product, times)| (product, *times))
    }

    /// Adds a product; what cancels out goes.
    pub(super) fn put(&mut self, product: Product, times: Decimal) {
        let now = self.0.get(&product).copied().unwrap_or_default() + times;
        if now.is_zero() {
            self.0.remove(&product);
        } else {
            self.0.insert(product, now.normalize());
        }
    }

    pub(super) fn plus(mut self, other: &Self) -> Self {
        other.0.iter().for_each(|(product, times)| self.put(product.clone(), *times));
        self
    }

    pub(super) fn times(&self, n: Decimal) -> Self {
        let mut out = Self::default();
        self.0.iter().for_each(|(product, times)| out.put(product.clone(), *times * n));
        out
    }

    pub(super) fn minus(self, other: &Self) -> Self {
        self.plus(&other.times(Decimal::NEGATIVE_ONE))
    }
}

/// All values that a mapping speaks of.
#[derive(Default)]
pub(super) struct Algebra {
    nodes: Vec<Node>,
    numbers: FxHashMap<Node, NodeId>,
    depends: FxHashMap<(NodeId, NodeId), bool>,
    /// What products of factors come to; none where two of them exclude each other.
    products: FxHashMap<Product, Option<Product>>,
}

impl Algebra {
    /// The number of a value.
    pub(super) fn id(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.numbers.get(&node) {
            return *id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(node.clone());
        self.numbers.insert(node, id);
        id
    }

    pub(super) fn get(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// An amount as one value.
    pub(super) fn whole(&mut self, amount: &Amount) -> NodeId {
        match amount.single() {
            Some((product, times)) if times == Decimal::ONE && matches!(product.as_slice(), [(_, 1)]) => product[0].0,
            _ => self.id(Node::Whole(amount.clone())),
        }
    }

    /// Whether a condition is what the value is: 0 or 1.
    pub(super) fn is_condition(&self, id: NodeId) -> bool {
        matches!(self.get(id), Node::Zero(_) | Node::Below(_) | Node::There(_) | Node::Holds(_))
    }

    /// 1 where the amount is 0.
    pub(super) fn zero(&mut self, amount: &Amount) -> Amount {
        if let Some(n) = amount.known() {
            return Amount::number(if n.is_zero() { Decimal::ONE } else { Decimal::ZERO });
        }
        // A condition is 0 where it does not hold.
        if let Some((product, times)) = amount.single() {
            if let [(id, 1)] = product.as_slice()
                && self.is_condition(*id)
            {
                return Amount::one().minus(&Amount::node(*id));
            }
            let plain = Amount::product(product.clone(), Decimal::ONE);
            debug_assert!(!times.is_zero(), "what is 0 is not kept");
            let id = self.id(Node::Zero(plain));
            return Amount::node(id);
        }
        let first = amount.0.values().next().copied().unwrap_or_default();
        let signed = if first.is_sign_negative() { amount.times(Decimal::NEGATIVE_ONE) } else { amount.clone() };
        let id = self.id(Node::Zero(signed));
        Amount::node(id)
    }

    /// 1 where the amount is below 0.
    pub(super) fn below(&mut self, amount: &Amount) -> Amount {
        if let Some(n) = amount.known() {
            return Amount::number(if n.is_sign_negative() && !n.is_zero() { Decimal::ONE } else { Decimal::ZERO });
        }
        let id = self.id(Node::Below(amount.clone()));
        Amount::node(id)
    }

    pub(super) fn times(&mut self, a: &Amount, b: &Amount) -> Amount {
        if a.0.len() * b.0.len() > limits::MONEY_TERMS_MAX {
            let (a, b) = (self.whole(a), self.whole(b));
            return self.product(vec![(a, 1), (b, 1)], Decimal::ONE);
        }
        let mut out = Amount::default();
        for (p, m) in &a.0 {
            for (q, n) in &b.0 {
                let factors = p.iter().chain(q).copied().collect();
                out = out.plus(&self.product(factors, *m * *n));
            }
        }
        out
    }

    /// A divided by B.
    pub(super) fn over(&mut self, a: &Amount, b: &Amount) -> Amount {
        let divisor = match b.single() {
            Some((product, times)) if times.abs() == Decimal::ONE => {
                Amount::product(product.iter().map(|(id, n)| (*id, -n)).collect(), times)
            }
            _ => {
                let whole = self.whole(b);
                Amount::product(vec![(whole, -1)], Decimal::ONE)
            }
        };
        self.times(a, &divisor)
    }

    /// A condition that is made of more than so many products, as one.
    pub(super) fn condition(&mut self, holds: &Amount, most: usize) -> Amount {
        if holds.0.len() <= most {
            return holds.clone();
        }
        let whole = self.id(Node::Whole(holds.clone()));
        Amount::node(self.id(Node::Holds(whole)))
    }

    /// If the condition holds one, else the other.
    pub(super) fn either(&mut self, cond: &Amount, a: &Amount, b: &Amount) -> Amount {
        let more = a.clone().minus(b);
        self.times(cond, &more).plus(b)
    }

    /// A product of factors as they come, so many times.
    pub(super) fn product(&mut self, factors: Product, times: Decimal) -> Amount {
        let mut counted: BTreeMap<NodeId, i32> = BTreeMap::new();
        factors.into_iter().for_each(|(id, n)| *counted.entry(id).or_default() += n);
        let product: Product = counted.into_iter().filter(|(_, n)| *n != 0).collect();
        if product.len() < 2 && product.iter().all(|(_, n)| *n == 1) {
            return Amount::product(product, times);
        }
        if let Some(known) = self.products.get(&product) {
            return known.as_ref().map_or_else(Amount::default, |known| Amount::product(known.clone(), times));
        }
        let come_to = self.come_to(product.clone());
        self.products.insert(product, come_to.clone());
        come_to.map_or_else(Amount::default, |come_to| Amount::product(come_to, times))
    }

    fn come_to(&mut self, mut product: Product) -> Option<Product> {
        for (id, n) in &mut product {
            if *n > 1 && self.is_condition(*id) {
                *n = 1;
            }
        }
        (!self.excludes(&mut product)).then_some(product)
    }

    /// Drops conditions that say nothing beside the other factors. Whether two of the factors exclude each other: an amount
    /// and that it is 0.
    fn excludes(&mut self, product: &mut Product) -> bool {
        let zeros: Vec<NodeId> = product.iter().filter_map(|(id, _)| self.is_nothing(*id)).collect();
        for zero in &zeros {
            if product.iter().any(|(id, n)| *n > 0 && self.is_nothing_with(*id, *zero)) {
                return true;
            }
        }
        let mut needless = Vec::new();
        for (id, _) in &product.clone() {
            match self.get(*id) {
                Node::There(of) => {
                    let of = *of;
                    if product.iter().any(|(other, n)| *n > 0 && self.is_absent_with(*other, of)) {
                        needless.push(*id);
                    }
                }
                Node::Below(amount) => match self.without(amount, &zeros).known() {
                    Some(n) if n.is_sign_negative() && !n.is_zero() => needless.push(*id),
                    Some(_) => return true,
                    None => {}
                },
                Node::Holds(of) if !zeros.is_empty() => {
                    let Node::Whole(amount) = self.get(*of) else { continue };
                    let amount = amount.clone();
                    match self.given(&amount, product, *id).known() {
                        Some(n) if n.is_zero() => return true,
                        Some(_) => needless.push(*id),
                        None => {}
                    }
                }
                _ => {}
            }
        }
        product.retain(|(id, _)| !needless.contains(id));
        false
    }

    /// What a condition comes to where the amounts are 0 of which the others of a product say so.
    fn given(&mut self, amount: &Amount, product: &Product, but: NodeId) -> Amount {
        let others: Vec<NodeId> = product.iter().map(|(id, _)| *id).filter(|id| *id != but).collect();
        let zeros: Product = others.into_iter().filter(|id| self.is_nothing(*id).is_some()).map(|id| (id, 1)).collect();
        let mut out = Amount::default();
        for (p, times) in &amount.0 {
            let with = p.iter().chain(&zeros).copied().collect();
            for (left, times) in self.product(with, *times).0 {
                out.put(left.into_iter().filter(|factor| !zeros.contains(factor)).collect(), times);
            }
        }
        out
    }

    /// What a condition says is 0, where that is one value.
    fn is_nothing(&self, id: NodeId) -> Option<NodeId> {
        let Node::Zero(amount) = self.get(id) else { return None };
        match amount.single()?.0.as_slice() {
            [(of, 1)] => Some(*of),
            _ => None,
        }
    }

    /// Whether a value is 0 where the other one is: a sum over elements of which there are none.
    fn is_nothing_with(&self, id: NodeId, zero: NodeId) -> bool {
        if id == zero {
            return true;
        }
        let (Node::Sum(of, all), Node::Sum(counted, conditions)) = (self.get(id), self.get(zero)) else { return false };
        of == counted
            && conditions.iter().all(|(c, _)| self.is_condition(*c) && all.iter().any(|(other, _)| other == c))
    }

    /// Whether a value counts 0 where the other one is absent.
    fn is_absent_with(&self, id: NodeId, absent: NodeId) -> bool {
        match self.get(id) {
            Node::Sum(element, _) => matches!(self.get(*element), Node::Element(list, _) if *list == absent),
            _ => id == absent,
        }
    }

    /// An amount where these values are 0.
    fn without(&self, amount: &Amount, zeros: &[NodeId]) -> Amount {
        let mut out = Amount::default();
        for (product, times) in &amount.0 {
            if !product.iter().any(|(id, _)| zeros.contains(id)) {
                out.put(product.clone(), *times);
            }
        }
        out
    }

    /// The sum of an amount over all elements of the list of this one.
    pub(super) fn sum_over(&mut self, element: NodeId, amount: &Amount) -> Amount {
        let amount = self.reduced(amount, Some(element));
        let mut out = Amount::default();
        for (product, times) in &amount.0 {
            let (within, apart): (Product, Product) = product.iter().partition(|(id, _)| self.depends(*id, element));
            let sum = self.id(Node::Sum(element, within));
            let factors = apart.into_iter().chain([(sum, 1)]).collect();
            out = out.plus(&self.product(factors, *times));
        }
        out
    }

    /// Whether a value is made of another one.
    pub(super) fn depends(&mut self, id: NodeId, on: NodeId) -> bool {
        if id == on {
            return true;
        }
        if let Some(known) = self.depends.get(&(id, on)) {
            return *known;
        }
        // Of the elements that it goes through itself it is no matter which.
        let through = match self.get(id) {
            Node::Sum(element, _) => *element == on,
            Node::Of(tag, of) => tag == LIST && of.contains(&on),
            _ => false,
        };
        let made_of = self.made_of(id);
        let found = !through && made_of.into_iter().any(|of| self.depends(of, on));
        self.depends.insert((id, on), found);
        found
    }

    /// What a value is directly made of.
    pub(super) fn made_of(&self, id: NodeId) -> Vec<NodeId> {
        let ids = |product: &Product| product.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        match self.get(id) {
            Node::Root(_) => Vec::new(),
            Node::Field(of, ..) | Node::Element(of, _) | Node::There(of) | Node::Holds(of) => vec![*of],
            Node::Sum(element, product) => [vec![*element], ids(product)].concat(),
            Node::Whole(amount) | Node::Zero(amount) | Node::Below(amount) => amount.0.keys().flat_map(ids).collect(),
            Node::Of(_, of) => of.clone(),
        }
    }

    /// Whether the field of that entity is in it, however deep.
    pub(super) fn mentions(&self, product: &Product, field: (EntityId, FieldId)) -> bool {
        let mut todo: Vec<NodeId> = product.iter().map(|(id, _)| *id).collect();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(id) = todo.pop() {
            // An amount by which something else is chosen has not reached anything by that.
            if !seen.insert(id) || self.is_condition(id) {
                continue;
            }
            if matches!(self.get(id), Node::Field(_, entity, f) if (*entity, *f) == field) {
                return true;
            }
            let made_of = self.made_of(id);
            // What is made of a whole record elsewhere may well use it.
            let whole = |id: &NodeId| matches!(self.get(*id), Node::Root(_) | Node::Element(..));
            if matches!(self.get(id), Node::Of(tag, _) if tag.starts_with(ELSEWHERE)) && made_of.iter().any(whole) {
                return true;
            }
            todo.extend(made_of);
        }
        false
    }

    /// Whether what is said of a value speaks of the field of that entity, conditions among it.
    pub(super) fn speaks_of(&self, amount: &Amount, field: (EntityId, FieldId)) -> bool {
        let mut todo: Vec<NodeId> = amount.0.keys().flatten().map(|(id, _)| *id).collect();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(id) = todo.pop() {
            if seen.insert(id) {
                if matches!(self.get(id), Node::Field(_, entity, f) if (*entity, *f) == field) {
                    return true;
                }
                todo.extend(self.made_of(id));
            }
        }
        false
    }

    /// What is left of an amount, given that conditions among its factors hold that say that two amounts are the same; with
    /// an element only those of it.
    pub(super) fn reduced(&mut self, amount: &Amount, of: Option<NodeId>) -> Amount {
        let mut now = amount.clone();
        let mut conds: Vec<NodeId> = now.0.keys().flatten().map(|(id, _)| *id).collect();
        conds.sort_unstable();
        conds.dedup();
        for cond in conds {
            if of.is_some_and(|element| !self.depends(cond, element)) {
                continue;
            }
            let Some((pivot, instead)) = self.says_the_same(cond) else { continue };
            let replaced =
                |product: &Product| product.contains(&(cond, 1)) && pivot.iter().all(|factor| product.contains(factor));
            if !now.0.keys().any(replaced) {
                continue;
            }
            let mut out = Amount::default();
            for (product, times) in &now.0 {
                if replaced(product) {
                    let rest: Product = product.iter().filter(|factor| !pivot.contains(factor)).copied().collect();
                    out = out.plus(&self.times(&Amount::product(rest, *times), &instead));
                } else {
                    out.put(product.clone(), *times);
                }
            }
            now = out;
        }
        now
    }

    /// Of a condition that several products come to 0: one of them, and what the others say that it is.
    fn says_the_same(&self, cond: NodeId) -> Option<(Product, Amount)> {
        let Node::Zero(amount) = self.get(cond) else { return None };
        if amount.0.len() < 2 {
            return None;
        }
        // A field of a record rather than a sum over a list.
        let plain =
            |product: &Product| matches!(product.as_slice(), [(id, 1)] if matches!(self.get(*id), Node::Field(..)));
        let (pivot, times) =
            amount.0.iter().find(|(p, _)| plain(p)).or_else(|| amount.0.iter().find(|(p, _)| !p.is_empty()))?;
        let mut others = amount.clone();
        others.0.remove(pivot);
        let by = Decimal::NEGATIVE_ONE.checked_div(*times).filter(|by| *by * *times == Decimal::NEGATIVE_ONE)?;
        Some((pivot.clone(), others.times(by)))
    }
}
