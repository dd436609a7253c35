//! What the engine asks of the floors below: what a record means. The compiled program answers; a test may.

use crate::connector::Condition;
use crate::eval::{Compiled, Evaluated, Failure, Known};
use crate::ir::{Binary, Const, Element, Entity, EntityId, Expr, ExprKind, FieldId, Flow, Program, Search};
use crate::plan::Reads;
use std::sync::Arc;

/// The meaning of records, for the flows of one program.
pub trait Meaning: Send + Sync {
    /// What is to be written for a record of that flow, or what must be known first.
    fn unit(&self, flow: usize, raw: &str, known: &dyn Known) -> Evaluated;
    /// The source's key of a record.
    fn key_of(&self, flow: usize, raw: &str) -> Result<Arc<str>, Failure>;
    /// What the flow reads of each entity: what is selected, and what makes a record another one.
    fn reads(&self, flow: usize) -> Reads;
    /// The fields of an entity that the flow reads, by wire name, nested ones behind dots.
    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String>;
    /// What of the flow's `where` the source's API evaluates.
    fn filter(&self, flow: usize) -> Vec<Condition>;
}

impl Meaning for Compiled {
    fn unit(&self, flow: usize, raw: &str, known: &dyn Known) -> Evaluated {
        Self::unit(self, flow, raw, known)
    }

    fn key_of(&self, flow: usize, raw: &str) -> Result<Arc<str>, Failure> {
        Self::key_of(self, flow, raw).map(Into::into)
    }

    fn reads(&self, flow: usize) -> Reads {
        let program = self.program();
        Reads::of_flow(program, &program.flows[flow])
    }

    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String> {
        Meaning::reads(self, flow).wire_names(self.program(), entity)
    }

    fn filter(&self, flow: usize) -> Vec<Condition> {
        let program = self.program();
        let flow = &program.flows[flow];
        let mut conditions = Vec::new();
        if let Some(filter) = &flow.filter {
            conjuncts(program, flow, filter, &mut conditions);
        }
        conditions
    }
}

/// The parts of a filter, all of which must hold, that the source's API evaluates: a field that it can be asked by has
/// one of some known values.
fn conjuncts(program: &Program, flow: &Flow, filter: &Expr, conditions: &mut Vec<Condition>) {
    let (field, values) = match &filter.kind {
        ExprKind::Binary(Binary::And, a, b) => {
            conjuncts(program, flow, a, conditions);
            conjuncts(program, flow, b, conditions);
            return;
        }
        ExprKind::Binary(Binary::Eq, a, b) | ExprKind::In(a, b) => (a, constants(b)),
        _ => return,
    };
    let ExprKind::Field(of, entity, id) = &field.kind else { return };
    let is_record = matches!(of.kind, ExprKind::Local(local) if local == flow.record) && *entity == flow.source;
    let schema = program.entity(*entity);
    if let Some(values) = values
        && is_record
        && matches!(schema.get(*id).search, Search::Filter | Search::Parameter)
    {
        let texts = values.iter().map(|v| text(schema, *id, v)).collect::<Option<Vec<String>>>();
        if let Some(values) = texts.filter(|t| !t.is_empty()) {
            conditions.push(Condition { field: *id, values });
        }
    }
}

/// The values of an expression that is known beforehand.
fn constants(expr: &Expr) -> Option<Vec<&Const>> {
    match &expr.kind {
        ExprKind::Const(Const::List(list)) | ExprKind::Setting(_, Const::List(list)) => Some(list.iter().collect()),
        ExprKind::Const(one) | ExprKind::Setting(_, one) => Some(vec![one]),
        ExprKind::List(elements) => {
            let each = elements.iter().map(|element| match element {
                Element::One(one) => constants(one),
                Element::All(_) | Element::For(..) => None,
            });
            Some(each.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn text(entity: &Entity, field: FieldId, value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(super::memory::wire_text(entity, field, text)),
        Const::Number(number) => Some(number.normalize().to_string()),
        Const::Absent | Const::Bool(_) | Const::Date(_) | Const::Instant(_) | Const::Duration(_) | Const::List(_) => {
            None
        }
    }
}
