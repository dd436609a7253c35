//! Expressions compiled once into closures over slots: names, constants, tables and layouts are resolved here, so that a
//! record costs only what it computes.

use super::compiler::Compiler;
use super::traced::traced;
use super::{calls, steps};
use crate::eval::code::{ClauseCode, Code, call};
use crate::eval::coverage::{Branch, Passed};
use crate::eval::decode::NO_SLOT;
use crate::eval::document::make;
use crate::eval::failure::{Failure, Halt};
use crate::eval::making::Role;
use crate::eval::natives::price_by;
use crate::eval::runtime;
use crate::eval::value::Value;
use crate::ir::{
    Arm, Binary, Const, Element, EntityId, Expr, ExprKind, FieldId, ForClause, LocalId, MappingId, Type, accepts, known,
};
use crate::source::Span;
use std::sync::Arc;

impl Compiler<'_> {
    /// An expression as code.
    pub(crate) fn code(&mut self, expr: &Expr) -> Code {
        if !self.is_stepwise()
            && let Some(constant) = known(expr)
        {
            return self.constant(&constant);
        }
        if self.trace {
            return traced(self, expr);
        }
        let code = self.plain_code(expr);
        match self.shared.place(expr) {
            Some(place) => runtime::shared(place, code),
            None => code,
        }
    }

    /// The code of an expression that tells nothing of itself.
    pub(crate) fn plain_code(&mut self, expr: &Expr) -> Code {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Const(constant) | ExprKind::Setting(_, constant) => self.constant(constant),
            ExprKind::Unanswered(name) => unanswered(name, span),
            ExprKind::Local(local) => self.local_code(*local),
            ExprKind::Field(of, entity, field) => self.field(of, *entity, *field, span),
            ExprKind::Let(local, value, body) => self.binding(*local, value, body),
            ExprKind::Lookup { lookup, keys, must } => {
                let personal = keys.iter().map(|k| self.tells_personal(k)).collect();
                let keys = self.codes(keys);
                let row = runtime::RowWanted { table: lookup.0 as usize, keys, personal, must: *must, span };
                call(move |run| row.find(run))
            }
            ExprKind::Native(native, args) => calls::native(self, *native, args, expr),
            ExprKind::Extern(file, name, args) => calls::script(self, (file, name), args, expr),
            // A lambda has a value only where it is applied.
            ExprKind::Lambda(_, body) => self.code(body),
            ExprKind::Binary(op, a, b) => self.binary(*op, a, b, span),
            ExprKind::Unary(op, a) => runtime::unary(*op, self.code(a), span),
            ExprKind::OrElse(a, b) => self.or_else(a, b),
            ExprKind::IsSome(a, local) => runtime::is_some(self.code(a), local.map(|local| self.local(local))),
            ExprKind::In(a, b) => self.within(a, b, span),
            ExprKind::InGroup(a, group) => runtime::in_group(self.code(a), Arc::clone(group)),
            ExprKind::If(cond, then, other) => self.choice(cond, then, other),
            ExprKind::Match(subject, arms) => self.arms(subject, arms, span, Compiler::code),
            ExprKind::Concat(parts) => self.concat(parts, span),
            ExprKind::List(elements) => runtime::list(elements.iter().map(|e| self.element(e)).collect(), span),
            ExprKind::Build(builder) => steps::part(self, builder),
            ExprKind::Find(find) => runtime::find(find, self.codes(&find.values), span),
            ExprKind::FindAll(find) => runtime::find_all(find, self.codes(&find.values), span),
            ExprKind::ChangedSince(of) => runtime::changed_since(of, self.code(&of.since), span),
            ExprKind::Once(n, of) => runtime::once(*n, of, self.code(of), span),
            ExprKind::LinkedTo(entity, of) => {
                let from = entity_of(of).unwrap_or(*entity);
                runtime::linked_to(*entity, self.code(of), from, span)
            }
            ExprKind::Ensure(mapping, args) | ExprKind::Write(mapping, args) => {
                self.making(*mapping, args, Role::Ensured, span)
            }
            ExprKind::Stop(stop, text) => runtime::stop(*stop, self.reason(text), span),
            ExprKind::It(field) => {
                let field = *field;
                call(move |run| run.it(field, span))
            }
            ExprKind::ItSelf => call(move |run| run.itself(span)),
            ExprKind::Was => call(move |run| run.was(span)),
            ExprKind::Keep => call(|_| Ok(Value::Keep)),
            ExprKind::PriceBy(price, row) => price_by(self.code(price), self.code(row), entity_of(row), span),
            ExprKind::Verified(find) => match find.values.as_slice() {
                [value] => runtime::verified(find, self.code(value), span),
                _ => call(move |run| Err(run.broken_promise("a code of several parts", span))),
            },
        }
    }

    fn field(&mut self, of: &Expr, entity: EntityId, field: FieldId, span: Span) -> Code {
        let inner = self.code(of);
        let slot = self.layouts.slot(entity, field);
        let views = self.views(entity, field);
        runtime::field(inner, runtime::FieldWanted { entity, field, slot, views, span })
    }

    /// The parts that may stand where this one is wanted, with the slot of the field of the same name.
    fn views(&self, entity: EntityId, field: FieldId) -> Vec<(EntityId, u16)> {
        let schema = self.program.entity(entity);
        if schema.stands_alone() {
            return Vec::new();
        }
        let name = &schema.get(field).name;
        let others = self.program.entities.iter().enumerate().map(|(n, other)| (EntityId::from(n), other));
        others
            .filter(|(id, other)| *id != entity && !other.stands_alone() && other.connector == schema.connector)
            .filter_map(|(id, other)| Some((id, self.layouts.slot(id, other.field(name)?))))
            .filter(|(_, slot)| *slot != NO_SLOT)
            .collect()
    }

    fn binding(&mut self, local: LocalId, value: &Expr, body: &Expr) -> Code {
        if let Some(code) = self.aliased(local, value, |compiler| compiler.code(body)) {
            return code;
        }
        runtime::bound(self.local(local), self.code(value), self.code(body))
    }

    fn or_else(&mut self, a: &Expr, b: &Expr) -> Code {
        let (value, other) = (self.code(a), self.code(b));
        let value = self.there(a.span, value);
        runtime::or_else(value, self.branch(b.span, Branch::Absent, other))
    }

    fn choice(&mut self, cond: &Expr, then: &Expr, other: &Expr) -> Code {
        if !self.is_stepwise()
            && let Some(Const::Bool(known)) = known(cond)
        {
            return self.code(if known { then } else { other });
        }
        if let ExprKind::IsSome(value, local) = &cond.kind {
            let (value, local) = (self.code(value), local.map(|local| self.local(local)));
            let codes = (self.code(then), self.code(other));
            let (then, other) = self.both_ways(cond, (then, other), codes);
            return runtime::choice_if_some(value, local, then, other);
        }
        let codes = (self.code(then), self.code(other));
        let decides = self.code(cond);
        let (then, other) = self.both_ways(cond, (then, other), codes);
        runtime::choice(decides, then, other)
    }

    /// A `match`, whose arms are compiled by `code`.
    pub(crate) fn arms(
        &mut self,
        subject: &Expr,
        arms: &[Arm],
        span: Span,
        code: fn(&mut Self, &Expr) -> Code,
    ) -> Code {
        if !self.is_stepwise()
            && let Some(known) = known(subject)
            && let Some(arm) = arms.iter().find(|arm| accepts(&arm.pattern, &known))
        {
            return code(self, &arm.value);
        }
        let personal = self.tells_personal(subject);
        let subject = self.code(subject);
        let arms = arms.iter().enumerate().map(|(n, arm)| {
            let value = code(self, &arm.value);
            (arm.pattern.clone(), self.branch(arm.value.span, Branch::Case(n), value))
        });
        let arms = arms.collect();
        runtime::matched(subject, arms, personal, span)
    }

    fn concat(&mut self, parts: &[Expr], span: Span) -> Code {
        let parts = parts.iter().map(|part| (self.code(part), part.ty.present().clone())).collect();
        runtime::concat(parts, span)
    }

    fn element(&mut self, element: &Element) -> runtime::ElementCode {
        self.element_by(element, Self::code)
    }

    /// An element whose values become code in this way.
    pub(crate) fn element_by(&mut self, element: &Element, code: fn(&mut Self, &Expr) -> Code) -> runtime::ElementCode {
        match element {
            Element::One(e) => runtime::ElementCode::One(code(self, e)),
            Element::All(e) => runtime::ElementCode::All(code(self, e)),
            Element::For(clauses, body) => {
                let clauses = self.clauses(clauses);
                runtime::ElementCode::For(clauses, code(self, body))
            }
        }
    }

    /// The loops of a list's element.
    pub(crate) fn clauses(&mut self, clauses: &[ForClause]) -> Vec<ClauseCode> {
        let clauses = clauses.iter().map(|clause| ClauseCode {
            each: self.each(clause.local),
            list: self.code(&clause.list),
            cond: clause.cond.as_ref().map(|cond| self.condition(cond)),
        });
        clauses.collect()
    }

    fn binary(&mut self, op: Binary, a: &Expr, b: &Expr, span: Span) -> Code {
        let entity = entity_of(a).or_else(|| entity_of(b));
        if let (Binary::Eq | Binary::Ne, None, false) = (op, entity, self.is_stepwise())
            && let Some(constant) = known(b)
        {
            return runtime::equals_constant(self.code(a), constant, op == Binary::Eq);
        }
        let operands = match op {
            Binary::And | Binary::Or => (self.condition(a), self.condition(b)),
            _ => (self.code(a), self.code(b)),
        };
        runtime::binary(op, operands.0, operands.1, entity, span)
    }

    fn within(&mut self, a: &Expr, list: &Expr, span: Span) -> Code {
        let entity = entity_of(a);
        if let (Some(Const::List(constants)), None, false) = (known(list), entity, self.is_stepwise()) {
            return runtime::constants_within(self.code(a), constants);
        }
        runtime::within(self.code(a), self.code(list), entity, span)
    }

    /// The call of a mapping.
    pub(crate) fn making(&mut self, mapping: MappingId, args: &[Expr], role: Role, span: Span) -> Code {
        let args = self.codes(args);
        call(move |run| {
            let args = run.arguments(&args, role)?;
            make(run, mapping, args, role, span)
        })
    }

    /// A text that is told to people: personal data in it are masked.
    pub(crate) fn reason(&mut self, text: &Expr) -> Code {
        match &text.kind {
            _ if !self.tells_personal(text) => self.code(text),
            ExprKind::Concat(parts) => {
                let parts = parts.iter().map(|part| (self.reason(part), part.ty.present().clone())).collect();
                runtime::concat(parts, text.span)
            }
            ExprKind::Let(local, value, body) => {
                let value = self.code(value);
                runtime::bound(self.local(*local), value, self.reason(body))
            }
            _ => runtime::masked(self.code(text)),
        }
    }

    /// A condition as code.
    pub(crate) fn condition(&mut self, expr: &Expr) -> Code {
        let code = self.code(expr);
        self.decided(expr, code)
    }

    /// What is only computed where it is needed.
    pub(crate) fn only_then(&mut self, expr: &Expr) -> Code {
        let code = self.code(expr);
        self.taken(expr.span, Passed::Branch(Branch::Taken), code)
    }

    /// Expressions as code.
    pub(crate) fn codes(&mut self, exprs: &[Expr]) -> Vec<Code> {
        exprs.iter().map(|expr| self.code(expr)).collect()
    }
}

fn unanswered(name: &Arc<str>, span: Span) -> Code {
    let name = Arc::clone(name);
    call(move |_| Err(Halt::fail(Failure::new(format!("the setting `{name}` has no answer: give it one"), span))))
}

/// The entity of which an expression is a record, by whatever it is known.
fn entity_of(expr: &Expr) -> Option<EntityId> {
    match expr.ty.present() {
        Type::Record(entity) | Type::Code(entity) => Some(*entity),
        _ => None,
    }
}
