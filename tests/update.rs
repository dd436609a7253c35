//! `flowc update` over projects whose defaults were others: what that changes in their tests and in the records of their log is
//! shown before the lock moves on.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::check::Tests;
use flowc::connector::Secrets;
use flowc::engine::{Cancel, PassOptions};
use flowc::sandbox::{Limits, Options};
use flowc::source::{Disk, Shipping, library};
use flowc::store::{Embedded, Key, Store};
use flowc::workspace::{LOCK_FILE, TEXTS_FILE, Workspace};
use promise::{Said, World};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const FLOW: &str = "flows/orders.flow";
const NOW: &str = "Description      = \"WooCommerce order {order.number}\".fit()";

/// A file of secrets, as a run reads it.
struct Kept(String);

impl Secrets for Kept {
    fn secret(&self, name: &str) -> Option<SecretString> {
        let found = self.0.lines().find_map(|line| line.split_once('=').filter(|(known, _)| *known == name));
        found.map(|(_, value)| SecretString::from(value))
    }
}

/// The orders are booked as a flowc with that text of the defaults books them.
fn run_with(root: &Path, replaced: &[(&str, &str, &str)]) {
    let workspace = with(root, replaced);
    let private = root.join(".flowc");
    let path = private.join("store.redb");
    let key = Key::find(&private, &[&path]).unwrap();
    let secrets = Kept(read(root, ".flowc/secrets"));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&path, &key).unwrap());
        let connections = workspace.connections(&secrets, &store).await.unwrap();
        let engine = workspace.engine(store, connections);
        let flows = ["orders.orders".to_owned()];
        let summary = engine.pass(&flows, &PassOptions::default(), &|_| (), &Cancel::default()).await.unwrap();
        assert!(summary.endings.is_empty() && summary.counts.created > 0, "{summary:?}");
    });
}

/// A project in the folder is locked as another flowc would have done it: with this text in the place of a line of now.
fn lock_with(root: &Path, replaced: &[(&str, &str, &str)]) {
    let workspace = with(root, replaced);
    let texts = workspace.texts();
    workspace.defaults().with(&texts).lock(&texts, root).unwrap();
}

/// The project of a folder, with texts in the place of lines of now.
fn with(root: &Path, replaced: &[(&str, &str, &str)]) -> Workspace {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (path, now, then) in replaced {
        let text =
            texts.entry((*path).to_owned()).or_insert_with(|| library::by_path(path).unwrap_or_default().to_owned());
        assert!(text.contains(now), "{path} no longer says {now}");
        *text = text.replacen(now, then, 1);
    }
    let files = Shipping { files: &Disk, texts };
    let opened = Workspace::with_tests(&files, root.to_path_buf(), &[], &Tests::default(), false);
    opened.unwrap_or_else(|checked| panic!("{:?}", checked.diagnostics))
}

fn read(root: &Path, name: &str) -> String {
    std::fs::read_to_string(root.join(name)).unwrap()
}

/// The answer for programs; it must end so.
fn json(said: &Said, code: i32) -> Value {
    assert_eq!(said.code, Some(code), "{}{}", said.stdout, said.stderr);
    serde_json::from_str(&said.stdout).unwrap()
}

/// A world in which each order was booked, and one of them is a test; and that one's number.
fn booked(orders: u64) -> (World, String) {
    let world = World::new(Options { orders: Some(orders), limits: Limits::Off, ..Options::default() });
    let held = world.held("shop/orders");
    let number = promise::sent(&held).next().unwrap()["id"].to_string();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let said = world.flowc(&["test", "--record", &format!("orders:{number}")]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    (world, number)
}

/// The change that is of this field.
fn change<'v>(told: &'v Value, field: &str) -> &'v Value {
    let changes = told["payloads"]["changes"].as_array().unwrap();
    let found: Vec<&Value> = changes.iter().filter(|change| change["field"] == field).collect();
    assert_eq!(found.len(), 1, "{field}: {changes:#?}");
    found[0]
}

