//! Runs `tests/corpus/check`: a file is a case by itself, a folder with a `project.flow` is a project. Each mark
//! `#! CODE part of the message` says what is told about its line; a case without marks is clean.
//!
//! Every code that the checker can raise has a case, and every case is told nothing that it does not say.

mod folder;
mod marks;

use flowc::check::{Checked, check_files, check_project};
use flowc::source::{Diagnostic, Disk, Files, Memory, codes};
use folder::flow_files;
use libtest_mimic::{Arguments, Failed, Trial};
use marks::{Told, compare, marks};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let args = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/check");
    let mut files = Vec::new();
    flow_files(&root, &mut files);
    let projects: Vec<PathBuf> = files
        .iter()
        .filter(|f| f.ends_with("project.flow"))
        .filter_map(|f| f.parent())
        .map(Path::to_path_buf)
        .collect();
    let mut trials = Vec::new();
    for file in files.iter().filter(|f| !projects.iter().any(|p| f.starts_with(p))) {
        let (name, file) = (file.strip_prefix(&root).unwrap_or(file).display().to_string(), file.clone());
        let again = file.clone();
        trials.push(Trial::test(name.clone(), move || check_case(&file)));
        trials.push(Trial::test(format!("fixes of {name}"), move || check_fixes(&again)));
    }
    for project in &projects {
        let (name, project) = (project.strip_prefix(&root).unwrap_or(project).display().to_string(), project.clone());
        trials.push(Trial::test(name, move || check_whole(&project)));
    }
    let (called, layered) = (root.join("projects/called"), root.join("projects/called"));
    trials.push(Trial::test("a flow keeps its name", move || known_by_its_own_name(&called)));
    trials.push(Trial::test("a field knows each line that it displaces", move || displaced(&layered)));
    files.extend(projects.iter().flat_map(|project| pulled_files(project)));
    trials.push(Trial::test("every code has a case", move || every_code(&files)));
    libtest_mimic::run(&args, trials).exit();
}

fn told(checked: &Checked) -> Vec<Told> {
    let told = checked.diagnostics.iter().map(|d| Told {
        file: checked.sources.get(d.span.file).path.display().to_string(),
        line: checked.sources.position(d.span).line,
        code: d.code.id,
        message: d.message.clone(),
        rest: format!("[{}] {}{}", d.label, d.help.as_deref().unwrap_or_default(), related(checked, d)),
    });
    told.collect()
}

/// ` (flows/orders.flow: the line that this removes)`
fn related(checked: &Checked, d: &Diagnostic) -> String {
    let places = d
        .related
        .iter()
        .map(|related| format!(" ({}: {})", checked.sources.get(related.span.file).path.display(), related.message));
    places.collect()
}

fn check_case(file: &Path) -> Result<(), Failed> {
    let checked = check_files(&Disk, &[file.to_path_buf()]);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wrong = compare(marks(&name, &Disk.read(file)?), told(&checked));
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

fn check_whole(folder: &Path) -> Result<(), Failed> {
    let checked = check_project(&Disk, folder, &[]);
    let mut files = Vec::new();
    flow_files(folder, &mut files);
    files.extend(pulled_files(folder));
    let mut expected = Vec::new();
    for file in files {
        let shown = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        expected.extend(marks(&shown, &Disk.read(&file)?));
    }
    let mut wrong = compare(expected, told(&checked));
    // What ships is nobody's to mend.
    let own = |d: &Diagnostic| {
        d.fix
            .iter()
            .flat_map(|fix| &fix.edits)
            .all(|edit| folder.join(&checked.sources.get(edit.span.file).path).exists())
    };
    for d in checked.diagnostics.iter().filter(|d| !own(d)) {
        writeln!(wrong, "{} offers to change what ships", d.message)?;
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// What was pulled into a project.
fn pulled_files(project: &Path) -> Vec<PathBuf> {
    let below = |folder: &Path| {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect::<Vec<_>>()
    };
    below(&project.join("schema")).iter().flat_map(|connection| below(connection)).collect()
}

/// A flow that runs is known by its module, whatever a file calls that.
fn known_by_its_own_name(project: &Path) -> Result<(), Failed> {
    let checked = check_project(&Disk, project, &[]);
    let running: Vec<&str> = checked.program.flows.iter().filter(|f| f.on).map(|f| &*f.name).collect();
    if running == ["orders.orders"] { Ok(()) } else { Err(format!("{running:?} run").into()) }
}

/// Of two changes of one field, one of a part and one of the mapping, both are known, behind the default's line.
fn displaced(project: &Path) -> Result<(), Failed> {
    let checked = check_project(&Disk, project, &[]);
    let mapping = checked.program.mappings.iter().find(|m| &*m.name == "orders.sales_order").ok_or("no mapping")?;
    let first = mapping.steps.iter().find(|step| !step.displaced.is_empty()).ok_or("nothing is displaced")?;
    let lines: Vec<&str> = first.displaced.iter().chain([&first.span]).map(|s| checked.sources.text(*s)).collect();
    let wanted = [
        "YourRef          = \"{settings.prefix}{order.number}\"",
        "set YourRef = \"W{base}\"",
        "set YourRef = \"X{base}\"",
    ];
    if lines == wanted { Ok(()) } else { Err(format!("{lines:?}").into()) }
}

/// Each change that is offered mends what it is offered for, and breaks nothing that was whole.
fn check_fixes(file: &Path) -> Result<(), Failed> {
    let text = Disk.read(file)?;
    let name = PathBuf::from("case.flow");
    let check = |text: &str| {
        let files = Memory([(name.clone(), text.to_owned())].into());
        check_files(&files, std::slice::from_ref(&name))
    };
    let before = check(&text);
    let own = |c: &Checked| c.diagnostics.iter().filter(|d| c.sources.get(d.span.file).path == name).count();
    let mut wrong = String::new();
    for d in before.diagnostics.iter().filter(|d| before.sources.get(d.span.file).path == name) {
        let Some(fix) = &d.fix else { continue };
        let mut mended = text.clone();
        let mut edits = fix.edits.clone();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
        for edit in edits {
            mended.replace_range(edit.span.range(), &edit.text);
        }
        let after = check(&mended);
        if own(&after) >= own(&before) {
            let left: Vec<String> =
                after.diagnostics.iter().map(|d| format!("  {} {}", d.code.id, d.message)).collect();
            writeln!(wrong, "{} ({}) does not help:\n{}", d.message, fix.title, left.join("\n"))?;
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

/// Codes of the syntax have their own corpus.
fn every_code(files: &[PathBuf]) -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    for file in files {
        seen.extend(marks("", &Disk.read(file)?).into_iter().map(|m| m.code));
    }
    let missing: Vec<&str> =
        codes::REGISTRY.iter().map(|c| c.id).filter(|id| *id >= "F0100" && !seen.contains(*id)).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no case shows {}", missing.join(", ")).into()) }
}
