//! The pass of one flow: what has no outcome is cleared up, what waits is tried again, then page by page what changed is
//! acted on; only then the position moves on.

use super::again::{again, marked_again};
use super::gone::gone;
use super::page::{by_address, pages};
use super::rows::{Mode, own_keys, scan};
use super::turn::{due, turn};
use super::watched::{begin_watching, watched};
use crate::connector::Position;
use crate::engine::error::PassError;
use crate::engine::event::Reporter;
use crate::engine::journal::open::late_until;
use crate::engine::journal::recover::recover;
use crate::engine::known::memory::Memory;
use crate::engine::known::planned::Planned;
use crate::engine::pass::context::{Pass, Shared};
use crate::engine::project::PassOptions;
use crate::limits;
use crate::store::{Change, Commit, Store};
use crate::value::cancel::Cancel;
use jiff::Timestamp;
use std::sync::Arc;

/// What the flows of a pass run on, one after the other.
pub(crate) struct Stage {
    /// In a dry run one that keeps nothing.
    pub(crate) store: Arc<dyn Store>,
    /// What a dry run would have written by now.
    pub(crate) planned: Planned,
    /// Whether the flow has had a turn before in this pass.
    pub(crate) further: bool,
}

/// One pass of a flow.
pub(crate) async fn pass(
    shared: &Shared,
    flow: usize,
    options: &PassOptions,
    stage: &mut Stage,
    telling: &mut Reporter<'_>,
    cancel: &Cancel,
) -> Result<(), PassError> {
    let store = Arc::clone(&stage.store);
    let open = store.open_intents(None).await?;
    let mut pass = Pass::new(shared, flow, options.clone(), (store, open), cancel.clone())?;
    pass.further = stage.further;
    let pass = Arc::new(pass);
    *pass.memory() = Memory::knowing(pass.program(), std::mem::take(&mut stage.planned), pass.began);
    let passed = whole(&pass, telling).await;
    stage.planned = std::mem::take(&mut pass.memory().planned);
    passed
}

async fn whole(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let options = &pass.options;
    let began = (tokio::time::Instant::now(), pass.began);
    keep_sources(pass).await?;
    recover(pass).await?;
    if options.only.is_empty() {
        begin_watching(pass).await?;
        again(pass, telling).await?;
    }
    let fed = feed(pass, telling).await;
    if !matches!(fed, Err(PassError::Store(_))) {
        // What is to be erased by now is erased, however long a system stays away.
        clear_up(pass).await?;
    }
    fed?;
    if options.only.is_empty() {
        watched(pass, telling).await?;
    }
    if options.only.is_empty() && !options.dry_run && outcomes_come_soon(pass, began).await? {
        recover(pass).await?;
        again(pass, telling).await?;
    }
    Ok(())
}

/// Removes what the store need not keep any longer, a bounded number of rows at a time.
async fn clear_up(pass: &Pass) -> Result<(), PassError> {
    let now = pass.source()?.now();
    while pass.store().expire(now).await? > 0 && !pass.cancel.is_cancelled() {}
    Ok(())
}

/// The sources of the plan, once for its hash.
async fn keep_sources(pass: &Pass) -> Result<(), PassError> {
    let hash = &pass.project.plan_hash;
    if pass.store().plan_sources(hash).await?.is_some() {
        return Ok(());
    }
    let sources = pass.project.sources.clone();
    pass.store().commit(Commit::of(Change::PlanSources { plan_hash: hash.clone(), sources })).await?;
    Ok(())
}

/// Reads what changed, page by page.
async fn feed(pass: &Arc<Pass>, telling: &mut Reporter<'_>) -> Result<(), PassError> {
    let options = &pass.options;
    let name = pass.flow().name.to_string();
    if pass.entity(pass.flow().source).is_turn() {
        let due = due(pass)?;
        return match options.only.iter().find(|only| **only != due) {
            None => turn(pass, Mode::Feed, telling).await,
            Some(other) => Err(PassError::Project(format!("{name} is due as {due}, and not as {other}"))),
        };
    }
    if pass.flow().deleted {
        return gone(pass, telling).await;
    }
    let stored = pass.store().position(&name).await?;
    let from_start = options.since.is_some() || !options.only.is_empty();
    // A reading from another moment says nothing of what lies before it: the position stays, if there is one.
    let keeps_position = options.only.is_empty() && (options.since.is_none() || stored.is_none());
    let since = options.since.or(pass.flow().schedule.since);
    let scan = scan(pass, since, own_keys(pass, &options.only).await?);
    let source = pass.source()?;
    let position = source.resumed(&scan, Position(stored.unwrap_or_default()), from_start);
    let entity = pass.entity(pass.flow().source);
    if !options.only.is_empty() && entity.route.is_none() {
        let unknown = marked_again(pass, &options.only, Mode::Feed, telling).await?;
        let told = format!(
            "{} is shown by its feed alone, and it has shown no {} so far",
            entity.full_name(),
            unknown.join(", ")
        );
        return if unknown.is_empty() { Ok(()) } else { Err(PassError::Project(told)) };
    }
    let mut missing = options.only.clone();
    let begin = (position, keeps_position);
    pages(pass, &scan, begin, Mode::Feed, &mut |keys| missing.retain(|key| !keys.contains(key)), telling).await?;
    let mut none = Vec::new();
    for key in &missing {
        if by_address(pass, key, Mode::Feed, telling).await?.is_some() {
            none.push(key.as_str());
        }
    }
    if none.is_empty() {
        return Ok(());
    }
    Err(PassError::Project(format!("{} has no {} {}", pass.flow().connection, entity.name, none.join(", "))))
}

/// Waits for the last moment at which writes without an outcome may take effect, where the clock makes that short: a
/// simulated one runs fast. Whether it has waited.
async fn outcomes_come_soon(pass: &Pass, began: (tokio::time::Instant, Timestamp)) -> Result<bool, PassError> {
    let flow = pass.flow().name.to_string();
    let mine: Vec<_> = pass.open().iter().filter(|i| i.flow == flow).cloned().collect();
    let lasts = mine.iter().map(|intent| late_until(pass, intent)).collect::<Result<Vec<_>, _>>()?;
    let Some(until) = lasts.into_iter().max() else { return Ok(false) };
    let source = pass.source()?;
    let now = source.now();
    let real = began.0.elapsed().as_millis().max(1);
    let simulated = u128::try_from(now.duration_since(began.1).as_millis()).unwrap_or(1).max(1);
    let left = u128::try_from(until.duration_since(now).as_millis()).unwrap_or(0);
    if left * real / simulated > u128::from(limits::OUTCOME_PATIENCE_SECONDS) * 1_000 {
        return Ok(false);
    }
    while source.now() < until {
        pass.go_on()?;
        let step = source.now().checked_add(jiff::SignedDuration::from_secs(15)).unwrap_or(until);
        source.sleep_until(step.min(until), "a write without an answer may still take effect").await;
    }
    Ok(true)
}
