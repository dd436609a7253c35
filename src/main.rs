//! The binary: three lines, all else is the library's.
fn main() {}
