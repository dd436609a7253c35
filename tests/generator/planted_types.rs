//! Mistakes with types: other ones than are wanted, and such as don't go together.

use crate::chance::Dice;
use crate::planted_values::{is_wanted, right, wrapped, wrong};
use crate::program::{Item, Kind, Node, Ty};

pub(crate) fn no_json(node: &mut Node, dice: &mut Dice) -> bool {
    if *node.ty.present() != Ty::Json {
        return false;
    }
    let all = [
        "5 minutes",
        "{ a = 1 }",
        "price(1, 0)",
        "[5 minutes]",
        "[price(1, 0)]",
        "(if yes then 5 minutes else 1 hour)",
    ];
    wrong(node, *dice.of(&all))
}

/// A value that is of no such type.
pub(crate) fn value_of_another(ty: &Ty, dice: &mut Dice) -> &'static str {
    let all: &[&str] = match ty.present() {
        Ty::Bool => &["\"yes\"", "1", "2026-01-31", "21%", "[yes]"],
        Ty::Int | Ty::Decimal => &["\"1\"", "yes", "2026-01-31", "21%", "5 minutes", "[1]", "today()"],
        Ty::Net | Ty::Gross | Ty::Tax => {
            &["\"1\"", "yes", "2026-01-31", "21%", "[1]", "price(1, 0)", "(1 / 3).round(2)"]
        }
        Ty::Rate => &["\"21%\"", "yes", "2026-01-31", "[21%]", "0.21"],
        Ty::Date => &["\"2026-01-31\"", "20260131", "now()", "yes", "[today()]", "5 minutes"],
        Ty::Json => &["5 minutes"],
        Ty::List(_) => &["1", "\"a\"", "yes", "2026-01-31", "5 minutes"],
        Ty::Part(_) => &["1", "\"a\"", "[1]", "yes"],
        Ty::Text(_) => &["1", "yes", "2026-01-31", "21%", "[\"a\"]", "5 minutes", "now()"],
        _ => &["1", "yes", "2026-01-31", "21%", "[\"a\"]", "5 minutes"],
    };
    dice.of::<&str>(all)
}

pub(crate) fn other_type(node: &mut Node, dice: &mut Dice) -> bool {
    if !is_wanted(node) || *node.ty.present() == Ty::Json {
        return false;
    }
    let (other, right) = (value_of_another(&node.ty, dice), right(node));
    let text = if dice.once_in(2) { format!("if yes then {right} else {other}") } else { other.to_owned() };
    wrong(node, text)
}

pub(crate) fn other_type_in_list(node: &mut Node, dice: &mut Dice) -> bool {
    let (Ty::List(of), true) = (node.ty.present().clone(), is_wanted(node)) else { return false };
    let Kind::List(items) = &mut node.kind else { return false };
    if items.is_empty() {
        return false;
    }
    let at = dice.below(items.len());
    let (Item::One(value) | Item::For(_, _, _, value)) = &mut items[at];
    wrong(value, value_of_another(&of, dice))
}

pub(crate) fn other_money(node: &mut Node, dice: &mut Dice) -> bool {
    if !is_wanted(node) || !node.ty.present().is_money() {
        return false;
    }
    let all = ["100.untaxed()", "100.tax(21%)", "100.with_tax(21%)"];
    let own = match node.ty.present() {
        // The first is of the kind that is wanted.
        Ty::Net => 0,
        Ty::Tax => 1,
        _ => 2,
    };
    let other = all[1 + dice.below(2)];
    let other = if other == all[own] { "100.net(21%)" } else { other };
    let right = right(node);
    wrong(node, wrapped(dice, other, &right))
}

pub(crate) fn mixed_money(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Binary("+" | "-", a, b) = &mut node.kind else { return false };
    let (net, gross) = ("100.net(21%)", "100.with_tax(21%)");
    let (left, right) = match (&a.ty, &b.ty) {
        (Ty::Net, Ty::Net) => (net, gross),
        (Ty::Gross, Ty::Gross) => (gross, "(1 / 3).round(2)"),
        (Ty::Tax, Ty::Tax) => ("100.tax(21%)", gross),
        (a, b) if a.is_money() && b.is_money() => (net, "21%"),
        _ => return false,
    };
    node.wrong = true;
    a.kind = Kind::Raw(left.into());
    b.kind = Kind::Raw(right.into());
    true
}

pub(crate) fn rate_on_money(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Binary("*", a, b) = &mut node.kind else { return false };
    let factor = if a.ty.is_money() { b } else { a };
    node.ty.is_money() && wrong(factor, "21%")
}

pub(crate) fn other_comparison(node: &mut Node, dice: &mut Dice) -> bool {
    let Kind::Binary("==" | "!=" | "<" | "<=" | ">" | ">=", a, b) = &mut node.kind else { return false };
    let all: &[&str] = match a.ty.present() {
        Ty::Int | Ty::Decimal => &["\"1\"", "yes", "2026-01-31", "21%", "[1]", "[1].first() ?? 21%"],
        Ty::Net => &["\"1\"", "100.with_tax(21%)", "21%", "(1 / 3).round(2)", "yes"],
        Ty::Gross | Ty::Tax => &["\"1\"", "100.net(21%)", "21%", "(1 / 3).round(2)", "yes"],
        Ty::Rate => &["0.21", "21", "\"21%\"", "max(0.21, 21)", "(if yes then 0.21 else 21)", "[0.21].sum()"],
        Ty::Date => &["\"2026-01-31\"", "now()", "20260131"],
        Ty::Bool => &["\"yes\"", "1"],
        Ty::Country => &["\"XX\"", "1", "(if yes then \"XX\" else \"NL\")", "(if yes then \"NL\" else \"nl\")"],
        Ty::Currency => &["\"eur\"", "1", "(if yes then \"euro\" else \"EUR\")"],
        Ty::Choice(_) => &["\"huge\"", "1", "(if yes then \"huge\" else \"good\")"],
        Ty::Guid => &["\"x\"", "1"],
        Ty::Text(_) => &["1", "yes", "2026-01-31", "[\"a\"]"],
        _ => return false,
    };
    let text = *dice.of(all);
    // The operator may be blamed as well: all of it stands on one line then.
    wrong(b, text)
}

pub(crate) fn no_condition(node: &mut Node, dice: &mut Dice) -> bool {
    let places: Vec<&mut Box<Node>> = match &mut node.kind {
        Kind::If(cond, ..) if !matches!(cond.kind, Kind::IsSome(..)) => vec![cond],
        Kind::Not(a) => vec![a],
        Kind::Binary("and" | "or", a, b) => vec![a, b],
        _ => return false,
    };
    let all = ["1", "\"yes\"", "[yes]", "none", "[yes].first()", "today()"];
    let text = *dice.of(&all);
    let n = dice.below(places.len());
    places.into_iter().nth(n).is_some_and(|place| wrong(place, text))
}
