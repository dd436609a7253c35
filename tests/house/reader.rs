//! What the reader of code sees: small crates whose arrows are known.

use crate::arrows::arrows;
use crate::code::{File, written};
use crate::names::{Names, paths};
use std::path::Path;

/// The arrows of a crate of these files, each as `from → to: names`.
fn told(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(Path::new(path), text)).collect();
    let told = |((from, to), uses): (&(usize, usize), &crate::arrows::Uses)| {
        let uses: Vec<&str> = uses.keys().map(String::as_str).collect();
        format!("{} → {}: {}", files[*from].at.name(), files[*to].at.name(), uses.join(" "))
    };
    arrows(&files, &Names::new(&files)).iter().map(told).collect()
}

#[test]
fn what_is_named_by_a_path_or_a_use_is_used() {
    let a = "use super::b::{Kind, made as built};\nfn f() { built(); crate::room::c::shut(super::c::OPEN) }";
    let b = "pub struct Kind;\npub fn made() {}";
    let c = "pub fn shut(_: u8) {}\npub const OPEN: u8 = 1;";
    let files = [("room/mod.rs", "mod a; mod b; mod c;"), ("room/a.rs", a), ("room/b.rs", b), ("room/c.rs", c)];
    assert_eq!(told(&files), ["a → b: Kind made", "a → c: OPEN shut"]);
}

#[test]
fn comments_texts_and_tests_use_nothing() {
    let a = "// super::b::made()\nconst T: &str = \"super::b::made()\";\n#[cfg(test)]\nmod tests { use crate::room::b::made; }";
    let files = [
        ("room/mod.rs", ""),
        ("room/a.rs", a),
        ("room/b.rs", "pub fn made() {}"),
        ("room/tests.rs", "use super::b::made;"),
    ];
    assert_eq!(told(&files), [""; 0]);
}

#[test]
fn what_a_door_hands_on_is_used_of_who_defines_it() {
    let door = "mod a; mod b;\npub use b::Kind;\npub struct Own;";
    let files = [("room/mod.rs", door), ("room/a.rs", "use super::{Kind, Own};"), ("room/b.rs", "pub struct Kind;")];
    assert_eq!(told(&files), ["a → mod: Own", "a → b: Kind"]);
    let other = [files[0], files[2], ("other/x.rs", "use crate::room::Kind;")];
    assert_eq!(told(&other), [""; 0]);
}

#[test]
fn methods_belong_to_the_file_that_holds_them() {
    let a = "pub struct Body { pub deep: Deep }\npub struct Deep;\nimpl Body { fn go(&self) { self.typed(); self.deep.len() } }";
    let b = "use super::a::Body;\nimpl Body { pub fn typed(&self) {} pub fn made() -> Self { todo!() } }";
    let c = "use super::a::Deep;\nimpl Deep { pub fn len(&self) -> usize { 0 } }\npub struct Other;\nimpl Other { pub fn typed(&self) {} }";
    let d = "fn f(of: &crate::room::a::Body, any: impl Sized) { of.typed(); any.typed(); let b = crate::room::a::Body::made(); b.typed(); }";
    let files = [("room/mod.rs", ""), ("room/a.rs", a), ("room/b.rs", b), ("room/c.rs", c), ("room/d.rs", d)];
    let wanted = [
        "a → b: Body::typed",
        "a → c: Deep::len",
        "b → a: Body",
        "c → a: Deep",
        "d → a: Body",
        "d → b: Body::made Body::typed",
    ];
    assert_eq!(told(&files), wanted);
}

#[test]
fn a_call_on_what_is_unknown_means_the_only_method_of_that_name() {
    let a = "fn f() { let x = anything(); x.rounded(); x.len(); x.twice() }";
    let b = "pub struct B;\nimpl B { pub fn rounded(&self) {} pub fn len(&self) {} pub fn twice(&self) {} }";
    let c = "pub struct C;\nimpl C { pub fn twice(&self) {} }";
    let files = [("room/a.rs", a), ("room/b.rs", b), ("room/c.rs", c)];
    assert_eq!(told(&files), ["a → b: .rounded"]);
}

#[test]
fn a_function_and_a_module_may_share_a_name() {
    let door = "mod a; mod run;\nfn run() {}";
    let a = "use super::run;\nfn f() { run::go(); super::run::go() }";
    let files = [("room/mod.rs", door), ("room/a.rs", a), ("room/run.rs", "pub fn go() {}")];
    assert_eq!(told(&files).last().map(String::as_str), Some("a → run: go"));
    let called = [files[0], ("room/a.rs", "fn f() { super::run() }"), files[2]];
    assert_eq!(told(&called), ["a → mod: run"]);
}

#[test]
fn macros_are_read() {
    let a = "use super::b;\nfn f(x: u8) -> bool { println!(\"{}\", b::made()); matches!(x, b::LOW..=b::HIGH if b::open()) }";
    let b = "pub fn made() {}\npub const LOW: u8 = 0;\npub const HIGH: u8 = 1;\npub fn open() -> bool { true }";
    assert_eq!(told(&[("room/mod.rs", ""), ("room/a.rs", a), ("room/b.rs", b)]), ["a → b: HIGH LOW made open"]);
}

#[test]
fn a_name_that_is_bound_is_no_use() {
    let a = "use super::b::*;\nfn f(rows: u8) -> u8 { let lines = rows; lines }\nfn g() { size() }";
    let b = "pub fn rows() {}\npub fn lines() {}\npub fn size() {}";
    assert_eq!(told(&[("room/mod.rs", ""), ("room/a.rs", a), ("room/b.rs", b)]), ["a → b: size"]);
}

#[test]
fn paths_are_whole() {
    let text = "use std::time as t;\nuse tokio::{fs, sync::mpsc::*};\nfn f() { t::Instant::now(); vec![fs::read()] }";
    let file = File::new(Path::new("room/a.rs"), text);
    let names = Names::new(std::slice::from_ref(&file));
    let paths: Vec<String> = paths(&names, &file, file.product()).iter().map(|path| path.join("::")).collect();
    for whole in ["std::time", "tokio::fs", "tokio::sync::mpsc", "std::time::Instant::now", "tokio::fs::read"] {
        assert!(paths.contains(&whole.to_owned()), "{whole} is not in {paths:?}");
    }
}

#[test]
fn what_is_written_is_code_texts_and_numbers() {
    let text =
        "// f64\nfn f<'a>() { let c = '\"'; g(\"one\", r#\"t\"wo\"#, b\"three\", 0.5, 1, name); format!(\"four\") }";
    let file = File::new(Path::new("room/a.rs"), text);
    let written = written(file.product());
    assert_eq!(written.texts, ["one", "t\"wo", "three", "four"]);
    assert_eq!(written.floats, ["0.5"]);
    assert!(written.names.contains(&"name".to_owned()) && !written.names.contains(&"f64".to_owned()));
    assert!(!written.asynchronous);
}