#[test]
fn values_of_tests_and_records_stand_side_by_side_before_the_lock_moves_on() {
    let (world, number) = booked(8);
    let then = NOW.replace("WooCommerce order", "Web order");
    lock_with(world.root(), &[(FLOW, NOW, &then)]);
    let lock = read(world.root(), LOCK_FILE);
    let refused = world.flowc(&["run", "orders"]);
    assert_eq!(refused.code, Some(2), "a run goes on with other defaults: {}", refused.stderr);

    let told = json(&world.flowc(&["update", "--dry-run", "--format", "json"]), 0);
    assert_eq!((&told["written"], &told["changed"][0]), (&false.into(), &FLOW.into()));
    let described = change(&told, "Description");
    let line = library::by_path(FLOW).unwrap().lines().position(|line| line.contains(NOW)).unwrap() + 1;
    assert_eq!((&described["of"], &described["what"]), (&"orders.sales_order".into(), &"field".into()));
    assert_eq!((&described["before"]["line"], &described["now"]["line"]), (&line.into(), &line.into()));
    let cases = described["cases"].as_array().unwrap();
    let was = Value::from(format!("Web order {number}"));
    let now = Value::from(format!("WooCommerce order {number}"));
    for (kind, of) in [
        ("test", format!("recorded.orders_{number}: orders {number} of the log")),
        ("record", format!("orders:{number}")),
    ] {
        let case = cases.iter().find(|case| case[kind] == *of).unwrap_or_else(|| panic!("{of}: {cases:#?}"));
        assert_eq!((&case["before"], &case["now"]), (&was, &now), "{of}");
    }
    let payloads = &told["payloads"];
    let booked = world.records().len();
    assert_eq!(
        (&payloads["tests"]["differ"], &payloads["records"]["differ"]),
        (&1.into(), &booked.into()),
        "{payloads:#}"
    );
    assert_eq!(payloads["changes"].as_array().unwrap().len(), 1, "nothing else differs: {payloads:#}");
    // Its snapshot was kept with the defaults of now.
    assert_eq!((&payloads["passing"], payloads["failing"].as_array().unwrap().len()), (&1.into(), 0));

    let people = world.flowc(&["update", "--dry-run"]);
    let side = format!("orders:{number}  \"Web order {number}\" → \"WooCommerce order {number}\"");
    assert!(people.stdout.contains(&side) || people.stdout.contains("more"), "{}", people.stdout);
    assert!(people.stdout.contains(&format!("  flowc's {FLOW}:{line}; before: {FLOW}:{line}")), "{}", people.stdout);
    assert!(people.stdout.contains("tests: 0 come to the same, 1 differ"), "{}", people.stdout);
    assert_eq!(read(world.root(), LOCK_FILE), lock, "a dry run wrote the lock");

    let told = json(&world.flowc(&["update", "--format", "json"]), 0);
    assert_eq!(told["written"], true);
    assert_ne!(read(world.root(), LOCK_FILE), lock);
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let told = json(&world.flowc(&["update", "--format", "json"]), 0);
    assert_eq!(told["payloads"], Value::Null, "nothing has moved");
}

#[test]
fn a_test_that_fails_now_keeps_the_lock_where_it_is() {
    let (world, number) = booked(3);
    let then = NOW.replace("WooCommerce order", "Web order");
    lock_with(world.root(), &[(FLOW, NOW, &then)]);
    let lock = read(world.root(), LOCK_FILE);
    let folder = world.root().join("recorded/snapshots");
    let kept = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let snapshot = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, snapshot.replace("WooCommerce order", "Web order")).unwrap();

    let told = json(&world.flowc(&["update", "--format", "json"]), 1);
    let failing = told["payloads"]["failing"].as_array().unwrap();
    assert_eq!((failing.len(), &told["written"]), (1, &false.into()), "{told:#}");
    assert_eq!(failing[0]["title"], format!("orders {number} of the log"));
    let people = world.flowc(&["update"]);
    assert_eq!(people.code, Some(1));
    assert!(
        people.stdout.contains("tests that passed and fail now:") && people.stdout.contains("stays as it is"),
        "{}",
        people.stdout
    );
    assert_eq!(read(world.root(), LOCK_FILE), lock);

    assert_eq!(world.flowc(&["test", "--update"]).code, Some(0));
    assert_eq!(world.flowc(&["update"]).code, Some(0));
    assert_ne!(read(world.root(), LOCK_FILE), lock);
}

