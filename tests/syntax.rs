//! Runs `tests/corpus/syntax`: each file is a case, and each `#! CODE part of the message` at the end of a line says
//! what is to be told about that line. A file without such marks is clean. Both ways: nothing missing, nothing more.

mod folder;
mod marks;

use flowc::source::{Code, FileId, Sources, codes};
use flowc::syntax::{parse, tree};
use folder::flow_files;
use libtest_mimic::{Arguments, Failed, Trial};
use marks::{Told, compare, marks};
use std::fmt::Write as _;
use std::path::Path;

fn main() {
    let args = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files = Vec::new();
    for folder in ["syntax", "flows-north-star"] {
        flow_files(&root.join(folder), &mut files);
    }
    let mut trials: Vec<Trial> = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
        let again = file.clone();
        trials.push(Trial::test(name.clone(), move || check(&file)));
        trials.push(Trial::test(format!("fixes of {name}"), move || check_fixes(&again)));
    }
    let pages = codes::REGISTRY.iter().filter(|code| code.id < "F0100");
    trials.extend(pages.map(|code| Trial::test(format!("page {}", code.id), move || check_page(code))));
    libtest_mimic::run(&args, trials).exit();
}

/// The one caller of the parser.
fn check(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let mut sources = Sources::new();
    let id = sources.add("case.flow", text.as_str());
    let parsed = parse(id, &text);
    let mut wrong = String::new();
    if tree(&text).text() != text {
        writeln!(wrong, "the tree does not keep the text")?;
    }
    let told = parsed.diagnostics.iter().map(|d| Told {
        file: "case.flow".to_owned(),
        line: sources.position(d.span).line,
        code: d.code.id,
        message: d.message.clone(),
        rest: format!("[{}] {}", d.label, d.help.as_deref().unwrap_or_default()),
    });
    wrong += &compare(marks("case.flow", &text), told.collect());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// Each change that is offered mends what it is offered for, and breaks nothing that was whole.
fn check_fixes(file: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    let parsed = parse(FileId(0), &text);
    let mut wrong = String::new();
    for diagnostic in &parsed.diagnostics {
        let Some(fix) = &diagnostic.fix else { continue };
        let mut mended = text.clone();
        let mut edits = fix.edits.clone();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        for edit in edits {
            mended.replace_range(edit.span.range(), &edit.text);
        }
        let left = parse(FileId(0), &mended).diagnostics;
        if left.len() >= parsed.diagnostics.len() {
            writeln!(wrong, "{} ({}) does not help: {:?}", diagnostic.message, fix.title, fix.edits)?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// The page of a code: its wrong example has that mistake, its right one has none.
fn check_page(code: &Code) -> Result<(), Failed> {
    let page = codes::page(code);
    let example = |heading: &str| {
        let (_, rest) = page.split_once(heading)?;
        let (_, rest) = rest.split_once("```flow\n")?;
        rest.split_once("```").map(|(example, _)| example)
    };
    let (Some(wrong), Some(right)) = (example("## Wrong"), example("## Right")) else {
        return Err("it wants `## Wrong` and `## Right`, each with an example".into());
    };
    let told = |text: &str| parse(FileId(0), text).diagnostics;
    // A file that can't be read has no text to show.
    if code.id != "F0006" && !told(wrong).iter().any(|d| d.code.id == code.id) {
        return Err(format!("the wrong example is told {:?}", told(wrong)).into());
    }
    if let Some(d) = told(right).first() {
        return Err(format!("the right example is told: {}", d.message).into());
    }
    Ok(())
}
