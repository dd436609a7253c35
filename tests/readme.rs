//! What the pages for people show is true: the README's commands run, and every flow on a page is clean.

use flowc::check::{check_files, check_project};
use flowc::source::Memory;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The commands of the README's shell blocks that build or test this very package: run by whoever reads them.
const OF_THE_PACKAGE: &[&str] = &["tests/run"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The blocks of that kind on a page, their indentation taken off.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for line in page.lines() {
        match &mut open {
            None if line.trim_start() == format!("```{kind}") => {
                open = Some((line.len() - line.trim_start().len(), String::new()));
            }
            Some(_) if line.trim_start().starts_with("```") => blocks.extend(open.take().map(|(_, block)| block)),
            Some((indent, block)) => {
                block.push_str(line.get(*indent..).unwrap_or(""));
                block.push('\n');
            }
            None => {}
        }
    }
    blocks
}

#[test]
fn the_commands_of_the_readme_run() {
    let bin = Path::new(env!("CARGO_BIN_EXE_flowc"));
    let path = format!("{}:{}", bin.parent().expect("a folder").display(), std::env::var("PATH").unwrap_or_default());
    let blocks = blocks(&page("README.md"), "sh");
    assert!(blocks.len() >= 3, "the README shows how to see it, test it and use it");
    for block in blocks {
        if let Some(own) = OF_THE_PACKAGE.iter().find(|own| block.trim() == **own) {
            assert!(root().join(own).is_file(), "{own} is not there");
            continue;
        }
        // The binary is built already; a second build would only take its time.
        let script = block.replace("cargo run --release --", "flowc");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let done = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .output()
            .expect("bash");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "this does not run ({}):\n{block}\n{said}", done.status);
    }
}

#[test]
fn the_flows_on_the_pages_are_clean() {
    let mut wrong = Vec::new();
    let mut found = 0;
    for name in ["README.md", "docs/language.md", "docs/changelog.md"] {
        for block in blocks(&page(name), "flow") {
            found += 1;
            let mut files = Memory::default();
            let checked = if block.starts_with("edition") {
                files.0.insert(PathBuf::from("example/project.flow"), block.clone());
                check_project(&files, Path::new("example"), &[])
            } else {
                files.0.insert(PathBuf::from("example.flow"), block.clone());
                check_files(&files, &[PathBuf::from("example.flow")])
            };
            let told: Vec<String> = checked
                .diagnostics
                .iter()
                .map(|d| format!("{} {}: {}", checked.sources.place(d.span), d.code.id, d.message))
                .collect();
            if !told.is_empty() {
                wrong.push(format!("{name}:\n{block}{}\n", told.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(found >= 10, "only {found} flows were found");
}

#[test]
fn the_readme_names_the_commands_that_are_there() {
    let readme = page("README.md");
    let commands = flowc::cli::commands();
    let missing: Vec<&String> = commands
        .iter()
        .filter(|name| {
            *name != "help" && !readme.contains(&format!("`{name}")) && !readme.contains(&format!("flowc {name}"))
        })
        .collect();
    assert!(missing.is_empty(), "the README says nothing of {missing:?}");
}
