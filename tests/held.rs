//! A project that is held: checked again after each change, it says what a check from nothing says; its index answers where
//! names lead; and a check that nobody waits for is given up.

use flowc::check::{Cancel, Held, Reading, Tests, check_project};
use flowc::ir::{Program, Type};
use flowc::source::{Diagnostic, FileId, Files as _, Memory, Sources, Span};
use flowc::workspace::Workspace;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::fmt::Write as _;
use std::path::Path;

const PROJECT: &str = r#"edition 2026
zone "Europe/Amsterdam"

use woocommerce as woo
use exact
use parts

connect shop to woocommerce {
  url    = "https://shop.example"
  key    = secret("KEY")
  secret = secret("SECRET")
}

connect books to exact {
  country       = "NL"
  division      = 1
  client_id     = secret("ID")
  client_secret = secret("SECRET")
}

settings { prefix: text(4) = "W-" }

lookup journal(method: text) -> text(4) {
  "ideal" => "20"
  _       => "70"
}

mapping sales_order(order: woo.Order) -> exact.SalesOrder {
  create once by YourRef
  YourRef = "{settings.prefix}{order.number}"
  OrderedBy = exact.Account(Code: parts.code_of(order))
  Description = journal[order.payment_method ?? "none"]
  SalesOrderLines = [for line in order.line_items: { Item = exact.Item("A"), Quantity = line.quantity, NetPrice = price(line.total, line.total_tax) }]
}

flow orders {
  from woo.Order as order
  every 5 minutes
  write sales_order(order)
}

run orders
"#;
const PARTS: &str =
    "use woocommerce as woo\n\nfn code_of(order: woo.Order) -> text =\n  order.billing.company?.take(18) ?? \"9999\"\n";

fn project() -> Memory {
    let files = [("project.flow", PROJECT), ("parts.flow", PARTS)];
    Memory(files.map(|(name, text)| (Path::new("/p").join(name), text.to_owned())).into())
}

