//! Decision tables: rows of values only are found by hash, the others in order of narrowness.

use crate::eval::pattern::{Hashed, accepts, hashed};
use crate::eval::value::Value;
use crate::ir::{Const, Pattern};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// A compiled table, whose rows give this.
pub(crate) struct Table<V> {
    rows: Vec<Row<V>>,
    /// Rows of values only, by the hash of their keys.
    by_hash: FxHashMap<u64, Vec<u32>>,
    /// The others, the narrower ones first.
    others: Vec<u32>,
}

struct Row<V> {
    cells: Vec<Pattern>,
    value: V,
    /// No row before it takes what it takes.
    alone: bool,
}

/// Most combinations of `|` in one row that are laid out one by one.
const COMBINATIONS_MAX: usize = 64;

impl<V> Table<V> {
    /// A table of rows: what their cells take, and what they give.
    pub(crate) fn new(rows: impl IntoIterator<Item = (Vec<Pattern>, V)>) -> Self {
        let mut table = Self { rows: Vec::new(), by_hash: FxHashMap::default(), others: Vec::new() };
        for (n, (cells, value)) in rows.into_iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            let mut alone = true;
            match combinations(&cells) {
                Some(keys) => {
                    for key in keys {
                        let rows = table.by_hash.entry(hash(key.iter().map(|c| hashed(c)))).or_default();
                        alone &= rows.is_empty();
                        rows.push(n);
                    }
                }
                None => {
                    alone = false;
                    table.others.push(n);
                }
            }
            table.rows.push(Row { cells, value, alone });
        }
        table
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
        let hash = hash(values.iter().map(|v| Hashed::of(*v)));
        let literal = self.by_hash.get(&hash).and_then(|rows| rows.iter().find(takes));
        // A row of values only is narrower than any other.
        literal.or_else(|| self.others.iter().find(takes)).map(|n| *n as usize)
    }
}

impl<V> Row<V> {
    #[inline]
    fn takes(&self, values: &[Value<'_>]) -> bool {
        self.cells.iter().zip(values).all(|(cell, value)| accepts(cell, value))
    }
}

fn hash<'a>(keys: impl Iterator<Item = Hashed<'a>>) -> u64 {
    let mut hasher = FxHasher::default();
    keys.for_each(|key| key.hash(&mut hasher));
    hasher.finish()
}

/// All keys that a row of values takes; none for a row with groups or `_`.
fn combinations(cells: &[Pattern]) -> Option<Vec<Vec<&Const>>> {
    let mut keys: Vec<Vec<&Const>> = vec![Vec::new()];
    for cell in cells {
        let constants: Vec<&Const> = match cell {
            Pattern::OneOf(constants) => constants.iter().collect(),
            Pattern::Absent => vec![&Const::Absent],
            Pattern::Any | Pattern::Prefix(_) | Pattern::Group(_) | Pattern::Either(_) => return None,
        };
        if keys.len() * constants.len() > COMBINATIONS_MAX {
            return None;
        }
        keys = keys
            .iter()
            .flat_map(|key| constants.iter().map(move |c| key.iter().copied().chain([*c]).collect()))
            .collect();
    }
    Some(keys)
}
