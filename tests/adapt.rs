//! What a consultant changes of the defaults, each as the diff that she writes: `tests/corpus/adapt/NAME/change.flow` behind a
//! project of four answers. The plan and the payloads that come of it stand beside it; `UPDATE=1` writes them anew.

use flowc::check::check_project;
use flowc::source::{Memory, Span};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/adapt")
}

fn main() {
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            trials.push(Trial::test(name, move || changed(&path)));
        }
    }
    trials.push(Trial::test("defaults are locked", || locked(&folder().join("reference"))));
    trials.push(Trial::test("what is wrong with a change is told at it", told_at_home));
    trials.push(Trial::test("a plan says what `base` stands for", base_in_a_plan));
    assert!(trials.len() > 8, "there are changes");
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The orders, as far as they differ from the base.
fn orders() -> String {
    let base: Value = serde_json::from_str(&read(&folder().join("order.json"))).unwrap();
    let mut lines = String::new();
    for line in read(&folder().join("orders.jsonl")).lines() {
        let mut order = base.clone();
        let differs: Value = serde_json::from_str(line).unwrap();
        for (name, value) in differs.as_object().unwrap() {
            order[name] = value.clone();
        }
        order["number"] = order["id"].to_string().into();
        writeln!(lines, "{order}").unwrap();
    }
    lines
}

fn flowc(project: &Path, words: &[&str], input: &str) -> (String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(words)
        .arg("--project")
        .arg(project)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that refuses its project reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let said = child.wait_with_output().unwrap();
    (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap())
}

fn changed(path: &Path) -> Result<(), Failed> {
    let project = tempfile::tempdir()?;
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|e| e == "rhai") {
            std::fs::copy(&file, project.path().join(file.file_name().unwrap()))?;
        }
    }
    let text = format!("{}{}", read(&folder().join("base.flow")), read(&path.join("change.flow")));
    std::fs::write(project.path().join("project.flow"), text)?;

    let (_, told) = flowc(project.path(), &["check"], "");
    if !told.contains("no mistakes found") {
        return Err(told.into());
    }
    let (plan, _) = flowc(project.path(), &["plan", "orders.orders"], "");
    same(&path.join("plan.txt"), &plan)?;
    let (diff, _) = flowc(project.path(), &["diff", "--default"], "");
    same(&path.join("diff.txt"), &diff)?;
    let given = folder().join("given.json");
    let words = ["map", "sales_order", "--given", given.to_str().unwrap(), "--failures", "inline"];
    let (payloads, _) = flowc(project.path(), &words, &orders());
    same(&path.join("payloads.jsonl"), &payloads)
}

/// The word says nothing of the default: its conditions stand in its place.
fn base_in_a_plan() -> Result<(), Failed> {
    let project = tempfile::tempdir()?;
    let change =
        "adapt flow orders.orders {\n  set where = base or order.status == \"on-hold\"\n  since 2026-11-15\n}\n";
    std::fs::write(project.path().join("project.flow"), read(&folder().join("base.flow")) + change)?;
    let condition = "(order.status in settings.statuses + settings.undone_statuses and order.exact_origin is none) or order.status == \"on-hold\"";
    let (plan, _) = flowc(project.path(), &["plan", "orders.orders"], "");
    assert!(plan.contains(&format!("\n  filter {condition}\n")), "{plan}");
    let (plan, _) = flowc(project.path(), &["plan", "orders.orders", "--format", "json"], "");
    let plan: Value = serde_json::from_str(&plan)?;
    assert_eq!(plan["steps"][1]["where"], serde_json::json!([condition]));
    assert_eq!(plan["steps"][0]["since"], "2026-11-15T00:00:00+01:00");
    assert_eq!(plan["steps"][0]["by"], "date_modified");
    Ok(())
}

