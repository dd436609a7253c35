//! The store as a file on somebody's disk: in use, lost, cut, full, of another format; with the real binary, as cron and
//! people call it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use flowc::store::{Embedded, Key, RecordFilter, State, Store as _, StoreError};
use promise::{World, sent, text};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Child;

fn world(orders: u64) -> World {
    World::new(Options { orders: Some(orders), limits: Limits::Off, ..Options::default() })
}

fn store_of(world: &World) -> PathBuf {
    world.root().join(".flowc/store.redb")
}

/// How often each order that is sent stands in the ledger.
fn landed(world: &World) -> BTreeMap<String, usize> {
    let there = world.held("ledger/salesorder/SalesOrders");
    let orders = world.held("shop/orders");
    let count = |number: &str| there.iter().filter(|order| text(order, "YourRef") == number).count();
    sent(&orders).map(|order| text(order, "number")).map(|number| (number.to_owned(), count(number))).collect()
}

fn once(world: &World) -> BTreeMap<String, usize> {
    sent(&world.held("shop/orders")).map(|order| (text(order, "number").to_owned(), 1)).collect()
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A run that has the store for as long as it is wanted: the ledger answers it slowly.
struct Slow<'w>(&'w World, Child);

impl<'w> Slow<'w> {
    fn run(world: &'w World) -> Self {
        world.faults(&json!([{"system": "ledger", "kind": "delay", "ms": 600_000, "rate": 1, "seed": 1}]));
        let mut child = world.spawn(&["run", "orders"]);
        let lock = world.root().join(".flowc/store.redb.lock");
        while !std::fs::read_to_string(&lock).is_ok_and(|text| text.contains(&format!("\"process\":{}", child.id()))) {
            assert!(child.try_wait().unwrap().is_none(), "it has ended before it was seen");
            std::thread::yield_now();
        }
        Self(world, child)
    }

    /// Kills it, as a power cut would.
    fn killed(mut self) {
        self.1.kill().unwrap();
        self.1.wait().unwrap();
        self.0.faults(&json!([]));
    }
}

/// A second run of cron's did end with 2 and a message about the store, and a mail every five minutes.
#[test]
fn an_overlapping_run_leaves_the_work_to_the_one_that_is_under_way() {
    let world = world(4);
    let slow = Slow::run(&world);
    let process = slow.1.id();
    let second = world.flowc(&["run", "orders"]);
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert!(second.stderr.contains("another run is under way"), "{}", second.stderr);
    assert!(second.stderr.contains(&format!("process {process}, since 2")), "{}", second.stderr);
    let second = world.flowc(&["run", "orders", "--format", "json"]);
    let lines = second.lines();
    assert_eq!((second.code, lines.len()), (Some(0), 2), "{}{}", second.stdout, second.stderr);
    assert_eq!((text(&lines[0], "event"), &lines[0]["process"]), ("busy", &json!(process)));
    assert!(lines[0]["since"].is_string(), "{}", lines[0]);
    assert_eq!((text(&lines[1], "event"), text(&lines[1], "ended")), ("done", text(&lines[0], "reason")));
    assert_eq!((&lines[1]["calls"], &lines[1]["counts"]["created"]), (&json!(0), &json!(0)));

    let others: [&[&str]; 10] = [
        // The run under way does nothing of this.
        &["run", "orders", "--only", "orders:10001"],
        &["run", "orders", "--since", "2026-01-01"],
        &["status"],
        &["records"],
        &["show", "orders:10001"],
        &["why", "orders:10001", "sales_order.YourRef"],
        &["retry", "orders:10001"],
        &["skip", "orders:10001"],
        &["forget", "--email", "ann@example.org"],
        &["state", "move", "orders.web", "orders.orders"],
    ];
    for command in others {
        let said = world.flowc(command);
        assert_eq!(said.code, Some(3), "{command:?}: {}", said.stderr);
        let by = format!("in use by `flowc run` (process {process}, since 2");
        assert!(said.stderr.contains(&by) && said.stderr.trim().lines().count() == 1, "{command:?}: {}", said.stderr);
    }

    slow.killed();
    let status = world.flowc(&["status", "--format", "json"]);
    assert_eq!(status.code, Some(0), "a lock ends with its process: {}", status.stderr);
    world.later("+10m");
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    assert_eq!(landed(&world), once(&world));
}

