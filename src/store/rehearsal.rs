//! A store over another one that keeps nothing: what is committed is known here as long as this lives, and never reaches the
//! other. What a dry run stands on.

use super::{
    Attempt, AttemptId, Budget, Change, Commit, Counts, Intent, Link, LinkKey, LinkPage, LogPage, PlanSource,
    RecordFilter, RecordId, RecordPage, RecordRow, RefreshTurn, State, Store, StoreError, Target, Tokens,
};
use crate::limits;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in which a run can be rehearsed. Positions, records and links are answered as they would be by then; the journal
/// and the log, of which a rehearsal has nothing to tell, as they are.
pub struct Rehearsal {
    store: Arc<dyn Store>,
    changed: Mutex<Changed>,
}

#[derive(Default)]
struct Changed {
    positions: HashMap<String, String>,
    records: BTreeMap<RecordId, RecordRow>,
    /// None: it no longer holds.
    links: HashMap<LinkKey, Option<Link>>,
    /// Intents whose outcome is known.
    closed: HashSet<String>,
}

impl Rehearsal {
    /// Over this store.
    pub fn over(store: Arc<dyn Store>) -> Self {
        Self { store, changed: Mutex::default() }
    }

    fn changed(&self) -> MutexGuard<'_, Changed> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Links as they would be by now, of those that the other store has and further ones that are like them.
    fn links_by_now(&self, kept: Vec<Link>, is_like: impl Fn(&Link) -> bool) -> Vec<Link> {
        let changed = self.changed();
        let mut links: Vec<Link> = kept.into_iter().filter(|link| !changed.links.contains_key(&link.source)).collect();
        links.extend(changed.links.values().flatten().filter(|link| is_like(link)).cloned());
        links.sort_unstable_by(|a, b| a.source.cmp(&b.source));
        links
    }
}

impl Changed {
    fn change(&mut self, change: Change) {
        match change {
            Change::Advance { flow, position } => {
                self.positions.insert(flow, position);
            }
            Change::Record(row) => {
                self.records.insert(id_of(&row), row);
            }
            Change::Link(link) => {
                self.links.insert(link.source.clone(), Some(link));
            }
            Change::Unlink(source) => {
                self.links.insert(source, None);
            }
            Change::Outcome { intent, .. } => {
                self.closed.insert(intent);
            }
            Change::Intend(_)
            | Change::Await { .. }
            | Change::Log(_)
            | Change::Table(_)
            | Change::PlanSources { .. } => {}
        }
    }
}

fn id_of(row: &RecordRow) -> RecordId {
    RecordId { flow: row.flow.clone(), key: row.key.clone() }
}

fn takes(filter: &RecordFilter, row: &RecordRow) -> bool {
    filter.flow.as_ref().is_none_or(|flow| *flow == row.flow)
        && (filter.states.is_empty() || filter.states.contains(&row.state))
        && filter.plan_not.as_ref().is_none_or(|plan| *plan != row.plan_hash)
}

fn count(counts: &mut Counts, state: State) -> &mut u64 {
    match state {
        State::Written => &mut counts.written,
        State::Skipped => &mut counts.skipped,
        State::Waiting => &mut counts.waiting,
        State::Parked => &mut counts.parked,
    }
}

