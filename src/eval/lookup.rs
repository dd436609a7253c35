//! Decision tables: rows of values only are found by hash, the others in order of narrowness.

use super::code::Code;
use super::compile::Compiler;
use super::ops::accepts;
use super::personal::told;
use super::run::{Eval, Run};
use super::value::Value;
use super::{Failure, Halt};
use crate::ir::{Const, Lookup, Pattern, Type};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// A compiled table.
pub(crate) struct Table {
    rows: Vec<(Vec<Pattern>, Code)>,
    /// Rows of values only, by the hash of their keys.
    by_hash: FxHashMap<u64, Vec<u32>>,
    /// The others, the narrower ones first.
    others: Vec<u32>,
}

/// Most combinations of `|` in one row that are laid out one by one.
const COMBINATIONS_MAX: usize = 64;

impl Table {
    pub(crate) fn new(compiler: &mut Compiler<'_>, lookup: &Lookup) -> Self {
        let mut table = Self { rows: Vec::new(), by_hash: FxHashMap::default(), others: Vec::new() };
        for (n, row) in lookup.rows.iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            match combinations(&row.cells) {
                Some(keys) => {
                    for key in keys {
                        let hash = hash(key.iter().map(|c| super::ops::hashed(c)));
                        table.by_hash.entry(hash).or_default().push(n);
                    }
                }
                None => table.others.push(n),
            }
            table.rows.push((row.cells.clone(), compiler.code(&row.value)));
        }
        table
    }

    fn row(&self, values: &[Value<'_>]) -> Option<usize> {
        let takes = |n: &&u32| {
            let (cells, _) = &self.rows[**n as usize];
            cells.iter().zip(values).all(|(cell, value)| accepts(cell, *value))
        };
        let hash = hash(values.iter().map(|v| super::ops::Hashed::of(*v)));
        let literal = self.by_hash.get(&hash).and_then(|rows| rows.iter().find(takes));
        // A row of values only is narrower than any other.
        literal.or_else(|| self.others.iter().find(takes)).map(|n| *n as usize)
    }
}

/// The value of a row that is asked for.
pub(crate) struct RowWanted {
    pub(crate) table: usize,
    pub(crate) keys: Vec<Code>,
    /// Which keys tell personal data.
    pub(crate) personal: Vec<bool>,
    /// It must be there.
    pub(crate) must: bool,
    pub(crate) span: Span,
}

impl RowWanted {
    /// The value of the row for these keys.
    pub(crate) fn find<'r>(&self, run: &mut Run<'r>) -> Eval<'r> {
        match self.keys.len() {
            0..=2 => self.find_by::<2>(run),
            3..=8 => self.find_by::<8>(run),
            _ => Err(run.broken_promise("a table of more than 8 columns", self.span)),
        }
    }

    fn find_by<'r, const MOST: usize>(&self, run: &mut Run<'r>) -> Eval<'r> {
        let mut values = [Value::Absent; MOST];
        let mut halted = None;
        for (key, value) in self.keys.iter().zip(&mut values) {
            match key.eval(run) {
                Ok(Value::Text(key)) => *value = Value::Text(key),
                Ok(Value::Number(key)) => *value = Value::Number(key),
                Ok(key) => *value = key,
                Err(halt) => super::ops::note(&mut halted, halt)?,
            }
        }
        if let Some(halt) = halted {
            return Err(halt);
        }
        let values = &values[..self.keys.len()];
        let compiled = run.compiled;
        let n = self.table;
        match compiled.tables[n].row(values) {
            Some(row) => {
                run.told_row(n, row);
                compiled.tables[n].rows[row].1.eval(run)
            }
            None if self.must => Err(self.no_row(run, values)),
            None => Ok(Value::Absent),
        }
    }

    fn no_row(&self, run: &Run<'_>, values: &[Value<'_>]) -> Halt {
        let lookup = &run.compiled.program.lookups[self.table];
        let shown: Vec<String> = values
            .iter()
            .zip(&lookup.keys)
            .zip(&self.personal)
            .map(|((value, (_, ty)), personal)| match (value, ty.present()) {
                (Value::Number(n), Type::Percent) => format!("{} %", n.normalize()),
                _ => told(*value, *personal),
            })
            .collect();
        let shown = shown.join(", ");
        let name = lookup.name.rsplit('.').next().unwrap_or(&lookup.name);
        let mut failure = Failure::new(format!("no row for {shown} in {name}: add one"), self.span).with_value(shown);
        failure.related = Some(lookup.span);
        Halt::fail(failure)
    }
}

fn hash<'a>(keys: impl Iterator<Item = super::ops::Hashed<'a>>) -> u64 {
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
            Pattern::Any | Pattern::Group(_) | Pattern::Either(_) => return None,
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
