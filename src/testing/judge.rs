//! Whether what came of a test is what it expects.

use super::snapshot::Snapshots;
use crate::check::Checked;
use crate::engine::{Alone, alone};
use crate::eval::{Came, Cause, Draft, Failure, Trial, World};
use crate::ir::{EntityId, Expected, Program, Stop, TestStep};
use crate::source::{Severity, Span};
use crate::store::Place;
use crate::workspace::Workspace;
use bumpalo::Bump;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// What came of a test.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All that it expects is so.
    Passed,
    /// These are not.
    Failed(Vec<Mismatch>),
    /// The test itself is wrong: what it says can't be evaluated.
    Broken(Box<Mismatch>),
}

/// What is not as it was expected, or can't be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The statement.
    pub place: Option<Place>,
    /// What it says, as it is written.
    pub said: String,
    /// What came instead.
    pub came: String,
    /// The line of a flow that it comes from.
    pub from: Option<Place>,
    /// The values of the parts of a condition.
    pub parts: Vec<Part>,
}

/// A part of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As it is written.
    pub text: String,
    /// Its value.
    pub value: String,
}

impl Mismatch {
    /// These statements would give what is asked for and not given; one of them is in the reason already.
    fn lacks(&mut self, statements: &[String]) {
        if statements.len() > 1 {
            self.came.push_str("\nall that it asks for so far and the test does not give:");
            statements.iter().for_each(|one| {
                let _ = write!(self.came, "\n  {one}");
            });
        }
    }
}

impl Outcome {
    /// The project can't be run with the answers of the test.
    pub(super) fn unsound(checked: &Checked) -> Self {
        let first = checked.diagnostics.iter().find(|d| d.severity == Severity::Error);
        let came = first.map_or_else(String::new, |d| {
            format!("with the answers of the test: {} ({})", d.message, checked.sources.place(d.span))
        });
        Self::Broken(Box::new(Mismatch {
            place: None,
            said: "given settings".to_owned(),
            came,
            from: None,
            parts: Vec::new(),
        }))
    }
}

/// Runs a case of a test, and judges what comes of it.
pub(super) fn judge(
    workspace: &Workspace,
    (number, case): (usize, usize),
    world: &World,
    arena: &Bump,
    snapshots: &mut Snapshots<'_>,
) -> Outcome {
    let test = &workspace.program().tests[number];
    let mut trial = Trial::new(workspace.compiled(), (number, case), world, arena);
    let named = test.cases.as_ref().and_then(|cases| cases.rows.get(case));
    let title = named.map_or_else(|| test.title.to_string(), |row| format!("{} {}", test.title, row.name));
    let mut judge = Judge { workspace, failed: Vec::new(), kept: 0, title };
    while let Some((step, came)) = trial.step() {
        let expected = match step {
            TestStep::Expect(_, Expected::Stops(stop, _), _) => Some((Told::Stop(*stop), trial.reason())),
            TestStep::Expect(_, Expected::Alerts(_), _) => Some((Told::Alert, trial.reason())),
            _ => None,
        };
        let (stops, failed) = (matches!(came, Came::Stopped(..)), judge.failed.len());
        let mut broken = judge.statement(step, came, expected, snapshots).err();
        // One row is told in the reason; who writes them wants to know of all of them.
        if stops && let Some(mismatch) = broken.as_deref_mut().or_else(|| judge.failed.get_mut(failed)) {
            mismatch.lacks(&trial.lacking());
        }
        if let Some(broken) = broken {
            return Outcome::Broken(broken);
        }
    }
    if judge.failed.is_empty() { Outcome::Passed } else { Outcome::Failed(judge.failed) }
}

struct Judge<'w> {
    workspace: &'w Workspace,
    failed: Vec<Mismatch>,
    /// Snapshots that the test has taken.
    kept: usize,
    /// What snapshots are called by.
    title: String,
}

/// How a person comes to know of it.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Stop(Stop),
    Alert,
}

