//! Time that nobody can set: the machine's, counted since it was started, sleep included. Waits run on it, and never on the
//! calendar, which people and time servers set back and forth.

use std::sync::LazyLock;
use std::time::Instant;

/// What names the time: readings under one name can be compared, those under two cannot.
static NAME: LazyLock<String> = LazyLock::new(|| boot().unwrap_or_else(|| format!("process {}", uuid::Uuid::new_v4())));

/// Where the time of this process begins, on a machine that does not tell when it was started.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The name of the time: of this start of the machine, so that another process goes on with it.
pub(super) fn name() -> &'static str {
    &NAME
}

/// Milliseconds of it. Only differences mean something.
pub(super) fn ms() -> i64 {
    since_boot().unwrap_or_else(|| i64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(i64::MAX))
}

#[cfg(target_os = "linux")]
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = id.trim();
    (!id.is_empty()).then(|| format!("boot {id}"))
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<i64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec.checked_mul(1_000)?.checked_add(time.tv_nsec / 1_000_000)
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<String> {
    None
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<i64> {
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_goes_on_and_keeps_its_name() {
        let (name, before) = (super::name(), super::ms());
        std::thread::yield_now();
        assert!(super::ms() >= before);
        assert_eq!(super::name(), name);
        assert!(name.starts_with("boot ") || name.starts_with("process "), "{name}");
    }
}
