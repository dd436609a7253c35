//! Follows values through a mapping: from the fields of its records to the fields that it fills. What nothing is known of
//! becomes a value of its own, named by what it is made of.

use super::algebra::{Algebra, Amount, ELSEWHERE, LIST, Node, NodeId};
use super::value::{CONDITION, FIRST, Made, NOTHING, Piece, Value, is_counted};
use crate::ir::{
    Binary, Builder, Const, EntityId, Expr, ExprKind, FieldId, LocalId, Mapping, Pattern, Program, Step, StepKind,
    Type, Unary, When, decided, each,
};
use crate::source::Span;
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Values in the order in which they are followed.
pub(super) struct Follow<'p> {
    pub(super) program: &'p Program,
    pub(super) algebra: Algebra,
    locals: FxHashMap<LocalId, Local<'p>>,
    /// The elements of the loops around.
    within: Vec<NodeId>,
    /// The records in the making.
    making: Vec<Made>,
    /// The settings that have decided something on the way.
    pub(super) settings: BTreeMap<Arc<str>, Const>,
    /// Where amounts are rounded.
    pub(super) rounded: Vec<Span>,
    /// What schemas say that amounts are the sums of.
    pub(super) said: FxHashMap<NodeId, Option<Amount>>,
    /// The records that the mapping is given.
    pub(super) given: Vec<NodeId>,
    /// Something was not understood when it was checked: nothing can be said.
    pub(super) is_unknown: bool,
    /// What must hold: the condition, and where it stands.
    pub(super) checks: Vec<(Amount, Span, Span)>,
}

/// What a local is, or what it will be when somebody asks: most of what has a name is no amount.
#[derive(Clone)]
enum Local<'p> {
    Known(Value),
    /// The expression, and how many loops are around it.
    Later(&'p Expr, usize),
}

impl<'p> Follow<'p> {
    /// Follows a mapping: the record that it makes.
    pub(super) fn mapping(program: &'p Program, mapping: &'p Mapping) -> (Self, Made) {
        let mut follow = Self {
            program,
            algebra: Algebra::default(),
            locals: FxHashMap::default(),
            within: Vec::new(),
            making: Vec::new(),
            settings: BTreeMap::new(),
            rounded: Vec::new(),
            said: FxHashMap::default(),
            given: Vec::new(),
            is_unknown: false,
            checks: Vec::new(),
        };
        for (_, _, local) in &mapping.params {
            let root = follow.algebra.id(Node::Root(*local));
            follow.given.push(root);
            follow.locals.insert(*local, Local::Known(Value::Node(root)));
        }
        let made = follow.made(mapping.target, &mapping.steps);
        (follow, made)
    }

    /// What a local is.
    pub(super) fn local(&mut self, local: LocalId) -> Option<Value> {
        match self.locals.get(&local)?.clone() {
            Local::Known(value) => Some(value),
            Local::Later(expr, around) => {
                let deeper = self.within.split_off(around.min(self.within.len()));
                let value = self.value(expr);
                self.within.extend(deeper);
                self.locals.insert(local, Local::Known(value.clone()));
                Some(value)
            }
        }
    }

    pub(super) fn name(&mut self, local: LocalId, value: Value) {
        self.locals.insert(local, Local::Known(value));
    }

    fn name_later(&mut self, local: LocalId, value: &'p Expr) {
        self.locals.insert(local, Local::Later(value, self.within.len()));
    }

    fn made(&mut self, entity: EntityId, steps: &'p [Step]) -> Made {
        self.making.push(Made { entity, fields: BTreeMap::new() });
        for step in steps {
            match &step.kind {
                StepKind::Let(local, value) => self.name_later(*local, value),
                StepKind::Assign { path, value, when: When::Always | When::Create } if path.len() == 1 => {
                    let value = self.filled(entity, path[0], value);
                    if let Some(made) = self.making.last_mut() {
                        made.fields.insert(path[0], (value, step.span));
                    }
                }
                StepKind::Check(cond, otherwise) => {
                    let holds = self.amount(cond);
                    if self.within.is_empty() {
                        self.checks.push((holds, cond.span, otherwise.span));
                    }
                }
                StepKind::Assign { .. } | StepKind::Alert(..) => {}
            }
        }
        self.making.pop().unwrap_or(Made { entity, fields: BTreeMap::new() })
    }