/// Several files that use one another: what one declares others answer, adapt, call and run.
const SHOP: [(&str, &str); 7] = [
    (
        "project.flow",
        r#"edition 2026
zone "Europe/Amsterdam"

use woocommerce as woo
use exact
use flows.orders
use flows.tables
use parts
use returns
use sales

connect shop to woocommerce {
  url    = "https://shop.example"
  key    = secret("KEY")
  secret = secret("SECRET")
}

connect books to exact {
  country       = "NL"
  division      = 1
  client_id     = secret("ID")
  client_secret = secret("SECRET")
}

settings for orders { prefix = "W-", shipping_item = "S", fee_item = "F" }
settings for sales { prefix = "S-" }

adapt fields orders.header {
  set Description = parts.remark(order)
}

adapt lookup returns.reason {
  "cancelled" => "gone"
}

adapt lookup tables.payment_condition {
  "ideal" => "00"
}

run orders.orders, sales.sales, returns.again
"#,
    ),
    (
        "parts.flow",
        r#"use woocommerce as woo
use exact

extern fn short(note: text) -> text in "remarks.rhai"

fn remark(order: woo.Order) -> text(60) = short(order.customer_note ?? "none").fit()

fn code_of(order: woo.Order) -> text =
  order.billing.company?.take(18) ?? "9999"

fn spare(order: woo.Order) -> text(20) =
  (order.transaction_id ?? "none").take(20)

fields head(order: woo.Order) for exact.SalesOrder {
  Description = remark(order)
  PaymentReference = spare(order)
}

fields line(line: woo.LineItem) for exact.SalesOrderLine {
  Item     = exact.Item("A")
  Quantity = line.quantity
  NetPrice = price(line.total, line.total_tax)
}
"#,
    ),
    (
        "sales.flow",
        r#"use woocommerce as woo
use exact
use journals
use parts

settings {
  ## What stands before the numbers.
  prefix: text(4)
  limit: int = 3
}

extend woo.Order {
  ## Where it came from.
  origin: text(40)? = meta("_origin")
}

mapping sales_order(order: woo.Order) -> exact.SalesOrder {
  create once by YourRef
  YourRef = "{settings.prefix}{order.number}"
  OrderedBy = exact.Account(Code: parts.code_of(order))
  include parts.head(order)
  Remarks = journals.journal[order.payment_method ?? "none"]
  SalesOrderLines = [for line in order.line_items: parts.line(line)]
}

flow sales {
  from woo.Order as order
  every 5 minutes
  where order.origin is none
  check order.line_items.count() < settings.limit else skip "many"
  write sales_order(order)
}

test "a sale" {
  given order = woo.Order { number = "1", payment_method = "ideal" }
  expect parts.code_of(order) == "9999"
}
"#,
    ),
    (
        "returns.flow",
        r#"use woocommerce as woo
use exact
use journals
use parts

settings { back: text(4) = "S-" }

lookup reason(status: text) -> text(20) {
  "refunded" => "back"
  _          => "other"
}

fn wanted(order: woo.Order) -> bool = order.total > 10

fields told(order: woo.Order) for exact.SalesOrder {
  include parts.head(order)
  YourRef = "{settings.back}{order.number}"
}

mapping again_order(order: woo.Order) -> exact.SalesOrder {
  create once by YourRef
  YourRef = "{settings.back}{order.number}"
  OrderedBy = exact.Account(Code: parts.code_of(order))
  Description = reason["{order.status}"]
  Remarks = journals.journal[order.payment_method ?? "none"]
  SalesOrderLines = [for line in order.line_items: { Item = exact.Item("A"), Quantity = line.quantity, NetPrice = price(line.total, line.total_tax) }]
}

flow again {
  from woo.Refund as refund
  every 5 minutes
  where wanted(refund.order)
  write again_order(refund.order)
}
"#,
    ),
    (
        "journals.flow",
        "use parts\n\nlookup journal(method: text) -> text(4) from csv \"journals.csv\"\n\nfn unused(a: int) -> int = a + 1\n",
    ),
    ("journals.csv", "method,code\nideal,20\n_,70\n"),
    ("remarks.rhai", "fn short(note) { note.sub_string(0, 3) }\n"),
];

fn shop() -> Memory {
    Memory(SHOP.map(|(name, text)| (Path::new("/p").join(name), text.to_owned())).into())
}

fn told(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|d| format!("{d:?}")).collect::<Vec<_>>().join("\n")
}

/// A type by the names of its entities.
fn shown(ty: &Type, program: &Program) -> String {
    let of = |id| program.entity(id).full_name();
    match ty {
        Type::Record(id) | Type::Code(id) | Type::FieldOf(id) => of(*id),
        Type::List(inner) | Type::Optional(inner) => format!("({})", shown(inner, program)),
        other => format!("{other:?}"),
    }
}

/// What an index says of every few bytes of the project's files.
fn indexed(reading: &Reading) -> String {
    let mut out = String::new();
    let own = reading
        .sources
        .iter()
        .filter(|(file, source)| !file.ships() && source.path.extension().is_some_and(|e| e == "flow"));
    for (file, source) in own {
        for at in (0..u32::try_from(source.text.len()).unwrap()).step_by(5) {
            let definition = reading.index.definition(file, at);
            let said = definition.map(|declared| reading.index.references(declared).collect::<Vec<_>>());
            let typed = reading.index.type_at(file, at).map(|(span, ty, program)| (span, shown(ty, program)));
            writeln!(out, "{}:{at} {definition:?} {said:?} {typed:?}", source.path.display()).unwrap();
        }
    }
    out
}

/// The span of the nth place of a text in a file of the project.
fn at(sources: &Sources, file: &str, text: &str, nth: usize) -> Span {
    let id: FileId = sources.by_path(Path::new(file)).unwrap();
    let (start, _) = sources.get(id).text.match_indices(text).nth(nth).unwrap();
    Span::new(id, start, start + text.len())
}

