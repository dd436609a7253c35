//! Mistakes with numbers, with what is absent, and with texts that are checked.

use crate::chance::Dice;
use crate::program::{Cell, Kind, Node, Piece, Place, Ty};

/// Puts what is wrong into the place of what is right.
pub(crate) fn wrong(node: &mut Node, text: impl Into<String>) -> bool {
    node.kind = Kind::Raw(text.into());
    node.wrong = true;
    true
}

pub(crate) fn right(node: &Node) -> String {
    // On one line: the mistake is on that line.
    let mut node = node.clone();
    node.each(&mut |inner| inner.open = false);
    crate::print::expression(&node)
}

pub(crate) fn is_wanted(node: &Node) -> bool {
    node.place == Place::Wanted
}

/// In whatever a value of that type may come out of.
pub(crate) fn wrapped(dice: &mut Dice, wrong: &str, right: &str) -> String {
    match dice.below(6) {
        0 => format!("if yes then {wrong} else {right}"),
        1 => format!("if no then {right} else ({wrong})"),
        2 => format!("[{wrong}].first() ?? {right}"),
        3 => format!("match yes {{ yes => {right}, no => {wrong} }}"),
        4 => format!("[{right}].last() ?? ({wrong})"),
        _ => wrong.to_owned(),
    }
}

// --- Numbers -------------------------------------------------------------------------------------------

pub(crate) fn bare_rate(node: &mut Node, dice: &mut Dice) -> bool {
    if *node.ty.present() != Ty::Rate || node.place == Place::Free {
        return false;
    }
    let bare = *dice.of(&["0.21", "21", "max(0.21, 21)", "[0.21].sum()", "(0.2 + 0.01)"]);
    wrong(node, wrapped(dice, bare, "21%"))
}

pub(crate) fn bare_rate_in_list(node: &mut Node, dice: &mut Dice) -> bool {
    if node.ty != Ty::Rate.list() || node.place == Place::Free {
        return false;
    }
    let all = ["[0.21]", "[21%, 0.21]", "[0.21, 21%]", "[21]", "([21%] + [0.21])", "[for x in [1, 2]: x]"];
    wrong(node, *dice.of(&all))
}

pub(crate) fn fraction(node: &mut Node, dice: &mut Dice) -> bool {
    if *node.ty.present() != Ty::Int || !is_wanted(node) {
        return false;
    }
    let all =
        ["0.5", "(1 / 2)", "max(0.5, 1)", "[0.5, 1].sum()", "[1, 2].sum(x => x * 0.5)", "(2 * 0.25)", "0.5.abs()"];
    let fraction = *dice.of(&all);
    wrong(node, wrapped(dice, fraction, "1"))
}

pub(crate) fn fraction_in_list(node: &mut Node, dice: &mut Dice) -> bool {
    if node.ty != Ty::Int.list() || !is_wanted(node) {
        return false;
    }
    let all =
        ["[0.5]", "[1, 0.5]", "([1] + [0.5])", "[for x in [1, 2]: x * 0.5]", "[1].map(x => x / 2)", "[0.5].distinct()"];
    wrong(node, *dice.of(&all))
}

// --- What is absent ------------------------------------------------------------------------------------

pub(crate) fn keep(node: &mut Node, dice: &mut Dice) -> bool {
    let shape = |all: &[&str], dice: &mut Dice| (*dice.of(all)).to_owned();
    let text = match node.ty.present() {
        Ty::List(_) if is_wanted(node) => shape(&["[keep]", "[for x in [1]: keep]"], dice),
        Ty::Int if is_wanted(node) => shape(&["(keep + 1)", "max(keep, 1)", "[keep].count()", "[keep].sum()"], dice),
        Ty::Bool if is_wanted(node) => {
            shape(&["not keep", "(keep == 1)", "(keep is none)", "([keep].is_empty())"], dice)
        }
        Ty::Text(None) if is_wanted(node) => {
            shape(&["\"{keep}\"", "[keep, \"a\"].join(\"-\") ?? \"\"", "keep.upper()"], dice)
        }
        Ty::Net | Ty::Gross | Ty::Tax if is_wanted(node) => shape(&["-keep", "(keep * 2)"], dice),
        _ => return false,
    };
    wrong(node, text)
}

