//! The clock and the deadline of an invocation.

use std::time::Duration;

use domain::Timestamp;

/// The current time. Callers pass it inward.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time by which an invocation must answer.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    ends: Timestamp,
}

/// The time reserved for settling and answering. A function killed at its deadline leaves notifications
/// with an unknown outcome.
const TO_SETTLE: Duration = Duration::from_millis(1_500);

impl Deadline {
    /// Creates a deadline from milliseconds since 1970, the unit of the Runtime API.
    #[must_use]
    pub fn at_millis(millis: u64) -> Deadline {
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        Deadline { ends: Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX) }
    }

    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// The time left for new work, zero after its end.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Duration {
        let left = Duration::try_from(self.ends.duration_since(now)).unwrap_or(Duration::ZERO);
        left.saturating_sub(TO_SETTLE)
    }
}
