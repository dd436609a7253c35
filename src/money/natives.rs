//! What functions of the language make of amounts and lists, as far as they are followed.

use super::algebra::{Amount, Node};
use super::follow::Follow;
use super::value::{FIRST, Piece, Value};
use crate::ir::{Const, Expr, ExprKind, Native, Type};
use std::rc::Rc;

impl<'p> Follow<'p> {
    /// What a function comes to.
    pub(super) fn native(&mut self, native: Native, args: &'p [Expr], expr: &'p Expr) -> Value {
        match (native, args) {
            (Native::Round, [amount, ..]) => {
                if matches!(expr.ty.present(), Type::Money(_) | Type::Price) && !self.rounded.contains(&expr.span) {
                    self.rounded.push(expr.span);
                }
                self.value(amount)
            }
            (Native::Untaxed | Native::GrossOf, [amount]) => self.value(amount),
            // A price is what it comes to with its tax.
            (Native::PriceOf, [net, tax]) => Value::Amount(self.amount(net).plus(&self.amount(tax))),
            (Native::Sum, [list, of @ ..]) => self.sum(list, of.first()),
            (Native::Count, [list]) => {
                let pieces = self.list_of(list);
                let count = self.count(&pieces);
                Value::Amount(Amount::node(self.algebra.whole(&count)))
            }
            (Native::IsEmpty, [list]) if list.ty.present().element().is_some() => {
                let pieces = self.list_of(list);
                Value::Amount(self.is_empty(&pieces))
            }
            (Native::Where, [list, cond]) => self.filtered(list, cond, false),
            (Native::Any, [list, cond]) => {
                let Value::List(pieces) = self.filtered(list, cond, false) else { return Value::Never };
                Value::Amount(Amount::one().minus(&self.is_empty(&pieces)))
            }
            (Native::All, [list, cond]) => {
                let Value::List(pieces) = self.filtered(list, cond, true) else { return Value::Never };
                Value::Amount(self.is_empty(&pieces))
            }
            (Native::Map, [list, function]) => {
                let pieces = self.list_of(list).into_iter();
                let mapped = pieces.map(|piece| Piece { value: self.apply(function, &piece), ..piece });
                Value::List(Rc::new(mapped.collect()))
            }
            (Native::Flat, [list, function]) => {
                let mut flat = Vec::new();
                for outer in self.list_of(list) {
                    let list = self.apply(function, &outer);
                    for inner in self.pieces(&list, expr.span) {
                        let holds = self.algebra.times(&outer.holds, &inner.holds);
                        flat.push(Piece { over: [outer.over.clone(), inner.over.clone()].concat(), holds, ..inner });
                    }
                }
                Value::List(Rc::new(flat))
            }
            (Native::Sorted, [list, ..]) => self.value(list),
            (Native::First, [list]) => {
                let pieces = self.list_of(list);
                let of = self.of("", &[list], &Type::Unknown);
                let (Value::Node(of), count) = (of, self.count(&pieces)) else { return Value::Never };
                let count = self.algebra.whole(&count);
                let first = self.algebra.id(Node::Of(FIRST.to_owned(), vec![of, count]));
                self.counted(first, &expr.ty)
            }
            _ => self.of(native.name(), &args.iter().collect::<Vec<_>>(), &expr.ty),
        }
    }

    fn list_of(&mut self, list: &'p Expr) -> Vec<Piece> {
        let value = self.value(list);
        self.pieces(&value, list.span)
    }

    /// 1 where a list has no elements.
    fn is_empty(&mut self, pieces: &[Piece]) -> Amount {
        let count = self.count(pieces);
        let count = Amount::node(self.algebra.whole(&count));
        self.algebra.zero(&count)
    }

    fn sum(&mut self, list: &'p Expr, of: Option<&'p Expr>) -> Value {
        let mut sum = Amount::default();
        for piece in self.list_of(list) {
            let value = match of {
                Some(function) => self.apply(function, &piece),
                None => piece.value.clone(),
            };
            let amount = self.as_amount(&value);
            sum = sum.plus(&self.sum_of(&piece, &amount));
        }
        Value::Amount(sum)
    }

    /// The elements for which a condition holds, or those for which it does not.
    fn filtered(&mut self, list: &'p Expr, cond: &'p Expr, not: bool) -> Value {
        let mut kept = Vec::new();
        for piece in self.list_of(list) {
            let cond = self.apply(cond, &piece);
            let cond = self.as_amount(&cond);
            let cond = if not { Amount::one().minus(&cond) } else { cond };
            let holds = self.algebra.times(&piece.holds, &cond);
            if !holds.is_zero() {
                kept.push(Piece { holds, ..piece });
            }
        }
        Value::List(Rc::new(kept))
    }
}

/// The names of fields that a formula is given.
pub(super) fn names(args: &[Expr]) -> impl Iterator<Item = &str> {
    args.iter().filter_map(|arg| match &arg.kind {
        ExprKind::Const(Const::Text(name)) => Some(&**name),
        _ => None,
    })
}