    /// What a field is filled with. Texts and codes of a system's records are not followed: nothing is reckoned with them.
    fn filled(&mut self, entity: EntityId, field: FieldId, value: &'p Expr) -> Value {
        let e = self.program.entity(entity);
        let ty = &e.get(field).ty;
        let is_part = ty.record().is_some_and(|part| !self.program.entity(part).stands_alone());
        if e.is_of_no_system() || is_counted(ty) || is_part || ty.present().element().is_some() {
            return self.value(value);
        }
        self.opaque(value)
    }

    pub(super) fn amount(&mut self, expr: &'p Expr) -> Amount {
        let value = self.value(expr);
        self.as_amount(&value)
    }

    /// A value as a number. What never comes counts nothing.
    pub(super) fn as_amount(&mut self, value: &Value) -> Amount {
        match value {
            Value::Amount(amount) => amount.clone(),
            Value::Never => Amount::default(),
            Value::Node(_) | Value::Record(_) | Value::List(_) => Amount::node(self.as_node(value)),
        }
    }

    /// A value as one thing.
    pub(super) fn as_node(&mut self, value: &Value) -> NodeId {
        match value {
            Value::Node(id) => *id,
            Value::Amount(amount) => self.algebra.whole(amount),
            Value::Never => self.algebra.id(Node::Of("never".to_owned(), Vec::new())),
            Value::Record(made) => {
                let fields: Vec<(FieldId, Value)> = made.fields.iter().map(|(f, (v, _))| (*f, v.clone())).collect();
                let names: Vec<String> = fields.iter().map(|(f, _)| f.0.to_string()).collect();
                let nodes = fields.iter().map(|(_, value)| self.as_node(value)).collect();
                self.algebra.id(Node::Of(format!("record {} {}", made.entity.0, names.join(" ")), nodes))
            }
            Value::List(pieces) => {
                let mut nodes = Vec::new();
                for piece in pieces.iter() {
                    nodes.extend(&piece.over);
                    nodes.push(self.algebra.whole(&piece.holds));
                    nodes.push(self.as_node(&piece.value));
                }
                self.algebra.id(Node::Of(LIST.to_owned(), nodes))
            }
        }
    }

    /// A list by its pieces.
    pub(super) fn pieces(&mut self, value: &Value, span: Span) -> Vec<Piece> {
        match value {
            Value::List(pieces) => pieces.to_vec(),
            Value::Never => Vec::new(),
            Value::Node(id) if matches!(self.algebra.get(*id), Node::Of(tag, _) if tag == NOTHING) => Vec::new(),
            other => {
                let list = self.as_node(other);
                let around = self
                    .within
                    .iter()
                    .filter(|id| matches!(self.algebra.get(**id), Node::Element(of, _) if *of == list));
                let depth = u32::try_from(around.count()).unwrap_or(u32::MAX);
                let element = self.algebra.id(Node::Element(list, depth));
                vec![Piece { over: vec![element], holds: Amount::one(), value: Value::Node(element), span }]
            }
        }
    }

    /// Works on the elements of a piece.
    pub(super) fn on_each<T>(&mut self, piece: &Piece, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.within.len();
        self.within.extend(&piece.over);
        let out = work(self);
        self.within.truncate(before);
        out
    }

    /// The sum of an amount over the elements of a piece.
    pub(super) fn sum_of(&mut self, piece: &Piece, amount: &Amount) -> Amount {
        let held = self.algebra.times(&piece.holds, amount);
        piece.over.iter().rev().fold(held, |sum, element| self.algebra.sum_over(*element, &sum))
    }

