//! Every page of `flowc explain`: its wrong example yields exactly its code, its right example is clean.
//!
//! An example that begins with `edition` is a project's `project.flow`; any other is a flow file by itself, beside the
//! files that the page shows under `## File NAME`.

use flowc::check::{Checked, check_files, check_project};
use flowc::source::{Code, Memory, codes};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};

/// Rules that no pass raises yet: their wrong example must still compile as it stands, so that the day a rule comes
/// this list fails and the page counts. Syntax errors are tested with the syntax.
const NOT_RAISED: &[&str] = &[];

fn main() {
    let args = Arguments::from_args();
    let (syntax, pages): (Vec<&Code>, Vec<&Code>) = codes::REGISTRY.iter().partition(|code| code.id < "F0100");
    let mut trials: Vec<Trial> = pages.into_iter().map(|code| Trial::test(code.id, move || check_page(code))).collect();
    trials.extend(syntax.into_iter().map(|code| Trial::test(code.id, move || check_right(code))));
    libtest_mimic::run(&args, trials).exit();
}

/// A page of the syntax shows pieces of flows; but what it calls right is never what it speaks of.
fn check_right(code: &Code) -> Result<(), Failed> {
    let page = codes::page(code);
    let right = example(page, "Right").ok_or("there is no example under `## Right`")?;
    let told = told(&compile(page, right));
    if told.iter().all(|(id, _)| *id != code.id) { Ok(()) } else { Err(shown(&told).into()) }
}

fn check_page(code: &Code) -> Result<(), Failed> {
    let page = codes::page(code);
    let heading = format!("# {}: {}\n", code.id, code.title);
    if !page.starts_with(&heading) {
        return Err(format!("the page begins with `{}`", heading.trim()).into());
    }
    let story = page.split("\n## Wrong").next().unwrap_or_default();
    if story.lines().count() < 4 {
        return Err("the page tells no story".into());
    }
    let wrong = example(page, "Wrong").ok_or("there is no example under `## Wrong`")?;
    let right = example(page, "Right").ok_or("there is no example under `## Right`")?;
    let told = told(&compile(page, wrong));
    let raised = !told.is_empty() && told.iter().all(|(id, _)| *id == code.id);
    if raised == NOT_RAISED.contains(&code.id) {
        return Err(
            format!("the wrong example should yield {} and nothing else; it yields {}", code.id, shown(&told)).into()
        );
    }
    let told = self::told(&compile(page, right));
    if told.is_empty() {
        Ok(())
    } else {
        Err(format!("the right example should be clean; it yields {}", shown(&told)).into())
    }
}

/// The flow under a heading.
fn example<'a>(page: &'a str, heading: &str) -> Option<&'a str> {
    let section = page.split_once(&format!("\n## {heading}\n"))?.1;
    Some(section.split_once("```flow\n")?.1.split_once("```")?.0)
}

fn compile(page: &str, text: &str) -> Checked {
    let mut files = Memory::default();
    if text.starts_with("edition") {
        for (name, text) in shown_files(page) {
            files.0.insert(Path::new("example").join(name), text.to_owned());
        }
        files.0.insert(PathBuf::from("example/project.flow"), text.to_owned());
        return check_project(&files, Path::new("example"), &[]);
    }
    files.0.insert(PathBuf::from("example.flow"), text.to_owned());
    let mut paths = Vec::new();
    for (name, text) in shown_files(page) {
        let name = PathBuf::from(name);
        if name.extension().is_some_and(|e| e == "flow") {
            paths.push(name.clone());
        }
        files.0.insert(name, text.to_owned());
    }
    paths.push("example.flow".into());
    check_files(&files, &paths)
}

/// The files that a page shows beside its examples, by name.
fn shown_files(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n## File ").skip(1).map(|section| {
        let (name, rest) = section.split_once("\n```").expect("a file's section shows the file");
        let (_, text) = rest.split_once('\n').expect("a fence ends its line");
        (name, text.split("```").next().unwrap_or_default())
    })
}

fn told(checked: &Checked) -> Vec<(&'static str, String)> {
    let one = |d: &flowc::source::Diagnostic| format!("{} {}: {}", checked.sources.place(d.span), d.code.id, d.message);
    checked.diagnostics.iter().map(|d| (d.code.id, one(d))).collect()
}

fn shown(told: &[(&str, String)]) -> String {
    if told.is_empty() { "nothing".into() } else { told.iter().map(|(_, text)| format!("\n  {text}")).collect() }
}
