//! What ships is what lies in the folders, and what is registered has its page.

use crate::code::{files, root};
use flowc::shipped;
use flowc::source::{codes, library};
use std::collections::BTreeSet;
use std::path::PathBuf;

#[test]
fn what_ships_is_what_lies_in_the_folders() {
    let found = files(&root().join("stdlib"), Some("flow"));
    let mut lie: BTreeSet<String> = found
        .iter()
        .map(|path| path.strip_prefix(root().join("stdlib")).expect("it lies there").display().to_string())
        .collect();
    let tests = root().join("flows/tests");
    let flows = files(&root().join("flows"), Some("flow"));
    let flows = flows.iter().filter(|path| !path.starts_with(&tests));
    lie.extend(flows.map(|path| path.strip_prefix(root()).expect("it lies there").display().to_string()));
    let ship: BTreeSet<String> = library::LIBRARY.iter().map(|(_, path, _)| (*path).to_owned()).collect();
    assert_eq!(ship, lie, "source/library.rs lists the files of stdlib/ and flows/");
    for (module, path, _) in library::LIBRARY {
        let folder = path.split('/').next().unwrap_or_default();
        assert!(module.starts_with(folder) || *module == folder, "{path} is of the module {module}");
    }
}

#[test]
fn data_that_ships_is_what_lies_in_the_folder() {
    let found = files(&root().join("flows/data"), Some("csv"));
    let name = |path: &PathBuf| path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    for file in &found {
        let text = std::fs::read_to_string(file).expect("a table can be read");
        assert_eq!(library::data(&name(file)), Some(&*text), "{} ships with the default flows", file.display());
    }
    let list = std::fs::read_to_string(root().join("src/source/library.rs")).expect("the list of what ships");
    assert_eq!(list.matches("flows/data/").count(), found.len(), "source/library.rs names only what is in flows/data");
}

#[test]
fn the_tests_of_the_default_flows_are_what_lies_in_their_folder() {
    let folder = root().join("flows/tests");
    let text = |path: &PathBuf| std::fs::read_to_string(path).expect("a test and its data can be read");
    let name = |path: &PathBuf| path.strip_prefix(&folder).expect("it lies there").display().to_string();
    let lie: BTreeSet<(String, String)> = files(&folder, None).iter().map(|path| (name(path), text(path))).collect();
    let ship = shipped::TESTS.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    assert!(lie == ship.collect(), "the build has taken the files of flows/tests");
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let found = files(&root().join("src/source/codes"), Some("md"));
    let pages: BTreeSet<String> =
        found.iter().map(|path| path.file_stem().expect("a page").to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = codes::REGISTRY.iter().map(|code| code.id.to_owned()).collect();
    assert_eq!(known.len(), codes::REGISTRY.len(), "a code is registered once");
    assert_eq!(pages, known, "src/source/codes holds a page for each code of source/codes.rs");
}
