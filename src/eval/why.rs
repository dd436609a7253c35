//! Why a field has its value: the record is computed again with every step told.

use crate::eval::code::Compiled;
use crate::eval::evaluate::Evaluated;
use crate::eval::query::Resolver;
use crate::eval::trace::{Item, Told, Trace};
use crate::source::Span;
use std::collections::HashSet;
use std::sync::Arc;

/// What made a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The field: `sales_order.SalesOrderLines[0].VATCode`.
    pub field: String,
    /// Its value as a person reads it.
    pub value: String,
    /// The line that decided it.
    pub place: Span,
    /// The lines that it displaces: the default's, then those of changes between.
    pub displaced: Vec<Span>,
    /// Table and row, where one gave it.
    pub row: Option<(Arc<str>, Span)>,
    /// Settings with their answers.
    pub settings: Vec<(Arc<str>, String)>,
    /// Source fields with their values.
    pub sources: Vec<(String, String)>,
}

impl Compiled {
    /// What made a field of the record: `MAPPING.Path[0].Field`, the mapping with or without its module. None: there is
    /// no such field, or what it needs is not known.
    pub fn why(&self, flow: usize, raw: &str, known: &dyn Resolver, field: &str) -> Option<Why> {
        let tracing = self.tracing();
        let (outcome, trace) = tracing.traced_unit(flow, raw, known);
        if let Evaluated::Needs(_) = outcome {
            return None;
        }
        trace.find(tracing, field)
    }

    /// What made each field of the documents of the record, as [`Compiled::why`] names them; of lists and parts those of
    /// their elements. None where what it needs is not known.
    pub fn whys(&self, flow: usize, raw: &str, known: &dyn Resolver) -> Vec<Why> {
        let tracing = self.tracing();
        let (outcome, trace) = tracing.traced_unit(flow, raw, known);
        if let Evaluated::Needs(_) = outcome { Vec::new() } else { trace.leaves(tracing) }
    }
}

impl Trace {
    pub(crate) fn leaves(&self, compiled: &Compiled) -> Vec<Why> {
        let told = self.fields.iter().filter_map(|told| {
            let name = Arc::clone(&compiled.program.mapping(told.mapping?).name);
            Some((format!("{}.{}", name.rsplit('.').next().unwrap_or_default(), told.path), told))
        });
        let told: Vec<(String, &Told)> = told.collect();
        let names: HashSet<&str> = told.iter().map(|(name, _)| &**name).collect();
        let parts = names.iter().flat_map(|name| name.match_indices(['.', '[']).map(|(at, _)| &name[..at]));
        let whole: HashSet<&str> = parts.collect();
        let leaves = told.iter().filter(|(name, _)| !whole.contains(&**name));
        leaves.map(|(name, told)| told.why(compiled, name)).collect()
    }

    fn find(&self, compiled: &Compiled, wanted: &str) -> Option<Why> {
        let (mapping, path) = wanted.split_once('.')?;
        let told = self.fields.iter().rev().find(|told| {
            let name = told.mapping.map(|id| Arc::clone(&compiled.program.mapping(id).name));
            name.is_some_and(|name| *name == *mapping || name.rsplit('.').next() == Some(mapping)) && told.path == path
        });
        // A mapping may be named with its module.
        let Some(told) = told else {
            let (module, rest) = wanted.split_once('.')?;
            let (mapping, path) = rest.split_once('.')?;
            let full = format!("{module}.{mapping}");
            return self
                .fields
                .iter()
                .rev()
                .find(|t| t.path == path && t.mapping.is_some_and(|id| *compiled.program.mapping(id).name == *full))
                .map(|told| told.why(compiled, wanted));
        };
        Some(told.why(compiled, wanted))
    }
}

impl Told {
    fn why(&self, compiled: &Compiled, field: &str) -> Why {
        let mut why = Why {
            field: field.to_owned(),
            value: self.value.clone(),
            place: self.place,
            displaced: self.displaced.clone(),
            row: None,
            settings: Vec::new(),
            sources: Vec::new(),
        };
        for item in &self.items {
            match item {
                Item::Row(lookup, row) => {
                    let lookup = &compiled.program.lookups[*lookup];
                    why.row = Some((Arc::clone(&lookup.name), lookup.rows[*row].span));
                }
                Item::Setting(name, value) => why.settings.push((Arc::clone(name), value.clone())),
                Item::Source(path, value) => why.sources.push((path.clone(), value.clone())),
            }
        }
        why.settings.sort();
        why.settings.dedup();
        let mut seen = Vec::new();
        why.sources.retain(|source| {
            !seen.contains(source) && {
                seen.push(source.clone());
                true
            }
        });
        why
    }
}
