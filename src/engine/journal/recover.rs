//! Clears up what has no outcome: searched by key, and given up only when it can no longer take effect.

use super::effects::effects;
use super::entry::of_interrupted;
use super::fate::{Fate, Searched, WHOLE, clue, fate, left};
use super::open::is_guarded;
use crate::engine::error::PassError;
use crate::engine::pass::context::Pass;
use crate::engine::waits::WaitsFor;
use crate::store::{Change, Commit, Intent, Link, Outcome, Reading, Target};

/// Clears up what has no outcome, of this flow; what stays open keeps its lanes.
pub(crate) async fn recover(pass: &Pass) -> Result<(), PassError> {
    let flow = pass.flow().name.to_string();
    let mine: Vec<Intent> = pass.open().iter().filter(|i| i.flow == flow).cloned().collect();
    let mut commit = Commit::default();
    // The clocks before the search: only a search made after the last moment of an effect proves that there is none.
    let mut waits = Vec::with_capacity(mine.len());
    for intent in &mine {
        let now = reading(pass, intent).await?;
        let left = left(intent, &now);
        if left.is_none() {
            commit = commit.and(Change::Await { intent: intent.id.clone(), since: now.clone() });
            let mut open = pass.open();
            open.iter_mut().filter(|i| i.id == intent.id).for_each(|i| {
                (i.awaited, i.anew) = (Some(now.clone()), true);
            });
        }
        waits.push(left.unwrap_or(WHOLE));
    }
    let found = effects(pass, &mine).await?;
    let mut closed = Vec::new();
    for ((intent, found), left) in mine.iter().zip(&found).zip(waits) {
        let fate = match fate(clue(intent, found, is_guarded(pass, intent)), left) {
            Fate::Person => person_said(pass, intent).await?,
            fate => fate,
        };
        let outcome = match &fate {
            Fate::Done(id) => Outcome::Done { target: Some(id.clone()).filter(|id| !id.is_empty()) },
            Fate::NotDone => Outcome::NotDone,
            Fate::Person => {
                if *found == Searched::Several {
                    pass.several().insert(intent.id.clone());
                }
                continue;
            }
            Fate::Wait(_) => continue,
            Fate::Open => {
                pass.unsearched().insert(intent.id.clone());
                continue;
            }
        };
        closed.push(intent.id.clone());
        if intent.unknown.is_none() {
            // Whoever saw that no answer came has logged what was sent; who died has not.
            let became = match &fate {
                Fate::Done(id) => format!("found: {id}"),
                _ => "not found, or to be done again".to_owned(),
            };
            commit = commit.and(Change::Log(of_interrupted(pass, intent, &became).await?));
        }
        commit = commit.and(Change::Outcome { intent: intent.id.clone(), outcome });
        if let (Fate::Done(id), Some(link)) = (&fate, &intent.link)
            && !id.is_empty()
        {
            // It is ours, and what of ours is in it is what was sent then, whatever the source says by now.
            let target = Target { id: id.clone(), ..link.target.clone() };
            commit = commit.and(Change::Link(Link { target, ..(**link).clone() }));
        }
    }
    if !commit.changes.is_empty() {
        pass.store().commit(commit).await?;
        pass.open().retain(|intent| !closed.contains(&intent.id));
        // What came to light may be among what was not there before.
        pass.memory().forget();
    }
    Ok(())
}

/// The clock by which the effect of an intent is awaited. Where that clock is gone and the wait has begun anew before, the
/// system is asked for its time.
async fn reading(pass: &Pass, intent: &Intent) -> Result<Reading, PassError> {
    let connector = pass.connector(&intent.connection)?;
    let now = connector.reading();
    let other = intent.awaited.as_ref().is_some_and(|since| since.clock != now.clock);
    if other && intent.anew && now.server.is_none() {
        connector.hello().await?;
        return Ok(connector.reading());
    }
    Ok(now)
}

/// What a person who has looked said of it: to be tried again means that it is not there; left out means that nothing of it
/// need be known.
async fn person_said(pass: &Pass, intent: &Intent) -> Result<Fate, PassError> {
    let row = pass.store().record(&intent.flow, &intent.key).await?;
    Ok(match row {
        Some(row) if WaitsFor::NextRun.holds(&row) => Fate::NotDone,
        Some(row) if row.left_out => Fate::Done(String::new()),
        _ => Fate::Person,
    })
}
