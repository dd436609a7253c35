//! Equal refusals in a row: an API counts errors, so after some of them no more writes of their kind are sent.

use crate::limits;
use rustc_hash::FxHashMap;

/// Refusals of a pass by kind of write: connection, entity and method.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    kinds: FxHashMap<String, Row>,
}

#[derive(Debug)]
struct Row {
    class: String,
    reason: String,
    count: u32,
}

impl Refusals {
    /// Why writes of this kind are not sent any more.
    pub(crate) fn stopped(&self, kind: &str) -> Option<&str> {
        self.kinds.get(kind).filter(|row| row.count >= limits::EQUAL_REFUSALS_MAX).map(|row| row.reason.as_str())
    }

    /// A write was refused. Whether this is the one that stops the kind.
    pub(crate) fn refused(&mut self, kind: &str, reason: &str) -> bool {
        let class = class(reason);
        let row = self.kinds.entry(kind.to_owned()).or_insert_with(|| Row {
            class: class.clone(),
            reason: reason.to_owned(),
            count: 0,
        });
        if row.class != class {
            *row = Row { class, reason: reason.to_owned(), count: 0 };
        }
        row.count += 1;
        row.count == limits::EQUAL_REFUSALS_MAX
    }

    /// A write of this kind was done.
    pub(crate) fn done(&mut self, kind: &str) {
        self.kinds.remove(kind);
    }
}

/// A reason without what differs from record to record: digits, and what stands in quotes. A `'` within a word is none.
fn class(reason: &str) -> String {
    let mut out = String::with_capacity(reason.len());
    let mut quote = None;
    let mut in_word = false;
    for c in reason.chars() {
        let within = std::mem::replace(&mut in_word, c.is_alphanumeric());
        match quote {
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '`') || (c == '\'' && !within) => quote = Some(c),
            None if c.is_ascii_digit() => {
                if !out.ends_with('#') {
                    out.push('#');
                }
            }
            None => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Refusals;

    #[test]
    fn three_equal_refusals_in_a_row_stop_a_kind() {
        let mut refusals = Refusals::default();
        assert!(!refusals.refused("a", "Invalid: Item 12"));
        assert!(!refusals.refused("a", "Invalid: Item 7"));
        refusals.done("a");
        assert!(!refusals.refused("a", "Invalid: Item 1"));
        assert!(!refusals.refused("a", "Required: Journal"));
        assert!(!refusals.refused("a", "Required: Journal"));
        assert_eq!(refusals.stopped("a"), None);
        assert!(refusals.refused("a", "Required: Journal"));
        assert_eq!(refusals.stopped("a"), Some("Required: Journal"));
        assert_eq!(refusals.stopped("b"), None);
    }

    #[test]
    fn an_apostrophe_is_no_quote() {
        let mut refusals = Refusals::default();
        for reason in ["You can't book here", "You can't invoice there", "You can't delete that"] {
            assert!(!refusals.refused("a", reason));
        }
        assert!(!refusals.refused("b", "Unknown: 'Item A'"));
        assert!(!refusals.refused("b", "Unknown: 'Item B'"));
        assert!(refusals.refused("b", "Unknown: 'Item C'"));
    }
}
