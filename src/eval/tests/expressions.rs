//! Expressions and functions: each computed over an order.

use super::lab::*;
use crate::eval::{Compiled, Evaluated};
use crate::ir::*;
use std::sync::Arc;

/// The description of an item that this expression makes of the order (local 0), or why there is none.
fn eval_in(p: &Program, value: Expr) -> Result<String, String> {
    let mut p = p.clone();
    let order = Type::Record(of(&p, "Order"));
    let steps = vec![
        set(&p, "Item", "Code", t("A")),
        set(
            &p,
            "Item",
            "Description",
            native(
                Native::Join,
                vec![expr(ExprKind::List(vec![Element::One(value)]), Type::List(Arc::new(text()))), t("")],
                text().optional(),
            ),
        ),
    ];
    let made =
        mapping(&p, "items.m", "Item", &[("order", order)], Verb::Upsert, vec![by(&p, "Item", &["Code"])], steps);
    p.mappings.push(made);
    flow(&mut p, "items.m");
    let world = World::default();
    match world.run(&p, ORDER) {
        Evaluated::WriteSet(unit) => Ok(unit.drafts[0]
            .fields
            .iter()
            .find(|f| f.path[0] == "Description".into())
            .map_or("nothing".into(), |f| serde_json::from_str::<String>(&f.json).unwrap())),
        Evaluated::Stopped(_, failure, _) => Err(failure.reason),
        other => Err(format!("{other:?}")),
    }
}

fn order(p: &Program) -> Expr {
    local(0, Type::Record(of(p, "Order")))
}

#[test]
fn functions_on_texts() {
    let p = lab();
    for (native_, args, want) in [
        (Native::Fit, vec![t("Biologische thee"), n("12"), t("word"), constant(Const::Bool(true))], "Biologische"),
        (Native::Fit, vec![t("Biologische thee"), n("5"), t("char"), constant(Const::Bool(true))], "Biolo"),
        (Native::Plain, vec![t("<b>A</b> &amp; B")], "A & B"),
        (Native::Digits, vec![t("a1b2")], "12"),
        (Native::Trim, vec![t("  ")], "nothing"),
        (Native::Upper, vec![t("straße")], "STRASSE"),
        (Native::Replace, vec![t("a-b"), t("-"), t("+")], "a+b"),
        (Native::Postcode, vec![t("1234ab"), t("NL")], "1234 AB"),
        (Native::Split, vec![t("a,b"), t(",")], "a, b"),
        (Native::Capture, vec![t("ab12"), t("([a-z]+)([0-9]+)")], "ab, 12"),
        (Native::Length, vec![t("€😀")], "2"),
        (Native::Take, vec![t("€😀x"), n("2")], "€😀"),
        (Native::StartsWith, vec![t("_x"), t("_")], "yes"),
    ] {
        assert_eq!(eval_in(&p, native(native_, args, text().optional())).unwrap(), want, "{}", native_.name());
    }
}

#[test]
fn no_reason_repeats_personal_data() {
    let p = &personal(lab());
    let first = || path(p, order(p), "billing.first_name");
    let email = || path(p, order(p), "billing.email");
    let arm = Arm { pattern: Pattern::OneOf(vec![Const::Text("Ann".into())]), value: t("a") };
    let message = concat(vec![t("no account for "), first(), t(" of order "), dot(p, order(p), "number")]);
    let bound = expr(
        ExprKind::Let(
            LocalId(5),
            Box::new(native(Native::Lower, vec![first()], text())),
            Box::new(native(Native::DecimalOf, vec![local(5, text())], Type::Decimal)),
        ),
        Type::Decimal,
    );
    for (made, want) in [
        (native(Native::DecimalOf, vec![email()], Type::Decimal), "J…@E… (15 characters) is not a number"),
        (bound, "… (3 characters) is not a number"),
        (expr(ExprKind::Match(Box::new(email()), vec![arm]), text()), "no case here is for J…@E… (15 characters)"),
        (
            expr(ExprKind::Stop(Stop::Fail, Box::new(message)), Type::Never),
            "no account for … (3 characters) of order 1001",
        ),
        (
            find(p, "Account", "Email", email(), true),
            "there is no Account with Email J…@E… (15 characters) in ledger: correct what gives it, or make it there and `flowc retry` the record",
        ),
        (native(Native::DecimalOf, vec![t("x")], Type::Decimal), "\"x\" is not a number"),
    ] {
        assert_eq!(eval_in(p, made).unwrap_err(), want);
    }
}

