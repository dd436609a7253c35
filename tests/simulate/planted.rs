//! Bugs that are planted on purpose, between the runner and its surroundings: the simulation must find each. They are the
//! kinds that were found in reading and carrying out, wherever they may come in again.

use super::story::{Deed, Fault, Kind, Spell, Step, Story, Turn, Whose};
use flowc::store::{
    Attempt, AttemptId, Budget, Change, Commit, Counts, Embedded, Intent, Link, LinkKey, LinkPage, LogPage, Outcome,
    PlanSource, RecordFilter, RecordPage, RecordRow, RefreshTurn, State, Store, StoreError, Target, Tokens,
};
use jiff::Timestamp;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A row of a search that cannot be read is dropped: what it is becomes absent.
    UnreadableIsAbsent,
    /// A search that is refused is answered with no rows.
    RefusedIsAbsent,
    /// A write without an answer is told to be refused.
    SilenceIsRefusal,
    /// A write without an answer is sent again at once.
    WritesTwice,
    /// A row that cannot be read is left out of the feed, and the feed goes on behind it.
    FeedDropsUnreadable,
    /// The disk says that it has synced, and has not.
    DiskLies,
    /// What is about to be sent is not written down.
    NoIntent,
    /// An outcome that is not known is written down as none.
    UnknownIsNotDone,
    /// What became of a record is not linked to it.
    NoLink,
    /// A record that waits counts as written.
    WaitingIsWritten,
    /// The log leaves out what was parked.
    LogLeavesOut,
    /// Each field looks as it did when it was written last.
    NothingChanges,
    /// Neither link nor record tells of an update that is under way.
    UpdateIsForgotten,
    /// An update that is taken and not stored looks as if it were.
    TakenIsStored,
    /// What a person has left out is tried again after any edit of the project.
    SkipIsForgotten,
    /// Late effects are awaited by the machine's wall clock.
    WallClock,
}

impl Bug {
    /// Whether the story holds what the bug needs to show: no other is worth a run.
    pub(crate) fn may_show(self, story: &Story) -> bool {
        let fault = |wanted: fn(&Fault) -> bool| {
            let turns =
                story.steps.iter().filter_map(|step| if let Step::Pass(turns) = step { Some(turns) } else { None });
            turns.flatten().any(|(_, turn)| matches!(turn, Turn::Fault(fault) if wanted(fault)))
        };
        let spell = |wanted: fn(&Spell) -> bool| {
            story.steps.iter().any(|step| matches!(step, Step::Spell { spell, .. } if wanted(spell)))
        };
        let crash = || {
            let turns =
                story.steps.iter().filter_map(|step| if let Step::Pass(turns) = step { Some(turns) } else { None });
            turns.flatten().any(|(_, turn)| matches!(turn, Turn::Crash { .. } | Turn::Power { .. }))
        };
        let silent: fn(&Fault) -> bool =
            |f| matches!(f, Fault::DropAfter | Fault::Late(_) | Fault::Garbled | Fault::Hollow);
        match self {
            Self::UnreadableIsAbsent => {
                fault(|f| matches!(f, Fault::Unreadable(_)))
                    || spell(|s| matches!(s, Spell::Account { .. } | Spell::Poison { .. }))
            }
            Self::FeedDropsUnreadable => spell(|s| matches!(s, Spell::Poison { .. })),
            Self::RefusedIsAbsent => fault(|f| matches!(f, Fault::Refused(_))),
            Self::SilenceIsRefusal | Self::UnknownIsNotDone | Self::UpdateIsForgotten => fault(silent),
            Self::DiskLies | Self::NoIntent => crash(),
            Self::WaitingIsWritten => {
                fault(silent) || spell(|s| matches!(s, Spell::Order { .. } | Spell::Writes { .. }))
            }
            Self::LogLeavesOut => fault(|_| true),
            Self::SkipIsForgotten => story.steps.iter().any(|step| matches!(step, Step::Skip { .. })),
            Self::TakenIsStored => fault(|f| matches!(f, Fault::Hollow)),
            Self::WallClock => fault(|f| matches!(f, Fault::Late(_))),
            Self::WritesTwice | Self::NoLink | Self::NothingChanges => true,
        }
    }
}

/// All of them, each with a seed that finds it.
pub(crate) const BUGS: &[(Bug, u64)] = &[
    (Bug::UnreadableIsAbsent, 1999),
    (Bug::RefusedIsAbsent, 760),
    (Bug::SilenceIsRefusal, 110),
    (Bug::WritesTwice, 1),
    (Bug::FeedDropsUnreadable, 581),
    (Bug::DiskLies, 7),
    (Bug::NoIntent, 265),
    (Bug::UnknownIsNotDone, 90),
    (Bug::NoLink, 2),
    (Bug::WaitingIsWritten, 8),
    (Bug::LogLeavesOut, 14),
    (Bug::NothingChanges, 7),
    (Bug::UpdateIsForgotten, 7708),
    (Bug::SkipIsForgotten, 3605),
];

