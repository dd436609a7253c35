//! What rows of patterns take together: the values that none of them takes, and the rows that others leave nothing to.

use crate::check::infer::patterns::is_any;
use crate::ir::{Const, Pattern, Type};
use crate::value::code::in_group;
use std::sync::Arc;

/// Values left open that are told of one table; the rest goes with them when they are provided for.
const OPEN_TOLD_MAX: usize = 6;

/// Whether all values of a type are known.
pub(crate) fn is_closed(ty: &Type) -> bool {
    match ty.present() {
        Type::Enum(e) => !e.open,
        Type::Bool | Type::Nothing => true,
        _ => false,
    }
}

/// The values that no row takes, as messages name them: some of them where they are many.
pub(crate) fn uncovered(types: &[&Type], rows: &[&[Pattern]]) -> Vec<String> {
    let mut open = Vec::new();
    let fails = |row: &&[Pattern]| row.iter().any(failed);
    if !types.iter().any(|ty| matches!(ty, Type::Unknown | Type::Never)) && !rows.iter().any(fails) {
        left_open(types, rows, &mut Vec::new(), &mut open);
    }
    open
}

/// A cell that is wrong, and told: nobody knows what it was to take.
fn failed(cell: &Pattern) -> bool {
    match cell {
        Pattern::OneOf(list) => list.is_empty(),
        Pattern::Either(cells) => cells.iter().any(failed),
        _ => false,
    }
}

/// Column by column, with the rows that take the values so far.
fn left_open(types: &[&Type], rows: &[&[Pattern]], so_far: &mut Vec<String>, open: &mut Vec<String>) {
    let column = so_far.len();
    let takes_the_rest = |row: &&[Pattern]| row[column..].iter().all(is_any);
    if open.len() == OPEN_TOLD_MAX || rows.iter().any(takes_the_rest) {
        return;
    }
    if rows.is_empty() && column > 0 {
        let rest = vec!["`_`".to_owned(); types.len() - column];
        open.push([so_far.as_slice(), &rest].concat().join(", "));
        return;
    }
    let Some(ty) = types.get(column) else { return };
    for (value, name) in values_of(ty) {
        let taking: Vec<&[Pattern]> = rows.iter().filter(|row| takes(&row[column], value.as_ref())).copied().collect();
        so_far.push(name);
        left_open(types, &taking, so_far, open);
        so_far.pop();
    }
}

/// The values of a type, each with its name; what nobody lists is one of them, without a value.
fn values_of(ty: &Type) -> Vec<(Option<Const>, String)> {
    let mut all = Vec::new();
    if ty.is_optional() {
        all.push((Some(Const::Absent), "`none`".to_owned()));
    }
    match ty.present() {
        Type::Enum(e) if !e.open => {
            all.extend(e.values.iter().map(|v| (Some(Const::Text(Arc::clone(&v.code))), format!("`{}`", v.code))));
        }
        Type::Bool => {
            all.push((Some(Const::Bool(true)), "`yes`".to_owned()));
            all.push((Some(Const::Bool(false)), "`no`".to_owned()));
        }
        Type::Nothing => {}
        _ => all.push((None, "any other value".to_owned())),
    }
    all
}

/// Whether a cell takes a value; none is a value that no cell names.
fn takes(cell: &Pattern, value: Option<&Const>) -> bool {
    match (cell, value) {
        (Pattern::Either(cells), value) => cells.iter().any(|cell| takes(cell, value)),
        (Pattern::Any, _) => true,
        (Pattern::Absent, Some(value)) => *value == Const::Absent,
        (Pattern::OneOf(list), Some(value)) => list.contains(value),
        (Pattern::Group(group), Some(Const::Text(code))) => in_group(code, group),
        (Pattern::Prefix(start), Some(Const::Text(text))) => text.starts_with(&**start),
        _ => false,
    }
}

/// Whether the rows before it leave a row something. What stands in a column is looked at piece by piece: each value, a
/// beginning, a group, or what nobody names.
pub(crate) fn is_reached(row: &[Pattern], types: &[&Type], before: &[&[Pattern]]) -> bool {
    if before.is_empty() || types.iter().any(|ty| matches!(ty, Type::Unknown | Type::Never)) {
        return true;
    }
    let (Some((cell, rest)), Some((ty, types))) = (row.split_first(), types.split_first()) else { return false };
    let pieces = pieces(cell, ty);
    // A cell that failed takes nothing, and is told.
    pieces.is_empty()
        || pieces.iter().any(|piece| {
            let taking: Vec<&[Pattern]> =
                before.iter().filter(|row| covers(&row[0], piece)).map(|row| &row[1..]).collect();
            is_reached(rest, types, &taking)
        })
}

/// A cell in pieces that another cell takes whole or leaves out.
fn pieces(cell: &Pattern, ty: &Type) -> Vec<Pattern> {
    match cell {
        Pattern::OneOf(list) => list.iter().map(|value| Pattern::OneOf(vec![value.clone()])).collect(),
        Pattern::Either(cells) => cells.iter().flat_map(|cell| pieces(cell, ty)).collect(),
        Pattern::Any if is_closed(ty) => {
            let values = values_of(ty).into_iter().filter_map(|(value, _)| value);
            values
                .map(|value| if value == Const::Absent { Pattern::Absent } else { Pattern::OneOf(vec![value]) })
                .collect()
        }
        whole => vec![whole.clone()],
    }
}

fn covers(cell: &Pattern, piece: &Pattern) -> bool {
    match (cell, piece) {
        (Pattern::Either(cells), piece) => cells.iter().any(|cell| covers(cell, piece)),
        (cell, Pattern::OneOf(list)) => list.iter().all(|value| takes(cell, Some(value))),
        (cell, Pattern::Absent) => takes(cell, Some(&Const::Absent)),
        (Pattern::Any, _) => true,
        (Pattern::Prefix(start), Pattern::Prefix(longer)) => longer.starts_with(&**start),
        (cell, piece) => cell == piece,
    }
}
