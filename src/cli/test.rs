//! `flowc test`: the tests of a project, and what is not as they expect.

use super::open::{Answers, open};
use super::screen::{Paint, Screen};
use super::store::Stored;
use super::{Answer, Format, Global, Outcome, Trouble, coverage, junit, moved, project, render, runtime, store};
use crate::check::Checked;
use crate::shipped;
use crate::source::{Disk, Files, Memory, Shipping, library};
use crate::store::Place;
use crate::testing::{self, Mismatch, Snapshots, Suite, Tested};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The arguments of `test`.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Modules, or words of the titles of tests; without any, all tests.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The tests of the default flows instead, in the project that ships with them; with a folder, those of the flows in it.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    defaults: Option<OsString>,
    /// Tell which fields, branches and rows of lookups no test comes to.
    #[arg(long)]
    coverage: bool,
    /// Write what the tests come to as a page in HTML.
    #[arg(long, value_name = "FILE", requires = "coverage")]
    html: Option<PathBuf>,
    /// End with 1 where less than that is reached, in percent.
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = clap::value_parser!(u32).range(0..=100))]
    min: Option<u32>,
    /// Make a test of a record of the log, with other people in it: FLOW:KEY, such as `orders:1001`.
    #[arg(long, value_name = "ID", conflicts_with_all = ["names", "defaults", "coverage", "update"])]
    record: Option<String>,
    #[command(flatten)]
    stored: Stored,
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
    if let Some(id) = &arguments.record {
        return record(screen, global, arguments, id);
    }
    match &arguments.defaults {
        None => {
            let own = |path: &str, text: &str| !library::ships(Path::new(path), text);
            tests(screen, arguments, (&Disk, project::folder(global)?), own)
        }
        Some(folder) if folder.is_empty() && arguments.update => {
            Err(Trouble::Misuse("the snapshots of what ships can't be kept: name the folder of the flows".into()))
        }
        Some(folder) if folder.is_empty() => {
            let texts = shipped::TESTS.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
            tests(screen, arguments, (&Memory(texts.collect()), PathBuf::new()), is_default)
        }
        Some(folder) => {
            let folder = Path::new(folder);
            let files = Shipping { files: &Disk, texts: flows_in(folder)? };
            tests(screen, arguments, (&files, folder.join("tests")), is_default)
        }
    }
}

/// Makes a test of a record, and runs it: it passes, or says why not.
fn record(screen: &Screen, global: &Global, arguments: &Arguments, id: &str) -> Answer {
    let workspace = open(screen, global, &arguments.answers)?;
    let root = workspace.root().to_path_buf();
    let made = runtime()?.block_on(async {
        let store = store::of(&root, arguments.stored.store.as_deref(), "test")?;
        let recorded = workspace.recorded(&store, id, Timestamp::now()).await?;
        testing::made_of(&workspace, &recorded).map_err(|why| Trouble::Misuse(format!("{id} makes no test: {why}")))
    })?;
    if root.join(&made.path).exists() {
        return Err(Trouble::Misuse(format!("{} is there already: it is yours, delete it first", made.path)));
    }
    for (path, text) in &made.files {
        let path = root.join(path);
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder.map_err(|e| Trouble::Misuse(format!("{} can't be made: {e}", path.display())))?;
        write(&path, text)?;
    }
    Screen::tell(&format!("{} and the records that it gives are written\n", made.path));
    // The payload of now is what is expected from now on; then the test is run as any other.
    let suite =
        Suite::open(&Disk, root.clone(), &arguments.answers.set, false).map_err(|checked| unsound(screen, &checked))?;
    let meant = suite.named(std::slice::from_ref(&made.module)).map_err(Trouble::Misuse)?;
    let mut snapshots = Snapshots::new(&Disk, root.clone(), true);
    meant.into_iter().for_each(|number| drop(suite.run(number, &mut snapshots)));
    let again = Arguments { names: vec![made.module], ..Arguments::default() };
    tests(screen, &again, (&Disk, root), |_, _| false)
}

fn unsound(screen: &Screen, checked: &Checked) -> Trouble {
    Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
    Trouble::Unsound
}

fn is_default(path: &str, _: &str) -> bool {
    path.starts_with("flows/")
}

