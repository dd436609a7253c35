//! JSON as PHP writes it: slashes escaped, everything outside ASCII as `\uXXXX`.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

use crate::sandbox::rows;

/// PHP's habits, so that a client that compares bytes or signs them meets the real ones.
struct PhpFormatter;

impl Formatter for PhpFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut plain = 0;
        for (at, character) in fragment.char_indices() {
            if character.is_ascii() && character != '/' {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            plain = at + character.len_utf8();
            let own = match character {
                '/' => Some(&b"\\/"[..]),
                rows::HALF_PAIR => Some(rows::HALF_PAIR_WRITTEN),
                rows::BAD_BYTES => Some(rows::BAD_BYTES_WRITTEN),
                _ => None,
            };
            if let Some(own) = own {
                writer.write_all(own)?;
                continue;
            }
            let mut units = [0_u16; 2];
            for unit in character.encode_utf16(&mut units) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

/// The bytes that PHP's `json_encode` makes of a value.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4096);
    let mut serializer = Serializer::with_formatter(&mut bytes, PhpFormatter);
    value.serialize(&mut serializer).expect("a JSON value has text keys, and a vector takes every byte");
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::encode;

    #[test]
    fn slashes_and_foreign_letters_are_escaped() {
        let text = String::from_utf8(encode(&json!({"a": "ü/😀\"\n", "n": 1.50}))).unwrap();
        assert_eq!(text, "{\"a\":\"\\u00fc\\/\\ud83d\\ude00\\\"\\n\",\"n\":1.5}");
    }
}
