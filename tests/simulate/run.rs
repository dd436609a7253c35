//! A story is run: the real engine over the real store, on one thread, in a time that stands still until all wait.

use super::chance::mix;
use super::disk::Disk;
use super::door::Door;
use super::oracle;
use super::planted::{Bug, Faulty};
use super::project::{Ready, STRICT};
use super::story::{Kind, Step, Story, Turn};
use super::world::World;
use flowc::connector::Connector;
use flowc::engine::{Cancel, Engine, Environment, Event, PassError, PassOptions, Summary};
use flowc::store::{Embedded, Key, RecordFilter, RecordRow, State, Store};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

/// The longest that a pass may take, of the time in a story.
const PASS: Duration = Duration::from_hours(6);
/// The most calls of a pass.
const CALLS: u32 = 400;

/// What came of a story.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What must not be, and was: kind and words.
    pub(crate) broken: Vec<(&'static str, String)>,
    pub(crate) told: Vec<String>,
    /// Of all that happened: two runs of a story have the same.
    pub(crate) hash: u64,
    pub(crate) passes: u32,
    pub(crate) writes: usize,
    pub(crate) crashes: u32,
}

/// What a person has left out.
pub(crate) struct LeftOut {
    pub(crate) flow: String,
    pub(crate) key: String,
    /// When, on a clock that nobody sets, milliseconds.
    pub(crate) at: i64,
    /// The version that the runner had read by then, and the person spoke of: the shop's time of change.
    pub(crate) mark: String,
}

impl LeftOut {
    pub(crate) fn is(&self, flow: &str, key: &str) -> bool {
        (&*self.flow, &*self.key) == (flow, key)
    }
}

/// The runner's side of a story.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) kind: Kind,
    pub(crate) version: u8,
    /// The project's versions that have run.
    pub(crate) versions: Vec<u8>,
    disk: Disk,
    /// The store, while a process has it open.
    store: Mutex<Option<Arc<dyn Store>>>,
    pub(crate) alerts: Vec<(i64, String)>,
    crashes: u32,
    /// Passes that were cut short.
    pub(crate) crashed: Vec<u32>,
    pub(crate) skipped: Vec<LeftOut>,
}

fn key() -> Key {
    Key::from_text(&"0".repeat(64))
}

/// The bytes of a store in which nothing has happened yet: made once.
static BLANK: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let disk = Disk::of(Vec::new());
    drop(Embedded::over_bytes(disk.open(), "the disk", &key()).unwrap());
    disk.bytes()
});

/// Runs a story.
pub(crate) fn run(story: &Story, telling: bool) -> Report {
    run_with(story, telling, None)
}

/// Runs a story with a bug in it.
pub(crate) fn run_with(story: &Story, telling: bool, bug: Option<Bug>) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let done = catch_unwind(AssertUnwindSafe(|| runtime.block_on(Stage::play(story, telling, bug))));
    done.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        Report { broken: vec![("panic", words)], ..Report::default() }
    })
}

impl Stage {
    async fn play(story: &Story, telling: bool, bug: Option<Bug>) -> Report {
        let disk = Disk::of(BLANK.clone());
        if bug == Some(Bug::DiskLies) {
            disk.lies();
        }
        let mut stage = Self {
            world: World::new(story.kind, disk.clone(), telling, bug),
            kind: story.kind,
            version: 0,
            versions: vec![0],
            disk,
            store: Mutex::default(),
            alerts: Vec::new(),
            crashes: 0,
            crashed: Vec::new(),
            skipped: Vec::new(),
        };
        for step in &story.steps {
            stage.step(step).await;
        }
        stage.calm().await;
        let mut state = stage.world.state();
        Report {
            broken: std::mem::take(&mut state.broken),
            told: std::mem::take(&mut state.told),
            hash: state.hash,
            passes: state.pass,
            writes: state.effects.len(),
            crashes: stage.crashes,
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Deed(deed) => self.world.state().deed(*deed),
            Step::Later { seconds } => self.later(u64::from(*seconds)).await,
            Step::Pass(turns) => drop(self.pass(turns).await),
            Step::Project { version } => {
                self.world.state().say(|| format!("the project is edited: version {version}"));
                self.version = *version;
            }
            Step::Clock { whose, by } => {
                let mut state = self.world.state();
                state.say(|| format!("the clock of {whose:?} is set by {by} s"));
                state.set_clock(*whose, *by);
            }
            Step::Spell { passes, spell } => self.world.state().spell(*passes, *spell),
            Step::Retry { pick } => self.retry(*pick).await,
            Step::Skip { pick } => self.skip(*pick).await,
        }
    }

    pub(crate) async fn later(&self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        self.world.state().arrive();
    }