#[async_trait::async_trait]
impl Store for Rehearsal {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let mut changed = self.changed();
        commit.changes.into_iter().for_each(|change| changed.change(change));
        Ok(())
    }

    async fn position(&self, flow: &str) -> Result<Option<String>, StoreError> {
        let position = self.changed().positions.get(flow).cloned();
        if position.is_some() { Ok(position) } else { self.store.position(flow).await }
    }

    async fn record(&self, flow: &str, key: &str) -> Result<Option<RecordRow>, StoreError> {
        let row = self.changed().records.get(&RecordId { flow: flow.to_owned(), key: key.to_owned() }).cloned();
        if row.is_some() { Ok(row) } else { self.store.record(flow, key).await }
    }

    async fn link(&self, key: &LinkKey) -> Result<Option<Link>, StoreError> {
        let link = self.changed().links.get(key).cloned();
        if let Some(link) = link { Ok(link) } else { self.store.link(key).await }
    }

    async fn links_to(&self, target: &Target) -> Result<Vec<Link>, StoreError> {
        let kept = self.store.links_to(target).await?;
        Ok(self.links_by_now(kept, |link| link.target == *target))
    }

    async fn records(&self, filter: &RecordFilter) -> Result<RecordPage, StoreError> {
        let RecordPage { mut rows, mut next } = self.store.records(filter).await?;
        let changed = self.changed();
        rows.retain(|row| !changed.records.contains_key(&id_of(row)));
        let after = filter.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let within = changed.records.range((after, next.clone().map_or(Bound::Unbounded, Bound::Included)));
        rows.extend(within.map(|(_, row)| row).filter(|row| takes(filter, row)).cloned());
        rows.sort_by_cached_key(id_of);
        let most = if filter.limit == 0 { limits::STORE_PAGE_MAX } else { filter.limit };
        if rows.len() > most {
            rows.truncate(most);
            next = rows.last().map(id_of);
        }
        Ok(RecordPage { rows, next })
    }

    async fn counts(&self, flow: &str) -> Result<Counts, StoreError> {
        let mut counts = self.store.counts(flow).await?;
        let changed: Vec<(String, State)> = {
            let changed = self.changed();
            let of_flow = changed.records.values().filter(|row| row.flow == flow);
            of_flow.map(|row| (row.key.clone(), row.state)).collect()
        };
        for (key, state) in changed {
            if let Some(before) = self.store.record(flow, &key).await? {
                *count(&mut counts, before.state) -= 1;
            }
            *count(&mut counts, state) += 1;
        }
        Ok(counts)
    }

    async fn open_intents(&self, flow: Option<&str>) -> Result<Vec<Intent>, StoreError> {
        let mut open = self.store.open_intents(flow).await?;
        let changed = self.changed();
        open.retain(|intent| !changed.closed.contains(&intent.id));
        Ok(open)
    }

    /// Nothing: a rehearsal erases nothing.
    async fn expire(&self, _: Timestamp) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn keyed_hash(&self, text: &str) -> String {
        self.store.keyed_hash(text)
    }

    // -------------------------------------------------------------------------------- what a rehearsal does not change

    async fn orphans(&self, flows: &[&str]) -> Result<Vec<String>, StoreError> {
        self.store.orphans(flows).await
    }

    async fn rename_flow(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.store.rename_flow(old, new).await
    }

    async fn rename_connection(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.store.rename_connection(old, new).await
    }

    async fn waiting_for(&self, what: &str) -> Result<Vec<RecordRow>, StoreError> {
        self.store.waiting_for(what).await
    }

    async fn link_mappings(&self, connection: &str) -> Result<Vec<String>, StoreError> {
        self.store.link_mappings(connection).await
    }

    async fn links(&self, connection: &str, mapping: &str, after: Option<&LinkKey>) -> Result<LinkPage, StoreError> {
        self.store.links(connection, mapping, after).await
    }

    async fn attempts(&self, flow: &str, key: &str, limit: usize, now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        self.store.attempts(flow, key, limit, now).await
    }

    async fn attempts_since(
        &self,
        flow: Option<&str>,
        since: Timestamp,
        after: Option<AttemptId>,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        self.store.attempts_since(flow, since, after, now).await
    }

    async fn table(&self, hash: &str) -> Result<Option<String>, StoreError> {
        self.store.table(hash).await
    }

    async fn plan_sources(&self, plan_hash: &str) -> Result<Option<Vec<PlanSource>>, StoreError> {
        self.store.plan_sources(plan_hash).await
    }

    async fn tokens(&self, connection: &str) -> Result<Option<Tokens>, StoreError> {
        self.store.tokens(connection).await
    }

    async fn begin_refresh(&self, connection: &str, holder: &str, now: Timestamp) -> Result<RefreshTurn, StoreError> {
        self.store.begin_refresh(connection, holder, now).await
    }

    async fn put_tokens(&self, connection: &str, tokens: &Tokens) -> Result<(), StoreError> {
        self.store.put_tokens(connection, tokens).await
    }

    async fn abandon_refresh(&self, connection: &str, holder: &str) -> Result<(), StoreError> {
        self.store.abandon_refresh(connection, holder).await
    }

    async fn budget(&self, connection: &str) -> Result<Option<Budget>, StoreError> {
        self.store.budget(connection).await
    }

    async fn put_budget(&self, connection: &str, budget: &Budget) -> Result<(), StoreError> {
        self.store.put_budget(connection, budget).await
    }

    async fn forget(&self, person: &str) -> Result<u64, StoreError> {
        self.store.forget(person).await
    }
}