pub(crate) fn empty_list(node: &mut Node, dice: &mut Dice) -> bool {
    if !is_wanted(node) || matches!(node.ty.present(), Ty::List(_) | Ty::Json) {
        return false;
    }
    let right = right(node);
    wrong(node, wrapped(dice, "[]", &right))
}

pub(crate) fn none_in_list(node: &mut Node, dice: &mut Dice) -> bool {
    let Ty::List(_) = node.ty.present() else { return false };
    if !is_wanted(node) {
        return false;
    }
    let all = ["[none]", "[for x in [1, 2]: none]", "[[none].first()]", "[if yes then none else none]"];
    wrong(node, *dice.of(&all))
}

pub(crate) fn none_by_map(node: &mut Node, dice: &mut Dice) -> bool {
    let Ty::List(element) = node.ty.present() else { return false };
    if !is_wanted(node) || matches!(**element, Ty::Part(_)) {
        return false;
    }
    let right = right(node);
    let all = [
        "[1, 2].map(x => none)".to_owned(),
        "[none].distinct()".to_owned(),
        format!("({right}) + [none]"),
        format!("[none] + ({right})"),
        "([1].map(x => none) + [2].map(x => none))".to_owned(),
        "[1].flat(x => [none])".to_owned(),
    ];
    wrong(node, dice.of(&all).clone())
}

pub(crate) fn optional(node: &mut Node, dice: &mut Dice) -> bool {
    if !is_wanted(node) || node.ty.is_optional() || node.ty == Ty::Json {
        return false;
    }
    let right = right(node);
    let all = [
        format!("if yes then {right} else none"),
        format!("[{right}].first()"),
        "none".to_owned(),
        "[].first()".to_owned(),
    ];
    wrong(node, dice.of(&all).clone())
}

pub(crate) fn optional_in_text(node: &mut Node, dice: &mut Dice) -> bool {
    let Kind::Interpolation(pieces) = &mut node.kind else { return false };
    let Some(Piece::Value(value)) = pieces.iter_mut().find(|piece| matches!(piece, Piece::Value(_))) else {
        return false;
    };
    let right = right(value);
    wrong(value, if dice.once_in(2) { "none".to_owned() } else { format!("[{right}].last()") })
}

pub(crate) fn optional_operand(node: &mut Node, dice: &mut Dice) -> bool {
    let Kind::Binary(op, a, b) = &mut node.kind else { return false };
    if !matches!(*op, "+" | "-" | "*" | "<" | "<=" | ">" | ">=") {
        return false;
    }
    let operand = if dice.once_in(2) { a } else { b };
    let right = right(operand);
    wrong(operand, format!("[{right}].last()"))
}

pub(crate) fn optional_receiver(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Method(on, name, _, false) = &mut node.kind else { return false };
    if matches!(*name, "first" | "last") || on.ty.is_optional() {
        return false;
    }
    let right = right(on);
    wrong(on, format!("(if yes then {right} else none)"))
}

// --- Texts that are checked ----------------------------------------------------------------------------

/// A literal where its type is known, and in whatever leads it there.
pub(crate) fn literal(node: &mut Node, dice: &mut Dice, all: &[&str], right: &str) -> bool {
    if node.place == Place::Free {
        return false;
    }
    let text = format!("\"{}\"", dice.of(all));
    let text = match dice.below(4) {
        0 => format!("if yes then {right} else {text}"),
        1 => format!("[{right}].first() ?? {text}"),
        2 => format!("match yes {{ yes => {text}, no => {right} }}"),
        _ => text,
    };
    wrong(node, text)
}

