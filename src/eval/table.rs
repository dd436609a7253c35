//! Decision tables: rows are found by the hash of those of their cells that are values, the narrowest first.

use crate::eval::pattern::{Hashed, accepts, hashed};
use crate::eval::value::Value;
use crate::ir::{Const, Pattern};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// A compiled table, whose rows give this.
pub(crate) struct Table<V> {
    rows: Vec<Row<V>>,
    /// Rows by which of their cells are values: those with most of them first.
    shapes: Vec<Shape>,
}

struct Row<V> {
    cells: Vec<Pattern>,
    value: V,
    /// No row before it takes what it takes.
    alone: bool,
}

/// Rows that have values in the same cells.
struct Shape {
    columns: Vec<usize>,
    /// By the hash of these values, the narrower ones first.
    by_hash: FxHashMap<u64, Vec<u32>>,
}

/// Most columns that a table has.
pub(crate) const COLUMNS_MAX: usize = 8;

/// Most combinations of `|` in one row that are laid out one by one.
const COMBINATIONS_MAX: usize = 64;

impl<V> Table<V> {
    /// A table of rows, the narrower ones first: what their cells take, and what they give.
    pub(crate) fn new(rows: impl IntoIterator<Item = (Vec<Pattern>, V)>) -> Self {
        let mut table = Self { rows: Vec::new(), shapes: Vec::new() };
        for (n, (cells, value)) in rows.into_iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            let (columns, keys) = combinations(&cells);
            let mut alone = columns.len() == cells.len();
            let shape = table.shape(columns);
            for key in keys {
                let rows = shape.by_hash.entry(joined(key.iter().map(|c| hash(hashed(c))))).or_default();
                alone &= rows.is_empty();
                rows.push(n);
            }
            table.rows.push(Row { cells, value, alone });
        }
        table.shapes.sort_by_key(|shape| std::cmp::Reverse(shape.columns.len()));
        table
    }

    fn shape(&mut self, columns: Vec<usize>) -> &mut Shape {
        let n = self.shapes.iter().position(|shape| shape.columns == columns).unwrap_or_else(|| {
            self.shapes.push(Shape { columns, by_hash: FxHashMap::default() });
            self.shapes.len() - 1
        });
        &mut self.shapes[n]
    }

    /// The row that takes these values, by number. The one that was found last time often is it again.
    #[inline]
    pub(crate) fn row(&self, values: &[Value<'_>], recent: usize) -> Option<usize> {
        let again = self.rows.get(recent).is_some_and(|row| row.alone && row.takes(values));
        if again { Some(recent) } else { self.search(values) }
    }

    /// What a row gives.
    pub(crate) fn value(&self, row: usize) -> &V {
        &self.rows[row].value
    }

    fn search(&self, values: &[Value<'_>]) -> Option<usize> {
        let takes = |n: &&u32| self.rows[**n as usize].takes(values);
        let mut found: Option<u32> = None;
        // Each value is hashed once, whatever number of shapes look at it.
        let mut hashes = [0; COLUMNS_MAX];
        hashes.iter_mut().zip(values).for_each(|(to, value)| *to = hash(Hashed::of(*value)));
        for shape in &self.shapes {
            let hash = joined(shape.columns.iter().map(|n| hashes.get(*n).copied().unwrap_or_default()));
            let Some(row) = shape.by_hash.get(&hash).and_then(|rows| rows.iter().find(takes)) else { continue };
            // A row of values is narrower than any other.
            if shape.columns.len() == values.len() {
                return Some(*row as usize);
            }
            found = Some(found.map_or(*row, |found| found.min(*row)));
        }
        found.map(|n| n as usize)
    }
}

impl<V> Row<V> {
    #[inline]
    fn takes(&self, values: &[Value<'_>]) -> bool {
        self.cells.iter().zip(values).all(|(cell, value)| accepts(cell, value))
    }
}

fn hash(key: Hashed<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The hash of several keys, by those of each.
fn joined(hashes: impl Iterator<Item = u64>) -> u64 {
    hashes.fold(0, |all, hash| (all.rotate_left(5) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The columns in which a row has values, and all combinations of them. One that would make too many counts as open.
fn combinations(cells: &[Pattern]) -> (Vec<usize>, Vec<Vec<&Const>>) {
    let (mut columns, mut keys) = (Vec::new(), vec![Vec::new()]);
    for (n, cell) in cells.iter().enumerate() {
        let constants: Vec<&Const> = match cell {
            Pattern::OneOf(constants) => constants.iter().collect(),
            Pattern::Absent => vec![&Const::Absent],
            Pattern::Any | Pattern::Prefix(_) | Pattern::Group(_) | Pattern::Either(_) => continue,
        };
        if keys.len() * constants.len() > COMBINATIONS_MAX {
            continue;
        }
        columns.push(n);
        keys = keys
            .iter()
            .flat_map(|key: &Vec<&Const>| constants.iter().map(move |c| key.iter().copied().chain([*c]).collect()))
            .collect();
    }
    (columns, keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn constant() -> impl Strategy<Value = Const> {
        prop_oneof![
            Just(Const::Text("a".into())),
            Just(Const::Text("b".into())),
            Just(Const::Text("NL".into())),
            (0..3_i64).prop_map(|n| Const::Number(n.into())),
            Just(Const::Number(rust_decimal::Decimal::new(10, 1))),
            Just(Const::Bool(true)),
        ]
    }

    fn cell() -> impl Strategy<Value = Pattern> {
        prop_oneof![
            4 => prop::collection::vec(constant(), 1..4).prop_map(Pattern::OneOf),
            3 => Just(Pattern::Any),
            1 => Just(Pattern::Absent),
            1 => Just(Pattern::Prefix("N".into())),
        ]
    }

    fn value(constant: Option<&Const>) -> Value<'_> {
        match constant {
            Some(Const::Text(t)) => Value::Text(t),
            Some(Const::Number(n)) => Value::Number(*n),
            Some(Const::Bool(b)) => Value::Bool(*b),
            _ => Value::Absent,
        }
    }

    proptest! {
        #[test]
        fn a_row_is_found_as_by_looking_at_each(
            rows in prop::collection::vec(prop::collection::vec(cell(), 2), 0..12),
            keys in prop::collection::vec(prop::collection::vec(prop::option::of(constant()), 2), 1..8),
        ) {
            let literal = |cells: &[Pattern]| !cells.iter().any(|cell| matches!(cell, Pattern::Any | Pattern::Prefix(_)));
            let table = Table::new(rows.iter().cloned().map(|cells| (cells, ())));
            let mut recent = usize::MAX;
            for key in &keys {
                let values: Vec<Value<'_>> = key.iter().map(|constant| value(constant.as_ref())).collect();
                let takes = |cells: &[Pattern]| cells.iter().zip(&values).all(|(cell, value)| accepts(cell, value));
                let of_values = rows.iter().position(|cells| literal(cells) && takes(cells));
                let wanted = of_values.or_else(|| rows.iter().position(|cells| takes(cells)));
                prop_assert_eq!(table.row(&values, recent), wanted);
                recent = wanted.unwrap_or(recent);
            }
        }
    }
}