/// A change as it comes while somebody types: a line goes, comes twice, or loses or gets characters.
fn change(text: &str, rng: &mut StdRng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return PROJECT.to_owned();
    }
    let n = rng.random_range(0..lines.len());
    match rng.random_range(0..9) {
        5 => lines.insert(n, "# above".to_owned()),
        6 => drop(lines[n].pop()),
        7 => lines[n] = lines[n].replacen(|c: char| c.is_ascii_digit(), "7", 1),
        8 => lines[n] = lines[n].replacen("order", "refund", 1),
        0 => drop(lines.remove(n)),
        1 => lines.insert(n, lines[n].clone()),
        2 => {
            let cut = lines[n].chars().count() / 2;
            lines[n] = lines[n].chars().take(cut).collect();
        }
        3 => lines[n].push_str(" {"),
        _ => lines[n].push_str("  # seen"),
    }
    lines.join("\n")
}

#[test]
fn what_is_held_says_what_a_check_from_nothing_says() {
    let root = Path::new("/p");
    let (mut held, mut files) = (Held::default(), project());
    let mut rng = StdRng::seed_from_u64(7);
    let sound = held.check(&files, root, &[], &Cancel::default()).unwrap();
    assert!(sound.is_sound(), "{}", told(&sound.diagnostics));
    for round in 0..60 {
        // Back to what was sound now and then, and a file that comes and goes.
        match round % 12 {
            0 => files = project(),
            5 => drop(files.0.insert(root.join("more.flow"), PARTS.replace("code_of", "other"))),
            9 => drop(files.0.remove(&root.join("more.flow"))),
            _ => {
                let name = ["project.flow", "parts.flow"][rng.random_range(0..2)];
                let text = change(&files.read(&root.join(name)).unwrap(), &mut rng);
                files.0.insert(root.join(name), text);
            }
        }
        agrees(&mut held, &files, &format!("round {round}"));
    }
}

/// Holds what a held project says against a check from nothing.
fn agrees(held: &mut Held, files: &Memory, when: &str) {
    let root = Path::new("/p");
    let again = held.check(files, root, &[], &Cancel::default()).unwrap();
    let anew = check_project(files, root, &[]);
    assert_eq!(told(&again.diagnostics), told(&anew.diagnostics), "{when}:\n{:?}", files.0);
    let fresh = Held::default().check(files, root, &[], &Cancel::default()).unwrap();
    let (again, fresh) = (indexed(&again), indexed(&fresh));
    for (a, b) in again.lines().zip(fresh.lines()) {
        assert_eq!(a, b, "{when}:\n{:?}", files.0);
    }
    assert_eq!(again.len(), fresh.len(), "{when}");
}

/// One file is worked on for a while, then another; now and then all is sound again, or a table or a script changes.
#[test]
fn a_file_that_is_worked_on_is_read_alone() {
    let number = |name: &str, or: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(or);
    let (seed, rounds) = (number("HELD_SEED", 11), number("HELD_ROUNDS", 60));
    let root = Path::new("/p");
    let (mut held, mut files) = (Held::default(), shop());
    let mut rng = StdRng::seed_from_u64(seed);
    let sound = held.check(&files, root, &[], &Cancel::default()).unwrap();
    assert!(sound.is_sound(), "{}", told(&sound.diagnostics));
    let mut name = "sales.flow";
    for round in 0..rounds {
        match rng.random_range(0..30) {
            0 => files = shop(),
            1 => drop(files.0.insert(root.join("journals.csv"), change(SHOP[5].1, &mut rng))),
            2 => drop(files.0.insert(root.join("remarks.rhai"), change(SHOP[6].1, &mut rng))),
            3..6 => {
                name = [
                    "sales.flow",
                    "returns.flow",
                    "sales.flow",
                    "returns.flow",
                    "parts.flow",
                    "journals.flow",
                    "project.flow",
                ][rng.random_range(0..7)];
            }
            _ => {}
        }
        let path = root.join(name);
        let text = match rng.random_range(0..4) {
            // As it was in the beginning, but for one place.
            0 => change(shop().0.get(&path).unwrap(), &mut rng),
            1 => shop().0.get(&path).unwrap().clone(),
            _ => change(&files.read(&path).unwrap(), &mut rng),
        };
        files.0.insert(path, text);
        agrees(&mut held, &files, &format!("round {round} of {seed}, {name}"));
    }
    println!("{} of {rounds} rounds read one file alone", held.quick());
    assert!(held.quick() as u64 * 3 >= rounds, "{} of {rounds}", held.quick());
}

