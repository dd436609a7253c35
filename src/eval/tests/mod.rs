//! Records evaluated: programs are put together by hand, as the checker would.

mod lab;

mod decoding;
mod documents;
mod expressions;