#[test]
fn what_stops_on_one_side_and_what_cannot_be_told_have_their_reasons() {
    let (world, number) = booked(16);
    let then = format!(
        "Description      = if order.id == {number} then fail \"nobody could say\" else \"WooCommerce order {{order.number}}\".fit()"
    );
    lock_with(world.root(), &[(FLOW, NOW, &then)]);
    let held = world.held("shop/orders");
    let email = |order: &Value| order["billing"]["email"].as_str().unwrap().to_lowercase();
    let own = held.iter().find(|order| order["id"].as_u64() == number.parse().ok()).map(email);
    let email = promise::sent(&held).map(email).find(|other| Some(other) != own.as_ref()).unwrap();
    assert_eq!(world.flowc(&["forget", "--email", &email]).code, Some(0));

    let told = json(&world.flowc(&["update", "--dry-run", "--format", "json"]), 0);
    let ends: Vec<&Value> =
        told["payloads"]["changes"].as_array().unwrap().iter().filter(|change| change["what"] == "end").collect();
    assert!(!ends.is_empty(), "{told:#}");
    for end in &ends {
        assert_eq!(end["cases"][0]["before"], "it fails: nobody could say", "{end:#}");
        assert_eq!(end["cases"][0]["now"], "it is written");
    }
    assert!(
        ends.iter().any(|end| end["of"] == "orders.orders" && end["cases"].to_string().contains("\"record\"")),
        "{ends:#?}"
    );
    let open = &told["payloads"]["records"]["not_compared"];
    assert!(open.to_string().contains("no longer holds what was read of it"), "{told:#}");
    let people = world.flowc(&["update", "--dry-run"]).stdout;
    assert!(
        people.contains("\"it fails: nobody could say\" → \"it is written\"") && people.contains("not compared"),
        "{people}"
    );
}

/// What another flowc has booked is explained with the defaults of then, whatever ships now.
#[test]
fn a_record_of_another_flowc_is_explained_with_its_defaults() {
    let world = World::new(Options { orders: Some(3), limits: Limits::Off, ..Options::default() });
    let then = [(FLOW, NOW, NOW.replace("WooCommerce order", "Web order"))];
    let then = then.each_ref().map(|(path, now, then)| (*path, *now, &**then));
    run_with(world.root(), &then);
    lock_with(world.root(), &then);
    let held = world.held("shop/orders");
    let number = promise::sent(&held).next().unwrap()["id"].to_string();
    let id = format!("orders:{number}");
    let why = json(&world.flowc(&["why", &id, "sales_order.Description", "--format", "json"]), 0);
    assert_eq!(why["value"], format!("Web order {number}"), "{why:#}");
    assert_eq!(why["now"]["value"], format!("WooCommerce order {number}"), "{why:#}");
    let told = json(&world.flowc(&["update", "--format", "json"]), 0);
    let described = change(&told, "Description");
    assert!(described["cases"].to_string().contains(&format!("\"Web order {number}\"")), "{described:#}");
}

/// Where the line of a mapping is the same on both sides, the row that it found makes the difference.
#[test]
fn a_row_that_differs_is_the_line() {
    let (world, _) = booked(30);
    let tables = "flows/tables.flow";
    let rows = ["\"bacs\"           => \"30\"", "\"cod\" | \"cheque\" => \"00\""];
    let then = ["\"bacs\"           => \"00\"", "\"cod\" | \"cheque\" => \"30\""];
    lock_with(world.root(), &[(tables, rows[0], then[0]), (tables, rows[1], then[1])]);
    let told = json(&world.flowc(&["update", "--dry-run", "--format", "json"]), 0);
    let changes = told["payloads"]["changes"].as_array().unwrap();
    assert!(!changes.is_empty(), "{told:#}");
    for change in changes {
        assert_eq!(change["field"], "PaymentCondition", "{change:#}");
        assert_eq!(change["now"]["file"], format!("flowc's {tables}"), "{change:#}");
        assert_eq!(change["before"]["line"], change["now"]["line"], "{change:#}");
    }
}

/// A project that no system is asked for.
fn offline() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/adapt");
    std::fs::copy(corpus.join("base.flow"), folder.path().join("project.flow")).unwrap();
    folder
}

fn update(root: &Path, words: &[&str]) -> Said {
    flowc(root, &[&["update"], words].concat())
}

