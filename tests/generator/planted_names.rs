//! Mistakes with names, arguments, records and whole declarations.

use crate::chance::Dice;
use crate::planted_values::{right, wrong};
use crate::program::{Cell, Decl, DeclKind, Kind, Line, LineKind, Node, Place, Row, Ty};
use crate::schema::entity;

// --- Names ---------------------------------------------------------------------------------------------

pub(crate) fn misspelt(name: &str) -> String {
    format!("{name}q")
}

pub(crate) fn misspelt_field(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Field(of, name, asked) = &node.kind else { return false };
    let text = format!("{}{}{}", right(of), if *asked { "?." } else { "." }, misspelt(name));
    wrong(node, text)
}

pub(crate) fn misspelt_name(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Name(name) = &node.kind else { return false };
    let text = misspelt(name);
    wrong(node, text)
}

pub(crate) fn misspelt_function(node: &mut Node, _: &mut Dice) -> bool {
    match &mut node.kind {
        Kind::Call(name, _) => *name = misspelt(name),
        Kind::Method(on, name, args, asked) => {
            let args: Vec<String> = args.iter().map(right).collect();
            let text = format!("{}{}{name}q({})", right(on), if *asked { "?." } else { "." }, args.join(", "));
            node.kind = Kind::Raw(text);
        }
        _ => return false,
    }
    node.each(&mut |inner| inner.open = false);
    node.wrong = true;
    true
}

pub(crate) fn misspelt_setting(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Setting(name) = &node.kind else { return false };
    let text = format!("settings.{}", misspelt(name));
    wrong(node, text)
}

pub(crate) fn misspelt_lookup(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Lookup(name, _) = &mut node.kind else { return false };
    *name = misspelt(name);
    node.each(&mut |inner| inner.open = false);
    node.wrong = true;
    true
}

pub(crate) fn arguments(node: &mut Node, dice: &mut Dice) -> bool {
    let one = || Node::new(Kind::Raw("1".into()), &Ty::Int, Place::Free);
    match &mut node.kind {
        Kind::Call(_, args) | Kind::Lookup(_, args) if !args.is_empty() && dice.once_in(2) => {
            args.pop();
        }
        Kind::Call(name, args) if !name.starts_with("one_") => args.push(one()),
        Kind::Lookup(_, args) => args.push(one()),
        Kind::Method(_, name, args, _) if !matches!(*name, "fit" | "sum") => args.push(one()),
        _ => return false,
    }
    node.each(&mut |inner| inner.open = false);
    node.wrong = true;
    true
}

// --- Records and declarations --------------------------------------------------------------------------

pub(crate) fn left_out(node: &mut Node, dice: &mut Dice) -> bool {
    let (Kind::Record(fields), Ty::Part(name)) = (&mut node.kind, node.ty.present()) else { return false };
    if name.contains('.') {
        return false;
    }
    let required: Vec<usize> = (0..fields.len()).filter(|n| entity(name).field(fields[*n].0).required).collect();
    fields.remove(*dice.of(&required));
    node.wrong = true;
    true
}

pub(crate) fn no_such_field(node: &mut Node, _: &mut Dice) -> bool {
    let Kind::Record(fields) = &mut node.kind else { return false };
    let mut extra = Node::new(Kind::Raw("1".into()), &Ty::Int, Place::Free);
    extra.wrong = true;
    fields.push(("Nonesuch", extra));
    true
}

pub(crate) fn uncovered(decl: &mut Decl, dice: &mut Dice) -> bool {
    let DeclKind::Lookup(keys, _, rows) = &mut decl.kind else { return false };
    let closed = |ty: &Ty| matches!(ty.present(), Ty::Choice(_) | Ty::Bool);
    if rows.len() < 2 || !keys.iter().all(|(_, ty)| closed(ty)) {
        return false;
    }
    // A row that others stand beside leaves something open; one within a wider one does not.
    let narrow = |at: usize| {
        let cells = &rows[at].cells;
        let wider = |row: &Row| {
            row.cells.is_empty() || row.cells.iter().zip(cells).all(|(a, b)| matches!(a, Cell::Any) || same(a, b))
        };
        !cells.is_empty() && rows.iter().enumerate().any(|(n, row)| n != at && wider(row))
    };
    let open: Vec<usize> = (0..rows.len()).filter(|at| !narrow(*at)).collect();
    // What the narrower rows take all of leaves nothing open: single rows of values do.
    let open: Vec<usize> =
        open.into_iter().filter(|at| rows[*at].cells.iter().all(|cell| !matches!(cell, Cell::Any))).collect();
    if open.is_empty() {
        return false;
    }
    let at = *dice.of(&open);
    if rows[at].cells.is_empty()
        && rows.iter().any(|row| row.cells.iter().all(|cell| matches!(cell, Cell::Any)) && !row.cells.is_empty())
    {
        return false;
    }
    rows.remove(at);
    decl.wrong = true;
    true
}

pub(crate) fn same(a: &Cell, b: &Cell) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

pub(crate) fn twice(decl: &mut Decl, dice: &mut Dice) -> bool {
    if let DeclKind::Lookup(_, _, rows) = &mut decl.kind {
        if rows.is_empty() {
            return false;
        }
        let mut again = dice.of(rows).clone();
        again.wrong = true;
        rows.push(again);
        return true;
    }
    let Some(lines) = decl.lines() else { return false };
    let filled: Vec<Line> = lines.iter().filter(|line| matches!(line.kind, LineKind::Fill(..))).cloned().collect();
    if filled.is_empty() {
        return false;
    }
    let mut again = dice.of(&filled).clone();
    // Lists of what is declared within it stand there once.
    again.each(&mut |node| node.open = false);
    again.wrong = true;
    lines.push(again);
    true
}

pub(crate) fn required(decl: &mut Decl, dice: &mut Dice) -> bool {
    let DeclKind::Mapping(_, target, lines) = &mut decl.kind else { return false };
    if target.starts_with("woo.") {
        return false;
    }
    let is_required =
        |line: &Line| matches!(&line.kind, LineKind::Fill(path, _) if entity(target).field(path[0]).required);
    let free = ["FreeBoolField_01", "CanDropShip"];
    let all: Vec<usize> = (0..lines.len())
        .filter(|n| is_required(&lines[*n]))
        .filter(|n| !matches!(&lines[*n].kind, LineKind::Fill(path, _) if free.contains(&path[0])))
        .collect();
    lines.remove(*dice.of(&all));
    decl.wrong = true;
    true
}

pub(crate) const FIELDS: [&str; 5] = [
    "entity Odd {\n  Amount: price\n}",
    "entity Odd {\n  Waits: duration?\n}",
    "entity Odd {\n  All: list<price>\n}",
    "entity Odd {\n  All: list<duration?>?\n}",
    "entity Odd {\n  All: list<list<duration>>\n}",
];

pub(crate) const EXTERNS: [&str; 6] = [
    "entity Odd {\n  a: int\n}\nextern fn odd(x: Odd) -> text in \"odd.rhai\"",
    "entity Odd {\n  a: int\n}\nextern fn odd(x: list<Odd?>) -> text in \"odd.rhai\"",
    "extern fn odd(x: price) -> text in \"odd.rhai\"",
    "extern fn odd(x: duration?) -> text in \"odd.rhai\"",
    "extern fn odd(x: text) -> price in \"odd.rhai\"",
    "extern fn odd(x: text) -> list<duration> in \"odd.rhai\"",
];