    /// How many elements a list has.
    pub(super) fn count(&mut self, pieces: &[Piece]) -> Amount {
        pieces.iter().fold(Amount::default(), |count, piece| count.plus(&self.sum_of(piece, &Amount::one())))
    }

    /// What a function makes of an element of a list.
    pub(super) fn apply(&mut self, function: &'p Expr, piece: &Piece) -> Value {
        let ExprKind::Lambda(names, body) = &function.kind else { return self.opaque(function) };
        for (n, name) in names.iter().enumerate() {
            let value = if n == 0 { piece.value.clone() } else { self.opaque(function) };
            self.name(*name, value);
        }
        self.on_each(piece, |inner| inner.value(body))
    }

    /// Something that is known by what it is made of alone.
    pub(super) fn of(&mut self, tag: &str, parts: &[&'p Expr], ty: &Type) -> Value {
        let nodes = parts.iter().map(|part| {
            let value = self.value(part);
            self.as_node(&value)
        });
        let nodes = nodes.collect();
        let id = self.algebra.id(Node::Of(tag.to_owned(), nodes));
        self.counted(id, ty)
    }

    /// A value as what its type says: to be counted with, or not.
    pub(super) fn counted(&mut self, id: NodeId, ty: &Type) -> Value {
        match ty.present() {
            Type::Bool => Value::Amount(Amount::node(self.algebra.id(Node::Holds(id)))),
            ty if is_counted(ty) => Value::Amount(Amount::node(id)),
            _ => Value::Node(id),
        }
    }

    fn counted_field(&mut self, id: NodeId, entity: EntityId, field: FieldId) -> Value {
        let program = self.program;
        self.counted(id, &program.entity(entity).get(field).ty)
    }

    pub(super) fn opaque(&mut self, expr: &'p Expr) -> Value {
        let at = expr.span;
        let id = self.algebra.id(Node::Of(format!("at {}:{}-{}", at.file.0, at.start, at.end), Vec::new()));
        self.counted(id, &expr.ty)
    }

    /// What an expression comes to.
    pub(super) fn value(&mut self, expr: &'p Expr) -> Value {
        self.is_unknown |= expr.ty == Type::Unknown;
        if let Some(taken) = decided(expr) {
            self.decided_by(expr);
            return self.value(taken);
        }
        match &expr.kind {
            ExprKind::Const(constant) => self.constant(constant, &expr.ty),
            ExprKind::Setting(name, constant) => {
                self.settings.insert(Arc::clone(name), constant.clone());
                self.constant(constant, &expr.ty)
            }
            ExprKind::Local(local) => self.local(*local).unwrap_or_else(|| self.opaque(expr)),
            ExprKind::Let(local, value, body) => {
                self.name_later(*local, value);
                self.value(body)
            }
            ExprKind::Field(of, entity, field) => {
                let of = self.value(of);
                self.field(&of, *entity, *field)
            }
            ExprKind::It(field) => match self.making.last().and_then(|made| made.fields.get(field)) {
                Some((value, _)) => value.clone(),
                None => self.opaque(expr),
            },
            ExprKind::Native(native, args) => self.native(*native, args, expr),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, expr),
            ExprKind::Unary(op, a) => {
                let a = self.amount(a);
                Value::Amount(match op {
                    Unary::Neg => a.times(Decimal::NEGATIVE_ONE),
                    Unary::Not => Amount::one().minus(&a),
                })
            }
            ExprKind::OrElse(a, b) => self.or_else(a, b, expr),
            ExprKind::IsSome(a, name) => {
                let value = self.value(a);
                if let Some(name) = name {
                    self.name(*name, value.clone());
                }
                Value::Amount(self.is_there(&value))
            }
            ExprKind::If(cond, a, b) => {
                let cond = self.amount(cond);
                let (a, b) = (self.value(a), self.value(b));
                self.one_of(&cond, a, b, (&expr.ty, expr.span))
            }
            ExprKind::Match(subject, arms) => {
                let subject = self.value(subject);
                let of = self.as_node(&subject);
                let mut out = Value::Never;
                for (n, arm) in arms.iter().enumerate().rev() {
                    let value = self.value(&arm.value);
                    // What comes last takes what is left: all values are covered.
                    let last = n + 1 == arms.len() || arm.pattern == Pattern::Any;
                    let is = self.algebra.id(Node::Of(format!("is {:?}", arm.pattern), vec![of]));
                    let is = self.algebra.zero(&Amount::node(is));
                    let is = if last { Amount::one() } else { Amount::one().minus(&is) };
                    out = self.one_of(&is, value, out, (&expr.ty, expr.span));
                }
                out
            }
            ExprKind::List(elements) => self.list(elements),
            ExprKind::Build(builder) => self.build(builder),
            ExprKind::PriceBy(price, _) | ExprKind::Once(_, price) => self.value(price),
            ExprKind::Stop(..) => Value::Never,
            ExprKind::In(a, b) => self.of("in", &[a, b], &expr.ty),
            ExprKind::InGroup(a, group) => self.of(&format!("in {group}"), &[a], &expr.ty),
            ExprKind::Concat(parts) => self.of("text", &parts.iter().collect::<Vec<_>>(), &expr.ty),
            ExprKind::Lookup { lookup, keys, .. } => {
                self.of(&format!("lookup {}", lookup.0), &keys.iter().collect::<Vec<_>>(), &expr.ty)
            }
            ExprKind::Extern(_, name, args) => {
                self.of(&format!("{ELSEWHERE} {name}"), &args.iter().collect::<Vec<_>>(), &expr.ty)
            }
            ExprKind::Find(find) | ExprKind::FindAll(find) | ExprKind::Verified(find) => {
                self.of(&format!("find {}", find.entity.0), &find.values.iter().collect::<Vec<_>>(), &expr.ty)
            }
            ExprKind::LinkedTo(entity, of) => self.of(&format!("linked {}", entity.0), &[of], &expr.ty),
            ExprKind::Ensure(id, args) | ExprKind::Write(id, args) => {
                self.of(&format!("{ELSEWHERE} {}", id.0), &args.iter().collect::<Vec<_>>(), &expr.ty)
            }
            ExprKind::ChangedSince(_)
            | ExprKind::Unanswered(_)
            | ExprKind::Lambda(..)
            | ExprKind::ItSelf
            | ExprKind::Was
            | ExprKind::Keep => self.opaque(expr),
        }
    }

