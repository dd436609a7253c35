//! What is sound and yet probably not meant. A lint looks at the checked program alone.
//!
//! In: a program, and which of its mappings were read in part. Out: diagnostics.

mod amounts;
mod checks;
mod currency;
mod deleted;
mod filters;
mod keys;
mod twins;

pub use twins::{Claim, claims, twins};

use crate::ir::{MappingId, Program, Verb};
use crate::source::Diagnostic;
use std::collections::BTreeSet;

/// All that the lints have to say of what a program declares. What is missing of a mapping that was read in part (`partly`) is no second mistake.
pub fn lint(program: &Program, partly: &BTreeSet<MappingId>) -> Vec<Diagnostic> {
    let mut told = Vec::new();
    for (n, mapping) in program.mappings.iter().enumerate() {
        checks::hold(&mapping.steps, &mut told);
        amounts::used(program, mapping, &mut told);
        if u32::try_from(n).is_ok_and(|n| partly.contains(&MappingId(n))) {
            continue;
        }
        if matches!(mapping.header.verb, Verb::CreateOnce | Verb::Upsert | Verb::CreateUnless(_)) {
            currency::filled(program, mapping, &mut told);
        }
        keys::differ(program, mapping, &mut told);
    }
    for flow in &program.flows {
        checks::hold(&flow.steps, &mut told);
        if flow.deleted {
            deleted::read(program, flow, &mut told);
        }
        if let Some(filter) = &flow.filter {
            filters::sent(program, flow.record, filter, &mut told);
        }
    }
    told
}
