//! Arithmetic without loss, and how large what is made may become.

use crate::eval::failure::{Failure, Halt};
use crate::ir::Binary;
use crate::limits;
use crate::source::Span;
use crate::value::decimal;
use rust_decimal::Decimal;

/// One operation on numbers.
pub(crate) fn number(op: Binary, a: Decimal, b: Decimal, span: Span) -> Result<Decimal, Halt> {
    let result = match op {
        Binary::Add => decimal::add(a, b),
        Binary::Sub => decimal::add(a, -b),
        Binary::Mul => a.checked_mul(b),
        Binary::Div if b.is_zero() => return Err(divided_by_zero(a, span)),
        Binary::Div => a.checked_div(b),
        _ => None,
    };
    result.ok_or_else(|| too_large(span))
}

#[cold]
pub(crate) fn divided_by_zero(a: Decimal, span: Span) -> Halt {
    Halt::soft(Failure::new(format!("{a} is divided by 0"), span).with_value(a.to_string()))
}

#[cold]
pub(crate) fn too_large(span: Span) -> Halt {
    Halt::fail(Failure::new("the number becomes larger than 28 digits hold", span))
}

/// Whether a text of so many bytes may be made, before memory is taken for it.
pub(crate) fn text_fits(bytes: usize, span: Span) -> Result<(), Halt> {
    if bytes <= limits::TEXT_BYTES_MAX {
        return Ok(());
    }
    let reason = format!("the text is longer than {} KB", limits::TEXT_BYTES_MAX >> 10);
    Err(Halt::fail(Failure::new(reason, span)))
}

/// Whether a list of so many elements may be made, before memory is taken for it.
pub(crate) fn list_fits(elements: usize, span: Span) -> Result<(), Halt> {
    if elements <= limits::LIST_MAX {
        return Ok(());
    }
    Err(Halt::fail(Failure::new(format!("a list has more than {} elements", limits::LIST_MAX), span)))
}
