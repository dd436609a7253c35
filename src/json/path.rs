//! Where something stands in a JSON text, for whoever has to look at it: `line_items[1].price`.

/// A bracket that is open.
enum Level {
    /// An object, at this member.
    Object(String),
    /// A list, at this element.
    List(usize),
}

/// The members and elements that lead to a byte of a JSON text, without the member of that name in which an API wraps its
/// lists: it is no part of anybody's record. The bytes need be no text behind that, nor right JSON.
pub fn path_to(bytes: &[u8], place: usize, wrapper: Option<&str>) -> String {
    let bytes = bytes.get(..place).unwrap_or(bytes);
    let mut levels: Vec<Level> = Vec::new();
    let mut name: &[u8] = b"";
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => levels.push(Level::Object(String::new())),
            b'[' => levels.push(Level::List(0)),
            b'}' | b']' => drop(levels.pop()),
            b',' => {
                if let Some(Level::List(n)) = levels.last_mut() {
                    *n += 1;
                }
            }
            b':' => {
                if let Some(Level::Object(member)) = levels.last_mut() {
                    // It is shown to a person, and names nothing for the program.
                    *member = String::from_utf8_lossy(name).into_owned();
                }
            }
            b'"' => {
                let start = at + 1;
                at = start;
                while let Some(byte) = bytes.get(at).filter(|byte| **byte != b'"') {
                    at += if *byte == b'\\' { 2 } else { 1 };
                }
                name = bytes.get(start..at).unwrap_or_default();
            }
            _ => {}
        }
        at += 1;
    }
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object(member) if Some(&*member) == wrapper => {}
            Level::Object(member) => {
                if !path.is_empty() && !member.is_empty() {
                    path.push('.');
                }
                path.push_str(&member);
            }
            Level::List(n) => {
                path.push('[');
                path.push_str(&n.to_string());
                path.push(']');
            }
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::path_to;

    #[test]
    fn the_way_to_a_place() {
        let text = r#"{"a": "{[\"", "lines": [{"x": 1}, {"y": [1, {"z": 2}]}], "d": {"results": [{}]}, "e": "fgh"}"#;
        let cases = [
            ("{\"a\"", ""),
            ("{\"x\"", "lines[0]"),
            ("1}", "lines[0].x"),
            ("{\"z\"", "lines[1].y[1]"),
            ("{}", "d[0]"),
            ("gh\"", "e"),
        ];
        for (part, path) in cases {
            assert_eq!(
                path_to(text.as_bytes(), text.find(part).expect("it is there"), Some("results")),
                path,
                "{part}"
            );
        }
        assert_eq!(path_to(b"{\"billing\":{\"city\":\"K\xf6ln\"}}", 22, None), "billing.city");
    }
}
