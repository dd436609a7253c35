//! `flowc test`: the tests of a project, and what is not as they expect.

use super::open::Answers;
use super::screen::{Paint, Screen};
use super::{Answer, Format, Global, Outcome, Trouble, junit, project, render};
use crate::source::Disk;
use crate::store::Place;
use crate::testing::{self, Mismatch, Snapshots, Suite, Tested};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The arguments of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Modules, or words of the titles of tests; without any, all tests.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Keep the payloads of snapshots as they are made now.
    #[arg(long)]
    update: bool,
    /// Write the outcomes as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    answers: Answers,
}

/// Runs the tests and tells what came of them.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let root = project::folder(global)?;
    let suite = Suite::open(&Disk, root.clone(), &arguments.answers.set).map_err(|checked| {
        Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
        Trouble::Unsound
    })?;
    let none = |name: String| Trouble::Misuse(format!("no module and no title of a test says `{name}`"));
    let meant = suite.named(&arguments.names).map_err(none)?;
    let mut snapshots = Snapshots::new(root, arguments.update);
    let tested: Vec<Tested> = meant.into_iter().map(|number| suite.run(number, &mut snapshots)).collect();
    if let Some(path) = &arguments.junit {
        std::fs::write(path, junit::report(&tested))
            .map_err(|e| Trouble::Misuse(format!("{} can't be written: {e}", path.display())))?;
    }
    if screen.format() == Format::Json {
        Screen::answer(&Value::Array(tested.iter().map(machine).collect()).to_string())?;
    } else {
        Screen::answer(&people(screen, &tested))?;
    }
    let passed = tested.iter().all(|test| matches!(test.outcome, testing::Outcome::Passed));
    Ok(if passed { Outcome::Done } else { Outcome::Wrong })
}

fn people(screen: &Screen, tested: &[Tested]) -> String {
    let mut out = String::new();
    let (mut failed, mut broken) = (0, 0);
    for test in tested {
        let (word, paint, mismatches) = match &test.outcome {
            testing::Outcome::Passed => ("passed", Paint::Green, [].as_slice()),
            testing::Outcome::Failed(mismatches) => ("failed", Paint::Red, mismatches.as_slice()),
            testing::Outcome::Broken(mismatch) => ("broken", Paint::Red, std::slice::from_ref(&**mismatch)),
        };
        failed += usize::from(word == "failed");
        broken += usize::from(word == "broken");
        let _ = writeln!(out, "{} {}: {}", screen.paint(word, paint), test.module, test.title);
        mismatches.iter().for_each(|mismatch| told(mismatch, test.place.as_ref(), &mut out));
    }
    let passed = tested.len() - failed - broken;
    let _ = writeln!(out, "{passed} passed, {failed} failed, {broken} broken");
    out
}

fn told(mismatch: &Mismatch, test: Option<&Place>, out: &mut String) {
    let place = mismatch.place.as_ref().or(test);
    let at = place.map_or_else(String::new, |place| format!("{}:{}: ", place.file, place.line));
    let _ = writeln!(out, "  {at}{}", mismatch.said);
    for line in mismatch.came.lines() {
        let _ = writeln!(out, "    {line}");
    }
    if let Some(from) = &mismatch.from {
        let _ = writeln!(out, "    at {}:{}", from.file, from.line);
    }
    let width = mismatch.parts.iter().map(|part| part.text.chars().count()).max().unwrap_or(0);
    for part in &mismatch.parts {
        let _ = writeln!(out, "    {:<width$}  {}", part.text, part.value);
    }
}

fn machine(test: &Tested) -> Value {
    let (word, mismatches) = match &test.outcome {
        testing::Outcome::Passed => ("passed", [].as_slice()),
        testing::Outcome::Failed(mismatches) => ("failed", mismatches.as_slice()),
        testing::Outcome::Broken(mismatch) => ("broken", std::slice::from_ref(&**mismatch)),
    };
    let mismatches: Vec<Value> = mismatches
        .iter()
        .map(|mismatch| {
            let parts = mismatch.parts.iter().map(|part| json!({ "text": part.text, "value": part.value }));
            json!({
                "said": mismatch.said,
                "came": mismatch.came,
                "place": mismatch.place,
                "from": mismatch.from,
                "parts": parts.collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "module": &*test.module, "title": &*test.title, "outcome": word, "place": test.place, "mismatches": mismatches
    })
}
