//! The clock that a connection lives by: this machine's, or a sandbox's that runs faster and can be moved.

use super::Pause;
use super::http::{Call, Fault, Http, Timing, is_loopback};
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

/// A clock, and who waits for it.
pub(super) struct Clock {
    kind: Kind,
    pause: Mutex<Option<Pause>>,
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
        Self { kind, pause: Mutex::default() }
    }

    /// The clock of the sandbox with this control API, read once.
    pub(super) async fn sandbox(system: &str, control: &str, timing: &Timing) -> Result<Self, Failed> {
        let no_address = |e| Failed::Entry(format!("is no address: {e}"));
        let base = Url::parse(control).map_err(no_address)?;
        if !is_loopback(&base) {
            return Err(Failed::Entry("is not on this machine; only a sandbox has a clock of its own".to_owned()));
        }
        let address = base.join("clock").map_err(no_address)?;
        let http = Http::new(system, &base, timing).map_err(Failed::Entry)?;
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

    /// A reading that nobody can set.
    pub(super) fn reading(&self) -> Reading {
        let clock = match &self.kind {
            Kind::System => "machine".to_owned(),
            Kind::Sandbox(sandbox) => format!("sandbox {}", sandbox.address),
        };
        Reading { clock, ms: self.now().as_millisecond(), server: None }
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
        loop {
            let left = then.duration_since(self.now());
            if !left.is_positive() {
                return;
            }
            let left = left.unsigned_abs();
            match &self.kind {
                Kind::System => tokio::time::sleep(left).await,
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
    let heard = http.send_uncounted(Call::get(address.clone())).await.map_err(|fault| match fault {
        Fault::Unsent(reason) | Fault::Insecure(reason) | Fault::Lost(reason) => {
            format!("does not answer ({reason}); does it run?")
        }
        Fault::TooLarge => no_time.to_owned(),
    })?;
    let told: Answer = serde_json::from_str(&heard.body).map_err(|_| no_time.to_owned())?;
    // Half of the way there and back belongs to each direction.
    let gone = asked.elapsed() / 2;
    Ok(Told { simulated: told.now, real: asked + gone, rate: told.rate })
}
