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
