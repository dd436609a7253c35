//! What people do with the commands, from outside: the real binary over a simulated shop and ledger.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod promise;

use flowc::sandbox::{Limits, Options};
use promise::{Said, World, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};

/// Orders of a world.
const ORDERS: u64 = 8;
/// Times that the orders are mapped, so that several threads have work.
const TIMES: usize = 30;
/// What the default flow finds in a ledger.
const TABLES: [(&str, &str); 6] = [
    ("exact.Item", "logistics/Items"),
    ("exact.VATCode", "vat/VATCodes"),
    ("exact.Account", "crm/Accounts"),
    ("exact.ShippingMethod", "sales/ShippingMethods"),
    ("exact.PaymentCondition", "cashflow/PaymentConditions"),
    ("exact.Warehouse", "inventory/Warehouses"),
];

fn world() -> World {
    World::new(Options { orders: Some(ORDERS), limits: Limits::Off, ..Options::default() })
}

/// The events of this kind, by the records' keys.
fn told(said: &Said, event: &str) -> BTreeSet<String> {
    let lines = said.lines();
    let of_kind = lines.iter().filter(|line| line["event"] == event);
    of_kind.map(|line| text(line, "id").trim_start_matches("orders:").to_owned()).collect()
}

/// The keys of the shop's orders that are to be sent.
fn keys(world: &World) -> BTreeSet<String> {
    promise::sent(&world.held("shop/orders")).map(|order| order["id"].to_string()).collect()
}

/// The records in this state, by their keys.
fn in_state(world: &World, state: &str) -> BTreeSet<String> {
    world.records().into_iter().filter(|(_, row)| row["state"] == state).map(|(key, _)| key).collect()
}

