//! What a function needs to know beside its arguments.

use crate::eval::code::Run;
use crate::eval::failure::{Failure, Halt};
use crate::eval::personal::told;
use crate::eval::value::Value;
use crate::ir::{Native, Type};
use crate::source::Span;

/// What a function needs to know beside its arguments.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) span: Span,
    pub(crate) ty: Type,
    /// What it works on tells personal data.
    pub(crate) personal: bool,
}

impl At {
    /// A text that does not say what is read of it.
    pub(crate) fn unreadable(&self, text: Value<'_>, why: impl std::fmt::Display) -> Halt {
        let shown = told(text, self.personal);
        let reason = if self.personal { format!("{shown} {why}") } else { format!("\"{shown}\" {why}") };
        Halt::soft(Failure::new(reason, self.span).with_value(shown))
    }
}

/// It was called with what `check` does not let through.
pub(crate) fn wrong(run: &Run<'_>, native: Native, at: &At) -> Halt {
    run.broken_promise(&format!("`{}` with other arguments than it has", native.name()), at.span)
}

/// An empty text where there may be none.
pub(crate) fn or_absent<'r>(text: &'r str, at: &At) -> Value<'r> {
    if text.is_empty() && at.ty.is_optional() { Value::Absent } else { Value::Text(text) }
}

/// A number without decimals, as a count.
pub(crate) fn whole(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Number(n) => usize::try_from(if n.scale() == 0 { n } else { n.trunc() }.mantissa()).ok(),
        _ => None,
    }
}
