//! Values of both systems: exact amounts, texts with lengths, codes, times. Arithmetic only; nothing here knows an API.
//!
//! In: bytes and numbers as an API wrote them. Out: exact values, or the reason why they are none.

pub mod address;
pub mod cancel;
pub mod code;
pub mod decimal;
pub mod money;
pub mod script;
pub mod text;
pub mod time;
