//! Text to tree: the one door is [`parse`].
//!
//! In: a file's text. Out: the lossless tree, its typed view, and what is wrong. It never fails: what can't be read is
//! a node with a diagnostic.

pub mod ast;
