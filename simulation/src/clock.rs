//! Time that goes by only when everybody waits.

use std::cell::Cell;
use std::time::Duration;

use domain::Timestamp;
use tokio::time::Instant;

/// When every run begins.
pub(crate) const NOON: Timestamp = Timestamp::constant(1_795_003_200, 0);

thread_local! {
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Begins a run on this thread.
pub(crate) fn begin() {
    BEGAN.set(Some(Instant::now()));
}

/// How long the run has been going on.
pub(crate) fn elapsed() -> Duration {
    BEGAN.get().map_or(Duration::ZERO, |it| it.elapsed())
}

/// What time it is in the run.
pub(crate) fn now() -> Timestamp {
    NOON.saturating_add(elapsed()).unwrap_or(Timestamp::MAX)
}

pub(crate) async fn sleep_ms(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Until an instant of the run.
pub(crate) async fn until(at: Timestamp) {
    let left = Duration::try_from(at.duration_since(now())).unwrap_or(Duration::ZERO);
    // A timer's grain is a millisecond: never awake before the time.
    tokio::time::sleep(left + Duration::from_millis(1)).await;
}