#[test]
fn what_an_argument_makes_impossible_stops_the_record() {
    let p = lab();
    let weights =
        || expr(ExprKind::List(vec![Element::One(n("1")), Element::One(n("2"))]), Type::List(Arc::new(Type::Decimal)));
    let third = || binary(Binary::Div, n("1.000000000000"), n("3"), Type::Decimal);
    for (made, want) in [
        (native(Native::Share, vec![n("1"), weights(), n("29")], net()), "`share` keeps 0 to 28 decimals, not 29"),
        (native(Native::Round, vec![n("1"), n("-1")], net()), "`round` keeps 0 to 28 decimals, not -1"),
        (native(Native::Round, vec![third(), n("29")], net()), "`round` keeps 0 to 28 decimals, not 29"),
        (native(Native::Take, vec![t("a"), n("-1")], text()), "`take` can't leave -1 characters"),
        (native(Native::Split, vec![t("a"), t("")], text()), "a text can't be split at nothing"),
        (binary(Binary::Div, n("1"), n("0"), Type::Decimal), "1 is divided by 0"),
    ] {
        assert_eq!(eval_in(&p, made).unwrap_err(), want);
    }
}

#[test]
fn functions_on_numbers() {
    let p = lab();
    for (native_, args, want) in [
        (Native::Round, vec![binary(Binary::Div, n("10"), n("3"), Type::Decimal), n("4")], "3.3333"),
        (Native::Round, vec![n("-2.345"), n("2")], "-2.35"),
        (Native::Max, vec![n("1"), n("2")], "2"),
        (Native::Floor, vec![n("-1.5")], "-2"),
        (Native::Int, vec![t("12.0")], "12"),
        (Native::TaxOf, vec![n("10"), n("21")], "2.10"),
        (Native::Round, vec![native(Native::NetOf, vec![n("1.21"), n("21")], net()), n("2")], "1.00"),
        (
            Native::Share,
            vec![
                n("1.00"),
                expr(
                    ExprKind::List(vec![Element::One(n("1")), Element::One(n("1")), Element::One(n("1"))]),
                    Type::List(Arc::new(Type::Decimal)),
                ),
                n("2"),
            ],
            "0.34, 0.33, 0.33",
        ),
    ] {
        let value = native(native_, args, Type::Decimal);
        let shown = eval_in(&p, value).unwrap();
        assert_eq!(shown, want, "{}", native_.name());
    }
    let soft = or_else(native(Native::Int, vec![t("x")], Type::Int), n("0"));
    assert_eq!(eval_in(&p, soft).unwrap(), "0");
    assert_eq!(eval_in(&p, native(Native::Int, vec![t("x")], Type::Int)).unwrap_err(), "\"x\" is not a number");
    assert_eq!(eval_in(&p, binary(Binary::Div, n("1"), n("0"), Type::Decimal)).unwrap_err(), "1 is divided by 0");
}

#[test]
fn functions_on_lists() {
    let p = lab();
    let lines = || dot(&p, order(&p), "line_items");
    let line = || local(3, Type::Record(of(&p, "LineItem")));
    let lambda = |body: Expr| expr(ExprKind::Lambda(vec![LocalId(3)], Box::new(body.clone())), body.ty);
    let total = || dot(&p, line(), "total");
    let large = || binary(Binary::Gt, total(), n("5"), Type::Bool);
    for (native_, args, want) in [
        (Native::Sum, vec![lines(), lambda(total())], "20.00"),
        (Native::Map, vec![lines(), lambda(dot(&p, line(), "sku"))], "A, B"),
        (Native::Any, vec![lines(), lambda(large())], "yes"),
        (Native::All, vec![lines(), lambda(large())], "no"),
        (Native::Count, vec![native(Native::Where, vec![lines(), lambda(large())], lines().ty)], "1"),
        (Native::Single, vec![lines()], "!exactly one is wanted here, and there are 2"),
    ] {
        let got = eval_in(&p, native(native_, args, text())).unwrap_or_else(|e| format!("!{e}"));
        assert_eq!(got, want, "{}", native_.name());
    }
    let first = native(Native::First, vec![lines()], Type::Record(of(&p, "LineItem")).optional());
    assert_eq!(eval_in(&p, dot(&p, first, "name")).unwrap(), "Café 😀 mok");
}

#[test]
fn dates_are_of_the_projects_zone() {
    let p = lab();
    let created = dot(&p, order(&p), "date_created");
    assert_eq!(eval_in(&p, native(Native::DateOf, vec![created], Type::Date)).unwrap(), "2026-03-02");
    assert_eq!(eval_in(&p, native(Native::Today, vec![], Type::Date)).unwrap(), "2026-03-02");
}

