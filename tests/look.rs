//! A way to look: what `flowc fields`, `explain` and `source` answer, within a project and without one.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

use flowc::source::{Doc, FileId, library};
use flowc::syntax::ast::DeclKind;
use flowc::syntax::parse;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A call, its exit code, what its answer or its complaint holds, and what neither does.
type Case = (&'static str, i32, &'static [&'static str], &'static [&'static str]);

/// Without a project: what ships answers.
const SHIPPED: &[Case] = &[
    (
        "fields exact.Account telefoon",
        0,
        &[
            "exact.Account",
            "crm/Accounts",
            "Phone ",
            "text(",
            "telefoonnummer",
            "filled by customers.",
            "flows/customers.flow:",
        ],
        &["AddressLine1", "Fax"],
    ),
    ("fields exact.Account bedrijfsnaam", 0, &["Name "], &["Phone "]),
    ("fields exact.Account", 0, &["AddressLine1", "Timestamp", "read only", "personal"], &[]),
    ("fields Account vatn", 0, &["exact.Account", "VATNumber", "btw-nummer"], &[]),
    ("fields woo.Order telefoon", 0, &["billing.phone", "shipping.phone"], &["currency_symbol"]),
    ("fields woocommerce.Order artikelnummer", 0, &["line_items[].sku"], &[]),
    ("fields exact", 0, &["exact.Account ", "exact.VATCode ", "A relation: customer, prospect, supplier."], &[]),
    (
        "fields exact kostenplaats",
        0,
        &["exact.SalesOrderLine.CostCenter", "exact.SalesEntryLine.CostCenter"],
        &["OrderedBy"],
    ),
    ("fields exact.Acount", 2, &["did you mean `exact.Account`?"], &[]),
    ("fields exact.Banana", 2, &["`flowc fields exact` lists those"], &[]),
    ("fields Currency", 2, &["`exact.Currency`", "`woocommerce.Currency`", "say which"], &[]),
    ("fields exact.Account telefon", 2, &["no field of exact.Account", "did you mean `telefoon`?"], &[]),
    (
        "explain exact.Item",
        0,
        &[
            "exact.Item",
            "logistics/Items",
            "Keys",
            "Code ",
            "Needed to create it",
            "Description ",
            "`flowc fields exact.Item`",
        ],
        &["IsStockItem"],
    ),
    ("explain exact.SalesOrder", 0, &["Made by", "orders.sales_order (flows/orders.flow:"], &[]),
    (
        "explain exact.Item.SalesVatCode",
        0,
        &["exact/logistics.flow:", "btw-code", "filter: the system can be searched by it"],
        &[],
    ),
    ("explain exact.VATCode.Type", 0, &["one of \"excluding\", \"including\", \"base_only\", \"no_vat\""], &[]),
    ("explain exact.Item.omschrijving", 0, &["exact.Item.Description"], &[]),
    ("explain exact.Item.VATCode", 2, &["did you mean `", "`flowc fields exact.Item` lists all"], &[]),
    ("explain exact.Itm.VATCode", 2, &["there is no entity"], &[]),
    ("explain F0402", 0, &["F0402"], &[]),
    ("source flows.orders", 0, &["mapping sales_order("], &["entity "]),
    ("source orders", 0, &["mapping sales_order("], &[]),
    ("source exact.Account", 0, &["## A relation: customer", "entity Account {", "Timestamp:"], &["entity Address {"]),
    ("source orders.sales_order", 0, &["mapping sales_order("], &["flow orders"]),
    ("source exact", 0, &["exact/crm.flow", "exact/vat.flow"], &["entity"]),
    ("source exact/crm.flow:99999", 2, &["has", "lines, so none is 99999"], &[]),
    ("source exact/crm.flow:x", 2, &["names no line"], &[]),
    ("source exact/crn.flow", 2, &["did you mean `exact/crm.flow`?"], &[]),
    ("source shipping_methods.csv", 0, &["flat_rate"], &[]),
];

fn flowc(at: &Path, arguments: &str) -> Output {
    let words = arguments.split(' ');
    Command::new(env!("CARGO_BIN_EXE_flowc")).args(words).current_dir(at).output().unwrap()
}

fn json(at: &Path, arguments: &str) -> Value {
    let output = flowc(at, &format!("{arguments} --format json"));
    assert_eq!(output.status.code(), Some(0), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(at: &Path, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (call, code, holds, lacks) in cases {
        let output = flowc(at, call);
        let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let missing: Vec<&&str> = holds.iter().filter(|text| !told.contains(**text)).collect();
        let unwanted: Vec<&&str> = lacks.iter().filter(|text| told.contains(**text)).collect();
        if output.status.code() != Some(*code) || !missing.is_empty() || !unwanted.is_empty() {
            let code = output.status.code();
            wrong.push(format!("flowc {call}: {code:?}, lacks {missing:?}, has {unwanted:?}:\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The number of the line of a text that begins so.
fn line(text: &str, begins: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(begins)).unwrap() + 1
}

#[test]
fn what_ships_can_be_looked_at_without_a_project() {
    let empty = tempfile::tempdir().unwrap();
    check(empty.path(), SHIPPED);
}

/// A project with a field of its own, a mapping of its own and a file that has the name of none that ships.
fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(project.path().join(name), text).unwrap();
    write(
        "project.flow",
        "edition 2026\nzone \"Europe/Amsterdam\"\nuse woocommerce as shopapi\nuse exact\nuse relations\n",
    );
    write(
        "relations.flow",
        "use woocommerce as shopapi\nuse exact\n\nextend shopapi.Order {\n  ## A wish. aka: bezorgtijd\n  delivery_time: text(20)? \
         = meta(\"_time\")\n}\n\n## One a customer.\nmapping relation(customer: shopapi.Customer) -> exact.Account {\n  upsert by \
         Email\n  Name  = (customer.last_name ?? \"?\").fit()\n  Email = customer.email\n}\n",
    );
    project
}

#[test]
fn a_project_answers_with_its_own() {
    let project = project();
    check(
        project.path(),
        &[
            (
                "fields exact.Account naam",
                0,
                &["filled by relations.relation (relations.flow:12)"],
                &["customers.flow"],
            ),
            ("fields shopapi.Order bezorgtijd", 0, &["delivery_time", "text(20)?", "A wish."], &[]),
            ("explain woocommerce.Order.delivery_time", 0, &["relations.flow:6"], &[]),
            ("source relations", 0, &["extend shopapi.Order"], &[]),
            ("source relations.flow:12", 0, &["## One a customer.", "mapping relation"], &["extend"]),
            ("source relations.relation", 0, &["## One a customer."], &["extend"]),
            ("source exact/vat.flow", 0, &["entity VATCode"], &[]),
            ("fields exact.Account --project nowhere", 2, &["nowhere holds no project.flow"], &[]),
        ],
    );
}

/// The flows of the tests that ship, with that one on: what an answer must tell stands in its plan.
#[test]
fn a_plan_says_which_total_an_answer_must_tell() {
    const SAYS: &[&str] = &[
        "  answer total of woocommerce.Order must come to sale.AmountFC\n",
        "(linked(sale, as: shop_order) or not linked(sale))",
    ];
    let project = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/flows/tests/project.flow")).unwrap();
    let text = text.replace("connect shop", "run orders.orders, orders.orders_to_shop\n\nconnect shop");
    std::fs::write(project.path().join("project.flow"), text).unwrap();
    check(project.path(), &[("plan orders.orders_to_shop", 0, SAYS, &[]), ("plan orders.orders", 0, &[], &["answer"])]);
    let plan = json(project.path(), "plan orders.orders_to_shop");
    let answer = plan["steps"].as_array().unwrap().iter().find(|step| step["kind"] == "answer").unwrap();
    assert_eq!((&answer["field"], &answer["comes_to"]), (&"total".into(), &"sale.AmountFC".into()));
}

/// The default flows in all documents: each amount of an order once, and where.
#[test]
fn the_money_of_the_default_flows_is_proved() {
    const SAYS: &[&str] = &[
        "Its AmountFC must come to order.total",
        "less order.gift_cards.amount",
        "Proved: each of these amounts reaches AmountFC once, and nothing else does.",
        "VATCode = taxes.code(",
    ];
    let project = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/flows/tests/project.flow")).unwrap();
    let text = text.replace("connect shop", "run orders.orders, refunds.refunds\n\nconnect shop");
    std::fs::write(project.path().join("project.flow"), text).unwrap();
    for discounts in ["in_price", "beside_price"] {
        let told = json(project.path(), &format!("plan orders.orders --money --set orders.discounts={discounts}"));
        assert_eq!(told["holds"], true, "{told}");
        let mappings = told["mappings"].as_array().unwrap();
        let names: Vec<&str> = mappings.iter().map(|m| m["mapping"].as_str().unwrap()).collect();
        assert_eq!(names, ["orders.sales_order", "orders.sales_invoice", "orders.sales_entry"]);
        for mapping in mappings {
            assert_eq!(mapping["verdict"], "proved", "{mapping}");
            let amounts = mapping["amounts"].as_array().unwrap();
            assert_eq!(amounts.len(), 7, "{mapping}");
            assert!(
                amounts.iter().all(|a| a["reaches"] == "once" && !a["by"].as_array().unwrap().is_empty()),
                "{mapping}"
            );
        }
    }
    check(
        project.path(),
        &[
            ("plan orders.orders --money", 0, SAYS, &["NEVER", "Wrong"]),
            ("plan refunds.refunds --money", 0, &["refund.amount"], &["NEVER", "Wrong"]),
        ],
    );
}

#[test]
fn a_project_with_mistakes_can_be_looked_at() {
    let project = project();
    std::fs::write(project.path().join("broken.flow"), "mapping {{{\n").unwrap();
    check(project.path(), &[("fields exact.Account naam", 0, &["relations.relation"], &[])]);
}

#[test]
fn programs_get_every_member() {
    let project = project();
    let account = json(project.path(), "fields exact.Account e-mailadres");
    assert_eq!((&account["entity"], &account["clauses"]["key"]), (&"exact.Account".into(), &"ID".into()));
    let email = &account["fields"][0];
    assert_eq!(
        (&email["name"], &email["type"], &email["required"], &email["searchable"], &email["access"]),
        (&"Email".into(), &"email?".into(), &"no".into(), &true.into(), &"free".into())
    );
    assert_eq!(email["written_by"][0]["place"]["file"], "relations.flow");
    assert_eq!(email["written_by"][0]["mapping"], "relations.relation");
    let fields = json(project.path(), "fields exact.Account")["fields"].as_array().unwrap().clone();
    let named = |name: &str| fields.iter().find(|field| field["name"] == *name).unwrap().clone();
    assert_eq!(named("AddressLine1")["length"], 60);
    assert_eq!((named("ID")["access"].clone(), named("Name")["required"].clone()), ("read only".into(), "yes".into()));
    let item = json(project.path(), "explain exact.Item");
    assert!(item["required"].as_array().unwrap().iter().any(|field| field["name"] == "Code"), "{item}");
    assert_eq!(item["made_by"], serde_json::json!([]));
    let kind = json(project.path(), "explain exact.VATCode.Type");
    assert_eq!((&kind["entity"], &kind["values"][0]), (&"exact.VATCode".into(), &"\"excluding\"".into()));
    assert!(json(project.path(), "fields exact").as_array().unwrap().len() > 50);
    let source = json(project.path(), "source relations.flow:12");
    assert_eq!(
        (&source["file"], &source["line"], &source["end_line"]),
        (&"relations.flow".into(), &9.into(), &14.into())
    );
    assert_eq!(json(project.path(), "source exact")["files"][0], "exact/cashflow.flow");
}

/// What a message points to can be read: each place that `check` names is one that `source` prints.
#[test]
fn what_a_message_points_to_can_be_read() {
    let project = project();
    let text = std::fs::read_to_string(project.path().join("relations.flow")).unwrap();
    std::fs::write(project.path().join("relations.flow"), text.replace("Name  =", "Naam  =")).unwrap();
    let output = flowc(project.path(), "check --format json");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let unknown = told.as_array().unwrap().iter().find(|d| d["code"] == "F0102").unwrap();
    assert_eq!(unknown["help"], "did you mean `Name`?", "people's names lead to the field");
    assert_eq!(unknown["fix"]["edits"][0]["text"], "Name");
    let (file, at) = (unknown["related"][0]["file"].as_str().unwrap(), &unknown["related"][0]["line"]);
    let shown = json(project.path(), &format!("source {file}:{at}"));
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let within = line(shown["text"].as_str().unwrap(), "entity Account {");
    assert_eq!(number(&shown["line"]) + within - 1, number(at));
}

/// A name that people have for a field leads to one field of its entity, and is no field's own name.
#[test]
fn names_of_people_lead_to_one_field() {
    let mut found = 0;
    for (_, path, text) in library::LIBRARY {
        for decl in parse(FileId(0), text).ast.decls {
            let DeclKind::Entity(entity) = decl.kind else { continue };
            let names = entity.fields.iter().flat_map(|field| {
                let doc = Doc::of(field.doc.as_deref().unwrap_or_default());
                let own = [field.name.text.to_lowercase()];
                found += doc.aka.len();
                own.into_iter().chain(doc.aka.iter().map(|aka| aka.to_lowercase())).collect::<Vec<_>>()
            });
            let mut names: Vec<String> = names.collect();
            names.sort();
            let twice: Vec<&String> = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
            assert!(twice.is_empty(), "{path}: {}: {twice:?}", entity.name.text);
        }
    }
    assert!(found > 300, "only {found} names were found");
}
