//! What people keep in folders, and flows that are torn apart: the checker always answers, in bounded time, and never
//! panics.

use flowc::check::{Checked, check_files, check_project};
use flowc::source::{Disk, Memory, Severity};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const HEAD: &str = "edition 2026\nzone \"Europe/Amsterdam\"\nuse woocommerce as woo\nuse exact\n";

/// A project of these files, checked on the real disk.
fn project(files: &[(&str, &[u8])]) -> Checked {
    let folder = tempfile::tempdir().expect("a folder for the test");
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("files lie in folders")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    check_project(&Disk, folder.path(), &[])
}

fn told(checked: &Checked) -> Vec<String> {
    checked.diagnostics.iter().map(|d| format!("{} {}", d.code.id, d.message)).collect()
}

/// Exactly one thing is told, and it says this.
fn only(checked: &Checked, part: &str) {
    let told = told(checked);
    assert!(told.len() == 1 && told[0].contains(part), "wanted `{part}`, told {told:?}");
}

fn clean(checked: &Checked) {
    assert!(checked.diagnostics.is_empty(), "told {:?}", told(checked));
}

#[test]
fn an_empty_folder_has_no_project() {
    only(&project(&[]), "F0505 there is no `project.flow` here");
}

#[test]
fn a_folder_that_is_not_there_is_told() {
    only(&check_project(&Disk, Path::new("nowhere/at/all"), &[]), "F0006 the folder nowhere/at/all can't be read");
}

#[test]
fn an_empty_project_lacks_its_head() {
    only(&project(&[("project.flow", b"")]), "F0505 a project says in which edition");
}

#[test]
fn an_empty_file_beside_it_is_fine() {
    clean(&project(&[("project.flow", HEAD.as_bytes()), ("notes.flow", b"")]));
}

#[test]
fn text_of_another_encoding_is_told_with_its_line() {
    let file = b"edition 2026\nzone \"Europe/Amsterdam\"\n# caf\xe9\n";
    only(&project(&[("project.flow", file)]), "it is not UTF-8 text: the byte 0xe9 on line 3");
}

#[test]
fn a_binary_file_is_told() {
    let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
    only(&project(&[("project.flow", HEAD.as_bytes()), ("photo.flow", &bytes)]), "F0006 photo.flow can't be read");
}

#[test]
fn zeros_are_no_text() {
    only(&project(&[("project.flow", HEAD.as_bytes()), ("zeros.flow", &[0; 4096])]), "F0006 zeros.flow can't be read");
}

#[test]
fn a_nul_is_told_as_such() {
    let told = told(&project(&[("project.flow", HEAD.as_bytes()), ("a.flow", b"use exact\n# a\0b\n")]));
    assert!(told.iter().any(|t| t.contains("it holds the character NUL (U+0000) on line 2")), "{told:?}");
}

#[test]
fn characters_that_turn_the_direction_are_told_by_name() {
    for text in [
        "# a \u{202e}b\n",
        "## a \u{2066}b\n",
        "fn f() -> text = \"\u{200f}\"\n",
        "fn f() -> text = \"\"\"\n\u{202e}\n\"\"\"\n",
    ] {
        only(&file(text), "changes the direction");
    }
    only(&file("fn f() -> int = 1 \u{202e}+ 1\n"), "F0001 the character `U+202E` has no meaning here");
    clean(&file("# \u{5e9}\u{5dc}\u{5d5}\u{5dd}\nfn f() -> text = \"\u{645}\u{631}\"\n"));
}

#[test]
fn fifty_megabytes_are_refused_unread() {
    let start = Instant::now();
    let large = vec![b'#'; 50 << 20];
    only(&project(&[("project.flow", HEAD.as_bytes()), ("large.flow", &large)]), "it is larger than");
    assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
}

#[test]
fn line_ends_tabs_and_marks_of_other_systems_are_fine() {
    let windows = format!("\u{feff}{}", HEAD.replace('\n', "\r\n"));
    let tabs = "use woocommerce as woo\r\n\r\nfn a(order: woo.Order) -> text =\r\n\torder.number\r\n\r\nfn b(order: woo.Order) -> text =\r\n\ta(order)\r\n";
    let checked = project(&[("project.flow", windows.as_bytes()), ("tabs.flow", tabs.as_bytes())]);
    // Only that nobody uses `b`: each line is where an editor shows it.
    only(&checked, "F0111 nothing uses the fn `b`");
    assert_eq!(checked.sources.position(checked.diagnostics[0].span).line, 6);
}