#[test]
fn names_lead_to_what_they_mean() {
    let checked = Held::default().check(&project(), Path::new("/p"), &[], &Cancel::default()).unwrap();
    let index = &checked.index;
    let leads = |said: Span| index.definition(said.file, said.start);
    // A setting, a lookup, a function of another file, a mapping, a parameter and the variable of a list.
    for (name, said, declared) in [("prefix", 1, 0), ("journal", 1, 0), ("sales_order", 1, 0), ("line", 2, 0)] {
        assert_eq!(
            leads(at(&checked.sources, "project.flow", name, said)),
            Some(at(&checked.sources, "project.flow", name, declared))
        );
    }
    let code_of = at(&checked.sources, "parts.flow", "code_of", 0);
    assert_eq!(leads(at(&checked.sources, "project.flow", "code_of", 0)), Some(code_of));
    let said: Vec<Span> = index.references(code_of).collect();
    assert_eq!(said, [at(&checked.sources, "project.flow", "code_of", 0)]);
    assert_eq!(leads(code_of), Some(code_of), "a declaration leads to itself");
    // Entities and fields, into the schemas that ship.
    for name in ["SalesOrder ", "YourRef =", "company", "Quantity"] {
        let file = if name == "company" { "parts.flow" } else { "project.flow" };
        let found = leads(at(&checked.sources, file, name, 0)).unwrap();
        assert_eq!(checked.sources.text(found), name.trim_end_matches(" =").trim_end());
    }
    let number = at(&checked.sources, "project.flow", "order.number", 0);
    let (value, ty, _) = index.type_at(number.file, number.start + 7).unwrap();
    assert_eq!((value, format!("{ty:?}")), (number, "Text(Some(20))".to_owned()));
}

#[test]
fn a_check_that_nobody_waits_for_is_given_up() {
    let cancel = Cancel::default();
    cancel.cancel();
    let mut held = Held::default();
    assert!(held.check(&project(), Path::new("/p"), &[], &cancel).is_none());
    assert!(held.check(&project(), Path::new("/p"), &[], &Cancel::default()).unwrap().is_sound());
}

/// What runs is what was checked: a script comes from where the flows come from, and one that nothing names is no part of it.
#[test]
fn scripts_come_from_where_the_flows_come_from() {
    let root = Path::new("/p");
    let mut files = project();
    let declared = "\nextern fn short(note: text) -> text in \"remarks.rhai\"\n";
    files.0.insert(
        root.join("parts.flow"),
        PARTS.replace(
            "order.billing.company?.take(18) ?? \"9999\"",
            "short(order.billing.company ?? \"9999\").take(18)",
        ) + declared,
    );
    files.0.insert(root.join("remarks.rhai"), "fn short(note) { note.sub_string(0, 3) }".to_owned());
    files.0.insert(root.join("unused.rhai"), "fn long(note) { note }".to_owned());
    let checked = check_project(&files, root, &[]);
    assert!(checked.is_sound(), "{:?}", checked.diagnostics);
    let named: Vec<&str> = checked.scripts.keys().map(|name| &**name).collect();
    assert_eq!(named, ["remarks.rhai"]);
    let version = |files: &Memory| {
        let opened = Workspace::with_tests(files, root.to_path_buf(), &[], &Tests::default(), false);
        opened.map(|project| project.version().to_owned()).map_err(|checked| checked.diagnostics).unwrap()
    };
    let before = version(&files);
    files.0.insert(root.join("unused.rhai"), String::new());
    assert_eq!(version(&files), before, "what nothing names changes nothing");
    files.0.insert(root.join("remarks.rhai"), "fn short(note) { note.sub_string(0, 4) }".to_owned());
    assert_ne!(version(&files), before, "what is named does");
}
