//! Personal data, which no reason repeats: reasons go into logs, mails and other people's screens, and the record itself
//! can be looked at by who may. Which expressions tell some is known when a flow is compiled.

use crate::eval::value::{Value, show};
use crate::ir::{Element, Expr, ExprKind, Flow, LocalId, Mapping, Native, Program, Step, StepKind, Type};
use crate::plan::{each_of_flow, each_of_mapping};
use crate::value::text::masked;
use std::collections::BTreeSet;

/// The locals of a mapping or flow that hold personal data.
#[derive(Default)]
pub(crate) struct Personal {
    locals: BTreeSet<LocalId>,
}

impl Personal {
    pub(crate) fn of_mapping(program: &Program, mapping: &Mapping) -> Self {
        let mut found = Self::default();
        found.note_steps(program, &mapping.steps);
        each_of_mapping(mapping, &mut |e| found.note(program, e));
        found
    }

    pub(crate) fn of_flow(program: &Program, flow: &Flow) -> Self {
        let mut found = Self::default();
        found.note_steps(program, &flow.steps);
        each_of_flow(flow, &mut |e| found.note(program, e));
        found
    }

    fn note_steps(&mut self, program: &Program, steps: &[Step]) {
        for step in steps {
            if let StepKind::Let(local, value) = &step.kind {
                self.note_local(program, *local, value);
            }
        }
    }

    fn note_local(&mut self, program: &Program, local: LocalId, value: &Expr) {
        if self.tells(program, value) {
            self.locals.insert(local);
        }
    }

    /// Notes the locals that an expression binds; expressions are seen from outside, so before what they hold.
    fn note(&mut self, program: &Program, expr: &Expr) {
        match &expr.kind {
            ExprKind::Let(local, value, _) | ExprKind::IsSome(value, Some(local)) => {
                self.note_local(program, *local, value);
            }
            ExprKind::Native(_, args) => {
                if let [list, Expr { kind: ExprKind::Lambda(locals, _), .. }] = args.as_slice() {
                    locals.iter().for_each(|local| self.note_local(program, *local, list));
                }
            }
            ExprKind::List(elements) => {
                for element in elements {
                    if let Element::For(clauses, _) = element {
                        clauses.iter().for_each(|clause| self.note_local(program, clause.local, &clause.list));
                    }
                }
            }
            ExprKind::Build(builder) => self.note_steps(program, &builder.steps),
            _ => {}
        }
    }

    /// Whether the value of an expression is, or is made of, a field that the schema calls personal. What is found by it
    /// is a record of its own, and a number or a truth about it tells nothing.
    pub(crate) fn tells(&self, program: &Program, expr: &Expr) -> bool {
        let tells = |e: &Expr| self.tells(program, e);
        match &expr.kind {
            ExprKind::Field(_, entity, field) => program.entity(*entity).get(*field).personal,
            _ if expr.ty.present().is_number() || matches!(expr.ty.present(), Type::Bool | Type::Record(_)) => false,
            ExprKind::Local(local) => self.locals.contains(local),
            ExprKind::Let(_, _, body) | ExprKind::Lambda(_, body) => tells(body),
            ExprKind::If(_, a, b) | ExprKind::OrElse(a, b) | ExprKind::Binary(_, a, b) => tells(a) || tells(b),
            ExprKind::Match(_, arms) => arms.iter().any(|arm| tells(&arm.value)),
            ExprKind::Native(Native::MetaOf, _) => false,
            ExprKind::Native(_, list) | ExprKind::Extern(_, _, list) | ExprKind::Concat(list) => list.iter().any(tells),
            ExprKind::List(elements) => elements.iter().any(|element| match element {
                Element::One(e) | Element::All(e) | Element::For(_, e) => tells(e),
            }),
            _ => false,
        }
    }
}

/// A value as a reason shows it.
pub(crate) fn told(value: Value<'_>, personal: bool) -> String {
    let shown = show(value);
    if personal && value.is_some() { masked(&shown) } else { shown }
}
