//! Which family a function is of.

use super::at::{At, wrong};
use super::list::on_list;
use super::number::{date_of, on_number};
use super::text::on_text;
use crate::eval::code::{Eval, Run};
use crate::eval::value::Value;
use crate::ir::Native;
use crate::value::time;

/// The value of a function for these arguments.
pub(crate) fn apply<'r>(run: &mut Run<'r>, native: Native, args: &[Value<'r>], at: &At) -> Eval<'r> {
    use Native as N;
    match native {
        N::Fit
        | N::Plain
        | N::Digits
        | N::Trim
        | N::Tidy
        | N::CountryOf
        | N::Upper
        | N::Lower
        | N::Take
        | N::Replace
        | N::Split
        | N::Postcode
        | N::Street
        | N::StartsWith
        | N::EndsWith
        | N::TextOf => on_text(run, native, args, at),
        N::Join
        | N::Present
        | N::Distinct
        | N::Count
        | N::First
        | N::Last
        | N::Single
        | N::Nth
        | N::IsEmpty
        | N::Sum
        | N::Length
        | N::Contains => on_list(run, native, args, at),
        N::Max
        | N::Min
        | N::Abs
        | N::Round
        | N::Floor
        | N::Int
        | N::DecimalOf
        | N::PriceOf
        | N::TaxOf
        | N::NetOf
        | N::GrossOf
        | N::WithTax
        | N::Share => on_number(run, native, args, at),
        N::Untaxed | N::PercentOf => Ok(args.first().copied().unwrap_or(Value::Absent)),
        N::DateOf => date_of(run, args, at),
        N::Today => Ok(Value::Date(time::date_in(run.known.now(), &run.compiled.zone))),
        N::Now => Ok(Value::Instant(run.known.now())),
        N::Map
        | N::Where
        | N::Flat
        | N::Chain
        | N::Sorted
        | N::Any
        | N::All
        | N::Linked
        | N::MetaOf
        | N::DocumentTotal
        | N::JsonOf
        | N::Capture => Err(wrong(run, native, at)),
    }
}
