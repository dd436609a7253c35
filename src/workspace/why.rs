//! Why a field has its value: computed again from what the log says was found.

use super::error::WorkspaceError;
use super::project::Workspace;
use super::replay::Replay;
use crate::check::nearest;
use crate::eval::{Evaluated, Why};
use crate::ir::{Entity, Program};
use crate::store::Store;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The attempts that are looked through for one that filled the field.
const ATTEMPTS: usize = 20;

/// What made a field.
pub struct Explained {
    /// What made it, in the project as it was then.
    pub why: Why,
    /// When the record was tried.
    pub at: Timestamp,
    /// Attempts behind that one left it alone.
    pub is_earlier: bool,
    /// The project as it was then, if it has changed since.
    pub then: Option<Workspace>,
    /// What would make it now, where that is another value.
    pub now: Option<Why>,
}

impl Workspace {
    /// What made a field of a record: at the newest attempt that filled it, since what is filled when a record is made is left
    /// alone by the attempts behind.
    ///
    /// # Errors
    /// [`WorkspaceError::Asked`] says why nothing made it.
    pub async fn why(
        &self,
        store: &Arc<dyn Store>,
        id: &str,
        field: &str,
        now: Timestamp,
    ) -> Result<Explained, WorkspaceError> {
        let engine = self.engine(Arc::clone(store), Vec::new());
        let (attempts, first) = engine.attempts(id, ATTEMPTS, now).await?;
        let mut newest: Option<Replay> = None;
        for attempt in &attempts {
            let replay = Replay::of(self, store.as_ref(), attempt, first).await?;
            if let Some(why) = replay.why(replay.project(self), field) {
                let today = replay.then.as_ref().and_then(|_| replay.why(self, field));
                let now = today.filter(|today| today.value != why.value);
                return Ok(Explained { why, at: attempt.at, is_earlier: newest.is_some(), then: replay.then, now });
            }
            let newest = newest.get_or_insert(replay);
            if !matches!(newest.evaluated(newest.project(self), false), Some(Evaluated::WriteSet(_))) {
                break;
            }
        }
        Err(WorkspaceError::Asked(match newest {
            Some(newest) => self.missing(&newest, id, field),
            None => format!("nothing is known of {id}"),
        }))
    }

    /// What made each field of what was written for a record at its newest attempt, and the project as it was then, where it
    /// was another one.
    ///
    /// # Errors
    /// Where the log does not tell.
    pub async fn whys(
        &self,
        store: &Arc<dyn Store>,
        id: &str,
        now: Timestamp,
    ) -> Result<(Vec<Why>, Option<Self>), WorkspaceError> {
        let engine = self.engine(Arc::clone(store), Vec::new());
        let (attempts, first) = engine.attempts(id, 1, now).await?;
        let Some(newest) = attempts.first() else { return Ok((Vec::new(), None)) };
        let replay = Replay::of(self, store.as_ref(), newest, first).await?;
        let whys = replay.whys(replay.project(self));
        Ok((whys, replay.then))
    }

    /// Why nothing made a field.
    fn missing(&self, replay: &Replay, id: &str, field: &str) -> String {
        let project = replay.project(self);
        if let Some(unknown) = unknown_field(project.program(), field) {
            return unknown;
        }
        match replay.evaluated(project, false) {
            Some(Evaluated::Needs(_)) => {
                return format!(
                    "the log does not hold all that the flow asks of the systems for {id}: run it again with `flowc run --only {id}`"
                );
            }
            Some(Evaluated::Stopped(_, failure, _)) => {
                let at = project.place(failure.place).map_or(String::new(), |at| format!(" ({}:{})", at.file, at.line));
                return format!("{id} stops, so nothing is filled: {}{at}", failure.reason);
            }
            Some(Evaluated::Filtered) => return format!("the flow's `where` leaves {id} out"),
            Some(Evaluated::WriteSet(_)) | None => {}
        }
        let fields: Vec<String> = replay.whys(project).into_iter().map(|why| why.field).collect();
        let hint = match nearest(field, fields.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", first_of(&fields)),
        };
        format!("no mapping of {id} fills `{field}`: {hint}")
    }
}

/// What is wrong with a field that no mapping of the project could fill, whatever the record: its mapping or its name.
fn unknown_field(program: &Program, field: &str) -> Option<String> {
    let (mapping, path) = field.split_once('.')?;
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut targets = program.mappings.iter().filter(|m| last(&m.name) == mapping).map(|m| m.target).peekable();
    let makers = program.mappings.iter().filter(|m| *program.entity(m.target).name == *mapping);
    let makers: Vec<String> = makers.map(|m| format!("`{}.{path}`", last(&m.name))).collect();
    if targets.peek().is_none() && !makers.is_empty() {
        return Some(format!("a field is named by the mapping that fills it: {}", makers.join(", ")));
    }
    if targets.peek().is_none() {
        let names: BTreeSet<String> = program.mappings.iter().map(|m| last(&m.name)).collect();
        let names: Vec<String> = names.into_iter().collect();
        return Some(format!("no mapping is called `{mapping}`: there are {}", first_of(&names)));
    }
    let name = path.split(['.', '[']).next().unwrap_or_default();
    let entities: Vec<&Entity> = targets.map(|target| program.entity(target)).collect();
    if entities.iter().any(|e| e.field(name).is_some()) {
        return None;
    }
    let entity = entities.first()?;
    let hint = nearest(name, entity.fields.iter().map(|f| &*f.name));
    let hint = hint.map(|near| format!(": did you mean `{mapping}.{near}`?")).unwrap_or_default();
    Some(format!("{} has no field `{name}`{hint}", entity.full_name()))
}

/// The first of many names, and that there are more.
fn first_of(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}
