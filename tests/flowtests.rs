//! Tests in the language: each folder of `tests/corpus/tests` is a project whose tests come to what `outcome.txt` says.
//! `UPDATE=1` writes it anew.

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tests")
}

fn main() {
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || outcome(&path)));
    }
    trials.push(Trial::test("programs_read_the_same", programs));
    trials.push(Trial::test("names_pick_tests", names));
    trials.push(Trial::test("the_default_flows_are_tested", defaults));
    trials.push(Trial::test("coverage_is_told", coverage));
    trials.push(Trial::test("snapshots_are_kept", snapshots));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn flowc(project: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flowc"))
        .arg("test")
        .args(words)
        .arg("--project")
        .arg(project)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn outcome(project: &Path) -> Result<(), Failed> {
    let said = flowc(project, &[]);
    let made = format!(
        "{}{}exit {}\n",
        String::from_utf8(said.stdout)?,
        String::from_utf8(said.stderr)?,
        said.status.code().unwrap()
    );
    let path = project.join("outcome.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made)?;
    }
    let expected = std::fs::read_to_string(&path)?;
    if expected != made {
        return Err(format!("{} says\n{expected}\nand this came\n{made}", path.display()).into());
    }
    Ok(())
}

/// JSON and JUnit tell what people read.
fn programs() -> Result<(), Failed> {
    let folder_of_report = tempfile::tempdir()?;
    let report = folder_of_report.path().join("outcomes.xml");
    let said = flowc(&folder().join("fails"), &["--format", "json", "--junit", report.to_str().unwrap()]);
    assert_eq!(said.status.code(), Some(1));
    let tests: Value = serde_json::from_slice(&said.stdout)?;
    let first = &tests[0];
    assert_eq!(first["outcome"], "failed");
    assert_eq!(first["mismatches"][0]["parts"][0]["value"], "\"Ann Example\"");
    assert_eq!(first["mismatches"][0]["place"]["line"], 30);
    let count = tests.as_array().unwrap().len();
    let xml = std::fs::read_to_string(report)?;
    assert!(xml.contains(&format!("tests=\"{count}\" failures=\"{count}\" errors=\"0\"")), "{xml}");
    assert_eq!(xml.matches("<testcase ").count(), count);
    Ok(())
}

/// Modules and words of titles pick tests; a name that picks none is a misuse.
fn names() -> Result<(), Failed> {
    let picked = |name: &str| flowc(&folder().join("passes"), &["--format", "json", name]);
    let titles: Value = serde_json::from_slice(&picked("AN ANSWER").stdout)?;
    assert_eq!(titles.as_array().unwrap().len(), 1);
    let of_module: Value = serde_json::from_slice(&picked("accounts").stdout)?;
    assert!(of_module.as_array().unwrap().len() > 3);
    assert_eq!(picked("nothing of that name").status.code(), Some(2));
    Ok(())
}

/// A payload is kept on demand, and told when it changes.
fn snapshots() -> Result<(), Failed> {
    let project = tempfile::tempdir()?;
    std::fs::create_dir(project.path().join("data"))?;
    for file in ["project.flow", "accounts.flow", "data/order.json"] {
        std::fs::copy(folder().join("passes").join(file), project.path().join(file))?;
    }
    assert_eq!(flowc(project.path(), &[]).status.code(), Some(1), "no payload is kept");
    assert_eq!(flowc(project.path(), &["--update"]).status.code(), Some(0));
    assert_eq!(flowc(project.path(), &[]).status.code(), Some(0));
    let path = project.path().join("snapshots/accounts.a-new-customer.json");
    let kept = std::fs::read_to_string(&path)?;
    std::fs::write(path, kept.replace("Ann Example", "Bob Example"))?;
    let said = flowc(project.path(), &[]);
    let told = String::from_utf8(said.stdout)?;
    assert!(told.contains("Name is \"Ann Example\"; it was \"Bob Example\""), "{told}");
    assert_eq!(said.status.code(), Some(1));
    Ok(())
}

/// The tests that ship hold, and come to every field, branch and row of the default flows that a test can come to.
fn defaults() -> Result<(), Failed> {
    let said = flowc(&folder(), &["--defaults", "--coverage", "--min", "100", "--format", "json"]);
    let told: Value = serde_json::from_slice(&said.stdout)?;
    let failed = told["tests"].as_array().unwrap().iter().filter(|test| test["outcome"] != "passed");
    assert_eq!(failed.collect::<Vec<_>>(), Vec::<&Value>::new());
    let files = told["coverage"]["files"].as_array().unwrap();
    let open = files.iter().flat_map(|file| file["points"].as_array().unwrap().iter().map(move |point| (file, point)));
    let open = open.filter(|(_, point)| point["times"] == 0 && point["never"].is_null());
    let open: Vec<String> =
        open.map(|(file, point)| format!("{}:{}: {}", file["file"], point["line"], point["missing"])).collect();
    assert_eq!(open, Vec::<String>::new(), "no test of the default flows comes to this");
    assert_eq!(said.status.code(), Some(0));
    Ok(())
}

/// Fields, branches and rows that no test comes to are named with their lines; a minimum is held; the page needs nothing
/// beside itself.
fn coverage() -> Result<(), Failed> {
    let project = folder().join("covered");
    let kept = tempfile::tempdir()?;
    let page = kept.path().join("coverage.html");
    let said = flowc(&project, &["--coverage", "--min", "40", "--html", page.to_str().unwrap()]);
    let told = String::from_utf8(said.stdout)?;
    let expected = std::fs::read_to_string(project.join("coverage.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(project.join("coverage.txt"), &told)?;
    } else {
        assert_eq!(told, expected?);
    }
    assert_eq!(said.status.code(), Some(0), "enough is reached");
    assert_eq!(flowc(&project, &["--coverage", "--min", "100"]).status.code(), Some(1), "and not all");
    assert_eq!(flowc(&project, &["--min", "100"]).status.code(), Some(2), "of what nobody counts there is no minimum");
    let page = std::fs::read_to_string(page)?;
    assert!(
        page.contains("accounts.flow") && page.contains("class=\"line some\"") && page.contains("@media print"),
        "{page}"
    );
    assert!(
        !page.contains("http") && !page.contains("src=") && !page.contains("<link"),
        "the page stands alone: {page}"
    );
    Ok(())
}
