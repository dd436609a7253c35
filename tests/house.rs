//! The house rules that a machine can hold: rooms use only what `docs/architecture.md` allows, files say what they are,
//! shared rooms name no API, nothing computes in floating point, and what ships is what lies in the folders.

use flowc::source::{codes, library};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Fewer uses than this, and the test no longer finds what it looks for.
const USES_AT_LEAST: usize = 200;
/// Rooms of meaning: they work from arguments alone.
const PURE: &[&str] = &["limits", "value", "json", "source", "syntax", "ir", "check", "plan", "eval"];
/// Rooms that know no API by name.
const SHARED: &[&str] =
    &["limits", "value", "json", "source", "syntax", "ir", "check", "plan", "eval", "store", "connector", "engine"];
/// Lines of a file beyond which it has, as a rule, a second concept.
const LINES_MAX: usize = 500;
/// Files that are longer, and why they stay so.
const LONG: &[(&str, &str)] = &[
    ("src/check/call.rs", "all that a call can be: functions, parts, mappings, finds share how arguments are read"),
    ("src/check/expr.rs", "a method for each form of an expression"),
    ("src/check/project.rs", "the passes over a project in their order"),
    ("src/engine/tests/mod.rs", "a case after the other"),
    ("src/eval/tests/lab.rs", "the bench that all tests of `eval` stand on"),
    ("src/syntax/ast.rs", "a type for each form of the language, and nothing else"),
    ("tests/connector_exact.rs", "a case after the other"),
    ("tests/connector_sandbox.rs", "a case after the other"),
    ("tests/connector_shop.rs", "a case after the other"),
    ("tests/store.rs", "the contract of a store, promise by promise"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, as a path below `src`, with its code.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    walk(&root().join("src"), "rs", &mut found);
    let src = root().join("src");
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source can be read");
        (path.strip_prefix(&src).expect("it lies below src").to_path_buf(), text)
    };
    found.into_iter().map(read).collect()
}

fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the package") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            walk(&path, extension, found);
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
}

fn room(path: &Path) -> Option<String> {
    (path.components().count() > 1 || path.file_stem().is_some_and(|stem| stem == "limits"))
        .then(|| path.components().next().map(|c| c.as_os_str().to_string_lossy().replace(".rs", "")))
        .flatten()
}

/// Room, and what it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).expect("the page of the house");
    let rows = page.lines().skip_while(|line| !line.starts_with("| room |")).skip(2);
    let rows =
        rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let mut table: BTreeMap<String, BTreeSet<String>> =
        rows.map(|cells| (cells[1].to_owned(), cells[2].split_whitespace().map(str::to_owned).collect())).collect();
    let all: BTreeSet<String> = table.keys().cloned().collect();
    for uses in table.values_mut() {
        uses.remove("–");
        if uses.remove("all") {
            uses.clone_from(&all);
        }
    }
    table
}

/// Code without comments, and without what stands in quotes; the texts in quotes by themselves.
fn code_of(text: &str) -> (String, Vec<String>) {
    let (mut code, mut texts) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(raw) = raw_text(rest) {
            texts.push(rest[..raw].to_owned());
            raw
        } else if c == '"' {
            let end = text_end(rest);
            texts.push(rest[1..end.saturating_sub(1).max(1)].to_owned());
            end
        } else if let Some(end) = character(rest) {
            end
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[taken..];
    }
    (code, texts)
}

/// The length of a raw text that begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix('r').or_else(|| rest.strip_prefix("br"))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    Some(rest.len() - body.len() + body.find(&close)? + close.len())
}

fn text_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character in quotes; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        return inside[2..].find('\'').map(|end| end + 4);
    }
    inside[first.len_utf8()..].starts_with('\'').then_some(first.len_utf8() + 2)
}

/// The words of code, in order.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// A file of tests beside the code.
fn is_test(path: &Path) -> bool {
    path.with_extension("").components().any(|c| c.as_os_str().to_string_lossy().ends_with("tests"))
}

/// Test code may name what it tests with.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