/// The binary in a folder.
fn flowc(folder: &Path, words: &[&str]) -> Said {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_flowc"))
        .args(words)
        .current_dir(folder)
        .stdin(std::process::Stdio::null())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_copy_that_is_damaged_or_of_another_lock_is_refused_with_what_to_do() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[(FLOW, NOW, &NOW.replace("WooCommerce", "Web"))]);
    let whole = std::fs::read(root.join(TEXTS_FILE)).unwrap();
    assert!(whole.len() < 100_000, "{} bytes", whole.len());
    let lock = read(root, LOCK_FILE);
    assert!(lock.contains("\ntexts ") && lock.lines().all(|line| line.len() < 200), "{lock}");

    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(root.join(TEXTS_FILE), &damaged).unwrap();
    let said = update(root, &[]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert!(said.stderr.contains("defaults.texts.gz is damaged") && said.stderr.contains("restore"), "{}", said.stderr);

    lock_with(root, &[(FLOW, NOW, &NOW.replace("WooCommerce", "Other"))]);
    std::fs::write(root.join(LOCK_FILE), &lock).unwrap();
    let said = update(root, &[]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert!(said.stderr.contains("holds other texts than those") && said.stderr.contains("delete"), "{}", said.stderr);
    assert_eq!(read(root, LOCK_FILE), lock);

    std::fs::remove_file(root.join(TEXTS_FILE)).unwrap();
    let said = update(root, &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stdout.contains("can't be told: defaults.texts.gz") && said.stdout.contains("is not there"),
        "{}",
        said.stdout
    );
    assert_ne!(read(root, LOCK_FILE), lock);
    assert!(root.join(TEXTS_FILE).exists(), "the texts of now are kept");
}

/// The lock with its lines as they are made of each.
fn edit_lock(root: &Path, edited: impl Fn(&str) -> Option<String>) {
    let lines: Vec<String> = read(root, LOCK_FILE).lines().filter_map(edited).collect();
    std::fs::write(root.join(LOCK_FILE), lines.join("\n") + "\n").unwrap();
}

/// `check`, a run and `update` say one thing of a lock that was edited, and name the file.
#[test]
fn a_digest_that_was_edited_is_told_by_all_in_the_same_words() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[]);
    edit_lock(root, |line| {
        let of_flow = line.strip_prefix(&format!("file {FLOW} ")).is_some();
        Some(if of_flow { format!("file {FLOW} {}", "0".repeat(32)) } else { line.to_owned() })
    });
    let why = format!("the digest of {FLOW} in {LOCK_FILE} is not that of its text in {TEXTS_FILE}");
    for (words, code) in [(&["check"][..], 0), (&["run"], 2), (&["update", "--dry-run"], 2), (&["update"], 2)] {
        let said = flowc(root, words);
        assert!(said.code == Some(code) && said.stderr.contains(&why), "{words:?}: {}", said.stderr);
    }
}

/// A copy is looked at whether anything has moved or not.
#[test]
fn a_copy_is_verified_where_nothing_has_moved() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[]);
    let (lock, whole) = (read(root, LOCK_FILE), std::fs::read(root.join(TEXTS_FILE)).unwrap());
    std::fs::write(root.join(TEXTS_FILE), "junk").unwrap();
    for words in [&["--dry-run"][..], &[]] {
        let said = update(root, words);
        assert!(said.code == Some(2) && said.stderr.contains("is damaged"), "{}{}", said.stdout, said.stderr);
    }
    std::fs::write(root.join(TEXTS_FILE), &whole).unwrap();
    edit_lock(root, |line| {
        Some(if line.starts_with("texts ") { format!("texts {}", "0".repeat(32)) } else { line.to_owned() })
    });
    let said = update(root, &["--dry-run"]);
    assert!(said.code == Some(2) && said.stderr.contains("holds other texts"), "{}{}", said.stdout, said.stderr);

    std::fs::write(root.join(LOCK_FILE), &lock).unwrap();
    std::fs::remove_file(root.join(TEXTS_FILE)).unwrap();
    let said = update(root, &["--dry-run"]);
    assert!(
        said.code == Some(0) && said.stdout.contains("is not there: `flowc update` writes it anew"),
        "{}",
        said.stdout
    );
    let said = update(root, &[]);
    assert!(said.code == Some(0) && said.stdout.contains("is not there: it is written anew"), "{}", said.stdout);
    assert_eq!(std::fs::read(root.join(TEXTS_FILE)).unwrap(), whole);
    let said = update(root, &[]);
    assert!(!said.stdout.contains(TEXTS_FILE), "{}", said.stdout);
}

