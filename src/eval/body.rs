//! The JSON body of a write, put together from the fields that are sent.

use crate::eval::draft::{Draft, FieldWhen};
use crate::ir::Entries;
use crate::json::write_text;
use std::sync::Arc;

/// Bytes that most names take, with quotes, colon and comma.
const NAME_MOST: usize = 32;

/// The body that holds fields, each the way to it and its JSON: parts under one member each, further entries of the record in
/// their list, behind those that are given as a list.
#[expect(clippy::missing_panics_doc, reason = "it is made of texts alone")]
pub fn body<'a>(further: Option<Entries<'_>>, fields: impl IntoIterator<Item = (&'a [Arc<str>], &'a str)>) -> String {
    let fields: Vec<(&[Arc<str>], &str)> = fields.into_iter().collect();
    // Names are short, and all of it is written at once.
    let mut out = Vec::with_capacity(fields.iter().map(|(path, json)| json.len() + NAME_MOST * path.len()).sum());
    object(further, &fields, &mut out);
    String::from_utf8(out).expect("a body is made of texts")
}

fn object(further: Option<Entries<'_>>, fields: &[(&[Arc<str>], &str)], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (n, (path, json)) in fields.iter().enumerate() {
        let Some((head, rest)) = path.split_first() else { continue };
        let alike = |other: &[Arc<str>]| other.len() > 1 && other[0] == *head;
        let list = further.filter(|entries| entries.list == head);
        let before = |fields: &[(&[Arc<str>], &str)]| fields.iter().any(|(other, _)| alike(other));
        if !rest.is_empty() && before(&fields[..n]) || list.is_some() && rest.is_empty() && before(fields) {
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
        if let Some(of) = list {
            let given = fields.iter().find(|(path, _)| path.len() == 1 && path[0] == *head);
            entries(of, given.map(|(_, json)| *json), &below, out);
        } else {
            object(None, &below, out);
        }
    }
    out.push(b'}');
}

fn entries(of: Entries<'_>, given: Option<&str>, fields: &[(&[Arc<str>], &str)], out: &mut Vec<u8>) {
    out.push(b'[');
    let given = given.and_then(|json| json.trim().strip_prefix('[')?.strip_suffix(']')).map_or("", str::trim);
    out.extend_from_slice(given.as_bytes());
    for (n, (path, json)) in fields.iter().enumerate() {
        if n > 0 || !given.is_empty() {
            out.push(b',');
        }
        out.push(b'{');
        write_text(of.key, out);
        out.push(b':');
        write_text(path.first().map_or("", |key| key), out);
        out.push(b',');
        write_text(of.value, out);
        out.push(b':');
        out.extend_from_slice(json.as_bytes());
        out.push(b'}');
    }
    out.push(b']');
}

impl Draft {
    /// The body of a create: what is sent always and on a create, without what is empty.
    pub fn create_body(&self, further: Option<Entries<'_>>) -> String {
        let sent = self.fields.iter().filter(|f| f.when != FieldWhen::Update && f.json != "null");
        body(further, sent.map(|f| (&*f.path, f.json.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_entries_are_gathered_where_the_first_of_them_stands() {
        let fields = [
            ("number", "1"),
            ("billing.city", "\"Ede\""),
            ("meta_data.a", "2"),
            ("total", "3.00"),
            ("billing.phone", "null"),
            ("meta_data", "[{\"key\":\"b\",\"value\":4}]"),
        ];
        let paths: Vec<Vec<Arc<str>>> =
            fields.iter().map(|(path, _)| path.split('.').map(Arc::from).collect()).collect();
        let (list, key, value) = ("meta_data".into(), "key".into(), "value".into());
        let further = Some(Entries { list: &list, key: &key, value: &value });
        let made = body(further, paths.iter().zip(fields).map(|(path, (_, json))| (path.as_slice(), json)));
        let want = r#"{"number":1,"billing":{"city":"Ede","phone":null},"meta_data":[{"key":"b","value":4},{"key":"a","value":2}],"total":3.00}"#;
        assert_eq!(made, want);
    }
}