/// Who has the store for something else does not read the shop: a run that cannot begin must not end as if one did.
#[test]
fn a_run_that_finds_no_other_run_says_that_nothing_is_read() {
    let world = world(1);
    assert_eq!(world.flowc(&["status"]).code, Some(0));
    let private = world.root().join(".flowc");
    let key = Key::find(&private, &[&store_of(&world)]).unwrap();
    let held = Embedded::open_for(&store_of(&world), &key, "records").unwrap();
    let run = world.flowc(&["run", "orders"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("in use by `flowc records` (process "), "{}", run.stderr);
    let again = Embedded::open(&store_of(&world), &key).err().unwrap();
    let StoreError::InUse { owner: Some(owner), .. } = again else { panic!("{again}") };
    assert_eq!((owner.process, owner.command.as_str()), (std::process::id(), "records"));
    drop(held);
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
}

/// A missing `.flowc/key` was replaced by a new one, and what the store was sealed with was gone for good.
#[test]
fn a_lost_or_wrong_key_is_told_and_never_replaced() {
    let world = world(2);
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let (key, other) = (world.root().join(".flowc/key"), "f".repeat(64));
    let kept = std::fs::read(&key).unwrap();
    let mends = |script: &str, said: &[&str]| {
        for command in ["run orders", "status"] {
            let done = world.shell(&format!("{script} \"$FLOWC\" {command}"));
            assert_eq!(done.code, Some(3), "{script} {command}: {}", done.stderr);
            for words in said {
                assert!(done.stderr.contains(words), "{script} {command}: {}", done.stderr);
            }
        }
    };
    std::fs::remove_file(&key).unwrap();
    mends("", &["store.redb is not there: put the file", ".flowc/key back from a backup", "set FLOWC_KEY"]);
    let elsewhere = world.flowc(&["status", "--store", "other.redb"]);
    assert_eq!(elsewhere.code, Some(3), "a key that is made would be taken for the store's: {}", elsewhere.stderr);
    assert!(!key.exists() && !world.root().join("other.redb").exists(), "nothing is made in its place");
    mends(&format!("FLOWC_KEY={other}"), &["was sealed with another key than FLOWC_KEY:"]);
    mends("FLOWC_KEY=secret", &["another key than FLOWC_KEY, a passphrase since it is not 32 bytes"]);
    mends("FLOWC_KEY=\"$(printf '\\377')\"", &["FLOWC_KEY is set and is no text"]);
    std::fs::write(&key, &other).unwrap();
    mends("", &["was sealed with another key than", ".flowc/key: set FLOWC_KEY"]);
    std::fs::write(&key, &kept[..20]).unwrap();
    mends("", &[".flowc/key holds 20 characters that are none", "put back the file"]);
    std::fs::write(&key, "").unwrap();
    mends("", &[".flowc/key is empty", "put back the file"]);
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    mends("", &[".flowc/key cannot be read", "FLOWC_KEY"]);
    std::fs::remove_dir(&key).unwrap();

    let given = world.shell(&format!("FLOWC_KEY='{}' \"$FLOWC\" status", String::from_utf8(kept.clone()).unwrap()));
    assert_eq!(given.code, Some(0), "{}", given.stderr);
    std::fs::write(&key, &kept).unwrap();
    let calls = world.calls("ledger").1;
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    assert_eq!(world.calls("ledger").1, calls, "all is as it was");
}

/// What stands where the store should, and what is said of it.
#[test]
fn a_store_that_cannot_be_used_is_left_as_it_is_and_told_with_a_mend() {
    let world = world(3);
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let path = store_of(&world);
    let whole = std::fs::read(&path).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        bytes
    };
    let damaged = [
        ("nothing", Vec::new()),
        ("a text", b"this is no store".repeat(5_000)),
        ("its head", with(&|bytes| bytes.truncate(100))),
        ("half of it", with(&|bytes| bytes.truncate(whole.len() / 2))),
        ("all but its end", with(&|bytes| bytes.truncate(whole.len() - 4096))),
        ("another head", with(&|bytes| bytes[..512].fill(0xa5))),
        ("noughts", with(&|bytes| bytes[4096..].fill(0))),
    ];
    for (what, bytes) in damaged {
        std::fs::write(&path, &bytes).unwrap();
        for command in [&["run", "orders"][..], &["records"]] {
            let said = world.flowc(command);
            assert_eq!(said.code, Some(3), "{what}: {}", said.stderr);
            let mend = "keep a copy of the file, and put back a backup";
            assert!(said.stderr.contains("store.redb cannot be read") && said.stderr.contains(mend), "{}", said.stderr);
            assert!(std::fs::read(&path).unwrap() == bytes, "{what}: it is left as it is");
        }
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let said = world.flowc(&["run", "orders"]);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(said.stderr.contains("a folder stands in its place: move it away"), "{}", said.stderr);
    std::fs::remove_dir(&path).unwrap();
    std::fs::write(&path, &whole).unwrap();
    let nowhere = world.flowc(&["status", "--store", "nowhere/store.redb"]);
    assert_eq!(nowhere.code, Some(3), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("the folder nowhere of the store"), "{}", nowhere.stderr);
    assert!(!world.root().join("nowhere").exists());
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    assert_eq!(landed(&world), once(&world));
}

/// Who may not write the file is told so; nothing of it is changed.
#[test]
fn a_file_that_may_only_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let world = world(1);
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let (path, private) = (store_of(&world), world.root().join(".flowc"));
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for file in ["store.redb", "store.redb.lock", "key", "secrets"] {
        mode(&private.join(file), 0o444);
    }
    mode(&private, 0o555);
    mode(world.root(), 0o755);
    // The administrator of a machine may do all things: there somebody else is asked.
    let said = world.shell(
        "if [ \"$(id -u)\" = 0 ]; then as='setpriv --reuid=65534 --regid=65534 --clear-groups'; fi; $as \"$FLOWC\" run orders",
    );
    mode(&private, 0o755);
    assert_eq!(said.code, Some(3), "{}", said.stderr);
    assert!(said.stderr.contains("ermission denied"), "{}", said.stderr);
    assert!(said.stderr.contains("let this user read and write the file and its folder"), "{}", said.stderr);
    assert!(std::fs::read(&path).unwrap() == bytes);
}

