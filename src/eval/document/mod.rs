//! Documents: what is known of an earlier copy, what its steps fill, what becomes of it, and its payload.

mod action;
mod balance;
mod encode;
mod it;
mod keys;
mod make;
mod part;
mod payload;
mod search;
mod steps;

pub(crate) use make::make;