/// A project that has taken over its defaults notices when they are others.
fn locked(path: &Path) -> Result<(), Failed> {
    let project = tempfile::tempdir()?;
    let text = format!("{}{}", read(&folder().join("base.flow")), read(&path.join("change.flow")));
    std::fs::write(project.path().join("project.flow"), text)?;
    let lock = project.path().join("defaults.lock");
    let (told, _) = flowc(project.path(), &["update", "--dry-run"], "");
    assert!(told.contains("there is no defaults.lock yet") && !lock.exists(), "{told}");
    flowc(project.path(), &["update"], "");
    let written = read(&lock);
    assert!(
        written.contains("\nfile flows/orders.flow ") && written.contains("\nunder fields orders.header YourRef "),
        "{written}"
    );
    assert!(written.contains("\nfile flows/data/"), "the tables that ship are locked too: {written}");
    let (told, _) = flowc(project.path(), &["update"], "");
    assert!(told.contains("are those that"), "{told}");

    // As another edition would have written it, and without its texts.
    let other: Vec<String> = written
        .lines()
        .filter(|line| !line.starts_with("texts "))
        .map(|line| {
            if line.contains("orders.header") || line.contains("flows/orders.flow") {
                format!("{line}0")
            } else {
                line.to_owned()
            }
        })
        .collect();
    std::fs::write(&lock, other.join("\n"))?;
    let (_, refused) = flowc(project.path(), &["run"], "");
    assert!(refused.contains("the defaults are others") && refused.contains("flows/orders.flow"), "{refused}");
    for words in [&["check"][..], &["run", "--dry-run"]] {
        let (_, told) = flowc(project.path(), words, "");
        assert!(told.contains("warning: the defaults are others"), "{words:?}: {told}");
    }
    let (told, _) = flowc(project.path(), &["update", "--dry-run"], "");
    assert!(told.contains("changed: flows/orders.flow") && told.contains("new since"), "{told}");
    let (told, _) = flowc(project.path(), &["diff", "--default", "--format", "json"], "");
    let told: Value = serde_json::from_str(&told)?;
    let reference = told.as_array().unwrap().iter().find(|change| change["what"] == "YourRef").unwrap();
    assert_eq!(reference["default_is_new"], true);
    flowc(project.path(), &["update"], "");
    assert_eq!(read(&lock), written);
    std::fs::write(&lock, "whatever\n")?;
    let (_, refused) = flowc(project.path(), &["update"], "");
    assert!(refused.contains("line 1 of defaults.lock"), "{refused}");
    Ok(())
}

fn same(path: &Path, made: &str) -> Result<(), Failed> {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, made)?;
    }
    if read(path) != made {
        return Err(format!("{} says\n{}\nand this was made\n{made}", path.display(), read(path)).into());
    }
    Ok(())
}

/// The declarations of the flows that ship, with the fields that each fills: `("mapping orders.sales_order", [Remarks, …])`.
fn shipped() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for module in ["orders", "customers"] {
        let text = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("flows/{module}.flow")));
        let mut of: Option<(String, Vec<String>)> = None;
        for line in text.lines() {
            let head = line.split_once('(').and_then(|(head, _)| head.split_once(' '));
            if let Some((kind @ ("mapping" | "fields"), name)) = head {
                found.extend(of.replace((format!("{kind} {module}.{name}"), Vec::new())));
            } else if line.starts_with('}') {
                found.extend(of.take());
            } else if let (Some((_, fields)), Some((field, _))) = (&mut of, line.split_once(" = ")) {
                let field = field.trim();
                if line.starts_with(' ') && field.chars().all(char::is_alphanumeric) {
                    fields.push(field.to_owned());
                }
            }
        }
    }
    found
}

/// Each field that a default fills is changed in ways that are mostly wrong: whatever is said of it is said in the project, and
/// no message offers to edit what ships.
fn told_at_home() -> Result<(), Failed> {
    let base = read(&folder().join("base.flow")) + "use flows.customers\n";
    let changes = ["set FIELD = base", "set FIELD = \"{base}\"", "set FIELD = 1", "remove FIELD", "add FIELD = none"];
    let headers = ["upsert by ID", "update by FIELD", "create unless no", "on change update"];
    let (mut wrong, mut told) = (String::new(), 0);
    for (head, fields) in shipped() {
        for change in changes.iter().chain(&headers) {
            if headers.contains(change) && head.starts_with("fields") {
                continue;
            }
            let mut lines: Vec<String> = fields.iter().map(|field| change.replace("FIELD", field)).collect();
            // A header is said once.
            lines.truncate(if headers.contains(change) { 1 } else { lines.len() });
            let text = format!("{base}adapt {head} {{\n  {}\n}}\n", lines.join("\n  "));
            let files = Memory([(PathBuf::from("/p/project.flow"), text)].into());
            let checked = check_project(&files, Path::new("/p"), &[]);
            let own = |span: Span| checked.sources.get(span.file).path == Path::new("project.flow");
            for d in &checked.diagnostics {
                told += 1;
                let edits = d.fix.iter().flat_map(|fix| &fix.edits);
                if !own(d.span) || edits.into_iter().any(|edit| !own(edit.span)) {
                    let place = checked.sources.place(d.span);
                    writeln!(wrong, "adapt {head} {{ {change} }}: {place}: {} {}", d.code.id, d.message)?;
                }
            }
        }
    }
    assert!(told > 200, "only {told} are told");
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}
