//! Changes that messages offer: they must still mean what was written, and be right when they are taken as they are.

use crate::check::resolve::checker::Checker;
use crate::check::resolve::instances::InstanceId;
use crate::source::{Diagnostic, Span};

impl Checker<'_> {
    /// Offers to put this behind a value: `.fit()`, ` ?? 0`. A value of several parts gets brackets, for what stands
    /// behind it would belong to its last part only.
    pub(crate) fn offer_behind(&self, d: Diagnostic, title: &str, value: Span, text: &str) -> Diagnostic {
        let written = self.modules.sources.text(value);
        if is_one(written) {
            d.fix(title, value.at_end(), text)
        } else {
            d.fix(title, value, format!("({written}){text}"))
        }
    }

    /// Offers to `use` the module that is meant.
    pub(crate) fn offer_use(&self, d: Diagnostic, inside: InstanceId, module: &str) -> Diagnostic {
        let d = d.help(format!("add `use {module}`"));
        match self.modules.first_use(self.module_of(inside)) {
            Some(first) => d.fix(format!("add `use {module}`"), first, format!("use {module}\n")),
            None => d,
        }
    }

    /// What a value is called in the reason of a record that stops: `billing.phone`.
    pub(crate) fn name_of(&self, value: Span) -> String {
        let written = self.modules.sources.text(value);
        let path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '?');
        match written.split_once('.') {
            _ if written.is_empty() || !written.chars().all(path) => "a value".to_owned(),
            Some((_, fields)) => fields.replace('?', ""),
            None => written.to_owned(),
        }
    }
}

/// Whether a value binds tighter than anything: outside of its brackets and texts it has neither blanks nor operators.
fn is_one(written: &str) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    let mut rest = written.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            // In a text only its braces count: what stands in them may hold texts of its own.
            '"' if depth == 0 => in_text = !in_text,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if in_text => {}
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '+' | '-' | '*' | '/' | '<' | '>' | '=' | '|' | '%' => return false,
            '?' if rest.peek() == Some(&'?') => return false,
            c if c.is_whitespace() => return false,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn a_value_of_several_parts_is_seen() {
        for one in ["order.number", "f(a, b)", "\"a text, {b + c}\"", "xs.map(x => x.y)", "table[a, b]", "(a ?? b)"] {
            assert!(is_one(one), "{one}");
        }
        for several in ["a ?? b", "a??b", "a + b", "a-b", "if a then b else c", "ensure m(x)", "(a) + (b)"] {
            assert!(!is_one(several), "{several}");
        }
    }
}
