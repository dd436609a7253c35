//! Runs `tests/corpus/syntax`: each file is a case, and each `#! CODE part of the message` at the end of a line says
//! what is to be told about that line. A file without such marks is clean. Both ways: nothing missing, nothing more.
//!
//! A line can't bear a mark where the mistake is at its very end; `#!^ CODE …` on a line of its own speaks of the line
//! above it.

use flowc::source::{Diagnostic, Sources};
use flowc::syntax::parse;
use libtest_mimic::{Arguments, Failed, Trial};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let args = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = Vec::new();
    for folder in ["syntax", "flows-north-star"] {
        flow_files(&root.join(folder), &mut files);
    }
    files.sort();
    let trials = files.into_iter().map(|file| {
        let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        Trial::test(name, move || check(&file))
    });
    libtest_mimic::run(&args, trials.collect()).exit();
}

fn flow_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the sources") {
        let path = entry.expect("the corpus can be read").path();
        if path.is_dir() {
            flow_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "flow") {
            found.push(path);
        }
    }
}

/// A mark: its line, and what is told there.
struct Mark {
    line: usize,
    code: String,
    part: String,
}

fn marks(text: &str) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (n, line) in text.lines().enumerate() {
        for mark in line.split("#!").skip(1) {
            let (line, mark) = mark.strip_prefix('^').map_or((n + 1, mark), |rest| (n, rest));
            let (code, part) = mark.trim().split_once(' ').unwrap_or((mark.trim(), ""));
            marks.push(Mark { line, code: code.to_owned(), part: part.trim().to_owned() });
        }
    }
    marks
}

/// The one caller of the parser.
fn check(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let mut sources = Sources::new();
    let id = sources.add("case.flow", text.as_str());
    let parsed = parse(id, &text);
    let mut wrong = String::new();
    if parsed.tree.text() != text {
        writeln!(wrong, "the tree does not keep the text")?;
    }
    let mut left: Vec<(usize, &Diagnostic)> =
        parsed.diagnostics.iter().map(|d| (sources.position(d.span).line, d)).collect();
    for mark in marks(&text) {
        let fits = |(line, d): &(usize, &Diagnostic)| {
            *line == mark.line && d.code.id == mark.code && d.message.contains(&mark.part)
        };
        match left.iter().position(fits) {
            Some(n) => drop(left.remove(n)),
            None => writeln!(wrong, "missing: line {}: {} {}", mark.line, mark.code, mark.part)?,
        }
    }
    for (line, d) in left {
        writeln!(wrong, "unexpected: line {line}: {} {} [{}]", d.code.id, d.message, d.label)?;
        if let Some(help) = &d.help {
            writeln!(wrong, "    {help}")?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}