impl Judge<'_> {
    /// Judges a statement; what can't be evaluated ends the test.
    fn statement(
        &mut self,
        step: &TestStep,
        came: Came,
        expected: Option<(Told, String)>,
        snapshots: &mut Snapshots<'_>,
    ) -> Result<(), Box<Mismatch>> {
        let (span, expects) = match step {
            TestStep::Given(given) => (given.span, None),
            TestStep::Now(value) | TestStep::Let(_, value) => (value.span, None),
            TestStep::Expect(_, expected, span) => (*span, Some(expected)),
            TestStep::Snapshot(_, span) => (*span, None),
        };
        match (came, expected, expects) {
            (Came::Stopped(_, failure), ..) if failure.cause == Cause::Given => {
                Err(Box::new(self.stopped(span, &failure)))
            }
            (Came::Stopped(stop, failure), Some((wanted, text)), _) => {
                if Told::Stop(stop) != wanted || text.is_empty() || !failure.reason.contains(&text) {
                    let mismatch = Mismatch {
                        came: format!("it {}: {}", stop.word(), failure.reason),
                        ..self.stopped(span, &failure)
                    };
                    self.failed.push(mismatch);
                }
                Ok(())
            }
            (Came::Stopped(stop, failure), None, Some(_)) => {
                let came = format!("it {}: {}", stop.word(), failure.reason);
                let mismatch = Mismatch { came, ..self.stopped(span, &failure) };
                self.failed.push(mismatch);
                Ok(())
            }
            (Came::Stopped(_, failure), None, None) => Err(Box::new(self.stopped(span, &failure))),
            (Came::Drafts(_, alerts), Some((Told::Alert, text)), _) => {
                if text.is_empty() || !alerts.iter().any(|alert| alert.contains(&text)) {
                    let told = if alerts.is_empty() { "nobody is told anything".to_owned() } else { alerts.join("\n") };
                    self.fail(span, told, Vec::new());
                }
                Ok(())
            }
            (came, Some((wanted, _)), _) => {
                self.fail(span, format!("it {}", self.instead(&came, wanted)), Vec::new());
                Ok(())
            }
            (Came::Holds(holds, parts), ..) => {
                if !holds {
                    let text = |span: Span| self.workspace.sources().text(span).to_owned();
                    let parts = parts.into_iter().map(|(span, value)| Part { text: text(span), value }).collect();
                    self.fail(span, "it does not hold".to_owned(), parts);
                }
                Ok(())
            }
            (Came::Drafts(drafts, _), _, Some(Expected::Writes(wanted))) => {
                self.writes(span, &drafts, wanted);
                Ok(())
            }
            (Came::Filtered, _, Some(Expected::Writes(wanted))) => {
                if !wanted.is_empty() {
                    self.fail(span, "the filter of the flow leaves the record out".to_owned(), Vec::new());
                }
                Ok(())
            }
            (Came::Payload(payload), ..) => {
                let made = serde_json::from_str(&payload).unwrap_or_else(|_| Value::from(payload));
                self.snapshot(span, &made, snapshots);
                Ok(())
            }
            (Came::Drafts(drafts, alerts), ..) if matches!(step, TestStep::Snapshot(..)) => {
                let made = self.unit(&drafts, &alerts);
                self.snapshot(span, &made, snapshots);
                Ok(())
            }
            (Came::Filtered, ..) if matches!(step, TestStep::Snapshot(..)) => {
                self.fail(span, "the filter of the flow leaves the record out".to_owned(), Vec::new());
                Ok(())
            }
            (Came::Done | Came::Drafts(..) | Came::Filtered, ..) => Ok(()),
        }
    }

    fn writes(&mut self, span: Span, drafts: &[Draft], wanted: &[EntityId]) {
        let program = self.workspace.program();
        let mut written: Vec<EntityId> =
            drafts.iter().filter(|draft| alone(program, draft) != Alone::Nothing).map(|draft| draft.entity).collect();
        written.sort_unstable();
        written.dedup();
        let mut expected = wanted.to_vec();
        expected.sort_unstable();
        expected.dedup();
        if written != expected {
            self.fail(span, format!("it writes {}", names(program, &written)), Vec::new());
        }
    }

    /// All that a flow writes of a record, in the order of its writes, and what a person is told.
    fn unit(&self, drafts: &[Draft], alerts: &[String]) -> Value {
        let program = self.workspace.program();
        let body = |text: String| serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text));
        let written = drafts.iter().filter_map(|draft| {
            let (does, body) = match alone(program, draft) {
                Alone::Nothing => return None,
                Alone::Create(made) => ("create", body(made)),
                Alone::Update(change) => ("update", change.map_or(Value::Null, body)),
                Alone::Delete => ("delete", Value::Null),
            };
            Some(json!({ "mapping": &*draft.made.name, does: body }))
        });
        json!({ "writes": written.collect::<Vec<_>>(), "alerts": alerts })
    }

    fn snapshot(&mut self, span: Span, payload: &Value, snapshots: &mut Snapshots<'_>) {
        let flow: PathBuf = self.workspace.sources().get(span.file).path.clone();
        let number = self.kept;
        self.kept += 1;
        if let Err(differs) = snapshots.compare(&flow, &self.title, number, payload) {
            self.fail(span, differs, Vec::new());
        }
    }

    fn instead(&self, came: &Came, wanted: Told) -> String {
        let not = match wanted {
            Told::Stop(Stop::Fail) => "does not fail",
            Told::Stop(Stop::Wait) => "does not wait",
            Told::Stop(Stop::Skip) => "is not skipped",
            Told::Alert => "tells nobody",
        };
        match came {
            Came::Drafts(drafts, _) => {
                let written: Vec<EntityId> = drafts.iter().map(|draft| draft.entity).collect();
                format!("{not}: it writes {}", names(self.workspace.program(), &written))
            }
            Came::Filtered => format!("{not}: the filter of the flow leaves it out"),
            _ => not.to_owned(),
        }
    }

    fn fail(&mut self, span: Span, came: String, parts: Vec<Part>) {
        let mismatch = self.mismatch(span, came);
        self.failed.push(Mismatch { parts, ..mismatch });
    }

    fn mismatch(&self, span: Span, came: String) -> Mismatch {
        let said = self.workspace.sources().text(span).to_owned();
        Mismatch { place: self.workspace.place(span), said, came, from: None, parts: Vec::new() }
    }

    fn stopped(&self, span: Span, failure: &Failure) -> Mismatch {
        let from = if failure.place.end == 0 { None } else { self.workspace.place(failure.place) };
        Mismatch { from, ..self.mismatch(span, failure.reason.clone()) }
    }
}

fn names(program: &Program, entities: &[EntityId]) -> String {
    if entities.is_empty() {
        return "nothing".to_owned();
    }
    let names: Vec<String> = entities.iter().map(|id| program.entity(*id).full_name()).collect();
    names.join(", ")
}
