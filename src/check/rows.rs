//! Which rows of a lookup go before which, and where two of them can't be told apart.

use super::cx::Cx;
use crate::ir::{Const, Pattern, Row};
use crate::source::{Diagnostic, codes};
use std::collections::HashMap;

/// Overlaps that are told of one lookup; the rest goes with them when they are mended.
const OVERLAPS_TOLD_MAX: usize = 20;

/// Rows by what their cells take, for finding those that take the same.
#[derive(Default)]
pub(crate) struct RowIndex(HashMap<String, usize>);

impl RowIndex {
    /// The number of the row with these cells, or none, and then it is `n`.
    pub(crate) fn taken(&mut self, cells: &[Pattern], n: usize) -> Option<usize> {
        match self.0.entry(key_of(cells)) {
            std::collections::hash_map::Entry::Occupied(before) => Some(*before.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(n);
                None
            }
        }
    }
}

fn key_of(cells: &[Pattern]) -> String {
    cells.iter().map(show_cell).collect::<Vec<_>>().join("\u{1}")
}

impl Cx<'_> {
    /// Narrower rows first. Two rows that overlap, neither narrower in all, are an error.
    pub(crate) fn order(&mut self, rows: &mut [Row], name: &str) {
        let mut known = RowIndex::default();
        for (n, row) in rows.iter().enumerate() {
            known.taken(&row.cells, n);
        }
        // Rows of single values overlap only where they are the same, and that is told already: the others are few.
        let wide: Vec<usize> = (0..rows.len()).filter(|n| !rows[*n].cells.iter().all(is_single)).collect();
        let mut told = 0;
        for &w in &wide {
            for n in 0..rows.len() {
                let (a, b) = (&rows[w.min(n)], &rows[w.max(n)]);
                let twice = n == w || n < w && !rows[n].cells.iter().all(is_single);
                if twice || !overlap(a, b) || narrower(a, b) || narrower(b, a) {
                    continue;
                }
                let both: Vec<Pattern> = a.cells.iter().zip(&b.cells).map(|(x, y)| common(x, y)).collect();
                let own = both == a.cells || both == b.cells;
                if (own || !known.0.contains_key(&key_of(&both))) && told < OVERLAPS_TOLD_MAX {
                    told += 1;
                    self.undecided(a, b, &both, own, name);
                }
            }
        }
        rows.sort_by_key(|row| row.cells.iter().map(rank).sum::<u32>());
    }

    fn undecided(&mut self, a: &Row, b: &Row, both: &[Pattern], own: bool, name: &str) {
        let shown: Vec<String> = both.iter().map(show_cell).collect();
        let shown = shown.join(", ");
        let help = if own {
            format!("take `{shown}` out of one of the two")
        } else {
            format!("add the row `{shown} => …` that says what happens to both")
        };
        let message = format!("two rows of `{name}` could both decide, and neither is narrower than the other");
        self.report(
            Diagnostic::new(&codes::LOOKUP_ROWS_OVERLAP, b.span, message)
                .label("overlaps")
                .related(a.span, "with this row")
                .help(help),
        );
    }
}

/// One value, or none.
fn is_single(p: &Pattern) -> bool {
    matches!(p, Pattern::Absent) || matches!(p, Pattern::OneOf(list) if list.len() == 1)
}

/// How wide a cell is: a value, a group, anything.
fn rank(p: &Pattern) -> u32 {
    match p {
        Pattern::Absent | Pattern::OneOf(_) => 0,
        Pattern::Group(_) => 1,
        Pattern::Either(list) => list.iter().map(rank).max().unwrap_or(0),
        Pattern::Any => 2,
    }
}

/// At least as narrow in every column and narrower in one.
fn narrower(a: &Row, b: &Row) -> bool {
    let pairs = || a.cells.iter().zip(&b.cells);
    pairs().all(|(x, y)| rank(x) <= rank(y)) && pairs().any(|(x, y)| rank(x) < rank(y))
}

/// What both cells take.
fn common(x: &Pattern, y: &Pattern) -> Pattern {
    match (x, y) {
        (Pattern::Any, other) | (other, Pattern::Any) => other.clone(),
        (Pattern::OneOf(a), Pattern::OneOf(b)) => Pattern::OneOf(a.iter().filter(|c| b.contains(c)).cloned().collect()),
        (Pattern::OneOf(list), Pattern::Group(g)) | (Pattern::Group(g), Pattern::OneOf(list)) => {
            let inside = |c: &&Const| matches!(c, Const::Text(t) if crate::value::code::in_group(t, g));
            Pattern::OneOf(list.iter().filter(inside).cloned().collect())
        }
        (x, y) => if rank(x) <= rank(y) { x } else { y }.clone(),
    }
}

fn overlap(a: &Row, b: &Row) -> bool {
    a.cells.iter().zip(&b.cells).all(|(x, y)| meets(x, y))
}

fn meets(x: &Pattern, y: &Pattern) -> bool {
    match (x, y) {
        (Pattern::Any, _) | (_, Pattern::Any) => true,
        (Pattern::Either(list), other) | (other, Pattern::Either(list)) => list.iter().any(|p| meets(p, other)),
        (Pattern::OneOf(a), Pattern::OneOf(b)) => a.iter().any(|c| b.contains(c)),
        (Pattern::Absent, Pattern::Absent) => true,
        (Pattern::Group(a), Pattern::Group(b)) => a == b,
        (Pattern::Group(g), Pattern::OneOf(list)) | (Pattern::OneOf(list), Pattern::Group(g)) => {
            list.iter().any(|c| matches!(c, Const::Text(t) if crate::value::code::in_group(t, g)))
        }
        (Pattern::Absent, _) | (_, Pattern::Absent) => false,
    }
}

fn show_cell(p: &Pattern) -> String {
    match p {
        Pattern::Any => "_".into(),
        Pattern::Absent => "none".into(),
        Pattern::Group(g) => format!("in {g}"),
        Pattern::OneOf(list) => list.iter().map(show_const).collect::<Vec<_>>().join(" | "),
        Pattern::Either(list) => list.iter().map(show_cell).collect::<Vec<_>>().join(" | "),
    }
}

fn show_const(c: &Const) -> String {
    match c {
        Const::Text(t) => format!("\"{t}\""),
        Const::Number(n) => n.to_string(),
        Const::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Const::Absent => "none".into(),
        Const::Date(d) => d.to_string(),
        Const::Instant(t) => t.to_string(),
        Const::Duration(d) => d.to_string(),
        Const::List(_) => "[…]".into(),
    }
}
