//! The page of the house: docs/architecture.md says what is there.

use crate::code::{house, root};
use std::collections::BTreeSet;

/// The page.
pub(crate) fn page() -> String {
    std::fs::read_to_string(root().join("docs/architecture.md")).expect("the page of the house")
}

/// The crates that sections of the manifest name.
fn crates(sections: &[&str]) -> BTreeSet<String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let mut crates = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = sections.contains(&line);
        } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
            crates.insert(name.trim().to_owned());
        }
    }
    crates
}

/// What is measured is built as it was: the lock of the benches knows each crate that the product is made of.
#[test]
fn the_benches_are_locked_to_what_is_built() {
    let lock = std::fs::read_to_string(root().join("benches/Cargo.lock")).expect("the lock of the benches");
    let (_, entry) = lock.split_once("[[package]]\nname = \"flowc\"\n").expect("the product is in it");
    let (_, listed) = entry.split_once("dependencies = [").expect("with its crates");
    let (listed, _) = listed.split_once(']').expect("a list that ends");
    let listed: BTreeSet<&str> =
        listed.split('"').skip(1).step_by(2).map(|name| name.split(' ').next().unwrap_or(name)).collect();
    let built = crates(&["[dependencies]", "[build-dependencies]"]);
    let missing: Vec<&String> = built.iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "`cargo update --workspace` in benches/ adds {missing:?} to its lock");
}

#[test]
fn every_crate_has_its_reason() {
    let crates = crates(&["[dependencies]", "[dev-dependencies]"]);
    assert!(crates.len() > 20, "only {} crates were found in Cargo.toml", crates.len());
    let page = page();
    let rows = page.lines().skip_while(|line| !line.starts_with("| for | crate |")).skip(2);
    let told: BTreeSet<String> = rows
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(2))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(told, crates, "docs/architecture.md has a row for each crate of Cargo.toml, and for no other");
}

#[test]
fn the_page_names_tests_that_are_there() {
    let page = page();
    let section = page.split("\n## Tests\n").nth(1).expect("the page speaks of tests");
    let section = section.split("\n## ").next().expect("its text");
    let named: BTreeSet<&str> = section
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| code.ends_with('/') || code.strip_suffix(".rs").is_some())
        .collect();
    assert!(named.len() > 8, "the page names {} tests", named.len());
    let gone: Vec<&&str> = named.iter().filter(|name| !root().join("tests").join(name).exists()).collect();
    assert!(gone.is_empty(), "docs/architecture.md names tests that are not there: {gone:?}");
    let there = std::fs::read_dir(root().join("tests")).expect("the tests");
    let there = there.map(|entry| entry.expect("an entry").path());
    let silent: Vec<String> = there
        .filter(|path| path.extension().is_some_and(|e| e == "rs") || path.join("main.rs").is_file())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .filter(|name| !named.iter().any(|told| told.trim_end_matches('/') == name))
        .collect();
    assert!(silent.is_empty(), "docs/architecture.md doesn't say what these tests are for: {silent:?}");
}

/// The files and folders below `src` that the page's tree lists, and those that have no word beside them.
///
/// A line is a file or a folder (with its `/`), indented by two more than its folder, and what it is.
fn tree(page: &str) -> (BTreeSet<String>, Vec<String>) {
    let section = page.split("\n## The tree\n").nth(1).expect("the page has a tree");
    let block = section.split("```").nth(1).expect("it stands in a block");
    let lines = block.lines().skip_while(|line| *line != "src/").skip(1).take_while(|line| line.starts_with(' '));
    let (mut listed, mut silent, mut folders) = (BTreeSet::new(), Vec::new(), Vec::new());
    for line in lines {
        let entry = line.trim_start();
        let deep = (line.len() - entry.len()) / 2 - 1;
        let (name, says) = entry.split_once(' ').unwrap_or((entry, ""));
        folders.truncate(deep);
        let path = [&folders[..], &[name.trim_end_matches('/').to_owned()]].concat().join("/");
        if says.trim().is_empty() {
            silent.push(path.clone());
        }
        if let Some(folder) = name.strip_suffix('/') {
            folders.push(folder.to_owned());
        }
        listed.insert(path);
    }
    (listed, silent)
}

#[test]
fn the_tree_lists_every_file() {
    let (listed, silent) = tree(&page());
    let mut there = BTreeSet::new();
    for file in house().files.iter().filter(|file| !file.at.is_test()) {
        // A folder's line speaks for its `mod.rs`.
        let path = &file.at.0;
        let path = if path.ends_with("mod.rs") { path.parent().expect("its folder") } else { path };
        there.insert(path.display().to_string());
    }
    let mut wrong = Vec::new();
    let missing: Vec<&String> = there.difference(&listed).collect();
    let gone: Vec<&String> = listed.iter().filter(|path| !root().join("src").join(path).exists()).collect();
    wrong.extend(missing.iter().map(|path| format!("{path} is missing in the tree")));
    wrong.extend(gone.iter().map(|path| format!("{path} is in the tree and not there")));
    wrong.extend(silent.iter().map(|path| format!("the tree doesn't say what {path} is")));
    assert!(wrong.is_empty(), "docs/architecture.md, the tree:\n{}", wrong.join("\n"));
}
