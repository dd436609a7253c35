//! Simulated time, shared by both systems.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A clock that may run faster than the real one and can be set.
#[derive(Debug, Clone)]
pub struct Clock {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    simulated: Timestamp,
    real: Timestamp,
    rate: u32,
}

impl Clock {
    /// A clock that shows `start` now and then runs `rate` seconds a real second.
    pub fn new(start: Timestamp, rate: u32) -> Self {
        Clock { inner: Arc::new(Mutex::new(Inner { simulated: start, real: Timestamp::now(), rate })) }
    }

    /// The simulated time.
    pub fn now(&self) -> Timestamp {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = Timestamp::now().duration_since(inner.real);
        passed.checked_mul(i32::try_from(inner.rate).unwrap_or(1)).and_then(|passed| inner.simulated.checked_add(passed).ok()).unwrap_or(inner.simulated)
    }

    /// Moves the time on.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now.saturating_add(by).unwrap_or(now));
    }

    /// Sets the time.
    pub fn set(&self, to: Timestamp) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.simulated = to;
        inner.real = Timestamp::now();
    }
}