pub(crate) fn unknown_country(node: &mut Node, dice: &mut Dice) -> bool {
    let right = right(node);
    *node.ty.present() == Ty::Country
        && !node.ty.is_optional()
        && literal(node, dice, &["XX", "nl", "NLD", "Nederland"], &right)
}

pub(crate) fn unknown_currency(node: &mut Node, dice: &mut Dice) -> bool {
    let right = right(node);
    node.ty == Ty::Currency && literal(node, dice, &["eur", "euro", "€", "EU"], &right)
}

pub(crate) fn no_guid(node: &mut Node, dice: &mut Dice) -> bool {
    let right = right(node);
    node.ty == Ty::Guid && literal(node, dice, &["6f9619ff", "6f9619ff-8b86-4011-b42d-00c04fc964fz"], &right)
}

pub(crate) fn unknown_choice(node: &mut Node, dice: &mut Dice) -> bool {
    let right = right(node);
    matches!(node.ty, Ty::Choice(_)) && literal(node, dice, &["huge", "Big", "smal"], &right)
}

pub(crate) fn unknown_pattern(node: &mut Node, dice: &mut Dice) -> bool {
    let Kind::Match(_, arms) = &mut node.kind else { return false };
    let cells = arms.iter_mut().flat_map(|(cells, _)| cells);
    let mut of: Vec<&mut Node> = cells
        .filter_map(|cell| match cell {
            Cell::Value(value) if matches!(value.ty, Ty::Choice(_) | Ty::Country | Ty::Rate) => Some(value),
            _ => None,
        })
        .collect();
    if of.is_empty() || of.len() > 1 && matches!(of[0].ty, Ty::Choice(_)) {
        return false;
    }
    let at = dice.below(of.len());
    let text = match of[at].ty {
        Ty::Rate => "0.21",
        _ => "\"XX\"",
    };
    wrong(of[at], text)
}

pub(crate) fn too_long(node: &mut Node, dice: &mut Dice) -> bool {
    let Ty::Text(Some(limit)) = *node.ty.present() else { return false };
    if !is_wanted(node) {
        return false;
    }
    let plain = "x".repeat(limit.most + 1);
    let odd = format!("{}x", "😀".repeat(limit.most / 2));
    let text = if limit.utf16 && dice.once_in(2) { odd } else { plain };
    let text = match dice.below(4) {
        0 => format!("\"{text}{{\"a\"}}\""),
        1 => format!("(\"{text}\".trim() ?? \"a\")"),
        2 => format!("if yes then \"a\" else \"{text}\""),
        _ => format!("\"{text}\""),
    };
    wrong(node, text)
}

pub(crate) fn unknown_length(node: &mut Node, dice: &mut Dice) -> bool {
    let Ty::Text(Some(_)) = node.ty.present() else { return false };
    if !is_wanted(node) {
        return false;
    }
    let all = [
        "\"a\".upper()",
        "\"{\"a\".upper()}\"",
        "\"a\".replace(\"a\", \"b\")",
        "([\"a\".lower()].first() ?? \"a\")",
        "(if yes then \"a\" else \"a\".lower())",
    ];
    wrong(node, *dice.of(&all))
}

pub(crate) fn too_long_in_list(node: &mut Node, dice: &mut Dice) -> bool {
    let Ty::List(element) = node.ty.present() else { return false };
    let Ty::Text(Some(limit)) = **element else { return false };
    if !is_wanted(node) {
        return false;
    }
    let long = "x".repeat(limit.most + 1);
    let all = [
        format!("[\"{long}\"]"),
        format!("[\"a\", \"{long}\"]"),
        format!("([\"a\"] + [\"{long}\"])"),
        format!("[1].map(x => \"{long}\")"),
        format!("[for x in [1]: \"{long}\"]"),
        format!("[\"{long}\"].distinct()"),
        "\"a,b\".split(\",\")".to_owned(),
        "[\"a\".upper()]".to_owned(),
        "[for x in [1]: \"a\".upper()]".to_owned(),
    ];
    wrong(node, dice.of(&all).clone())
}
