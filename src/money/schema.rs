//! What schemas say of amounts: which others one is the sum of, and what a document comes to.

use super::algebra::{Amount, ELSEWHERE, Node, NodeId, Product};
use super::follow::Follow;
use super::natives::names;
use super::value::Value;
use crate::ir::{EntityId, Expr, ExprKind, FieldId, Kind, Mapping, Native, Summand, Type};
use crate::source::Span;
use rust_decimal::Decimal;

/// Deepest chain of amounts that are sums of others. A longer one is a circle, and is taken as it is.
const DEPTH: usize = 8;

/// What one element of a document's lines, or a field of its own, puts into its total.
pub(super) struct Share {
    /// The line of the flow.
    pub(super) span: Span,
    pub(super) amount: Amount,
    /// The line that is made; none where the amount stands on the document itself.
    pub(super) line: Option<Value>,
}

impl Follow<'_> {
    /// What a record in the making comes to, a share for each part of it; and whether the tax on it is reckoned by its system
    /// alone. None where the schema does not say what it is the sum of.
    pub(super) fn comes_to(&mut self, mapping: &Mapping, made: &Value) -> Option<(Vec<Share>, bool)> {
        let target = mapping.target;
        let entity = self.program.entity(target);
        let total = mapping.balance.as_ref().map(|balance| balance.field).or(entity.total)?;
        let field = entity.get(total);
        if let Some(Expr { kind: ExprKind::Native(Native::DocumentTotal, args), .. }) = &field.computed {
            let Some(Expr { kind: ExprKind::It(list), .. }) = args.first() else { return None };
            let names: Vec<&str> = names(&args[1..]).collect();
            return Some((self.of_lines(target, made, *list, (&names, mapping.span)), false));
        }
        let parts = self.summands_of(target, total);
        let shares: Vec<Share> =
            parts.iter().flat_map(|part| self.shares_of(target, made, part, mapping.span)).collect();
        (!shares.is_empty()).then_some((shares, true))
    }

    /// The lines of a document: of each its quantity by its price, or its amount and its tax.
    fn of_lines(
        &mut self,
        document: EntityId,
        made: &Value,
        list: FieldId,
        (names, at): (&[&str], Span),
    ) -> Vec<Share> {
        let Some(line) = self.element_of(document, list) else { return Vec::new() };
        let list = self.field(made, document, list);
        let program = self.program;
        let fields: Vec<FieldId> = names.iter().filter_map(|name| program.entity(line).field(name)).collect();
        let mut shares = Vec::new();
        for piece in self.pieces(&list, at) {
            let of = |me: &mut Self, field: FieldId| {
                let value = me.field(&piece.value, line, field);
                me.as_amount(&value)
            };
            let amount = match fields[..] {
                [quantity, price, _] => {
                    let (quantity, price) = (of(self, quantity), of(self, price));
                    self.algebra.times(&quantity, &price)
                }
                [net, tax] if is_left_out(&piece.value, tax) => of(self, net).plus(&self.reckoned()),
                [net, tax] => of(self, net).plus(&of(self, tax)),
                _ => continue,
            };
            let amount = self.sum_of(&piece, &amount);
            shares.push(Share { span: piece.span, amount, line: Some(piece.value) });
        }
        shares
    }

    /// A tax that the system of the target reckons by itself, of whatever it is given.
    fn reckoned(&mut self) -> Amount {
        let given = self.given.clone();
        Amount::node(self.algebra.id(Node::Of(format!("{ELSEWHERE} reckoned"), given)))
    }

    fn shares_of(&mut self, entity: EntityId, made: &Value, part: &Summand, at: Span) -> Vec<Share> {
        let sign = if part.less { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
        let Some(first) = part.way.first().and_then(|name| self.program.entity(entity).field(name)) else {
            return Vec::new();
        };
        let value = self.field(made, entity, first);
        let (Some(name), Some(line)) = (part.way.get(1), self.element_of(entity, first)) else {
            let amount = self.as_amount(&value).times(sign);
            return vec![Share { span: at, amount, line: None }];
        };
        let Some(field) = self.program.entity(line).field(name) else { return Vec::new() };
        let mut shares = Vec::new();
        for piece in self.pieces(&value, at) {
            let amount = self.field(&piece.value, line, field);
            let amount = self.as_amount(&amount);
            let amount = self.sum_of(&piece, &amount).times(sign);
            shares.push(Share { span: piece.span, amount, line: Some(piece.value) });
        }
        shares
    }

    fn element_of(&self, entity: EntityId, list: FieldId) -> Option<EntityId> {
        self.program.entity(entity).get(list).ty.present().element()?.record()
    }

    /// What an amount is the sum of, as its schema says; the total of a document with taxed lines is that of their amounts
    /// and taxes.
    fn summands_of(&self, entity: EntityId, field: FieldId) -> Vec<Summand> {
        let e = self.program.entity(entity);
        let said = &e.get(field).sums;
        let (true, Some(lines)) = (said.is_empty() && e.total == Some(field), e.books.lines) else {
            return said.clone();
        };
        let Some(line) = self.element_of(entity, lines.list) else { return Vec::new() };
        let of = |field: FieldId| Summand {
            less: false,
            above: false,
            way: vec![e.get(lines.list).name.clone(), self.program.entity(line).get(field).name.clone()],
        };
        vec![of(lines.net), of(lines.tax)]
    }

    /// An amount with all that are sums of others said by those.
    pub(super) fn plain(&mut self, amount: &Amount) -> Amount {
        let mut now = amount.clone();
        for _ in 0..DEPTH {
            let mut next = Amount::default();
            for (product, times) in &now.0 {
                let plain = self.plain_product(product, *times);
                next = next.plus(&plain);
            }
            if next == now {
                break;
            }
            now = next;
        }
        now
    }

    fn plain_product(&mut self, product: &Product, times: Decimal) -> Amount {
        let mut out = Amount::number(times);
        for (id, power) in product {
            let said = if *power == 1 { self.said(*id) } else { None };
            let factor = said.unwrap_or_else(|| Amount::product(vec![(*id, *power)], Decimal::ONE));
            out = self.algebra.times(&out, &factor);
        }
        out
    }

    /// What the schema says that an amount is the sum of.
    fn said(&mut self, id: NodeId) -> Option<Amount> {
        if let Some(known) = self.said.get(&id) {
            return known.clone();
        }
        let said = self.says(id);
        self.said.insert(id, said.clone());
        said
    }

    fn says(&mut self, id: NodeId) -> Option<Amount> {
        match self.algebra.get(id).clone() {
            Node::Field(record, entity, field) => {
                let parts = self.summands_of(entity, field);
                if parts.is_empty() || parts.iter().any(|part| part.above) {
                    return None;
                }
                Some(self.summed(record, entity, &parts))
            }
            Node::Sum(element, product) => {
                let [(of, 1)] = product.as_slice() else { return None };
                let Node::Field(record, entity, field) = *self.algebra.get(*of) else { return None };
                let parts = self.program.entity(entity).get(field).sums.clone();
                if record != element || parts.is_empty() || !parts.iter().all(|part| part.above) {
                    return None;
                }
                let Node::Element(list, _) = *self.algebra.get(element) else { return None };
                let Node::Field(parent, above, _) = *self.algebra.get(list) else { return None };
                Some(self.summed(parent, above, &parts))
            }
            Node::Zero(amount) => {
                let plain = self.plain(&amount);
                (plain != amount).then(|| self.algebra.zero(&plain))
            }
            _ => None,
        }
    }

    fn summed(&mut self, record: NodeId, entity: EntityId, parts: &[Summand]) -> Amount {
        let (record, at) = (Value::Node(record), self.program.entity(entity).span);
        let shares: Vec<Share> = parts.iter().flat_map(|part| self.shares_of(entity, &record, part, at)).collect();
        shares.iter().fold(Amount::default(), |sum, share| sum.plus(&share.amount))
    }

    /// The total of the first record that a mapping is given and that has one.
    pub(super) fn total_given(&mut self, mapping: &Mapping) -> Option<(Amount, EntityId, Span)> {
        mapping.params.iter().find_map(|(_, ty, local)| {
            let entity = ty.record()?;
            let total = self.program.entity(entity).total?;
            let is_gross = *self.program.entity(entity).get(total).ty.present() == Type::Money(Kind::Gross);
            let record = self.local(*local).filter(|_| is_gross)?;
            let amount = self.field(&record, entity, total);
            Some((self.as_amount(&amount), entity, self.program.entity(entity).get(total).span))
        })
    }
}

/// Whether a line that is made leaves a field open.
fn is_left_out(line: &Value, field: FieldId) -> bool {
    matches!(line, Value::Record(made) if !made.fields.contains_key(&field))
}
