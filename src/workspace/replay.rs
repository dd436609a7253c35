//! An attempt of the log computed again. No system is asked.

use super::error::WorkspaceError;
use super::project::Workspace;
use crate::engine::log::{Asked, Entry, Found, FoundAnswer};
use crate::eval::{Answered, Evaluated, Query, Resolver, Why};
use crate::ir::Program;
use crate::store::{Attempt, Store};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

/// A record that is computed again: one of its attempts, and what was known of both systems by then.
pub(super) struct Replay {
    flow: usize,
    raw: String,
    /// What was asked and answered; whether before the attempt wrote anything.
    answers: Vec<(Asked, Answered, bool)>,
    /// When the record was tried first: its now.
    first: Timestamp,
    /// The project as it was then, if it has changed since.
    pub(super) then: Option<Workspace>,
}

impl Replay {
    /// Reads an entry, and the small tables that it names.
    pub(super) async fn of(
        workspace: &Workspace,
        store: &dyn Store,
        attempt: &Attempt,
        first: Timestamp,
    ) -> Result<Self, WorkspaceError> {
        let is_now = attempt.version == workspace.version();
        let then = if is_now { None } else { workspace.as_of(&attempt.version, store).await? };
        let program = then.as_ref().unwrap_or(workspace).program();
        let flow = program.flows.iter().position(|flow| *flow.name == *attempt.flow);
        let flow =
            flow.ok_or_else(|| WorkspaceError::Asked(format!("the project has no flow {} any more", attempt.flow)))?;
        let Entry { raw, found, .. } = Entry::read(attempt)?;
        let mut answers = Vec::with_capacity(found.len());
        for Found { asked, answer, before_writing } in found {
            let answered = match answer {
                FoundAnswer::Rows(rows) => all(&rows),
                FoundAnswer::Unreadable(why) => Answered::Unreadable(why),
                FoundAnswer::Kept { hash: None, .. } => Answered::NotAsked,
                FoundAnswer::Kept { hash: Some(hash), .. } => {
                    let rows =
                        store.table(&hash).await?.and_then(|rows| serde_json::from_str::<Vec<Value>>(&rows).ok());
                    rows.map_or(Answered::NotAsked, |rows| all(&rows))
                }
            };
            answers.push((asked, answered, before_writing));
        }
        Ok(Self { flow, raw, answers, first, then })
    }

    /// The project as it was then.
    pub(super) fn project<'a>(&'a self, workspace: &'a Workspace) -> &'a Workspace {
        self.then.as_ref().unwrap_or(workspace)
    }

    /// What the record means to a project, with all that was known in the end.
    pub(super) fn evaluated(&self, workspace: &Workspace) -> Evaluated {
        workspace.compiled().unit(self.flow, &self.raw, &self.known_by(workspace, false))
    }

    /// What made a field.
    pub(super) fn why(&self, workspace: &Workspace, field: &str) -> Option<Why> {
        let why = |before| workspace.compiled().why(self.flow, &self.raw, &self.known_by(workspace, before), field);
        why(false).or_else(|| why(true))
    }

    /// What made each field that the attempt filled, before it wrote anything and behind that.
    pub(super) fn whys(&self, workspace: &Workspace) -> Vec<Why> {
        let whys = |before| workspace.compiled().whys(self.flow, &self.raw, &self.known_by(workspace, before));
        let mut all = whys(false);
        all.extend(whys(true));
        let mut seen = BTreeSet::new();
        all.retain(|why| seen.insert(why.field.clone()));
        all
    }

    fn known_by<'a>(&'a self, workspace: &'a Workspace, before_writing: bool) -> FromLog<'a> {
        FromLog { replay: self, program: workspace.program(), before_writing }
    }
}

fn all(rows: &[Value]) -> Answered {
    Answered::all(rows.iter().map(|row| row.to_string().into()).collect())
}

/// What the log holds, asked in the words of a project.
struct FromLog<'a> {
    replay: &'a Replay,
    program: &'a Program,
    /// As it was before the attempt wrote anything.
    before_writing: bool,
}

impl Resolver for FromLog<'_> {
    fn answer(&self, query: &Query) -> Answered {
        let asked = Asked::of(self.program, query);
        let found = |before: bool| {
            let mut answers = self.replay.answers.iter();
            answers.find(|(other, _, then)| *then == before && *other == asked).map(|(_, answered, _)| answered.clone())
        };
        let earlier = if self.before_writing { found(true) } else { None };
        // What is not in the log was not asked; of links it has all.
        let missing = || if let Query::Link(_) = query { Answered::Absent } else { Answered::NotAsked };
        earlier.or_else(|| found(false)).unwrap_or_else(missing)
    }

    fn now(&self) -> Timestamp {
        self.replay.first
    }

    fn offline(&self) -> bool {
        false
    }
}
