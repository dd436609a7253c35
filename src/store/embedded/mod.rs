//! The store in one file of this machine: one writer thread that commits what has gathered, readers beside it.

mod claim;
mod open;
mod read;
mod rename;
mod tables;
#[cfg(test)]
mod tests;
mod upgrade;
mod write;
mod writer;

use super::key::Key;
use super::rows::{
    Attempt, AttemptId, Budget, Counts, Intent, Link, LinkKey, LinkPage, LogPage, PlanSource, RecordFilter, RecordPage,
    RecordRow, RefreshTurn, Target, Tokens,
};
use super::seal::Seal;
use super::{Commit, Store, StoreError, Upgraded};
use claim::Claim;
use jiff::Timestamp;
use redb::{Database, ReadTransaction, ReadableDatabase as _, StorageBackend};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tables::Trouble;
use writer::{Order, Reply, Writer};

/// The store in one file.
pub struct Embedded {
    // Declared before the file: the writer must have ended when the file is closed.
    writer: Writer,
    file: Arc<File>,
    upgraded: Option<Upgraded>,
}

/// The open file.
struct File {
    path: Arc<str>,
    database: Database,
    seal: Seal,
    /// Why the disk refused first: from then on the database only says that something failed before.
    failed: OnceLock<StoreError>,
    // Declared behind the database: nobody else may open the file before it is closed.
    _claim: Option<Claim>,
}

impl File {
    fn new(name: &str, database: Database, seal: Seal, claim: Option<Claim>) -> Self {
        Self { path: name.into(), database, seal, failed: OnceLock::new(), _claim: claim }
    }

    /// Trouble in the caller's terms.
    fn told(&self, trouble: Trouble) -> StoreError {
        let again = matches!(&trouble, Trouble::File(e) if matches!(**e, redb::Error::PreviousIo));
        let error = trouble.at(&self.path);
        if !again && matches!(error, StoreError::Disk { .. }) {
            return self.failed.get_or_init(|| error).clone();
        }
        self.failed.get().filter(|_| again).cloned().unwrap_or(error)
    }

    /// What a panic deep inside the file means.
    fn damaged(&self) -> StoreError {
        StoreError::Damaged { path: self.path.to_string(), what: open::TORN.to_owned() }
    }
}

impl Embedded {
    /// Opens the store in this file, or makes it. The file belongs to this process until the store is dropped.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Damaged`], [`StoreError::Newer`], [`StoreError::WrongKey`], and
    /// [`StoreError::Disk`].
    pub fn open(path: &Path, key: &Key) -> Result<Self, StoreError> {
        Self::open_for(path, key, "")
    }

    /// The same; whoever wants the file meanwhile is told which command has it.
    pub fn open_for(path: &Path, key: &Key, command: &str) -> Result<Self, StoreError> {
        let (file, upgraded) = open::open(path, key, command)?;
        let file = Arc::new(file);
        Ok(Self { writer: Writer::start(Arc::clone(&file))?, file, upgraded })
    }

    /// What opening it has made of a file of an older format.
    pub fn upgraded(&self) -> Option<&Upgraded> {
        self.upgraded.as_ref()
    }

    /// Opens the store that is in these bytes, or makes it in them; no thread stands beside it: whoever asks does the work
    /// in its own turn. For a simulation, whose disk is a model and whose every step is to come in one order.
    ///
    /// # Errors
    /// As of [`Self::open`]; `name` is what they call it.
    pub fn over_bytes(bytes: impl StorageBackend, name: &str, key: &Key) -> Result<Self, StoreError> {
        let file = Arc::new(open::over(bytes, name, key)?);
        Ok(Self { writer: Writer::Asker(Arc::clone(&file)), file, upgraded: None })
    }

    /// Asks the file, on a thread that may block, or in the asker's turn.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&ReadTransaction, &Seal) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        let work = move || {
            let transaction = file.database.begin_read().map_err(Trouble::from);
            transaction.and_then(|t| ask(&t, &file.seal)).map_err(|trouble| file.told(trouble))
        };
        if let Writer::Asker(_) = self.writer {
            return catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(self.file.damaged()));
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer,
            Err(e) if e.is_panic() => Err(self.file.damaged()),
            Err(_) => Err(StoreError::Closed),
        }
    }

    async fn done(&self, order: Order) -> Result<(), StoreError> {
        self.writer.ask(order).await.map(|_| ())
    }

    async fn counted(&self, order: Order) -> Result<u64, StoreError> {
        match self.writer.ask(order).await? {
            Reply::Count(count) => Ok(count),
            Reply::Done | Reply::Turn(_) => unreachable!("clearing up answers a number"),
        }
    }
}

