//! Documents: keys, finds in rounds, ensured ones, what follows, and money that is conserved.

use super::lab::*;
use crate::eval::{Action, Compiled, Evaluated, FieldWhen, Given, Mapper, Query, Tables};
use crate::ir::*;
use std::sync::Arc;

const ACCOUNT: &str = r#"{"ID":"11111111-1111-1111-1111-111111111111","Code":"                 7","Name":"Jan","Email":"jan@example.com"}"#;
const ITEM_A: &str = r#"{"ID":"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa","Code":"A "}"#;
const ITEM_B: &str = r#"{"ID":"bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb","Code":"B"}"#;
const VAT_4: &str = r#"{"ID":"44444444-4444-4444-4444-444444444444","Code":"4","Type":"E","Percentage":0.21}"#;
const VAT_5: &str = r#"{"ID":"55555555-5555-5555-5555-555555555555","Code":"5","Type":"I","Percentage":0.21}"#;
const ROWS: &[(&str, &str)] = &[("Item", ITEM_A), ("Item", ITEM_B), ("VATCode", VAT_4), ("VATCode", VAT_5)];

/// The order becomes a sales order of an ensured account, with a contact, and is marked afterwards.
#[expect(clippy::too_many_lines, reason = "one program, put together by hand")]
fn orders(vat: &str) -> Program {
    let mut p = lab();
    let order = Type::Record(of(&p, "Order"));
    let billing = Type::Record(of(&p, "Billing"));
    let account = Type::Record(of(&p, "Account"));
    let o = || local(0, order.clone());

    let contact = mapping(
        &p,
        "customers.contact",
        "Contact",
        &[("billing", billing.clone()), ("account", account.clone())],
        Verb::Upsert,
        vec![by(&p, "Contact", &["Account", "Email"])],
        vec![
            set(&p, "Contact", "Account", local(1, account.clone())),
            set(&p, "Contact", "Email", dot(&p, local(0, billing.clone()), "email")),
            set(&p, "Contact", "LastName", or_else(dot(&p, local(0, billing.clone()), "company"), t("Jansen"))),
        ],
    );
    p.mappings.push(contact);
    let mut person = mapping(
        &p,
        "customers.person",
        "Account",
        &[("billing", billing.clone())],
        Verb::Upsert,
        vec![by(&p, "Account", &["Email"])],
        vec![
            set(&p, "Account", "Name", dot(&p, local(0, billing.clone()), "first_name")),
            set(&p, "Account", "Email", dot(&p, local(0, billing.clone()), "email")),
            set(&p, "Account", "Phone", dot(&p, local(0, billing.clone()), "phone")),
        ],
    );
    person.header.prefer.push((p.entity(of(&p, "Account")).field("VATNumber").unwrap(), none()));
    let itself = || expr(ExprKind::ItSelf, account.clone());
    person.then.push(ensure(&p, "customers.contact", vec![local(0, billing.clone()), itself()]));
    p.mappings.push(person);

    let number = p.entity(of(&p, "SalesOrder")).field("OrderNumber").unwrap();
    let mark = mapping(
        &p,
        "orders.mark",
        "Order",
        &[("order", order.clone()), ("number", text())],
        Verb::Update,
        vec![Key::Itself],
        vec![set(&p, "Order", "exact_number", local(1, text()))],
    );
    p.mappings.push(mark);

    let line_type = Type::Record(of(&p, "LineItem"));
    let line = || local(3, line_type.clone());
    let price = native(Native::PriceOf, vec![dot(&p, line(), "total"), dot(&p, line(), "total_tax")], Type::Price);
    let unit_price = binary(Binary::Div, price, dot(&p, line(), "quantity"), Type::Price);
    let unit_price = native(Native::Round, vec![unit_price, n("4")], Type::Price);
    let mut code = t(vat);
    code.ty = Type::Code(of(&p, "VATCode"));
    let price_by = expr(ExprKind::PriceBy(Box::new(unit_price), Box::new(code.clone())), Type::Decimal);
    let sku = || or_else(dot(&p, line(), "sku"), fail("no SKU"));
    let part = build(
        &p,
        "SalesOrderLine",
        vec![
            set(&p, "SalesOrderLine", "Item", find(&p, "Item", "Code", sku(), true)),
            set(&p, "SalesOrderLine", "Quantity", dot(&p, line(), "quantity")),
            set(&p, "SalesOrderLine", "VATCode", code.clone()),
            set(&p, "SalesOrderLine", "NetPrice", price_by),
            set(
                &p,
                "SalesOrderLine",
                "Description",
                native(
                    Native::Fit,
                    vec![dot(&p, line(), "name"), n("10"), t("char"), constant(Const::Bool(true))],
                    text(),
                ),
            ),
        ],
    );
    let lines = each_of(3, dot(&p, o(), "line_items"), part);
    let steps = vec![
        set(&p, "SalesOrder", "YourRef", dot(&p, o(), "number")),
        set(&p, "SalesOrder", "Description", concat(vec![t("order "), dot(&p, o(), "number")])),
        set(&p, "SalesOrder", "Remarks", dot(&p, o(), "customer_note")),
        set_when(
            &p,
            "SalesOrder",
            "OrderedBy",
            ensure(&p, "customers.person", vec![dot(&p, o(), "billing")]),
            When::Create,
        ),
        set(&p, "SalesOrder", "OrderDate", native(Native::DateOf, vec![dot(&p, o(), "date_created")], Type::Date)),
        set(&p, "SalesOrder", "SalesOrderLines", lines),
    ];
    let mut made = mapping(
        &p,
        "orders.sales_order",
        "SalesOrder",
        &[("order", order.clone())],
        Verb::CreateOnce,
        vec![by(&p, "SalesOrder", &["YourRef"])],
        steps,
    );
    let it_number = expr(ExprKind::It(number), Type::Int.optional());
    made.then.push(ensure(&p, "orders.mark", vec![o(), concat(vec![it_number])]));
    let mut rounding = t(vat);
    rounding.ty = Type::Code(of(&p, "VATCode"));
    let cents = build(
        &p,
        "SalesOrderLine",
        vec![
            set(&p, "SalesOrderLine", "Item", find(&p, "Item", "Code", t("A"), true)),
            set(&p, "SalesOrderLine", "NetPrice", local(9, gross())),
        ],
    );
    let lines_field = p.entity(of(&p, "SalesOrder")).field("SalesOrderLines").unwrap();
    let it_lines = it(&p, "SalesOrder", "SalesOrderLines");
    made.balance = Some(Balance {
        field: p.entity(of(&p, "SalesOrder")).field("AmountFC").unwrap(),
        formula: Some(native(
            Native::DocumentTotal,
            vec![it_lines, t("Quantity"), t("NetPrice"), t("VATCode")],
            gross(),
        )),
        to: dot(&p, o(), "total"),
        within: Some(n("0.01")),
        lines: Some(lines_field),
        rest: Some(Rest::Line(LocalId(9), cents)),
        sum: LocalId(10),
        otherwise: Some(expr(
            ExprKind::Stop(
                Stop::Fail,
                Box::new(concat(vec![
                    t("the lines add up to "),
                    local(10, gross()),
                    t(", the order to "),
                    dot(&p, o(), "total"),
                ])),
            ),
            Type::Never,
        )),
        span: at(5),
    });
    p.mappings.push(made);
    flow(&mut p, "orders.sales_order");
    p
}

