//! Clients that others wrote, unchanged, against a running sandbox: they do not share our misreadings. See `tests/clients/README.md`.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::path::{Path, PathBuf};
use std::process::Command;

use flowc::sandbox::{Limits, Options, start};

/// Runs one script against a fresh sandbox.
async fn run(script: &str, program: &Path, installed: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(program.exists() && installed.exists(), "{script}: its client is not installed: run tests/clients/install");
    let running = start(Options { orders: Some(60), limits: Limits::Off, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let line = folder.path().join("sandbox.json");
    std::fs::write(&line, running.first_line().to_string()).unwrap();
    let (program, script_path) = (program.to_owned(), root.join("tests/clients").join(script));
    let output = tokio::task::spawn_blocking(move || {
        Command::new(program).arg(script_path).arg(line).current_dir(root).output()
    });
    let output = output.await.unwrap().unwrap();
    running.stop().await;
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {out}{error}");
}

fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients").join(path)
}

/// The environment's own interpreter.
fn python() -> PathBuf {
    installed("py/bin/python")
}

#[tokio::test(flavor = "multi_thread")]
async fn woocommerce_for_python() {
    run("shop.py", &python(), &installed("py")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn woocommerce_for_node() {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&paths).map(|folder| folder.join("node")).find(|file| file.exists());
    run("shop.mjs", &node.unwrap_or_default(), &installed("node_modules/@woocommerce")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exactonline_for_python() {
    run("ledger_exactonline.py", &python(), &installed("py")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_exact() {
    run("ledger_django.py", &python(), &installed("py")).await;
}
