//! What the engine asks of the floors below: what a record means. The compiled program answers; a test may.

use crate::connector::Condition;
use crate::eval::{Evaluated, Failure, Known};
use crate::ir::EntityId;
use std::sync::Arc;

/// The meaning of records, for the flows of one program.
pub trait Meaning: Send + Sync {
    /// What is to be written for a record of that flow, or what must be known first.
    fn unit(&self, flow: usize, raw: &str, known: &dyn Known) -> Evaluated;
    /// The source's key of a record.
    fn key_of(&self, flow: usize, raw: &str) -> Result<Arc<str>, Failure>;
    /// A hash of what the flow reads of a record.
    fn content_hash(&self, flow: usize, raw: &str) -> Result<String, Failure>;
    /// What of the flow's `where` the source's API evaluates.
    fn filter(&self, flow: usize) -> Vec<Condition>;
    /// The fields of an entity that the flow reads, by wire name, nested ones behind dots.
    fn fields(&self, flow: usize, entity: EntityId) -> Vec<String>;
}
