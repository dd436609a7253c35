//! What another text of the defaults changes for a project: by the line that makes the difference, with the tests and records
//! that show it.

use super::record_outcome::{Difference, DifferenceKind};
use crate::limits;
use crate::store::Place;
use serde_json::Value;

/// What was compared.
#[derive(Debug, Default)]
pub struct Compared {
    /// What differs, by the line that makes the difference.
    pub changes: Vec<LineDifference>,
    /// The project's tests.
    pub tests: Tally,
    /// The records of the log.
    pub records: Tally,
}

/// How many came to the same.
#[derive(Debug, Default)]
pub struct Tally {
    /// So many did.
    pub same: usize,
    /// So many did not.
    pub differ: usize,
    /// Those that could not be compared, by the reason.
    pub open: Vec<Open>,
}

/// What could not be compared for one reason.
#[derive(Debug)]
pub struct Open {
    /// The reason.
    pub why: String,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub of: Vec<String>,
}

/// A line that makes a difference.
#[derive(Debug)]
pub struct LineDifference {
    /// What differs.
    pub what: DifferenceKind,
    /// The mapping or the flow.
    pub of: String,
    /// The field, without the numbers of lines: `SalesOrderLines[].VATCode`.
    pub field: String,
    /// The line then and now, where that is known.
    pub at: [Option<Place>; 2],
    /// How often.
    pub count: usize,
    /// The first of them.
    pub cases: Vec<Case>,
}

/// A difference in one test or record.
#[derive(Debug)]
pub struct Case {
    /// Whose.
    pub of: Whose,
    /// The field.
    pub field: String,
    /// What it was; none: it was not there.
    pub was: Option<Value>,
    /// What it is now.
    pub now: Option<Value>,
}

/// What something comes of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The test of that name.
    Test(String),
    /// The record with that ID.
    Record(String),
}

impl Compared {
    /// One more, with where it differs, or why it can't be compared.
    pub fn add(&mut self, of: &Whose, differences: Result<Vec<Difference>, String>) {
        let (tally, name) = match of {
            Whose::Test(name) => (&mut self.tests, name),
            Whose::Record(id) => (&mut self.records, id),
        };
        match differences {
            Err(why) => tally.leave(why, name),
            Ok(none) if none.is_empty() => tally.same += 1,
            Ok(differences) => {
                tally.differ += 1;
                differences.into_iter().for_each(|difference| self.group(of, difference));
            }
        }
    }

    fn group(&mut self, of: &Whose, difference: Difference) {
        let Difference { what, of: made_by, field, was, now, at } = difference;
        let plain = without_numbers(&field);
        let line = |at: &Option<Place>| at.as_ref().map(|at| (at.file.clone(), at.line));
        let alike = |known: &LineDifference| {
            known.what == what
                && known.of == made_by
                && known.field == plain
                && (0..2).all(|n| line(&known.at[n]) == line(&at[n]))
        };
        let n = self.changes.iter().position(alike).unwrap_or_else(|| {
            self.changes.push(LineDifference { what, of: made_by, field: plain, at, count: 0, cases: Vec::new() });
            self.changes.len() - 1
        });
        let change = &mut self.changes[n];
        change.count += 1;
        if change.cases.len() < limits::COMPARED_CASES_MAX {
            change.cases.push(Case { of: of.clone(), field, was, now });
        }
    }
}

impl Tally {
    fn leave(&mut self, why: String, name: &str) {
        let n = self.open.iter().position(|open| open.why == why).unwrap_or_else(|| {
            self.open.push(Open { why, count: 0, of: Vec::new() });
            self.open.len() - 1
        });
        let open = &mut self.open[n];
        open.count += 1;
        if open.of.len() < limits::COMPARED_CASES_MAX {
            open.of.push(name.to_owned());
        }
    }

    /// How many could not be compared.
    pub fn left(&self) -> usize {
        self.open.iter().map(|open| open.count).sum()
    }
}

/// `SalesOrderLines[3].VATCode` is a field of each line.
fn without_numbers(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut within = false;
    for c in field.chars() {
        within = within && c != ']';
        if !within {
            plain.push(c);
        }
        within = within || c == '[';
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_list_are_one_field() {
        assert_eq!(without_numbers("SalesOrderLines[12].VATCode"), "SalesOrderLines[].VATCode");
        let mut compared = Compared::default();
        let one = |n: usize| Difference {
            what: DifferenceKind::Field,
            of: "orders.sales_order".into(),
            field: format!("Lines[{n}].Price"),
            was: Some(1.into()),
            now: None,
            at: [None, None],
        };
        compared.add(&Whose::Record("orders:1".into()), Ok(vec![one(0), one(1)]));
        compared.add(&Whose::Record("orders:2".into()), Ok(Vec::new()));
        compared.add(&Whose::Record("orders:3".into()), Err("it is over".into()));
        compared.add(&Whose::Test("a: b".into()), Ok(vec![one(4)]));
        assert_eq!((compared.changes.len(), compared.changes[0].count), (1, 3));
        let records = &compared.records;
        assert_eq!((records.same, records.differ, records.left(), compared.tests.differ), (1, 1, 1, 1));
    }
}
