//! The room's own tests: the flows of the design parse, and no text breaks the parser.

use super::ast::DeclKind;
use super::{Parsed, outline, parse, parse_chunk};
use crate::source::{FileId, Sources};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn north_star() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/flows-north-star");
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "flow") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found.sort();
    found
}

/// The one caller of the parser.
fn read(text: &str) -> Parsed {
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.tree.text(), text, "the tree keeps every byte");
    parsed
}

/// `line:column code message` for each diagnostic.
fn shown(text: &str, parsed: &Parsed) -> String {
    let mut sources = Sources::new();
    sources.add("t.flow", text);
    let mut out = String::new();
    for d in &parsed.diagnostics {
        let at = sources.position(d.span);
        writeln!(out, "{}:{} {} {} [{}]", at.line, at.column, d.code.id, d.message, d.label).unwrap();
    }
    out
}

#[test]
fn the_flows_of_the_design_parse() {
    let mut all = String::new();
    for (path, text) in north_star() {
        let parsed = read(&text);
        if !parsed.diagnostics.is_empty() {
            writeln!(all, "{}\n{}", path.display(), shown(&text, &parsed)).unwrap();
        }
        let chunks = outline(FileId(0), &text);
        let decls: usize = chunks.iter().map(|c| parse_chunk(FileId(0), &text, c).ast.decls.len()).sum();
        assert_eq!(parsed.ast.decls.len(), decls, "a file is its declarations");
    }
    assert!(all.is_empty(), "{all}");
}