    /// One run of all flows by a process of its own. What it came to, unless it died.
    pub(crate) async fn pass(&mut self, turns: &[(u32, Turn)]) -> Option<Result<Summary, PassError>> {
        if !self.versions.contains(&self.version) {
            self.versions.push(self.version);
        }
        let ready = Ready::of(self.kind, self.version);
        self.world.state().begin_pass(turns);
        let engine = match self.engine(&ready) {
            Ok(engine) => engine,
            Err(error) => {
                self.world.state().broken.push(("store", error.to_string()));
                return None;
            }
        };
        let events = Mutex::new(Vec::new());
        let tell = |event: Event| events.lock().unwrap().push(event);
        let (options, cancel) = (PassOptions::default(), Cancel::default());
        let crash = Arc::clone(&self.world.state().crash);
        let ended = tokio::select! {
            biased;
            () = crash.notified() => None,
            ended = tokio::time::timeout(PASS, engine.pass(&ready.flows, &options, &tell, &cancel)) => Some(ended),
        };
        drop(engine);
        self.world.state().look_at_power();
        let died = self.world.state().crashed.is_some();
        if died {
            self.crashes += 1;
            let pass = self.world.state().pass;
            self.crashed.push(pass);
        }
        // The disk dies first: a store that is closed writes what it has.
        let pass = self.world.state().end_pass();
        // To open a store takes time, so not each process that ends in its own time is followed by another.
        if died || pass.is_multiple_of(4) {
            *self.store.lock().unwrap() = None;
        }
        // Tasks that were given up let go of what they hold.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        self.hear(events.into_inner().unwrap());
        let ended = match ended {
            None => return None,
            Some(_) if died => return None,
            Some(Err(_)) => {
                self.world.state().broken.push(("hang", format!("a pass has not ended within {PASS:?}")));
                return None;
            }
            Some(Ok(ended)) => ended,
        };
        self.look(&ended);
        Some(ended)
    }

    fn engine(&self, ready: &Ready) -> Result<Engine, flowc::store::StoreError> {
        let store = self.store()?;
        let connections: Vec<(String, Arc<dyn Connector>)> = ready
            .program
            .connections
            .iter()
            .map(|connection| {
                let system = match &*connection.name {
                    "books" => 0,
                    "shop" => 1,
                    _ => 2,
                };
                (connection.name.to_string(), Door::of(&self.world, system, &connection.name))
            })
            .collect();
        let (seed, count) = (u64::from(self.world.state().process), Mutex::new(0_u64));
        let ids = move || {
            let mut count = count.lock().unwrap();
            *count += 1;
            format!("{:016x}", mix(mix(seed) ^ *count))
        };
        Ok(Engine::new(ready.project(), connections, store).on(Environment::new(ids)))
    }

    /// The store, opened if it is not open.
    fn store(&self) -> Result<Arc<dyn Store>, flowc::store::StoreError> {
        let mut open = self.store.lock().unwrap();
        if let Some(store) = open.as_ref() {
            return Ok(Arc::clone(store));
        }
        let store = Embedded::over_bytes(self.disk.open(), "the disk", &key())?;
        let store: Arc<dyn Store> = match self.world.state().bug {
            Some(bug) => Arc::new(Faulty { store, bug }),
            None => Arc::new(store),
        };
        *open = Some(Arc::clone(&store));
        Ok(store)
    }

    fn hear(&mut self, events: Vec<Event>) {
        let mut state = self.world.state();
        let at = state.true_ms();
        for event in events {
            state.say(|| format!("  {}", serde_json::to_string(&event).unwrap()));
            state.note(&format!("{event:?}"));
            if let Event::Alert(told) = &event {
                self.alerts.push((at, told.id.clone()));
            }
        }
    }

    /// No pass may end by a fault of ours, nor go on without end.
    fn look(&mut self, ended: &Result<Summary, PassError>) {
        let mut state = self.world.state();
        if state.calls > CALLS {
            let calls = state.calls;
            state.broken.push(("calls", format!("a pass has made {calls} calls")));
        }
        let endings: Vec<String> = match ended {
            Ok(summary) => summary
                .endings
                .iter()
                .filter(|(_, ending)| matches!(ending, PassError::Bug(_) | PassError::Project(_) | PassError::Store(_)))
                .map(|(flow, ending)| format!("{flow}: {ending}"))
                .collect(),
            Err(ending) => vec![ending.to_string()],
        };
        state.say(|| format!("  {ended:?}"));
        for ending in endings {
            state.broken.push(("ending", ending));
        }
    }

    /// A runner that only looks at its store.
    pub(crate) fn looking(&self) -> Engine {
        self.world.state().process += 1;
        self.engine(&Ready::of(self.kind, self.version)).unwrap()
    }