#[test]
fn choices_and_absence() {
    let p = lab();
    let note = || dot(&p, order(&p), "customer_note");
    assert_eq!(eval_in(&p, or_else(note(), t("none"))).unwrap(), "none");
    assert_eq!(eval_in(&p, or_else(note(), fail("no note"))).unwrap_err(), "no note");
    let some = expr(ExprKind::IsSome(Box::new(note()), None), Type::Bool);
    let chosen = expr(ExprKind::If(Box::new(some), Box::new(note()), Box::new(t("-"))), text());
    assert_eq!(eval_in(&p, chosen).unwrap(), "-");
    let country = path(&p, order(&p), "billing.country");
    let group = expr(ExprKind::InGroup(Box::new(country), "eu".into()), Type::Bool);
    assert_eq!(eval_in(&p, group).unwrap(), "yes");
    let status = || dot(&p, order(&p), "status");
    let arms = vec![
        Arm { pattern: Pattern::OneOf(vec![Const::Text("completed".into())]), value: t("c") },
        Arm { pattern: Pattern::Any, value: t("other") },
    ];
    assert_eq!(eval_in(&p, expr(ExprKind::Match(Box::new(status()), arms), text())).unwrap(), "other");
    let arms = vec![Arm { pattern: Pattern::OneOf(vec![Const::Text("completed".into())]), value: t("c") }];
    assert_eq!(
        eval_in(&p, expr(ExprKind::Match(Box::new(status()), arms), text())).unwrap_err(),
        "no case here is for processing"
    );
    let within = expr(
        ExprKind::In(Box::new(status()), Box::new(constant(Const::List(vec![Const::Text("processing".into())])))),
        Type::Bool,
    );
    assert_eq!(eval_in(&p, within).unwrap(), "yes");
    assert_eq!(
        eval_in(&p, expr(ExprKind::Unanswered("journal".into()), text())).unwrap_err(),
        "the setting `journal` has no answer: give it one"
    );
}

#[test]
fn a_part_goes_where_a_view_of_it_is_wanted() {
    let p = lab();
    let address = Type::Record(of(&p, "Address"));
    let billing = dot(&p, order(&p), "billing");
    let bound =
        expr(ExprKind::Let(LocalId(5), Box::new(billing), Box::new(dot(&p, local(5, address), "first_name"))), text());
    assert_eq!(eval_in(&p, bound).unwrap(), "Jan");
}

#[test]
fn tables() {
    let mut p = lab();
    let row = |country: Pattern, rate: Pattern, value: Expr| Row { cells: vec![country, rate], value, span: at(40) };
    let text_is = |s: &str| Pattern::OneOf(vec![Const::Text(s.into())]);
    let rate = |s: &str| Pattern::OneOf(vec![Const::Number(number(s))]);
    p.lookups.push(Lookup {
        name: "tables.vat_code".into(),
        keys: vec![("country".into(), Type::Country), ("rate".into(), Type::Percent)],
        result: text(),
        rows: vec![
            row(text_is("NL"), rate("21"), t("5")),
            row(text_is("NL"), rate("9.0"), t("3")),
            row(Pattern::Group("eu".into()), rate("0"), t("7")),
            row(Pattern::Any, rate("0"), fail("no code for exports")),
        ],
        grows: Grows::Adapted,
        span: at(30),
    });
    let look = |country: &str, rate: &str, must: bool| {
        let keys = vec![t(country), n(rate)];
        expr(ExprKind::Lookup { lookup: LookupId(0), keys, must }, text())
    };
    for (country, rate, want) in [
        ("NL", "21.00", "5"),
        ("NL", "9", "3"),
        ("DE", "0", "7"),
        ("US", "0.0", "!no code for exports"),
        (
            "DE",
            "7",
            "!no row for DE, 7% in vat_code: add `adapt lookup tables.vat_code { \"DE\", 7% => \"…\" }` to project.flow",
        ),
    ] {
        let got = eval_in(&p, look(country, rate, true)).unwrap_or_else(|e| format!("!{e}"));
        assert_eq!(got, want);
    }
    assert_eq!(eval_in(&p, or_else(look("DE", "7", false), t("-"))).unwrap(), "-");
    for (grows, want) in [
        (Grows::Here, "add the row `\"DE\", 7% => \"…\"` to it"),
        (Grows::Csv("data/codes.csv".into()), "add the line `DE,7%,…` to data/codes.csv"),
    ] {
        p.lookups[0].grows = grows;
        let told = eval_in(&p, look("DE", "7", true)).unwrap_err();
        assert_eq!(told, format!("no row for DE, 7% in vat_code: {want}"));
    }
    // What was found before makes no difference.
    for again in [("NL", "9", "3"), ("NL", "21", "5"), ("DE", "0", "7")] {
        let both = concat(vec![look("NL", "21", true), look(again.0, again.1, true), look("NL", "21", true)]);
        assert_eq!(eval_in(&p, both).unwrap(), format!("5{}5", again.2));
    }
}

