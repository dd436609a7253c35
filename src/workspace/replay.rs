//! An attempt of the log computed again. No system is asked.

use super::error::WorkspaceError;
use super::project::Workspace;
use crate::engine::log::{AnswerEntry, Asked, Entry, Found, FoundAnswer, LogError, StepEntry};
use crate::eval::{Answered, Evaluated, Query, Resolver, Why};
use crate::ir::Program;
use crate::store::{Attempt, Store};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The attempts that are looked through for one that made something.
const ATTEMPTS: usize = 20;

/// A record that is computed again: one of its attempts, and what was known of both systems by then.
pub(super) struct Replay {
    flow: String,
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
        if flow_of(program, &attempt.flow).is_none() {
            return Err(WorkspaceError::Asked(format!("the project has no flow {} any more", attempt.flow)));
        }
        let replay = Self::read(store, attempt, first, &mut Tables::default()).await?;
        Ok(Self { then, ..replay })
    }

    /// Reads an entry, for whatever project.
    pub(super) async fn read(
        store: &dyn Store,
        attempt: &Attempt,
        first: Timestamp,
        tables: &mut Tables,
    ) -> Result<Self, WorkspaceError> {
        let Entry { raw, found, .. } = Entry::read(attempt)?;
        let mut answers = Vec::with_capacity(found.len());
        for Found { asked, answer, before_writing } in found {
            let answered = match answer {
                FoundAnswer::Rows(rows) => all(&rows),
                FoundAnswer::Unreadable(why) => Answered::Unreadable(why),
                FoundAnswer::Kept { hash: None, .. } => Answered::NotAsked,
                FoundAnswer::Kept { hash: Some(hash), .. } => tables.rows(store, hash).await?,
            };
            answers.push((asked, answered, before_writing));
        }
        Ok(Self { flow: attempt.flow.clone(), raw, answers, first, then: None })
    }

    /// The keys of what an attempt made.
    pub(super) fn made(attempt: &Attempt) -> Result<BTreeSet<String>, LogError> {
        Ok(made_by(&Entry::read(attempt)?))
    }

    /// The flow of the record.
    pub(super) fn flow(&self) -> &str {
        &self.flow
    }

    /// The project as it was then.
    pub(super) fn project<'a>(&'a self, workspace: &'a Workspace) -> &'a Workspace {
        self.then.as_ref().unwrap_or(workspace)
    }

    /// What the record means to a project, with all that was known in the end, or before the attempt wrote anything; none
    /// where the project has no such flow.
    pub(super) fn evaluated(&self, workspace: &Workspace, before_writing: bool) -> Option<Evaluated> {
        let flow = flow_of(workspace.program(), &self.flow)?;
        Some(workspace.compiled().unit(flow, &self.raw, &self.known_by(workspace, before_writing)))
    }

    /// What made a field.
    pub(super) fn why(&self, workspace: &Workspace, field: &str) -> Option<Why> {
        let flow = flow_of(workspace.program(), &self.flow)?;
        let why = |before| workspace.compiled().why(flow, &self.raw, &self.known_by(workspace, before), field);
        why(false).or_else(|| why(true))
    }

    /// What made each field that the attempt filled, before it wrote anything and behind that.
    pub(super) fn whys(&self, workspace: &Workspace) -> Vec<Why> {
        let Some(flow) = flow_of(workspace.program(), &self.flow) else { return Vec::new() };
        let whys = |before| workspace.compiled().whys(flow, &self.raw, &self.known_by(workspace, before));
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

/// The number of a flow in a program.
fn flow_of(program: &Program, name: &str) -> Option<usize> {
    program.flows.iter().position(|flow| *flow.name == *name)
}

/// Rows that entries of the log name by their hashes: those that were read last.
#[derive(Default)]
pub(super) struct Tables(HashMap<String, Answered>);

impl Tables {
    /// Tables that are kept in memory.
    const KEPT: usize = 64;

    async fn rows(&mut self, store: &dyn Store, hash: String) -> Result<Answered, WorkspaceError> {
        if let Some(known) = self.0.get(&hash) {
            return Ok(known.clone());
        }
        let rows = store.table(&hash).await?.and_then(|rows| serde_json::from_str::<Vec<Value>>(&rows).ok());
        let answered = rows.map_or(Answered::NotAsked, |rows| all(&rows));
        if self.0.len() >= Self::KEPT {
            self.0.clear();
        }
        self.0.insert(hash, answered.clone());
        Ok(answered)
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

    fn keeps_once(&self) -> bool {
        true
    }
}

/// What the log says of the newest attempt of a record that made something, or of the newest of all.
pub struct Recorded {
    /// The flow.
    pub flow: usize,
    /// The source record, as JSON.
    pub raw: String,
    /// Each question, and the rows that answered it; of links, the keys at the other end.
    pub answers: Vec<(Asked, Vec<Value>)>,
    /// Keys of the records that the attempt made: they were not there before.
    pub made: BTreeSet<String>,
    /// When the record was tried first: its now.
    pub first: Timestamp,
}

impl Workspace {
    /// What the log says of a record, as it was before the attempt wrote anything.
    ///
    /// # Errors
    /// Where the log does not tell.
    pub async fn recorded(&self, store: &Arc<dyn Store>, id: &str, now: Timestamp) -> Result<Recorded, WorkspaceError> {
        let engine = self.engine(Arc::clone(store), Vec::new());
        let (attempts, first) = engine.attempts(id, ATTEMPTS, now).await?;
        let mut newest = attempts.first().ok_or_else(|| WorkspaceError::Asked(format!("nothing is known of {id}")))?;
        let mut made = BTreeSet::new();
        for attempt in &attempts {
            made = Replay::made(attempt)?;
            if !made.is_empty() {
                newest = attempt;
                break;
            }
        }
        let Replay { flow, raw, answers, .. } = Replay::of(self, store.as_ref(), newest, first).await?;
        let mut known: Vec<(Asked, Vec<Value>)> = Vec::new();
        for wanted in [true, false] {
            for (asked, answered, _) in answers.iter().filter(|(_, _, before_writing)| *before_writing == wanted) {
                if known.iter().any(|(other, _)| other == asked) {
                    continue;
                }
                let rows = match answered {
                    Answered::Found(rows) => rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect(),
                    Answered::Absent | Answered::NotAsked => Vec::new(),
                    Answered::Unreadable(why) => {
                        return Err(WorkspaceError::Asked(format!("an answer for {id} could not be read: {why}")));
                    }
                };
                known.push((asked.clone(), rows));
            }
        }
        let flow = flow_of(self.program(), &flow)
            .ok_or_else(|| WorkspaceError::Asked(format!("the project has no flow {flow} any more")))?;
        Ok(Recorded { flow, raw, answers: known, made, first })
    }
}

/// The keys that answers told and no call had named.
fn made_by(entry: &Entry) -> BTreeSet<String> {
    let told = entry.answers.iter().filter_map(|answer| match answer {
        AnswerEntry::Record { id, .. } => id.clone(),
        AnswerEntry::Read { id, .. } => Some(id.clone()),
        AnswerEntry::Error { .. } | AnswerEntry::Became { .. } => None,
    });
    let named: BTreeSet<&String> = entry
        .steps
        .iter()
        .filter_map(|step| match step {
            StepEntry::Sent { id, .. } | StepEntry::Interrupted { id, .. } => id.as_ref(),
            StepEntry::Skipped { .. } => None,
        })
        .collect();
    told.filter(|id| !named.contains(id)).collect()
}