#[test]
fn a_table_that_is_no_text_is_told_wherever_one_stands() {
    let flow: &[u8] = b"lookup t(a: text) -> text from csv \"t.csv\"\n";
    let told_of = |table: &[u8], folder: &str| {
        let (flow_at, table_at) = (format!("{folder}t.flow"), format!("{folder}t.csv"));
        told(&project(&[("project.flow", HEAD.as_bytes()), (&flow_at, flow), (&table_at, table)]))
    };
    for folder in ["", "more/"] {
        let told = told_of(b"a,b\n\xff,2\n", folder);
        assert!(told.iter().any(|t| t.contains("it is not UTF-8 text: the byte 0xff on line 2")), "{told:?}");
        let told = told_of(&vec![b'x'; 5 << 20], folder);
        assert!(told.iter().any(|t| t.contains("it is larger than 4 MB")), "{told:?}");
        assert_eq!(told_of(b"a,b\nx,2\n", folder), ["F0111 nothing uses the lookup `t`"]);
    }
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_not_read() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let pipe = folder.path().join("pipe.flow");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    for path in [PathBuf::from("/dev/zero"), pipe] {
        only(&check_files(&Disk, &[path]), "it is no file, but a device or a pipe");
    }
}

#[cfg(unix)]
#[test]
fn links_in_circles_end() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    std::fs::write(folder.path().join("project.flow"), HEAD).expect("a file");
    std::os::unix::fs::symlink(folder.path(), inner.join("back")).expect("a link");
    std::os::unix::fs::symlink("nowhere", inner.join("broken.flow")).expect("a link");
    std::os::unix::fs::symlink("self.flow", inner.join("self.flow")).expect("a link");
    clean(&check_project(&Disk, folder.path(), &[]));
}

#[test]
fn files_that_use_each_other_are_told_once() {
    let (a, b) = (b"use b\n".as_slice(), b"use c\n".as_slice());
    let files = [("project.flow", HEAD.as_bytes()), ("a.flow", a), ("b.flow", b), ("c.flow", b"use a\n")];
    only(&project(&files), "F0109");
    only(&project(&[("project.flow", HEAD.as_bytes()), ("a.flow", b"use a\n")]), "F0109");
}

#[test]
fn a_folder_that_is_called_like_a_flow_is_passed_by() {
    clean(&project(&[("project.flow", HEAD.as_bytes()), ("archive.flow/notes.txt", b"not a flow")]));
}

#[test]
fn too_many_files_are_told_once() {
    let mut files = Memory::default();
    files.0.insert(PathBuf::from("p/project.flow"), HEAD.to_owned());
    for n in 0..3_000 {
        files.0.insert(PathBuf::from(format!("p/z{n}.flow")), "# nothing\n".to_owned());
    }
    only(&check_project(&files, Path::new("p"), &[]), "F0006 there are more than 2000 files here");
}

/// A flow file by itself.
fn file(text: &str) -> Checked {
    let path = PathBuf::from("torn.flow");
    check_files(&Memory([(path.clone(), text.to_owned())].into()), &[path])
}

