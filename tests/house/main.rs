//! The house rules that a machine can hold: rooms use only what `docs/architecture.md` allows, the files of a room have an
//! order, files say what they are, shared rooms name no API, nothing computes in floating point, and what ships is what
//! lies in the folders. Code is read by `syn`, as the compiler reads it.

#![allow(clippy::print_stdout, reason = "who asks for a graph wants to see it")]

mod arrows;
mod circles;
mod code;
mod files;
mod names;
mod page;
mod reader;
mod rooms;
mod ships;
mod types;