#[test]
fn rooms_use_only_what_the_table_allows() {
    let table = table();
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).expect("the library");
    let rooms: BTreeSet<String> =
        lib.lines().filter_map(|line| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned())).collect();
    assert_eq!(rooms, table.keys().cloned().collect(), "docs/architecture.md lists the rooms of src/lib.rs");
    let (mut uses, mut wrong) = (0, Vec::new());
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let (code, _) = code_of(&text);
        for (at, _) in code.match_indices("crate::") {
            let used = words(&code[at + "crate::".len()..]).next().unwrap_or_default();
            uses += 1;
            if !code[at + "crate::".len()..].starts_with(|c: char| c.is_alphabetic()) {
                wrong.push(format!("{}: `crate::` is followed by a room, one path a line", path.display()));
            } else if used != room && !table[&room].contains(used) {
                wrong.push(format!("{}: the room `{room}` may not use `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(uses >= USES_AT_LEAST, "only {uses} uses were found: does the test still see them?");
}

#[test]
fn the_table_has_no_circle() {
    let mut left = table();
    while !left.is_empty() {
        let free = left.iter().find(|(room, uses)| uses.iter().all(|used| used == *room || !left.contains_key(used)));
        let Some(free) = free.map(|(room, _)| room.clone()) else { panic!("a circle among {:?}", left.keys()) };
        left.remove(&free);
    }
}

#[test]
fn every_file_says_what_it_is() {
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches"] {
        walk(&root().join(folder), "rs", &mut found);
    }
    let silent: Vec<String> = found
        .iter()
        .filter(|path| !std::fs::read_to_string(path).expect("a source").starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "these files don't begin with `//!`:\n{}", silent.join("\n"));
}

#[test]
fn shared_rooms_name_no_api() {
    let mut named = Vec::new();
    for (path, text) in sources() {
        let shared = room(&path).is_some_and(|room| SHARED.contains(&&*room));
        let own = path.starts_with("connector") && path.components().count() > 2;
        // The registry of connectors is the one place where their names stand, beside the list of what ships.
        let registry = path == Path::new("connector/mod.rs") || path == Path::new("source/library.rs");
        if !shared || own || is_test(&path) {
            continue;
        }
        let (code, texts) = code_of(without_tests(&text));
        let told = |word: &str| {
            ["woocommerce", "exactonline", "exact_online", "salesorder", "sales_order"].contains(&&*word.to_lowercase())
        };
        let in_code = words(&code).any(told);
        let in_texts = texts
            .iter()
            .any(|text| ["exact", "woocommerce", "SalesOrder", "salesorder/SalesOrders"].contains(&&**text));
        if !registry && (in_code || in_texts) {
            named.push(path.display().to_string());
        }
    }
    assert!(named.is_empty(), "an API is named in:\n{}", named.join("\n"));
}

#[test]
fn every_cap_is_held_somewhere() {
    let caps = std::fs::read_to_string(root().join("src/limits.rs")).expect("the caps");
    let names = caps.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next());
    let code: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| path != Path::new("limits.rs"))
        .map(|(_, text)| code_of(without_tests(&text)).0)
        .collect();
    let unused: Vec<&str> = names.filter(|name| !code.iter().any(|code| words(code).any(|w| w == *name))).collect();
    assert!(unused.is_empty(), "caps that nothing holds to: {}", unused.join(", "));
}

