//! The pages under `docs/` are true: their examples check, and what they must list they list.
//!
//! A block that begins with ```` ```flow ```` is a file by itself, or a project's `project.flow` when it names an edition;
//! one with ```` ```flow-part ```` is read only. Whatever a page must list (functions, words, settings, commands with
//! their flags) is taken from where it is declared.

use flowc::check::{Checked, check_files, check_project};
use flowc::cli;
use flowc::ir::Native;
use flowc::source::{Memory, library};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Fewer examples than this, and the test no longer finds them.
const EXAMPLES_AT_LEAST: usize = 6;

#[path = "docs/flows.rs"]
mod flows;
#[path = "docs/requirements.rs"]
mod requirements;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap_or_else(|e| panic!("docs/{name}: {e}"))
}

/// Blocks of that kind, each with the line of the page where it begins.
fn blocks(page: &str, kind: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (n, line) in page.lines().enumerate() {
        match &mut open {
            Some(_) if line == "```" => found.extend(open.take()),
            Some((_, text)) => {
                text.push_str(line);
                text.push('\n');
            }
            None if line == format!("```{kind}") => open = Some((n + 2, String::new())),
            None => {}
        }
    }
    assert!(open.is_none(), "a block of `{kind}` is not closed");
    found
}

fn check(text: &str) -> Checked {
    let mut files = Memory::default();
    if text.lines().any(|line| line.starts_with("edition ")) {
        files.0.insert(PathBuf::from("example/project.flow"), text.to_owned());
        return check_project(&files, Path::new("example"), &[]);
    }
    files.0.insert(PathBuf::from("example.flow"), text.to_owned());
    check_files(&files, &["example.flow".into()])
}

fn pages() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("docs")).expect("the folder of the pages");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut pages: Vec<String> = names.filter(|name| name.strip_suffix(".md").is_some()).collect();
    pages.sort();
    pages
}

#[test]
fn every_example_checks() {
    let (mut examples, mut wrong) = (0, Vec::new());
    for name in pages() {
        for (line, text) in blocks(&page(&name), "flow") {
            examples += 1;
            let checked = check(&text);
            wrong.extend(checked.diagnostics.iter().map(|d| {
                let at = line + checked.sources.position(d.span).line - 1;
                format!("docs/{name}:{at}: {} {}", d.code.id, d.message)
            }));
        }
    }
    assert!(wrong.is_empty(), "examples of the pages:\n{}", wrong.join("\n"));
    assert!(examples >= EXAMPLES_AT_LEAST, "only {examples} examples were found: does the test still see them?");
}

