//! The product under test: what it says of a program, and what it makes of records.

use crate::print::Printed;
use flowc::check::{Checked, check_files};
use flowc::eval::{Compiled, Given, Mapper, Tables};
use flowc::ir::Stop;
use flowc::source::{Diagnostic, Memory, Severity};
use serde_json::Value as Json;
use std::path::PathBuf;
use std::sync::Arc;

/// What is said of a program.
pub(crate) fn check(text: &str) -> Checked {
    let path = PathBuf::from("program.flow");
    let script = (PathBuf::from("odd.rhai"), "fn odd(x) { x }".to_owned());
    check_files(&Memory([(path.clone(), text.to_owned()), script].into()), &[path])
}

pub(crate) fn errors(checked: &Checked) -> Vec<&Diagnostic> {
    checked.diagnostics.iter().filter(|d| d.severity == Severity::Error).collect()
}

/// What is said, with the lines that it is said of.
pub(crate) fn told<'d>(checked: &Checked, all: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    let one = |d: &&Diagnostic| {
        let line = checked.sources.position(d.span).line;
        let text = checked.sources.get(d.span.file).text.lines().nth(line - 1).unwrap_or_default().trim().to_owned();
        format!("  {line} {} {} {}\n      {text}\n", d.severity.word(), d.code.id, d.message)
    };
    all.into_iter().map(|d| one(&d)).collect()
}

/// What came of a planted mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is told on its line, and nothing else is.
    Caught,
    /// It is told, and something else is blamed too.
    Blames,
    /// It is told elsewhere only.
    Elsewhere,
    Missed,
}

/// What is said of a program: kinds and messages, without their places.
pub(crate) fn said(checked: &Checked) -> Vec<(&'static str, String)> {
    checked.diagnostics.iter().map(|d| (d.code.id, d.message.clone())).collect()
}

/// Whether a mistake is told. `before`: what was said of the program without it.
pub(crate) fn verdict(checked: &Checked, printed: &Printed, mut before: Vec<(&'static str, String)>) -> Verdict {
    let fresh: Vec<&Diagnostic> = checked
        .diagnostics
        .iter()
        .filter(|d| match before.iter().position(|(id, message)| *id == d.code.id && *message == d.message) {
            Some(at) => {
                before.swap_remove(at);
                false
            }
            None => true,
        })
        .collect();
    // What the mistake stands in the place of may have been the only use of something.
    let named = |d: &&Diagnostic| {
        let source = &checked.sources.get(d.span.file).text;
        let word = checked.sources.text(d.span);
        source.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|other| *other == word).count() > 1
    };
    let fresh: Vec<&Diagnostic> =
        fresh.into_iter().filter(|d| d.code != &flowc::source::codes::UNUSED || named(d)).collect();
    let here = |d: &&&Diagnostic| printed.is_wrong(checked.sources.position(d.span).line);
    let caught = fresh.iter().any(|d| d.severity == Severity::Error && here(&d));
    let others = fresh.iter().filter(|d| !here(d)).count();
    match (caught, others, errors(checked).is_empty()) {
        (true, 0, _) => Verdict::Caught,
        (true, _, _) => Verdict::Blames,
        (false, _, true) => Verdict::Missed,
        (false, ..) => Verdict::Elsewhere,
    }
}

/// What comes of a record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Payload(Json),
    Nothing,
    Fails(String),
    Skips,
}

/// What a sound program makes of records, as `flowc map` does.
pub(crate) fn map(checked: Checked, records: &[String]) -> Vec<Outcome> {
    let compiled = Compiled::new(Arc::new(checked.program));
    let mapping = compiled.mapping("made").expect("a program has this mapping");
    let (given, tables) = (Given::empty(jiff::Timestamp::UNIX_EPOCH), Tables::default());
    let mut mapper = Mapper::new(&compiled, mapping, &given, &tables).expect("it takes a record");
    let one = |record: &String| {
        let mut out = Vec::new();
        match mapper.map(record, &mut out) {
            Ok(true) => Outcome::Payload(serde_json::from_slice(&out).expect("a payload is JSON")),
            Ok(false) => Outcome::Nothing,
            Err((Stop::Skip, _)) => Outcome::Skips,
            Err((_, failure)) => Outcome::Fails(failure.reason.clone()),
        }
    };
    records.iter().map(one).collect()
}