/// The disk fills up while a run writes: it stops with a cause and a mend, at whatever point that is; what had been sent is
/// known to the next run, which has room.
#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_run_loses_and_doubles_nothing() {
    let world = world(12);
    assert_eq!(world.flowc(&["status"]).code, Some(0));
    let mut room = std::fs::metadata(store_of(&world)).unwrap().len().div_ceil(512);
    let mut full = 0;
    loop {
        // Blocks of 512 bytes; the signal is ignored, so that the system refuses the write instead of killing.
        let said = world.shell(&format!("trap '' XFSZ; ulimit -f {room}; exec \"$FLOWC\" run orders"));
        world.later("+10m");
        if said.code == Some(0) {
            break;
        }
        assert_eq!(said.code, Some(3), "{}", said.stderr);
        assert!(said.stderr.contains("make room on its disk, and start again"), "{}", said.stderr);
        assert!(said.stderr.contains("Nothing that was done is lost"), "{}", said.stderr);
        full += 1;
        room += 96;
        assert!(room < 8_192, "it never has room enough");
    }
    assert!(full > 1, "the disk was full {full} times");
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    assert_eq!(landed(&world), once(&world));
    assert_eq!(world.open_intents().len(), 0);
    assert!(world.records().values().all(|row| row["state"] == "written"));
}

/// A folder of `tests/stores`.
fn stored(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores").join(name)
}

/// Unpacks a store of an older format, with its key.
fn unpack(name: &str, into: &Path) {
    let packed = std::fs::File::open(stored(name).join("store.redb.gz")).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    std::fs::create_dir_all(into).unwrap();
    std::fs::write(into.join("store.redb"), &bytes).unwrap();
    std::fs::copy(stored(name).join("key"), into.join("key")).unwrap();
}

