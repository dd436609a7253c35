//! The records of the log, through the project and through the same with other texts of the defaults.

use super::compared::{Compared, Whose};
use super::error::WorkspaceError;
use super::project::Workspace;
use super::record_outcome::{Difference, RecordOutcome, Sides};
use super::replay::{Replay, Tables};
use crate::engine::log::Asked;
use crate::eval::{Evaluated, Query};
use crate::store::{RecordFilter, RecordId, RecordRow, Store};
use jiff::Timestamp;

/// The attempts of a record that are looked through for one that made something.
const ATTEMPTS: usize = 20;

impl Workspace {
    /// Holds what comes of each record of the log against what comes of it in `then`: the same project, with other texts of
    /// the defaults.
    ///
    /// # Errors
    /// The store.
    pub async fn compare_log(
        &self,
        then: &Self,
        store: &dyn Store,
        now: Timestamp,
        compared: &mut Compared,
    ) -> Result<(), WorkspaceError> {
        let mut tables = Tables::default();
        for flow in &self.program().flows {
            let mut filter = RecordFilter { flow: Some(flow.name.to_string()), ..RecordFilter::default() };
            loop {
                let page = store.records(&filter).await?;
                for row in &page.rows {
                    let short = row.flow.rsplit('.').next().unwrap_or_default();
                    let of = Whose::Record(format!("{short}:{}", row.key));
                    compared.add(&of, self.compare_record(then, store, row, now, &mut tables).await?);
                }
                let Some(next) = page.next else { break };
                filter.after = Some(RecordId { flow: next.flow, key: next.key });
            }
        }
        Ok(())
    }

    /// Where one of them differs, or why that can't be told.
    async fn compare_record(
        &self,
        then: &Self,
        store: &dyn Store,
        row: &RecordRow,
        now: Timestamp,
        tables: &mut Tables,
    ) -> Result<Result<Vec<Difference>, String>, WorkspaceError> {
        let attempts = store.attempts(&row.flow, &row.key, ATTEMPTS, now).await?;
        let Some(newest) = attempts.last() else {
            return Ok(Err("the log no longer holds what was read of it".to_owned()));
        };
        // The newest that made something shows all that its mapping fills.
        let mut chosen = newest;
        for attempt in attempts.iter().rev() {
            match Replay::made(attempt) {
                Ok(made) if made.is_empty() => {}
                Ok(_) => {
                    chosen = attempt;
                    break;
                }
                Err(unreadable) => return Ok(Err(unreadable.to_string())),
            }
        }
        let replay = match Replay::read(store, chosen, row.first, tables).await {
            Ok(replay) => replay,
            Err(WorkspaceError::Log(unreadable)) => return Ok(Err(unreadable.to_string())),
            Err(other) => return Err(other),
        };
        Ok(replay.beside(then, self))
    }
}

impl Replay {
    fn beside(&self, then: &Workspace, now: &Workspace) -> Result<Vec<Difference>, String> {
        let mut came = [Vec::new(), Vec::new()];
        let mut missing = None;
        for before_writing in [true, false] {
            let sides = [then, now].map(|side| self.evaluated(side, before_writing));
            let [Some(was), Some(is)] = &sides else {
                return Err("its flow is not there with both texts".to_owned());
            };
            match (
                RecordOutcome::of(then.program(), self.flow(), was),
                RecordOutcome::of(now.program(), self.flow(), is),
            ) {
                (Some(was), Some(is)) => {
                    came[0].push(was);
                    came[1].push(is);
                }
                (Some(_), None) => {
                    return Err(format!("the log does not hold what is asked for it now: {}", asked(now, is)));
                }
                (None, _) => {
                    missing = Some(format!("the log does not hold all that is asked for it: {}", asked(then, was)));
                }
            }
        }
        match missing {
            Some(why) if came[0].is_empty() => Err(why),
            _ => {
                let whys = || [self.whys(then), self.whys(now)];
                Ok(Sides([then, now]).differences([&came[0], &came[1]], whys))
            }
        }
    }
}

/// The first thing that must be known, as people call it.
fn asked(workspace: &Workspace, evaluated: &Evaluated) -> String {
    let Evaluated::Needs(needs) = evaluated else { return String::new() };
    let program = workspace.program();
    let said = |query: &Query| match Asked::of(program, query) {
        Asked::Find { entity, by, .. } => format!("{entity} by {}", by.join(", ")),
        Asked::Table { entity, .. } => format!("all of {entity}"),
        Asked::Once { entity, flow, .. } => format!("{entity} as {flow} reads them once"),
        Asked::Row { entity, id, .. } => format!("{entity} {id}"),
        Asked::Link { entity, other, .. } => format!("the {other} of {entity}"),
    };
    needs.first().map_or_else(String::new, said)
}
