//! The recorded orders of a shop, as tests that keep what is made of each: a slip that nobody told must change none of it.

use flowc::source::{Disk, Memory, Shipping};
use flowc::testing::{Outcome, Snapshots, Suite};
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Items that the project books on beside those that were recorded.
const ITEMS: [&str; 4] = ["SHIP", "FEE", "ROUND", "MISC"];
const CONDITIONS: [&str; 3] = ["30", "00", "IM"];
const SHIPPING: [&str; 2] = ["PNL", "AFH"];
/// The ledger's own codes of 0 %.
const UNTAXED: [&str; 3] = ["0", "6", "7"];
const KEPT: &str = "as it is kept";
/// Fewer than these that are booked would show little.
const BOOKED_AT_LEAST: usize = 90;

/// What is made of each recorded order.
pub(crate) struct Recorded {
    files: BTreeMap<PathBuf, String>,
    kept: tempfile::TempDir,
    outcomes: Vec<String>,
}

fn text_of(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(path);
    std::fs::read_to_string(&path).expect("what was recorded is there")
}

fn orders() -> BTreeMap<u64, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/shop/orders");
    let paths = std::fs::read_dir(folder).expect("orders were recorded").map(|entry| entry.expect("a file").path());
    let read = |path: PathBuf| -> Value {
        let text = std::fs::read_to_string(path).expect("an order can be read");
        serde_json::from_str(&text).expect("an order is JSON")
    };
    let all = paths.map(read).flat_map(|read| match read {
        Value::Array(orders) => orders,
        order => vec![order],
    });
    all.map(|order| (order["id"].as_u64().expect("an order has a number"), order)).collect()
}

/// What of the ledger each order finds.
fn ledger(project: &str) -> String {
    let items: Vec<Value> = serde_json::from_str(&text_of("ledger/logistics.Items.json")).expect("items are JSON");
    let codes = items.iter().filter_map(|item| item["Code"].as_str()).chain(ITEMS);
    let mut all = String::new();
    for code in codes {
        let _ = writeln!(all, "  given exact.Item {{ Code = \"{code}\", IsFractionAllowedItem = no }}");
    }
    for (entity, codes) in [("PaymentCondition", &CONDITIONS[..]), ("ShippingMethod", &SHIPPING), ("Warehouse", &["1"])]
    {
        for code in codes {
            let _ = writeln!(all, "  given exact.{entity} {{ Code = \"{code}\" }}");
        }
    }
    let row = Regex::new(r#"([0-9.]+)%,\s+"taxed",\s+"price",\s+_ => "(\w+)""#).expect("the pattern is right");
    let taxed: BTreeSet<(&str, &str)> =
        row.captures_iter(project).map(|row| row.extract::<2>().1).map(|[rate, code]| (code, rate)).collect();
    for (code, rate) in taxed.into_iter().chain(UNTAXED.map(|code| (code, "0"))) {
        let _ =
            writeln!(all, "  given exact.VATCode {{ Code = \"{code}\", Type = \"including\", Percentage = {rate}% }}");
    }
    all
}

/// What came of an order, without the lines of flows, which a slip may move.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => KEPT.to_owned(),
        Outcome::Failed(all) => all.iter().map(|mismatch| mismatch.came.as_str()).collect(),
        Outcome::Broken(mismatch) => mismatch.came.clone(),
    }
}

impl Recorded {
    /// What is made of them by what ships.
    pub(crate) fn new() -> Self {
        let project = ["SHOP_URL", "LEDGER_URL", "CONTROL_URL"]
            .iter()
            .fold(text_of("project/project.flow"), |text, place| text.replace(place, "https://system.example"))
            .replace("DIVISION", "1");
        let given = ledger(&project);
        let mut files = BTreeMap::new();
        let mut tests = "use woocommerce as woo\nuse exact\nuse flows.orders\n".to_owned();
        for (id, order) in orders() {
            let _ = write!(
                tests,
                "\ntest \"{id}\" {{\n  given order = woo.Order from \"{id}.json\" with customer = none, gift_cards = none\n{given}\n  snapshot orders.sales_order(order)\n}}\n"
            );
            files.insert(format!("data/{id}.json").into(), order.to_string());
        }
        files.insert("project.flow".into(), project);
        files.insert("recorded_tests.flow".into(), tests);
        files.insert("data/shipping_methods.csv".into(), text_of("project/data/shipping_methods.csv"));
        let mut recorded = Self { files, kept: tempfile::tempdir().expect("a folder"), outcomes: Vec::new() };
        let as_shipped = Shipping { files: &Memory(recorded.files.clone()), texts: [].into() };
        recorded.outcomes = recorded.run(&as_shipped, true).expect("the project is sound");
        let booked = recorded.outcomes.iter().filter(|outcome| outcome.ends_with(KEPT)).count();
        assert!(booked >= BOOKED_AT_LEAST, "only {booked} orders are booked: {}", recorded.outcomes.join("\n"));
        recorded
    }

    /// What comes of each: whether it is what is kept, or where and why it stops.
    fn run(&self, files: &Shipping<'_>, keeps: bool) -> Option<Vec<String>> {
        let suite = Suite::open(files, PathBuf::new(), &[], false).ok()?;
        let mut snapshots = Snapshots::new(&Disk, self.kept.path().to_owned(), keeps);
        let all = suite.named(&[]).expect("no name is wrong");
        let outcomes = all.into_iter().flat_map(|number| suite.run(number, &mut snapshots));
        Some(outcomes.map(|test| format!("{}: {}", test.title, said(&test.outcome))).collect())
    }

    /// What is made otherwise when a text ships changed.
    pub(crate) fn changed(&self, name: &str, text: &str) -> Vec<String> {
        let files = Memory(self.files.clone());
        let changed = Shipping { files: &files, texts: [(name.to_owned(), text.to_owned())].into() };
        let Some(now) = self.run(&changed, false) else { return vec!["the project is unsound".to_owned()] };
        now.into_iter().zip(&self.outcomes).filter(|(now, before)| now != *before).map(|(now, _)| now).collect()
    }
}
