//! The clock that a connection lives by: this machine's, or a sandbox's that runs faster and can be moved.
//!
//! A machine has two: the calendar, which says when something was, and time that nobody can set, on which all waits run. A
//! sandbox has one for both, jumps included. The system at the other end has a calendar of its own, and tells it with each
//! answer: what it says of times is read by that one.

use super::Pause;
use super::http::{Fault, Http, Request, Response, Timing, is_loopback};
use super::steady;
use crate::store::Reading;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// How long a reading of a simulated clock is trusted, real time: a person may move it.
const TRUSTED: Duration = Duration::from_millis(500);
/// Shortest and longest real pause while waiting on a simulated clock.
const STEP: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));
/// Longest that a wait on this machine's clock sleeps at once: a machine that was put to sleep wakes late.
const NAP: Duration = Duration::from_secs(15);

/// A clock, and who waits for it.
pub(super) struct Clock {
    kind: Kind,
    pause: Mutex<Option<Pause>>,
    /// What the system's calendar said when we last heard of it, and our milliseconds then.
    theirs: Mutex<Option<(Timestamp, i64)>>,
}

/// A moment on all clocks that a connection knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Milliseconds of the clock that nobody can set: only differences mean something.
    pub(super) ms: i64,
    /// Our calendar.
    pub(super) ours: Timestamp,
    /// The system's calendar, as far as it has told of it; else ours.
    pub(super) theirs: Timestamp,
}

/// A moment in a form that another process can read.
#[derive(Clone, Debug)]
pub(super) struct AsOf {
    pub(super) moment: Moment,
    pub(super) reading: Reading,
}

enum Kind {
    /// This machine's.
    System,
    /// A sandbox's, asked over its control API.
    Sandbox(Box<Sandbox>),
}

/// A sandbox's clock and its last reading.
pub(super) struct Sandbox {
    http: Http,
    address: Url,
    reading: Mutex<Told>,
}

#[derive(Clone, Copy)]
struct Told {
    simulated: Timestamp,
    real: Instant,
    rate: u32,
}

/// Why a sandbox's clock cannot be used; without its address, which may have come from a secret.
pub(super) enum Failed {
    /// The entry is no such address.
    Entry(String),
    /// Nobody tells the time there.
    Silent(String),
}

#[derive(Deserialize)]
struct Answer {
    now: Timestamp,
    rate: u32,
}

impl Clock {
    /// This machine's clock.
    pub(super) fn system() -> Self {
        Self::of(Kind::System)
    }

    fn of(kind: Kind) -> Self {
        Self { kind, pause: Mutex::default(), theirs: Mutex::default() }
    }

    /// The clock of the sandbox with this control API, read once.
    pub(super) async fn sandbox(system: &str, control: &str, timing: &Timing) -> Result<Self, Failed> {
        let no_address = |e| Failed::Entry(format!("is no address: {e}"));
        let base = Url::parse(control).map_err(no_address)?;
        if !is_loopback(&base) {
            return Err(Failed::Entry("is not on this machine; only a sandbox has a clock of its own".to_owned()));
        }
        let address = base.join("clock").map_err(no_address)?;
        let http = Http::new(system, &base, timing, Vec::new()).map_err(Failed::Entry)?;
        let reading = read(&http, &address).await.map_err(Failed::Silent)?;
        Ok(Self::of(Kind::Sandbox(Box::new(Sandbox { http, address, reading: Mutex::new(reading) }))))
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        match &self.kind {
            Kind::System => Timestamp::now(),
            Kind::Sandbox(sandbox) => sandbox.told().now(),
        }
    }

    /// The time on all clocks.
    pub(super) fn moment(&self) -> Moment {
        let now = self.now();
        let ours = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let ms = match &self.kind {
            Kind::System => steady::ms(),
            Kind::Sandbox(_) => ours.as_millisecond(),
        };
        Moment { ms, ours, theirs: self.server(ms).unwrap_or(ours) }
    }

    /// A reading that nobody can set.
    pub(super) fn reading(&self) -> Reading {
        let clock = match &self.kind {
            Kind::System => steady::name().to_owned(),
            Kind::Sandbox(sandbox) => format!("sandbox {}", sandbox.address),
        };
        let ms = self.moment().ms;
        Reading { clock, ms, server: self.server(ms) }
    }

    /// The time, as it can be kept.
    pub(super) fn as_of(&self) -> AsOf {
        let moment = self.moment();
        AsOf { reading: Reading { ms: moment.ms, ..self.reading() }, moment }
    }