/// What the lock lacks, and what is written into it though nothing has moved.
#[test]
fn each_line_that_is_written_is_told() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[]);
    let whole = read(root, LOCK_FILE);
    edit_lock(root, |line| (!line.starts_with(&format!("file {FLOW} "))).then(|| line.to_owned()));
    let said = update(root, &["--dry-run"]);
    assert!(said.stdout.contains(&format!("without a line in the lock: {FLOW}")), "{}", said.stdout);

    std::fs::write(root.join(LOCK_FILE), whole).unwrap();
    let text = read(root, "project.flow");
    let adapted = format!(
        "{text}\nadapt mapping orders.sales_order {{\n  set Description = \"order {{order.number}}\".fit()\n}}\n"
    );
    std::fs::write(root.join("project.flow"), adapted).unwrap();
    let dry = update(root, &["--dry-run"]);
    let line = "under mapping orders.sales_order Description";
    assert!(dry.stdout.contains("would be written") && dry.stdout.contains(line), "{}{}", dry.stdout, dry.stderr);
    let said = update(root, &[]);
    assert!(said.stdout.contains("is written into") && said.stdout.contains(line), "{}", said.stdout);
    assert!(read(root, LOCK_FILE).contains(line));
    assert!(!update(root, &[]).stdout.contains(line), "it is there now");
}

#[test]
fn a_lock_that_cannot_be_read_is_the_one_thing_that_a_check_says() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[]);
    std::fs::write(root.join(LOCK_FILE), read(root, LOCK_FILE) + "files\n").unwrap();
    let said = flowc(root, &["check"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert!(
        said.stderr.contains("of defaults.lock is none that") && !said.stderr.contains("no mistakes"),
        "{}",
        said.stderr
    );
    assert_eq!(said.stdout, "");
}

#[test]
fn a_lock_without_texts_says_why_payloads_are_not_compared() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[(FLOW, NOW, &NOW.replace("WooCommerce", "Web"))]);
    std::fs::remove_file(root.join(TEXTS_FILE)).unwrap();
    let lock: Vec<String> =
        read(root, LOCK_FILE).lines().filter(|line| !line.starts_with("texts ")).map(str::to_owned).collect();
    std::fs::write(root.join(LOCK_FILE), lock.join("\n")).unwrap();
    let told = json(&update(root, &["--format", "json"]), 0);
    let why = told["payloads"]["why_not"].as_str().unwrap();
    assert!(why.contains("did not keep the texts") && told["written"] == true, "{told:#}");
    assert!(read(root, LOCK_FILE).contains("\ntexts "));
    assert_eq!(
        update(root, &["--dry-run"]).stdout.trim(),
        format!("the defaults are those that {LOCK_FILE} holds (flowc {})", env!("CARGO_PKG_VERSION"))
    );
}

/// The project has come to use what the old defaults lack: that is no reason to refuse, and it is said.
#[test]
fn a_project_that_the_old_defaults_do_not_suit_says_so() {
    let project = offline();
    let root = project.path();
    let names = library::by_path("flows/orders.flow").unwrap();
    lock_with(root, &[(FLOW, NOW, &NOW.replace("WooCommerce", "Web"))]);
    assert!(names.contains("  prefix:"), "a setting that the project answers");
    // As one whose defaults had another name for a setting that the project answers today.
    let text = read(root, "project.flow");
    let old =
        library::by_path(FLOW).unwrap().replace("settings.prefix", "settings.before").replace("  prefix:", "  before:");
    let without: String =
        text.lines().filter(|line| !line.contains("prefix")).fold(String::new(), |all, line| all + line + "\n");
    std::fs::write(root.join("project.flow"), &without).unwrap();
    lock_with(root, &[(FLOW, library::by_path(FLOW).unwrap(), &old)]);
    std::fs::write(
        root.join("project.flow"),
        without.replacen("settings for orders {", "settings for orders {\n  prefix = \"W\"", 1),
    )
    .unwrap();
    let said = update(root, &[]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stdout.contains("this flowc finds mistakes in the project as it is now: F"), "{}", said.stdout);
}

/// What a project uses no more has not moved: nothing refuses to run for it.
#[test]
fn what_is_used_no_more_is_no_move() {
    let project = offline();
    let root = project.path();
    let text = read(root, "project.flow");
    lock_with(root, &[]);
    let without = read(root, LOCK_FILE);
    std::fs::write(root.join("project.flow"), format!("{text}use std.money\n")).unwrap();
    lock_with(root, &[]);
    let lines = read(root, LOCK_FILE);
    let more: Vec<&str> = lines.lines().filter(|line| !without.contains(line)).collect();
    assert!(more.len() == 1 && more[0].starts_with("file std/money.flow "), "{more:?}");
    std::fs::write(root.join("project.flow"), &text).unwrap();
    let check = flowc(root, &["check"]);
    assert!(!check.stderr.contains("the defaults are others"), "{}", check.stderr);
    let told = json(&update(root, &["--format", "json"]), 0);
    assert_eq!(
        (&told["unused"], &told["payloads"]),
        (&serde_json::json!(["std/money.flow"]), &Value::Null),
        "{told:#}"
    );
    assert_eq!(read(root, LOCK_FILE), without);
}

