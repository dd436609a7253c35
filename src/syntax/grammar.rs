//! The parser that pest makes of `grammar/flow.pest`. Nothing outside this room sees it.

#![allow(missing_docs, reason = "a rule is documented where it stands, in the grammar")]

use pest_derive::Parser;

/// The grammar.
#[derive(Parser)]
#[grammar = "../grammar/flow.pest"]
pub(crate) struct Grammar;
