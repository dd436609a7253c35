//! Amounts in words: as the flow says them.

use super::algebra::{Algebra, Amount, Node, NodeId, Product};
use crate::ir::{EntityId, Mapping, Program};
use crate::source::Span;
use rust_decimal::Decimal;
use std::sync::Arc;

/// Longest chain of values that is written out.
const DEPTH: usize = 6;
/// Most products that are written out.
const PRODUCTS: usize = 6;

/// What is needed to say an amount.
pub(super) struct Words<'a> {
    pub(super) program: &'a Program,
    pub(super) mapping: &'a Mapping,
    pub(super) algebra: &'a Algebra,
}

impl Words<'_> {
    /// An amount: `order.line_items.total + order.line_items.total_tax`.
    pub(super) fn amount(&self, amount: &Amount) -> String {
        self.amount_at(amount, DEPTH)
    }

    /// Its products, each by itself.
    pub(super) fn products(&self, amount: &Amount) -> Vec<String> {
        let signed = |(product, times): (&Product, &Decimal)| self.signed(product, *times, DEPTH);
        amount.0.iter().take(PRODUCTS).map(signed).collect()
    }

    pub(super) fn product(&self, product: &Product) -> String {
        self.product_at(product, DEPTH)
    }

    /// Conditions: what holds, or what must not hold.
    pub(super) fn conditions(&self, conds: &[NodeId], not: bool) -> String {
        let said: Vec<String> = conds.iter().take(2).map(|id| self.node(*id, 4)).collect();
        format!("{}where {}", if not { "not " } else { "" }, said.join(" and "))
    }

    /// Of an amount of a list of a record that the mapping is given: whose it is, the list, and where that is declared.
    pub(super) fn part(&self, product: &Product) -> Option<(EntityId, Arc<str>, Span)> {
        let [(id, _)] = product.as_slice() else { return None };
        let Node::Sum(element, _) = self.algebra.get(*id) else { return None };
        let Node::Element(list, _) = self.algebra.get(*element) else { return None };
        let Node::Field(_, entity, field) = self.algebra.get(*list) else { return None };
        let field = self.program.entity(*entity).get(*field);
        Some((*entity, Arc::clone(&field.name), field.span))
    }

    fn signed(&self, product: &Product, times: Decimal, depth: usize) -> String {
        let sign = if times.is_sign_negative() { "- " } else { "" };
        let said = self.product_at(product, depth);
        if times.abs() == Decimal::ONE {
            format!("{sign}{said}")
        } else {
            format!("{sign}{} × {said}", times.abs().normalize())
        }
    }

    fn amount_at(&self, amount: &Amount, depth: usize) -> String {
        if amount.is_zero() {
            return "0".to_owned();
        }
        let mut said = String::new();
        // What is added first: a sum that begins with a sign reads badly.
        let (less, more): (Vec<_>, Vec<_>) = amount.0.iter().partition(|(_, times)| times.is_sign_negative());
        for (n, (product, times)) in more.into_iter().chain(less).enumerate() {
            if n == PRODUCTS {
                said.push_str(" …");
                break;
            }
            let signed = self.signed(product, *times, depth);
            if n > 0 {
                said.push_str(if times.is_sign_negative() { " " } else { " + " });
            }
            said.push_str(&signed);
        }
        said
    }

    fn product_at(&self, product: &Product, depth: usize) -> String {
        if product.is_empty() {
            return "1".to_owned();
        }
        let is_cond = |id: &NodeId| self.algebra.is_condition(*id);
        let (conds, factors): (Product, Product) = product.iter().partition(|(id, _)| is_cond(id));
        let mut said = String::new();
        for (n, (id, power)) in factors.iter().enumerate() {
            let by = if *power < 0 { " / " } else { " × " };
            said.push_str(if n > 0 || *power < 0 { by } else { "" });
            said.push_str(&self.node(*id, depth));
        }
        if factors.is_empty() {
            said.push('1');
        }
        if !conds.is_empty() {
            let conds: Vec<NodeId> = conds.iter().map(|(id, _)| *id).collect();
            said = format!("{said} ({})", self.conditions(&conds, false));
        }
        said
    }

    fn node(&self, id: NodeId, depth: usize) -> String {
        let Some(depth) = depth.checked_sub(1) else { return "…".to_owned() };
        let entity = |entity: EntityId| self.program.entity(entity);
        match self.algebra.get(id) {
            Node::Root(local) => {
                let named = self.mapping.params.iter().find(|(_, _, of)| of == local);
                named.map_or_else(|| "the record".to_owned(), |(name, ..)| name.to_string())
            }
            Node::Field(of, owner, field) => format!("{}.{}", self.node(*of, depth), entity(*owner).get(*field).name),
            Node::Element(list, _) => self.node(*list, depth),
            Node::Sum(element, product) if product.is_empty() => {
                format!("the number of {}", self.node(*element, depth))
            }
            Node::Sum(_, product) => self.product_at(product, depth),
            Node::Whole(amount) if amount.0.len() > 2 => "(…)".to_owned(),
            Node::Whole(amount) => format!("({})", self.amount_at(amount, depth)),
            Node::Zero(amount) => format!("{} is 0", self.amount_at(amount, depth)),
            Node::Below(amount) => self.below(amount, depth),
            Node::There(of) => format!("{} is there", self.node(*of, depth)),
            Node::Holds(of) => self.node(*of, depth),
            Node::Of(tag, of) => {
                let tag = tag.split_whitespace().next().unwrap_or_default();
                if of.is_empty() { "what is worked out".to_owned() } else { format!("{tag}(…)") }
            }
        }
    }

    /// `a < b` of what is below 0.
    fn below(&self, amount: &Amount, depth: usize) -> String {
        let (mut left, mut right) = (Amount::default(), Amount::default());
        for (product, times) in &amount.0 {
            if times.is_sign_negative() {
                right.put(product.clone(), -*times);
            } else {
                left.put(product.clone(), *times);
            }
        }
        format!("{} < {}", self.amount_at(&left, depth), self.amount_at(&right, depth))
    }
}
