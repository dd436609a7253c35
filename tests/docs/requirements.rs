//! The page of the requirements names what is there: each flow, setting, table and test of its rows.

use super::{page, root};
use flowc::source::FileId;
use flowc::source::library;
use flowc::syntax::ast::DeclKind;
use flowc::syntax::parse;
use std::collections::BTreeSet;

/// The rows that the page has at least: R01 to R63, R86 and R90.
fn required() -> Vec<String> {
    (1..=63).chain([86, 90]).map(|n| format!("R{n:02}")).collect()
}

/// The pitfalls that a test bears the number of: the others are about webhooks, several runners and what a host is asked.
fn pitfalls() -> Vec<String> {
    let elsewhere = [10, 11, 27, 28, 29, 30, 34];
    (1..=38).filter(|n| !elsewhere.contains(n)).map(|n| format!("P{n:02}")).collect()
}

/// The cells of rows whose first one is such a number.
fn rows(page: &str, letter: char) -> Vec<Vec<&str>> {
    let inner = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = inner.map(|row| row.split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.filter(|cells| is_number(cells[0], letter)).collect()
}

fn is_number(cell: &str, letter: char) -> bool {
    cell.strip_prefix(letter).is_some_and(|n| n.len() == 2 && n.bytes().all(|b| b.is_ascii_digit()))
}

/// What stands between backticks.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Flows, and settings with lookups, of what ships, as `module.name`.
fn shipped() -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut flows, mut answers) = (BTreeSet::new(), BTreeSet::new());
    for (module, _, text) in library::LIBRARY {
        let Some(module) = module.strip_prefix("flows.") else { continue };
        for decl in parse(FileId(0), text).ast.decls {
            match decl.kind {
                DeclKind::Flow(flow) => drop(flows.insert(format!("{module}.{}", flow.name.text))),
                DeclKind::Lookup(lookup) => drop(answers.insert(format!("{module}.{}", lookup.name.text))),
                DeclKind::Settings(all) => answers.extend(all.iter().map(|s| format!("{module}.{}", s.name.text))),
                _ => {}
            }
        }
    }
    (flows, answers)
}

/// `order_tests: a name` is a test of the default flows, `engine.rs: name` one in Rust.
fn is_there(test: &str) -> bool {
    let Some((file, name)) = test.split_once(": ") else { return false };
    let (path, head) = if file.strip_suffix(".rs").is_some() {
        (root().join("tests").join(file), format!("fn {name}("))
    } else {
        (root().join("flows/tests").join(format!("{file}.flow")), format!("test \"{name}\" {{"))
    };
    std::fs::read_to_string(path).is_ok_and(|text| text.contains(&head))
}

#[test]
fn what_the_requirements_name_is_there() {
    let page = page("requirements.md");
    let (flows, answers) = shipped();
    let mut wrong = Vec::new();
    for row in rows(&page, 'R') {
        let [id, _, from, by, there, back] = row[..] else {
            wrong.push(format!("{} has {} cells", row[0], row.len()));
            continue;
        };
        wrong.extend(named(from).filter(|name| !flows.contains(*name)).map(|name| format!("{id}: no flow {name}")));
        wrong.extend(named(by).filter(|name| !answers.contains(*name)).map(|name| format!("{id}: no setting {name}")));
        let tests = named(there).chain(named(back));
        wrong.extend(tests.filter(|test| !is_there(test)).map(|test| format!("{id}: no test {test}")));
        wrong.extend([from, by, there, back].iter().filter(|c| c.is_empty()).map(|_| format!("{id}: an empty cell")));
    }
    let listed: Vec<&str> = rows(&page, 'R').iter().map(|row| row[0]).collect();
    assert_eq!(listed, required());
    assert!(wrong.is_empty(), "docs/requirements.md:\n{}", wrong.join("\n"));
}

#[test]
fn each_pitfall_has_a_test_of_its_number() {
    let page = page("requirements.md");
    let mut wrong = Vec::new();
    for row in rows(&page, 'P') {
        let (id, tests) = (row[0], row[row.len() - 1]);
        wrong.extend(named(tests).filter(|test| !is_there(test)).map(|test| format!("{id}: no test {test}")));
        let number = |test: &str| {
            let name = test.split_once(": ").map_or("", |(_, name)| name);
            name.starts_with(&format!("{id}: ")) || name.starts_with(&format!("{}_", id.to_lowercase()))
        };
        if !named(tests).any(number) {
            wrong.push(format!("{id}: none of its tests bears its number"));
        }
    }
    let listed: Vec<&str> = rows(&page, 'P').iter().map(|row| row[0]).collect();
    assert_eq!(listed, pitfalls());
    assert!(wrong.is_empty(), "docs/requirements.md:\n{}", wrong.join("\n"));
}