#[test]
fn nothing_computes_in_floating_point() {
    let floats: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| {
            !is_test(path) && words(&code_of(text).0).any(|word| matches!(word, "f32" | "f64" | "as_f64"))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(floats.is_empty(), "floating point in:\n{}", floats.join("\n"));
}

#[test]
fn meaning_asks_no_world() {
    let forbidden = [
        "tokio",
        "reqwest",
        "async",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "std::env",
        "std::net",
        "std::thread",
        "std::fs",
    ];
    let mut asked = Vec::new();
    for (path, text) in sources() {
        let pure = room(&path).is_some_and(|room| PURE.contains(&&*room));
        if !pure || is_test(&path) || path == Path::new("source/files.rs") {
            continue;
        }
        let (code, _) = code_of(without_tests(&text));
        let hits = forbidden.iter().filter(|what| {
            code.match_indices(**what).any(|(at, _)| {
                let before = code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let after = code[at + what.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_');
                before && after
            })
        });
        asked.extend(hits.map(|what| format!("{}: {what}", path.display())));
    }
    assert!(asked.is_empty(), "rooms of meaning work from their arguments alone:\n{}", asked.join("\n"));
}

#[test]
fn what_ships_is_what_lies_in_the_folders() {
    let mut files = Vec::new();
    walk(&root().join("stdlib"), "flow", &mut files);
    let mut lie: BTreeSet<String> = files
        .iter()
        .map(|path| path.strip_prefix(root().join("stdlib")).expect("it lies there").display().to_string())
        .collect();
    let mut flows = Vec::new();
    walk(&root().join("flows"), "flow", &mut flows);
    lie.extend(flows.iter().map(|path| path.strip_prefix(root()).expect("it lies there").display().to_string()));
    let ship: BTreeSet<String> = library::LIBRARY.iter().map(|(_, path, _)| (*path).to_owned()).collect();
    assert_eq!(ship, lie, "source/library.rs lists the files of stdlib/ and flows/");
    for (module, path, _) in library::LIBRARY {
        let folder = path.split('/').next().unwrap_or_default();
        assert!(module.starts_with(folder) || *module == folder, "{path} is of the module {module}");
    }
}

#[test]
fn data_that_ships_is_what_lies_in_the_folder() {
    let mut files = Vec::new();
    walk(&root().join("flows/data"), "csv", &mut files);
    let name = |path: &PathBuf| path.file_name().expect("a file has a name").to_string_lossy().into_owned();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a table can be read");
        assert_eq!(library::data(&name(file)), Some(&*text), "{} ships with the default flows", file.display());
    }
    let list = std::fs::read_to_string(root().join("src/source/library.rs")).expect("the list of what ships");
    assert_eq!(list.matches("flows/data/").count(), files.len(), "source/library.rs names only what is in flows/data");
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let mut files = Vec::new();
    walk(&root().join("src/source/codes"), "md", &mut files);
    let pages: BTreeSet<String> =
        files.iter().map(|path| path.file_stem().expect("a page").to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = codes::REGISTRY.iter().map(|code| code.id.to_owned()).collect();
    assert_eq!(known.len(), codes::REGISTRY.len(), "a code is registered once");
    assert_eq!(pages, known, "src/source/codes holds a page for each code of source/codes.rs");
}

#[test]
fn long_files_have_a_reason() {
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches"] {
        walk(&root().join(folder), "rs", &mut found);
    }
    let mut long = Vec::new();
    for path in found {
        let lines = std::fs::read_to_string(&path).expect("a source").lines().count();
        let shown = path.strip_prefix(root()).expect("it lies in the package").display().to_string();
        if lines > LINES_MAX && !LONG.iter().any(|(file, _)| *file == shown) {
            long.push(format!("{shown}: {lines} lines"));
        }
    }
    let listed = "look for the second concept in them, or list them in LONG with the reason";
    assert!(long.is_empty(), "longer than {LINES_MAX} lines, {listed}:\n{}", long.join("\n"));
    let gone: Vec<&str> = LONG.iter().map(|(file, _)| *file).filter(|file| !root().join(file).is_file()).collect();
    assert!(gone.is_empty(), "LONG lists what is not there: {}", gone.join(", "));
}

#[test]
fn clients_are_made_in_their_places() {
    let allowed = |path: &Path| {
        path.starts_with("connector") || path == Path::new("sandbox/deliver.rs") || path == Path::new("cli/remote.rs")
    };
    let made: Vec<String> = sources()
        .into_iter()
        .filter(|(path, text)| {
            !allowed(path) && !is_test(path) && words(&code_of(without_tests(text)).0).any(|word| word == "reqwest")
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(made.is_empty(), "an HTTP client is made in:\n{}", made.join("\n"));
}

#[test]
fn every_crate_has_its_reason() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let mut crates = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line == "[dev-dependencies]";
        } else if let (true, Some((name, _))) = (inside, line.split_once(" = ")) {
            crates.insert(name.trim().to_owned());
        }
    }
    assert!(crates.len() > 20, "only {} crates were found in Cargo.toml", crates.len());
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).expect("the page of the house");
    let rows = page.lines().skip_while(|line| !line.starts_with("| for | crate |")).skip(2);
    let told: BTreeSet<String> = rows
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(2))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(told, crates, "docs/architecture.md has a row for each crate of Cargo.toml, and for no other");
}

#[test]
fn nothing_names_the_machine_that_it_was_written_on() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "docs", "stdlib", "flows", "grammar", ".ci"] {
        every_file(&root().join(folder), &mut files);
    }
    files.extend(
        ["Cargo.toml", "Cargo.lock", "README.md"].map(|name| root().join(name)).into_iter().filter(|p| p.exists()),
    );
    // In two pieces, so that the list does not find itself.
    let places: Vec<String> = ["work", "root", "home", "Users"].iter().map(|name| format!("/{name}/")).collect();
    let mut named = Vec::new();
    for file in &files {
        let Ok(text) = std::fs::read_to_string(file) else { continue };
        for (n, line) in text.lines().enumerate() {
            // A part of a longer address is no path of a machine.
            let hit = places.iter().any(|place| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    line[..at].chars().next_back().is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c))
                })
            });
            if hit {
                named.push(format!("{}:{}", file.display(), n + 1));
            }
        }
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
    assert!(named.is_empty(), "paths of one machine in:\n{}", named.join("\n"));
}

fn every_file(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the package") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { every_file(&path, found) } else { found.push(path) }
    }
}

#[test]
fn the_page_names_tests_that_are_there() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).expect("the page of the house");
    let section = page.split("\n## Tests\n").nth(1).expect("the page speaks of tests");
    let section = section.split("\n## ").next().expect("its text");
    let named: BTreeSet<&str> =
        section.split('`').skip(1).step_by(2).filter(|code| code.strip_suffix(".rs").is_some()).collect();
    assert!(named.len() > 8, "the page names {} tests", named.len());
    let gone: Vec<&&str> = named.iter().filter(|name| !root().join("tests").join(name).is_file()).collect();
    assert!(gone.is_empty(), "docs/architecture.md names tests that are not there: {gone:?}");
}

#[test]
fn the_reader_of_code_sees_code_only() {
    let (code, texts) =
        code_of("let a = \"crate::x\"; // crate::y\nlet c = '\"'; let r = r#\"crate::\"z\"#; fn f<'a>() { crate::w }");
    assert_eq!(words(&code).filter(|word| ["x", "y", "z", "w"].contains(word)).collect::<Vec<_>>(), ["w"]);
    assert_eq!(texts.len(), 2);
}
