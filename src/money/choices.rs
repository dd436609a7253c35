//! Lists that are made, and values of which a condition chooses one.

use super::algebra::{Amount, Node};
use super::follow::Follow;
use super::value::{BRANCH, CONDITION, Made, Piece, Value, is_counted};
use crate::ir::{Const, Element, Expr, ForClause, Type};
use crate::source::Span;
use std::collections::BTreeMap;
use std::rc::Rc;

impl<'p> Follow<'p> {
    /// If the condition holds the first, else the second. What stops the record is no value of it.
    pub(super) fn one_of(&mut self, cond: &Amount, a: Value, b: Value, (ty, span): (&Type, Span)) -> Value {
        match (&a, &b) {
            (Value::Never, _) => return b,
            (_, Value::Never) => return a,
            _ => {}
        }
        if let Some(known) = cond.known() {
            return if known.is_zero() { b } else { a };
        }
        if *ty.present() == Type::Bool {
            let (a, b) = (self.as_amount(&a), self.as_amount(&b));
            let either = self.algebra.either(cond, &a, &b);
            return Value::Amount(self.algebra.condition(&either, CONDITION));
        }
        let cond = &self.algebra.condition(cond, BRANCH);
        if is_counted(ty) {
            let (a, b) = (self.as_amount(&a), self.as_amount(&b));
            let either = self.algebra.either(cond, &a, &b);
            // A quantity divides and multiplies: as a whole it cancels out.
            let is_factor = !matches!(ty.present(), Type::Money(_) | Type::Price);
            let whole = is_factor && either.0.len() > 1;
            return Value::Amount(if whole { Amount::node(self.algebra.whole(&either)) } else { either });
        }
        if ty.present().element().is_some() {
            let mut pieces = self.pieces(&a, span);
            pieces.iter_mut().for_each(|piece| piece.holds = self.algebra.times(&piece.holds, cond));
            let not = Amount::one().minus(cond);
            let mut others = self.pieces(&b, span);
            others.iter_mut().for_each(|piece| piece.holds = self.algebra.times(&piece.holds, &not));
            pieces.append(&mut others);
            return Value::List(Rc::new(pieces));
        }
        if let (Value::Record(a), Value::Record(b)) = (&a, &b)
            && a.entity == b.entity
        {
            return self.one_record_of(cond, a, b, span);
        }
        let nodes = vec![self.algebra.whole(cond), self.as_node(&a), self.as_node(&b)];
        Value::Node(self.algebra.id(Node::Of("if".to_owned(), nodes)))
    }

    fn one_record_of(&mut self, cond: &Amount, a: &Made, b: &Made, at: Span) -> Value {
        let mut fields = BTreeMap::new();
        for field in a.fields.keys().chain(b.fields.keys()) {
            let ty = self.program.entity(a.entity).get(*field).ty.clone();
            let (one, other) = (a.fields.get(field), b.fields.get(field));
            let span = one.or(other).map_or(at, |(_, span)| *span);
            let absent = self.constant(&Const::Absent, &ty);
            let value = |of: Option<&(Value, Span)>| of.map_or_else(|| absent.clone(), |(value, _)| value.clone());
            let value = self.one_of(cond, value(one), value(other), (&ty, span));
            fields.insert(*field, (value, span));
        }
        Value::Record(Rc::new(Made { entity: a.entity, fields }))
    }

    pub(super) fn list(&mut self, elements: &'p [Element]) -> Value {
        let mut pieces = Vec::new();
        for element in elements {
            match element {
                Element::One(e) => {
                    let value = self.value(e);
                    pieces.push(Piece { over: Vec::new(), holds: Amount::one(), value, span: e.span });
                }
                Element::All(e) => {
                    let value = self.value(e);
                    pieces.extend(self.pieces(&value, e.span));
                }
                Element::For(clauses, body) => {
                    let start = Piece { over: Vec::new(), holds: Amount::one(), value: Value::Never, span: body.span };
                    self.for_each(clauses, body, start, &mut pieces);
                }
            }
        }
        pieces.retain(|piece| !matches!(piece.value, Value::Never) && !piece.holds.is_zero());
        Value::List(Rc::new(pieces))
    }

    fn for_each(&mut self, clauses: &'p [ForClause], body: &'p Expr, so_far: Piece, out: &mut Vec<Piece>) {
        let Some((clause, rest)) = clauses.split_first() else {
            let value = self.value(body);
            out.push(Piece { value, ..so_far });
            return;
        };
        let list = self.value(&clause.list);
        for piece in self.pieces(&list, clause.list.span) {
            self.name(clause.local, piece.value.clone());
            let over = [so_far.over.clone(), piece.over.clone()].concat();
            self.on_each(&piece, |inner| {
                let cond = clause.cond.as_ref().map_or_else(Amount::one, |cond| inner.amount(cond));
                let holds = inner.algebra.times(&so_far.holds, &piece.holds);
                let holds = inner.algebra.times(&holds, &cond);
                inner.for_each(rest, body, Piece { over, holds, ..so_far.clone() }, out);
            });
        }
    }
}