#[test]
fn a_run_takes_single_records_answers_and_a_moment() {
    let world = world();
    let all = keys(&world);
    let one = all.first().unwrap();
    let dry =
        world.flowc(&["run", "orders", "--dry-run", "--only", one, "--set", "orders.prefix=X ", "--format", "json"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    let created = dry.lines().into_iter().find(|line| line["entity"] == "exact.SalesOrder").unwrap();
    assert_eq!(created["body"]["YourRef"], json!(format!("X {one}")));
    assert_eq!(world.held("ledger/salesorder/SalesOrders"), [] as [Value; 0], "a dry run writes nothing");
    let shown = world.flowc(&["run", "orders", "--dry-run", "--only", one]).stdout;
    let order = world.held("shop/orders").into_iter().find(|order| order["id"] == one.parse::<u64>().unwrap());
    let order = order.unwrap();
    let total = format!("AmountFC: {} (what the lines must come to)", text(&order, "total"));
    assert!(shown.contains(&total), "{total}: {shown}");

    let id = format!("orders:{one}");
    let only = world.flowc(&["run", "orders", "--only", &id, "--format", "json"]);
    assert_eq!((only.code, told(&only, "created")), (Some(0), BTreeSet::from([one.clone()])), "{}", only.stderr);
    assert_eq!(world.held("ledger/salesorder/SalesOrders").len(), 1);
    let rest = world.flowc(&["run", "orders", "--format", "json"]);
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    assert_eq!(in_state(&world, "written"), all, "the others have not been passed over");

    world.forget_calls();
    let again = world.flowc(&["run", "orders", "--since", "2020-01-01", "--format", "json"]);
    assert_eq!((again.code, told(&again, "unchanged")), (Some(0), all), "{}", again.stderr);
    let late = world.flowc(&["run", "orders", "--since", "2090-01-01T00:00:00Z", "--format", "json"]);
    assert_eq!((late.code, told(&late, "unchanged")), (Some(0), BTreeSet::new()), "{}", late.stderr);
    assert_eq!(world.calls("ledger"), (0, 0));
    let wrong = world.flowc(&["run", "orders", "--since", "yesterday"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
}

#[test]
fn what_is_kept_goes_along_with_a_new_name() {
    let world = world();
    let flow = include_str!("../flows/orders.flow");
    std::fs::write(world.root().join("sales.flow"), flow).unwrap();
    world.edit(|project| {
        let project = project.replace("use flows.orders", "use sales").replace("orders.orders", "sales.orders");
        project.replace("settings for orders", "settings for sales")
    });
    let first = world.flowc(&["run"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let made = world.held("ledger/salesorder/SalesOrders").len();

    std::fs::write(
        world.root().join("sales.flow"),
        flow.replace("flow orders {", "flow web {").replace("after orders\n", "after web\n"),
    )
    .unwrap();
    world.edit(|project| project.replace("sales.orders", "sales.web"));
    world.forget_calls();
    let refused = world.flowc(&["run"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("flowc state move sales.orders sales.web"), "{}", refused.stderr);
    let unknown = world.flowc(&["state", "move", "sales.orders", "sales.nothing"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    let moved = world.flowc(&["state", "move", "sales.orders", "sales.web", "--format", "json"]);
    assert_eq!((moved.code, moved.lines()), (Some(0), vec![json!({"old": "sales.orders", "new": "sales.web"})]));

    // The connection too: the links of its records go along.
    world.edit(|project| project.replace("connect books to", "connect ledger to"));
    let moved = world.flowc(&["state", "move", "books", "ledger"]);
    assert_eq!(moved.code, Some(0), "{}", moved.stderr);
    let order = world.held("shop/orders").into_iter().find(|order| order["status"] == "processing").unwrap();
    world.control(reqwest::Method::POST, "/shop/orders", Some(&json!({"id": order["id"], "customer_note": "Ring"})));
    let run = world.flowc(&["run", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{} {}", run.stdout, run.stderr);
    assert_eq!(told(&run, "created"), BTreeSet::new());
    assert!(told(&run, "updated").contains(&format!("web:{}", order["id"])), "{}", run.stdout);
    assert_eq!(world.held("ledger/salesorder/SalesOrders").len(), made, "nothing is there twice");
}

#[test]
fn what_is_parked_is_retried_or_left_out_by_a_person() {
    let world = world();
    world.edit(|project| project.replace("\"SHIP\"", "\"NOPE\""));
    let first = world.flowc(&["run", "orders", "--format", "json"]);
    let parked = told(&first, "parked");
    assert_eq!(first.code, Some(1), "{}", first.stderr);
    assert!(parked.len() > 2, "{}", first.stdout);
    let again = world.flowc(&["run", "orders", "--format", "json"]);
    assert_eq!(told(&again, "parked"), BTreeSet::new(), "what is parked is not tried again by itself");
    assert_eq!(again.code, Some(1), "it still needs a person: {}", again.stderr);
    let known = world.flowc(&["run", "orders", "--quiet-known"]);
    assert_eq!(known.code, Some(0), "nothing is new: {}", known.stderr);

    let mut of_them = parked.iter().map(|key| format!("orders:{key}"));
    let (one, other) = (of_them.next().unwrap(), of_them.next().unwrap());
    let retried = world.flowc(&["retry", &one, "--format", "json"]);
    assert_eq!((retried.code, text(&retried.lines()[0], "id")), (Some(0), one.as_str()), "{}", retried.stderr);
    let run = world.flowc(&["run", "orders", "--format", "json"]);
    assert_eq!(told(&run, "parked"), parked.iter().take(1).cloned().collect());

    let skipped = world.flowc(&["skip", &other, "--reason", "booked by hand"]);
    assert_eq!(skipped.code, Some(0), "{}", skipped.stderr);
    let listed = world.flowc(&["records", "orders", "--state", "skipped", "--format", "json"]).lines();
    assert_eq!((listed.len(), text(&listed[0], "reason")), (1, "booked by hand"));

    world.edit(|project| project.replace("\"NOPE\"", "\"SHIP\""));
    let all = world.flowc(&["retry", "--parked"]);
    assert_eq!(all.code, Some(0), "{}", all.stderr);
    let run = world.flowc(&["run", "orders"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let left_out = BTreeSet::from([other.trim_start_matches("orders:").to_owned()]);
    assert_eq!(in_state(&world, "skipped"), left_out);
    assert_eq!(in_state(&world, "written"), keys(&world).difference(&left_out).cloned().collect());
    assert_eq!(world.flowc(&["retry", "orders:none"]).code, Some(2));
    assert_eq!(world.flowc(&["skip", "orders:none"]).code, Some(2));
}

/// `clock = …` made every command ask the sandbox for the time, and `why` asked the ledger for its small tables: on a day
/// when both are away nobody could look at what had happened.
#[test]
fn what_people_ask_of_the_store_asks_no_system() {
    let mut world = world();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let key = keys(&world).first().unwrap().clone();
    let id = format!("orders:{key}");
    let log = world.flowc(&["show", &id, "--format", "json"]).stdout;
    assert!(log.contains("\"kept\":\""), "the flow reads a small table: {log}");
    let fields = ["sales_order.YourRef", "sales_order.SalesOrderLines[0].VATCode", "sales_order.PaymentCondition"];
    let before: Vec<Value> = fields.iter().map(|field| why_of(&world, &id, field)).collect();
    let first = |field: &str| before[fields.iter().position(|f| *f == field).unwrap()]["value"].clone();
    assert_eq!(first("sales_order.YourRef"), json!(key));
    world.stop();
    let after: Vec<Value> = fields.iter().map(|field| why_of(&world, &id, field)).collect();
    assert_eq!(after, before);
    let commands: [&[&str]; 6] =
        [&["status"], &["records"], &["show", &id], &["show", &id, "--why"], &["skip", &id], &["retry", &id]];
    for command in commands {
        let said = world.flowc(command);
        assert_eq!(said.code, Some(0), "{command:?}: {}", said.stderr);
    }
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(3), "both are away");
}

/// What is filled when a record is made was not explained any more once it was there: neither the debtor of an order nor a
/// field of his account.
#[test]
fn every_field_that_was_sent_is_explained() {
    let world = world();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let key = keys(&world).first().unwrap().clone();
    let id = format!("orders:{key}");
    let shown = world.flowc(&["show", &id, "--why", "--format", "json"]).lines().pop().unwrap();
    let steps: Vec<&Value> =
        shown["attempts"].as_array().unwrap().iter().flat_map(|a| a["steps"].as_array().unwrap()).collect();
    let mut sent = 0;
    for step in steps.iter().filter(|step| step["body"].is_object()) {
        let mapping = text(step, "mapping").rsplit('.').next().unwrap();
        for (field, value) in step["body"].as_object().unwrap() {
            let first = value.as_array().and_then(|rows| rows.first()).and_then(Value::as_object);
            let path = match first {
                _ if field == "meta_data" => "exact_number".to_owned(),
                Some(row) => format!("{field}[0].{}", row.keys().next().unwrap()),
                None => field.clone(),
            };
            why_of(&world, &id, &format!("{mapping}.{path}"));
            sent += 1;
        }
    }
    assert!(sent > 15, "{sent} fields were sent");
    let debtor = why_of(&world, &id, "sales_order.OrderedBy");
    assert_eq!(debtor["value"], "Account of the mapping customers.person");
    let item = text(&world.held("shop/orders")[0]["line_items"][0], "sku").to_owned();
    let line = why_of(
        &world,
        &format!("orders:{}", world.held("shop/orders")[0]["id"]),
        "sales_order.SalesOrderLines[0].Item",
    );
    assert_eq!(line["value"], format!("Item {item}"));
    let fields = shown["why"].as_array().unwrap();
    assert!(fields.iter().any(|why| why["field"] == "mark.exact_number"), "{fields:?}");
    let said = world.flowc(&["why", &id, "SalesOrder.OrderedBy"]);
    assert!(said.stderr.contains("by the mapping that fills it: `sales_order.OrderedBy`"), "{}", said.stderr);
}

/// What `flowc why` says of a field.
fn why_of(world: &World, id: &str, field: &str) -> Value {
    let said = world.flowc(&["why", id, field, "--format", "json"]);
    assert_eq!(said.code, Some(0), "{field}: {}", said.stderr);
    said.lines().pop().unwrap()
}

#[test]
fn a_record_of_the_log_becomes_a_test_without_its_people() {
    let world = world();
    let orders = world.held("shop/orders");
    let order = promise::sent(&orders).next().unwrap();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let id = format!("orders:{}", order["id"]);
    let said = world.flowc(&["test", "--record", &id]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("1 passed, 0 failed, 0 broken"), "{}", said.stdout);
    let mut written = String::new();
    for folder in ["recorded", "recorded/data", "recorded/snapshots"] {
        for entry in std::fs::read_dir(world.root().join(folder)).unwrap() {
            written += &std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        }
    }
    for personal in ["first_name", "last_name", "email", "phone", "address_1", "city"] {
        let told = text(&order["billing"], personal);
        assert!(told.len() < 4 || !written.contains(told), "{personal} is told: {told}");
    }
    assert!(written.contains(&format!("\"currency\": \"{}\"", text(order, "currency"))), "{written}");
    assert!(written.contains("\"NetPrice\"") && written.contains("\"mapping\": \"orders.sales_order\""), "{written}");
    // It is a test as any other: what changes the payload makes it fail, and nothing goes over what is there.
    assert_eq!(world.flowc(&["test", "--set", "prefix=WEB-"]).code, Some(1));
    assert_eq!(world.flowc(&["test", "--record", &id]).code, Some(2));
    assert_eq!(world.flowc(&["test", "--record", "orders:none"]).code, Some(2));
}

#[test]
fn a_person_is_forgotten_and_not_written_again() {
    let world = world();
    let orders = world.held("shop/orders");
    let order = promise::sent(&orders).next().unwrap();
    let noted = json!({"id": order["id"], "customer_note": "Mail to O'Brien@old.example, please"});
    world.control(reqwest::Method::POST, "/shop/orders", Some(&noted));
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let id = format!("orders:{}", order["id"]);
    let log = || world.flowc(&["show", &id, "--format", "json"]).stdout;
    let now = text(&order["billing"], "email");
    assert!(log().contains(now) && log().contains("O'Brien@old.example"));

    let erased = world.flowc(&["forget", "--email", "o'brien@old.example", "--format", "json"]);
    assert_eq!(erased.code, Some(0), "{}", erased.stderr);
    assert!(erased.lines()[0]["erased"].as_u64().unwrap() > 0, "{}", erased.stdout);
    assert!(!log().contains(now) && !log().contains("O'Brien@old.example"));
    let again = world.flowc(&["forget", "--email", "o'brien@old.example", "--format", "json"]);
    assert_eq!(again.lines(), [json!({"erased": 0})]);
    world.forget_calls();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    assert_eq!(world.calls("ledger").1, 0);
    assert_eq!(world.flowc(&["forget", "--email", "nobody"]).code, Some(2));
}

#[test]
fn records_are_mapped_offline_and_in_order() {
    let world = world();
    let orders: Vec<Value> = promise::sent(&world.held("shop/orders")).cloned().collect();
    let tables = TABLES.iter().map(|(name, at)| ((*name).to_owned(), json!(world.held(&format!("ledger/{at}")))));
    let given = world.root().join("given.json");
    std::fs::write(&given, Value::Object(tables.collect()).to_string()).unwrap();
    let given = given.to_str().unwrap();
    let mut lines: Vec<String> = orders.iter().map(Value::to_string).collect();
    lines.insert(1, r#"{"id": 7}"#.to_owned());
    let number = |line: &Value| text(line, "Description").rsplit(' ').next().unwrap().to_owned();
    let expected: Vec<String> = orders.iter().map(|order| text(order, "number").to_owned()).collect();

    let apart = world.flowc_reading(&["map", "sales_order", "--given", given], &lines.join("\n"));
    assert_eq!(apart.code, Some(1), "{}", apart.stderr);
    assert_eq!(apart.lines().iter().map(number).collect::<Vec<_>>(), expected);
    assert!(apart.stderr.contains("sales_order:7 failed: "), "{}", apart.stderr);

    let inline = ["map", "sales_order", "--given", given, "--failures", "inline"];
    let alone = world.flowc_reading(&inline, &format!("{}\n", lines.join("\n")).repeat(TIMES));
    assert_eq!(alone.code, Some(1), "{}", alone.stderr);
    let made = alone.lines();
    assert_eq!(made.len(), lines.len() * TIMES);
    assert_eq!(text(&made[1]["error"], "id"), "sales_order:7");
    assert!(made[1]["error"]["place"]["line"].is_u64(), "{}", made[1]);
    let together = [&inline[..], &["--jobs", "3"]].concat();
    let together = world.flowc_reading(&together, &format!("{}\n", lines.join("\n")).repeat(TIMES));
    assert!(together.stdout == alone.stdout, "three threads keep the order");
    assert_eq!(world.flowc(&["map", "nothing"]).code, Some(2));
}

/// Rows that the shipped tables have anyway are left out: the check has nothing to say.
#[test]
fn a_project_for_the_sandbox_checks_clean() {
    let world = world();
    std::fs::write(world.root().join("sandbox.json"), world.first_line().to_string()).unwrap();
    let made = world.flowc(&["new", "acme", "--yes", "--sandbox", "sandbox.json"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let checked = world.flowc(&["check", "acme", "--format", "json"]);
    assert_eq!((checked.code, checked.stdout.trim()), (Some(0), "[]"), "{}", checked.stderr);
    let project = std::fs::read_to_string(world.root().join("acme/project.flow")).unwrap();
    assert!(project.contains("adapt lookup tables.vat_code"), "those that are others stay: {project}");
}

#[test]
fn given_rows_are_named_as_the_project_names_them() {
    let world = world();
    let given = |text: &str| {
        std::fs::write(world.root().join("given.json"), text).unwrap();
        world.flowc(&["map", "sales_order", "--given", "given.json"])
    };
    for name in ["woo.Product", "woocommerce.Product"] {
        let said = given(&format!("{{\"{name}\": [{{\"id\": 1}}]}}"));
        assert_eq!(said.code, Some(0), "{name}: {}", said.stderr);
    }
    for (name, hint) in [
        ("woo.Produkt", "did you mean `woo.Product`?"),
        ("shop.VATCode", "did you mean `exact.VATCode`"),
        ("Xyzzy", "entities are named as `exact.Item`, here those of exact"),
    ] {
        let said = given(&format!("{{\"{name}\": []}}"));
        assert!(said.code == Some(2) && said.stderr.contains(hint), "{name}: {}", said.stderr);
    }
}

#[test]
fn a_consent_in_the_browser_is_a_login() {
    let world = world();
    let tokens = |line: &&str| !line.contains("refresh_token") && !line.contains("access_token");
    world.edit(|project| project.lines().filter(tokens).map(|line| format!("{line}\n")).collect());
    let before = world.flowc(&["run", "orders"]);
    assert_eq!(before.code, Some(3), "{}", before.stderr);
    assert!(before.stderr.contains("flowc login books"), "{}", before.stderr);

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let redirect = format!("http://127.0.0.1:{port}/consent");
    let mut login = world.listen(&["login", "books", "--redirect", &redirect, "--format", "json"]);
    let mut asked = BufReader::new(login.stderr.take().unwrap()).lines();
    let address = asked.find_map(|line| Some(line.unwrap().trim().to_owned()).filter(|line| line.starts_with("http")));
    // The address is told before anybody listens, as it takes a person a moment to follow it.
    let here = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    while !here() {
        std::thread::yield_now();
    }
    assert!(world.browse(&address.unwrap()).starts_with("Thank you."));
    assert_eq!(login.wait().unwrap().code(), Some(0));
    let mut answer = String::new();
    login.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), json!({"connection": "books", "authorised": true}));
    let after = world.flowc(&["run", "orders"]);
    assert_eq!(after.code, Some(0), "{}", after.stderr);
    assert_eq!(in_state(&world, "written"), keys(&world));
}

/// The shop's settings are rows of names and values; a flow reads them as one record.
#[test]
fn a_flow_reads_the_settings_of_the_shop() {
    let world = world();
    let flow = "use woocommerce as woo\nuse exact\n\n\
        flow prices {\n  from  woo.Product as product\n  write priced(product)\n}\n\n\
        mapping priced(product: woo.Product) -> exact.Item {\n  upsert by Code\n  Code = \"PRICE-{product.id}\"\n\
        \x20 Description = if woo.TaxSettings().prices_include_tax then \"with tax\" else \"without tax\"\n}\n";
    std::fs::write(world.root().join("prices.flow"), flow).unwrap();
    world.edit(|project| format!("{project}\nuse prices\n"));
    let run = world.flowc(&["run", "prices", "--format", "json"]);
    assert_eq!(run.code, Some(0), "{} {}", run.stdout, run.stderr);
    let items = world.held("ledger/logistics/Items");
    let made: Vec<&Value> = items.iter().filter(|item| text(item, "Code").starts_with("PRICE-")).collect();
    assert_eq!(made.len(), world.held("shop/products").len());
    let said = world.control(reqwest::Method::GET, "/shop/settings/tax", None);
    let includes = said.as_array().unwrap().iter().find(|row| row["id"] == "woocommerce_prices_include_tax").unwrap();
    let expected = if includes["value"] == "yes" { "with tax" } else { "without tax" };
    assert!(made.iter().all(|item| text(item, "Description") == expected), "{made:?}");
}

/// Whoever has credited an order is not asked to do it again because somebody has edited the project or the order.
#[test]
fn what_was_told_is_told_again_only_when_it_holds_anew() {
    let world = world();
    assert_eq!(world.flowc(&["run", "orders"]).code, Some(0));
    let order = keys(&world).first().unwrap().clone();
    let change = |change: Value| {
        world.later("+1h");
        let mut order: Value = json!({"id": order.parse::<u64>().unwrap()});
        order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.control(reqwest::Method::POST, "/shop/orders", Some(&order));
    };
    let run = || {
        let run = world.flowc(&["run", "orders", "--format", "json"]);
        (run.code, told(&run, "alert").len())
    };
    let held = || world.records()[&order]["alerts"].as_array().map_or(0, Vec::len);
    change(json!({"status": "cancelled"}));
    assert_eq!((run(), held()), ((Some(1), 1), 1));
    world.edit(|project| format!("{project}\n# Looked at.\n"));
    assert_eq!(run(), (Some(0), 0), "the project was edited");
    change(json!({"customer_note": "Never mind"}));
    assert_eq!(run(), (Some(0), 0), "the order was edited");
    change(json!({"status": "processing"}));
    assert_eq!((run(), held()), ((Some(1), 1), 0), "it no longer holds, which is told too");
    change(json!({"status": "cancelled"}));
    assert_eq!(run(), (Some(1), 1), "it holds anew");
}

/// Where a schema only assumes that a system minds no case, the system is not asked to leave rows out by it.
#[test]
fn an_assumed_caseless_field_is_compared_here() {
    let sent = |entity: &str, condition: &str| {
        let flow = format!(
            "flow look {{\n  from exact.{entity} as row\n  every 1 hour\n  where {condition}\n  write made(row)\n}}\n\nmapping made(row: exact.{entity}) -> exact.Account {{\n  create once by Code\n  Code = \"1\"\n  Name = \"a\"\n}}\n"
        );
        let text = format!(
            "edition 2026\nzone \"Europe/Amsterdam\"\nuse exact\n\nconnect books to exact {{\n  country = \"NL\"\n  division = 1\n  client_id = secret(\"ID\")\n  client_secret = secret(\"SECRET\")\n}}\n\n{flow}"
        );
        let files = flowc::source::Memory([("/p/project.flow".into(), text)].into());
        let checked = flowc::check::check_project(&files, std::path::Path::new("/p"), &[]);
        let flow = checked.program.flows.first().unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        assert!(flow.filter.is_some(), "{:?}", checked.diagnostics);
        flowc::plan::pushdown(&checked.program, flow).sent.len()
    };
    assert_eq!(sent("Account", "row.Email == \"Shop@Example.org\""), 1, "proved");
    assert_eq!(sent("Account", "row.Name == \"Jansen\""), 0, "assumed");
    assert_eq!(sent("SalesOrder", "row.YourRef == \"WEB-1\""), 0, "assumed");
}
