//! Which rows of a lookup go before which, and where two of them can't be told apart.

use crate::check::infer::patterns::{rank, values};
use crate::check::resolve::checker::Checker;
use crate::ir::{Const, Pattern, Row, Type};
use crate::limits;
use crate::source::{Diagnostic, codes};
use crate::syntax::ast;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Overlaps that are told of one lookup; the rest goes with them when they are mended.
const OVERLAPS_TOLD_MAX: usize = 20;

/// Rows by their cells, for finding those that take the same.
#[derive(Default)]
pub(crate) struct RowIndex(FxHashMap<Vec<Pattern>, usize>);

impl RowIndex {
    /// The number of the row with these cells, or none, and then it is `n`.
    pub(crate) fn taken(&mut self, cells: &[Pattern], n: usize) -> Option<usize> {
        match self.0.entry(cells.to_vec()) {
            std::collections::hash_map::Entry::Occupied(before) => Some(*before.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(n);
                None
            }
        }
    }
}

/// The rows that are as wide as one another in every column, with an index of the columns that hold values.
struct Class<'r> {
    ranks: Vec<u32>,
    rows: Vec<usize>,
    columns: Vec<FxHashMap<&'r Const, Vec<usize>>>,
}

impl<'r> Class<'r> {
    fn all(rows: &'r [Row]) -> Vec<Self> {
        let mut classes: BTreeMap<Vec<u32>, Self> = BTreeMap::new();
        for (n, row) in rows.iter().enumerate() {
            let ranks: Vec<u32> = row.cells.iter().map(rank).collect();
            let class = classes.entry(ranks).or_insert_with_key(|ranks| Self {
                ranks: ranks.clone(),
                rows: Vec::new(),
                columns: vec![FxHashMap::default(); ranks.len()],
            });
            class.rows.push(n);
            for (column, cell) in class.columns.iter_mut().zip(&row.cells) {
                for value in values(cell) {
                    column.entry(value).or_default().push(n);
                }
            }
        }
        classes.into_values().collect()
    }

    /// Whether neither of two is narrower than the other.
    fn undecided(&self, other: &Self) -> bool {
        let narrower = |a: &Self, b: &Self| a.ranks.iter().zip(&b.ranks).all(|(x, y)| x <= y);
        self.ranks == other.ranks || !narrower(self, other) && !narrower(other, self)
    }

    /// The rows that may overlap with these cells: those that share a value in the column where fewest do.
    fn near(&self, cells: &[Pattern]) -> Vec<usize> {
        let of_column = |n: usize| values(&cells[n]).into_iter().filter_map(move |value| self.columns[n].get(value));
        let with_values = (0..cells.len()).filter(|n| rank(&cells[*n]) == 0 && self.ranks[*n] == 0);
        let Some(best) = with_values.min_by_key(|n| of_column(*n).map(Vec::len).sum::<usize>()) else {
            return self.rows.clone();
        };
        let mut near: Vec<usize> = of_column(best).flatten().copied().collect();
        near.sort_unstable();
        near.dedup();
        near
    }
}

