//! A compiled program: all that is worked out once, for whatever number of records.

use super::document::{FlowCode, MappingCode, PartCode, TestCode};
use super::expression::Code;
use crate::eval::constants::Constants;
use crate::eval::coverage::{Coverage, Point};
use crate::eval::decode::{Layouts, NO_SLOT};
use crate::eval::script::Scripts;
use crate::eval::table::Table;
use crate::eval::wire::Wires;
use crate::ir::{EntityId, FieldId, MappingId, Program};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A program ready to be run over records, by any number of threads at once.
pub struct Compiled {
    pub(crate) program: Arc<Program>,
    pub(crate) layouts: Layouts,
    pub(crate) wires: Wires,
    pub(crate) constants: Constants,
    pub(crate) tables: Vec<Table<Code>>,
    pub(crate) parts: Vec<PartCode>,
    pub(crate) mappings: Vec<MappingCode>,
    pub(crate) flows: Vec<FlowCode>,
    pub(crate) tests: Vec<TestCode>,
    pub(crate) scripts: Scripts,
    /// The project's zone.
    pub(crate) zone: TimeZone,
    /// The same program with its steps told, made when somebody asks why.
    pub(crate) tracing: OnceLock<Box<Compiled>>,
    pub(crate) sources: BTreeMap<Arc<str>, String>,
    /// What is counted, where the program was compiled for it.
    pub(crate) coverage: Option<Coverage>,
}

impl Compiled {
    /// The program that this was compiled from.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Whether some expression reads a field.
    pub fn reads(&self, entity: EntityId, field: FieldId) -> bool {
        self.layouts.slot(entity, field) != NO_SLOT
    }

    /// The points of the program and how often each was passed, where it was compiled to count that.
    pub fn coverage(&self) -> impl Iterator<Item = (&Point, u32)> {
        self.coverage.iter().flat_map(Coverage::points)
    }

    /// The mapping of that name, with or without its module.
    pub fn mapping(&self, name: &str) -> Option<MappingId> {
        let mappings = &self.program.mappings;
        let exact = mappings.iter().position(|m| *m.name == *name);
        let found = exact.or_else(|| {
            let mut short = mappings.iter().enumerate().filter(|(_, m)| m.name.rsplit('.').next() == Some(name));
            match (short.next(), short.next()) {
                (Some((n, _)), None) => Some(n),
                _ => None,
            }
        });
        found.and_then(|n| u32::try_from(n).ok()).map(MappingId)
    }

    /// The field of the same name in the entity that a record really is: parts go where a view of them is wanted.
    pub(crate) fn view(&self, actual: EntityId, wanted: EntityId, field: FieldId) -> Option<FieldId> {
        if actual == wanted {
            return Some(field);
        }
        self.program.entity(actual).field(&self.program.entity(wanted).get(field).name)
    }

    /// The connection of an entity in this flow; without any, the name of its system.
    pub(crate) fn connection(&self, flow: Option<usize>, entity: EntityId) -> Arc<str> {
        let flow = flow.and_then(|n| self.program.flows.get(n));
        let known = self.program.connection_of(flow, entity);
        known.unwrap_or_else(|| Arc::clone(&self.program.entity(entity).connector))
    }

    /// The connection that a mapping writes to.
    pub(crate) fn connection_of(&self, flow: Option<usize>, mapping: MappingId) -> Arc<str> {
        let mapping = self.program.mapping(mapping);
        if mapping.connection.is_empty() {
            self.connection(flow, mapping.target)
        } else {
            Arc::clone(&mapping.connection)
        }
    }
}