fn json(draft: &crate::eval::Draft) -> serde_json::Value {
    serde_json::from_str(&crate::eval::Pending::shown(&draft.create_body(None))).unwrap()
}

#[test]
fn an_order_of_a_new_customer_is_one_unit() {
    let p = orders("4");
    let world = World::with(&p, ROWS);
    let unit = world.unit(&p, ORDER);
    let names: Vec<&str> = unit.drafts.iter().map(|d| &*d.made.name).collect();
    assert_eq!(names, ["customers.person", "customers.contact", "orders.sales_order", "orders.mark"]);
    let [person, contact, order, mark] = unit.drafts.as_slice() else { panic!() };
    assert_eq!(json(person), serde_json::json!({"Name": "Jan", "Email": "Jan@Example.com", "Phone": "020/1"}));
    assert_eq!((&person.action, &contact.action, &order.action), (&Action::Create, &Action::Create, &Action::Create));
    assert_eq!((contact.follows, &contact.refers_to[..]), (Some(0), &[0][..]));
    assert_eq!(json(contact)["Account"], serde_json::json!({"pending": "exact.Account"}));
    assert_eq!(order.refers_to, [0]);
    assert_eq!(order.linked_to.as_ref().unwrap().1, "7".into());
    assert_eq!(order.connection, "ledger".into());
    let body = json(order);
    assert_eq!(body["OrderDate"], "2026-03-02");
    assert_eq!(
        body["SalesOrderLines"][0],
        serde_json::json!({"Item": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", "Quantity": 2, "VATCode": "4", "NetPrice": 8, "Description": "Café 😀 mo"})
    );
    assert!(body.get("Remarks").is_none(), "an empty note leaves its field out");
    assert_eq!(order.balance.as_ref().unwrap().amount, number("24.20"));
    // The number is the ledger's: what follows is told when it is known.
    assert_eq!((mark.follows, mark.waits_for, &unit.again_after[..]), (Some(2), Some(2), &[2][..]));
    assert!(mark.fields.is_empty());
    // All that one stage needs comes out together.
    let asked = world.asked.borrow();
    assert_eq!(asked.len(), 3, "its link, its key with all codes, its account: {asked:#?}");
}

#[test]
fn what_was_found_is_not_made_again() {
    let p = orders("5");
    let found = r#"{"OrderID":"99999999-9999-9999-9999-999999999999","OrderNumber":31,"YourRef":"1001","AmountFC":24.2,"DeliveryStatus":12,"OrderedBy":"11111111-1111-1111-1111-111111111111"}"#;
    let rows: Vec<(&str, &str)> = ROWS.iter().copied().chain([("SalesOrder", found), ("Account", ACCOUNT)]).collect();
    let unit = World::with(&p, &rows).unit(&p, ORDER);
    let names: Vec<&str> = unit.drafts.iter().map(|d| &*d.made.name).collect();
    assert_eq!(names, ["orders.sales_order", "orders.mark"], "what is filled on a create only makes no account");
    assert!(matches!(&unit.drafts[0].action, Action::Found { id, ours: false, .. } if id.starts_with("9999")));
    let Action::Itself { id, .. } = &unit.drafts[1].action else { panic!("{:?}", unit.drafts[1].action) };
    assert_eq!(&**id, "7");
    let further = p.entries_of(p.entity(unit.drafts[1].entity));
    assert_eq!(unit.drafts[1].create_body(further), r#"{"meta_data":[{"key":"_exact_number","value":"31"}]}"#);
    // Prices with this code include the tax.
    let lines = unit.drafts[0].fields.iter().find(|f| *f.path[0] == *"SalesOrderLines").unwrap();
    assert!(lines.json.contains(r#""NetPrice":9.68"#), "{}", lines.json);
    // An empty field clears on an update.
    let remarks = unit.drafts[0].fields.iter().find(|f| *f.path[0] == *"Remarks").unwrap();
    assert_eq!((remarks.json.as_str(), remarks.when), ("null", FieldWhen::Always));
}

#[test]
fn our_own_copy_is_found_by_its_link_whatever_its_key() {
    let p = orders("4");
    let ours = r#"{"OrderID":"99999999-9999-9999-9999-999999999999","YourRef":"changed","AmountFC":5}"#;
    let rows: Vec<(&str, &str)> = ROWS.iter().copied().chain([("SalesOrder", ours)]).collect();
    let mut world = World::with(&p, &rows);
    world.links.push((of(&p, "SalesOrder"), "7".into(), "99999999-9999-9999-9999-999999999999".into()));
    let unit = world.unit(&p, ORDER);
    assert!(matches!(&unit.drafts[0].action, Action::Found { ours: true, .. }));
    // It was deleted there: it is not made again.
    let mut world = World::with(&p, ROWS);
    world.links.push((of(&p, "SalesOrder"), "7".into(), "99999999-9999-9999-9999-999999999999".into()));
    let unit = world.unit(&p, ORDER);
    assert!(
        matches!(&unit.drafts[0].action, Action::Leave(Stop::Skip, reason, _) if reason.contains("was deleted in ledger"))
    );
}

#[test]
fn what_is_there_is_referred_to_by_its_key() {
    let p = orders("4");
    let rows: Vec<(&str, &str)> = ROWS.iter().copied().chain([("Account", ACCOUNT)]).collect();
    let unit = World::with(&p, &rows).unit(&p, ORDER);
    let order = unit.drafts.iter().find(|d| &*d.made.name == "orders.sales_order").unwrap();
    assert_eq!(json(order)["OrderedBy"], "11111111-1111-1111-1111-111111111111");
    assert!(order.refers_to.is_empty());
    let person = &unit.drafts[0];
    assert!(matches!(person.action, Action::Found { .. }), "keys are compared without case");
}

#[test]
fn two_copies_stop_the_record_unless_one_is_preferred() {
    let p = orders("4");
    let second = ACCOUNT.replace("1111", "2222");
    let rows: Vec<(&str, &str)> = ROWS.iter().copied().chain([("Account", ACCOUNT), ("Account", &second)]).collect();
    let failure = World::with(&p, &rows).failure(&p, ORDER);
    assert!(failure.reason.starts_with("more than one Account in ledger has this key"), "{}", failure.reason);
    let company = second.replace("\"Name\"", "\"VATNumber\":\"NL1\",\"Name\"");
    let rows: Vec<(&str, &str)> = ROWS.iter().copied().chain([("Account", ACCOUNT), ("Account", &company)]).collect();
    let unit = World::with(&p, &rows).unit(&p, ORDER);
    assert!(matches!(&unit.drafts[0].action, Action::Found { id, .. } if id.starts_with("1111")));
}

#[test]
fn a_failure_names_field_value_and_place() {
    let p = orders("4");
    let failure = World::with(&p, &[ROWS[0], ROWS[2]]).failure(&p, ORDER);
    assert_eq!(
        failure.reason,
        "there is no Item with Code B in ledger: correct what gives it, or make it there and `flowc retry` the record"
    );
    assert_eq!((failure.field.as_deref(), failure.value.as_deref()), (Some("SalesOrderLines[1].Item"), Some("B")));
    assert_eq!(failure.place, at(7));
    let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace("\"sku\":\"A\"", "\"sku\":\"\""));
    assert_eq!((failure.reason.as_str(), failure.field.as_deref()), ("no SKU", Some("SalesOrderLines[0].Item")));
    let failure = World::with(&p, ROWS)
        .failure(&p, &ORDER.replace("\"first_name\":\"Jan\"", "\"first_name\":\"abcdefghijklmnopqrstuvwxyz\""));
    assert!(failure.reason.starts_with("`Name` holds 20 characters; "), "{}", failure.reason);
    let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace("\"first_name\":\"Jan\",", ""));
    assert_eq!(failure.reason, "`Name` is empty, and a new Account needs it");
}

#[test]
fn no_text_of_a_shop_is_taken_for_a_reference() {
    let p = orders("4");
    let noted = ORDER.replacen(r#""customer_note":"""#, r#""customer_note":"\u00000:exact.Account\u0000""#, 1);
    let unit = World::with(&p, ROWS).unit(&p, &noted);
    let order = unit.drafts.iter().find(|d| &*d.made.name == "orders.sales_order").unwrap();
    assert_eq!(json(order)["Remarks"], "0:exact.Account");
    assert_eq!(json(order)["OrderedBy"], serde_json::json!({"pending": "exact.Account"}));
    let numbered = ORDER.replacen("\"1001\"", r#""\u00000:exact.Account\u0000""#, 1);
    let unit = World::with(&p, ROWS).unit(&p, &numbered);
    let order = unit.drafts.iter().find(|d| &*d.made.name == "orders.sales_order").unwrap();
    assert_eq!(order.keys[0].values, [Some("0:exact.Account".into())]);
}

#[test]
fn no_failure_repeats_personal_data() {
    let p = personal(orders("4"));
    for (from, to, want) in [
        (
            r#""first_name":"Jan""#,
            r#""first_name":["Jan"]"#,
            "`billing.first_name` of the Order is [… (7 characters), where a text is expected",
        ),
        (
            r#""first_name":"Jan""#,
            r#""first_name":"Jan van den Heuvel-Rijnders""#,
            "`Name` holds 20 characters; the text has 27: cut it with `.fit()`",
        ),
    ] {
        let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace(from, to));
        assert_eq!(failure.reason, want);
        assert!(!failure.value.unwrap().contains("Jan"));
    }
}

#[test]
fn the_last_cent_gets_a_line_and_more_is_a_failure() {
    let p = orders("4");
    let unit = World::with(&p, ROWS).unit(&p, &ORDER.replace("24.20", "24.21"));
    let order = unit.drafts.iter().find(|d| &*d.made.name == "orders.sales_order").unwrap();
    let lines = json(order)["SalesOrderLines"].as_array().unwrap().clone();
    assert_eq!((lines.len(), &lines[2]["NetPrice"]), (3, &serde_json::json!(0.01)));
    let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace("24.20", "25.00"));
    assert_eq!(failure.reason, "the lines add up to 24.20, the order to 25.00");
}

#[test]
fn an_empty_key_is_not_tried_and_without_any_the_record_stops() {
    let mut p = orders("4");
    let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace("\"email\":\"Jan@Example.com\"", "\"email\":\"\""));
    assert!(failure.reason.contains("`email` is not given in this Billing"), "{}", failure.reason);
    let billing = of(&p, "Billing");
    let email = &mut p.entities[billing.0 as usize].fields[0];
    email.ty = email.ty.clone().optional();
    let failure = World::with(&p, ROWS).failure(&p, &ORDER.replace("\"email\":\"Jan@Example.com\"", "\"email\":\"\""));
    assert_eq!(failure.reason, "nobody can tell whether this Account is there already: Email is empty");
}

#[test]
fn a_filter_and_a_check() {
    let mut p = orders("4");
    let status = dot(&p, local(0, Type::Record(of(&p, "Order"))), "status");
    p.flows[0].filter = Some(binary(Binary::Eq, status.clone(), t("completed"), Type::Bool));
    assert!(matches!(World::default().run(&p, ORDER), Evaluated::Filtered));
    p.flows[0].filter = None;
    let cond = binary(Binary::Ne, status, t("processing"), Type::Bool);
    p.flows[0].steps.push(step(StepKind::Check(cond.clone(), t("not now"))));
    assert_eq!(World::with(&p, ROWS).failure(&p, ORDER).reason, "not now");
    p.flows[0].steps[0] = step(StepKind::Alert(cond, t("look at it")));
    assert_eq!(World::with(&p, ROWS).unit(&p, ORDER).alerts, [("look at it".to_owned(), at(9))]);
}

#[test]
fn deletions() {
    let mut p = lab();
    let order = Type::Record(of(&p, "Order"));
    let sales_order = of(&p, "SalesOrder");
    let was = expr(ExprKind::Was, Type::Record(sales_order).optional());
    let open = binary(Binary::Eq, dot(&p, was, "DeliveryStatus"), t("open"), Type::Bool);
    let mut made = mapping(
        &p,
        "orders.cancelled",
        "SalesOrder",
        &[("order", order.clone())],
        Verb::Delete(Some(Box::new(open))),
        vec![Key::Linked(local(0, order))],
        vec![],
    );
    made.header.otherwise = Some(t("the ledger has gone on"));
    p.mappings.push(made);
    flow(&mut p, "orders.cancelled");
    assert!(matches!(&World::default().unit(&p, ORDER).drafts[0].action, Action::Leave(Stop::Skip, ..)));
    for (status, deleted) in [("12", true), ("21", false)] {
        let row = format!(r#"{{"OrderID":"99999999-9999-9999-9999-999999999999","DeliveryStatus":{status}}}"#);
        let mut world = World::with(&p, &[("SalesOrder", &row)]);
        world.links.push((sales_order, "7".into(), "99999999-9999-9999-9999-999999999999".into()));
        let unit = world.unit(&p, ORDER);
        assert_eq!(matches!(unit.drafts[0].action, Action::Delete { .. }), deleted);
        assert_eq!(unit.alerts.len(), usize::from(!deleted));
    }
}

#[test]
fn offline_with_given_rows() {
    let p = orders("4");
    let compiled = Compiled::new(Arc::new(p.clone()));
    let rows = r#"{"exact.Item": [{"Code": "A"}, {"Code": "B"}], "VATCode": [{"Code": "4", "Type": "including", "Percentage": "21%"}]}"#;
    let given = Given::from_json(&p, rows, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let tables = Tables::default();
    let mut mapper = Mapper::new(&compiled, compiled.mapping("sales_order").unwrap(), &given, &tables).unwrap();
    // The second record finds the rows that were decoded for the first.
    for _ in 0..2 {
        let mut out = Vec::new();
        assert!(mapper.map(ORDER, &mut out).unwrap());
        let body: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(body["SalesOrderLines"][0]["NetPrice"], 9.68);
    }
    let wrong = Given::from_json(&p, r#"{"exact.Item": [{"Kode": "A"}]}"#, jiff::Timestamp::UNIX_EPOCH).err().unwrap();
    assert_eq!(wrong, "exact.Item has no field `Kode`");
    // Without the code's row nothing is added up.
    let given =
        Given::from_json(&p, r#"{"exact.Item": [{"Code": "A"}, {"Code": "B"}]}"#, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let mut mapper = Mapper::new(&compiled, compiled.mapping("sales_order").unwrap(), &given, &tables).unwrap();
    let mut out = Vec::new();
    assert!(mapper.map(ORDER, &mut out).unwrap());
    let body: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(body["SalesOrderLines"][0]["NetPrice"], 8);
}

#[test]
fn a_given_row_that_cannot_be_read_is_told_alike_each_time() {
    let p = orders("4");
    let compiled = Compiled::new(Arc::new(p.clone()));
    let rows = r#"{"exact.Item": [{"Code": "A"}, {"Code": "B"}], "VATCode": [{"Code": "4", "Type": "including", "Percentage": "x"}]}"#;
    let given = Given::from_json(&p, rows, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let tables = Tables::default();
    let mut mapper = Mapper::new(&compiled, compiled.mapping("sales_order").unwrap(), &given, &tables).unwrap();
    let mut told = || mapper.map(ORDER, &mut Vec::new()).unwrap_err().1;
    let first = told();
    assert!(first.reason.contains("`Percentage` of the VATCode"), "{first:?}");
    assert_eq!(told(), first, "the row is kept by now");
}

#[test]
fn why_a_field_is_as_it_is() {
    let p = orders("4");
    let world = World::with(&p, ROWS);
    world.unit(&p, ORDER);
    let compiled = Compiled::new(Arc::new(p.clone()));
    let why = compiled.why(0, ORDER, &world, "sales_order.SalesOrderLines[1].NetPrice").unwrap();
    assert_eq!((why.value.as_str(), why.place), ("4.00", at(9)));
    let sources: Vec<&str> = why.sources.iter().map(|(path, _)| path.as_str()).collect();
    assert!(sources.contains(&"line_items[1].total"), "{sources:?}");
    assert!(compiled.why(0, ORDER, &world, "orders.sales_order.YourRef").is_some());
    assert!(compiled.why(0, ORDER, &world, "sales_order.Nothing").is_none());
}

#[test]
fn what_needs_nothing_is_asked_nothing() {
    let p = orders("4");
    let compiled = Compiled::new(Arc::new(p.clone()));
    assert_eq!(compiled.key_of(0, ORDER).unwrap(), "7");
    let Evaluated::Needs(needs) = compiled.unit(0, ORDER, &World::default()) else { panic!() };
    assert!(needs.iter().any(|n| matches!(n, Query::Link(link) if &*link.key == "7")));
    assert!(
        !needs.iter().any(|n| matches!(n, Query::Find { entity, .. } if *entity == of(&p, "Account"))),
        "only a new order needs its account"
    );
}

#[test]
fn a_plan_shows_stages_and_what_is_sent() {
    let mut p = orders("4");
    let status = dot(&p, local(0, Type::Record(of(&p, "Order"))), "status");
    let values = constant(Const::List(vec![Const::Text("processing".into())]));
    p.flows[0].filter = Some(expr(ExprKind::In(Box::new(status), Box::new(values)), Type::Bool));
    let plan = crate::plan::plan(&p, &p.flows[0]);
    let sources = crate::source::Sources::new();
    let shown = plan.human(&p, &sources);
    assert!(shown.contains("scan   Order of shop"), "{shown}");
    assert!(shown.contains(" a page where status in [\"processing\"]"), "{shown}");
    assert!(shown.contains("stage 1: exact.Item by Code"), "{shown}");
    assert!(!shown.contains("filter"), "{shown}");
    let json = plan.json(&p, &sources);
    assert_eq!(json["steps"][0]["kind"], "scan");
    assert!(json["calls"].as_str().unwrap().ends_with("+ writes"));
}
