//! The JSON body of a write, put together from the fields that are sent.

use super::json::write_text;
use super::{Draft, DraftField, FieldWhen};
use std::sync::Arc;

/// The body that holds these fields: parts under one member each, entries of `meta_data` as a list.
#[expect(clippy::missing_panics_doc, reason = "it is made of texts alone")]
pub fn body<'a>(fields: impl IntoIterator<Item = &'a DraftField>) -> String {
    let fields: Vec<(&[Arc<str>], &str)> = fields.into_iter().map(|f| (&f.path[..], f.json.as_str())).collect();
    let mut out = Vec::new();
    object(&fields, &mut out);
    String::from_utf8(out).expect("a body is made of texts")
}

fn object(fields: &[(&[Arc<str>], &str)], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (n, (path, json)) in fields.iter().enumerate() {
        let Some((head, rest)) = path.split_first() else { continue };
        let alike = |other: &[Arc<str>]| other.len() > 1 && other[0] == *head;
        if !rest.is_empty() && fields[..n].iter().any(|(other, _)| alike(other)) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        write_text(head, out);
        out.push(b':');
        if rest.is_empty() {
            out.extend_from_slice(json.as_bytes());
            continue;
        }
        let below: Vec<(&[Arc<str>], &str)> =
            fields.iter().filter(|(other, _)| alike(other)).map(|(path, json)| (&path[1..], *json)).collect();
        if **head == *"meta_data" { entries(&below, out) } else { object(&below, out) }
    }
    out.push(b'}');
}

fn entries(fields: &[(&[Arc<str>], &str)], out: &mut Vec<u8>) {
    out.push(b'[');
    for (n, (path, json)) in fields.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"key\":");
        write_text(path.first().map_or("", |key| key), out);
        out.extend_from_slice(b",\"value\":");
        out.extend_from_slice(json.as_bytes());
        out.push(b'}');
    }
    out.push(b']');
}

impl Draft {
    /// The body of a create: what is sent always and on a create, without what is empty.
    pub fn create_body(&self) -> String {
        body(self.fields.iter().filter(|f| f.when != FieldWhen::Update && f.json != "null"))
    }
}
