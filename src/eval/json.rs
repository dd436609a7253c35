//! Values as JSON has them.

use super::code::Code;
use super::compile::{Compiler, call};
use super::scan::{is_plain, special};
use super::value::{Value, show};
use super::{Failure, Halt};
use crate::ir::{Expr, Type};
use crate::source::Span;
use crate::value::decimal;

/// A value as JSON. What is JSON already stays as it is.
pub(super) fn json_of(compiler: &mut Compiler<'_>, value: &Expr, span: Span) -> Code {
    let mut ty = value.ty.present();
    while let Type::List(element) = ty {
        ty = element.present();
    }
    let raw = *ty == Type::Json;
    let value = compiler.code(value);
    call(move |run| {
        let value = value.eval(run)?;
        let mut out = Vec::new();
        if !write_value(value, raw, &mut out) {
            let reason = format!("{} has no form in JSON", show(value));
            return Err(Halt::fail(Failure::new(reason, span)));
        }
        Ok(run.text(&String::from_utf8_lossy(&out)))
    })
}

/// Appends a plain value as JSON; whether it has such a form. `raw`: its texts are JSON already.
fn write_value(value: Value<'_>, raw: bool, out: &mut Vec<u8>) -> bool {
    match value {
        Value::Absent => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
        Value::Number(n) => decimal::write(n, out),
        Value::Text(json) if raw => out.extend_from_slice(json.as_bytes()),
        Value::Text(text) => write_text(text, out),
        Value::Date(_) | Value::Instant(_) => write_text(&show(value), out),
        Value::List(list) => {
            out.push(b'[');
            for (n, element) in list.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                if !write_value(*element, raw, out) {
                    return false;
                }
            }
            out.push(b']');
        }
        _ => return false,
    }
    true
}

/// Appends a text as JSON.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.push(b'"');
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        write_escaped(bytes, out);
    }
    out.push(b'"');
}

#[cold]
fn write_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    let (mut from, mut at) = (0, special(bytes, 0));
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