    /// The settings by which a branch is chosen.
    fn decided_by(&mut self, expr: &'p Expr) {
        let (ExprKind::If(of, ..) | ExprKind::Match(of, _)) = &expr.kind else { return };
        each(of, &mut |e| {
            if let ExprKind::Setting(name, constant) = &e.kind {
                self.settings.insert(Arc::clone(name), constant.clone());
            }
        });
    }

    pub(super) fn constant(&mut self, constant: &Const, ty: &Type) -> Value {
        match constant {
            Const::Number(n) => Value::Amount(Amount::number(*n)),
            Const::Bool(yes) => Value::Amount(Amount::number(Decimal::from(u8::from(*yes)))),
            Const::Absent if ty.present().is_number() => Value::Amount(Amount::default()),
            Const::Absent => Value::Node(self.algebra.id(Node::Of(NOTHING.to_owned(), Vec::new()))),
            other => Value::Node(self.algebra.id(Node::Of(format!("{other:?}"), Vec::new()))),
        }
    }

    /// A field of a record.
    pub(super) fn field(&mut self, of: &Value, entity: EntityId, field: FieldId) -> Value {
        match of {
            Value::Never => Value::Never,
            Value::Record(made) => match made.fields.get(&field) {
                Some((value, _)) => value.clone(),
                None => self.constant(&Const::Absent, &self.program.entity(entity).get(field).ty),
            },
            Value::Node(id) => {
                let id = self.algebra.id(Node::Field(*id, entity, field));
                self.counted_field(id, entity, field)
            }
            Value::Amount(_) | Value::List(_) => {
                let id = self.as_node(of);
                let id = self.algebra.id(Node::Field(id, entity, field));
                self.counted_field(id, entity, field)
            }
        }
    }

