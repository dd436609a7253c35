//! Functions that the language has by itself, computed: a file for each family.

mod apply;
mod at;
mod direct;
mod fused;
mod list;
mod number;
mod over;
mod record;
mod sum;
mod text;
mod total;

pub(crate) use apply::apply;
pub(crate) use at::At;
pub(crate) use direct::direct;
pub(crate) use fused::{Change, characters_replaced, contains_each};
pub(crate) use number::{decimals, divided_and_rounded};
pub(crate) use over::{asked_in_turn, chained, first_where, over_list};
pub(crate) use record::{json_of, linked, meta_of, meta_slot};
pub(crate) use text::{capture, captures_none};
pub(crate) use total::{DECIMALS, document_total, price_by};