#[async_trait::async_trait]
impl Store for Embedded {
    async fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        self.done(Order::Commit(commit)).await
    }

    async fn position(&self, flow: &str) -> Result<Option<String>, StoreError> {
        let flow = flow.to_owned();
        self.read(move |t, _| read::position(t, &flow)).await
    }

    async fn orphans(&self, flows: &[&str]) -> Result<Vec<String>, StoreError> {
        let flows: Vec<String> = flows.iter().map(|f| (*f).to_owned()).collect();
        self.read(move |t, _| read::orphans(t, &flows)).await
    }

    async fn rename_flow(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.done(Order::RenameFlow { old: old.to_owned(), new: new.to_owned() }).await
    }

    async fn rename_connection(&self, old: &str, new: &str) -> Result<(), StoreError> {
        self.done(Order::RenameConnection { old: old.to_owned(), new: new.to_owned() }).await
    }

    async fn record(&self, flow: &str, key: &str) -> Result<Option<RecordRow>, StoreError> {
        let (flow, key) = (flow.to_owned(), key.to_owned());
        self.read(move |t, seal| read::record(t, seal, &flow, &key)).await
    }

    async fn records(&self, filter: &RecordFilter) -> Result<RecordPage, StoreError> {
        let filter = filter.clone();
        self.read(move |t, seal| read::records(t, seal, &filter)).await
    }

    async fn waiting_for(&self, what: &str) -> Result<Vec<RecordRow>, StoreError> {
        let what = what.to_owned();
        self.read(move |t, seal| read::waiting_for(t, seal, &what)).await
    }

    async fn counts(&self, flow: &str) -> Result<Counts, StoreError> {
        let flow = flow.to_owned();
        self.read(move |t, _| read::counts(t, &flow)).await
    }

    async fn open_intents(&self, flow: Option<&str>) -> Result<Vec<Intent>, StoreError> {
        let flow = flow.map(str::to_owned);
        self.read(move |t, seal| read::open_intents(t, seal, flow.as_deref())).await
    }

    async fn link(&self, key: &LinkKey) -> Result<Option<Link>, StoreError> {
        let key = key.clone();
        self.read(move |t, _| read::link(t, &key)).await
    }

    async fn links_to(&self, target: &Target) -> Result<Vec<Link>, StoreError> {
        let target = target.clone();
        self.read(move |t, _| read::links_to(t, &target)).await
    }

    async fn link_mappings(&self, connection: &str) -> Result<Vec<String>, StoreError> {
        let connection = connection.to_owned();
        self.read(move |t, _| read::link_mappings(t, &connection)).await
    }

    async fn links(&self, connection: &str, mapping: &str, after: Option<&LinkKey>) -> Result<LinkPage, StoreError> {
        let (connection, mapping, after) = (connection.to_owned(), mapping.to_owned(), after.cloned());
        self.read(move |t, _| read::links(t, &connection, &mapping, after.as_ref())).await
    }

    async fn attempts(&self, flow: &str, key: &str, limit: usize, now: Timestamp) -> Result<Vec<Attempt>, StoreError> {
        let (flow, key) = (flow.to_owned(), key.to_owned());
        let kept = move |attempt: &Attempt| attempt.expires > now;
        let found = self.read(move |t, seal| read::attempts(t, seal, &flow, &key, limit)).await?;
        Ok(found.into_iter().filter(kept).collect())
    }

    async fn attempts_since(
        &self,
        flow: Option<&str>,
        since: Timestamp,
        after: Option<AttemptId>,
        now: Timestamp,
    ) -> Result<LogPage, StoreError> {
        let flow = flow.map(str::to_owned);
        let mut page = self.read(move |t, seal| read::attempts_since(t, seal, flow.as_deref(), since, after)).await?;
        page.attempts.retain(|attempt| attempt.expires > now);
        Ok(page)
    }

    async fn table(&self, hash: &str) -> Result<Option<String>, StoreError> {
        let hash = hash.to_owned();
        self.read(move |t, seal| read::table(t, seal, &hash)).await
    }

    async fn plan_sources(&self, plan_hash: &str) -> Result<Option<Vec<PlanSource>>, StoreError> {
        let plan_hash = plan_hash.to_owned();
        self.read(move |t, _| read::plan_sources(t, &plan_hash)).await
    }

    async fn tokens(&self, connection: &str) -> Result<Option<Tokens>, StoreError> {
        let connection = connection.to_owned();
        self.read(move |t, seal| read::tokens(t, seal, &connection)).await
    }

    async fn begin_refresh(&self, connection: &str, holder: &str, now: Timestamp) -> Result<RefreshTurn, StoreError> {
        let order = Order::BeginRefresh { connection: connection.to_owned(), holder: holder.to_owned(), now };
        match self.writer.ask(order).await? {
            Reply::Turn(turn) => Ok(turn),
            Reply::Done | Reply::Count(_) => unreachable!("asking for a turn answers with one"),
        }
    }

    async fn put_tokens(&self, connection: &str, tokens: &Tokens) -> Result<(), StoreError> {
        self.done(Order::PutTokens { connection: connection.to_owned(), tokens: tokens.clone() }).await
    }

    async fn abandon_refresh(&self, connection: &str, holder: &str) -> Result<(), StoreError> {
        self.done(Order::AbandonRefresh { connection: connection.to_owned(), holder: holder.to_owned() }).await
    }

    async fn budget(&self, connection: &str) -> Result<Option<Budget>, StoreError> {
        let connection = connection.to_owned();
        self.read(move |t, _| read::budget(t, &connection)).await
    }

    async fn put_budget(&self, connection: &str, budget: &Budget) -> Result<(), StoreError> {
        self.done(Order::PutBudget { connection: connection.to_owned(), budget: budget.clone() }).await
    }

    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.counted(Order::Expire { now }).await
    }

    async fn forget(&self, person: &str) -> Result<u64, StoreError> {
        let mut erased = 0;
        // In commits of bounded size; one that was cut short is simply asked for again.
        loop {
            match self.counted(Order::Forget { person: person.to_owned() }).await? {
                0 => return Ok(erased),
                some => erased += some,
            }
        }
    }

    fn keyed_hash(&self, text: &str) -> String {
        self.file.seal.hash(text)
    }
}
