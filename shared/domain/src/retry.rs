//! How often a message is tried, how long it stays away in between, and when it is given up.
//!
//! Source: semantics 4.5, "Provider channels".

use std::time::Duration;

use jiff::Timestamp;

use crate::channel::{Channel, RetrySchedule};
use crate::event::Priority;

/// How long what is critical, and what is only good until it expires, is tried at most.
const STUBBORN: Duration = Duration::from_secs(4 * 3_600);

/// Whoever was held back for so long before anybody could be asked is given up: 24 hours.
pub const LONGEST_HELD: Duration = Duration::from_secs(24 * 3_600);

/// What one message may cost in tries and in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a provider is asked, the first time included.
    tries: u32,
    /// How long after the first try there may be another.
    within: Duration,
    /// The longest pause after the first try; it doubles with every further one.
    first: Duration,
    /// No pause is longer.
    longest: Duration,
}

/// What was tried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// How often a provider was asked.
    pub times: u32,
    /// When that began.
    pub since: Timestamp,
    /// How long the message was held back meanwhile, without anybody being asked: that time does not count.
    pub held: Duration,
}

impl Tried {
    /// Without the latest try.
    #[must_use]
    pub fn before_this(self) -> Tried {
        Tried { times: self.times.saturating_sub(1), ..self }
    }

    /// With one more try.
    #[must_use]
    pub fn once_more(self) -> Tried {
        Tried { times: self.times.saturating_add(1), ..self }
    }
}

/// What follows a try that failed and may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Another try, after this pause.
    Again(Duration),
    /// It has been tried often enough.
    GiveUp,
}

impl Limits {
    /// What holds for a message. `one_time`: it is a code that is good only until it expires.
    #[must_use]
    pub fn of(channel: Channel, priority: Priority, one_time: bool) -> Limits {
        if one_time || priority == Priority::Critical {
            return Limits::new(u32::MAX, STUBBORN, 2, if one_time { 30 } else { 120 });
        }
        let RetrySchedule { attempts, within, first_pause, longest_pause } = channel.spec().retry;
        Limits { tries: attempts, within, first: first_pause, longest: longest_pause }
    }

    fn new(tries: u32, within: Duration, first_s: u64, longest_s: u64) -> Limits {
        let (first, longest) = (Duration::from_secs(first_s), Duration::from_secs(longest_s));
        Limits { tries, within, first, longest }
    }

    /// The same for each of so many providers, one after the other.
    #[must_use]
    pub fn for_providers(self, providers: usize) -> Limits {
        let n = u32::try_from(providers.max(1)).unwrap_or(u32::MAX);
        Limits { tries: self.tries.saturating_mul(n), within: self.within.saturating_mul(n), ..self }
    }

    /// How many providers have had their tries, and the message with them: 0 is the turn of the first.
    #[must_use]
    pub fn turn(&self, times: u32) -> usize {
        usize::try_from(times / self.tries).unwrap_or(usize::MAX)
    }

    /// What follows when one more try failed. `tried` counts that one; `chance` is any number, and keeps messages apart
    /// that failed together.
    ///
    /// The pause has full jitter: it is anything up to what doubling gives, so that a thousand messages that failed in
    /// one second do not come back in one.
    #[must_use]
    pub fn then(&self, tried: &Tried, now: Timestamp, chance: u64) -> Then {
        let passed = Duration::try_from(now.duration_since(tried.since)).unwrap_or(Duration::ZERO);
        if tried.times >= self.tries || passed.saturating_sub(tried.held) >= self.within {
            return Then::GiveUp;
        }
        Then::Again(self.pause(tried.times, chance))
    }

    /// The pause after this many tries: a second at least.
    #[must_use]
    pub fn pause(&self, times: u32, chance: u64) -> Duration {
        let doubled = self.first.saturating_mul(1 << times.saturating_sub(1).min(16)).min(self.longest);
        jittered(doubled, chance).max(Duration::from_secs(1))
    }
}

/// Anything up to `longest`, by chance.
#[must_use]
pub fn jittered(longest: Duration, chance: u64) -> Duration {
    let share = u32::try_from(chance % 1_024).unwrap_or(0);
    longest.saturating_mul(share + 1) / 1_024
}

/// A number that is the same for the same key and count, and differs from message to message.
#[must_use]
pub fn chance(key: &str, count: u32) -> u64 {
    // FNV-1a: all that is asked of it is that neighbours come apart.
    let bytes = key.bytes().chain(count.to_le_bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, it| (hash ^ u64::from(it)).wrapping_mul(0x0100_0000_01b3));
    hash ^ (hash >> 29)
}

#[cfg(test)]
mod tests;
