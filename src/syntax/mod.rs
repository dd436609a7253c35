//! Text to typed view: the one door is [`parse`]; beside it [`tree`], for who writes texts.
//!
//! In: a file's text. Out: its typed view and what is wrong, or the lossless tree. It never fails: what can't be read is
//! a node with a diagnostic.
//!
//! The way of a text: tokens, declarations, mended brackets and quotes, the grammar, the typed view.

pub mod ast;
mod brackets;
mod forms;
mod grammar;
mod lower;
mod mend;
mod messages;
mod outline;
mod parse;
mod soften;
#[cfg(test)]
mod tests;
mod token;
mod tree;

pub use forms::CHECK_STAYS;
pub use grammar::Rule;
pub use parse::{Parsed, parse, tree};
pub use token::{Lexeme, Token};
pub use tree::{Kind, NodeId, NodeRef, Tree};
