//! The row of a table for its keys, and what is told where there is none.

use crate::eval::code::{Code, Eval, Run};
use crate::eval::failure::{Failure, Halt, Lacks, note};
use crate::eval::personal::told;
use crate::eval::table::COLUMNS_MAX;
use crate::eval::value::{Value, show};
use crate::ir::{Grows, LookupId, Pattern, Type};
use crate::source::Span;

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
            3..=COLUMNS_MAX => self.find_by::<COLUMNS_MAX>(run),
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
                Err(halt) => note(&mut halted, halt)?,
            }
        }
        if let Some(halt) = halted {
            return Err(halt);
        }
        let values = &values[..self.keys.len()];
        let n = self.table;
        let table = &run.compiled.tables[n];
        // The lines of a document often ask for the same row.
        match table.row(values, run.recent_row(n)) {
            Some(row) => {
                run.found_row(n, row);
                run.told_row(n, row);
                table.value(row).eval(run)
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
        let (what, row) = match &lookup.grows {
            Grows::Here => (format!("add the row `{row}` to it"), row),
            Grows::Adapted => (format!("add `adapt lookup {} {{ {row} }}` to project.flow", lookup.name), row),
            Grows::Csv(file) => {
                let line: Vec<String> = keys()
                    .enumerate()
                    .map(|(n, (value, ty, own))| of_row(n, value, own, csv_cell(value, ty)))
                    .collect();
                let line = format!("{},…", line.join(","));
                (format!("add the line `{line}` to {file}"), line)
            }
        };
        let mut failure = Failure::new(format!("no row for {shown} in {name}: {what}"), self.span).with_value(shown);
        // The declaration of a table that ships is in no file that a person could change.
        failure.related = (lookup.grows == Grows::Here).then_some(lookup.span);
        failure.lacks = u32::try_from(self.table).ok().map(|n| Box::new(Lacks { lookup: LookupId(n), row }));
        Halt::fail(failure)
    }
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
