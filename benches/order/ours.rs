//! The mapping in our own language: `project.flow` beside this file.

use super::Contestant;
use flowc::eval::{Compiled, Given, Mapper, Tables};
use std::path::Path;
use std::sync::Arc;

/// The checked and compiled project.
pub(crate) fn compile() -> Result<Compiled, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("order");
    let checked = flowc::check::check_project(&flowc::source::Disk, &folder, &[]);
    if let Some(error) = checked.diagnostics.iter().find(|d| d.severity == flowc::source::Severity::Error) {
        return Err(format!("project.flow: {}", error.message));
    }
    Ok(Compiled::new(Arc::new(checked.program)))
}

/// What ours knows: nothing, and no tables.
pub(crate) struct Known {
    given: Given,
    tables: Tables,
}

impl Default for Known {
    fn default() -> Self {
        Self { given: Given::empty(jiff::Timestamp::UNIX_EPOCH), tables: Tables::default() }
    }
}

/// Ours, ready to map.
pub(crate) struct Ours<'c> {
    mapper: Mapper<'c>,
}

impl<'c> Ours<'c> {
    /// A mapper of `bench_order`.
    pub(crate) fn new(compiled: &'c Compiled, known: &'c Known) -> Result<Self, String> {
        let mapping = compiled.mapping("bench_order").ok_or("project.flow has no `bench_order`")?;
        Ok(Self { mapper: Mapper::new(compiled, mapping, &known.given, &known.tables)? })
    }
}

impl Contestant for Ours<'_> {
    fn map(&mut self, order: &str, out: &mut Vec<u8>) -> Result<bool, String> {
        // An order that stops is a result, as an error record is the baseline's.
        Ok(self.mapper.map(order, out).is_ok_and(|made| made))
    }
}
