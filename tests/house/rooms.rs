//! Rooms: who may use whom, and what some of them may not touch.

use crate::code::{Facts, house};
use crate::page::page;
use flowc::source::library;
use std::collections::{BTreeMap, BTreeSet};

/// Fewer uses than this, and the test no longer finds what it looks for.
const USES_AT_LEAST: usize = 200;
/// Rooms of meaning: they work from arguments alone.
const PURE: &[&str] =
    &["limits", "value", "json", "source", "syntax", "shipped", "ir", "money", "lints", "check", "plan", "eval"];
/// What those may not name, with all below it.
const WORLD: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "rand",
    "reqwest",
    "rustix",
    "tokio",
];
/// Rooms that know no API by name.
const SHARED: &[&str] = &[
    "limits",
    "value",
    "json",
    "source",
    "syntax",
    "shipped",
    "ir",
    "money",
    "lints",
    "check",
    "plan",
    "eval",
    "store",
    "connector",
    "engine",
];
/// What services put around their rows: no schema lists it.
const ENVELOPES: &[&str] = &["results", "__deferred", "__metadata", "__next", "including"];
/// Texts of a shared room that are a field's name in some schema, and what they are there. What says that it is to go may
/// only go.
const FIELDS: &[(&str, &[&str], &str)] = &[
    ("check", &["code", "key", "parent", "tax", "total"], "clauses of entities and marks of fields"),
    ("check", &["number", "secret", "password"], "what an entry of a `connect` block is"),
    ("check", &["country", "currency", "email", "file", "net", "price"], "types of the language"),
    ("check", &["count", "length"], "functions of the language that a fix writes"),
    ("check", &["settings"], "declarations of a project"),
    ("syntax", &["settings", "zone"], "declarations of a project"),
    ("ir", &["count", "country", "length", "net", "postcode", "price", "tax"], "functions of the language"),
    ("store", &["key", "state"], "the file of the installation's key, a member of our own rows"),
    ("eval", &["Name", "Description", "AddressLine1"], "how people call a record: to go into the schema"),
];

/// Room, and what it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let page = page();
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

