//! What the engine asks of the floors below: what a record means. The compiled program answers; a test may.

use crate::connector::Condition;
use crate::eval::{Aside, Compiled, Evaluated, Failure, Resolver};
use crate::ir::{Const, Entity, EntityId, FieldId};
use crate::plan::Reads;
use std::sync::Arc;

/// The meaning of records, for the flows of one program.
pub trait Evaluator: Send + Sync {
    /// What is to be written for a record of that flow, or what must be known first.
    fn unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Evaluated;
    /// What the flow reads once for all of its records: the value of that number.
    fn once(&self, flow: usize, n: u32, known: &dyn Resolver) -> Aside<Vec<Arc<str>>>;
    /// The key of the flow's record that a record concerns which it watches.
    fn watched(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Aside<Option<String>>;
    /// The source's key of a record.
    fn key_of(&self, flow: usize, raw: &str) -> Result<Arc<str>, Failure>;
    /// What the flow reads of each entity: what is selected, and what makes a record another one.
    fn reads(&self, flow: usize) -> Reads;
    /// The fields of an entity that the flow reads, by wire name, nested ones behind dots.
    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String>;
    /// What of the flow's `where` the source's API evaluates.
    fn filter(&self, flow: usize) -> Vec<Condition>;
}

impl Evaluator for Compiled {
    fn unit(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Evaluated {
        Self::unit(self, flow, raw, known)
    }

    fn once(&self, flow: usize, n: u32, known: &dyn Resolver) -> Aside<Vec<Arc<str>>> {
        Self::once(self, flow, n, known)
    }

    fn watched(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Aside<Option<String>> {
        Self::watched(self, flow, raw, known)
    }

    fn key_of(&self, flow: usize, raw: &str) -> Result<Arc<str>, Failure> {
        Self::key_of(self, flow, raw).map(Into::into)
    }

    fn reads(&self, flow: usize) -> Reads {
        let program = self.program();
        Reads::of_flow(program, &program.flows[flow])
    }

    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String> {
        Evaluator::reads(self, flow).wire_names(self.program(), entity)
    }

    fn filter(&self, flow: usize) -> Vec<Condition> {
        let program = self.program();
        let flow = &program.flows[flow];
        let schema = program.entity(flow.source);
        let crate::plan::Pushdown { sent, .. } = crate::plan::pushdown(program, flow);
        let condition = |sent: crate::plan::Sent| {
            let values = sent.values.iter().map(|v| text(schema, sent.field, v)).collect::<Option<Vec<String>>>()?;
            Some(Condition { field: sent.field, values })
        };
        sent.into_iter().filter_map(condition).collect()
    }
}

fn text(entity: &Entity, field: FieldId, value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(super::values::text::wire_text(entity, field, text)),
        Const::Number(number) => Some(number.normalize().to_string()),
        Const::Absent | Const::Bool(_) | Const::Date(_) | Const::Instant(_) | Const::Duration(_) | Const::List(_) => {
            None
        }
    }
}
