//! Simulated time, which advances only when all tasks wait.

use std::cell::Cell;
use std::time::Duration;

use domain::Timestamp;
use tokio::time::Instant;

/// Start time of every run.
pub(crate) const NOON: Timestamp = Timestamp::constant(1_795_003_200, 0);

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Begins a run on this thread.
pub(crate) fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// Simulated time since the start of the run.
pub(crate) fn elapsed() -> Duration {
    BEGAN.get().map_or(Duration::ZERO, |item| item.elapsed())
}

/// Current time of the run.
pub(crate) fn now() -> Timestamp {
    NOON.saturating_add(elapsed()).unwrap_or(Timestamp::MAX)
}

pub(crate) async fn sleep_ms(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Waits until an instant of the run.
pub(crate) async fn until(at: Timestamp) {
    let left = Duration::try_from(at.duration_since(now())).unwrap_or(Duration::ZERO);
    // Timers have a resolution of one millisecond, and must never fire early.
    tokio::time::sleep(left + Duration::from_millis(1)).await;
}
