//! The content of a record as one flow sees it: what it does not read changes nothing.

use crate::eval::code::Compiled;
use crate::eval::decode::{Layouts, Learnt, decode};
use crate::eval::failure::Failure;
use crate::eval::value::{Lack, Value, show_into};
use crate::plan::Reads;
use bumpalo::Bump;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

impl Compiled {
    /// A hash of the fields that the flow reads: whatever the order of the members, and whatever else has changed.
    ///
    /// # Errors
    /// The record is not what its schema says.
    pub fn content_hash(&self, flow: usize, raw: &str) -> Result<String, Failure> {
        let source = &self.program.flows[flow];
        let layouts =
            self.flow_layouts[flow].get_or_init(|| Layouts::new(&self.program, &Reads::of_flow(&self.program, source)));
        let arena = Bump::new();
        let record = decode(raw, source.source, layouts, &arena, &mut Learnt::default(), false).map_err(|bad| {
            let name = &self.program.entity(source.source).name;
            let subject =
                if bad.path.is_empty() { format!("the {name}") } else { format!("`{}` of the {name}", bad.path) };
            let mut failure = Failure::new(format!("{subject} {}", bad.told()), source.span);
            failure.value.clone_from(&bad.value);
            failure
        })?;
        let mut text = Vec::new();
        canonical(Value::Record(record), &mut text);
        let mut hash = String::with_capacity(32);
        for byte in Sha256::digest(&text).iter().take(16) {
            // Writing into memory does not fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Ok(hash)
    }
}

/// Values one after the other, each with its length, so that none runs into the next.
fn canonical(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Record(record) => {
            out.push(b'{');
            record.slots.iter().for_each(|value| canonical(*value, out));
            out.push(b'}');
        }
        Value::List(list) => {
            out.push(b'[');
            for value in list {
                canonical(*value, out);
            }
            out.push(b']');
        }
        // What stands there is content, whether it can be read or not: mended, it is another.
        Value::Missing(Lack::Unreadable(what)) => {
            out.push(b'!');
            out.extend_from_slice(what.raw.len().to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(what.raw.as_bytes());
        }
        Value::Absent | Value::Missing(Lack::NotGiven | Lack::Ungiven | Lack::Elsewhere) => out.push(b'-'),
        Value::Number(n) => {
            out.push(b'#');
            crate::value::decimal::write(n, out);
            out.push(b';');
        }
        other => {
            let mut text = Vec::new();
            show_into(other, &mut text);
            out.extend_from_slice(text.len().to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(&text);
        }
    }
}
