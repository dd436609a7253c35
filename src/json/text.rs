//! Texts as JSON has them: where they end, what is escaped in them, and how they are written.

/// The halves of a character that is spelt as two.
pub(crate) const HIGH: std::ops::Range<u32> = 0xd800..0xdc00;
pub(crate) const LOW: std::ops::Range<u32> = 0xdc00..0xe000;

/// Marks the quotes, backslashes and control characters among eight bytes in their highest bits: the lowest mark is exact,
/// those above it may be carries.
#[inline]
fn marks(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let quote = word ^ (ONES * 0x22);
    let slash = word ^ (ONES * 0x5c);
    ((quote.wrapping_sub(ONES) & !quote)
        | (slash.wrapping_sub(ONES) & !slash)
        | (word.wrapping_sub(ONES * 0x20) & !word))
        & HIGH
}

/// Where the next quote, backslash or control character stands, or the end. Eight bytes at a time: most texts are short,
/// and a call into a longer search costs more than it saves.
#[inline]
pub(crate) fn special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let (chunks, _) = bytes.get(from..).unwrap_or_default().as_chunks::<8>();
    for chunk in chunks {
        let hit = marks(u64::from_le_bytes(*chunk));
        if hit != 0 {
            return at + (hit.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(b) = bytes.get(at) {
        if matches!(b, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

/// Whether [`special`] finds nothing in a text. Its last eight bytes are looked at together, some of them again.
#[inline]
pub(crate) fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (chunks, _) = bytes.as_chunks::<8>();
        let all = chunks.iter().fold(marks(u64::from_le_bytes(*last)), |all, c| all | marks(u64::from_le_bytes(*c)));
        return all == 0;
    }
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            marks(u64::from(u32::from_le_bytes(*first)) | (u64::from(u32::from_le_bytes(*last)) << 32)) == 0
        }
        _ => special(bytes, 0) == bytes.len(),
    }
}

/// Whether half a character stands alone in a JSON text, whose shape has been checked.
pub(crate) fn has_half(json: &str) -> bool {
    let unit = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        at += match unit(at) {
            Some(first) if HIGH.contains(&first) => match unit(at + 6) {
                Some(second) if LOW.contains(&second) => 12,
                _ => return true,
            },
            Some(first) if LOW.contains(&first) => return true,
            Some(_) => 6,
            None => 2,
        };
    }
    false
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
