//! What the defaults of now change in payloads, for people and for programs.

use super::compare::Beside;
use crate::cli::screen::{Paint, Screen};
use crate::cli::test;
use crate::store::Place;
use crate::testing::Tested;
use crate::workspace::{Case, Compared, DifferenceKind, LineDifference, Tally, Whose};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Tests and records that people see of one line that makes a difference.
const SHOWN: usize = 3;
/// Characters that people see of a value.
const VALUE_CHARS: usize = 100;

/// For people.
pub(super) fn people(screen: &Screen, beside: &Beside) -> String {
    let mut text = String::new();
    match beside {
        Beside::OneSide(why, failing) => {
            let _ = writeln!(text, "\nwhat that changes in payloads can't be told: {why}");
            list(&mut text, "tests that fail now; whether they passed before can't be told", failing);
        }
        Beside::Whole(compared, turned) => {
            if !compared.changes.is_empty() {
                text.push_str("\nwhat that changes (before → now):\n");
            }
            compared.changes.iter().for_each(|change| one(screen, change, &mut text));
            text.push('\n');
            tally(&mut text, "tests", &compared.tests);
            tally(&mut text, "records of the log", &compared.records);
            if turned.passing > 0 {
                let _ = writeln!(text, "tests that failed and pass now: {}", turned.passing);
            }
            if turned.failing_still > 0 {
                let _ = writeln!(text, "tests that fail before and now: {}", turned.failing_still);
            }
            list(&mut text, "tests that passed and fail now", &turned.failing);
        }
    }
    text
}

fn one(screen: &Screen, change: &LineDifference, text: &mut String) {
    let name = if change.field.is_empty() { change.of.clone() } else { format!("{} {}", change.of, change.field) };
    let _ = writeln!(text, "\n{}", screen.paint(&name, Paint::Bold));
    let line = |at: &Option<Place>| at.as_ref().map(|at| format!("{}:{}", at.file, at.line));
    match [line(&change.at[0]), line(&change.at[1])] {
        [Some(was), Some(now)] => drop(writeln!(text, "  {now}; before: {was}")),
        [None, Some(now)] => drop(writeln!(text, "  {now}")),
        [Some(was), None] => drop(writeln!(text, "  before: {was}")),
        [None, None] => {}
    }
    for case in change.cases.iter().take(SHOWN) {
        let of = match &case.of {
            Whose::Test(name) => format!("test {name}"),
            Whose::Record(id) => id.clone(),
        };
        let field = if case.field == change.field { String::new() } else { format!("{}: ", case.field) };
        let _ = writeln!(text, "  {of}  {field}{} → {}", value(case.was.as_ref()), value(case.now.as_ref()));
    }
    if change.count > SHOWN {
        let _ = writeln!(text, "  and {} more", change.count - SHOWN);
    }
}

fn value(value: Option<&Value>) -> String {
    let said = value.map_or_else(|| "nothing".to_owned(), Value::to_string);
    if said.chars().count() <= VALUE_CHARS {
        return said;
    }
    said.chars().take(VALUE_CHARS).collect::<String>() + "…"
}

fn tally(text: &mut String, what: &str, tally: &Tally) {
    if tally.same + tally.differ + tally.left() == 0 {
        let _ = writeln!(text, "{what}: none");
        return;
    }
    let left = if tally.left() > 0 { format!(", {} not compared", tally.left()) } else { String::new() };
    let _ = writeln!(text, "{what}: {} come to the same, {} differ{left}", tally.same, tally.differ);
    for open in &tally.open {
        let named = open.of.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        let more = if open.count > SHOWN { ", …" } else { "" };
        let _ = writeln!(text, "  {}: {} ({named}{more})", open.count, open.why);
    }
}

fn list(text: &mut String, title: &str, tests: &[Tested]) {
    if !tests.is_empty() {
        let _ = writeln!(text, "{title}:");
    }
    for test in tests {
        let _ = writeln!(text, "  {}", test.name());
        for line in test::mismatches(test).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
}

/// For programs.
pub(super) fn machine(beside: Option<&Beside>) -> Value {
    let tests = |tests: &[Tested]| Value::Array(tests.iter().map(test::machine).collect());
    match beside {
        None => Value::Null,
        Some(Beside::OneSide(why, failing)) => json!({ "why_not": why, "failing": tests(failing) }),
        Some(Beside::Whole(compared, turned)) => {
            let Compared { changes, tests: of_tests, records } = compared;
            json!({
                "changes": changes.iter().map(change).collect::<Vec<_>>(),
                "tests": counts(of_tests),
                "records": counts(records),
                "failing": tests(&turned.failing),
                "passing": turned.passing,
                "failing_still": turned.failing_still,
            })
        }
    }
}

fn counts(tally: &Tally) -> Value {
    let open = tally.open.iter().map(|open| json!({ "why": open.why, "count": open.count, "of": open.of }));
    json!({ "same": tally.same, "differ": tally.differ, "not_compared": open.collect::<Vec<_>>() })
}

fn change(change: &LineDifference) -> Value {
    let what = match change.what {
        DifferenceKind::Field => "field",
        DifferenceKind::Write => "write",
        DifferenceKind::End => "end",
        DifferenceKind::Alert => "alert",
    };
    let case = |case: &Case| {
        let (kind, of) = match &case.of {
            Whose::Test(name) => ("test", name),
            Whose::Record(id) => ("record", id),
        };
        json!({ kind: of, "field": case.field, "before": case.was, "now": case.now })
    };
    json!({
        "what": what, "of": change.of, "field": change.field, "before": change.at[0], "now": change.at[1],
        "count": change.count, "cases": change.cases.iter().map(case).collect::<Vec<_>>(),
    })
}