/// A story whose fault strikes the call of that number.
type Telling = fn(u32) -> Story;

/// Those that chance takes too long to meet, each with a story that shows it where the fault strikes that call.
pub(crate) const TOLD: &[(Bug, Telling)] = &[
    (Bug::WallClock, |call| Story {
        seed: 0,
        kind: Kind::Update,
        steps: vec![
            Step::Deed(Deed::Order { person: 1, lines: 1 }),
            Step::Pass(vec![(call, Turn::Fault(Fault::Late(250)))]),
            Step::Clock { whose: Whose::Machine, by: 3_600 },
            Step::Pass(Vec::new()),
        ],
    }),
    (Bug::TakenIsStored, |call| Story {
        seed: 0,
        kind: Kind::Update,
        steps: vec![
            Step::Deed(Deed::Order { person: 1, lines: 1 }),
            Step::Pass(Vec::new()),
            Step::Deed(Deed::Note { pick: 0, text: 7 }),
            Step::Pass(vec![(call, Turn::Fault(Fault::Hollow))]),
        ],
    }),
];

/// What a record waits for while it is written.
const UNFINISHED: &str = "the end of its own write";

/// A store with a bug in it.
pub(crate) struct Faulty {
    pub(crate) store: Embedded,
    pub(crate) bug: Bug,
}

impl Faulty {
    /// A change as the bug leaves it.
    fn spoil(&self, change: Change) -> Option<Change> {
        Some(match (self.bug, change) {
            (Bug::NoIntent, Change::Intend(_)) | (Bug::NoLink, Change::Link(_)) => return None,
            // Of an intent that was never noted nothing can become.
            (Bug::NoIntent, Change::Outcome { .. }) => return None,
            (Bug::UnknownIsNotDone, Change::Outcome { intent, outcome: Outcome::Unknown { .. } }) => {
                Change::Outcome { intent, outcome: Outcome::NotDone }
            }
            (Bug::UpdateIsForgotten, Change::Link(link)) if link.fields.iter().any(|field| field.hash.is_empty()) => {
                return None;
            }
            (Bug::SkipIsForgotten, Change::Record(row)) => Change::Record(RecordRow { left_out: false, ..row }),
            (Bug::UpdateIsForgotten, Change::Record(row)) if row.waits_for.as_deref() == Some(UNFINISHED) => {
                return None;
            }
            (Bug::WaitingIsWritten, Change::Record(row)) if row.state == State::Waiting => {
                Change::Record(RecordRow { state: State::Written, waits_for: None, due: None, ..row })
            }
            (Bug::LogLeavesOut, Change::Log(attempt)) if attempt.answers.contains("error") => return None,
            (_, change) => change,
        })
    }
}

#[async_trait::async_trait]
impl Store for Faulty {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let changes = commit.changes.into_iter().filter_map(|change| self.spoil(change)).collect();
        self.store.commit(Commit { changes }).await
    }

    fn keyed_hash(&self, text: &str) -> String {
        let text = if self.bug == Bug::NothingChanges { "the same" } else { text };
        self.store.keyed_hash(text)
    }

    async fn position(&self, flow: &str) -> Result<Option<String>, StoreError> {
        self.store.position(flow).await
    }
    async fn orphans(&self, flows: &[&str]) -> Result<Vec<String>, StoreError> {
        self.store.orphans(flows).await
    }
    async fn rename_flow(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.store.rename_flow(old, new).await
    }
    async fn rename_connection(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.store.rename_connection(old, new).await
    }
    async fn record(&self, flow: &str, key: &str) -> Result<Option<RecordRow>, StoreError> {
        self.store.record(flow, key).await
    }
    async fn records(&self, filter: &RecordFilter) -> Result<RecordPage, StoreError> {
        self.store.records(filter).await
    }
    async fn waiting_for(&self, what: &str) -> Result<Vec<RecordRow>, StoreError> {
        self.store.waiting_for(what).await
    }
    async fn counts(&self, flow: &str) -> Result<Counts, StoreError> {
        self.store.counts(flow).await
    }
    async fn open_intents(&self, flow: Option<&str>) -> Result<Vec<Intent>, StoreError> {
        self.store.open_intents(flow).await
    }
    async fn link(&self, key: &LinkKey) -> Result<Option<Link>, StoreError> {
        self.store.link(key).await
    }
    async fn links_to(&self, target: &Target) -> Result<Vec<Link>, StoreError> {
        self.store.links_to(target).await
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
    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.expire(now).await
    }
    async fn forget(&self, person: &str) -> Result<u64, StoreError> {
        self.store.forget(person).await
    }
}
