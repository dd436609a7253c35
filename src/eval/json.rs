//! Texts as JSON has them.

use super::scan::special;

/// Appends a text as JSON.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let at = special(bytes, 0);
    if at == bytes.len() {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(bytes, at, out);
    }
    out.push(b'"');
}

/// A text of which the first byte that JSON wants escaped stands at `at`.
fn write_escaped(bytes: &[u8], at: usize, out: &mut Vec<u8>) {
    let (mut from, mut at) = (0, at);
    loop {
        out.extend_from_slice(&bytes[from..at]);
        let Some(byte) = bytes.get(at) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        from = at + 1;
        at = special(bytes, from);
    }
}