    pub(crate) async fn records(&self) -> Vec<RecordRow> {
        let engine = self.looking();
        let mut filter = RecordFilter::default();
        let mut rows = Vec::new();
        loop {
            let page = engine.store().records(&filter).await.unwrap();
            rows.extend(page.rows);
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return rows,
            }
        }
    }

    async fn retry(&mut self, pick: u8) {
        let rows = self.records().await;
        if let Some(row) = rows.get(usize::from(pick) % rows.len().max(1)) {
            self.say_again(row).await;
        }
    }

    /// A person leaves a record out, until it changes in its source.
    async fn skip(&mut self, pick: u8) {
        let rows = self.records().await;
        let Some(row) = rows.get(usize::from(pick) % rows.len().max(1)) else { return };
        let now = jiff::Timestamp::from_millisecond(self.world.state().now_ms()).unwrap();
        let id = format!("{}:{}", row.flow, row.key);
        self.world.state().say(|| format!("a person: skip {id}"));
        self.looking().skip(&id, "a person has said so", now).await.unwrap();
        let at = self.world.state().true_ms();
        self.skipped.retain(|out| !out.is(&row.flow, &row.key));
        let (flow, key, mark) = (row.flow.clone(), row.key.clone(), row.version.clone());
        self.skipped.push(LeftOut { flow, key, at, mark });
    }

    /// A person says of a record that it is to be tried again.
    pub(crate) async fn say_again(&mut self, row: &RecordRow) {
        let engine = self.looking();
        let now = jiff::Timestamp::from_millisecond(self.world.state().now_ms()).unwrap();
        let id = format!("{}:{}", row.flow, row.key);
        self.world.state().say(|| format!("a person: retry {id}"));
        engine.retry(&id, now).await.unwrap();
        self.skipped.retain(|out| !out.is(&row.flow, &row.key));
    }

    /// A dry run of all flows, which writes nothing anywhere: what it says that a run would come to.
    async fn rehearse(&mut self) -> Option<Result<Summary, PassError>> {
        let ready = Ready::of(self.kind, self.version);
        let (before, effects) = (self.records().await, self.world.state().effects.len());
        self.world.state().begin_pass(&[]);
        let engine = self.engine(&ready).ok()?;
        let options = PassOptions { dry_run: true, ..PassOptions::default() };
        let events = Mutex::new(Vec::new());
        let tell = |event: Event| events.lock().unwrap().push(event);
        let ended = engine.pass(&ready.flows, &options, &tell, &Cancel::default()).await;
        self.world.state().end_pass();
        let changed = self.records().await != before;
        let mut state = self.world.state();
        for event in events.into_inner().unwrap() {
            state.say(|| format!("  rehearsed: {}", serde_json::to_string(&event).unwrap()));
        }
        if changed || state.effects.len() != effects {
            state.broken.push(("rehearsal", "a dry run has written, or changed the store".to_owned()));
        }
        drop(state);
        Some(ended)
    }

    /// The world calms down, time goes on, and then all must be as it should.
    async fn calm(&mut self) {
        self.world.state().say(|| "from here on all is well".to_owned());
        self.world.state().calm();
        if self.version == STRICT {
            self.version = 0;
        }
        for wait in [1, 310, 700, 4_000, 4_000] {
            self.later(wait).await;
            let ended = self.pass(&[]).await;
            if let Some(Ok(summary)) = ended
                && wait == 4_000
                && !summary.endings.is_empty()
            {
                let text = format!("{:?}", summary.endings);
                self.world.state().broken.push(("ending", format!("all is well, and a pass ends: {text}")));
            }
        }
        for row in self.records().await.into_iter().filter(|row| row.state == State::Parked) {
            self.say_again(&row).await;
        }
        for wait in [60, 700, 4_000] {
            self.later(wait).await;
            let foretold = self.rehearse().await;
            let ended = self.pass(&[]).await;
            if let (Some(Ok(foretold)), Some(Ok(ended))) = (foretold, ended)
                && foretold.counts != ended.counts
            {
                let told = format!("a dry run counts {:?}, and the run {:?}", foretold.counts, ended.counts);
                self.world.state().broken.push(("rehearsal", told));
            }
        }
        let quiet = self.world.state().effects.len();
        self.later(700).await;
        self.pass(&[]).await;
        {
            let mut state = self.world.state();
            let more: Vec<String> = state.effects[quiet..].iter().map(|e| format!("{:?}", e.order)).collect();
            if !more.is_empty() {
                state.broken.push(("quiet", format!("a pass after quiet writes {}", more.join("; "))));
            }
        }
        oracle::judge(self).await;
    }
}