#[test]
fn rooms_use_only_what_the_table_allows() {
    let table = table();
    let lib = house().files.iter().find(|file| file.at.is("lib.rs")).expect("the library");
    let rooms: BTreeSet<String> = lib.modules.iter().cloned().collect();
    assert_eq!(rooms, table.keys().cloned().collect(), "docs/architecture.md lists the rooms of src/lib.rs");
    let (mut uses, mut wrong) = (0, BTreeSet::new());
    for file in &house().files {
        let Some(room) = file.at.room() else { continue };
        for path in &file.all_paths {
            let [first, used, ..] = &path[..] else { continue };
            uses += usize::from(first == "crate");
            if first == "crate" && *used != room && !table[&room].contains(used) {
                wrong.insert(format!("{}: the room `{room}` may not use `{}`", file.at.shown(), path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", Vec::from_iter(wrong).join("\n"));
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
fn shared_rooms_name_no_api() {
    let names = ["woocommerce", "exactonline", "exact_online", "salesorder", "sales_order"];
    let texts = ["exact", "woocommerce", "SalesOrder", "salesorder/SalesOrders"];
    let mut named = Vec::new();
    for file in &house().files {
        let shared = file.at.room().is_some_and(|room| SHARED.contains(&&*room));
        let own = file.at.0.starts_with("connector") && file.at.0.components().count() > 2;
        // The registry of connectors is the one place where their names stand, beside the list of what ships.
        let registry = file.at.is("connector/mod.rs") || file.at.is("source/library.rs");
        if !shared || own || registry || file.at.is_test() {
            continue;
        }
        let in_code = file.product.names.iter().any(|name| names.contains(&&*name.to_lowercase()));
        if in_code || file.product.texts.iter().any(|text| texts.contains(&text.as_str())) {
            named.push(file.at.shown());
        }
    }
    assert!(named.is_empty(), "an API is named in:\n{}", named.join("\n"));
}

/// The names of all fields of the schemas that ship, as flows say them and as the APIs do.
fn fields_of_schemas() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (module, _, text) in library::LIBRARY.iter().filter(|(module, ..)| !module.starts_with("std")) {
        let mut inside = false;
        for line in text.lines() {
            inside = (inside || line.starts_with("entity ")) && line != "}";
            let Some((name, rest)) = line.trim().split_once(':').filter(|_| inside) else { continue };
            if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                names.insert(name.to_owned());
                names.extend(rest.split_once("wire \"").and_then(|(_, wire)| Some(wire.split_once('"')?.0.to_owned())));
            }
        }
        assert!(!inside, "an entity of {module} has no end");
    }
    assert!(names.len() > 500, "only {} fields were found in stdlib", names.len());
    names
}

#[test]
fn shared_rooms_name_no_field_of_an_api() {
    let mut fields = fields_of_schemas();
    fields.extend(ENVELOPES.iter().map(|name| (*name).to_owned()));
    let (mut named, mut used) = (BTreeSet::new(), BTreeSet::new());
    for file in &house().files {
        let Some(room) = file.at.room().filter(|room| SHARED.contains(&&**room)) else { continue };
        let own = file.at.0.starts_with("connector") && file.at.0.components().count() > 2;
        if own || file.at.is_test() {
            continue;
        }
        for text in file.product.texts.iter().filter(|text| fields.contains(*text)) {
            match FIELDS.iter().position(|(of, texts, _)| *of == room && texts.contains(&text.as_str())) {
                Some(reason) => _ = used.insert((reason, text.clone())),
                None => _ = named.insert(format!("{}: {text:?}", file.at.shown())),
            }
        }
    }
    let listed = FIELDS.iter().enumerate().flat_map(|(n, (room, texts, _))| texts.iter().map(move |t| (n, *room, *t)));
    let gone: Vec<_> = listed.filter(|(n, _, text)| !used.contains(&(*n, (*text).to_owned()))).collect();
    let named = Vec::from_iter(named).join("\n");
    assert!(named.is_empty(), "fields of an API are named, which its schema or its connector should say:\n{named}");
    assert!(gone.is_empty(), "take off FIELDS what is no longer named: {gone:?}");
}

#[test]
fn every_cap_is_held_somewhere() {
    let (caps, others): (Vec<&Facts>, Vec<&Facts>) = house().files.iter().partition(|file| file.at.is("limits.rs"));
    let used: BTreeSet<&String> = others.iter().flat_map(|file| &file.product.names).collect();
    let caps: Vec<&String> = caps.iter().flat_map(|file| &file.constants).collect();
    let unused: Vec<&&String> = caps.iter().filter(|name| !used.contains(**name)).collect();
    assert!(caps.len() > 10, "only {} caps were found", caps.len());
    assert!(unused.is_empty(), "caps that nothing holds to: {unused:?}");
}

#[test]
fn nothing_computes_in_floating_point() {
    let float = |file: &&Facts| {
        let named = file.product.names.iter().any(|name| matches!(name.as_str(), "f32" | "f64" | "as_f64"));
        !file.at.is_test() && (named || !file.product.floats.is_empty())
    };
    let floats: Vec<String> = house().files.iter().filter(float).map(|file| file.at.shown()).collect();
    assert!(floats.is_empty(), "floating point in:\n{}", floats.join("\n"));
}

/// A room that gets another name is still held to what it was held to.
#[test]
fn the_rooms_that_are_held_are_there() {
    let table = table();
    let gone: Vec<&&str> = PURE.iter().chain(SHARED).filter(|room| !table.contains_key(**room)).collect();
    assert!(gone.is_empty(), "no room has the name {gone:?}");
}

#[test]
fn meaning_asks_no_world() {
    let mut asked = BTreeSet::new();
    for file in &house().files {
        let pure = file.at.room().is_some_and(|room| PURE.contains(&&*room));
        // Side by side is no other meaning than one after the other.
        let parallel = file.at.is("check/resolve/parallel.rs");
        if !pure || file.at.is_test() || file.at.is("source/files.rs") || parallel {
            continue;
        }
        for path in file.paths.iter().map(|path| path.join("::")) {
            let within = |world: &&&str| {
                path.strip_prefix(**world).is_some_and(|after| after.is_empty() || after.starts_with("::"))
            };
            asked.extend(WORLD.iter().find(within).map(|_| format!("{}: {path}", file.at.shown())));
        }
        if file.product.asynchronous {
            asked.insert(format!("{}: `async`", file.at.shown()));
        }
    }
    let asked = Vec::from_iter(asked).join("\n");
    assert!(asked.is_empty(), "rooms of meaning work from their arguments alone:\n{asked}");
}

#[test]
fn clients_are_made_in_their_places() {
    let allowed = |file: &&Facts| {
        file.at.0.starts_with("connector") || file.at.is("sandbox/deliver.rs") || file.at.is("cli/remote.rs")
    };
    // To hold one is not to make one.
    let held = ["reqwest", "Client"];
    let makes =
        |file: &&Facts| !file.at.is_test() && file.paths.iter().any(|path| path[0] == held[0] && path[..] != held);
    let (made, elsewhere): (Vec<&Facts>, Vec<&Facts>) = house().files.iter().filter(makes).partition(allowed);
    let elsewhere: Vec<String> = elsewhere.iter().map(|file| file.at.shown()).collect();
    assert!(!made.is_empty(), "no client was found: does the test still see them?");
    assert!(elsewhere.is_empty(), "an HTTP client is made in:\n{}", elsewhere.join("\n"));
}