/// A file that ships no more stands in the old side as it did: a declaration may have moved to another file.
#[test]
fn a_file_that_ships_no_more_is_read_from_the_copy() {
    let project = offline();
    let root = project.path();
    let once = "exact/once.flow";
    let text = "## A thing that nobody has any more.\nentity Once {\n  route \"once/Once\" get\n  key ID\n\n  ID: guid read only\n}\n";
    let texts = BTreeMap::from([(once.to_owned(), text.to_owned())]);
    let files = Shipping { files: &Disk, texts };
    let opened = Workspace::with_tests(&files, root.to_path_buf(), &[], &Tests::default(), false);
    let workspace = opened.unwrap_or_else(|checked| panic!("{:?}", checked.diagnostics));
    assert!(workspace.sources().by_path(Path::new(once)).is_some(), "it is read");
    let texts = workspace.texts();
    workspace.defaults().with(&texts).lock(&texts, root).unwrap();
    let told = json(&update(root, &["--format", "json"]), 0);
    assert_eq!(told["gone"], serde_json::json!([once]));
    assert_eq!(told["payloads"]["tests"]["differ"], 0, "{told:#}");
}

/// What only looks goes on with a warning; nothing moves in silence.
#[test]
fn what_looks_at_a_project_warns_of_other_defaults() {
    let project = offline();
    let root = project.path();
    lock_with(root, &[(FLOW, NOW, &NOW.replace("WooCommerce", "Web"))]);
    for words in [&["check"][..], &["map", "sales_order"], &["plan", "orders"], &["test"], &["run", "--dry-run"]] {
        let said = flowc(root, words);
        assert!(
            said.stderr.contains("warning: the defaults are others") && said.stderr.contains(FLOW),
            "{words:?}: {}",
            said.stderr
        );
    }
    let said = flowc(root, &["run"]);
    assert!(said.code == Some(2) && said.stderr.contains("flowc update --dry-run"), "{}", said.stderr);
}

#[test]
fn a_new_project_has_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("acme");
    let words = ["--yes", "--shop-url", "https://shop.example", "--set", "shipping_item=SHIP", "--set", "fee_item=FEE"];
    let said = flowc(folder.path(), &[&["new", "acme"][..], &words].concat());
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(root.join(TEXTS_FILE).exists() && read(&root, LOCK_FILE).contains("\nfile flows/orders.flow "));
    let told = json(&update(&root, &["--dry-run", "--format", "json"]), 0);
    assert_eq!((&told["changed"], &told["payloads"]), (&Value::Array(Vec::new()), &Value::Null), "{told:#}");
}

/// The mistakes of a project may be those that the defaults of now bring.
#[test]
fn a_project_that_went_with_the_old_defaults_is_told_so() {
    let project = offline();
    let root = project.path();
    let text = read(root, "project.flow");
    std::fs::write(root.join("project.flow"), text.replacen("fee_item      = \"FEE\"", "charge_item   = \"FEE\"", 1))
        .unwrap();
    let now = library::by_path(FLOW).unwrap();
    lock_with(root, &[(FLOW, now, &now.replace("fee_item", "charge_item"))]);
    let said = update(root, &[]);
    assert_eq!(said.code, Some(1), "{}", said.stdout);
    assert!(
        said.stderr.contains("charge_item") && said.stderr.contains("goes with the defaults of flowc"),
        "{}",
        said.stderr
    );
}

#[test]
fn an_edition_that_is_not_known_is_refused_with_those_that_are() {
    let project = offline();
    let root = project.path();
    let text = read(root, "project.flow");
    std::fs::write(root.join("project.flow"), text.replacen("edition 2026", "edition 2031", 1)).unwrap();
    for words in [&["check"][..], &["run"], &["update"]] {
        let said = flowc(root, words);
        assert_eq!(said.code, Some(1), "{words:?}");
        let told = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains("there is no edition 2031") && told.contains("knows the edition 2026"), "{told}");
    }
}
