//! Reads what ships before flowc is compiled, so that no run has to: `src/shipped.rs` takes it out of the binary.

#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    clippy::pedantic,
    reason = "only the way from a text to its declarations is used of these rooms"
)]

// The parser that pest makes without `std` names it.
extern crate alloc;

#[path = "src/limits.rs"]
mod limits;
#[path = "src/source/mod.rs"]
mod source;
#[path = "src/syntax/mod.rs"]
mod syntax;

use source::library::LIBRARY;
use source::{FileId, Sources};
use std::path::{Path, PathBuf};

/// A declaration as `src/shipped.rs` reads it.
type Form = (&'static str, String, Vec<u8>);

fn main() {
    for path in ["stdlib", "flows", "grammar", "src/source", "src/syntax", "src/limits.rs"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let files: Vec<Vec<Form>> = (0..LIBRARY.len()).map(|place| forms(FileId::shipped(place))).collect();
    let folder = std::env::var_os("OUT_DIR").expect("cargo says where to write");
    let bytes = postcard::to_stdvec(&files).expect("declarations have a form");
    std::fs::write(Path::new(&folder).join("shipped.bin"), bytes).expect("the folder of the build can be written");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("flows/tests");
    let listed: Vec<String> = files_below(&root)
        .iter()
        .map(|path| {
            let own = path.strip_prefix(&root).expect("it lies below").to_str().expect("a name that ships is a text");
            format!("({:?}, include_str!({:?}))", own.replace('\\', "/"), path)
        })
        .collect();
    std::fs::write(Path::new(&folder).join("tests.rs"), format!("&[{}]", listed.join(",\n")))
        .expect("the folder of the build can be written");
}

/// The files of a folder and of those in it, by name.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("what ships can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("what ships can be read").path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn forms(file: FileId) -> Vec<Form> {
    let sources = Sources::new();
    let parsed = syntax::parse(file, &sources.get(file).text);
    for wrong in &parsed.diagnostics {
        println!("cargo::error={}: {}", sources.place(wrong.span), wrong.message);
    }
    let form = |decl: &syntax::ast::Decl| {
        let (keyword, name) = decl.heading();
        (keyword, name, postcard::to_stdvec(decl).expect("a declaration has a form"))
    };
    parsed.ast.decls.iter().map(form).collect()
}