#[test]
fn parts_of_files_can_be_read() {
    let mut wrong = Vec::new();
    for name in pages() {
        for (line, text) in blocks(&page(&name), "flow-part") {
            let checked = check(&text);
            let syntax = checked.diagnostics.iter().filter(|d| d.code.id.starts_with("F00") && d.code.id != "F0006");
            wrong.extend(syntax.map(|d| format!("docs/{name}:{line}: {} {}", d.code.id, d.message)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reference_lists_every_function() {
    let reference = page("language.md");
    let missing: Vec<&str> = Native::ALL
        .iter()
        .map(|native| native.name())
        .filter(|name| !reference.contains(&format!(".{name}(")) && !reference.contains(&format!("`{name}(")))
        .collect();
    assert!(missing.is_empty(), "docs/language.md lacks the functions {}", missing.join(", "));
}

/// Functions that have no place in a test: written with brackets, in a schema only, never written.
const ELSEWHERE: [&str; 4] = ["nth", "document_total", "json", "price"];

#[test]
fn every_function_has_a_tested_example() {
    let tests = root().join("tests/corpus/tests/functions/functions.flow");
    let text = std::fs::read_to_string(tests).expect("the tests of the functions");
    let missing: Vec<&str> = Native::ALL
        .iter()
        .map(|native| native.name())
        .filter(|name| !ELSEWHERE.contains(name) && !text.contains(&format!("test \"{name}\" {{")))
        .collect();
    assert!(missing.is_empty(), "tests/corpus/tests/functions has no test of {}", missing.join(", "));
}

#[test]
fn every_word_has_an_example_that_checks() {
    let words = words_of_grammar(&["declaration", "stmt", "flow_stmt", "test_stmt"]);
    let of_kind =
        |kind: &str| pages().iter().flat_map(|name| blocks(&page(name), kind)).map(|(_, text)| text).collect();
    let blocks: Vec<String> =
        [of_kind("flow"), of_kind("flow-part")].into_iter().flat_map(|some: Vec<String>| some).collect();
    let shown = |word: &String| {
        blocks.iter().any(|block| block.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word))
    };
    // The habits of an API stand in the library alone, and `per` is refused for now.
    let elsewhere = ["connector", "per"];
    let missing: Vec<String> = words.into_iter().filter(|word| !shown(word) && !elsewhere.contains(&&**word)).collect();
    assert!(missing.is_empty(), "no example of the pages shows {}", missing.join(", "));
}

/// The words that open the forms which these rules of the grammar choose among: `create` of `create_unless`.
fn words_of_grammar(rules: &[&str]) -> BTreeSet<String> {
    let grammar = std::fs::read_to_string(root().join("grammar/flow.pest")).expect("the grammar");
    let named = rules.iter().flat_map(|rule| {
        let text = rule_of(&grammar, rule);
        assert!(!text.is_empty(), "the grammar has no rule `{rule}`");
        let names = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty());
        names.skip(1).map(str::to_owned).collect::<Vec<_>>()
    });
    named.filter_map(|name| first_word(&rule_of(&grammar, &name))).collect()
}

/// A rule with the indented lines below it.
fn rule_of(grammar: &str, name: &str) -> String {
    let mut lines = grammar.lines().skip_while(|line| !line.starts_with(&format!("{name} ")));
    let first = lines.next().unwrap_or_default();
    std::iter::once(first).chain(lines.take_while(|line| line.starts_with([' ', '}']))).collect::<Vec<_>>().join(" ")
}

/// `"create"` of `{ "create" ~ … }`: the word that opens a form.
fn first_word(rule: &str) -> Option<String> {
    let (_, body) = rule.split_once('{')?;
    let word = body.trim_start().strip_prefix('"')?.split('"').next()?;
    word.chars().all(|c| c.is_ascii_lowercase()).then(|| word.to_owned())
}

#[test]
fn the_reference_tells_every_word() {
    let words = words_of_grammar(&["declaration", "stmt", "flow_stmt"]);
    assert!(words.len() > 30, "only {} words were found in the grammar: {words:?}", words.len());
    let reference = page("language.md");
    let told = |word: &str| {
        reference
            .split('`')
            .skip(1)
            .step_by(2)
            .any(|code| code.split(|c: char| !c.is_alphanumeric()).any(|w| w == word))
    };
    let missing: Vec<String> = words.into_iter().filter(|word| !told(word)).collect();
    assert!(missing.is_empty(), "docs/language.md lacks the words {}", missing.join(", "));
}

/// The names under `settings { … }` of a file.
fn settings(text: &str) -> Vec<&str> {
    let block = text.lines().skip_while(|line| *line != "settings {").skip(1).take_while(|line| *line != "}");
    let lines = block.map(str::trim).filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
    names.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_')).collect()
}

#[test]
fn the_reference_lists_every_setting_of_the_default_flows() {
    let reference = page("language.md");
    let (mut found, mut missing) = (0, Vec::new());
    for (module, path, text) in library::LIBRARY.iter().filter(|(module, ..)| module.starts_with("flows.")) {
        let names = settings(text);
        let module = module.trim_start_matches("flows.");
        let section = reference.split(&format!("\n### `settings for {module}`\n")).nth(1).unwrap_or_default();
        let section = section.split("\n##").next().unwrap_or_default();
        found += names.len();
        missing.extend(
            names.iter().filter(|n| !section.contains(&format!("`{n}`"))).map(|name| format!("{name} of {path}")),
        );
    }
    assert!(missing.is_empty(), "docs/language.md lacks, under `settings for …`:\n{}", missing.join("\n"));
    assert!(found > 10, "only {found} settings were found");
}

#[test]
fn every_command_and_every_flag_has_its_words() {
    let commands = page("commands.md");
    let mut missing = Vec::new();
    for name in cli::commands().iter().filter(|name| *name != "help") {
        let Some(section) = commands.split(&format!("\n## flowc {name}\n")).nth(1) else {
            missing.push(format!("the section `## flowc {name}`"));
            continue;
        };
        let section = section.split("\n## ").next().unwrap_or_default();
        let help = Command::new(env!("CARGO_BIN_EXE_flowc")).args([name, "--help"]).output().expect("flowc runs");
        let help = String::from_utf8(help.stdout).expect("help is text");
        // What every command takes is told once, at the top of the page.
        let shared = ["--format", "--project", "--help"];
        let words = help.split(|c: char| c.is_whitespace() || "[],=<>".contains(c));
        let flags: BTreeSet<&str> = words.filter(|w| w.starts_with("--") && w.len() > 2).collect();
        missing.extend(
            flags.iter().filter(|f| !shared.contains(*f) && !section.contains(**f)).map(|f| format!("{f} of {name}")),
        );
    }
    assert!(missing.is_empty(), "docs/commands.md lacks:\n{}", missing.join("\n"));
}

/// Every text that tells people what to type: pages, messages in the code, comments of what ships.
fn texts() -> Vec<(PathBuf, String)> {
    let mut folders: Vec<PathBuf> = ["docs", "src", "stdlib", "flows"].iter().map(|name| root().join(name)).collect();
    let mut files = vec![root().join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the package") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md" || e == "rs" || e == "flow") {
                files.push(path);
            }
        }
    }
    let read = |path: PathBuf| (path.clone(), std::fs::read_to_string(&path).expect("a text"));
    files.into_iter().map(read).collect()
}

/// What follows `flowc` where it is a call and no word of a sentence: in code, behind a colon, in a block of a page.
fn told_calls(path: &Path, text: &str) -> Vec<String> {
    let mut calls = Vec::new();
    for (at, _) in text.match_indices("flowc ") {
        let (before, after) = (&text[..at], &text[at + "flowc ".len()..]);
        let line = after.lines().next().unwrap_or_default();
        if before.ends_with('`') {
            calls.push(line.split('`').next().unwrap_or_default().to_owned());
        } else if before.ends_with(": ") {
            calls.push(line.to_owned());
        }
    }
    if path.extension().is_some_and(|e| e == "md") {
        let mut fenced = false;
        for line in text.lines().map(str::trim) {
            fenced ^= line.starts_with("```");
            calls.extend(line.strip_prefix("flowc ").filter(|_| fenced).map(str::to_owned));
        }
    }
    calls
}

#[test]
fn every_command_that_a_text_names_is_there_with_its_flags() {
    let commands = cli::commands();
    let mut help = BTreeMap::new();
    let (mut found, mut wrong) = (0, Vec::new());
    for (path, text) in texts() {
        for call in told_calls(&path, &text) {
            let name: String = call.chars().take_while(char::is_ascii_lowercase).collect();
            // `COMMAND` and `…` stand for any.
            if name.is_empty() {
                continue;
            }
            found += 1;
            if !commands.contains(&name) {
                wrong.push(format!("{}: flowc {name}", path.display()));
                continue;
            }
            let help = help.entry(name.clone()).or_insert_with(|| help_of(&call, &name));
            let words = call.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let flags = words.filter(|word| word.starts_with("--") && word.len() > 2);
            wrong.extend(
                flags
                    .filter(|flag| !help.contains(*flag))
                    .map(|flag| format!("{}: flowc {name} {flag}", path.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "texts name what is not there:\n{}", wrong.join("\n"));
    assert!(found > 60, "only {found} calls were found");
}

fn help_of(call: &str, name: &str) -> String {
    // `state` has commands of its own.
    let second = call.split(' ').nth(1).filter(|_| name == "state");
    let words = std::iter::once(name).chain(second).chain(["--help"]);
    let help = Command::new(env!("CARGO_BIN_EXE_flowc")).args(words).output().expect("flowc runs");
    String::from_utf8(help.stdout).expect("help is text")
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut dead = Vec::new();
    for name in pages() {
        let text = page(&name);
        let named = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.strip_suffix(".md").is_some() && !code.contains(['*', ' ', '/']));
        dead.extend(
            named
                .filter(|code| !root().join("docs").join(code).exists() && !root().join(code).exists())
                // `Fnnnn.md` stands for the page of any code.
                .filter(|code| !code.contains("nnn"))
                .map(|code| format!("docs/{name}: {code}")),
        );
    }
    assert!(dead.is_empty(), "pages name what is not there:\n{}", dead.join("\n"));
}

/// The page that a bookkeeper signs has every row of the tables that ship, and no other.
#[test]
fn the_bookkeepers_page_has_every_row_of_the_tables() {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let flow = std::fs::read_to_string(root.join("flows/tables.flow")).expect("the default flows are there");
    let csv = std::fs::read_to_string(root.join("flows/data/shipping_methods.csv")).expect("its data is there");
    let rows = flow.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
    let rows = rows.filter_map(|line| line.split_once("=>")).filter(|(_, value)| !value.contains('('));
    let mut wanted: Vec<String> = rows
        .filter(|(cells, _)| !cells.contains('('))
        .map(|(cells, _)| squeezed(cells))
        .filter(|cells| cells != "else")
        .collect();
    wanted.extend(csv.lines().skip(1).filter_map(|line| Some(line.split_once(',')?.0.to_owned())));
    let books = page("books.md");
    let cells = books.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(cells, _)| cells);
    let mut told: Vec<String> = cells.map(|cells| squeezed(&cells.replace("\\|", "|"))).collect();
    told.retain(|cells| cells != "else");
    wanted.sort();
    told.sort();
    assert!(wanted.len() > 15, "the tables have rows");
    assert_eq!(told, wanted, "docs/books.md and flows/tables.flow differ");
}
