//! Files: what they are, how long they are, and what none of them names.

use crate::code::{files, root};
use std::path::PathBuf;

/// Lines of a file beyond which it has, as a rule, a second concept.
const LINES_MAX: usize = 500;
/// Files that are longer, how long they may be, and why they stay so.
const LONG: &[(&str, usize, &str)] = &[
    ("src/check/infer/expr.rs", 530, "a method for each form of an expression"),
    ("src/eval/tests/lab.rs", 565, "the bench that all tests of `eval` stand on"),
    ("src/syntax/ast.rs", 970, "a type for each form of the language, and nothing else"),
    ("tests/connector_exact.rs", 600, "a case after the other"),
    ("tests/connector_sandbox.rs", 620, "a case after the other"),
    ("tests/connector_shop.rs", 870, "a case after the other"),
    ("tests/update.rs", 580, "a case after the other"),
    ("tests/store.rs", 740, "the contract of a store, promise by promise"),
];

/// All that is written in Rust.
fn code() -> Vec<PathBuf> {
    ["src", "tests", "benches"].iter().flat_map(|folder| files(&root().join(folder), Some("rs"))).collect()
}

#[test]
fn every_file_says_what_it_is() {
    let found = code();
    let silent: Vec<String> = found
        .iter()
        .filter(|path| !std::fs::read_to_string(path).expect("a source").starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "these files don't begin with `//!`:\n{}", silent.join("\n"));
}

#[test]
fn long_files_have_a_reason() {
    let (mut long, mut short) = (Vec::new(), Vec::new());
    for path in code() {
        let lines = std::fs::read_to_string(&path).expect("a source").lines().count();
        let shown = path.strip_prefix(root()).expect("it lies in the package").display().to_string();
        let listed = LONG.iter().find(|(file, ..)| *file == shown).map(|(_, most, _)| *most);
        if lines > listed.unwrap_or(LINES_MAX) {
            long.push(format!("{shown}: {lines} lines"));
        }
        if listed.is_some_and(|_| lines <= LINES_MAX) {
            short.push(shown);
        }
    }
    let listed = "look for the second concept in them, or list them in LONG with the reason";
    assert!(long.is_empty(), "longer than they may be, {listed}:\n{}", long.join("\n"));
    assert!(short.is_empty(), "LONG lists what is no longer than others: {}", short.join(", "));
    let gone: Vec<&str> = LONG.iter().map(|(file, ..)| *file).filter(|file| !root().join(file).is_file()).collect();
    assert!(gone.is_empty(), "LONG lists what is not there: {}", gone.join(", "));
}

#[test]
fn nothing_names_the_machine_that_it_was_written_on() {
    let folders = ["src", "tests", "benches", "docs", "stdlib", "flows", "grammar", ".ci"];
    let mut all: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root().join(folder), None)).collect();
    all.extend(
        ["Cargo.toml", "Cargo.lock", "README.md"].map(|name| root().join(name)).into_iter().filter(|p| p.exists()),
    );
    // In two pieces, so that the list does not find itself.
    let places: Vec<String> = ["work", "root", "home", "Users"].iter().map(|name| format!("/{name}/")).collect();
    let mut named = Vec::new();
    for file in &all {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        for (n, line) in text.lines().enumerate() {
            // A part of a longer address is no path of a machine.
            let hit = places.iter().any(|place| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    line[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c))
                })
            });
            if hit {
                named.push(format!("{}:{}", file.display(), n + 1));
            }
        }
    }
    assert!(all.len() > 100, "only {} files were found", all.len());
    assert!(named.is_empty(), "paths of one machine in:\n{}", named.join("\n"));
}
