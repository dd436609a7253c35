//! Line ends that do not count are blanks, and are written as such before the grammar reads them: those inside `( )`, `[ ]`
//! and the braces of a text, and those before a line that goes on with the value above it. So no rule asks where a line
//! end stands, and pest keeps no stack. A tab is a blank too.

/// What a line begins with that goes on with the value above it.
pub(super) const GOES_ON: [&str; 10] = [".", "?.", "??", "+", "*", "/", "and", "or", "then", "else"];

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
                let inside = matches!(around, Some(Open::Bracket | Open::Hole));
                match byte {
                    b'\n' if inside || goes_on(&bytes[at..]) => {
                        bytes[at] = b' ';
                        1
                    }
                    b'\t' | b'\r' => {
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

/// Whether what comes behind a line end goes on with the value before it. A word does not that begins a row or fills a field,
/// nor does `then write`.
fn goes_on(rest: &[u8]) -> bool {
    let line = rest.trim_ascii_start();
    let Some(word) = GOES_ON.iter().find(|word| line.starts_with(word.as_bytes())) else { return false };
    let behind = &line[word.len()..];
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return true;
    }
    if behind.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return false;
    }
    let next = behind.trim_ascii_start();
    let fills = [&b"=>"[..], b"->", b":", b"="].iter().any(|sign| next.starts_with(sign)) && !next.starts_with(b"==");
    !(fills || *word == "then" && next.starts_with(b"write"))
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

    #[test]
    fn a_line_that_goes_on_with_a_value_is_one_with_it() {
        let shown = |text: &str| soften(text.to_owned());
        assert_eq!(shown("a = b\n  .c\n\nd\n"), "a = b   .c\n\nd\n");
        assert_eq!(shown("a\n\n or b\norder\n"), "a   or b\norder\n");
        assert_eq!(shown("{ 1 => 2\nelse => 3\n}\n"), "{ 1 => 2\nelse => 3\n}\n");
        assert_eq!(shown("a = b\nthen write c\nor = 1\n"), "a = b\nthen write c\nor = 1\n");
        assert_eq!(shown("if a\nthen b\n\telse c\n"), "if a then b  else c\n");
    }
}