#[test]
fn the_first_of_two_rows_counts() {
    let mut p = lab();
    let row = |a: &str, b: &str, value: &str| {
        let cells = vec![Pattern::OneOf(vec![Const::Text(a.into()), Const::Text(b.into())])];
        Row { cells, value: t(value), span: at(40) }
    };
    p.lookups.push(Lookup {
        name: "tables.code".into(),
        keys: vec![("method".into(), text())],
        result: text(),
        grows: Grows::Here,
        rows: vec![row("A", "B", "1"), row("B", "C", "2")],
        span: at(30),
    });
    let look = |key: &str| expr(ExprKind::Lookup { lookup: LookupId(0), keys: vec![t(key)], must: true }, text());
    assert_eq!(eval_in(&p, concat(["C", "B", "A", "C"].map(look).to_vec())).unwrap(), "2112");
}

#[test]
fn scripts_stop_at_their_limits() {
    let mut p = lab();
    let run = |p: &mut Program, name: &str, args: Vec<Expr>, ty: Type| {
        let order = Type::Record(of(p, "Order"));
        let value = expr(ExprKind::Extern("f.rhai".into(), name.into(), args), ty);
        let steps = vec![set(p, "Item", "Code", t("A")), set(p, "Item", "Description", concat(vec![value]))];
        let made =
            mapping(p, "items.m", "Item", &[("order", order)], Verb::Upsert, vec![by(p, "Item", &["Code"])], steps);
        p.mappings = vec![made];
        p.flows.clear();
        flow(p, "items.m");
        let source = "fn twice(x) { x * 2 } fn forever() { while true {} } fn word(t) { t.to_upper() } fn deep(n) { deep(n + 1) } fn same(t) { t } fn nothing() { () }";
        let compiled = Compiled::with_scripts(Arc::new(p.clone()), [("f.rhai".into(), source.to_owned())].into());
        match World::default().settle(|world| compiled.unit(0, ORDER, world)) {
            Evaluated::WriteSet(unit) => unit.drafts[0].fields.last().unwrap().json.clone(),
            Evaluated::Stopped(_, failure, _) => failure.reason,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(run(&mut p, "twice", vec![n("0.1")], Type::Decimal), "\"0.2\"");
    assert_eq!(run(&mut p, "word", vec![t("ab")], text()), "\"AB\"");
    assert!(run(&mut p, "forever", vec![], text()).contains("it takes more than 200000 operations"));
    assert!(run(&mut p, "deep", vec![n("1")], text()).contains("functions call one another too deep"));
    assert_eq!(
        run(&mut p, "word", vec![t("ab")], Type::Int),
        "`word` in f.rhai:1 stopped: it gives a text where an int is wanted"
    );
    for (ty, is_one, is_none) in [
        (Type::Country, "NL", "Nederland"),
        (Type::Currency, "EUR", "euro"),
        (Type::Guid, "2f7c1b7e-3c55-4a7e-9d2b-0f4f5b0a1c11", "2f7c1b7e"),
        (Type::Email, "ann@example.org", "ann"),
        (Type::Text(Some(3)), "abc", "abcd"),
        (Type::Date, "2026-02-28", "2026-02-30"),
    ] {
        assert_eq!(run(&mut p, "same", vec![t(is_one)], ty.clone()), format!("\"{is_one}\""));
        assert!(run(&mut p, "same", vec![t(is_none)], ty).contains("it gives a text that is not "), "{is_none}");
    }
    assert!(run(&mut p, "nothing", vec![], text()).contains("it gives nothing where a text is wanted"));
    assert!(run(&mut p, "same", vec![n("1.5")], Type::Int).contains("it gives a decimal where an int is wanted"));
    assert!(run(&mut p, "nowhere", vec![], text()).contains("`nowhere` in f.rhai stopped: there is no function"));
}