    /// Takes note of the system's calendar, which comes with each answer. A sandbox's answers tell of this machine's, and
    /// it has nothing to do with what happens there.
    pub(super) fn saw(&self, response: &Response) {
        if let (Kind::System, Some(date)) = (&self.kind, response.date()) {
            *self.theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, steady::ms()));
        }
    }

    /// The system's calendar at this time of ours; none before it has told of it.
    fn server(&self, ms: i64) -> Option<Timestamp> {
        let (date, then) = (*self.theirs.lock().unwrap_or_else(PoisonError::into_inner))?;
        date.checked_add(SignedDuration::from_millis(ms.saturating_sub(then))).ok()
    }

    /// By how much the system's calendar is ahead of ours; none before it has told of it.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        let moment = self.moment();
        Some(self.server(moment.ms)?.duration_since(moment.ours))
    }

    /// Reads the clock again where it may have been moved meanwhile.
    pub(super) async fn refresh(&self) {
        match &self.kind {
            Kind::System => {}
            Kind::Sandbox(sandbox) => {
                if sandbox.told().real.elapsed() >= TRUSTED {
                    sandbox.read().await;
                }
            }
        }
    }

    /// What is waited for with [`Self::sleep_until`] now.
    pub(super) fn pause(&self) -> Option<Pause> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until then, and lets others see why.
    pub(super) async fn sleep_until(&self, then: Timestamp, why: &str) {
        let set = |pause| *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        set(Some(Pause { until: then, reason: why.to_owned() }));
        self.wait(then).await;
        set(None);
    }

    async fn wait(&self, then: Timestamp) {
        // How long it is: what happens to the calendar meanwhile neither shortens nor stretches it.
        let began = self.moment();
        let ends = began.ms_of(then).saturating_add(1);
        loop {
            let left = ends.saturating_sub(self.moment().ms);
            let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return };
            let left = Duration::from_millis(left);
            match &self.kind {
                Kind::System => tokio::time::sleep(left.min(NAP)).await,
                Kind::Sandbox(sandbox) => {
                    // A clock that stands still is waited for: somebody may move it.
                    let real = left.checked_div(sandbox.told().rate).unwrap_or(STEP.1);
                    tokio::time::sleep(real.clamp(STEP.0, STEP.1)).await;
                    if sandbox.told().real.elapsed() >= TRUSTED {
                        sandbox.read().await;
                    }
                }
            }
        }
    }
}

impl Moment {
    /// Our calendar at that time of the clock that nobody can set.
    pub(super) fn ours_at(&self, ms: i64) -> Timestamp {
        let away = SignedDuration::from_millis(ms.saturating_sub(self.ms));
        self.ours.saturating_add(away).unwrap_or(self.ours)
    }

    /// The time of the clock that nobody can set at which our calendar says that, if nobody sets it.
    pub(super) fn ms_of(&self, ours: Timestamp) -> i64 {
        let away = i64::try_from(ours.duration_since(self.ours).as_millis()).unwrap_or(i64::MAX);
        self.ms.saturating_add(away)
    }
}

impl AsOf {
    /// By how many milliseconds our calendar was set forth since it said `ours` at that reading, or back, below zero. None
    /// where the readings are of two clocks: nobody can know.
    pub(super) fn set_since(&self, ours: Timestamp, reading: &Reading) -> i64 {
        if reading.clock != self.reading.clock {
            return 0;
        }
        let gone = self.reading.ms.saturating_sub(reading.ms);
        let shown = i64::try_from(self.moment.ours.duration_since(ours).as_millis()).unwrap_or(i64::MAX);
        shown.saturating_sub(gone)
    }
}

impl Sandbox {
    fn told(&self) -> Told {
        // Whoever panicked with the lock had only copied a value.
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reading that fails leaves the last one to go on: the sandbox may be ending.
    async fn read(&self) {
        if let Ok(reading) = read(&self.http, &self.address).await {
            *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
        }
    }
}

impl Told {
    fn now(&self) -> Timestamp {
        let real = SignedDuration::try_from(self.real.elapsed()).unwrap_or(SignedDuration::MAX);
        let rate = i32::try_from(self.rate).unwrap_or(i32::MAX);
        let gone = real.checked_mul(rate).unwrap_or(SignedDuration::MAX);
        self.simulated.checked_add(gone).unwrap_or(Timestamp::MAX)
    }
}

async fn read(http: &Http, address: &Url) -> Result<Told, String> {
    let asked = Instant::now();
    let no_time = "does not tell the time; is that a sandbox's control API?";
    let response = http.send_uncounted(Request::get(address.clone())).await.map_err(|fault| match fault {
        Fault::Unsent(reason) | Fault::Insecure(reason) | Fault::Lost(reason) => {
            format!("does not answer ({reason}); does it run?")
        }
        Fault::TooLarge => no_time.to_owned(),
    })?;
    let told: Answer = serde_json::from_str(&response.body).map_err(|_| no_time.to_owned())?;
    // Half of the way there and back belongs to each direction.
    let gone = asked.elapsed() / 2;
    Ok(Told { simulated: told.now, real: asked + gone, rate: told.rate })
}
