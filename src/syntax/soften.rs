//! Line ends that do not count: inside `( )`, `[ ]` and the braces of a text a line end is a blank, and is written as one
//! before the grammar reads it. So no rule asks where it stands, and pest keeps no stack.

/// What is open around a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `{` of a block: a line end ends a value.
    Block,
    /// `(` or `[`
    Bracket,
    /// `{` of a text.
    Hole,
    /// `"`
    Text,
    /// `"""`
    Long,
}

/// A mended text, without comments, in which each line end that is left counts. Nothing moves: every byte stays where it was.
pub(super) fn soften(mended: String) -> String {
    let mut bytes = mended.into_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        at += match open.last() {
            Some(kind @ (Open::Text | Open::Long)) => in_text(&bytes[at..], *kind, &mut open),
            around => {
                let soft = matches!(around, Some(Open::Bracket | Open::Hole));
                match byte {
                    b'\n' if soft => {
                        bytes[at] = b' ';
                        1
                    }
                    _ => in_code(&bytes[at..], &mut open),
                }
            }
        };
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// A byte of code; answers how many bytes are read.
fn in_code(rest: &[u8], open: &mut Vec<Open>) -> usize {
    match rest[0] {
        b'(' | b'[' => open.push(Open::Bracket),
        b'{' => open.push(Open::Block),
        b')' | b']' | b'}' => {
            open.pop();
        }
        b'"' if rest.starts_with(b"\"\"\"") => {
            open.push(Open::Long);
            return 3;
        }
        b'"' => open.push(Open::Text),
        _ => {}
    }
    1
}

/// A byte of a text; answers how many bytes are read.
fn in_text(rest: &[u8], kind: Open, open: &mut Vec<Open>) -> usize {
    match rest[0] {
        b'\\' => return 2,
        b'{' => open.push(Open::Hole),
        b'"' if kind == Open::Long && rest.starts_with(b"\"\"\"") => {
            open.pop();
            return 3;
        }
        b'"' if kind == Open::Text => {
            open.pop();
        }
        _ => {}
    }
    1
}

#[cfg(test)]
mod tests {
    use super::soften;

    #[test]
    fn line_ends_count_in_blocks_only() {
        let shown = |text: &str| soften(text.to_owned());
        assert_eq!(shown("f(a,\n  b)\nc"), "f(a,   b)\nc");
        assert_eq!(shown("[{ a = 1\n }\n]\n"), "[{ a = 1\n } ]\n");
        assert_eq!(shown("\"{a\n}\\\"(\"\n"), "\"{a }\\\"(\"\n");
        assert_eq!(shown("\"\"\"\n{a\n}\n\"\"\"\n"), "\"\"\"\n{a }\n\"\"\"\n");
    }
}
