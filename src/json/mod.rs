//! Raw JSON: records stay the text that an API sent, and only what is asked of them is decoded.
//!
//! In: the text of a record. Out: a [`Scanner`] that walks through it once, the order in which members come most often
//! ([`Orders`]), single members that are found, absent or unreadable ([`member`]), texts written as JSON, and for people
//! the way to a place in it. Nothing here knows a schema, and no tree of values is made.

mod error;
mod number;
mod order;
mod path;
mod record;
mod scan;
#[cfg(test)]
mod tests;
mod text;

pub(crate) use error::{DecodeError, Decoded};
pub(crate) use order::{Order, Orders};
pub use path::path_to;
pub(crate) use record::member;
pub(crate) use scan::Scanner;
pub(crate) use text::{has_half, special, write_text};
