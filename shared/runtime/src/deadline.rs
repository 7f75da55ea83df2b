//! The clock.

use std::time::Duration;

use domain::Timestamp;

/// The time, for the shell to hand inward.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// When an invocation must have answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    ends: Timestamp,
}

/// Kept free at the end to record what was done and to answer: a function that is killed by its deadline leaves
/// notifications behind of which nobody knows whether they were sent.
const TO_SETTLE: Duration = Duration::from_millis(1_500);

impl Deadline {
    /// `millis` since 1970, as the Runtime API gives it.
    #[must_use]
    pub fn at_millis(millis: u64) -> Deadline {
        let millis = i64::try_from(millis).unwrap_or(i64::MAX);
        Deadline { ends: Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX) }
    }

    #[must_use]
    pub fn ends(&self) -> Timestamp {
        self.ends
    }

    /// How long new work may still be begun, zero when it is over.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Duration {
        let left = Duration::try_from(self.ends.duration_since(now)).unwrap_or(Duration::ZERO);
        left.saturating_sub(TO_SETTLE)
    }
}
