//! A project that is held: checked again after each change, it says what a check from nothing says; its index answers where
//! names lead; and a check that nobody waits for is given up.

use flowc::check::{Cancel, Checked, Held, Tests, check_project};
use flowc::source::{Files as _, Memory, Span};
use flowc::workspace::Workspace;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
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

fn said(checked: &Checked) -> String {
    let diagnostics: Vec<String> = checked.diagnostics.iter().map(|d| format!("{d:?}")).collect();
    format!("{}\n{:?}", diagnostics.join("\n"), checked.program)
}

/// The span of the nth place of a text in a file of the project.
fn at(checked: &Checked, file: &str, text: &str, nth: usize) -> Span {
    let id = checked.sources.by_path(Path::new(file)).unwrap();
    let (start, _) = checked.sources.get(id).text.match_indices(text).nth(nth).unwrap();
    Span::new(id, start, start + text.len())
}

/// A change as it comes while somebody types: a line goes, comes twice, or loses or gets characters.
fn change(text: &str, rng: &mut StdRng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return PROJECT.to_owned();
    }
    let n = rng.random_range(0..lines.len());
    match rng.random_range(0..5) {
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
    assert!(sound.is_sound(), "{}", said(&sound));
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
        let again = held.check(&files, root, &[], &Cancel::default()).unwrap();
        let anew = check_project(&files, root, &[]);
        assert_eq!(said(&again), said(&anew), "round {round}:\n{:?}", files.0);
    }
}

#[test]
fn names_lead_to_what_they_mean() {
    let checked = Held::default().check(&project(), Path::new("/p"), &[], &Cancel::default()).unwrap();
    let index = checked.index.as_ref().unwrap();
    let leads = |said: Span| index.definition(said.file, said.start);
    // A setting, a lookup, a function of another file, a mapping, a parameter and the variable of a list.
    for (name, said, declared) in [("prefix", 1, 0), ("journal", 1, 0), ("sales_order", 1, 0), ("line", 2, 0)] {
        assert_eq!(leads(at(&checked, "project.flow", name, said)), Some(at(&checked, "project.flow", name, declared)));
    }
    let code_of = at(&checked, "parts.flow", "code_of", 0);
    assert_eq!(leads(at(&checked, "project.flow", "code_of", 0)), Some(code_of));
    let said: Vec<Span> = index.references(code_of).collect();
    assert_eq!(said, [at(&checked, "project.flow", "code_of", 0)]);
    assert_eq!(leads(code_of), Some(code_of), "a declaration leads to itself");
    // Entities and fields, into the schemas that ship.
    for name in ["SalesOrder ", "YourRef =", "company", "Quantity"] {
        let file = if name == "company" { "parts.flow" } else { "project.flow" };
        let found = leads(at(&checked, file, name, 0)).unwrap();
        assert_eq!(checked.sources.text(found), name.trim_end_matches(" =").trim_end());
    }
    let number = at(&checked, "project.flow", "order.number", 0);
    let (value, ty) = index.type_at(number.file, number.start + 7).unwrap();
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
