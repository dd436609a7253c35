//! Decision tables: rows of values only are found by hash, the others in order of narrowness.

use super::code::Code;
use super::compile::Compiler;
use super::ops::accepts;
use super::personal::told;
use super::run::{Eval, Run};
use super::value::{Value, show};
use super::{Failure, Halt};
use crate::ir::{Const, Grows, Lookup, Pattern, Type};
use crate::source::Span;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// A compiled table.
pub(crate) struct Table {
    rows: Vec<Row>,
    /// Rows of values only, by the hash of their keys.
    by_hash: FxHashMap<u64, Vec<u32>>,
    /// The others, the narrower ones first.
    others: Vec<u32>,
}

struct Row {
    cells: Vec<Pattern>,
    value: Code,
    /// No row before it takes what it takes.
    alone: bool,
}

/// Most combinations of `|` in one row that are laid out one by one.
const COMBINATIONS_MAX: usize = 64;

impl Table {
    pub(crate) fn new(compiler: &mut Compiler<'_>, lookup: &Lookup) -> Self {
        let mut table = Self { rows: Vec::new(), by_hash: FxHashMap::default(), others: Vec::new() };
        for (n, row) in lookup.rows.iter().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            let mut alone = true;
            match combinations(&row.cells) {
                Some(keys) => {
                    for key in keys {
                        let rows = table.by_hash.entry(hash(key.iter().map(|c| super::ops::hashed(c)))).or_default();
                        alone &= rows.is_empty();
                        rows.push(n);
                    }
                }
                None => {
                    alone = false;
                    table.others.push(n);
                }
            }
            table.rows.push(Row { cells: row.cells.clone(), value: compiler.code(&row.value), alone });
        }
        table
    }

    fn row(&self, values: &[Value<'_>]) -> Option<usize> {
        let takes = |n: &&u32| self.rows[**n as usize].takes(values);
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
        let n = self.table;
        let table = &run.compiled.tables[n];
        // The lines of a document often ask for the same row.
        let recent = run.recent_rows[n];
        let again = table.rows.get(recent).is_some_and(|row| row.alone && row.takes(values));
        match if again { Some(recent) } else { table.row(values) } {
            Some(row) => {
                run.recent_rows[n] = row;
                run.told_row(n, row);
                table.rows[row].value.eval(run)
            }
            None if self.must => Err(self.no_row(run, values)),
            None => Ok(Value::Absent),
        }
    }

    fn no_row(&self, run: &Run<'_>, values: &[Value<'_>]) -> Halt {
        let lookup = &run.compiled.program.lookups[self.table];
        let keys = || values.iter().zip(&lookup.keys).zip(&self.personal).map(|((v, (_, ty)), own)| (*v, ty, *own));
        // What tells of a person is masked where it is told, and left out where it is to be copied.
        let shown =
            keys().map(|(value, ty, own)| if own { told(value, own) } else { cell(value, ty).replace('"', "") });
        let shown = shown.collect::<Vec<_>>().join(", ");
        let or_open = |own: bool, text: String| if own { "…".to_owned() } else { text };
        // What is absent, and decides nothing in other rows, decides nothing in the new one.
        let any = |n: usize| lookup.rows.iter().any(|row| matches!(row.cells.get(n), Some(Pattern::Any)));
        let is_open = |n: usize, value: Value<'_>| matches!(value, Value::Absent) && any(n);
        let of_row = |n: usize, value: Value<'_>, own: bool, text: String| {
            if is_open(n, value) { "_".to_owned() } else { or_open(own, text) }
        };
        let cells: Vec<String> =
            keys().enumerate().map(|(n, (value, ty, own))| of_row(n, value, own, cell(value, ty))).collect();
        let quoted = lookup.result.present().is_text() || matches!(lookup.result.present(), Type::Code(_));
        let row = format!("{} => {}", cells.join(", "), if quoted { "\"…\"" } else { "…" });
        let name = lookup.name.rsplit('.').next().unwrap_or(&lookup.name);
        let what = match &lookup.grows {
            Grows::Here => format!("add the row `{row}` to it"),
            Grows::Adapted => format!("add `adapt lookup {} {{ {row} }}` to project.flow", lookup.name),
            Grows::Csv(file) => {
                let line: Vec<String> = keys()
                    .enumerate()
                    .map(|(n, (value, ty, own))| of_row(n, value, own, csv_cell(value, ty)))
                    .collect();
                format!("add the line `{},…` to {file}", line.join(","))
            }
        };
        let mut failure = Failure::new(format!("no row for {shown} in {name}: {what}"), self.span).with_value(shown);
        // The declaration of a table that ships is in no file that a person could change.
        failure.related = (lookup.grows == Grows::Here).then_some(lookup.span);
        Halt::fail(failure)
    }
}

impl Row {
    #[inline]
    fn takes(&self, values: &[Value<'_>]) -> bool {
        self.cells.iter().zip(values).all(|(cell, value)| accepts(cell, value))
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

/// A value as a row of the language has it.
fn cell(value: Value<'_>, ty: &Type) -> String {
    match (value, ty.present()) {
        (Value::Absent, _) => "none".to_owned(),
        (Value::Number(n), Type::Percent) => format!("{}%", n.normalize()),
        (Value::Text(text) | Value::Reference(text), _) => {
            let escaped: String = text.chars().flat_map(escaped).collect();
            format!("\"{escaped}\"")
        }
        _ => show(value),
    }
}

fn escaped(c: char) -> Vec<char> {
    match c {
        '"' | '\\' | '{' | '}' => vec!['\\', c],
        '\n' => vec!['\\', 'n'],
        _ => vec![c],
    }
}

/// A value as a line of a CSV file has it.
fn csv_cell(value: Value<'_>, ty: &Type) -> String {
    let shown = match (value, ty.present()) {
        (Value::Absent, _) => String::new(),
        (Value::Number(n), Type::Percent) => format!("{}%", n.normalize()),
        _ => show(value),
    };
    if shown.contains([',', '"', '\n']) { format!("\"{}\"", shown.replace('"', "\"\"")) } else { shown }
}