/// The texts of the default flows in a folder, by the paths of those that ship.
fn flows_in(folder: &Path) -> Result<BTreeMap<String, String>, Trouble> {
    let mut texts = BTreeMap::new();
    for path in library::paths() {
        let Some(name) = path.strip_prefix("flows/") else { continue };
        let file = folder.join(name);
        let text = Disk.read(&file).map_err(|e| Trouble::Misuse(format!("{}: {e}", file.display())))?;
        texts.insert(path, text);
    }
    Ok(texts)
}

/// Runs the tests of a project, and tells what they come to of the texts that `wanted` picks.
fn tests(
    screen: &Screen,
    arguments: &Arguments,
    (files, root): (&dyn Files, PathBuf),
    wanted: impl Fn(&str, &str) -> bool,
) -> Answer {
    let suite = Suite::open(files, root.clone(), &arguments.answers.set, arguments.coverage)
        .map_err(|checked| unsound(screen, &checked))?;
    // The default flows under test are nobody's project.
    if arguments.defaults.is_none() {
        moved::warn(&root, || suite.workspace().defaults())?;
    }
    let none = |name: String| Trouble::Misuse(format!("no module and no title of a test says `{name}`"));
    let meant = suite.named(&arguments.names).map_err(none)?;
    let mut snapshots = Snapshots::new(files, root, arguments.update);
    let tested: Vec<Tested> = meant.into_iter().flat_map(|number| suite.run(number, &mut snapshots)).collect();
    let reached = arguments.coverage.then(|| suite.coverage(wanted));
    if let Some(path) = &arguments.junit {
        write(path, &junit::report(&tested))?;
    }
    if let (Some(path), Some(reached)) = (&arguments.html, &reached) {
        write(path, &coverage::page(reached))?;
    }
    if screen.format() == Format::Json {
        let tests = Value::Array(tested.iter().map(machine).collect());
        let told = reached.as_ref().map(|reached| json!({ "tests": tests, "coverage": coverage::machine(reached) }));
        Screen::answer(&told.unwrap_or(tests).to_string())?;
    } else {
        let told = reached.as_ref().map_or_else(String::new, coverage::people);
        Screen::answer(&format!("{}{told}", people(screen, &tested)))?;
    }
    let passed = tested.iter().all(|test| matches!(test.outcome, testing::Outcome::Passed));
    let enough = reached.is_none_or(|reached| reached.share(None).percent() >= arguments.min.unwrap_or(0));
    Ok(if passed && enough { Outcome::Done } else { Outcome::Wrong })
}

fn write(path: &Path, text: &str) -> Result<(), Trouble> {
    std::fs::write(path, text).map_err(|e| Trouble::Misuse(format!("{} can't be written: {e}", path.display())))
}

fn people(screen: &Screen, tested: &[Tested]) -> String {
    let mut out = String::new();
    let (mut failed, mut broken) = (0, 0);
    for test in tested {
        let (word, paint) = match &test.outcome {
            testing::Outcome::Passed => ("passed", Paint::Green),
            testing::Outcome::Failed(_) => ("failed", Paint::Red),
            testing::Outcome::Broken(_) => ("broken", Paint::Red),
        };
        failed += usize::from(word == "failed");
        broken += usize::from(word == "broken");
        let _ = writeln!(out, "{} {}", screen.paint(word, paint), test.name());
        out.push_str(&mismatches(test));
    }
    let passed = tested.len() - failed - broken;
    let _ = writeln!(out, "{passed} passed, {failed} failed, {broken} broken");
    out
}

/// What is not as a test expects, for people.
pub(super) fn mismatches(test: &Tested) -> String {
    let mut out = String::new();
    match &test.outcome {
        testing::Outcome::Passed => {}
        testing::Outcome::Failed(all) => all.iter().for_each(|one| told(one, test.place.as_ref(), &mut out)),
        testing::Outcome::Broken(one) => told(one, test.place.as_ref(), &mut out),
    }
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

/// A test that was run, for programs.
pub(super) fn machine(test: &Tested) -> Value {
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
        "module": &*test.module, "title": &*test.title, "case": test.case.as_deref(), "outcome": word,
        "place": test.place, "mismatches": mismatches
    })
}