#[test]
fn copies_of_copies_are_bounded() {
    let mut text = "fn f0(n: int) -> int = n\n".to_owned();
    for n in 1..40 {
        let m = n - 1;
        writeln!(text, "fn f{n}(n: int) -> int = f{m}(n) + f{m}(n)").expect("a text can be written to");
    }
    let start = Instant::now();
    let told = told(&file(&text));
    assert!(told.iter().any(|t| t.contains("copied too often")), "{told:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
}

#[test]
fn copies_of_long_texts_are_bounded() {
    let long = vec!["n"; 10_000].join(", ");
    let calls = vec!["f(n)"; 500].join(", ");
    let told =
        told(&file(&format!("fn f(n: int) -> list<int> = [{long}]\nfn g(n: int) -> list<list<int>> = [{calls}]\n")));
    assert!(told.len() == 1 && told[0].contains("copied too often"), "{} are told: {:?}", told.len(), told.first());
}

#[test]
fn deep_expressions_are_bounded() {
    for (open, close) in [("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("if yes then ", " else no")] {
        let text = format!("fn f() -> bool = {}yes{}\n", open.repeat(5_000), close.repeat(5_000));
        assert!(!file(&text).diagnostics.is_empty() || open == "not ");
    }
}

/// Whatever goes on with a value makes it a level deeper, but for the holes of a text, which are side by side.
#[test]
fn whatever_goes_on_with_a_value_is_bounded() {
    let behind = [
        ".upper()",
        ".a",
        "?.a",
        "[0]",
        " [0]",
        "(0)",
        " (0)",
        "()",
        " + 1",
        " ?? a",
        " and a",
        " is some",
        " == a",
        " | a",
        ".map(x => x)",
        "\n  .a",
        "\n  ?? a",
    ];
    let before = ["not ", "-", "a => ", "ensure ", "if a then a else ", "\"{", "(", "[", "{ a = ", "fail ", "f("];
    for (before, behind) in behind.map(|b| ("", b)).into_iter().chain(before.map(|b| (b, ""))) {
        let text = format!("fn f(a: text) -> text = {}a{}\n", before.repeat(20_000), behind.repeat(20_000));
        let told = told(&file(&text));
        assert!(told.iter().any(|t| t.starts_with("F0004")), "{before}{behind}: {:?}", &told[..told.len().min(3)]);
    }
    clean(&file(&format!("fn f(a: text) -> text = \"{}\"\nfn g() -> text = f(\"x\")\n", "{a}".repeat(20_000))));
}

/// Declarations of which each needs the next, the last one itself.
fn chain(links: usize, link: impl Fn(usize, usize) -> String) -> String {
    (0..links).map(|n| link(n, (n + 1).min(links - 1)) + "\n").collect()
}

#[test]
fn long_chains_of_declarations_are_bounded() {
    let lookup = |n, next| format!("lookup t{n}(a: text) -> text {{\n  else => t{next}[\"a\"]\n}}");
    let setting = |n, next| format!("settings {{\n  s{n}: text = settings.s{next}\n}}");
    let mapping = |n, next| {
        format!(
            "mapping m{n}() -> exact.Account {{\n  create once by Name\n  Name = \"x\"\n  Parent = ensure m{next}()\n}}"
        )
    };
    let function = |n, next| format!("fn f{n}(a: text) -> text = f{next}(a)");
    for text in [chain(3_000, lookup), chain(3_000, setting), chain(3_000, mapping), chain(500, function)] {
        let told = told(&file(&format!("use exact\n{text}")));
        assert!(!told.is_empty() && told.iter().all(|t| t.starts_with("F0109")), "{:?}", &told[..told.len().min(9)]);
    }
}

/// A test's own thread has a quarter of the stack that a program's first has.
fn on_the_main_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(work).expect("a thread");
    thread.join().expect("it does not panic")
}

#[test]
fn long_functions_in_long_functions_are_bounded() {
    for (ty, joined) in [("int", " + 1"), ("bool", " and yes"), ("text", ".trim()")] {
        let joined = joined.repeat(500);
        let text: String = (0..40).map(|n| format!("fn f{n}(a: {ty}) -> {ty} = f{}(a){joined}\n", n + 1)).collect();
        let text = format!("{text}fn f40(a: {ty}) -> {ty} = a\n");
        let told = on_the_main_stack(move || told(&file(&text)));
        assert!(told.iter().any(|t| t.starts_with("F0004")), "{told:?}");
    }
}

#[test]
fn long_lists_and_tables_are_checked_in_time() {
    let start = Instant::now();
    let rows: String = (0..5_000).map(|n| format!("  \"m{n}\" => \"{n}\"\n")).collect();
    clean(&file(&format!("lookup t(method: text) -> text {{\n{rows}  else => \"x\"\n}}\n")));
    let rows: String = (0..300).map(|n| format!("  \"m{n}\", _ => \"{n}\"\n  _, \"m{n}\" => \"{n}\"\n")).collect();
    assert!(!file(&format!("lookup t(a: text, b: text) -> text {{\n{rows}}}\n")).diagnostics.is_empty());
    assert!(start.elapsed() < Duration::from_secs(20), "it took {:?}", start.elapsed());
}

#[test]
fn large_tables_are_checked_row_by_row() {
    let lookup = |keys: &str, rows: &str| file(&format!("lookup t({keys}) -> int {{\n{rows}}}\n"));
    let start = Instant::now();
    let rows: String = (0..100_000).map(|n| format!("  _, {n} => {n}\n")).collect();
    clean(&lookup("a: text, b: int", &rows));
    let rows: String = (0..50_000).map(|n| format!("  {n}, _ => {n}\n  _, {n} => {n}\n")).collect();
    assert_eq!(lookup("a: int, b: int", &rows).diagnostics.len(), 20);
    // Each pair shares a cell, and no two rows overlap.
    let rows: String = (0..20_000).map(|n| format!("  1, _, {n} => 1\n  _, 2, -{} => 2\n", n + 1)).collect();
    clean(&lookup("a: int, b: int, c: int", &rows));
    assert!(start.elapsed() < Duration::from_mins(1), "it took {:?}", start.elapsed());
}

#[test]
fn tables_whose_rows_are_all_beside_one_another_are_bounded() {
    // Groups are in no index, and no row overlaps with another.
    let rows: String = (0..3_000).map(|n| format!("  in eu, _, {n} => 1\n  \"US\", {n}, _ => 2\n")).collect();
    let lookup = format!("lookup t(a: country, b: int, c: int) -> int {{\n{rows}}}\n");
    only(&file(&lookup), "F0402 the rows of `t` have too many cells in common");
}

#[test]
fn many_declarations_and_statements_are_checked_one_by_one() {
    let start = Instant::now();
    let many = |n: usize, line: &dyn Fn(usize) -> String| (0..n).map(line).collect::<String>();
    let head = "use woocommerce as woo\nuse exact\n";
    let mapping = "mapping m() -> exact.Account {\n  create once by Name\n  let a0 = \"x\"\n";
    let includes = many(30_000, &|_| "  include f(o)\n".to_owned());
    only(&file(&format!("{head}fields f(o: woo.Order) for exact.SalesOrder {{\n{includes}}}\n")), "F0109");
    let settings = many(50_000, &|n| format!("  s{n}: text = \"x\"\n"));
    clean(&file(&format!("settings {{\n{settings}}}\n")));
    let lets = many(50_000, &|n| format!("  let a{} = a{n}\n", n + 1));
    clean(&file(&format!("{head}{mapping}{lets}  Name = a50000.fit(at: \"mark\")\n}}\n")));
    assert!(start.elapsed() < Duration::from_mins(1), "it took {:?}", start.elapsed());
}

// --- Flows torn apart ----------------------------------------------------------------------------------

fn shipped() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in ["flows", "tests/corpus/flows-north-star", "tests/corpus/check/clean"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the flows are part of the sources") {
            let path = entry.expect("they can be read").path();
            if path.extension().is_some_and(|e| e == "flow") {
                texts.push(std::fs::read_to_string(path).expect("they are text"));
            }
        }
    }
    texts
}

