//! Retries of a message: the number of attempts, the pauses between them, and when to give up.

use std::time::Duration;

use jiff::Timestamp;

use crate::base::channel::{Channel, RetrySchedule};
use crate::event::Priority;

/// Maximum time of retries for critical messages and one-time codes.
const PERSISTENT: Duration = Duration::from_secs(4 * 3_600);

/// Maximum time for which a message is deferred before a provider was called.
pub const MAX_DEFERRED: Duration = Duration::from_secs(24 * 3_600);

/// The limits on attempts and time for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of provider calls, including the first.
    tries: u32,
    /// Time after the first attempt during which retries may start.
    within: Duration,
    /// The longest pause after the first attempt. It doubles with each further attempt.
    first: Duration,
    /// Upper limit of all pauses.
    longest: Duration,
}

/// The attempts so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Number of provider calls.
    pub times: u32,
    /// Time of the first attempt.
    pub since: Timestamp,
    /// Time for which the message was deferred without a provider call. It does not count towards the limit.
    pub held: Duration,
}

impl Tried {
    /// The attempts without the latest one.
    #[must_use]
    pub fn before_this(self) -> Tried {
        Tried { times: self.times.saturating_sub(1), ..self }
    }

    /// The attempts with one more.
    #[must_use]
    pub fn plus_one(self) -> Tried {
        Tried { times: self.times.saturating_add(1), ..self }
    }
}

/// The reaction to a retryable failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Retry after this pause.
    Again(Duration),
    /// Give up, because the attempts are exhausted.
    GiveUp,
}

impl Limits {
    /// The limits for a message. `one_time` marks a one-time code, which is valid only until it expires.
    #[must_use]
    pub fn of(channel: Channel, priority: Priority, one_time: bool) -> Limits {
        if one_time || priority == Priority::Critical {
            return Limits::new(u32::MAX, PERSISTENT, 2, if one_time { 30 } else { 120 });
        }
        let RetrySchedule { attempts, within, first_pause, longest_pause } = channel.spec().retry;
        Limits { tries: attempts, within, first: first_pause, longest: longest_pause }
    }

    fn new(tries: u32, within: Duration, first_s: u64, longest_s: u64) -> Limits {
        let (first, longest) = (Duration::from_secs(first_s), Duration::from_secs(longest_s));
        Limits { tries, within, first, longest }
    }

    /// The same limits for each of several providers in sequence.
    #[must_use]
    pub fn for_providers(self, providers: usize) -> Limits {
        let n = u32::try_from(providers.max(1)).unwrap_or(u32::MAX);
        Limits { tries: self.tries.saturating_mul(n), within: self.within.saturating_mul(n), ..self }
    }

    /// The index of the provider for the next attempt, after `times` attempts.
    #[must_use]
    pub fn turn(&self, times: u32) -> usize {
        usize::try_from(times / self.tries).unwrap_or(usize::MAX)
    }

    /// The reaction after a failed attempt. `tried` includes that attempt. `chance` is a random number, which spreads
    /// messages that failed together.
    ///
    /// The pause has full jitter: it is a random part of the doubled pause. A thousand messages that fail in one
    /// second are therefore not retried in one second.
    #[must_use]
    pub fn then(&self, tried: &Tried, now: Timestamp, chance: u64) -> Then {
        let passed = Duration::try_from(now.duration_since(tried.since)).unwrap_or(Duration::ZERO);
        if tried.times >= self.tries || passed.saturating_sub(tried.held) >= self.within {
            return Then::GiveUp;
        }
        Then::Again(self.pause(tried.times, chance))
    }

    /// The pause after this many attempts, at least one second.
    #[must_use]
    pub fn pause(&self, times: u32, chance: u64) -> Duration {
        let doubled = self.first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(self.longest);
        jittered(doubled, chance).max(Duration::from_secs(1))
    }
}

/// A random part of `longest`.
#[must_use]
pub fn jittered(longest: Duration, chance: u64) -> Duration {
    let share = u32::try_from(chance % 1_024).unwrap_or(0);
    longest.saturating_mul(share + 1) / 1_024
}

/// A pseudo-random number that depends only on key and count, and differs between messages.
#[must_use]
pub fn chance(key: &str, count: u32) -> u64 {
    // FNV-1a suffices, because similar keys only need different values.
    let bytes = key.bytes().chain(count.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests;
