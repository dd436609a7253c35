//! What of a record makes it another one: a hash of what the flow reads, whatever else has changed in it.

use super::hash::hash;
use crate::ir::{EntityId, Program};
use crate::plan::Reads;
use serde_json::Value;
use std::fmt::Write as _;

/// What of an entity's records is hashed.
pub(crate) struct Content {
    /// Fields by their wire names, nested ones as ways.
    paths: Vec<Vec<String>>,
    /// Entries of `meta_data`.
    meta: Vec<String>,
}

impl Content {
    /// What a flow reads of its source.
    pub(crate) fn new(program: &Program, reads: &Reads, source: EntityId) -> Self {
        let entity = program.entity(source);
        let names = reads.wire_names(program, source).into_iter().filter(|name| name != "meta_data");
        let of_fields = reads.fields(source).filter_map(|f| entity.get(f).meta.as_ref()).flat_map(|meta| &meta.keys);
        Self {
            paths: names.map(|name| name.split('.').map(str::to_owned).collect()).collect(),
            meta: of_fields.chain(reads.meta(source)).map(ToString::to_string).collect(),
        }
    }

    /// The hash of a record.
    pub(crate) fn hash(&self, row: &Value) -> String {
        let mut read = String::new();
        let mut add = |name: &str, value: Option<&Value>| {
            // Writing into memory does not fail.
            let _ = writeln!(read, "{name}={}", value.map(Value::to_string).unwrap_or_default());
        };
        for path in &self.paths {
            add(&path.join("."), super::compare::value_at(row, path));
        }
        for key in &self.meta {
            add(key, super::body::meta_value(row, key));
        }
        hash(read.as_bytes())
    }
}