/// Words, numbers, blanks and single signs.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let n = if word(first) { rest.find(|c| !word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        tokens.push(&rest[..n]);
        rest = &rest[n..];
    }
    tokens
}

#[derive(Clone, Debug)]
enum Tear {
    Delete(usize, usize),
    Swap(usize, usize),
    Copy(usize, usize, usize),
}

fn tear() -> impl Strategy<Value = Tear> {
    let at = 0..100_000_usize;
    prop_oneof![
        (at.clone(), 1..12_usize).prop_map(|(a, n)| Tear::Delete(a, n)),
        (at.clone(), at.clone()).prop_map(|(a, b)| Tear::Swap(a, b)),
        (at.clone(), 1..40_usize, at).prop_map(|(a, n, b)| Tear::Copy(a, n, b)),
    ]
}

fn torn(text: &str, tears: &[Tear]) -> String {
    let mut tokens: Vec<String> = tokens(text).into_iter().map(str::to_owned).collect();
    for tear in tears {
        if tokens.is_empty() {
            break;
        }
        let size = tokens.len();
        match *tear {
            Tear::Delete(a, n) => drop(tokens.drain(a % size..(a % size + n).min(size))),
            Tear::Swap(a, b) => tokens.swap(a % size, b % size),
            Tear::Copy(a, n, b) => {
                let copy: Vec<String> = tokens[a % size..(a % size + n).min(size)].to_vec();
                tokens.splice(b % size..b % size, copy);
            }
        }
    }
    tokens.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn torn_flows_are_told_in_time(which in 0..100_usize, tears in prop::collection::vec(tear(), 1..6)) {
        let texts = shipped();
        let text = torn(&texts[which % texts.len()], &tears);
        let start = Instant::now();
        let checked = file(&text);
        prop_assert!(start.elapsed() < Duration::from_secs(10), "it took {:?}", start.elapsed());
        for d in &checked.diagnostics {
            prop_assert!(!d.message.is_empty());
            prop_assert!(d.severity == Severity::Warning || d.help.is_some() || !d.label.is_empty(), "{}", d.message);
            prop_assert!(checked.sources.get(d.span.file).text.get(d.span.range()).is_some(), "{}", d.message);
        }
    }
}