    /// 1 where a value is there.
    pub(super) fn is_there(&mut self, value: &Value) -> Amount {
        match value {
            Value::Record(_) | Value::List(_) | Value::Never => Amount::one(),
            Value::Amount(amount) if amount.known().is_some() => Amount::one(),
            Value::Amount(amount) => {
                let of = self.algebra.whole(amount);
                Amount::node(self.algebra.id(Node::There(of)))
            }
            Value::Node(id) => match self.algebra.get(*id).clone() {
                Node::Of(tag, _) if tag == NOTHING => Amount::default(),
                // The first of a list is there where the list has one.
                Node::Of(tag, of) if tag == FIRST && of.len() == 2 => Amount::one().minus(&{
                    let count = Amount::node(of[1]);
                    self.algebra.zero(&count)
                }),
                _ => Amount::node(self.algebra.id(Node::There(*id))),
            },
        }
    }

    fn binary(&mut self, op: Binary, a: &'p Expr, b: &'p Expr, expr: &'p Expr) -> Value {
        let is_counted = |ty: &Type| is_counted(ty);
        let equal = matches!(op, Binary::Eq | Binary::Ne);
        if equal && !(is_counted(&a.ty) && is_counted(&b.ty)) {
            let Value::Amount(same) = self.of("same", &[a, b], &Type::Bool) else { return self.opaque(expr) };
            return Value::Amount(if op == Binary::Eq { same } else { Amount::one().minus(&same) });
        }
        let truths = *a.ty.present() == Type::Bool;
        let (a, b) = (self.amount(a), self.amount(b));
        let less = |me: &mut Self, a: &Amount, b: &Amount| me.algebra.below(&a.clone().minus(b));
        let not = |amount: Amount| Amount::one().minus(&amount);
        let come_to = match op {
            Binary::Add => a.plus(&b),
            Binary::Sub => a.minus(&b),
            Binary::Mul | Binary::And => self.algebra.times(&a, &b),
            Binary::Div => self.algebra.over(&a, &b),
            Binary::Or => {
                let both = self.algebra.times(&a, &b);
                a.plus(&b).minus(&both)
            }
            Binary::Eq if truths => self.algebra.either(&a, &b, &not(b.clone())),
            Binary::Ne if truths => self.algebra.either(&a, &not(b.clone()), &b),
            Binary::Eq => self.algebra.zero(&a.minus(&b)),
            Binary::Ne => not(self.algebra.zero(&a.minus(&b))),
            Binary::Lt => less(self, &a, &b),
            Binary::Gt => less(self, &b, &a),
            Binary::Le => not(less(self, &b, &a)),
            Binary::Ge => not(less(self, &a, &b)),
        };
        let is_truth = *expr.ty.present() == Type::Bool;
        Value::Amount(if is_truth { self.algebra.condition(&come_to, CONDITION) } else { come_to })
    }

    fn or_else(&mut self, a: &'p Expr, b: &'p Expr, expr: &'p Expr) -> Value {
        let (first, second) = (self.value(a), self.value(b));
        match (&first, &second) {
            (_, Value::Never) => first,
            (Value::Never, _) => second,
            // What is absent counts nothing.
            (_, Value::Amount(zero)) if zero.is_zero() => first,
            (_, Value::List(none)) if none.is_empty() => first,
            _ => {
                let there = self.is_there(&first);
                self.one_of(&there, first, second, (&expr.ty, expr.span))
            }
        }
    }

    fn build(&mut self, builder: &'p Builder) -> Value {
        Value::Record(Rc::new(self.made(builder.entity, &builder.steps)))
    }
}