/// Takes the login of the sandbox of that time out of a store: today's has given others.
fn forget_login(store: &Path) {
    let database = redb::Database::open(store).unwrap();
    let transaction = database.begin_write().unwrap();
    let tokens = redb::TableDefinition::<&str, &[u8]>::new("tokens");
    assert!(transaction.open_table(tokens).unwrap().remove("books").unwrap().is_some());
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_store_of_an_older_format_is_kept_beside_what_is_made_of_it() {
    let folder = tempfile::tempdir().unwrap();
    unpack("format1", folder.path());
    let path = folder.path().join("store.redb");
    let key = Key::find(folder.path(), &[&path]).unwrap();
    // A copy that was cut short, of a process that died over it.
    std::fs::write(folder.path().join("store.redb.format1.4711.new"), "half").unwrap();
    // One of an earlier upgrade, after which somebody put the old file back.
    std::fs::write(folder.path().join("store.redb.format1"), "of another time").unwrap();
    let store = Embedded::open(&path, &key).unwrap();
    let upgraded = store.upgraded().unwrap().clone();
    assert_eq!((upgraded.from, upgraded.backup), (1, path.with_extension("redb.format1").display().to_string()));
    assert!(upgraded.to > 1);
    let rows = store.records(&RecordFilter::default()).await.unwrap().rows;
    let skipped = rows.iter().find(|row| row.key == "10004").unwrap();
    assert_eq!((skipped.state, skipped.reason.as_deref()), (State::Skipped, Some("booked by hand")));
    assert_eq!(rows.len(), 8);
    let waiting = store.counts("orders.orders").await.unwrap().waiting;
    assert_eq!((waiting, store.open_intents(None).await.unwrap().len()), (3, 2));
    let links = store.links("shop", "orders.sales_order", None).await.unwrap().links;
    assert_eq!(links.iter().map(|link| &*link.source.key).collect::<Vec<_>>(), ["10001", "10005", "10006"]);
    assert!(store.tokens("books").await.unwrap().is_some());
    assert!(store.position("orders.orders").await.unwrap().is_some());
    drop(store);
    assert_eq!(names(folder.path()), ["key", "store.redb", "store.redb.format1", "store.redb.lock"]);
    let again = Embedded::open(&path, &key).unwrap();
    assert_eq!(again.upgraded(), None, "once is enough");
    drop(again);
    std::fs::rename(path.with_extension("redb.format1"), &path).unwrap();
    let put_back = Embedded::open(&path, &key).unwrap();
    assert_eq!(put_back.upgraded().map(|upgraded| upgraded.from), Some(1), "it is what it was");
    assert_eq!(put_back.open_intents(None).await.unwrap().len(), 2);
}

/// An older flowc left two writes open: one had taken effect, one had not. Today's goes on from there.
#[test]
fn a_run_over_a_store_of_an_older_format_goes_on_without_a_write_twice() {
    let data = stored("format1");
    let (shop, ledger) = (data.join("shop"), data.join("ledger"));
    let world = World::new(Options {
        shop_data: Some(shop),
        ledger_data: Some(ledger),
        limits: Limits::Off,
        ..Options::default()
    });
    let private = world.root().join(".flowc");
    unpack("format1", &private);
    forget_login(&private.join("store.redb"));
    // An hour after it was left.
    world.control(reqwest::Method::POST, "/clock", Some(&json!("2026-11-28T18:00:00Z")));

    // No room for a copy: nothing is begun.
    let full = world.shell("trap '' XFSZ; ulimit -f 100; exec \"$FLOWC\" run orders");
    assert_eq!(full.code, Some(3), "{}", full.stderr);
    assert!(full.stderr.contains("store.redb.format1 cannot be used"), "{}", full.stderr);
    assert!(full.stderr.contains("make room on its disk"), "{}", full.stderr);
    assert_eq!(names(&world.root().join(".flowc")), ["key", "secrets", "store.redb", "store.redb.lock"]);

    let run = world.flowc(&["run", "orders", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
    let told = run.stderr.lines().find(|line| line.contains("has been brought from format 1 to "));
    assert!(told.is_some_and(|line| line.contains("store.redb.format1")), "{}", run.stderr);
    let second = world.flowc(&["run", "orders", "--format", "json"]);
    assert!(!second.stderr.contains("has been brought"), "{}", second.stderr);
    let mut expected = once(&world);
    expected.insert("10004".to_owned(), 0);
    assert_eq!(landed(&world), expected, "{}", run.stdout);
    let records = world.records();
    let state = |key: &str| text(&records[key], "state").to_owned();
    // The item that the parked one lacked is there by now.
    let states: Vec<String> = (10001..=10008).map(|key: u32| state(&key.to_string())).collect();
    let expected =
        ["written", "written", "written", "skipped", "written", "written", "written", "written"].map(str::to_owned);
    assert_eq!(states, expected);
    assert_eq!(text(&records["10004"], "reason"), "booked by hand");
    assert_eq!(world.open_intents().len(), 0);
    let accounts = world.held("ledger/crm/Accounts");
    let mut emails: Vec<&str> = accounts.iter().map(|a| text(a, "Email")).filter(|email| !email.is_empty()).collect();
    let all = emails.len();
    emails.sort_unstable();
    emails.dedup();
    assert_eq!(emails.len(), all, "no account twice");
    world.forget_calls();
    let third = world.flowc(&["run", "orders"]);
    assert_eq!((third.code, world.calls("ledger").1, world.calls("shop").1), (Some(0), 0, 0), "{}", third.stderr);
}

/// A text of a member of the store's lock that names nobody alive is no owner.
#[test]
fn a_name_that_a_dead_process_left_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let key = Key::from_text(&"1".repeat(64));
    let held = Embedded::open_for(&path, &key, "run").unwrap();
    let lock = path.with_extension("redb.lock");
    let dead = json!({"process": u32::MAX, "since": "2026-01-01T00:00:00Z", "command": "run"}).to_string();
    for left in [dead.as_str(), "", "{", "null"] {
        std::fs::write(&lock, left).unwrap();
        let busy = Embedded::open(&path, &key).err().unwrap();
        assert!(matches!(busy, StoreError::InUse { owner: None, .. }), "{left}: {busy}");
        assert!(busy.to_string().contains("in use by another flowc"), "{busy}");
    }
    drop(held);
    assert_eq!(std::fs::read(&lock).unwrap(), b"", "who has let go is no owner");
    Embedded::open(&path, &key).unwrap();
}