impl Checker<'_> {
    /// Narrower rows first. Two rows that overlap, neither narrower in all, are an error; whether there are none.
    pub(crate) fn order(&mut self, rows: &mut [Row], keys: &[(Arc<str>, Type)], name: &ast::Name) -> bool {
        let told = self.diagnostics.len();
        self.overlaps(rows, keys, name);
        rows.sort_by_key(|row| row.cells.iter().map(rank).sum::<u32>());
        self.diagnostics.len() == told
    }

    fn overlaps(&mut self, rows: &[Row], keys: &[(Arc<str>, Type)], name: &ast::Name) {
        let mut known = RowIndex::default();
        for (n, row) in rows.iter().enumerate() {
            known.taken(&row.cells, n);
        }
        let classes = Class::all(rows);
        // Rows of one class come first: where they are apart, as they are in a table that is right, no two pairs have the
        // same in common, and there are no more pairs than rows that decide them.
        let own = classes.iter().map(|class| (class, class));
        let others = classes.iter().enumerate().flat_map(|(n, a)| classes[n + 1..].iter().map(move |b| (a, b)));
        let (mut compared, mut told) = (0, 0);
        for (a, b) in own.chain(others) {
            compared += 1;
            if !a.undecided(b) {
                continue;
            }
            let same = std::ptr::eq(a, b);
            let (few, many) = if a.rows.len() <= b.rows.len() { (a, b) } else { (b, a) };
            for &n in &few.rows {
                // Rows of single values overlap only where they are the same, and that is told already.
                if same && rows[n].cells.iter().all(is_single) {
                    continue;
                }
                let near = many.near(&rows[n].cells);
                compared += near.len() + 1;
                if compared > limits::ROW_PAIRS_MAX {
                    self.too_many(name);
                    return;
                }
                for m in near {
                    let twice = same && (m == n || m < n && !rows[m].cells.iter().all(is_single));
                    let (a, b) = (&rows[n.min(m)], &rows[n.max(m)]);
                    if twice || !overlap(a, b) {
                        continue;
                    }
                    let both: Vec<Pattern> = a.cells.iter().zip(&b.cells).map(|(x, y)| common(x, y)).collect();
                    let own = both == a.cells || both == b.cells;
                    if own || !known.0.contains_key(&both) {
                        self.undecided((a, b), (&both, keys), own, &name.text);
                        told += 1;
                        if told == OVERLAPS_TOLD_MAX {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn too_many(&mut self, name: &ast::Name) {
        self.say(
            &codes::LOOKUP_ROWS_OVERLAP,
            name.span,
            format!("the rows of `{}` have too many cells in common to tell which of them overlap", name.text),
            "write values instead of `_` and groups, or divide it into several lookups",
        );
    }

    fn undecided(
        &mut self,
        (a, b): (&Row, &Row),
        (both, keys): (&[Pattern], &[(Arc<str>, Type)]),
        own: bool,
        name: &str,
    ) {
        let shown: Vec<String> = both.iter().zip(keys).map(|(cell, (_, ty))| show_cell(cell, ty)).collect();
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
pub(crate) fn is_single(p: &Pattern) -> bool {
    matches!(p, Pattern::Absent) || matches!(p, Pattern::OneOf(list) if list.len() == 1)
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
        (Pattern::OneOf(list), Pattern::Prefix(p)) | (Pattern::Prefix(p), Pattern::OneOf(list)) => {
            Pattern::OneOf(list.iter().filter(|c| begins(c, p)).cloned().collect())
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
        (Pattern::Prefix(a), Pattern::Prefix(b)) => a.starts_with(&**b) || b.starts_with(&**a),
        (Pattern::Prefix(p), Pattern::OneOf(list)) | (Pattern::OneOf(list), Pattern::Prefix(p)) => {
            list.iter().any(|c| begins(c, p))
        }
        (Pattern::Absent, _) | (_, Pattern::Absent) => false,
        (Pattern::Prefix(_), Pattern::Group(_)) | (Pattern::Group(_), Pattern::Prefix(_)) => false,
    }
}

fn begins(c: &Const, prefix: &str) -> bool {
    matches!(c, Const::Text(text) if text.starts_with(prefix))
}

fn show_cell(p: &Pattern, ty: &Type) -> String {
    match p {
        Pattern::Any => "_".into(),
        Pattern::Absent => "none".into(),
        Pattern::Group(g) => format!("in {g}"),
        Pattern::Prefix(p) => format!("\"{p}*\""),
        Pattern::OneOf(list) => list.iter().map(|value| show_const(value, ty)).collect::<Vec<_>>().join(" | "),
        Pattern::Either(list) => list.iter().map(|cell| show_cell(cell, ty)).collect::<Vec<_>>().join(" | "),
    }
}

fn show_const(c: &Const, ty: &Type) -> String {
    match c {
        Const::Number(n) if *ty.present() == Type::Percent => format!("{n}%"),
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
