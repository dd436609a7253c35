//! The tests of a project, with the defaults that it was made with and with others: what each comes to on both sides, and
//! which pass on one of them alone.

use super::judge::Outcome;
use super::snapshot::Snapshots;
use super::suite::{NOW, Suite, Tested};
use crate::eval::{Came, Cause, Trial, Why, World};
use crate::ir::{Expected, Subject, TestStep};
use crate::workspace::{Compared, RecordOutcome, Sides, Whose, Workspace};
use bumpalo::Bump;
use serde_json::{Map, Value};

/// Tests whose outcome is another one.
#[derive(Debug, Default)]
pub struct Turned {
    /// Those that passed and do no longer, as they come out now.
    pub failing: Vec<Tested>,
    /// How many pass now and did not.
    pub passing: usize,
    /// How many pass on neither side.
    pub failing_still: usize,
}

impl Suite<'_> {
    /// Holds what comes of each test against what comes of it in `then`: the same project, with other texts of the defaults.
    pub fn compare(&self, then: &Suite<'_>, snapshots: &mut Snapshots<'_>, compared: &mut Compared) -> Turned {
        let mut turned = Turned::default();
        for number in 0..self.workspace().program().tests.len() {
            let before = then.run(number, snapshots);
            for (case, (now, was)) in self.run(number, snapshots).into_iter().zip(before).enumerate() {
                self.beside(then, (number, case), &now, compared);
                match (is_passed(&was), is_passed(&now)) {
                    (true, false) => turned.failing.push(now),
                    (false, true) => turned.passing += 1,
                    (false, false) => turned.failing_still += 1,
                    (true, true) => {}
                }
            }
        }
        turned
    }

    fn beside(&self, then: &Suite<'_>, (number, case): (usize, usize), test: &Tested, compared: &mut Compared) {
        let of = Whose::Test(test.name());
        let differences = then.within(number, case, |was, of_then, world_then| {
            self.within(number, case, |now, of_now, world_now| {
                let whys = || [whys(was, of_then), whys(now, of_now)];
                Sides([was, now]).differences([&came(was, of_then, world_then), &came(now, of_now, world_now)], whys)
            })
        });
        let unsound = |outcome: Outcome| match outcome {
            Outcome::Broken(mismatch) => mismatch.came,
            Outcome::Passed | Outcome::Failed(_) => String::new(),
        };
        compared.add(&of, differences.and_then(|now| now).map_err(unsound));
    }
}

impl Tested {
    /// What people call it: `orders: a Dutch order [at home]`.
    pub fn name(&self) -> String {
        let case = self.case.as_ref().map_or_else(String::new, |case| format!(" [{case}]"));
        format!("{}: {}{case}", self.module, self.title)
    }
}

fn is_passed(tested: &Tested) -> bool {
    matches!(tested.outcome, Outcome::Passed)
}

/// What all mappings of a test make, then what each of its statements comes to: as many on both sides, up to one behind which
/// nothing is known.
fn came(workspace: &Workspace, of: (usize, usize), world: &World) -> Vec<RecordOutcome> {
    let arena = Bump::new();
    let program = workspace.program();
    let mut trial = Trial::new(workspace.compiled(), of, world, &arena);
    let mut statements = Vec::new();
    walk(&mut trial, |step, came| {
        let (subject, span) = match step {
            TestStep::Expect(subject, _, span) | TestStep::Snapshot(subject, span) => (Some(subject), *span),
            TestStep::Given(given) => (None, given.span),
            TestStep::Now(value) | TestStep::Let(_, value) => (None, value.span),
        };
        let said = workspace.sources().text(span).lines().next().unwrap_or_default().trim();
        let flow = match subject {
            Some(Subject::Flow(flow, _)) => Some(&program.flows[*flow].name),
            _ => None,
        };
        statements.push(match (came, flow) {
            (Came::Drafts(drafts, alerts), Some(flow)) => RecordOutcome::written(program, flow, &drafts, alerts),
            (Came::Filtered, Some(flow)) => RecordOutcome::left_out(flow),
            (Came::Stopped(stop, failure), _) => RecordOutcome::stopped(said, stop, &failure),
            // The payload of a draft is among those of the mappings.
            (Came::Payload(value), _) if serde_json::from_str::<Map<String, Value>>(&value).is_err() => {
                RecordOutcome::value(said, value)
            }
            _ => RecordOutcome::written(program, said, &[], Vec::new()),
        });
    });
    let (drafts, alerts) = trial.drafted_so_far();
    statements.insert(0, RecordOutcome::written(program, "mappings", &drafts, alerts));
    statements
}

/// Which line made each field.
fn whys(workspace: &Workspace, of: (usize, usize)) -> Vec<Why> {
    // What is given stays in a world: each trial has one of its own.
    let (arena, world) = (Bump::new(), World::new(NOW));
    let mut trial = Trial::traced(workspace.compiled(), of, &world, &arena);
    walk(&mut trial, |_, _| ());
    trial.whys()
}

/// Takes the statements up to the last, or to one without which those behind it mean nothing.
fn walk(trial: &mut Trial<'_>, mut each: impl FnMut(&TestStep, Came)) {
    while let Some((step, came)) = trial.step() {
        let is_last = match (&came, step) {
            (Came::Stopped(_, failure), TestStep::Expect(..)) => failure.cause == Cause::Given,
            (came, _) => matches!(came, Came::Stopped(..)),
        };
        if let TestStep::Expect(_, Expected::Stops(..) | Expected::Alerts(_), _) = step {
            // It is an expression of the test as any other, and its turn is now.
            drop(trial.reason());
        }
        each(step, came);
        if is_last {
            break;
        }
    }
}
